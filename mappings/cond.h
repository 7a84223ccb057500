/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Conditions over named fields: `document = 'eP' and prescription.date < 2024-01-01`.
 *
 *   or   := and { "or" and }        and := not { "and" not }
 *   not  := "not" not | "(" or ")" | operand op operand | operand ["not"] "in" "(" literal { ","
 * literal } ")" op   := "=" "!=" "<" "<=" ">" ">=" operand := field | literal      literal :=
 * 'text' | 12.5 | 2024-01-01
 *
 * Every condition has a result for every document: a comparison in which a field is absent, or is
 * not what the other side is (a date, a number), is false; "!=" and "not in" are true then. Texts
 * are only equal or different: "<" between two texts is refused when the condition is read.
 */

#include "base/arena.h"
#include "mappings/decimal.h"

#define SLT_COND_BYTES 4096 /* length of a condition */
#define SLT_COND_NODES 256
#define SLT_COND_DEPTH 32

struct slt_cond;

/* Gives a field's text as it stands in the document; p is NULL when it is absent. */
struct slt_cond_fields {
	struct slt_str (*get)(void *arg, const char *name);
	void *arg;
};

/* The condition lives in the arena. SLT_EINVAL says at which character. */
SLT_CHECK bool slt_cond_parse(const char *text, struct slt_arena *a, struct slt_cond **ret,
			      struct slt_err *err);
bool slt_cond_eval(const struct slt_cond *c, const struct slt_cond_fields *fields);
/* The names of the fields it uses, in order, with repetitions; NULL after the last. */
const char *slt_cond_field(const struct slt_cond *c, size_t i);
