/* SPDX-License-Identifier: MIT */
#include "federation/globalconf_parse.h"

#include <stdlib.h>
#include <string.h>

#include "federation/trust.h"

#define AUTHORITIES_MAX 4096 /* CAs, and TSAs, of one instance */
#define OCSP_MAX	256  /* responders of one CA */

/* --- certification authorities ------------------------------------------------------------ */

bool gc_begin_ca(void *arg, const char *name, const struct slt_gcsax_attrs *a, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name, (void)a;
	if (p->o->sources_only) {
		p->stop = true;
		return true;
	}
	memset(&p->ca, 0, sizeof(p->ca));
	p->ca.first = p->in->n_ca;
	return gc_need_instance(p, err);
}

bool gc_end_ca_name(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->ca.name = gc_verbatim(p, text);
	return true;
}

bool gc_end_ca_auth_only(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_str t = slt_str_trim(text);

	p->ca.authentication_only = slt_str_eq(t, "true") || slt_str_eq(t, "1");
	return p->ca.authentication_only || slt_str_eq(t, "false") || slt_str_eq(t, "0") ||
	       gc_malformed(err, "authenticationOnly must be true or false");
}

bool gc_end_ca_profile(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->ca.profile = gc_trimmed(p, text);
	return true;
}

bool gc_begin_authority(void *arg, const char *name, const struct slt_gcsax_attrs *a,
			struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)a;
	p->authority.top = strcmp(name, "topCA") == 0;
	return p->in->n_ca < AUTHORITIES_MAX || gc_malformed(err, "there are too many CAs");
}

bool gc_end_authority_cert(void *arg, struct slt_str text, struct slt_err *err)
{
	return gc_take_cert(text, "certificate of a CA", &((struct gc_parse *)arg)->authority.cert,
			    err);
}

bool gc_end_ocsp_url(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->responder.url = gc_trimmed(p, text);
	return true;
}

bool gc_end_ocsp_cert(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_err why = SLT_ERR_INIT;

	(void)err;
	if (slt_str_trim(text).n &&
	    !gc_take_cert(text, "OCSP certificate", &p->responder.cert, &why)) {
		gc_warn(p, "an OCSP responder's certificate", p->ca.name, &why);
	}
	return true;
}

bool gc_end_ocsp(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)text;
	if (p->authority.n_ocsp == OCSP_MAX) {
		return gc_malformed(err, "a CA has too many OCSP responders");
	}
	if (!p->responder.url) {
		return gc_malformed(err, "an OCSP responder has no url");
	}
	p->authority.ocsp =
		slt_realloc(p->authority.ocsp, p->authority.n_ocsp + 1, sizeof(*p->authority.ocsp));
	p->authority.ocsp[p->authority.n_ocsp++] = p->responder;
	memset(&p->responder, 0, sizeof(p->responder));
	return true;
}

bool gc_end_authority(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_gc_instance *in = p->in;

	(void)text;
	if (!p->authority.cert) {
		return gc_malformed(err, "a CA has no certificate");
	}
	struct slt_gc_ca *ca = slt_arena_alloc(in->arena, sizeof(*ca));
	*ca = (struct slt_gc_ca){
		.cert = p->authority.cert,
		.ocsp = slt_arena_memdup(in->arena, p->authority.ocsp,
					 p->authority.n_ocsp * sizeof(*p->authority.ocsp)),
		.n_ocsp = p->authority.n_ocsp,
		.top = p->authority.top,
		.instance = in,
	};
	free(p->authority.ocsp);
	memset(&p->authority, 0, sizeof(p->authority));
	in->ca = slt_realloc(in->ca, in->n_ca + 1, sizeof(struct slt_gc_ca *));
	in->ca[in->n_ca++] = ca;
	return true;
}

/* What holds for all certificates of an approvedCA is known only at its end. */
bool gc_end_ca(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	enum slt_profile profile = SLT_PROFILE_UNKNOWN;

	(void)text;
	if (p->in->n_ca == p->ca.first || !p->in->ca[p->ca.first]->top) {
		return gc_malformed(err, "an approvedCA has no topCA");
	}
	if (p->ca.profile) {
		profile = slt_profile_by_class(slt_str(p->ca.profile));
	}
	if (profile == SLT_PROFILE_TEST && !p->o->allow_test_profile) {
		profile = SLT_PROFILE_UNKNOWN;
	}
	for (size_t i = p->ca.first; i < p->in->n_ca; i++) {
		struct slt_gc_ca *ca = p->in->ca[i];
		ca->name = p->ca.name ? p->ca.name : "";
		ca->authentication_only = p->ca.authentication_only;
		ca->profile = profile;
		ca->profile_class = p->ca.profile ? p->ca.profile : "";
	}
	return true;
}

/* --- time-stamping authorities ------------------------------------------------------------ */

bool gc_begin_tsa(void *arg, const char *name, const struct slt_gcsax_attrs *a, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)name, (void)a;
	p->stop = p->o->sources_only;
	p->tsa_broken = false;
	return gc_need_instance(p, err) &&
	       (p->in->n_tsa < AUTHORITIES_MAX || gc_malformed(err, "there are too many TSAs"));
}

bool gc_end_tsa_name(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->tsa.name = gc_verbatim(p, text);
	return true;
}

bool gc_end_tsa_url(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;

	(void)err;
	p->tsa.url = gc_trimmed(p, text);
	return true;
}

bool gc_end_tsa_cert(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_err why = SLT_ERR_INIT;

	(void)err;
	if (!gc_take_cert(text, "TSA certificate", &p->tsa.cert, &why)) {
		gc_warn(p, "the certificate of a time-stamping authority", p->tsa.name, &why);
		p->tsa_broken = true;
	}
	return true;
}

bool gc_end_tsa(void *arg, struct slt_str text, struct slt_err *err)
{
	struct gc_parse *p = arg;
	struct slt_gc_instance *in = p->in;

	(void)text;
	if (!p->tsa.cert && !p->tsa_broken) {
		return gc_malformed(err, "an approvedTSA has no certificate");
	}
	if (p->tsa.cert) {
		in->tsa = slt_realloc(in->tsa, in->n_tsa + 1, sizeof(struct slt_gc_tsa *));
		in->tsa[in->n_tsa++] = slt_arena_memdup(in->arena, &p->tsa, sizeof(p->tsa));
	}
	memset(&p->tsa, 0, sizeof(p->tsa));
	return true;
}
