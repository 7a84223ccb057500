# SPDX-License-Identifier: MIT
"""How the bridge tells how it is: health, metrics, status, and what systemd hears.

All around it fails in turn; each time health must name exactly what, and be well again afterwards.
"""
import json
import os
import queue
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from exposition import Exposition
from rest import Rest, equal, holds
from tap import OPENER, ROOT, SILTA, Cases, World, command

FRESHNESS = 6  # seconds that OCSP responses are good for
EXPIRE = 12  # and the global configuration
PER_PEER = 12  # connections
KEPT = 1.2  # for so long what was looked up is told again
NO_LIMIT = resource.RLIM_INFINITY
ROUTE = "fi-medicines-in-estonia"


class Systemd:
    """What a service manager hears on its socket; it always listens."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.environ["NOTIFY_SOCKET"] = path
        os.environ["WATCHDOG_USEC"] = "1500000"
        self.heard = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard.put(self.socket.recv(65536).decode())

    def drain(self):
        messages = []
        while not self.heard.empty():
            messages.append(self.heard.get())
        return "\n".join(messages)

    def await_line(self, pattern):
        """The next message that has such a line, the line, and the time it took."""
        start = time.monotonic()
        while time.monotonic() - start < 25:
            message = self.heard.get(timeout=25)
            for line in message.split("\n"):
                if re.search(pattern, line):
                    return message, line, time.monotonic() - start
        raise AssertionError(f"{pattern} was not heard")


class Admin:
    def __init__(self, world, systemd, mappings):
        self.world, self.systemd, self.mappings = world, systemd, mappings
        self.url = world.endpoints["silta"]["admin"]
        self.config = world.endpoints["silta"]["config"]
        self.rest = Rest(world.endpoints)

    # --- asking ---

    def get(self, path, method="GET"):
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with OPENER.open(request, timeout=20) as r:
                return r.status, r.headers, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read().decode()

    def health(self):
        status, _, text = self.get("/health")
        told = json.loads(text)
        equal(status, 503 if told["status"] == "failed" else 200)
        return told

    @staticmethod
    def bad(told):
        return {(c["side"], c["what"]): c["level"] for c in told["checks"] if c["level"] != "good"}

    def metrics(self):
        status, headers, text = self.get("/metrics")
        equal((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        return Exposition(text)

    def until(self, ready, seconds=30):
        end = time.monotonic() + seconds
        while True:
            told = self.health()
            if ready(self.bad(told)):
                return told
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds} s: {self.bad(told)}")
            time.sleep(0.2)

    def becomes(self, expected, seconds=30):
        return self.until(lambda bad: bad == expected, seconds)

    def becomes_well(self, seconds=30):
        return self.becomes({}, seconds)

    @staticmethod
    def text(told, side, what):
        (found,) = [c["text"] for c in told["checks"]
                    if (c["side"], c["what"]) == (side, what) and c["level"] != "good"]
        return found

    def status(self, expected):
        r = subprocess.run([SILTA, "status", "-c", self.config], capture_output=True, text=True,
                           check=False, timeout=60)
        equal((r.returncode, r.stderr if expected < 2 else ""), (expected, ""))
        return r.stdout + r.stderr

    def service(self, country, name, state):
        self.world.admin(country, "/service", name=name, state=state)

    # --- well ---

    def configure(self):
        """Renewals every second, few connections a peer: a restart to take it up."""
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        text = re.sub(r"(fetch_interval|ocsp_interval|timestamp_interval) = \d+;", r"\1 = 1;", text)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"max_connections_per_peer = {PER_PEER};\n" + text)
        command(SILTA, "check", "-c", self.config)
        self.world.kill_bridge()

    def all_is_well(self):
        told = self.becomes_well()
        equal(told["status"], "good")
        whats = {c["what"] for c in told["checks"] if c["side"] == "FI"}
        equal(whats, {"globalconf", "certificate-sign", "certificate-tls", "ocsp-sign", "ocsp-tls",
                      "key-sign", "registration", "timestamps", "listener", "listener-ocsp"})
        whats = {c["what"] for c in told["checks"] if c["side"] is None}
        equal(whats, {"workers", "log", "spool", "mappings"})
        for check in told["checks"]:
            timed = check["what"].startswith(("globalconf", "certificate", "ocsp"))
            equal(check["until"] is not None, timed)
        status, _, text = self.get("/health/live")
        equal((status, json.loads(text)), (200, {"status": "alive"}))

    def words(self):
        words = self.status(0)
        holds(words, "all is well")
        holds(words, "the signing key of EE works")
        holds(words, ROUTE)
        told = json.loads(command(SILTA, "status", "-c", self.config, "--json"))
        equal(told["status"], "good")
        equal(told["pid"], self.world.bridge_pid())
        equal(ROUTE in [r["route"] for r in told["routes"]], True)

    def requests_refused(self):
        for path in ("/", "/metric", "/health/", "/health/x", "//health", "/status?x=1"):
            status, _, _ = self.get(path)
            equal(status, 200 if path == "/status?x=1" else 404)
        for method in ("POST", "PUT", "DELETE"):
            equal(self.get("/health", method)[0], 405)
        status, _, text = self.get("/metrics", "HEAD")
        equal((status, text), (200, ""))

    # --- metrics ---

    def counted_exactly(self):
        time.sleep(KEPT)
        before = self.metrics()
        for _ in range(5):
            equal(self.rest.call("GET", "register", "/medicines").status, 200)
        for _ in range(2):  # the rules of the route refuse it
            holds(self.rest.call("DELETE", "register", "/medicines/1").error, "access_denied")
        holds(self.rest.call("GET", "evil\"},x{y=\"z").error, "")
        holds(self.rest.call("GET", "nothing-of-this-name").error, "unknown_service")
        self.service("FI", "server", "down")
        try:
            holds(self.rest.call("GET", "register", "/medicines").error, "")
        finally:
            self.service("FI", "server", "up")
        for _ in range(3):
            equal(self.rest.call("GET", "register", "/medicines", x_road_id="again").status, 200)
        end = time.monotonic() + 10
        after = self.metrics()
        while after.total("silta_exchanges_total") - before.total("silta_exchanges_total") < 11:
            if time.monotonic() > end:
                raise AssertionError(after.families["silta_exchanges_total"].samples)
            time.sleep(0.2)
            after = self.metrics()

        time.sleep(KEPT)
        after = self.metrics()

        def moved(name, **labels):
            return after.total(name, **labels) - before.total(name, **labels)
        ends = {e: moved("silta_exchanges_total", route=ROUTE, outcome=e)
                for e in ("done", "refused", "failed", "unknown", "provider_fault")}
        equal(ends["done"], 8)
        equal(sum(ends.values()), 11)
        equal(ends["unknown"], 0)
        equal(moved("silta_exchanges_total"), 11)
        equal(moved("silta_exchange_faults_total", fault="access_denied"), 2)
        equal(moved("silta_exchange_faults_total"), 3)
        equal(moved("silta_requests_refused_total", side="EE", fault="unknown_service") >= 1, True)
        equal(moved("silta_requests_refused_total", side="FI"), 0)
        equal(moved("silta_repeated_message_ids_total", route=ROUTE), 2)
        equal(moved("silta_repeated_message_ids_total"), 2)
        equal(sum(after.value("silta_exchange_duration_seconds_count", route=r)
                  - before.value("silta_exchange_duration_seconds_count", route=r)
                  for r in (ROUTE, "ee-medicines-in-finland")), 11)
        equal(after.value("silta_step_duration_seconds_count", step="answer")
              - before.value("silta_step_duration_seconds_count", step="answer"), 8)
        # a request and an answer for each that was done; a request for the one that broke
        equal(moved("silta_signed_messages_total", side="EE"), 8)
        equal(moved("silta_signed_messages_total", side="FI"), 9)
        equal(after.value("silta_signature_operations_total", side="FI")
              <= after.value("silta_signed_messages_total", side="FI"), True)
        for side in ("EE", "FI"):
            for direction in ("received", "sent"):
                grown = moved("silta_transport_bytes_total", side=side, direction=direction)
                equal(8 * 1000 < grown < 11 * 100000, True)
        equal(moved("silta_verify_cache_lookups_total", result="hit") > 0, True)
        equal(moved("silta_msglog_entries_total") >= moved("silta_msglog_commits_total") > 0, True)
        for value in after.label_values():
            if "evil" in value or "nothing-of" in value or "again" in value:
                raise AssertionError(f"a peer chose the label {value}")

    def repeated_in_log(self):
        lines = [line for line in self.world.log_lines() if " repeated=" in line]
        equal(len(lines), 2)
        holds(lines[0], 'id="again"')
        told = json.loads(command(SILTA, "status", "-c", self.config, "--json"))
        (route,) = [r for r in told["routes"] if r["route"] == ROUTE]
        equal((route["done"], route["repeated_ids"]), (8, 2))
        holds(self.status(0), "2 requests with a message id that was used before")

    def gauges(self):
        m = self.metrics()
        now = time.time()
        for side in ("EE", "FI"):
            left = m.value("silta_globalconf_expiry_timestamp_seconds", side=side) - now
            equal(0 < left <= 601, True)
            left = m.value("silta_ocsp_expiry_timestamp_seconds", side=side, certificate="tls")
            equal(0 < left - now <= 3601, True)
            for task in ("configuration", "ocsp", "timestamps"):
                last = m.value("silta_refresh_last_success_timestamp_seconds", side=side, task=task)
                equal(0 <= now - last < 20, True)
        equal(m.value("silta_healthy"), 1)
        equal(m.value("silta_exchanges_in_flight"), 0)
        pid = self.world.bridge_pid()
        equal(abs(m.value("process_open_fds") - len(os.listdir(f"/proc/{pid}/fd"))) < 20, True)
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            rss = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) * 1024
        equal(abs(m.value("process_resident_memory_bytes") - rss) < 16 << 20, True)
        equal(m.value("silta_build_info", version="0.1.0"), 1)

    def promtool(self):
        tool = shutil.which("promtool")
        _, _, text = self.get("/metrics")
        r = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, text=True,
                           check=False, timeout=60)
        equal((r.returncode, r.stdout + r.stderr), (0, ""))
        r = subprocess.run([tool, "check", "rules", ROOT + "/examples/monitoring/alerts.yml"],
                           capture_output=True, text=True, check=False, timeout=60)
        equal(r.returncode, 0)

    def examples_know_the_names(self):
        """Alerts and dashboard ask for metrics that there are, by labels that they have."""
        known = self.metrics()
        for name in ("alerts.yml", "grafana.json"):
            with open(f"{ROOT}/examples/monitoring/{name}", encoding="utf-8") as f:
                used = set(re.findall(r"\b(?:silta|process)_[a-z_]+\b", f.read()))
            equal(len(used) > 8, True)
            for metric in used:
                base = re.sub("_(bucket|sum|count)$", "", metric)
                equal((metric, metric in known.families or base in known.families), (metric, True))

    def connections(self):
        relay = self.world.endpoints["silta"]["FI"]["ocsp"]
        host, port = re.match(r"http://([^:]+):(\d+)/", relay).groups()
        name = dict(side="FI", listener="ocsp")
        time.sleep(KEPT)
        before = self.metrics()
        held = [socket.create_connection((host, int(port)), timeout=10) for _ in range(PER_PEER + 5)]
        try:
            time.sleep(KEPT)
            during = self.metrics()
            equal(during.value("silta_connections_refused_total", **name)
                  - before.value("silta_connections_refused_total", **name), 5)
            equal(during.value("silta_connections", **name)
                  - before.value("silta_connections", **name), PER_PEER)
        finally:
            for s in held:
                s.close()
        time.sleep(KEPT)
        after = self.metrics()
        equal(after.value("silta_connections_without_request_total", **name)
              - before.value("silta_connections_without_request_total", **name), PER_PEER)

    # --- what fails ---

    def ocsp_down(self):
        self.service("FI", "ocsp", "down")
        try:
            told = self.becomes({("FI", "ocsp-sign"): "warning", ("FI", "ocsp-tls"): "warning"}, 8)
            holds(self.text(told, "FI", "ocsp-tls"), "is fresh until")
            holds(self.text(told, "FI", "ocsp-tls"), "renewing it has failed since")
            told = self.becomes({("FI", "ocsp-sign"): "failed", ("FI", "ocsp-tls"): "failed"})
            holds(self.text(told, "FI", "ocsp-sign"), "the signing certificate of FI is no good")
            words = self.status(1)
            holds(words, "NOT WELL: 2 failed")
            holds(words, "FAILED   FI     ocsp-sign")
            equal(self.metrics().value("silta_healthy"), 0)
            equal(self.metrics().total("silta_refresh_failures_total", side="FI", task="ocsp") > 0,
                  True)
        finally:
            self.service("FI", "ocsp", "up")
        self.becomes_well()

    def configuration_expired(self):
        self.service("FI", "conf", "down")
        try:
            told = self.until(lambda bad: bad.get(("FI", "globalconf")) == "warning", 10)
            holds(self.text(told, "FI", "globalconf"), "renewing it has failed since")
            told = self.until(lambda bad: bad.get(("FI", "globalconf")) == "failed")
            text = self.text(told, "FI", "globalconf")
            holds(text, "the global configuration of FI expired at")
            holds(text, "ago; renewing it has failed since")
            equal([side for (side, what) in self.bad(told) if what == "globalconf"], ["FI"])
            holds(self.status(1), "FAILED   FI     globalconf")
        finally:
            self.service("FI", "conf", "up")
        self.becomes_well()

    def tsa_down(self):
        self.service("EE", "tsa", "down")
        try:
            equal(self.rest.call("GET", "register", "/medicines").status, 200)
            told = self.becomes({("EE", "timestamps"): "warning"})
            holds(self.text(told, "EE", "timestamps"), "time-stamping for EE has failed since")
            holds(self.text(told, "EE", "timestamps"), "2 messages of EE wait, the oldest for")
            holds(self.status(1), "serves, with 1 warnings")
            m = self.metrics()
            equal(m.value("silta_timestamp_backlog_messages", side="EE"), 2)
            equal(m.value("silta_timestamp_backlog_age_seconds", side="EE") > 0, True)
            equal(m.value("silta_healthy"), 1)
        finally:
            self.service("EE", "tsa", "up")
        self.becomes_well()
        equal(self.metrics().value("silta_timestamp_backlog_messages", side="EE"), 0)

    def disk_full(self):
        pid = self.world.bridge_pid()
        before = self.metrics().value("silta_msglog_failures_total")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, NO_LIMIT))
        try:
            holds(self.rest.call("GET", "register", "/medicines").error, "logging_failed")
            told = self.until(lambda bad: bad.get((None, "log")) == "failed", 10)
            holds(self.text(told, None, "log"), "so no message passes")
            holds(self.text(told, None, "spool"), "large messages cannot be taken")
            equal(self.metrics().value("silta_msglog_failures_total") > before, True)
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (NO_LIMIT, NO_LIMIT))
        equal(self.rest.call("GET", "register", "/medicines").status, 200)
        self.becomes_well(10)

    def mapping_set_refused(self):
        table = self.mappings + "/countries/EE/country.conf"
        with open(table, encoding="utf-8") as f:
            text = f.read()
        with open(table, "w", encoding="utf-8") as f:
            f.write(text + "surprise = 1;\n")
        self.systemd.drain()
        os.kill(self.world.bridge_pid(), signal.SIGHUP)
        told = self.becomes({(None, "mappings"): "warning"})
        holds(self.text(told, None, "mappings"), "stays in force")
        equal(self.metrics().value("silta_mapping_set_reloads_total", result="refused"), 1)
        self.systemd.await_line("^RELOADING=1$")
        self.systemd.await_line("^READY=1$")
        _, line, _ = self.systemd.await_line("^STATUS=")
        holds(line, "warning: the mapping set in")
        with open(table, "w", encoding="utf-8") as f:
            f.write(text)
        os.kill(self.world.bridge_pid(), signal.SIGHUP)
        self.becomes_well()
        equal(self.systemd.await_line("^STATUS=")[1], "STATUS=running; all is well")

    def told_in_the_log(self):
        lines = self.world.log_lines()
        for words in ('warning the bridge is not well check="mappings"', 'notice good again check="mappings"'):
            equal((words, any(words in line for line in lines)), (words, True))

    def watchdog(self):
        self.systemd.drain()
        for _ in range(3):
            _, _, seconds = self.systemd.await_line("^WATCHDOG=1$")
            equal(seconds < 1.5, True)

    def started(self):
        first = self.systemd.drain()
        holds(first, "READY=1")
        holds(first, "STATUS=running; all is well")

    # --- the end ---

    def drains(self):
        self.world.admin("FI", "/answer-fault", mode="slow", times=1)
        caller = threading.Thread(target=self.rest.call, args=("GET", "register", "/medicines"))
        caller.start()
        end = time.monotonic() + 10
        while self.metrics().value("silta_exchanges_in_flight") == 0:
            if time.monotonic() > end:
                raise AssertionError("no exchange is under way")
        self.systemd.drain()
        os.kill(self.world.bridge_pid(), signal.SIGTERM)
        told = self.until(lambda bad: (None, "draining") in bad, 5)
        holds(self.text(told, None, "draining"), "takes no new connections")
        message, _, _ = self.systemd.await_line("^STOPPING=1$")
        holds(message, "EXTEND_TIMEOUT_USEC=45000000")
        caller.join()

    def nobody_there(self):
        holds(self.status(2), "does it run?")

    def wrong_configuration(self):
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        wrong = self.config + ".wrong"
        for value in ("0.0.0.0", "10.1.2.3", "::", "128.0.0.1", "localhost", "", "1"):
            with open(wrong, "w", encoding="utf-8") as f:
                f.write(re.sub(r'admin_listen = "[^"]*"', f'admin_listen = "{value}"', text))
            holds(command(SILTA, "check", "-c", wrong, status=1), "is not a loopback address")
        for value in ("127.0.0.1", "::1", "127.255.0.9"):
            with open(wrong, "w", encoding="utf-8") as f:
                f.write(re.sub(r'admin_listen = "[^"]*"', f'admin_listen = "{value}"', text))
            command(SILTA, "check", "-c", wrong)
        with open(wrong, "w", encoding="utf-8") as f:
            f.write(re.sub(r"admin_port = \d+;", "", text))
        r = subprocess.run([SILTA, "status", "-c", wrong], capture_output=True, text=True,
                           check=False, timeout=20)
        equal(r.returncode, 2)
        holds(r.stderr, "give it an admin_port")
        os.unlink(wrong)


def run(cases, a):
    cases.run("the configuration is taken", a.configure)
    cases.run("all is well", a.all_is_well)
    cases.run("status in words and in JSON", a.words)
    cases.run("systemd hears that it is ready", a.started)
    cases.run("systemd's watchdog is answered", a.watchdog)
    cases.run("other paths and methods are refused", a.requests_refused)
    cases.run("metrics move by exactly what was sent", a.counted_exactly)
    cases.run("a message id that was used before is named", a.repeated_in_log)
    cases.run("gauges tell what is", a.gauges)
    cases.run("connections and those refused are counted", a.connections)
    cases.run("alerts and dashboard use metrics that there are", a.examples_know_the_names)
    if shutil.which("promtool"):  # of the package prometheus; exposition.py is as strict
        cases.run("promtool has no objection", a.promtool)
    cases.run("time-stamping down is a warning with the backlog", a.tsa_down)
    cases.run("a full disk", a.disk_full)
    cases.run("a mapping set that was refused", a.mapping_set_refused)
    cases.run("what becomes bad and good again is logged", a.told_in_the_log)
    cases.run("while it is stopped it says so", a.drains)


def main():
    cases = Cases()
    temporary = tempfile.mkdtemp(prefix="silta-admin-")
    mappings = temporary + "/mappings"
    shutil.copytree(ROOT + "/mappings", mappings)
    os.environ["SILTA_MAPPINGS"] = mappings
    systemd = Systemd(temporary + "/notify")
    world = World("--freshness", str(FRESHNESS), "--expire", str(EXPIRE))
    a = Admin(world, systemd, mappings)
    try:
        cases.run("a short-lived world", a.configure)
        cases.run("OCSP responder down: warned, then failed, then well", a.ocsp_down)
        cases.run("global configuration: warned, expired, renewed", a.configuration_expired)
    finally:
        world.close()
        world.remove()
    world = World()
    a = Admin(world, systemd, mappings)
    try:
        run(cases, a)
    finally:
        world.close()
    cases.run("a bridge that does not run cannot be asked", a.nobody_there)
    cases.run("where the admin listener may not be", a.wrong_configuration)
    if cases.failed:
        print("# kept: " + world.dir)
    else:
        world.remove()
        shutil.rmtree(temporary)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
