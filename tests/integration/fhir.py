# SPDX-License-Identifier: MIT
"""Prescriptions and dispensations as FHIR Bundles over the running bridge, both ways: what comes
out is what the rules give offline, and what must not pass does not."""
import copy
import glob
import json
import os
import shutil
import sys
import tempfile
import urllib.parse
import zipfile

from tap import ROOT, SILTA, Cases, Evidence, World, command
from rest import Rest, equal

REFUSED = "server.serverproxy."
FAR = REFUSED + "service_failed."
DOCS = ROOT + "/examples/documents"
FHIR = DOCS + "/fhir/"
JSON = {"Content_Type": "application/fhir+json"}
OID = "urn:ietf:rfc:3986|urn:oid:"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation"

FETCH = {"EE": "valisretseptid-fhir", "FI": "laakemaaraykset-fhir"}
DISPENSE = {"EE": "valisretseptiMyyk-fhir", "FI": "laaketoimitus-fhir"}
QUERY = {"EE": ("patient", "identifier"), "FI": ("patient.identifier", "prescription")}

# as the country that asks names them, and as the one that answers does
SALLI = ("urn:oid:1.3.6.1.4.1.28284.6.2.2.16.246.2|120354-914K", "urn:oid:1.2.246.21|120354-914K")
INHALES = ("urn:oid:1.3.6.1.4.1.28284.6.2.2.16.246.2|191101A941R",
           "urn:oid:1.2.246.21|191101A941R")
ESTONIAN = ("urn:oid:1.3.6.1.4.1.28284.6.2.2.1|36802279845",
            "https://fhir.ee/sid/pid/est/ni|36802279845")
FI_01, FI_04 = (OID + "1.2.246.10.98765430.93.2026.100000" + n for n in "14")
EE_02 = "urn:oid:1.3.6.1.4.1.28284.6.2.4.4|9990000202.1"
# prescriptions of the first patient that are in Finland only in this test
STRANGE_FORM, STRANGE_UNIT, NARCOTIC, TWO_PATIENTS = (
    OID + "1.2.246.10.98765430.93.2026.100009" + n for n in "1234")


def bundle(name):
    with open(FHIR + name, encoding="utf-8") as f:
        return json.load(f)


def resource(b, kind):
    return next(e["resource"] for e in b["entry"] if e["resource"]["resourceType"] == kind)


def request_of(b):
    return resource(b, "MedicationRequest")


def product(b, kind="MedicationRequest"):
    return resource(b, kind)["contained"][0]


def codes(concept):
    return [(c["system"], c["code"]) for c in concept["coding"]]


def documents():
    """The example's documents, and beside them those that must not cross the border."""
    where = tempfile.mkdtemp(prefix="silta-fhir-")
    shutil.copytree(DOCS, where, dirs_exist_ok=True)
    good = bundle("fi-01-tablet.json")
    for name, change in ((STRANGE_FORM, strange_form), (STRANGE_UNIT, strange_unit),
                         (NARCOTIC, narcotic), (TWO_PATIENTS, two_patients)):
        b = copy.deepcopy(good)
        request_of(b)["identifier"][0]["value"] = name.split("|")[1]
        change(b)
        with open(f"{where}/fhir/{change.__name__}.json", "w", encoding="utf-8") as f:
            json.dump(b, f)
    return where


def strange_form(b):
    product(b)["form"]["coding"][0]["code"] = "9999"


def strange_unit(b):
    product(b)["amount"]["numerator"]["unit"] = "ämpäri"


def narcotic(b):
    request_of(b)["category"] = [
        {"coding": [{"system": "urn:oid:1.2.246.537.5.40118.2006", "code": "H"}]}]


def two_patients(b):
    resource(b, "Patient")["identifier"].append(
        {"system": "urn:oid:1.2.246.21", "value": INHALES[1].split("|")[1]})


def offline(name, from_country, to_country):
    """The rules alone."""
    return json.loads(command(
        SILTA, "map", "apply", "--mappings", ROOT + "/mappings", "--from", from_country,
        "--to", to_country, "--flow", "eprescription", "--message", "response", FHIR + name))


def rules_only(b):
    """Without what is new each time: the translated Bundle's own identifier, and who made it."""
    b = {k: v for k, v in b.items() if k not in ("id", "identifier")}
    b["entry"] = [e for e in b["entry"] if e["resource"]["resourceType"] != "Provenance"]
    return b


class Flow:
    def __init__(self, world):
        self.world = world
        self.rest = {c: Rest(world.endpoints, c) for c in ("EE", "FI")}

    def reset(self):
        for country in ("EE", "FI"):
            self.world.admin(country, "/reset")

    def fetch(self, country, patient, prescription, more="", **headers):
        p, i = QUERY[country]
        query = urllib.parse.urlencode({p: patient, i: prescription}) + more
        return self.rest[country].call("GET", FETCH[country], "/Bundle?" + query, **headers)

    def dispense(self, country, b, **headers):
        body = json.dumps(b) if isinstance(b, dict) else b
        return self.rest[country].call("POST", DISPENSE[country], "", body,
                                       **{**JSON, **headers})

    def refused(self, code, a):
        equal((a.status, a.error[:len(code)]), (500, code))
        equal(a.json()["type"][:len(code)], code)

    def sent(self, message_id, leg):
        """Head and body of a message of an exchange, out of its evidence."""
        out = f"{self.world.dir}/of-{message_id}"
        os.makedirs(out, exist_ok=True)
        command(SILTA, "log", "export", "--log", self.world.endpoints["silta"]["log"],
                "--message-id", message_id, "--out", out)
        (path,) = glob.glob(f"{out}/*-{leg}.asice")
        with zipfile.ZipFile(path) as z:
            body = z.read("attachment1") if "attachment1" in z.namelist() else None
            return z.read("message.xml").decode(), body

    def asked(self, head, country):
        """What the query of a signed request says."""
        (line,) = (x for x in head.split("\r\n") if f"/{FETCH[country]}/Bundle?" in x)
        return dict(urllib.parse.parse_qsl(line.split("?")[1]))

    # --- fetching ---

    def finnish_in_estonia(self):
        a = self.fetch("EE", SALLI[0], FI_01, x_road_id="fetch-fi-01")
        equal((a.status, a.error, a.headers["content-type"]), (200, "", "application/fhir+json"))
        equal(a.headers["x-road-service"], f"{self.rest['EE'].provider}/{FETCH['EE']}")
        b = a.json()
        equal(rules_only(b), rules_only(offline("fi-01-tablet.json", "FI", "EE")))
        patient = resource(b, "Patient")["identifier"][0]
        equal(f"{patient['system']}|{patient['value']}", SALLI[0])
        equal(codes(product(b)["form"]), [("https://fhir.ee/CodeSystem/ravimvormid", "738"),
                                          ("urn:oid:1.2.246.537.6.852", "173")])
        equal(product(b)["form"]["text"], "tabletti")
        equal(codes(product(b)["ingredient"][0]["itemCodeableConcept"])[0],
              ("https://fhir.ee/CodeSystem/atc-ee", "C08CA01"))
        amount = product(b)["amount"]["numerator"]
        equal((amount["code"], amount["extension"][0]["url"],
               amount["extension"][0]["valueQuantity"]["unit"]), ("1", TRANSLATION, "fol"))
        route = request_of(b)["dosageInstruction"][0]["route"]
        equal((codes(route)[0][1], route["text"]), ("suukaudne", "Suun kautta"))
        source = resource(b, "Provenance")["entity"][0]
        equal((source["role"], source["what"]["identifier"]),
              ("source", bundle("fi-01-tablet.json")["identifier"]))
        if b["identifier"] == bundle("fi-01-tablet.json")["identifier"]:
            raise AssertionError("the translated Bundle has the source's identifier")

    def what_finland_was_asked(self):
        head, body = self.sent("fetch-fi-01", "fi-request")
        equal(self.asked(head, "FI"), {"patient.identifier": SALLI[1], "prescription": FI_01})
        equal(body, None)
        _, answer = self.sent("fetch-fi-01", "fi-response")
        with open(FHIR + "fi-01-tablet.json", "rb") as f:
            equal(answer, f.read())

    def inhaler(self):
        a = self.fetch("EE", INHALES[0], FI_04)
        equal(rules_only(a.json()), rules_only(offline("fi-04-inhaler.json", "FI", "EE")))
        equal(a.body.count(b'"value":4.50'), 2)
        equal(request_of(a.json())["dosageInstruction"][0]["route"], {"text": "Inhalaatioon"})

    def estonian_in_finland(self):
        a = self.fetch("FI", ESTONIAN[0], EE_02, x_road_id="fetch-ee-02")
        b = a.json()
        equal((a.status, rules_only(b)), (200, rules_only(offline("ee-02-tablet.json", "EE", "FI"))))
        equal(codes(product(b)["form"]), [("urn:oid:1.2.246.537.6.852", "173"),
                                          ("https://fhir.ee/CodeSystem/ravimvormid", "738")])
        equal(codes(request_of(b)["dosageInstruction"][0]["route"])[0],
              ("http://standardterms.edqm.eu", "20053000"))
        equal(request_of(b)["substitution"]["allowedCodeableConcept"]["text"],
              "KP05 patsiendile on paremini talutav konkreetne ravim")
        head, _ = self.sent("fetch-ee-02", "ee-request")
        equal(self.asked(head, "EE"), {"patient": ESTONIAN[1], "identifier": EE_02})

    def bare_personal_code(self):
        a = self.fetch("EE", SALLI[0].split("|")[1], FI_01)
        equal((a.status, product(a.json())["form"]["coding"][0]["code"]), (200, "738"))
        self.refused(FAR + "FED-ID-001", self.fetch("EE", SALLI[0], FI_01.split("|")[1]))

    # --- dispensing ---

    def estonian_dispenses(self):
        b = bundle("dispensation-ee-01.json")
        a = self.dispense("EE", b, x_road_id="dispense-ee-01")
        equal((a.status, a.error, a.headers["content-type"]), (201, "", "application/fhir+json"))
        (kept,) = self.world.admin("FI", "/report-fhir")
        equal(rules_only(kept), rules_only(offline("dispensation-ee-01.json", "EE", "FI")))
        patient = resource(kept, "Patient")["identifier"][0]
        equal(f"{patient['system']}|{patient['value']}", SALLI[1])
        equal(codes(product(kept, "MedicationDispense")["form"]),
              [("urn:oid:1.2.246.537.6.852", "173"),
               ("https://fhir.ee/CodeSystem/ravimvormid", "738")])
        _, sent = self.sent("dispense-ee-01", "fi-request")
        equal(json.loads(sent), kept)
        # the answer is the Bundle that was kept, in Estonia's words again
        told = a.json()
        for of in ("MedicationDispense", "MedicationRequest"):
            equal(product(told, of)["form"]["coding"][0]["code"], "738")
        equal(resource(told, "Patient")["identifier"], resource(b, "Patient")["identifier"])
        equal(request_of(self.fetch("EE", SALLI[0], FI_01).json())["status"], "completed")

    def twice(self):
        a = self.dispense("EE", bundle("dispensation-ee-01.json"), x_road_id="dispense-again")
        self.outcome(a, 409, "conflict")
        equal(len(self.world.admin("FI", "/report-fhir")), 1)
        self.refused(REFUSED + "logging_failed.duplicate_message", self.dispense(
            "EE", bundle("dispensation-ee-01.json"), x_road_id="dispense-ee-01"))

    def finnish_dispenses(self):
        a = self.dispense("FI", bundle("dispensation-fi-01.json"))
        equal((a.status, a.error), (201, ""))
        (kept,) = self.world.admin("EE", "/report-fhir")
        equal(rules_only(kept), rules_only(offline("dispensation-fi-01.json", "FI", "EE")))
        patient = resource(kept, "Patient")["identifier"][0]
        equal(f"{patient['system']}|{patient['value']}", ESTONIAN[1])
        equal([c for _, c in codes(product(kept)["form"])], ["738", "173"])
        equal(product(a.json(), "MedicationDispense")["form"]["coding"][0]["code"], "173")
        equal(request_of(self.fetch("FI", ESTONIAN[0], EE_02).json())["status"], "completed")

    # --- the provider's own refusals ---

    def outcome(self, a, status, code):
        equal((a.status, a.error), (status, ""))
        equal(a.json()["resourceType"], "OperationOutcome")
        equal(a.json()["issue"][0]["code"], code)
        equal("x-road-request-hash" in a.headers, True)

    def provider_refuses(self):
        self.outcome(self.fetch("EE", SALLI[0], FI_01 + "9"), 404, "not-found")
        # another's prescription, as far as the provider knows, is none of this person's
        self.outcome(self.fetch("EE", INHALES[0], FI_01), 404, "not-found")
        self.outcome(self.fetch("FI", ESTONIAN[0], EE_02.replace("0202", "0203")), 404, "not-found")
        too_much = bundle("dispensation-ee-01.json")
        resource(too_much, "MedicationDispense")["quantity"]["value"] = 3
        self.outcome(self.dispense("EE", too_much), 422, "business-rule")

    # --- what the bridge refuses ---

    def answers_refused(self):
        for prescription, code in ((STRANGE_FORM, "FED-MAP-001"), (STRANGE_UNIT, "FED-MAP-001"),
                                   (NARCOTIC, "FED-BUS-001"), (TWO_PATIENTS, "FED-ID-003")):
            self.refused(FAR + code, self.fetch("EE", SALLI[0], prescription))

    def anothers_bundle(self):
        """The provider answers with a Bundle that nobody asked for."""
        self.world.admin("FI", "/mix-up", **{"id": FI_01, "with": FI_04})
        self.refused(FAR + "FED-ID-003", self.fetch("EE", SALLI[0], FI_01))
        self.world.admin("FI", "/mix-up", **{"id": FI_01, "with": STRANGE_FORM})
        self.refused(FAR + "FED-", self.fetch("EE", SALLI[0], FI_01))
        self.reset()
        equal(self.fetch("EE", SALLI[0], FI_01).status, 200)

    def calls_refused(self):
        unknown = FAR + "FED-STR-002"
        self.refused(unknown, self.fetch("EE", SALLI[0], FI_01, "&_format=json"))
        self.refused(unknown, self.fetch("EE", SALLI[0], FI_01, "&patient=1"))
        call = self.rest["EE"].call
        self.refused(unknown, call("GET", FETCH["EE"], "/Bundle"))
        self.refused(unknown, call("GET", FETCH["EE"], "/Bundle?identifier=1"))
        p, i = QUERY["FI"]  # Finland's words, from Estonia
        query = urllib.parse.urlencode({p: SALLI[0], i: FI_01})
        self.refused(unknown, call("GET", FETCH["EE"], "/Bundle?" + query))
        self.refused(REFUSED + "access_denied", call("GET", FETCH["EE"], "/Patient?" + query))
        self.refused(REFUSED + "access_denied", call("DELETE", FETCH["EE"], "/Bundle?" + query))
        for patient, code in (
            (SALLI[0][:-1] + "L", "FED-ID-002"),
            ("urn:oid:1.2.246.99|120354-914K", "FED-ID-001"),
            ("|120354-914K", "FED-ID-001"),
            (SALLI[0] + "," + INHALES[0], "FED-ID-001"),  # a search for either
            (SALLI[0] + ",x", "FED-ID-001"),
            ("", "FED-ID-001"),
        ):
            self.refused(FAR + code, self.fetch("EE", patient, FI_01))

    def dispensations_refused(self):
        good = bundle("dispensation-ee-01.json")

        def refused(code, change):
            b = copy.deepcopy(good)
            change(b)
            self.refused(FAR + code, self.dispense("EE", b))

        def dispense(b):
            return resource(b, "MedicationDispense")

        def form(b):
            product(b, "MedicationDispense")["form"]["coding"][0]["code"] = "9999"

        def person(b):
            resource(b, "Patient")["identifier"][0]["value"] = "120354-914L"

        def second(b):
            resource(b, "Patient")["identifier"].append({"system": SALLI[0].split("|")[0],
                                                         "value": INHALES[0].split("|")[1]})

        def for_another(b):
            dispense(b)["subject"]["identifier"]["value"] = INHALES[0].split("|")[1]

        def orders(b):
            more = copy.deepcopy(dispense(b)["authorizingPrescription"][0])
            more["identifier"]["value"] = FI_04.split("|")[1]
            dispense(b)["authorizingPrescription"].append(more)

        refused("FED-MAP-001", form)
        refused("FED-ID-002", person)
        refused("FED-ID-003", second)
        refused("FED-ID-003", for_another)
        refused("FED-ID-003", orders)
        refused("FED-STR-003", lambda b: dispense(b).pop("quantity"))
        refused("FED-STR-002", lambda b: b.update(type="searchset"))
        self.refused(FAR + "FED-STR-002", self.dispense("EE", bundle("ee-02-tablet.json")))
        self.refused(FAR + "FED-STR-002", self.dispense("EE", {"resourceType": "Patient"}))
        self.refused(FAR, self.dispense("EE", json.dumps(good)[:-1]))
        self.refused(REFUSED + "FED-STR-002", self.rest["EE"].call("POST", DISPENSE["EE"], ""))
        equal(self.world.admin("FI", "/report-fhir"), [])

    def xml_refused(self):
        self.refused(FAR + "FED-STR-002",
                     self.fetch("EE", SALLI[0], FI_01, Accept="application/fhir+xml"))
        xml = '<Bundle xmlns="http://hl7.org/fhir"/>'
        self.refused(FAR + "FED-STR-002",
                     self.dispense("EE", xml, Content_Type="application/fhir+xml"))
        self.refused(FAR + "FED-STR-002", self.dispense("EE", xml))
        self.refused(REFUSED + "invalid_content_type",
                     self.dispense("EE", bundle("dispensation-ee-01.json"),
                                   Content_Type="text/plain"))
        equal(self.world.admin("FI", "/report-fhir"), [])


def run(cases, f):
    cases.run("a Finnish prescription in Estonia, as the rules give it", f.finnish_in_estonia)
    cases.run("Finland was asked in its own words, and its Bundle is in the evidence",
              f.what_finland_was_asked)
    cases.run("a message Bundle; numbers as they were written", f.inhaler)
    cases.run("an Estonian prescription in Finland", f.estonian_in_finland)
    cases.run("a personal code without its system is told by its form", f.bare_personal_code)
    cases.run("what the provider refuses comes as it said it, signed", f.provider_refuses)
    cases.run("answers that the rules refuse", f.answers_refused)
    cases.run("another patient's Bundle, another prescription's", f.anothers_bundle)
    cases.run("calls that are none", f.calls_refused)
    cases.run("dispensations that the rules refuse", f.dispensations_refused)
    cases.run("XML where JSON is spoken", f.xml_refused)
    cases.run("an Estonian pharmacy dispenses a Finnish prescription", f.estonian_dispenses)
    cases.run("a second time it is refused, by the provider and by the bridge", f.twice)
    cases.run("a Finnish pharmacy dispenses an Estonian prescription", f.finnish_dispenses)


def main():
    cases = Cases()
    where = documents()
    world = World("--documents", where)
    evidence = Evidence(world)
    try:
        run(cases, Flow(world))
        if world.close() != 0:
            cases.run("the programs end as told", lambda: equal("status", 0))
        cases.run("the evidence of every message verifies", evidence.verifies, 60)
        cases.run("an independent judge agrees", evidence.independent_judge)
        cases.run("the log proves itself", evidence.log_proves_itself)
    finally:
        if world.up.poll() is None:
            world.close()
        world.remove()
        shutil.rmtree(where, ignore_errors=True)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
