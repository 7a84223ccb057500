/* SPDX-License-Identifier: MIT */
/* The first byte cuts the input: whole, and in two, it must give the same. The boundary is "b". */
#include <string.h>

#include "federation/multipart.h"

static bool part(void *arg, const struct slt_mime_header *h, size_t n, struct slt_err *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		slt_buf_add(arg, h[i].name.p, h[i].name.n);
		slt_buf_add(arg, h[i].value.p, h[i].value.n);
	}
	slt_buf_addc(arg, '[');
	return true;
}

static bool data(void *arg, const char *p, size_t n, struct slt_err *err)
{
	(void)err;
	slt_buf_add(arg, p, n);
	return true;
}

static bool part_end(void *arg, struct slt_err *err)
{
	(void)err;
	slt_buf_addc(arg, ']');
	return true;
}

static bool run(const char *p, size_t n, size_t cut, struct slt_buf *out)
{
	static const struct slt_multipart_ops ops = {part, data, part_end};
	struct slt_err err = SLT_ERR_INIT;
	SLT_AUTO(slt_multipart_free)
	struct slt_multipart *m = slt_multipart_new(SLT_STR_C("b"), &ops, out);

	return slt_multipart_feed(m, p, cut, &err) &&
	       slt_multipart_feed(m, p + cut, n - cut, &err) && slt_multipart_end(m, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO_BUF(whole, 1 << 20);
	SLT_AUTO_BUF(cut, 1 << 20);
	struct slt_str param;

	if (n == 0) {
		return 0;
	}
	const char *text = (const char *)p + 1;
	bool good = run(text, n - 1, 0, &whole);
	slt_assert(run(text, n - 1, p[0] % n, &cut) == good);
	slt_assert(!good ||
		   (whole.n == cut.n && (whole.n == 0 || memcmp(whole.p, cut.p, whole.n) == 0)));
	slt_mime_param((struct slt_str){text, n - 1}, "boundary", &param);
	return 0;
}
