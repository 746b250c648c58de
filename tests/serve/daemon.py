# SPDX-License-Identifier: GPL-2.0-or-later
"""A real sekishod with a state of its own, and HTTP to it."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

CONFIG = """[daemon]
state_dir = {dir}/state
log_level = {level}
[fastagi]
listen = 127.0.0.1:{agi}
[http]
listen = 127.0.0.1:{port}
socket = {dir}/s
hosts = localhost, 127.0.0.1, sekisho.example
backup_dir = {dir}/backups
{more}
"""


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('localhost', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()
        self.json = None
        if self.raw and 'json' in (self.headers.get('Content-Type') or ''):
            self.json = json.loads(self.raw)

    def __str__(self):
        return f'{self.status} {dict(self.headers)}\n{self.raw[:1000]!r}'


class Daemon:
    def __init__(self, program, more='', level='warning'):
        self.program = program
        self.dir = tempfile.mkdtemp(prefix='sekisho-e2e-')
        self.port = free_port()
        os.mkdir(self.dir + '/state', 0o700)
        os.mkdir(self.dir + '/backups', 0o700)
        self.config = self.dir + '/sekisho.conf'
        with open(self.config, 'w') as f:
            f.write(CONFIG.format(dir=self.dir, agi=free_port(), port=self.port, level=level, more=more))
        self.log = open(self.dir + '/log', 'w+')
        self.process = None
        self.connections = {}
        self.start()

    def start(self):
        # SIGXFSZ stays ignored: a file that may not grow is an error, as on a full disk.
        self.process = subprocess.Popen([self.program, '-c', self.config], stdout=self.log, stderr=self.log,
                                        restore_signals=False)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError('sekishod has ended: ' + self.output())
            try:
                self.local('GET', '/healthz')
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError('sekishod does not answer: ' + self.output())

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        """Ends it; returns its exit code."""
        for c in self.connections.values():
            c.close()
        self.connections = {}
        self.process.terminate()
        return self.process.wait(30)

    def complaints(self):
        """What a sanitizer said."""
        return [line for line in self.output().splitlines() if 'Sanitizer' in line or 'runtime error' in line]

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())

    def local(self, method, path, body=None, headers=None):
        """Over the Unix socket."""
        connection = UnixConnection(self.dir + '/s', 60)
        try:
            return self.ask(connection, method, path, *encode(body, headers))
        finally:
            connection.close()

    def tcp(self, token, method, path, body=None, headers=None):
        """Over TCP on a connection that stays open, one for each token."""
        body, headers = encode(body, headers)
        if token:
            headers['Authorization'] = 'Bearer ' + token
        for again in (True, False):
            connection = self.connections.get(token)
            if connection is None:
                connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
                self.connections[token] = connection
            try:
                return self.ask(connection, method, path, body, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                connection.close()
                if not again:
                    raise
        raise AssertionError

    def token(self, scope):
        answer = self.local('POST', '/v1/tokens', {'scope': scope})
        assert answer.status == 201, answer
        return answer.json['token']

    def socket(self, timeout=10):
        return socket.create_connection(('127.0.0.1', self.port), timeout)


def encode(body, headers):
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault('Content-Type', 'application/json')
    if isinstance(body, str):
        body = body.encode()
    return body, headers


def quote(text):
    return urllib.parse.quote(str(text), safe='')
