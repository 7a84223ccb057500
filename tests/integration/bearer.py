# SPDX-License-Identifier: MIT
"""The bridge as a security server of its own (transport) and behind an ordinary one (message), in
all four combinations: the same messages pass, with the same evidence and the same faults.

BEARER_MB is the size of the binary body (10).
"""
import collections
import glob
import hashlib
import http.client
import http.server
import json
import os
import random
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse
import uuid
import xml.etree.ElementTree as ET
import zipfile

from tap import SHARED, SILTA, Cases, Evidence, Skip, World, command

from pharmacy import NS, Fault

MB = int(os.environ.get("BEARER_MB", "10"))
COMBINATIONS = [(ee, fi) for ee in ("transport", "message") for fi in ("transport", "message")]
NAMES = {"EE": "Estonia", "FI": "Finland"}
NAMESPACES = {"EE": NS["dr"], "FI": NS["rk"]}
XOP = "http://www.w3.org/2004/08/xop/include"
XOP_TYPE = 'application/xop+xml; charset=UTF-8; type="text/xml"'
LEVELS = ["xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode",
          "serviceVersion"]
LEGS = ["ee-request", "ee-response", "fi-request", "fi-response"]

ROUTES = """
	{{ name = "echo-{side}"; from = "{side}"; to = "{other}"; flow = "none"; target = "{target}";
	  services = ( "echo" ); allow = ( "{side}/{group}" ); deadline = 300; }},
"""


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}"[:2000])


def holds(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}"[:2000])


def other(country):
    return "FI" if country == "EE" else "EE"


# --- messages ---------------------------------------------------------------------------------

Part = collections.namedtuple("Part", "cid type body")


def identifier(tag, kind, text):
    inner = "".join(f"<id:{n}>{p}</id:{n}>" for n, p in zip(LEVELS, text.split("/")))
    return f'<xroad:{tag} id:objectType="{kind}">{inner}</xroad:{tag}>'


def envelope(client, service, namespace, body, message_id):
    name = service.split("/")[4]
    header = (
        identifier("client", "SUBSYSTEM", client)
        + identifier("service", "SERVICE", service)
        + f"<xroad:userId>1</xroad:userId><xroad:id>{message_id}</xroad:id>"
        + "<xroad:protocolVersion>4.0</xroad:protocolVersion>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope '
        f'xmlns:s="{NS["soap"]}" xmlns:xroad="{NS["xroad"]}" xmlns:id="{NS["id"]}">'
        f"<s:Header>{header}</s:Header><s:Body>"
        f'<m:{name} xmlns:m="{namespace}">{body}</m:{name}></s:Body></s:Envelope>'
    ).encode()


def pack(root, parts, root_type="text/xml; charset=UTF-8"):
    """Body and Content-Type, as an ordinary toolkit would write them."""
    if not parts and root_type.startswith("text/xml"):
        return root, root_type
    boundary = uuid.uuid4().hex
    out = [b"--%s\r\nContent-Type: %s\r\nContent-ID: <root@test>\r\n\r\n%s" % (
        boundary.encode(), root_type.encode(), root)]
    for p in parts:
        out.append(b"\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: binary\r\n"
                   b"Content-ID: <%s>\r\n\r\n%s" % (
                       boundary.encode(), p.type.encode(), p.cid.encode(), p.body))
    out.append(b"\r\n--%s--\r\n" % boundary.encode())
    kind = root_type.split(";")[0]
    info = '; start-info="text/xml"' if kind == "application/xop+xml" else ""
    return b"".join(out), (f'multipart/related; type="{kind}"; start="<root@test>"{info}; '
                           f'boundary="{boundary}"')


def unpack(data, content_type):
    """The envelope, its type, and the attachments."""
    if not content_type.lower().startswith("multipart/related"):
        return data, content_type, []
    boundary = re.search(r'boundary="?([^";]+)', content_type).group(1).encode()
    parts = []
    for chunk in (b"\r\n" + data).split(b"\r\n--" + boundary)[1:]:
        if chunk.startswith(b"--"):
            break
        head, _, body = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = {k.strip().lower(): v.strip() for k, _, v in
                  (line.partition(":") for line in head.decode().split("\r\n"))}
        parts.append(Part(fields.get("content-id", "").strip("<>"), fields["content-type"], body))
    return parts[0].body, parts[0].type, parts[1:]


Answer = collections.namedtuple("Answer", "status headers body")


class System:
    """An information system of a country, which knows its own security server only."""

    def __init__(self, endpoints, country, url=None, tls=None):
        here = endpoints[country]
        self.country = country
        self.url = urllib.parse.urlsplit(url or here["client"])
        self.tls = tls
        self.client = here["members"]["pharmacy"]["subsystem"]
        self.provider = here["members"]["bridge"]["subsystem"]

    def http(self, method, path, body=None, **headers):
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        if self.url.scheme == "https":
            c = http.client.HTTPSConnection(self.url.netloc, timeout=300, context=self.tls)
        else:
            c = http.client.HTTPConnection(self.url.netloc, timeout=300)
        try:
            c.request(method, path, body, names)
            r = c.getresponse()
            return Answer(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            c.close()

    def rest(self, method, service, path="", body=None, **headers):
        headers.setdefault("X_Road_Client", self.client)
        return self.http(method, f"/r1/{self.provider}/{service}{path}", body, **headers)

    def soap(self, service, body, parts=(), root_type="text/xml; charset=UTF-8", message_id=None,
             namespace=None):
        """(element of the body, type of the envelope, attachments); raises Fault."""
        message_id = message_id or str(uuid.uuid4())
        root = envelope(self.client, f"{self.provider}/{service}/v1",
                        namespace or NAMESPACES[other(self.country)], body, message_id)
        data, kind = pack(root, parts, root_type)
        a = self.http("POST", "/", data, Content_Type=kind, SOAPAction='""')
        root, kind, got = unpack(a.body, a.headers["content-type"])
        tree = ET.fromstring(root)
        fault = tree.find("soap:Body/soap:Fault", NS)
        if fault is not None:
            raise Fault(fault)
        equal(tree.findtext("soap:Header/xroad:id", None, NS), message_id)
        return tree.find("soap:Body", NS)[0], kind, got


def some_parts():
    random_bytes = random.Random(7).randbytes
    return [
        Part("one@test", "application/pdf", random_bytes(300_000)),
        Part("two@test", "text/plain; charset=UTF-8", "õäöü\r\n--boundary\r\n".encode()),
        Part("three@test", "application/octet-stream", b""),
    ]


# --- what passes ------------------------------------------------------------------------------


class Flow:
    """Messages of a country's information system, to the other country and back."""

    def __init__(self, world, country):
        self.world = world
        self.country = country
        self.is_ = System(world.endpoints, country)
        self.ids = []

    def new_id(self):
        self.ids.append(f"{self.country}-{uuid.uuid4()}")
        return self.ids[-1]

    def element(self, name):
        return "{%s}%s" % (NAMESPACES[other(self.country)], name)

    def soap(self):
        body, kind, parts = self.is_.soap("echo", "<m:a>õ</m:a>", message_id=self.new_id())
        equal((body.tag, parts), (self.element("echoResponse"), []))
        holds(kind.lower(), "text/xml")

    def soap_with_attachments(self):
        sent = some_parts()
        body, kind, got = self.is_.soap("echo", "", sent, message_id=self.new_id())
        equal(body.tag, self.element("echoResponse"))
        equal(kind.split(";")[0], "text/xml")
        equal([(p.cid, p.type, hashlib.sha256(p.body).digest()) for p in got],
              [(p.cid, p.type, hashlib.sha256(p.body).digest()) for p in sent])

    def mtom(self):
        sent = some_parts()[:1]
        include = f'<m:d><xop:Include xmlns:xop="{XOP}" href="cid:{sent[0].cid}"/></m:d>'
        body, kind, got = self.is_.soap("echo", include, sent, XOP_TYPE, self.new_id())
        equal(kind.split(";")[0].lower(), "application/xop+xml")
        (reference,) = body.iter("{%s}Include" % XOP)
        equal(reference.get("href"), "cid:" + got[0].cid)
        equal(got[0].body, sent[0].body)

    def rest(self, method, path, body=None, **headers):
        a = self.is_.rest(method, "echo", path, body, X_Road_Id=self.new_id(), **headers)
        equal((a.status, a.headers.get("x-road-error")), (200, None))
        equal(a.headers["x-road-id"], self.ids[-1])
        equal(a.headers["x-road-client"], self.is_.client)
        equal(a.headers["x-road-service"], self.is_.provider + "/echo")
        holds(a.headers, "x-road-request-hash")
        return a

    def rest_without_body(self):
        a = self.rest("GET", "/a%20b/%C3%A4?q=%C3%B5&r=1", Accept="application/json",
                      X_Road_UserId="7")
        told = json.loads(a.body)
        equal((told["method"], told["path"], told["query"], told["body"]),
              ("GET", "/a%20b/%C3%A4", "q=%C3%B5&r=1", None))
        names = {n.lower(): v for n, v in told["headers"]}
        there = self.world.endpoints[other(self.country)]
        equal(names["x-road-client"], there["members"]["bridge"]["subsystem"])
        equal(names["x-road-userid"], self.country + "7")
        equal(names["x-road-id"], self.ids[-1])

    def rest_head(self):
        """What has no body leaves nothing behind on the connections that are kept."""
        for method in ("HEAD", "GET", "HEAD", "DELETE"):
            a = self.rest(method, "/x")
            equal(a.body == b"", method == "HEAD")

    def rest_with_json(self):
        text = json.dumps({"nimi": "Väike õ"}).encode()
        a = self.rest("POST", "/body", text, Content_Type="application/json; charset=utf-8")
        equal((a.body, a.headers["content-type"]), (text, "application/json; charset=utf-8"))

    def rest_with_binary(self):
        body = random.Random(MB).randbytes(1 << 20) * MB
        a = self.rest("PUT", "/body", body, Content_Type="application/octet-stream")
        equal(hashlib.sha256(a.body).hexdigest(), hashlib.sha256(body).hexdigest())
        equal(a.headers["content-type"], "application/octet-stream")

    def cases(self):
        return (
            ("SOAP", self.soap),
            ("SOAP with attachments", self.soap_with_attachments),
            ("MTOM", self.mtom),
            ("REST without body", self.rest_without_body),
            ("REST, HEAD", self.rest_head),
            ("REST with JSON", self.rest_with_json),
            (f"REST with {MB} MB", self.rest_with_binary),
        )


# --- what does not ----------------------------------------------------------------------------


class Refusals:
    """What a caller is told, in the words of the bearer that he meets the bridge by."""

    def __init__(self, world, country, near):
        self.world = world
        self.country = country
        self.is_ = System(world.endpoints, country)
        self.near = near
        # behind an ordinary security server the bridge is what speaks to that server's peers
        self.own = "server.clientproxy." if near == "message" else "server.serverproxy."

    def soap_fault(self, service, body, namespace=None):
        try:
            self.is_.soap(service, body, namespace=namespace)
        except Fault as fault:
            return fault
        raise AssertionError("no fault")

    def rest_fault(self, *arguments, **headers):
        a = self.is_.rest(*arguments, **headers)
        code = a.headers.get("x-road-error", "")
        equal(a.status, 500 if code.startswith("server.") else 400)
        return code, a

    def mapping_soap(self):
        """The identifier of nobody: refused with the problems as a structure."""
        own = NAMESPACES[self.country]
        if self.country == "EE":
            fault = self.soap_fault("valisretseptideLoetelu", '<m:isik oid="1.2.3" kood="1"/>', own)
        else:
            fault = self.soap_fault("HaeLaakemaaraykset", '<m:henkilo juuri="1.2.3" tunnus="1"/>',
                                    own)
        holds(fault.code, "FED-")
        (problems,) = fault.detail.iter("{%s}problems" % NS["problem"])
        holds(ET.tostring(problems, "unicode"), "FED-")

    def mapping_rest(self):
        member, service = {"EE": ("registrikood", "ettevotjad"),
                           "FI": ("yritysTunnus", "yritykset")}[self.country]
        body = json.dumps({member: {"EE": "9900112-4", "FI": "99900112"}[self.country]})
        kind = "application/json"
        code, a = self.rest_fault("POST", service, "", body, Content_Type=kind)
        told = json.loads(a.body)
        equal(told["type"], code)
        _, xml = self.rest_fault("POST", service, "", body, Content_Type=kind, Accept="text/xml")
        tree = ET.fromstring(xml.body)
        equal(tree.findtext("type"), code)
        if self.near == "message":  # on its way between security servers a fault has no structure
            equal(code, self.own + told["problems"][0]["code"])
            (problem,) = tree.iter("{%s}problem" % NS["problem"])
            equal(problem.get("place"), "$." + member)
        else:
            holds(code, self.own + "service_failed.FED-")

    def unknown_service(self):
        """In the words of the provider's security server, whatever bearer."""
        fault = self.soap_fault("nothing", "")
        equal(fault.code, "server.serverproxy.unknown_service")
        code, a = self.rest_fault("GET", "nothing", Accept="text/xml")
        equal(code, "server.serverproxy.unknown_service")
        equal(ET.fromstring(a.body).findtext("type"), code)

    def peers_fault(self):
        """The far country's own words are passed on."""
        self.world.admin(other(self.country), "/service", name="services", state="down")
        try:
            fault = self.soap_fault("echo", "")
            equal(fault.code, "server.serverproxy.service_disabled")
            code, _ = self.rest_fault("GET", "echo")
            equal(code, "server.serverproxy.service_disabled")
        finally:
            self.world.admin(other(self.country), "/service", name="services", state="up")

    def cases(self):
        return (
            ("mapping refused, SOAP", self.mapping_soap),
            ("mapping refused, REST", self.mapping_rest),
            ("a service that is not there", self.unknown_service),
            ("the peer's fault is passed on", self.peers_fault),
        )


# --- the message bearer's own listener --------------------------------------------------------

FAULT = (f'<s:Envelope xmlns:s="{NS["soap"]}"><s:Body><s:Fault><faultcode>Client.Own</faultcode>'
         "<faultstring>x</faultstring></s:Fault></s:Body></s:Envelope>").encode()


class Listener:
    """The bridge as an information system: who may speak to it, and what it says to nonsense."""

    def __init__(self, world, country):
        self.world = world
        here = world.endpoints[country]
        self.country = country
        self.url = world.endpoints["silta"][country]["message"]
        self.bridge_cert = here["keys"]["bridge"]["auth_cert"]
        self.server = here["server_internal_cert"]
        self.is_ = System(world.endpoints, country)
        self.root = envelope(self.is_.client, self.is_.provider + "/echo/v1",
                             NAMESPACES[other(country)], "", "direct-1")

    def context(self, cert=None):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname = False
        c.verify_mode = ssl.CERT_NONE
        if cert:
            c.load_cert_chain(cert, cert.replace(".cert.pem", ".key.pem"))
        return c

    def caller(self, cert):
        return System(self.world.endpoints, self.country, self.url, self.context(cert))

    def stranger(self):
        path = self.world.dir + "/stranger"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=EE server-internal", "-keyout",
             path + ".key.pem", "-out", path + ".cert.pem"], check=True, capture_output=True)
        return path + ".cert.pem"

    def shows_its_certificate(self):
        with open(self.bridge_cert, encoding="ascii") as f:
            own = ssl.PEM_cert_to_DER_cert(f.read().split("-----END")[0] +
                                           "-----END CERTIFICATE-----\n")
        address = urllib.parse.urlsplit(self.url)
        context = self.context(self.server)
        c = http.client.HTTPSConnection(address.netloc, timeout=20, context=context)
        c.connect()
        equal(c.sock.getpeercert(True), own)
        c.close()

    def the_security_server_itself(self):
        body, _, got = self.caller(self.server).soap("echo", "", some_parts())
        equal((body.tag.split("}")[1], len(got)), ("echoResponse", 3))

    def turned_away(self, cert):
        """Nobody else is answered but with a refusal, if at all."""
        before = self.received()
        for call in (lambda c: c.soap("echo", ""), lambda c: c.rest("GET", "echo")):
            try:
                a = call(self.caller(cert))
            except Fault as fault:
                holds(fault.code, "ssl_authentication_failed")
            except (OSError, http.client.HTTPException):
                pass
            else:
                holds(a.headers.get("x-road-error", ""), "ssl_authentication_failed")
        equal(self.received(), before)

    def received(self):
        return self.world.admin(other(self.country), "/state")["received"]

    def nonsense(self, code, body, content_type="text/xml", method="POST", action='""'):
        a = self.caller(self.server).http(method, "/", body, Content_Type=content_type,
                                          SOAPAction=action)
        equal(a.status, 200)
        holds(a.headers["content-type"].replace(" ", ""), "text/xml")
        equal(ET.fromstring(a.body).findtext(".//faultcode"), code)

    def nonsense_rest(self, code, path, **headers):
        a = self.caller(self.server).http("GET", path, None, **headers)
        equal((a.headers.get("x-road-error"), a.status),
              (code, 500 if code.startswith("server.") else 400))
        equal(json.loads(a.body)["type"], code)

    def cut(self, pattern, by=b""):
        text, n = re.subn(pattern, by, self.root, flags=re.S)
        equal(n > 0, True)
        return text

    def cases(self):
        multipart = 'multipart/related; type="text/xml"; boundary=b'
        root, kind = self.root, "text/xml; charset=UTF-8"
        nobody = self.is_.client.rsplit("/", 1)[0].encode()
        nonsense = (
            ("nothing", "client.invalid_soap", b"", kind),
            ("no XML", "client.invalid_soap", b"text", kind),
            ("an empty multipart", "client.missing_soap", b"", multipart),
            ("a multipart without SOAP", "client.invalid_content_type",
             b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n", multipart),
            ("another content type", "client.invalid_content_type", root, "blah"),
            ("no body", "client.missing_body", self.cut(b"<s:Body>.*</s:Body>"), kind),
            ("no header", "client.missing_header", self.cut(b"<s:Header>.*</s:Header>"), kind),
            ("no id", "client.missing_header_field", self.cut(b"<xroad:id>.*</xroad:id>"), kind),
            ("an id twice", "client.duplicate_header_field",
             self.cut(b"<xroad:id>", b"<xroad:id>x</xroad:id><xroad:id>"), kind),
            ("another protocol", "client.invalid_protocol_version", self.cut(b">4.0<", b">3.0<"),
             kind),
            ("another service in the body", "client.inconsistent_headers",
             self.cut(b"m:echo", b"m:other"), kind),
            ("two services in the body", "client.invalid_body",
             self.cut(b"</s:Body>", b"<a/></s:Body>"), kind),
            ("a fault", "client.Client.Own", FAULT, kind),
        )
        for what, code, body, content_type in nonsense:
            yield f"{what}: {code}", self.nonsense, (code, body, content_type)
        yield "GET: client.invalid_http_method", self.nonsense, (
            "client.invalid_http_method", None, kind, "GET")
        yield "a wrong SOAPAction: client.invalid_soap_action", self.nonsense, (
            "client.invalid_soap_action", root, kind, "POST", "a b")
        service = self.is_.provider + "/echo"
        yield "REST without client: client.invalid_client_identifier", self.nonsense_rest, (
            "client.invalid_client_identifier", "/r1/" + service)
        yield "REST of nobody", self.nobody, (nobody.decode() + "/nobody", "/r1/" + service)

    def nobody(self, client, path):
        a = self.caller(self.server).http("GET", path, None, X_Road_Client=client)
        holds(("unknown_member", "access_denied"), a.headers.get("x-road-error", "").split(".")[-1])


class Trust:
    """What the bridge demands of the security server that it calls, and of its configuration."""

    def __init__(self, world):
        self.world = world
        self.path = world.endpoints["silta"]["config"]
        with open(self.path, encoding="utf-8") as f:
            self.text = f.read()

    def change(self, old, new, path=None):
        equal(old in self.text, True)
        with open(path or self.path, "w", encoding="utf-8") as f:
            f.write(self.text.replace(old, new))

    def another_security_server(self):
        """With another certificate than that which it shows nothing is sent to it."""
        e = self.world.endpoints
        before = self.world.admin("FI", "/state")["received"]
        self.change(f'security_server_certs = "{e["FI"]["server_internal_cert"]}"',
                    f'security_server_certs = "{e["EE"]["server_internal_cert"]}"')
        self.world.kill_bridge()
        try:
            is_ = System(e, "EE")
            a = is_.rest("POST", "echo", "", b"x", Content_Type="a/b")
            equal((a.status, a.headers["x-road-error"]),
                  (500, "server.clientproxy.ssl_authentication_failed"))
            try:
                is_.soap("echo", "")
            except Fault as fault:
                equal(fault.code, "server.clientproxy.ssl_authentication_failed")
            else:
                raise AssertionError("no fault")
            equal(self.world.admin("FI", "/state")["received"], before)
        finally:
            self.change("", "")
            self.world.kill_bridge()

    def check_refuses(self):
        """silta check tells what cannot be trusted, all of it at once."""
        e = self.world.endpoints
        wrong = self.path + ".wrong"
        text = self.text
        for country, server in (("EE", "http://192.0.2.7:8080"), ("FI", "https://192.0.2.7")):
            certs = f'security_server_certs = "{e[country]["server_internal_cert"]}";'
            for option, value in (
                (f'security_server = "{e[country]["client_tls"]}";',
                 f'security_server = "{server}";'),
                (certs, certs if country == "EE" else ""),
                (f'auth_key = "{e[country]["keys"]["bridge"]["auth_key"]}";', ""),
                (f'auth_cert = "{e[country]["keys"]["bridge"]["auth_cert"]}";', ""),
            ):
                equal(option in text, True)
                text = text.replace(option, value)
        text = re.sub(r'(?<!admin_)listen = "[^"]*"', 'listen = "192.0.2.8"', text)
        with open(wrong, "w", encoding="utf-8") as f:
            f.write(text)
        told = command(SILTA, "check", "-c", wrong, status=1)
        equal(told.count("listen: 192.0.2.8 can be reached from elsewhere"), 3)
        holds(told, "security_server: plain HTTP to 192.0.2.7")
        holds(told, "security_server: there is nothing to know 192.0.2.7 by")


# --- a security server that does not keep to the protocol --------------------------------------

FAR = "server.clientproxy.service_failed."
SPOILT_SOAP = (
    # what becomes of the answer, and what the caller is told
    ("wrong-hash", "server.clientproxy.inconsistent_response"),
    ("no-hash", "server.clientproxy.inconsistent_response"),
    ("other-id", FAR + "inconsistent_response"),
    ("other-client", FAR + "inconsistent_response"),
    ("no-xml", FAR + "invalid_soap"),
    ("empty", FAR + "invalid_soap"),
    ("html", FAR + "invalid_content_type"),
    ("no-boundary", FAR + "invalid_content_type"),
    ("404", "server.clientproxy.http_error"),
    ("302", "server.clientproxy.http_error"),
    ("nothing", "server.clientproxy.network_error"),
    ("half", FAR + "io_error"),
)
SPOILT_REST = (
    ("other-id", "server.clientproxy.inconsistent_response"),
    ("other-client", "server.clientproxy.inconsistent_response"),
    ("other-service", "server.clientproxy.inconsistent_response"),
    ("nothing", "server.clientproxy.network_error"),
    ("half", FAR + "io_error"),
)


class Impostor(http.server.BaseHTTPRequestHandler):
    """Has the security server's certificate, asks it, and spoils what it answers."""

    protocol_version = "HTTP/1.1"

    def body_of(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        out = b""
        while n := int(self.rfile.readline(), 16):
            out += self.rfile.read(n)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def answer(self):
        at = urllib.parse.urlsplit(self.server.target)
        c = http.client.HTTPSConnection(at.netloc, timeout=60, context=self.server.context)
        skip = ("host", "transfer-encoding", "content-length", "connection", "expect")
        c.request(self.command, self.path, self.body_of() or None,
                  {k: v for k, v in self.headers.items() if k.lower() not in skip})
        r = c.getresponse()
        head = {k.lower(): v for k, v in r.getheaders() if k.lower() not in skip + ("date",)}
        got = r.status, head, r.read()
        c.close()
        self.server.seen += 1
        self.give(*self.spoil(self.server.mode, *got))

    do_GET = do_POST = answer

    def spoil(self, mode, status, head, body):
        if mode == "wrong-hash":
            body = re.sub(rb"(requestHash [^>]*>).", rb"\g<1>-", body)
        elif mode == "no-hash":
            body = re.sub(rb"<[^<]*requestHash.*requestHash>", b"", body)
        elif mode == "other-id":
            body = re.sub(rb"(:id>)[^<]", rb"\g<1>~", body)
            head["x-road-id"] = "another"
        elif mode == "other-client":
            client = self.server.client.split("/")
            body = body.replace(b">%s<" % client[3].encode(), b">another<", 1)
            head["x-road-client"] = "/".join(client[:3] + ["another"])
        elif mode == "other-service":
            head["x-road-service"] = head.get("x-road-service", "") + "x"
        elif mode == "no-xml":
            body = b"<a"
        elif mode == "empty":
            body = b""
        elif mode == "html":
            head["content-type"] = "text/html"
        elif mode == "no-boundary":
            head["content-type"] = "multipart/related"
        elif mode in ("404", "302"):
            status, head["location"] = int(mode), self.server.target
        return status, head, body

    def give(self, status, head, body):
        if self.server.mode != "nothing":
            self.send_response(status)
            for k, v in head.items():
                self.send_header(k, v)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:len(body) // 2] if self.server.mode == "half" else body)
            self.wfile.flush()
        self.close_connection = self.close_connection or self.server.mode in ("nothing", "half")

    def log_message(self, *arguments):
        pass


class Spoilt:
    """Every answer of Finland's security server goes through an impostor."""

    def __init__(self, world, trust):
        fi = world.endpoints["FI"]
        self.world = world
        self.trust = trust
        self.is_ = System(world.endpoints, "EE")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Impostor)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cert = fi["server_internal_cert"]
        context.load_cert_chain(cert, cert.replace(".cert.pem", ".key.pem"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.target = fi["client_tls"]
        self.server.client = fi["members"]["bridge"]["subsystem"]
        self.server.seen = 0
        self.server.mode = ""
        self.server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.server.context.check_hostname = False
        self.server.context.load_verify_locations(cert)
        self.server.context.load_cert_chain(fi["keys"]["bridge"]["auth_cert"],
                                            fi["keys"]["bridge"]["auth_key"])

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{self.server.server_address[1]}/"
        self.trust.change(self.server.target, url)
        self.world.kill_bridge()
        self.is_.soap("echo", "", some_parts())
        equal(self.is_.rest("GET", "echo").status, 200)
        equal(self.server.seen, 2)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.trust.change("", "")
        self.world.kill_bridge()

    def soap(self, mode, code):
        self.server.mode = mode
        before = self.server.seen
        try:
            self.is_.soap("echo", "")
        except Fault as fault:
            equal(fault.code, code)
        else:
            raise AssertionError("no fault")
        equal(self.server.seen, before + 1)  # what may have been sent is not sent again

    def rest(self, mode, code):
        self.server.mode = mode
        before = self.server.seen
        a = self.is_.rest("POST", "echo", "/body", b"0123456789" * 1000, Content_Type="a/b")
        if mode == "half":  # the head had gone when the rest did not come
            equal(len(a.body) < 10000 or a.headers.get("x-road-error") == code, True)
        else:
            equal((a.headers.get("x-road-error"), a.status), (code, 500))
        equal(self.server.seen, before + 1)


# --- the four combinations --------------------------------------------------------------------


def add_routes(world):
    e = world.endpoints
    path = e["silta"]["config"]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    more = "".join(
        ROUTES.format(side=side, other=other(side), group=e[side]["groups"]["pharmacies"],
                      target=e[other(side)]["members"]["centre"]["subsystem"])
        for side in ("EE", "FI")
    )
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("routes = (", "routes = (" + more, 1))
    command(SILTA, "check", "-c", path)
    world.kill_bridge()


# as an independent judge has it, but the signer is the one that it is told
TOLD_JUDGE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("judge", sys.argv[1])
judge = importlib.util.module_from_spec(spec)
spec.loader.exec_module(judge)
member = tuple(sys.argv[2].split("/"))
judge.signer_of = lambda message: member
sys.exit(judge.main(["asice", *sys.argv[3:]]))
"""


class Sealed(Evidence):
    """The containers of a world's message log. What passed behind a security server the bridge has
    signed for itself, whoever had sent it."""

    def __init__(self, world):
        super().__init__(world)
        self.members = {
            side: world.endpoints[side]["members"]["bridge"]["member"]
            for side in ("EE", "FI") if self.silta[side]["bearer"] == "message"
        }

    def good(self, side, *judge):
        files = glob.glob(f"{self.dir}/*-{side.lower()}-*.asice")
        told = command(*judge, f"{self.silta['globalconf']}/{side}", *files)
        equal(sum(line.startswith("OK ") for line in told.splitlines()), len(files))
        equal(len(files) > 0, True)

    def verifies(self):
        for side in ("EE", "FI"):
            member = self.members.get(side)
            who = ("--signer", member) if member else ()
            self.good(side, SILTA, "verify", "--strict", *who, "--conf")

    def independent_judge(self):
        check = SHARED + "/tools/xroad_check.py"
        if not os.path.exists(check):
            raise Skip("there is no ../shared")
        for side in ("EE", "FI"):
            member = self.members.get(side)
            judge = ("-c", TOLD_JUDGE, check, member) if member else (check, "asice")
            self.good(side, "/usr/bin/python3", *judge)


def every_leg(evidence, ids):
    """Each message stands in the log four times, once for each leg and way."""
    found = collections.defaultdict(list)
    for path in evidence.export():
        with zipfile.ZipFile(path) as z:
            head = z.read("message.xml")
        said = re.search(rb"(?:x-road-id:|<xroad:id>)([^\r<]*)", head, re.I).group(1).decode()
        found[said].append(re.search(r"(?:ee|fi)-(?:request|response)", path).group(0))
    equal({i: sorted(found[i]) for i in ids}, {i: LEGS for i in ids})


def ends_as_told(world):
    """Neither did the bridge die by itself: only the tests killed it."""
    equal(world.close(), 0)
    died = [line for line in world.log_lines() if line.startswith("up: the bridge ended")]
    equal([line for line in died if "status 137" not in line], [])
    equal([line for line in world.log_lines() if "Sanitizer" in line], [])


def combination(cases, ee, fi):
    bearers = {"EE": ee, "FI": fi}
    title = f"EE {ee}, FI {fi}"
    os.environ["SILTA_BEARER"] = f"EE:{ee} FI:{fi}"
    world = World("--key", "p256")
    evidence = Sealed(world)
    ids = []
    try:
        add_routes(world)
        for country in ("FI", "EE"):
            way = f"{title}: {country} to {other(country)}"
            flow = Flow(world, country)
            for name, case in flow.cases():
                cases.run(f"{way}: {name}", case)
            for name, case in Refusals(world, country, bearers[country]).cases():
                cases.run(f"{way}: {name}", case)
            ids += flow.ids
        if ee == fi == "message":
            own_cases(cases, world)
        cases.run(f"{title}: the programs end as told, and not before", ends_as_told, world)
        cases.run(f"{title}: every leg is logged", every_leg, evidence, ids)
        cases.run(f"{title}: the evidence verifies", evidence.verifies)
        cases.run(f"{title}: an independent judge agrees", evidence.independent_judge)
        cases.run(f"{title}: the log proves itself", evidence.log_proves_itself)
    finally:
        if world.up.poll() is None:
            world.close()
        world.remove()


def unsealed_log(world, ids):
    """What has no signature is said to have none, and nothing else."""
    silta = world.endpoints["silta"]
    told = command(SILTA, "log", "verify", "--log", silta["log"], "--conf",
                   f"EE={silta['globalconf']}/EE", "--conf", f"FI={silta['globalconf']}/FI")
    lines = [line for line in told.splitlines() if ".asice " in line]
    bare = [line for line in lines if "not signed and not sealed" in line]
    equal((len(lines), len(bare)), (4 * len(ids), 2 * len(ids)))
    equal([line for line in bare if "-ee-re" not in line], [])
    shown = command(SILTA, "log", "show", "--log", silta["log"], "--message-id", ids[0])
    equal(shown.count("none: not signed, not sealed"), 2)


def unsealed_export(world, ids):
    evidence = Evidence(world)
    os.makedirs(evidence.dir)
    told = command(SILTA, "log", "export", "--log", world.endpoints["silta"]["log"], "--out",
                   evidence.dir, status=1)
    files = glob.glob(evidence.dir + "/*")
    equal((len(told.splitlines()), len(files)), (2 * len(ids), 2 * len(ids)))
    equal([f for f in files if "-fi-re" not in f], [])
    command(SILTA, "verify", "--strict", "--conf", world.endpoints["silta"]["globalconf"] + "/FI",
            *files)


def plain(cases):
    """Without TLS, which loopback addresses may do without, and without a key to seal with."""
    title = "EE message over plain HTTP, unsealed"
    os.environ["SILTA_BEARER"] = "EE:plain FI:transport"
    world = World("--key", "p256")
    ids = []
    try:
        add_routes(world)
        for country in ("FI", "EE"):
            flow = Flow(world, country)
            way = f"{title}: {country} to {other(country)}"
            cases.run(f"{way}: SOAP with attachments", flow.soap_with_attachments)
            cases.run(f"{way}: REST with JSON", flow.rest_with_json)
            ids += flow.ids
        cases.run(f"{title}: the programs end as told, and not before", ends_as_told, world)
        cases.run(f"{title}: the log says what is not signed", unsealed_log, world, ids)
        cases.run(f"{title}: only what is signed is exported", unsealed_export, world, ids)
    finally:
        if world.up.poll() is None:
            world.close()
        world.remove()


def own_cases(cases, world):
    listener = Listener(world, "EE")
    trust = Trust(world)
    cases.run("behind: it shows its own certificate", listener.shows_its_certificate)
    cases.run("behind: its security server may call", listener.the_security_server_itself)
    cases.run("behind: a stranger may not", listener.turned_away, listener.stranger())
    cases.run("behind: nor who has no certificate", listener.turned_away, None)
    for name, case, arguments in listener.cases():
        cases.run(f"behind: {name}", case, *arguments)
    spoilt = Spoilt(world, trust)
    cases.run("behind: an impostor with the right certificate", spoilt.start)
    for mode, code in SPOILT_SOAP:
        cases.run(f"behind: SOAP answer, {mode}: {code}", spoilt.soap, mode, code)
    for mode, code in SPOILT_REST:
        cases.run(f"behind: REST answer, {mode}: {code}", spoilt.rest, mode, code)
    cases.run("behind: the impostor goes", spoilt.stop)
    cases.run("behind: another security server gets nothing", trust.another_security_server)
    cases.run("behind: what nobody can trust is refused by silta check", trust.check_refuses)


def main():
    cases = Cases()
    for ee, fi in COMBINATIONS:
        combination(cases, ee, fi)
    plain(cases)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
