/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The elements of a document by name: many paths that begin anywhere ("//a/b") find their first
 * step without walking the whole tree for each.
 *
 * Borrowed from the tree: useless, and to be freed, once elements were added, moved, renamed or
 * taken out.
 */

#include "mappings/path.h"

struct slt_find;

/* Of the element and all below it, whose document has a dictionary of names (every parsed one). */
struct slt_find *slt_find_new(xmlNode *root);
void slt_find_free(struct slt_find *f);
SLT_DEFINE_AUTO(struct slt_find *, slt_find_free)

/* The same nodes in the same order as slt_path_each() and slt_path_first(). */
void slt_find_each(const struct slt_find *f, const struct slt_path *p, xmlNode *context,
		   slt_path_fn *fn, void *arg);
xmlNode *slt_find_first(const struct slt_find *f, const struct slt_path *p, xmlNode *context);
