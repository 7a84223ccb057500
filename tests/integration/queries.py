# SPDX-License-Identifier: MIT
"""X-Road's own messages of information systems, files of SLT_SHARED, over real connections: as
requests to a side whose bearer is `message`, and as answers of a service behind such a side."""
import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import socket
import sys
import threading
import xml.etree.ElementTree as ET

from tap import SILTA, Cases, World, command
from vectors import FAILED, SERVER, VECTORS, XML, load

from meta import valid
from pharmacy import Fault, Pharmacy
from rest import equal

QUERY = "queries/"
RELATED = "multipart/related; boundary=jetty771207119h3h10dty"
XOP = ('multipart/related; boundary=MIMEBoundaryurn_uuid_0FE43E4D025F0BF3DC11582467646812; '
       'type="application/xop+xml"; start-info="text/xml"')
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
OWN = "client."
PROXY = "server.clientproxy."

# A request of an information system: file, Content-Type, SOAPAction, fault code (None: the service
# answers).
REQUESTS = (
    *((name + ".query", XML, '""', None) for name in (
        "getstate", "getstate-subsystem", "getstate-defaultnamespace", "simple", "simple-rpc",
        "simple-representedparty", "cdata", "xmlencoded", "nowhitespace", "split-header",
        "missing-userId")),
    ("getstate.query", "text/xml; charset=UTF-8", None, None),
    *((name + ".query", RELATED, '""', None) for name in (
        "mimesoap", "attachm", "attachm2-utf8bom-inside", "attachm-mtom", "attachment-small-mantis",
        "attachments", "smallAttachment", "bigAttachment")),
    ("attachm.query", 'multipart/related; charset=UTF-8; boundary="jetty771207119h3h10dty"', None,
     None),
    ("attachm2.query", 'multipart/related; charset=UTF-8; boundary="jetty771207119h3h10dty"', None,
     None),
    ("fault.query", XML, '""', OWN + "CODE"),
    ("empty.query", XML, '""', OWN + "invalid_soap"),
    ("empty.query", RELATED, '""', OWN + "missing_soap"),
    ("missing-body.query", XML, '""', OWN + "missing_body"),
    ("no-header.query", XML, '""', OWN + "missing_header"),
    ("faulty-header2.query", XML, '""', OWN + "duplicate_header_field"),
    ("malformed-body1.query", XML, '""', OWN + "invalid_body"),
    ("malformed-body2.query", XML, '""', OWN + "invalid_body"),
    ("malformed-body3.query", XML, '""', OWN + "inconsistent_headers"),
    ("wrong-protocolVersion.query", XML, '""', OWN + "invalid_protocol_version"),
    ("malformed-protocolVersion.query", XML, '""', OWN + "invalid_protocol_version"),
    ("missing-protocolVersion.query", XML, '""', OWN + "missing_header_field"),
    ("missingobjecttype.query", XML, '""', OWN + "invalid_xml"),
    ("attachm-error.query", RELATED, '""', OWN + "invalid_content_type"),
    ("attachm-no-soap.query", RELATED, '""', OWN + "invalid_content_type"),
    ("attachm-faulty-soap.query", RELATED, '""', OWN + "missing_header_field"),
    ("getstate.query", "blah", '""', OWN + "invalid_content_type"),
    ("getstate.query", XML, "malformed action", OWN + "invalid_soap_action"),
    ("getstate.query", XML, "", None),
    ("getstate.query", XML, '"urn:a"', None),
    ("missing-org.query", XML, '""', PROXY + "unknown_member"),
    ("notAllowed.query", XML, '""', SERVER + "access_denied"),
)

# An answer of a service: file, Content-Type, service called, fault code (None: it is passed on).
ANSWERS = (
    *((name + ".answer", XML, service, None) for name, service in (
        ("getstate", "getState"), ("getstate-subsystem", "getState"), ("simple", "testQuery"),
        ("simple-comment", "testQuery"), ("cdata", "getState"), ("xmlencoded", "getState"),
        ("nowhitespace", "getState"), ("split-header", "getState"), ("missing-userId", "getState"),
        ("requesthash", "getState"), ("attachm", "test"))),
    ("getstate-iso88591.answer", "text/xml; charset=ISO-8859-1", "getState", None),
    *((name + ".answer", RELATED, "test", None) for name in (
        "mimesoap", "attachm2", "attachm-mtom", "attachment-small-mantis", "attachments")),
    ("xop.answer", XOP, "test", None),
    ("soapfault-mtom.answer", RELATED, "test", "soap:Server"),
    ("faulty-fault.answer", XML, "test", "soap:Server"),
    ("fault.query", XML, "test", "CODE"),
    ("empty.query", XML, "test", FAILED + "invalid_soap"),
    ("empty.query", RELATED, "test", FAILED + "invalid_message"),
    ("faulty-header.query", XML, "test", FAILED + "missing_header_field"),
    ("attachm-faulty-soap.query", RELATED, "test", FAILED + "missing_header_field"),
    ("malformed-body2.query", XML, "test", FAILED + "invalid_body"),
    ("missing-body.query", XML, "test", FAILED + "missing_body"),
    ("no-header.query", XML, "test", FAILED + "missing_header"),
    ("attachm-error.query", RELATED, "test", FAILED + "invalid_content_type"),
    ("attachm-no-soap.query", RELATED, "test", FAILED + "invalid_content_type"),
    ("getstate.answer", "blah", "getState", FAILED + "invalid_content_type"),
    ("faulty-multipart.query", RELATED, "test", FAILED + "invalid_message"),
)


# --- the security server before a far side ---


def envelope_of(body, kind):
    """The bytes of the envelope of what came."""
    if not kind.lower().startswith("multipart/"):
        return body
    boundary = re.search(r'boundary="?([^";]+)', kind).group(1).encode()
    part = body.split(b"--" + boundary)[1]
    return re.sub(rb"\r?\n\Z", b"", re.split(rb"\r?\n\r?\n", part, maxsplit=1)[1])


def field(root, name):
    space = "representation" if name == "representedParty" else "xroad"
    return root.find(f"{SOAP}Header/{{http://x-road.eu/xsd/{space}.xsd}}{name}")


def as_asked(text, root, envelope):
    """A file's header as that of the request that it answers: identifiers, and the hash."""
    hashed = base64.b64encode(hashlib.sha512(envelope).digest()).decode()
    names = ("client", "service", "userId", "id", "issue", "representedParty")
    for name in (*names, "requestHash"):
        text = re.sub(rb"(?s)<(\w+):%s(?: [^>]*[^/>])?>.*?</\1:%s>|<\w+:%s(?: [^>]*)?/>"
                      % ((name.encode(),) * 3), b"", text, count=1)
    fields = [ET.tostring(field(root, n)) for n in names if field(root, n) is not None]
    fields.append(b'<x:requestHash xmlns:x="http://x-road.eu/xsd/xroad.xsd" algorithmId='
                  b'"http://www.w3.org/2001/04/xmlenc#sha512">%s</x:requestHash>' % hashed.encode())
    return re.sub(rb"(<[\w-]+:Header>)", lambda m: m.group(1) + b"".join(fields), text, count=1)


class Server:
    """An ordinary security server's client end: answers what the test likes, or a good answer."""

    def __init__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.serve(self)

            def log_message(self, *arguments):
                pass

        self.answer = None  # (bytes, Content-Type, with the request's header), or None
        self.calls = 0
        self.asked = None
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.httpd.server_address[1]}/"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    @staticmethod
    def body_of(request):
        if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
            return request.rfile.read(int(request.headers.get("Content-Length", 0)))
        body = b""
        while True:
            n = int(request.rfile.readline().split(b";")[0], 16)
            body += request.rfile.read(n)
            request.rfile.readline()
            if n == 0:
                return body

    def serve(self, request):
        body = self.body_of(request)
        self.calls += 1
        envelope = envelope_of(body, request.headers["Content-Type"])
        self.asked = root = ET.fromstring(envelope)
        text, kind, adapt = self.answer or (self.good(root), XML, True)
        if adapt:
            text = as_asked(text, root, envelope)
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    @staticmethod
    def good(root):
        service = field(root, "service").findtext("{*}serviceCode")
        return (f'<s:Envelope xmlns:s="{SOAP[1:-1]}" xmlns:x="http://x-road.eu/xsd/xroad.xsd">'
                f"<s:Header><x:protocolVersion>4.0</x:protocolVersion></s:Header>"
                f"<s:Body><{service}Response>good</{service}Response></s:Body></s:Envelope>"
                ).encode()

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()


# --- the bridge between them ---


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def providers():
    """Whom the requests that are to be answered are sent to."""
    found = set()
    for name, kind, _, code in REQUESTS:
        path = VECTORS + QUERY + name
        if code is None and os.path.exists(path):
            with open(path, "rb") as f:
                header = ET.fromstring(envelope_of(f.read(), kind))
            found.add("/".join(part.text for part in field(header, "service")
                               if not part.tag.endswith(("serviceCode", "serviceVersion"))))
    return sorted(found)


class Behind:
    """The world's bridge with sides behind ordinary security servers."""

    def __init__(self, world):
        self.world = world
        self.server = Server()
        self.port = free_port()
        self.path = world.endpoints["silta"]["config"]
        with open(self.path, encoding="utf-8") as f:
            self.text = f.read()

    def side(self, text, name):
        """The configuration with that side's bearer changed."""
        old = re.search(rf'(?s)\{{ name = "{name}";.*?\}}', text).group(0)
        kept = [re.search(rf"{o} = [^;]*;", old).group(0)
                for o in ("anchor", "globalconf", "subsystem", "server")]
        port = self.port if name == "EE" else free_port()
        new = (f'{{ name = "{name}"; bearer = "message"; {" ".join(kept)} listen = "127.0.0.1"; '
               f'port = {port}; security_server = "{self.server.url}"; '
               f"timestamp_interval = 2; fetch_interval = 10; }}")
        return text.replace(old, new)

    def start(self, sides, routes):
        text = re.sub(r"(?s)routes = \(.*?\n\);", "routes = (\n" + routes + "\n);", self.text)
        for name in sides:
            text = self.side(text, name)
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)
        command(SILTA, "check", "-c", self.path)
        self.world.kill_bridge()

    def target(self):
        return self.world.endpoints["FI"]["members"]["centre"]["subsystem"]

    # --- requests ---

    def near(self):
        """Estonia's side behind its security server: the identifiers are those of the files."""
        route = ('{{ name = "{0}"; from = "EE"; to = "FI"; flow = "none"; provider = "{0}"; '
                 'target = "' + self.target() + '"; {1} }}')
        routes = [route.format(p, 'allow = ( "EE/BUSINESS/consumer" );') for p in providers()]
        routes.append(route.format("EE/BUSINESS/closed", 'allow = ( "EE/BUSINESS/other" );'))
        routes.append(route.format("EE/BUSINESS/other", 'services = ( "other" ); '
                                   'allow = ( "EE/BUSINESS/consumer" );'))
        self.start(("EE", "FI"), ",\n".join(routes))

    def another(self, provider, code):
        """A request whose provider is another."""
        body = load(QUERY + "getstate.query").replace(b">producer<", b">%s<" % provider)
        equal(self.post(body, XML, '""').findtext(f"{SOAP}Body/{SOAP}Fault/faultcode"), code)

    def post(self, body, kind, action, method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": kind}
        if action is not None:
            headers["SOAPAction"] = action
        try:
            connection.request(method, "/", body, headers)
            answer = connection.getresponse()
            kind = answer.headers["Content-Type"]
            equal((answer.status, kind.partition(";")[0]), (200, XML))
            return ET.fromstring(answer.read())
        finally:
            connection.close()

    def request(self, name, kind, action, code):
        body = load(QUERY + name)
        before = self.server.calls
        root = self.post(body, kind, action)
        fault = root.find(f"{SOAP}Body/{SOAP}Fault")
        equal(None if fault is None else fault.findtext("faultcode"), code)
        equal(self.server.calls - before, 1 if code is None else 0)
        if code is None:
            # what the caller compares: the hash of what he sent
            sent = base64.b64encode(hashlib.sha512(envelope_of(body, kind)).digest()).decode()
            equal(field(root, "requestHash").text, sent)
            equal(field(root, "client").findtext("{*}memberCode"), "consumer")

    def get(self):
        root = self.post(None, XML, None, "GET")
        equal(root.findtext(f"{SOAP}Body/{SOAP}Fault/faultcode"), OWN + "invalid_http_method")

    # --- the list of clients ---

    def get_list(self, query="", accept=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/listClients" + query, None,
                               {"Accept": accept} if accept else {})
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read()
        finally:
            connection.close()

    def clients(self):
        status, kind, xml = self.get_list()
        equal((status, kind), (200, "text/xml;charset=utf-8"))
        valid(xml)
        listed = ["/".join(part.text for part in m.find("{*}id"))
                  for m in ET.fromstring(xml)]
        for member in self.world.endpoints["EE"]["members"].values():
            equal([listed.count(member[k]) for k in ("member", "subsystem")], [1, 1])
        status, kind, text = self.get_list("?a=b", "text/html, application/json")
        equal((status, kind), (200, "application/json;charset=utf-8"))
        told = json.loads(text)["member"]
        keys = ("xroad_instance", "member_class", "member_code", "subsystem_code")
        equal(["/".join(m["id"][k] for k in keys if k in m["id"]) for m in told], listed)
        equal([m["id"]["object_type"] for m in told],
              ["MEMBER" if one.count("/") == 2 else "SUBSYSTEM" for one in listed])

    def other_clients(self):
        equal(self.get_list("?xRoadInstance=EE"), self.get_list())
        for instance in ("XX", "", "%2e"):
            status, kind, _ = self.get_list("?xRoadInstance=" + instance)
            equal((status, kind), (404, "text/plain; charset=utf-8"))

    # --- answers ---

    def far(self):
        """Finland's side behind its security server; Estonia's calls as security servers do."""
        e = self.world.endpoints["EE"]
        self.start(("FI",), f'{{ name = "far"; from = "EE"; to = "FI"; flow = "none"; target = '
                   f'"{self.target()}"; allow = ( "EE/{e["groups"]["pharmacies"]}" ); '
                   f"represent = false; }}")
        self.pharmacy = Pharmacy(self.world.endpoints)

    def answer(self, name, kind, service, code):
        body = load(QUERY + name)
        self.server.answer = (body, kind, code is None)
        before = self.server.calls
        try:
            self.pharmacy.call(service, "", "call")
        except Fault as fault:
            equal(fault.code, code)
        else:
            equal(None, code)
        finally:
            self.server.answer = None
        equal(self.server.calls - before, 1)


def run(cases, b):
    cases.run("Estonia's side behind its security server", b.near)
    for name, kind, action, code in REQUESTS:
        how = kind.partition(";")[0] + ("" if action == '""' else f", SOAPAction {action}")
        cases.run(f"request: {name} as {how}: {code or 'answered'}", b.request, name, kind, action,
                  code)
    cases.run("request: GET", b.get)
    cases.run("a provider that there is not", b.another, b"nobody", PROXY + "unknown_member")
    cases.run("a provider who does not know the client", b.another, b"closed",
              SERVER + "access_denied")
    cases.run("a provider who has no such service", b.another, b"other",
              SERVER + "unknown_service")
    cases.run("listClients in XML and JSON", b.clients)
    cases.run("listClients of instances that there are, and are not", b.other_clients)
    cases.run("Finland's side behind its security server", b.far)
    for name, kind, service, code in ANSWERS:
        cases.run(f"answer: {name} as {kind.partition(';')[0]}: {code or 'passed on'}", b.answer,
                  name, kind, service, code)


def main():
    cases = Cases()
    if not os.path.isdir(VECTORS):
        cases.run("X-Road's messages", load, "")
        return cases.end()
    world = World()
    b = Behind(world)
    try:
        run(cases, b)
        if world.close() != 0:
            cases.run("the programs end as told", equal, "status", 0)
    finally:
        b.server.close()
        if world.up.poll() is None:
            world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
