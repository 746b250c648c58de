# SPDX-License-Identifier: GPL-2.0-or-later
"""Two machines on one cable: the PBX, which is the network namespace that the test runs in, and the world,
a namespace of a helper process that sends from any address it is told to."""

import json
import os
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from e2e import segments  # noqa: E402 - the helper is started as a script
from e2e.sip import register  # noqa: E402 - the helper is started as a script

PBX4, PBX6, OTHER4 = "10.9.0.1", "fd09::1", "10.9.0.2"


def sh(text, **more):
    return subprocess.run(["/bin/sh", "-ec", text], check=True, text=True, capture_output=True, **more).stdout


def alone():
    """Runs the calling script again in namespaces of its own; nothing of it outlives it."""
    if os.environ.get("SEKISHO_ALONE") != "1":
        os.environ["SEKISHO_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, *sys.argv])


class Pbx:
    """Echoes every UDP datagram and every TCP line on its ports."""

    def __init__(self, ports=(5060, 7000)):
        for port in ports:
            for address in (PBX4, OTHER4, PBX6):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind((address, port))
                    echo = self.datagrams if kind == socket.SOCK_DGRAM else self.connections
                    threading.Thread(target=echo, args=(s,), daemon=True).start()

    @staticmethod
    def datagrams(s):
        while True:
            data, peer = s.recvfrom(65536)
            try:
                s.sendto(data, peer)
            except OSError:
                pass

    @staticmethod
    def connections(s):
        s.listen(64)
        while True:
            one, _ = s.accept()
            threading.Thread(target=Pbx.connection, args=(one,), daemon=True).start()

    @staticmethod
    def connection(one):
        try:
            while data := one.recv(65536):
                one.sendall(data)
        except OSError:
            pass
        one.close()


class World:
    """Sends from the addresses that it was given."""

    def __init__(self, *addresses):
        self.process = subprocess.Popen(["unshare", "--net", sys.executable, os.path.abspath(__file__)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "there\n"
        sh("ip link set lo up")
        sh(f"ip link add pbx type veth peer name world netns {self.process.pid}"
           f" && ip link set pbx up && ip addr add {PBX4}/8 dev pbx && ip addr add {OTHER4}/8 dev pbx"
           f" && ip -6 addr add {PBX6}/16 dev pbx nodad")
        self.run("ip link set lo up; ip link set world up")
        for address in addresses:
            self.run(f"ip addr add {address}/{16 if ':' in address else 8} dev world"
                     + (" nodad" if ":" in address else ""))

    def call(self, **what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def run(self, command):
        assert self.call(do="run", command=command), command

    def answered(self, source, port=5060, to=None, size=8, seconds=0.15, tries=1):
        """Whether a datagram to the PBX is echoed."""
        to = to or (PBX6 if ":" in source else PBX4)
        return self.call(do="udp", source=source, to=to, port=port, size=size, seconds=seconds, tries=tries)

    def connect(self, source, port=5060, seconds=0.3):
        """A TCP connection's name, or None."""
        return self.call(do="connect", source=source, to=PBX6 if ":" in source else PBX4, port=port, seconds=seconds)

    def talk(self, name, seconds=0.15):
        return self.call(do="talk", name=name, seconds=seconds)


    def register(self, source, user, password, seconds=0.5):
        """The status of the PBX's answer, 0 for none."""
        return self.call(do="register", source=source, to=PBX6 if ":" in source else PBX4, user=user,
                         password=password, seconds=seconds)

    def guess(self, source, user, way, times):
        """How many guesses were answered over TCP, in segments as no kernel sends them: segments.WAYS."""
        self.run("nft add table inet quiet; nft add chain inet quiet out '{ type filter hook output priority 0; }'; "
                 "nft flush chain inet quiet out; nft add rule inet quiet out tcp flags rst drop")
        return self.call(do="guess", source=source, to=PBX4, user=user, way=way, times=times)


def world():
    """The helper's side."""
    flows = {}
    print("there", flush=True)
    for line in sys.stdin:
        print(json.dumps(do(flows, **json.loads(line))), flush=True)


def do(flows, do, **what):
    if do == "run":
        return subprocess.run(["/bin/sh", "-ec", what["command"]]).returncode == 0
    if do == "register":
        return register(**what)
    if do == "guess":
        return segments.guess(**what)
    if do == "talk":
        return echoed(flows[what["name"]], what["seconds"], 8)
    family = socket.AF_INET6 if ":" in what["source"] else socket.AF_INET
    key = f'{do} {what["source"]} {what["to"]} {what["port"]}'
    # One flow from each source: what is asked twice is the same flow, for conntrack too.
    if do == "connect" or key not in flows:
        s = socket.socket(family, socket.SOCK_STREAM if do == "connect" else socket.SOCK_DGRAM)
        s.bind((what["source"], 0))
        s.settimeout(what["seconds"])
        try:
            s.connect((what["to"], what["port"]))
        except OSError:
            return None
        flows[key] = s
    if do == "connect":
        return key
    return any(echoed(flows[key], what["seconds"], what["size"]) for _ in range(what["tries"]))


def echoed(s, seconds, size):
    question = os.urandom(4) + b"x" * (size - 4)
    s.settimeout(seconds)
    try:
        s.send(question)
        while True:
            answer = s.recv(65536)
            if answer == question:
                return True
            if not answer:
                return False
    except OSError:
        return False


if __name__ == "__main__":
    world()
