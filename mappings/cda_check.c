/* SPDX-License-Identifier: MIT */
/* What no rule would ever look at, and another reader of the document might. */
#include "mappings/walk.h"

#include <stdlib.h>
#include <string.h>

#define NS_DS "http://www.w3.org/2000/09/xmldsig#"

/* Element names of CDA release 2 with its data types and narrative, of the pharmacy extension, and
 * of the extension used up to wave 3 (with the parts of data types that stand in it), as their
 * schemas declare them; sorted. */
/* clang-format off */
static const char *const cda[] = {
	"ClinicalDocument", "act", "additionalLocator", "addr", "administrationUnitCode",
	"administrativeGenderCode", "approachSiteCode", "asMaintainedEntity",
	"asOrganizationPartOf", "assignedAuthor", "assignedAuthoringDevice",
	"assignedCustodian", "assignedEntity", "assignedPerson", "associatedEntity",
	"associatedPerson", "authenticator", "author", "authorization", "awarenessCode",
	"birthTime", "birthplace", "br", "buildingNumberSuffix", "caption", "careOf",
	"censusTract", "center", "city", "code", "col", "colgroup", "comp", "component",
	"componentOf", "confidentialityCode", "consent", "consumable", "content", "copyTime",
	"country", "county", "criterion", "custodian", "dataEnterer", "delimiter",
	"deliveryAddressLine", "deliveryInstallationArea", "deliveryInstallationQualifier",
	"deliveryInstallationType", "deliveryMode", "deliveryModeIdentifier", "denominator",
	"derivationExpr", "desc", "digits", "direction", "dischargeDispositionCode",
	"documentationOf", "doseQuantity", "effectiveTime", "encompassingEncounter",
	"encounter", "encounterParticipant", "entry", "entryRelationship", "ethnicGroupCode",
	"event", "expectedUseTime", "externalAct", "externalDocument", "externalObservation",
	"externalProcedure", "family", "footnote", "footnoteRef", "functionCode", "given",
	"guardian", "guardianOrganization", "guardianPerson", "head", "healthCareFacility",
	"high", "houseNumber", "houseNumberNumeric", "id", "inFulfillmentOf", "increment",
	"independentInd", "informant", "informationRecipient", "intendedRecipient",
	"interpretationCode", "item", "languageCode", "languageCommunication",
	"legalAuthenticator", "linkHtml", "list", "location", "lotNumberText", "low",
	"maintainingPerson", "manufacturedLabeledDrug", "manufacturedMaterial",
	"manufacturedProduct", "manufacturerModelName", "manufacturerOrganization",
	"maritalStatusCode", "maxDoseQuantity", "methodCode", "modeCode", "name", "nonXMLBody",
	"numerator", "observation", "observationMedia", "observationRange", "offset", "order",
	"organizer", "origin", "originalText", "paragraph", "parentDocument", "participant",
	"participantRole", "patient", "patientRole", "performer", "period", "phase", "place",
	"playingDevice", "playingEntity", "postBox", "postalCode", "precinct", "precondition",
	"preferenceInd", "prefix", "priorityCode", "procedure", "product",
	"proficiencyLevelCode", "providerOrganization", "qualifier", "quantity", "raceCode",
	"rateQuantity", "realmCode", "receivedOrganization", "recordTarget", "reference",
	"referenceRange", "regionOfInterest", "relatedDocument", "relatedEntity",
	"relatedPerson", "relatedSubject", "religiousAffiliationCode", "renderMultiMedia",
	"repeatNumber", "representedCustodianOrganization", "representedOrganization",
	"responsibleParty", "routeCode", "scale", "scopingEntity", "scopingOrganization",
	"section", "seperatableInd", "sequenceNumber", "serviceEvent",
	"serviceProviderOrganization", "setId", "signatureCode", "softwareName", "specimen",
	"specimenPlayingEntity", "specimenRole", "standardDeviation",
	"standardIndustryClassCode", "state", "statusCode", "streetAddressLine", "streetName",
	"streetNameBase", "streetNameType", "structuredBody", "sub", "subject",
	"substanceAdministration", "suffix", "sup", "supply", "table", "targetSiteCode",
	"tbody", "td", "telecom", "templateId", "text", "tfoot", "th", "thead", "thumbnail",
	"time", "title", "tr", "translation", "typeId", "unitID", "unitType", "useablePeriod",
	"validTime", "value", "versionNumber", "wholeOrganization", "width"};

static const char *const pharm[] = {
	"activeMoiety", "approval", "asContent", "asSpecializedKind", "assignedEntity",
	"assignedOrganization", "author", "capTypeCode", "capacityQuantity", "center",
	"characteristic", "code", "containerPackagedProduct", "definingSubstance",
	"denominator", "desc", "distributingOrganization", "expirationTime", "formCode",
	"generalizedMaterialKind", "governingAgency", "handlingCode", "high", "holder", "id",
	"indirectTargetOf", "ingredient", "ingredientSubstance", "low", "manufacturedProduct",
	"manufacturerOrganization", "name", "numerator", "observationGoal", "originalText",
	"part", "partProduct", "playingOrganization", "policy", "qualifier", "quantity",
	"realmCode", "replacement", "role", "subjectOf", "subjectOf1", "subjectOf2",
	"subjectOf3", "subjectOf4", "templateId", "territorialAuthority", "territory", "text",
	"time", "translation", "typeId", "value", "valuedItem", "width"};

static const char *const epsos[] = {
	"addr", "administerableMedicine", "approval", "asContent", "asDistributedProduct",
	"asManufacturedProduct", "asMedicineManufacturer", "asRelatedManufacturer",
	"asSpecializedKind", "asSubstanceManufacturer", "asSuperContent", "author",
	"capTypeCode", "capacityQuantity", "center", "characteristic", "code",
	"containedPackagedMedicine", "containerPackagedMedicine", "denominator", "desc",
	"distributingManufacturer", "effectiveTime", "expirationTime", "formCode",
	"generalizedMedicineClass", "governingCountry", "handlingCode", "high", "holder", "id",
	"ingredient", "lotNumberText", "low", "manufacturer", "medication", "name", "netAmt",
	"numerator", "observationGoal", "originalText", "part", "partMedicine",
	"playingManufacturer", "policy", "qualifier", "quantity", "representedManufacturer",
	"riskCode", "role", "stabilityTime", "statusCode", "subContent", "subIngredient",
	"subjectOf", "subjectOf1", "subjectOf2", "subjectOf3", "subjectOf4", "subjectOf5",
	"telecom", "territorialAuthority", "territory", "text", "time", "translation",
	"unitPriceAmt", "unitQuantity", "value", "valuedItem", "width"};
/* clang-format on */

static const struct {
	const char *uri;
	const char *const *name;
	size_t n;
} known[] = {
	{"urn:hl7-org:v3", cda, SLT_COUNT(cda)},
	{"urn:hl7-org:pharm", pharm, SLT_COUNT(pharm)},
	{"urn:epsos-org:ep:medication", epsos, SLT_COUNT(epsos)},
};

static int compare(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

static bool is_known(const xmlNode *e)
{
	const char *uri = e->ns ? (const char *)e->ns->href : "";

	for (size_t i = 0; i < SLT_COUNT(known); i++) {
		if (strcmp(known[i].uri, uri) == 0) {
			return bsearch((const char *)e->name, known[i].name, known[i].n,
				       sizeof(*known[i].name), compare) != NULL;
		}
	}
	return false;
}

static void refuse(struct slt_walk *w, const xmlNode *at, enum slt_code code, const char *detail)
{
	struct slt_map_problem p = {.rule = "cda",
				    .field = code == SLT_FED_SIG_002 ? "field.signature"
								     : "field.structure",
				    .place = slt_node_place(w, at),
				    .detail = detail};
	struct slt_trace_entry e = {
		.rule = "cda", .place = p.place, .outcome = SLT_OUT_REFUSED, .note = detail};

	slt_walk_trace(w, NULL, &e);
	slt_walk_problem(w, NULL, code, SLT_SEV_ERROR, &p);
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* An identifier of a code system or of a root is no other one with blanks around it; who trims them
 * sees what who does not trim them misses. */
static void check_attributes(struct slt_walk *w, const xmlNode *e)
{
	for (const xmlAttr *a = e->properties; a; a = a->next) {
		const char *name = (const char *)a->name;
		if (a->ns || (strcmp(name, "codeSystem") != 0 && strcmp(name, "root") != 0)) {
			continue;
		}
		const char *v = slt_path_value(w->arena, (const xmlNode *)(const void *)a);
		size_t n = v ? strlen(v) : 0;
		if (n > 0 && (is_blank(v[0]) || is_blank(v[n - 1]))) {
			refuse(w, (const xmlNode *)(const void *)a, SLT_FED_STR_002,
			       "blanks around an identifier");
		}
	}
}

static void check_element(struct slt_walk *w, const xmlNode *e, bool open)
{
	check_attributes(w, e);
	if (open || is_known(e)) {
		return;
	}
	if (slt_xml_is(e, NS_DS, "Signature")) {
		refuse(w, e, SLT_FED_SIG_002,
		       "a signature inside a document of this kind cannot be verified, and would "
		       "not hold once the document is translated");
		return;
	}
	refuse(w, e, SLT_FED_STR_002, "CDA and its extensions have no such element");
}

static const xmlNode *next_node(const xmlNode *n, const xmlNode *top)
{
	if (n->type == XML_ELEMENT_NODE && n->children) {
		return n->children;
	}
	while (n != top && !n->next) {
		n = n->parent;
	}
	return n == top ? NULL : n->next;
}

void slt_cda_check(struct slt_walk *w, bool shaped)
{
	/* a flow may mark documents in CDA's way whose words are its own */
	bool open = shaped || !is_known(w->root);

	for (const xmlNode *n = w->root; n; n = next_node(n, w->root)) {
		if (n->type == XML_ELEMENT_NODE) {
			check_element(w, n, open);
		} else if (n->type == XML_PI_NODE) {
			refuse(w, n, SLT_FED_STR_002, "a processing instruction");
		}
	}
}
