# SPDX-License-Identifier: MIT
"""What the integration tests share: TAP lines, both countries and the bridge, the boxes' admin."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.dirname(os.path.realpath(__file__)) + "/../..")
EXAMPLE = ROOT + "/examples/fi-prescription-in-estonia"
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
SHARED = os.path.join(ROOT, os.environ.get("SLT_SHARED", "../shared"))
SILTA = BUILD + "/silta"
sys.path.insert(0, EXAMPLE)

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Skip(Exception):
    pass


class Cases:
    """Runs functions as cases; a failure is an exception."""

    def __init__(self):
        self.n = 0
        self.failed = 0

    def run(self, name, function, *arguments):
        self.n += 1
        try:
            function(*arguments)
            print(f"ok {self.n} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {self.n} # SKIP {name}: {reason}", flush=True)
        except Exception:  # a case must not end the others
            self.failed += 1
            print(f"not ok {self.n} - {name}", flush=True)
            for line in traceback.format_exc().splitlines()[-6:]:
                print("# " + line, flush=True)

    def end(self):
        print(f"1..{self.n}")
        return 1 if self.failed else 0


class World:
    """Both countries and the bridge, as examples/…/up starts them."""

    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix="silta-world-")
        self.up = subprocess.Popen(
            [EXAMPLE + "/up", self.dir, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.up.stdout.readline().strip() != "ready":
            raise RuntimeError("the countries did not start")
        with open(self.dir + "/endpoints.json", encoding="utf-8") as f:
            self.endpoints = json.load(f)

    def close(self):
        self.up.stdin.close()
        try:
            status = self.up.wait(timeout=60)
        finally:
            if self.up.poll() is None:
                self.up.kill()
        return status

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def admin(self, country, path, **parameters):
        method = "GET" if path in ("/state", "/report", "/report-fhir") else "POST"
        url = self.endpoints[country]["admin"] + path + "?" + urllib.parse.urlencode(parameters)
        with OPENER.open(urllib.request.Request(url, method=method), timeout=20) as r:
            text = r.read()
        return json.loads(text) if text.strip().startswith((b"{", b"[")) else text

    def bridge_pid(self):
        with open(self.endpoints["silta"]["pid_file"], encoding="utf-8") as f:
            return int(f.read())

    def log_lines(self):
        with open(self.endpoints["silta"]["text_log"], encoding="utf-8") as f:
            return f.read().splitlines()

    def kill_bridge(self):
        """kill -9, and waits until the bridge that takes its place serves."""
        before = sum("notice ready" in line for line in self.log_lines())
        start = time.monotonic()
        os.kill(self.bridge_pid(), signal.SIGKILL)
        while sum("notice ready" in line for line in self.log_lines()) <= before:
            if time.monotonic() - start > 20:
                raise RuntimeError("the bridge did not come back")
            time.sleep(0.02)
        return time.monotonic() - start


class Evidence:
    """The containers of a world's message log, and who may judge them."""

    def __init__(self, world):
        self.silta = world.endpoints["silta"]
        self.dir = world.dir + "/evidence"

    def export(self):
        os.makedirs(self.dir, exist_ok=True)
        command(SILTA, "log", "export", "--log", self.silta["log"], "--out", self.dir)
        return sorted(glob.glob(self.dir + "/*.asice"))

    def judged(self, *judge):
        """Every container is OK for `judge CONF FILE…`, each side's under its own trust."""
        for side in ("EE", "FI"):
            mine = glob.glob(f"{self.dir}/*-{side.lower()}-*.asice")
            told = command(*judge, f"{self.silta['globalconf']}/{side}", *mine)
            good = sum(line.startswith("OK ") for line in told.splitlines())
            if good != len(mine):
                raise AssertionError(f"{good} of {len(mine)} containers of {side} are good")

    def verifies(self, at_least):
        files = self.export()
        if len(files) < at_least:
            raise AssertionError(f"only {len(files)} containers")
        self.judged(SILTA, "verify", "--strict", "--conf")

    def independent_judge(self):
        check = SHARED + "/tools/xroad_check.py"
        if not os.path.exists(check):
            raise Skip("there is no ../shared")
        self.judged("/usr/bin/python3", check, "asice")

    def log_proves_itself(self):
        conf = self.silta["globalconf"]
        command(SILTA, "log", "verify", "--log", self.silta["log"],
                "--conf", f"EE={conf}/EE", "--conf", f"FI={conf}/FI")


def command(*words, status=0):
    r = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    if r.returncode != status:
        raise RuntimeError(f"{' '.join(words)} ended with {r.returncode}:\n{r.stdout}{r.stderr}")
    return r.stdout
