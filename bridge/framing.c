/* SPDX-License-Identifier: MIT */
#include "framing.h"

#include <string.h>

static bool consists_of(const char *s, const char *set)
{
	return *s != '\0' && s[strspn(s, set)] == '\0';
}

void slt_framing_header(void *framing, const char *name, const char *value)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct slt_framing *f = framing;

	f->headers++;
	f->odd = f->odd || !consists_of(name, token);
	if (slt_strcase_eq(name, "Content-Length")) {
		f->lengths++;
		f->odd = f->odd || strlen(value) > 18 || !consists_of(value, "0123456789");
	} else if (slt_strcase_eq(name, "Transfer-Encoding")) {
		f->codings++;
		f->odd = f->odd || !slt_strcase_eq(value, "chunked");
	} else if (slt_strcase_eq(name, "Host")) {
		f->hosts++;
	}
}

bool slt_framing_check(const struct slt_framing *f, const char *version, struct slt_err *err)
{
	bool modern = strcmp(version, "HTTP/1.1") == 0;

	if (!modern && strcmp(version, "HTTP/1.0") != 0) {
		return slt_fail(err, SLT_EINVALID_REQUEST, "only HTTP/1.1 and HTTP/1.0 are spoken");
	}
	if (f->headers > SLT_FRAMING_HEADERS_MAX) {
		return slt_fail(err, SLT_EINVALID_REQUEST, "the request has more than %d headers",
				SLT_FRAMING_HEADERS_MAX);
	}
	if (f->odd || f->hosts > 1) {
		return slt_fail(err, SLT_EINVALID_REQUEST,
				"the request's headers do not say clearly where it ends");
	}
	if (f->lengths + f->codings > 1 || (f->codings && !modern)) {
		return slt_fail(err, SLT_EINVALID_REQUEST,
				"the request's length is given in more than one way");
	}
	return true;
}
