/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Shapes: how a country's own structure of a document becomes the one that the flow's rules are
 * about. (mappings/README.md, "Shapes", describes the options.)
 *
 * A document of the shape is built anew, part by part, before any rule is applied. Every element,
 * attribute and text of the source must be named by some part: what none names is refused, so that
 * nothing is lost without being said. Where the document carries a signature of its own, parts may
 * be taken only from what it covers, unless they say otherwise.
 */

#include "mappings/path.h"
#include "mappings/rule.h"

struct slt_walk;
struct slt_flow_country;

enum slt_shape_what {			/* in the order of the words in shape_read.c */
		      SLT_SHAPE_PUT,	/* a value, an element with constants, or a group */
		      SLT_SHAPE_CODE,	/* the attributes of a coding */
		      SLT_SHAPE_TREE,	/* the element with all that is in it */
		      SLT_SHAPE_CHECK,	/* must say the same as another place, or be one of few */
		      SLT_SHAPE_DROP,	/* has no place in the pivot: reported */
		      SLT_SHAPE_FORBID, /* stops the document */
};

enum slt_shape_signature { SLT_SHAPE_REQUIRED, SLT_SHAPE_CHECKED };

#define SLT_SHAPE_STEPS 24

struct slt_shape_step {
	struct slt_name name;
	bool fresh; /* "+": a new element even if the last one has the name */
	bool as_is; /* "*": named as the source is */
};

struct slt_shape_set { /* "name=value", "xsi:name=value" */
	struct slt_name name;
	const char *value;
};

struct slt_shape_part {
	const char *id, *to_text, *from_text, *same_text, *given_text, *field, *error_text;
	struct slt_conf_strings set_words, otherwise_words, only_words;
	int what;
	bool required, each, outside;
	struct slt_path *from, *same, *given;
	struct slt_shape_step step[SLT_SHAPE_STEPS];
	size_t n_steps;
	struct slt_name attribute; /* last step "@name"; local NULL: an element */
	struct slt_shape_set *set, *otherwise;
	enum slt_code error;
	struct slt_shape_part *part; /* of a group */
	size_t n_parts;
	unsigned line;
};

struct slt_shape {
	const char *id, *becomes, *signature_text;
	struct slt_conf_strings match_words;
	int signature; /* enum slt_shape_signature */
	struct slt_path **match;
	struct slt_path *signature_at;
	struct slt_shape_part *part;
	size_t n_parts;
	unsigned line;
};

/* The sender's shape that the element is the root of; NULL when there is none. */
const struct slt_shape *slt_shape_find(const struct slt_flow_country *from, const xmlNode *root);
/* Builds the document at w->root anew. Problems and trace fill up. */
void slt_shape_apply(struct slt_walk *w, const struct slt_shape *s);
