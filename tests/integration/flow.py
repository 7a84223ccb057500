# SPDX-License-Identifier: MIT
"""The prescription flow between Estonia, the bridge and Finland: what passes, and what must not."""
import glob
import os
import sys
import xml.etree.ElementTree as ET

from tap import SHARED, SILTA, Cases, Evidence, Skip, World, command

from pharmacy import NS, Fault, Pharmacy, document, patients

SIGNATURE = "server.serverproxy.signature_verification."
FAR = "server.serverproxy.service_failed."
EDQM, TEHIK, FIMEA = "0.4.0.127.0.16.1.1.2.1", "1.3.6.1.4.1.28284.6.2.1.12", "1.2.246.537.6.852"


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}")


def holds(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def fault_of(function, *arguments, **how):
    try:
        function(*arguments, **how)
    except Fault as fault:
        return fault
    raise AssertionError("no fault")


class Flow:
    def __init__(self, world):
        self.world = world
        self.rows = patients()
        self.pharmacy = Pharmacy(world.endpoints)
        self.tablet = self.rows["fi-01-tablet.xml"]

    def reset(self):
        for country in ("EE", "FI"):
            self.world.admin(country, "/reset")

    def state_of(self, row):
        for r in self.pharmacy.list(row).findall("dr:retsept", NS):
            if r.find("dr:retseptiTunnus", NS).get("oid") == row["prescription_root"]:
                return r.find("dr:olek", NS).get("kood")
        return None

    def dispensations(self):
        return len(self.world.admin("FI", "/report")["dispensations"])

    # --- what passes ---

    def lists(self):
        rows = self.pharmacy.list(self.tablet).findall("dr:retsept", NS)
        equal(len(rows), 1)
        equal(rows[0].find("dr:retseptiTunnus", NS).get("oid"), self.tablet["prescription_root"])
        equal(rows[0].find("dr:olek", NS).get("kood"), "00")
        equal(rows[0].find("dr:ravimvorm", NS).get("nimetus").lower()[:7], "tablett")

    def fetches(self, name, inline):
        row = self.rows[name]
        doc = self.pharmacy.fetch(row, inline=inline)
        form = doc.find(".//pharm:formCode", NS)
        equal(form.get("codeSystem"), TEHIK)
        kept = [t.get("codeSystem") for t in form.iter() if t.tag.endswith("translation")]
        holds(kept, FIMEA)
        patient = doc.find("cda:recordTarget/cda:patientRole/cda:id", NS)
        equal(patient.get("root"), "1.3.6.1.4.1.28284.6.2.2.16.246.2")
        equal(patient.get("extension"), row["patient_code"])
        equal(doc.find("cda:languageCode", NS).get("code"), "et-EE")
        related = doc.find("cda:relatedDocument[@typeCode='XFRM']/cda:parentDocument/cda:id", NS)
        holds([related.get("root")], related.get("root"))
        return doc

    def every_prescription(self):
        refused = {"fi-07-no-form.xml": "FED-MAP-001", "fi-08-narcotic.xml": "FED-BUS-001"}
        for name in sorted(n for n in self.rows if n.startswith("fi-")):
            if name in refused:
                fault = fault_of(self.pharmacy.fetch, self.rows[name])
                holds(fault.code, refused[name])
            else:
                self.fetches(name, True)

    def the_refusal_can_be_acted_on(self):
        fault = fault_of(self.pharmacy.fetch, self.rows["fi-07-no-form.xml"])
        for language in ("[et] ", "[fi] ", "[en] "):
            holds(fault.text, language)
        equal(fault.code, FAR + "FED-MAP-001")

    def dispenses_and_discards(self, inline):
        self.reset()
        before = self.dispensations()
        sale, state = self.pharmacy.dispense(
            self.tablet, document("dispensation-ee-01.xml"), inline=inline
        )
        equal(state, "10")
        equal(self.state_of(self.tablet), "10")
        equal(self.dispensations(), before + 1)
        again = fault_of(self.pharmacy.dispense, self.tablet, document("dispensation-ee-01.xml"))
        equal(again.code.split(":")[-1], "EI_OLE_VALJASTATAV")
        holds(again.text, "EI_TOIMITETTAVISSA")
        equal(self.dispensations(), before + 1)
        equal(self.pharmacy.discard(self.tablet, sale), "00")
        equal(self.state_of(self.tablet), "00")
        gone = fault_of(self.pharmacy.discard, self.tablet, sale)
        equal(gone.code.split(":")[-1], "MYYKI_EI_LEITUD")

    def finland_gets_finnish_codes(self):
        self.reset()
        self.pharmacy.dispense(self.tablet, document("dispensation-ee-01.xml"))
        files = glob.glob(self.world.dir + "/FI/dispensations/*.xml")
        doc = ET.parse(max(files, key=os.path.getmtime)).getroot()
        root = doc if doc.tag.endswith("ClinicalDocument") else doc.find(".//cda:ClinicalDocument", NS)
        equal({f.get("codeSystem") for f in root.iterfind(".//pharm:manufacturedMaterial/pharm:formCode", NS)}
              | {f.get("codeSystem") for f in root.iterfind(".//cda:manufacturedMaterial/pharm:formCode", NS)},
              {FIMEA})
        patient = root.find("cda:recordTarget/cda:patientRole/cda:id", NS)
        equal((patient.get("root"), patient.get("extension")), ("1.2.246.21", self.tablet["patient_code"]))

    # --- what must not pass ---

    def refused(self, mode, code):
        before = self.dispensations()
        fault = fault_of(
            self.pharmacy.dispense,
            self.tablet,
            document("dispensation-ee-01.xml"),
            headers={"X-Test-Fault": mode},
        )
        if not fault.code.startswith(code):
            raise AssertionError(f"{fault.code}: {fault.text}, not {code}")
        equal(self.dispensations(), before)

    def changed_attachment(self):
        fault = fault_of(
            self.pharmacy.dispense,
            self.tablet,
            document("dispensation-ee-01.xml"),
            inline=False,
            headers={"X-Test-Fault": "changed-attachment"},
        )
        equal(fault.code, SIGNATURE + "malformed_signature.invalid_hash_chain")

    def answer_refused(self, mode, code):
        self.world.admin("FI", "/answer-fault", mode=mode, times=1)
        fault = fault_of(self.pharmacy.list, self.tablet)
        if not fault.code.startswith(code):
            raise AssertionError(f"{fault.code}: {fault.text}, not {code}")
        self.pharmacy.list(self.tablet)

    def twice(self):
        self.reset()
        before = self.dispensations()
        fault = fault_of(
            self.pharmacy.dispense,
            self.tablet,
            document("dispensation-ee-01.xml"),
            headers={"X-Test-Fault": "twice"},
        )
        holds(fault.code, "duplicate_message")
        equal(self.dispensations(), before + 1)

    def same_id_later(self):
        self.reset()
        doc = document("dispensation-ee-01.xml")
        sale, _ = self.pharmacy.dispense(self.tablet, doc, message_id="the-same-id-again")
        self.pharmacy.discard(self.tablet, sale)
        fault = fault_of(self.pharmacy.dispense, self.tablet, doc, message_id="the-same-id-again")
        holds(fault.code, "duplicate_message")

    def unknown_service(self):
        fault = fault_of(self.pharmacy.call, "midagiMuud", "", "unknown")
        equal(fault.code, "server.serverproxy.unknown_service")

    def unknown_prescription(self):
        row = dict(self.tablet, prescription_root=self.tablet["prescription_root"] + "9")
        equal(fault_of(self.pharmacy.fetch, row).code.split(":")[-1], "EI_LEITUD")

    def wrong_check_character(self):
        row = dict(self.tablet, patient_code=self.tablet["patient_code"][:-1] + "Y")
        fault = fault_of(self.pharmacy.list, row)
        equal(fault.code, FAR + "FED-ID-002")

    def provider_down(self):
        self.world.admin("FI", "/service", name="server", state="down")
        try:
            fault = fault_of(self.pharmacy.list, self.tablet)
            equal(fault.code, FAR + "network_error")
            holds(fault.text, "Proovige mõne minuti pärast uuesti")
        finally:
            self.world.admin("FI", "/service", name="server", state="up")
        self.pharmacy.list(self.tablet)

    def outcome_unknown(self):
        self.reset()
        self.world.admin("FI", "/answer-fault", mode="no-answer", times=1)
        fault = fault_of(self.pharmacy.dispense, self.tablet, document("dispensation-ee-01.xml"))
        equal(fault.code, FAR + "io_error")
        equal([p.get("code") for p in fault.detail.iter("{urn:silta:problems:1}problem")],
              ["FED-LNK-002"])
        holds(fault.text, "Ärge saatke uuesti")
        holds(fault.text, "Älä lähetä uudelleen")
        equal(self.dispensations(), 1)  # sent once, and not again
        log = command(SILTA, "log", "list", "--log", self.world.endpoints["silta"]["log"])
        holds(log, "unknown")

    # --- the bridge dies ---

    def restart(self):
        self.reset()
        seconds = self.world.kill_bridge()
        sale, state = self.pharmacy.dispense(self.tablet, document("dispensation-ee-01.xml"))
        equal(state, "10")
        print(f"# killed, and serving again after {seconds:.2f} s", flush=True)
        self.world.kill_bridge()
        equal(self.pharmacy.discard(self.tablet, sale), "00")

    # --- what pharmacies get ---

    def xsd(self):
        xsd = SHARED + "/vectors/eprescription/schema/cda_pharma_xsd_konateq.zip"
        if not os.path.exists(xsd):
            raise Skip("there is no ../shared")
        where = self.world.dir + "/xsd"
        command("unzip", "-qo", xsd, "-d", where)
        for name in sorted(n for n in self.rows if n.startswith("fi-")):
            if name in ("fi-07-no-form.xml", "fi-08-narcotic.xml"):
                continue
            ET.register_namespace("", NS["cda"])
            doc = self.pharmacy.fetch(self.rows[name])
            path = f"{where}/{name}"
            ET.ElementTree(doc).write(path, encoding="UTF-8")
            command("xmllint", "--noout", "--schema", where + "/CDA_Pharma.xsd", path)

    def no_secrets_in_the_log(self):
        text = "\n".join(self.world.log_lines())
        for row in self.rows.values():
            if row["patient_code"] in text or row["patient_name"] in text:
                raise AssertionError("a patient stands in the log")


def main():
    cases = Cases()
    world = World()
    try:
        f = Flow(world)
        evidence = Evidence(world)
        cases.run("a patient's prescriptions are listed", f.lists)
        cases.run("a prescription is fetched inline", f.fetches, "fi-01-tablet.xml", True)
        cases.run("a prescription is fetched as an attachment", f.fetches, "fi-01-tablet.xml", False)
        cases.run("every example prescription comes translated or is refused", f.every_prescription)
        cases.run("a refusal tells the pharmacist what to do, in three languages",
                  f.the_refusal_can_be_acted_on)
        cases.run("dispensed, not twice, discarded (inline)", f.dispenses_and_discards, True)
        cases.run("dispensed, not twice, discarded (attachment)", f.dispenses_and_discards, False)
        cases.run("the dispensation reaches Finland in Finnish codes", f.finland_gets_finnish_codes)
        f.reset()
        for mode, code in (
            ("unsigned", "server.serverproxy.missing_signature"),
            ("changed-byte", SIGNATURE + "invalid_signature_value"),
            ("wrong-member", SIGNATURE + "incorrect_certificate"),
            ("auth-key", SIGNATURE + "malformed_signature"),
            ("expired", SIGNATURE + "cannot_create_cert_path"),
            ("early", SIGNATURE + "cannot_create_cert_path"),
            ("revoked", SIGNATURE + "invalid_cert_path.cert_validation"),
            ("unknown-status", SIGNATURE + "invalid_cert_path.cert_validation"),
            ("unknown-ca", SIGNATURE + "internal_error"),
            ("forged-ca", SIGNATURE + "cannot_create_cert_path"),
            ("stale-ocsp", SIGNATURE + "invalid_cert_path.incorrect_validation_info"),
            ("no-ocsp", SIGNATURE + "malformed_signature"),
            ("tls-no-ocsp", "server.serverproxy.ssl_authentication_failed"),
            ("tls-stale-ocsp", "server.serverproxy.ssl_authentication_failed"),
            ("tls-unregistered", "server.serverproxy.ssl_authentication_failed"),
            ("client-not-allowed", "server.serverproxy.access_denied"),
            ("old-version", "server.serverproxy.client_proxy_version_not_supported"),
            ("bad-version", "server.serverproxy.internal_error"),
            ("no-version", "server.serverproxy."),
            ("no-hash-algorithm", "server.serverproxy.internal_error"),
            ("extra-part", "server.serverproxy.service_failed.invalid_message"),
        ):
            cases.run(f"request refused: {mode}", f.refused, mode, code)
        cases.run("request refused: changed-attachment", f.changed_attachment)
        for mode, code in (
            ("unsigned", FAR),
            ("changed-byte", FAR + "signature_verification.invalid_signature_value"),
            ("wrong-member", FAR + "signature_verification.incorrect_certificate"),
            ("stale-ocsp", FAR + "signature_verification.invalid_cert_path"),
            ("wrong-hash", FAR + "inconsistent_response"),
            ("no-hash", FAR + "inconsistent_response"),
            ("other-id", FAR + "inconsistent_response"),
            ("extra-part", FAR + "invalid_message"),
            ("truncated", FAR),
            ("http-404", FAR + "http_error"),
        ):
            cases.run(f"answer refused: {mode}", f.answer_refused, mode, code)
        cases.run("the same bytes twice are delivered once", f.twice)
        cases.run("a message id that was used is refused where it matters", f.same_id_later)
        cases.run("a service that is not there", f.unknown_service)
        cases.run("a prescription that is not there", f.unknown_prescription)
        cases.run("a personal code with a wrong check character", f.wrong_check_character)
        cases.run("the provider's server is down", f.provider_down)
        cases.run("no answer after sending: unknown, said so, not repeated", f.outcome_unknown)
        cases.run("the bridge is killed and comes back", f.restart)
        cases.run("what pharmacies receive is valid against the schema", f.xsd)
        cases.run("the log holds no patient", f.no_secrets_in_the_log)
        if world.close() != 0:
            cases.run("the programs end as told", lambda: equal("status", 0))
        cases.run("the evidence of every message verifies", evidence.verifies, 40)
        cases.run("an independent judge agrees", evidence.independent_judge)
        cases.run("the log proves itself", evidence.log_proves_itself)
    finally:
        if world.up.poll() is None:
            world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
