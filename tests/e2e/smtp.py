# SPDX-License-Identifier: GPL-2.0-or-later
"""A mail server that does what it is told, and else behaves."""

import socket
import ssl
import threading
import time


class Smtp:
    """`script` is called with each thing that a client has said ("connect", "EHLO", "MAIL", "RCPT", "DATA", "." …) and
    the session; it returns None to go on as a good server, or bytes to answer instead; "close" or "hang". `got` has
    the messages that were accepted, as (from, [to], bytes); `heard` the verbs."""

    def __init__(self, script=None, certificate=None, offer_tls=True, password=None):
        self.script = script or (lambda what, session: None)
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.offer_tls = offer_tls and self.tls is not None
        self.password = password
        self.got, self.heard, self.auth = [], [], []
        self.ending = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.ending:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def close(self):
        self.ending = True
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def serve(self, s):
        try:
            Session(self, s).run()
        except (OSError, ssl.SSLError, EOFError):
            pass
        finally:
            s.close()


class Session:
    def __init__(self, server, s):
        self.server, self.s, self.buffer = server, s, b""
        self.secure = False
        self.sender, self.to = None, []

    def line(self):
        while b"\r\n" not in self.buffer:
            got = self.s.recv(65536)
            if not got:
                raise EOFError
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def say(self, answer):
        self.s.sendall(answer + b"\r\n")

    def told(self, what):
        """True: the script has answered."""
        self.server.heard.append(what)
        answer = self.server.script(what, self)
        if answer is None:
            return False
        if answer == "close":
            raise EOFError
        if answer == "hang":
            while not self.server.ending:
                time.sleep(0.1)
            raise EOFError
        self.say(answer)
        return True

    def run(self):
        if not self.told("connect"):
            self.say(b"220 test ESMTP")
        while True:
            line = self.line()
            verb = line.split(b" ")[0].upper().decode(errors="replace")
            if self.told(verb):
                continue
            getattr(self, "do_" + verb.lower(), self.unknown)(line)

    def unknown(self, line):
        self.say(b"502 what?")

    def do_ehlo(self, line):
        words = [b"test", b"SIZE 10000000"]
        if self.server.offer_tls and not self.secure:
            words.append(b"STARTTLS")
        if self.server.password and (self.secure or not self.server.tls):
            words.append(b"AUTH PLAIN LOGIN")
        for word in words[:-1]:
            self.say(b"250-" + word)
        self.say(b"250 " + words[-1])

    def do_starttls(self, line):
        self.say(b"220 go")
        self.s = self.server.tls.wrap_socket(self.s, server_side=True)
        self.secure, self.buffer = True, b""

    def do_auth(self, line):
        import base64
        words = line.split(b" ")
        if len(words) < 3:
            self.say(b"334 ")
            words.append(self.line())
        user, password = base64.b64decode(words[2]).split(b"\0")[1:]
        self.server.auth.append((user.decode(), password.decode(), self.secure))
        good = (user.decode(), password.decode()) == self.server.password
        self.say(b"235 in" if good else b"535 5.7.8 wrong password")

    def do_mail(self, line):
        self.sender, self.to = line.split(b"<")[1].split(b">")[0].decode(), []
        self.say(b"250 ok")

    def do_rcpt(self, line):
        self.to.append(line.split(b"<")[1].split(b">")[0].decode())
        self.say(b"250 ok")

    def do_rset(self, line):
        self.say(b"250 ok")

    do_noop = do_rset

    def do_quit(self, line):
        self.say(b"221 bye")
        raise EOFError

    def do_data(self, line):
        self.say(b"354 go")
        lines = []
        while (one := self.line()) != b".":
            if len(lines) == 3 and self.told("in DATA"):
                return
            lines.append(one[1:] if one.startswith(b".") else one)
        message = b"\r\n".join(lines) + b"\r\n"
        self.server.last = message
        if self.told("."):
            return
        self.server.got.append((self.sender, self.to, message))
        self.say(b"250 taken")
