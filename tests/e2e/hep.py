# SPDX-License-Identifier: GPL-2.0-or-later
"""HEPv3 as a switch sends it: every message that it gets or gives, in a datagram to the witness."""

import ipaddress
import socket
import struct
import time

UDP, TCP, TLS = 17, 6, 22


def chunk(kind, value):
    return struct.pack(">HHH", 0, kind, 6 + len(value)) + value


def packet(message, source, target, key=None, protocol=UDP):
    """`source` and `target` are (address, port)."""
    one, other = (ipaddress.ip_address(a[0]) for a in (source, target))
    addresses = (3, 4) if one.version == 4 else (5, 6)
    now = time.time()
    chunks = (chunk(1, bytes([2 if one.version == 4 else 10])) + chunk(2, bytes([protocol])) +
              chunk(addresses[0], one.packed) + chunk(addresses[1], other.packed) +
              chunk(7, struct.pack(">H", source[1])) + chunk(8, struct.pack(">H", target[1])) +
              chunk(9, struct.pack(">I", int(now))) + chunk(10, struct.pack(">I", int(now % 1 * 1e6))) +
              chunk(11, b"\x01") + chunk(12, struct.pack(">I", 7)) +
              (b"" if key is None else chunk(14, key.encode())) + chunk(15, message))
    return b"HEP3" + struct.pack(">H", 6 + len(chunks)) + chunks


class Reporter:
    """A switch's HEP; `source` is the address that it comes from."""

    def __init__(self, to, source="127.0.0.1", key=None):
        self.to, self.key, self.sent = to, key, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))

    def __call__(self, message, source, target):
        try:
            self.socket.sendto(packet(message, source, target, self.key), self.to)
        except OSError:  # nobody listens
            return
        self.sent += 1
