# SPDX-License-Identifier: MIT
"""X-Road's own messages, files of SLT_SHARED, over real connections: each to the bridge as a security
server's request, and back to it as a security server's answer; the outcome is the one X-Road has."""
import http.client
import json
import os
import ssl
import sys
import xml.etree.ElementTree as ET

from hostile import Evil
from tap import SHARED, SILTA, Cases, Skip, World, command

from pharmacy import Fault, Pharmacy

VECTORS = SHARED + "/vectors/xroad/"
NAMED = os.environ.get("SLT_SHARED", "../shared") + "/vectors/xroad/"  # as tests/run.sh knows it

PROXY = "proxymessages/"
QUERY = "queries/"
XML = "text/xml"
USUAL = "multipart/mixed; charset=UTF-8; boundary=xtop1357783211hcn1yiro"
ATTACHED = "multipart/mixed; charset=UTF-8; boundary=xtop569125687hcu8vfma"
JETTY = "multipart/mixed; boundary=jetty771207119h3h10dty"

SERVER = "server.serverproxy."
FAILED = SERVER + "service_failed."

# A request to the bridge, as between security servers: file, Content-Type, fault code. Where X-Road's
# decoder takes the file, the next thing judged is the OCSP response for the TLS certificate: there is
# none in most of them, and in one it is somebody else's. A Fault is no request.
REQUESTS = (
    (PROXY + "normal.request", USUAL, SERVER + "ssl_authentication_failed"),
    (PROXY + "attachment.request", ATTACHED, SERVER + "ssl_authentication_failed"),
    (PROXY + "ocsp.request", USUAL,
     SERVER + "ssl_authentication_failed.invalid_cert_path.cert_validation"),
    (PROXY + "normal-soapfault.request", USUAL, SERVER + "invalid_message"),
    (PROXY + "fault-signature.request", USUAL, SERVER + "invalid_message"),
    (PROXY + "extracontent.request", USUAL, FAILED + "invalid_message"),
    (PROXY + "invalid-ocsp.request", USUAL, FAILED + "io_error"),
    (PROXY + "invalid-soap-contenttype.request", USUAL, FAILED + "invalid_content_type"),
    (PROXY + "invalid-contenttype-signature.request", USUAL, FAILED + "invalid_content_type"),
    (PROXY + "normal.request", "tsdfsdfsdf", FAILED + "invalid_content_type"),
    (QUERY + "simple.query", XML, FAILED + "invalid_content_type"),
    (QUERY + "fault.query", XML, FAILED + "invalid_content_type"),
    (QUERY + "attachm-error.query", "multipart/mixed", FAILED + "invalid_content_type"),
    (QUERY + "no-signature.query", "multipart/mixed; boundary=jetty42534330h7vzfqv2",
     SERVER + "missing_signature"),
    (QUERY + "attachm.query", JETTY, SERVER + "missing_signature"),
    (QUERY + "no-soap.query", "multipart/mixed; boundary=foobar", FAILED + "invalid_soap"),
    (QUERY + "empty.query", USUAL, SERVER + "missing_soap"),
    # every other file, as if it were a message between security servers: attachments stand in one
    # multipart there, no signature follows, and nothing is bare XML
    (QUERY + "mimesoap.query", JETTY, SERVER + "missing_signature"),
    (QUERY + "smallAttachment.query", JETTY, SERVER + "missing_signature"),
    (QUERY + "attachm-mtom.query", JETTY, FAILED + "invalid_content_type"),
    (QUERY + "attachments.query", JETTY, FAILED + "invalid_content_type"),
    *((QUERY + name, XML, FAILED + "invalid_content_type") for name in (
        "getstate.query", "getstate.answer", "getstate-defaultnamespace.query", "cdata.query",
        "nowhitespace.query", "split-header.query", "requesthash.answer", "missing-body.query")),
)

# An answer to the bridge: file, Content-Type, fault code as X-Road's client proxy has it. A Fault is
# passed on with its own code.
CLIENT = "server.clientproxy."
BROKEN = CLIENT + "service_failed."
ANSWERS = (
    (PROXY + "normal-soapfault.request", USUAL, "CODE"),
    (PROXY + "fault-signature.request", USUAL, "CODE"),
    (PROXY + "extracontent.request", USUAL, BROKEN + "invalid_message"),
    (PROXY + "invalid-soap-contenttype.request", USUAL, BROKEN + "invalid_content_type"),
    (PROXY + "invalid-contenttype-signature.request", USUAL, BROKEN + "invalid_content_type"),
    (PROXY + "normal.request", "tsdfsdfsdf", BROKEN + "invalid_content_type"),
    (QUERY + "fault.query", XML, "CODE"),
    (QUERY + "faulty-fault.answer", XML, "soap:Server"),
    (QUERY + "simple.query", XML, BROKEN + "invalid_message"),
    (QUERY + "getstate.query", XML, BROKEN + "invalid_message"),
    (QUERY + "getstate.answer", XML, BROKEN + "invalid_message"),
    (QUERY + "empty.query", XML, BROKEN + "invalid_soap"),
    (QUERY + "missing-body.query", XML, BROKEN + "missing_body"),
    (QUERY + "attachm-error.query", "multipart/mixed", BROKEN + "invalid_content_type"),
    (QUERY + "attachm-error.query", JETTY, BROKEN + "invalid_content_type"),
    (QUERY + "attachm.query", "oih", BROKEN + "invalid_content_type"),
    (QUERY + "no-signature.query", "multipart/mixed; boundary=jetty42534330h7vzfqv2",
     CLIENT + "missing_signature"),
    (QUERY + "no-soap.query", "multipart/mixed; boundary=foobar", BROKEN + "invalid_soap"),
)


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}")


def load(name):
    path = VECTORS + name
    if not os.path.exists(path):
        if os.path.isdir(SHARED):
            print(f"skipped: {NAMED}{name} is not there")
        raise Skip("the file is not there")
    with open(path, "rb") as f:
        return f.read()


def fault_code(body):
    return ET.fromstring(body).find(".//{*}Fault").findtext("faultcode")


class SecurityServer:
    """Estonia's own security server, by its key and certificate, that sends what the test likes."""

    def __init__(self, world):
        with open(world.dir + "/EE/instance.json", encoding="utf-8") as f:
            at = json.load(f)
        keys = world.dir + "/EE/keys/server-auth"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.load_cert_chain(keys + ".cert.pem", keys + ".key.pem")
        self.address = (at["bridge_address"], at["transport_port"])

    def request(self, method, body, **headers):
        connection = http.client.HTTPSConnection(*self.address, context=self.context, timeout=30)
        try:
            connection.request(method, "/", body, {
                "x-hash-algorithm": "SHA-512", "x-proxy-version": "7.8.0",
                **{k.replace("_", "-"): v for k, v in headers.items()}})
            answer = connection.getresponse()
            equal((answer.status, answer.headers["Content-Type"].partition(";")[0]), (200, XML))
            return fault_code(answer.read())
        finally:
            connection.close()

    def sends(self, name, kind, code):
        equal(self.request("POST", load(name), Content_Type=kind), code)


class Provider(Evil):
    """Finland's security server, likewise, that answers what the test likes."""

    def __init__(self, world):
        super().__init__(world)
        self.on_relay = self.genuine_relay
        self.pharmacy = Pharmacy(world.endpoints)

    def answers(self, name, kind, code):
        body = load(name)
        self.sends(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nx-hash-algorithm: SHA-512\r\n"
                   b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
                   % (kind.encode(), len(body), body), code)

    def sends(self, answer, code):
        """What the caller is told when this comes back."""
        self.on_call = lambda tls: tls.sendall(answer)
        before = self.calls
        try:
            self.pharmacy.call("teade", "", "call")
        except Fault as fault:
            equal((fault.code, self.calls - before), (to_server(code), 1))
            return
        raise AssertionError("no fault")


def to_server(code):
    """A security server that calls sees the bridge as the server proxy with the service behind it."""
    for prefix in (BROKEN, CLIENT):
        if code.startswith(prefix):
            return FAILED + code[len(prefix):]
    return code


def add_route(world, provider):
    """A service whose messages the bridge does not touch, with the test as Finland's server."""
    e = world.endpoints
    path = e["silta"]["config"]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    route = (f'{{ name = "raw"; from = "EE"; to = "FI"; flow = "none"; services = ( "teade" ); '
             f'target = "{e["FI"]["members"]["centre"]["subsystem"]}"; '
             f'allow = ( "EE/{e["EE"]["groups"]["pharmacies"]}" ); deadline = 20; }},')
    text = text.replace("routes = (", "routes = (" + route, 1)
    head, finland = text.split('{ name = "FI";', 1)
    for option, value in provider.settings:
        at = finland.index(option + " = ")
        finland = finland[:at] + f"{option} = {value}" + finland[finland.index(";", at):]
    with open(path, "w", encoding="utf-8") as f:
        f.write(head + '{ name = "FI";' + finland)
    command(SILTA, "check", "-c", path)
    world.kill_bridge()


def run(cases, world, provider):
    server = SecurityServer(world)
    for name, kind, code in REQUESTS:
        cases.run(f"request: {name} as {kind.partition(';')[0]}: {code}",
                  server.sends, name, kind, code)
    cases.run("request: GET", lambda: equal(server.request("GET", None),
                                            SERVER + "invalid_http_method"))
    for name, kind, code in ANSWERS:
        cases.run(f"answer: {name} as {kind.partition(';')[0]}: {code}",
                  provider.answers, name, kind, code)
    for what, answer, code in (
        ("an HTTP error", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
         CLIENT + "http_error"),
        ("the end before any header", b"", CLIENT + "network_error"),
        ("the end amid the message",
         b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nx-hash-algorithm: SHA-512\r\n"
         b"Content-Length: 9999\r\n\r\n--xtop1357783211hcn1yiro\r\n" % USUAL.encode(),
         BROKEN + "io_error"),
    ):
        cases.run(f"answer: {what}: {code}", provider.sends, answer, code)


def main():
    cases = Cases()
    if not os.path.isdir(VECTORS):
        cases.run("X-Road's messages", load, "")
        return cases.end()
    world = World()
    provider = Provider(world)
    try:
        cases.run("the bridge takes a route to the test", add_route, world, provider)
        run(cases, world, provider)
        if world.close() != 0:
            cases.run("the programs end as told", equal, "status", 0)
    finally:
        provider.close()
        if world.up.poll() is None:
            world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
