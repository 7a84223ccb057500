# SPDX-License-Identifier: MIT
"""Rising concurrency up to 512 calls at once, for each kind of key, batch signing off and on.

wrk calls an Estonian security server as pharmacies would; real TLS, signatures and mapping on both
legs. The bridge's keys are of the kind named, the boxes' own are P-256, so that the bridge is what
is loaded and not its peers; they share the machine all the same, and only the bridge's own CPU is
set beside the floor of the same run.

    SECONDS=4 KEYS="rsa2048 rsa3072 p256" CONNECTIONS="1 8 32 128 512"
    FLAT=100000 runs so many exchanges and prints memory and file descriptors on the way
"""
import json
import os
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)) + "/../integration")
from tap import World

from bench_flow import cpu_seconds, floor, memory_kb
from pharmacy import Pharmacy, patients, person

HERE = os.path.dirname(os.path.realpath(__file__))
WORDS = os.environ.get
BITS = {"rsa2048": "2048", "rsa3072": "3072", "p256": "256"}


def message(world, path):
    """The list of a patient's prescriptions, the id left open."""
    body = person(patients()["fi-01-tablet.xml"])
    text = Pharmacy(world.endpoints).envelope("valisretseptideLoetelu", body, "MESSAGE-ID")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def wrk(world, body, connections, seconds):
    environment = {**os.environ, "SILTA_LOAD_BODY": body, "SILTA_LOAD_RUN": uuid.uuid4().hex}
    words = ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s",
             "--timeout", "30s", "-s", HERE + "/load.lua", world.endpoints["EE"]["client"]]
    r = subprocess.run(words, env=environment, capture_output=True, text=True, check=False,
                       timeout=seconds + 60)
    lines = [line for line in r.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"wrk ended with {r.returncode}:\n{r.stdout}{r.stderr}")
    told = json.loads(lines[-1])
    if told["faults"] or told["lost"] or told["timeouts"]:
        raise RuntimeError(f"the load was not served: {told}")
    return told


def start(key, batch):
    os.environ["SILTA_SIDE"] = f"batch = {batch};"
    os.environ["SILTA_TOP"] = ("queue = 1024; client_connections = 1024; max_connections = 2000; "
                               "max_connections_per_peer = 0;")
    os.environ["SILTA_LOG_LEVEL"] = "notice"
    return World("--key", "p256", "--bridge-key", key, "--calls", "600")


def files_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def rise(key, batch, seconds):
    world = start(key, batch)
    try:
        pid = world.bridge_pid()
        body = message(world, world.dir + "/load.xml")
        rows = []
        for connections in map(int, WORDS("CONNECTIONS", "1 8 32 128 512").split()):
            # connections are kept: what making them costs is not what an exchange costs
            wrk(world, body, connections, 2 + connections // 32)
            cpu = cpu_seconds(pid)
            told = wrk(world, body, connections, seconds + connections // 64)
            rows.append((connections, told, cpu_seconds(pid) - cpu, memory_kb(pid), files_of(pid)))
        # wrk ends amid calls; the floor wants the messages of a whole one
        Pharmacy(world.endpoints).list(patients()["fi-01-tablet.xml"])
        parts, _ = floor(world, "list", BITS[key])
        for connections, told, cpu, rss, files in rows:
            us = cpu / told["good"] * 1e6
            print(f"{key:8} {batch:5} {connections:6} {told['good'] / told['seconds']:8.0f} "
                  f"{told['p50']:8.1f} {told['p99']:8.1f} {us:8.0f} {parts['floor']:8.0f} "
                  f"{us / parts['floor']:6.2f} {rss / 1024:7.1f} {files:6}", flush=True)
    finally:
        world.close()
        world.remove()


def flat(count, key="p256", connections=64):
    world = start(key, 32)
    try:
        pid = world.bridge_pid()
        body = message(world, world.dir + "/load.xml")
        done = 0
        print(f"{'exchanges':>9} {'RSS MB':>8} {'files':>6} {'log MB':>8} {'per s':>7}")
        while done < count:
            told = wrk(world, body, connections, 20)
            done += told["good"]
            size = os.path.getsize(world.endpoints["silta"]["log"]) / 1e6
            print(f"{done:9} {memory_kb(pid) / 1024:8.1f} {files_of(pid):6} {size:8.0f} "
                  f"{told['good'] / told['seconds']:7.0f}", flush=True)
    finally:
        world.close()
        world.remove()


def main():
    if WORDS("FLAT"):
        flat(int(WORDS("FLAT")))
        return
    seconds = int(WORDS("SECONDS", "4"))
    print(f"{os.cpu_count()} cores shared by all processes, {seconds} s each; every call is answered")
    print(f"{'key':8} {'batch':>5} {'calls':>6} {'per s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8} "
          f"{'floor µs':>8} {'ratio':>6} {'RSS MB':>7} {'files':>6}")
    for key in WORDS("KEYS", "rsa2048 rsa3072 p256").split():
        for batch in (1, 32):
            rise(key, batch, seconds)


if __name__ == "__main__":
    main()
