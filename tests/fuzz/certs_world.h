/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What fuzz_ocsp, fuzz_certinfo and the maker of their seeds agree on: an authority and a
 * certificate of fixed names, serial numbers and key, so that responses made once still fit.
 */

#include "federation/trust.h"
#include "tests/support/pki.h"

struct certs_world {
	struct pki_cert *ca, *cert;
	struct slt_globalconf *gc;
	struct slt_gc_ca issuer;
};

static inline struct certs_world *certs_world_new(void)
{
	struct certs_world *w = slt_calloc(1, sizeof(*w));
	struct pki_spec ca = {.subject = "C=FI;CN=Fuzz CA", .serial = 1};
	struct pki_spec cert = {.subject = "C=FI;O=FI-TEST;OU=COM;CN=1", .serial = 2};
	ca.ext[0] = "basicConstraints=critical,CA:TRUE";
	cert.ext[0] = "keyUsage=critical,nonRepudiation";
	ca.use_key = cert.use_key = pki_fixed_key();
	w->ca = pki_issue(NULL, &ca);
	w->cert = pki_issue(w->ca, &cert);
	struct pki_gc_instance inst = {.name = "FI", .ca = {{.top = w->ca, .top_ocsp = {w->cert}}}};
	w->gc = pki_globalconf(&inst, 1);
	w->issuer = *slt_globalconf_find_ca(w->gc, "FI", X509_get_subject_name(w->ca->x509));
	return w;
}
