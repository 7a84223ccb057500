/* SPDX-License-Identifier: MIT */
#include "tests/instance/restsys.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define TEXT_MAX  (1u << 20)
#define BODY_MAX  (1ull << 40)
#define IN_MEMORY (256u << 10)

/* One request under way. */
struct work {
	struct slt_fhirsys *fhir;
	const struct slt_rest *in;
	const struct slt_attachment *body; /* NULL: none */
	struct slt_rest *head;
	struct slt_message *out;
};

/* --- answers ---------------------------------------------------------------------------------- */

static bool copy(const struct slt_spool *from, struct slt_spool *to, struct slt_hasher *hasher,
		 struct slt_err *err)
{
	SLT_AUTO_STR char *block = slt_calloc(1, 65536);
	uint64_t at = 0;
	for (size_t n = 1; n > 0; at += n) {
		if (!slt_spool_read(from, at, block, 65536, &n, err) ||
		    (to != NULL && !slt_spool_write(to, block, n, err))) {
			return false;
		}
		if (hasher != NULL) {
			slt_hasher_add(hasher, block, n);
		}
	}
	return true;
}

static bool start(struct work *k, int status, const char *reason, const char *type,
		  struct slt_err *err)
{
	k->head = slt_rest_new_response(status, reason);
	return (type == NULL || slt_rest_add(k->head, "Content-Type", type, err)) &&
	       slt_rest_add(k->head, "X-Test-Service", k->in->service.service, err);
}

/* Takes the object. */
static bool answer_json(struct work *k, int status, const char *reason, json_t *take_o,
			struct slt_err *err)
{
	char *text = json_dumps(take_o, JSON_COMPACT);
	json_decref(take_o);
	slt_assert(text != NULL);
	struct slt_spool *s = slt_spool_new(NULL, TEXT_MAX, TEXT_MAX);
	bool ok = slt_spool_write(s, text, strlen(text), err);
	free(text);
	if (!ok || !start(k, status, reason, "application/json; charset=utf-8", err)) {
		slt_spool_free(s);
		return false;
	}
	return slt_message_attach(k->out, SLT_REST_TYPE_BODY, "", s, err);
}

static void set(json_t *o, const char *name, json_t *take_value)
{
	slt_assert(json_object_set_new(o, name, take_value) == 0);
}

static bool answer_problem(struct work *k, int status, const char *reason, struct slt_err *err)
{
	json_t *o = json_object();
	set(o, "error", json_string(reason));
	return answer_json(k, status, reason, o, err);
}

/* --- echo ------------------------------------------------------------------------------------- */

static json_t *headers_json(const struct slt_rest *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_headers; i++) {
		json_t *pair = json_array();
		slt_assert(json_array_append_new(pair, json_string(r->header[i].name)) == 0);
		slt_assert(json_array_append_new(pair, json_string(r->header[i].value)) == 0);
		slt_assert(json_array_append_new(list, pair) == 0);
	}
	return list;
}

static bool echo_request(struct work *k, struct slt_err *err)
{
	SLT_AUTO(slt_hasher_free) struct slt_hasher *h = slt_hasher_new(SLT_SHA256);
	struct slt_digest d;
	SLT_AUTO_BUF(hex, 256);
	json_t *o;
	if (k->body != NULL && !copy(k->body->body, NULL, h, err)) {
		return false;
	}
	slt_hasher_end(h, &d);
	slt_buf_add_hex(&hex, d.v, d.n);
	o = json_object();
	set(o, "method", json_string(k->in->verb));
	set(o, "path", json_string(k->in->service_path));
	set(o, "query", k->in->query == NULL ? json_null() : json_string(k->in->query));
	set(o, "headers", headers_json(k->in));
	set(o, "body",
	    k->body == NULL ? json_null()
			    : json_integer((json_int_t)slt_spool_size(k->body->body)));
	set(o, "sha256", json_string(hex.p));
	return answer_json(k, 200, "OK", o, err);
}

static bool echo_body(struct work *k, struct slt_err *err)
{
	const char *type = slt_rest_header(k->in, "Content-Type");
	if (!start(k, 200, "OK", type, err)) {
		return false;
	}
	if (k->body == NULL) {
		return true;
	}
	struct slt_spool *s = slt_spool_new(NULL, IN_MEMORY, BODY_MAX);
	if (!copy(k->body->body, s, NULL, err)) {
		slt_spool_free(s);
		return false;
	}
	return slt_message_attach(k->out, SLT_REST_TYPE_BODY, "", s, err);
}

static bool echo(struct work *k, struct slt_err *err)
{
	static const char status[] = "/status/";
	const char *path = k->in->service_path;
	if (strcmp(path, "/body") == 0) {
		return echo_body(k, err);
	}
	if (strncmp(path, status, strlen(status)) != 0) {
		return echo_request(k, err);
	}
	long n = strtol(path + strlen(status), NULL, 10);
	if (n < 200 || n > 599) {
		return answer_problem(k, 400, "Bad Request", err);
	}
	if (n == 204 || n == 304) {
		return start(k, (int)n, "As asked", NULL, err);
	}
	return answer_problem(k, (int)n, "As asked", err);
}

/* --- register --------------------------------------------------------------------------------- */

static const struct {
	const char *id, *name, *atc;
} medicines[] = {
	{"1", "Testomed 10 mg tablets", "C09AA05"},
	{"2", "Proovisalv 1 % cream", "D07AC01"},
	{"3", "Koelääke 100 U/ml injection", "A10AE04"},
};

static json_t *medicine(size_t i)
{
	json_t *o = json_object();
	set(o, "id", json_string(medicines[i].id));
	set(o, "name", json_string(medicines[i].name));
	set(o, "atc", json_string(medicines[i].atc));
	return o;
}

static bool list_medicines(struct work *k, struct slt_err *err)
{
	json_t *list = json_array(), *o = json_object();
	for (size_t i = 0; i < SLT_COUNT(medicines); i++) {
		slt_assert(json_array_append_new(list, medicine(i)) == 0);
	}
	set(o, "medicines", list);
	return answer_json(k, 200, "OK", o, err);
}

/* The body as a JSON object, NULL when it is none; the caller's to json_decref(). */
static bool read_json(const struct work *k, json_t **ret, struct slt_err *err)
{
	json_error_t why;
	size_t n = 0;
	uint64_t size = k->body == NULL ? 0 : slt_spool_size(k->body->body);
	SLT_AUTO_STR char *text = slt_calloc(TEXT_MAX + 1, 1);
	*ret = NULL;
	if (size > TEXT_MAX) {
		return true;
	}
	if (size > 0 && !slt_spool_read(k->body->body, 0, text, TEXT_MAX, &n, err)) {
		return false;
	}
	json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(o)) {
		*ret = o;
	} else {
		json_decref(o);
	}
	return true;
}

static bool add_medicine(struct work *k, struct slt_err *err)
{
	json_t *o = NULL;
	if (!read_json(k, &o, err)) {
		return false;
	}
	if (!json_is_string(json_object_get(o, "name"))) {
		json_decref(o);
		return answer_problem(k, 400, "Bad Request", err);
	}
	set(o, "id", json_string("4"));
	return answer_json(k, 201, "Created", o, err) &&
	       slt_rest_add(k->head, "Location", "/medicines/4", err);
}

static bool register_of_medicines(struct work *k, struct slt_err *err)
{
	static const char all[] = "/medicines";
	const char *path = k->in->service_path, *verb = k->in->verb;
	if (strcmp(path, all) == 0) {
		return strcmp(verb, "GET") == 0 ? list_medicines(k, err)
		       : strcmp(verb, "POST") == 0
			       ? add_medicine(k, err)
			       : answer_problem(k, 405, "Method Not Allowed", err);
	}
	if (strncmp(path, all, strlen(all)) != 0 || path[strlen(all)] != '/') {
		return answer_problem(k, 404, "Not Found", err);
	}
	path += strlen(all) + 1;
	for (size_t i = 0; i < SLT_COUNT(medicines); i++) {
		if (strcmp(medicines[i].id, path) == 0) {
			return strcmp(verb, "GET") == 0
				       ? answer_json(k, 200, "OK", medicine(i), err)
			       : strcmp(verb, "DELETE") == 0
				       ? start(k, 204, "No Content", NULL, err)
				       : answer_problem(k, 405, "Method Not Allowed", err);
		}
	}
	return answer_problem(k, 404, "Not Found", err);
}

/* --- companies -------------------------------------------------------------------------------- */

static const struct {
	const char *member, *code, *text;
} companies[] = {
	/* clang-format off */
	{"yritysTunnus", "9900112-5",
	 "{\"yritysTunnus\":\"9900112-5\",\"toiminimi\":\"Koivurannan Saha Oyj\","
	 "\"yhtiomuoto\":{\"koodi\":\"OYJ\",\"selite\":\"Julkinen osakeyhtiö\"},\"tila\":\"REK\","
	 "\"rekisterointipaiva\":\"1987-03-02\",\"maa\":\"246\","
	 "\"toimipaikat\":[{\"kaupunki\":\"Turku\",\"maa\":\"246\"},{\"kaupunki\":\"Riga\",\"maa\":\"428\"}]}"},
	/* a foundation, which has no counterpart in Estonia */
	{"yritysTunnus", "9900113-3",
	 "{\"yritysTunnus\":\"9900113-3\",\"toiminimi\":\"Koivurannan säätiö\","
	 "\"yhtiomuoto\":{\"koodi\":\"SÄÄ\",\"selite\":\"Säätiö\"},\"tila\":\"REK\",\"maa\":\"246\"}"},
	{"registrikood", "99900111",
	 "{\"registrikood\":\"99900111\",\"arinimi\":\"Mereääre Puit OÜ\","
	 "\"oiguslikVorm\":{\"kood\":\"OÜ\",\"tekstina\":\"Osaühing\"},\"staatus\":\"L\",\"riik\":\"EST\"}"},
	/* clang-format on */
};

/* The code in the path, or in the parameter, of a request without a body. */
static const char *code_in_call(struct work *k, const char *member)
{
	return *k->in->service_path ? k->in->service_path + 1
				    : slt_rest_query_value(k->in->query ? k->in->query : "", member,
							   k->in->arena);
}

static bool register_of_companies(struct work *k, const char *member, struct slt_err *err)
{
	bool post = strcmp(k->in->verb, "POST") == 0;
	json_t *o = NULL;
	if (!post && strcmp(k->in->verb, "GET") != 0) {
		return answer_problem(k, 405, "Method Not Allowed", err);
	}
	if (post && !read_json(k, &o, err)) {
		return false;
	}
	const char *code =
		post ? json_string_value(json_object_get(o, member)) : code_in_call(k, member);
	const char *found = NULL;
	for (size_t i = 0; code != NULL && i < SLT_COUNT(companies); i++) {
		if (strcmp(companies[i].member, member) == 0 &&
		    strcmp(companies[i].code, code) == 0) {
			found = companies[i].text;
		}
	}
	bool asked = code != NULL;
	json_decref(o);
	return found != NULL ? answer_json(k, 200, "OK", json_loads(found, 0, NULL), err)
	       : asked	     ? answer_problem(k, 404, "Not Found", err)
			     : answer_problem(k, 400, "Bad Request", err);
}

static bool finnish_companies(struct work *k, struct slt_err *err)
{
	return register_of_companies(k, "yritysTunnus", err);
}

static bool estonian_companies(struct work *k, struct slt_err *err)
{
	return register_of_companies(k, "registrikood", err);
}

/* --- prescriptions in FHIR ---------------------------------------------------------------------
 */

/* Takes the answer's text. */
static bool answer_fhir(struct work *k, struct slt_fhir_answer *a, struct slt_err *err)
{
	SLT_AUTO_STR char *text = SLT_TAKE(a->text);
	struct slt_spool *s = slt_spool_new(NULL, IN_MEMORY, BODY_MAX);
	if (!slt_spool_write(s, text, strlen(text), err) ||
	    !start(k, a->status, a->reason, a->type, err)) {
		slt_spool_free(s);
		return false;
	}
	return slt_message_attach(k->out, SLT_REST_TYPE_BODY, "", s, err);
}

static bool fetch_fhir(struct work *k, struct slt_err *err)
{
	struct slt_fhir_answer a;
	slt_fhirsys_fetch(k->fhir, k->in, &a);
	return answer_fhir(k, &a, err);
}

static bool dispense_fhir(struct work *k, struct slt_err *err)
{
	struct slt_fhir_answer a;
	json_t *o = NULL;
	if (!read_json(k, &o, err)) {
		return false;
	}
	slt_fhirsys_dispense(k->fhir, k->in, o, &a);
	json_decref(o);
	return answer_fhir(k, &a, err);
}

/* --- the services ----------------------------------------------------------------------------- */

static const struct {
	const char *country, *name; /* country NULL: all */
	bool (*fn)(struct work *k, struct slt_err *err);
} services[] = {
	{NULL, "echo", echo},
	{NULL, "register", register_of_medicines},
	{"FI", "yritykset", finnish_companies},
	{"EE", "ettevotjad", estonian_companies},
	{"FI", "laakemaaraykset-fhir", fetch_fhir},
	{"FI", "laaketoimitus-fhir", dispense_fhir},
	{"EE", "valisretseptid-fhir", fetch_fhir},
	{"EE", "valisretseptiMyyk-fhir", dispense_fhir},
};

const char *slt_restsys_service(const char *country, size_t i)
{
	for (size_t k = 0; k < SLT_COUNT(services); k++) {
		bool here =
			services[k].country == NULL || strcmp(services[k].country, country) == 0;
		if (here && i-- == 0) {
			return services[k].name;
		}
	}
	return NULL;
}

bool slt_restsys_offers(const char *country, const char *service)
{
	const char *name;
	for (size_t i = 0; (name = slt_restsys_service(country, i)) != NULL; i++) {
		if (strcmp(name, service) == 0) {
			return true;
		}
	}
	return false;
}

bool slt_restsys_call(struct slt_fhirsys *fhir, const struct slt_rest *request,
		      const struct slt_message *message, struct slt_rest **ret_head,
		      struct slt_message **ret, struct slt_err *err)
{
	struct work k = {.fhir = fhir,
			 .in = request,
			 .body = message->n_attachments > 0 ? &message->attachment[0] : NULL,
			 .out = slt_message_new(SLT_REST)};
	bool ok = false;
	for (size_t i = 0; i < SLT_COUNT(services); i++) {
		if (strcmp(services[i].name, request->service.service) == 0) {
			ok = services[i].fn(&k, err);
		}
	}
	if (!ok) {
		slt_rest_free(k.head);
		slt_message_free(k.out);
		return false;
	}
	*ret_head = k.head;
	*ret = k.out;
	return true;
}
