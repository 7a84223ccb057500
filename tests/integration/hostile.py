# SPDX-License-Identifier: MIT
"""What a hostile peer, a dying network and a stop at the wrong moment must not do to the bridge."""
import hashlib
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from tap import OPENER, ROOT, SILTA, Cases, World, command

from pharmacy import NS, Fault, Pharmacy, document, patients


def instance_of(world, country):
    """A box's description of itself."""
    with open(f"{world.dir}/{country}/instance.json", encoding="utf-8") as f:
        return json.load(f)


class Bridge:
    """The bridge of a world, run by this test itself, so that its end can be seen."""

    def __init__(self, world):
        self.world = world
        self.keeper = int(self.status_field(world.bridge_pid(), "PPid"))
        os.kill(self.keeper, signal.SIGSTOP)
        os.kill(world.bridge_pid(), signal.SIGKILL)
        self.config = world.endpoints["silta"]["config"]
        self.log = world.dir + "/silta/own.log"
        self.process = None
        self.wrapped_in = []  # a command that the bridge is run by

    @staticmethod
    def status_field(pid, name):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return next(line for line in f if line.startswith(name + ":")).split()[1]

    def start(self, finland=(), file_limit=None, **settings):
        """With some settings of the configuration's top level and of side FI changed."""
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        for name, value in finland:
            text = re.sub(rf'(?s)(name = "FI";.*?{name} = )[^;]*', rf"\g<1>{value}", text, count=1)
        for name, value in settings.items():
            text = re.sub(rf"(?m)^{name} = .*\n", "", text) + f"{name} = {value};\n"
        path = os.path.dirname(self.config) + "/own.conf"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        with open(self.log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [*self.wrapped_in, "prlimit", f"--fsize={file_limit or 'unlimited'}:unlimited",
                 SILTA, "serve", "-c", path], stdin=subprocess.DEVNULL, stderr=out
            )
        for _ in range(600):
            if "notice ready" in self.text():
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("the bridge did not start:\n" + self.text()[-2000:])

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, limit):
        """SIGTERM; the seconds it took. It must end by itself, well, within the limit."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running {limit} s after SIGTERM") from None
        if status != 0:
            raise AssertionError(f"ended with {status}:\n" + self.text()[-3000:])
        return time.monotonic() - start

    def give_back(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.kill(self.keeper, signal.SIGCONT)


class Evil:
    """A security server of Finland, by its key and certificate, that does as the test likes."""

    def __init__(self, world, extra=(), own="server-auth"):
        self.instance = instance_of(world, "FI")
        keys = world.dir + "/FI/keys/"
        chain = world.dir + "/evil-chain.pem"
        with open(chain, "w", encoding="ascii") as out:
            for name in (own, *extra):
                with open(keys + name + ".cert.pem", encoding="ascii") as f:
                    out.write(first_certificate(f.read()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, keys + own + ".key.pem")
        context.verify_mode = ssl.CERT_NONE
        self.asked = []  # the relay's queries
        self.calls = 0
        self.on_call = lambda connection: None
        self.on_relay = lambda connection, query: None
        self.sockets = []
        self.port = self.listen(lambda s: self.transport(context, s))  # may be replaced
        self.ocsp_port = self.listen(self.relay)
        self.settings = [("peer_port", self.port), ("peer_ocsp_port", self.ocsp_port)]

    def listen(self, serve):
        listener = socket.create_server((self.instance["server_address"], 0))
        self.sockets.append(listener)

        def accept():
            while True:
                try:
                    s, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=self.guarded, args=(serve, s), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    @staticmethod
    def guarded(serve, s):
        try:
            s.settimeout(30)
            serve(s)
        except OSError:
            pass
        finally:
            s.close()

    def transport(self, context, s):
        with context.wrap_socket(s, server_side=True) as tls:
            data = b""
            while b"\r\n0\r\n\r\n" not in data:
                more = tls.recv(65536)
                if not more:
                    return
                data += more
            self.calls += 1
            self.on_call(tls)

    def relay(self, s):
        data = b""
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                return
            data += more
        query = data.split()[1].decode().partition("?")[2]
        self.asked.append(query)
        self.on_relay(s, query)

    def genuine_relay(self, s, query, host="server_address"):
        url = f'http://{self.instance[host]}:{self.instance["ocsp_port"]}/?{query}'
        with OPENER.open(url, timeout=10) as r:
            body, kind = r.read(), r.headers["Content-Type"].encode()
        s.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (kind, len(body), body)
        )

    def close(self):
        for s in self.sockets:
            s.shutdown(socket.SHUT_RDWR)
            s.close()


def first_certificate(pem):
    return pem[: pem.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"


def sha1_of(path):
    with open(path, encoding="ascii") as f:
        der = ssl.PEM_cert_to_DER_cert(first_certificate(f.read()))
    return hashlib.sha1(der).hexdigest()


def relay_answer(query, response):
    n = sum(p.startswith("cert=") for p in query.split("&"))
    part = b"--b\r\nContent-Type: application/ocsp-response\r\n\r\n" + response + b"\r\n"
    body = part * n + b"--b--\r\n"
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: multipart/related; boundary=b\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    ) + body


class Providers:
    """What a provider's security server can do to the bridge."""

    def __init__(self, world, bridge):
        self.world = world
        self.bridge = bridge
        self.pharmacy = Pharmacy(world.endpoints)
        self.row = patients()["fi-01-tablet.xml"]

    def fault(self):
        try:
            self.pharmacy.list(self.row)
        except Fault as fault:
            return fault.code
        raise AssertionError("no fault")

    def own_response(self):
        """What the bridge's relay says of its own certificate in Finland."""
        hashed = sha1_of(self.world.dir + "/FI/keys/bridge-auth.cert.pem")
        url = self.world.endpoints["silta"]["FI"]["ocsp"] + "?cert=" + hashed
        with OPENER.open(url, timeout=10) as r:
            return r.read()

    def others_certificates_in_the_chain(self):
        evil = Evil(self.world, ("bridge-auth", "bridge-sign"))
        evil.on_relay = lambda s, query: s.sendall(relay_answer(query, b"not a response"))
        self.bridge.start(finland=evil.settings)
        try:
            fault = self.fault()
            if "ssl_authentication_failed" not in fault or not evil.asked:
                raise AssertionError(fault)
            if b"not a response" in self.own_response():
                raise AssertionError("a peer put an OCSP response for the bridge's own certificate")
        finally:
            evil.close()
            self.bridge.stop(10)


class Documents:
    """Documents that are not about what was asked, or what the message says."""

    def __init__(self, world):
        self.pharmacy = Pharmacy(world.endpoints)
        self.world = world
        self.rows = patients()

    def refused(self, code, call, *arguments, **how):
        before = len(self.world.admin("FI", "/report")["dispensations"])
        try:
            call(*arguments, **how)
        except Fault as fault:
            if not fault.code.endswith("service_failed." + code):
                raise
            after = len(self.world.admin("FI", "/report")["dispensations"])
            if after != before:
                raise AssertionError("it was delivered") from None
            return
        raise AssertionError("no fault")

    def answer_about(self, name):
        asked = self.rows["fi-01-tablet.xml"]
        self.world.admin("FI", "/mix-up", **{"id": asked["prescription_root"],
                                             "with": self.rows[name]["prescription_root"]})
        try:
            for inline in (True, False):
                self.refused("FED-ID-003", self.pharmacy.fetch, asked, inline=inline)
        finally:
            self.world.admin("FI", "/reset")
        self.pharmacy.fetch(asked)

    def dispensation_for_another_person(self):
        row = dict(self.rows["fi-01-tablet.xml"])
        row["patient_code"] = self.rows["fi-02-capsule.xml"]["patient_code"]
        for inline in (True, False):
            self.refused("FED-ID-003", self.pharmacy.dispense, row,
                         document("dispensation-ee-01.xml"), inline=inline)

    def dispensation_of_another_prescription(self):
        row = dict(self.rows["fi-01-tablet.xml"])
        row["prescription_root"] = self.rows["fi-02-capsule.xml"]["prescription_root"]
        self.refused("FED-ID-003", self.pharmacy.dispense, row,
                     document("dispensation-ee-01.xml"))

    def prescription_as_a_dispensation(self):
        self.refused("FED-STR-002", self.pharmacy.dispense, self.rows["fi-01-tablet.xml"],
                     document("ee-02-tablet.xml"))

    def twice_the_same(self):
        one = document("dispensation-ee-01.xml")
        form = re.search(r"<pharm:formCode [^>]*/>", one).group(0)
        other = form.replace('code="738"', 'code="10000"')
        target = re.search(r"(?s)<recordTarget.*?</recordTarget>", one).group(0)
        quantity = '<quantity value="2" unit="1"/>'
        code = re.search(r"<code [^>]*60593-1[^>]*/>", one).group(0)
        foreign = '<x:formCode xmlns:x="urn:hl7-org:pharm:x" code="10000"/>'
        for why, old, new in (
            ("FED-STR-003", form, form + other),
            ("FED-STR-002", form, foreign + form),  # no element of CDA
            ("FED-STR-003", target, target + target),
            ("FED-STR-003", quantity, quantity + quantity.replace("2", "20")),
            ("FED-STR-003", code, code + code.replace("60593-1", "57833-6")),
        ):
            self.refused(why, self.pharmacy.dispense, self.rows["fi-01-tablet.xml"],
                         one.replace(old, new, 1))

    def hidden(self):
        """Marks that keep a prescription in its country, and what a reader would follow."""
        mark = 'code="H" codeSystem="1.2.246.537.5.40118.2006"'
        kind = 'code="2" codeSystem="retsepti-liik"'
        end = "</substanceAdministration>"
        relation = '<entryRelationship typeCode="COMP">{}</entryRelationship>' + end
        other = '<o:observation xmlns:o="urn:o">{}</o:observation>'
        cda = '<observation classCode="OBS" moodCode="EVN">{}</observation>'
        below = '<value nullFlavor="OTH"><translation {}/></value>'
        include = '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
        for name, countries, text in (
            ("fi-01-tablet.xml", "FI EE", other.format(f"<value {mark}/>")),
            ("fi-01-tablet.xml", "FI EE", cda.format(f'<x:value xmlns:x="urn:x" {mark}/>')),
            ("fi-01-tablet.xml", "FI EE", cda.format(below.format(mark))),
            ("ee-02-tablet.xml", "EE FI", other.format(f"<value {kind}/>")),
            ("ee-02-tablet.xml", "EE FI", cda.format(below.format(kind))),
            ("ee-02-tablet.xml", "EE FI", include),
        ):
            path = self.world.dir + "/hidden.xml"
            with open(path, "w", encoding="utf-8") as f:
                f.write(document(name).replace(end, relation.format(text), 1))
            source, target = countries.split()
            command(SILTA, "map", "apply", "--from", source, "--to", target,
                    "--mappings", ROOT + "/mappings",
                    "--flow", "eprescription", "--message", "response", path, status=1)

    def two_documents(self):
        one = re.sub(r"^\s*<\?xml[^>]*\?>", "", document("dispensation-ee-01.xml"))
        self.refused("FED-STR-002", self.pharmacy.dispense, self.rows["fi-01-tablet.xml"],
                     one + one)


def soap_fault(code, text):
    body = (
        f'<s:Envelope xmlns:s="{NS["soap"]}"><s:Body><s:Fault><faultcode>{code}</faultcode>'
        f"<faultstring>{text}</faultstring></s:Fault></s:Body></s:Envelope>"
    ).encode()
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body


class Load:
    """Pharmacies that go on calling until told to end."""

    def __init__(self, world, threads, what="list"):
        self.ending = False
        self.good = 0
        self.faults = []
        row = patients()["fi-01-tablet.xml"]

        def work():
            pharmacy = Pharmacy(world.endpoints)
            while not self.ending:
                try:
                    getattr(pharmacy, what)(row)
                    self.good += 1
                except Fault as fault:
                    self.faults.append(fault.code)
                    time.sleep(0.02)
                except OSError:
                    time.sleep(0.02)

        self.threads = [threading.Thread(target=work) for _ in range(threads)]
        for t in self.threads:
            t.start()

    def wait_for(self, count):
        """Until so many calls came through."""
        for _ in range(1000):
            if self.good >= count:
                return
            time.sleep(0.01)
        raise AssertionError(f"only {self.good} calls came through: {self.faults[:3]}")

    def end(self):
        self.ending = True
        for t in self.threads:
            t.join()


def endless(start, piece, limit=256 << 20):
    """Sends without end; stops when the bridge has had enough."""

    def send(s):
        s.sendall(start)
        sent = 0
        while sent < limit:
            s.sendall(piece)
            sent += len(piece)

    return send


class Slow:
    """Providers that take their time, or never end."""

    def __init__(self, world, bridge):
        self.world = world
        self.bridge = bridge
        self.pharmacy = Pharmacy(world.endpoints)
        self.row = patients()["fi-01-tablet.xml"]

    def calls(self, evil, n, seconds, code):
        """n calls at once, each refused within so long; meanwhile the bridge serves others."""
        self.bridge.start(finland=evil.settings, workers=2)
        faults = []

        def call():
            start = time.monotonic()
            try:
                Pharmacy(self.world.endpoints).list(self.row)
            except Fault as fault:
                faults.append((time.monotonic() - start, fault.code))

        try:
            threads = [threading.Thread(target=call) for _ in range(n)]
            for t in threads:
                t.start()
            time.sleep(0.5)
            start = time.monotonic()
            try:
                self.pharmacy.call("midagiMuud", "", "unknown")
            except Fault as fault:
                if not fault.code.endswith("unknown_service"):
                    raise
            if time.monotonic() - start > 2:
                raise AssertionError("the hanging calls hold up the others")
            for t in threads:
                t.join()
            files = len(os.listdir(f"/proc/{self.bridge.process.pid}/fd"))
            memory = int(Bridge.status_field(self.bridge.process.pid, "VmRSS")) >> 10
            print(f"# {max(f[0] for f in faults):.1f} s, {files} descriptors, {memory} MB", flush=True)
            if len(faults) != n or max(f[0] for f in faults) > seconds:
                raise AssertionError(str(faults))
            for _, got in faults:
                if not got.endswith(code):
                    raise AssertionError(f"{got}, not {code}")
        finally:
            evil.close()
            self.bridge.stop(10)

    def relay(self):
        evil = Evil(self.world)
        evil.on_relay = lambda s, query: time.sleep(20)
        self.calls(evil, 6, 15, "ssl_authentication_failed.invalid_cert_path.cert_validation")

    def handshake(self):
        evil = Evil(self.world)
        evil.transport = lambda context, s: time.sleep(20)
        self.calls(evil, 6, 15, "network_error")

    def headers(self):
        evil = Evil(self.world)
        evil.on_relay = evil.genuine_relay
        evil.on_call = endless(b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"m" * 4000 + b"\r\n")
        self.calls(evil, 4, 10, "limit_exceeded")

    def fault_text(self):
        evil = Evil(self.world)
        evil.on_relay = evil.genuine_relay
        evil.on_call = endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a>", b"m" * 65536)
        self.calls(evil, 4, 20, "limit_exceeded")

    def parts(self):
        evil = Evil(self.world)
        evil.on_relay = evil.genuine_relay
        evil.on_call = endless(
            b"HTTP/1.1 200 OK\r\nx-hash-algorithm: SHA-512\r\n"
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
            b"--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n",
        )
        self.calls(evil, 4, 10, "")


class Logs:
    """What stands in the logs afterwards."""

    def __init__(self, world, bridge):
        self.world = world
        self.bridge = bridge
        self.pharmacy = Pharmacy(world.endpoints)
        self.row = patients()["fi-01-tablet.xml"]

    def status_of_last(self):
        log = self.world.endpoints["silta"]["log"]
        return json.loads(command(SILTA, "log", "list", "--json", "--log", log).splitlines()[-1])

    def a_providers_words(self):
        evil = Evil(self.world)
        evil.on_relay = evil.genuine_relay
        self.bridge.start(finland=evil.settings)
        secret = self.row["patient_code"]
        try:
            for code, text in (
                ("rk:EI_LOYDY", f"Potilasta {secret} ei ole"),
                (secret, "no"),
                ("rk:" + secret[:6] + ".x", "no"),
            ):
                evil.on_call = lambda s, f=soap_fault(code, text): s.sendall(f)
                try:
                    self.pharmacy.list(self.row)
                except Fault as fault:
                    if secret[:6] not in fault.code + fault.text:
                        raise
                time.sleep(0.2)
                if secret[:6] in self.bridge.text() + json.dumps(self.status_of_last()):
                    raise AssertionError("a personal code stands in the log")
        finally:
            evil.close()
            self.bridge.stop(10)

    def a_code_that_is_a_persons(self):
        self.bridge.start()
        one = document("dispensation-ee-01.xml")
        form = re.search(r"<pharm:formCode [^>]*/>", one).group(0)
        try:
            for code in (self.row["patient_code"], "49008039720", "010199A123Y"):
                wrong = one.replace(form, form.replace('"738"', f'"{code}"'), 1)
                try:
                    self.pharmacy.dispense(self.row, wrong)
                    raise AssertionError("no fault")
                except Fault as fault:
                    if "FED-MAP-001" not in fault.code:
                        raise
                time.sleep(0.2)
                if code in self.bridge.text():
                    raise AssertionError("a personal code stands in the log")
        finally:
            self.bridge.stop(10)

    def nothing_of_the_bridge(self):
        """A fault tells a peer no path of the bridge."""
        spool = self.world.dir + "/silta/spool"
        os.makedirs(spool)
        self.bridge.start(spool=f'"{spool}"')
        os.rmdir(spool)
        try:
            self.pharmacy.dispense(self.row, " " * 600000, inline=False)
            raise AssertionError("no fault")
        except Fault as fault:
            if not fault.code.startswith("server.serverproxy") or self.world.dir in fault.text:
                raise
            if spool not in self.bridge.text():
                raise AssertionError("the log does not tell the operator either") from None
        finally:
            self.bridge.stop(10)

    def a_full_disk(self):
        """What cannot be logged is not sent; when there is room again, it goes on."""
        state = self.world.dir + "/silta/small"
        self.bridge.start(state=f'"{state}"', file_limit=1 << 20)
        pid = self.bridge.process.pid
        try:
            calls, fault = 0, None
            while fault is None and calls < 400:
                try:
                    self.pharmacy.list(self.row)
                    calls += 1
                except Fault as f:
                    fault = f
            if fault is None or "logging_failed" not in fault.code or state in fault.text:
                raise AssertionError(f"{fault}")
            self.world.admin("FI", "/reset")
            before = len(self.world.admin("FI", "/report")["dispensations"])
            for _ in range(5):
                try:
                    self.pharmacy.dispense(self.row, document("dispensation-ee-01.xml"))
                    raise AssertionError("it was not logged, and done all the same")
                except Fault:
                    pass
            if len(self.world.admin("FI", "/report")["dispensations"]) != before:
                raise AssertionError("it was not logged, and sent all the same")
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            self.pharmacy.list(self.row)
            print(f"# full after {calls} calls", flush=True)
        finally:
            self.world.admin("FI", "/reset")
            self.bridge.stop(10)
        gc = self.world.endpoints["silta"]["globalconf"]
        command(SILTA, "log", "verify", "--log", state + "/messages.db",
                "--conf", f"EE={gc}/EE", "--conf", f"FI={gc}/FI")

    def an_answer_not_believed(self):
        self.bridge.start()
        try:
            for mode in ("changed-byte", "unsigned", "wrong-hash", "truncated"):
                self.world.admin("FI", "/reset")
                self.world.admin("FI", "/answer-fault", mode=mode, times=1)
                try:
                    self.pharmacy.dispense(self.row, document("dispensation-ee-01.xml"))
                    raise AssertionError("no fault")
                except Fault:
                    pass
                time.sleep(0.2)
                last = self.status_of_last()
                if last["status"] != "unknown":
                    raise AssertionError(f"{mode}: {last}")
        finally:
            self.world.admin("FI", "/reset")
            self.bridge.stop(10)


class Stops:
    def __init__(self, world, bridge):
        self.world = world
        self.bridge = bridge

    def under_load(self, drain, limit):
        for _ in range(4):
            self.bridge.start(drain=drain)
            load = Load(self.world, 12)
            try:
                load.wait_for(20)
                self.bridge.stop(limit)
            finally:
                load.end()

    def while_the_provider_hangs(self):
        self.bridge.start(drain=0)
        self.world.admin("FI", "/answer-fault", mode="slow", times=20)
        load = Load(self.world, 8)
        try:
            time.sleep(0.7)
            seconds = self.bridge.stop(5)
        finally:
            load.end()
            self.world.admin("FI", "/answer-fault", mode="none", times=0)
        print(f"# ended after {seconds:.2f} s", flush=True)


def main():
    cases = Cases()
    world = World()
    bridge = None
    try:
        documents = Documents(world)
        cases.run("an answer about another person's prescription is refused",
                  documents.answer_about, "fi-02-capsule.xml")
        for name, case in (
            ("a dispensation for another person is refused",
             documents.dispensation_for_another_person),
            ("a dispensation of another prescription is refused",
             documents.dispensation_of_another_prescription),
            ("a prescription is no dispensation", documents.prescription_as_a_dispensation),
            ("two documents where one is meant are refused", documents.two_documents),
            ("a mark is found wherever it hides", documents.hidden),
            ("what stands once must not stand twice", documents.twice_the_same),
        ):
            cases.run(name, case)
        bridge = Bridge(world)
        providers = Providers(world, bridge)
        stops = Stops(world, bridge)
        cases.run("a provider cannot replace the bridge's own OCSP responses",
                  providers.others_certificates_in_the_chain)
        slow = Slow(world, bridge)
        cases.run("an OCSP relay that never answers holds up nobody else", slow.relay)
        cases.run("a TLS handshake that never ends holds up nobody else", slow.handshake)
        cases.run("headers without end are cut off", slow.headers)
        cases.run("a fault without end is cut off", slow.fault_text)
        cases.run("parts without end are cut off", slow.parts)
        logs = Logs(world, bridge)
        cases.run("a provider's words about a patient stand in no log", logs.a_providers_words)
        cases.run("a personal code in another field stands in no log",
                  logs.a_code_that_is_a_persons)
        cases.run("a fault tells nothing of the bridge's own files", logs.nothing_of_the_bridge)
        cases.run("what cannot be logged is not sent", logs.a_full_disk)
        cases.run("after an answer that is not believed the outcome is unknown",
                  logs.an_answer_not_believed)
        cases.run("stopped under load without a drain, it ends well", stops.under_load, 0, 10)
        cases.run("stopped under load with a drain, it ends well", stops.under_load, 5, 20)
        cases.run("stopped while providers do not answer, it ends", stops.while_the_provider_hangs)
    finally:
        if bridge:
            bridge.give_back()
        world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
