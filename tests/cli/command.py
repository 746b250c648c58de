# SPDX-License-Identifier: GPL-2.0-or-later
"""The command under test, and what it said."""
import json
import os
import pty
import subprocess

SEKISHO = os.environ.get("SEKISHO", "sekisho")


class Ran:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout.decode("utf-8", "surrogateescape")
        self.err = process.stderr.decode("utf-8", "surrogateescape")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def on_terminal(*words, env=None, typed=b""):
    """On a terminal of its own, where that was typed: its exit status, and all that stood there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(SEKISHO, [SEKISHO, *words], dict(os.environ, LC_ALL="C.UTF-8", **(env or {})))
    os.write(fd, typed)
    shown = b""
    while True:
        try:
            some = os.read(fd, 65536)
        except OSError:
            some = b""
        if not some:
            break
        shown += some
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode("utf-8", "replace")


def sekisho(*words, stdin=b"", env=None):
    whole = dict(os.environ, LC_ALL="C.UTF-8", **(env or {}))
    return Ran(subprocess.run([SEKISHO, *words], input=stdin, capture_output=True, env=whole,
                              timeout=60, check=False))
