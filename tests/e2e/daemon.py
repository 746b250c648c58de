# SPDX-License-Identifier: GPL-2.0-or-later
"""A real sekishod in a directory of its own, on ports that were free."""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from e2e.http import Client


class Daemon:
    """Is ready when it is made; `with` ends it, whatever state it is in.

    `binary` is a path, or a list when something is to start it. `config` is {section: {key: value}}, with
    {dir} for the directory `dir`, which with `open_to_all` is no secret of root's. `agi` and `http` are its
    ports, `api` asks it over HTTP, `words` is what it printed when it last started."""

    def __init__(self, binary, config=None, env=None, open_to_all=False):
        self.binary = binary
        self.dir = tempfile.mkdtemp(prefix="sekishod-")
        if open_to_all:
            os.chmod(self.dir, 0o755)
        self.state = os.path.join(self.dir, "state")
        self.conf = os.path.join(self.dir, "sekisho.conf")
        self.log_path = os.path.join(self.dir, "log")
        self.write_config(config or {})
        self.env = dict(os.environ)
        self.env.pop("JOURNAL_STREAM", None)
        self.env.update(env or {})
        self.process = None
        try:
            self.start()
        except BaseException:
            self.end()
            raise

    def write_config(self, config):
        sections = {"daemon": {"state_dir": self.state}, "fastagi": {"listen": "127.0.0.1:0"},
                    "http": {"listen": "127.0.0.1:0"},
                    "guard": {"enforce": "no"}}
        for section, keys in config.items():
            sections.setdefault(section, {}).update(keys)
        self.socket = sections["http"].get("socket", "{dir}/state/sekisho.sock").replace("{dir}", self.dir)
        with open(self.conf, "w", encoding="utf-8") as f:
            for section, keys in sections.items():
                f.write(f"[{section}]\n")
                for key, value in keys.items():
                    f.write(f"{key} = {value}\n".replace("{dir}", self.dir))

    def start(self):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*([self.binary] if isinstance(self.binary, str) else self.binary), "-c", self.conf],
            stdout=subprocess.PIPE, stderr=self.log, env=self.env)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.words = ""
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
                self.api = Client(self.socket, self.http)
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

    def complaints(self):
        """What a sanitizer said."""
        return [line for line in self.read_log().splitlines() if "Sanitizer" in line or "runtime error" in line]

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Returns the exit status."""
        self.api.close()
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
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            complaints, log = self.complaints(), self.read_log()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
        assert not complaints, log

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()
