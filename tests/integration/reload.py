# SPDX-License-Identifier: MIT
"""The mapping set replaced while the bridge runs: whole, without losing an exchange, or not at all."""
import hashlib
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

from tap import ROOT, SILTA, Cases, World, command

from pharmacy import NS, Fault, Pharmacy, document, patients

FORMS = "countries/EE/doseform.tsv"
NAME = "tablett"  # what 738, the form of the example, is called in Estonia
PARTS = ("messages.tsv", "pivot", "countries", "flows")


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}")


class Reload:
    def __init__(self, world, mappings):
        self.world = world
        self.mappings = mappings
        self.rows = patients()
        self.tablet = self.rows["fi-01-tablet.xml"]
        self.pharmacy = Pharmacy(world.endpoints)

    # --- the set on disk ---

    def path(self, name):
        return f"{self.mappings}/{name}"

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, text):
        """As editors do: the file is there, old or new, at any instant."""
        with open(self.path(name) + "~", "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(self.path(name) + "~", self.path(name))

    def original(self):
        for part in PARTS:
            shutil.rmtree(self.path(part), ignore_errors=True)
            if os.path.isdir(f"{ROOT}/mappings/{part}"):
                shutil.copytree(f"{ROOT}/mappings/{part}", self.path(part))
            else:
                shutil.copy(f"{ROOT}/mappings/{part}", self.path(part))

    def call_it(self, name):
        """The example's form gets another name; country.conf names the new digest."""
        text = re.sub(r"^(738\t)[^\t]*\t(et\t)", rf"\g<1>{name}\t\g<2>", self.read(FORMS), flags=re.M)
        self.write(FORMS, text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        conf = re.sub(r'(file = "doseform.tsv";\s*sha256 = ")[0-9a-f]*', rf"\g<1>{digest}",
                      self.read("countries/EE/country.conf"))
        self.write("countries/EE/country.conf", conf)

    # --- the bridge ---

    def lines(self, *words):
        return [line for line in self.world.log_lines() if any(word in line for word in words)]

    def reload(self):
        """True when the set was taken."""
        ends = ("mapping set in force", "the mapping set in force stays")
        before = len(self.lines(*ends))
        os.kill(self.world.bridge_pid(), signal.SIGHUP)
        until = time.monotonic() + 20
        while len(self.lines(*ends)) == before:
            if time.monotonic() > until:
                raise RuntimeError("nothing came of the reload")
            time.sleep(0.01)
        return ends[1] not in self.lines(*ends)[-1]

    def form_name(self):
        return self.pharmacy.fetch(self.tablet).find(".//pharm:formCode", NS).get("displayName")

    def refused(self, *parts):
        before = len(self.lines("the mapping set is refused"))
        name = self.form_name()
        if self.reload():
            raise AssertionError("the set was taken")
        lines = self.lines("the mapping set is refused")[before:]
        for part in parts:
            if not any(part in line for line in lines):
                raise AssertionError(f"{part!r} is in none of {lines}")
        equal(self.form_name(), name)

    # --- cases ---

    def changed_table(self):
        equal(self.form_name(), NAME)
        self.call_it("tablett uus")
        equal(self.form_name(), NAME)  # nothing changes before it is asked for
        equal(self.reload(), True)
        equal(self.form_name(), "tablett uus")
        self.original()
        equal(self.reload(), True)
        equal(self.form_name(), NAME)

    def broken_set(self):
        self.write(FORMS, self.read(FORMS) + "zz\tx\tet\tsomehow\t10219000\n")
        self.write("flows/eprescription/FI.conf", self.read("flows/eprescription/FI.conf") + "surprise = 1;\n")
        self.refused("doseform.tsv", "FI.conf")
        self.original()
        os.remove(self.path("pivot/route.tsv"))
        self.refused("route.tsv")
        self.original()
        shutil.rmtree(self.path("countries/FI"))
        self.refused("two countries")
        shutil.rmtree(self.path("countries"))
        self.refused("countries")
        self.original()
        equal(self.reload(), True)

    def sides_stay(self):
        conf = self.read("countries/EE/country.conf")
        self.write("countries/EE/country.conf", conf.replace('name = "EE";', 'name = "EE-OLD";'))
        self.refused("lists instance EE")
        self.write("countries/EE/country.conf", conf.replace(
            'name = "EE"; environment = "production"', 'name = "EE"; environment = "test"'))
        self.refused("must not be joined")
        self.original()
        self.write("countries/EE/country.conf", conf.replace(
            re.search(r'effective_from = "[^"]*"', conf).group(), 'effective_from = "2099-01-01"'))
        self.refused("is not in force on")
        self.original()
        equal(self.reload(), True)

    def under_load(self):
        self.world.admin("FI", "/reset")
        failures, done, stop = [], [], threading.Event()

        def reader():
            while not stop.is_set():
                try:
                    done.append(self.form_name())
                except Exception as e:  # any failure is a lost exchange
                    failures.append(repr(e))

        def dispenser():
            while not stop.is_set():
                try:
                    sale, _ = self.pharmacy.dispense(
                        self.tablet, document("dispensation-ee-01.xml"))
                    self.pharmacy.discard(self.tablet, sale)
                except Fault as fault:
                    failures.append(str(fault))

        threads = [threading.Thread(target=reader) for _ in range(5)]
        threads.append(threading.Thread(target=dispenser))
        for t in threads:
            t.start()
        taken = 0
        end = time.monotonic() + 6
        while time.monotonic() < end:
            self.call_it("tablett " + "AB"[taken % 2])
            taken += self.reload()
        stop.set()
        for t in threads:
            t.join()
        print(f"# {taken} reloads under {len(done)} exchanges", flush=True)
        equal(failures, [])
        if taken < 5 or len(done) < 20:
            raise AssertionError("too little happened")
        equal(set(done) - {NAME, "tablett A", "tablett B"}, set())
        if len(set(done)) < 2:
            raise AssertionError("no reload took effect")
        self.original()
        equal(self.reload(), True)
        equal(self.form_name(), NAME)

    # --- signed sets ---

    def sign(self, **days):
        keys = self.world.dir + "/keys"
        command(SILTA, "map", "sign", "--key", keys + "/anna.key", "--cert", keys + "/anna.pem",
                "--mappings", self.mappings, "--set", "test", "--version", "1",
                "--effective-from", days.get("first", "2026-01-01"),
                *(["--effective-to", days["last"]] if "last" in days else []),
                "--approval", "Bert")
        command(SILTA, "map", "sign", "--key", keys + "/bert.key", "--cert", keys + "/bert.pem",
                "--mappings", self.mappings)

    def demand_signatures(self):
        keys = self.world.dir + "/keys"
        os.makedirs(keys)
        for name in ("anna", "bert"):
            command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", f"/O=Institute/CN={name.capitalize()}", "-days", "30",
                    "-addext", "keyUsage=critical,digitalSignature",
                    "-keyout", f"{keys}/{name}.key", "-out", f"{keys}/{name}.pem")
            os.chmod(f"{keys}/{name}.key", 0o600)
        with open(keys + "/trusted.pem", "w", encoding="utf-8") as out:
            for name in ("anna", "bert"):
                with open(f"{keys}/{name}.pem", encoding="utf-8") as f:
                    out.write(f.read())
        conf = self.world.dir + "/silta/silta.conf"
        with open(conf, "a", encoding="utf-8") as f:
            f.write(f'mappings_ca = "{keys}/trusted.pem";\nmappings_required = true;\n'
                    "mappings_approvals = 1;\n")
        if "not signed" not in command(SILTA, "check", "-c", conf, status=1):
            raise AssertionError("silta check takes an unsigned set")
        command(SILTA, "serve", "-c", conf, status=2)
        self.sign()
        command(SILTA, "check", "-c", conf)
        self.world.kill_bridge()
        equal(self.form_name(), NAME)

    def altered(self):
        self.call_it("tablett oma")
        self.refused("doseform.tsv: was altered", "country.conf: was altered")
        self.sign()
        equal(self.reload(), True)
        equal(self.form_name(), "tablett oma")
        self.write("pivot/extra.tsv", "code\n")
        self.refused("extra.tsv: is not listed")
        os.remove(self.path("pivot/extra.tsv"))
        os.remove(self.path("manifest.p7s"))
        self.refused("not signed")
        self.sign()
        self.reload()

    def too_few(self):
        keys = self.world.dir + "/keys"
        command(SILTA, "map", "sign", "--key", keys + "/anna.key", "--cert", keys + "/anna.pem",
                "--mappings", self.mappings, "--set", "test", "--version", "2",
                "--effective-from", "2026-01-01", "--approval", "Bert")
        self.refused("0 of the approvals have signed, 1 are needed")

    def out_of_force(self):
        self.sign(first="2020-01-01", last="2020-12-31")
        self.refused("not in force on")
        self.sign(first="2099-01-01")
        self.refused("not in force on")
        self.sign()
        equal(self.reload(), True)

    def evidence(self):
        gc = self.world.endpoints["silta"]["globalconf"]
        command(SILTA, "log", "verify", "--log", self.world.endpoints["silta"]["log"],
                "--conf", f"EE={gc}/EE", "--conf", f"FI={gc}/FI")


def main():
    cases = Cases()
    mappings = tempfile.mkdtemp(prefix="silta-set-")
    for part in PARTS:
        source = f"{ROOT}/mappings/{part}"
        (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, f"{mappings}/{part}")
    os.environ["SILTA_MAPPINGS"] = mappings
    world = World()
    try:
        r = Reload(world, mappings)
        cases.run("a changed table takes effect", r.changed_table)
        cases.run("a broken set is refused with all its problems, and the old one goes on", r.broken_set)
        cases.run("a set that does not go with the sides is refused", r.sides_stay)
        cases.run("reloads under load lose no exchange", r.under_load)
        cases.run("an unsigned set is refused where signatures are required", r.demand_signatures)
        cases.run("an altered set is refused until it is signed", r.altered)
        cases.run("a set with too few approvals is refused", r.too_few)
        cases.run("a set out of force is refused", r.out_of_force)
        cases.run("the evidence of all that proves itself", r.evidence)
    finally:
        world.close()
    if cases.failed:
        print("# kept: " + world.dir + " " + mappings)
    else:
        world.remove()
        shutil.rmtree(mappings)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
