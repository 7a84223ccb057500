/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_dir.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "federation/gccert.h"
#include "federation/globalconf.h"
#include "federation/private_params.h"

static const struct slt_xml_limits limits = {.bytes = SLT_ANCHOR_MAX, .depth = 16, .nodes = 50000};

static const char *text_of(struct slt_anchor *a, const xmlNode *node)
{
	struct slt_str t = slt_str_trim(slt_str(slt_xml_text(a->arena, node)));

	return slt_arena_strndup(a->arena, t.p, t.n);
}

/* http or https, a host, and a path: what X-Road's client can download from. */
static bool url_ok(const char *url)
{
	const char *host = NULL;

	if (strncmp(url, "http://", 7) == 0) {
		host = url + 7;
	} else if (strncmp(url, "https://", 8) == 0) {
		host = url + 8;
	}
	if (!host || strlen(url) > 1000 || *host == '/' || !*host) {
		return false;
	}
	for (const char *c = url; *c; c++) {
		if ((unsigned char)*c <= 0x20 || *c == 0x7f) {
			return false;
		}
	}
	return true;
}

static bool add_cert(struct slt_anchor *a, struct slt_anchor_source *s, const xmlNode *node,
		     struct slt_err *err)
{
	struct slt_gccert_list list = {s->certs, s->n_certs};
	X509 *cert = NULL;

	if (s->n_certs == SLT_ANCHOR_CERTS_MAX) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"source %s has more than %d verification certificates", s->url,
				SLT_ANCHOR_CERTS_MAX);
	}
	if (!slt_gccert_parse(slt_str(slt_xml_text(a->arena, node)), &cert, err)) {
		err->code = SLT_EMALFORMED_GLOBALCONF;
		return slt_wrap(err, "verification certificate of source %s", s->url);
	}
	slt_gccert_list_add(&list, cert);
	s->certs = list.v;
	s->n_certs = list.n;
	return true;
}

static bool read_source(const xmlNode *node, bool strict, struct slt_anchor *a,
			struct slt_anchor_source *s, struct slt_err *err)
{
	struct slt_err why = SLT_ERR_INIT;

	const xmlNode *c = slt_xml_first(node);

	if (!slt_xml_is(c, NULL, "downloadURL")) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"a source of the anchor has no downloadURL");
	}
	s->url = text_of(a, c);
	if (!url_ok(s->url)) {
		return slt_fail(
			err, SLT_EMALFORMED_GLOBALCONF,
			"downloadURL \"%.200s\" of the anchor is not an http or https address",
			s->url);
	}
	while ((c = slt_xml_next(c))) {
		if (!slt_xml_is(c, NULL, "verificationCert")) {
			return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
					"unexpected element %.100s in a source of the anchor",
					(const char *)c->name);
		}
		if (!add_cert(a, s, c, strict ? err : &why) && strict) {
			return false;
		}
	}
	if (s->n_certs == 0 && strict) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"source %s of the anchor has no verification certificate", s->url);
	}
	return true;
}

static bool read_sources(const xmlNode *c, bool strict, struct slt_anchor *a, struct slt_err *err)
{
	a->sources = slt_calloc(SLT_ANCHOR_SOURCES_MAX, sizeof(*a->sources));
	for (; c; c = slt_xml_next(c)) {
		if (!slt_xml_is(c, NULL, "source")) {
			return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
					"unexpected element %.100s in the anchor",
					(const char *)c->name);
		}
		if (a->n_sources == SLT_ANCHOR_SOURCES_MAX) {
			return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
					"the anchor has more than %d sources",
					SLT_ANCHOR_SOURCES_MAX);
		}
		/* counted first: what a failure leaves is freed with the anchor */
		if (!read_source(c, strict, a, &a->sources[a->n_sources++], err)) {
			return false;
		}
	}
	if (a->n_sources == 0) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF, "the anchor has no source");
	}
	return true;
}

bool slt_anchor_from_xml(const xmlNode *node, bool strict, struct slt_anchor **ret,
			 struct slt_err *err)
{
	SLT_AUTO(slt_anchor_free) struct slt_anchor *a = slt_calloc(1, sizeof(*a));
	const xmlNode *c = slt_xml_first(node);

	a->arena = slt_arena_new();
	if (slt_xml_is(c, NULL, "generatedAt")) {
		if (!slt_time_parse(slt_str(text_of(a, c)), &a->generated_at_ms, err)) {
			err->code = SLT_EMALFORMED_GLOBALCONF;
			return slt_wrap(err, "generatedAt of the anchor");
		}
		if (a->generated_at_ms < 0) {
			return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
					"generatedAt of the anchor is long past");
		}
		c = slt_xml_next(c);
	}
	if (!slt_xml_is(c, NULL, "instanceIdentifier")) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"the anchor has no instanceIdentifier");
	}
	a->instance = text_of(a, c);
	if (!slt_globalconf_instance_ok(a->instance)) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"\"%.100s\" of the anchor cannot be an instance identifier",
				a->instance);
	}
	if (!read_sources(slt_xml_next(c), strict, a, err)) {
		return false;
	}
	*ret = SLT_TAKE(a);
	return true;
}

bool slt_anchor_parse(const void *p, size_t n, struct slt_anchor **ret, struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;

	if (!slt_xml_parse(p, n, &limits, "configuration anchor", &doc, err)) {
		err->code = SLT_EMALFORMED_GLOBALCONF;
		return false;
	}
	const xmlNode *root = xmlDocGetRootElement(doc);
	if (!slt_xml_is(root, SLT_NS_XROAD, "configurationAnchor")) {
		return slt_fail(
			err, SLT_EMALFORMED_GLOBALCONF,
			"the file is not a configuration anchor: its root element is %.100s",
			(const char *)root->name);
	}
	return slt_anchor_from_xml(root, true, ret, err);
}

bool slt_anchor_load(const char *path, struct slt_anchor **ret, struct slt_err *err)
{
	SLT_AUTO_STR char *p = NULL;
	size_t n = 0;

	if (!slt_file_read(path, SLT_ANCHOR_MAX, &p, &n, err)) {
		return false;
	}
	if (!slt_anchor_parse(p, n, ret, err)) {
		return slt_wrap(err, "%s", path);
	}
	return true;
}

void slt_anchor_free(struct slt_anchor *a)
{
	if (!a) {
		return;
	}
	for (size_t i = 0; i < a->n_sources; i++) {
		struct slt_gccert_list list = {a->sources[i].certs, a->sources[i].n_certs};
		slt_gccert_list_fini(&list);
	}
	free(a->sources);
	slt_arena_free(a->arena);
	free(a);
}

X509 **slt_anchor_certs(const struct slt_anchor *a, size_t *ret_n)
{
	struct slt_gccert_list all = {0};

	for (size_t i = 0; i < a->n_sources; i++) {
		for (size_t k = 0; k < a->sources[i].n_certs; k++) {
			slt_gccert_list_add(&all, a->sources[i].certs[k]);
		}
	}
	*ret_n = all.n;
	return all.v;
}

/* --- writing ------------------------------------------------------------------------------ */

static void add_line(struct slt_buf *out, unsigned indent, const char *name, const char *text)
{
	slt_buf_addf(out, "%*s<%s>", (int)indent, "", name);
	slt_buf_add_xml(out, text);
	slt_buf_addf(out, "</%s>\n", name);
}

bool slt_anchor_add_xml(const struct slt_anchor *a, unsigned indent, struct slt_buf *out,
			struct slt_err *err)
{
	char at[SLT_TIME_LEN];

	if (!a->instance || !slt_globalconf_instance_ok(a->instance) || a->n_sources == 0) {
		return slt_fail(err, SLT_EINVAL,
				"an anchor must name its instance and at least one source");
	}
	if (a->generated_at_ms) {
		add_line(out, indent, "generatedAt", slt_time_format(a->generated_at_ms, true, at));
	}
	add_line(out, indent, "instanceIdentifier", a->instance);
	for (size_t i = 0; i < a->n_sources; i++) {
		const struct slt_anchor_source *s = &a->sources[i];
		if (!s->url || !url_ok(s->url) || s->n_certs == 0) {
			return slt_fail(err, SLT_EINVAL,
					"source %zu of the anchor lacks an address or certificates",
					i);
		}
		slt_buf_addf(out, "%*s<source>\n", (int)indent, "");
		add_line(out, indent + 4, "downloadURL", s->url);
		for (size_t k = 0; k < s->n_certs; k++) {
			slt_buf_addf(out, "%*s<verificationCert>", (int)indent + 4, "");
			slt_gccert_add_base64(s->certs[k], out);
			slt_buf_adds(out, "</verificationCert>\n");
		}
		slt_buf_addf(out, "%*s</source>\n", (int)indent, "");
	}
	return true;
}

bool slt_anchor_write(const struct slt_anchor *a, struct slt_buf *out, struct slt_err *err)
{
	slt_buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
			  "<xroad:configurationAnchor xmlns:xroad=\"" SLT_NS_XROAD "\">\n");
	if (!slt_anchor_add_xml(a, 4, out, err)) {
		return false;
	}
	slt_buf_adds(out, "</xroad:configurationAnchor>\n");
	return slt_buf_check(out, "the anchor", err);
}
