/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The trace: why each value of a translated message became what it is.
 *
 * Entries stand in document order. Values that can name a person (identifiers, dates of birth,
 * free text) are written as "***" unless they are asked for; codes of code lists are always
 * written. The JSON depends on nothing but the entries: same trace, same bytes.
 */

#include "base/arena.h"

enum slt_outcome {
	SLT_OUT_MAPPED,	   /* another code, name, identifier or structure */
	SLT_OUT_KEPT,	   /* looked at and left as it was */
	SLT_OUT_DROPPED,   /* removed, or put into originalText */
	SLT_OUT_DEFAULTED, /* a default given by the rule */
	SLT_OUT_REFUSED,   /* could not be mapped and stops the message */
	SLT_OUT_CHECKED,   /* a guard or check that holds */
	SLT_OUT_FLAGGED,   /* could not be mapped, left and reported */
};

struct slt_trace_code {
	const char *system, *code, *display; /* NULL where there is none */
};

struct slt_trace_entry {
	const char *document; /* kind: "eP", "list.request" */
	unsigned part;	      /* 0 the body, n the nth attachment */
	const char *rule;  /* id of the rule; "names", "services", "cda" for what the set implies */
	const char *place; /* XPath in the source document */
	struct slt_trace_code from, pivot, to;
	const char *table;	  /* list id */
	const char *from_version; /* version of the source country's list */
	const char *to_version;	  /* of the target country's */
	const char *relation;	  /* composed */
	enum slt_outcome outcome;
	const char *note; /* "restored from translation", "replaced by …"; NULL */
	bool personal;	  /* from and to are masked unless asked for */
};

#define SLT_TRACE_KEPT 64

struct slt_trace {
	struct slt_arena *arena;
	struct { /* texts of the set copied last, by their address: most entries share them */
		const char *text, *copy;
	} kept[SLT_TRACE_KEPT];
	const char *place; /* made last */
	struct slt_trace_entry *entry;
	size_t n, cap;
	const char *from, *to, *flow, *message, *service; /* service: the flow's word */
	const char *from_version, *to_version, *flow_version;
	const char *set_digest;	   /* hex */
	const char *input_digest;  /* SHA-256 of the body as it came, hex; NULL when not computed */
	const char *output_digest; /* of what was written, where the caller says so */
	int64_t now_ms;
};

#define SLT_TRACE_MAX 100000 /* entries; a document that makes more is refused */

struct slt_trace *slt_trace_new(void);
void slt_trace_free(struct slt_trace *t);
SLT_DEFINE_AUTO(struct slt_trace *, slt_trace_free)

/* Copies the entry and its strings; not a place that slt_trace_place() made. False when full. */
SLT_CHECK bool slt_trace_add(struct slt_trace *t, const struct slt_trace_entry *e);
/* "path" or "path/@attribute", made in the trace. */
const char *slt_trace_place(struct slt_trace *t, struct slt_str path, const char *attribute);
const char *slt_outcome_name(enum slt_outcome o);
/* How many entries have the outcome. */
size_t slt_trace_count(const struct slt_trace *t, enum slt_outcome o);
void slt_trace_json(const struct slt_trace *t, bool personal, struct slt_buf *out);
