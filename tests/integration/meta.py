# SPDX-License-Identifier: MIT
"""Metaservices: what the bridge says it offers, to whom, and how it describes that."""
import glob
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

from tap import ROOT, SILTA, Cases, Evidence, World, command

from pharmacy import NS, Fault, Pharmacy, read_multipart
from rest import REFUSED, Rest, equal, holds

DATA = ROOT + "/tests/data/metadata"
ADDRESS = "http://example.org/xroad-endpoint"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
XSD = "{http://www.w3.org/2001/XMLSchema}"

FLOW = ["valisretseptideLoetelu", "valisretseptiParing", "valisretseptiMyyk",
        "valisretseptiMyygiTyhistamine"]

# beside the routes of examples/…/up: services described by files, one for others than pharmacies, and
# one whose name is a metaservice's
ROUTES = """
	{{ name = "others"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  services = ( "teade", "listMethods" ); allow = ( "{other}" ); }},
	{{ name = "described"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  wsdl = "{data}/centre.wsdl"; allow = ( "EE/{group}" ); }},
	{{ name = "echo"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  services = ( "echo" ); openapi = "{data}/echo.openapi.json"; allow = ( "EE/{group}" ); }},
"""


class Meta(Pharmacy):
    """Calls metaservices, whose body element is X-Road's."""

    def envelope(self, service, body, message_id=None):
        text = super().envelope(service, body, message_id)
        text = text.replace("<id:serviceVersion>v1</id:serviceVersion>", "")
        return text.replace("dr:" + service, "xroad:" + service)

    def ask(self, service, body="", **how):
        """The answer's body element, valid; and the attachments."""
        data = self.envelope(service, body).encode()
        answer, kind, _ = self.post(data, "text/xml; charset=UTF-8", how)
        parts = {}
        if kind.lower().startswith("multipart/"):
            answer, parts = read_multipart(answer, kind)
        root = ET.fromstring(answer)
        fault = root.find("soap:Body/soap:Fault", NS)
        if fault is not None:
            raise Fault(fault)
        element = root.find("soap:Body", NS)[0]
        equal(element.tag, "{%s}%sResponse" % (NS["xroad"], service))
        valid(ET.tostring(element))
        return element, list(parts.values())

    def methods(self, service):
        """[(code, version)…], and all are the bridge's."""
        names = []
        for s in self.ask(service)[0]:
            equal([s.findtext("id:" + n, None, NS) for n in (
                "xRoadInstance", "memberClass", "memberCode", "subsystemCode")], self.provider)
            names.append((s.findtext("id:serviceCode", None, NS),
                          s.findtext("id:serviceVersion", None, NS)))
        return names

    def wsdl(self, code, version=None):
        body = f"<xroad:serviceCode>{code}</xroad:serviceCode>"
        if version:
            body += f"<xroad:serviceVersion>{version}</xroad:serviceVersion>"
        element, parts = self.ask("getWsdl", body)
        equal(element.findtext("xroad:serviceCode", None, NS), code)
        equal(element.findtext("xroad:serviceVersion", None, NS), version)
        (text,) = parts
        return text.decode()


def valid(xml):
    r = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", DATA + "/xroad.xsd", "-"],
                       input=xml, capture_output=True, check=False)
    if r.returncode != 0:
        raise AssertionError(r.stderr.decode() + xml.decode())


def whole(text):
    """The description is WSDL 1.1 in which every name leads somewhere; its operations."""
    root = ET.fromstring(text)
    equal(root.tag, WSDL + "definitions")
    messages = {m.get("name") for m in root.findall(WSDL + "message")}
    (port_type,) = root.findall(WSDL + "portType")
    (binding,) = root.findall(WSDL + "binding")
    (service,) = root.findall(WSDL + "service")
    equal(binding.get("type").split(":")[1], port_type.get("name"))
    for operation in port_type:
        for message in operation:
            if message.get("message").split(":")[1] not in messages:
                raise AssertionError(f"no message {message.get('message')}")
    names = [o.get("name") for o in binding.findall(WSDL + "operation")]
    equal([o.get("name") for o in port_type.findall(WSDL + "operation")], names)
    (port,) = service.findall(WSDL + "port")
    equal(port.get("binding").split(":")[1], binding.get("name"))
    equal([a.get("location") for a in port], [ADDRESS])
    return root, {o.get("name"): o.findtext("xroad:version", None, NS)
                  for o in binding.findall(WSDL + "operation")}


class Flow:
    def __init__(self, world):
        self.world = world
        e = world.endpoints
        self.meta = Meta(e)
        self.stranger = e["EE"]["members"]["pharmacy"]["subsystem"].rsplit("/", 1)[0] + "/ladu"
        self.rest = Rest(e)
        self.config = e["silta"]["config"]

    def with_routes(self, routes):
        e = self.world.endpoints
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        more = routes.format(
            target=e["FI"]["members"]["centre"]["subsystem"], data=DATA,
            group=e["EE"]["groups"]["pharmacies"], other=self.stranger)
        return text.replace("routes = (", "routes = (" + more, 1)

    def add_routes(self):
        text = self.with_routes(ROUTES)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text)
        command(SILTA, "check", "-c", self.config)
        self.world.kill_bridge()

    # --- lists ---

    def list_methods(self):
        flow = [(name, "v1") for name in FLOW]
        others = [("teade", None), ("listMethods", None)]
        described = [("HaeLaakemaaraykset", "v1"), ("Huolto", None)]
        equal(self.meta.methods("listMethods"), others + described + flow)
        # who may not call a route does not see it
        equal(self.meta.methods("allowedMethods"), described + flow)
        stranger = Meta(self.world.endpoints, self.stranger)
        equal(stranger.methods("listMethods"), others + described + flow)
        equal(stranger.methods("allowedMethods"), others)

    def list_methods_of_the_other_side(self):
        back = Rest(self.world.endpoints, "FI")
        told = back.call("GET", "listMethods").json()["service"]
        equal([s["service_code"] for s in told],
              ["laakemaaraykset-fhir", "laaketoimitus-fhir", "register", "yritykset"])

    def rest_methods(self):
        def services(answer):
            equal((answer.status, answer.error), (200, ""))
            equal(answer.headers["content-type"], "application/json;charset=utf-8")
            for s in answer.json()["service"]:
                equal([s[k] for k in ("object_type", "xroad_instance", "member_class",
                                      "member_code", "subsystem_code")],
                      ["SERVICE", *self.rest.provider.split("/")])
            return {s["service_code"]: (s["service_type"],
                                        [(e["method"], e["path"]) for e in s["endpoint_list"]])
                    for s in answer.json()["service"]}

        pharmacies = {
            "echo": ("OPENAPI", [("GET", "/status/*"), ("POST", "/body")]),
            "register": ("REST", [("GET", "/medicines"), ("GET", "/medicines/*"),
                                  ("POST", "/medicines")]),
            "valisretseptid-fhir": ("REST", [("GET", "/Bundle")]),
            "valisretseptiMyyk-fhir": ("REST", [("POST", "")]),
            "ettevotjad": ("REST", [("POST", ""), ("GET", ""), ("GET", "/*")]),
        }
        others = {"teade": ("REST", []), "listMethods": ("REST", [])}
        equal(services(self.rest.call("GET", "listMethods")), {**pharmacies, **others})
        equal(services(self.rest.call("GET", "allowedMethods")), pharmacies)
        equal(services(self.rest.call("GET", "allowedMethods", X_Road_Client=self.stranger)),
              others)

    def rest_answer_fits(self):
        a = self.rest.call("GET", "listMethods", "?x=y", x_road_id="meta-1")
        equal(a.headers["x-road-id"], "meta-1")
        equal(a.headers["x-road-client"], self.rest.client)
        equal(a.headers["x-road-service"], self.rest.provider + "/listMethods")

    # --- descriptions ---

    def derived_wsdl(self):
        text = self.meta.wsdl("valisretseptiParing", "v1")
        root, operations = whole(text)
        equal(operations, {name: "v1" for name in FLOW})
        elements = [(s.get("targetNamespace"), e.get("name"))
                    for s in root.iter(XSD + "schema") for e in s.findall(XSD + "element")]
        equal(elements, [(NS["dr"], name + tail) for name in FLOW for tail in ("", "Response")])
        for part in root.iter(WSDL + "part"):
            if part.get("name") == "body":
                holds(str(elements), "'" + part.get("element").split(":")[1] + "'")

    def derived_without_flow(self):
        root, operations = whole(self.meta.wsdl("teade"))
        equal(operations, {"teade": None, "listMethods": None})
        body = [p.get("type") for p in root.iter(WSDL + "part") if p.get("name") == "body"]
        equal(body, ["xs:anyType"] * 4)

    def written_wsdl(self):
        text = self.meta.wsdl("HaeLaakemaaraykset", "v1")
        _, operations = whole(text)
        equal(operations, {"HaeLaakemaaraykset": "v1", "Huolto": None})
        equal("sisaverkko" in text, False)
        holds(text, "Kysymys")

    def only_what_is_offered(self):
        """A route that offers one operation of two shows that one."""
        with open(self.config, encoding="utf-8") as f:
            before = f.read()
        try:
            with open(self.config, "w", encoding="utf-8") as f:
                f.write(before.replace("wsdl = ", 'services = ( "HaeLaakemaaraykset" ); wsdl = '))
            self.world.kill_bridge()
            text = self.meta.wsdl("HaeLaakemaaraykset", "v1")
            equal(whole(text)[1], {"HaeLaakemaaraykset": "v1"})
            self.refused("unknown_service", self.meta.wsdl, "Huolto")
        finally:
            with open(self.config, "w", encoding="utf-8") as f:
                f.write(before)
            self.world.kill_bridge()

    def openapi(self):
        a = self.rest.call("GET", "getOpenAPI", "?serviceCode=echo")
        equal((a.status, a.headers["content-type"]), (200, "application/json;charset=utf-8"))
        equal("sisaverkko" in a.body.decode(), False)
        told = a.json()
        equal(told["servers"], [{"url": ADDRESS}])
        equal(list(told["paths"]), ["/status/{code}", "/body"])
        equal(told["paths"]["/status/{code}"]["get"]["servers"], [{"url": ADDRESS}])
        equal(self.rest.call("GET", "getOpenAPI", "?a&SERVICECODE=%65cho").json(), told)

    # --- what is refused ---

    def refused(self, code, function, *arguments):
        try:
            function(*arguments)
        except Fault as fault:
            equal(fault.code, REFUSED + code)
        else:
            raise AssertionError("no fault")

    def wsdl_refused(self):
        ask = self.meta.ask
        self.refused("unknown_service", self.meta.wsdl, "olematu")
        self.refused("unknown_service", self.meta.wsdl, "valisretseptiParing", "v2")
        self.refused("unknown_service", self.meta.wsdl, "valisretseptiParing")
        self.refused("service_type", self.meta.wsdl, "register")
        self.refused("invalid_request", ask, "getWsdl")
        self.refused("invalid_request", ask, "getWsdl", "<xroad:serviceCode/>")
        self.refused("invalid_request", ask, "getWsdl", "<serviceCode>teade</serviceCode>")

    def openapi_refused(self):
        for query, code in (
            ("", "invalid_request"), ("?serviceCode=", "invalid_request"),
            ("?serviceCode", "invalid_request"), ("?serviceCode=a%00", "invalid_request"),
            ("?serviceCode=olematu", "internal_error"),
            ("?serviceCode=register", "internal_error"),
            ("?serviceCode=valisretseptiParing", "internal_error"),
        ):
            a = self.rest.call("GET", "getOpenAPI", query)
            equal((a.status, a.error), (500, REFUSED + code))

    def not_a_metaservice(self):
        # those of the other protocol, and other methods, are services like any other
        equal(self.rest.call("GET", "getWsdl").error, REFUSED + "unknown_service")
        equal(self.rest.call("POST", "listMethods", "", b"{}").error, REFUSED + "access_denied")
        equal(self.rest.call("POST", "allowedMethods", "", b"{}").error,
              REFUSED + "unknown_service")
        self.refused("unknown_service", self.meta.ask, "getOpenAPI")

    def still_verified(self):
        for mode, code in (
            ("unsigned", "missing_signature"),
            ("changed-byte", "signature_verification.invalid_signature_value"),
            ("wrong-member", "signature_verification.incorrect_certificate"),
            ("tls-no-ocsp", "ssl_authentication_failed"),
        ):
            a = self.rest.call("GET", "listMethods", X_Test_Fault=mode)
            equal(a.error, REFUSED + code)
            try:
                self.meta.ask("listMethods", **{"X-Test-Fault": mode})
            except Fault as fault:
                equal(fault.code, REFUSED + code)
            else:
                raise AssertionError(mode)

    def wrong_descriptions(self):
        """What `silta check` says of files that cannot work."""
        bad = self.world.dir + "/bad"
        os.makedirs(bad)
        with open(DATA + "/centre.wsdl", encoding="utf-8") as f:
            wsdl = f.read()
        with open(DATA + "/echo.openapi.json", encoding="utf-8") as f:
            api = f.read()
        cases = (
            ('wsdl = "{bad}/none";', None, "none"),
            ('wsdl = "{bad}/x";', "<a/>", "not definitions"),
            ('wsdl = "{bad}/x";', "<a", "x:"),
            ('wsdl = "{bad}/x";', "<!DOCTYPE a><a/>", "x:"),
            ('wsdl = "{bad}/x";', re.sub("<soap:address.*?/>", "", wsdl), "soap:address"),
            ('wsdl = "{bad}/x";', re.sub("(?s)<wsdl:binding.*</wsdl:binding>", "", wsdl),
             "no operation in"),
            ('wsdl = "{bad}/x";', wsdl.replace('"Huolto">\n\t\t\t<soap', '"HaeLaakemaaraykset">'
                                               '\n\t\t\t<soap'), "bound twice"),
            ('services = ( "Muu" ); wsdl = "{bad}/x";', wsdl, "no operation Muu"),
            ('services = ( "a" ); openapi = "{bad}/none";', None, "none"),
            ('services = ( "a" ); openapi = "{bad}/x";', "openapi: 3.0.3", "YAML"),
            ('services = ( "a" ); openapi = "{bad}/x";', '{"swagger": "2.0"}', "OpenAPI 3"),
            ('services = ( "a" ); openapi = "{bad}/x";', '{"openapi": "3.0.0"}', "no paths"),
            ('services = ( "a" ); openapi = "{bad}/x";', '{"openapi": "3.0.0", "paths": {"a": {}}}',
             "does not begin"),
            ('services = ( "a" ); openapi = "{bad}/x";',
             '{"openapi": "3.0.0", "openapi": "3.0.0", "paths": {}}', "duplicate"),
            ('services = ( "a", "b" ); openapi = "{bad}/x";', api, "one service"),
            ('openapi = "{bad}/x";', api, "one service"),
        )
        for option, text, words in cases:
            if text is not None:
                with open(bad + "/x", "w", encoding="utf-8") as f:
                    f.write(text)
            wrong = self.config + ".wrong"
            with open(wrong, "w", encoding="utf-8") as f:
                f.write(self.with_routes(
                    '{{ name = "w"; from = "EE"; to = "FI"; flow = "none"; target = "{target}"; '
                    'allow = ( "{other}" ); ' + option.format(bad=bad) + " }},"))
            told = command(SILTA, "check", "-c", wrong, status=1)
            holds(told, "route w: ")
            holds(told, words)
            os.unlink(wrong)

    # --- the evidence ---

    def logged(self):
        out = self.world.dir + "/meta-evidence"
        os.makedirs(out)
        log = self.world.endpoints["silta"]["log"]
        command(SILTA, "log", "export", "--log", log, "--message-id", "meta-1", "--out", out)
        equal(sorted(re.sub(r".*-ee-", "", f) for f in glob.glob(out + "/*.asice")),
              ["request.asice", "response.asice"])
        told = command(SILTA, "log", "list", "--log", log, "--route", "metaservice")
        holds(told, "done")


def run(cases, f):
    cases.run("routes may be added", f.add_routes)
    cases.run("listMethods and allowedMethods over SOAP", f.list_methods)
    cases.run("listMethods and allowedMethods over REST", f.rest_methods)
    cases.run("what the other side is offered", f.list_methods_of_the_other_side)
    cases.run("the REST answer names its request", f.rest_answer_fits)
    cases.run("a WSDL made from the flow", f.derived_wsdl)
    cases.run("a WSDL made from names alone", f.derived_without_flow)
    cases.run("a WSDL of the configuration, without addresses", f.written_wsdl)
    cases.run("a WSDL shows what the route offers", f.only_what_is_offered)
    cases.run("an OpenAPI description, without addresses", f.openapi)
    cases.run("WSDLs that there are not", f.wsdl_refused)
    cases.run("OpenAPI descriptions that there are not", f.openapi_refused)
    cases.run("what looks like a metaservice and is none", f.not_a_metaservice)
    cases.run("metaservices are verified as everything", f.still_verified)
    cases.run("descriptions that cannot work are told", f.wrong_descriptions)
    cases.run("metaservices are logged, on one side", f.logged)


def main():
    cases = Cases()
    world = World()
    f = Flow(world)
    evidence = Evidence(world)
    try:
        run(cases, f)
        if world.close() != 0:
            cases.run("the programs end as told", lambda: equal("status", 0))
        cases.run("the evidence of every message verifies", evidence.verifies, 30)
        cases.run("an independent judge agrees", evidence.independent_judge)
        cases.run("the log proves itself", evidence.log_proves_itself)
    finally:
        if world.up.poll() is None:
            world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
