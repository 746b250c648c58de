# SPDX-License-Identifier: GPL-2.0-or-later
"""As much SIP as it takes to register: a registrar with digest, and a phone or an attacker."""

import hashlib
import os
import re
import socket
import threading
import time


def header(message, name):
    found = re.search(rf"^{name}:\s*(.*?)\r?$", message, re.M | re.I)
    return found[1] if found else ""


def field(text, name):
    found = re.search(rf'{name}="([^"]*)"', text)
    return found[1] if found else ""


def response(user, realm, password, nonce, uri):
    one, two = (hashlib.md5(t.encode()).hexdigest() for t in (f"{user}:{realm}:{password}", f"REGISTER:{uri}"))
    return hashlib.md5(f"{one}:{nonce}:{two}".encode()).hexdigest()


class Registrar:
    """`accounts` is {name: password}. Counts what it answered to whom; with `log` it writes what Asterisk's
    security channel would. `report`, if there is one, is told of every message: its bytes, whence and whither."""

    def __init__(self, addresses, accounts, port=5060, log=None):
        self.accounts, self.nonces, self.answered, self.log = accounts, set(), {}, log
        self.port, self.report = port, None
        for address in addresses:
            s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((address, port))
            threading.Thread(target=self.listen, args=(s, address), daemon=True).start()
            s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
            s.listen(64)
            threading.Thread(target=self.accept, args=(s, address), daemon=True).start()

    def accept(self, s, address):
        while True:
            one, peer = s.accept()
            threading.Thread(target=self.connection, args=(one, address, peer), daemon=True).start()

    def connection(self, s, address, peer):
        """Messages without a body, one after the other."""
        rest = b""
        try:
            while data := s.recv(65536):
                *messages, rest = (rest + data).split(b"\r\n\r\n")
                for one in messages:
                    answer = self.answer(one.decode(errors="replace").lstrip() + "\r\n\r\n", address, peer)
                    if answer:
                        s.sendall(answer)
        except OSError:
            pass
        s.close()

    def listen(self, s, address):
        while True:
            data, peer = s.recvfrom(65536)
            self.tell(data, peer[:2], (address, self.port))
            answer = self.answer(data.decode(errors="replace"), address, peer)
            if not answer:
                continue
            self.tell(answer, (address, self.port), peer[:2])
            try:
                s.sendto(answer, peer)
            except OSError:
                pass

    def answer(self, message, address, peer):
        if not message.startswith("REGISTER"):
            return None
        status, more = self.judge(message, address, peer)
        self.answered[peer[0]] = self.answered.get(peer[0], 0) + 1
        copied = "".join(f"{h}: {header(message, h)}\r\n" for h in ("Via", "From", "To", "Call-ID", "CSeq"))
        return f"SIP/2.0 {status}\r\n{copied}{more}Content-Length: 0\r\n\r\n".encode()

    def tell(self, *message):
        report = self.report
        if report:
            report(*message)

    def judge(self, message, address, peer):
        sent = header(message, "Authorization")
        user, nonce = field(sent, "username"), field(sent, "nonce")
        if not sent or nonce not in self.nonces:
            nonce = os.urandom(8).hex()
            self.nonces.add(nonce)
            self.write("ChallengeSent", user or "?", address, peer)
            return "401 Unauthorized", f'WWW-Authenticate: Digest realm="pbx", nonce="{nonce}"\r\n'
        self.nonces.discard(nonce)
        if field(sent, "response") == response(user, "pbx", self.accounts.get(user, os.urandom(8).hex()), nonce,
                                               field(sent, "uri")):
            self.write("SuccessfulAuth", user, address, peer)
            return "200 OK", header(message, "Contact") and f"Contact: {header(message, 'Contact')}\r\n"
        self.write("ChallengeResponseFailed", user, address, peer)
        return "401 Unauthorized", f'WWW-Authenticate: Digest realm="pbx", nonce="{os.urandom(8).hex()}"\r\n'

    def write(self, event, user, address, peer):
        if not self.log:
            return
        severity = "Error" if "Failed" in event else "Informational"
        family = "IPV6" if ":" in address else "IPV4"
        more = {"ChallengeSent": ',Challenge=""', "SuccessfulAuth": ',UsingPassword="1"',
                "ChallengeResponseFailed":
                    ',Challenge="1/2",Response="3",ExpectedResponse=""'}[event]
        with open(self.log, "a", encoding="utf-8") as f:
            f.write(f'[2026-11-24 02:33:00.155] SECURITY[4774] res_security_log.c: SecurityEvent="{event}",'
                    f'EventTV="2026-11-24T02:33:00.154+0000",Severity="{severity}",Service="PJSIP",EventVersion="1",'
                    f'AccountID="{user}",SessionID="1@{peer[0]}",LocalAddress="{family}/UDP/{address}/5060",'
                    f'RemoteAddress="{family}/UDP/{peer[0]}/{peer[1]}"{more}\n')


def exchange(s, to, message, seconds):
    s.sendto(message.encode(), to)
    end = time.monotonic() + seconds
    while True:
        s.settimeout(max(0.01, end - time.monotonic()))
        try:
            answer = s.recv(65536).decode()
        except (TimeoutError, OSError):
            return None
        if header(answer, "Call-ID") == header(message, "Call-ID"):
            return answer


def request(source, port, user, call, sequence, transport="UDP", more=""):
    host = f"[{source}]" if ":" in source else source
    return (f"REGISTER sip:pbx SIP/2.0\r\nVia: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK{call}{sequence}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}@pbx>;tag={call}\r\nTo: <sip:{user}@pbx>\r\nCall-ID: {call}\r\n"
            f"CSeq: {sequence} REGISTER\r\nContact: <sip:{user}@{host}:{port}>\r\nExpires: 300\r\n"
            f"User-Agent: phone\r\n{more}Content-Length: 0\r\n\r\n")


def register(source, to, user, password, seconds=0.5, port=5060):
    """The status of the answer to the credentials; 0 without an answer to either message."""
    with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        call, uri = os.urandom(8).hex(), "sip:pbx"

        def message(sequence, more=""):
            return request(source, s.getsockname()[1], user, call, sequence, more=more)

        first = exchange(s, (to, port), message(1), seconds)
        if not first:
            return 0
        nonce = field(header(first, "WWW-Authenticate"), "nonce")
        second = exchange(s, (to, port), message(
            2, f'Authorization: Digest username="{user}", realm="pbx", nonce="{nonce}", uri="{uri}", '
               f'response="{response(user, "pbx", password, nonce, uri)}", algorithm=MD5\r\n'), seconds)
        return int(second.split()[1]) if second else 0
