# SPDX-License-Identifier: MIT
"""Many pharmacies with many made-up patients: calls go on and on, and what became of each is kept."""
import os
import random
import re
import shutil
import threading
import time
import uuid

import tap  # knows where the next is

from pharmacy import DOCS, NS, Fault, Pharmacy, document, patients

CHECK = "0123456789ABCDEFHJKLMNPRSTUVWXY"
ROOT = "1.2.246.10.98765430.93.2026."
SYLLABLES = ("aho", "kivi", "lampi", "mäki", "niitty", "oja", "puro", "salo", "vaara", "virta")


def person_code(i):
    """A personal code of the range that is given to nobody, with its check character."""
    day, month, year = i % 28 + 1, i // 28 % 12 + 1, 50 + i // 336 % 50
    number = 900 + i // 16800 * 2 % 100
    digits = f"{day:02}{month:02}{year:02}{number}"
    return f"{digits[:6]}-{digits[6:]}{CHECK[int(digits) % 31]}"


def family_name(i):
    parts = [SYLLABLES[i // 10**k % 10] for k in (3, 2, 1, 0)]
    return "".join(parts).capitalize()


def patient(i):
    return {
        "patient_code": person_code(i),
        "patient_name": family_name(i),
        "prescription_root": f"{ROOT}{2000001 + i}",
        "prescription_extension": "",
    }


def adapted(text, row):
    """A document of fi-01-tablet.xml's patient and prescription as one of another's."""
    original = patients()["fi-01-tablet.xml"]
    code = row["patient_code"]
    birth = f"19{code[4:6]}{code[2:4]}{code[0:2]}"
    for old, new in (
        (original["patient_code"], code),
        (original["prescription_root"], row["prescription_root"]),
        ("Koskela", row["patient_name"]),
        ("19540312", birth),
    ):
        if old not in text:
            raise AssertionError(f"{old!r} is not in the example")
        text = text.replace(old, new)
    return text


def write_documents(where, n):
    """n prescriptions, each of another patient; their rows."""
    os.makedirs(where)
    shutil.copy(DOCS + "/fi-01-tablet.xml", where)
    text = document("fi-01-tablet.xml")
    rows = [patient(i) for i in range(n)]
    for i, row in enumerate(rows):
        with open(f"{where}/fi-1{i:05}.xml", "w", encoding="utf-8") as f:
            f.write(adapted(text, row))
    return rows


class Call:
    """One call and what the pharmacy saw of it."""

    def __init__(self, what, row, mode=None):
        self.what, self.row, self.mode = what, row, mode
        self.message_id = str(uuid.uuid4())
        self.code = self.text = ""  # of the fault
        self.ok = False
        self.start = time.time()

    def end(self, code="", text=""):
        self.ok, self.code, self.text = not code, code, text
        self.seconds = time.time() - self.start


class Member(threading.Thread):
    """One pharmacy, with prescriptions that nobody else touches."""

    def __init__(self, crowd, rows, seed):
        super().__init__(daemon=True)
        self.crowd, self.rows = crowd, rows
        self.rng = random.Random(seed)
        self.pharmacy = Pharmacy(crowd.endpoints)
        self.good = True  # the last call
        self.sales = {}  # prescription -> its dispensation, while it stands
        self.doubtful = set()  # prescriptions whose state the pharmacy does not know
        self.text = document("dispensation-ee-01.xml")

    def run(self):
        while not self.crowd.stopping.is_set():
            row = self.rng.choice(self.rows)
            self.act(row)
            # a refusal comes quickly: faults must not make the load grow
            pause = self.crowd.pause if self.good else 4 * self.crowd.pause
            self.crowd.stopping.wait(self.rng.uniform(0, 2 * pause))

    def act(self, row):
        root = row["prescription_root"]
        dice = self.rng.random()
        if dice < 0.25:
            self.call(Call("list", row, self.mode()), self.list)
        elif dice < 0.5 or root in self.doubtful:
            self.call(Call("fetch", row, self.mode()), self.fetch)
        elif root in self.sales:
            call = Call("discard", row, self.mode())
            self.call(call, self.discard)
            if call.ok:
                del self.sales[root]
            elif call.mode in (None, "twice"):
                self.doubtful.add(root)
        else:
            call = Call("dispense", row, self.mode())
            self.call(call, self.dispense)
            if not call.ok and call.mode in (None, "twice"):
                self.doubtful.add(root)

    def mode(self):
        """How this request is to be spoilt; mostly not at all."""
        if self.rng.random() >= self.crowd.spoilt:
            return None
        return self.rng.choice(self.crowd.modes)

    def call(self, call, how):
        try:
            headers = {"X-Test-Fault": call.mode} if call.mode else {}
            how(call.row, message_id=call.message_id, headers=headers)
            call.end()
        except Fault as fault:
            call.end(fault.code, fault.text)
        except AssertionError as e:
            self.crowd.mixed_up.append(str(e))
            call.end("mixed up")
        except Exception as e:  # the pharmacy's own server gave no answer that can be read
            call.end("broken", f"{type(e).__name__}: {e}")
        self.good = call.ok
        self.crowd.calls.append(call)

    def list(self, row, **how):
        answer = self.pharmacy.list(row, **how)
        roots = [e.get("oid") for e in answer.iterfind("dr:retsept/dr:retseptiTunnus", NS)]
        if roots != [row["prescription_root"]]:
            raise AssertionError(f"{roots} were listed for {row['prescription_root']}")

    def fetch(self, row, **how):
        doc = self.pharmacy.fetch(row, inline=self.rng.random() < 0.5, **how)
        code = doc.find("cda:recordTarget/cda:patientRole/cda:id", NS).get("extension")
        if code != row["patient_code"]:
            raise AssertionError(f"{code} came for {row['patient_code']}")

    def dispense(self, row, **how):
        text = re.sub(r"5d0f7a3e-91c4-4b6e-8f52-2a7c61e0b913", str(uuid.uuid4()), self.text)
        text = re.sub(r"c2b8e146-0d3a-4f7f-9a15-7be4d1f0a652", str(uuid.uuid4()), text)
        text = adapted(text, row)
        sale, state = self.pharmacy.dispense(row, text, inline=self.rng.random() < 0.5, **how)
        if state != "10":
            raise AssertionError(f"a dispensed prescription is in state {state}")
        self.sales[row["prescription_root"]] = sale

    def discard(self, row, **how):
        state = self.pharmacy.discard(row, self.sales[row["prescription_root"]], **how)
        if state != "00":
            raise AssertionError(f"a prescription is in state {state} after discarding")


class Crowd:
    """All members; may be started and stopped several times."""

    modes = ("changed-byte", "stale-ocsp", "revoked", "wrong-member", "truncated", "twice")

    def __init__(self, endpoints, rows, seed, members=4, pause=0.05, spoilt=0.04):
        self.endpoints, self.pause, self.spoilt = endpoints, pause, spoilt
        self.rows, self.seed, self.n = rows, seed, members
        self.calls, self.mixed_up = [], []
        self.stopping = threading.Event()
        self.members, self.doubtful, self.sales = [], set(), {}

    def start(self):
        self.stopping.clear()
        self.seed += self.n
        old = self.members
        self.members = []
        for i in range(self.n):
            m = Member(self, self.rows[i :: self.n], self.seed + i)
            if old:
                m.sales, m.doubtful = old[i].sales, old[i].doubtful
            self.members.append(m)
            m.start()

    def stop(self, seconds):
        """Waits until every call has ended; False when one has not."""
        self.stopping.set()
        until = time.monotonic() + seconds
        for m in self.members:
            m.join(max(0.1, until - time.monotonic()))
        return not any(m.is_alive() for m in self.members)
