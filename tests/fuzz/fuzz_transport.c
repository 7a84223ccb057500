/* SPDX-License-Identifier: MIT */
/* The first byte: bit 0 response, bit 1 bare, the rest cuts the input. What was read is written
 * and must read back with the same digests. */
#include <stdlib.h>

#include "federation/multipart.h"
#include "federation/transport.h"

static bool read_all(const char *type, bool response, const char *p, size_t n, size_t cut,
		     struct slt_message **ret, struct slt_bytes *fault)
{
	struct slt_transport_limits limits = SLT_TRANSPORT_LIMITS;
	SLT_AUTO(slt_transport_reader_free) struct slt_transport_reader *r = NULL;
	struct slt_err err = SLT_ERR_INIT;

	return slt_transport_reader_new(type, SLT_SHA256, response, &limits, &r, &err) &&
	       slt_transport_feed(r, p, cut, &err) &&
	       slt_transport_feed(r, p + cut, n - cut, &err) &&
	       slt_transport_finish(r, ret, fault, &err);
}

static void round_trip(const struct slt_message *m, bool response)
{
	SLT_AUTO(slt_transport_writer_free)
	struct slt_transport_writer *w = slt_transport_writer_new(m);
	SLT_AUTO(slt_message_free) struct slt_message *back = NULL;
	SLT_AUTO_BUF(b, 64 << 20);
	struct slt_bytes fault = {NULL, 0};
	struct slt_err err = SLT_ERR_INIT;
	size_t n = 1;

	while (n) {
		char *to = slt_buf_room(&b, 1000);
		slt_assert(slt_transport_read(w, to, 1000, &n, &err));
		b.n += n;
	}
	slt_assert(read_all(slt_transport_content_type(w), response, b.p, b.n, b.n / 2, &back,
			    &fault));
	slt_assert(back && slt_digest_eq(&m->digest, &back->digest) &&
		   m->n_attachments == back->n_attachments);
	for (unsigned i = 0; i < m->n_attachments; i++) {
		slt_assert(slt_digest_eq(&m->attachment[i].digest, &back->attachment[i].digest));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	SLT_AUTO(slt_message_free) struct slt_message *m = NULL;
	struct slt_bytes fault = {NULL, 0};

	if (n == 0) {
		slt_xml_init();
		return 0;
	}
	bool response = p[0] & 1;
	const char *type = p[0] & 2 ? "text/xml" : "multipart/mixed; boundary=b";
	if (read_all(type, response, (const char *)p + 1, n - 1, (p[0] / 4u) % n, &m, &fault) &&
	    m && n < SLT_MIME_HEADERS_MAX) { /* beyond, headers may grow over the cap */
		round_trip(m, response);
	}
	free(fault.p);
	return 0;
}
