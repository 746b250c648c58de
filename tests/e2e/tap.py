# SPDX-License-Identifier: GPL-2.0-or-later
"""Test Anything Protocol, one line a case. A script says check(), same() and attempt() as it goes
and done() at the end; or it marks functions with @case and lets run() try them all."""

import os
import sys
import traceback

_count = 0
_failed = 0
_cases = []


def check(name, good, why=""):
    """Returns whether it is good; `why` is told when it is not."""
    global _count, _failed
    _count += 1
    name = name.replace("#", "\\#").encode("unicode_escape").decode()
    print(f"{'ok' if good else 'not ok'} {_count} - {name}", flush=True)
    if not good:
        _failed += 1
        for line in str(why).splitlines():
            print(f"# {line[:2000]}", flush=True)
    return good


def same(name, got, want):
    return check(name, got == want, f"got  {got!r}\nwant {want!r}")


def attempt(name, function, *args):
    """A case fails when the function raises; what comes after it is tried all the same."""
    try:
        function(*args)
    except Exception:  # noqa: BLE001 - whatever it is, it is this case's failure
        return check(name, False, traceback.format_exc())
    return check(name, True)


def _exit():
    sys.exit(1 if _failed else 0)


def done():
    """The plan comes last, when it is known how many there were."""
    print(f"1..{_count}", flush=True)
    _exit()


def case(function):
    """Marks a function as a case; its name is the case's."""
    _cases.append(function)
    return function


def run():
    """All cases, or those whose names contain what CASES in the environment says: one of several, with | between them."""
    wanted = os.environ.get("CASES", "").split("|")
    chosen = [(name, function) for function in _cases
              if any(one in (name := function.__name__.replace("_", " ")) for one in wanted)]
    print(f"1..{len(chosen)}", flush=True)
    for name, function in chosen:
        attempt(name, function)
    _exit()
