/* SPDX-License-Identifier: MIT */
#include "base/conf.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "base/file.h"

#define CONF_PROBLEMS_MAX 200
#define CONF_FILE_MAX	  (4u << 20)

/* A group is libconfig's setting itself: the struct is never defined. */
struct slt_conf {
	config_t cfg;
	char *path, *dir;
	char **problems;
	size_t n_problems;
};

static const config_setting_t *setting(const struct slt_conf_group *g)
{
	return (const config_setting_t *)(const void *)g;
}

static const struct slt_conf_group *group(const config_setting_t *s)
{
	return (const struct slt_conf_group *)(const void *)s;
}

static char *dir_of(const char *path)
{
	SLT_AUTO_STR char *copy = slt_strdup(path);
	SLT_AUTO_STR char *real = realpath(dirname(copy), NULL);

	return slt_strdup(real ? real : ".");
}

/* libconfig reads a number of more than 31 bits without the suffix L as some other number. Returns
 * the line of one; 0 when there is none. Strings and comments are stepped over. */
static int bare_big_number(const char *p)
{
	int line = 1;

	while (*p) {
		if (*p == '"') {
			for (p++; *p && *p != '"'; p++) {
				line += *p == '\n';
				p += *p == '\\' && p[1] ? 1 : 0;
			}
			p += *p == '"';
		} else if (*p == '#' || (*p == '/' && p[1] == '/')) {
			p += strcspn(p, "\n");
		} else if (*p >= '0' && *p <= '9') {
			size_t n = strspn(p, "0123456789");
			long long v = strtoll(p, NULL, 10);
			if (v > INT32_MAX && p[n] != 'L' && p[n] != '.') {
				return line;
			}
			p += n;
		} else if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_') {
			p += strcspn(p, " \t\r\n=:;,(){}[]\"");
		} else {
			line += *p++ == '\n';
		}
	}
	return 0;
}

static bool read_file(struct slt_conf *c, struct slt_err *err)
{
	SLT_AUTO_STR char *text = NULL;
	size_t n;

	if (!slt_file_read(c->path, CONF_FILE_MAX, &text, &n, err)) {
		err->code = SLT_ECONFIG;
		return false;
	}
	int line = bare_big_number(text);
	if (line) {
		return slt_fail(err, SLT_ECONFIG,
				"%s:%d: a number beyond 2147483647 needs the suffix L", c->path,
				line);
	}
	FILE *f = fopen(c->path, "re");
	if (!f) {
		return slt_fail_errno(err, SLT_ECONFIG, "cannot open %s", c->path);
	}
	int ok = config_read(&c->cfg, f);
	fclose(f);
	if (!ok) {
		const char *file = config_error_file(&c->cfg);
		return slt_fail(err, SLT_ECONFIG, "%s:%d: %s", file ? file : c->path,
				config_error_line(&c->cfg), config_error_text(&c->cfg));
	}
	return true;
}

bool slt_conf_open(const char *path, struct slt_conf **ret, struct slt_err *err)
{
	SLT_AUTO(slt_conf_close) struct slt_conf *c = slt_calloc(1, sizeof(*c));

	config_init(&c->cfg);
	c->path = slt_strdup(path);
	c->dir = dir_of(path);
	config_set_include_dir(&c->cfg, c->dir);
	config_set_auto_convert(&c->cfg, CONFIG_FALSE);
	if (!read_file(c, err)) {
		return false;
	}
	*ret = SLT_TAKE(c);
	return true;
}

void slt_conf_close(struct slt_conf *c)
{
	if (!c) {
		return;
	}
	config_destroy(&c->cfg);
	for (size_t i = 0; i < c->n_problems; i++) {
		free(c->problems[i]);
	}
	free(c->problems);
	free(c->path);
	free(c->dir);
	free(c);
}

const struct slt_conf_group *slt_conf_root(const struct slt_conf *c)
{
	return group(config_root_setting(&c->cfg));
}

static config_setting_t *member(const struct slt_conf_group *g, const char *name)
{
	/* libconfig's member lookup is by path: a name of ours never has separators */
	return config_setting_get_member(setting(g), name);
}

bool slt_conf_has(const struct slt_conf_group *g, const char *name)
{
	return member(g, name) != NULL;
}

size_t slt_conf_group_count(const struct slt_conf_group *g, const char *name)
{
	const config_setting_t *s = member(g, name);

	if (!s) {
		return 0;
	}
	return config_setting_is_group(s) ? 1 : (size_t)config_setting_length(s);
}

const struct slt_conf_group *slt_conf_group_at(const struct slt_conf_group *g, const char *name,
					       size_t i)
{
	const config_setting_t *s = member(g, name);

	if (!s) {
		return NULL;
	}
	if (config_setting_is_group(s)) {
		return i == 0 ? group(s) : NULL;
	}
	return group(config_setting_get_elem(s, (unsigned)i));
}

int slt_conf_line(const struct slt_conf_group *g, const char *name)
{
	const config_setting_t *s = name ? member(g, name) : setting(g);

	return s ? (int)config_setting_source_line(s) : (int)config_setting_source_line(setting(g));
}

const char *slt_conf_file(const struct slt_conf_group *g)
{
	return config_setting_source_file(setting(g));
}

void slt_conf_problem(struct slt_conf *c, const struct slt_conf_group *g, const char *name,
		      const char *fmt, ...)
{
	SLT_AUTO_BUF(b, 2048);
	char text[1024];
	va_list ap;

	if (c->n_problems >= CONF_PROBLEMS_MAX) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	const char *file = slt_conf_file(g);
	slt_buf_addf(&b, "%s:%d: %s", file ? file : c->path, slt_conf_line(g, name), text);
	c->problems = slt_realloc(c->problems, c->n_problems + 1, sizeof(char *));
	c->problems[c->n_problems++] = slt_buf_take(&b, NULL);
}

size_t slt_conf_problem_count(const struct slt_conf *c)
{
	return c->n_problems;
}

const char *slt_conf_problem_at(const struct slt_conf *c, size_t i)
{
	return c->problems[i];
}

bool slt_conf_finish(const struct slt_conf *c, struct slt_buf *all, struct slt_err *err)
{
	if (c->n_problems == 0) {
		return true;
	}
	for (size_t i = 0; all && i < c->n_problems; i++) {
		slt_buf_addf(all, "%s\n", c->problems[i]);
	}
	if (c->n_problems == 1) {
		return slt_fail(err, SLT_ECONFIG, "%s", c->problems[0]);
	}
	return slt_fail(err, SLT_ECONFIG, "%s (and %zu more problems)", c->problems[0],
			c->n_problems - 1);
}

/* --- reading a group ---------------------------------------------------------------------- */

struct reader {
	struct slt_conf *c;
	const struct slt_conf_group *g;
	struct slt_arena *a;
	char *into;
};

/* Index of a word in "a|b|c"; -1 if it is not there. */
static int word_index(const char *words, const char *word)
{
	size_t n = strlen(word);
	int i = 0;

	for (const char *w = words;; i++) {
		size_t k = strcspn(w, "|");
		if (k == n && strncmp(w, word, n) == 0) {
			return i;
		}
		if (!w[k]) {
			return -1;
		}
		w += k + 1;
	}
}

static void set_int(const struct reader *r, const struct slt_conf_option *o, int64_t v)
{
	if (v < o->min || v > o->max) {
		slt_conf_problem(r->c, r->g, o->name, "%s must be between %lld and %lld, not %lld",
				 o->name, (long long)o->min, (long long)o->max, (long long)v);
		return;
	}
	memcpy(r->into + o->offset, &v, sizeof(v));
}

static void set_text(const struct reader *r, const struct slt_conf_option *o, const char *v)
{
	const char *s = slt_arena_strdup(r->a, v);

	if (o->type == SLT_CONF_ENUM) {
		int i = word_index(o->values, v);
		if (i < 0) {
			slt_conf_problem(r->c, r->g, o->name, "%s must be one of %s, not \"%s\"",
					 o->name, o->values, v);
			return;
		}
		memcpy(r->into + o->offset, &i, sizeof(i));
		return;
	}
	if (o->type == SLT_CONF_PATH && *v) {
		SLT_AUTO_STR char *full = slt_path_join(r->c->dir, v);
		s = slt_arena_strdup(r->a, full);
	}
	memcpy(r->into + o->offset, &s, sizeof(s));
}

static void set_strings(const struct reader *r, const struct slt_conf_option *o,
			const config_setting_t *s)
{
	struct slt_conf_strings list = {0};

	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		list.v = slt_arena_alloc(r->a, sizeof(char *));
		list.v[list.n++] = slt_arena_strdup(r->a, config_setting_get_string(s));
	} else if (config_setting_is_aggregate(s) && !config_setting_is_group(s)) {
		int n = config_setting_length(s);
		list.v = slt_arena_alloc(r->a, ((size_t)n + 1) * sizeof(char *));
		for (int i = 0; i < n; i++) {
			const char *v = config_setting_get_string_elem(s, i);
			if (!v) {
				slt_conf_problem(r->c, r->g, o->name,
						 "%s must be a list of strings", o->name);
				return;
			}
			list.v[list.n++] = slt_arena_strdup(r->a, v);
		}
	} else {
		slt_conf_problem(r->c, r->g, o->name, "%s must be a list of strings", o->name);
		return;
	}
	memcpy(r->into + o->offset, &list, sizeof(list));
}

static void set_value(const struct reader *r, const struct slt_conf_option *o,
		      const config_setting_t *s)
{
	int type = config_setting_type(s);
	const char *expected = NULL;

	switch (o->type) {
	case SLT_CONF_STRING:
	case SLT_CONF_PATH:
	case SLT_CONF_ENUM:
		if (type == CONFIG_TYPE_STRING) {
			set_text(r, o, config_setting_get_string(s));
		} else {
			expected = "a string in quotes";
		}
		break;
	case SLT_CONF_INT:
		if (type == CONFIG_TYPE_INT) {
			set_int(r, o, config_setting_get_int(s));
		} else if (type == CONFIG_TYPE_INT64) {
			set_int(r, o, config_setting_get_int64(s));
		} else {
			expected = "a whole number";
		}
		break;
	case SLT_CONF_BOOL:
		if (type == CONFIG_TYPE_BOOL) {
			bool v = config_setting_get_bool(s) != 0;
			memcpy(r->into + o->offset, &v, sizeof(v));
		} else {
			expected = "true or false";
		}
		break;
	case SLT_CONF_STRINGS:
		set_strings(r, o, s);
		break;
	case SLT_CONF_GROUPS:
		if (!config_setting_is_group(s) && !config_setting_is_list(s)) {
			expected = "a group { … } or a list of groups ( { … }, … )";
		}
		break;
	}
	if (expected) {
		slt_conf_problem(r->c, r->g, o->name, "%s must be %s", o->name, expected);
	}
}

static void set_fallback(const struct reader *r, const struct slt_conf_option *o)
{
	if (o->required) {
		slt_conf_problem(r->c, r->g, NULL, "%s is missing: %s", o->name, o->doc);
		return;
	}
	if (!o->fallback) {
		return;
	}
	if (o->type == SLT_CONF_INT) {
		set_int(r, o, strtoll(o->fallback, NULL, 10));
	} else if (o->type == SLT_CONF_BOOL) {
		bool v = strcmp(o->fallback, "true") == 0;
		memcpy(r->into + o->offset, &v, sizeof(v));
	} else if (o->type != SLT_CONF_STRINGS && o->type != SLT_CONF_GROUPS) {
		set_text(r, o, o->fallback);
	}
}

static void check_known(const struct reader *r, const struct slt_conf_option *options, size_t n)
{
	const config_setting_t *s = setting(r->g);
	int len = config_setting_length(s);

	for (int i = 0; i < len; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		const char *name = config_setting_name(e);
		bool known = false;
		for (size_t k = 0; k < n && !known; k++) {
			known = name && strcmp(name, options[k].name) == 0;
		}
		if (!known) {
			slt_conf_problem(r->c, r->g, name, "unknown option %s", name ? name : "?");
		}
	}
}

bool slt_conf_read(struct slt_conf *c, const struct slt_conf_group *g,
		   const struct slt_conf_option *options, size_t n_options, struct slt_arena *a,
		   void *into)
{
	struct reader r = {c, g, a, into};
	size_t before = c->n_problems;

	if (!g || !config_setting_is_group(setting(g))) {
		slt_conf_problem(c, g ? g : slt_conf_root(c), NULL, "expected a group { … }");
		return false;
	}
	check_known(&r, options, n_options);
	for (size_t i = 0; i < n_options; i++) {
		const config_setting_t *s = member(g, options[i].name);
		if (s) {
			set_value(&r, &options[i], s);
		} else {
			set_fallback(&r, &options[i]);
		}
	}
	return c->n_problems == before;
}

/* --- printing ----------------------------------------------------------------------------- */

static void print_string(struct slt_buf *out, const char *s)
{
	slt_buf_addc(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\') {
			slt_buf_addc(out, '\\');
		}
		slt_buf_addc(out, *s);
	}
	slt_buf_addc(out, '"');
}

static void print_word(struct slt_buf *out, const char *words, int i)
{
	for (; i > 0; i--) {
		words += strcspn(words, "|") + 1;
	}
	slt_buf_addc(out, '"');
	slt_buf_add(out, words, strcspn(words, "|"));
	slt_buf_addc(out, '"');
}

/* An option that was left out and has no default. */
static bool is_unset(const struct slt_conf_option *o, const void *from)
{
	const char *s;

	if (o->type != SLT_CONF_STRING && o->type != SLT_CONF_PATH) {
		return o->type == SLT_CONF_GROUPS;
	}
	memcpy(&s, (const char *)from + o->offset, sizeof(s));
	return s == NULL;
}

static void print_value(const struct slt_conf_option *o, const char *from, struct slt_buf *out)
{
	const char *at = from + o->offset;
	struct slt_conf_strings list;
	const char *s;
	int64_t i;
	int word;

	switch (o->type) {
	case SLT_CONF_STRING:
	case SLT_CONF_PATH:
		memcpy(&s, at, sizeof(s));
		print_string(out, s);
		break;
	case SLT_CONF_INT:
		memcpy(&i, at, sizeof(i));
		slt_buf_addf(out, "%lld%s", (long long)i, i > INT32_MAX ? "L" : "");
		break;
	case SLT_CONF_BOOL:
		slt_buf_adds(out, *(const bool *)(const void *)at ? "true" : "false");
		break;
	case SLT_CONF_ENUM:
		memcpy(&word, at, sizeof(word));
		print_word(out, o->values, word);
		break;
	case SLT_CONF_STRINGS:
		memcpy(&list, at, sizeof(list));
		slt_buf_addc(out, '(');
		for (size_t k = 0; k < list.n; k++) {
			slt_buf_adds(out, k ? ", " : "");
			print_string(out, list.v[k]);
		}
		slt_buf_addc(out, ')');
		break;
	case SLT_CONF_GROUPS:
		break;
	}
}

void slt_conf_print(const struct slt_conf_option *options, size_t n, const void *from,
		    unsigned indent, struct slt_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (is_unset(&options[i], from)) {
			continue;
		}
		for (unsigned k = 0; k < indent; k++) {
			slt_buf_addc(out, '\t');
		}
		slt_buf_addf(out, "%s = ", options[i].name);
		print_value(&options[i], from, out);
		slt_buf_adds(out, ";\n");
	}
}
