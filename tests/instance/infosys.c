/* SPDX-License-Identifier: MIT */
#include "tests/instance/infosys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "federation/fault.h"
#include "federation/multipart.h"
#include "federation/soap.h"
#include "tests/instance/httpd.h"
#include "tests/instance/rxstore.h"
#include "tests/instance/soapio.h"

#define ANSWER_MAX	(32u << 20)
#define FAULT_MAX	(64u << 10)
#define SERVICE_VERSION "v1"
#define CID		"dokument@instance"
#define NS_XOP		"http://www.w3.org/2004/08/xop/include"
#define XOP_TYPE	"application/xop+xml; charset=UTF-8; type=\"text/xml\""

struct slt_infosys {
	struct slt_infosys_options o;
	pthread_mutex_t lock; /* store */
	struct slt_rxstore *store;
};

/* One request under way. */
struct work {
	struct slt_infosys *s;
	const struct slt_country_words *w;
	struct slt_message *request;
	struct slt_soap *soap;
	const xmlNode *in; /* the request element */
	struct slt_arena *arena;
	const char *person_root, *person_code;
	struct slt_message *answer;
	xmlDoc *out;
	xmlNode *response;
	xmlNs *ns;
	const char *fault; /* national code; NULL: a technical failure */
};

/* --- small helpers ---------------------------------------------------------------------------- */

/* Codes and states are no personal data and say what is wrong; detail may be NULL. */
static bool refuse(struct work *k, enum slt_refusal why, const char *detail, struct slt_err *err)
{
	const struct slt_country_refusal *r = &k->w->refusal[why];
	k->fault = r->code;
	return detail == NULL ? slt_fail(err, SLT_SERVICE_FAILED, "%s", r->text)
			      : slt_fail(err, SLT_SERVICE_FAILED, "%s (%s)", r->text, detail);
}

static const char *attr(const struct work *k, const xmlNode *node, const char *name)
{
	return slt_xml_attr(k->arena, node, NULL, name);
}

static xmlNode *child(const struct work *k, const char *name)
{
	return slt_xml_child(k->in, k->w->ns, name);
}

static xmlNode *add(const struct work *k, xmlNode *parent, const char *name, const char *text)
{
	xmlNode *n = xmlNewChild(parent, k->ns, SLT_XML(name), NULL);
	slt_assert(n != NULL);
	if (text != NULL) {
		xmlNodeAddContent(n, SLT_XML(text));
	}
	return n;
}

static void set(xmlNode *node, const char *name, const char *value)
{
	slt_assert(xmlNewProp(node, SLT_XML(name), SLT_XML(value)) != NULL);
}

static void add_id(const struct work *k, xmlNode *parent, const char *name, const char *root,
		   const char *ext)
{
	xmlNode *n = add(k, parent, name, NULL);
	set(n, k->w->id_root, root);
	if (ext != NULL && ext[0] != '\0') {
		set(n, k->w->id_ext, ext);
	}
}

static void add_state(const struct work *k, xmlNode *parent, enum slt_rx_state s)
{
	const char *word = slt_rx_state_word(k->w, s);
	if (k->w->status_code != NULL) {
		set(add(k, parent, k->w->status, NULL), k->w->status_code, word);
	} else {
		(void)add(k, parent, k->w->status, word);
	}
}

/* --- what a request names --------------------------------------------------------------------- */

static bool read_person(struct work *k, struct slt_err *err)
{
	const xmlNode *n = child(k, k->w->person);
	k->person_root = n == NULL ? NULL : attr(k, n, k->w->person_root);
	k->person_code = n == NULL ? NULL : attr(k, n, k->w->person_code);
	if (k->person_root == NULL || k->person_code == NULL || k->person_code[0] == '\0') {
		return refuse(k, SLT_BAD_REQUEST, k->w->person, err);
	}
	/* the centre knows its own country's codes only */
	return strcmp(k->person_root, k->w->person_oid) == 0 ||
	       refuse(k, SLT_BAD_REQUEST, k->person_root, err);
}

static bool read_rx(struct work *k, struct slt_rx **ret, struct slt_err *err)
{
	const xmlNode *n = child(k, k->w->rx_id);
	const char *root = n == NULL ? NULL : attr(k, n, k->w->id_root);
	if (root == NULL) {
		return refuse(k, SLT_BAD_REQUEST, k->w->rx_id, err);
	}
	struct slt_rx *rx = slt_rxstore_find(k->s->store, root, attr(k, n, k->w->id_ext));
	/* another person's prescription is as good as none */
	if (rx == NULL || strcmp(rx->doc->person_code, k->person_code) != 0) {
		return refuse(k, SLT_NO_RX, NULL, err);
	}
	*ret = rx;
	return true;
}

/* --- list and fetch --------------------------------------------------------------------------- */

static void add_item(const struct work *k, const struct slt_rx *rx)
{
	const struct slt_country_words *w = k->w;
	const struct slt_rxdoc *d = rx->doc;
	xmlNode *item = add(k, k->response, w->item, NULL);
	add_id(k, item, w->rx_id, d->rx_root, d->rx_ext);
	add_state(k, item, rx->state);
	(void)add(k, item, w->issued, d->issued);
	(void)add(k, item, w->valid_until, d->valid_until);
	(void)add(k, item, w->product, d->product);
	xmlNode *atc = add(k, item, w->atc, NULL);
	set(atc, w->atc_code, d->atc);
	set(atc, w->atc_name, d->atc_name);
	xmlNode *form = add(k, item, w->dose_form, NULL);
	set(form, w->dose_code, d->form);
	set(form, w->dose_name, d->form_name);
	(void)add(k, item, w->strength, d->strength);
	(void)add(k, item, w->quantity, d->quantity);
}

static bool op_list(struct work *k, struct slt_err *err)
{
	struct slt_rx *rx;
	if (!read_person(k, err)) {
		return false;
	}
	for (size_t i = 0; (rx = slt_rxstore_at(k->s->store, i)) != NULL; i++) {
		if (strcmp(rx->doc->person_code, k->person_code) == 0) {
			add_item(k, rx);
		}
	}
	return true;
}

static bool attach(struct work *k, const struct slt_rx *rx, struct slt_err *err)
{
	struct slt_spool *s = slt_spool_new(NULL, SLT_RXDOC_MAX, SLT_RXDOC_MAX);
	if (!slt_spool_write(s, rx->bytes, rx->n_bytes, err)) {
		slt_spool_free(s);
		return false;
	}
	set(add(k, k->response, k->w->document_ref, NULL), "href", "cid:" CID);
	return slt_message_attach(k->answer, "text/xml; charset=UTF-8",
				  "Content-ID: <" CID ">\r\nContent-Transfer-Encoding: binary\r\n",
				  s, err);
}

static bool op_fetch(struct work *k, struct slt_err *err)
{
	struct slt_rx *rx = NULL;
	if (!read_person(k, err) || !read_rx(k, &rx, err)) {
		return false;
	}
	const struct slt_rx *given = rx->instead != NULL ? rx->instead : rx;
	const xmlNode *form = child(k, k->w->form);
	const char *how = form == NULL ? "" : slt_xml_text(k->arena, form);
	if (strcmp(how, k->w->form_attached) == 0) {
		return attach(k, given, err);
	}
	if (strcmp(how, k->w->form_inline) != 0) {
		return refuse(k, SLT_BAD_REQUEST, k->w->form, err);
	}
	xmlNode *holder = add(k, k->response, k->w->document, NULL);
	xmlNode *copy = xmlDocCopyNode(xmlDocGetRootElement(given->doc->doc), k->out, 1);
	slt_assert(copy != NULL && xmlAddChild(holder, copy) != NULL);
	return true;
}

/* --- dispense and cancel ---------------------------------------------------------------------- */

/* The element as a document of its own, with the namespaces that it had from its ancestors. */
static bool extract(xmlNode *element, struct slt_buf *out, struct slt_err *err)
{
	xmlDoc *doc = xmlNewDoc(SLT_XML("1.0"));
	xmlNode *copy = doc == NULL ? NULL : xmlDocCopyNode(element, doc, 1);
	slt_assert(copy != NULL);
	xmlDocSetRootElement(doc, copy);
	bool ok = slt_xml_dump(doc, NULL, true, out, err);
	slt_xml_free(doc);
	return ok;
}

static bool read_document(struct work *k, struct slt_buf *bytes, struct slt_rxdoc **ret,
			  struct slt_err *err)
{
	const xmlNode *holder = child(k, k->w->document);
	const xmlNode *ref = child(k, k->w->document_ref);
	xmlNode *element = holder == NULL ? NULL : slt_xml_first(holder);
	const char *href = ref == NULL ? NULL : attr(k, ref, "href");
	const struct slt_attachment *a = href == NULL ? NULL : slt_soapio_by_cid(k->request, href);
	struct slt_err why = SLT_ERR_INIT;
	if ((element == NULL) == (a == NULL)) {
		return refuse(k, SLT_BAD_REQUEST, k->w->document, err);
	}
	bool got =
		a != NULL ? slt_soapio_attachment(a, bytes, &why) : extract(element, bytes, &why);
	if (!got || !slt_rxdoc_read(bytes->p, bytes->n, k->w->no_export_list, k->w->no_export_codes,
				    ret, &why)) {
		return refuse(k, SLT_BAD_DOCUMENT, NULL, err);
	}
	return (*ret)->dispensation || refuse(k, SLT_BAD_DOCUMENT, NULL, err);
}

/* As many packages as were prescribed, at most. */
static bool check_quantity(struct work *k, const struct slt_rxdoc *prescribed,
			   const struct slt_rxdoc *sale, struct slt_err *err)
{
	char *end = NULL;
	double wanted = strtod(prescribed->quantity, NULL);
	double given = strtod(sale->quantity, &end);
	if (end == sale->quantity || *end != '\0' || !(given > 0) ||
	    (wanted > 0 && given > wanted)) {
		return refuse(k, SLT_BAD_QUANTITY, sale->quantity, err);
	}
	return true;
}

static bool check_fit(struct work *k, const struct slt_rx *rx, const struct slt_rxdoc *sale,
		      struct slt_err *err)
{
	const struct slt_rxdoc *d = rx->doc;
	if (strcmp(sale->person_root, k->person_root) != 0 ||
	    strcmp(sale->person_code, k->person_code) != 0) {
		return refuse(k, SLT_OTHER_PERSON, NULL, err);
	}
	if (strcmp(sale->rx_root, d->rx_root) != 0 || strcmp(sale->rx_ext, d->rx_ext) != 0) {
		return refuse(k, SLT_OTHER_RX, sale->rx_root, err);
	}
	if (!slt_rx_form_fits(d, sale)) {
		return refuse(k, SLT_OTHER_FORM, sale->form, err);
	}
	return check_quantity(k, d, sale, err);
}

static bool keep_document(const struct work *k, const struct slt_rx_sale *sale,
			  const struct slt_buf *bytes, struct slt_err *err)
{
	SLT_AUTO_STR char *name =
		slt_asprintf("%s%s%s.xml", sale->root, sale->ext == NULL ? "" : "-",
			     sale->ext == NULL ? "" : sale->ext);
	SLT_AUTO_STR char *path = slt_path_join(k->s->o.sales, name);
	return slt_file_write(path, bytes->p, bytes->n, 0600, err);
}

static bool op_dispense(struct work *k, struct slt_err *err)
{
	struct slt_rx *rx = NULL;
	SLT_AUTO(slt_rxdoc_free) struct slt_rxdoc *doc = NULL;
	SLT_AUTO_BUF(bytes, SLT_RXDOC_MAX);
	if (!read_person(k, err) || !read_rx(k, &rx, err)) {
		return false;
	}
	if (rx->state != SLT_RX_OPEN) {
		return refuse(k, SLT_NOT_OPEN, slt_rx_state_word(k->w, rx->state), err);
	}
	if (rx->doc->no_export) {
		return refuse(k, SLT_NO_EXPORT, NULL, err);
	}
	if (!read_document(k, &bytes, &doc, err) || !check_fit(k, rx, doc, err)) {
		return false;
	}
	SLT_AUTO_STR char *document = slt_asprintf("%s%s%s", doc->id_root,
						   doc->id_ext[0] == '\0' ? "" : "^", doc->id_ext);
	struct slt_rx_facts facts = {.document = document,
				     .client = slt_id_text(&k->soap->header.client, k->arena),
				     .message_id = k->soap->header.id,
				     .at_ms = slt_now_ms()};
	const struct slt_rx_sale *sale = slt_rxstore_dispense(k->s->store, rx, &facts);
	add_id(k, k->response, k->w->sale_id, sale->root, sale->ext);
	add_state(k, k->response, rx->state);
	return keep_document(k, sale, &bytes, err);
}

static bool op_cancel(struct work *k, struct slt_err *err)
{
	struct slt_rx *rx = NULL;
	if (!read_person(k, err) || !read_rx(k, &rx, err)) {
		return false;
	}
	const xmlNode *n = child(k, k->w->sale_id);
	const char *root = n == NULL ? NULL : attr(k, n, k->w->id_root);
	const char *ext = n == NULL ? NULL : attr(k, n, k->w->id_ext);
	if (root == NULL) {
		return refuse(k, SLT_BAD_REQUEST, k->w->sale_id, err);
	}
	if (child(k, k->w->reason) == NULL) {
		return refuse(k, SLT_BAD_REQUEST, k->w->reason, err);
	}
	if (!slt_rxstore_cancel(k->s->store, rx, root, ext)) {
		return refuse(k, SLT_NO_SALE, NULL, err);
	}
	add_id(k, k->response, k->w->sale_id, root, ext);
	add_state(k, k->response, rx->state);
	return true;
}

/* --- a request -------------------------------------------------------------------------------- */

typedef bool (*op_fn)(struct work *k, struct slt_err *err);

/* The attachments are named as they are meant to be found: with XOP in the place of their bytes,
 * otherwise by a reference. */
static void refer(struct work *k, const struct slt_attachment *a, bool xop)
{
	struct slt_str id = slt_soapio_cid(a);
	if (id.n == 0) {
		return;
	}
	SLT_AUTO_STR char *href = slt_asprintf("cid:%.*s", (int)id.n, id.p);
	xmlNode *n = add(k, k->response, k->w->document_ref, NULL);
	if (xop) {
		n = xmlNewChild(n, NULL, SLT_XML("Include"), NULL);
		slt_assert(n != NULL);
		xmlSetNs(n, xmlNewNs(n, SLT_XML(NS_XOP), SLT_XML("xop")));
	}
	set(n, "href", href);
}

/* Gives the attachments back, packaged as they came. */
static bool op_echo(struct work *k, struct slt_err *err)
{
	(void)err;
	struct slt_message *from = k->request, *to = k->answer;
	bool xop = slt_mime_is(from->content_type, "application/xop+xml");
	for (unsigned i = 0; i < from->n_attachments; i++) {
		refer(k, &from->attachment[i], xop);
	}
	if (xop) {
		free(to->content_type);
		free(to->headers);
		to->content_type = slt_strdup(XOP_TYPE);
		to->headers = slt_strdup("Content-ID: <root@instance>\r\n");
	}
	memcpy(to->attachment, from->attachment, from->n_attachments * sizeof(to->attachment[0]));
	to->n_attachments = from->n_attachments;
	from->n_attachments = 0;
	return true;
}

static op_fn find_op(const struct slt_country_words *w, const char *name)
{
	const struct {
		const char *name;
		op_fn fn;
	} ops[] = {
		{w->op_list, op_list},	   {w->op_fetch, op_fetch}, {w->op_dispense, op_dispense},
		{w->op_cancel, op_cancel}, {"echo", op_echo},
	};
	for (size_t i = 0; i < SLT_COUNT(ops); i++) {
		if (strcmp(ops[i].name, name) == 0) {
			return ops[i].fn;
		}
	}
	return NULL;
}

static void open_answer(struct work *k, const char *op)
{
	SLT_AUTO_STR char *name = slt_asprintf("%sResponse", op);
	k->answer = slt_message_new(SLT_SOAP);
	k->answer->content_type = slt_strdup("text/xml; charset=UTF-8");
	k->answer->headers = slt_strdup("");
	k->out = slt_soap_new_envelope();
	slt_soap_set_header(k->out, &k->soap->header);
	xmlNode *body = slt_xml_child(xmlDocGetRootElement(k->out), SLT_NS_SOAP, "Body");
	slt_assert(body != NULL);
	k->response = xmlNewChild(body, NULL, SLT_XML(name), NULL);
	k->ns = xmlNewNs(k->response, SLT_XML(k->w->ns), SLT_XML(k->w->prefix));
	slt_assert(k->ns != NULL);
	xmlSetNs(k->response, k->ns);
}

static bool handle(struct work *k, struct slt_err *err)
{
	if (k->soap->is_fault) {
		return slt_fail(err, SLT_EINVALID_SOAP, "a request cannot be a SOAP Fault");
	}
	const char *name = k->soap->header.service.service;
	op_fn op = find_op(k->w, name);
	k->in = k->soap->body_child;
	if (op == NULL || !slt_xml_is(k->in, k->w->ns, name)) {
		return slt_fail(err, SLT_EUNKNOWN_SERVICE, "there is no service %s of this form",
				name);
	}
	open_answer(k, name);
	pthread_mutex_lock(&k->s->lock);
	bool ok = op(k, err);
	pthread_mutex_unlock(&k->s->lock);
	SLT_AUTO_BUF(b, ANSWER_MAX);
	if (!ok || !slt_xml_dump(k->out, NULL, true, &b, err)) {
		return false;
	}
	slt_message_set_head(k->answer, b.p, b.n);
	return true;
}

static void answer_fault(const struct work *k, struct slt_request *r, const struct slt_err *err)
{
	SLT_AUTO_BUF(b, FAULT_MAX);
	slt_log_err(SLT_LOG_INFO, "The information system refused", err, NULL);
	slt_fault_soap(k->fault == NULL ? "soap:Server" : k->fault, err->msg, NULL, NULL, NULL, &b);
	slt_httpd_reply(r, 500, "text/xml; charset=UTF-8", slt_buf_str(&b));
}

void slt_infosys_handle(void *arg, struct slt_request *r, struct slt_str body)
{
	struct slt_infosys *s = arg;
	struct slt_err err = SLT_ERR_INIT;
	struct work k = {.s = s, .w = s->o.words, .arena = slt_arena_new()};
	if (slt_soapio_read(slt_request_header(r, "Content-Type"), body, &k.request, &k.soap,
			    &err) &&
	    handle(&k, &err)) {
		slt_soapio_respond(r, SLT_TAKE(k.answer));
	} else {
		answer_fault(&k, r, &err);
	}
	slt_soap_free(k.soap);
	slt_message_free(k.request);
	slt_message_free(k.answer);
	slt_xml_free(k.out);
	slt_arena_free(k.arena);
}

/* --- the whole -------------------------------------------------------------------------------- */

bool slt_infosys_new(const struct slt_infosys_options *o, struct slt_infosys **ret,
		     struct slt_err *err)
{
	struct slt_infosys *s = slt_calloc(1, sizeof(*s));
	s->o = *o;
	pthread_mutex_init(&s->lock, NULL);
	if (!slt_rxstore_load(o->words, o->documents, &s->store, err) ||
	    !slt_infosys_reset(s, err)) {
		slt_infosys_free(s);
		return false;
	}
	*ret = s;
	return true;
}

void slt_infosys_free(struct slt_infosys *s)
{
	if (s != NULL) {
		slt_rxstore_free(s->store);
		pthread_mutex_destroy(&s->lock);
		free(s);
	}
}

bool slt_infosys_offers(const struct slt_infosys *s, const char *service, const char *version)
{
	return version != NULL && strcmp(version, SERVICE_VERSION) == 0 &&
	       find_op(s->o.words, service) != NULL;
}

static json_t *id_json(const char *root, const char *ext)
{
	bool has = ext != NULL && ext[0] != '\0';
	return json_sprintf("%s%s%s", root, has ? "^" : "", has ? ext : "");
}

void slt_infosys_report(struct slt_infosys *s, struct slt_buf *out)
{
	json_t *list = json_array(), *sales = json_array();
	const struct slt_rx *rx;
	const struct slt_rx_sale *v;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; (rx = slt_rxstore_at(s->store, i)) != NULL; i++) {
		(void)json_array_append_new(
			list,
			json_pack("{so ss ss ss}", "id", id_json(rx->doc->rx_root, rx->doc->rx_ext),
				  "file", rx->file, "person", rx->doc->person_code, "state",
				  slt_rx_state_word(s->o.words, rx->state)));
	}
	for (size_t i = 0; (v = slt_rxstore_sale_at(s->store, i)) != NULL; i++) {
		(void)json_array_append_new(
			sales,
			json_pack("{so so ss ss ss sI sb}", "id", id_json(v->root, v->ext),
				  "prescription", id_json(v->rx->doc->rx_root, v->rx->doc->rx_ext),
				  "document", v->document, "client", v->client, "message_id",
				  v->message_id, "at_ms", (json_int_t)v->at_ms, "cancelled",
				  v->cancelled ? 1 : 0));
	}
	pthread_mutex_unlock(&s->lock);
	json_t *all = json_pack("{so so}", "prescriptions", list, "dispensations", sales);
	char *text = json_dumps(all, JSON_INDENT(1));
	slt_assert(text != NULL);
	slt_buf_adds(out, text);
	free(text);
	json_decref(all);
}

bool slt_infosys_reset(struct slt_infosys *s, struct slt_err *err)
{
	pthread_mutex_lock(&s->lock);
	slt_rxstore_reset(s->store);
	bool ok = slt_rm_tree(s->o.sales, err) && slt_mkdir_p(s->o.sales, 0700, err);
	pthread_mutex_unlock(&s->lock);
	return ok;
}

/* "root" or "root^extension" */
static struct slt_rx *find_by_id(struct slt_infosys *s, const char *id)
{
	size_t n = strcspn(id, "^");
	SLT_AUTO_STR char *root = slt_strndup(id, n);
	return slt_rxstore_find(s->store, root, id[n] == '^' ? id + n + 1 : NULL);
}

bool slt_infosys_mix_up(struct slt_infosys *s, const char *id, const char *other)
{
	pthread_mutex_lock(&s->lock);
	struct slt_rx *rx = find_by_id(s, id);
	const struct slt_rx *instead = find_by_id(s, other);
	if (rx != NULL && instead != NULL) {
		rx->instead = instead;
	}
	pthread_mutex_unlock(&s->lock);
	return rx != NULL && instead != NULL;
}

bool slt_infosys_set_status(struct slt_infosys *s, const char *id, const char *status)
{
	enum slt_rx_state state;
	if (!slt_rx_state_find(s->o.words, status, &state)) {
		return false;
	}
	pthread_mutex_lock(&s->lock);
	struct slt_rx *rx = find_by_id(s, id);
	if (rx != NULL) {
		rx->state = state;
	}
	pthread_mutex_unlock(&s->lock);
	return rx != NULL;
}
