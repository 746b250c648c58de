# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP of its own: what a kernel would never send, for guesses that only the switch is to see."""

import os
import socket
import struct
import time

from e2e.sip import field, header, request

SYN, ACK, URG = 2, 16, 32


class Connection:
    """IPv4. The kernel of this namespace must not answer for it: quiet()."""

    def __init__(self, source, to, port=5060, seconds=0.3):
        self.source, self.to, self.seconds = source, to, seconds
        self.ports = 20000 + int.from_bytes(os.urandom(2), "big") % 40000, port
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.raw.bind((source, 0))
        self.next, self.due, self.heard = 1000, 0, b""
        self.send(b"", flags=SYN, acknowledged=0)
        self.next += 1
        self.open = self.receive(lambda: self.due)
        if self.open:
            self.send(b"")

    def send(self, data, at=0, flags=ACK, acknowledged=None, good=True):
        """`data`, `at` bytes behind what was said and done with."""
        acknowledged = self.due if acknowledged is None else acknowledged
        segment = struct.pack(">HHIIBBHHH", *self.ports, self.next + at & 0xffffffff, acknowledged & 0xffffffff, 5 << 4, flags,
                              30000, 0, len(data) if flags & URG else 0) + data
        pseudo = socket.inet_aton(self.source) + socket.inet_aton(self.to) + struct.pack(">HH", 6, len(segment))
        words = pseudo + segment + b"\0" * (len(segment) % 2)
        total = sum(struct.unpack(f">{len(words) // 2}H", words))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        checksum = struct.pack(">H", (~total & 0xffff) ^ (0 if good else 0x5555))
        self.raw.sendto(segment[:16] + checksum + segment[18:], (self.to, 0))

    def receive(self, enough):
        end = time.monotonic() + self.seconds
        while not enough() and time.monotonic() < end:
            self.raw.settimeout(max(0.001, end - time.monotonic()))
            try:
                packet = self.raw.recv(65536)
            except (TimeoutError, OSError):
                break
            tcp = packet[(packet[0] & 15) * 4:]
            source, to, sequence, _, offset, flags = struct.unpack(">HHIIBB", tcp[:14])
            data = tcp[(offset >> 4) * 4:]
            if (to, source) != self.ports or (self.due and sequence != self.due):
                continue
            self.due = sequence + len(data) + bool(flags & SYN)
            self.heard += data
            if data:
                self.send(b"")
        return bool(enough())

    def ask(self, message, way):
        """The answer, or nothing."""
        self.heard = b""
        WAYS[way](self, message)
        self.next += len(message)
        return self.heard.decode() if self.receive(lambda: b"\r\n\r\n" in self.heard) else ""


def each_byte(c, message):
    for i in range(len(message)):
        c.send(message[i:i + 1], i)


def each_byte_backwards(c, message):
    for i in reversed(range(len(message))):
        c.send(message[i:i + 1], i)


def again_otherwise(c, message):
    for i in range(0, len(message), 20):
        c.send(message[i:i + 20], i)
        c.send(b"\n" * len(message[i:i + 20]), i)


def covered(otherwise):
    """Other bytes, and the true ones over them before they are due: Linux takes what covers more."""
    def way(c, message):
        for i in reversed(range(0, len(message), 20)):
            chunk = message[i:i + 20]
            if i:
                c.send(otherwise * (len(chunk) // 2), i)
            c.send(chunk, i)
    return way


def refused(c, message):
    c.send(b"\n" * len(message), acknowledged=c.due + 1000)
    c.send(message)


def broken(c, message):
    c.send(b"\n" * len(message), good=False)
    c.send(message)


def urgent(c, message):
    """The byte before the urgent pointer is none of the text."""
    c.send(message[:100])
    c.send(b"x", 100, flags=ACK | URG)
    c.next += 1
    c.send(message[100:], 100)


WAYS = {"each byte": each_byte, "each byte backwards": each_byte_backwards, "again, otherwise": again_otherwise,
        "covered x": covered(b"x"), "covered line ends": covered(b"\n"), "refused": refused, "broken": broken, "urgent": urgent}


def guess(source, to, user, way, times):
    """How many guesses were answered; each on a connection of its own."""
    answered = 0
    for i in range(times):
        c = Connection(source, to)
        if not c.open:
            break
        call = os.urandom(8).hex()
        nonce = field(header(c.ask(request(source, c.ports[0], user, call, 1, "TCP").encode(), way), "WWW-Authenticate"), "nonce")
        if not nonce:
            break
        more = (f'Authorization: Digest username="{user}", realm="pbx", nonce="{nonce}", uri="sip:pbx", '
                f'response="{os.urandom(16).hex()}", algorithm=MD5\r\n')
        if not c.ask(request(source, c.ports[0], user, call, 2, "TCP", more).encode(), way):
            break
        answered += 1
        c.raw.close()
    return answered
