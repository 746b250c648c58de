# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's side of the enforcer's socketpair, written from docs/interfaces.md and nothing else, so that
what the C side agrees with itself about is not taken for what the page says."""

import array
import ipaddress
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

BAN, UNBAN, NEVER, ACCESS, OBSERVE, PORTS, READ, LOOK, COUNT, SOCKET, PRIME = range(1, 12)
DONE, HELD, HELD_END, COUNTS, TAKE = range(64, 69)
READY, TRUSTED, DISTURBED, REMOVED, ERROR = range(80, 85)
SIP, EVERYTHING = 0, 1
KERNEL, TOO_WIDE, IS_NEVER, NOT_PORT, NO_ROOM, NO_SOCKET = range(1, 7)
COUNTERS = ["never", "observed", "no_access", "sip_hosts", "sip_nets", "every_hosts", "every_nets"]
UDP, TCP = 17, 6


def network(text, scope=SIP):
    net = ipaddress.ip_network(text)
    return struct.pack("!BBBx16s", net.version, net.prefixlen, scope, net.network_address.packed)


def ban(text, seconds=0.0, scope=SIP):
    return network(text, scope) + struct.pack("!Q", int(seconds * 1000))


def read_network(record):
    family, bits, scope, ip = struct.unpack("!BBBx16s", record[:20])
    address = ipaddress.ip_address(ip[:4] if family == 4 else ip)
    return str(address) if bits == address.max_prefixlen else f"{address}/{bits}", scope


def message(type_, sequence, records=(), version=1, count=None, length=None):
    body = b"".join(records)
    return struct.pack("!BBHII", version, type_, len(records) if count is None else count,
                       12 + len(body) if length is None else length, sequence) + body


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


class Enforcer:
    """A real sekisho-enforcer; `with` ends it."""

    def __init__(self, binary, never="", wait=True, path=None):
        self.dir = tempfile.mkdtemp(prefix="enforcer-")
        self.never = path or os.path.join(self.dir, "never-ban")
        if never is not None and path is None:
            with open(self.never, "w", encoding="utf-8") as f:
                f.write(never)
        self.log_path = os.path.join(self.dir, "log")
        self.binary = binary
        self.sequence = 0
        self.unasked = []
        self.start(wait)

    def start(self, wait=True):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket = ours
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "--user", "nobody", "--never-ban", self.never], stderr=log, stdin=subprocess.DEVNULL,
                close_fds=False, preexec_fn=lambda: os.dup2(theirs.fileno(), 3), start_new_session=True)
        theirs.close()
        if wait:
            self.ready = self.wait_for(READY, 20)

    def read_log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    @property
    def pid(self):
        """Of the enforcer itself, its keeper's child."""
        return children(self.process.pid)[0]

    def send(self, type_, records=()):
        self.sequence += 1
        self.socket.send(message(type_, self.sequence, records))
        return self.sequence

    def receive(self, seconds=5.0):
        if not select.select([self.socket], [], [], seconds)[0]:
            raise TimeoutError("the enforcer said nothing:\n" + self.read_log())
        descriptors = array.array("i")
        data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(4))
        for level, kind, got in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(got)
        if not data:
            raise EOFError(self.read_log())
        version, type_, count, length, sequence = struct.unpack("!BBHII", data[:12])
        assert version == 1 and length == len(data), data
        size = (len(data) - 12) // count if count else 0
        records = [data[12 + i * size:12 + (i + 1) * size] for i in range(count)]
        return type_, sequence, records, list(descriptors)

    def wait_for(self, type_, seconds=5.0, sequence=0):
        """The records of the next such message; what comes unasked meanwhile is kept."""
        for i, (kind, records) in enumerate(self.unasked):
            if sequence == 0 and kind == type_:
                del self.unasked[i]
                return records
        end = time.monotonic() + seconds
        while True:
            got, of, records, descriptors = self.receive(max(0.0, end - time.monotonic()))
            if got == type_ and of == sequence:
                return descriptors or records
            if of == 0:
                self.unasked.append((got, records))

    def ask(self, type_, records=()):
        """The failures of the answer: [(index, why, errno)]."""
        sequence = self.send(type_, records)
        return [struct.unpack("!HBxI", r) for r in self.wait_for(DONE, sequence=sequence)]

    def ban(self, *texts, seconds=600.0, scope=SIP):
        return self.ask(BAN, [ban(t, seconds, scope) for t in texts])

    def unban(self, *texts, scope=SIP):
        return self.ask(UNBAN, [network(t, scope) for t in texts])

    def ports(self, *ports):
        return self.ask(PORTS, [struct.pack("!BxH", p, n) for p, n in ports])

    def held(self, type_=READ, records=()):
        """{(network, scope): seconds left} and whether the reading was interrupted."""
        sequence = self.send(type_, records)
        held = {}
        while True:
            got, of, records, _ = self.receive()
            if of == 0:
                self.unasked.append((got, records))
            elif of == sequence and got == HELD_END:
                interrupted, total = struct.unpack("!II", records[0])
                assert total >= len(held)
                return held, bool(interrupted)
            elif of == sequence:
                assert got == HELD, got
                for r in records:
                    held[read_network(r)] = struct.unpack("!Q", r[20:])[0] / 1000

    def counts(self):
        sequence = self.send(COUNT)
        return {COUNTERS[c]: packets for c, packets, _ in
                (struct.unpack("!B7xQQ", r) for r in self.wait_for(COUNTS, sequence=sequence))}

    def packet_socket(self):
        sequence = self.send(SOCKET)
        descriptors = self.wait_for(TAKE, sequence=sequence)
        return socket.socket(fileno=descriptors[0])

    def gone(self, seconds=5.0):
        """Both processes have ended; what the keeper's status was."""
        return self.process.wait(seconds)

    def end(self):
        self.socket.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise
        log = self.read_log()
        assert "Sanitizer" not in log and "runtime error" not in log, log

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()
        shutil.rmtree(self.dir)
