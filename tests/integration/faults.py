# SPDX-License-Identifier: MIT
"""Pharmacies call while everything around the bridge, and the bridge itself, fails at random.

FAULT_SECONDS says for how long (15), SEED repeats a run's faults. What must hold whatever happens
is checked at the end: nothing twice, nothing unlogged, nothing told as not delivered that was.
"""
import collections
import json
import os
import random
import re
import resource
import signal
import statistics
import sys
import tempfile
import time
import zipfile

from crowd import Crowd, write_documents
from tap import BUILD, SHARED, SILTA, Cases, Skip, World, command

from pharmacy import Fault, Pharmacy

SECONDS = float(os.environ.get("FAULT_SECONDS", "15"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**9)))
MEMBERS = 4
DEADLINE = 4  # of a call, seconds: an answer that hangs is given up then
RETURN = 3.0  # seconds within which a bridge that was killed must serve again
SETTLE = 2.0  # and one whose surroundings are well again
DRAIN = 30
# the pharmacy is told that nobody knows whether Finland acted
UNSURE = ("outcome_unknown", "network_error", "deadline_exceeded", "broken", "io_error", "http_error")
NO_LIMIT = resource.RLIM_INFINITY


def of(path, pattern):
    with open(path, encoding="utf-8") as f:
        return re.search(pattern, f.read(), re.M)


def sanitized():
    with open(SILTA, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


class Bridge:
    """The process, as it is now."""

    def __init__(self, world):
        self.world = world
        self.log = world.endpoints["silta"]["text_log"]

    def signal(self, number):
        try:
            os.kill(self.world.bridge_pid(), number)
        except (ProcessLookupError, ValueError):
            pass  # it has just been killed

    def limit_files(self, size):
        try:
            resource.prlimit(self.world.bridge_pid(), resource.RLIMIT_FSIZE, (size, NO_LIMIT))
        except (ProcessLookupError, ValueError):
            pass

    def memory_mb(self):
        status = f"/proc/{self.world.bridge_pid()}/status"
        return int(of(status, r"^VmRSS:\s+(\d+)").group(1)) / 1024

    def files(self):
        return len(os.listdir(f"/proc/{self.world.bridge_pid()}/fd"))

    def wait_restart(self, old):
        """Seconds from the next process's start until it says that it is ready."""
        at = os.path.getsize(self.log)
        until = time.monotonic() + 60
        start = None
        while time.monotonic() < until:
            try:
                start = start or (self.world.bridge_pid() != old and time.monotonic()) or None
            except ValueError:
                pass  # the file is being written
            with open(self.log, encoding="utf-8") as f:
                f.seek(at)
                if start and "notice ready" in f.read():
                    return time.monotonic() - start
            time.sleep(0.005)
        raise RuntimeError("the bridge did not come back")


class Chaos:
    """Draws faults, lets them last a while, and takes them back."""

    def __init__(self, world, bridge, row):
        self.world, self.bridge, self.row = world, bridge, row
        self.rng = random.Random(SEED)
        self.probe = Pharmacy(world.endpoints)
        self.active = {}  # name -> (when it ends, how)
        self.counts = collections.Counter()
        self.returns = []  # (seconds until ready, until served)
        self.late = []  # restarts that took too long
        self.rotated = {}
        self.boxes = self.find_boxes()
        self.table = self.faults()

    def find_boxes(self):
        boxes = {}
        children = f"/proc/{self.world.up.pid}/task/{self.world.up.pid}/children"
        with open(children, encoding="ascii") as f:
            for pid in map(int, f.read().split()):
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as c:
                    words = c.read().split("\0")
                if words[0].endswith("silta-instance"):
                    boxes[words[2]] = pid
        return boxes

    # --- the faults: name -> (weight, begin, end, longest seconds) ---

    def faults(self):
        table = {"bridge killed": (10, self.kill, None, 0)}
        stop, go = signal.SIGSTOP, signal.SIGCONT
        table["bridge frozen"] = (2, lambda: self.bridge.signal(stop),
                                  lambda: self.bridge.signal(go), 1.0)
        table["disk full"] = (4, lambda: self.bridge.limit_files(4096),
                              lambda: self.bridge.limit_files(NO_LIMIT), 1.5)
        table["FI frozen"] = (2, lambda: os.kill(self.boxes["FI"], stop),
                              lambda: os.kill(self.boxes["FI"], go), 1.5)
        for country in ("EE", "FI"):
            for name in ("relay", "ocsp", "tsa", "conf"):
                table[f"{country} {name} down"] = (1, *self.service(country, name), 3.0)
            table[f"{country} OCSP stale"] = (1, *self.pair(
                country, "/ocsp", {"age": 100000}, {"age": 0}), 2.0)
            for key in ("internal", "external"):
                table[f"{country} {key} key rotated"] = (1, self.rotation(country, key), None, 0)
            for certificate in ("bridge-sign", "bridge-auth", "server-auth"):
                table[f"{country} {certificate} revoked"] = (1, *self.revocation(
                    country, certificate), 2.0)
        table["FI centre-sign revoked"] = (1, *self.revocation("FI", "centre-sign"), 2.0)
        table["EE pharmacy-sign revoked"] = (1, *self.revocation("EE", "pharmacy-sign"), 2.0)
        table["FI server down"] = (3, *self.service("FI", "server"), 2.0)
        table["FI infosys down"] = (2, *self.service("FI", "infosys"), 2.0)
        table["FI services off"] = (1, *self.service("FI", "services"), 2.0)
        for mode in self.world.admin("FI", "/state")["answer_faults"]:
            weight = 3 if mode in ("no-answer", "hang", "slow", "truncated") else 1
            table[f"FI answers {mode}"] = (weight, self.answer(mode), None, 0)
        return table

    def pair(self, country, path, begin, end):
        return (lambda: self.world.admin(country, path, **begin),
                lambda: self.world.admin(country, path, **end))

    def service(self, country, name):
        return self.pair(country, "/service", {"name": name, "state": "down"},
                         {"name": name, "state": "up"})

    def revocation(self, country, name):
        return self.pair(country, "/certificate", {"name": name, "status": "revoked"},
                         {"name": name, "status": "good"})

    def rotation(self, country, key):
        return lambda: self.world.admin(country, "/rotate", key=key)

    def answer(self, mode):
        return lambda: self.world.admin("FI", "/answer-fault", mode=mode,
                                        times=self.rng.randint(1, 3))

    # --- the bridge dies ---

    def kill(self):
        alone = self.rng.random() < 0.5  # then nothing else explains a refusal
        if alone:
            self.lift_all()
        old = self.world.bridge_pid()
        self.bridge.signal(signal.SIGKILL)
        ready = self.bridge.wait_restart(old)
        start = time.monotonic()
        served = self.served_within(10, alone)
        seconds = ready + (served if served is not None else time.monotonic() - start)
        self.returns.append((ready, seconds))
        # beside other faults Finland may hang, and the first call be given up
        allowed = RETURN * (3 if sanitized() else 1) + (0 if alone else DEADLINE)
        if served is None or seconds > allowed:
            self.late.append(f"{seconds:.1f} s{'' if alone else ' beside ' + str(list(self.active))}")

    def served_within(self, seconds, fully):
        """Seconds until a call gets an answer of the bridge, a good one if fully; None: never."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            try:
                self.probe.list(self.row)
                return time.monotonic() - start
            except Fault as fault:
                self.last = f"{fault.code}: {fault.text}"
                if not fully and "clientproxy" not in fault.code:
                    return time.monotonic() - start
            except OSError as e:
                self.last = repr(e)
            time.sleep(0.02)
        return None

    # --- the course of it ---

    def lift(self, name):
        _, end = self.active.pop(name)
        end()

    def thaw(self):
        for pid in (*self.boxes.values(), self.world.bridge_pid()):
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def lift_all(self):
        # a frozen box answers no administrator
        for name in sorted(self.active, key=lambda n: "frozen" not in n):
            self.lift(name)
        for country in ("EE", "FI"):
            self.world.admin(country, "/answer-fault", mode="none", times=0)

    def draw(self, kills):
        names = [n for n in self.table if n not in self.active
                 and (kills or n != "bridge killed")]
        if "FI frozen" in self.active:
            names = [n for n in names if not n.startswith("FI ")]
        # a central server that publishes fetches what it and the other publish
        if any(n.endswith(("frozen", "conf down")) for n in self.active):
            names = [n for n in names if "rotated" not in n]
        return self.rng.choices(names, [self.table[n][0] for n in names])[0]

    def run(self, seconds):
        start = time.monotonic()
        while (now := time.monotonic()) - start < seconds:
            for name in [n for n, (end, _) in self.active.items() if end <= now]:
                if "FI frozen" in self.active and name.startswith("FI ") and name != "FI frozen":
                    continue
                self.lift(name)
            # the last part without kills, so that a leak of one process can show
            name = self.draw(now - start < seconds * 0.6)
            _, begin, end, longest = self.table[name]
            lasts, gap = self.rng.uniform(0.2, max(longest, 0.3)), self.rng.uniform(0.05, 0.6)
            if len(self.active) < 3:
                try:
                    begin()
                    self.counts[name] += 1
                except OSError as e:  # an administrator's request that the box refused
                    self.counts[f"{name} ({e})"] += 1
                if end:
                    self.active[name] = (time.monotonic() + lasts, end)
            time.sleep(gap)
        self.lift_all()


class Run:
    def __init__(self):
        self.started = time.monotonic()
        self.dir = os.path.join(BUILD, "faults")
        command("rm", "-rf", self.dir)
        os.makedirs(self.dir)
        self.rows = write_documents(self.dir + "/documents", MEMBERS * (40 + int(SECONDS * 2)))
        os.environ["SILTA_DEADLINE"] = str(DEADLINE)
        self.world = World("--documents", self.dir + "/documents")
        self.bridge = Bridge(self.world)
        self.crowd = Crowd(self.world.endpoints, self.rows[1:], SEED, MEMBERS)
        self.chaos = Chaos(self.world, self.bridge, self.rows[0])
        self.evidence = self.world.dir + "/evidence"

    def median_ms(self):
        times = []
        for _ in range(40):
            start = time.monotonic()
            self.chaos.probe.list(self.rows[0])
            times.append((time.monotonic() - start) * 1000)
        return statistics.median(times)

    def ended(self):
        """Statuses with which bridge processes ended, oldest first."""
        return [int(m.group(1)) for line in self.world.log_lines()
                if (m := re.search(r"the bridge ended with status (\d+)", line))]

    def play(self):
        self.phase("start")
        self.crowd.start()
        time.sleep(2)
        self.all_ended = self.crowd.stop(30)
        self.before = (self.median_ms(), self.bridge.memory_mb(), self.bridge.files())
        self.crowd.start()
        self.phase("warm")
        self.chaos.run(SECONDS)
        self.phase("chaos")
        self.settled = self.chaos.served_within(20, True)
        time.sleep(1)
        self.all_ended &= self.crowd.stop(60)
        time.sleep(1)
        self.after = (self.median_ms(), self.bridge.memory_mb(), self.bridge.files())
        self.open_when_idle = self.count_open()
        self.crowd.start()
        time.sleep(1)
        self.terminate()
        self.chaos.served_within(20, True)
        self.all_ended &= self.crowd.stop(60)
        self.phase("stop")

    def phase(self, name):
        print(f"# at {time.monotonic() - self.started:.1f} s: {name}", flush=True)

    def count_open(self):
        return len(command(SILTA, "log", "list", "--log", self.world.endpoints["silta"]["log"],
                           "--status", "open").splitlines())

    def terminate(self):
        """SIGTERM while pharmacies are calling."""
        old, n = self.world.bridge_pid(), len(self.ended())
        start = time.monotonic()
        self.bridge.signal(signal.SIGTERM)
        while len(self.ended()) == n and time.monotonic() - start < DRAIN + 10:
            time.sleep(0.02)
        self.drained = time.monotonic() - start
        if len(self.ended()) == n:
            self.bridge.signal(signal.SIGABRT)
        self.bridge.wait_restart(old)

    def gather(self):
        """What Finland has and what the bridge logged, after all programs but that have ended."""
        self.report = self.world.admin("FI", "/report")
        self.status = self.world.close()
        log = self.world.endpoints["silta"]["log"]
        self.exchanges = {x["exchange"]: x for x in map(json.loads, command(
            SILTA, "log", "list", "--log", log, "--json").splitlines())}
        # in memory where there is such a place: each file is synchronised to the disk
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else self.world.dir
        self.evidence = tempfile.mkdtemp(prefix="silta-evidence-", dir=base)
        command(SILTA, "log", "export", "--log", log, "--out", self.evidence)
        self.containers = sorted(os.listdir(self.evidence))
        self.of_message = collections.defaultdict(list)  # message id -> exchanges
        for name in self.containers:
            if name.endswith("-ee-request.asice"):
                with zipfile.ZipFile(f"{self.evidence}/{name}") as z:
                    text = z.read("message.xml").decode()
                mid = re.search(r"<xroad:id>([^<]+)<", text).group(1)
                self.of_message[mid].append(self.exchanges[name[:36]])
        self.calls = {c.message_id: c for c in self.crowd.calls}
        self.sales = self.report["dispensations"]
        self.phase("gathered")

    def tell(self):
        calls = self.crowd.calls
        good = sum(c.ok for c in calls)
        print(f"# {len(calls)} calls, {good} good; {len(self.sales)} dispensations in Finland; "
              f"{len(self.exchanges)} exchanges: "
              f"{dict(collections.Counter(x['status'] for x in self.exchanges.values()))}")
        print("# faults: " + ", ".join(f"{n} {k}" for k, n in sorted(self.chaos.counts.items())))
        codes = collections.Counter(c.code for c in calls if not c.ok)
        for code, n in codes.most_common():
            print(f"# {n:5} {code}")
        if self.chaos.returns:
            print(f"# {len(self.chaos.returns)} kills: ready after at most "
                  f"{max(r for r, _ in self.chaos.returns):.2f} s, served after at most "
                  f"{max(s for _, s in self.chaos.returns):.2f} s, median "
                  f"{statistics.median(s for _, s in self.chaos.returns):.2f} s")
        for when, (ms, mb, files) in (("before", self.before), ("after", self.after)):
            print(f"# {when}: list {ms:.1f} ms, memory {mb:.1f} MB, {files} files")
        print(f"# SIGTERM: ended after {self.drained:.2f} s", flush=True)

    # --- what must hold ---

    def nothing_twice(self):
        for key in ("message_id", "document"):
            many = collections.Counter((s["prescription"], s[key]) for s in self.sales)
            twice = [k for k, n in many.items() if n > 1]
            if twice:
                raise AssertionError(f"dispensed twice: {twice}")
        stand = collections.Counter(s["prescription"] for s in self.sales if not s["cancelled"])
        twice = [k for k, n in stand.items() if n > 1]
        if twice:
            raise AssertionError(f"two dispensations stand: {twice}")

    def nothing_lost(self):
        """What pharmacies saw succeed is in Finland."""
        there = {s["message_id"]: s for s in self.sales}
        lost = [c.message_id for c in self.crowd.calls
                if c.ok and c.what == "dispense" and c.message_id not in there]
        open_still = [
            m.sales[root] for m in self.crowd.members for root in m.sales
            if root not in m.doubtful and not any(
                s["prescription"] == root and not s["cancelled"] for s in self.sales)]
        if lost or open_still:
            raise AssertionError(f"not in Finland: {lost} {open_still}")

    def nothing_spoilt(self):
        through = [f"{c.what} {c.mode}" for c in self.crowd.calls
                   if c.mode and c.ok and not (c.mode == "twice" and c.what in ("list", "fetch"))]
        there = {s["message_id"] for s in self.sales}
        through += [f"{c.what} {c.mode}, in Finland" for c in self.crowd.calls
                    if c.mode not in (None, "twice") and c.message_id in there]
        if through:
            raise AssertionError(f"{through}")

    def nothing_mixed_up(self):
        if self.crowd.mixed_up:
            raise AssertionError(f"{self.crowd.mixed_up[:5]}")

    def nothing_unlogged(self):
        there = set(self.containers)
        for c in self.crowd.calls:
            legs = ("ee-request", "fi-request", "fi-response", "ee-response") if c.ok else ()
            done = [x for x in self.of_message[c.message_id]
                    if all(f"{x['exchange']}-{leg}.asice" in there for leg in legs)]
            if c.ok and not done:
                raise AssertionError(f"{c.what} {c.message_id} succeeded and is not in the log")
        for s in self.sales:
            if not any(f"{x['exchange']}-fi-request.asice" in there
                       for x in self.of_message[s["message_id"]]):
                raise AssertionError(f"Finland has {s['message_id']}, the log does not")

    def nothing_denied(self):
        """What Finland has and the pharmacy did not see succeed is not told as not delivered."""
        n = 0
        for s in self.sales:
            call = self.calls.get(s["message_id"])
            if call and call.ok:
                continue
            n += 1
            states = {x["status"] for x in self.of_message[s["message_id"]]}
            unsure = call and (call.code.endswith(UNSURE) or call.mode == "twice")
            if not unsure and not states & {"unknown", "failed"}:
                raise AssertionError(f"{s['message_id']}: log {states}, pharmacy "
                                     f"{call and call.code}")
            if states == {"failed"} and not any(
                    x["messages"] > 2 for x in self.of_message[s["message_id"]]):
                raise AssertionError(f"{s['message_id']} is in Finland and only failed in the log, "
                                     f"{self.of_message[s['message_id']]}; {call and call.code}")
        print(f"# {n} dispensations are in Finland without the pharmacy's knowing")

    def nothing_open(self):
        if self.open_when_idle:
            raise AssertionError(f"{self.open_when_idle} were open while nobody called")
        still = [x for x in self.exchanges.values() if x["status"] == "open"]
        if still:
            raise AssertionError(f"{len(still)} exchanges are open, one is {still[0]}")

    def evidence_verifies(self):
        if len(self.containers) < 20:
            raise AssertionError(f"only {len(self.containers)} containers")
        for side in ("EE", "FI"):
            conf = f"{self.world.endpoints['silta']['globalconf']}/{side}"
            mine = [f"{self.evidence}/{f}" for f in self.containers if f"-{side.lower()}-" in f]
            for i in range(0, len(mine), 2000):
                command(SILTA, "verify", "--strict", "--conf", conf, *mine[i : i + 2000])

    def judge_agrees(self):
        check = SHARED + "/tools/xroad_check.py"
        if not os.path.exists(check):
            raise Skip("there is no ../shared")
        for side in ("EE", "FI"):
            conf = f"{self.world.endpoints['silta']['globalconf']}/{side}"
            mine = [f"{self.evidence}/{f}" for f in self.containers if f"-{side.lower()}-" in f]
            sample = random.Random(SEED).sample(mine, min(20, len(mine)))
            command("/usr/bin/python3", check, "asice", conf, *sample)

    def log_proves_itself(self):
        gc = self.world.endpoints["silta"]["globalconf"]
        log = self.world.endpoints["silta"]["log"]
        command(SILTA, "log", "verify", "--log", log, "--conf", f"EE={gc}/EE", "--conf",
                f"FI={gc}/FI")

    def settles(self):
        if self.settled is None or self.settled > SETTLE:
            raise AssertionError(f"after {self.settled} s; the last answer was {self.chaos.last}")
        if self.after[0] > 2.5 * self.before[0] + 10:
            raise AssertionError(f"{self.after[0]:.1f} ms; before the faults {self.before[0]:.1f}")

    def leaks_nothing(self):
        if self.after[1] > 1.5 * self.before[1] + 16 or self.after[2] > self.before[2] + 24:
            raise AssertionError(f"memory, files: {self.before[1:]} before, {self.after[1:]} after")

    def returns_quickly(self):
        if self.chaos.late:
            raise AssertionError(f"after kills: {self.chaos.late}")

    def dies_only_when_killed(self):
        ends = collections.Counter(self.ended())
        kills = len(self.chaos.returns)
        if ends != collections.Counter({137: kills, 0: 1}):
            raise AssertionError(f"{kills} kills and one SIGTERM, but ends with {dict(ends)}")
        if self.drained > DRAIN + 5:
            raise AssertionError(f"SIGTERM took {self.drained} s")
        if not self.all_ended:
            raise AssertionError("a pharmacy still waits for an answer")
        if self.status != 0:
            raise AssertionError(f"the programs ended with {self.status}")

    def tells_nobody(self):
        text = "\n".join(self.world.log_lines())
        for row in self.rows:
            if row["patient_code"] in text or row["patient_name"] in text:
                raise AssertionError("a patient stands in the log")


def main():
    print(f"# SEED={SEED} FAULT_SECONDS={SECONDS:g}", flush=True)
    cases = Cases()
    run = Run()
    try:
        run.play()
        run.gather()
        run.tell()
        cases.run("nothing is dispensed twice", run.nothing_twice)
        cases.run("what succeeded is there", run.nothing_lost)
        cases.run("what was spoilt was refused", run.nothing_spoilt)
        cases.run("every answer is the caller's own", run.nothing_mixed_up)
        cases.run("what succeeded or was delivered is in the log", run.nothing_unlogged)
        cases.run("nothing delivered is told as not delivered", run.nothing_denied)
        cases.run("no exchange stays open", run.nothing_open)
        cases.run("the evidence verifies", run.evidence_verifies)
        cases.run("an independent judge agrees on a sample", run.judge_agrees)
        cases.run("the log proves itself", run.log_proves_itself)
        cases.run("after the faults the bridge serves as before", run.settles)
        if not sanitized():  # a sanitizer keeps freed memory
            cases.run("memory and files are as before", run.leaks_nothing)
        cases.run("after each kill it serves again", run.returns_quickly)
        cases.run("it ends when told, with status 0, and only then", run.dies_only_when_killed)
        cases.run("the log holds no patient", run.tells_nobody)
    finally:
        if run.world.up.poll() is None:
            run.chaos.thaw()
            run.world.close()
        if cases.failed or cases.n == 0:
            print(f"# what is left of it: {run.world.dir}")
        else:
            run.world.remove()
        command("rm", "-rf", run.evidence)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
