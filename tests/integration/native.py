# SPDX-License-Identifier: MIT
"""A native Finnish prescription over the whole way: signed inside, fetched by an Estonian pharmacy
through the bridge; what it carries, what refuses it, and that the original is kept. TAP."""
import os
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ET

from tap import ROOT, Cases, Evidence, World, command

from pharmacy import NS, Fault, Pharmacy

NATIVE = ROOT + "/tests/data/kanta/"
ID = "1.2.246.10.12345678.93.2024.500"


def equal(a, b):
    if a != b:
        raise AssertionError(f"{a!r} is not {b!r}")


def row(number):
    return {"patient_root": "1.2.246.21", "patient_code": "240362-958T",
            "prescription_root": ID + str(number), "prescription_extension": ""}


def documents():
    """The good one; one whose identifiers, which are signed, were changed; the examples beside."""
    made = tempfile.mkdtemp(prefix="silta-native-")
    with open(NATIVE + "good.xml", encoding="utf-8") as f:
        text = f.read()
    for number in (1, 2):
        with open(f"{made}/native-{number}.xml", "w", encoding="utf-8") as f:
            f.write(text.replace(ID + "1", ID + str(number)))
    for name in ("fi-01-tablet.xml", "index.tsv"):
        shutil.copy(f"{ROOT}/examples/documents/{name}", made)
    return made


class Native:
    def __init__(self, world):
        self.world = world
        self.pharmacy = Pharmacy(world.endpoints)

    def fetched(self, inline):
        document = self.pharmacy.fetch(row(1), inline=inline)
        form = document.find(".//pharm:formCode", NS)
        equal(form.get("displayName"), "gastroresistentne tablett")
        equal(form.find("cda:translation", NS).get("displayName"), "enterotabletti")
        parent = document.find("cda:relatedDocument[@typeCode='XFRM']/cda:parentDocument/cda:id", NS)
        equal(parent.get("root"), ID + "1")
        if b"hl7finland" in ET.tostring(document):
            raise AssertionError("the signature was passed on")

    def refused(self, code, number):
        try:
            self.pharmacy.fetch(row(number))
        except Fault as fault:
            problem = fault.detail.find(".//problem:problem", NS) if fault.detail is not None else None
            equal(problem.get("code") if problem is not None else fault.code, code)
        else:
            raise AssertionError("the prescription was handed out")

    def original_is_kept(self):
        """Byte for byte, in the evidence of what Finland sent."""
        with open(NATIVE + "good.xml", encoding="utf-8") as f:
            signature = f.read().split("<ds:SignatureValue>")[1].split("<")[0]
        evidence = Evidence(self.world)
        kept = 0
        for file in evidence.export():
            kept += signature in command("unzip", "-p", file, "message.xml")
        if kept == 0:
            raise AssertionError("no container has the original's signature")


def main():
    made = documents()
    cases = Cases()
    os.environ["SILTA_SIDE"] = f'document_ca = "{NATIVE}authorities.pem";'
    world = World("--documents", made)
    try:
        native = Native(world)
        cases.run("a native prescription is fetched in the answer", native.fetched, True)
        cases.run("and as attachment", native.fetched, False)
        cases.run("one that was changed is refused", native.refused, "FED-SIG-001", 2)
        cases.run("the original is kept with its signature", native.original_is_kept)
    finally:
        world.close()
        world.remove()
    del os.environ["SILTA_SIDE"]
    world = World("--documents", made)
    try:
        native = Native(world)
        cases.run("without authorities it is refused", native.refused, "FED-SIG-002", 1)
    finally:
        world.close()
        world.remove()
        shutil.rmtree(made, ignore_errors=True)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
