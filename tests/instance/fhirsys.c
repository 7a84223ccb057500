/* SPDX-License-Identifier: MIT */
#include "tests/instance/fhirsys.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define BUNDLE_MAX (8u << 20)
#define RX_MAX	   1000

struct words { /* what differs between the countries */
	const char *country;
	const char *person; /* system of its personal codes */
	const char *form;   /* system of its dose forms */
	const char *patient_parameter, *rx_parameter;
};

static const struct words words[] = {
	{"FI", "urn:oid:1.2.246.21", "urn:oid:1.2.246.537.6.852", "patient.identifier",
	 "prescription"},
	{"EE", "https://fhir.ee/sid/pid/est/ni", "https://fhir.ee/CodeSystem/ravimvormid",
	 "patient", "identifier"},
};

struct rx {
	json_t *bundle;
	char *bytes;		  /* as it was read, every number as it is written */
	const struct rx *instead; /* whose Bundle is given out; NULL: its own */
	bool dispensed;
};

struct slt_fhirsys {
	const struct words *w;
	pthread_mutex_t lock;
	struct rx *rx;
	size_t n;
	json_t *dispensed; /* array */
};

/* --- reading Bundles -------------------------------------------------------------------------- */

/* The first resource of a type; NULL when there is none. */
static json_t *resource(const json_t *bundle, const char *type)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_object_get(bundle, "entry"), i, entry)
	{
		json_t *r = json_object_get(entry, "resource");
		const char *t = json_string_value(json_object_get(r, "resourceType"));
		if (t != NULL && strcmp(t, type) == 0) {
			return r;
		}
	}
	return NULL;
}

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s == NULL ? "" : s;
}

static const json_t *first(const json_t *o, const char *name)
{
	return json_array_get(json_object_get(o, name), 0);
}

/* Is the identifier what the token says, "system|value" or a value of any system? */
static bool is_named(const json_t *identifier, const char *token)
{
	const char *bar = strchr(token, '|'), *system = text(identifier, "system");
	size_t n = bar == NULL ? 0 : (size_t)(bar - token);
	if (bar != NULL && (strlen(system) != n || strncmp(system, token, n) != 0)) {
		return false;
	}
	return strcmp(text(identifier, "value"), bar == NULL ? token : bar + 1) == 0;
}

static bool same_identifier(const json_t *a, const json_t *b)
{
	return strcmp(text(a, "system"), text(b, "system")) == 0 &&
	       strcmp(text(a, "value"), text(b, "value")) == 0 && text(a, "value")[0] != '\0';
}

static const json_t *person_of(const json_t *bundle)
{
	return first(resource(bundle, "Patient"), "identifier");
}

static const json_t *name_of(const struct rx *rx)
{
	return first(resource(rx->bundle, "MedicationRequest"), "identifier");
}

/* The coding of the product's form. */
static const json_t *form_of(const json_t *about)
{
	return first(json_object_get(first(about, "contained"), "form"), "coding");
}

/* --- loading ---------------------------------------------------------------------------------- */

static bool load_file(struct slt_fhirsys *s, const char *dir, const char *name, struct slt_err *err)
{
	SLT_AUTO_STR char *path = slt_path_join(dir, name);
	SLT_AUTO_STR char *bytes = NULL;
	json_error_t why;
	size_t n = 0;
	if (!slt_file_read(path, BUNDLE_MAX, &bytes, &n, err)) {
		return false;
	}
	json_t *bundle = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &why);
	if (bundle == NULL) {
		return slt_fail(err, SLT_EINVAL, "%s: line %d: %s", path, why.line, why.text);
	}
	if (resource(bundle, "MedicationRequest") == NULL ||
	    resource(bundle, "MedicationDispense") != NULL ||
	    strcmp(text(person_of(bundle), "system"), s->w->person) != 0) {
		json_decref(bundle);
		return true;
	}
	s->rx = slt_realloc(s->rx, s->n + 1, sizeof(*s->rx));
	s->rx[s->n++] = (struct rx){.bundle = bundle, .bytes = SLT_TAKE(bytes)};
	return true;
}

static int is_json(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

static bool load(struct slt_fhirsys *s, const char *documents, struct slt_err *err)
{
	SLT_AUTO_STR char *dir = slt_path_join(documents, "fhir");
	struct dirent **names = NULL;
	if (!slt_file_exists(dir)) {
		return true;
	}
	int n = scandir(dir, &names, is_json, alphasort);
	if (n < 0) {
		return slt_fail_errno(err, SLT_EIO, "cannot list the documents in %s", dir);
	}
	bool ok = n <= RX_MAX ||
		  slt_fail(err, SLT_ELIMIT, "%s has more than %d documents", dir, RX_MAX);
	for (int i = 0; i < n; i++) {
		ok = ok && load_file(s, dir, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	return ok;
}

bool slt_fhirsys_new(const char *country, const char *documents, struct slt_fhirsys **ret,
		     struct slt_err *err)
{
	struct slt_fhirsys *s = slt_calloc(1, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->dispensed = json_array();
	for (size_t i = 0; i < SLT_COUNT(words); i++) {
		s->w = strcmp(words[i].country, country) == 0 ? &words[i] : s->w;
	}
	if (s->w != NULL && documents != NULL && !load(s, documents, err)) {
		slt_fhirsys_free(s);
		return false;
	}
	*ret = s;
	return true;
}

void slt_fhirsys_free(struct slt_fhirsys *s)
{
	if (s == NULL) {
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		json_decref(s->rx[i].bundle);
		free(s->rx[i].bytes);
	}
	free(s->rx);
	json_decref(s->dispensed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool wants_xml(const struct slt_rest *request)
{
	const char *accept = slt_rest_header(request, "Accept");
	return accept != NULL && strstr(accept, "xml") != NULL && strstr(accept, "json") == NULL;
}

static void answer(const struct slt_rest *request, int status, const char *reason, const json_t *o,
		   struct slt_fhir_answer *ret)
{
	*ret = (struct slt_fhir_answer){.status = status, .reason = reason};
	if (wants_xml(request)) {
		ret->type = "application/fhir+xml";
		ret->text = slt_asprintf("<%s xmlns=\"http://hl7.org/fhir\"/>",
					 text(o, "resourceType"));
		return;
	}
	ret->type = "application/fhir+json";
	ret->text = json_dumps(o, JSON_COMPACT);
	slt_assert(ret->text != NULL);
}

static void refuse(const struct slt_rest *request, int status, const char *reason, const char *code,
		   struct slt_fhir_answer *ret)
{
	json_t *o = json_pack("{ss s[{ss ss ss}]}", "resourceType", "OperationOutcome", "issue",
			      "severity", "error", "code", code, "diagnostics", reason);
	slt_assert(o != NULL);
	answer(request, status, reason, o, ret);
	json_decref(o);
}

/* --- the services ----------------------------------------------------------------------------- */

/* Nothing but the two parameters, each once. */
static bool is_call(const struct slt_fhirsys *s, const struct slt_rest *r)
{
	SLT_AUTO_STR char *both =
		slt_asprintf("%s=&%s=", s->w->patient_parameter, s->w->rx_parameter);
	const char *amp = strchr(both, '&'), *q = r->query == NULL ? "" : r->query;
	const char *other = strchr(q, '&');
	return strcmp(r->verb, "GET") == 0 && strcmp(r->service_path, "/Bundle") == 0 &&
	       other != NULL && strchr(other + 1, '&') == NULL &&
	       strncmp(q, both, (size_t)(amp - both)) == 0 && strncmp(other, amp, strlen(amp)) == 0;
}

static struct rx *find(struct slt_fhirsys *s, const char *patient, const char *id)
{
	for (size_t i = 0; patient != NULL && id != NULL && i < s->n; i++) {
		if (is_named(person_of(s->rx[i].bundle), patient) &&
		    is_named(name_of(&s->rx[i]), id)) {
			return &s->rx[i];
		}
	}
	return NULL;
}

void slt_fhirsys_fetch(struct slt_fhirsys *s, const struct slt_rest *request,
		       struct slt_fhir_answer *ret)
{
	if (!is_call(s, request)) {
		refuse(request, 400, "Bad Request", "invalid", ret);
		return;
	}
	const char *patient =
		slt_rest_query_value(request->query, s->w->patient_parameter, request->arena);
	const char *id = slt_rest_query_value(request->query, s->w->rx_parameter, request->arena);
	pthread_mutex_lock(&s->lock);
	const struct rx *rx = find(s, patient, id);
	if (rx == NULL) {
		refuse(request, 404, "Not Found", "not-found", ret);
	} else {
		rx = rx->instead == NULL ? rx : rx->instead;
		answer(request, 200, "OK", rx->bundle, ret);
		if (!rx->dispensed && !wants_xml(request)) {
			free(ret->text);
			ret->text = slt_strdup(rx->bytes);
		}
	}
	pthread_mutex_unlock(&s->lock);
}

static struct rx *find_ordered(struct slt_fhirsys *s, const json_t *bundle, const json_t *dispense)
{
	const json_t *order =
		json_object_get(first(dispense, "authorizingPrescription"), "identifier");
	for (size_t i = 0; i < s->n; i++) {
		if (same_identifier(person_of(s->rx[i].bundle), person_of(bundle)) &&
		    same_identifier(name_of(&s->rx[i]), order)) {
			return &s->rx[i];
		}
	}
	return NULL;
}

/* The form in the country's own list, and no more than was ordered. */
static bool fits(const struct slt_fhirsys *s, const struct rx *rx, const json_t *dispense)
{
	const json_t *ordered = resource(rx->bundle, "MedicationRequest");
	const json_t *form = form_of(dispense);
	double most = json_number_value(json_object_get(
		json_object_get(json_object_get(ordered, "dispenseRequest"), "quantity"), "value"));
	double given =
		json_number_value(json_object_get(json_object_get(dispense, "quantity"), "value"));
	return strcmp(text(form, "system"), s->w->form) == 0 &&
	       strcmp(text(form, "code"), text(form_of(ordered), "code")) == 0 && given > 0 &&
	       given <= most;
}

static void set_status(struct rx *rx, bool dispensed)
{
	rx->dispensed = dispensed;
	slt_assert(json_object_set_new(resource(rx->bundle, "MedicationRequest"), "status",
				       json_string(dispensed ? "completed" : "active")) == 0);
}

void slt_fhirsys_dispense(struct slt_fhirsys *s, const struct slt_rest *request,
			  const json_t *bundle, struct slt_fhir_answer *ret)
{
	const json_t *dispense = resource(bundle, "MedicationDispense");
	if (strcmp(request->verb, "POST") != 0 || request->service_path[0] != '\0' ||
	    request->query != NULL || dispense == NULL) {
		refuse(request, 400, "Bad Request", "invalid", ret);
		return;
	}
	pthread_mutex_lock(&s->lock);
	struct rx *rx = find_ordered(s, bundle, dispense);
	if (rx == NULL) {
		refuse(request, 404, "Not Found", "not-found", ret);
	} else if (rx->dispensed) {
		refuse(request, 409, "Conflict", "conflict", ret);
	} else if (!fits(s, rx, dispense)) {
		refuse(request, 422, "Unprocessable Entity", "business-rule", ret);
	} else {
		slt_assert(json_array_append_new(s->dispensed, json_deep_copy(bundle)) == 0);
		set_status(rx, true);
		answer(request, 201, "Created", bundle, ret);
	}
	pthread_mutex_unlock(&s->lock);
}

/* --- the administrator ------------------------------------------------------------------------ */

void slt_fhirsys_reset(struct slt_fhirsys *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n; i++) {
		set_status(&s->rx[i], false);
		s->rx[i].instead = NULL;
	}
	slt_assert(json_array_clear(s->dispensed) == 0);
	pthread_mutex_unlock(&s->lock);
}

static struct rx *named(struct slt_fhirsys *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++) {
		if (is_named(name_of(&s->rx[i]), id)) {
			return &s->rx[i];
		}
	}
	return NULL;
}

bool slt_fhirsys_mix_up(struct slt_fhirsys *s, const char *id, const char *other)
{
	pthread_mutex_lock(&s->lock);
	struct rx *rx = named(s, id);
	const struct rx *instead = named(s, other);
	if (rx != NULL && instead != NULL) {
		rx->instead = instead;
	}
	pthread_mutex_unlock(&s->lock);
	return rx != NULL && instead != NULL;
}

json_t *slt_fhirsys_report(struct slt_fhirsys *s)
{
	pthread_mutex_lock(&s->lock);
	json_t *copy = json_deep_copy(s->dispensed);
	pthread_mutex_unlock(&s->lock);
	return copy;
}
