# SPDX-License-Identifier: MIT
"""Several security servers of one provider: who gets the request, and that only one does."""
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

from tap import Cases, Skip, World

from hostile import Bridge, Evil, instance_of, soap_fault

from pharmacy import Fault, Pharmacy, patients


SILENT = "nobody.knows.example"


class Host:
    """Something that listens at an address where the configuration says a security server is."""

    def __init__(self, address, port):
        self.address = address
        self.taken = 0
        self.bytes = b""
        self.held = []
        self.listener = socket.create_server((address, port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.taken += 1
            self.held.append(s)
            threading.Thread(target=self.guarded, args=(s,), daemon=True).start()

    def guarded(self, s):
        try:
            s.settimeout(30)
            self.serve(s)
        except OSError:
            pass

    def serve(self, s):  # a TLS handshake that never ends
        while True:
            more = s.recv(4096)
            if not more:
                return
            self.bytes += more

    def close(self):
        for s in (self.listener, *self.held):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


class Full(Host):
    """A queue of connections that is full: further ones are not answered at all."""

    def __init__(self, address, port):
        self.address = address
        self.taken = 0
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(0)
        self.held = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((address, port))
            self.held.append(s)


class Genuine(Host):
    """Finland's key and certificate; every message that it gets is counted, none is answered well."""

    def __init__(self, world, address, port, certificate="server-auth", behaviour="fault"):
        keys = world.dir + "/FI/keys/"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(keys + certificate + ".cert.pem", keys + "server-auth.key.pem")
        self.messages = 0
        self.behaviour = behaviour
        super().__init__(address, port)

    def serve(self, s):
        with self.context.wrap_socket(s, server_side=True) as tls:
            self.held.append(tls)
            while True:
                data = b""
                while b"\r\n0\r\n\r\n" not in data:
                    more = tls.recv(65536)
                    if not more:
                        return
                    data += more
                    self.bytes += more
                self.messages += 1
                if self.behaviour == "hang up":
                    return
                answer = soap_fault("here.am.i", self.address)
                if self.behaviour == "close":  # said, as X-Road's servers do: nobody sends into it
                    line = b"\r\nConnection: close\r\n"
                    tls.sendall(answer.replace(b"\r\n", line, 1))
                    return
                tls.sendall(answer)


class Relay(Host):
    """The OCSP relay beside it: passes on what Finland's own says."""

    def __init__(self, world, address, port):
        self.instance = instance_of(world, "FI")
        super().__init__(address, port)

    def serve(self, s):
        data = b""
        while b"\r\n\r\n" not in data:
            data += s.recv(65536)
        Evil.genuine_relay(self, s, data.split()[1].decode().partition("?")[2])
        s.close()


class Race:
    def __init__(self, world, bridge):
        self.world = world
        self.bridge = bridge
        self.pharmacy = Pharmacy(world.endpoints)
        self.row = patients()["fi-01-tablet.xml"]
        self.instance = instance_of(world, "FI")
        self.port = self.instance["transport_port"]
        base = self.instance["server_address"].rsplit(".", 1)[0]
        self.address = [f"{base}.{11 + i}" for i in range(4)]
        self.original = bridge.config
        self.hosts = []

    # --- the stage ---

    def start(self, addresses, period=0, route=""):
        """The bridge, once it knows of these servers beside Finland's own."""
        self.world.admin("FI", "/servers", addresses=",".join(addresses))
        with open(self.original, encoding="utf-8") as f:
            text = f.read()
        text = re.sub(r'(?s)(name = "FI";)', rf"\1 fastest_period = {period};", text, count=1)
        text = text.replace('to = "FI";', f'to = "FI"; {route}')
        self.bridge.config = self.original + ".race"
        with open(self.bridge.config, "w", encoding="utf-8") as f:
            f.write(text)
        self.bridge.start()
        for _ in range(200):
            if self.known() == sorted(addresses):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the bridge does not hear of the servers")
        time.sleep(0.3)

    def known(self):
        where = self.world.endpoints["silta"]["globalconf"] + "/FI/FI/shared-params.xml"
        with open(where, encoding="utf-8") as f:
            told = re.findall(r"<address>([0-9a-z.]+)</address>", f.read())
        return sorted(a for a in told if a in (*self.address, SILENT))

    def at(self, i, what, *arguments, **how):
        """Puts a host of some kind at the i-th address."""
        before = (self.world,) if what is Genuine else ()
        host = what(*before, self.address[i], self.port, *arguments, **how)
        self.hosts.append(host)
        if what is Genuine:
            self.hosts.append(Relay(self.world, self.address[i], self.instance["ocsp_port"]))
        return host

    def clear(self):
        self.bridge.wrapped_in = []
        if self.bridge.process and self.bridge.process.poll() is None:
            self.bridge.stop(10)
        for host in self.hosts:
            host.close()
        self.hosts = []
        self.world.admin("FI", "/service", name="server", state="up")
        self.world.admin("FI", "/maintenance", server="own", state="off")

    def own_down(self):
        self.world.admin("FI", "/service", name="server", state="down")

    def staged(self, case, *arguments):
        try:
            case(*arguments)
        finally:
            self.clear()

    def fault(self):
        try:
            self.pharmacy.list(self.row)
        except Fault as fault:
            return fault
        raise AssertionError("no fault")

    def faults(self, code, limit):
        start = time.monotonic()
        fault = self.fault()
        seconds = time.monotonic() - start
        if not fault.code.endswith(code) or seconds > limit:
            raise AssertionError(f"{fault} after {seconds:.1f} s")
        return fault

    def good(self, n, limit):
        """n calls, each served within the limit; the seconds of the slowest."""
        slowest = 0
        for _ in range(n):
            start = time.monotonic()
            self.pharmacy.list(self.row)
            slowest = max(slowest, time.monotonic() - start)
        if slowest > limit:
            raise AssertionError(f"{slowest:.1f} s")
        return slowest

    # --- cases ---

    def dead_ones_beside(self):
        hanging = self.at(0, Host)
        self.at(1, Full)  # and nobody listens at the third
        untrusted = self.at(3, Genuine, "server-auth-unregistered")
        self.start(self.address)
        slowest = self.good(10, 2)
        print(f"# the slowest of 10 took {slowest:.2f} s", flush=True)
        if untrusted.messages or untrusted.bytes or b"POST" in hanging.bytes:
            raise AssertionError("something was sent to a server that is not trusted")
        if hanging.taken < 5:
            raise AssertionError("there was no race")

    def only_one_gets_it(self):
        hosts = [self.at(i, Genuine, behaviour="close") for i in range(3)]
        self.own_down()
        self.start(self.address[:3])
        codes = []

        def work():
            for _ in range(5):
                codes.append(self.fault().code)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        counts = [h.messages for h in hosts]
        print(f"# 40 messages went to {counts}", flush=True)
        if codes != ["here.am.i"] * 40:
            raise AssertionError(f"not delivered: {codes}")
        if sum(counts) != 40 or min(counts) == 0:
            raise AssertionError(f"40 messages arrived {sum(counts)} times: {counts}")

    def silent_name_server(self):
        """A name that nobody resolves, in a private view of the files."""
        own = self.world.dir + "/resolv.conf"
        private = ["unshare", "--mount", "sh", "-c",
                   f'mount --bind {own} /etc/resolv.conf && exec "$@"', "sh"]
        try:
            mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            mute.bind((self.address[0], 53))
        except OSError as e:
            raise Skip(f"port 53 is not to be had: {e}") from None
        with open(own, "w", encoding="ascii") as f:
            f.write(f"nameserver {self.address[0]}\noptions timeout:20 attempts:2\n")
        if subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
            raise Skip("no private mount namespace")
        with mute:
            self.bridge.wrapped_in = private
            self.start([SILENT])
            self.good(5, 1)
            mute.setblocking(False)
            if SILENT.split(".", maxsplit=1)[0].encode() not in mute.recv(512):
                raise AssertionError("nobody asked for the name")
            self.own_down()
            self.faults("network_error", 12)

    def remembered(self):
        hanging = self.at(0, Host)
        self.start(self.address[:1], 3600)
        self.good(1, 2)
        before = hanging.taken
        self.good(5, 2)
        if hanging.taken != before:
            raise AssertionError("each call races, although the winner is remembered")

    def remembered_and_gone(self):
        only = self.at(0, Genuine)
        self.own_down()
        self.start(self.address[:1], 3600)
        self.faults("here.am.i", 3)
        self.world.admin("FI", "/service", name="server", state="up")
        self.faults("here.am.i", 3)
        only.close()
        self.good(3, 2)

    def not_repeated(self):
        hosts = [self.at(i, Genuine, behaviour="hang up") for i in range(3)]
        self.own_down()
        self.start(self.address[:3])
        fault = self.fault()
        if "network_error" not in fault.code or sum(h.messages for h in hosts) != 1:
            raise AssertionError(f"{fault}, {[h.messages for h in hosts]}")

    def none_answers(self):
        self.at(0, Host)
        self.at(1, Full)
        self.own_down()
        self.start(self.address[:3])
        self.faults("network_error", 14)

    def maintenance(self):
        host = self.at(0, Genuine)
        self.world.admin("FI", "/maintenance", server="own", state="on")
        self.start(self.address[:1])
        for _ in range(4):
            self.faults("here.am.i", 3)
        if host.messages != 4:
            raise AssertionError("sent to a server in maintenance")

    def maintenance_of_all(self):
        self.world.admin("FI", "/maintenance", server="own", state="on")
        self.start([])
        time.sleep(0.5)
        fault = self.faults("maintenance_mode", 3)
        where = f'with address "{self.instance["server_address"]}" is in maintenance mode'
        if 'Security server "' not in fault.text or where not in fault.text:
            raise AssertionError(fault.text)

    def named(self):
        own = self.instance["members"]["centre"]["subsystem"].rsplit("/", 1)[0]
        more = self.at(0, Genuine)
        self.start(self.address[:1], route=f'target_server = "{own}/more-1";')
        for _ in range(5):
            self.faults("here.am.i", 3)
        if more.messages != 5 or b":securityServer" not in more.bytes:
            raise AssertionError(f"{more.messages}, {more.bytes[-3000:]}")

    def named_wrongly(self, server, words):
        self.start([], route=f'target_server = "{server}";')
        fault = self.faults("invalid_security_server", 3)
        if words not in fault.text:
            raise AssertionError(fault.text)


def main():
    cases = Cases()
    world = World()
    bridge = None
    try:
        bridge = Bridge(world)
        race = Race(world, bridge)
        bridge_server = race.instance["bridge_server"]
        for name, case, *arguments in (
            ("dead and untrusted servers beside a good one change nothing", race.dead_ones_beside),
            ("of several good servers one gets each message", race.only_one_gets_it),
            ("a name server that does not answer holds up nobody", race.silent_name_server),
            ("who was quickest is asked first", race.remembered),
            ("who was quickest and is gone is forgotten", race.remembered_and_gone),
            ("after something was sent nobody else is asked", race.not_repeated),
            ("where nobody answers, the caller hears soon", race.none_answers),
            ("a server in maintenance is left out", race.maintenance),
            ("all in maintenance is said in X-Road's words", race.maintenance_of_all),
            ("a server that the route names is the only one asked, and named", race.named),
            ("a named server that is not there", race.named_wrongly,
             bridge_server.rsplit("/", 1)[0] + "/nowhere", "there is no security server"),
            ("a named server that does not serve the provider", race.named_wrongly,
             bridge_server, "does not serve"),
        ):
            cases.run(name, race.staged, case, *arguments)
    finally:
        if bridge:
            bridge.give_back()
        world.close()
        world.remove()
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
