/* SPDX-License-Identifier: MIT */
/* Verifying hash chains; building them is in hashchain.c. */
#include "federation/hashchain.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/c14n.h>
#include <openssl/crypto.h>

#include "federation/hashchain_xml.h"

struct chain {
	char *uri;
	xmlDoc *doc;
};

/* A step that was hashed before: many may refer to it. */
struct known {
	const xmlNode *step;
	struct slt_digest hash;
};

struct verifier {
	struct slt_hc_verify *v;
	struct chain chains[SLT_HASHCHAIN_DOCS_MAX];
	size_t n_chains;
	unsigned depth;
	unsigned n_values; /* looked at so far */
	struct known *known;
	size_t n_known;
};

static void verifier_fini(struct verifier *r)
{
	for (size_t i = 0; i < r->n_chains; i++) {
		free(r->chains[i].uri);
		slt_xml_free(r->chains[i].doc);
	}
	free(r->known);
}

/* --- steps --- */

static bool load_chain(struct verifier *r, const char *uri, xmlDoc **ret, struct slt_err *err)
{
	for (size_t i = 0; i < r->n_chains; i++) {
		if (strcmp(r->chains[i].uri, uri) == 0) {
			*ret = r->chains[i].doc;
			return true;
		}
	}
	if (r->n_chains == SLT_HASHCHAIN_DOCS_MAX) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
				"the hash chain is spread over more than %d documents",
				SLT_HASHCHAIN_DOCS_MAX);
	}
	struct slt_str bytes = r->v->resolve(r->v->arg, uri);
	if (!bytes.p) {
		return slt_fail(err, SLT_EINVALID_REFERENCE, "the hash chain %.80s is not at hand",
				uri);
	}
	struct chain *c = &r->chains[r->n_chains];
	if (!slt_hashchain_load_chain(bytes, uri, &c->doc, err)) {
		return false;
	}
	c->uri = slt_strdup(uri);
	r->n_chains++;
	*ret = c->doc;
	return true;
}

/* "document#step"; without a document the step is in `current`. */
static bool find_step(struct verifier *r, const char *uri, xmlDoc *current, const xmlNode **ret,
		      struct slt_err *err)
{
	const char *hash = strchr(uri, '#');

	if (!hash || !hash[1] || (hash == uri && !current)) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
				"\"%.80s\" does not refer to a step of a hash chain", uri);
	}
	if (hash > uri) {
		SLT_AUTO_STR char *document = slt_strndup(uri, (size_t)(hash - uri));
		if (!load_chain(r, document, &current, err)) {
			return false;
		}
	}
	const xmlNode *root = xmlDocGetRootElement(current);
	for (const xmlNode *s = slt_xml_child(root, SLT_NS_HASHCHAIN, "HashStep"); s;
	     s = slt_xml_next(s)) {
		const char *id = slt_hashchain_attr(s, "id");
		if (id && strcmp(id, hash + 1) == 0) {
			*ret = s;
			return true;
		}
	}
	return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN, "there is no step \"%.80s\"", uri);
}

/* --- data --- */

static int c14n_mode(const char *alg, int *ret_comments)
{
	static const struct {
		const char *uri;
		int mode;
	} modes[] = {
		{"http://www.w3.org/TR/2001/REC-xml-c14n-20010315", XML_C14N_1_0},
		{"http://www.w3.org/2001/10/xml-exc-c14n#", XML_C14N_EXCLUSIVE_1_0},
		{"http://www.w3.org/2006/12/xml-c14n11", XML_C14N_1_1},
	};
	struct slt_str s = slt_str(alg);

	for (size_t i = 0; i < SLT_COUNT(modes); i++) {
		if (!slt_str_starts(s, modes[i].uri)) {
			continue;
		}
		const char *tail = alg + strlen(modes[i].uri);
		*ret_comments = strcmp(tail, "#WithComments") == 0 ||
				(tail[-1] == '#' && strcmp(tail, "WithComments") == 0);
		if (!*tail || *ret_comments) {
			return modes[i].mode;
		}
	}
	return -1;
}

static bool canonicalise(struct slt_str data, const char *alg, struct slt_buf *out,
			 struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *doc = NULL;
	struct slt_err e = SLT_ERR_INIT;
	xmlChar *p = NULL;
	int comments = 0, mode = c14n_mode(alg, &comments);

	if (mode < 0) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
				"the hash chain uses the transform %.80s, which is not allowed",
				alg);
	}
	if (!slt_xml_parse(data.p, data.n, &SLT_XML_PEER, "referenced data", &doc, &e)) {
		return slt_fail(err, SLT_EINVALID_REFERENCE, "%s", e.msg);
	}
	int n = xmlC14NDocDumpMemory(doc, NULL, mode, NULL, comments, &p);
	if (n <= 0) {
		xmlFree(p);
		return slt_fail(err, SLT_EINVALID_REFERENCE,
				"referenced data has no canonical form");
	}
	slt_buf_reset(out);
	slt_buf_add(out, p, (size_t)n);
	xmlFree(p);
	return slt_buf_check(out, "referenced data", err);
}

static bool fetch(struct verifier *r, const xmlNode *ref, const char *uri, enum slt_digest_alg alg,
		  struct slt_digest *ret, struct slt_err *err)
{
	struct slt_str data = r->v->resolve(r->v->arg, uri);
	const xmlNode *list = slt_xml_child(ref, SLT_NS_DSIG, "Transforms");
	SLT_AUTO_BUF(one, 4 * SLT_XML_PEER.bytes);
	SLT_AUTO_BUF(two, 4 * SLT_XML_PEER.bytes);
	struct slt_buf *to = &one;
	unsigned n = 0;

	if (!data.p) {
		return slt_fail(err, SLT_EINVALID_REFERENCE, "%.80s is not at hand", uri);
	}
	for (const xmlNode *t = slt_xml_first(list); t; t = slt_xml_next(t)) {
		if (++n > 5) {
			return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
					"%.80s has too many transforms", uri);
		}
		if (!canonicalise(data, slt_hashchain_attr(t, "Algorithm"), to, err)) {
			return slt_wrap(err, "%.80s", uri);
		}
		data = slt_buf_str(to);
		to = to == &one ? &two : &one;
	}
	slt_digest_of(alg, data.p, data.n, ret);
	return true;
}

static struct slt_hc_part *find_part(const struct slt_hc_verify *v, const char *uri)
{
	for (size_t i = 0; i < v->n_parts; i++) {
		if (strcmp(v->parts[i].name, uri) == 0) {
			return &v->parts[i];
		}
	}
	return NULL;
}

static bool data_ref(struct verifier *r, const xmlNode *ref, enum slt_digest_alg alg,
		     struct slt_digest *ret, struct slt_err *err)
{
	const char *uri = slt_hashchain_attr(ref, "URI");
	struct slt_hc_part *part = find_part(r->v, uri);
	struct slt_digest said;

	if (!slt_hashchain_value(ref, alg, &said, err)) {
		return false;
	}
	if (part) {
		part->used = true;
		if (part->digest && part->digest->alg == alg) {
			/* what the chain says does not count: a lie shows in the result */
			*ret = *part->digest;
			return true;
		}
	}
	if (!r->v->should_resolve(r->v->arg, uri)) {
		*ret = said;
		return true;
	}
	if (!fetch(r, ref, uri, alg, ret, err)) {
		return false;
	}
	return slt_digest_eq(ret, &said) || slt_fail(err, SLT_EINVALID_HASH_CHAIN_REF,
						     "%.80s is not what the hash chain says", uri);
}

/* --- values --- */

static bool hash_step(struct verifier *r, const xmlNode *step, enum slt_digest_alg alg,
		      struct slt_digest *ret, struct slt_err *err);

static bool step_ref(struct verifier *r, const xmlNode *ref, enum slt_digest_alg alg,
		     struct slt_digest *ret, struct slt_err *err)
{
	const xmlNode *step = NULL;

	return find_step(r, slt_hashchain_attr(ref, "URI"), ref->doc, &step, err) &&
	       hash_step(r, step, alg, ret, err);
}

static bool value_of(struct verifier *r, const xmlNode *n, struct slt_digest *ret,
		     struct slt_err *err)
{
	enum slt_digest_alg alg = SLT_DIGEST_NONE;

	if (++r->n_values > SLT_HASHCHAIN_VALUES_MAX) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
				"the hash chain has more than %d values", SLT_HASHCHAIN_VALUES_MAX);
	}
	if (!slt_hashchain_alg(n, r->v->allow_sha1, &alg, err)) {
		return false;
	}
	if (slt_xml_is(n, SLT_NS_HASHCHAIN, "StepRef")) {
		return step_ref(r, n, alg, ret, err);
	}
	if (slt_xml_is(n, SLT_NS_HASHCHAIN, "DataRef")) {
		return data_ref(r, n, alg, ret, err);
	}
	return slt_hashchain_value(n, alg, ret, err);
}

/* Recursion is bounded by SLT_HASHCHAIN_DEPTH_MAX, which also ends a circle of steps. */
static bool hash_step(struct verifier *r, const xmlNode *step, enum slt_digest_alg alg,
		      struct slt_digest *ret, struct slt_err *err)
{
	SLT_AUTO(slt_free) void *room = NULL;
	size_t n = 0, i = 0;

	for (size_t k = 0; k < r->n_known; k++) {
		if (r->known[k].step == step && r->known[k].hash.alg == alg) {
			*ret = r->known[k].hash;
			return true;
		}
	}
	if (r->depth == SLT_HASHCHAIN_DEPTH_MAX) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
				"the steps of the hash chain run in a circle or deeper than %d",
				SLT_HASHCHAIN_DEPTH_MAX);
	}
	for (const xmlNode *c = slt_xml_first(step); c; c = slt_xml_next(c)) {
		n++;
	}
	if (n > SLT_HASHCHAIN_VALUES_MAX) {
		return slt_fail(err, SLT_EMALFORMED_HASH_CHAIN,
				"a step of the hash chain has more than %d values",
				SLT_HASHCHAIN_VALUES_MAX);
	}
	room = slt_calloc(n ? n : 1, sizeof(struct slt_digest));
	struct slt_digest *values = room;
	r->depth++;
	for (const xmlNode *c = slt_xml_first(step); c; c = slt_xml_next(c)) {
		if (!value_of(r, c, &values[i++], err)) {
			return false;
		}
	}
	r->depth--;
	slt_hashchain_step(alg, values, n, ret);
	r->known = slt_realloc(r->known, r->n_known + 1, sizeof(*r->known));
	r->known[r->n_known++] = (struct known){step, *ret};
	return true;
}

/* --- the whole --- */

static bool check_result(struct verifier *r, const xmlNode *result, struct slt_err *err)
{
	const char *uri = slt_hashchain_attr(result, "URI");
	enum slt_digest_alg alg = SLT_DIGEST_NONE;
	struct slt_digest said, is;
	const xmlNode *top = NULL;

	if (!slt_hashchain_alg(result, r->v->allow_sha1, &alg, err) ||
	    !slt_hashchain_value(result, alg, &said, err) || !find_step(r, uri, NULL, &top, err) ||
	    !hash_step(r, top, alg, &is, err)) {
		return false;
	}
	return slt_digest_eq(&is, &said) ||
	       slt_fail(err, SLT_EINVALID_HASH_CHAIN,
			"the hash chain does not lead from the message to its result");
}

bool slt_hashchain_verify(struct slt_hc_verify *v, struct slt_err *err)
{
	SLT_AUTO(slt_xml_free) xmlDoc *result = NULL;
	struct verifier r = {.v = v};

	for (size_t i = 0; i < v->n_parts; i++) {
		v->parts[i].used = false;
	}
	if (!slt_hashchain_load_result(v->result, &result, err)) {
		return false;
	}
	bool good = check_result(&r, xmlDocGetRootElement(result), err);
	verifier_fini(&r);
	for (size_t i = 0; good && i < v->n_parts; i++) {
		if (!v->parts[i].used) {
			return slt_fail(err, SLT_EHASHCHAIN_UNUSED_INPUTS,
					"the hash chain does not refer to %.80s", v->parts[i].name);
		}
	}
	return good;
}
