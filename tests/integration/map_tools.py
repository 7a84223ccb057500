# SPDX-License-Identifier: MIT
"""The subcommands of silta map for those who own tables, as they are called and as they exit."""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tap import ROOT, SILTA, Cases, command

PARTS = ("messages.tsv", "pivot", "countries", "flows")
FORMATS = ("conceptmap-r4", "conceptmap-r5", "sssom")
DOCUMENTS = ROOT + "/examples/documents/"


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}")


def holds(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{part!r} is not in {text!r}")


def lacks(text, *parts):
    for part in parts:
        if part in text:
            raise AssertionError(f"{part!r} is in {text!r}")


def silta_map(*words, status=0):
    """Standard output and standard error."""
    r = subprocess.run((SILTA, "map", *words), capture_output=True, text=True, check=False, timeout=120)
    if r.returncode != status:
        raise AssertionError(f"{' '.join(words)} ended with {r.returncode}, not {status}:\n{r.stdout}{r.stderr}")
    return r.stdout, r.stderr


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


class Tools:
    def __init__(self, where):
        self.where = where

    def path(self, name):
        return f"{self.where}/{name}"

    def set_copy(self, name):
        target = self.path(name)
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        for part in PARTS:
            source = f"{ROOT}/mappings/{part}"
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, f"{target}/{part}")
        return target

    @staticmethod
    def edit(directory, country, name, change):
        table = f"{directory}/countries/{country}/{name}.tsv"
        conf = f"{directory}/countries/{country}/country.conf"
        text = change(read(table))
        write(table, text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        write(conf, re.sub(rf'(file = "{name}.tsv";\s*sha256 = ")[0-9a-f]*', rf"\g<1>{digest}", read(conf)))

    # --- explaining ---

    def explain(self, name, status, *options):
        out = self.path(name + ".html")
        silta_map("apply", "--from", "FI", "--to", "EE", "--flow", "eprescription", "--message", "response",
                  "--at", "2026-11-23", "--explain", out, *options, DOCUMENTS + name, status=status)
        return read(out)

    def page(self):
        page = self.explain("fi-01-tablet.xml", 0)
        holds(page, "✓ Translated", "fi-01-tablet.xml", "tablett", "dose form")
        equal(page, self.explain("fi-01-tablet.xml", 0))
        code = re.search(r'root="1\.2\.246\.21"[^>]*extension="([^"]*)"|extension="([^"]*)"[^>]*root="1\.2\.246\.21"',
                         read(DOCUMENTS + "fi-01-tablet.xml"))
        code = code.group(1) or code.group(2)
        lacks(page, code, "http:", "https:", "<script")
        holds(self.explain("fi-01-tablet.xml", 0, "--personal"), code)
        holds(self.explain("fi-01-tablet.xml", 0, "--lang", "et"), "ravimvorm")

    def refused_page(self):
        page = self.explain("fi-07-no-form.xml", 1)
        holds(page, "× Refused", "FED-MAP-001", 'lang="et"', 'lang="fi"', 'lang="en"')

    # --- exchanging ---

    def there_and_back(self, form):
        tables = sorted(glob.glob(ROOT + "/mappings/countries/*/*.tsv"))
        for table in tables:
            country, name = table.split("/")[-2], os.path.basename(table)[:-4]
            there, back = self.path("there"), self.path("back")
            silta_map("export", "--list", name, "--country", country, "--format", form, "--out", there)
            silta_map("import", "--format", form, "--out", back, there)
            equal(read(back), read(table))
            os.remove(there)
            os.remove(back)

    def never_overwritten(self):
        target = self.path("kept.tsv")
        write(target, "kept\n")
        silta_map("export", "--list", "route", "--country", "FI", "--format", "sssom",
                  "--out", self.path("r.sssom.tsv"))
        _, why = silta_map("import", "--format", "sssom", "--out", target, self.path("r.sssom.tsv"), status=2)
        holds(why, "kept.tsv", "exists")
        equal(read(target), "kept\n")

    def strict(self):
        out = self.path("atc.sssom.tsv")
        _, why = silta_map("export", "--list", "atc", "--country", "FI", "--format", "sssom", "--strict",
                           "--out", out, status=1)
        holds(why, "lost:", "identity")
        equal(os.path.exists(out), False)
        silta_map("export", "--list", "route", "--country", "FI", "--format", "sssom", "--strict")
        own = self.path("r4.json")
        write(own, json.dumps({"resourceType": "ConceptMap", "group": [{"element": [
            {"code": "1", "target": [{"code": "P", "equivalence": "inexact"}]},
            {"code": "0", "target": [{"code": "P", "equivalence": "equal", "product": []}]}]}]}))
        table, why = silta_map("import", "--format", "conceptmap-r4", own)
        holds(why, "inexact", "product")
        equal([line.split("\t")[0] for line in table.splitlines()], ["code", "0", "1"])
        silta_map("import", "--format", "conceptmap-r4", "--strict", own, status=1)

    def refused_rows(self):
        own = self.path("r5.json")
        write(own, json.dumps({"resourceType": "ConceptMap", "group": [{"element": [
            {"code": "1", "target": [{"code": "P", "relationship": "equivalent"}]},
            {"code": "2", "target": [{"code": "P", "relationship": "alike"}]},
            {"display": "without code"}]}]}))
        table, why = silta_map("import", "--format", "conceptmap-r5", own, status=1)
        equal(len(table.splitlines()), 2)
        equal(why.count("refused:"), 2)

    def wrong_calls(self):
        for words in (
            ("export", "--list", "route", "--country", "FI"),
            ("export", "--list", "route", "--country", "FI", "--format", "csv"),
            ("export", "--list", "nothing", "--country", "FI", "--format", "sssom"),
            ("export", "--list", "route", "--country", "XX", "--format", "sssom"),
            ("export", "--country", "FI", "--format", "sssom"),
            ("import", "--format", "sssom"),
            ("import", "--format", "sssom", "/nonexistent"),
            ("import", "--format", "conceptmap-r5", DOCUMENTS + "fi-01-tablet.xml"),
            ("import", "--format", "sssom", "--list", "route", DOCUMENTS + "fi-01-tablet.xml"),
            ("import", "--nonsense"),
            ("diff", ROOT + "/mappings"),
            ("diff", ROOT + "/mappings", "/nonexistent"),
            ("diff", ROOT + "/mappings", ROOT + "/mappings", "a.xml"),
            ("diff", ROOT + "/mappings", ROOT + "/mappings", "--documents", DOCUMENTS + "fi-01-tablet.xml"),
            ("diff", ROOT + "/mappings", ROOT + "/mappings", "--log", "/nonexistent"),
            ("sign", "--key", "/nonexistent"),
            ("sign", "--key", "/nonexistent", "--cert", "/nonexistent"),
            ("verify", "--mappings", ROOT + "/mappings"),
        ):
            silta_map(*words, status=2)

    # --- comparing ---

    def nothing_differs(self):
        old = self.set_copy("old")
        out, _ = silta_map("diff", old, old, "--documents", "--flow", "eprescription", "--from", "FI", "--to", "EE",
                           *sorted(glob.glob(DOCUMENTS + "fi-*.xml")))
        holds(out, "0 changes", "0 of 9 messages differ")

    def differs(self):
        old, new = self.set_copy("old"), self.set_copy("new")
        self.edit(new, "EE", "doseform", lambda t: t.replace("738\ttablett\t", "738\ttablett uus\t"))
        self.edit(new, "FI", "role", lambda t: t + "zzz\tuusi\tfi\tequivalent\t221\n")
        self.edit(new, "EE", "route", lambda t: "".join(
            line for line in t.splitlines(True) if not line.startswith("suukaudne")))
        call = ("diff", old, new, "--at", "2026-11-23", "--from", "FI", "--to", "EE",
                "--flow", "eprescription", "--documents", DOCUMENTS + "fi-01-tablet.xml", DOCUMENTS + "fi-05-eye-drops.xml")
        out, _ = silta_map(*call, status=1)
        holds(out, "~ EE doseform: 738: display tablett → tablett uus", "+ FI role: zzz uusi",
              "- EE route: suukaudne", "fi-01-tablet.xml: differs", "1 of 2 messages differ")
        out, _ = silta_map(*call, "--json", status=1)
        report = json.loads(out)
        equal([d["result"] for d in report["documents"]], ["differs", "same"])
        equal(sorted({(c["where"], c.get("list")) for c in report["changes"] if c.get("list")}),
              [("EE", "doseform"), ("EE", "route"), ("FI", "role")])

    def becomes_refused(self):
        old, new = self.set_copy("old"), self.set_copy("new")
        self.edit(new, "EE", "doseform", lambda t: "".join(
            line for line in t.splitlines(True) if "\t10219000\t" not in line))
        call = ("--flow", "eprescription", "--from", "FI", "--to", "EE", "--at", "2026-11-23",
                "--documents", DOCUMENTS + "fi-01-tablet.xml")
        out, _ = silta_map("diff", old, new, *call, status=1)
        holds(out, "becomes refused", "FED-MAP-001", "rule form")
        out, _ = silta_map("diff", new, old, *call, status=1)
        holds(out, "is no longer refused")

    # --- signing ---

    def signed(self):
        where = self.set_copy("signed")
        for name in ("anna", "bert", "eve"):
            command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", f"/CN={name.capitalize()}", "-days", "30", "-addext",
                    "keyUsage=critical,digitalSignature", "-keyout", self.path(name + ".key"),
                    "-out", self.path(name + ".pem"))
            os.chmod(self.path(name + ".key"), 0o600)

        def sign(name, *options, status=0):
            return silta_map("sign", "--key", self.path(name + ".key"), "--cert", self.path(name + ".pem"),
                             "--mappings", where, *options, status=status)[0]

        def verify(*names, needed="0", status=0):
            write(self.path("trusted.pem"), "".join(read(self.path(n + ".pem")) for n in names))
            return silta_map("verify", "--ca", self.path("trusted.pem"), "--approvals", needed,
                             "--mappings", where, status=status)[0]

        sign("anna", status=1)  # there is no manifest yet
        sign("anna", "--set", "t", "--version", "1", status=2)
        sign("anna", "--set", "t", "--version", "1", "--effective-from", "soon", status=2)
        sign("anna", "--set", "t", "--version", "1", "--effective-from", "2026-01-01", "--approval", "Bert")
        holds(verify("anna"), "OK t version 1", "signed by Anna, the author")
        holds(verify("bert", status=1), "FAIL", "manifest.p7s")
        holds(verify("anna", needed="1", status=1), "0 of the approvals")
        holds(sign("eve", status=1), "neither the author nor one of the approvals")
        sign("bert")
        sign("bert", status=2)  # once is enough
        holds(verify("anna", "bert", needed="1"), "signed by Bert, approving")
        # an independent judge of the signature
        command("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", where + "/manifest.p7s",
                "-content", where + "/manifest.conf", "-CAfile", self.path("trusted.pem"), "-purpose", "any",
                "-out", "/dev/null")
        self.edit(where, "EE", "route", lambda t: t.replace("suukaudne\tsuukaudne", "suukaudne\tsuu"))
        holds(verify("anna", "bert", status=1), "route.tsv: was altered", "country.conf: was altered")
        holds(sign("bert", status=1), "was altered")
        sign("anna", "--set", "t", "--version", "2", "--effective-from", "2099-01-01")
        holds(read(where + "/manifest.conf"), 'previous = "1"')
        holds(verify("anna", status=1), "FED-TRC-001", "not in force")


def main():
    cases = Cases()
    os.environ["SILTA_MAPPINGS"] = ROOT + "/mappings"
    where = tempfile.mkdtemp(prefix="silta-tools-")
    t = Tools(where)
    cases.run("a translation is explained on a page, without the person", t.page)
    cases.run("a refusal is explained in three languages", t.refused_page)
    for form in FORMATS:
        cases.run(f"every table of the countries comes back from {form}", t.there_and_back, form)
    cases.run("import overwrites nothing", t.never_overwritten)
    cases.run("a loss is told, and with --strict a failure", t.strict)
    cases.run("rows that no table may hold are refused with the reason", t.refused_rows)
    cases.run("what cannot be asked ends with status 2", t.wrong_calls)
    cases.run("a set does not differ from itself", t.nothing_differs)
    cases.run("what a new version changes is told by list and by document", t.differs)
    cases.run("documents that become refused are told", t.becomes_refused)
    cases.run("a set is signed, approved, verified; altered, it is neither", t.signed)
    shutil.rmtree(where, ignore_errors=True)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
