# SPDX-License-Identifier: MIT
"""
What connections cost the bridge: N (default 5000) TLS connections of peers that have asked once and
stay, in memory and descriptors, and whether it serves meanwhile; then the OCSP relay under wrk, and
the message transport under a wrk that has no certificate. Takes about a minute.
"""
import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE + "/../integration")

from tap import World  # noqa: E402

from hostile import Bridge, instance_of, sha1_of  # noqa: E402

from pharmacy import Pharmacy, patients  # noqa: E402

N = int(os.environ.get("CONNECTIONS", "5000"))
ASK = b"GET / HTTP/1.1\r\nHost: bridge\r\n\r\n"


def status(pid, name):
    return int(Bridge.status_field(pid, name))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Crowd:
    """Peers with Estonia's certificate, from many addresses."""

    def __init__(self, world):
        keys = world.dir + "/EE/keys/server-auth."
        instance = instance_of(world, "EE")
        self.where = (instance["bridge_address"], instance["transport_port"])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.load_cert_chain(keys + "cert.pem", keys + "key.pem")
        self.open = []

    def join(self, i):
        own = f"127.0.{1 + i // 250}.{1 + i % 250}"
        plain = socket.create_connection(self.where, timeout=20, source_address=(own, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s = self.context.wrap_socket(plain)
        s.sendall(ASK)
        if not s.recv(4096).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("no answer")
        self.open.append(s)

    def leave(self):
        for s in self.open:
            s.close()
        self.open = []


def calls(world, n=20):
    """The median milliseconds of n exchanges."""
    pharmacy = Pharmacy(world.endpoints)
    for _ in range(n):
        pharmacy.list(patients()["fi-01-tablet.xml"])
    return sorted(ms for _, ms in pharmacy.times)[n // 2]


def idle(world, bridge):
    pid = bridge.process.pid
    crowd = Crowd(world)
    before = calls(world)
    for i in range(50):  # what is allocated once is not counted
        crowd.join(i)
    memory, files = status(pid, "VmRSS"), descriptors(pid)
    start = time.monotonic()
    for i in range(50, 50 + N):
        crowd.join(i)
    seconds = time.monotonic() - start
    grown, more = status(pid, "VmRSS") - memory, descriptors(pid) - files
    if more < N:
        raise RuntimeError(f"only {more} of {N} connections are still there")
    print(f"{N} idle TLS connections: {grown * 1024 // N} bytes and {more / N:.2f} descriptors each, "
          f"{status(pid, 'VmRSS') >> 10} MB in all; opened at {N / seconds:.0f} a second")
    print(f"an exchange meanwhile: {calls(world):.1f} ms, {before:.1f} ms before")
    crowd.leave()
    for _ in range(300):
        if descriptors(pid) < files:
            break
        time.sleep(0.1)
    print(f"after they left: {status(pid, 'VmRSS') >> 10} MB, {descriptors(pid)} descriptors")


def wrk(url):
    told = subprocess.run(["wrk", "-t1", "-c32", "-d5s", "--latency", url], capture_output=True,
                          text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", told).group(1)
    slow = re.search(r"99%\s+(\S+)", told)
    return float(rate), slow.group(1) if slow else "-"


def strangers(world):
    if not shutil.which("wrk"):
        print("wrk is not installed: skipped")
        return
    relay = world.endpoints["silta"]["EE"]["ocsp"]
    rate, slow = wrk(f"{relay}?cert={sha1_of(world.dir + '/EE/keys/bridge-auth.cert.pem')}")
    print(f"OCSP relay under wrk, 32 connections: {rate:.0f} a second, 99 % within {slow}")
    transport = world.endpoints["silta"]["EE"]["transport"]
    with subprocess.Popen(["wrk", "-t1", "-c32", "-d5s", transport], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as flood:
        time.sleep(0.5)
        print(f"an exchange while 32 peers without certificate try and try: {calls(world):.1f} ms")
        flood.communicate()


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < N + 200:
        print(f"the hard limit of open files is {hard}: skipped")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    world = World()
    bridge = None
    try:
        bridge = Bridge(world)
        bridge.start(max_connections=N + 100, max_connections_per_peer=0)
        idle(world, bridge)
        bridge.stop(20)
        bridge.start()
        strangers(world)
        bridge.stop(20)
    finally:
        if bridge:
            bridge.give_back()
        world.close()
        world.remove()


if __name__ == "__main__":
    main()
