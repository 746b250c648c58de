# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTTP API as a well-behaved client asks it, over the Unix socket and over TCP."""

import http.client
import json
import socket


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    """`json` is None where the body is not JSON."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()
        self.json = None
        if self.raw and "json" in (self.headers.get("Content-Type") or ""):
            self.json = json.loads(self.raw)

    def __str__(self):
        return f"{self.status} {dict(self.headers)}\n{self.raw[:1000]!r}"


class Client:
    def __init__(self, path, port):
        self.path = path
        self.port = port
        self.connections = {}

    def local(self, method, path, body=None, headers=None):
        """Over the Unix socket, as the operator."""
        connection = UnixConnection(self.path, 60)
        try:
            return ask(connection, method, path, *encode(body, headers))
        finally:
            connection.close()

    def tcp(self, token, method, path, body=None, headers=None):
        """Over TCP on a connection that stays open, one for each token."""
        body, headers = encode(body, headers)
        if token:
            headers["Authorization"] = "Bearer " + token
        for again in (True, False):
            connection = self.connections.get(token)
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.connections[token] = connection
            try:
                return ask(connection, method, path, body, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                connection.close()
                if not again:
                    raise
        raise AssertionError

    def token(self, scope):
        answer = self.local("POST", "/v1/tokens", {"scope": scope})
        assert answer.status == 201, answer
        return answer.json["token"]

    def close(self):
        for connection in self.connections.values():
            connection.close()
        self.connections = {}


def ask(connection, method, path, body, headers):
    connection.request(method, path, body, headers)
    return Answer(connection.getresponse())


def encode(body, headers):
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode()
    return body, headers
