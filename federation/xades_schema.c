/* SPDX-License-Identifier: MIT */
/* The content models of the elements that X-Road's signatures use. */
#include <string.h>

#include "federation/xades_form.h"

/*
 * SEQUENCE: names in order, each followed by nothing (once), '?', '*' or '+'.
 * CHOICE: any of the names in any order; a leading '+' asks for at least one. "any" stands for an
 * element of any other namespace.
 */
enum kind { SEQUENCE, CHOICE };

#define DIGEST "ds:DigestMethod ds:DigestValue"

/* clang-format off */
static const struct model {
	const char *name;
	enum kind kind;
	const char *content;
	const char *attribute; /* required; NULL: none */
} models[] = {
	{"ds:Signature",           SEQUENCE, "ds:SignedInfo ds:SignatureValue ds:KeyInfo? ds:Object*", NULL},
	{"ds:SignedInfo",          SEQUENCE, "ds:CanonicalizationMethod ds:SignatureMethod ds:Reference+", NULL},
	{"ds:CanonicalizationMethod", CHOICE, "any", "Algorithm"},
	{"ds:SignatureMethod",     SEQUENCE, "ds:HMACOutputLength? any*", "Algorithm"},
	{"ds:Reference",           SEQUENCE, "ds:Transforms? " DIGEST, NULL},
	{"ds:Transforms",          SEQUENCE, "ds:Transform+", NULL},
	{"ds:Transform",           CHOICE,   "ds:XPath any", "Algorithm"},
	{"ds:DigestMethod",        CHOICE,   "any", "Algorithm"},
	{"ds:KeyInfo",             CHOICE,   "+ds:KeyName ds:KeyValue ds:RetrievalMethod ds:X509Data ds:PGPData ds:SPKIData ds:MgmtData any", NULL},
	{"ds:X509Data",            CHOICE,   "+ds:X509IssuerSerial ds:X509SKI ds:X509SubjectName ds:X509Certificate ds:X509CRL any", NULL},
	{"ds:Manifest",            SEQUENCE, "ds:Reference+", NULL},
	{"xades:QualifyingProperties", SEQUENCE, "xades:SignedProperties? xades:UnsignedProperties?", "Target"},
	{"xades:SignedProperties", SEQUENCE, "xades:SignedSignatureProperties xades:SignedDataObjectProperties?", NULL},
	{"xades:SignedSignatureProperties", SEQUENCE, "xades:SigningTime? xades:SigningCertificate? xades:SigningCertificateV2? xades:SignaturePolicyIdentifier? xades:SignatureProductionPlace? xades:SignerRole?", NULL},
	{"xades:SigningCertificate", SEQUENCE, "xades:Cert+", NULL},
	{"xades:SigningCertificateV2", SEQUENCE, "xades:Cert+", NULL}, /* EN 319 132: bare ds:Signature only */
	{"xades:Cert",             SEQUENCE, "xades:CertDigest xades:IssuerSerial", NULL},
	{"xades:CertDigest",       SEQUENCE, DIGEST, NULL},
	{"xades:IssuerSerial",     SEQUENCE, "ds:X509IssuerName ds:X509SerialNumber", NULL},
	{"xades:SignaturePolicyIdentifier", SEQUENCE, "xades:SignaturePolicyId? xades:SignaturePolicyImplied?", NULL},
	{"xades:SignaturePolicyId", SEQUENCE, "xades:SigPolicyId ds:Transforms? xades:SigPolicyHash xades:SigPolicyQualifiers?", NULL},
	{"xades:SigPolicyId",      SEQUENCE, "xades:Identifier xades:Description? xades:DocumentationReferences?", NULL},
	{"xades:SigPolicyHash",    SEQUENCE, DIGEST, NULL},
	{"xades:SigPolicyQualifiers", SEQUENCE, "xades:SigPolicyQualifier+", NULL},
	{"xades:SignedDataObjectProperties", SEQUENCE, "xades:DataObjectFormat* xades:CommitmentTypeIndication* xades:AllDataObjectsTimeStamp* xades:IndividualDataObjectsTimeStamp*", NULL},
	{"xades:DataObjectFormat", SEQUENCE, "xades:Description? xades:ObjectIdentifier? xades:MimeType? xades:Encoding?", "ObjectReference"},
	{"xades:UnsignedProperties", SEQUENCE, "xades:UnsignedSignatureProperties? xades:UnsignedDataObjectProperties?", NULL},
	{"xades:UnsignedSignatureProperties", CHOICE, "+xades:CounterSignature xades:SignatureTimeStamp xades:CompleteCertificateRefs xades:CompleteRevocationRefs xades:AttributeCertificateRefs xades:AttributeRevocationRefs xades:SigAndRefsTimeStamp xades:RefsOnlyTimeStamp xades:CertificateValues xades:RevocationValues xades:AttrAuthoritiesCertValues xades:AttributeRevocationValues xades:ArchiveTimeStamp any", NULL},
	{"xades:SignatureTimeStamp", SEQUENCE, "xades:Include* xades:ReferenceInfo* ds:CanonicalizationMethod? xades:EncapsulatedTimeStamp+", NULL},
	{"xades:CompleteCertificateRefs", SEQUENCE, "xades:CertRefs", NULL},
	{"xades:CertRefs",         SEQUENCE, "xades:Cert+", NULL},
	{"xades:CompleteRevocationRefs", SEQUENCE, "xades:CRLRefs? xades:OCSPRefs? xades:OtherRefs?", NULL},
	{"xades:OCSPRefs",         SEQUENCE, "xades:OCSPRef+", NULL},
	{"xades:CertificateValues", CHOICE,  "xades:EncapsulatedX509Certificate xades:OtherCertificate", NULL},
	{"xades:RevocationValues", SEQUENCE, "xades:CRLValues? xades:OCSPValues? xades:OtherValues?", NULL},
	{"xades:OCSPValues",       SEQUENCE, "xades:EncapsulatedOCSPValue+", NULL},
};
/* clang-format on */

/* Cert as it stands in SigningCertificateV2. */
static const struct model cert_v2 = {"xades:Cert", SEQUENCE,
				     "xades:CertDigest xades:IssuerSerialV2?", NULL};

/* One word of a content model. */
struct term {
	struct slt_str name;
	char times; /* 1, '?', '*' or '+' */
};

/* A node's name as the tables write it: split, since joining would need memory. */
struct qname {
	const char *prefix; /* "ds:", "xades:" or NULL */
	const char *local;
};

static struct qname qname_of(const xmlNode *n)
{
	const char *ns = n->ns != NULL ? (const char *)n->ns->href : "";
	struct qname q = {.local = (const char *)n->name};

	if (strcmp(ns, SLT_NS_DS) == 0) {
		q.prefix = "ds:";
	} else if (strcmp(ns, SLT_NS_XADES) == 0) {
		q.prefix = "xades:";
	}
	return q;
}

static bool has_name(const struct qname *q, struct slt_str name)
{
	size_t n = q->prefix != NULL ? strlen(q->prefix) : 0;

	if (q->prefix == NULL) {
		return slt_str_eq(name, "any");
	}
	return name.n > n && name.p[0] == q->prefix[0] && name.p[n] == q->local[0] &&
	       slt_str_starts(name, q->prefix) &&
	       slt_str_eq((struct slt_str){name.p + n, name.n - n}, q->local);
}

static const struct model *model_of(const xmlNode *n)
{
	struct qname q = qname_of(n);

	if (q.prefix == NULL) {
		return NULL;
	}
	if (slt_xml_is(n, SLT_NS_XADES, "Cert") &&
	    slt_xml_is(n->parent, SLT_NS_XADES, "SigningCertificateV2")) {
		return &cert_v2;
	}

	size_t skip = strlen(q.prefix);

	/* asked of every element: the first letters tell nearly all apart */
	for (size_t i = 0; i < SLT_COUNT(models); i++) {
		const char *name = models[i].name;

		if (name[0] == q.prefix[0] && name[skip] == q.local[0] &&
		    strcmp(name + skip, q.local) == 0) {
			return &models[i];
		}
	}
	return NULL;
}

/* Takes the next term off a content model; false at its end. */
static bool next_term(const char **content, struct term *ret)
{
	const char *p = *content + strspn(*content, " +");
	size_t n = strcspn(p, " ");

	if (n == 0) {
		return false;
	}
	*content = p + n;
	ret->times = 1;
	if (strchr("?*+", p[n - 1]) != NULL) {
		ret->times = p[n - 1];
		n--;
	}
	ret->name = (struct slt_str){p, n};
	return true;
}

static bool check_sequence(const struct model *m, const xmlNode *n, struct slt_err *err)
{
	const xmlNode *child = slt_xml_first(n);
	const char *content = m->content;
	struct qname q = {.prefix = NULL};
	struct term t;

	if (child != NULL) {
		q = qname_of(child);
	}
	while (next_term(&content, &t)) {
		unsigned seen = 0;
		bool many = t.times == '*' || t.times == '+';

		while (child != NULL && (many || seen == 0) && has_name(&q, t.name)) {
			seen++;
			child = slt_xml_next(child);
			q = child != NULL ? qname_of(child) : q;
		}
		if (seen == 0 && (t.times == 1 || t.times == '+')) {
			return slt_fail(
				err, SLT_MALFORMED_SIGNATURE,
				"line %ld: %s lacks its element %.*s or has it out of order",
				xmlGetLineNo(n), m->name, (int)t.name.n, t.name.p);
		}
	}
	if (child != NULL) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"line %ld: the element %.40s does not belong in %s, or not there",
				xmlGetLineNo(child), (const char *)child->name, m->name);
	}
	return true;
}

static bool is_choice(const struct model *m, const xmlNode *child)
{
	const char *content = m->content;
	struct qname q = qname_of(child);
	struct term t;

	while (next_term(&content, &t)) {
		if (has_name(&q, t.name)) {
			return true;
		}
	}
	return false;
}

static bool check_choice(const struct model *m, const xmlNode *n, struct slt_err *err)
{
	const xmlNode *child = slt_xml_first(n);

	if (child == NULL && m->content[0] == '+') {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE, "line %ld: %s is empty",
				xmlGetLineNo(n), m->name);
	}
	for (; child != NULL; child = slt_xml_next(child)) {
		if (!is_choice(m, child)) {
			return slt_fail(err, SLT_MALFORMED_SIGNATURE,
					"line %ld: the element %.40s does not belong in %s",
					xmlGetLineNo(child), (const char *)child->name, m->name);
		}
	}
	return true;
}

static bool check_tree(const xmlNode *n, struct slt_err *err)
{
	const struct model *m = model_of(n);

	if (m != NULL) {
		if (m->attribute != NULL && xmlHasNsProp(n, SLT_XML(m->attribute), NULL) == NULL) {
			return slt_fail(err, SLT_MALFORMED_SIGNATURE,
					"line %ld: %s lacks its attribute %s", xmlGetLineNo(n),
					m->name, m->attribute);
		}
		if (m->kind == SEQUENCE ? !check_sequence(m, n, err) : !check_choice(m, n, err)) {
			return false;
		}
	}
	for (const xmlNode *child = slt_xml_first(n); child != NULL; child = slt_xml_next(child)) {
		if (!check_tree(child, err)) { /* as deep as the parser lets a document be */
			return false;
		}
	}
	return true;
}

bool slt_xades_check_schema(const struct slt_xades *x, bool whole, struct slt_err *err)
{
	const xmlNode *root = xmlDocGetRootElement(x->doc);

	/* X-Road validates the first child node of the document element, white space included */
	if (x->signature != root && root->children != x->signature) {
		return slt_fail(err, SLT_MALFORMED_SIGNATURE,
				"ds:Signature must be the first thing in the document element, "
				"without white space before it");
	}
	return check_tree(whole || x->signature != root ? x->signature : x->signed_info, err);
}
