/* SPDX-License-Identifier: MIT */
#include "mappings/mapset.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "mappings/date.h"

/* --- directories --- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of subdirectories in order of bytes, in the arena; what begins with a dot is left out. */
static size_t list_dirs(const char *dir, struct slt_arena *a, const char **names, size_t max)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	size_t n = 0;

	while (d && n < max && (e = readdir(d)) != NULL) {
		SLT_AUTO_STR char *path = slt_path_join(dir, e->d_name);
		DIR *sub = e->d_name[0] == '.' ? NULL : opendir(path);
		if (sub) {
			closedir(sub);
			names[n++] = slt_arena_strdup(a, e->d_name);
		}
	}
	if (d) {
		closedir(d);
	}
	qsort(names, n, sizeof(*names), compare);
	return n;
}

/* --- plans --- */

struct plan_builder {
	struct slt_plan *plan;
	struct slt_arena *a;
	struct slt_lint *lint;
	const char *dir;
};

static void add_rules(struct plan_builder *b, const struct slt_rules *rules)
{
	struct slt_plan *p = b->plan;

	for (size_t i = 0; i < rules->n; i++) {
		const struct slt_rule *r = &rules->v[i];
		const struct slt_path *path = r->what == SLT_DO_REQUIRE ? r->in : r->where;
		if (!slt_rule_applies(&r->documents, p->kind)) {
			continue;
		}
		if (!path || !slt_matcher_add(p->matcher, path, (uint32_t)p->n)) {
			slt_lint_add(b->lint, r->file, r->line, "too many paths in this flow");
		}
		p->rule[p->n++] = r;
	}
}

static void build_plan(struct plan_builder *b, const char *kind, const struct slt_rules *first,
		       const struct slt_rules *second)
{
	struct slt_plan *p = b->plan;

	p->kind = kind;
	p->matcher = slt_matcher_new(b->a);
	p->rule = slt_arena_alloc(b->a, (first->n + second->n + 1) * sizeof(*p->rule));
	add_rules(b, first);
	add_rules(b, second);
	slt_matcher_finish(p->matcher);
}

static void build_plans(const struct slt_flow *f, const struct slt_flow_country *c,
			struct slt_arena *a, struct slt_lint *lint, struct slt_plans *ret)
{
	static const struct slt_rules none = {NULL, 0};
	size_t n = f->n_kinds + 3 * f->n_messages;

	ret->to_pivot = slt_arena_alloc(a, (n + 1) * sizeof(*ret->to_pivot));
	ret->from_pivot = slt_arena_alloc(a, (n + 1) * sizeof(*ret->from_pivot));
	for (size_t i = 0; i < n; i++) {
		size_t m = i - f->n_kinds;
		const char *kind = i < f->n_kinds ? f->kind[i].id : f->message[m / 3].kind[m % 3];
		struct plan_builder to = {&ret->to_pivot[i], a, lint, f->id};
		struct plan_builder from = {&ret->from_pivot[i], a, lint, f->id};
		build_plan(&to, kind, &c->to_pivot, &none);
		build_plan(&from, kind, &f->rules, &c->from_pivot);
	}
	ret->n = n;
}

/* --- loading --- */

static void hash_part(struct slt_hasher *h, const char *name, const char *digest)
{
	slt_hasher_add(h, name, strlen(name) + 1);
	slt_hasher_add(h, digest, strlen(digest) + 1);
}

static bool load_countries(struct slt_mapset *s, const char *dir, struct slt_hasher *h,
			   struct slt_lint *lint)
{
	SLT_AUTO_STR char *pivot_dir = slt_path_join(dir, "pivot");
	SLT_AUTO_STR char *countries = slt_path_join(dir, "countries");
	const char *names[SLT_SET_COUNTRIES];
	size_t n = list_dirs(countries, s->arena, names, SLT_SET_COUNTRIES);
	bool good = slt_pivot_load(pivot_dir, s->arena, lint, &s->pivot);

	if (good) {
		hash_part(h, SLT_PIVOT, s->pivot->digest);
	}
	if (n < 2) {
		slt_lint_add(lint, countries, 0, "a set needs two countries at least");
	}
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *own = slt_path_join(countries, names[i]);
		struct slt_country *c = NULL;
		if (!slt_country_load(own, names[i], s->arena, lint, &c)) {
			good = false;
			continue;
		}
		hash_part(h, names[i], c->digest);
		s->country[s->n_countries++] = c;
		if (s->pivot) {
			slt_country_check(c, s->pivot, own, lint);
		}
	}
	return good;
}

static bool load_flows(struct slt_mapset *s, const char *dir, struct slt_hasher *h,
		       struct slt_lint *lint)
{
	SLT_AUTO_STR char *flows = slt_path_join(dir, "flows");
	const char *names[SLT_SET_FLOWS], *codes[SLT_SET_COUNTRIES];
	size_t n = list_dirs(flows, s->arena, names, SLT_SET_FLOWS);
	bool good = true;

	for (size_t i = 0; i < s->n_countries; i++) {
		codes[i] = s->country[i]->code;
	}
	for (size_t i = 0; i < n; i++) {
		SLT_AUTO_STR char *own = slt_path_join(flows, names[i]);
		struct slt_flow *f = NULL;
		if (!slt_flow_load(own, names[i], codes, s->n_countries, s->arena, lint, &f)) {
			good = false;
			continue;
		}
		slt_flow_check(f, s->pivot, lint);
		hash_part(h, names[i], f->digest);
		s->plans[s->n_flows] =
			slt_arena_alloc(s->arena, (f->n_countries + 1) * sizeof(**s->plans));
		for (size_t c = 0; c < f->n_countries; c++) {
			build_plans(f, &f->country[c], s->arena, lint, &s->plans[s->n_flows][c]);
		}
		s->flow[s->n_flows++] = f;
	}
	return good;
}

bool slt_mapset_check(const char *dir, struct slt_lint *lint, struct slt_mapset **ret)
{
	SLT_AUTO(slt_mapset_free) struct slt_mapset *s = slt_calloc(1, sizeof(*s));
	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(SLT_SHA256);
	SLT_AUTO_STR char *messages = slt_path_join(dir, "messages.tsv");
	bool good;

	atomic_init(&s->refs, 1);
	s->arena = slt_arena_new();
	good = slt_messages_load(messages, lint, &s->messages);
	if (good) {
		hash_part(h, "messages", slt_messages_digest(s->messages));
	}
	good &= load_countries(s, dir, h, lint);
	/* a flow's rules name lists of the pivot */
	good = good && load_flows(s, dir, h, lint);
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 2 * SLT_DIGEST_MAX + 1);
	slt_hasher_end(h, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	s->digest = slt_arena_strdup(s->arena, hex.p);
	if (good) {
		*ret = SLT_TAKE(s);
	}
	return good;
}

bool slt_mapset_load(const char *dir, struct slt_mapset **ret, struct slt_err *err)
{
	SLT_AUTO_LINT(lint);
	SLT_AUTO(slt_mapset_free) struct slt_mapset *s = NULL;
	bool good = slt_mapset_check(dir, &lint, &s);

	if (!slt_lint_finish(&lint, err)) {
		return false;
	}
	if (!good) {
		return slt_fail(err, SLT_ECONFIG, "%s is not a mapping set", dir);
	}
	*ret = SLT_TAKE(s);
	return true;
}

struct slt_mapset *slt_mapset_ref(struct slt_mapset *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

static void free_country(const struct slt_country *c)
{
	struct slt_country *own;

	/* const everywhere else: a set does not change once it is loaded */
	memcpy(&own, &c, sizeof(own));
	slt_country_free(own);
}

void slt_mapset_free(struct slt_mapset *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) {
		return;
	}
	for (size_t i = 0; i < s->n_countries; i++) {
		free_country(s->country[i]);
	}
	for (size_t i = 0; i < s->n_flows; i++) {
		slt_flow_fini(s->flow[i]);
	}
	slt_country_free(s->pivot);
	slt_messages_free(s->messages);
	slt_arena_free(s->arena);
	free(s);
}

/* --- asking --- */

const char *slt_mapset_digest(const struct slt_mapset *s)
{
	return s->digest;
}

const struct slt_country *slt_mapset_find_country(const struct slt_mapset *s, const char *code)
{
	for (size_t i = 0; i < s->n_countries; i++) {
		if (strcmp(s->country[i]->code, code) == 0) {
			return s->country[i];
		}
	}
	return NULL;
}

const struct slt_flow *slt_mapset_find_flow(const struct slt_mapset *s, const char *id,
					    const struct slt_plans **ret_plans)
{
	for (size_t i = 0; i < s->n_flows; i++) {
		if (strcmp(s->flow[i]->id, id) == 0) {
			if (ret_plans) {
				*ret_plans = s->plans[i];
			}
			return s->flow[i];
		}
	}
	return NULL;
}

void slt_mapset_limit(struct slt_mapset *s, uint32_t effective_from, uint32_t effective_to)
{
	s->effective_from = effective_from;
	s->effective_to = effective_to;
}

static bool in_force(uint32_t today, uint32_t from, uint32_t to)
{
	return today >= from && (to == 0 || today <= to);
}

bool slt_mapset_in_force(const struct slt_mapset *s, const char *from, const char *to,
			 int64_t now_ms, struct slt_err *err)
{
	const char *codes[] = {from, to};
	uint32_t today = slt_date_of_ms(now_ms);

	if (!in_force(today, s->effective_from, s->effective_to)) {
		char day[SLT_DATE_LEN];
		return slt_fail(err, SLT_FED_TRC_001, "the mapping set is not in force on %s",
				slt_date_format(today, day));
	}
	for (size_t i = 0; i < SLT_COUNT(codes); i++) {
		const struct slt_country *c = slt_mapset_find_country(s, codes[i]);
		char day[SLT_DATE_LEN];

		if (!c) {
			return slt_fail(err, SLT_ENOTFOUND, "the mapping set has no country %.16s",
					codes[i]);
		}
		if (!in_force(today, c->effective_from, c->effective_to)) {
			return slt_fail(err, SLT_FED_TRC_001,
					"version %s of the tables of %s is not in force on %s",
					c->version, c->code, slt_date_format(today, day));
		}
	}
	return true;
}

const char *slt_mapset_country(const struct slt_mapset *s, const char *instance,
			       const char **ret_environment)
{
	for (size_t i = 0; i < s->n_countries; i++) {
		const struct slt_country *c = s->country[i];
		for (size_t k = 0; k < c->n_instances; k++) {
			if (strcmp(c->instance[k].name, instance) == 0) {
				*ret_environment = slt_environments[c->instance[k].environment];
				return c->code;
			}
		}
	}
	return NULL;
}

static const struct slt_service *service_by_name(const struct slt_flow_country *c, const char *name)
{
	for (size_t i = 0; i < c->n_services; i++) {
		if (strcmp(c->service[i].name, name) == 0) {
			return &c->service[i];
		}
	}
	return NULL;
}

bool slt_mapset_service(const struct slt_mapset *s, const char *flow, const char *from,
			const char *to, const char *name, struct slt_map_service *ret,
			struct slt_err *err)
{
	const struct slt_flow *f = slt_mapset_find_flow(s, flow, NULL);
	const struct slt_flow_country *a = f ? slt_flow_country(f, from) : NULL;
	const struct slt_flow_country *b = f ? slt_flow_country(f, to) : NULL;

	if (!a || !b) {
		return slt_fail(err, SLT_EUNKNOWN_SERVICE,
				"the mapping set has no flow %.64s between %.16s and %.16s", flow,
				from, to);
	}
	const struct slt_service *near = service_by_name(a, name);
	const struct slt_service *far = near ? slt_flow_service(b, near->id) : NULL;
	if (!far) {
		return slt_fail(err, SLT_EUNKNOWN_SERVICE,
				"flow %s has no service %.64s of %s with a counterpart in %s", flow,
				name, from, to);
	}
	*ret = (struct slt_map_service){far->id, far->name, far->version};
	return true;
}

bool slt_mapset_offer_at(const struct slt_mapset *s, const char *flow, const char *from,
			 const char *to, size_t i, struct slt_map_offer *ret)
{
	const struct slt_flow *f = slt_mapset_find_flow(s, flow, NULL);
	const struct slt_flow_country *a = f ? slt_flow_country(f, from) : NULL;
	const struct slt_flow_country *b = f ? slt_flow_country(f, to) : NULL;

	for (size_t k = 0; a && b && k < a->n_services; k++) {
		const struct slt_service *v = &a->service[k];
		const struct slt_flow_message *m = slt_flow_message(f, v->id);
		if (!slt_flow_service(b, v->id) || i-- > 0) {
			continue;
		}
		*ret = (struct slt_map_offer){.name = v->name, .version = v->version};
		ret->json = m && m->format == SLT_MESSAGE_JSON;
		for (int w = 0; w < 2 && !ret->json; w++) {
			ret->uri[w] = v->element[w].uri;
			ret->element[w] = v->element[w].local;
		}
		return true;
	}
	return false;
}

static bool is_xml(const char *content_type)
{
	size_t n = strcspn(content_type, "; \t");
	SLT_AUTO_STR char *bare = slt_strndup(content_type, n);
	size_t len = strlen(bare);

	return slt_strcase_eq(bare, "text/xml") || slt_strcase_eq(bare, "application/xml") ||
	       (len > 4 && slt_strcase_eq(bare + len - 4, "+xml"));
}

enum slt_map_attachment slt_mapset_attachment(const struct slt_mapset *s, const char *flow,
					      const char *content_type)
{
	const struct slt_flow *f = slt_mapset_find_flow(s, flow, NULL);

	if (!f || !content_type) {
		return SLT_MAP_REFUSED;
	}
	if (slt_flow_passes(f, content_type)) {
		return SLT_MAP_PASSED;
	}
	return is_xml(content_type) ? SLT_MAP_MAPPED : SLT_MAP_REFUSED;
}

const char *slt_mapset_message(const struct slt_mapset *s, const char *key, const char *lang)
{
	return slt_message_or_key(s->messages, key, lang);
}
