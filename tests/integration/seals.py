# SPDX-License-Identifier: MIT
"""What is logged of a side behind an ordinary security server: with the bridge's own seal where it
has a key, unsigned where it has none, and the programs say which."""
import json
import os
import re
import subprocess
import sys
import time

os.environ["SILTA_BEARER"] = "EE:transport FI:message"

from tap import SILTA, Cases, Evidence, World, command

from pharmacy import Pharmacy, patients

UNSIGNED = ("sign_key", "sign_cert", "ocsp_interval")


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}"[:2000])


def holds(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}"[:2000])


class Seals:
    def __init__(self, world):
        self.world = world
        self.silta = world.endpoints["silta"]
        self.member = world.endpoints["FI"]["members"]["bridge"]["subsystem"]
        self.pharmacy = Pharmacy(world.endpoints)
        self.evidence = Evidence(world)
        self.patient = patients()["fi-01-tablet.xml"]

    # --- an exchange, and what is told of it ---

    def log(self, *words, status=0):
        return command(SILTA, "log", words[0], "--log", self.silta["log"], *words[1:],
                       status=status)

    def exchange(self):
        """The identifier of a new exchange from Estonia to Finland, once it is time-stamped."""
        before = set(self.ids())
        self.pharmacy.list(self.patient)
        (new,) = set(self.ids()) - before
        for _ in range(100):
            shown = self.show(new)
            if all(m["time_stamp"] for m in shown if m["signer"]):
                return new, shown
            time.sleep(0.1)
        raise AssertionError("no time-stamp")

    def ids(self):
        return [json.loads(line)["exchange"] for line in self.log("list", "--json").splitlines()]

    def show(self, exchange):
        return json.loads(self.log("show", "--json", "--exchange", exchange))["messages"]

    def confs(self):
        gc = self.silta["globalconf"]
        return ("--conf", f"EE={gc}/EE", "--conf", f"FI={gc}/FI")

    def export(self, exchange, status=0):
        """Containers by their sides and kinds, and what was said about them."""
        os.makedirs(self.evidence.dir, exist_ok=True)
        r = subprocess.run(
            [SILTA, "log", "export", "--log", self.silta["log"], "--exchange", exchange,
             "--out", self.evidence.dir], capture_output=True, text=True, check=False, timeout=60)
        equal(r.returncode, status)
        return {re.sub(r".*-(\w+-\w+)\.asice", r"\1", p): p for p in r.stdout.split()}, r.stderr

    def verify(self, side, path, *more, status=0):
        return command(SILTA, "verify", "--strict", "--conf", f"{self.silta['globalconf']}/{side}",
                       *more, path, status=status)

    # --- cases ---

    def sealed(self):
        exchange, shown = self.exchange()
        equal([(m["side"], m["direction"], m["sealed_by"]) for m in shown],
              [("EE", "received", None), ("FI", "sent", self.member),
               ("FI", "received", self.member), ("EE", "sent", None)])
        holds(self.log("show", "--exchange", exchange), "sealed by")
        told = self.log("verify", *self.confs(), "--exchange", exchange)
        equal(told.count("OK " + exchange), 4)
        equal(told.count("sealed by"), 2)

    def containers(self):
        exchange, _ = self.exchange()
        files, said = self.export(exchange)
        equal(sorted(files), ["ee-request", "ee-response", "fi-request", "fi-response"])
        # what the bridge itself sent is good for whoever reads the sender from the message
        self.verify("FI", files["fi-request"])
        equal(said.count("is sealed by"), 1)
        holds(said, f"{exchange}-fi-response.asice is sealed by {self.member}")
        holds(self.verify("FI", files["fi-response"], status=1), "incorrect_certificate")
        self.verify("FI", files["fi-response"], "--signer", self.member)
        holds(self.verify("FI", files["fi-response"], "--signer", "FI/GOV/1", status=1),
              "incorrect_certificate")
        self.verify("EE", files["ee-request"])

    def unsigned(self):
        path = self.silta["config"]
        with open(path, encoding="utf-8") as f:
            text = f.read()
        at = text.index('{ name = "FI";')
        mine = re.sub(rf"\n\s*({'|'.join(UNSIGNED)}) = [^;]*;", "", text[at:])
        with open(path, "w", encoding="utf-8") as f:
            f.write(text[:at] + mine)
        command(SILTA, "check", "-c", path)
        self.world.kill_bridge()
        exchange, shown = self.exchange()
        equal([(m["side"], m["signer"] is not None) for m in shown],
              [("EE", True), ("FI", False), ("FI", False), ("EE", True)])
        equal([m["sealed_by"] for m in shown], [None] * 4)
        holds(self.log("show", "--exchange", exchange), "not signed, not sealed")
        files, said = self.export(exchange, status=1)
        equal(sorted(files), ["ee-request", "ee-response"])
        equal(said.count("neither signed nor sealed"), 2)
        told = self.log("verify", *self.confs())
        for _ in range(100):  # the chain is time-stamped for them
            if re.search(r"OK stamp-\d+ \S+ 0 messages", told):
                break
            time.sleep(0.1)
            told = self.log("verify", *self.confs())
        else:
            raise AssertionError("no time-stamp of the chain")
        equal(told.count("not signed and not sealed"), 2)
        equal(told.count("FAIL"), 0)

    def altered(self):
        """Who is told to have sealed a message cannot be changed afterwards."""
        subprocess.run(["sqlite3", self.silta["log"],
                        "DELETE FROM part WHERE name = 'sealer'"], check=True, timeout=20)
        holds(self.log("verify", *self.confs(), status=1), "was changed")


def main():
    cases = Cases()
    world = World()
    try:
        s = Seals(world)
        cases.run("records are sealed, and say so", s.sealed)
        cases.run("containers of sealed messages", s.containers)
        cases.run("without a key records are unsigned, and say so", s.unsigned)
    finally:
        cases.run("the programs end as told", lambda: equal(world.close(), 0))
    cases.run("a seal that was taken off", s.altered)
    world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
