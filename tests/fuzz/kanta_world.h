/* SPDX-License-Identifier: MIT */
#pragma once

/* The authority and signer under which the seeds of fuzz_cdasig are good. */

#include "federation/cdasig.h"
#include "tests/support/kanta.h"

struct kanta_world {
	struct pki_cert *ca, *signer;
};

/* Never freed: it lasts as long as the process. */
SLT_UNUSED static struct kanta_world *kanta_world_new(void)
{
	struct kanta_world *w = slt_calloc(1, sizeof(*w));

	slt_xml_init();
	w->ca = pki_issue(NULL, &(struct pki_spec){.subject = "C=FI;CN=Seeds CA",
						   .use_key = pki_fixed_key(),
						   .ext = {"basicConstraints=critical,CA:TRUE",
							   "keyUsage=critical,keyCertSign"}});
	w->signer = pki_issue(w->ca, &(struct pki_spec){.subject = "C=FI;CN=Seeds",
							.use_key = pki_fixed_key(),
							.ext = {"keyUsage=critical,"
								"nonRepudiation"}});
	return w;
}
