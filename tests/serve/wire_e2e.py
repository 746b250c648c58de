#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP as nobody should speak it, to a real sekishod: strangers, wrong hosts, slow, large, many, garbage.

wire_e2e.py SEKISHOD
"""

import json
import os
import random
import resource
import socket
import stat
import sys
import threading
import time

from e2e import loopback, tap
from e2e.daemon import Daemon
from e2e.tcp import connect

TIMEOUT = 2
CONFIG = {'timeout_s': TIMEOUT, 'connections': 1500, 'connections_per_address': 0, 'body_kib': 64, 'import_mib': 1}


def start(http):
    return Daemon(sys.argv[1], {'daemon': {'log_level': 'error'},
                                'http': {'hosts': 'localhost, 127.0.0.1, sekisho.example', **http}})


class Wire:
    def __init__(self, daemon):
        self.daemon = daemon
        self.token = daemon.api.token('operator')
        self.auth = f'Authorization: Bearer {self.token}\r\n'

    def head(self, line, more='', host='localhost', auth=True):
        return (f'{line} HTTP/1.1\r\nHost: {host}\r\n' + (self.auth if auth else '') + more + '\r\n').encode()

    def connect(self, seconds=10):
        return connect(self.daemon.http, seconds=seconds)

    def send(self, data, timeout=10):
        """Sends bytes on a connection of its own; what comes back until it is closed or quiet."""
        with self.connect(timeout) as s:
            try:
                s.sendall(data)
            except OSError:
                pass
            return read(s)

    def status(self, *args, **more):
        return status(self.send(self.head(*args, **more)))

    def well(self):
        assert self.status('GET /healthz') == 200, self.daemon.read_log()


def read(s, quiet=0.3):
    """One answer, or what is there when the other side closes or falls silent."""
    got = b''
    while True:
        if b'\r\n\r\n' in got:
            head, body = got.split(b'\r\n\r\n', 1)
            length = next((int(line.split(b':')[1]) for line in head.split(b'\r\n')
                           if line.lower().startswith(b'content-length:')), 0)
            if len(body) >= length:
                return got
        try:
            data = s.recv(65536)
        except socket.timeout:
            return got
        except OSError:
            return got
        if not data:
            return got
        got += data


def status(answer):
    return int(answer.split(b' ', 2)[1]) if answer.startswith(b'HTTP/1.') else None


def body_of(answer):
    return json.loads(answer.split(b'\r\n\r\n', 1)[1])


def closed(s, seconds):
    """Has the other side closed within so many seconds? How long it took."""
    start = time.monotonic()
    s.settimeout(seconds)
    try:
        while s.recv(65536):
            pass
    except socket.timeout:
        return None
    except OSError:
        pass
    return time.monotonic() - start


# ---- who, and to whom ----------------------------------------------------------------------------


def hosts(wire):
    port = wire.daemon.http
    for host in ('localhost', f'localhost:{port}', '127.0.0.1', f'127.0.0.1:{port}', 'SEKISHO.example', 'sekisho.example:443'):
        assert wire.status('GET /healthz', host=host) == 200, host
    for host in ('evil.example', 'sekisho.example.evil.example', 'localhost.evil.example', '127.0.0.2', '', ':',
                 'localhost@evil.example', '[::1', 'evil.example:127.0.0.1'):
        answer = wire.send(wire.head('GET /healthz', host=host))
        assert status(answer) == 421, (host, answer)
        assert wire.token.encode() not in answer


def host_comes_before_the_token(wire):
    answer = wire.send(wire.head('GET /v1/tenants', host='evil.example', auth=False))
    assert status(answer) == 421
    assert b'WWW-Authenticate' not in answer


def two_hosts_or_none(wire):
    assert wire.status('GET /healthz', 'Host: localhost\r\n') == 400
    assert status(wire.send(b'GET /healthz HTTP/1.1\r\n' + wire.auth.encode() + b'\r\n')) == 400
    assert status(wire.send(b'GET /healthz HTTP/1.0\r\n' + wire.auth.encode() + b'\r\n')) in (400, 421)


def tokens(wire):
    for auth in ('', 'Authorization:\r\n', 'Authorization: Bearer\r\n', 'Authorization: Bearer \r\n',
                 f'Authorization: Basic {wire.token}\r\n', f'Authorization: {wire.token}\r\n',
                 f'Authorization: Bearer {wire.token}x\r\n', f'Authorization: Bearer {wire.token[:-1]}\r\n',
                 f'Authorization: Bearer {wire.token.swapcase()}\r\n'):
        answer = wire.send(wire.head('GET /healthz', auth, auth=False))
        assert status(answer) in (401, 429), (auth, answer)
    for good in (f'Authorization: bearer {wire.token}\r\n', f'authorization:  Bearer   {wire.token} \r\n'):
        assert wire.status('GET /healthz', good, auth=False) == 200, good
    assert wire.status('GET /healthz', wire.auth) == 400, 'two of them'


def a_stranger_learns_nothing(wire):
    texts = set()
    for path in ('/v1/accounts/1', '/v1/accounts/999', '/nothing', '/v1/tenants/main', '/v1/status?x=1', '/%zz'):
        answer = wire.send(wire.head('GET ' + path, auth=False))
        assert status(answer) in (401, 429)
        texts.add(body_of(answer)['detail'])
    assert len(texts) <= 2, texts


def wrong_tokens_are_slowed(wire):
    seen = []
    with wire.connect() as s:
        for _ in range(40):
            s.sendall(wire.head('GET /healthz', 'Authorization: Bearer wrong\r\n', auth=False))
            answer = read(s)
            seen.append(status(answer))
    assert seen[-1] == 429 and b'Retry-After: ' in answer, seen
    assert wire.status('GET /healthz') == 200, 'a wrong neighbour must not lock out the right token'


def the_socket_is_for_its_group(wire):
    mode = os.stat(wire.daemon.socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660, oct(mode)


# ---- requests that are none ----------------------------------------------------------------------


def methods(wire):
    answer = wire.send(wire.head('TRACE /v1/tenants'))
    assert status(answer) == 405 and b'Allow: GET, HEAD, POST\r\n' in answer, answer
    assert wire.status('OPTIONS /v1/tenants') == 405
    assert wire.status('BREW /v1/tenants') == 405
    assert wire.status('DELETE /healthz') == 405
    answer = wire.send(wire.head('HEAD /healthz'))
    assert status(answer) == 200 and answer.endswith(b'\r\n\r\n'), answer


def no_cross_origin(wire):
    answer = wire.send(wire.head('OPTIONS /v1/tenants', 'Origin: http://evil.example\r\n'
                                                        'Access-Control-Request-Method: GET\r\n'))
    assert b'access-control' not in answer.lower(), answer
    answer = wire.send(wire.head('GET /v1/tenants', 'Origin: http://evil.example\r\n'))
    assert b'access-control' not in answer.lower(), answer


def paths(wire):
    for path in ('/', '//', '/v1', '/v1/', '/v1/tenants/', '/v1//tenants', '/v1/./tenants', '/v1/x/../tenants',
                 '/..%2f..%2fetc/passwd', '/v1/tenants%2Fmain', '/V1/tenants', '/v1/tenants;x=1', '/a' * 500):
        assert wire.status('GET ' + path) == 404, path
    for path in ('/v1/tenants/%', '/v1/tenants/%4', '/v1/tenants/%zz', '/v1/tenants/a%00b', '/v1/tenants?%'):
        assert wire.status('GET ' + path) == 400, path
    assert wire.status('GET http://evil.example/v1/tenants') in (400, 404)
    assert wire.status('GET *') in (400, 404)
    assert wire.status('CONNECT evil.example:25') in (400, 404, 405)


def content_types(wire):
    url, body = 'POST /v1/tenants', '{"name":"typed"}'
    for kind in ('text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
                 'application/json; charset=utf-16', 'application/jsonp', ''):
        more = f'Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n'
        assert status(wire.send(wire.head(url, more) + body.encode())) == 415, kind
    assert status(wire.send(wire.head(url, f'Content-Length: {len(body)}\r\n') + body.encode())) == 415
    assert status(wire.send(wire.head(url))) == 415
    more = 'Content-Type: application/json\r\nContent-Length: 2\r\n'
    assert status(wire.send(wire.head('GET /v1/tenants', more) + b'{}')) == 400
    assert status(wire.send(wire.head('DELETE /v1/tenants/x', more) + b'{}')) == 400
    twice = 'Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n'
    assert status(wire.send(wire.head(url, twice) + b'{}')) == 400


def bodies(wire):
    cases = [b'', b'{', b'[]', b'1', b'"x"', b'null', b'{"name":"a","name":"b"}', b'{"name":"a"}x', b'{"name":"a\\u0000"}',
             b'{"name":"\xff"}', b'\xef\xbb\xbf{}', b'{"name":"a"}\0', b'[' * 60000, b'{"a":' * 10000, b'\0' * 100]
    for body in cases:
        more = f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n'
        answer = wire.send(wire.head('POST /v1/tenants', more) + body)
        expected = 415 if not body else 400
        assert status(answer) in (400, expected), (body[:50], answer)
    wire.well()


def chunked(wire):
    more = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
    body = b'5\r\n{"nam\r\n11;x=y\r\ne":"chunked-tenan\r\n3\r\nt"}\r\n0\r\n\r\n'
    assert status(wire.send(wire.head('POST /v1/tenants', more) + body)) == 201
    for wrong in (b'zz\r\n', b'-1\r\n{}', b'ffffffffffffffffff\r\n{}'):
        answer = wire.send(wire.head('POST /v1/tenants', more) + wrong, timeout=TIMEOUT + 3)
        assert status(answer) in (400, 413, None), answer
    both = more + 'Content-Length: 2\r\n'
    assert status(wire.send(wire.head('POST /v1/tenants', both) + b'2\r\n{}\r\n0\r\n\r\n')) in (400, 422, None)
    wire.well()


def nothing_is_smuggled(wire):
    """A second request behind a body is a request of its own, with its own token."""
    body = b'{"name":"outer"}'
    inner = b'DELETE /v1/tenants/outer HTTP/1.1\r\nHost: localhost\r\n\r\n'
    more = f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n'
    wire.send(wire.head('POST /v1/tenants', more) + body + inner)
    assert wire.status('GET /v1/tenants/outer') == 200


def pipelined(wire):
    with wire.connect() as s:
        s.sendall(wire.head('GET /v1/tenants') * 50)
        got = b''
        while got.count(b'HTTP/1.1 200') < 50:
            data = s.recv(65536)
            assert data, got[-500:]
            got += data


# ---- large ---------------------------------------------------------------------------------------


def large_bodies(wire):
    limit = 64 * 1024
    more = f'Content-Type: application/json\r\nContent-Length: {limit + 1}\r\n'
    answer = wire.send(wire.head('POST /v1/tenants', more))
    assert status(answer) == 413, 'it must not wait for the body'
    more = f'Content-Type: application/json\r\nContent-Length: {10 ** 30}\r\n'
    assert status(wire.send(wire.head('POST /v1/tenants', more))) in (400, 413)
    more = 'Content-Type: application/json\r\nContent-Length: -1\r\n'
    assert status(wire.send(wire.head('POST /v1/tenants', more))) in (400, 413)
    body = b'{"title":"' + b'a' * (limit - 12) + b'"}'
    assert len(body) == limit
    more = f'Content-Type: application/json\r\nContent-Length: {limit}\r\n'
    assert status(wire.send(wire.head('PUT /v1/tenants/large', more) + body)) == 422
    chunk = b'8000\r\n' + b'a' * 0x8000 + b'\r\n'
    more = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
    assert status(wire.send(wire.head('POST /v1/tenants', more) + chunk * 3 + b'0\r\n\r\n')) == 413
    wire.well()


def large_imports(wire):
    line = json.dumps({'name': 'x y'}).encode() + b'\n'
    body = line * (500000 // len(line))
    more = f'Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n'
    assert status(wire.send(wire.head('POST /v1/accounts/import', more) + body, timeout=30)) == 422
    more = f'Content-Type: application/x-ndjson\r\nContent-Length: {(1 << 20) + 1}\r\n'
    assert status(wire.send(wire.head('POST /v1/accounts/import', more))) == 413


def imports_of_tenants_share_their_room(wire):
    tenant = f'Authorization: Bearer {wire.daemon.api.token("tenant:main")}\r\n'
    line = json.dumps({'name': 'x y'}).encode() + b'\n'
    body = line * (700000 // len(line))

    def start_of_one(s, auth):
        more = f'{auth}Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n'
        s.sendall(wire.head('POST /v1/accounts/import', more, auth=False) + body[:-100])

    def one(auth):
        with wire.connect(30) as s:
            start_of_one(s, auth)
            s.sendall(body[-100:])
            return status(read(s, 5))

    def first_of_two():
        """One of which the daemon holds all that was sent. Of two that it reads side by side either may be the
        one that finds no room; where that was the first, it begins again."""
        deadline = time.monotonic() + 20
        while True:
            s = wire.connect(30)
            start_of_one(s, tenant)
            wire.well()
            if one(tenant) == 503:
                return s
            s.close()
            assert time.monotonic() < deadline, 'two are held in memory'

    with first_of_two() as s:
        assert one(wire.auth) == 422, 'the operator has room of his own'
        s.sendall(body[-100:])
        assert status(read(s, 5)) == 422, 'who came first has his answer'
    deadline = time.monotonic() + 20
    while one(tenant) != 422:
        assert time.monotonic() < deadline, 'the room is not given back'
    wire.well()


def expect_continue(wire):
    body = b'{"name":"patient"}'
    more = f'Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n'
    with wire.connect() as s:
        s.sendall(wire.head('POST /v1/tenants', more))
        assert s.recv(1000).startswith(b'HTTP/1.1 100 ')
        s.sendall(body)
        assert status(read(s)) == 201
    with wire.connect() as s:
        s.sendall(wire.head('POST /v1/tenants', more, auth=False))
        assert status(read(s)) in (401, 429)


def large_headers(wire):
    assert wire.status('GET /healthz?' + 'a' * 40000) in (414, 431, 400)
    assert wire.status('GET /healthz', 'X: ' + 'a' * 40000 + '\r\n') in (431, 400)
    assert wire.status('GET /healthz', 'X: y\r\n' * 10000) in (431, 400, None)
    assert wire.status('GET /healthz', ''.join(f'X-{i}: y\r\n' for i in range(100))) == 200
    assert wire.status('GET /v1/complement?root=010' + '&allow=0101' * 200) == 400
    wire.well()


# ---- slow ----------------------------------------------------------------------------------------


def slow_header(wire):
    with wire.connect() as s:
        start = time.monotonic()
        sent = wire.head('GET /healthz', 'X: ' + 'a' * 1000 + '\r\n')
        for byte in sent:
            try:
                s.sendall(bytes([byte]))
            except OSError:
                break
            if time.monotonic() - start > 4 * TIMEOUT:
                raise AssertionError('still open')
            time.sleep(0.05)
        assert time.monotonic() - start < 3 * TIMEOUT + 1


def slow_first_line(wire):
    with wire.connect() as s:
        start = time.monotonic()
        for byte in b'GET /' + b'a' * 1000:
            try:
                s.sendall(bytes([byte]))
            except OSError:
                break
            if time.monotonic() - start > 4 * TIMEOUT:
                raise AssertionError('still open')
            time.sleep(0.05)


def slow_body(wire):
    more = 'Content-Type: application/json\r\nContent-Length: 1000\r\n'
    with wire.connect() as s:
        s.sendall(wire.head('POST /v1/tenants', more))
        start = time.monotonic()
        while time.monotonic() - start < 4 * TIMEOUT:
            try:
                s.sendall(b'{')
            except OSError:
                return
            time.sleep(0.05)
    raise AssertionError('still open')


def silent(wire):
    with wire.connect() as s:
        took = closed(s, 3 * TIMEOUT)
        assert took is not None and took > TIMEOUT - 1, took
    with wire.connect() as s:
        s.sendall(wire.head('GET /healthz'))
        read(s)
        assert closed(s, 3 * TIMEOUT) is not None, 'idle after a request'


def does_not_read(wire):
    """Asks for much and takes nothing."""
    with wire.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(1)
        try:
            for _ in range(2000):
                s.sendall(wire.head('GET /v1/audit?limit=1000'))
        except OSError:
            pass
        time.sleep(2 * TIMEOUT + 1)
        wire.well()
    wire.well()


def half_closed(wire):
    with wire.connect() as s:
        s.sendall(wire.head('GET /v1/tenants'))
        s.shutdown(socket.SHUT_WR)
        assert status(read(s)) in (200, None)
    wire.well()


def goes_away_while_the_store_works(wire):
    for i in range(200):
        body = json.dumps({'name': f'gone-{i}'}).encode()
        more = f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n'
        s = wire.connect()
        s.sendall(wire.head('POST /v1/tenants', more) + body)
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        s.close()
    wire.well()


# ---- many ----------------------------------------------------------------------------------------


def a_thousand_at_once(wire):
    sockets = []
    try:
        for _ in range(1000):
            sockets.append(wire.connect())
        for s in sockets:
            s.sendall(wire.head('GET /v1/accounts?limit=1'))
        good = sum(status(read(s)) == 200 for s in sockets)
        assert good == 1000, good
    finally:
        for s in sockets:
            s.close()
    wire.well()


def more_than_there_is_room_for(wire):
    """The idle ones go, and whoever asks is answered."""
    sockets = [wire.connect() for _ in range(1800)]
    try:
        wire.well()
        sockets[-1].sendall(wire.head('GET /healthz'))
        assert status(read(sockets[-1])) == 200
    finally:
        for s in sockets:
            s.close()
    wire.well()


def the_operator_gets_in(wire):
    """Every connection is taken and busy; the Unix socket still answers."""
    daemon = start({'timeout_s': 10, 'connections': 8, 'connections_per_address': 0})
    sockets = []
    try:
        crowd = Wire(daemon)
        # On a busy machine one whose first line is still on its way counts as idle, and gives way.
        for fill in (8, 1, 1, 1, 1):
            for _ in range(fill):
                sockets.append(crowd.connect())
                sockets[-1].sendall(b'POST /v1/tenants HTTP/1.1\r\n')
            time.sleep(0.5)
            crowded = crowd.status('GET /healthz') is None
            if crowded:
                break
        assert crowded
        assert daemon.api.local('GET', '/healthz').status == 200
    finally:
        for s in sockets:
            s.close()
        daemon.stop()
        daemon.end()


def one_address_has_its_share(wire):
    """A second sekishod, with 20 for each address."""
    daemon = start({'timeout_s': 10, 'connections_per_address': 20})
    sockets = []
    try:
        crowd = Wire(daemon)
        for _ in range(100):
            sockets.append(crowd.connect())
        crowd.well()
        other = connect(daemon.http, source='127.0.0.2')
        sockets.append(other)
        other.sendall(crowd.head('GET /healthz'))
        assert status(read(other)) == 200
        busy = [crowd.connect() for _ in range(20)]
        sockets += busy
        for s in busy:
            s.sendall(b'POST /v1/tenants HTTP/1.1\r\n')
        time.sleep(0.5)
        assert crowd.status('GET /healthz') is None, 'a 21st beside 20 that are busy'
        other.sendall(crowd.head('GET /healthz'))
        assert status(read(other)) == 200
    finally:
        for s in sockets:
            s.close()
        daemon.stop()
        daemon.end()


def writers_in_parallel(wire):
    failures = []

    def work(n):
        try:
            for i in range(20):
                body = json.dumps({'name': f'w{n}-{i}'}).encode()
                more = f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n'
                answer = wire.send(wire.head('POST /v1/tenants', more) + body, timeout=30)
                assert status(answer) == 201, answer
        except Exception as e:  # noqa: BLE001
            failures.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures[:3]
    for n in (0, 7, 19):
        assert wire.status(f'GET /v1/tenants/w{n}-19') == 200


# ---- garbage -------------------------------------------------------------------------------------


def garbage(wire):
    rng = random.Random(20261124)
    good = wire.head('POST /v1/tenants', 'Content-Type: application/json\r\nContent-Length: 14\r\n') + b'{"name":"mut"}'
    for i in range(400):
        if i % 2:
            data = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 2000)))
        else:
            data = bytearray(good)
            for _ in range(rng.randrange(1, 8)):
                at = rng.randrange(len(data))
                kind = rng.randrange(3)
                if kind == 0:
                    data[at] = rng.randrange(256)
                elif kind == 1:
                    del data[at]
                else:
                    data[at:at] = bytes([rng.randrange(256)]) * rng.randrange(1, 4)
            data = bytes(data)
        with wire.connect() as s:
            s.settimeout(0.02)
            s.sendall(data)
            try:
                s.recv(65536)
            except OSError:
                pass
    wire.well()


def other_protocols(wire):
    for data in (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\0' * 500, b'SSH-2.0-x\r\n', b'agi_network: yes\n\n',
                 b'INVITE sip:x@y SIP/2.0\r\n\r\n', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', b'\r\n' * 1000, b'\0' * 10000,
                 b'GET\r\n\r\n', b'GET /healthz\r\n\r\n', b'GET /healthz HTTP/9.9\r\n\r\n', b'GET  /healthz  HTTP/1.1\r\n\r\n'):
        answer = wire.send(data, timeout=0.3)
        assert status(answer) != 200, (data, answer)
    wire.well()


def ends_with_connections_open(wire):
    idle = [wire.connect() for _ in range(50)]
    half = wire.connect()
    half.sendall(b'POST /v1/tenants HTTP/1.1\r\n')
    started = time.monotonic()
    code = wire.daemon.stop()
    took = time.monotonic() - started
    for s in idle + [half]:
        s.close()
    assert code == 0, wire.daemon.read_log()
    assert took < 15, took
    assert not os.path.exists(wire.daemon.socket), 'the socket is left'
    assert not wire.daemon.complaints(), wire.daemon.read_log()


CASES = [
    ('only configured hosts', hosts),
    ('Host is looked at before the token', host_comes_before_the_token),
    ('two hosts, or none', two_hosts_or_none),
    ('forms of Authorization', tokens),
    ('a stranger learns nothing of what is there', a_stranger_learns_nothing),
    ('wrong tokens are slowed, right ones are not', wrong_tokens_are_slowed),
    ('the Unix socket is for its group only', the_socket_is_for_its_group),
    ('methods', methods),
    ('no cross-origin answers', no_cross_origin),
    ('paths', paths),
    ('content types', content_types),
    ('bodies that are no JSON object', bodies),
    ('chunked bodies', chunked),
    ('nothing is smuggled behind a body', nothing_is_smuggled),
    ('50 requests in one write', pipelined),
    ('bodies that are too large', large_bodies),
    ('imports may be larger, to a limit', large_imports),
    ('imports of tenants share their room', imports_of_tenants_share_their_room),
    ('Expect: 100-continue', expect_continue),
    ('headers that are too large', large_headers),
    ('a header that drips', slow_header),
    ('a first line that drips', slow_first_line),
    ('a body that drips', slow_body),
    ('a connection that says nothing', silent),
    ('one that asks and does not read', does_not_read),
    ('one that closes its half', half_closed),
    ('200 that go away while the store works', goes_away_while_the_store_works),
    ('1,000 connections at once', a_thousand_at_once),
    ('more connections than there is room for', more_than_there_is_room_for),
    ('the operator gets in by the Unix socket when all is taken', the_operator_gets_in),
    ('one address has its share', one_address_has_its_share),
    ('400 changes by 20 at once', writers_in_parallel),
    ('400 requests of garbage', garbage),
    ('other protocols', other_protocols),
    ('it ends in time with connections open', ends_with_connections_open),
]


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    with start(CONFIG) as daemon:
        wire = Wire(daemon)
        for name, function in CASES:
            tap.attempt(name, function, wire)
    tap.done()


loopback.own()
main()
