/* SPDX-License-Identifier: MIT */
/* A head that was read is canonical: written again it has the same bytes. Whatever path it has, a
 * rule about paths answers; rewritten for another service it reads back. */
#include <string.h>

#include "federation/rest.h"

static void round_trip(const struct slt_rest *r, const uint8_t *p, size_t n)
{
	SLT_AUTO_BUF(b, 2 * SLT_REST_HEAD_MAX);

	slt_rest_format(r, &b);
	slt_assert(b.n == n && memcmp(b.p, p, n) == 0);
}

static void rewrite(struct slt_rest *r)
{
	SLT_AUTO(slt_rest_free) struct slt_rest *back = NULL;
	SLT_AUTO_BUF(b, 2 * SLT_REST_HEAD_MAX);
	struct slt_err err = SLT_ERR_INIT;
	struct slt_id service = r->service;

	service.service = "a b/c";
	if (slt_rest_check_path(r->service_path, true, &err)) {
		slt_assert(slt_rest_check_path(r->service_path, false, &err));
		slt_assert(!*r->service_path || slt_rest_path_fits(r->service_path, "/*") ||
			   slt_rest_path_fits(r->service_path, "/"));
	}
	slt_rest_set_service(r, &service);
	slt_rest_set_party(r, r->party_class, r->party_code);
	slt_rest_set(r, "x-road-request-id", "1");
	slt_rest_format(r, &b);
	if (slt_rest_parse(b.p, b.n, &back, &err)) {
		slt_assert(slt_id_eq(&service, &back->service) &&
			   strcmp(r->service_path, back->service_path) == 0);
	} else {
		slt_assert(err.code == SLT_ELIMIT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO(slt_rest_free) struct slt_rest *r = NULL;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_rest_parse(p, n, &r, &err)) {
		return 0;
	}
	round_trip(r, p, n);
	if (!r->response) {
		rewrite(r);
	}
	return 0;
}
