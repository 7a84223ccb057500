/* SPDX-License-Identifier: MIT */
/*
 * Makes the signed documents of tests/data/kanta, see tests/data/README.md:
 *   make build/tests/data/mkkanta && build/tests/data/mkkanta tests/data/kanta
 *
 * Keys are new with every run; instants are fixed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/xml.h"
#include "tests/support/kanta.h"

#define QUANTITY "<quantity value=\"2\"/>"

enum signer { DOCTOR, EXPIRED, STRANGER, SIGNERS };

/* One thing is changed before or after the document is signed; columns of index.tsv. */
struct kase {
	const char *name;
	enum signer signer;
	const char *before_from, *before_to;
	const char *after_from, *after_to;
	const char *transforms;
	const char *outcome; /* of `silta map apply`: OK, or the code of the refusal */
	const char *judge;   /* of xmlsec1: OK, FAIL, or - (not asked) */
	const char *shows;
};

static const struct kase kases[] = {
	{.name = "good", .outcome = "OK", .judge = "OK", .shows = "a prescription by product"},
	{.name = "altered-body",
	 .after_from = QUANTITY,
	 .after_to = "<quantity value=\"9\"/>",
	 .outcome = "FED-SIG-001",
	 .judge = "FAIL",
	 .shows = "the quantity was changed after signing"},
	{.name = "altered-patient",
	 .after_from = "extension=\"240362-958T\"/>",
	 .after_to = "extension=\"051148-907R\"/>",
	 .outcome = "FED-ID-003",
	 .judge = "OK",
	 .shows = "the header, which is not signed, names another patient than the body"},
	{.name = "total-amount",
	 .before_from = "<code code=\"1\" codeSystem=\"1.2.246.537.5.40100.2006\"",
	 .before_to = "<code code=\"2\" codeSystem=\"1.2.246.537.5.40100.2006\"",
	 .outcome = "FED-BUS-005",
	 .judge = "OK",
	 .shows = "a total amount, which cannot be said in packages"},
	{.name = "made-in-pharmacy",
	 .before_from = "<value code=\"1\" codeSystem=\"1.2.246.537.5.40126.2006\"",
	 .before_to = "<value code=\"7\" codeSystem=\"1.2.246.537.5.40126.2006\"",
	 .outcome = "FED-BUS-001",
	 .judge = "OK",
	 .shows = "a product that the pharmacy makes"},
	{.name = "no-form",
	 .before_from = "<value xsi:type=\"ST\">enterotabletti</value>",
	 .before_to = "",
	 .outcome = "FED-STR-003",
	 .judge = "OK",
	 .shows = "the dose form is missing"},
	{.name = "form-without-counterpart",
	 .before_from = "enterotabletti",
	 .before_to = "liuos päänahkaan",
	 .outcome = "FED-MAP-001",
	 .judge = "OK",
	 .shows = "a dose form that no other country has"},
	{.name = "unknown-field",
	 .before_from = "<code code=\"58\"",
	 .before_to = "<code code=\"59\"",
	 .outcome = "FED-STR-002",
	 .judge = "OK",
	 .shows = "a field code that no rule knows"},
	{.name = "doctype",
	 .after_from = "<ClinicalDocument",
	 .after_to = "<!DOCTYPE ClinicalDocument><ClinicalDocument",
	 .outcome = "InvalidXml",
	 .judge = "-",
	 .shows = "a document type declaration"},
	{.name = "two-signatures",
	 .after_from = "<hl7fi:sender>",
	 .after_to = "<hl7fi:signatureCollection><hl7fi:signature/></hl7fi:signatureCollection>"
		     "<hl7fi:sender>",
	 .outcome = "FED-SIG-001",
	 .judge = "-",
	 .shows = "a second signature"},
	{.name = "wrapped",
	 .after_from = "<component>\n\t\t<structuredBody>",
	 .after_to = "<component><structuredBody><component/></structuredBody></component>"
		     "<component>\n\t\t<structuredBody>",
	 .outcome = "FED-SIG-001",
	 .judge = "-",
	 .shows = "an unsigned body stands before the signed one"},
	{.name = "other-filter",
	 .transforms = KANTA_EXCLUSIVE KANTA_XPATH("ancestor-or-self::hl7:title"),
	 .outcome = "FED-SIG-001",
	 .judge = "-",
	 .shows = "the filter selects something else"},
	{.name = "unknown-authority",
	 .signer = STRANGER,
	 .outcome = "FED-SIG-001",
	 .judge = "-",
	 .shows = "signed under an authority that nobody approved"},
	{.name = "expired",
	 .signer = EXPIRED,
	 .outcome = "FED-SIG-001",
	 .judge = "-",
	 .shows = "the certificate had expired when the document was signed"},
};

static void must(bool good, const struct slt_err *err)
{
	if (!good) {
		(void)fprintf(stderr, "mkkanta: %s\n", err->msg);
		exit(2);
	}
}

static void change(char **text, const char *from, const char *to)
{
	if (from) {
		char *old = *text;
		*text = evidence_replace(old, from, to);
		free(old);
	}
}

static void make(const struct kase *k, const struct pki_cert *signer, const char *dir)
{
	SLT_AUTO_STR char *name = slt_asprintf("%s.xml", k->name);
	SLT_AUTO_STR char *path = slt_path_join(dir, name);
	SLT_AUTO_STR char *text = kanta_prescription();
	struct slt_err err = SLT_ERR_INIT;

	change(&text, k->before_from, k->before_to);
	char *done = kanta_sign(&(struct kanta){.cert = signer, .transforms = k->transforms}, text);
	change(&done, k->after_from, k->after_to);
	must(slt_file_write(path, done, strlen(done), 0644, &err), &err);
	free(done);
}

static void write_index(const char *dir)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, "index.tsv");
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO_BUF(b, 1 << 16);

	slt_buf_adds(&b, "file\toutcome\txmlsec1\tshows\n");
	for (size_t i = 0; i < SLT_COUNT(kases); i++) {
		slt_buf_addf(&b, "%s.xml\t%s\t%s\t%s\n", kases[i].name, kases[i].outcome,
			     kases[i].judge, kases[i].shows);
	}
	must(slt_file_write(path, b.p, b.n, 0644, &err), &err);
}

static struct pki_cert *leaf(const struct pki_cert *ca, const char *subject, unsigned key,
			     int64_t until)
{
	return pki_issue(ca, &(struct pki_spec){.subject = subject,
						.kind = PKI_RSA2048,
						.key_index = key,
						.not_after = until,
						.ext = {"keyUsage=critical,nonRepudiation"}});
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: mkkanta DIRECTORY\n");
		return 2;
	}
	slt_xml_init();
	struct pki_cert *ca = pki_ca(NULL, "C=FI;O=Malli;CN=Professionals CA", PKI_RSA2048, 0);
	struct pki_cert *strange = pki_ca(NULL, "C=FI;O=Malli;CN=Strange CA", PKI_RSA2048, 1);
	struct pki_cert *signer[SIGNERS] = {
		[DOCTOR] = leaf(ca, "C=FI;CN=Esimerkki Aarni", 2, 0),
		[EXPIRED] = leaf(ca, "C=FI;CN=Esimerkki Aarni", 3, INT64_C(1700000000000)),
		[STRANGER] = leaf(strange, "C=FI;CN=Esimerkki Aarni", 4, 0),
	};
	SLT_AUTO_STR char *pem = slt_path_join(argv[1], "authorities.pem");

	pki_write_pem(ca, pem, NULL);
	for (size_t i = 0; i < SLT_COUNT(kases); i++) {
		make(&kases[i], signer[kases[i].signer], argv[1]);
	}
	write_index(argv[1]);
	for (size_t i = 0; i < SIGNERS; i++) {
		pki_cert_free(signer[i]);
	}
	pki_cert_free(strange);
	pki_cert_free(ca);
	return 0;
}
