# SPDX-License-Identifier: MIT
"""X-Road's own messages, files of SLT_SHARED, over real connections: each to the bridge as a security
server's request, and back to it as a security server's answer; the outcome is the one X-Road has."""
import http.client
import json
import os
import shutil
import ssl
import sys
import time
import xml.etree.ElementTree as ET

from hostile import Evil
from tap import SHARED, SILTA, Cases, Skip, World, command

from pharmacy import Fault, Pharmacy
from rest import Rest, equal

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
    (PROXY + "ocsp.request", USUAL, SERVER + "ssl_authentication_failed"),
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


class Surroundings:
    """What goes wrong around the bridge, with Finland's own security server."""

    def __init__(self, world):
        self.world = world
        self.pharmacy = Pharmacy(world.endpoints)

    def told(self, code, service="HaeLaakemaaraykset"):
        try:
            self.pharmacy.call(service, "", "call")
        except Fault as fault:
            equal(fault.code, to_server(code))
        else:
            raise AssertionError("no fault")

    def changed(self, country, path, change, back, code):
        self.world.admin(country, path, **change)
        try:
            self.told(code)
        finally:
            self.world.admin(country, path, **back)

    def maintenance(self):
        """The bridge learns of it with the configuration, which it fetches every ten seconds."""
        self.world.admin("FI", "/maintenance", server="own", state="on")
        until = time.monotonic() + 30
        try:
            while True:
                try:
                    self.told(CLIENT + "maintenance_mode")
                    return
                except AssertionError:
                    if time.monotonic() > until:
                        raise
                time.sleep(0.5)
        finally:
            self.world.admin("FI", "/maintenance", server="own", state="off")

    def impostor(self, config):
        """A security server of Finland, good in itself, that does not serve the provider."""
        server = Evil(self.world, own="bridge-auth")
        server.on_relay = lambda s, query: server.genuine_relay(s, query, "bridge_address")
        restart(self.world, config, server.settings)
        try:
            self.told(CLIENT + "ssl_authentication_failed")
            equal(server.calls, 0)
        finally:
            server.close()
            restart(self.world, config)

    def answer_unsigned(self):
        a = Rest(self.world.endpoints).call("GET", "register", "/medicines")
        equal(a.error, SERVER + "cannot_create_signature")

    def cannot_sign(self, country, then):
        self.world.admin(country, "/certificate", name="bridge-sign", status="revoked")
        try:
            shutil.rmtree(self.world.dir + "/silta/state/ocsp")  # the bridge remembers responses
            self.world.kill_bridge()
            then()
        finally:
            self.world.admin(country, "/certificate", name="bridge-sign", status="good")


def add_route(world):
    """Services whose messages the bridge does not touch."""
    e = world.endpoints
    route = (f'{{ name = "raw"; from = "EE"; to = "FI"; flow = "none"; '
             f'services = ( "teade", "HaeLaakemaaraykset" ); '
             f'target = "{e["FI"]["members"]["centre"]["subsystem"]}"; '
             f'allow = ( "EE/{e["EE"]["groups"]["pharmacies"]}" ); deadline = 20; }},')
    with open(e["silta"]["config"], encoding="utf-8") as f:
        return f.read().replace("routes = (", "routes = (" + route, 1)


def restart(world, text, settings=()):
    """The bridge with that configuration, some settings of side FI changed."""
    path = world.endpoints["silta"]["config"]
    head, finland = text.split('{ name = "FI";', 1)
    for option, value in settings:
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


def run_surroundings(cases, world, config):
    s = Surroundings(world)
    cases.run("a service that is not there", s.told, SERVER + "unknown_service", "teade")
    cases.run("a service that is switched off", s.changed, "FI", "/service",
              {"name": "services", "state": "down"}, {"name": "services", "state": "up"},
              SERVER + "service_disabled")
    cases.run("a provider's server with another's TLS certificate", s.impostor, config)
    cases.run("a provider's server in maintenance", s.maintenance)
    cases.run("a request that cannot be signed", s.cannot_sign, "FI",
              lambda: s.told(CLIENT + "cannot_create_signature"))
    cases.run("an answer that cannot be signed", s.cannot_sign, "EE", s.answer_unsigned)


def main():
    cases = Cases()
    if not os.path.isdir(VECTORS):
        cases.run("X-Road's messages", load, "")
        return cases.end()
    world = World()
    provider = Provider(world)
    try:
        config = add_route(world)
        restart(world, config, provider.settings)
        run(cases, world, provider)
        restart(world, config)
        run_surroundings(cases, world, config)
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
