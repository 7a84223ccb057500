/* SPDX-License-Identifier: MIT */

/*
 * silta log show: an exchange with both its legs side by side. Prints what identifies and proves a
 * message; what it says is printed only with --full.
 */

#include <inttypes.h>
#include <jansson.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xml.h"
#include "cmd_log.h"
#include "federation/trust.h"
#include "msglog_store.h"

#define NS_DS	  "http://www.w3.org/2000/09/xmldsig#"
#define CERT_MAX  65536
#define DEPTH_MAX 32 /* of a trace's JSON */

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

/* --- what is told of a message --- */

struct facts {
	const struct slt_msglog_message *m; /* NULL: there is none */
	const char *at, *size, *digest, *signer, *stamped, *trace;
	const char *sealer; /* NULL: its own sender signed it, or nobody */
};

static const struct slt_msglog_part *find_part(const struct slt_msglog_message *m, const char *name)
{
	for (unsigned i = 0; i < m->n_parts; i++) {
		if (strcmp(m->part[i].name, name) == 0) {
			return &m->part[i];
		}
	}
	return NULL;
}

static const char *digest_hex(const struct slt_digest *d, struct slt_arena *a)
{
	SLT_AUTO_BUF(b, 256);
	slt_buf_add_hex(&b, d->v, d->n);
	return slt_arena_strdup(a, slt_buf_str(&b).p);
}

static const xmlNode *find_element(const xmlNode *top, const char *ns, const char *name)
{
	const xmlNode *n = top;
	while (n) {
		if (slt_xml_is(n, ns, name)) {
			return n;
		}
		const xmlNode *next = slt_xml_first(n);
		while (!next && n && n != top) {
			next = slt_xml_next(n);
			n = next ? n : n->parent;
		}
		n = next;
	}
	return NULL;
}

static const char *subject_of(const xmlNode *node, struct slt_arena *a)
{
	SLT_AUTO_BUF(der, CERT_MAX);
	SLT_AUTO_BUF(name, 4096);
	struct slt_err ignored = SLT_ERR_INIT;
	if (!node || !slt_xml_base64(node, &der, &ignored)) {
		return "unreadable";
	}
	const unsigned char *p = (const unsigned char *)slt_buf_str(&der).p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	if (!cert) {
		return "unreadable";
	}
	slt_certinfo_name(X509_get_subject_name(cert), &name);
	X509_free(cert);
	return slt_arena_strdup(a, slt_buf_str(&name).p);
}

/* The subject of the certificate in the signature: not judged here, `verify` does. */
static const char *signer_of(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			     struct slt_arena *a)
{
	SLT_AUTO_BUF(b, SLT_MSGLOG_DOC_MAX);
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err ignored = SLT_ERR_INIT;
	if (!m->is_signed) {
		return "none: not signed, not sealed";
	}
	if (!slt_msglog_read_part(r, m->seq, SLT_MSGLOG_SIGNATURE, &b, &ignored) ||
	    !slt_xml_parse(b.p, b.n, &SLT_XML_PEER, "signature", &doc, &ignored)) {
		return "unreadable";
	}
	return subject_of(find_element(xmlDocGetRootElement(doc), NS_DS, "X509Certificate"), a);
}

/* --- the trace in a few words --- */

#define OUTCOMES_MAX 16

struct outcomes {
	char name[OUTCOMES_MAX][24];
	unsigned n[OUTCOMES_MAX], count;
};

static void outcome_add(struct outcomes *o, const char *name)
{
	unsigned i = 0;
	while (i < o->count && strncmp(o->name[i], name, sizeof(o->name[i]) - 1) != 0) {
		i++;
	}
	if (i == OUTCOMES_MAX) {
		return;
	}
	if (i == o->count) {
		snprintf(o->name[i], sizeof(o->name[i]), "%s", name);
		o->count++;
	}
	o->n[i]++;
}

/* Counts the "outcome" of every object, wherever the trace has its entries. */
static void outcomes_count(struct outcomes *o, const json_t *v, unsigned depth)
{
	const char *key;
	json_t *child;
	size_t i;
	if (depth > DEPTH_MAX) {
		return;
	}
	if (json_is_array(v)) {
		json_array_foreach(v, i, child)
		{
			outcomes_count(o, child, depth + 1);
		}
	}
	if (json_is_object(v)) {
		/* jansson iterates over what it does not change */
		for (void *it = json_object_iter((json_t *)(uintptr_t)v); it;
		     it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
			key = json_object_iter_key(it);
			child = json_object_iter_value(it);
			if (strcmp(key, "outcome") == 0 && json_is_string(child)) {
				outcome_add(o, json_string_value(child));
			} else {
				outcomes_count(o, child, depth + 1);
			}
		}
	}
}

static const char *trace_of(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
			    struct slt_arena *a)
{
	const struct slt_msglog_part *p = find_part(m, SLT_MSGLOG_TRACE);
	SLT_AUTO_BUF(b, SLT_MSGLOG_DOC_MAX);
	SLT_AUTO_BUF(text, 1024);
	struct slt_err ignored = SLT_ERR_INIT;
	struct outcomes o = {.count = 0};
	if (!p) {
		return "-";
	}
	if (p->cut || !slt_msglog_read_part(r, m->seq, SLT_MSGLOG_TRACE, &b, &ignored)) {
		return "cut off";
	}
	json_t *root = json_loadb(b.p, b.n, 0, NULL);
	if (!root) {
		return "unreadable";
	}
	outcomes_count(&o, root, 0);
	json_decref(root);
	for (unsigned i = 0; i < o.count; i++) {
		slt_buf_addf(&text, "%s%u %s", i ? ", " : "", o.n[i], o.name[i]);
	}
	return o.count ? slt_arena_strdup(a, slt_buf_str(&text).p) : "no entries";
}

static const char *size_of(const struct slt_msglog_message *m, struct slt_arena *a)
{
	uint64_t head = 0, more = 0;
	unsigned n = 0;
	bool cut = false;
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		if (strcmp(p->name, SLT_MSGLOG_HEAD) == 0) {
			head = p->size;
			cut = p->cut;
		} else if (strncmp(p->name, "/attachment", 11) == 0) {
			more += p->size;
			n++;
		}
	}
	SLT_AUTO_BUF(b, 256);
	slt_buf_addf(&b, "%" PRIu64 " bytes", head);
	if (n) {
		slt_buf_addf(&b, " + %" PRIu64 " in %u attachment%s", more, n, n > 1 ? "s" : "");
	}
	slt_buf_adds(&b, cut ? ", cut off" : "");
	return slt_arena_strdup(a, slt_buf_str(&b).p);
}

static void facts_fill(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		       struct slt_arena *a, struct facts *f)
{
	char t[SLT_TIME_LEN];
	struct slt_err ignored = SLT_ERR_INIT;
	const struct slt_msglog_part *head = find_part(m, SLT_MSGLOG_HEAD);
	f->m = m;
	f->at = slt_arena_printf(a, "%s %s", m->sent ? "sent" : "received",
				 slt_time_format(m->at_ms, true, t));
	f->size = size_of(m, a);
	f->digest = head ? digest_hex(&head->digest, a) : "";
	f->signer = signer_of(r, m, a);
	if (!slt_msglog_sealer(r, m, a, &f->sealer, &ignored)) {
		f->sealer = "unreadable";
	}
	f->stamped =
		m->stamp_seq ? slt_arena_strdup(a, slt_time_format(m->stamped_ms, true, t)) : NULL;
	f->trace = trace_of(r, m, a);
}

/* --- printing --- */

static void row(const char *label, const char *near, const char *far)
{
	printf("  %-12s%-58s  %s\n", label, or_dash(near), or_dash(far));
}

static const char *short_digest(const struct facts *f, struct slt_arena *a)
{
	return f->m ? slt_arena_printf(a, "%s %.32s…", slt_digest_name(f->m->digest_alg), f->digest)
		    : NULL;
}

#define OF(f, field) ((f)->m ? (f)->m->field : NULL)

static void print_pair(const char *title, const struct facts *near, const struct facts *far,
		       struct slt_arena *a)
{
	if (!near->m && !far->m) {
		return;
	}
	printf("%s\n", title);
	row("side", OF(near, side), OF(far, side));
	row("when", near->at, far->at);
	row("message id", OF(near, message_id), OF(far, message_id));
	row("client", OF(near, client), OF(far, client));
	row("service", OF(near, service), OF(far, service));
	row("size", near->size, far->size);
	row("digest", short_digest(near, a), short_digest(far, a));
	row("signer", near->signer, far->signer);
	if (near->sealer || far->sealer) {
		row("sealed by", near->sealer, far->sealer);
	}
	row("time-stamp", near->m && !near->stamped ? "none yet" : near->stamped,
	    far->m && !far->stamped ? "none yet" : far->stamped);
	row("mapping", near->trace, far->trace);
}

static void json_parts(struct slt_buf *b, const struct slt_msglog_message *m, struct slt_arena *a)
{
	slt_buf_adds(b, ",\"parts\":[");
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		slt_buf_adds(b, i ? ",{" : "{");
		slt_log_json_text(b, "name", p->name);
		slt_buf_addf(b, ",\"size\":%" PRIu64 ",", p->size);
		slt_log_json_text(b, "digest_algorithm", slt_digest_name(p->digest.alg));
		slt_buf_addc(b, ',');
		slt_log_json_text(b, "digest", digest_hex(&p->digest, a));
		slt_buf_addf(b, ",\"cut\":%s}", p->cut ? "true" : "false");
	}
	slt_buf_addc(b, ']');
}

static void json_message(struct slt_buf *b, const struct facts *f, struct slt_arena *a)
{
	const struct slt_msglog_message *m = f->m;
	const char *const text[][2] = {
		{"side", m->side},
		{"message", m->response ? "response" : "request"},
		{"direction", m->sent ? "sent" : "received"},
		{"protocol", m->kind == SLT_REST ? "rest" : "soap"},
		{"message_id", m->message_id},
		{"client", m->client},
		{"service", m->service},
		{"signer", m->is_signed ? f->signer : NULL},
		{"sealed_by", f->sealer},
		{"mapping", f->trace},
	};
	slt_buf_addf(b, "{\"entry\":%" PRId64 ",", m->seq);
	for (size_t i = 0; i < SLT_COUNT(text); i++) {
		slt_log_json_text(b, text[i][0], text[i][1]);
		slt_buf_addc(b, ',');
	}
	slt_log_json_time(b, "at", m->at_ms);
	slt_buf_addc(b, ',');
	slt_log_json_time(b, "time_stamp", m->stamped_ms);
	json_parts(b, m, a);
	slt_buf_addc(b, '}');
}

static bool is_text(const char *name)
{
	return strcmp(name, SLT_MSGLOG_HEAD) == 0 || strcmp(name, SLT_MSGLOG_TRACE) == 0 ||
	       strcmp(name, SLT_MSGLOG_RULES) == 0;
}

static bool print_piece(void *arg, struct slt_str p, struct slt_err *err)
{
	(void)arg;
	return fwrite(p.p, 1, p.n, stdout) == p.n ||
	       slt_fail_errno(err, SLT_EIO, "standard output");
}

/* Message heads, traces and rules as they are. */
static bool print_full(struct slt_msglog_reader *r, const struct slt_msglog_message *m,
		       struct slt_err *err)
{
	for (unsigned i = 0; i < m->n_parts; i++) {
		const struct slt_msglog_part *p = &m->part[i];
		if (!is_text(p->name) || p->cut) {
			continue;
		}
		printf("\n--- %s %s %s: %s\n", m->side, m->response ? "response" : "request",
		       m->sent ? "sent" : "received", p->name);
		if (!slt_msglog_stream_part(r, m->seq, p->name, print_piece, NULL, err)) {
			return false;
		}
		putchar('\n');
	}
	return true;
}

/* --- one exchange --- */

struct show {
	const struct slt_log_args *a;
	struct slt_msglog_reader *r;
	unsigned n;
};

static void print_json(const struct slt_msglog_exchange *x, const struct facts *f, size_t n,
		       struct slt_arena *a)
{
	SLT_AUTO_BUF(b, 16u << 20);
	slt_buf_addc(&b, '{');
	slt_log_json_text(&b, "exchange", x->exchange);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "route", x->route);
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "status", slt_msglog_status_name(x->status));
	slt_buf_addc(&b, ',');
	slt_log_json_text(&b, "fault_code", x->fault_code);
	slt_buf_addc(&b, ',');
	slt_log_json_time(&b, "started", x->started_ms);
	slt_buf_addc(&b, ',');
	slt_log_json_time(&b, "finished", x->finished_ms);
	slt_buf_adds(&b, ",\"messages\":[");
	for (size_t i = 0; i < n; i++) {
		slt_buf_adds(&b, i ? "," : "");
		json_message(&b, &f[i], a);
	}
	slt_buf_adds(&b, "]}");
	puts(slt_buf_str(&b).p);
}

static void print_text(const struct slt_msglog_exchange *x, const struct facts *f, size_t n,
		       struct slt_arena *a)
{
	/* near: the side that the exchange began on */
	struct facts pair[2][2] = {{{.m = NULL}, {.m = NULL}}, {{.m = NULL}, {.m = NULL}}};
	char t[2][SLT_TIME_LEN];
	for (size_t i = 0; i < n; i++) {
		bool far = strcmp(f[i].m->side, f[0].m->side) != 0;
		pair[f[i].m->response ? 1 : 0][far ? 1 : 0] = f[i];
	}
	printf("exchange      %s\nroute         %s\nstatus        %s%s%s\nstarted       %s\n"
	       "finished      %s\n",
	       x->exchange, x->route, slt_msglog_status_name(x->status), x->fault_code ? " " : "",
	       x->fault_code ? x->fault_code : "", slt_time_format(x->started_ms, true, t[0]),
	       x->finished_ms ? slt_time_format(x->finished_ms, true, t[1]) : "-");
	print_pair("request", &pair[0][0], &pair[0][1], a);
	print_pair("answer", &pair[1][0], &pair[1][1], a);
}

static bool show_one(void *arg, const struct slt_msglog_exchange *x, struct slt_err *err)
{
	struct show *s = arg;
	SLT_AUTO(slt_arena_free) struct slt_arena *a = slt_arena_new();
	struct slt_msglog_message *m = NULL;
	size_t n = 0;
	if (!slt_msglog_messages(s->r, x->exchange, a, &m, &n, err)) {
		return false;
	}
	struct facts *f = slt_arena_alloc(a, (n + 1) * sizeof(*f));
	for (size_t i = 0; i < n; i++) {
		facts_fill(s->r, &m[i], a, &f[i]);
	}
	if (s->a->json) {
		print_json(x, f, n, a);
	} else {
		fputs(s->n ? "\n" : "", stdout);
		print_text(x, f, n, a);
	}
	s->n++;
	for (size_t i = 0; s->a->full && i < n; i++) {
		if (!print_full(s->r, &m[i], err)) {
			return false;
		}
	}
	return true;
}

int slt_log_show(struct slt_log_args *a)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_msglog_reader_close) struct slt_msglog_reader *r = NULL;
	if (!slt_msglog_reader_open(a->path, &r, &err)) {
		return slt_log_cannot(&err);
	}
	struct show s = {.a = a, .r = r};
	if (a->json && a->full) {
		(void)slt_fail(&err, SLT_EINVAL, "show: either --json or --full");
		return slt_log_cannot(&err);
	}
	if (!slt_msglog_each(r, &a->filter, show_one, &s, &err)) {
		return slt_log_cannot(&err);
	}
	if (s.n == 0) {
		fprintf(stderr, "silta log: the log has no such exchange\n");
		return SLT_EXIT_NO;
	}
	return SLT_EXIT_GOOD;
}
