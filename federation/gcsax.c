/* SPDX-License-Identifier: MIT */
#include "federation/gcsax.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

#define CHUNK 65536

struct slt_gcsax_attrs {
	const xmlChar **v; /* local name, prefix, URI, value, end */
	int n;
};

struct state {
	const struct slt_gcsax *spec;
	xmlParserCtxt *ctxt;
	const struct slt_gcsax_rule *open[SLT_GCSAX_DEPTH_MAX];
	unsigned depth;
	unsigned skipped; /* elements open inside a skipped one, it included */
	struct slt_buf text;
	bool failed, stopped;
	struct slt_err *err;
};

static int kind_of(const struct state *s)
{
	return s->depth ? s->open[s->depth - 1]->kind : SLT_GCSAX_ROOT;
}

static void give_up(struct state *s)
{
	s->failed = true;
	slt_wrap(s->err, "line %d", xmlSAX2GetLineNumber(s->ctxt));
	xmlStopParser(s->ctxt);
}

static void after_handler(struct state *s, bool ok)
{
	if (!ok) {
		give_up(s);
	} else if (s->spec->stop && *s->spec->stop) {
		s->stopped = true;
		xmlStopParser(s->ctxt);
	}
}

static bool same(const xmlChar *a, const char *b)
{
	return a ? b && strcmp((const char *)a, b) == 0 : !b;
}

const char *slt_gcsax_attr(const struct slt_gcsax_attrs *a, const char *ns, const char *name,
			   struct slt_arena *arena)
{
	for (int i = 0; i < a->n; i++) {
		const xmlChar **v = a->v + (ptrdiff_t)5 * i;
		if (same(v[0], name) && same(v[2], ns)) {
			return slt_arena_strndup(arena, (const char *)v[3], (size_t)(v[4] - v[3]));
		}
	}
	return NULL;
}

static const struct slt_gcsax_rule *find_rule(const struct state *s, const xmlChar *name,
					      const xmlChar *ns)
{
	int parent = kind_of(s);
	bool seen = false;

	for (size_t i = 0; i < s->spec->n_rule; i++) {
		const struct slt_gcsax_rule *r = &s->spec->rule[i];
		if (r->parent != parent) {
			if (seen) {
				return NULL;
			}
			continue;
		}
		seen = true;
		if (same(name, r->name) && same(ns, r->ns)) {
			return r;
		}
	}
	return NULL;
}

static void skip_one(struct state *s)
{
	if (++s->skipped > SLT_GCSAX_DEPTH_MAX) {
		slt_fail(s->err, SLT_EINVALID_XML, "elements are nested more than %d deep",
			 SLT_GCSAX_DEPTH_MAX);
		give_up(s);
	}
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *ns,
		     int n_ns, const xmlChar **nss, int n_attr, int n_default, const xmlChar **attr)
{
	struct state *s = ctx;
	const struct slt_gcsax_attrs a = {attr, n_attr};

	(void)prefix, (void)n_ns, (void)nss, (void)n_default;
	if (s->failed || s->stopped) {
		return;
	}
	if (s->skipped) {
		skip_one(s);
		return;
	}
	const struct slt_gcsax_rule *r = find_rule(s, name, ns);
	if ((r && r->kind == SLT_GCSAX_SKIP) ||
	    (!r && s->spec->skip && s->spec->skip(s->spec->arg, kind_of(s)))) {
		skip_one(s);
		return;
	}
	if (!r || s->depth == SLT_GCSAX_DEPTH_MAX) {
		slt_fail(s->err, SLT_EINVALID_XML, "unexpected element %.100s", (const char *)name);
		give_up(s);
		return;
	}
	s->open[s->depth++] = r;
	slt_buf_reset(&s->text);
	if (r->begin) {
		after_handler(s, r->begin(s->spec->arg, (const char *)name, &a, s->err));
	}
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *ns)
{
	struct state *s = ctx;

	(void)prefix, (void)ns;
	if (s->failed || s->stopped) {
		return;
	}
	if (s->skipped) {
		s->skipped--;
		return;
	}
	const struct slt_gcsax_rule *r = s->open[--s->depth];
	if (!slt_buf_check(&s->text, (const char *)name, s->err)) {
		s->err->code = SLT_EINVALID_XML;
		give_up(s);
		return;
	}
	if (r->end) {
		after_handler(s, r->end(s->spec->arg, slt_buf_str(&s->text), s->err));
	}
}

static void on_text(void *ctx, const xmlChar *p, int n)
{
	struct state *s = ctx;

	if (!s->failed && !s->skipped && kind_of(s) == SLT_GCSAX_TEXT) {
		slt_buf_add(&s->text, p, (size_t)n);
	}
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *id, const xmlChar *uri)
{
	struct state *s = ctx;

	(void)name, (void)id, (void)uri;
	if (!s->failed) {
		slt_fail(s->err, SLT_EINVALID_XML, "a DOCTYPE is not allowed");
		give_up(s);
	}
}

/* What libxml2 has to say is taken from the context at the end. */
static void on_error(void *ctx, xmlError *e)
{
	(void)ctx, (void)e;
}

static bool feed(struct state *s, const char *p, size_t n)
{
	while (n > 0 && !s->failed && !s->stopped) {
		size_t k = n < CHUNK ? n : CHUNK;
		if (xmlParseChunk(s->ctxt, p, (int)k, 0) != 0) {
			return false;
		}
		p += k;
		n -= k;
	}
	return s->failed || s->stopped || xmlParseChunk(s->ctxt, NULL, 0, 1) == 0;
}

static void free_ctxt(xmlParserCtxt *c)
{
	if (c && c->myDoc) {
		xmlFreeDoc(c->myDoc);
	}
	xmlFreeParserCtxt(c);
}
SLT_DEFINE_AUTO(xmlParserCtxt *, free_ctxt)

static bool run(struct state *s, const void *p, size_t n, const char *what, struct slt_err *err)
{
	bool fed = feed(s, p, n);

	if (s->failed) {
		return slt_wrap(err, "%s", what);
	}
	if (!fed && !s->stopped) {
		const xmlError *e = xmlCtxtGetLastError(s->ctxt);
		struct slt_str why = slt_str_trim(slt_str(e && e->message ? e->message : "empty"));
		return slt_fail(err, SLT_EINVALID_XML, "%s: not well-formed XML, line %d: %.*s",
				what, e ? e->line : 0, (int)(why.n < 200 ? why.n : 200), why.p);
	}
	return true;
}

bool slt_gcsax_parse(const struct slt_gcsax *spec, const void *p, size_t n, const char *what,
		     struct slt_err *err)
{
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_doctype,
		.serror = on_error,
	};
	struct state s = {.spec = spec, .err = err};
	SLT_AUTO(free_ctxt)
	xmlParserCtxt *ctxt = xmlCreatePushParserCtxt(&sax, &s, NULL, 0, NULL);

	slt_assert(ctxt != NULL);
	s.ctxt = ctxt;
	slt_buf_init(&s.text, SLT_GCSAX_TEXT_MAX);
	xmlCtxtUseOptions(ctxt, XML_PARSE_NONET);
	bool ok = run(&s, p, n, what, err);
	slt_buf_fini(&s.text);
	return ok;
}
