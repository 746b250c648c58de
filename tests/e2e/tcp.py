# SPDX-License-Identifier: GPL-2.0-or-later
"""Bare connections to a daemon, for what no client library would send."""

import socket


def connect(port, source=None, seconds=10):
    s = socket.socket()
    s.settimeout(seconds)
    if source:
        s.bind((source, 0))
    s.connect(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s):
    """Everything until the other side ends, however it does."""
    data = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return data
            data += piece
    except ConnectionResetError:
        return data


def free_port():
    """A port on which nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
