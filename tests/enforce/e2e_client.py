# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's side and a real enforcer, through what befalls either: the kernel holds what it ought to.

    e2e_client.py SEKISHO_ENFORCER DRIVE_CLIENT [latency]
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

if os.geteuid() != 0:
    print("1..0 # SKIP needs root")
    sys.exit(0)

from enforce.place import alone, sh

alone()

from e2e.tap import case, run  # noqa: E402 - not before we are alone
from enforce.wire import children  # noqa: E402

BINARY, DRIVER = sys.argv[1:3]
sh("ip link set lo up")


class Driver:
    def __init__(self, never="", **more):
        self.never = tempfile.NamedTemporaryFile(mode="w")
        self.never.write(never)
        self.never.flush()
        self.log = tempfile.NamedTemporaryFile(mode="r")
        self.process = subprocess.Popen([DRIVER, BINARY, "nobody", self.never.name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=open(self.log.name, "w"), text=True, **more)
        self.lines = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.heard = []

    def listen(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        time.sleep(0.01)

    def wait(self, begin, seconds=10.0):
        """The next line that begins so; those before it are in `heard`."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"never said {begin!r}; heard {self.heard[-20:]}; {self.log.read()}") from None
            self.heard.append(line)
            if line.startswith(begin):
                return line

    def do(self, line, answer):
        self.say(line)
        return self.wait(answer)

    @property
    def keeper(self):
        return children(self.process.pid)[0]

    @property
    def enforcer(self):
        return children(self.keeper)[0]

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        log = self.log.read()
        assert "Sanitizer" not in log and "runtime error" not in log, log


@contextlib.contextmanager
def driving(**more):
    driver = Driver(**more)
    try:
        driver.wait("effective")
        yield driver
        driver.end()
    finally:
        if driver.process.poll() is None:
            driver.process.kill()
            driver.process.wait()
        sh("nft flush ruleset")


def in_kernel(set_="sip_hosts4"):
    return "elements" in sh(f"nft list set inet sekisho {set_}")


@case
def a_ban_is_effective_when_the_kernel_says_so():
    with driving() as d:
        d.do("ban 192.0.2.1 60000", "banned 192.0.2.1 0")
        assert in_kernel()
        d.do("ban 127.0.0.1 60000", "banned 127.0.0.1 3")
        d.do("ban 0.0.0.0/0 60000", "banned 0.0.0.0/0 2")
        d.do("unban 192.0.2.1", "unbanned 192.0.2.1 0")
        assert not in_kernel()
        d.do("port 22", "refused 6 0 4")
        d.say("never 192.0.2.9")
        d.do("ban 192.0.2.9 1000", "banned 192.0.2.9 3")
        d.do("socket", "socket yes")
        d.do("count", "dropped 0")


@case
def what_is_taken_off_never_ban_stays_off_it_whatever_dies():
    def never():
        return [a for a in ("192.0.2.9", "192.0.2.10") if a in sh("nft list set inet sekisho never4")]

    with driving() as d:
        d.say("never 192.0.2.9")
        d.do("ban 192.0.2.9 60000", "banned 192.0.2.9 3")
        assert never() == ["192.0.2.9"]
        d.say("never 192.0.2.10")
        d.do("ban 192.0.2.9 60000", "banned 192.0.2.9 0")
        d.do("ban 192.0.2.10 60000", "banned 192.0.2.10 3")
        d.say("never-none")
        d.do("ban 192.0.2.10 60000", "banned 192.0.2.10 0")
        d.do("ban 127.0.0.1 60000", "banned 127.0.0.1 3")
        assert never() == []
        os.kill(d.enforcer, signal.SIGKILL)
        d.wait("restoring")
        d.wait("effective")
        assert never() == [] and in_kernel()
        sh("nft flush ruleset")
        d.wait("disturbed 1")
        d.wait("effective")
        assert never() == [] and in_kernel()


@case
def what_was_flushed_is_in_the_kernel_again():
    with driving() as d:
        for text in ("192.0.2.1", "2001:db8::/64", "198.51.100.0/24"):
            d.do(f"ban {text} 60000", f"banned {text} 0")
        sh("nft flush ruleset")
        began = time.monotonic()
        d.wait("disturbed 1")
        d.wait("effective")
        assert time.monotonic() - began < 1
        assert in_kernel() and in_kernel("sip_nets64") and in_kernel("sip_nets4")


@case
def a_killed_enforcer_is_told_everything_again():
    with driving() as d:
        d.do("ban 192.0.2.1 60000", "banned 192.0.2.1 0")
        d.say("never 192.0.2.9")
        os.kill(d.enforcer, signal.SIGKILL)
        assert in_kernel()
        d.say("ban 192.0.2.2 60000")
        d.wait("restoring")
        d.wait("effective")
        listed = sh("nft list set inet sekisho sip_hosts4; nft list set inet sekisho never4")
        assert all(a in listed for a in ("192.0.2.1", "192.0.2.2", "192.0.2.9")), listed


@case
def an_enforcer_killed_with_its_keeper_is_started_again():
    with driving() as d:
        d.do("ban 192.0.2.1 60000", "banned 192.0.2.1 0")
        for pid in (d.keeper, d.enforcer):
            os.kill(pid, signal.SIGSTOP)
        both = [d.keeper, d.enforcer]
        for pid in both:
            os.kill(pid, signal.SIGKILL)
        d.wait("gone")
        assert in_kernel()
        d.wait("effective")
        d.do("unban 192.0.2.1", "unbanned 192.0.2.1 0")


@case
def its_keeper_hears_of_its_end_though_its_parents_ignored_such_signals():
    with driving(preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)) as d:
        keeper, enforcer = d.keeper, d.enforcer
        d.do("ban 192.0.2.1 60000", "banned 192.0.2.1 0")
        os.kill(enforcer, signal.SIGKILL)
        end = time.monotonic() + 8
        while children(keeper) in ([], [enforcer]) and time.monotonic() < end:
            time.sleep(0.02)
        assert d.keeper == keeper and children(keeper) not in ([], [enforcer]), d.log.read()
        d.do("ban 192.0.2.2 60000", "banned 192.0.2.2 0")
        assert in_kernel()


@case
def an_enforcer_that_hangs_is_ended_by_its_keeper_and_the_bans_stand():
    with driving() as d:
        d.do("ban 192.0.2.1 600000", "banned 192.0.2.1 0")
        hung = d.enforcer
        os.kill(hung, signal.SIGSTOP)
        d.say("ban 192.0.2.2 600000")
        time.sleep(12)
        assert d.enforcer == hung, "it may be only slow"
        assert in_kernel()
        d.wait("restoring", 20)
        d.wait("effective")
        assert d.enforcer != hung and not os.path.exists(f"/proc/{hung}")
        listed = sh("nft list set inet sekisho sip_hosts4")
        assert "192.0.2.1 " in listed and "192.0.2.2 " in listed, listed


@case
def one_that_is_not_asked_anything_for_long_does_not_hang():
    with driving() as d:
        idle = d.enforcer
        time.sleep(27)
        assert d.enforcer == idle
        d.do("ban 192.0.2.1 60000", "banned 192.0.2.1 0")


@case
def why_it_does_not_start_is_said():
    d = Driver("192.0.2.1\nnonsense\n")
    try:
        assert "line 2" in d.wait("error ")
        d.wait("gone")
    finally:
        d.process.kill()
        d.process.wait()


@case
def what_ought_not_to_stand_is_lifted():
    with driving() as d:
        for text in ("192.0.2.1", "192.0.2.2", "198.51.100.0/24", "198.51.0.0/16", "2001:db8::/48"):
            d.do(f"ban {text} 0", f"banned {text} 0")
        d.say("forget")
        d.do("ban 192.0.2.2 0", "banned")
        d.do("ban 198.51.0.0/16 0", "banned")
        # A new enforcer finds networks cut to pieces where they lie in one another.
        os.kill(d.enforcer, signal.SIGKILL)
        d.wait("restoring")
        d.wait("effective")
        listed = sh("nft list table inet sekisho")
        assert "192.0.2.2" in listed and "198.51.0.0/16" in listed, listed
        assert "192.0.2.1" not in listed and "2001:db8::" not in listed and "198.51.100" not in listed, listed


@case
def an_unban_by_hand_is_one():
    with driving() as d:
        d.do("ban 192.0.2.1 60000", "banned")
        d.do("ban 198.51.100.0/24 60000", "banned")
        sh(f"{BINARY} --unban 192.0.2.1; {BINARY} --unban 198.51.100.7")
        d.wait("removed 192.0.2.1")
        d.wait("removed 198.51.100.0/24")
        d.do("reconcile", "effective")
        assert not in_kernel() and not in_kernel("sip_nets4")


@case
def a_flushed_set_is_an_unban_of_all_that_was_in_it():
    with driving() as d:
        d.do("ban 198.51.100.0/24 600000", "banned 198.51.100.0/24 0")
        d.say("many 20000")
        d.wait("effective", 60)
        sh("nft flush set inet sekisho sip_hosts4")
        d.wait("disturbed 3", 60)
        d.wait("effective", 60)
        assert sum(line.startswith("removed 11.") for line in d.heard) == 20000, d.heard[-5:]
        assert not in_kernel() and in_kernel("sip_nets4")
        d.do("reconcile", "effective")
        assert not in_kernel() and in_kernel("sip_nets4")


@case
def a_hundred_thousand_bans_are_restored():
    with driving() as d:
        d.say("many 100000")
        d.wait("effective", 60)
        sh("nft flush ruleset")
        d.wait("disturbed 1")
        began = time.monotonic()
        d.wait("effective", 60)
        print(f"# restored and read back in {time.monotonic() - began:.2f} s", flush=True)
        # More at once than the queue holds was asked, and nothing is missing.
        sh("nft list set inet sekisho sip_hosts4 | grep -oE '11\\.[0-9]+\\.[0-9]+\\.[0-9]+' | sort -u | wc -l | grep -qx 100000")


if sys.argv[3:]:
    with driving() as d:
        print(d.do("latency 5000", "latency"), "ns: least, median, 99 of 100")
        sys.exit(0)
run()
