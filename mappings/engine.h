/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The mapping engine: a message of one country in, the message of the other country out, with a
 * trace of every change and the list of everything that could not be mapped.
 *
 * A set (mappings/README.md describes its files) is loaded whole or not at all, never changes
 * afterwards, and may be used by any number of threads. The engine asks for no time, opens no
 * socket and logs nothing; the same set, input and instant give the same bytes.
 *
 * What it checks: document kinds, structure as far as rules name it, codes, identifiers, guards.
 * What it does not: signatures (those inside documents it has judged by the caller), schemas, the
 * SOAP header (left as it came), who may call.
 */

#include "base/xml.h"
#include "mappings/lint.h"
#include "mappings/problem.h"
#include "mappings/trace.h"

struct slt_mapset;

/* SLT_ECONFIG with every problem of every file, each "file:line: text". */
SLT_CHECK bool slt_mapset_load(const char *dir, struct slt_mapset **ret, struct slt_err *err);
/* The same, with all problems in the lint; the set, if one can be made in spite of them. */
bool slt_mapset_check(const char *dir, struct slt_lint *lint, struct slt_mapset **ret);
struct slt_mapset *slt_mapset_ref(struct slt_mapset *s);
void slt_mapset_free(struct slt_mapset *s); /* drops a reference */
SLT_DEFINE_AUTO(struct slt_mapset *, slt_mapset_free)

/* SHA-256 over the names and bytes of all files read, in order: names the set in evidence. */
const char *slt_mapset_digest(const struct slt_mapset *s); /* hex */
/* Days (YYYYMMDD, both included, 0: open) between which the set as a whole is in force, beside
 * those of its countries; before the set is shared. */
void slt_mapset_limit(struct slt_mapset *s, uint32_t effective_from, uint32_t effective_to);
/* A sentence of messages.tsv in a language ("et", "fi", "en"); English where that language has
 * none, the key itself where there is none at all. Lives as long as the set. */
const char *slt_mapset_message(const struct slt_mapset *s, const char *key, const char *lang);
/* SLT_FED_TRC_001 when the set or a country of the pair is not in force at the instant. */
SLT_CHECK bool slt_mapset_in_force(const struct slt_mapset *s, const char *from, const char *to,
				   int64_t now_ms, struct slt_err *err);
/* The country that an X-Road instance belongs to, NULL when unknown; *ret_environment is
 * "production", "test" or "development". Environments must not be mixed on a route. */
const char *slt_mapset_country(const struct slt_mapset *s, const char *instance,
			       const char **ret_environment);

/* What the service `name` of country `from` is called in country `to`. SLT_EUNKNOWN_SERVICE. */
struct slt_map_service {
	const char *id;		    /* the flow's own word: "list", "dispense" */
	const char *name, *version; /* in country `to` */
};
SLT_CHECK bool slt_mapset_service(const struct slt_mapset *s, const char *flow, const char *from,
				  const char *to, const char *name, struct slt_map_service *ret,
				  struct slt_err *err);

/* The i-th service of country `from`, in the order of its file, that has a counterpart in `to`;
 * false when there are no more. Lives as long as the set. */
struct slt_map_offer {
	const char *name, *version; /* in country `from`; version may be NULL */
	bool json;
	const char *uri[2], *element[2]; /* body elements of request and answer; NULL for JSON */
};
bool slt_mapset_offer_at(const struct slt_mapset *s, const char *flow, const char *from,
			 const char *to, size_t i, struct slt_map_offer *ret);

/* What is to be done with an attachment: only those to be mapped need to be in memory. */
enum slt_map_attachment { SLT_MAP_REFUSED, SLT_MAP_PASSED, SLT_MAP_MAPPED };
enum slt_map_attachment slt_mapset_attachment(const struct slt_mapset *s, const char *flow,
					      const char *content_type);

/* Whether requests of the service (its name in either country) may be calls, which say in path and
 * query what they want. */
bool slt_mapset_calls(const struct slt_mapset *s, const char *flow, const char *service);

enum slt_map_message { SLT_MAP_REQUEST, SLT_MAP_RESPONSE, SLT_MAP_FAULT };

#define SLT_MAP_PARTS_MAX 64

/* What was found out about the signature that a document carries inside itself. The engine knows
 * nothing of certificates: it asks, before it changes anything, and takes the answer. */
struct slt_map_seal {
	const xmlNode *covered; /* the element of the document that is signed, with all below */
	char signer[256];	/* for people */
	int64_t signed_ms;
};
struct slt_map_judge {
	/* The document's root stands alone or inside a body. False with the reason when the
	 * signature is not good; must not change the document. */
	bool (*verify)(void *arg, xmlNode *document, struct slt_map_seal *ret, struct slt_err *err);
	void *arg;
};

struct slt_map_part {
	const char *content_type;
	struct slt_str bytes; /* of the decoded content */
};

struct slt_map_input {
	const char *from, *to; /* country of what comes in, country of what goes out */
	const char *flow;
	enum slt_map_message message;
	const char *service; /* its name in either country; NULL for a bare document */
	struct slt_str body; /* a SOAP envelope or a bare document */
	bool bare; /* a bare document it must be: of an envelope only the Body is translated */
	bool call; /* the body is a REST request's path after the service and query: "/a?b=c" */
	xmlDoc *take_doc;		  /* body already parsed, taken over and changed; or NULL */
	const struct slt_map_part *parts; /* attachments to be mapped */
	size_t n_parts;
	int64_t now_ms;	 /* for documents without a date, and for sets in force */
	bool test_codes; /* personal codes of test documents are let through (never in production)
			  */
	/* of a response: what became of its request, whose subject the answer must share; or NULL
	 */
	const struct slt_map_result *asked;
	const struct slt_map_judge
		*judge; /* NULL: signatures inside documents cannot be verified */
};

struct slt_map_subject;

struct slt_map_result {
	xmlDoc *doc;	  /* the translated envelope or document; NULL when refused */
	const char *call; /* of a call: translated path and query; the trace's memory */
	char **part;	  /* the translated attachments, malloc'ed, in order */
	size_t *part_len;
	size_t n_parts;
	struct slt_trace *trace;	  /* also of a refused message, as far as it came */
	struct slt_problems *problems;	  /* errors and warnings, all of them */
	struct slt_map_subject *subjects; /* who and what the body is about; the trace's memory */
};

struct slt_map_result *slt_map_result_new(void);
void slt_map_result_free(struct slt_map_result *r);
SLT_DEFINE_AUTO(struct slt_map_result *, slt_map_result_free)

/* Fills `result` (new, used once). False when the message is refused: err has the code and English
 * sentence of the first problem that refuses, result->problems has all of them; or when it could
 * not be tried (malformed XML, unknown flow). */
/* A body or attachment may be XML or, beginning with { or [, JSON; it stays what it was. */
SLT_CHECK bool slt_map_apply(const struct slt_mapset *s, const struct slt_map_input *in,
			     struct slt_map_result *result, struct slt_err *err);
/* Writes result->doc: XML with its declaration, or JSON (json_doc.h). */
SLT_CHECK bool slt_map_dump(xmlDoc *doc, struct slt_buf *out, struct slt_err *err);
