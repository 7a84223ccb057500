/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The authorities and members of tests/data/trust: Finland under FiVRK with everything RSA,
 * Estonia under SkKlass3 with everything on elliptic curves, an intermediate authority and a
 * responder of its own, an instance under each of EJBCA's and the basic profile. All invented.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/evidence.h"

#define FI_MEMBER    "FI/COM/1234567-8"
#define EE_MEMBER    "EE/GOV/70000001"
#define XE_MEMBER    "XE/ORG/0042"
#define BASIC_MEMBER "BASIC/COM/987654"

/* What a case signs with. */
enum signer {
	FI_RSA,
	FI_P256,
	FI_P384,
	FI_EXPIRED,
	FI_NOT_SIGNING, /* its key usage lacks nonRepudiation */
	FI_NEIGHBOUR,	/* another member's */
	FI_STRANGER,	/* of an authority that nobody approved */
	FI_NAMESAKE,	/* of one that calls itself like the approved one */
	EE_P256,
	XE_RSA,
	BASIC_RSA,
	N_SIGNERS,
};

static struct {
	struct pki_cert *cert[N_SIGNERS], *issuer[N_SIGNERS];
	struct pki_cert *fi, *ee, *ee_sub, *xe, *basic, *stranger, *namesake;
	struct pki_cert *fi_tsa, *ee_tsa, *xe_tsa, *basic_tsa, *stranger_tsa;
	struct pki_cert *ee_ocsp, *fi_ocsp, *stranger_ocsp;
} w;

SLT_UNUSED static void must(bool ok, const struct slt_err *err)
{
	if (!ok) {
		fprintf(stderr, "%s\n", err->msg);
		exit(2);
	}
}

static void add_signer(enum signer s, struct pki_cert *ca, enum slt_profile profile,
		       const char *member, enum pki_key kind, unsigned index)
{
	SLT_AUTO_STR char *subject = pki_subject(profile, member);
	struct pki_spec spec = {.subject = subject, .kind = kind, .key_index = index};

	spec.ext[0] = "basicConstraints=critical,CA:FALSE";
	spec.ext[1] = s == FI_NOT_SIGNING ? "keyUsage=critical,digitalSignature"
					  : "keyUsage=critical,nonRepudiation";
	spec.not_after = s == FI_EXPIRED ? PKI_NOW - 1000 : 0;
	w.cert[s] = pki_issue(ca, &spec);
	w.issuer[s] = ca;
}

static void make_authorities(void)
{
	w.fi = pki_ca(NULL, "C=FI;O=\"Esimerkki\" & Co, Oy;CN=Test CA #1", PKI_RSA2048, 0);
	w.namesake = pki_ca(NULL, "C=FI;O=\"Esimerkki\" & Co, Oy;CN=Test CA #1", PKI_RSA2048, 1);
	w.stranger = pki_ca(NULL, "C=FI;CN=Nobody approved this", PKI_RSA2048, 1);
	w.ee = pki_ca(NULL, "C=EE;O=Näidis AS;CN=Test Root", PKI_P384, 0);
	w.ee_sub = pki_ca(w.ee, "C=EE;O=Näidis AS;CN=Test KLASS3", PKI_P256, 0);
	w.xe = pki_ca(NULL, "C=XE;CN=Ejbca Test CA", PKI_RSA2048, 2);
	w.basic = pki_ca(NULL, "O=Basic;CN=Basic Test CA", PKI_RSA2048, 3);
	w.fi_tsa = pki_tsa_cert(w.fi, "C=FI;CN=Test TSA", PKI_RSA2048, 4);
	w.ee_tsa = pki_tsa_cert(w.ee, "C=EE;CN=Test TSA", PKI_P256, 1);
	w.xe_tsa = pki_tsa_cert(w.xe, "C=XE;CN=Test TSA", PKI_RSA2048, 4);
	w.basic_tsa = pki_tsa_cert(w.basic, "O=Basic;CN=Test TSA", PKI_RSA2048, 4);
	w.stranger_tsa = pki_tsa_cert(w.stranger, "C=FI;CN=Nobody's TSA", PKI_RSA2048, 5);
	w.ee_ocsp = pki_ocsp_responder(w.ee_sub, "C=EE;CN=Test OCSP", PKI_P256, 2);
	w.fi_ocsp = pki_ocsp_responder(w.fi, "C=FI;CN=Delegated OCSP", PKI_RSA2048, 6);
	w.stranger_ocsp = pki_ocsp_responder(w.stranger, "C=FI;CN=Nobody's OCSP", PKI_RSA2048, 7);
}

static void make_world(void)
{
	make_authorities();
	add_signer(FI_RSA, w.fi, SLT_PROFILE_FIVRK, FI_MEMBER, PKI_RSA2048, 8);
	add_signer(FI_P256, w.fi, SLT_PROFILE_FIVRK, FI_MEMBER, PKI_P256, 3);
	add_signer(FI_P384, w.fi, SLT_PROFILE_FIVRK, FI_MEMBER, PKI_P384, 1);
	add_signer(FI_EXPIRED, w.fi, SLT_PROFILE_FIVRK, FI_MEMBER, PKI_P256, 3);
	add_signer(FI_NOT_SIGNING, w.fi, SLT_PROFILE_FIVRK, FI_MEMBER, PKI_P256, 3);
	add_signer(FI_NEIGHBOUR, w.fi, SLT_PROFILE_FIVRK, "FI/COM/7654321-0", PKI_P256, 4);
	add_signer(FI_STRANGER, w.stranger, SLT_PROFILE_FIVRK, FI_MEMBER, PKI_P256, 3);
	add_signer(FI_NAMESAKE, w.namesake, SLT_PROFILE_FIVRK, FI_MEMBER, PKI_P256, 3);
	add_signer(EE_P256, w.ee_sub, SLT_PROFILE_SKKLASS3, EE_MEMBER, PKI_P256, 5);
	add_signer(XE_RSA, w.xe, SLT_PROFILE_EJBCA, XE_MEMBER, PKI_RSA2048, 9);
	add_signer(BASIC_RSA, w.basic, SLT_PROFILE_BASIC, BASIC_MEMBER, PKI_RSA2048, 10);
}

static void end_world(void)
{
	struct pki_cert *all[] = {w.fi,	     w.ee,	 w.ee_sub,	 w.xe,
				  w.basic,   w.stranger, w.namesake,	 w.fi_tsa,
				  w.ee_tsa,  w.xe_tsa,	 w.basic_tsa,	 w.stranger_tsa,
				  w.ee_ocsp, w.fi_ocsp,	 w.stranger_ocsp};

	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		pki_cert_free(all[i]);
	}
	for (size_t i = 0; i < N_SIGNERS; i++) {
		pki_cert_free(w.cert[i]);
	}
}

/* --- configurations --- */

static void write_configurations(const char *root)
{
	const struct pki_gc_instance fi = {
		.name = "FI", .ca[0] = {.top = w.fi}, .tsa = {w.fi_tsa}, .member = {FI_MEMBER}};
	const struct pki_gc_instance ee = {
		.name = "EE",
		.ca[0] = {.top = w.ee,
			  .intermediate = {w.ee_sub},
			  .intermediate_ocsp = {w.ee_ocsp},
			  .profile = "SkKlass3CertificateProfileInfoProvider"},
		.tsa = {w.ee_tsa},
		.member = {EE_MEMBER},
	};
	const struct pki_gc_instance xe = {
		.name = "XE",
		.ca[0] = {.top = w.xe, .profile = "EjbcaCertificateProfileInfoProvider"},
		.tsa = {w.xe_tsa},
		.member = {XE_MEMBER},
	};
	const struct pki_gc_instance basic = {
		.name = "BASIC",
		.ca[0] = {.top = w.basic, .profile = "BasicCertificateProfileInfoProvider"},
		.tsa = {w.basic_tsa},
		.member = {BASIC_MEMBER},
	};
	struct pki_gc_instance tls_only = fi, no_next = fi, federated[2] = {fi, ee};

	tls_only.ca[0].authentication_only = true;
	no_next.no_verify_next_update = true;

	const struct {
		const char *name;
		const struct pki_gc_instance *inst;
		size_t n;
	} all[] = {{"fi", &fi, 1},
		   {"ee", &ee, 1},
		   {"xe", &xe, 1},
		   {"basic", &basic, 1},
		   {"federated", federated, 2},
		   {"tls-only", &tls_only, 1},
		   {"no-next-update", &no_next, 1}};

	for (size_t i = 0; i < SLT_COUNT(all); i++) {
		SLT_AUTO_STR char *dir = slt_asprintf("%s/globalconf/%s", root, all[i].name);

		pki_globalconf_write(dir, all[i].inst, all[i].n);
	}
}
