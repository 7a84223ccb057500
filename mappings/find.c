/* SPDX-License-Identifier: MIT */
#include "mappings/find.h"

#include <stdlib.h>

#include <libxml/dict.h>

#define NAMESAKES_MAX 64 /* elements of one name among which a context is looked for */

struct element {
	xmlNode *node;
	uint32_t end; /* the first one that is not below it */
};

struct slt_find {
	xmlDict *dict;
	struct element *element; /* in document order */
	uint32_t *by_name;	 /* their numbers, bucket by bucket, in document order */
	uint32_t *bucket;	 /* where each begins; one more at the end */
	uint32_t n, mask;
};

static uint32_t bucket_of(const struct slt_find *f, const xmlChar *name)
{
	uint64_t h = ((uintptr_t)name >> 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 32) & f->mask;
}

/* The end of every open element that the next one is not inside of. */
static void close_to(struct slt_find *f, uint32_t *open, unsigned *depth, const xmlNode *parent)
{
	while (*depth > 0 && f->element[open[*depth - 1]].node != parent) {
		f->element[open[--*depth]].end = f->n;
	}
}

static xmlNode *next_below(xmlNode *n, const xmlNode *top)
{
	if (n->type == XML_ELEMENT_NODE && n->children) {
		return n->children;
	}
	while (n != top && !n->next) {
		n = n->parent;
	}
	return n == top ? NULL : n->next;
}

static void collect(struct slt_find *f, xmlNode *root)
{
	uint32_t cap = 0, cap_open = 0, *open = NULL;
	unsigned depth = 0;

	for (xmlNode *n = root; n; n = next_below(n, root)) {
		if (n->type != XML_ELEMENT_NODE) {
			continue;
		}
		close_to(f, open, &depth, n->parent);
		if (f->n == cap) {
			cap = cap ? 2 * cap : 512;
			f->element = slt_realloc(f->element, cap, sizeof(*f->element));
		}
		if (depth == cap_open) {
			cap_open = cap_open ? 2 * cap_open : 64;
			open = slt_realloc(open, cap_open, sizeof(*open));
		}
		open[depth++] = f->n;
		f->element[f->n++].node = n;
	}
	close_to(f, open, &depth, NULL);
	free(open);
}

struct slt_find *slt_find_new(xmlNode *root)
{
	struct slt_find *f = slt_calloc(1, sizeof(*f));

	slt_assert(root->doc && root->doc->dict);
	f->dict = root->doc->dict;
	collect(f, root);
	f->mask = 63;
	while (f->mask < f->n / 4) {
		f->mask = 2 * f->mask + 1;
	}
	f->bucket = slt_calloc(f->mask + 2, sizeof(*f->bucket));
	f->by_name = slt_calloc(f->n, sizeof(*f->by_name));
	for (uint32_t i = 0; i < f->n; i++) {
		f->bucket[bucket_of(f, f->element[i].node->name)]++;
	}
	uint32_t sum = 0;
	for (uint32_t b = 0; b <= f->mask + 1; b++) {
		sum += f->bucket[b];
		f->bucket[b] = sum;
	}
	/* from the back, so that each bucket begins where it should when all are in */
	for (uint32_t i = f->n; i-- > 0;) {
		f->by_name[--f->bucket[bucket_of(f, f->element[i].node->name)]] = i;
	}
	return f;
}

void slt_find_free(struct slt_find *f)
{
	if (f) {
		free(f->element);
		free(f->by_name);
		free(f->bucket);
		free(f);
	}
}

/* The context's number; false when it would take long to tell. */
static bool number_of(const struct slt_find *f, const xmlNode *context, uint32_t *ret)
{
	uint32_t b = bucket_of(f, context->name);

	*ret = 0;
	if (context == f->element[0].node) {
		return true;
	}
	for (uint32_t i = f->bucket[b]; i < f->bucket[b + 1] && i - f->bucket[b] < NAMESAKES_MAX;
	     i++) {
		if (f->element[f->by_name[i]].node == context) {
			*ret = f->by_name[i];
			return true;
		}
	}
	return false;
}

/* The first in the bucket whose number is higher. */
static uint32_t first_after(const struct slt_find *f, uint32_t bucket, uint32_t number)
{
	uint32_t low = f->bucket[bucket], high = f->bucket[bucket + 1];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (f->by_name[middle] > number) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

static bool each_of_one(const struct slt_find *f, const struct slt_path *p, xmlNode *context,
			slt_path_fn *fn, void *arg)
{
	bool anywhere =
		p->n > 0 && p->step[0].descendant && !p->step[0].attribute && p->step[0].test.local;
	uint32_t at;

	if (!anywhere || !number_of(f, context, &at)) {
		return slt_path_each_of_one(p, context, fn, arg);
	}
	/* what is not in the dictionary is no element's name */
	const xmlChar *name = xmlDictExists(f->dict, SLT_XML(p->step[0].test.local), -1);
	uint32_t b = name ? bucket_of(f, name) : 0;
	for (uint32_t i = name ? first_after(f, b, at) : UINT32_MAX; i < f->bucket[b + 1]; i++) {
		const struct element *e = &f->element[f->by_name[i]];
		if (f->by_name[i] >= f->element[at].end) {
			break;
		}
		if (e->node->name == name && !slt_path_try(p, e->node, fn, arg)) {
			return false;
		}
	}
	return true;
}

void slt_find_each(const struct slt_find *f, const struct slt_path *p, xmlNode *context,
		   slt_path_fn *fn, void *arg)
{
	bool more = true;

	for (; more && p; p = p->next) {
		more = each_of_one(f, p, context, fn, arg);
	}
}

static bool first_found(void *arg, xmlNode *node)
{
	*(xmlNode **)arg = node;
	return false;
}

xmlNode *slt_find_first(const struct slt_find *f, const struct slt_path *p, xmlNode *context)
{
	xmlNode *found = NULL;

	slt_find_each(f, p, context, first_found, &found);
	return found;
}
