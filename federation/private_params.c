/* SPDX-License-Identifier: MIT */
#include "federation/private_params.h"

#include <stdlib.h>

#include "federation/globalconf.h"

static const struct slt_xml_limits limits = {
	.bytes = SLT_PRIVATE_PARAMS_MAX, .depth = 64, .nodes = 500000};

static bool read_anchors(const xmlNode *root, struct slt_private_params *p, struct slt_err *err)
{
	p->anchor = slt_calloc(SLT_PRIVATE_ANCHORS_MAX, sizeof(struct slt_anchor *));
	for (const xmlNode *c = slt_xml_child(root, NULL, "configurationAnchor"); c;
	     c = slt_xml_next_named(c, NULL, "configurationAnchor")) {
		if (p->n_anchor == SLT_PRIVATE_ANCHORS_MAX) {
			return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
					"private parameters name more than %d other instances",
					SLT_PRIVATE_ANCHORS_MAX);
		}
		if (!slt_anchor_from_xml(c, false, &p->anchor[p->n_anchor], err)) {
			return slt_wrap(err, "configuration anchor %zu", p->n_anchor + 1);
		}
		p->n_anchor++;
	}
	return true;
}

bool slt_private_params_parse(const void *p, size_t n, struct slt_private_params **ret,
			      struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;

	if (!slt_xml_parse(p, n, &limits, "private parameters", &doc, err)) {
		err->code = SLT_EMALFORMED_GLOBALCONF;
		return false;
	}
	const xmlNode *root = xmlDocGetRootElement(doc);
	if (!slt_xml_is(root, SLT_NS_XROAD, "conf")) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"private parameters begin with element %.100s, not conf",
				(const char *)root->name);
	}
	SLT_AUTO(slt_private_params_free)
	struct slt_private_params *out = slt_calloc(1, sizeof(*out));
	out->arena = slt_arena_new();
	struct slt_str id = slt_str_trim(
		slt_str(slt_xml_text(out->arena, slt_xml_child(root, NULL, "instanceIdentifier"))));
	out->instance = slt_arena_strndup(out->arena, id.n ? id.p : "", id.n);
	if (!slt_globalconf_instance_ok(out->instance)) {
		return slt_fail(err, SLT_EMALFORMED_GLOBALCONF,
				"private parameters have no instanceIdentifier");
	}
	if (!read_anchors(root, out, err)) {
		return slt_wrap(err, "private parameters of instance %s", out->instance);
	}
	*ret = SLT_TAKE(out);
	return true;
}

void slt_private_params_free(struct slt_private_params *p)
{
	if (!p) {
		return;
	}
	for (size_t i = 0; i < p->n_anchor; i++) {
		slt_anchor_free(p->anchor[i]);
	}
	free(p->anchor);
	slt_arena_free(p->arena);
	free(p);
}
