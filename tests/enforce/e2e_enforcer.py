# SPDX-License-Identifier: GPL-2.0-or-later
"""A real sekisho-enforcer in a real kernel: a PBX and the world on one cable, in namespaces of their own.

    e2e_enforcer.py SEKISHO_ENFORCER
"""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

if os.geteuid() != 0:
    print("1..0 # SKIP needs root")
    sys.exit(0)

from enforce import place
from enforce.place import PBX4, PBX6, OTHER4, sh

place.alone()

from e2e.tap import case, run  # noqa: E402 - not before we are alone
from enforce.wire import *  # noqa: E402,F403

BINARY = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
world = place.World("10.9.1.1", "10.9.1.2", "10.9.2.1", "10.9.2.2", "10.10.0.1", "10.10.0.2", "fd09:1::1", "fd09:1::2",
                    "fd09:1:0:5::1", "fd09:2::1", "fd09:1:1::1")
pbx = place.Pbx()
SIP_PORTS = ((UDP, 5060), (TCP, 5060))


@contextlib.contextmanager
def enforcing(never="", **more):
    """An enforcer with its SIP ports, and no trace of it behind it."""
    try:
        with Enforcer(BINARY, never, **more) as e:
            assert e.ports(*SIP_PORTS) == []
            e.unasked.clear()
            yield e
    finally:
        sh("nft flush ruleset")


def until(condition, seconds=3.0):
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return value


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answered(*sources, **more):
    return [s for s in sources if world.answered(s, **more)]


@case
def a_banned_host_is_not_heard_on_the_SIP_ports_and_is_elsewhere():
    with enforcing() as e:
        everybody = ["10.9.1.1", "10.9.1.2", "fd09:1::1", "fd09:1::2"]
        assert answered(*everybody) == everybody
        assert e.ban("10.9.1.1", "fd09:1::1") == []
        assert answered(*everybody) == ["10.9.1.2", "fd09:1::2"]
        assert answered(*everybody, port=7000) == everybody
        assert not world.connect("10.9.1.1") and world.connect("10.9.1.1", port=7000)
        counts = e.counts()
        assert counts["sip_hosts"] >= 3 and counts["every_hosts"] == counts["sip_nets"] == 0, counts
        assert e.unban("10.9.1.1", "fd09:1::1") == []
        assert answered(*everybody) == everybody


@case
def an_enforcer_that_was_primed_says_nothing_and_bans_as_ever():
    with enforcing() as e:
        for pause in (0, 0.00005, 0.01):
            for _ in range(3):
                e.send(PRIME)
            time.sleep(pause)
            assert e.ban("10.9.1.1") == []
            assert answered("10.9.1.1", "10.9.1.2") == ["10.9.1.2"]
            assert len(e.held()[0]) == 1
            assert e.unban("10.9.1.1") == []
        assert e.unasked == []
        before = cpu_s(e.pid)
        e.send(PRIME)
        time.sleep(0.5)
        assert cpu_s(e.pid) - before < 0.05, "it does not stay awake"


@case
def a_ban_of_everything_covers_every_port():
    with enforcing() as e:
        assert e.ban("10.9.1.1", "fd09:1::/64", "10.9.2.0/24", scope=EVERYTHING) == []
        sources = ["10.9.1.1", "fd09:1::1", "10.9.2.1", "10.9.1.2"]
        assert answered(*sources, port=7000) == answered(*sources) == ["10.9.1.2"]
        assert e.unban("10.9.1.1") == [] and answered("10.9.1.1") == [], "another scope's unban"
        assert e.unban("10.9.1.1", scope=EVERYTHING) == [] and answered("10.9.1.1")


@case
def established_flows_are_cut_at_once():
    # What lets a banned flow live on elsewhere: it is accepted before the ban is looked at.
    sh("nft add table inet other; nft add chain inet other in '{ type filter hook input priority 0; policy drop; }';"
       " nft add rule inet other in ct state established,related accept;"
       " nft add rule inet other in meta l4proto '{ udp, tcp }' accept; nft add rule inet other in meta l4proto icmpv6 accept")
    with enforcing() as e:
        tcp = world.connect("10.9.1.1")
        assert all(world.answered("10.9.1.1") for _ in range(3)) and world.talk(tcp)
        assert e.ban("10.9.1.1") == []
        assert not world.answered("10.9.1.1") and not world.talk(tcp)
        assert e.unban("10.9.1.1") == []
        assert world.answered("10.9.1.1")


@case
def fragments_of_a_banned_source_are_dropped_with_the_rest():
    with enforcing() as e:
        assert answered("10.9.1.1", "fd09:1::1", size=4000) == ["10.9.1.1", "fd09:1::1"]
        e.ban("10.9.1.1", "fd09:1::1")
        assert answered("10.9.1.1", "fd09:1::1", size=4000) == []


@case
def a_ban_ends_by_itself():
    with enforcing() as e:
        e.ban("10.9.1.1", "fd09:1::/64", "10.9.2.0/24", seconds=0.7)
        assert answered("10.9.1.1", "fd09:1::1", "10.9.2.1") == []
        assert until(lambda: len(answered("10.9.1.1", "fd09:1::1", "10.9.2.1")) == 3)
        assert e.held()[0] == {}


@case
def a_ban_is_renewed_longer_and_shorter():
    with enforcing() as e:
        for text, source in (("10.9.1.1", "10.9.1.1"), ("fd09:1::/64", "fd09:1::1"), ("10.9.2.0/24", "10.9.2.1")):
            assert e.ban(text, seconds=0.5) == [] and e.ban(text, seconds=600) == []
            time.sleep(0.7)
            assert not world.answered(source), text
            assert e.ban(text, seconds=0.3) == []
            assert until(lambda: world.answered(source)), text
            assert e.ban(text, seconds=0) == [] and not world.answered(source)
            assert e.held()[0] == {(text, SIP): 0}, "no end"
            e.unban(text)


@case
def networks_of_every_width_are_banned_and_set_free():
    with enforcing() as e:
        v6 = ["fd09:1::1", "fd09:1:0:5::1", "fd09:1:1::1", "fd09:2::1"]
        assert e.ban("fd09:1::/64") == [] and answered(*v6) == v6[1:]
        assert e.ban("fd09:1::/48") == [] and answered(*v6) == v6[2:]
        assert e.ban("fd09:1::/32") == [] and answered(*v6) == v6[3:]
        assert e.unban("fd09:1::/64", "fd09:1::/48", "fd09:1::/32") == [] and answered(*v6) == v6
        assert e.ban("fd09:1::/56") == [] and answered(*v6) == v6[2:]
        assert e.ban("10.9.0.0/16") == []
        assert answered("10.9.1.1", "10.9.2.1", "10.10.0.1") == ["10.10.0.1"]


@case
def networks_within_one_another_keep_their_own_ends():
    with enforcing() as e:
        assert e.ban("10.9.1.0/24", seconds=600) == []
        assert e.ban("10.9.0.0/16", seconds=0.6) == []
        assert e.ban("10.9.1.0/30", seconds=0.4) == []
        assert answered("10.9.1.1", "10.9.2.1") == []
        assert set(e.held()[0]) == {("10.9.1.0/24", SIP), ("10.9.0.0/16", SIP), ("10.9.1.0/30", SIP)}
        assert until(lambda: world.answered("10.9.2.1")) and not world.answered("10.9.1.1")
        assert set(e.held()[0]) == {("10.9.1.0/24", SIP)}
        assert e.unban("10.9.1.0/24") == [] and world.answered("10.9.1.1")


@case
def an_IPv4_mapped_address_is_the_IPv4_address():
    with enforcing() as e:
        assert e.ban("::ffff:10.9.1.1", "::ffff:10.9.2.0/120") == []
        assert answered("10.9.1.1", "10.9.2.1", "10.9.1.2") == ["10.9.1.2"]
        assert set(e.held()[0]) == {("10.9.1.1", SIP), ("10.9.2.0/24", SIP)}


@case
def never_ban_comes_first():
    with enforcing("10.9.1.1\nfd09:1::/64\n") as e:
        assert [(i, why) for i, why, _ in e.ban("10.9.1.1", "10.9.1.2", "fd09:1::2", "fd09:1::/64")] == [
            (0, IS_NEVER), (2, IS_NEVER), (3, IS_NEVER)]
        assert e.ban("10.9.0.0/16", "fd09:1::/32", scope=EVERYTHING) == [], "a wider network may be banned"
        assert answered("10.9.1.1", "10.9.1.2", "fd09:1::1", "fd09:1:1::1") == ["10.9.1.1", "fd09:1::1"]
        assert e.ask(NEVER, [network("10.9.1.2")]) == [] and world.answered("10.9.1.2")
        assert e.ban("10.9.1.2")[0][1] == IS_NEVER
        assert e.counts()["never"] >= 3


@case
def a_message_takes_off_never_ban_what_a_message_put_there_and_nothing_of_the_files():
    with enforcing("10.9.1.1\n") as e:
        assert e.ask(NEVER, [network("10.9.1.1"), network("10.9.1.2"), network("fd09:1::1")]) == []
        e.ban("10.9.0.0/16", "fd09:1::/64")
        assert answered("10.9.1.1", "10.9.1.2", "10.9.2.1", "fd09:1::1") == ["10.9.1.1", "10.9.1.2", "fd09:1::1"]
        assert e.ask(NEVER, [network("fd09:1::1")]) == []
        assert answered("10.9.1.1", "10.9.1.2", "fd09:1::1") == ["10.9.1.1", "fd09:1::1"], "at once"
        assert [(i, why) for i, why, _ in e.ban("10.9.1.1", "10.9.1.2", "fd09:1::1")] == [(0, IS_NEVER), (2, IS_NEVER)]
        assert e.ask(NEVER, []) == []
        assert answered("10.9.1.1", "10.9.1.2", "fd09:1::1") == ["10.9.1.1"], "the file's stays"
        sh("nft flush set inet sekisho never4")
        e.ban("10.9.2.1")
        assert answered("10.9.1.1", "10.9.1.2") == ["10.9.1.1"], "what was taken off does not come back"


@case
def the_machine_itself_is_never_banned():
    with enforcing() as e:
        refused = e.ban("127.0.0.1", "127.9.9.9", "::1", PBX4, PBX6, OTHER4)
        assert [why for _, why, _ in refused] == [IS_NEVER] * 6, refused


@case
def only_the_access_list_reaches_the_SIP_ports_once_there_is_one():
    with enforcing("10.9.2.2\n") as e:
        everybody = ["10.9.1.1", "10.9.2.1", "10.9.2.2", "fd09:1::1"]
        assert e.ask(ACCESS, [network("10.9.1.0/24")]) == []
        assert answered(*everybody) == ["10.9.1.1", "10.9.2.2"], "a family that is not mentioned is closed"
        assert answered(*everybody, port=7000) == everybody
        assert e.counts()["no_access"] == 2
        e.ban("10.9.1.1")
        assert answered(*everybody) == ["10.9.2.2"], "a ban beats the access list"
        assert e.ask(ACCESS, [network("0.0.0.0/0"), network("::/0")]) == []
        assert answered(*everybody) == everybody[1:]
        assert e.ask(ACCESS) == [] and answered(*everybody) == everybody[1:]


@case
def nothing_is_dropped_for_an_observed_switch_and_all_is_counted():
    with enforcing() as e:
        e.ban("10.9.1.1")
        e.ban("10.9.1.2", scope=EVERYTHING)
        assert e.ask(OBSERVE, [network(OTHER4)]) == []
        assert answered("10.9.1.1", "10.9.1.2", to=OTHER4) == ["10.9.1.1", "10.9.1.2"]
        assert e.counts()["observed"] == 2
        assert answered("10.9.1.1", "10.9.1.2") == []
        assert e.ask(OBSERVE) == [] and answered("10.9.1.1", to=OTHER4) == []


@case
def a_flushed_rule_set_is_restored_within_a_second():
    with enforcing("10.9.1.2\n") as e:
        e.ban("10.9.1.1", "10.9.1.2")
        e.ban("10.9.2.0/24")
        e.ask(ACCESS, [network("10.9.0.0/16")])
        for _ in range(3):
            began = time.monotonic()
            sh("nft flush ruleset")
            assert e.wait_for(DISTURBED, 1.0) == [struct.pack("!I", 1)]
            assert time.monotonic() - began < 1.0
            # What the daemon need not send again is there already.
            assert answered("10.9.1.2", "10.9.2.1", "10.10.0.1") == ["10.9.1.2"]
            assert e.ban("10.9.1.1") == [] and not world.answered("10.9.1.1")
        assert e.counts()["no_access"] == 1


@case
def changed_rules_are_laid_again_and_the_bans_stand_meanwhile():
    with enforcing() as e:
        e.ban("10.9.1.1")
        for damage in ("nft flush chain inet sekisho sip", "nft flush chain inet sekisho gate",
                       "nft insert rule inet sekisho gate accept", "nft add table inet sekisho '{ flags dormant; }'",
                       "nft flush table inet sekisho; sleep 0.1"):
            sh(damage)
            assert e.wait_for(DISTURBED, 1.0) == [struct.pack("!I", 2)], damage
            assert until(lambda: not world.answered("10.9.1.1")), damage
            assert set(e.held()[0]) == {("10.9.1.1", SIP)}, damage


@case
def what_others_do_in_their_own_tables_disturbs_nobody():
    with enforcing() as e:
        e.ban("10.9.1.1")
        sh("nft add table ip sekisho; nft add chain ip sekisho a; nft add table inet sekisho2;"
           " nft add set inet sekisho2 sip_hosts4 '{ type ipv4_addr; }'; nft delete table ip sekisho;"
           " nft delete table inet sekisho2; iptables-nft -A INPUT -j ACCEPT; iptables-nft -F")
        sh("nft delete table ip filter")
        assert set(e.held()[0]) == {("10.9.1.1", SIP)} and e.unasked == []


@case
def what_somebody_else_sets_free_is_told():
    with enforcing() as e:
        e.ban("10.9.1.1", "fd09:1::/64", "10.9.2.0/24")
        e.ban("10.9.1.1", scope=EVERYTHING)
        sh("nft delete element inet sekisho sip_nets64 '{ fd09:1:: }'")
        assert [read_network(r) for r in e.wait_for(REMOVED)] == [("fd09:1::/64", SIP)]
        lines = sh(f"{BINARY} --unban 10.9.1.1")
        assert lines == "10.9.1.1\n10.9.1.1 (everything)\n", lines
        told = [read_network(r) for r in e.wait_for(REMOVED)]
        if len(told) == 1:
            told += [read_network(r) for r in e.wait_for(REMOVED)]
        assert told == [("10.9.1.1", SIP), ("10.9.1.1", EVERYTHING)]
        assert sh(f"{BINARY} --unban 10.9.2.1") == "10.9.2.0/24\n", "the network that it lies in"
        assert [read_network(r) for r in e.wait_for(REMOVED)] == [("10.9.2.0/24", SIP)]
        assert answered("10.9.1.1", "10.9.2.1", "fd09:1::1") == ["10.9.1.1", "10.9.2.1", "fd09:1::1"]
        assert sh(f"{BINARY} --unban 10.9.2.1") == "not banned\n"
        assert e.held()[0] == {}


@case
def a_flushed_set_is_told_and_a_list_of_ours_is_filled_again():
    with enforcing("10.9.1.2\n") as e:
        e.ban("10.9.1.1")
        sh("nft flush set inet sekisho never4; nft flush set inet sekisho ports")
        assert until(lambda: not world.answered("10.9.1.1"))
        e.ban("10.9.0.0/16")
        assert answered("10.9.1.1", "10.9.1.2") == ["10.9.1.2"]
        many = [f"10.{20 + i // 250}.0.{i % 250}" for i in range(2500)]
        for i in range(0, len(many), 1000):
            assert e.ban(*many[i:i + 1000]) == []
        sh("nft flush set inet sekisho sip_hosts4")
        assert e.wait_for(DISTURBED) == [struct.pack("!I", 3)]


@case
def it_stands_among_the_rules_of_Docker_firewalld_and_ufw():
    # Fresh sources each time: flows that Docker translated stay so when its rules are gone.
    for name, bad, good in (("docker", "10.9.1.1", "10.9.1.2"), ("firewalld", "10.9.2.1", "10.9.2.2"),
                            ("ufw", "10.10.0.1", "10.10.0.2")):
        sh(f"nft -f {HERE}/rules/{name}.nft")
        with enforcing() as e:
            assert answered(bad, good) == [bad, good], name
            e.ban(bad)
            assert answered(bad, good) == [good], name
            # Each lays its own rules again, as it does when it is restarted.
            sh(f"nft -f {HERE}/rules/{name}.nft")
            assert answered(bad, good) == [good] and e.unasked == [], name
            e.unban(bad)
            assert world.answered(bad), name


@case
def bans_stand_when_the_enforcer_is_killed_and_another_goes_on():
    with enforcing("10.9.1.2\n") as e:
        e.ban("10.9.1.1", "10.9.2.0/24")
        os.kill(e.pid, signal.SIGKILL)
        assert answered("10.9.1.1", "10.9.2.1", "10.9.1.2") == ["10.9.1.2"]
        assert e.wait_for(READY)[0][:4] == b"\0\0\0\1", "the table stood"
        assert set(e.held()[0]) == {("10.9.1.1", SIP), ("10.9.2.0/24", SIP)}
        # A new one was told no ports yet: those that it found are in force.
        assert answered("10.9.1.1", "10.9.1.2") == ["10.9.1.2"]
        assert e.ports(*SIP_PORTS) == [] and e.unban("10.9.1.1", "10.9.2.0/24") == []
        assert answered("10.9.1.1", "10.9.2.1") == ["10.9.1.1", "10.9.2.1"]
        log = e.read_log()
        assert "enforcer-died" in log and "signal=9" in log, log


@case
def bans_stand_when_the_daemon_ends_and_the_enforcer_ends_with_it():
    with enforcing() as e:
        e.ban("10.9.1.1", "10.9.2.0/24")
        e.socket.close()
        assert e.gone() == 0
        assert answered("10.9.1.1", "10.9.2.1", "10.9.1.2") == ["10.9.1.2"]
        e.start()
        assert e.ready[0][:4] == b"\0\0\0\1"
        assert set(e.held()[0]) == {("10.9.1.1", SIP), ("10.9.2.0/24", SIP)}
        e.ports(*SIP_PORTS)
        e.unban("10.9.1.1", "10.9.2.0/24")
        assert answered("10.9.1.1", "10.9.2.1") == ["10.9.1.1", "10.9.2.1"]


@case
def a_captured_daemon_cannot_ban_the_world():
    with enforcing("10.9.1.1\nceiling ipv4 24\nnever-port 2222\n") as e:
        wide = ["0.0.0.0/0", "10.0.0.0/8", "10.9.0.0/16", "10.9.2.0/23", "::/0", "fd09::/16", "fd09::/31"]
        assert [why for _, why, _ in e.ban(*wide)] == [TOO_WIDE] * len(wide)
        assert e.ban("10.9.2.0/24", "fd09:2::/32") == []
        assert [w for _, w, _ in e.ask(NEVER, [network("0.0.0.0/0"), network("fd00::/8")])] == [TOO_WIDE] * 2
        assert [(i, w) for i, w, _ in e.ports((TCP, 22), (UDP, 5060), (TCP, 2222), (UDP, 0))] == [
            (0, NOT_PORT), (2, NOT_PORT), (3, NOT_PORT)]
        many = [f"10.{i // 256}.{i % 256}.0/24" for i in range(1100)]
        refused = e.ban(*many[:1000]) + e.ban(*many[1000:])
        assert refused and {w for _, w, _ in refused} == {NO_ROOM}, "networks are few"
        assert world.answered("10.9.1.1")


@case
def malformed_messages_end_the_enforcer_and_nothing_else():
    good = [ban("10.9.1.2", 600)]
    for name, bad in {
        "empty packet's header": b"\1", "version": message(BAN, 1, good, version=2), "type": message(99, 1),
        "an answer": message(DONE, 1), "length": message(BAN, 1, good, length=13), "count": message(BAN, 1, good, count=2),
        "too many": message(BAN, 1, good * 1025), "family": message(BAN, 1, [b"\5" + good[0][1:]]),
        "bits": message(BAN, 1, [b"\4\x21" + good[0][2:]]), "behind the prefix": message(BAN, 1, [b"\4\x08" + good[0][2:]]),
        "scope": message(BAN, 1, [good[0][:2] + b"\2" + good[0][3:]]), "time": message(BAN, 1, [good[0][:20] + b"\xff" * 8]),
        "protocol": message(PORTS, 1, [b"\1\0\x13\xc4"]), "long": b"\1" * 40000,
    }.items():
        with enforcing() as e:
            e.ban("10.9.1.1")
            e.socket.send(bad)
            assert e.wait_for(READY)[0][:4] == b"\0\0\0\1", name
            assert answered("10.9.1.1", "10.9.1.2") == ["10.9.1.2"], name


@case
def the_enforcer_has_no_privilege_but_CAP_NET_ADMIN():
    with enforcing() as e:
        with open(f"/proc/{e.pid}/status", encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        assert status["Uid"] == "\t".join(["65534"] * 4) and status["Gid"] == "\t".join(["65534"] * 4)
        assert status["Groups"].strip() == "" and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
        for which, bits in {"CapInh": 0, "CapPrm": 1 << 12, "CapEff": 1 << 12, "CapBnd": 0, "CapAmb": 0}.items():
            assert int(status[which], 16) == bits, which
        assert os.listdir(f"/proc/{e.pid}/root") == []
        kinds = {os.readlink(f"/proc/{e.pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{e.pid}/fd") if fd != "2"}
        assert kinds <= {"socket", "/dev/null"}, kinds


@case
def it_does_not_start_where_it_cannot_give_up_privilege():
    never = tempfile.NamedTemporaryFile()
    for user, why in (("root", "is root"), ("nobody-such", "no system account")):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        got = subprocess.run([BINARY, "--user", user, "--never-ban", never.name], capture_output=True, text=True,
                             close_fds=False, preexec_fn=lambda: os.dup2(theirs.fileno(), 3), timeout=20)
        assert got.returncode == 1 and why in got.stderr, got
    got = subprocess.run([BINARY, "--user", "nobody"], capture_output=True, text=True, timeout=20)
    assert got.returncode == 1 and "descriptor 3" in got.stderr


@case
def the_never_ban_file_is_roots_or_nothing_starts():
    with Enforcer(BINARY, "10.9.1.1\n", wait=False) as e:
        e.wait_for(READY)
        e.socket.close()
        e.gone()
        for damage, why in ((lambda: os.chmod(e.never, 0o664), "must belong to root"),
                            (lambda: (os.chmod(e.never, 0o644), os.chown(e.never, 65534, 0)), "must belong to root"),
                            (lambda: (os.chown(e.never, 0, 0), open(e.never, "a").write("10.9.1.1/8\n")), "line 2"),
                            (lambda: (os.unlink(e.never), os.symlink("/dev/null", e.never)), "cannot open"),
                            (lambda: (os.unlink(e.never), os.mkfifo(e.never)), "not a plain file")):
            damage()
            e.start(wait=False)
            assert e.gone() == 1 and why in e.read_log().splitlines()[-1], (why, e.read_log())
    sh("nft flush ruleset")


@case
def the_first_start_trusts_who_is_logged_in_by_SSH():
    os.environ["SSH_CONNECTION"] = "10.9.1.1 50022 10.9.0.1 22"
    try:
        with enforcing(None) as e:
            assert e.ban("10.9.1.1")[0][1] == IS_NEVER
            with open(e.never, encoding="utf-8") as f:
                assert "\n10.9.1.1  # SSH" in f.read()
            assert os.stat(e.never).st_mode & 0o777 == 0o644
            # Later starts read the file, and take nobody for the operator who just happens to be there.
            os.environ["SSH_CONNECTION"] = "10.9.1.2 50022 10.9.0.1 22"
            os.kill(e.pid, signal.SIGKILL)
            e.wait_for(READY)
            assert [why for _, why, _ in e.ban("10.9.1.1", "10.9.1.2")] == [IS_NEVER]
    finally:
        del os.environ["SSH_CONNECTION"]


@case
def the_packet_socket_sees_the_SIP_ports_and_no_more():
    with enforcing() as e:
        s = e.packet_socket()
        s.settimeout(0.5)
        assert answered("10.9.1.1", "fd09:1::1", port=7000) == ["10.9.1.1", "fd09:1::1"]
        try:
            seen = s.recv(65536)
            raise AssertionError(f"saw {seen!r}")
        except TimeoutError:
            pass
        seen = []
        for source, size in (("10.9.1.1", 8), ("fd09:1::1", 8), ("10.9.1.1", 4000)):
            world.answered(source, size=size)
            with contextlib.suppress(TimeoutError):
                while True:
                    seen.append(s.recv(65536)[0] >> 4)
        # There and back; then three fragments each way.
        assert seen[:4] == [4, 4, 6, 6] and len(seen) == 10, seen
        try:
            s.setsockopt(socket.SOL_SOCKET, 27, 0)  # SO_DETACH_FILTER
            raise AssertionError("the filter came off")
        except PermissionError:
            pass
        for _ in range(7):
            e.packet_socket().close()
        sequence = e.send(SOCKET)
        assert struct.unpack("!HBxI", e.wait_for(DONE, sequence=sequence)[0]) == (0, NO_SOCKET, 0)


@case
def the_kernels_view_is_read_back():
    with enforcing() as e:
        hosts = [f"10.{64 + i // 65536}.{i // 256 % 256}.{i % 256}" for i in range(20000)]
        for i in range(0, len(hosts), 1000):
            assert e.ban(*hosts[i:i + 1000]) == []
        e.ban("10.9.2.0/24", "fd09:1::/64", "fd09:2::1", seconds=0)
        held, interrupted = e.held()
        assert not interrupted and len(held) == 20003
        assert held["fd09:1::/64", SIP] == 0 and 590 < held["10.64.0.0", SIP] <= 600
        looked, _ = e.held(LOOK, [network(n) for n in ("10.64.0.1", "10.9.2.0/24", "10.9.1.1", "fd09:2::1")])
        assert set(looked) == {("10.64.0.1", SIP), ("10.9.2.0/24", SIP), ("fd09:2::1", SIP)}
        # What is asked meanwhile does not wait for the end of a reading.
        reading = e.send(READ)
        assert e.ban("10.9.1.1") == []
        e.wait_for(HELD_END, sequence=reading)


run()
