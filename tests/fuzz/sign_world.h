/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What fuzz_signature, fuzz_tsp, fuzz_asic and the maker of their seeds agree on: an authority, a
 * member's certificate and a time-stamping authority of fixed names, serial numbers and key.
 */

#include "federation/xades_verify.h"
#include "tests/support/pki.h"

#define SIGN_MESSAGE	"GET\r\n/r1/FI/COM/1/s\r\nx-road-client:FI/COM/1\r\n"
#define SIGN_ATTACHMENT "attachment"

struct sign_world {
	struct pki_cert *ca, *cert, *tsa;
	struct slt_globalconf *gc;
	struct slt_id signer;
};

static inline struct sign_world *sign_world_new(void)
{
	struct sign_world *w = slt_calloc(1, sizeof(*w));
	struct pki_spec ca = {.subject = "C=FI;CN=Fuzz CA",
			      .serial = 1,
			      .use_key = pki_fixed_key(),
			      .ext = {"basicConstraints=critical,CA:TRUE"}};
	struct pki_spec cert = {.subject = "C=FI;O=FI;OU=COM;CN=1",
				.serial = 2,
				.use_key = pki_fixed_key(),
				.ext = {"keyUsage=critical,nonRepudiation"}};
	struct pki_spec tsa = {.subject = "C=FI;CN=Fuzz TSA",
			       .serial = 3,
			       .use_key = pki_fixed_key(),
			       .ext = {"extendedKeyUsage=critical,timeStamping"}};

	slt_xml_init();
	w->ca = pki_issue(NULL, &ca);
	w->cert = pki_issue(w->ca, &cert);
	w->tsa = pki_issue(w->ca, &tsa);

	struct pki_gc_instance inst = {
		.name = "FI", .ca = {{.top = w->ca}}, .tsa = {w->tsa}, .member = {"FI/COM/1"}};

	w->gc = pki_globalconf(&inst, 1);
	w->signer = (struct slt_id){
		.type = SLT_ID_MEMBER, .instance = "FI", .member_class = "COM", .member_code = "1"};
	return w;
}
