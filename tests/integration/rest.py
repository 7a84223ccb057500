# SPDX-License-Identifier: MIT
"""REST between Estonia, the bridge and Finland: what passes untouched, and what must not pass."""
import base64
import glob
import hashlib
import http.client
import json
import os
import random
import sys
import urllib.parse
import xml.etree.ElementTree as ET
import zipfile

from tap import SILTA, Cases, Evidence, World, command

from pharmacy import DOCS, Fault, Pharmacy, patients

REFUSED = "server.serverproxy."
FAR = REFUSED + "service_failed."
SIGNATURE = REFUSED + "signature_verification."
FINNISH = "http://reseptikeskus.example.fi/rajat-ylittava/1"

# beside the routes of examples/…/up: an echo of everything, each message id only once, and Finland's
# own services, whose messages the bridge does not touch
ROUTES = """
	{{ name = "echo"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  services = ( "echo" ); once = ( "echo" ); allow = ( "EE/{group}" ); deadline = 30; }},
	{{ name = "untouched"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  services = ( "HaeLaakemaaraykset", "HaeLaakemaarays" );
	  allow = ( "EE/{group}" ); deadline = 30; }},
	{{ name = "silent"; from = "FI"; to = "EE"; flow = "none"; target = "{back}";
	  services = ( "echo" ); represent = false; allow = ( "FI/{back_group}" ); deadline = 30; }},
"""


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}")


def holds(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


class Finnish(Pharmacy):
    """An Estonian pharmacy that speaks Finland's vocabulary."""

    def envelope(self, *arguments):
        text = super().envelope(*arguments)
        return text.replace("http://digiretsept.example.ee/piiriylene/1", FINNISH)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {}
        for name, value in response.getheaders():
            self.headers.setdefault(name.lower(), value)
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.headers.get("x-road-error", "")


class Rest:
    """An information system that speaks REST to its own security server."""

    def __init__(self, endpoints, country="EE"):
        self.address = urllib.parse.urlsplit(endpoints[country]["client"]).netloc
        self.client = endpoints[country]["members"]["pharmacy"]["subsystem"]
        self.provider = endpoints[country]["members"]["bridge"]["subsystem"]

    def call(self, method, service, path="", body=None, **headers):
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        names.setdefault("X-Road-Client", self.client)
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, f"/r1/{self.provider}/{service}{path}", body, names)
            return Answer(connection.getresponse())
        finally:
            connection.close()


class Flow:
    def __init__(self, world):
        self.world = world
        self.rest = Rest(world.endpoints)
        self.calls = 0

    def add_routes(self):
        e = self.world.endpoints
        path = e["silta"]["config"]
        with open(path, encoding="utf-8") as f:
            text = f.read()
        more = ROUTES.format(
            target=e["FI"]["members"]["centre"]["subsystem"],
            group=e["EE"]["groups"]["pharmacies"],
            back=e["EE"]["members"]["centre"]["subsystem"],
            back_group=e["FI"]["groups"]["pharmacies"],
        )
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("routes = (", "routes = (" + more, 1))
        command(SILTA, "check", "-c", path)
        self.world.kill_bridge()

    # --- what passes ---

    def gets(self):
        a = self.rest.call("GET", "register", "/medicines", Accept="application/json")
        equal(a.status, 200)
        equal([m["id"] for m in a.json()["medicines"]], ["1", "2", "3"])
        equal(a.headers["x-test-service"], "register")
        equal(a.headers["x-road-client"], self.rest.client)
        equal(a.headers["x-road-service"], self.rest.provider + "/register")
        equal(a.headers["x-road-id"][:3], "EE-")
        equal(len(base64.b64decode(a.headers["x-road-request-hash"])), 64)
        one = self.rest.call("GET", "register", "/medicines/3")
        equal(one.json()["name"], "Koelääke 100 U/ml injection")

    def the_other_way(self):
        back = Rest(self.world.endpoints, "FI")
        equal(back.call("GET", "register", "/medicines/1").json()["id"], "1")
        told = dict(map(tuple, back.call("GET", "echo", x_road_userid="1").json()["headers"]))
        equal(told["x-road-userid"], "FI1")
        if "x-road-represented-party" in told:
            raise AssertionError(told)

    def posts(self):
        medicine = {"name": "Uus ravim", "atc": "A01AA01"}
        a = self.rest.call("POST", "register", "/medicines", json.dumps(medicine),
                           Content_Type="application/json")
        equal(a.status, 201)
        equal(a.headers["location"], "/medicines/4")
        equal(a.headers["content-type"], "application/json; charset=utf-8")
        equal(a.json(), {**medicine, "id": "4"})

    def every_method(self):
        for method in ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"):
            equal(self.rest.call(method, "echo", "/x").json()["method"], method)
        a = self.rest.call("HEAD", "echo", "/x")
        equal((a.status, a.body), (200, b""))
        body = b"<a/>"
        told = self.rest.call("DELETE", "echo", "/x", body, Content_Type="text/xml").json()
        equal((told["body"], told["sha256"]), (4, hashlib.sha256(body).hexdigest()))

    def path_and_query(self):
        for path, query in (
            ("", None),
            ("/", None),
            ("/a%20b/%C3%A4%2fc;v=1/@:+$,(x)!*'=&~", "q=%C3%B5&r=[1]/?&s=a+b%2B"),
            ("/a//b/", "x"),
            ("/%25/a%2Eb", "../.."),
        ):
            told = self.rest.call("GET", "echo", path + ("?" + query if query else "")).json()
            equal((told["path"], told["query"]), (path, query))

    def headers(self):
        e = self.world.endpoints
        a = self.rest.call(
            "GET", "echo", x_road_id="id 1/ä".encode(), X_Road_UserId="123", x_road_issue="asi 7",
            X_Road_Represented_Party="COM/99", Accept="a/b", X_Own="õ;\"1\"".encode(),
            X_Road_Security_Server=e["EE"].get("bridge_server", self.bridge_server()),
        )
        told = a.json()["headers"]
        names = [n.lower() for n, _ in told]
        value = {n.lower(): v for n, v in told}
        equal(value["x-road-client"], e["FI"]["members"]["bridge"]["subsystem"])
        party = self.rest.client.split("/")
        equal(value["x-road-represented-party"], f"{party[1]}/{party[2]}")
        equal(value["x-road-userid"], "EE123")
        equal(value["x-road-issue"], "asi 7")
        equal(value["x-road-id"], "id 1/ä")
        equal(value["accept"], "a/b")
        equal(value["x-own"], "õ;\"1\"")
        equal("x-road-security-server" in names, False)
        equal("host" in names or "user-agent" in names, False)
        equal(len(names), len(set(names)))
        equal(names[-1], "x-road-request-id")
        if value["x-road-request-id"] == a.headers["x-road-request-id"]:
            raise AssertionError("the request id of one leg went to the other")
        again = self.rest.call("GET", "echo", X_Road_UserId="EE123").json()["headers"]
        equal({n.lower(): v for n, v in again}["x-road-userid"], "EE123")

    def bridge_server(self):
        with open(f"{self.world.dir}/EE/instance.json", encoding="utf-8") as f:
            return json.load(f)["bridge_server"]

    def binary(self):
        body = random.Random(5).randbytes(5 << 20)
        a = self.rest.call("PUT", "echo", "/body", body, Content_Type="application/octet-stream")
        equal(a.status, 200)
        equal(hashlib.sha256(a.body).hexdigest(), hashlib.sha256(body).hexdigest())
        equal(a.headers["content-type"], "application/octet-stream")
        told = self.rest.call("PUT", "echo", "/x", body).json()
        equal((told["body"], told["sha256"]), (len(body), hashlib.sha256(body).hexdigest()))

    def bodies_of_any_kind(self):
        for body in (b"\r\n--x--\r\n", b"\0", b"GET\r\n/r1/a", b"{", b"\xff" * 70000):
            a = self.rest.call("POST", "echo", "/body", body, Content_Type="a/b; c=\"d\"")
            equal((a.body, a.headers["content-type"]), (body, "a/b; c=\"d\""))

    def statuses(self):
        for status in (200, 201, 204, 301, 304, 400, 404, 418, 429, 500, 503, 599):
            a = self.rest.call("GET", "echo", f"/status/{status}")
            equal((a.status, a.error), (status, ""))
            equal(a.headers["x-road-service"], self.rest.provider + "/echo")
            if status not in (200, 204, 304):
                holds(a.body.decode(), "As asked")
        a = self.rest.call("GET", "register", "/medicines/77")
        equal((a.status, a.json()), (404, {"error": "Not Found"}))

    def soap_untouched(self):
        finnish = Finnish(self.world.endpoints)
        row = patients()["fi-01-tablet.xml"]
        person = f'<dr:henkilo juuri="1.2.246.21" tunnus="{row["patient_code"]}"/>'
        listed, _ = finnish.call("HaeLaakemaaraykset", person, "list")
        equal([t.text for t in listed.iter("{%s}tila" % FINNISH)], ["VOIMASSA"])
        which = person + '<dr:laakemaaraysTunnus juuri="%s"/><dr:muoto>liite</dr:muoto>'
        got, parts = finnish.call("HaeLaakemaarays", which % row["prescription_root"], "fetch")
        href = got.find("{%s}asiakirjaLiite" % FINNISH).get("href")
        with open(DOCS + "/fi-01-tablet.xml", "rb") as f:
            equal(parts[href.removeprefix("cid:")], f.read())
        try:
            finnish.call("HaeLaakemaarays", which % "1.2.3", "fetch")
        except Fault as fault:  # Finland's own words, not the bridge's translation of them
            equal((fault.code, fault.text), ("rk:EI_LOYDY", "Lääkemääräystä ei löydy"))
        else:
            raise AssertionError("no fault")

    # --- translated bodies ---

    def company(self, body, kind="application/json", **headers):
        return self.rest.call("POST", "ettevotjad", "", body, Content_Type=kind, **headers)

    def translated(self):
        a = self.company('{"registrikood": "9900112-5"}', Accept_Encoding="gzip",
                         x_road_id="company-1")
        equal((a.status, a.error), (200, ""))
        equal(a.headers["x-road-service"], self.rest.provider + "/ettevotjad")
        told = a.json()
        equal(told["registrikood"], "9900112-5")
        equal(told["arinimi"], "Koivurannan Saha Oyj")
        equal((told["oiguslikVorm"]["kood"], told["oiguslikVorm"]["tekstina"]),
              ("AS", "Aktsiaselts"))
        equal(told["staatus"], "R")
        equal(told["riik"], "FIN")
        equal([p["riik"] for p in told["tegevuskohad"]], ["FIN", "LVA"])
        # what Finland got stands in the evidence
        out = self.world.dir + "/company"
        os.makedirs(out)
        command(SILTA, "log", "export", "--log", self.world.endpoints["silta"]["log"],
                "--message-id", "company-1", "--out", out)
        (sent,) = glob.glob(out + "/*-fi-request.asice")
        with zipfile.ZipFile(sent) as z:
            head, body = z.read("message.xml").decode(), z.read("attachment1")
        holds(head, self.world.endpoints["FI"]["members"]["centre"]["subsystem"] + "/yritykset\r\n")
        equal("encoding" in head.lower(), False)
        equal(json.loads(body), {"yritysTunnus": "9900112-5"})

    def translated_the_other_way(self):
        back = Rest(self.world.endpoints, "FI")
        told = back.call("POST", "yritykset", "", '{"yritysTunnus": "99900111"}',
                         Content_Type="application/json; charset=utf-8").json()
        equal((told["yritysTunnus"], told["yhtiomuoto"]["koodi"], told["tila"], told["maa"]),
              ("99900111", "OY", "SELTILA", "233"))

    def provider_error_untranslated(self):
        a = self.company('{"registrikood": "9900114-1"}')
        equal((a.status, a.error, a.json()), (404, "", {"error": "Not Found"}))

    def translation_refused(self):
        self.refused(FAR + "FED-", self.company('{"registrikood": "9900113-3"}'))  # a foundation
        self.refused(FAR + "FED-ID", self.company('{"registrikood": "9900112-4"}'))
        self.refused(FAR + "FED-STR", self.company("{}"))
        self.refused(FAR, self.company('{"registrikood": '))
        self.refused(FAR, self.company('{"registrikood": "9900112-5", "registrikood": "1"}'))
        for kind in ("text/plain", "application/octet-stream", "application/jsonx"):
            self.refused("invalid_content_type", self.company("{}", kind))
        self.refused("invalid_content_type", self.company("{}", Content_Encoding="gzip"))
        # whoever takes the other one would read another kind of body
        self.refused("duplicate_header_field", self.company("{}", content_type="text/plain"))
        self.refused("duplicate_header_field", self.company(
            "{}", Content_Encoding="identity", content_encoding="gzip"))
        self.refused(REFUSED + "access_denied", self.rest.call("DELETE", "ettevotjad"))

    def called(self):
        """What a request asks for in its path or query is translated as in a body."""
        for call in ("?registrikood=9900112-5", "/9900112-5", "/9900112%2D5"):
            a = self.rest.call("GET", "ettevotjad", call, x_road_id="called" + str(len(call)))
            equal((a.status, a.error), (200, ""))
            equal((a.json()["registrikood"], a.json()["staatus"]), ("9900112-5", "R"))
        out = self.world.dir + "/called"
        os.makedirs(out)
        command(SILTA, "log", "export", "--log", self.world.endpoints["silta"]["log"],
                "--message-id", "called23", "--out", out)
        (sent,) = glob.glob(out + "/*-fi-request.asice")
        with zipfile.ZipFile(sent) as z:
            holds(z.read("message.xml").decode(), "/yritykset?yritysTunnus=9900112-5\r\n")
        back = Rest(self.world.endpoints, "FI")
        equal(back.call("GET", "yritykset", "?yritysTunnus=99900111").json()["tila"], "SELTILA")
        equal(self.rest.call("GET", "ettevotjad", "/9900114-1").status, 404)

    def called_wrongly(self):
        for call in ("", "?registrikood=9900112-5&kõik=1".replace("õ", "%C3%B5"),
                     "?yritysTunnus=9900112-5", "?registrikood=1&registrikood=2"):
            self.refused(FAR + "FED-STR", self.rest.call("GET", "ettevotjad", call))
        self.refused(FAR + "FED-ID", self.rest.call("GET", "ettevotjad", "/9900112-4"))
        self.refused(REFUSED + "FED-STR", self.rest.call(
            "POST", "ettevotjad", "?registrikood=9900112-5", '{"registrikood": "9900112-5"}',
            Content_Type="application/json"))

    def wrong_rules(self):
        """What `silta check` says of rules that cannot work."""
        path = self.world.endpoints["silta"]["config"]
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for rest, words in (
            ('{ method = "get"; path = "/a"; }', "no HTTP method"),
            ('{ method = "GET"; }', "path"),
            ('{ path = "/a"; }', "method"),
            ('{ method = "GET"; path = "a"; }', "path"),
            ('{ method = "GET"; path = "/a/../b"; }', "path"),
            ('{ method = "GET"; path = "/%2e%2e"; }', "path"),
            ('{ method = "GET"; path = "//a"; }', "path"),
            ('{ method = "GET"; path = "/a"; verb = 1; }', "verb"),
            ("", "empty"),
        ):
            wrong = path + ".wrong"
            with open(wrong, "w", encoding="utf-8") as f:
                f.write(text.replace('services = ( "echo" );', f"rest = ( {rest} );", 1))
            holds(command(SILTA, "check", "-c", wrong, status=1), words)
            os.unlink(wrong)
        printed = command(SILTA, "check", "--print", "-c", path)
        again = path + ".again"
        with open(again, "w", encoding="utf-8") as f:
            f.write(printed)
        equal(command(SILTA, "check", "--print", "-c", again), printed)
        holds(printed, 'path = "/medicines/*";')

    # --- what does not ---

    def refused(self, code, answer):
        holds(answer.error, code)
        equal(answer.status, 500 if answer.error.startswith("server.") else 400)
        told = answer.json()
        equal(sorted(told), ["detail", "message", "type"])
        equal(told["type"], answer.error)
        return answer

    def wrong_clients(self):
        self.refused(REFUSED + "access_denied",
                     self.rest.call("GET", "register", "/medicines",
                                    X_Test_Fault="client-not-allowed"))
        nobody = self.rest.client.rsplit("/", 1)[0] + "/nobody"
        self.refused("unknown_member",
                     self.rest.call("GET", "register", "/medicines", X_Road_Client=nobody))

    def methods_and_paths(self):
        for method, path in (
            ("DELETE", "/medicines/1"), ("PUT", "/medicines/1"), ("POST", "/medicines/1"),
            ("HEAD", "/medicines"), ("GET", ""), ("GET", "/"), ("GET", "/medicine"),
            ("GET", "/medicines/"), ("GET", "/Medicines"), ("GET", "/status/200"),
        ):
            a = self.rest.call(method, "register", path)
            equal((a.status, a.error), (500, REFUSED + "access_denied"))

    def path_tricks(self):
        for path in (
            "/medicines/../admin", "/medicines/%2e%2e/admin", "/medicines/.%2E/admin",
            "/medicines/..;a=b/admin", "/medicines/./1", "/./medicines", "//medicines",
            "/medicines//1", "/medicines/..%2fadmin", "/medicines/%2E%2E%5Cadmin",
            "/medicines/%252e%252e/admin", "/medicines/1%00", "/medicines/%0a", "/medicines/;x",
        ):
            a = self.rest.call("GET", "register", path)
            holds(a.error, "invalid_request")
        # without rules about paths only what would leave the service is refused
        for path in ("/a/../b", "/%2e%2E", "/..;x", "/."):
            holds(self.rest.call("GET", "echo", path).error, REFUSED + "invalid_request")

    def unknown(self):
        for service in ("nothing", "Register", "valisretseptid", "HaeLaakemaarays"):
            self.refused(REFUSED + "unknown_service", self.rest.call("GET", service, "/medicines"))
        # a SOAP service of Finland, called with REST, is none of its REST services
        self.refused("unknown_service", self.rest.call("GET", "HaeLaakemaaraykset"))

    def errors_as_xml(self):
        a = self.rest.call("GET", "nothing", Accept="text/html, application/xml;q=0.9")
        equal(a.headers["content-type"], "text/xml; charset=utf-8")
        equal(ET.fromstring(a.body).findtext("type"), REFUSED + "unknown_service")

    def request_fault(self, mode, code, body=b"body"):
        self.refused(code, self.rest.call("POST", "echo", "/x", body, X_Test_Fault=mode))

    def answer_fault(self, mode, code, body=b"body"):
        self.world.admin("FI", "/answer-fault", mode=mode, times=1)
        self.refused(code, self.rest.call("POST", "echo", "/body", body))
        equal(self.rest.call("GET", "echo", "/x").status, 200)

    def once(self):
        equal(self.rest.call("POST", "echo", x_road_id="only-once").status, 200)
        self.refused("duplicate_message", self.rest.call("POST", "echo", x_road_id="only-once"))
        self.refused("duplicate_message", self.rest.call("POST", "echo", X_Test_Fault="twice"))

    def same_fields_twice(self):
        connection = http.client.HTTPConnection(self.rest.address, timeout=60)
        connection.putrequest("GET", f"/r1/{self.rest.provider}/echo")
        for value in (self.rest.client, self.rest.client):
            connection.putheader("x-road-client", value)
        connection.endheaders()
        self.refused("client.duplicate_header_field", Answer(connection.getresponse()))
        connection.close()

    # --- the evidence ---


def run(cases, f):
    cases.run("routes may be added", f.add_routes)
    cases.run("GET without body", f.gets)
    cases.run("from Finland to Estonia, without naming the caller", f.the_other_way)
    cases.run("POST with JSON", f.posts)
    cases.run("every method", f.every_method)
    cases.run("path and query byte for byte", f.path_and_query)
    cases.run("headers: X-Road's rewritten, others kept", f.headers)
    cases.run("PUT of 5 MiB comes and goes untouched", f.binary)
    cases.run("bodies that look like something else", f.bodies_of_any_kind)
    cases.run("the provider's status is passed on", f.statuses)
    cases.run("SOAP without a flow", f.soap_untouched)
    cases.run("JSON translated both ways", f.translated)
    cases.run("JSON translated for Finland", f.translated_the_other_way)
    cases.run("a provider's error is its own word", f.provider_error_untranslated)
    cases.run("JSON that cannot be translated", f.translation_refused)
    cases.run("a call's path and query are translated", f.called)
    cases.run("calls that are none are refused", f.called_wrongly)
    cases.run("clients that may not call", f.wrong_clients)
    cases.run("methods and paths that are not offered", f.methods_and_paths)
    cases.run("paths that could be read in two ways", f.path_tricks)
    cases.run("services that are not there", f.unknown)
    cases.run("errors as XML", f.errors_as_xml)
    cases.run("rules that cannot work are told", f.wrong_rules)
    for mode, code in (
        ("unsigned", REFUSED + "missing_signature"),
        ("changed-byte", SIGNATURE + "malformed_signature.invalid_hash_chain"),
        ("changed-attachment", SIGNATURE + "malformed_signature.invalid_hash_chain"),
        ("wrong-member", SIGNATURE + "incorrect_certificate"),
        ("revoked", SIGNATURE + "invalid_cert_path.cert_validation"),
        ("tls-no-ocsp", REFUSED + "ssl_authentication_failed"),
        ("tls-other-server", REFUSED + "ssl_authentication_failed"),
        ("no-hash-algorithm", REFUSED + "internal_error"),
        ("extra-part", FAR + "invalid_message"),
        ("truncated", FAR),
    ):
        cases.run(f"request refused: {mode}", f.request_fault, mode, code)
    for mode, code in (
        ("unsigned", FAR),
        ("changed-byte", FAR + "signature_verification.malformed_signature.invalid_hash_chain"),
        ("changed-attachment",
         FAR + "signature_verification.malformed_signature.invalid_hash_chain"),
        ("wrong-member", FAR + "signature_verification.incorrect_certificate"),
        ("wrong-hash", FAR + "inconsistent_response"),
        ("no-hash", FAR + "missing_header_field"),
        ("other-id", FAR + "inconsistent_response"),
        ("http-404", FAR + "http_error"),
        ("truncated", FAR),
    ):
        cases.run(f"answer refused: {mode}", f.answer_fault, mode, code)
    cases.run("request refused: changed-byte, without body", f.request_fault, "changed-byte",
              SIGNATURE + "invalid_signature_value", None)
    cases.run("answer refused: changed-byte, without body", f.answer_fault, "changed-byte",
              FAR + "signature_verification.invalid_signature_value", None)
    cases.run("a message id that was used is refused where it matters", f.once)
    cases.run("a head that says something twice", f.same_fields_twice)


def main():
    cases = Cases()
    world = World()
    f = Flow(world)
    evidence = Evidence(world)
    try:
        run(cases, f)
        if world.close() != 0:
            cases.run("the programs end as told", lambda: equal("status", 0))
        cases.run("the evidence of every message verifies", evidence.verifies, 100)
        cases.run("an independent judge agrees", evidence.independent_judge)
        cases.run("the log proves itself", evidence.log_proves_itself)
    finally:
        if world.up.poll() is None:
            world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
