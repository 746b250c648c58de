# SPDX-License-Identifier: GPL-2.0-or-later
"""Callers and trunks over UDP that send and count bytes as they are: many calls at once, told apart by Call-ID.

A caller does what a hijacked PBX does: the right password, and else whatever it likes. A trunk takes every call.
"""
import asyncio
import collections
import hashlib
import itertools
import re
import time

Arrival = collections.namedtuple('Arrival', 'uri call text at')
Call = collections.namedtuple('Call', 'id status started ended reason gave_up')
SDP = 'v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n'


def header(text, name):
    found = re.search(rf'(?im)^{name}[ \t]*:[ \t]*([^\r\n]*)', text)
    return found[1] if found else ''


def headers(text, name):
    return re.findall(rf'(?im)^{name}[ \t]*:[ \t]*([^\r\n]*)', text)


class Endpoint(asyncio.DatagramProtocol):
    async def open(self, address, port):
        self.address, self.port = address, port
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=(address, port))
        return self

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        self.heard(data.decode('latin-1'), source)

    def send(self, text, to):
        self.transport.sendto(text.encode('utf-8', 'surrogateescape'), to)


class Trunk(Endpoint):
    """Answers INVITEs with 200 at once, or with `refusal`, and counts each once a branch."""

    def __init__(self):
        self.arrivals, self.ended, self.seen, self.refusal = [], {}, set(), None

    def heard(self, text, source):
        method, _, rest = text.partition(' ')
        call = header(text, 'Call-ID')
        if method == 'INVITE':
            via = header(text, 'Via')
            if via not in self.seen:
                self.seen.add(via)
                self.arrivals.append(Arrival(rest.partition(' ')[0], call, text, time.monotonic()))
            if self.refusal:
                self.answer(text, source, status=self.refusal)
                return
            self.answer(text, source, f'Contact: <sip:trunk@{self.address}:{self.port}>\r\nContent-Type: application/sdp\r\n',
                        SDP.format(self.address))
        elif method in ('BYE', 'CANCEL', 'OPTIONS'):
            if method == 'BYE':
                self.ended[call] = time.monotonic()
            self.answer(text, source)
        elif method not in ('ACK', 'SIP/2.0'):
            self.arrivals.append(Arrival(rest.partition(' ')[0], call, text, time.monotonic()))

    def call(self, to, user, call):
        """Somebody calls a customer; what comes of it is not minded."""
        self.send(f'INVITE sip:{user}@{to[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n'
                  f'From: <sip:0312345678@{self.address}>;tag=in\r\nTo: <sip:{user}@{to[0]}>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n'
                  f'Contact: <sip:in@{self.address}:{self.port}>\r\nContent-Length: 0\r\n\r\n', to)

    def answer(self, text, source, more='', body='', status='200 OK'):
        kept = ''.join(f'{name}: {value}\r\n' for name in ('Via', 'Record-Route', 'From', 'Call-ID', 'CSeq') for value in headers(text, name))
        to = header(text, 'To')
        to += '' if ';tag=' in to else ';tag=trunk'
        self.send(f'SIP/2.0 {status}\r\n{kept}To: {to}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}', source)

    def of(self, call):
        return [a for a in self.arrivals if a.call == call]


class Caller(Endpoint):
    """Asks the proxy at `to` for calls."""
    calls = itertools.count(1)

    def __init__(self, to, realm, secret):
        self.to, self.realm, self.secret, self.waiting, self.hung_up = to, realm, secret, {}, set()

    def heard(self, text, source):
        if text.startswith('BYE '):
            kept = ''.join(f'{name}: {value}\r\n' for name in ('Via', 'From', 'To', 'Call-ID', 'CSeq') for value in headers(text, name))
            self.send(f'SIP/2.0 200 OK\r\n{kept}Content-Length: 0\r\n\r\n', source)
            self.hung_up.add(header(text, 'Call-ID'))
            return
        call = header(text, 'Call-ID')
        queue = self.waiting.get((call, header(text, 'CSeq')), self.waiting.get(call))
        if queue is not None:
            queue.put_nowait(text)

    def credentials(self, challenge, method, uri, user):
        value = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        md5 = lambda s: hashlib.md5(s.encode('utf-8', 'surrogateescape')).hexdigest()
        more = ''
        if 'qop' in value:
            response = md5(f"{md5(f'{user}:{self.realm}:{self.secret}')}:{value['nonce']}:00000001:lab:auth:{md5(f'{method}:{uri}')}")
            more = ', qop=auth, nc=00000001, cnonce="lab"'
        else:
            response = md5(f"{md5(f'{user}:{self.realm}:{self.secret}')}:{value['nonce']}:{md5(f'{method}:{uri}')}")
        return (f'Proxy-Authorization: Digest username="{user}", realm="{self.realm}", nonce="{value["nonce"]}", uri="{uri}", '
                f'response="{response}"{more}\r\n')

    def request(self, method, uri, call, cseq, user, extra='', body='', to_tag='', claim=None, branch=None, to='callee', contact=None):
        media = 'Content-Type: application/sdp\r\n' if body else ''
        tag = call.partition('@')[0]
        return (f'{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{branch or f"{call}-{cseq}"};rport\r\n'
                f'Max-Forwards: 70\r\nFrom: <sip:{claim or user}@{self.realm}>;tag={tag}\r\nTo: <sip:{to}@{self.realm}>{to_tag}\r\n'
                f'Call-ID: {call}\r\nCSeq: {cseq} {method}\r\nContact: <{contact or f"sip:{user}@{self.address}:{self.port}"}>\r\n'
                f'{extra}{media}Content-Length: {len(body)}\r\n\r\n{body}')

    async def register(self, user, contact, seconds=6):
        """The status."""
        call, uri, more = f'{next(Caller.calls)}-{self.port}@lab', f'sip:{self.realm}', dict(to=user, contact=contact)
        self.waiting[call] = asyncio.Queue()
        answer = await self.ask(call, self.request('REGISTER', uri, call, 1, user, **more), seconds)
        if answer.startswith('SIP/2.0 401'):
            credentials = self.credentials(header(answer, 'WWW-Authenticate'), 'REGISTER', uri, user).partition('-')[2]
            answer = await self.ask(call, self.request('REGISTER', uri, call, 2, user, credentials, **more), seconds)
        del self.waiting[call]
        return int(answer[8:11]) if answer else 0

    async def is_called(self, call, seconds=3):
        """Whether an INVITE of that call comes; it is busy."""
        queue = self.waiting[call] = asyncio.Queue()
        try:
            text = await asyncio.wait_for(queue.get(), seconds)
        except asyncio.TimeoutError:
            return False
        finally:
            del self.waiting[call]
        kept = ''.join(f'{name}: {value}\r\n' for name in ('Via', 'From', 'Call-ID', 'CSeq') for value in headers(text, name))
        self.send(f'SIP/2.0 486 Busy Here\r\n{kept}To: {header(text, "To")};tag=busy\r\nContent-Length: 0\r\n\r\n', self.to)
        return text.startswith('INVITE ')

    async def ask(self, call, text, seconds, heard=None):
        """The final answer to the request, which is sent again while nothing comes. `heard`: an event for its first answer."""
        queue, end, wait, pending = self.waiting[call], time.monotonic() + seconds, 0.5, True
        self.send(text, self.to)
        cseq = header(text, 'CSeq')
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return ''
            try:
                answer = await asyncio.wait_for(queue.get(), min(left, wait) if pending else left)
            except asyncio.TimeoutError:
                if pending:
                    self.send(text, self.to)
                    wait *= 2
                continue
            if header(answer, 'CSeq') == cseq:
                pending = False
                if heard:
                    heard.set()
                if not answer.startswith('SIP/2.0 1'):
                    return answer

    async def call(self, uri, user, extra='', claim=None, to_tag='', hold=0, cancel=None, within=None, seconds=6):
        """A call to its end, at most `hold` seconds behind its answer. `cancel`: the caller gives up so many seconds behind the first
        answer (RFC 3261, 9.1: a CANCEL that overtook its INVITE would be one of nothing), and the call has the time of the 200 that he got.
        `within`: (method, URI, header fields) of a request in the call; `answered` has what came of it."""
        call = f'{next(Caller.calls)}-{self.port}@lab'
        self.waiting[call] = asyncio.Queue()
        body = SDP.format(self.address)
        more = dict(claim=claim, to_tag=to_tag)
        answer = await self.ask(call, self.request('INVITE', uri, call, 1, user, extra, body, **more), seconds)
        started, cseq, gave_up = time.monotonic(), 1, None
        if answer.startswith('SIP/2.0 407'):
            self.acknowledge(uri, call, 1, user, answer, more)
            credentials, cseq = self.credentials(header(answer, 'Proxy-Authenticate'), 'INVITE', uri, user), 2
            started = time.monotonic()
            heard = asyncio.Event()
            asking = asyncio.create_task(self.ask(call, self.request('INVITE', uri, call, 2, user, extra + credentials, body, **more), seconds, heard))
            if cancel is not None:
                await asyncio.wait((asking, asyncio.create_task(heard.wait())), return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(cancel)
                gave_up = await self.give_up(uri, call, user, more, seconds)
            answer = await asking
        ended, status = time.monotonic(), int(answer[8:11]) if answer else 0
        if status >= 300:
            self.acknowledge(uri, call, cseq, user, answer, more)
        elif status:
            await self.talk(call, cseq, user, answer, hold, within, claim)
        del self.waiting[call]
        return Call(call, status, started, ended, header(answer, 'Reason'), gave_up)

    async def give_up(self, uri, call, user, more, seconds):
        """When it was answered by 200."""
        key = call, '2 CANCEL'
        self.waiting[key] = asyncio.Queue()
        answer = await self.ask(key, self.request('CANCEL', uri, call, 2, user, branch=f'{call}-2', **more), seconds)
        del self.waiting[key]
        return time.monotonic() if answer.startswith('SIP/2.0 200') else None

    def acknowledge(self, uri, call, cseq, user, answer, more):
        tag = re.search(r';tag=[^;\r\n]*', header(answer, 'To'))
        more = dict(more, to_tag=tag[0] if tag else '', branch=f'{call}-{cseq}')
        self.send(self.request('ACK', uri, call, cseq, user, **more), self.to)

    async def talk(self, call, cseq, user, answer, hold, within, claim):
        """ACK, the call, BYE unless the other side was first."""
        tag = re.search(r';tag=[^;\r\n]*', header(answer, 'To'))[0]
        target = re.search(r'<([^>]*)>', header(answer, 'Contact'))[1]
        route = ''.join(f'Route: {value}\r\n' for value in reversed(headers(answer, 'Record-Route')))
        more = dict(to_tag=tag, claim=claim)
        self.send(self.request('ACK', target, call, cseq, user, route, branch=f'{call}-ack', **more), self.to)
        if within:
            cseq += 1
            method, uri, extra = within
            answer = await self.ask(call, self.request(method, uri or target, call, cseq, user, route + extra, **more), 2)
            self.answered = answer[8:11]
        end = time.monotonic() + hold
        while time.monotonic() < end and call not in self.hung_up:
            await asyncio.sleep(0.05)
        if call not in self.hung_up:
            await self.ask(call, self.request('BYE', target, call, cseq + 1, user, route, **more), 2)
