/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "federation/trust.h"

#define NAME_ENTRIES_MAX 64

/* --- profiles --- */

static const struct {
	enum slt_profile profile;
	const char *class_name; /* last segment of X-Road's Java class */
	const char *name;
} profiles[] = {
	{SLT_PROFILE_EJBCA, "EjbcaCertificateProfileInfoProvider", "EJBCA"},
	{SLT_PROFILE_SKKLASS3, "SkKlass3CertificateProfileInfoProvider", "SkKlass3"},
	{SLT_PROFILE_SKESTEID, "SkEsteIdCertificateProfileInfoProvider", "SkEsteId"},
	{SLT_PROFILE_FIVRK, "FiVRKCertificateProfileInfoProvider", "FiVRK"},
	{SLT_PROFILE_BASIC, "BasicCertificateProfileInfoProvider", "Basic"},
	{SLT_PROFILE_BASIC, "BasicACMECertificateProfileInfoProvider", "Basic"},
	{SLT_PROFILE_FO, "FoCertificateProfileInfoProvider", "Fo"},
	{SLT_PROFILE_IS, "IsCertificateProfileInfoProvider", "Is"},
	{SLT_PROFILE_TEST, "TestCertificateProfileInfoProvider", "Test"},
};

enum slt_profile slt_profile_by_class(struct slt_str class_name)
{
	struct slt_str last = slt_str_trim(class_name);
	for (size_t i = last.n; i > 0; i--) {
		if (last.p[i - 1] == '.') {
			last = (struct slt_str){last.p + i, last.n - i};
			break;
		}
	}
	for (size_t i = 0; i < SLT_COUNT(profiles); i++) {
		if (slt_str_eq(last, profiles[i].class_name)) {
			return profiles[i].profile;
		}
	}
	return SLT_PROFILE_UNKNOWN;
}

const char *slt_profile_name(enum slt_profile p)
{
	for (size_t i = 0; i < SLT_COUNT(profiles); i++) {
		if (profiles[i].profile == p) {
			return profiles[i].name;
		}
	}
	return "unknown";
}

/* --- values of a subject --- */

struct subject { /* what the field readers need */
	const X509 *cert;
	enum slt_profile profile;
	const char *signer_instance;
	struct slt_arena *arena;
	struct slt_err *err;
};

static const char *field_name(int nid)
{
	return nid == NID_organizationIdentifier ? "organizationIdentifier" : OBJ_nid2sn(nid);
}

static bool refuse(const struct subject *s, const char *field, const char *why)
{
	char text[SLT_CERT_TEXT];
	return slt_fail(s->err, SLT_EINCORRECT_CERTIFICATE,
			"certificate %s names no member under profile %s: %s %s",
			slt_certinfo_text(s->cert, text), slt_profile_name(s->profile), field, why);
}

/* Control characters, line and paragraph separators, direction marks, zero-width characters:
 * two identifiers that look alike must be alike. */
static bool is_invisible(unsigned long c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xd800 && c <= 0xdfff) || (c >= 0xfff0 && c <= 0xffff) || c > 0x10ffff;
}

static bool is_visible_text(const unsigned char *p, int n)
{
	for (int i = 0; i < n;) {
		unsigned long c = 0;
		int used = UTF8_getc(p + i, n - i, &c);
		if (used <= 0 || is_invisible(c)) {
			return false;
		}
		i += used;
	}
	return true;
}

/* The form in which X-Road compares values (BouncyCastle's IETFUtils.valueToString): RFC 2253
 * specials keep a backslash, as do a leading '#' and blanks at either end. */
static void escape_value(struct slt_str v, struct slt_buf *out)
{
	size_t first = 0;
	while (first < v.n && v.p[first] == ' ') {
		first++;
	}
	size_t end = v.n;
	while (end > first && v.p[end - 1] == ' ') {
		end--;
	}
	for (size_t i = 0; i < v.n; i++) {
		bool special = v.p[i] != '\0' && strchr(",\"\\+=<>;", v.p[i]) != NULL;
		if (special || (i == 0 && v.p[i] == '#') || i < first || i >= end) {
			slt_buf_addc(out, '\\');
		}
		slt_buf_addc(out, v.p[i]);
	}
}

static bool is_text_type(int type)
{
	return type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING ||
	       type == V_ASN1_T61STRING || type == V_ASN1_IA5STRING || type == V_ASN1_BMPSTRING ||
	       type == V_ASN1_NUMERICSTRING || type == V_ASN1_VISIBLESTRING;
}

static bool entry_value(const struct subject *s, const char *field, const X509_NAME_ENTRY *e,
			const char **ret)
{
	const ASN1_STRING *v = X509_NAME_ENTRY_get_data(e);
	if (!is_text_type(ASN1_STRING_type(v))) {
		return refuse(s, field, "is not text");
	}
	unsigned char *utf8 = NULL;
	int n = ASN1_STRING_to_UTF8(&utf8, v);
	if (n < 0) {
		return refuse(s, field, "is not properly encoded");
	}
	bool visible = is_visible_text(utf8, n);
	SLT_AUTO_BUF(out, SLT_ID_PART_MAX);
	escape_value((struct slt_str){(const char *)utf8, (size_t)n}, &out);
	OPENSSL_free(utf8);
	if (n == 0) {
		return refuse(s, field, "is empty");
	}
	if (!visible) {
		return refuse(s, field, "has characters that cannot be shown");
	}
	if (out.failed) {
		return refuse(s, field, "is too long for an identifier");
	}
	*ret = slt_arena_strndup(s->arena, out.p, out.n);
	return true;
}

/* The last attribute of the type in DER order, which is the first of the RFC 2253 text that
 * X-Road reads. *ret is NULL where there is none. An attribute that shares its RDN with another is
 * refused: X-Road would take the value of whichever stands first there. */
static bool find_field(const struct subject *s, int nid, const char **ret)
{
	const X509_NAME *name = X509_get_subject_name(s->cert);
	int n = X509_NAME_entry_count(name);
	if (n > NAME_ENTRIES_MAX) {
		return refuse(s, "its subject", "has too many attributes");
	}
	*ret = NULL;
	for (int i = n - 1; i >= 0; i--) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)) != nid) {
			continue;
		}
		int rdn = X509_NAME_ENTRY_set(e);
		bool shared = i > 0 && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i - 1)) == rdn;
		shared |= i < n - 1 && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i + 1)) == rdn;
		if (shared) {
			return refuse(s, field_name(nid), "stands in a multi-valued name part");
		}
		return entry_value(s, field_name(nid), e, ret);
	}
	return true;
}

static bool need_field(const struct subject *s, int nid, const char **ret)
{
	if (!find_field(s, nid, ret)) {
		return false;
	}
	return *ret != NULL ? true : refuse(s, field_name(nid), "is missing");
}

static bool need_country(const struct subject *s, const char *country)
{
	const char *c = NULL;
	if (!need_field(s, NID_countryName, &c)) {
		return false;
	}
	return strcmp(c, country) == 0 ? true : refuse(s, "C", "is not the country of the profile");
}

/* --- profiles to identifiers (xroad-wire 2.6) --- */

static bool three_fields(const struct subject *s, int instance, int member_class, struct slt_id *id)
{
	return need_field(s, instance, &id->instance) &&
	       need_field(s, member_class, &id->member_class) &&
	       need_field(s, NID_commonName, &id->member_code);
}

static bool read_ejbca(const struct subject *s, struct slt_id *id)
{
	return three_fields(s, NID_countryName, NID_organizationName, id);
}

static bool klass3_by_number(const struct subject *s, struct slt_id *id)
{
	const char *v = NULL;
	if (!need_field(s, NID_serialNumber, &v)) {
		return false;
	}
	if (strlen(v) != 8 || strspn(v, "0123456789") != 8) {
		return refuse(s, "serialNumber", "is not a registry code of 8 digits");
	}
	if (v[0] == '0') {
		return refuse(s, "serialNumber", "begins with 0, which belongs to no member class");
	}
	id->member_class = v[0] <= '6' ? "COM" : v[0] == '7' ? "GOV" : "NGO";
	id->member_code = v;
	return true;
}

static bool read_klass3(const struct subject *s, struct slt_id *id)
{
	static const struct {
		const char *prefix, *member_class;
	} kinds[] = {{"NTREE-", "COM"}, {"GO:EE-", "GOV"}, {"NP:EE-", "NGO"}};

	const char *v = NULL;
	if (!find_field(s, NID_organizationIdentifier, &v)) {
		return false;
	}
	id->instance = s->signer_instance;
	if (v == NULL) {
		return klass3_by_number(s, id);
	}
	id->member_class = "NEE";
	id->member_code = v;
	for (size_t i = 0; i < SLT_COUNT(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);
		if (strncmp(v, kinds[i].prefix, n) == 0) {
			id->member_class = kinds[i].member_class;
			id->member_code = v + n;
		}
	}
	return id->member_code[0] != '\0'
		       ? true
		       : refuse(s, "organizationIdentifier", "has a prefix and no code");
}

static bool read_esteid(const struct subject *s, struct slt_id *id)
{
	id->instance = s->signer_instance;
	id->member_class = "PERSON";
	return need_field(s, NID_serialNumber, &id->member_code);
}

static bool fivrk_by_number(const struct subject *s, const char *v, struct slt_id *id)
{
	const char *a = strchr(v, '/');
	const char *b = a == NULL ? NULL : strchr(a + 1, '/');
	if (b == NULL || strchr(b + 1, '/') != NULL || a == v || b == a + 1 || b[1] == '\0') {
		return refuse(s, "serialNumber", "is not instance/server code/member class");
	}
	const char *o = NULL;
	if (!need_field(s, NID_organizationName, &o)) {
		return false;
	}
	id->instance = slt_arena_strndup(s->arena, v, (size_t)(a - v));
	id->member_class = b + 1;
	return need_field(s, NID_commonName, &id->member_code);
}

static bool read_fivrk(const struct subject *s, struct slt_id *id)
{
	const char *number = NULL, *ou = NULL;
	if (!find_field(s, NID_serialNumber, &number) ||
	    !find_field(s, NID_organizationalUnitName, &ou)) {
		return false;
	}
	if (number == NULL && ou == NULL) {
		return read_ejbca(s, id);
	}
	if (!need_country(s, "FI")) {
		return false;
	}
	if (number != NULL) {
		return fivrk_by_number(s, number, id);
	}
	return three_fields(s, NID_organizationName, NID_organizationalUnitName, id);
}

static bool read_basic(const struct subject *s, struct slt_id *id)
{
	id->instance = s->signer_instance;
	return need_field(s, NID_businessCategory, &id->member_class) &&
	       need_field(s, NID_serialNumber, &id->member_code);
}

/* Faroe Islands and Iceland. */
static bool read_numbered(const struct subject *s, const char *country, struct slt_id *id)
{
	const char *number = NULL;
	return need_country(s, country) && need_field(s, NID_serialNumber, &number) &&
	       three_fields(s, NID_organizationName, NID_organizationalUnitName, id);
}

static bool read_fo(const struct subject *s, struct slt_id *id)
{
	return read_numbered(s, "FO", id);
}

static bool read_is(const struct subject *s, struct slt_id *id)
{
	const char *number = NULL, *ou = NULL;
	if (!find_field(s, NID_serialNumber, &number) ||
	    !find_field(s, NID_organizationalUnitName, &ou)) {
		return false;
	}
	return number == NULL && ou == NULL ? read_ejbca(s, id) : read_numbered(s, "IS", id);
}

static bool read_test(const struct subject *s, struct slt_id *id)
{
	id->instance = s->signer_instance;
	id->member_class = "BUSINESS";
	return need_field(s, NID_commonName, &id->member_code);
}

static bool read_unknown(const struct subject *s, struct slt_id *id)
{
	(void)id;
	return refuse(s, "the profile", "is not one that is known here");
}

bool slt_certinfo_member(const X509 *cert, enum slt_profile profile, const char *instance,
			 struct slt_arena *a, struct slt_id *ret, struct slt_err *err)
{
	static bool (*const readers[])(const struct subject *s, struct slt_id *id) = {
		[SLT_PROFILE_UNKNOWN] = read_unknown, [SLT_PROFILE_EJBCA] = read_ejbca,
		[SLT_PROFILE_SKKLASS3] = read_klass3, [SLT_PROFILE_SKESTEID] = read_esteid,
		[SLT_PROFILE_FIVRK] = read_fivrk,     [SLT_PROFILE_BASIC] = read_basic,
		[SLT_PROFILE_FO] = read_fo,	      [SLT_PROFILE_IS] = read_is,
		[SLT_PROFILE_TEST] = read_test,
	};
	slt_assert((size_t)profile < SLT_COUNT(readers));
	struct subject s = {cert, profile, slt_arena_strdup(a, instance), a, err};
	struct slt_id id = {.type = SLT_ID_MEMBER};
	if (!readers[profile](&s, &id)) {
		return false;
	}
	*ret = id;
	return true;
}
