/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSONPath (RFC 9535) for rules about JSON documents, compiled into the same steps and predicates
 * as the XPath subset, over the tree of json_doc.h.
 *
 * Understood: $ and (for relative paths) @; .name ['name'] .* [*] ..name ..* ..[…]; filters
 * [?…] with @.a.b, == and != against a text, true, false and null, existence, &&, ||, !,
 * parentheses and filters inside them. A text that begins with "?" is a filter on the document
 * itself. Refused, with the character: indices and slices (rules hold for every member), several
 * selectors in one bracket, numbers and < > in filters, functions, and .. or $ in filters, which
 * would cost a walk.
 */

#include "mappings/path.h"

bool slt_jsonpath_is(const char *text); /* rather than XPath, by how it begins */
/* SLT_EINVAL with the character. In the arena. */
SLT_CHECK bool slt_jsonpath_parse(const char *text, struct slt_arena *a, struct slt_path **ret,
				  struct slt_err *err);
