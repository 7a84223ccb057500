/* SPDX-License-Identifier: MIT */
#include "federation/xades_sign.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "base/clock.h"
#include "federation/trust.h"
#include "federation/xades_form.h"

/*
 * SignedInfo and SignedProperties are written in canonical form from the start (start and end tags
 * for empty elements, attributes in order, no white space between elements), so that signing needs
 * no tree. Inclusive C14N differs from the bytes in the document only in the apex: there it carries
 * the namespaces that the root element declares, sorted by prefix.
 */
#define NAMESPACES                                                                                 \
	" xmlns:asic=\"" SLT_NS_ASIC "\" xmlns:ds=\"" SLT_NS_DS "\" xmlns:xades=\"" SLT_NS_XADES   \
	"\" xmlns:xsi=\"" SLT_NS_XSI "\""

#define POLICY_OID  "urn:oid:1.3.6.1.4.1.3516.16.2"
#define POLICY_TEXT "Profile for High Performance Digital Signatures (version 1.2)"
#define POLICY_URL  "https://repo.cyber.ee/dsig-profile-1.2.pdf"
#define POLICY_SHA512                                                                              \
	"BuO0EDNfkxSVlUbxCzmQPzX1AUF1/xx9ytWHk3/6SAOePxQiniEfDYk+90QeYb3lWpV3Izhuz9fKaYyE+lTcXw=="

#define SIGNATURE_MAX (1u << 20)
#define ID_PROPERTIES "signed-properties"
#define ID_REFERENCE  "signature-reference-0"

SLT_DEFINE_AUTO(BIGNUM *, BN_free)

/* One signature document in the making. */
struct draft {
	const struct slt_sign_options *o;
	enum slt_digest_alg digest_alg;
	const char *uri;       /* what is signed */
	const char *mime_type; /* of it */
	struct slt_digest object, properties;
};

static bool sign_fail(struct slt_err *err)
{
	return slt_prefix(err, SLT_SIGNER);
}

/* Text content as C14N writes it: quotes stay, a carriage return becomes a reference. */
static void add_text(struct slt_buf *b, struct slt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			slt_buf_adds(b, "&amp;");
			break;
		case '<':
			slt_buf_adds(b, "&lt;");
			break;
		case '>':
			slt_buf_adds(b, "&gt;");
			break;
		case '\r':
			slt_buf_adds(b, "&#xD;");
			break;
		default:
			slt_buf_addc(b, s.p[i]);
		}
	}
}

static void add_digest(struct slt_buf *b, const struct slt_digest *d)
{
	slt_buf_addf(b, "<ds:DigestMethod Algorithm=\"%s\"></ds:DigestMethod><ds:DigestValue>",
		     slt_digest_uri(d->alg));
	slt_buf_add_base64(b, d->v, d->n);
	slt_buf_adds(b, "</ds:DigestValue>");
}

/* CertDigest and IssuerSerial of a certificate. */
static void add_cert_id(struct slt_buf *b, const X509 *cert, enum slt_digest_alg alg)
{
	struct slt_digest d;
	SLT_AUTO_BUF(name, 8192);
	SLT_AUTO(BN_free) BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *decimal = serial != NULL ? BN_bn2dec(serial) : NULL;

	slt_certinfo_digest(cert, alg, &d);
	slt_certinfo_name(X509_get_issuer_name(cert), &name);
	slt_buf_adds(b, "<xades:CertDigest>");
	add_digest(b, &d);
	slt_buf_adds(b, "</xades:CertDigest><xades:IssuerSerial><ds:X509IssuerName>");
	add_text(b, slt_buf_str(&name));
	slt_buf_addf(b,
		     "</ds:X509IssuerName><ds:X509SerialNumber>%s</ds:X509SerialNumber>"
		     "</xades:IssuerSerial>",
		     decimal != NULL ? decimal : "0");
	OPENSSL_free(decimal);
}

/* Inside of SignedProperties. */
static void add_properties(struct slt_buf *b, const struct draft *d)
{
	char time[SLT_TIME_LEN];

	slt_buf_addf(b,
		     "<xades:SignedSignatureProperties><xades:SigningTime>%s</xades:SigningTime>"
		     "<xades:SigningCertificate><xades:Cert>",
		     slt_time_format(d->o->now_ms, true, time));
	add_cert_id(b, d->o->key->cert, SLT_SHA512);
	slt_buf_adds(b, "</xades:Cert></xades:SigningCertificate><xades:SignaturePolicyIdentifier>"
			"<xades:SignaturePolicyId><xades:SigPolicyId>"
			"<xades:Identifier Qualifier=\"OIDAsURN\">" POLICY_OID "</xades:Identifier>"
			"<xades:Description>" POLICY_TEXT "</xades:Description>"
			"</xades:SigPolicyId><xades:SigPolicyHash><ds:DigestMethod Algorithm=\"");
	slt_buf_adds(b, slt_digest_uri(SLT_SHA512));
	slt_buf_adds(b, "\"></ds:DigestMethod><ds:DigestValue>" POLICY_SHA512 "</ds:DigestValue>"
			"</xades:SigPolicyHash><xades:SigPolicyQualifiers>"
			"<xades:SigPolicyQualifier><xades:SPURI>" POLICY_URL "</xades:SPURI>"
			"</xades:SigPolicyQualifier></xades:SigPolicyQualifiers>"
			"</xades:SignaturePolicyId></xades:SignaturePolicyIdentifier>"
			"</xades:SignedSignatureProperties><xades:SignedDataObjectProperties>"
			"<xades:DataObjectFormat ObjectReference=\"#" ID_REFERENCE "\">");
	slt_buf_addf(b,
		     "<xades:MimeType>%s</xades:MimeType></xades:DataObjectFormat>"
		     "</xades:SignedDataObjectProperties>",
		     d->mime_type);
}

/* Inside of SignedInfo. */
static void add_signed_info(struct slt_buf *b, const struct draft *d)
{
	slt_buf_addf(b,
		     "<ds:CanonicalizationMethod Algorithm=\"" SLT_C14N_URI "\">"
		     "</ds:CanonicalizationMethod>"
		     "<ds:SignatureMethod Algorithm=\"%s\"></ds:SignatureMethod>"
		     "<ds:Reference Id=\"" ID_REFERENCE "\" URI=\"%s\">",
		     slt_sig_uri(d->o->key->alg), d->uri);
	add_digest(b, &d->object);
	slt_buf_adds(b, "</ds:Reference><ds:Reference Id=\"signature-reference-1\" "
			"Type=\"" SLT_TYPE_SIGNED_PROPERTIES "\" URI=\"#" ID_PROPERTIES "\">");
	add_digest(b, &d->properties);
	slt_buf_adds(b, "</ds:Reference>");
}

static bool add_cert_base64(struct slt_buf *b, const X509 *cert, struct slt_err *err)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	if (n <= 0) {
		(void)slt_fail_ssl(err, SLT_ECANNOT_CREATE_SIGNATURE,
				   "a certificate of the signing key cannot be encoded");
		return sign_fail(err);
	}
	slt_buf_add_base64(b, der, (size_t)n);
	OPENSSL_free(der);
	return true;
}

static bool add_intermediates(struct slt_buf *b, const struct slt_key *key, struct slt_err *err)
{
	int n = sk_X509_num(key->chain);

	if (n <= 0) {
		return true;
	}
	slt_buf_adds(b, "<xades:CompleteCertificateRefs Id=\"complete-certificate-refs\">"
			"<xades:CertRefs>");
	for (int i = 0; i < n; i++) {
		slt_buf_addf(b, "<xades:Cert URI=\"#encapsulated-cert-%d\">", i);
		add_cert_id(b, sk_X509_value(key->chain, i), SLT_SHA512);
		slt_buf_adds(b, "</xades:Cert>");
	}
	slt_buf_adds(b, "</xades:CertRefs></xades:CompleteCertificateRefs>"
			"<xades:CertificateValues>");
	for (int i = 0; i < n; i++) {
		slt_buf_addf(b, "<xades:EncapsulatedX509Certificate Id=\"encapsulated-cert-%d\">",
			     i);
		if (!add_cert_base64(b, sk_X509_value(key->chain, i), err)) {
			return false;
		}
		slt_buf_adds(b, "</xades:EncapsulatedX509Certificate>");
	}
	slt_buf_adds(b, "</xades:CertificateValues>");
	return true;
}

/* Everything after SignatureValue but SignedProperties, which stands in the middle. */
static bool add_unsigned(struct slt_buf *b, const struct slt_sign_options *o, struct slt_err *err)
{
	slt_buf_adds(b, "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>");
	if (!add_intermediates(b, o->key, err)) {
		return false;
	}
	slt_buf_adds(b, "<xades:RevocationValues><xades:OCSPValues>");
	for (size_t i = 0; i < o->n_ocsp; i++) {
		slt_buf_addf(b, "<xades:EncapsulatedOCSPValue Id=\"ocsp-response-%zu\">", i);
		slt_buf_add_base64(b, o->ocsp[i].p, o->ocsp[i].n);
		slt_buf_adds(b, "</xades:EncapsulatedOCSPValue>");
	}
	slt_buf_adds(b, "</xades:OCSPValues></xades:RevocationValues>"
			"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>");
	return true;
}

/* Digest of an element in canonical form, given its inside. */
static void digest_apex(enum slt_digest_alg alg, const char *start, const char *end,
			struct slt_str inside, struct slt_digest *ret)
{
	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(alg);

	slt_hasher_add(h, start, strlen(start));
	slt_hasher_add(h, inside.p, inside.n);
	slt_hasher_add(h, end, strlen(end));
	slt_hasher_end(h, ret);
}

static bool sign_info(struct slt_key *key, struct slt_str info, struct slt_buf *ret,
		      struct slt_err *err)
{
	struct slt_digest d;
	SLT_AUTO_BUF(der, 4096);

	digest_apex(slt_sig_digest(key->alg), "<ds:SignedInfo" NAMESPACES ">", "</ds:SignedInfo>",
		    info, &d);
	if (!key->sign(key, &d, &der, err)) {
		return false;
	}

	EVP_PKEY *pub = X509_get0_pubkey(key->cert);

	if (!EVP_PKEY_is_a(pub, "EC")) {
		slt_buf_add(ret, der.p, der.n);
		return true;
	}
	return slt_sig_der_to_raw(pub, slt_buf_str(&der), ret, err) || sign_fail(err);
}

static bool assemble(const struct draft *d, struct slt_str properties, struct slt_str info,
		     struct slt_str value, struct slt_buf *out, struct slt_err *err)
{
	slt_buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>"
			  "<asic:XAdESSignatures" NAMESPACES "><ds:Signature Id=\"signature\">"
			  "<ds:SignedInfo>");
	slt_buf_add(out, info.p, info.n);
	slt_buf_adds(out, "</ds:SignedInfo><ds:SignatureValue Id=\"signature-value\">");
	slt_buf_add_base64(out, value.p, value.n);
	slt_buf_adds(out, "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>");
	if (!add_cert_base64(out, d->o->key->cert, err)) {
		return false;
	}
	slt_buf_adds(out, "</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object>"
			  "<xades:QualifyingProperties Target=\"#signature\">"
			  "<xades:SignedProperties Id=\"" ID_PROPERTIES "\">");
	slt_buf_add(out, properties.p, properties.n);
	slt_buf_adds(out, "</xades:SignedProperties>");
	if (!add_unsigned(out, d->o, err)) {
		return false;
	}
	slt_buf_adds(out, "</xades:QualifyingProperties></ds:Object></ds:Signature>"
			  "</asic:XAdESSignatures>");
	return slt_buf_check(out, "signature document", err) || sign_fail(err);
}

static bool make_document(struct draft *d, struct slt_buf *out, struct slt_err *err)
{
	SLT_AUTO_BUF(properties, SIGNATURE_MAX);
	SLT_AUTO_BUF(info, SIGNATURE_MAX);
	SLT_AUTO_BUF(value, 4096);

	add_properties(&properties, d);
	if (!slt_buf_check(&properties, "signed properties", err)) {
		return sign_fail(err);
	}
	digest_apex(d->digest_alg,
		    "<xades:SignedProperties" NAMESPACES " Id=\"" ID_PROPERTIES "\">",
		    "</xades:SignedProperties>", slt_buf_str(&properties), &d->properties);
	add_signed_info(&info, d);
	if (!slt_buf_check(&info, "SignedInfo", err)) {
		return sign_fail(err);
	}
	return sign_info(d->o->key, slt_buf_str(&info), &value, err) &&
	       assemble(d, slt_buf_str(&properties), slt_buf_str(&info), slt_buf_str(&value), out,
			err);
}

static bool check_inputs(const struct slt_sign_options *o, const struct slt_sign_input *in,
			 size_t n, struct slt_err *err)
{
	if (n == 0 || o->n_ocsp == 0) {
		(void)slt_fail(err, SLT_ECANNOT_CREATE_SIGNATURE,
			       n == 0 ? "there is no message to sign"
				      : "there is no OCSP response for the signing certificate: "
					"receivers would refuse the signature");
		return sign_fail(err);
	}

	enum slt_digest_alg alg = in[0].n > 0 ? in[0].parts[0].alg : SLT_DIGEST_NONE;

	for (size_t i = 0; i < n; i++) {
		bool good = in[i].n > 0;

		for (size_t k = 0; k < in[i].n; k++) {
			good = good && in[i].parts[k].alg == alg;
		}
		if (!good || slt_digest_size(alg) < slt_digest_size(SLT_SHA256)) {
			(void)slt_fail(err, SLT_ECANNOT_CREATE_SIGNATURE,
				       "message %zu of %zu has no parts, or parts with digests "
				       "weaker than SHA-256 or of different algorithms",
				       i + 1, n);
			return sign_fail(err);
		}
	}
	return true;
}

static bool sign_direct(struct draft *d, const struct slt_sign_input *in, struct slt_signed *ret,
			struct slt_err *err)
{
	SLT_AUTO_BUF(out, SIGNATURE_MAX);

	d->uri = in->names[0];
	d->mime_type = "text/xml";
	d->object = in->parts[0];
	if (!make_document(d, &out, err)) {
		return false;
	}
	*ret = (struct slt_signed){.signature = slt_buf_take(&out, NULL)};
	return true;
}

static bool sign_chained(struct draft *d, struct slt_hc_result *hc, struct slt_signed *ret,
			 struct slt_err *err)
{
	SLT_AUTO_BUF(out, SIGNATURE_MAX);

	d->uri = SLT_URI_HC_RESULT;
	d->mime_type = "application/hash-chain-result";
	slt_digest_of(d->digest_alg, hc->result, strlen(hc->result), &d->object);
	if (!make_document(d, &out, err)) {
		return false;
	}
	for (size_t i = 0; i < hc->n; i++) {
		ret[i] = (struct slt_signed){
			.signature = slt_strndup(out.p, out.n),
			.hash_chain_result = slt_strdup(hc->result),
			.hash_chain = SLT_TAKE(hc->chains[i]),
		};
	}
	return true;
}

bool slt_xades_sign(const struct slt_sign_options *o, const struct slt_sign_input *inputs, size_t n,
		    struct slt_signed *ret, struct slt_err *err)
{
	if (!check_inputs(o, inputs, n, err)) {
		return false;
	}

	struct draft d = {.o = o, .digest_alg = inputs[0].parts[0].alg};

	if (n == 1 && inputs[0].n == 1) {
		return sign_direct(&d, &inputs[0], ret, err);
	}

	struct slt_hc_result hc = {0};
	struct slt_hc_input *hc_in = slt_calloc(n, sizeof(*hc_in));

	for (size_t i = 0; i < n; i++) {
		hc_in[i] = (struct slt_hc_input){inputs[i].parts, inputs[i].names, inputs[i].n};
	}

	bool good = slt_hashchain_build(d.digest_alg, hc_in, n, SLT_URI_HC, &hc, err);

	free(hc_in);
	good = good ? sign_chained(&d, &hc, ret, err) : sign_fail(err);
	slt_hashchain_result_fini(&hc);
	return good;
}

void slt_signed_fini(struct slt_signed *s)
{
	free(s->signature);
	free(s->hash_chain_result);
	free(s->hash_chain);
	*s = (struct slt_signed){0};
}
