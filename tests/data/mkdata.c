/* SPDX-License-Identifier: MIT */
/*
 * Makes tests/data/trust, see tests/data/README.md:
 *   make build/tests/data/mkdata && build/tests/data/mkdata tests/data/trust
 *
 * Keys are new with every run; instants are fixed.
 */
#include "tests/data/world.h"
#include "tests/data/mkdirs.h"

#include "federation/xades_form.h"

#define STAMPED	     (PKI_NOW + 60000) /* the instant of the time-stamps; a whole second */
#define BATCH_MAX    20
#define ATTACHED_MAX 2
#define SHA512_OF_NOTHING                                                                          \
	"z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="

enum message { SOAP_REQUEST, SOAP_RESPONSE, REST_REQUEST, REST_RESPONSE };
enum stamp { SINGLE, BATCH };

struct made { /* a container in the making, with what its making may change */
	const struct kase *kase;
	struct slt_key *key;
	char *message, *signature, *result, *chain;
	const char *attachment[ATTACHED_MAX];
	struct slt_hc_result ts;
	struct slt_buf token;
	const struct pki_cert *tsa;
};

struct kase {
	const char *name, *conf;
	enum signer signer;
	enum slt_sig_alg alg;
	enum message message;
	unsigned n_attachments;
	enum stamp stamp;
	unsigned batch, index; /* the index-th of a batch; 0: alone */
	struct {
		int this_s;    /* thisUpdate, seconds from the time-stamp; 0: two minutes before */
		int next_s;    /* nextUpdate likewise; 0: none */
		bool at_stamp; /* nextUpdate at that very instant */
		enum pki_status status;
		bool by_key;
		int responder; /* 1: delegated, certificate embedded; 2: nobody's */
		bool of_another;
	} ocsp;
	void (*before)(struct made *m); /* the time-stamp is put on */
	void (*after)(struct made *m);
	const char *strict, *lax, *judge, *note;
};

/* --- changes before the time-stamp --- */

static void put(char **to, char *take_text)
{
	free(*to);
	*to = take_text;
}

static void resign(struct made *m)
{
	put(&m->signature, evidence_resign(m->key, m->signature));
}

/* The last character of the signing time's seconds. */
static void alter_signing_time(struct made *m)
{
	put(&m->signature, evidence_replace(m->signature, ":00.000Z</xades:SigningTime>",
					    ":01.000Z</xades:SigningTime>"));
}

static void alter_signature_value(struct made *m)
{
	char *at = strstr(strstr(m->signature, "<ds:SignatureValue"), ">") + 10;

	*at = *at == 'A' ? 'B' : 'A';
}

static void name_another_certificate(struct made *m)
{
	static const char open[] = "<ds:DigestValue>";
	struct slt_digest d;
	SLT_AUTO_BUF(b, 256);
	char *at = strstr(strstr(m->signature, "<xades:CertDigest>"), open) + sizeof(open) - 1;

	slt_certinfo_digest(w.cert[FI_NEIGHBOUR]->x509, SLT_SHA512, &d);
	slt_buf_add_base64(&b, d.v, d.n);
	memcpy(at, b.p, b.n);
	resign(m);
}

static void leave_properties_unsigned(struct made *m)
{
	put(&m->signature, evidence_cut(m->signature, "<ds:Reference Id=\"signature-reference-1\"",
					"</ds:Reference>"));
	resign(m);
}

/* A second reference to the message under another name, which nothing in the container has. */
static void reference_too_much(struct made *m)
{
	put(&m->signature,
	    evidence_replace(
		    m->signature, "</ds:SignedInfo>",
		    "<ds:Reference URI=\"/attachment7\"><ds:DigestMethod Algorithm=\"http://"
		    "www.w3.org/2001/04/xmlenc#sha512\"></ds:DigestMethod><ds:DigestValue>" SHA512_OF_NOTHING
		    "</ds:DigestValue></ds:Reference></ds:SignedInfo>"));
	resign(m);
}

static void stamp_by_nobody(struct made *m)
{
	m->tsa = w.stranger_tsa;
}

/* --- changes after it --- */

static void alter_message(struct made *m)
{
	char *at = strstr(m->message, "value");

	*at = 'V';
}

static void alter_attachment(struct made *m)
{
	m->attachment[0] = "One";
}

static void add_attachment(struct made *m)
{
	m->attachment[0] = "nobody signed this";
}

static void drop_attachments(struct made *m)
{
	memset(m->attachment, 0, sizeof(m->attachment));
}

static void duplicate_id(struct made *m)
{
	put(&m->signature, evidence_replace(m->signature, "<xades:UnsignedProperties>",
					    "<xades:UnsignedProperties Id=\"signed-properties\">"));
}

static void drop_ocsp(struct made *m)
{
	put(&m->signature,
	    evidence_cut(m->signature, "<xades:RevocationValues>", "</xades:RevocationValues>"));
}

static void alter_chain(struct made *m)
{
	char *at = strstr(m->chain, "DigestValue>") + 15;

	*at = *at == 'A' ? 'B' : 'A';
}

static void alter_result(struct made *m)
{
	char *at = strstr(m->result, "DigestValue>") + 15;

	*at = *at == 'A' ? 'B' : 'A';
}

static void drop_result(struct made *m)
{
	put(&m->result, NULL);
}

static void alter_ts_chain(struct made *m)
{
	char *at = strstr(m->ts.chains[0], "DigestValue>") + 15;

	*at = *at == 'A' ? 'B' : 'A';
}

/* The time-stamp of another signature value. */
static void stamp_something_else(struct made *m)
{
	SLT_AUTO_BUF(b, 65536);

	put(&m->signature, evidence_cut(m->signature, "<xades:SignatureTimeStamp>",
					"</xades:SignatureTimeStamp>"));
	evidence_stamp(w.fi_tsa, STAMPED, SLT_STR_C("something else"), &b);

	SLT_AUTO_BUF(text, 131072);

	slt_buf_adds(&text, "<xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>"
			    "<xades:EncapsulatedTimeStamp>");
	slt_buf_add_base64(&text, b.p, b.n);
	slt_buf_adds(&text, "</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>");
	put(&m->signature,
	    evidence_replace(m->signature, "<xades:UnsignedSignatureProperties>", text.p));
}

/* --- the cases --- */

#define MALFORMED      "malformed_signature"
#define BAD_VALUE      "invalid_signature_value"
#define BAD_PATH       "invalid_cert_path.cert_validation"
#define BAD_INFO       "invalid_cert_path.incorrect_validation_info"
#define GOOD(...)      .strict = "OK", .lax = "OK", .judge = "OK", .note = __VA_ARGS__
#define BAD(code, ...) .strict = (code), .lax = (code), .judge = (code), .note = __VA_ARGS__
/* what X-Road accepts and strict verification does not */
#define LAX(code, ...) .strict = (code), .lax = "WARN", .judge = "OK", .note = __VA_ARGS__

/* clang-format off */
static const struct kase kases[] = {
	{"rsa-sha256", "fi", FI_RSA, SLT_RSA_SHA256, SOAP_REQUEST, GOOD("RSA-2048 PKCS#1, SHA-256; SOAP request")},
	{"rsa-sha384", "fi", FI_RSA, SLT_RSA_SHA384, SOAP_RESPONSE, GOOD("RSA-2048 PKCS#1, SHA-384; SOAP response")},
	{"rsa-sha512", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, GOOD("RSA-2048 PKCS#1, SHA-512")},
	{"pss-sha256", "fi", FI_RSA, SLT_RSA_PSS_SHA256, REST_REQUEST, GOOD("RSA-2048 PSS, SHA-256; REST request")},
	{"pss-sha384", "fi", FI_RSA, SLT_RSA_PSS_SHA384, REST_RESPONSE, GOOD("RSA-2048 PSS, SHA-384; REST response")},
	{"pss-sha512", "fi", FI_RSA, SLT_RSA_PSS_SHA512, SOAP_REQUEST, GOOD("RSA-2048 PSS, SHA-512")},
	{"p256-sha256", "fi", FI_P256, SLT_ECDSA_SHA256, SOAP_REQUEST, GOOD("ECDSA P-256, SHA-256")},
	{"p256-sha512", "fi", FI_P256, SLT_ECDSA_SHA512, REST_RESPONSE, GOOD("ECDSA P-256, SHA-512; REST response")},
	{"p384-sha384", "fi", FI_P384, SLT_ECDSA_SHA384, SOAP_RESPONSE, GOOD("ECDSA P-384, SHA-384; SOAP response")},
	{"p384-sha512", "fi", FI_P384, SLT_ECDSA_SHA512, REST_REQUEST, GOOD("ECDSA P-384, SHA-512; REST request")},

	{"attachments", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, 2, GOOD("hash chain over a message and two attachments")},
	{"attachments-batch-stamp", "fi", FI_P256, SLT_ECDSA_SHA256, SOAP_RESPONSE, 1, BATCH, GOOD("hash chain; time-stamp over a batch")},
	{"attachments-left-out", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, 2, .after = drop_attachments, GOOD("hash chain; the log did not keep the attachments")},
	{"rest-body", "fi", FI_P256, SLT_ECDSA_SHA512, REST_REQUEST, 1, GOOD("hash chain over a REST head and its body")},
	{"batch-stamp", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .stamp = BATCH, GOOD("signed directly; time-stamp over a batch")},
	{"batch-3-first", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .batch = 3, .index = 0, GOOD("first of a batch of three")},
	{"batch-3-second", "fi", FI_RSA, SLT_RSA_SHA512, REST_RESPONSE, 2, .batch = 3, .index = 1, GOOD("second of a batch of three, with attachments")},
	{"batch-3-third", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_RESPONSE, .batch = 3, .index = 2, GOOD("third of a batch of three")},
	{"batch-20-first", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .batch = 20, .index = 0, GOOD("first of a batch of twenty")},
	{"batch-20-middle", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, 1, .batch = 20, .index = 10, GOOD("eleventh of a batch of twenty, with an attachment")},
	{"batch-20-last", "fi", FI_P256, SLT_ECDSA_SHA512, REST_REQUEST, 2, BATCH, .batch = 20, .index = 19, GOOD("last of a batch of twenty; time-stamp over a batch")},

	{"skklass3", "ee", EE_P256, SLT_ECDSA_SHA256, SOAP_REQUEST, GOOD("SkKlass3; listed intermediate authority with a listed responder")},
	{"skklass3-attachments", "ee", EE_P256, SLT_ECDSA_SHA512, SOAP_RESPONSE, 2, BATCH, GOOD("the same; hash chain, time-stamp over a batch")},
	{"skklass3-federated", "federated", EE_P256, SLT_ECDSA_SHA256, REST_RESPONSE, GOOD("the same, under the configuration of an instance that is federated with it")},
	{"ejbca", "xe", XE_RSA, SLT_RSA_SHA256, SOAP_RESPONSE, .ocsp = {.by_key = true}, GOOD("EJBCA's profile; the responder is named by the hash of its key")},
	{"basic", "basic", BASIC_RSA, SLT_RSA_SHA512, REST_REQUEST, GOOD("the basic profile")},
	{"tls-only", "tls-only", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, LAX(MALFORMED, "the authority is approved for authentication only")},

	{"ocsp-next-update", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .ocsp = {.next_s = 3600}, GOOD("OCSP response with nextUpdate")},
	{"ocsp-next-update-now", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.at_stamp = true}, GOOD("nextUpdate is the instant of the time-stamp")},
	{"ocsp-next-update-passed", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.next_s = -1}, BAD(BAD_INFO, "nextUpdate passed a second before")},
	{"ocsp-next-update-ignored", "no-next-update", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.next_s = -1}, .strict = "OK", .lax = "OK", .judge = "-", .note = "nextUpdate passed, but the configuration says not to look at it"},
	{"ocsp-by-key", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_RESPONSE, .ocsp = {.by_key = true}, GOOD("the responder is named by the hash of its key")},
	{"ocsp-delegated", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.responder = 1}, GOOD("a responder that the authority delegated to, its certificate in the response")},
	{"ocsp-delegated-by-key", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.responder = 1, .by_key = true}, GOOD("the same, named by the hash of its key")},
	{"ocsp-oldest", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.this_s = -PKI_FRESHNESS}, GOOD("OCSP response as old as the configuration allows")},
	{"ocsp-stale", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.this_s = -PKI_FRESHNESS - 1}, BAD(BAD_INFO, "a second older")},
	{"ocsp-ahead", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.this_s = 60}, GOOD("thisUpdate a minute ahead")},
	{"ocsp-from-future", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.this_s = 61}, .strict = BAD_INFO, .lax = "OK", .judge = "OK", .note = "thisUpdate more than a minute ahead"},
	{"ocsp-revoked", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .ocsp = {.status = PKI_REVOKED}, BAD(BAD_PATH, "the certificate was revoked")},
	{"ocsp-unknown", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.status = PKI_UNKNOWN}, BAD(BAD_PATH, "the responder does not know the certificate")},
	{"ocsp-nobodys", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.responder = 2}, BAD(BAD_INFO, "a responder that no authority stands for")},
	{"ocsp-of-another", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .ocsp = {.of_another = true}, BAD(BAD_PATH, "the response is about another certificate")},
	{"ocsp-missing", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .after = drop_ocsp, BAD(MALFORMED, "no OCSP response")},

	{"altered-message", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .after = alter_message, BAD(BAD_VALUE, "one byte of the message altered")},
	{"altered-message-batch", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .batch = 3, .index = 0, .after = alter_message, BAD(MALFORMED ".invalid_hash_chain_ref", "the same in a batch")},
	{"altered-properties", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .before = alter_signing_time, BAD(BAD_VALUE, "one byte of SignedProperties altered")},
	{"altered-value", "fi", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, .before = alter_signature_value, BAD(BAD_VALUE, "one character of SignatureValue altered")},
	{"altered-value-ecdsa", "fi", FI_P384, SLT_ECDSA_SHA384, SOAP_REQUEST, .before = alter_signature_value, BAD(BAD_VALUE, "the same with ECDSA")},
	{"altered-attachment", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, 2, .after = alter_attachment, LAX(MALFORMED ".invalid_hash_chain_ref", "one byte of an attachment altered, which X-Road reports only")},
	{"altered-chain", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, 2, .after = alter_chain, BAD(MALFORMED ".invalid_hash_chain_ref", "a digest in the hash chain altered")},
	{"altered-chain-result", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, 2, .after = alter_result, BAD(MALFORMED ".invalid_hash_chain", "the result of the hash chain altered")},
	{"altered-stamp-chain", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .stamp = BATCH, .after = alter_ts_chain, BAD(MALFORMED, "the hash chain of the time-stamp altered")},
	{"without-chain-result", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, 2, .after = drop_result, BAD("asic_hash_chain_result_not_found", "the container lacks the result of the hash chain")},
	{"unsigned-attachment", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .after = add_attachment, LAX(MALFORMED ".uncovered_part", "an attachment that the signature does not reference")},
	{"unsigned-properties", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .before = leave_properties_unsigned, LAX(MALFORMED, "SignedProperties that are not signed")},
	{"unknown-reference", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .before = reference_too_much, .strict = MALFORMED, .lax = "internal_error", .judge = "internal_error", .note = "a reference to what is not there"},
	{"duplicate-id", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .after = duplicate_id, LAX(MALFORMED, "two elements with the Id of SignedProperties")},
	{"another-certificate", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .before = name_another_certificate, LAX(MALFORMED, "SigningCertificate names another certificate")},
	{"sha1", "fi", FI_RSA, SLT_RSA_SHA1, SOAP_REQUEST, LAX(MALFORMED ".algorithm_not_allowed", "RSA with SHA-1")},
	{"stranger", "fi", FI_STRANGER, SLT_ECDSA_SHA512, SOAP_REQUEST, BAD("internal_error", "a certificate of an authority that is not approved")},
	{"namesake", "fi", FI_NAMESAKE, SLT_ECDSA_SHA512, SOAP_REQUEST, .strict = "cannot_create_cert_path", .lax = "cannot_create_cert_path", .judge = "FAIL", .note = "a certificate of an authority that bears the name of the approved one"},
	{"foreign", "ee", FI_RSA, SLT_RSA_SHA512, SOAP_REQUEST, BAD("mlog.tsp_certificate_not_found", "under the configuration of another instance")},
	{"expired", "fi", FI_EXPIRED, SLT_ECDSA_SHA512, SOAP_REQUEST, BAD("cannot_create_cert_path", "the certificate expired before the time-stamp")},
	{"not-for-signing", "fi", FI_NOT_SIGNING, SLT_ECDSA_SHA512, SOAP_REQUEST, BAD(MALFORMED, "the certificate is not for signing")},
	{"neighbour", "fi", FI_NEIGHBOUR, SLT_ECDSA_SHA512, SOAP_REQUEST, BAD("incorrect_certificate", "a certificate of another member")},
	{"stamp-by-nobody", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .before = stamp_by_nobody, BAD("mlog.tsp_certificate_not_found", "a time-stamping authority that is not approved")},
	{"stamp-of-another", "fi", FI_P256, SLT_ECDSA_SHA512, SOAP_REQUEST, .after = stamp_something_else, BAD(MALFORMED, "the time-stamp is of something else")},
};
/* clang-format on */

/* --- messages --- */

#define REQUEST_ID "5f3c2b1e-0d7a-4c55-9a41-7b2f6a0c9d11"

static const char *member_of(enum signer s)
{
	return s == EE_P256	? EE_MEMBER
	       : s == XE_RSA	? XE_MEMBER
	       : s == BASIC_RSA ? BASIC_MEMBER
				: FI_MEMBER;
}

static char *soap(const char *member, bool response)
{
	const char *class_at = strchr(member, '/') + 1, *code = strchr(class_at, '/') + 1;
	SLT_AUTO_STR char *id = slt_asprintf(
		"<id:xRoadInstance>%.*s</id:xRoadInstance><id:memberClass>%.*s</id:memberClass>"
		"<id:memberCode>%s</id:memberCode>",
		(int)(class_at - member - 1), member, (int)(code - class_at - 1), class_at, code);

	return slt_asprintf(
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:Envelope xmlns:s=\"http://schemas."
		"xmlsoap.org/soap/envelope/\" xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\" "
		"xmlns:id=\"http://x-road.eu/xsd/identifiers\">\n <s:Header>\n"
		"  <x:client id:objectType=\"SUBSYSTEM\">%s<id:subsystemCode>asking"
		"</id:subsystemCode></x:client>\n"
		"  <x:service id:objectType=\"SERVICE\">%s<id:subsystemCode>answering"
		"</id:subsystemCode><id:serviceCode>getThing</id:serviceCode>"
		"<id:serviceVersion>v1</id:serviceVersion></x:service>\n"
		"  <x:userId>EE12345678901</x:userId>\n  <x:id>vector-1</x:id>\n"
		"  <x:protocolVersion>4.0</x:protocolVersion>\n </s:Header>\n <s:Body>"
		"<t:getThing%s xmlns:t=\"urn:thing\"><t:a>value Å &amp; \"Š\"</t:a></t:getThing%s>"
		"</s:Body>\n</s:Envelope>\n",
		id, id, response ? "Response" : "", response ? "Response" : "");
}

static char *message_of(const struct kase *k)
{
	const char *member = member_of(k->signer);

	switch (k->message) {
	case SOAP_REQUEST:
	case SOAP_RESPONSE:
		return soap(member, k->message == SOAP_RESPONSE);
	case REST_REQUEST:
		return slt_asprintf("POST\r\n/r1/%s/answering/getThing/v1?q=value%%20%%C3%%85\r\n"
				    "x-road-client:%s/asking\r\nx-road-id:vector-1\r\n"
				    "content-type:application/json\r\nx-road-request-id:" REQUEST_ID
				    "\r\n",
				    member, member);
	case REST_RESPONSE:
		return slt_asprintf("200\r\nOK\r\ncontent-type:application/json\r\n"
				    "x-road-id:vector-1\r\nx-road-client:%s/asking\r\n"
				    "x-road-service:%s/answering/getThing\r\n"
				    "x-road-request-id:" REQUEST_ID
				    "\r\nx-road-request-hash:" SHA512_OF_NOTHING "\r\n",
				    member, member);
	}
	return NULL;
}

/* --- making --- */

static void ocsp_of(const struct kase *k, struct slt_buf *out)
{
	const struct pki_cert *cert = w.cert[k->ocsp.of_another ? FI_NEIGHBOUR : k->signer];
	struct pki_ocsp o = {.single[0] = {.cert = cert,
					   .issuer = w.issuer[k->signer],
					   .status = k->ocsp.status},
			     .by_key = k->ocsp.by_key};

	o.single[0].this_update = STAMPED + (k->ocsp.this_s != 0 ? k->ocsp.this_s : -120) * 1000;
	if (k->ocsp.next_s != 0 || k->ocsp.at_stamp) {
		o.single[0].next_update = STAMPED + k->ocsp.next_s * 1000;
	}
	o.single[0].revoked_at = PKI_NOW - INT64_C(86400000);
	if (k->signer == EE_P256) {
		o.responder = w.ee_ocsp; /* listed: its certificate need not be in the response */
	} else if (k->ocsp.responder != 0) {
		o.responder = k->ocsp.responder == 1 ? w.fi_ocsp : w.stranger_ocsp;
		o.embed[0] = o.responder->x509;
	}
	pki_ocsp(&o, out);
}

static const char *const part_names[] = {"/message.xml", "/attachment1", "/attachment2"};
static const char *const attachments[ATTACHED_MAX] = {"one", "Teine manus, 2"};

/* Signs the message, in the batch that it belongs to: the others have other messages. */
static void sign(struct made *m)
{
	const struct kase *k = m->kase;
	size_t n = k->batch != 0 ? k->batch : 1;
	struct slt_digest d[BATCH_MAX][1 + ATTACHED_MAX];
	struct slt_sign_input in[BATCH_MAX];
	struct slt_signed out[BATCH_MAX];
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(ocsp, SLT_OCSP_BYTES_MAX);

	ocsp_of(k, &ocsp);

	struct slt_str response = slt_buf_str(&ocsp);
	struct slt_sign_options o = {
		.key = m->key, .ocsp = &response, .n_ocsp = 1, .now_ms = PKI_NOW};

	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *other = slt_asprintf("<other>%zu</other>", i);
		const char *text = i == k->index ? m->message : other;

		slt_digest_of(SLT_SHA512, text, strlen(text), &d[i][0]);
		for (size_t a = 0; a < ATTACHED_MAX; a++) {
			slt_digest_of(SLT_SHA512, attachments[a], strlen(attachments[a]),
				      &d[i][1 + a]);
		}
		in[i] = (struct slt_sign_input){d[i], part_names,
						i == k->index ? 1 + k->n_attachments : 1};
	}
	must(slt_xades_sign(&o, in, n, out, &err), &err);
	m->signature = SLT_TAKE(out[k->index].signature);
	m->result = SLT_TAKE(out[k->index].hash_chain_result);
	m->chain = SLT_TAKE(out[k->index].hash_chain);
	for (size_t i = 0; i < n; i++) {
		slt_signed_fini(&out[i]);
	}
}

static const struct pki_cert *tsa_of(enum signer s)
{
	return s == EE_P256	? w.ee_tsa
	       : s == XE_RSA	? w.xe_tsa
	       : s == BASIC_RSA ? w.basic_tsa
				: w.fi_tsa;
}

static void stamp(struct made *m)
{
	if (m->kase->stamp == BATCH) {
		const char *texts[] = {m->signature, "another", "a third", "and a fourth"};

		evidence_stamp_batch(m->tsa, STAMPED, texts, SLT_COUNT(texts), &m->ts, &m->token);
	} else {
		put(&m->signature, evidence_stamp_single(m->tsa, STAMPED, m->signature));
	}
}

static void write_container(const struct made *m, const char *root)
{
	SLT_AUTO_STR char *path = slt_asprintf("%s/containers/%s.asice", root, m->kase->name);
	SLT_AUTO_BUF(out, SLT_ASIC_BYTES_MAX);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_asic_entries e = {
		.message = slt_str(m->message),
		.signature = slt_str(m->signature),
		.hash_chain_result = slt_str(m->result),
		.hash_chain = slt_str(m->chain),
		.timestamp = m->token.n > 0 ? slt_buf_str(&m->token) : (struct slt_str){NULL, 0},
	};

	if (m->kase->stamp == BATCH) {
		e.ts_hash_chain_result = slt_str(m->ts.result);
		e.ts_hash_chain = slt_str(m->ts.chains[0]);
	}
	for (size_t i = 0; i < ATTACHED_MAX && m->attachment[i] != NULL; i++) {
		e.attachment[e.n_attachments++] = slt_str(m->attachment[i]);
	}
	must(slt_asic_write(&e, &out, &err) && slt_file_write(path, out.p, out.n, 0644, &err),
	     &err);
}

static void make(const struct kase *k, const char *root, struct slt_buf *index)
{
	struct made m = {.kase = k, .message = message_of(k), .tsa = tsa_of(k->signer)};

	slt_buf_init(&m.token, 65536);
	m.key = evidence_key(w.cert[k->signer], k->alg);
	for (unsigned i = 0; i < k->n_attachments; i++) {
		m.attachment[i] = attachments[i];
	}
	sign(&m);
	if (k->before != NULL) {
		k->before(&m);
	}
	stamp(&m);
	if (k->after != NULL) {
		k->after(&m);
	}
	write_container(&m, root);
	slt_buf_addf(index, "containers/%s.asice\tglobalconf/%s\t%s\t%s\t%s\t%s\n", k->name,
		     k->conf, k->strict, k->lax, k->judge, k->note);
	slt_key_free(m.key);
	slt_hashchain_result_fini(&m.ts);
	slt_buf_fini(&m.token);
	free(m.message);
	free(m.signature);
	free(m.result);
	free(m.chain);
}

int main(int argc, char **argv)
{
	static const char *const dirs[] = {"containers", "globalconf", "directories"};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(index, 1u << 20);

	if (argc != 2) {
		fprintf(stderr, "usage: mkdata DIRECTORY\n");
		return 2;
	}
	slt_xml_init();
	make_world();
	for (size_t i = 0; i < SLT_COUNT(dirs); i++) {
		SLT_AUTO_STR char *path = slt_path_join(argv[1], dirs[i]);

		must(slt_rm_tree(path, &err) && slt_mkdir_p(path, 0755, &err), &err);
	}
	slt_buf_adds(&index, "# file\tconfiguration\tstrict\tlax\tjudge\twhat it shows\n");
	write_configurations(argv[1]);
	for (size_t i = 0; i < SLT_COUNT(kases); i++) {
		make(&kases[i], argv[1], &index);
	}
	write_directories(argv[1], &index);

	SLT_AUTO_STR char *path = slt_path_join(argv[1], "index.tsv");

	must(slt_buf_check(&index, "the index", &err) &&
		     slt_file_write(path, index.p, index.n, 0644, &err),
	     &err);
	end_world();
	return 0;
}
