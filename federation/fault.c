/* SPDX-License-Identifier: MIT */
#include "federation/fault.h"

#include "federation/utf8.h"

/* What a peer or a library put into a text may be anything: bytes that cannot stand in an XML
 * document become '?', so that a fault can always be read. */
static void clean(const char *s, struct slt_buf *out)
{
	uint32_t c;

	while (*s) {
		size_t n = slt_utf8_next(s, &c);
		if (n && slt_utf8_is_xml(c)) {
			slt_buf_add(out, s, n);
		} else {
			slt_buf_addc(out, '?');
		}
		s += n ? n : 1;
	}
}

static void add_xml(struct slt_buf *out, const char *s)
{
	SLT_AUTO_BUF(b, SIZE_MAX / 4);

	clean(s ? s : "", &b);
	slt_buf_add_xml(out, slt_buf_str(&b).p);
}

static void add_json(struct slt_buf *out, const char *name, const char *s)
{
	SLT_AUTO_BUF(b, SIZE_MAX / 4);

	clean(s ? s : "", &b);
	slt_buf_addf(out, "\"%s\":", name);
	slt_buf_add_json(out, slt_buf_str(&b).p);
}

void slt_fault_soap(const char *code, const char *string, const char *actor, const char *detail,
		    const char *detail_xml, struct slt_buf *out)
{
	slt_buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope "
			  "xmlns:SOAP-ENV=\"" SLT_NS_SOAP "\"><SOAP-ENV:Body><SOAP-ENV:Fault>"
			  "<faultcode>");
	add_xml(out, code);
	slt_buf_adds(out, "</faultcode><faultstring>");
	add_xml(out, string);
	slt_buf_adds(out, "</faultstring>");
	if (actor) {
		slt_buf_adds(out, "<faultactor>");
		add_xml(out, actor);
		slt_buf_adds(out, "</faultactor>");
	}
	if (detail || detail_xml) {
		slt_buf_adds(out, "<detail>");
	}
	if (detail) {
		slt_buf_adds(out, "<faultDetail xmlns=\"\">");
		add_xml(out, detail);
		slt_buf_adds(out, "</faultDetail>");
	}
	if (detail_xml) {
		slt_buf_adds(out, detail_xml);
	}
	if (detail || detail_xml) {
		slt_buf_adds(out, "</detail>");
	}
	slt_buf_adds(out, "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>");
}

void slt_fault_rest(const char *code, const char *message, const char *detail, const char *more,
		    bool xml, struct slt_buf *out)
{
	if (!xml) {
		slt_buf_addc(out, '{');
		add_json(out, "type", code);
		slt_buf_addc(out, ',');
		add_json(out, "message", message);
		slt_buf_addc(out, ',');
		add_json(out, "detail", detail);
		if (more) {
			slt_buf_addf(out, ",%s", more);
		}
		slt_buf_addc(out, '}');
		return;
	}
	slt_buf_adds(out, "<error><type>");
	add_xml(out, code);
	slt_buf_adds(out, "</type><message>");
	add_xml(out, message);
	slt_buf_adds(out, "</message><detail>");
	add_xml(out, detail);
	slt_buf_adds(out, "</detail>");
	slt_buf_adds(out, more ? more : "");
	slt_buf_adds(out, "</error>");
}
