# SPDX-License-Identifier: GPL-2.0-or-later
"""A real sekishod in a directory of its own, for the end-to-end tests, and a small TAP harness."""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ENDED = -1


class Daemon:
    """Starts sekishod on free ports; `config` is added to the configuration, section by section."""

    def __init__(self, binary, config=None, state=None, env=None, wait=True):
        self.binary = binary
        self.own_dir = state is None
        self.dir = state or tempfile.mkdtemp(prefix="sekishod-")
        self.state = os.path.join(self.dir, "state")
        self.conf = os.path.join(self.dir, "sekisho.conf")
        self.log_path = os.path.join(self.dir, "log")
        self.write_config(config or {})
        self.env = dict(os.environ, **(env or {}))
        self.env.pop("JOURNAL_STREAM", None)
        self.env.update(env or {})
        self.process = None
        self.start(wait)

    def write_config(self, config):
        sections = {"fastagi": {"listen": "127.0.0.1:0"}, "http": {"listen": "127.0.0.1:0"}}
        for section, keys in config.items():
            sections.setdefault(section, {}).update(keys)
        with open(self.conf, "w") as f:
            for section, keys in sections.items():
                f.write(f"[{section}]\n")
                for key, value in keys.items():
                    f.write(f"{key} = {value}\n")

    def start(self, wait=True):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*([self.binary] if isinstance(self.binary, str) else self.binary), "-c", self.conf, "--state-dir", self.state],
            stdout=subprocess.PIPE, stderr=self.log, env=self.env)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.words = ""
        self.agi = self.http = None
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            select.select([self.process.stdout], [], [], 0.2)
            self.words += (self.process.stdout.read() or b"").decode()
            found = re.search(r"FastAGI\s+127\.0\.0\.1:(\d+)", self.words)
            if found and "An account" in self.words:
                self.agi = int(found[1])
                http = re.search(r"HTTP API\s+http://127\.0\.0\.1:(\d+)", self.words)
                self.http = int(http[1]) if http else None
                return
            if self.process.poll() is not None:
                break
        raise RuntimeError(f"sekishod did not start: {self.words}{self.read_log()}")

    def read_log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def wait_log(self, text, seconds=20, since=0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if text in self.read_log()[since:]:
                return
            time.sleep(0.02)
        raise AssertionError(f"the log never said {text!r}:\n{self.read_log()[since:]}")

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(seconds)
        self.process.stdout.close()
        self.log.close()
        return status

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        """Whatever state it is in; a sanitizer's report in the log is a failure."""
        try:
            if self.process.poll() is None:
                self.stop(signal.SIGKILL)
            log = self.read_log()
        finally:
            if self.own_dir:
                shutil.rmtree(self.dir, ignore_errors=True)
        for word in ("AddressSanitizer", "runtime error", "LeakSanitizer", "ThreadSanitizer"):
            assert word not in log, log

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()


# ---- FastAGI ------------------------------------------------------------------------------------

def quote(part):
    if isinstance(part, str):
        part = part.encode()
    return "".join(chr(b) if chr(b).isascii() and (chr(b).isalnum() or chr(b) in "-_.!~*'()")
                   else f"%{b:02X}" for b in part)


def environment(account, number, remote="192.0.2.7", script=None, extra=""):
    """What Asterisk sends."""
    script = script or f"v1/authorize/{quote(account)}/{quote(remote)}/{quote(number)}"
    return (f"agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1/{script}\n"
            f"agi_channel: PJSIP/1001-00000001\nagi_language: en\nagi_type: PJSIP\n{extra}"
            f"agi_threadid: 1\n\n").encode()


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


def variables(data):
    return dict(re.findall(r'^SET VARIABLE (\w+) "([^"]*)"$', data.decode(), re.M))


def ask(port, account, number, **more):
    s = connect(port)
    s.sendall(environment(account, number, **more))
    answer = variables(read_all(s))
    s.close()
    return answer


def verdict(port, account, number, **more):
    """"allow unrestricted NATIONAL 0312345678"."""
    v = ask(port, account, number, **more)
    assert len(v) == 5, v
    return " ".join((v["SEKISHO_VERDICT"], v["SEKISHO_REASON"], v["SEKISHO_CLASS"],
                     v["SEKISHO_DIAL"])).strip()


# ---- TAP ----------------------------------------------------------------------------------------

cases = []


def case(function):
    """Marks a function as a case; its name is the case's."""
    cases.append(function)
    return function


def run():
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    for n, function in enumerate(cases, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {n} - {name}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {n} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    sys.exit(1 if failed else 0)
