# SPDX-License-Identifier: MIT
"""The bridge between two security servers that share no code with it, seen in bytes on the wire."""
import base64
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid
import xml.etree.ElementTree as ET

from cryptography.hazmat.primitives.asymmetric import ec

from tap import Cases, World

from connections import Race, Relay
from foreign import (XROAD, Country, Wire, boundary, chunked, connect, der, mark_of, read_parts,
                     sha512, sign, value_of, verify, write_parts)
from hostile import Bridge, instance_of

from pharmacy import NS, Pharmacy, patients, person

PLAIN = """
	{{ name = "plain"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  services = ( "tervitus" ); allow = ( "EE/{group}" ); deadline = 20; }},
	{{ name = "plain-rest"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  services = ( "echo" ); allow = ( "EE/{group}" ); deadline = 20; }},
"""


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}")


class Caller:
    """The pharmacy's security server in Estonia."""

    def __init__(self, world):
        self.world = world
        self.country = Country(world.dir + "/EE", instance_of(world, "EE"))
        self.address = self.country.instance["bridge_address"]
        self.port = self.country.instance["transport_port"]
        self.pharmacy = Pharmacy(world.endpoints)
        self.bridge_auth = self.country.chain("bridge-auth")[0]

    def connect(self):
        wire = connect(self.country, "server-auth", self.address, self.port)
        equal(wire.tls.getpeercert(True), der(self.bridge_auth))
        return wire

    def envelope(self, service, body):
        return self.pharmacy.envelope(service, body).encode()

    def request(self, soap, signer="pharmacy-sign", message=None, ocsp=True, **headers):
        """The bytes of a request; headers None are left out."""
        mark = boundary()
        kind = "application/ocsp-response"
        parts = [(kind, self.country.ocsp(c)) for c in self.country.chain("server-auth") if ocsp]
        parts += [("text/xml; charset=UTF-8", soap),
                  ("signature/bdoc-1.0/ts", sign(self.country, signer, message or soap))]
        told = {
            "x-hash-algorithm": "SHA-512",
            "x-proxy-version": "7.8.0",
            "x-original-content-type": "text/xml; charset=UTF-8",
            "x-original-soapaction": '""',
            "x-road-request-id": str(uuid.uuid4()),
            "Content-Type": f"multipart/mixed; charset=UTF-8; boundary={mark}",
            "Transfer-Encoding": "chunked",
            "Host": f"{self.address}:{self.port}",
            "Connection": "keep-alive",
        }
        told.update({k.replace("_", "-"): v for k, v in headers.items()})
        head = "".join(f"{k}: {v}\r\n" for k, v in told.items() if v is not None)
        return f"POST / HTTP/1.1\r\n{head}\r\n".encode() + chunked(write_parts(mark, parts))

    def answer(self, wire, soap):
        """Reads an answer, verifies it as a stranger would, and returns its SOAP."""
        first, lines, body = wire.message()
        equal(first, "HTTP/1.1 200 OK")
        kind = value_of(lines, "Content-Type")
        if not re.fullmatch(r"multipart/mixed; charset=UTF-8; boundary=xtop[A-Za-z]{30}", kind):
            raise AssertionError(f"{kind}\n{body[:2000]}")
        equal(value_of(lines, "x-hash-algorithm"), "SHA-512")
        value_of(lines, "x-original-content-type")
        parts = read_parts(mark_of(kind), body)
        equal([p[0][0].split(";")[0] for p in parts],
              ["content-type: text/xml", "content-type: signature/bdoc-1.0/ts"])
        (_, answer), (_, signature) = parts
        cert = verify(self.country, signature, answer)
        equal(der(cert), der(self.country.chain("bridge-sign")[0]))
        told = ET.fromstring(answer).find(f".//{{{XROAD}}}requestHash")
        equal(base64.b64decode(told.text), sha512(soap))
        return answer

    def fault(self, wire):
        first, lines, body = wire.message()
        equal(first, "HTTP/1.1 200 OK")
        equal(value_of(lines, "Content-Type").lower(), "text/xml; charset=utf-8")
        equal(int(value_of(lines, "Content-Length")), len(body))
        return ET.fromstring(body).findtext(".//faultcode")

    # --- cases ---

    def listed(self):
        return self.envelope("valisretseptideLoetelu", person(patients()["fi-01-tablet.xml"]))

    def calls(self):
        soap = self.listed()
        wire = self.connect()
        wire.tls.sendall(self.request(soap))
        root = ET.fromstring(self.answer(wire, soap))
        if root.find(".//dr:valisretseptideLoeteluVastus", NS) is None and \
                root.find("soap:Body", NS)[0].tag.find("valisretseptideLoetelu") < 0:
            raise AssertionError("no list")

    def twice_on_a_connection(self):
        wire = self.connect()
        for _ in range(3):
            soap = self.listed()
            wire.tls.sendall(self.request(soap))
            self.answer(wire, soap)

    def pipelined(self):
        wire = self.connect()
        soaps = [self.listed() for _ in range(3)]
        wire.tls.sendall(b"".join(self.request(s) for s in soaps))
        for soap in soaps:
            self.answer(wire, soap)

    def asks_to_close(self):
        wire = self.connect()
        soap = self.listed()
        wire.tls.sendall(self.request(soap, Connection="close"))
        self.answer(wire, soap)
        equal(wire.tls.recv(1), b"")

    def refused(self, code, soap=None, **how):
        wire = self.connect()
        wire.tls.sendall(self.request(soap or self.listed(), **how))
        got = self.fault(wire)
        if code not in got:
            raise AssertionError(f"{got}, not {code}")

    def refusals(self):
        self.refused("signature_verification", message=b"another message")
        self.refused("signature_verification", signer="centre-sign")
        self.refused("ssl_authentication_failed", ocsp=False)
        self.refused("client_proxy_version_not_supported", x_proxy_version="7.5.9")
        self.refused("internal_error", x_proxy_version="seven")
        self.refused("internal_error", x_hash_algorithm=None)
        self.refused("internal_error", x_hash_algorithm="MD5")
        self.refused("invalid_soap_action", x_original_soapaction="<a>")
        self.refused("invalid_content_type", Content_Type="application/json")
        self.refused("", x_road_message_type="REST")
        self.refused("unknown_service", soap=self.envelope("midagiMuud", ""))

    def accepted_variants(self):
        """Names of headers in any case, versions to come, the type of message in another case."""
        for how in ({"x_proxy_version": "8.1.0-SNAPSHOT"}, {"x_hash_algorithm": "sha-512"},
                    {"x_original_soapaction": None}, {"x_road_message_type": "rest"},
                    {"x_hash_algorithm": None, "X-HASH-ALGORITHM": "SHA-512"}):
            wire = self.connect()
            soap = self.listed()
            wire.tls.sendall(self.request(soap, **how))
            self.answer(wire, soap)

    def other_methods(self):
        for method in ("GET", "TRACE", "PUT", "OPTIONS", "DELETE", "BREW"):
            wire = self.connect()
            wire.tls.sendall(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if not self.fault(wire).endswith("invalid_http_method"):
                raise AssertionError(method)
        wire = self.connect()  # whose success would mean a tunnel
        wire.tls.sendall(b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n")
        equal(wire.tls.recv(100), b"")

    def curl(self):
        keys = self.country.keys
        url = f"https://{self.address}:{self.port}/"
        base = ["curl", "-sk", "--max-time", "20", url]
        mine = ["--cert", keys + "server-auth.cert.pem", "--key", keys + "server-auth.key.pem"]
        equal(subprocess.run(base, capture_output=True, check=False).returncode != 0, True)
        told = subprocess.run([*base, *mine], capture_output=True, check=True).stdout
        if b"invalid_http_method" not in told:
            raise AssertionError(told)
        posted = self.request(self.listed())
        body = posted.partition(b"\r\n\r\n")[2]
        path = self.world.dir + "/posted"
        data = Plain(body).whole()
        with open(path, "wb") as f:
            f.write(data)
        mark = data[2: data.index(b"\r\n")].decode()
        told = subprocess.run(
            [*base, *mine, "--data-binary", "@" + path, "-H", "x-hash-algorithm: SHA-512",
             "-H", "x-proxy-version: 7.8.0", "-H", "Transfer-Encoding: chunked", "-H",
             f"Content-Type: multipart/mixed; boundary={mark}"], capture_output=True, check=True)
        if b"signature/bdoc-1.0/ts" not in told.stdout:
            raise AssertionError(told.stdout[:2000])

    def s_client(self):
        keys = self.country.keys
        for suite in ("ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES256-SHA256",
                      "ECDHE-ECDSA-AES256-SHA384"):
            elliptic = isinstance(self.bridge_auth.public_key(), ec.EllipticCurvePublicKey)
            if ("ECDSA" in suite) != elliptic:
                continue
            soap = self.listed()
            r = subprocess.run(
                ["openssl", "s_client", "-quiet", "-tls1_2", "-cipher", suite, "-connect",
                 f"{self.address}:{self.port}", "-cert", keys + "server-auth.cert.pem",
                 "-key", keys + "server-auth.key.pem", "-cert_chain",
                 keys + "server-auth.cert.pem"],
                input=self.request(soap, Connection="close"), capture_output=True, timeout=20,
                check=False)
            self.answer(Plain(r.stdout), soap)


class Plain(Wire):
    """Bytes that are there already."""

    def __init__(self, data):
        super().__init__(None)
        self.rest = data

    def more(self):
        raise EOFError

    def whole(self):
        self.rest = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + self.rest
        return self.message()[2]


class Callee:
    """A security server of the centre in Finland."""

    def __init__(self, race, i):
        self.country = Country(race.world.dir + "/FI", race.instance)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        keys = self.country.keys
        self.context.load_cert_chain(keys + "server-auth.cert.pem", keys + "server-auth.key.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(keys + "root-ca.cert.pem")
        self.context.load_verify_locations(keys + "issuing-ca.cert.pem")
        self.listener = socket.create_server((race.address[i], race.port))
        self.address = race.address[i]
        self.taken = 0
        self.seen = []  # (first line, header lines, body)
        self.trouble = []
        self.close_after = False  # says Connection: close
        self.hang_up_after = False  # does not say so
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.taken += 1
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            s.settimeout(30)
            with self.context.wrap_socket(s, server_side=True) as tls:
                equal(tls.getpeercert(True), der(self.country.chain("bridge-auth")[0]))
                wire = Wire(tls)
                while True:
                    first, lines, body = wire.message()
                    self.seen.append((first, lines, body))
                    tls.sendall(self.answer(lines, body))
                    if self.close_after or self.hang_up_after:
                        tls.unwrap()
                        return
        except (EOFError, OSError):
            pass
        except Exception as trouble:  # told to the test
            self.trouble.append(trouble)

    def answer(self, lines, body):
        parts = read_parts(mark_of(value_of(lines, "Content-Type")), body)
        n = len(self.country.chain("bridge-auth"))
        equal([p[0][0].split(";")[0] for p in parts],
              ["content-type: application/ocsp-response"] * n +
              ["content-type: text/xml", "content-type: signature/bdoc-1.0/ts"])
        self.country.check_ocsp(self.country.chain("bridge-auth")[0], parts[0][1])
        soap = parts[-2][1]
        cert = verify(self.country, parts[-1][1], soap)
        equal(der(cert), der(self.country.chain("bridge-sign")[0]))
        mark = boundary()
        reply = self.reply(soap.decode()).encode()
        data = write_parts(mark, [
            ("text/xml; charset=UTF-8", reply),
            ("signature/bdoc-1.0/ts", sign(self.country, "centre-sign", reply))])
        close = "Connection: close\r\n" if self.close_after else ""
        return (
            "HTTP/1.1 200 OK\r\nx-hash-algorithm: SHA-512\r\n"
            "x-original-content-type: text/xml;charset=UTF-8\r\n"
            f"Content-Type: multipart/mixed; charset=UTF-8; boundary={mark}\r\n{close}"
            "Transfer-Encoding: chunked\r\n\r\n").encode() + chunked(data)

    @staticmethod
    def reply(soap):
        """The request's own headers with its hash, and its body as a response."""
        told = base64.b64encode(sha512(soap.encode())).decode()
        hashed = (f'<xroad:requestHash xmlns:xroad="{XROAD}" algorithmId="http://www.w3.org/2001/'
                  f'04/xmlenc#sha512">{told}</xroad:requestHash>')
        soap = re.sub(r"(</(\w+:)?id>)(?=\s*<[\w:]+(protocolVersion|userId|issue|represented|request))",
                      "\\1" + hashed, soap, count=1)
        if hashed not in soap:
            raise AssertionError("no place for the hash in " + soap)
        return re.sub(r"(</?(?:\w+:)?tervitus)\b", r"\1Response", soap)


class Bothways:
    """Strangers at both ends."""

    def __init__(self, race, caller):
        self.race = race
        self.caller = caller

    def staged(self, case):
        callee = Callee(self.race, 0)
        self.race.hosts.append(Relay(self.race.world, callee.address,
                                     self.race.instance["ocsp_port"]))
        try:
            self.race.own_down()
            self.race.start(self.race.address[:1])
            case(callee)
            if callee.trouble:
                raise callee.trouble[0]
        finally:
            callee.listener.shutdown(socket.SHUT_RDWR)
            callee.listener.close()
            self.race.clear()

    def call(self):
        soap = self.caller.envelope("tervitus", "<dr:tere>Õhtust!</dr:tere>")
        wire = self.caller.connect()
        wire.tls.sendall(self.caller.request(soap))
        try:
            return soap, self.caller.answer(wire, soap).decode()
        finally:
            wire.tls.close()

    def exchange(self, callee):
        _, answer = self.call()
        if "tervitusResponse" not in answer or "Õhtust!" not in answer:
            raise AssertionError(answer)
        (first, lines, _), = callee.seen
        equal(first, "POST / HTTP/1.1")
        equal(value_of(lines, "Host"), f"{callee.address}:{self.race.port}")
        equal(value_of(lines, "x-hash-algorithm"), "SHA-512")
        equal(value_of(lines, "x-proxy-version"), "7.8.0")
        equal(value_of(lines, "x-original-content-type"), "text/xml; charset=UTF-8")
        equal(value_of(lines, "x-original-soapaction"), '""')
        equal(value_of(lines, "Transfer-Encoding"), "chunked")
        uuid.UUID(value_of(lines, "x-road-request-id"))
        kind = value_of(lines, "Content-Type")
        if not re.fullmatch(r"multipart/mixed; charset=UTF-8; boundary=xtop[A-Za-z]{30}", kind):
            raise AssertionError(kind)
        names = [line.split(":")[0].lower() for line in lines]
        for never in ("x-road-message-type", "content-length", "expect"):
            if never in names:
                raise AssertionError(f"{never} was sent")

    def calls(self, callee, n, connections, pause=0.0):
        """n calls on so many new connections, once the certificate's OCSP response is known."""
        self.call()
        before = callee.taken
        for _ in range(n):
            time.sleep(pause)
            self.call()
        equal((len(callee.seen), callee.taken - before), (n + 1, connections))

    def kept(self, callee):
        self.calls(callee, 4, 0)

    def told_to_close(self, callee):
        callee.close_after = True
        self.calls(callee, 3, 3)

    def closed_while_idle(self, callee):
        callee.hang_up_after = True
        self.calls(callee, 3, 3, 0.2)

    def rest(self, callee):
        """What tells a REST message from others; it is not answered well here."""
        from rest import Rest  # the box's own server calls the bridge

        Rest(self.race.world.endpoints).call("GET", "echo", "/x")
        (_, lines, body), = callee.seen
        callee.trouble.clear()
        equal(value_of(lines, "x-road-message-type"), "REST")
        equal(value_of(lines, "x-hash-algorithm"), "SHA-512")
        if any(line.lower().startswith("x-original-soapaction") for line in lines):
            raise AssertionError(lines)
        head = dict((p[0][0], p[1]) for p in read_parts(
            mark_of(value_of(lines, "Content-Type")), body))
        text = head["content-type: application/x-road-rest-request"].decode()
        equal(text.split("\r\n")[0], "GET")
        told = value_of(text.split("\r\n")[2:], "x-road-request-id")
        equal(told, value_of(lines, "x-road-request-id"))


def add_routes(world):
    e = world.endpoints
    path = e["silta"]["config"]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    more = PLAIN.format(target=e["FI"]["members"]["centre"]["subsystem"],
                        group=e["EE"]["groups"]["pharmacies"])
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("routes = (", "routes = (" + more, 1))


def with_keys(cases, kind):
    world = World("--key", kind)
    bridge = None
    try:
        caller = Caller(world)
        for name, case in (
            ("a stranger's message is answered, signed, with the hash of it", caller.calls),
            ("several on one connection", caller.twice_on_a_connection),
            ("several without waiting for the answers", caller.pipelined),
            ("a caller that asks to close", caller.asks_to_close),
            ("headers in other spellings and versions to come", caller.accepted_variants),
            ("what must not pass", caller.refusals),
            ("other methods", caller.other_methods),
            ("curl", caller.curl),
            ("openssl s_client", caller.s_client),
        ):
            cases.run(f"{name} ({kind})", case)
        add_routes(world)
        bridge = Bridge(world)
        both = Bothways(Race(world, bridge), caller)
        for name, case in (
            ("from stranger to stranger, each header in its spelling", both.exchange),
            ("a connection that the provider's server keeps is used again", both.kept),
            ("Connection: close is honoured", both.told_to_close),
            ("a kept connection that was closed is no failure", both.closed_while_idle),
            ("a REST message says that it is one", both.rest),
        ):
            cases.run(f"{name} ({kind})", both.staged, case)
    finally:
        if bridge:
            bridge.give_back()
        world.close()
        world.remove()


def main():
    cases = Cases()
    for kind in ("rsa2048", "p256"):
        with_keys(cases, kind)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
