/* SPDX-License-Identifier: MIT */
#include "tests/instance/confclient.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

struct slt_confclient {
	struct slt_confclient_options o;
	struct slt_anchor *anchor;
	pthread_mutex_t fetching; /* one round at a time */
	pthread_mutex_t lock;	  /* gc */
	struct slt_globalconf *gc;
	bool incomplete;
};

static bool fetch(void *arg, const char *url, size_t max, int *ret_status, struct slt_buf *ret_body,
		  struct slt_err *err)
{
	struct slt_client *client = arg;
	if (ret_body->max > max) {
		ret_body->max = max;
	}
	struct slt_call call = {.method = "GET",
				.url = url,
				.connect_ms = 2000,
				.total_ms = 10000,
				.tls_insecure = true};
	return slt_client_perform(client, &call, ret_status, ret_body, err);
}

static bool refresh(struct slt_confclient *c, struct slt_err *err)
{
	int64_t now = slt_now_ms();
	struct slt_gc_fetch f = {.anchor = c->anchor,
				 .dir = c->o.dir,
				 .federation = c->o.federation ? "all" : "none",
				 .fetch = fetch,
				 .fetch_arg = c->o.client,
				 .now_ms = now};
	struct slt_gc_fetch_result result = {.version = 0};
	if (!slt_globalconf_fetch(&f, &result, err)) {
		return false;
	}
	SLT_AUTO_STR char *failed = result.warnings;
	if (failed != NULL && !slt_confclient_incomplete(c)) {
		slt_log(SLT_LOG_WARNING, "A federated instance's configuration was not fetched",
			"reason", failed, NULL);
	}
	struct slt_globalconf *gc = NULL;
	struct slt_gc_load_options load = {.now_ms = now};
	char *warnings = NULL;
	if (!slt_globalconf_load(c->o.dir, &load, &gc, &warnings, err)) {
		return false;
	}
	free(warnings);
	pthread_mutex_lock(&c->lock);
	struct slt_globalconf *old = c->gc;
	c->gc = gc;
	c->incomplete = failed != NULL;
	pthread_mutex_unlock(&c->lock);
	slt_globalconf_free(old);
	return true;
}

bool slt_confclient_incomplete(struct slt_confclient *c)
{
	pthread_mutex_lock(&c->lock);
	bool incomplete = c->incomplete;
	pthread_mutex_unlock(&c->lock);
	return incomplete;
}

bool slt_confclient_refresh(struct slt_confclient *c, struct slt_err *err)
{
	pthread_mutex_lock(&c->fetching);
	bool ok = refresh(c, err);
	pthread_mutex_unlock(&c->fetching);
	return ok;
}

bool slt_confclient_new(const struct slt_confclient_options *o, struct slt_confclient **ret,
			struct slt_err *err)
{
	SLT_AUTO(slt_confclient_free) struct slt_confclient *c = slt_calloc(1, sizeof(*c));
	c->o = *o;
	pthread_mutex_init(&c->fetching, NULL);
	pthread_mutex_init(&c->lock, NULL);
	if (!slt_anchor_load(o->anchor_path, &c->anchor, err) || !slt_confclient_refresh(c, err)) {
		return false;
	}
	*ret = SLT_TAKE(c);
	return true;
}

void slt_confclient_free(struct slt_confclient *c)
{
	if (c == NULL) {
		return;
	}
	slt_globalconf_free(c->gc);
	slt_anchor_free(c->anchor);
	pthread_mutex_destroy(&c->fetching);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct slt_globalconf *slt_confclient_get(struct slt_confclient *c)
{
	pthread_mutex_lock(&c->lock);
	struct slt_globalconf *gc = c->gc;
	slt_globalconf_ref(gc);
	pthread_mutex_unlock(&c->lock);
	return gc;
}
