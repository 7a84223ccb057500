/* SPDX-License-Identifier: MIT */
/*
 * What a tester may do to the instance from outside, over HTTP on the loopback address: routes
 * with query parameters, answers in JSON. GET / lists them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/instance/peer.h"

#define OUT_MAX	  (16u << 20)
#define TIMES_MAX 1000000

typedef bool (*route_fn)(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			 struct slt_err *err);

/* --- parameters ------------------------------------------------------------------------------- */

static bool text_param(const struct slt_request *r, const char *name, char **ret,
		       struct slt_err *err)
{
	char *v = slt_httpd_param(r, name);
	if (v == NULL) {
		return slt_fail(err, SLT_EINVAL, "the parameter %s is missing", name);
	}
	*ret = v;
	return true;
}

static bool number_param(const struct slt_request *r, const char *name, int64_t *ret,
			 struct slt_err *err)
{
	SLT_AUTO_STR char *v = NULL;
	char *end = NULL;
	if (!text_param(r, name, &v, err)) {
		return false;
	}
	errno = 0;
	long long n = strtoll(v, &end, 10);
	if (errno != 0 || end == v || *end != '\0') {
		return slt_fail(err, SLT_EINVAL, "%s must be a number, not %.40s", name, v);
	}
	*ret = n;
	return true;
}

/* One of the words; *ret is its place. */
static bool word_param(const struct slt_request *r, const char *name, const char *const *words,
		       size_t n, size_t *ret, struct slt_err *err)
{
	SLT_AUTO_STR char *v = NULL;
	if (!text_param(r, name, &v, err)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], v) == 0) {
			*ret = i;
			return true;
		}
	}
	return slt_fail(err, SLT_EINVAL, "%s does not know %.40s", name, v);
}

/* --- certificates, authorities and services --------------------------------------------------- */

static const char *const status_words[] = {"good", "revoked", "unknown"};
static const char *const service_words[] = {"ocsp",  "tsa",	 "conf",  "infosys",
					    "relay", "services", "server"};
static const char *const updown_words[] = {"up", "down"};
static const char *const onoff_words[] = {"off", "on"};

static bool set_certificate(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			    struct slt_err *err)
{
	(void)out;
	SLT_AUTO_STR char *name = NULL;
	size_t status = 0;
	if (!text_param(r, "name", &name, err) ||
	    !word_param(r, "status", status_words, SLT_COUNT(status_words), &status, err)) {
		return false;
	}
	const struct slt_pki_entry *e = slt_pki_find(b->pki, name);
	if (e == NULL || !e->leaf) {
		return slt_fail(err, SLT_ENOTFOUND, "no authority issued a certificate %.40s",
				name);
	}
	slt_pki_set_status(b->pki, e, (enum slt_pki_status)status, slt_now_ms());
	slt_ocspcache_clear(b->ocsp);
	return true;
}

static bool set_ocsp(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		     struct slt_err *err)
{
	(void)out;
	int64_t age = 0;
	if (!number_param(r, "age", &age, err)) {
		return false;
	}
	atomic_store(&b->ocspd.age_s, age);
	slt_ocspcache_clear(b->ocsp);
	return true;
}

static bool set_service(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			struct slt_err *err)
{
	(void)out;
	size_t service = 0, down = 0;
	if (!word_param(r, "name", service_words, SLT_COUNT(service_words), &service, err) ||
	    !word_param(r, "state", updown_words, 2, &down, err)) {
		return false;
	}
	if (service == SLT_BOX_SERVICES) {
		return slt_peer_server_listen(b->peer_server, down == 0, err);
	}
	atomic_store(&b->down[service], down == 1);
	return true;
}

static bool present(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		    struct slt_err *err)
{
	(void)out;
	SLT_AUTO_STR char *name = NULL;
	if (!text_param(r, "certificate", &name, err)) {
		return false;
	}
	if (!slt_peer_is_identity(name)) {
		return slt_fail(err, SLT_ENOTFOUND, "the security server cannot present %.40s",
				name);
	}
	return slt_peer_server_present(b->peer_server, name, err);
}

static bool refresh(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		    struct slt_err *err)
{
	(void)r;
	(void)out;
	return slt_box_refresh(b, err);
}

/* --- configuration ---------------------------------------------------------------------------- */

static bool rotate(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		   struct slt_err *err)
{
	(void)out;
	static const char *const words[] = {"internal", "external"};
	size_t external = 0;
	return word_param(r, "key", words, 2, &external, err) &&
	       slt_confsource_rotate(b->confsource, external == 1, err) && slt_box_refresh(b, err);
}

static bool set_maintenance(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			    struct slt_err *err)
{
	(void)out;
	static const char *const words[] = {"own", "bridge"};
	size_t bridge = 0, on = 0;
	return word_param(r, "server", words, 2, &bridge, err) &&
	       word_param(r, "state", onoff_words, 2, &on, err) &&
	       slt_confsource_maintenance(b->confsource, bridge == 1, on == 1, err) &&
	       slt_box_refresh(b, err);
}

static bool set_servers(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			struct slt_err *err)
{
	SLT_AUTO_STR char *addresses = NULL;
	(void)out;
	return text_param(r, "addresses", &addresses, err) &&
	       slt_confsource_more_servers(b->confsource, addresses, err) &&
	       slt_box_refresh(b, err);
}

static bool set_bridge(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		       struct slt_err *err)
{
	(void)out;
	size_t on = 0;
	return word_param(r, "registered", onoff_words, 2, &on, err) &&
	       slt_confsource_register_bridge(b->confsource, on == 1, err) &&
	       slt_box_refresh(b, err);
}

/* The own security server does not take up what expires earlier than what it holds: that would
 * be a step back. */
static bool set_expiry(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		       struct slt_err *err)
{
	(void)out;
	int64_t seconds = 0;
	return number_param(r, "seconds", &seconds, err) &&
	       slt_confsource_expiry(b->confsource, seconds, err);
}

/* --- messages and prescriptions --------------------------------------------------------------- */

static bool set_answer_fault(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			     struct slt_err *err)
{
	(void)out;
	SLT_AUTO_STR char *mode = NULL;
	SLT_AUTO_STR char *given = slt_httpd_param(r, "times");
	int64_t times = 1;
	if (!text_param(r, "mode", &mode, err) ||
	    (given != NULL && !number_param(r, "times", &times, err))) {
		return false;
	}
	enum slt_fault f = slt_fault_find(mode, true);
	if (f == SLT_FAULT_COUNT || times < 0 || times > TIMES_MAX) {
		return slt_fail(err, SLT_EINVAL, "answers cannot suffer %.40s so often", mode);
	}
	slt_faults_set(&b->faults, f, (unsigned)times);
	return true;
}

static bool set_prescription(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			     struct slt_err *err)
{
	(void)out;
	SLT_AUTO_STR char *id = NULL;
	SLT_AUTO_STR char *state = NULL;
	if (!text_param(r, "id", &id, err) || !text_param(r, "state", &state, err)) {
		return false;
	}
	return slt_infosys_set_status(b->infosys, id, state) ||
	       slt_fail(err, SLT_ENOTFOUND, "there is no prescription %.80s or no state %.40s", id,
			state);
}

static bool mix_up(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		   struct slt_err *err)
{
	(void)out;
	SLT_AUTO_STR char *id = NULL;
	SLT_AUTO_STR char *other = NULL;
	if (!text_param(r, "id", &id, err) || !text_param(r, "with", &other, err)) {
		return false;
	}
	return slt_infosys_mix_up(b->infosys, id, other) ||
	       slt_fhirsys_mix_up(b->fhirsys, id, other) ||
	       slt_fail(err, SLT_ENOTFOUND, "there is no prescription %.80s or %.80s", id, other);
}

/* Everything as it was at the start, but for the configuration and its keys. */
static bool reset(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		  struct slt_err *err)
{
	(void)r;
	(void)out;
	for (size_t i = 0; i < slt_pki_count(b->pki); i++) {
		slt_pki_restore(b->pki, slt_pki_at(b->pki, i));
	}
	for (size_t i = 0; i < SLT_BOX_SERVICES; i++) {
		atomic_store(&b->down[i], false);
	}
	atomic_store(&b->ocspd.age_s, 0);
	slt_faults_set(&b->faults, SLT_FAULT_NONE, 0);
	slt_fhirsys_reset(b->fhirsys);
	return slt_peer_server_present(b->peer_server, "server-auth", err) &&
	       slt_infosys_reset(b->infosys, err) && slt_box_refresh(b, err);
}

static bool report(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		   struct slt_err *err)
{
	(void)r;
	(void)err;
	slt_infosys_report(b->infosys, out);
	return true;
}

static bool report_fhir(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
			struct slt_err *err)
{
	(void)r;
	(void)err;
	json_t *all = slt_fhirsys_report(b->fhirsys);
	char *text = json_dumps(all, JSON_INDENT(1));
	slt_assert(text != NULL);
	slt_buf_adds(out, text);
	free(text);
	json_decref(all);
	return true;
}

static json_t *certificates(struct slt_box *b)
{
	json_t *o = json_object();
	for (size_t i = 0; i < slt_pki_count(b->pki); i++) {
		const struct slt_pki_entry *e = slt_pki_at(b->pki, i);
		int64_t at = 0;
		if (e->leaf) {
			enum slt_pki_status s = slt_pki_status(b->pki, e, &at);
			(void)json_object_set_new(o, e->name, json_string(status_words[s]));
		}
	}
	return o;
}

static json_t *fault_names(bool answer)
{
	json_t *list = json_array();
	for (unsigned i = 1; i < SLT_FAULT_COUNT; i++) {
		const char *name = slt_fault_name((enum slt_fault)i);
		if (slt_fault_find(name, answer) != SLT_FAULT_COUNT) {
			(void)json_array_append_new(list, json_string(name));
		}
	}
	return list;
}

static bool state(struct slt_box *b, const struct slt_request *r, struct slt_buf *out,
		  struct slt_err *err)
{
	(void)r;
	json_t *down = json_array();
	for (size_t i = 0; i < SLT_BOX_SERVICES; i++) {
		if (atomic_load(&b->down[i])) {
			(void)json_array_append_new(down, json_string(service_words[i]));
		}
	}
	json_t *o = json_pack(
		"{sI sI so so sI so so}", "received", (json_int_t)atomic_load(&b->n_received),
		"sent", (json_int_t)atomic_load(&b->n_sent), "down", down, "certificates",
		certificates(b), "ocsp_age", (json_int_t)atomic_load(&b->ocspd.age_s),
		"request_faults", fault_names(false), "answer_faults", fault_names(true));
	char *text = o == NULL ? NULL : json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	if (text == NULL) {
		return slt_fail(err, SLT_EINTERNAL, "the state cannot be written");
	}
	slt_buf_adds(out, text);
	free(text);
	return true;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const struct {
	const char *method, *path;
	route_fn fn;
	const char *doc;
} routes[] = {
	/* clang-format off */
	{"GET", "/state", state, "counters, status of certificates, names of faults"},
	{"GET", "/report", report, "prescriptions and dispensations"},
	{"GET", "/report-fhir", report_fhir, "the dispensations that came as FHIR Bundles"},
	{"POST", "/reset", reset, "forget dispensations, faults and statuses; everything up"},
	{"POST", "/refresh", refresh, "take up configuration and OCSP responses as they are now"},
	{"POST", "/prescription", set_prescription, "id=root or root^extension, state=national word"},
	{"POST", "/mix-up", mix_up, "id=, with=: the other prescription's document is given out; of FHIR system|value"},
	{"POST", "/certificate", set_certificate, "name=, status=good|revoked|unknown"},
	{"POST", "/ocsp", set_ocsp, "age=seconds that thisUpdate lies back"},
	{"POST", "/service", set_service,
	 "name=ocsp|tsa|conf|infosys|relay|services|server, state=up|down"},
	{"POST", "/present", present,
	 "certificate=server-auth|server-auth-unregistered|server-auth-expired|bridge-auth: in TLS"},
	{"POST", "/answer-fault", set_answer_fault, "mode=, times=number of answers (1)"},
	{"POST", "/rotate", rotate, "key=internal|external: sign configuration with the other key"},
	{"POST", "/maintenance", set_maintenance, "server=own|bridge, state=on|off"},
	{"POST", "/servers", set_servers, "addresses=A,B: of further security servers that serve the same"},
	{"POST", "/bridge", set_bridge, "registered=on|off: the bridge's security server"},
	{"POST", "/expiry", set_expiry, "seconds= lifetime of directories made from now on; 0: as at the start"},
	/* clang-format on */
};

static void list_routes(struct slt_request *r)
{
	SLT_AUTO_BUF(out, OUT_MAX);
	for (size_t i = 0; i < SLT_COUNT(routes); i++) {
		slt_buf_addf(&out, "%-4s %-14s %s\n", routes[i].method, routes[i].path,
			     routes[i].doc);
	}
	slt_httpd_reply(r, 200, "text/plain; charset=utf-8", slt_buf_str(&out));
}

void slt_admin_handle(void *arg, struct slt_request *r, struct slt_str body)
{
	(void)body;
	const char *path = slt_request_path(r);
	struct slt_err err = SLT_ERR_INIT;
	if (strcmp(path, "/") == 0) {
		list_routes(r);
		return;
	}
	for (size_t i = 0; i < SLT_COUNT(routes); i++) {
		if (strcmp(routes[i].path, path) != 0 ||
		    strcmp(routes[i].method, slt_request_method(r)) != 0) {
			continue;
		}
		SLT_AUTO_BUF(out, OUT_MAX);
		if (!routes[i].fn(arg, r, &out, &err)) {
			slt_log_err(SLT_LOG_INFO, "An administrator's request failed", &err, "path",
				    path, NULL);
			slt_httpd_text(r, (unsigned)slt_code_http(err.code), "%s\n", err.msg);
			return;
		}
		slt_httpd_reply(r, 200, "application/json",
				out.n == 0 ? SLT_STR_C("{\"ok\":true}\n") : slt_buf_str(&out));
		return;
	}
	slt_httpd_text(r, 404, "no such route: see GET /\n");
}
