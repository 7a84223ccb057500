/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "admin.h"
#include "base/clock.h"
#include "command.h"
#include "exchange.h"
#include "listen.h"
#include "watch.h"

#define STOP_SECONDS 15 /* what stopping takes beyond draining */

static void help(void)
{
	puts("usage: silta serve -c FILE\n\n"
	     "Runs the bridge until SIGTERM or SIGINT; then lets exchanges under way end, for as\n"
	     "long as \"drain\" in the configuration says. Logs to standard error; tells systemd\n"
	     "when it is ready. On SIGHUP the mapping set is read again: it takes the place of the\n"
	     "one in force if there is no problem in it; exchanges under way end on the old one.\n"
	     "(The configuration file itself is read only at the start.)\n\n"
	     "  -c, --config FILE   configuration, see silta.conf(5)");
}

static bool start_admin(struct slt_bridge *b, struct slt_err *err)
{
	const struct slt_config *c = b->service->config;
	char port[16];

	if (c->admin_port == 0) {
		return true;
	}
	if (!slt_admin_start(b, &b->admin, err)) {
		return false;
	}
	snprintf(port, sizeof(port), "%u", slt_admin_port(b->admin));
	slt_log(SLT_LOG_NOTICE, "admin listener", "address", c->admin_listen, "port", port, NULL);
	return true;
}

static void tell_listening(const struct slt_inbound *in)
{
	const struct slt_config_side *c = slt_side_config(in->side);
	char port[16], ocsp[16];

	snprintf(port, sizeof(port), "%u", slt_server_port(in->requests));
	snprintf(ocsp, sizeof(ocsp), "%u", in->relay ? slt_server_port(in->relay) : 0);
	slt_log(SLT_LOG_NOTICE, "listening", "side", c->name, "address", c->listen, "port", port,
		"ocsp_port", in->relay ? ocsp : NULL, NULL);
}

static bool start(struct slt_bridge *b, const char *path, struct slt_err *err)
{
	struct slt_config *config = NULL;
	struct slt_err files = SLT_ERR_INIT;

	if (!slt_config_load(path, &config, NULL, err)) {
		return false;
	}
	bool enough = slt_listen_raise_limit(config, &files);
	if (!slt_service_open(config, &b->service, err) ||
	    !slt_refresh_start(b->service, &b->refresh, err)) {
		return false;
	}
	if (!enough) { /* only now the log is as the configuration says */
		slt_log_err(SLT_LOG_WARNING, "connections may be refused under load", &files, NULL);
	}
	for (; b->n_inbound < b->service->n_sides; b->n_inbound++) {
		struct slt_side *side = b->service->side[b->n_inbound];
		if (!slt_inbound_start(b->service, side, &b->inbound[b->n_inbound], err)) {
			return false;
		}
		tell_listening(b->inbound[b->n_inbound]);
	}
	return start_admin(b, err);
}

/* New connections are refused, exchanges under way go on, up to the limit. */
static void drain(struct slt_bridge *b)
{
	int64_t until = slt_mono_us() + b->service->config->drain_seconds * 1000000;

	atomic_store(&b->draining, true);
	for (size_t i = 0; i < b->n_inbound; i++) {
		slt_inbound_quiesce(b->inbound[i]);
	}
	while (slt_exchange_active() && slt_mono_us() < until) {
		usleep(20000);
	}
}

static void stop(struct slt_bridge *b)
{
	if (!b->service) {
		return;
	}
	/* no exchange begins any more; calls that are still under way, or that one under way makes
	 * now, end with an error, which answers their callers */
	slt_admin_stop(b->admin);
	atomic_store(&b->service->stopping, true);
	slt_client_stop(b->service->client);
	while (slt_exchange_active()) {
		usleep(5000);
	}
	for (size_t i = 0; i < b->n_inbound; i++) {
		slt_inbound_stop(b->inbound[i]);
	}
	slt_service_close(b->service);
	slt_watch_free(b->watch); /* the pool's last job may have been its own */
}

static void signals_awaited(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
}

/* Meanwhile the bridge is looked after. */
static int wait_for_signal(struct slt_bridge *b)
{
	sigset_t set;
	int sig = -1;

	signals_awaited(&set);
	while (sig < 0) {
		int64_t ms = slt_watch_tick(b->watch);
		struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
		sig = sigtimedwait(&set, NULL, &t);
	}
	return sig;
}

/* Before any thread is made, so that all inherit it and only sigtimedwait() sees the signals. */
static void block_signals(void)
{
	sigset_t set;

	signals_awaited(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void reload(struct slt_bridge *b)
{
	slt_log(SLT_LOG_NOTICE, "reloading the mapping set", NULL);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)slt_mono_us());
	(void)slt_service_reload(b->service);
	sd_notify(0, "READY=1");
	slt_watch_wake(b->watch);
}

static void run(struct slt_bridge *b)
{
	slt_log(SLT_LOG_NOTICE, "ready", NULL);
	sd_notify(0, "READY=1");
	b->watch = slt_watch_new(b);
	while (wait_for_signal(b) == SIGHUP) {
		reload(b);
	}
	slt_log(SLT_LOG_NOTICE, "stopping", NULL);
	sd_notifyf(0,
		   "STOPPING=1\nSTATUS=stopping: exchanges under way are let end\n"
		   "EXTEND_TIMEOUT_USEC=%lld",
		   (long long)(b->service->config->drain_seconds + STOP_SECONDS) * 1000000);
	drain(b);
}

int slt_cmd_serve(int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	struct slt_err err = SLT_ERR_INIT;
	struct slt_bridge b = {.started_ms = slt_now_ms()};
	const char *path = NULL;
	int o;

	while ((o = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (o == 'h') {
			help();
			return SLT_EXIT_GOOD;
		}
		if (o != 'c') {
			return SLT_EXIT_CANNOT;
		}
		path = optarg;
	}
	if (!path || optind != argc) {
		fprintf(stderr, "silta serve: give the configuration with -c FILE\n");
		return SLT_EXIT_CANNOT;
	}
	slt_mem_keep();
	block_signals();
	bool ok = start(&b, path, &err);
	if (ok) {
		run(&b);
	}
	slt_refresh_stop(b.refresh);
	stop(&b);
	return ok ? SLT_EXIT_GOOD : slt_cannot("serve", &err);
}
