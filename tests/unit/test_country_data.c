/* SPDX-License-Identifier: MIT */
/*
 * The tables of Finland and Estonia: they load, their counts are those of the lists they come from,
 * and every trap that the lists hold is decided as it should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mappings/lookup.h"

#define EXACT	 (1u << SLT_REL_EQUIVALENT)
#define NARROWER (EXACT | 1u << SLT_REL_NARROWER)
#define TODAY	 20261123u

static struct slt_arena *arena;
static struct slt_country *pivot, *fi, *ee;
static const char *product_name; /* of the document that rows with conditions look at */
static const char *document;

static struct slt_str field(void *arg, const char *name)
{
	const char *v = NULL;

	(void)arg;
	if (strcmp(name, "product.name") == 0) {
		v = product_name;
	} else if (strcmp(name, "document") == 0) {
		v = document;
	}
	return v ? (struct slt_str){v, strlen(v)} : (struct slt_str){NULL, 0};
}

static const struct slt_cond_fields fields = {.get = field, .arg = NULL};

static int load(void **state)
{
	SLT_AUTO_LINT(lint);

	(void)state;
	arena = slt_arena_new();
	bool ok = slt_pivot_load("mappings/pivot", arena, &lint, &pivot) &&
		  slt_country_load("mappings/countries/FI", "FI", arena, &lint, &fi) &&
		  slt_country_load("mappings/countries/EE", "EE", arena, &lint, &ee);
	if (ok) {
		slt_country_check(fi, pivot, "mappings/countries/FI", &lint);
		slt_country_check(ee, pivot, "mappings/countries/EE", &lint);
	}
	for (size_t i = 0; i < lint.n; i++) {
		print_error("%s\n", lint.v[i]);
	}
	return ok && lint.total == 0 ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	slt_country_free(fi);
	slt_country_free(ee);
	slt_country_free(pivot);
	slt_arena_free(arena);
	return 0;
}

static struct slt_lookup query(const char *list, const struct slt_country *from,
			       const struct slt_country *to, unsigned good, uint32_t date)
{
	return (struct slt_lookup){
		.from = slt_country_list(from, list),
		.pivot = slt_country_list(pivot, list),
		.to = slt_country_list(to, list),
		.from_language = slt_country_language(from),
		.to_language = slt_country_language(to),
		.date = date,
		.good = good,
		.assume = true,
		.fields = &fields,
	};
}

struct expect {
	const char *list;
	const char *code;
	const char *to; /* NULL: refused */
	enum slt_lookup_status status;
	unsigned good;
	uint32_t date;
};

static void check(const struct expect *e, const struct slt_country *from,
		  const struct slt_country *to)
{
	struct slt_lookup l = query(e->list, from, to, e->good, e->date ? e->date : TODAY);
	struct slt_coding c = {.code = e->code};
	struct slt_found f;
	enum slt_lookup_status s = slt_lookup(&l, &c, &f);

	if (s != e->status) {
		print_error("%s %s: %s\n", e->list, e->code, slt_lookup_status_text(s));
	}
	assert_int_equal(s, e->status);
	if (e->to) {
		assert_string_equal(f.to.code, e->to);
	}
}

#define CHECK_ALL(table, from, to)                                                                 \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < sizeof(table) / sizeof((table)[0]); i_++) {               \
			check(&(table)[i_], from, to);                                             \
		}                                                                                  \
	} while (0)

/* --- counts ---------------------------------------------------------------------------------- */

static const struct slt_table *table(const struct slt_country *c, const char *list)
{
	const struct slt_list *l = slt_country_list(c, list);

	assert_non_null(l);
	assert_non_null(l->table);
	return l->table;
}

/* How many different codes a table has, and how many of them reach the pivot and the other side. */
static void count(const struct slt_country *from, const struct slt_country *to, size_t *codes,
		  size_t *reach_pivot, size_t *reach_other)
{
	const struct slt_table *t = table(from, "doseform");
	struct slt_lookup l = query("doseform", from, to, EXACT, TODAY);

	*codes = *reach_pivot = *reach_other = 0;
	for (uint32_t i = 0; i < slt_table_rows(t); i++) {
		const char *code = slt_table_text(t, slt_table_row(t, i)->code);
		struct slt_coding c = {.code = code};
		struct slt_found f;
		if (slt_table_by_code(t, code) != i) {
			continue;
		}
		(*codes)++;
		*reach_pivot += slt_lookup_pivot(&l, &c, &f) == SLT_LOOKUP_FOUND;
		*reach_other += slt_lookup(&l, &c, &f) == SLT_LOOKUP_FOUND;
	}
}

static void dose_forms_are_all_there(void **state)
{
	size_t codes, reach_pivot, reach_other;

	(void)state;
	document = "eP";
	product_name = "Amlovirta";
	assert_int_equal(slt_table_rows(table(pivot, "doseform")), 642);
	count(fi, ee, &codes, &reach_pivot, &reach_other);
	assert_int_equal(codes, 271);
	assert_int_equal(reach_pivot, 229);
	assert_int_equal(reach_other, 225);
	count(ee, fi, &codes, &reach_pivot, &reach_other);
	assert_int_equal(codes, 610);
	assert_int_equal(reach_pivot, 555); /* 549 terms, six of them with two codes */
}

static void other_lists_are_all_there(void **state)
{
	(void)state;
	assert_int_equal(slt_table_rows(table(pivot, "container")), 79);
	assert_int_equal(slt_table_rows(table(pivot, "route")), 85);
	assert_int_equal(slt_table_rows(table(pivot, "presentation")), 51);
	assert_int_equal(slt_table_rows(table(pivot, "unit")), 889);
	assert_int_equal(slt_table_rows(table(pivot, "atc")), 6897);
	assert_int_equal(slt_table_rows(table(pivot, "role")), 39);
}

/* A row without source or reason would be a guess. */
static void every_row_says_why(void **state)
{
	const struct slt_country *country[] = {fi, ee};

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		for (size_t n = 0; n < country[c]->n_lists; n++) {
			const struct slt_table *t = country[c]->list[n].table;
			for (uint32_t i = 0; t && i < slt_table_rows(t); i++) {
				const struct slt_row *r = slt_table_row(t, i);
				assert_true(*slt_table_text(t, r->source));
				assert_true(*slt_table_text(t, r->justification));
				assert_true((r->relation == SLT_REL_NOT_RELATED) ==
					    !*slt_table_text(t, r->pivot_code));
			}
		}
	}
}

/* --- dose forms ------------------------------------------------------------------------------ */

static void forms_to_estonia(void **state)
{
	static const struct expect e[] = {
		{"doseform", "173", "738", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseform", "235", "1256", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseform", "330", "963", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseform", "349", "1189", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseform", "45", "997", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseform", "462", "1461", SLT_LOOKUP_FOUND, EXACT, 0}, /* a pen is no syringe */
		{"doseform", "66", "1448", SLT_LOOKUP_FOUND, EXACT, 0},
		/* the Finnish word is that of two EDQM terms; Fimea's own English name decides */
		{"doseform", "38", "921", SLT_LOOKUP_FOUND, EXACT, 0},
		/* EDQM term, but no Estonian code */
		{"doseform", "936", NULL, SLT_LOOKUP_NO_TARGET, EXACT, 0},
		{"doseform", "750", NULL, SLT_LOOKUP_NO_TARGET, EXACT, 0},
		{"doseform", "634", NULL, SLT_LOOKUP_NO_TARGET, EXACT, 0},
		{"doseform", "758", NULL, SLT_LOOKUP_NO_TARGET, EXACT, 0},
		/* no EDQM term: hard or soft is not said */
		{"doseform", "13", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "74", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "132", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		/* a near miss in spelling stays a miss; the standard spelling has its own code */
		{"doseform", "280", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "367", "1424", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseform", "99999", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "173 ", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
	};

	(void)state;
	document = "eP";
	product_name = "Amlovirta";
	CHECK_ALL(e, fi, ee);
}

/* Two Estonian codes for one term: the detailed one for products, the general one for substances.
 */
static void general_and_detailed_forms(void **state)
{
	static const struct {
		const char *fimea, *general, *detailed;
	} pair[] = {{"17", "10003", "746"},  {"29", "10004", "757"}, {"177", "10005", "789"},
		    {"143", "10014", "750"}, {"39", "10029", "786"}, {"173", "10000", "738"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		struct expect e = {"doseform",	     pair[i].fimea, pair[i].detailed,
				   SLT_LOOKUP_FOUND, EXACT,	    0};
		document = "eP";
		product_name = "Product";
		check(&e, fi, ee);
		document = "eD";
		product_name = NULL;
		check(&e, fi, ee);
		document = "list.response";
		check(&e, fi, ee);
		document = "eP";
		e.to = pair[i].general;
		check(&e, fi, ee);

		struct expect home = {"doseform",	pair[i].general, pair[i].fimea,
				      SLT_LOOKUP_FOUND, EXACT,		 0};
		product_name = "Product";
		check(&home, ee, fi);
		home.code = pair[i].detailed;
		check(&home, ee, fi);
	}
}

static void forms_to_finland(void **state)
{
	static const struct expect e[] = {
		{"doseform", "738", "173", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseform", "921", "38", SLT_LOOKUP_FOUND, EXACT, 0},
		/* a compressed lozenge is an imeskelytabletti, but not every one is compressed */
		{"doseform", "1487", NULL, SLT_LOOKUP_NOT_GOOD, EXACT, 0},
		{"doseform", "10001", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "10028", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "1824", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseform", "1047", NULL, SLT_LOOKUP_NO_TARGET, EXACT, 0}, /* ear tampon */
	};

	(void)state;
	document = "eP";
	product_name = "Kandesara";
	CHECK_ALL(e, ee, fi);
}

/* --- containers, units, routes --------------------------------------------------------------- */

static void containers(void **state)
{
	static const struct expect to_ee[] = {
		{"container", "9", "blister", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "11", "pudel", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "4", "viaal", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "23", "ribapakend", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "30", NULL, SLT_LOOKUP_NO_TARGET, NARROWER, 0},
		{"container", "13", NULL, SLT_LOOKUP_NO_TARGET, NARROWER, 0},
		/* words that nobody has verified are drafts, and drafts are not used */
		{"container", "14", NULL, SLT_LOOKUP_NO_TARGET, NARROWER, 0},
		{"container", "63", NULL, SLT_LOOKUP_NO_TARGET, NARROWER, 0},
		{"container", "20", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
	};
	static const struct expect to_fi[] = {
		{"container", "blister", "9", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "konteiner", "35", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "tuub", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
	};
	/* two Finnish containers for one term: the table says which is produced */
	static const struct expect home[] = {
		{"container", "8", "8", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "34", "8", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "21", "27", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"container", "27", "27", SLT_LOOKUP_FOUND, NARROWER, 0},
	};

	(void)state;
	CHECK_ALL(to_ee, fi, ee);
	CHECK_ALL(to_fi, ee, fi);
	CHECK_ALL(home, fi, fi);
}

static void units(void **state)
{
	static const struct expect to_ee[] = {
		{"unit", "mg", "mg", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "mikrog", "ug", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "ml", "mL", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "ky", "[IU]", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "kpl", "1", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "fol", "1", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"unit", "fol", NULL, SLT_LOOKUP_NOT_GOOD, EXACT, 0},
		{"unit", "yks", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"unit", "annos", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"unit", "MG", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"unit", "0", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"timeunit", "vrk", "d", SLT_LOOKUP_FOUND, EXACT, 0},
		{"timeunit", "kk", "mo", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseunit", "tabl", "{Tablet}", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseunit", "laastari", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
	};
	static const struct expect to_fi[] = {
		{"unit", "MG", "mg", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "MCG", "ug", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "G", "g", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "GRAMM", "g", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "RÜ", "[IU]", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "TK", "1", SLT_LOOKUP_FOUND, EXACT, 0},
		{"unit", "TABL", "1", SLT_LOOKUP_FOUND, NARROWER, 0},
		/* the list's own label contradicts the code */
		{"unit", "MCI", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		/* three codes with one label */
		{"unit", "TÜ", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"unit", "YH", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"unit", "ÜHIK", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		/* valid UCUM, but not in the value set */
		{"unit", "MBQ", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"unit", "GBQ", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		/* a number inside the unit */
		{"unit", "MG/5ML", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"unit", "AD 100ML", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"doseunit", "TA", "{Tablet}", SLT_LOOKUP_FOUND, EXACT, 0},
		{"doseunit", "PU", "{Actuation}", SLT_LOOKUP_FOUND, EXACT, 0}, /* replaced by MA */
		{"doseunit", "TL", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseunit", "SP", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseunit", "TY", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"doseunit", "TU", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"timeunit", "TU", "h", SLT_LOOKUP_FOUND, EXACT, 0},
		{"timeunit", "HM", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
	};

	(void)state;
	CHECK_ALL(to_ee, fi, ee);
	CHECK_ALL(to_fi, ee, fi);
}

static void quarter_is_three_months(void **state)
{
	struct slt_lookup l = query("timeunit", ee, fi, EXACT, TODAY);
	struct slt_coding c = {.code = "KV"};
	struct slt_found f;

	(void)state;
	assert_int_equal(slt_lookup(&l, &c, &f), SLT_LOOKUP_FOUND);
	assert_string_equal(f.to.code, "mo");
	assert_int_equal(f.factor_len, 1);
	assert_memory_equal(f.factor, "3", 1);
}

/* One word for two units: "laastari", "plaaster", "tamponi" stay open. */
static void units_of_presentation_collide(void **state)
{
	static const struct expect from_fi[] = {
		{"presentation", "tabletti", "tablett", SLT_LOOKUP_FOUND, EXACT, 0},
		{"presentation", "helmi", "pill", SLT_LOOKUP_FOUND, EXACT, 0},
		{"presentation", "tamponi", "tampoon", SLT_LOOKUP_FOUND, EXACT, 0},
		{"presentation", "pussi", NULL, SLT_LOOKUP_AMBIGUOUS, EXACT, 0},
	};
	struct slt_lookup l = query("presentation", fi, ee, EXACT, TODAY);
	struct slt_coding c = {.code = "laastari"};
	struct slt_found f;

	(void)state;
	CHECK_ALL(from_fi, fi, ee);
	assert_int_equal(slt_lookup_pivot(&l, &c, &f), SLT_LOOKUP_AMBIGUOUS);
}

static void routes(void **state)
{
	struct slt_lookup l = query("route", fi, ee, EXACT, TODAY);
	struct slt_coding oral = {.system = "antoreitti", .display = "suun kautta"};
	struct slt_coding skin = {.system = "antoreitti", .display = "Iholle"};
	struct slt_found f;

	(void)state;
	assert_int_equal(slt_lookup(&l, &oral, &f), SLT_LOOKUP_FOUND);
	assert_string_equal(f.to.code, "suukaudne");
	assert_string_equal(f.pivot.code, "20053000");
	assert_int_equal(slt_lookup(&l, &skin, &f), SLT_LOOKUP_NO_TARGET);
}

/* --- ATC ------------------------------------------------------------------------------------- */

static void atc_is_renumbered_by_date(void **state)
{
	static const struct expect e[] = {
		{"atc", "C08CA01", "C08CA01", SLT_LOOKUP_FOUND, EXACT, 0},
		{"atc", "L04AA27", "L04AE01", SLT_LOOKUP_FOUND, EXACT, 20231205},
		{"atc", "L04AA13", "L04AK01", SLT_LOOKUP_FOUND, EXACT, 20231231},
		{"atc", "L04AA29", "L04AF01", SLT_LOOKUP_FOUND, EXACT, 20230401},
		{"atc", "L04AE01", "L04AE01", SLT_LOOKUP_FOUND, EXACT, 20240101},
		/* a late user of the old code is led on by replaced_by */
		{"atc", "L04AA27", "L04AE01", SLT_LOOKUP_FOUND, EXACT, 20250601},
		{"atc", "N05CM19", "N05CJ01", SLT_LOOKUP_FOUND, EXACT, 0},
		{"atc", "Z99ZZ99", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"atc", "c08ca01", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"atc", "A11DB85", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
	};
	struct slt_lookup l = query("atc", fi, ee, EXACT, 20250601);
	struct slt_coding c = {.code = "L04AA27"};
	struct slt_found f;

	(void)state;
	CHECK_ALL(e, fi, ee);
	assert_int_equal(slt_lookup(&l, &c, &f), SLT_LOOKUP_FOUND);
	assert_string_equal(f.replaced_by, "L04AE01");
	l.date = 20231205;
	assert_int_equal(slt_lookup(&l, &c, &f), SLT_LOOKUP_FOUND);
	assert_null(f.replaced_by);
}

static void national_atc_is_narrower(void **state)
{
	static const struct expect e[] = {
		{"atc", "A11DB85", NULL, SLT_LOOKUP_NOT_GOOD, EXACT, 0},
		{"atc", "A11DB85", "A11DB", SLT_LOOKUP_FOUND, NARROWER, 0},
	};

	(void)state;
	CHECK_ALL(e, ee, fi);
}

/* --- small lists ------------------------------------------------------------------------------ */

static void small_lists(void **state)
{
	static const struct expect to_ee[] = {
		{"gender", "1", "M", SLT_LOOKUP_FOUND, EXACT, 0},
		{"gender", "2", "F", SLT_LOOKUP_FOUND, EXACT, 0},
		{"gender", "9", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"role", "034", "221", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"role", "034", NULL, SLT_LOOKUP_NOT_GOOD, EXACT, 0},
		{"confidentiality", "5", "N", SLT_LOOKUP_FOUND, EXACT, 0},
		{"confidentiality", "6", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"status", "VOIMASSA", "00", SLT_LOOKUP_FOUND, EXACT, 0},
		{"status", "TOIMITETTU", "10", SLT_LOOKUP_FOUND, EXACT, 0},
		{"status", "VARATTU", "20", SLT_LOOKUP_FOUND, EXACT, 0},
		{"status", "MITATOITY", "99", SLT_LOOKUP_FOUND, EXACT, 0},
		{"status", "voimassa", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"substitution", "N", "N", SLT_LOOKUP_FOUND, EXACT, 0},
		{"substitution", "true", "N", SLT_LOOKUP_FOUND, EXACT, 0},
		{"substitution", "false", "G", SLT_LOOKUP_FOUND, EXACT, 0},
		{"shape", "upotettu", "sees", SLT_LOOKUP_FOUND, EXACT, 0},
		{"document", "57833-6", "57833-6", SLT_LOOKUP_FOUND, EXACT, 0},
		{"title", "Lääkemääräys", "Retsept", SLT_LOOKUP_FOUND, EXACT, 0},
	};
	static const struct expect to_fi[] = {
		{"gender", "F", "2", SLT_LOOKUP_FOUND, EXACT, 0},
		{"gender", "UN", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
		{"role", "221", "221", SLT_LOOKUP_FOUND, EXACT, 0},
		{"role", "2262", "2262", SLT_LOOKUP_FOUND, EXACT, 0},
		{"role", "034", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"status", "0", "VOIMASSA", SLT_LOOKUP_FOUND, EXACT, 0},
		{"status", "00", "VOIMASSA", SLT_LOOKUP_FOUND, EXACT, 0},
		{"status", "30", "VARATTU", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"status", "99", "MITATOITY", SLT_LOOKUP_FOUND, EXACT, 0},
		{"status", "98", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"substitution", "KP05", "N", SLT_LOOKUP_FOUND, NARROWER, 0},
		{"substitution", "KP05", NULL, SLT_LOOKUP_NOT_GOOD, EXACT, 0},
		{"substitution", "KP10", NULL, SLT_LOOKUP_UNKNOWN_CODE, NARROWER, 0},
		{"discard", "AN06", "mistake", SLT_LOOKUP_FOUND, EXACT, 0},
		{"discard", "AN07", NULL, SLT_LOOKUP_UNKNOWN_CODE, EXACT, 0},
	};

	(void)state;
	CHECK_ALL(to_ee, fi, ee);
	CHECK_ALL(to_fi, ee, fi);
}

static void identifiers(void **state)
{
	(void)state;
	assert_string_equal(slt_country_identifier(fi, "patient", "1.2.246.21")->check, "hetu");
	assert_string_equal(
		slt_country_identifier(ee, "patient", "1.3.6.1.4.1.28284.6.2.2.1")->check,
		"isikukood");
	assert_null(slt_country_identifier(fi, "patient", "1.3.6.1.4.1.28284.6.2.2.1"));
	assert_non_null(
		slt_country_identifier(fi, "prescription", "1.2.246.10.98765430.93.2026.1"));
	assert_null(slt_country_identifier(fi, "prescription", "1.2.246.100"));
	assert_int_equal(ee->n_foreign, 1);
	assert_string_equal(ee->foreign[0].root, "1.3.6.1.4.1.28284.6.2.2.16.246.2");
	assert_int_equal(fi->n_foreign, 0); /* an isikukood keeps its root in Finland */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dose_forms_are_all_there),
		cmocka_unit_test(other_lists_are_all_there),
		cmocka_unit_test(every_row_says_why),
		cmocka_unit_test(forms_to_estonia),
		cmocka_unit_test(general_and_detailed_forms),
		cmocka_unit_test(forms_to_finland),
		cmocka_unit_test(containers),
		cmocka_unit_test(units),
		cmocka_unit_test(quarter_is_three_months),
		cmocka_unit_test(units_of_presentation_collide),
		cmocka_unit_test(routes),
		cmocka_unit_test(atc_is_renumbered_by_date),
		cmocka_unit_test(national_atc_is_narrower),
		cmocka_unit_test(small_lists),
		cmocka_unit_test(identifiers),
	};

	return cmocka_run_group_tests_name("country data", tests, load, unload);
}
