# SPDX-License-Identifier: MIT
"""What a hostile peer, a dying network and a stop at the wrong moment must not do to the bridge."""
import os
import re
import signal
import subprocess
import sys
import threading
import time

from tap import SILTA, Cases, World

from pharmacy import Fault, Pharmacy, patients


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

    @staticmethod
    def status_field(pid, name):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return next(line for line in f if line.startswith(name + ":")).split()[1]

    def start(self, **settings):
        """With some settings of the configuration's top level changed."""
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        for name, value in settings.items():
            text = re.sub(rf"(?m)^{name} = .*\n", "", text) + f"{name} = {value};\n"
        path = os.path.dirname(self.config) + "/own.conf"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        with open(self.log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [SILTA, "serve", "-c", path], stdin=subprocess.DEVNULL, stderr=out
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

    def end(self):
        self.ending = True
        for t in self.threads:
            t.join()


class Stops:
    def __init__(self, world, bridge):
        self.world = world
        self.bridge = bridge

    def under_load(self, drain, limit):
        for _ in range(4):
            self.bridge.start(drain=drain)
            load = Load(self.world, 12)
            try:
                time.sleep(0.7)
                self.bridge.stop(limit)
            finally:
                load.end()
            if load.good == 0:
                raise AssertionError(f"no call ever came through: {load.faults[:3]}")

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
        bridge = Bridge(world)
        stops = Stops(world, bridge)
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
