# SPDX-License-Identifier: MIT
"""Exchanges per second and CPU per exchange of the bridge process, beside the floor of the same run.

The load comes through an Estonian security server (silta-instance) as a pharmacy's would, over real
TLS with real signatures on both legs; only the bridge's own CPU is counted. The floor is what
bench_floor measures on the same messages just afterwards.
"""
import glob
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)) + "/../integration")
from tap import BUILD, SILTA, World, command

from pharmacy import Pharmacy, patients

TICK = os.sysconf("SC_CLK_TCK")
COUNT = int(os.environ.get("COUNT", "400"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def load(world, what, threads, count):
    """count calls by so many pharmacies at once; seconds and CPU seconds of the bridge."""
    row = patients()["fi-01-tablet.xml"]
    left = [count]
    lock = threading.Lock()
    latencies, errors = [], []

    def work():
        pharmacy = Pharmacy(world.endpoints)
        while True:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
            start = time.monotonic()
            try:
                getattr(pharmacy, what)(row)
            except Exception as e:
                errors.append(e)
            latencies.append(time.monotonic() - start)

    pid = world.bridge_pid()
    cpu, start = cpu_seconds(pid), time.monotonic()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    seconds = time.monotonic() - start
    if errors:
        raise errors[0]
    latencies.sort()
    return seconds, cpu_seconds(pid) - cpu, latencies


def floor(world, what, bits):
    out = f"{world.dir}/bench-{what}"
    os.makedirs(out, exist_ok=True)
    log = world.endpoints["silta"]["log"]
    for _ in range(30):  # until the last messages are time-stamped
        command(SILTA, "log", "export", "--log", log, "--limit", "1", "--out", out)
        if len(glob.glob(f"{out}/*.asice")) >= 4:
            break
        time.sleep(1)
    messages = []
    for kind in ("ee-request", "fi-request", "fi-response", "ee-response"):
        container = glob.glob(f"{out}/*-{kind}.asice")[0]
        command("unzip", "-qo", container, "message.xml", "-d", f"{out}/{kind}")
        messages.append(f"{out}/{kind}/message.xml")
    os.environ["BITS"] = bits
    lines = command(BUILD + "/tests/bench/bench_floor", *messages).split()
    parts = dict(zip(lines[::2], map(float, lines[1::2])))
    return parts, sum(os.path.getsize(m) for m in messages)


def main():
    key = os.environ.get("KEY", "rsa2048")
    world = World("--key", key)
    try:
        print(f"bridge under load, {key}; {os.cpu_count()} cores shared by all processes")
        print(f"{'call':6} {'clients':>7} {'per s':>8} {'p50 ms':>8} {'p99 ms':>8} "
              f"{'CPU µs':>8} {'floor µs':>8} {'ratio':>6} {'bytes':>8} {'RSS MB':>7}")
        for what in ("list", "fetch"):
            load(world, what, 2, 40)  # warm
            rows = []
            for threads in (1, 8, 32):
                rows.append((threads, *load(world, what, threads, COUNT)))
            parts, size = floor(world, what, {"rsa3072": "3072", "p256": "256"}.get(key, "2048"))
            for threads, seconds, cpu, lat in rows:
                us = cpu / COUNT * 1e6
                print(f"{what:6} {threads:7} {COUNT / seconds:8.0f} {lat[len(lat) // 2] * 1e3:8.1f} "
                      f"{lat[int(len(lat) * 0.99)] * 1e3:8.1f} {us:8.0f} {parts['floor']:8.0f} "
                      f"{us / parts['floor']:6.2f} {size:8} {memory_kb(world.bridge_pid()) / 1024:7.1f}")
            print("       floor: " + ", ".join(f"{k} {v:.0f}" for k, v in parts.items() if k != "floor"))
    finally:
        world.close()
        world.remove()


if __name__ == "__main__":
    main()
