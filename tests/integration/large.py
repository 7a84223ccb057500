# SPDX-License-Identifier: MIT
"""Messages that do not fit into memory: LARGE_MB megabytes (64) in either direction.

The bridge must stay small, whatever passes; what passed must be in the evidence, byte for byte; and
what is too large must cost nothing.
"""
import glob
import hashlib
import http.client
import io
import json
import os
import random
import re
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
import zipfile

from rest import FINNISH, Rest, equal, holds
from tap import SHARED, SILTA, Cases, Skip, World, command

MB = int(os.environ.get("LARGE_MB", "64"))
MEMORY_MB = 64  # more than this the bridge must never have held
LIMIT_MB = max(MB + 8, 80)  # max_attachments of the bridge
BLOCK = random.Random(7).randbytes(1 << 20)
with open(SILTA, "rb") as program:  # its own bookkeeping is larger than what is measured here
    SANITIZED = re.search(b"__[at]san_init", program.read()) is not None
NO_LIMIT = resource.RLIM_INFINITY

ROUTES = """
	{{ name = "large"; from = "EE"; to = "FI"; flow = "none"; target = "{target}";
	  services = ( "echo" ); allow = ( "EE/{group}" ); deadline = 600; }},
"""


class Stream(io.RawIOBase):
    """So many megabytes, none of them in memory; each begins with its number."""

    def __init__(self, megabytes, before=b"", after=b""):
        super().__init__()
        self.parts = self.generate(megabytes, before, after)
        self.rest = b""
        self.size = len(before) + (megabytes << 20) + len(after)

    @staticmethod
    def generate(megabytes, before, after):
        yield before
        for i in range(megabytes):
            yield i.to_bytes(8, "big") + BLOCK[8:]
        yield after

    def read(self, n=-1):
        while not self.rest:
            try:
                self.rest = next(self.parts)
            except StopIteration:
                return b""
        n = len(self.rest) if n < 0 else n
        piece, self.rest = self.rest[:n], self.rest[n:]
        return piece


def digest_of(megabytes):
    h = hashlib.sha256()
    for part in Stream.generate(megabytes, b"", b""):
        h.update(part)
    return h.hexdigest()


class Large:
    def __init__(self, world):
        self.world = world
        self.rest = Rest(world.endpoints)
        self.config = world.endpoints["silta"]["config"]
        self.digest = digest_of(MB)

    def configure(self):
        e = self.world.endpoints
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        more = ROUTES.format(target=e["FI"]["members"]["centre"]["subsystem"],
                             group=e["EE"]["groups"]["pharmacies"])
        text = text.replace("routes = (", "routes = (" + more, 1)
        os.makedirs(os.path.dirname(self.config) + "/spool")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"max_attachments = {LIMIT_MB << 20};\nspool = \"spool\";\n" + text)
        command(SILTA, "check", "-c", self.config)
        self.world.kill_bridge()
        equal(self.rest.call("GET", "echo", "/x").status, 200)

    # --- memory ---

    def memory(self, what="VmHWM"):
        with open(f"/proc/{self.world.bridge_pid()}/status", encoding="ascii") as f:
            return int(re.search(what + r":\s+(\d+)", f.read()).group(1)) / 1024

    def stays_small(self, since):
        peak = self.memory()
        print(f"# {MB} MB: {time.monotonic() - since:.1f} s, at most {peak:.0f} MB of memory",
              flush=True)
        if peak > MEMORY_MB and not SANITIZED:
            raise AssertionError(f"the bridge held {peak:.0f} MB")

    def spool_empty(self):
        end = time.monotonic() + 10
        while self.metric("silta_spool_bytes") != 0:
            if time.monotonic() > end:
                raise AssertionError("bytes are left in the spool")
            time.sleep(0.3)
        equal(os.listdir(os.path.dirname(self.config) + "/spool"), [])

    def metric(self, name):
        url = urllib.parse.urlsplit(self.world.endpoints["silta"]["admin"])
        c = http.client.HTTPConnection(url.netloc, timeout=30)
        c.request("GET", "/metrics")
        text = c.getresponse().read().decode()
        c.close()
        return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))

    # --- there and back ---

    def call(self, path, body, size, headers):
        c = http.client.HTTPConnection(self.rest.address, timeout=600, blocksize=1 << 20)
        c.request("PUT" if path.startswith("/r1") else "POST", path, body,
                  {"Content-Length": str(size), **headers})
        return c, c.getresponse()

    def put(self, path, megabytes=MB):
        body = Stream(megabytes)
        return self.call(f"/r1/{self.rest.provider}/echo{path}", body, body.size,
                         {"X-Road-Client": self.rest.client, "X-Road-Id": f"large{path}",
                          "Content-Type": "application/octet-stream"})

    def rest_request(self):
        start = time.monotonic()
        c, r = self.put("/x")
        text = r.read().decode()
        equal((r.status, r.headers["x-road-error"]), (200, None))
        holds(text, self.digest)
        c.close()
        self.stays_small(start)

    def rest_both(self):
        start = time.monotonic()
        c, r = self.put("/body")
        equal((r.status, r.headers["x-road-error"]), (200, None))
        h, n = hashlib.sha256(), 0
        while block := r.read(1 << 20):
            h.update(block)
            n += len(block)
        c.close()
        equal((n, h.hexdigest()), (MB << 20, self.digest))
        self.stays_small(start)

    def envelope(self, message_id):
        def identifier(tag, kind, parts, names):
            inner = "".join(f"<id:{n}>{p}</id:{n}>" for n, p in zip(names, parts))
            return f'<xroad:{tag} id:objectType="{kind}">{inner}</xroad:{tag}>'
        names = ["xRoadInstance", "memberClass", "memberCode", "subsystemCode"]
        return (
            '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope '
            'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xroad="http://x-road.eu/xsd/xroad.xsd" '
            'xmlns:id="http://x-road.eu/xsd/identifiers"><soap:Header>'
            + identifier("client", "SUBSYSTEM", self.rest.client.split("/"), names)
            + identifier("service", "SERVICE", self.rest.provider.split("/") + ["echo", "v1"],
                         names + ["serviceCode", "serviceVersion"])
            + f"<xroad:userId>EE48001010009</xroad:userId><xroad:id>{message_id}</xroad:id>"
            "<xroad:protocolVersion>4.0</xroad:protocolVersion></soap:Header><soap:Body>"
            f'<e:echo xmlns:e="{FINNISH}"/></soap:Body></soap:Envelope>'
        ).encode()

    def soap(self, megabytes, message_id):
        boundary = uuid.uuid4().hex
        before = (f"--{boundary}\r\nContent-Type: text/xml; charset=UTF-8\r\n\r\n".encode()
                  + self.envelope(message_id)
                  + f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n"
                    "Content-ID: <large>\r\n\r\n".encode())
        body = Stream(megabytes, before, f"\r\n--{boundary}--\r\n".encode())
        return self.call("/", body, body.size, {
            "Content-Type": f'multipart/related; type="text/xml"; boundary="{boundary}"',
            "SOAPAction": '""'})

    def soap_both(self):
        start = time.monotonic()
        c, r = self.soap(MB, "large-soap")
        equal(r.status, 200)
        kind = r.headers["Content-Type"]
        first = r.read(1 << 20)
        if not kind.startswith("multipart/related"):
            raise AssertionError(first[:2000])
        boundary = re.search('boundary="?([^";]+)', kind).group(1).encode()
        holds(first.decode("latin-1"), "echoResponse")
        holds(first.decode("latin-1"), "large-soap")
        at = first.index(b"\r\n\r\n", first.index(b"\r\n--" + boundary, 10)) + 4
        end = b"\r\n--" + boundary + b"--\r\n"
        h, held, n = hashlib.sha256(), first[at:], 0
        while block := r.read(1 << 20):
            held += block
            h.update(held[:-len(end)])
            n += len(held) - len(end)
            held = held[-len(end):]
        equal(held, end)
        c.close()
        equal((n, h.hexdigest()), (MB << 20, self.digest))
        self.stays_small(start)

    # --- too large ---

    def refused(self, r, code):
        equal(r.headers["x-road-error"] is not None, True)
        holds(r.headers["x-road-error"], code)
        r.read()

    def logged(self, message_id):
        return command(SILTA, "log", "list", "--log", self.world.endpoints["silta"]["log"],
                       "--message-id", message_id).count("\n")

    def too_large(self):
        before = self.logged("large/x")
        c, r = self.put("/x", LIMIT_MB + 1)
        text = r.read().decode()
        holds(text, f"longer than {LIMIT_MB << 20} bytes")
        c.close()
        equal(self.logged("large/x"), before)
        self.spool_empty()
        equal(self.rest.call("GET", "echo", "/x").status, 200)

    def just_fits(self):
        if MB > 100:
            raise Skip("at this size it would only be slow")
        c, r = self.put("/x", LIMIT_MB)
        equal((r.status, r.headers["x-road-error"]), (200, None))
        r.read()
        c.close()

    def declared_too_large(self):
        """With a length that says so, nothing of the body is waited for."""
        e = self.world.endpoints
        keys = self.world.dir + "/EE"
        with open(keys + "/instance.json", encoding="utf-8") as f:
            told = json.load(f)
        pair = told["keys"]["bridge"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(pair["auth_cert"], pair["auth_key"])
        url = urllib.parse.urlsplit(e["silta"]["EE"]["transport"])
        with socket.create_connection((url.hostname, url.port), timeout=20) as plain:
            with context.wrap_socket(plain) as s:
                s.sendall((
                    f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {(LIMIT_MB + 64) << 20}\r\n"
                    "x-hash-algorithm: SHA-512\r\nx-proxy-version: 7.8.0\r\n"
                    "x-road-message-type: REST\r\n"
                    "Content-Type: multipart/mixed; boundary=b\r\n\r\n").encode())
                start = time.monotonic()
                answer = ""
                while "</soap" not in answer.lower() and (more := s.recv(65536).decode()):
                    answer += more
                equal(time.monotonic() - start < 5, True)
                holds(answer, "the message is announced with")

    def disk_full(self):
        pid = self.world.bridge_pid()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (16 << 20, NO_LIMIT))
        try:
            c, r = self.put("/x", 32)
            self.refused(r, "io_error")
            c.close()
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (NO_LIMIT, NO_LIMIT))
        self.spool_empty()
        equal(self.rest.call("GET", "echo", "/x").status, 200)

    def killed_meanwhile(self):
        """What a bridge that dies held on the disk goes with it."""

        def upload():
            try:
                c, r = self.put("/x", min(MB, 64))
                r.read()
                c.close()
            except (OSError, http.client.HTTPException):
                pass
        t = threading.Thread(target=upload)
        t.start()
        time.sleep(0.3)
        self.world.kill_bridge()
        t.join()
        self.spool_empty()
        equal(self.rest.call("GET", "echo", "/x").status, 200)

    # --- the evidence ---

    def export(self):
        log = self.world.endpoints["silta"]["log"]
        out = self.world.dir + "/large"
        os.makedirs(out)
        for message_id in ("large/body", "large-soap"):
            r = subprocess.Popen([SILTA, "log", "export", "--log", log, "--message-id", message_id,
                                  "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
            _, status, usage = os.wait4(r.pid, 0)
            text = r.stdout.read() + r.stderr.read()
            equal((status, "is without" in text), (0, False))
            print(f"# export of {message_id}: at most {usage.ru_maxrss / 1024:.0f} MB", flush=True)
            if usage.ru_maxrss / 1024 > MEMORY_MB and not SANITIZED:
                raise AssertionError(f"the export held {usage.ru_maxrss / 1024:.0f} MB")
        files = glob.glob(out + "/*.asice")
        equal(len(files), 8)
        for name in files:
            with zipfile.ZipFile(name) as z:
                if "attachment1" not in z.namelist():
                    raise AssertionError(f"{name} has no body")
                h = hashlib.sha256()
                with z.open("attachment1") as f:
                    while block := f.read(1 << 20):
                        h.update(block)
                equal(h.hexdigest(), self.digest)

    def judged(self, *judge):
        for side in ("EE", "FI"):
            mine = glob.glob(f"{self.world.dir}/large/*-{side.lower()}-*.asice")
            for name in mine:
                r = subprocess.run([*judge, f"{self.world.endpoints['silta']['globalconf']}/{side}",
                                    name], capture_output=True, text=True, check=False, timeout=600)
                equal((r.returncode, r.stdout[:3]), (0, "OK "))

    def verifies(self):
        if MB > 64:
            raise Skip("silta verify holds entries of up to 64 MB")
        self.judged(SILTA, "verify", "--strict", "--conf")

    def independent_judge(self):
        check = SHARED + "/tools/xroad_check.py"
        if not os.path.exists(check):
            raise Skip("there is no ../shared")
        self.judged("/usr/bin/python3", check, "asice")

    def log_proves_itself(self):
        gc = self.world.endpoints["silta"]["globalconf"]
        command(SILTA, "log", "verify", "--log", self.world.endpoints["silta"]["log"],
                "--conf", f"EE={gc}/EE", "--conf", f"FI={gc}/FI")


def main():
    cases = Cases()
    world = World()
    large = Large(world)
    try:
        cases.run("the configuration is taken", large.configure)
        cases.run("a large REST request", large.rest_request)
        cases.run("a large REST request and answer", large.rest_both)
        cases.run("a large SOAP attachment there and back", large.soap_both)
        cases.run("nothing stays in the spool", large.spool_empty)
        cases.run("more than the limit is refused and leaves nothing", large.too_large)
        cases.run("exactly the limit passes", large.just_fits)
        cases.run("a length over the limit is refused before the body", large.declared_too_large)
        cases.run("a full disk: a clear fault, and nothing is left", large.disk_full)
        cases.run("the memory stays small whatever happened", large.stays_small, time.monotonic())
        cases.run("a bridge that dies leaves nothing in the spool", large.killed_meanwhile)
        if world.close() != 0:
            cases.run("the programs end as told", lambda: equal("status", 0))
        cases.run("evidence is exported with its bodies, in little memory", large.export)
        cases.run("it verifies", large.verifies)
        cases.run("an independent judge agrees", large.independent_judge)
        cases.run("the log proves itself", large.log_proves_itself)
    finally:
        if world.up.poll() is None:
            world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
