/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "federation/globalconf_cache.h"
#include "federation/trust.h"
#include "tests/support/pki.h"

/*
 * The document is written by hand, not by the writers that the program has:
 * what reads it must be tested against somebody else's idea of the format.
 */

#define PARTIES_MAX  64
#define DOCUMENT_MAX (4u << 20)

static void must(bool ok, const struct slt_err *err)
{
	if (!ok) {
		fprintf(stderr, "test PKI: %s\n", err->msg);
		abort();
	}
}

/* Members and subsystems of the instance, each once; the index is the xs:ID. */
struct parties {
	const char *id[PARTIES_MAX];
	size_t n;
};

static size_t slashes(const char *s)
{
	size_t n = 0;
	for (; *s != '\0'; s++) {
		n += *s == '/';
	}
	return n;
}

static size_t party(struct parties *p, const char *id, size_t len)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strlen(p->id[i]) == len && memcmp(p->id[i], id, len) == 0) {
			return i;
		}
	}
	slt_assert(p->n < PARTIES_MAX);
	p->id[p->n] = slt_strndup(id, len);
	return p->n++;
}

static size_t member_length(const char *id)
{
	size_t n = 0, seen = 0;
	while (id[n] != '\0' && (id[n] != '/' || seen++ < 2)) {
		n++;
	}
	return n;
}

/* A subsystem's member too. */
static void add_party(struct parties *p, const char *id)
{
	slt_assert(slashes(id) == 2 || slashes(id) == 3);
	party(p, id, member_length(id));
	party(p, id, strlen(id));
}

static void collect(const struct pki_gc_instance *inst, struct parties *p)
{
	for (size_t i = 0; i < SLT_COUNT(inst->member) && inst->member[i] != NULL; i++) {
		add_party(p, inst->member[i]);
	}
	for (size_t i = 0; i < SLT_COUNT(inst->server) && inst->server[i].id != NULL; i++) {
		const struct pki_gc_server *s = &inst->server[i];
		party(p, s->id, member_length(s->id));
		for (size_t j = 0; j < SLT_COUNT(s->client) && s->client[j] != NULL; j++) {
			add_party(p, s->client[j]);
		}
	}
}

static void add_element(struct slt_buf *b, const char *name, const char *value, size_t n)
{
	SLT_AUTO_STR char *text = slt_strndup(value, n);
	slt_buf_addf(b, "<%s>", name);
	slt_buf_add_xml(b, text);
	slt_buf_addf(b, "</%s>", name);
}

static void add_cert(struct slt_buf *b, const X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	slt_assert(n > 0);
	slt_buf_adds(b, "<cert>");
	slt_buf_add_base64(b, der, (size_t)n);
	slt_buf_adds(b, "</cert>");
	OPENSSL_free(der);
}

static void add_ocsp(struct slt_buf *b, const struct pki_cert *responder)
{
	slt_buf_adds(b, "<ocsp><url>http://ocsp.invalid/</url>");
	if (responder != NULL) {
		add_cert(b, responder->x509);
	}
	slt_buf_adds(b, "<costType>FREE</costType></ocsp>");
}

static void add_ca(struct slt_buf *b, const struct pki_gc_ca *ca, size_t index)
{
	slt_buf_addf(b,
		     "<approvedCA><name>ca%zu</name><authenticationOnly>%s</"
		     "authenticationOnly>",
		     index, ca->authentication_only ? "true" : "false");
	slt_buf_adds(b, "<topCA>");
	add_cert(b, ca->top->x509);
	for (size_t i = 0; i < SLT_COUNT(ca->top_ocsp) && ca->top_ocsp[i] != NULL; i++) {
		add_ocsp(b, ca->top_ocsp[i]);
	}
	slt_buf_adds(b, "</topCA>");
	for (size_t i = 0; i < SLT_COUNT(ca->intermediate) && ca->intermediate[i] != NULL; i++) {
		slt_buf_adds(b, "<intermediateCA>");
		add_cert(b, ca->intermediate[i]->x509);
		add_ocsp(b, ca->intermediate_ocsp[i]);
		slt_buf_adds(b, "</intermediateCA>");
	}
	slt_buf_addf(b,
		     "<certificateProfileInfo>ee.ria.xroad.common.certificateprofile.impl.%s"
		     "</certificateProfileInfo></approvedCA>",
		     ca->profile != NULL ? ca->profile : "FiVRKCertificateProfileInfoProvider");
}

static void add_member(struct slt_buf *b, const struct parties *p, size_t at)
{
	const char *id = p->id[at];
	const char *class_at = strchr(id, '/') + 1;
	const char *code = strchr(class_at, '/') + 1;
	size_t len = strlen(id);
	slt_buf_addf(b, "<member id=\"i%zu\"><memberClass>", at);
	add_element(b, "code", class_at, (size_t)(code - class_at - 1));
	slt_buf_adds(b, "<description>class</description></memberClass>");
	add_element(b, "memberCode", code, strlen(code));
	add_element(b, "name", id, len);
	for (size_t i = 0; i < p->n; i++) {
		if (slashes(p->id[i]) == 3 && member_length(p->id[i]) == len &&
		    memcmp(p->id[i], id, len) == 0) {
			slt_buf_addf(b, "<subsystem id=\"i%zu\">", i);
			add_element(b, "subsystemCode", p->id[i] + len + 1,
				    strlen(p->id[i] + len + 1));
			slt_buf_adds(b, "</subsystem>");
		}
	}
	slt_buf_adds(b, "</member>");
}

static void add_server(struct slt_buf *b, const struct pki_gc_server *s, struct parties *p)
{
	size_t owner = member_length(s->id);
	slt_buf_addf(b, "<securityServer><owner>i%zu</owner>", party(p, s->id, owner));
	add_element(b, "serverCode", s->id + owner + 1, strlen(s->id + owner + 1));
	if (s->address != NULL) {
		add_element(b, "address", s->address, strlen(s->address));
	}
	for (size_t i = 0; i < SLT_COUNT(s->auth) && s->auth[i] != NULL; i++) {
		struct slt_digest d;
		slt_certinfo_digest(s->auth[i]->x509, SLT_SHA256, &d);
		slt_buf_adds(b, "<authCertHash>");
		slt_buf_add_base64(b, d.v, d.n);
		slt_buf_adds(b, "</authCertHash>");
	}
	for (size_t i = 0; i < SLT_COUNT(s->client) && s->client[i] != NULL; i++) {
		slt_buf_addf(b, "<client>i%zu</client>",
			     party(p, s->client[i], strlen(s->client[i])));
	}
	slt_buf_adds(b, "</securityServer>");
}

static void add_group_member(struct slt_buf *b, const char *id)
{
	static const char *const names[] = {"xRoadInstance", "memberClass", "memberCode",
					    "subsystemCode"};
	SLT_AUTO_STR char *copy = slt_strdup(id);
	char *rest = copy;
	slt_buf_addf(b, "<groupMember id:objectType=\"%s\">",
		     slashes(id) == 2 ? "MEMBER" : "SUBSYSTEM");
	for (size_t i = 0; i < SLT_COUNT(names) && rest != NULL; i++) {
		const char *value = strsep(&rest, "/");
		slt_buf_addf(b, "<id:%s>", names[i]);
		slt_buf_add_xml(b, value);
		slt_buf_addf(b, "</id:%s>", names[i]);
	}
	slt_buf_adds(b, "</groupMember>");
}

static void add_group(struct slt_buf *b, const char *group)
{
	SLT_AUTO_STR char *copy = slt_strdup(group);
	char *rest = copy;
	const char *code = strsep(&rest, ":");
	slt_buf_adds(b, "<globalGroup>");
	add_element(b, "groupCode", code, strlen(code));
	slt_buf_adds(b, "<description>group</description>");
	for (const char *id = strsep(&rest, " "); id != NULL; id = strsep(&rest, " ")) {
		if (*id != '\0') {
			add_group_member(b, id);
		}
	}
	slt_buf_adds(b, "</globalGroup>");
}

static void add_tsa(struct slt_buf *b, const struct pki_cert *tsa, size_t i)
{
	slt_buf_addf(b, "<approvedTSA><name>tsa%zu</name><url>http://tsa.invalid/</url>", i);
	add_cert(b, tsa->x509);
	slt_buf_adds(b, "<costType>FREE</costType></approvedTSA>");
}

static void shared_params(const struct pki_gc_instance *inst, struct slt_buf *b)
{
	struct parties p = {.n = 0};
	collect(inst, &p);
	slt_buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
			"<x:conf xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\" "
			"xmlns:id=\"http://x-road.eu/xsd/identifiers\">");
	add_element(b, "instanceIdentifier", inst->name, strlen(inst->name));
	slt_buf_adds(b, "<source><address>cs.invalid</address></source>");
	for (size_t i = 0; i < SLT_COUNT(inst->ca) && inst->ca[i].top != NULL; i++) {
		add_ca(b, &inst->ca[i], i);
	}
	for (size_t i = 0; i < SLT_COUNT(inst->tsa) && inst->tsa[i] != NULL; i++) {
		add_tsa(b, inst->tsa[i], i);
	}
	for (size_t i = 0; i < p.n; i++) {
		if (slashes(p.id[i]) == 2) {
			add_member(b, &p, i);
		}
	}
	for (size_t i = 0; i < SLT_COUNT(inst->server) && inst->server[i].id != NULL; i++) {
		add_server(b, &inst->server[i], &p);
	}
	for (size_t i = 0; i < SLT_COUNT(inst->group) && inst->group[i] != NULL; i++) {
		add_group(b, inst->group[i]);
	}
	slt_buf_addf(b,
		     "<globalSettings><memberClass><code>COM</code><description>class"
		     "</description></memberClass><ocspFreshnessSeconds>%lld"
		     "</ocspFreshnessSeconds></globalSettings></x:conf>",
		     (long long)(inst->freshness != 0 ? inst->freshness : PKI_FRESHNESS));
	for (size_t i = 0; i < p.n; i++) {
		free((void *)(uintptr_t)p.id[i]);
	}
}

static void write_part(const char *dir, const char *instance, const char *file,
		       const char *content_id, struct slt_str content)
{
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *folder = slt_path_join(dir, instance);
	SLT_AUTO_STR char *path = slt_path_join(folder, file);
	SLT_AUTO_STR char *meta_path = slt_asprintf("%s.metadata", path);
	SLT_AUTO_STR char *meta =
		slt_asprintf("{\"contentIdentifier\":\"%s\",\"instanceIdentifier\":\"%s\","
			     "\"contentFileName\":\"%s\",\"contentLocation\":\"/V6/%s\","
			     "\"expirationDate\":\"2040-01-01T00:00:00Z\",\"configurationVersion\":"
			     "\"6\"}",
			     content_id, instance, file, file);
	must(slt_mkdir_p(folder, 0755, &err), &err);
	must(slt_file_write(path, content.p, content.n, 0644, &err), &err);
	must(slt_file_write(meta_path, meta, strlen(meta), 0644, &err), &err);
}

void pki_globalconf_write(const char *dir, const struct pki_gc_instance *inst, size_t n)
{
	static const char no_next_update[] = "<x:conf xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\">"
					     "<verifyNextUpdate>false</verifyNextUpdate></x:conf>";
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_STR char *own = slt_path_join(dir, "instance-identifier");
	must(slt_mkdir_p(dir, 0755, &err), &err);
	must(slt_file_write(own, inst[0].name, strlen(inst[0].name), 0644, &err), &err);
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_BUF(doc, DOCUMENT_MAX);
		shared_params(&inst[i], &doc);
		must(slt_buf_check(&doc, "shared-params.xml", &err), &err);
		write_part(dir, inst[i].name, "shared-params.xml", "SHARED-PARAMETERS",
			   slt_buf_str(&doc));
		if (inst[i].no_verify_next_update) {
			write_part(dir, inst[i].name, "nextupdate-params.xml", "NEXTUPDATE",
				   SLT_STR_C(no_next_update));
		}
	}
}

struct slt_globalconf *pki_globalconf(const struct pki_gc_instance *inst, size_t n)
{
	struct slt_err err = SLT_ERR_INIT;
	struct slt_gc_load_options o = {.allow_test_profile = true, .now_ms = PKI_NOW};
	struct slt_globalconf *gc = NULL;
	SLT_AUTO_STR char *warnings = NULL;
	char dir[] = "/tmp/silta-test-conf-XXXXXX";
	slt_assert(mkdtemp(dir) != NULL);
	pki_globalconf_write(dir, inst, n);
	must(slt_globalconf_load(dir, &o, &gc, &warnings, &err), &err);
	if (warnings != NULL && warnings[0] != '\0') {
		fprintf(stderr, "test PKI: %s\n", warnings);
		abort();
	}
	must(slt_rm_tree(dir, &err), &err);
	return gc;
}
