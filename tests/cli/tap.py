# SPDX-License-Identifier: GPL-2.0-or-later
"""Test Anything Protocol for the tests of the command: one line a case, the plan at the end."""
import json
import os
import subprocess
import sys

SEKISHO = os.environ.get("SEKISHO", "sekisho")
_count = 0
_failed = 0


def case(name, good, why=""):
    global _count, _failed
    _count += 1
    name = name.replace("#", "\\#").encode("unicode_escape").decode()
    print(f"{'ok' if good else 'not ok'} {_count} - {name}", flush=True)
    if not good:
        _failed += 1
        for line in str(why).splitlines():
            print(f"# {line}")
    return good


def same(name, got, want):
    return case(name, got == want, f"got  {got!r}\nwant {want!r}")


def skip(name, why):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {why}", flush=True)


def done():
    print(f"1..{_count}")
    sys.exit(1 if _failed else 0)


class Ran:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout.decode("utf-8", "surrogateescape")
        self.err = process.stderr.decode("utf-8", "surrogateescape")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def sekisho(*words, stdin=b"", env=None):
    whole = dict(os.environ, LC_ALL="C.UTF-8", **(env or {}))
    return Ran(subprocess.run([SEKISHO, *words], input=stdin, capture_output=True, env=whole,
                              timeout=60, check=False))
