# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard of a real sekishod with a real enforcer and a real kernel: who guesses passwords is dropped.

    e2e_guard.py SEKISHOD SEKISHO_ENFORCER SEKISHOD_SET_CLOCK

The last one's wall clock can be set: set_clock.c.
"""

import calendar
import contextlib
import ipaddress
import json
import os
import re
import signal
import sqlite3
import struct
import sys
import tempfile
import threading
import time

if os.geteuid() != 0:
    print("1..0 # SKIP needs root")
    sys.exit(0)

from enforce.place import PBX4, PBX6, World, alone, sh

alone()

from e2e.agi import verdict  # noqa: E402 - not before we are alone
from e2e.daemon import Daemon  # noqa: E402
from e2e.hep import Reporter  # noqa: E402
from e2e.segments import WAYS  # noqa: E402
from e2e.sip import Registrar  # noqa: E402
from e2e.tap import case, run  # noqa: E402
from e2e.tcp import free_port  # noqa: E402
from enforce.wire import children  # noqa: E402

SEKISHOD, ENFORCER, SET_CLOCK = map(os.path.abspath, sys.argv[1:4])
ATTACKERS = [f"10.9.1.{i}" for i in range(1, 90)]
PHONE, TRUSTED, PHONE6, ATTACKER6 = "10.9.2.1", "10.9.3.1", "fd09::2:1", "fd09::6:6"

world = World(*ATTACKERS, PHONE, TRUSTED, PHONE6, ATTACKER6)
work = tempfile.mkdtemp(prefix="guard-")
LOG = os.path.join(work, "security")
pbx = Registrar((PBX4, PBX6), {"1001": "right", "1002": "right"}, log=LOG)
fresh = iter(ATTACKERS)
ABROAD = "010252615123456"


def eventually(what, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return what()


def banned(address):
    """Whether the kernel holds it."""
    try:
        sets = sh("nft list table inet sekisho")
    except Exception:  # noqa: BLE001 - no table, no ban
        return False
    held = "".join(one for one in sets.split("\tset ") if re.match("(sip|every)_", one))
    return any(re.search(rf"(^|\s){re.escape(address)}(/64)?(\s|$)", one)
               for one in re.split("[,{\n]", held))


def packed(address):
    """As evidence.db names a host."""
    ip = ipaddress.ip_address(address)
    return bytes([ip.version]) + ip.packed + bytes([ip.max_prefixlen])


def status(daemon):
    return daemon.api.local("GET", "/v1/status").json


@contextlib.contextmanager
def guarding(never="", accounts=("1001",), binary=SEKISHOD, env=None, **config):
    """A daemon that watches by wire and log."""
    never_file = os.path.join(work, "never-ban")
    with open(never_file, "w", encoding="utf-8") as f:
        f.write(never)
    sections = {"guard": {"enforce": "yes", "enforcer": ENFORCER, "never_ban": never_file},
                "switch local": {"wire": "yes", "log": LOG}}
    for section, keys in config.items():
        sections.setdefault(section.replace("_", " "), {}).update(keys)
    with Daemon(binary, sections, env) as daemon:
        try:
            for name in accounts:
                answer = daemon.api.local("POST", "/v1/accounts", {"name": name})
                assert answer.status == 201, answer
            local = sections["switch local"]
            for witness in ("log", "wire", "hep"):
                if local.get(witness, "no") not in ("no", ""):
                    daemon.wait_log(f"event=witness switch=local witness={witness}")
            yield daemon
            daemon.stop()
        finally:
            if daemon.process.poll() is None:
                daemon.stop(signal.SIGKILL)
            time.sleep(0.1)
            sh("nft flush ruleset")


def attack(source, user="1001", times=5):
    """Guesses, some 40 a second, until there is no answer; returns how many were answered."""
    for i in range(times):
        if not world.register(source, user, f"guess{i}", seconds=0.3):
            return i
        time.sleep(0.02)
    return times


def may_call_abroad(daemon, account):
    answer = daemon.api.local("DELETE", f"/v1/accounts/{account}/rules/restrict/010")
    assert answer.status < 300, answer


@case
def who_guesses_is_dropped_at_the_threshold():
    source = next(fresh)
    with guarding() as d:
        assert attack(source, times=8) <= 6
        assert eventually(lambda: banned(source)), d.read_log()
        assert world.register(source, "1001", "right") == 0
        assert world.register(PHONE, "1002", "right") == 200
        d.wait_log(f"event=ban network={source} account=1001")
        assert "not-connected" not in str(status(d)), status(d)


@case
def ipv6_is_no_way_around():
    with guarding():
        attack(ATTACKER6, times=8)
        assert eventually(lambda: banned(ATTACKER6))
        assert world.register(PHONE6, "1001", "right") == 200


@case
def log_alone_only_quenches():
    source = next(fresh)
    with guarding(switch_local={"wire": "no"}) as d:
        attack(source, times=12)
        d.wait_log(f"event=quench network={source}")
        assert "event=ban" not in d.read_log()
        assert any("weak witness" in w for w in status(d)["warnings"]), status(d)


@case
def wire_may_only_prove_what_the_log_reports():
    source, unreported = next(fresh), next(fresh)
    with guarding(switch_local={"wire_reports": "no"}) as d:
        assert attack(source, times=12) < 12
        d.wait_log(f"event=ban network={source} account=1001")
        assert re.search(f"event=ban network={source} .*witness=log", d.read_log()), d.read_log()
        assert "event=quench" not in d.read_log()
        assert eventually(lambda: "weak witness" not in str(status(d))), status(d)
        assert witness(d, "wire")["trouble"] == "well", witness(d, "wire")
        assert eventually(lambda: banned(source)), d.read_log()
    with guarding(switch_local={"wire_reports": "no", "log": ""}) as d:
        assert attack(unreported, times=12) == 12
        assert "event=ban" not in d.read_log() and "event=quench" not in d.read_log(), d.read_log()
        assert witness(d, "wire")["seen"] >= 48
        assert witness(d, "wire")["trouble"] == "proves-nothing", witness(d, "wire")
        assert eventually(lambda: any("nobody is banned" in w for w in status(d)["warnings"])), status(d)


@case
def no_segmentation_hides_a_guess():
    sources = {way: next(fresh) for way in WAYS}
    with guarding(switch_local={"log": ""}) as d:
        answered = {way: world.guess(source, "1001", way, 30) for way, source in sources.items()}
        # What covers other bytes cannot be read, and malformed messages have a limit of their own.
        assert all(0 < n <= (22 if "covered" in way else 12) for way, n in answered.items()), (answered, d.read_log())
        assert eventually(lambda: all(map(banned, sources.values()))), (answered, d.read_log())
        assert world.register(PHONE, "1002", "right") == 200


def witness(daemon, name):
    return next(w for w in status(daemon)["guard"]["witnesses"] if w["witness"] == name)


@contextlib.contextmanager
def reporting(key=None, peers="127.0.0.1", **config):
    """A daemon that watches by HEP alone, and the PBX's reporter."""
    port, key_file = free_port(), os.path.join(work, "hep-key")
    keys = {"wire": "no", "log": "", "hep": f"127.0.0.1:{port}", "hep_from": peers}
    if key:
        with open(key_file, "w", encoding="utf-8") as f:
            f.write(key + "\n")
        keys["hep_key_file"] = key_file
    with guarding(switch_local=keys, **config) as d:
        pbx.report = Reporter(("127.0.0.1", port), key=key)
        try:
            yield d
        finally:
            pbx.report = None


@case
def hep_alone_bans_and_ipv6_too():
    source = next(fresh)
    with reporting() as d:
        assert attack(source, times=8) <= 6
        assert eventually(lambda: banned(source)), d.read_log()
        attack(ATTACKER6, times=8)
        assert eventually(lambda: banned(ATTACKER6)), d.read_log()
        assert world.register(PHONE, "1002", "right") == 200
        d.wait_log(f"event=ban network={source} account=1001")
        seen = witness(d, "hep")
        assert seen["attempts"] >= 11 and not seen["dropped"], seen


@case
def hep_with_the_wrong_key_or_none_is_counted_and_not_believed():
    source = next(fresh)
    with reporting(key="right-key") as d:
        to = pbx.report.to
        told = 0
        for key in ("wrong-key", "right-ke", "", None):
            pbx.report = Reporter(to, key=key)
            assert attack(source, times=8) == 8
            told += pbx.report.sent
        assert eventually(lambda: witness(d, "hep")["dropped"] == told), (told, witness(d, "hep"))
        assert witness(d, "hep")["attempts"] == 0
        assert "event=ban" not in d.read_log() and not banned(source)
        pbx.report = Reporter(to, key="right-key")
        assert attack(source, times=8) <= 6
        assert eventually(lambda: banned(source)), d.read_log()
        assert witness(d, "hep")["dropped"] == told, witness(d, "hep")


@case
def hep_of_who_is_not_listed_is_counted_and_not_believed():
    source = next(fresh)
    with reporting(peers="127.0.0.1") as d:
        to = pbx.report.to
        pbx.report = Reporter(to, source="127.0.0.2")
        assert attack(source, times=8) == 8
        told = pbx.report.sent
        assert eventually(lambda: witness(d, "hep")["dropped"] == told), (told, witness(d, "hep"))
        assert witness(d, "hep")["attempts"] == 0 and not banned(source), d.read_log()
        pbx.report = Reporter(to)
        assert attack(source, times=8) <= 6
        assert eventually(lambda: banned(source)), d.read_log()


@case
def a_flushed_ruleset_is_restored_and_a_killed_enforcer_replaced():
    source, later = next(fresh), next(fresh)
    with guarding() as d:
        attack(source, times=8)
        assert eventually(lambda: banned(source))
        sh("nft flush ruleset")
        assert eventually(lambda: banned(source), 2)
        keeper = children(d.process.pid)[0]
        os.kill(children(keeper)[0], signal.SIGKILL)
        assert banned(source)
        attack(later, times=8)
        assert eventually(lambda: banned(later), 10), d.read_log()


@case
def an_enforcer_that_hangs_is_told_of():
    source = next(fresh)
    with guarding() as d:
        hung = children(children(d.process.pid)[0])[0]
        os.kill(hung, signal.SIGSTOP)
        try:
            attack(source, times=8)
            assert eventually(lambda: any("does not answer" in p for p in status(d)["problems"]), 20), status(d)
            assert not banned(source)
        finally:
            os.kill(hung, signal.SIGCONT)
        assert eventually(lambda: banned(source)), d.read_log()
        assert eventually(lambda: status(d)["problems"] == [], 15), status(d)


@case
def why_there_is_no_enforcer_is_told():
    with guarding(never="nonsense\n", switch_local={"wire": "no"}) as d:
        said = "sekisho-enforcer has ended: "
        assert eventually(lambda: any(said in p and "line 1" in p for p in status(d)["problems"])), status(d)


@case
def nobody_is_banned_in_observe():
    source = next(fresh)
    with guarding(guard={"enforce": "observe"}) as d:
        assert attack(source, times=8) == 8
        d.wait_log(f"event=ban network={source}")
        assert "observed=yes" in d.read_log()
        assert not banned(source)
        assert any("only observes" in w for w in status(d)["warnings"])
    source = next(fresh)
    with guarding() as d:
        switch = d.api.local("GET", "/v1/switches/local")
        answer = d.api.local("PATCH", "/v1/switches/local", {"mode": "observe"},
                             {"If-Match": switch.headers["ETag"]})
        assert answer.status == 200, answer
        time.sleep(1.5)
        assert attack(source, times=8) == 8
        assert not banned(source)


@case
def what_is_never_banned_is_not():
    with guarding(never=f"{TRUSTED}\n") as d:
        assert attack(TRUSTED, times=8) == 8
        d.wait_log(f"event=exempt-attacks network={TRUSTED}")
        assert not banned(TRUSTED)


@case
def a_lockout_reaches_the_way_out():
    with guarding() as d:
        may_call_abroad(d, 1)
        assert verdict(d.agi, "1001", ABROAD).startswith("allow")
        for _ in range(6):
            attack(next(fresh), times=2)
        d.wait_log("event=international-locked")
        # Nobody is known to be good yet, so that only calls abroad end.
        assert verdict(d.agi, "1001", "0312345678").startswith("allow unrestricted")
        assert verdict(d.agi, "1001", ABROAD).startswith("deny stopped"), "abroad"
        assert verdict(d.agi, "1001", "110").startswith("allow emergency")


@case
def without_an_enforcer_it_runs_and_says_so():
    with Daemon(SEKISHOD, {"guard": {"enforce": "yes", "enforcer": "/nonexistent/enforcer"}}) as d:
        time.sleep(1.2)
        warnings = status(d)["warnings"]
        assert any("nobody is dropped in the kernel" in w and "/nonexistent" in w for w in warnings), warnings
        assert d.api.local("GET", "/healthz").status == 200
        assert d.stop() == 0


@case
def bans_outlive_a_restart_and_a_kill():
    stopped, killed = next(fresh), next(fresh)
    with guarding() as d:
        attack(stopped, times=8)
        assert eventually(lambda: banned(stopped)), d.read_log()
        d.stop()
        sh("nft flush ruleset")
        d.start()
        # Before it said that it is ready.
        assert banned(stopped), d.read_log()
        attack(killed, times=8)
        assert eventually(lambda: banned(killed))
        time.sleep(2.5)
        attack(next(fresh), times=2)
        d.process.kill()
        d.process.wait()
        assert banned(killed), "what the kernel holds stands"
        sh("nft flush ruleset")
        d.start()
        assert banned(stopped) and banned(killed), d.read_log()
        assert world.register(killed, "1001", "right") == 0
        assert world.register(PHONE, "1002", "right") == 200


@case
def a_ban_that_was_not_written_down_outlives_a_kill():
    """The disk is held, so that it is surely lost: with the enforcer alone, sekishod alone, and both."""
    lifted = next(fresh)
    with guarding() as d:
        for which in ("enforcer", "daemon", "both"):
            source, evidence = next(fresh), os.path.join(d.state, "evidence.db")
            attack(lifted, times=8)
            assert eventually(lambda: banned(lifted)), d.read_log()
            with contextlib.closing(sqlite3.connect(evidence, isolation_level=None)) as disk:
                disk.execute("BEGIN IMMEDIATE")
                attack(source, times=8)
                assert eventually(lambda: banned(source)), d.read_log()
                assert d.api.local("DELETE", f"/v1/bans/{lifted}").status == 204
                if which != "daemon":
                    os.kill(children(children(d.process.pid)[0])[0], signal.SIGKILL)
                if which != "enforcer":
                    d.process.kill()
                    d.process.wait()
                disk.execute("ROLLBACK")
                if which != "enforcer":
                    assert disk.execute("SELECT count(*) FROM bans WHERE network = ?", (packed(source),)).fetchone() == (0,)
            if which != "enforcer":
                # As if nobody had heard of it before the kill.
                sh(f"nft add element inet sekisho sip_hosts4 '{{ {lifted} timeout 600s }}'")
                d.start()
            assert eventually(lambda: status(d)["guard"]["enforcer"]["state"] == "effective"), status(d)
            assert banned(source) and not banned(lifted), d.read_log()
            ban = d.api.local("GET", f"/v1/bans/{source}").json
            adopted = ["adopted", "guard", None, None, 0]
            told = [ban[key] for key in ("attack", "by", "switch", "witness", "level")]
            assert (told == adopted) == (which != "enforcer"), ban
            assert 500 < ban["seconds"] <= 600 and utc(ban["until"]) - time.time() < 601, ban
            assert world.register(source, "1001", "right", 0.2) == 0
            before = len(d.read_log())
        # Whatever is known of it now is written down.
        d.stop()
        sh("nft flush ruleset")
        d.start()
        d.wait_log("event=witness switch=local witness=wire", since=before)
        assert d.api.local("GET", f"/v1/bans/{source}").json["attack"] == "adopted" and banned(source)
        assert "no record says why" in json.dumps(d.api.local("GET", f"/v1/why?address={source}").json)
        assert d.api.local("DELETE", f"/v1/bans/{source}").status == 204
        assert eventually(lambda: world.register(source, "1002", "right", 0.1) == 200, 3), d.read_log()


@case
def a_storm_of_restarts_lets_nobody_through():
    held, guesser, over, answers, through = next(fresh), next(fresh), threading.Event(), [], []
    with guarding() as d:
        attack(held, times=8)
        assert eventually(lambda: banned(held)), d.read_log()
        time.sleep(0.5)  # a decision is written down at once, but not before it is carried out

        def go_on():
            while not over.is_set():
                through.append(world.register(held, "1002", "right", 0.05))
                answers.append(world.register(guesser, "1001", "wrong", 0.05))

        attacker = threading.Thread(target=go_on)
        attacker.start()
        took = []
        try:
            for i in range(10):
                if i % 2:
                    d.stop()
                else:
                    d.process.kill()
                    d.process.wait()
                begun = time.monotonic()
                d.start()
                took.append(time.monotonic() - begun)
                assert banned(held), (i, d.read_log())
            assert eventually(lambda: banned(guesser), 10), d.read_log()
        finally:
            over.set()
            attacker.join()
        print(f"# ready after {min(took):.2f} to {max(took):.2f} s", flush=True)
        assert not any(through), through
        before = sum(map(bool, answers))
        sh("nft flush ruleset")
        assert eventually(lambda: banned(held) and banned(guesser)), d.read_log()
        assert attack(guesser, times=3) == 0 and before, before
        assert sorted(took)[5] < 3, took  # sanitizers take their time


@contextlib.contextmanager
def full(place):
    """Not a byte is left."""
    filler = os.open(os.path.join(place, "filler"), os.O_WRONLY | os.O_CREAT)
    size = 65536
    while size:
        try:
            os.write(filler, b"x" * size)
        except OSError:
            size //= 2
    os.close(filler)
    try:
        yield
    finally:
        os.unlink(os.path.join(place, "filler"))


@case
def a_full_disk_costs_no_ban():
    before, meanwhile, place = next(fresh), next(fresh), os.path.join(work, "small")
    os.mkdir(place)
    sh(f"mount -t tmpfs -o size=8m,mode=755 small {place}")
    with guarding(daemon={"state_dir": place}, http={"socket": f"{place}/sekisho.sock"}) as d:
        attack(before, times=8)
        assert eventually(lambda: banned(before)), d.read_log()
        with full(place):
            assert attack(meanwhile, times=8) <= 6
            assert eventually(lambda: banned(meanwhile)), d.read_log()
            assert eventually(lambda: "the disk is full" in str(status(d)["warnings"]), 20), (status(d), d.read_log())
            assert world.register(PHONE, "1002", "right") == 200
            time.sleep(3)
            assert banned(before) and banned(meanwhile), d.read_log()
        assert eventually(lambda: "the disk is full" not in str(status(d)), 30), (status(d), d.read_log())
        time.sleep(2.5)
        d.process.kill()
        d.process.wait()
        sh("nft flush ruleset")
        d.start()
        assert banned(before) and banned(meanwhile), d.read_log()


def utc(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


@case
def what_is_restored_ends_when_it_would_have_ended():
    source = next(fresh)
    with guarding(accounts=("1001", "1002"), guard={"ban": 12, "lockout": 12, "account_count": 6, "account_window": 10}) as d:
        def until(path, name, key):
            items = d.api.local("GET", path).json["items"]
            return next((utc(one["until"]) for one in items if one[key] == name), None)

        def far():
            return verdict(d.agi, "1002", ABROAD).split()[0]

        holds = {"kernel": lambda: banned(source), "bans": lambda: until("/v1/bans", source, "network"),
                 "lockouts": lambda: until("/v1/lockouts", "1002", "account"), "way out": lambda: far() == "deny"}
        may_call_abroad(d, 2)
        assert far() == "allow"
        attack(source, times=8)
        for _ in range(3):
            attack(next(fresh), "1002", times=2)
        assert eventually(lambda: all(held() for held in holds.values())), d.read_log()
        ends = {"kernel": until("/v1/bans", source, "network"), "lockouts": until("/v1/lockouts", "1002", "account")}
        ends.update({"bans": ends["kernel"], "way out": ends["lockouts"]})
        d.stop()
        sh("nft flush ruleset")
        time.sleep(max(0.0, ends["kernel"] - 6 - time.time()))
        d.start()
        assert time.time() < ends["kernel"] - 1, "too slow a machine to tell"
        assert all(held() for held in holds.values()), (holds, d.read_log())
        assert (until("/v1/bans", source, "network"), until("/v1/lockouts", "1002", "account")) == \
            (ends["kernel"], ends["lockouts"])
        over = {}
        while len(over) < len(holds) and time.time() < max(ends.values()) + 4:
            over.update({name: time.time() for name, held in holds.items() if name not in over and not held()})
            time.sleep(0.05)
        late = {name: over.get(name, 0) - ends[name] for name in holds}
        assert all(-1.5 < seconds < 2.5 for seconds in late.values()), (late, d.read_log())
        assert world.register(source, "1001", "right") == 200


@case
def a_clock_that_is_set_by_hours_ends_nothing_and_prolongs_nothing():
    """Forwards and back under way, and between a stop and the start behind it."""
    clock = os.path.join(work, "clock")

    def is_off(hours):
        with open(clock, "r+b" if os.path.exists(clock) else "wb") as f:
            f.write(struct.pack("=q", hours * 3600))

    is_off(0)
    with guarding(accounts=("1001", "1002", "1003"), binary=SET_CLOCK, env={"SEKISHO_TEST_WALL": clock},
                  guard={"ban": 10, "lockout": 10, "account_count": 6, "account_window": 10}) as d:
        may_call_abroad(d, 2)
        may_call_abroad(d, 3)
        late = {}
        for hours, account in ((5, "1002"), (-7, "1003")):
            source = next(fresh)
            holds = {"kernel": lambda: banned(source),  # noqa: B023 - all are over before the next turn
                     "bans": lambda: d.api.local("GET", f"/v1/bans/{source}").status == 200,  # noqa: B023
                     "lockouts": lambda: d.api.local("GET", f"/v1/lockouts/local/{account}").status == 200,  # noqa: B023
                     "way out": lambda: verdict(d.agi, account, ABROAD).split()[0] == "deny"}  # noqa: B023
            begun = time.monotonic()
            attack(source, times=8)
            for _ in range(3):
                attack(next(fresh), account, times=2)
            assert eventually(lambda: all(held() for held in holds.values())), d.read_log()  # noqa: B023
            made = time.monotonic()
            is_off(hours)
            over = {}
            while len(over) < len(holds) and time.monotonic() < made + 15:
                over.update({name: time.monotonic() for name, held in holds.items() if name not in over and not held()})
                time.sleep(0.05)
            for name in holds:
                end = over.get(name, 1e9)
                late[hours, name] = "early" if end < begun + 9 else "late" if end > made + 13 else ""
        assert not any(late.values()), (late, d.read_log())
        kept = next(fresh)
        assert d.api.local("POST", "/v1/bans", {"network": kept}).status == 201
        time.sleep(0.5)
        for hours in (3, -4, 0):
            d.stop()
            is_off(hours)
            d.start()
            assert banned(kept), (hours, d.read_log())


@case
def the_operators_word_reaches_the_kernel():
    lifted, trusted, toucher, stranger = (next(fresh) for _ in range(4))
    with guarding() as d:
        api = d.api.local
        attack(lifted, times=8)
        assert eventually(lambda: banned(lifted)), d.read_log()
        assert api("DELETE", f"/v1/bans/{lifted}").status == 204
        assert eventually(lambda: not banned(lifted), 2)
        assert world.register(lifted, "1002", "right") == 200
        answer = api("POST", "/v1/bans", {"network": stranger, "note": "noise"})
        assert answer.status == 201, answer
        assert eventually(lambda: banned(stranger), 2)
        answer = api("PUT", f"/v1/never-ban/{trusted}", {})
        assert answer.status == 201, answer
        time.sleep(0.3)
        assert attack(trusted, times=8) == 8
        assert not banned(trusted)
        answer = api("PUT", "/v1/canaries/local/9999", {})
        assert answer.status == 201, answer
        time.sleep(0.3)
        attack(toucher, "9999", times=1)
        d.wait_log(f"event=ban network={toucher}")
        answer = api("PUT", "/v1/access/10.9.2.0%2F24?consent=ipv6-closed", {})
        assert answer.status == 201, answer
        outsider = next(fresh)
        assert eventually(lambda: world.register(outsider, "1002", "right", 0.1) == 0, 3)
        assert world.register(PHONE, "1002", "right") == 200


@case
def a_ban_that_is_lifted_by_hand_stays_lifted():
    host, network, kept, guessed = next(fresh), "10.9.9.0/24", next(fresh), next(fresh)
    with guarding() as d:
        api = d.api.local
        for one in (host, network, kept):
            assert api("POST", "/v1/bans", {"network": one}).status == 201
        attack(guessed, times=8)
        assert eventually(lambda: all(map(banned, (host, network, kept, guessed)))), d.read_log()
        sh("nft flush ruleset")  # lifts nothing
        assert eventually(lambda: all(map(banned, (host, network, kept, guessed)))), d.read_log()
        sh(f"nft delete element inet sekisho sip_hosts4 '{{ {host} }}'; {ENFORCER} --unban 10.9.9.9; {ENFORCER} --unban {guessed}")

        def lifts():
            records = api("GET", "/v1/audit").json["items"]
            return {one["object"] for one in records if (one["action"], one["by"]) == ("ban.lift", "sekishod")}

        assert eventually(lambda: lifts() == {f"ban:{host}", f"ban:{network}"}), (lifts(), d.read_log())
        d.process.kill()
        d.process.wait()
        d.start()
        assert eventually(lambda: banned(kept)), d.read_log()
        time.sleep(0.5)
        assert not any(map(banned, (host, network))), d.read_log()
        assert d.api.local("GET", f"/v1/bans/{host}").status == 404
        assert world.register(host, "1002", "right") == 200


@case
def what_was_answered_to_be_lifted_is_whatever_happens_then():
    """Killed right after the answer, when it was just decided, and when that had long been written down."""
    mine, theirs = next(fresh), next(fresh)
    held = {f"bans/{mine}": lambda d: banned(mine), f"bans/{theirs}": lambda d: banned(theirs),
            "lockouts/local/1002": lambda d: verdict(d.agi, "1002", ABROAD).startswith("deny stopped")}
    with guarding(accounts=("1001", "1002"), guard={"account_count": 6}) as d:
        may_call_abroad(d, 2)
        for path, is_held in held.items():
            for wait in (0, 0.6, 2.5):
                if "lockouts" in path:
                    for _ in range(3):
                        attack(next(fresh), "1002", times=2)
                elif mine in path:
                    assert d.api.local("POST", "/v1/bans", {"network": mine}).status == 201
                else:
                    attack(theirs, times=8)
                assert eventually(lambda: is_held(d)), (path, wait, d.read_log())
                time.sleep(wait)
                assert d.api.local("DELETE", f"/v1/{path}").status == 204, (path, wait, d.read_log())
                d.process.kill()
                d.process.wait()
                if "bans" in path:
                    assert eventually(lambda: not is_held(d), 1), "the enforcer had been told"
                before = len(d.read_log())
                d.start()
                d.wait_log("event=witness switch=local witness=wire", since=before)
                answer = d.api.local("GET", f"/v1/{path}")
                assert answer.status == 404 and not is_held(d), (path, wait, answer.json, d.read_log()[-1800:])


@case
def who_is_taken_off_never_ban_is_dropped_like_anybody():
    source = next(fresh)
    with guarding(never=f"{TRUSTED}\n") as d:
        api = d.api.local

        def never():
            return [one for one in (source, TRUSTED) if f"{one} " in re.sub("[,}]", " ", sh("nft list set inet sekisho never4"))]

        assert api("PUT", f"/v1/never-ban/{source}", {}).status == 201
        assert eventually(lambda: never() == [source, TRUSTED], 2), never()
        assert attack(source, times=8) == 8
        assert api("DELETE", f"/v1/never-ban/{source}").status == 204
        assert eventually(lambda: never() == [TRUSTED], 2), never()
        assert api("DELETE", f"/v1/never-ban/{TRUSTED}").status == 404, "root's file has it"
        assert attack(source, times=8) <= 6
        assert eventually(lambda: banned(source)), d.read_log()
        assert attack(TRUSTED, times=8) == 8
        assert status(d)["problems"] == [] and "event=ban-refused" not in d.read_log()


@case
def a_program_is_told():
    source, told = next(fresh), os.path.join(work, "told")
    program = os.path.join(work, "program")
    with open(program, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\ncat >> {told}\n")
    os.chmod(program, 0o755)
    os.chmod(work, 0o777)
    with open(told, "w", encoding="utf-8"):
        os.chmod(told, 0o666)
    with guarding(guard={"hook": program}) as d:
        attack(source, times=8)
        d.wait_log(f"event=ban network={source}")
        assert eventually(lambda: os.path.getsize(told)), d.read_log()
        with open(told, encoding="utf-8") as f:
            one = json.loads(f.readline())
        assert (one["event"], one["network"], one["switch"]) == ("ban", source, "local"), one


run()
