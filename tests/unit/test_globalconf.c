/* SPDX-License-Identifier: MIT */
/* Shared and private parameters: what is written reads back, in every version and at any size;
 * what is malformed is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "federation/globalconf_model.h"
#include "federation/globalconf_write.h"
#include "federation/private_params.h"
#include "tests/support/pki.h"

static struct {
	struct pki_cert *root, *sub, *ocsp, *tsa, *auth, *auth2;
} f;

static int setup(void **state)
{
	(void)state;
	f.root = pki_ca(NULL, "C=FI;O=Root", PKI_RSA2048, 0);
	f.sub = pki_ca(f.root, "C=FI;O=Issuing", PKI_RSA2048, 1);
	f.ocsp = pki_ocsp_responder(f.root, "C=FI;CN=OCSP", PKI_RSA2048, 2);
	f.tsa = pki_tsa_cert(f.root, "C=FI;CN=TSA", PKI_RSA2048, 3);
	f.auth = pki_auth_cert(f.sub, "C=FI;CN=ss1", PKI_RSA2048, 4);
	f.auth2 = pki_auth_cert(f.sub, "C=FI;CN=ss2", PKI_RSA2048, 5);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pki_cert_free(f.auth2);
	pki_cert_free(f.auth);
	pki_cert_free(f.tsa);
	pki_cert_free(f.ocsp);
	pki_cert_free(f.sub);
	pki_cert_free(f.root);
	return 0;
}

/* --- a configuration with one of everything ----------------------------------------------- */

#define MEMBER(code)                                                                               \
	((struct slt_id){.type = SLT_ID_MEMBER,                                                    \
			 .instance = "FI",                                                         \
			 .member_class = "COM",                                                    \
			 .member_code = (code)})
#define SUBSYSTEM(code, sub)                                                                       \
	((struct slt_id){.type = SLT_ID_SUBSYSTEM,                                                 \
			 .instance = "FI",                                                         \
			 .member_class = "COM",                                                    \
			 .member_code = (code),                                                    \
			 .subsystem = (sub)})

struct sample {
	struct slt_gcw_source source;
	struct slt_gc_ocsp responder;
	struct slt_gcw_ca intermediate;
	struct slt_gcw_approved_ca ca;
	struct slt_gc_tsa tsa;
	struct slt_gcw_class classes[1];
	struct slt_gcw_subsystem subsystem[2];
	struct slt_gcw_member member[2];
	struct slt_id client[2], group_member[2];
	struct slt_gcw_server server[2];
	struct slt_gcw_group group;
	struct slt_gcw_shared shared;
};

static void make_sample(struct sample *s, int version)
{
	*s = (struct sample){
		.source = {"cs.example", {&f.root->x509, 1}, {&f.sub->x509, 1}},
		.responder = {"http://ocsp.example", f.ocsp->x509},
		.intermediate = {.cert = f.sub->x509},
		.ca = {.name = "CA & sons", .profile = SLT_PROFILE_FIVRK, .n_intermediate = 1},
		.tsa = {"TSA", "http://tsa.example", f.tsa->x509},
		.classes = {{"COM", "Companies <all>"}},
		.subsystem = {{"apteekki", "Apteekki \"Åbo\""}, {"varasto", NULL}},
		.member = {{"COM", "1234567-8", "Apteekki Öy", NULL, 2},
			   {"COM", "2", "Two", NULL, 0}},
		.client = {SUBSYSTEM("1234567-8", "apteekki"), MEMBER("2")},
		.group_member = {SUBSYSTEM("1234567-8", "varasto"),
				 {.type = SLT_ID_MEMBER,
				  .instance = "EE",
				  .member_class = "GOV",
				  .member_code = "7"}},
		.group = {"pharmacies", "All of them", NULL, 2},
	};
	s->ca.top = (struct slt_gcw_ca){f.root->x509, &s->responder, 1};
	s->ca.intermediate = &s->intermediate;
	s->member[0].subsystem = s->subsystem;
	s->group.member = s->group_member;
	for (size_t i = 0; i < 2; i++) {
		s->server[i] = (struct slt_gcw_server){
			.id = {SLT_ID_SERVER, "FI", "COM", i ? "2" : "1234567-8", .server = "ss"},
			.address = i ? NULL : "ss1.example",
			.auth = {i ? &f.auth2->x509 : &f.auth->x509, 1},
			.client = s->client,
			.n_client = i ? 0 : 2,
			.maintenance = i,
			.maintenance_message = "until noon",
		};
	}
	s->shared = (struct slt_gcw_shared){
		.version = version,
		.instance = "FI",
		.source = &s->source,
		.n_source = 1,
		.ca = &s->ca,
		.n_ca = 1,
		.tsa = &s->tsa,
		.n_tsa = 1,
		.classes = s->classes,
		.n_classes = 1,
		.member = s->member,
		.n_member = 2,
		.server = s->server,
		.n_server = 2,
		.group = &s->group,
		.n_group = 1,
		.ocsp_freshness_s = 3600,
	};
}

static const struct gc_parse_options all = {.allow_test_profile = false};

static struct slt_gc_instance *parse(const struct slt_buf *b, int version)
{
	struct slt_gc_instance *in = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_gc_instance_parse(b->p, b->n, &all, NULL, &in, &err)) {
		fail_msg("%s", err.msg);
	}
	in->version = version;
	return in;
}

static void check_authorities(const struct slt_globalconf *gc)
{
	const struct slt_gc_ca *ca =
		slt_globalconf_find_ca(gc, "FI", X509_get_subject_name(f.sub->x509));

	assert_non_null(ca);
	assert_false(ca->top);
	assert_string_equal(ca->name, "CA & sons");
	assert_int_equal(ca->profile, SLT_PROFILE_FIVRK);
	ca = slt_globalconf_find_ca(gc, NULL, X509_get_subject_name(f.root->x509));
	assert_true(ca->top);
	assert_int_equal(ca->n_ocsp, 1);
	assert_string_equal(ca->ocsp[0].url, "http://ocsp.example");
	assert_int_equal(X509_cmp(ca->ocsp[0].cert, f.ocsp->x509), 0);
	assert_null(slt_globalconf_find_ca(gc, "EE", X509_get_subject_name(f.root->x509)));
	assert_null(slt_globalconf_find_ca(gc, NULL, X509_get_subject_name(f.tsa->x509)));
	assert_int_equal(X509_cmp(slt_globalconf_tsa_at(gc, "FI", 0)->cert, f.tsa->x509), 0);
	assert_null(slt_globalconf_tsa_at(gc, "FI", 1));
}

static void check_servers(const struct slt_globalconf *gc, int version)
{
	const struct slt_gc_server *s = slt_globalconf_auth_cert_server(gc, f.auth->x509);
	const struct slt_id owner = MEMBER("1234567-8"), other = MEMBER("2");
	const struct slt_id sub = SUBSYSTEM("1234567-8", "apteekki");
	const struct slt_id unserved = SUBSYSTEM("1234567-8", "varasto");

	assert_non_null(s);
	assert_string_equal(s->address, "ss1.example");
	assert_true(slt_globalconf_serves(gc, s, &owner));
	assert_true(slt_globalconf_serves(gc, s, &other));
	assert_true(slt_globalconf_serves(gc, s, &sub));
	assert_false(slt_globalconf_serves(gc, s, &unserved));
	assert_null(slt_globalconf_server_of(gc, &unserved, 0));
	s = slt_globalconf_auth_cert_server(gc, f.auth2->x509);
	assert_null(s->address);
	assert_int_equal(s->maintenance, version >= 5);
	assert_ptr_equal(slt_globalconf_server_of(gc, &other, 1), s);
	assert_null(slt_globalconf_auth_cert_server(gc, f.ocsp->x509));
	const char *name = slt_globalconf_client(gc, &sub)->name;
	assert_true(version < 5 ? !name : strcmp(name, "Apteekki \"Åbo\"") == 0);
	assert_null(slt_globalconf_client(gc, &unserved)->name);
}

static void every_version(void **state)
{
	(void)state;
	for (int v = SLT_GC_VERSION_MIN; v <= SLT_GC_VERSION_MAX; v++) {
		struct sample s;
		SLT_AUTO_BUF(b, 1u << 20);
		struct slt_err err = SLT_ERR_INIT;
		make_sample(&s, v);
		if (!slt_globalconf_write_shared(&s.shared, &b, &err)) {
			fail_msg("%s", err.msg);
		}
		struct slt_gc_instance *in = parse(&b, v);
		struct slt_globalconf gc = {.refs = 1, .instance = &in, .n_instance = 1};
		assert_string_equal(slt_globalconf_own(&gc), "FI");
		assert_int_equal(in->n_source, v >= 3);
		check_authorities(&gc);
		check_servers(&gc, v);
		const struct slt_id g = {
			.type = SLT_ID_GLOBALGROUP, .instance = "FI", .group = "pharmacies"};
		const struct slt_id sub = SUBSYSTEM("1234567-8", "varasto");
		assert_true(slt_globalconf_in_group(&gc, &sub, &g));
		assert_true(slt_globalconf_in_group(&gc, &s.group_member[1], &g));
		assert_false(slt_globalconf_in_group(&gc, &s.client[0], &g));
		slt_gc_instance_free(in);
	}
}

/* --- what the writer refuses -------------------------------------------------------------- */

static void writer_refuses(void **state)
{
	const char *long_name = NULL;
	SLT_AUTO_BUF(many, 4096);

	(void)state;
	for (int i = 0; i <= SLT_ID_PART_MAX; i++) {
		slt_buf_addc(&many, 'x');
	}
	long_name = many.p;
	for (unsigned i = 0; i < 18; i++) {
		struct sample s;
		SLT_AUTO_BUF(b, 1u << 20);
		struct slt_err err = SLT_ERR_INIT;
		make_sample(&s, 6);
		switch (i) {
		/* clang-format off */
		case 0: s.shared.version = 1; break;
		case 1: s.shared.version = 7; break;
		case 2: s.shared.instance = NULL; break;
		case 3: s.shared.instance = "../FI"; break;
		case 4: s.shared.n_source = 0; break;
		case 5: s.source.address = NULL; break;
		case 6: s.ca.top.cert = NULL; break;
		case 7: s.ca.profile = SLT_PROFILE_UNKNOWN; break;
		case 8: s.responder.url = NULL; break;
		case 9: s.tsa.cert = NULL; break;
		case 10: s.shared.n_classes = 0; break;
		case 11: s.member[1].member_code = "1234567-8"; break;
		case 12: s.member[1].member_code = long_name; break;
		case 13: s.subsystem[1].code = "apteekki"; break;
		case 14: s.client[0].subsystem = "nobody"; break;
		case 15: s.server[0].id.member_code = "3"; break;
		case 16: s.group_member[1].instance = NULL; break;
		default: s.shared.ocsp_freshness_s = 0; break;
			/* clang-format on */
		}
		if (slt_globalconf_write_shared(&s.shared, &b, &err)) {
			fail_msg("case %u was written", i);
		}
		assert_int_equal(err.code, SLT_EINVAL);
	}
}

/* --- what the reader refuses -------------------------------------------------------------- */

#define OPEN "<x:conf xmlns:x='http://x-road.eu/xsd/xroad.xsd' xmlns:id='" SLT_NS_ID "'>"
#define INST "<instanceIdentifier>FI</instanceIdentifier>"
#define END                                                                                        \
	"<globalSettings><ocspFreshnessSeconds>60</ocspFreshnessSeconds></globalSettings></x:conf>"
#define CLASS "<memberClass><code>COM</code></memberClass>"
#define ONE   "<member id='a'>" CLASS "<memberCode>1</memberCode><name>One</name></member>"
#define SS    "<securityServer><owner>a</owner><serverCode>s</serverCode>"
#define GROUP "<globalGroup><groupCode>g</groupCode>"
#define ID    "<id:xRoadInstance>FI</id:xRoadInstance><id:memberClass>COM</id:memberClass>"

/* clang-format off */
static const struct {
	const char *text;
	bool good;
} texts[] = {
	{OPEN INST END, true},
	{OPEN INST ONE SS "</securityServer>" END, true},
	{OPEN "<instanceIdentifier> FI\n</instanceIdentifier>" END, true},
	{"<?xml version='1.0' encoding='UTF-8'?><!-- c -->" OPEN INST "<!-- c -->" END, true},
	{OPEN INST "<centralService><x><y/></x></centralService>" END, true},
	{OPEN INST ONE GROUP "<groupMember>" ID "<id:memberCode>1</id:memberCode></groupMember>"
			     "</globalGroup>" END, true},
	/* what follows the settings may be anything, in any namespace */
	{OPEN INST "<globalSettings><ocspFreshnessSeconds>60</ocspFreshnessSeconds></globalSettings>"
		   "<new><er><version/></er></new><n:x xmlns:n='urn:n'/></x:conf>", true},
	{OPEN INST "<approvedTSA><name>t</name><url>u</url><cert>YmFk</cert></approvedTSA>" END, true},

	{"", false},
	{"xxx", false},
	{OPEN, false},
	{OPEN INST, false},
	{"<conf>" INST "</conf>", false},
	{"<x:conf xmlns:x='urn:other'>" INST END, false},
	{OPEN "</x:conf>", false},
	{OPEN END, false},
	{OPEN INST "</x:conf>", false},
	{OPEN INST INST END, false},
	{OPEN "<instanceIdentifier/>" END, false},
	{OPEN "<instanceIdentifier>..</instanceIdentifier>" END, false},
	{OPEN "<instanceIdentifier>a/../b</instanceIdentifier>" END, false},
	{OPEN "<instanceIdentifier>F<b/>I</instanceIdentifier>" END, false},
	{OPEN INST "<new/>" END, false},
	{OPEN INST "<source><address/></source>" END, false},
	{OPEN INST "<source><address>a</address><internalVerificationCert>YmFk"
		   "</internalVerificationCert></source>" END, false},
	{OPEN INST "<globalSettings/></x:conf>", false},
	{OPEN INST "<globalSettings/>" END, false},
	{OPEN INST "<globalSettings><ocspFreshnessSeconds>-1</ocspFreshnessSeconds></globalSettings>"
		   "</x:conf>", false},
	{OPEN INST "<globalSettings><ocspFreshnessSeconds>99999999999999999999"
		   "</ocspFreshnessSeconds></globalSettings></x:conf>", false},
	{OPEN INST "<globalSettings><ocspFreshnessSeconds>1h</ocspFreshnessSeconds></globalSettings>"
		   "</x:conf>", false},
	{OPEN ONE INST END, false},
	{OPEN INST "<member id='a'><memberCode>1</memberCode></member>" END, false},
	{OPEN INST "<member id='a'>" CLASS "</member>" END, false},
	{OPEN INST "<member>" CLASS "<memberCode>1</memberCode></member>" END, false},
	{OPEN INST "<member id='a'>" CLASS "<memberCode/></member>" END, false},
	{OPEN INST "<member id='a'>" CLASS "<memberCode>1</memberCode><extra/></member>" END, false},
	{OPEN INST "<member id='a'>" CLASS "<memberCode>1</memberCode><subsystem id='b'/></member>" END, false},
	{OPEN INST ONE "<member id='a'>" CLASS "<memberCode>2</memberCode></member>" END, false},
	{OPEN INST "<securityServer><owner>a</owner><serverCode>s</serverCode></securityServer>" END, false},
	{OPEN INST ONE "<securityServer><serverCode>s</serverCode></securityServer>" END, false},
	{OPEN INST ONE "<securityServer><owner>a</owner></securityServer>" END, false},
	{OPEN INST ONE SS "<client>b</client></securityServer>" END, false},
	{OPEN INST ONE SS "<client/></securityServer>" END, false},
	{OPEN INST ONE SS "<authCertHash>*</authCertHash></securityServer>" END, false},
	{OPEN INST ONE SS "<authCertHash/></securityServer>" END, false},
	{OPEN INST "<globalGroup/>" END, false},
	{OPEN INST "<globalGroup><groupMember>" ID "</groupMember></globalGroup>" END, false},
	{OPEN INST GROUP "<groupMember>" ID "</groupMember></globalGroup>" END, false},
	{OPEN INST GROUP "<groupMember><memberCode>1</memberCode></groupMember></globalGroup>" END, false},
	{OPEN INST "<approvedCA><name>c</name></approvedCA>" END, false},
	{OPEN INST "<approvedCA><name>c</name><topCA><cert>YmFk</cert></topCA></approvedCA>" END, false},
	{OPEN INST "<approvedCA><name>c</name><topCA/></approvedCA>" END, false},
	{OPEN INST "<approvedCA><authenticationOnly>maybe</authenticationOnly></approvedCA>" END, false},
	{OPEN INST "<approvedTSA><name>t</name><url>u</url></approvedTSA>" END, false},
	{"<!DOCTYPE x:conf>" OPEN INST END, false},
	{"<!DOCTYPE x [<!ENTITY a \"FI\">]>" OPEN
	 "<instanceIdentifier>&a;</instanceIdentifier>" END, false},
	{"<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" OPEN INST END, false},
	{OPEN "<instanceIdentifier>&a;</instanceIdentifier>" END, false},
};
/* clang-format on */

static void reader_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < SLT_COUNT(texts); i++) {
		struct slt_gc_instance *in = NULL;
		struct slt_err err = SLT_ERR_INIT;
		bool ok = slt_gc_instance_parse(texts[i].text, strlen(texts[i].text), &all, NULL,
						&in, &err);
		if (ok != texts[i].good) {
			fail_msg("%s: %s", texts[i].text, ok ? "accepted" : err.msg);
		}
		assert_int_equal(err.code, ok ? SLT_OK : SLT_EMALFORMED_GLOBALCONF);
		slt_gc_instance_free(in);
	}
}

static void warns_of_what_it_leaves_out(void **state)
{
	const char *text = OPEN INST
		"<approvedTSA><name>old</name><url>u</url><cert>YmFk</cert></approvedTSA>" END;
	struct slt_gc_instance *in = NULL;
	SLT_AUTO_BUF(warnings, 4096);
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_gc_instance_parse(text, strlen(text), &all, &warnings, &in, &err));
	assert_int_equal(in->n_tsa, 0);
	assert_non_null(strstr(warnings.p, "of old is left out"));
	slt_gc_instance_free(in);
}

/* Depth, and length of a text, end in a refusal and not in the stack or the memory. */
static void hostile_sizes(void **state)
{
	SLT_AUTO_BUF(b, 16u << 20);
	struct slt_gc_instance *in = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	slt_buf_adds(&b, OPEN INST "<globalSettings><ocspFreshnessSeconds>60"
				   "</ocspFreshnessSeconds></globalSettings>");
	for (unsigned i = 0; i < 100000; i++) {
		slt_buf_adds(&b, "<n>");
	}
	assert_false(slt_gc_instance_parse(b.p, b.n, &all, NULL, &in, &err));
	assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
	slt_buf_reset(&b);
	slt_buf_adds(&b, OPEN "<instanceIdentifier>");
	for (unsigned i = 0; i < (1u << 18); i++) {
		slt_buf_addc(&b, 'x');
	}
	slt_buf_adds(&b, "</instanceIdentifier>" END);
	assert_false(slt_gc_instance_parse(b.p, b.n, &all, NULL, &in, &err));
	assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
	slt_buf_reset(&b);
	slt_buf_adds(&b, OPEN INST);
	for (unsigned i = 0; i < 100; i++) {
		slt_buf_adds(&b, "<source><address>a</address></source>");
	}
	slt_buf_adds(&b, END);
	assert_false(slt_gc_instance_parse(b.p, b.n, &all, NULL, &in, &err));
	assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
	assert_null(in);
}

static void sources_only_stops_early(void **state)
{
	const struct gc_parse_options o = {.sources_only = true};
	struct sample s;
	SLT_AUTO_BUF(b, 1u << 20);
	struct slt_gc_instance *in = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	make_sample(&s, 6);
	assert_true(slt_globalconf_write_shared(&s.shared, &b, &err));
	/* what follows the sources need not even be XML */
	assert_true(slt_gc_instance_parse(b.p, b.n / 2, &o, NULL, &in, &err));
	assert_int_equal(in->n_source, 1);
	assert_string_equal(in->source[0].address, "cs.example");
	assert_int_equal(X509_cmp(in->source[0].external[0], f.sub->x509), 0);
	assert_int_equal(in->n_member, 0);
	slt_gc_instance_free(in);
}

/* --- private parameters ------------------------------------------------------------------- */

static void private_params(void **state)
{
	struct slt_anchor_source src = {
		.url = "http://ee/externalconf", .certs = &f.root->x509, .n_certs = 1};
	const struct slt_anchor anchor = {.instance = "EE", .sources = &src, .n_sources = 1};
	const struct slt_anchor *anchors[] = {&anchor};
	struct slt_gcw_private p = {
		.instance = "FI",
		.anchor = anchors,
		.n_anchor = 1,
		.registration_address = "https://cs:4001/managementservice/",
		.management_service = SUBSYSTEM("1234567-8", "MANAGEMENT"),
		.timestamping_interval_s = 60,
	};
	SLT_AUTO_BUF(b, 1u << 20);
	struct slt_private_params *pp = NULL;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_globalconf_write_private(&p, &b, &err));
	if (!slt_private_params_parse(b.p, b.n, &pp, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(pp->instance, "FI");
	assert_int_equal(pp->n_anchor, 1);
	assert_string_equal(pp->anchor[0]->instance, "EE");
	assert_string_equal(pp->anchor[0]->sources[0].url, "http://ee/externalconf");
	slt_private_params_free(pp);
	pp = NULL;
	for (size_t cut = 1; cut < 40; cut++) {
		assert_false(slt_private_params_parse(b.p, b.n - cut - 1, &pp, &err));
		assert_int_equal(err.code, SLT_EMALFORMED_GLOBALCONF);
	}
	slt_buf_reset(&b);
	p.management_service.member_code = NULL;
	assert_false(slt_globalconf_write_private(&p, &b, &err));
	p.management_service.member_code = "1";
	p.instance = "";
	assert_false(slt_globalconf_write_private(&p, &b, &err));
}

static void nextupdate(void **state)
{
	SLT_AUTO_BUF(b, 4096);
	bool verify = true;
	struct slt_err err = SLT_ERR_INIT;

	(void)state;
	assert_true(slt_globalconf_write_nextupdate(false, &b, &err));
	assert_true(slt_gc_nextupdate_parse(b.p, b.n, &verify, &err));
	assert_false(verify);
	slt_buf_reset(&b);
	assert_true(slt_globalconf_write_nextupdate(true, &b, &err));
	assert_true(slt_gc_nextupdate_parse(b.p, b.n, &verify, &err));
	assert_true(verify);
	assert_false(slt_gc_nextupdate_parse(OPEN INST END, strlen(OPEN INST END), &verify, &err));
}

/* --- size --------------------------------------------------------------------------------- */

struct cost {
	double us, bytes; /* per member */
};

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Every member has a subsystem, every fortieth a server that serves its neighbours. */
static void write_large(size_t n, struct slt_buf *out)
{
	struct slt_arena *a = slt_arena_new();
	struct slt_gcw_member *m = slt_arena_alloc(a, n * sizeof(*m));
	struct slt_gcw_server *s = slt_arena_alloc(a, (n / 40 + 1) * sizeof(*s));
	struct slt_id *id = slt_arena_alloc(a, n * sizeof(*id));
	const struct slt_gcw_subsystem sub = {"sub", "A subsystem"};
	struct sample one;
	struct slt_err err = SLT_ERR_INIT;

	make_sample(&one, 6);
	for (size_t i = 0; i < n; i++) {
		m[i] = (struct slt_gcw_member){"COM", slt_arena_printf(a, "%08zu", i),
					       "A member of some length", &sub, 1};
		id[i] = SUBSYSTEM(m[i].member_code, "sub");
	}
	one.shared.n_server = 0;
	for (size_t i = 0; i + 40 <= n; i += 40) {
		s[one.shared.n_server++] = (struct slt_gcw_server){
			.id = {SLT_ID_SERVER, "FI", "COM", m[i].member_code, .server = "ss"},
			.address = "ss.example",
			.client = id + i,
			.n_client = 40,
		};
	}
	one.shared.member = m;
	one.shared.n_member = n;
	one.shared.server = s;
	one.group.member = id;
	one.group.n_member = n;
	if (!slt_globalconf_write_shared(&one.shared, out, &err)) {
		fail_msg("%s", err.msg);
	}
	slt_arena_free(a);
}

static struct cost measure(size_t n)
{
	SLT_AUTO_BUF(b, SLT_SHARED_PARAMS_MAX);
	struct cost c;

	write_large(n, &b);
	double start = cpu_us();
	struct slt_gc_instance *in = parse(&b, 6);
	c.us = (cpu_us() - start) / (double)n;
	c.bytes = (double)slt_arena_size(in->arena) / (double)n;
	assert_int_equal(in->n_member, n);
	assert_int_equal(in->n_subsystem, n);
	struct slt_globalconf gc = {.refs = 1, .instance = &in, .n_instance = 1};
	const struct slt_id g = {
		.type = SLT_ID_GLOBALGROUP, .instance = "FI", .group = "pharmacies"};
	for (size_t i = 0; i < n; i += n / 100) {
		char code[16];
		snprintf(code, sizeof(code), "%08zu", i);
		const struct slt_id sub = SUBSYSTEM(code, "sub");
		assert_non_null(slt_globalconf_client(&gc, &sub));
		assert_true(slt_globalconf_in_group(&gc, &sub, &g));
		assert_int_equal(slt_globalconf_server_of(&gc, &sub, 0) != NULL, i < n / 40 * 40);
	}
	slt_gc_instance_free(in);
	return c;
}

static void flat_per_member(void **state)
{
	const struct cost a = measure(1500), b = measure(15000), c = measure(150000);

	(void)state;
	print_message("per member: %.1f %.1f %.1f us, %.0f %.0f %.0f bytes\n", a.us, b.us, c.us,
		      a.bytes, b.bytes, c.bytes);
	assert_true(b.bytes < 1.1 * a.bytes);
	assert_true(c.bytes < 1.1 * a.bytes);
	/* caches are smaller than 150 000 members; anything worse than linear shows as 10 or 100 */
	assert_true(b.us < 5 * a.us);
	assert_true(c.us < 5 * a.us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version),   cmocka_unit_test(writer_refuses),
		cmocka_unit_test(reader_refuses),  cmocka_unit_test(warns_of_what_it_leaves_out),
		cmocka_unit_test(hostile_sizes),   cmocka_unit_test(sources_only_stops_early),
		cmocka_unit_test(private_params),  cmocka_unit_test(nextupdate),
		cmocka_unit_test(flat_per_member),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
