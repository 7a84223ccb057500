/* SPDX-License-Identifier: MIT */
#pragma once

/* The signed configuration directories of tests/data/trust, with their parts and anchors. */

#include "tests/data/world.h"

#include "federation/globalconf_write.h"

#define DIRECTORY_EXPIRES (PKI_NOT_AFTER - INT64_C(86400000))

/* What one central server publishes: internalconf, externalconf, the parts, and the two anchors. */
struct tree {
	const char *name;
	int version;
	bool swapped;	     /* internalconf is signed with the key on P-384, not externalconf */
	int64_t expires;     /* 0: DIRECTORY_EXPIRES */
	int64_t freshness;   /* 0: PKI_FRESHNESS; tells two configurations apart */
	const char *part_of; /* the instance that the directory says its parts are of; NULL: FI */
	bool other_key;	     /* signed with keys that the anchors do not name */
	void (*spoil)(const char *dir);
	const char *held; /* another tree, whose internalconf is in the cache already */
	const char *strict, *judge, *note;
};

static struct {
	struct pki_cert *cert[4]; /* RSA, P-384; and two that no anchor names */
	struct slt_key *key[4];
} signing;

static void write_file(const char *dir, const char *name, const struct slt_buf *b)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, name);
	struct slt_err err = SLT_ERR_INIT;

	must(slt_buf_check(b, name, &err) && slt_file_write(path, b->p, b->n, 0644, &err), &err);
}

/* Changes a byte of a file: the one behind the first occurrence of a text. */
static void alter_file(const char *dir, const char *name, const char *behind)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, name);
	SLT_AUTO_STR char *text = NULL;
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 0;

	must(slt_file_read(path, 1u << 20, &text, &n, &err), &err);
	char *at = strstr(text, behind) + strlen(behind);
	*at = *at == '1' ? '2' : '1';
	must(slt_file_write(path, text, n, 0644, &err), &err);
}

static void alter_part(const char *dir)
{
	alter_file(dir, "V6/20261123/shared-params.xml", "<ocspFreshnessSeconds>");
}

static void alter_directories(const char *dir)
{
	alter_file(dir, "internalconf", "Expire-date: ");
	alter_file(dir, "externalconf", "Expire-date: ");
}

/* clang-format off */
static const struct tree trees[] = {
	{"V2", 2, .strict = "OK", .judge = "OK", .note = "version 2"},
	{"V3", 3, true, .strict = "OK", .judge = "OK", .note = "version 3, keys the other way round"},
	{"V4", 4, .strict = "OK", .judge = "OK", .note = "version 4"},
	{"V5", 5, true, .strict = "OK", .judge = "OK", .note = "version 5, keys the other way round"},
	{"V6", 6, .strict = "OK", .judge = "OK", .note = "version 6"},
	{"V6-swapped", 6, true, .freshness = 7200, .strict = "OK", .judge = "OK", .note = "version 6, keys the other way round"},
	{"altered-part", 6, .spoil = alter_part, .strict = "global_conf_part_downloaded_file_integrity_failure", .judge = "global_conf_part_downloaded_file_integrity_failure", .note = "one byte of shared-params.xml altered"},
	{"altered-directory", 6, .spoil = alter_directories, .strict = "global_conf_signature_verification_failure", .judge = "global_conf_signature_verification_failure", .note = "one byte of the signed range altered"},
	{"another-key", 6, .other_key = true, .strict = "global_conf_missing_verification_cert", .judge = "global_conf_missing_verification_cert", .note = "signed with a key that the anchor does not name"},
	{"another-instance", 6, .part_of = "EE", .strict = "global_conf_part_invalid_instance_identifier", .judge = "-", .note = "signed by the right key, but for another instance"},
	{"expired", 6, .expires = PKI_NOW - 1000, .strict = "global_conf_outdated", .judge = "global_conf_outdated", .note = "expired a second before"},
	{"rolled-back", 6, .expires = DIRECTORY_EXPIRES - 1000, .freshness = 86400, .held = "V6", .strict = "global_conf_rollback", .judge = "-", .note = "good by itself, but older than what is held"},
};
/* clang-format on */

static void write_anchor(const char *dir, bool internal, X509 *cert)
{
	SLT_AUTO_STR char *url =
		slt_asprintf("http://cs.example/%s", internal ? "internalconf" : "externalconf");
	struct slt_anchor_source source = {.url = url, .certs = &cert, .n_certs = 1};
	const struct slt_anchor a = {
		.instance = "FI", .generated_at_ms = PKI_NOW, .sources = &source, .n_sources = 1};
	SLT_AUTO_BUF(b, SLT_ANCHOR_MAX);
	struct slt_err err = SLT_ERR_INIT;

	must(slt_anchor_write(&a, &b, &err), &err);
	write_file(dir, internal ? "internal-anchor.xml" : "external-anchor.xml", &b);
}

static void write_shared(const struct tree *t, struct slt_buf *out)
{
	const struct slt_gcw_subsystem subsystem = {.code = "asking", .name = "Kysely & vastaus"};
	const struct slt_gcw_member member = {"COM", "1234567-8", "Esimerkki Oy", &subsystem, 1};
	const struct slt_gcw_class classes = {"COM", "Companies"};
	const struct slt_gc_ocsp ocsp = {.url = "http://ocsp.example/", .cert = w.fi_ocsp->x509};
	const struct slt_gcw_approved_ca ca = {
		.name = "Test CA #1", .profile = SLT_PROFILE_FIVRK, .top = {w.fi->x509, &ocsp, 1}};
	const struct slt_gc_tsa tsa = {"Test TSA", "http://tsa.example/", w.fi_tsa->x509};
	const struct slt_id owner = {.type = SLT_ID_MEMBER,
				     .instance = "FI",
				     .member_class = "COM",
				     .member_code = "1234567-8"};
	struct slt_id server_id = owner, client = owner;
	X509 *internal = signing.cert[t->swapped]->x509,
	     *external = signing.cert[!t->swapped]->x509;
	X509 *auth = w.cert[FI_NOT_SIGNING]->x509;
	const struct slt_gcw_source source = {"cs.example", {&internal, 1}, {&external, 1}};
	struct slt_err err = SLT_ERR_INIT;

	server_id.type = SLT_ID_SERVER;
	server_id.server = "ss1";
	client.type = SLT_ID_SUBSYSTEM;
	client.subsystem = "asking";

	const struct slt_gcw_server server = {.id = server_id,
					      .address = "ss1.example",
					      .auth = {&auth, 1},
					      .client = &client,
					      .n_client = 1,
					      .maintenance = t->swapped,
					      .maintenance_message = "back at noon"};
	const struct slt_gcw_group group = {"all", "Everybody", &client, 1};
	const struct slt_gcw_shared s = {
		.version = t->version,
		.instance = "FI",
		.source = &source,
		.n_source = 1,
		.ca = &ca,
		.n_ca = 1,
		.tsa = &tsa,
		.n_tsa = 1,
		.classes = &classes,
		.n_classes = 1,
		.member = &member,
		.n_member = 1,
		.server = &server,
		.n_server = 1,
		.group = &group,
		.n_group = 1,
		.ocsp_freshness_s = t->freshness != 0 ? t->freshness : PKI_FRESHNESS,
	};

	must(slt_globalconf_write_shared(&s, out, &err), &err);
}

static void write_private(struct slt_buf *out)
{
	struct slt_anchor_source source = {.url = "http://cs.ee.example/externalconf",
					   .certs = &signing.cert[1]->x509,
					   .n_certs = 1};
	const struct slt_anchor ee = {
		.instance = "EE", .generated_at_ms = PKI_NOW, .sources = &source, .n_sources = 1};
	const struct slt_anchor *anchor = &ee;
	const struct slt_gcw_private p = {
		.instance = "FI",
		.anchor = &anchor,
		.n_anchor = 1,
		.registration_address = "https://cs.example:4001/managementservice/",
		.registration_cert = signing.cert[0]->x509,
		.management_service = {.type = SLT_ID_SUBSYSTEM,
				       .instance = "FI",
				       .member_class = "COM",
				       .member_code = "1234567-8",
				       .subsystem = "asking"},
		.timestamping_interval_s = 60,
	};
	struct slt_err err = SLT_ERR_INIT;

	must(slt_globalconf_write_private(&p, out, &err), &err);
}

static struct slt_directory_part part_of(const struct tree *t, const char *id, const char *location,
					 const struct slt_buf *b)
{
	struct slt_directory_part p = {.content_id = id,
				       .instance = t->part_of != NULL ? t->part_of : "FI",
				       .location = location};

	slt_digest_of(SLT_SHA512, b->p, b->n, &p.digest);
	return p;
}

static void write_tree(const struct tree *t, const char *root)
{
	SLT_AUTO_STR char *dir = slt_asprintf("%s/directories/%s", root, t->name);
	SLT_AUTO_STR char *below = slt_asprintf("/V%d/20261123", t->version);
	SLT_AUTO_STR char *at_shared = slt_asprintf("%s/shared-params.xml", below);
	SLT_AUTO_STR char *at_private = slt_asprintf("%s/private-params.xml", below);
	SLT_AUTO_STR char *parts_dir = slt_asprintf("%s%s", dir, below);
	SLT_AUTO_BUF(shared, SLT_SHARED_PARAMS_MAX);
	SLT_AUTO_BUF(private, SLT_SHARED_PARAMS_MAX);
	SLT_AUTO_BUF(internal, SLT_DIRECTORY_MAX);
	SLT_AUTO_BUF(external, SLT_DIRECTORY_MAX);
	struct slt_err err = SLT_ERR_INIT;

	must(slt_mkdir_p(parts_dir, 0755, &err), &err);
	write_shared(t, &shared);
	write_private(&private);
	write_file(parts_dir, "shared-params.xml", &shared);
	write_file(parts_dir, "private-params.xml", &private);

	struct slt_directory_part parts[] = {part_of(t, SLT_PART_SHARED, at_shared, &shared),
					     part_of(t, SLT_PART_PRIVATE, at_private, &private)};
	struct slt_directory d = {.expires_ms = t->expires != 0 ? t->expires : DIRECTORY_EXPIRES,
				  .version = t->version,
				  .parts = parts,
				  .n_parts = 2};
	struct slt_key **key = signing.key + (t->other_key ? 2 : 0);

	must(slt_directory_write(&d, key[t->swapped], &internal, &err), &err);
	d.n_parts = 1; /* private parameters are the own instance's only */
	must(slt_directory_write(&d, key[!t->swapped], &external, &err), &err);
	write_file(dir, "internalconf", &internal);
	write_file(dir, "externalconf", &external);
	write_anchor(dir, true, signing.cert[t->swapped]->x509);
	write_anchor(dir, false, signing.cert[!t->swapped]->x509);
	if (t->spoil != NULL) {
		t->spoil(dir);
	}
}

static void index_tree(const struct tree *t, struct slt_buf *index)
{
	static const char *const kinds[] = {"internal", "external"};

	for (size_t i = 0; i < 2; i++) {
		bool held = i == 0 && t->held != NULL;

		if (i == 1 && t->held != NULL) {
			continue;
		}
		slt_buf_addf(index, "directories/%s/%sconf\tdirectories/%s/%s-anchor.xml%s%s%s\t%s",
			     t->name, kinds[i], t->name, kinds[i], held ? ",directories/" : "",
			     held ? t->held : "", held ? "/internalconf" : "", t->strict);
		slt_buf_addf(index, "\t-\t%s\t%s\n", t->judge, t->note);
	}
}

static void write_directories(const char *root, struct slt_buf *index)
{
	static const enum pki_key kinds[] = {PKI_RSA2048, PKI_P384, PKI_RSA2048, PKI_P384};
	static const enum slt_sig_alg algs[] = {SLT_RSA_SHA512, SLT_ECDSA_SHA512, SLT_RSA_SHA512,
						SLT_ECDSA_SHA512};

	for (unsigned i = 0; i < 4; i++) {
		signing.cert[i] = pki_ca(NULL, "CN=N/A", kinds[i], 11 + i);
		signing.key[i] = evidence_key(signing.cert[i], algs[i]);
	}
	for (size_t i = 0; i < SLT_COUNT(trees); i++) {
		write_tree(&trees[i], root);
		index_tree(&trees[i], index);
	}
	for (size_t i = 0; i < 4; i++) {
		slt_key_free(signing.key[i]);
		pki_cert_free(signing.cert[i]);
	}
}
