#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The process sekishod: how it starts, is told things, lives through misfortune, and ends."""

import glob
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time

from e2e import loopback
from e2e.agi import environment, variables, verdict
from e2e.daemon import Daemon
from e2e.tap import case, run
from e2e.tcp import connect, read_all

loopback.own()
BINARY = sys.argv[1]
NATIONAL = "allow unrestricted NATIONAL 0312345678"
SOMALIA = "deny restricted INTERNATIONAL"
EMERGENCY = "allow emergency EMERGENCY 110"


def call(*args, **more):
    return subprocess.run([BINARY, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=30, **more)


def config_file(text):
    """Without an enforcer: these tests are not in a namespace."""
    f = tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False)
    f.write(text if "[guard]" in text else text + "[guard]\nenforce = no\n")
    f.close()
    return f.name


def refused_start(state, config=None):
    """Starts a second daemon that must not start; returns its one sentence."""
    path = config_file(config or "[fastagi]\nlisten = 127.0.0.1:0\n[http]\nlisten = 127.0.0.1:0\n")
    done = call("-c", path, "--state-dir", state)
    os.unlink(path)
    assert done.returncode == 1, done
    lines = [line for line in done.stderr.splitlines() if not line.startswith("time=")]
    assert len(lines) == 1 and lines[0].startswith("sekishod: "), done.stderr
    assert "Traceback" not in done.stdout and "FastAGI" not in done.stdout
    return lines[0]


class ApiError(Exception):
    pass


def api(daemon, method, path, body=None):
    """Over the Unix socket, as the operator."""
    answer = daemon.api.local(method, path, body)
    if answer.status >= 400 and path != "/healthz":
        raise ApiError(f"{answer.status} {answer.raw.decode()}")
    return answer.json


# ---- Starting -----------------------------------------------------------------------------------

@case
def the_first_start_tells_the_token_once():
    with Daemon(BINARY) as d:
        token = re.search(r"sekisho_[A-Za-z0-9_-]+", d.words)
        assert token and "First start" in d.words and "account add 1001" in d.words
        assert token[0] not in d.read_log()
        assert stat.S_IMODE(os.stat(d.state).st_mode) == 0o750
        assert d.stop() == 0
        d.start()
        assert "First start" not in d.words and "sekisho_" not in d.words


def first_start_into_a_file(journal):
    """What is in the file, and the secret that is not."""
    with tempfile.TemporaryDirectory() as dir:
        path, token = os.path.join(dir, "log"), os.path.join(dir, "state", "operator-token")
        with open(path, "wb") as log:
            st = os.fstat(log.fileno())
            conf = config_file("[fastagi]\nlisten = 127.0.0.1:0\n[http]\nlisten = 127.0.0.1:0\n")
            env = dict(os.environ)
            env.pop("JOURNAL_STREAM", None)
            if journal:
                env["JOURNAL_STREAM"] = f"{st.st_dev}:{st.st_ino}"
            p = subprocess.Popen([BINARY, "-c", conf, "--state-dir", dir + "/state"], stdout=log, stderr=log, env=env)
            end = time.monotonic() + 20
            while time.monotonic() < end and "first-token" not in open(path).read():
                time.sleep(0.05)
            p.terminate()
            assert p.wait(20) == 0
            os.unlink(conf)
        text = open(path).read()
        assert stat.S_IMODE(os.stat(token).st_mode) == 0o600
        secret = open(token).read().strip()
        assert secret.startswith("sekisho_") and secret not in text, text
        return text, token


@case
def a_journal_never_sees_the_token():
    text, _ = first_start_into_a_file(True)
    assert all(re.match(r"<[3467]>level=", line) for line in text.splitlines()), text


@case
def a_file_never_sees_the_token_but_where_it_is():
    text, token = first_start_into_a_file(False)
    assert f"the operator's token is in {token}\n" in text and "account add 1001" in text, text


@case
def version_and_help_and_wrong_options():
    assert re.fullmatch(r"sekishod \d+\.\d+\.\d+\n", call("--version").stdout)
    assert "SIGHUP" in call("--help").stdout
    for args in (["--nonsense"], ["extra"], ["--state-dir", "relative"], ["--print-config=x"]):
        done = call(*args)
        assert done.returncode == 1 and done.stderr and not done.stdout, done


@case
def a_second_daemon_on_the_same_state_is_refused():
    with Daemon(BINARY) as d:
        sentence = refused_start(d.state)
        assert d.state in sentence, sentence
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        assert api(d, "GET", "/healthz")["status"] == "ok"


@case
def a_port_in_use_is_a_sentence_and_costs_nothing():
    with tempfile.TemporaryDirectory() as dir, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        for section, other in (("fastagi", "http"), ("http", "fastagi")):
            sentence = refused_start(dir, f"[{section}]\nlisten = 127.0.0.1:{port}\n"
                                          f"[{other}]\nlisten = 127.0.0.1:0\n")
            assert f"127.0.0.1:{port}" in sentence and f"{section}.listen" in sentence \
                and "in use" in sentence, sentence
            assert os.listdir(dir) == [], os.listdir(dir)


@case
def a_state_directory_that_cannot_be():
    with tempfile.TemporaryDirectory() as dir:
        assert "No such file" in refused_start(dir + "/a/b")
        open(dir + "/file", "w").close()
        assert "not a directory" in refused_start(dir + "/file")


@case
def a_store_that_is_none_is_refused_and_left_alone():
    with tempfile.TemporaryDirectory() as dir:
        path = os.path.join(dir, "sekisho.db")
        with open(path, "wb") as f:
            f.write(b"this is not a database" * 1000)
        before = open(path, "rb").read()
        assert "sekisho.db" in refused_start(dir)
        assert open(path, "rb").read() == before


@case
def a_damaged_store_is_refused():
    with Daemon(BINARY) as d:
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        assert d.stop() == 0
        path = os.path.join(d.state, "sekisho.db")
        size = os.path.getsize(path)
        with open(path, "r+b") as f:
            f.seek(100)
            f.write(b"\xff" * (size - 100))
        assert "sekisho.db" in refused_start(d.state)


@case
def a_store_of_a_newer_version_is_refused():
    with Daemon(BINARY) as d:
        assert d.stop() == 0
        path = os.path.join(d.state, "sekisho.db")
        db = sqlite3.connect(path)
        db.execute(f"PRAGMA user_version = {db.execute('PRAGMA user_version').fetchone()[0] + 1}")
        db.close()
        assert "newer" in refused_start(d.state)


# ---- Configuration ------------------------------------------------------------------------------

@case
def check_config_tells_all_faults():
    path = config_file("[daemon]\nlog_level = loud\n[fastagi]\nlisten = foo\n[nope]\n"
                       "[trunk a]\nemergency = no\n")
    done = call("-c", path, "--check-config")
    name = os.path.basename(path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 5, done.stderr
    assert f"{name}:2: daemon.log_level: \"loud\" does not fit" in done.stderr
    assert f"{name}:4: fastagi.listen: \"foo\" is not an address" in done.stderr
    assert f"{name}:5: section [nope] is unknown" in done.stderr
    assert f"{name}:6: warning: trunk a cannot carry emergency calls" in done.stderr
    os.unlink(path)


@case
def check_config_of_the_shipped_file():
    shipped = os.path.join(os.path.dirname(__file__), "..", "..", "contrib", "sekisho.conf")
    done = call("-c", shipped, "--check-config")
    assert done.returncode == 0 and done.stderr == "", done
    assert call("--print-config").stdout == open(shipped).read()


@case
def an_extension_that_covers_an_emergency_number_is_refused():
    for pattern in ("1XX", "110", "XXX", "1XXX, 11N", "ZXX"):
        path = config_file(f"[numbering]\nextensions = {pattern}\n")
        done = call("-c", path, "--check-config")
        assert done.returncode == 1 and "[numbering]: " in done.stderr, (pattern, done)
        os.unlink(path)
    path = config_file("[numbering]\nextensions = 1XXX, 2ZNX\n")
    assert call("-c", path, "--check-config").returncode == 0
    os.unlink(path)


@case
def a_wrong_table_is_a_sentence():
    with tempfile.TemporaryDirectory() as dir:
        with open(dir + "/e164.tsv", "w") as f:
            f.write("prefix\tnonsense\n1\n")
        path = config_file(f"[numbering]\ntables = {dir}\n[fastagi]\nlisten = 127.0.0.1:0\n"
                           "[http]\nlisten = 127.0.0.1:0\n")
        done = call("-c", path, "--check-config")
        assert done.returncode == 1 and "numbering.tables: e164.tsv, line 1:" in done.stderr, done
        sentence = refused_start(dir + "/state", open(path).read())
        assert "numbering.tables: e164.tsv, line 1:" in sentence, sentence
        os.unlink(path)


@case
def a_wrong_config_on_reload_is_refused_and_the_old_one_stands():
    with Daemon(BINARY) as d:
        at = len(d.read_log())
        with open(d.conf, "a") as f:
            f.write("[nope]\n")
        d.send(signal.SIGHUP)
        d.wait_log("event=reload-refused", since=at)
        assert "section [nope] is unknown" in d.read_log()
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        at = len(d.read_log())
        with tempfile.TemporaryDirectory() as dir:
            open(dir + "/nonsense.tsv", "w").close()
            d.write_config({"numbering": {"tables": dir}})
            d.send(signal.SIGHUP)
            d.wait_log("event=reload-refused", since=at)
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        at = len(d.read_log())
        os.unlink(d.conf)
        d.send(signal.SIGHUP)
        d.wait_log("event=reload-refused", since=at)
        assert verdict(d.agi, "1001", "110") == EMERGENCY
        at = len(d.read_log())
        d.write_config({"http": {"listen": "127.0.0.1:1"}})
        d.send(signal.SIGHUP)
        d.wait_log("event=reloaded", since=at)
        assert "event=reload-needs-restart keys=http.listen" in d.read_log()
        assert d.stop() == 0


@case
def other_tables_hold_from_the_reload_on():
    source = os.path.join(os.path.dirname(__file__), "..", "..", "data", "numbering", "dialplans.tsv")
    with Daemon(BINARY) as d, tempfile.TemporaryDirectory() as dir:
        assert "EMERGENCY" not in verdict(d.agi, "1001", "117")
        lines = open(source).read().split("\n")
        for i, line in enumerate(lines):
            if line.startswith("JP\t"):
                lines[i] = re.sub(r"(?<![0-9])119(?![0-9])", "117,119", line, count=1)
                assert lines[i] != line
        with open(dir + "/dialplans.tsv", "w") as f:
            f.write("\n".join(lines))
        d.write_config({"numbering": {"tables": dir}})
        for _ in range(3):
            at = len(d.read_log())
            d.send(signal.SIGHUP)
            d.wait_log("event=reload", since=at)
        assert "event=reloaded" in d.read_log(), d.read_log()
        assert verdict(d.agi, "1001", "117") == "allow emergency EMERGENCY 117"
        assert verdict(d.agi, "1001", "110") == EMERGENCY


TABLES = os.path.join(os.path.dirname(__file__), "..", "..", "data", "numbering")

# A wrong row of each table, and the reason that is given.
WRONG_ROWS = {
    "e164.tsv": ("XX\tSO\tSomalia\tソマリア\t", "is no prefix"),
    "lengths.tsv": ("252\t9\t6\t-\t", "stands here a second time"),
    "e164-risk.tsv": ("2526\tSO\tFREE\t9\t", "class \"FREE\": allowed are"),
    "irsf-risk.tsv": ("2526\tSO\textreme\t-\t-", "tier \"extreme\": allowed are"),
    "dialplans.tsv": ("ZZ\tNowhere\t+999\t00\t\t0\t\t\t112\t", "country code +999 has no row"),
    "codes.tsv": ("JP\t198\tshort\tNOPE\t-\t", "\"NOPE\" is no class"),
}


def table(name, *more):
    text = open(os.path.join(TABLES, name), encoding="utf-8").read()
    return text + "".join(line + "\n" for line in more), text.count("\n") + len(more)


def reload(d, event):
    at = len(d.read_log())
    d.send(signal.SIGHUP)
    d.wait_log("event=" + event, since=at)
    return d.read_log()[at:]


@case
def a_wrong_table_is_refused_whole_with_file_line_and_reason():
    help_line, right = "199", "JP\t199\tshort\tSPECIAL\t-\t"
    with Daemon(BINARY) as d, tempfile.TemporaryDirectory() as dir:
        unknown = verdict(d.agi, "1001", help_line)
        assert "UNKNOWN" in unknown, unknown
        d.write_config({"numbering": {"tables": dir}})
        for name, (wrong, reason) in WRONG_ROWS.items():
            # The rows before the wrong one are right, and do not hold either.
            codes, _ = table("codes.tsv", right)
            text, line = table(name, *([right] if name == "codes.tsv" else []), wrong)
            for file, content in {"codes.tsv": codes, name: text}.items():
                with open(os.path.join(dir, file), "w", encoding="utf-8") as f:
                    f.write(content)
            said = reload(d, "reload-refused")
            assert f"numbering.tables: {name}, line {line}: " in said, said
            assert reason in said.replace("\\", ""), said
            assert verdict(d.agi, "1001", help_line) == unknown
            assert verdict(d.agi, "1001", "0312345678") == NATIONAL
            os.unlink(os.path.join(dir, name))
        assert d.stop() == 0


def proved(d, number):
    """The class of a short number in a proof, or None where it is nobody's."""
    proof = d.api.local("POST", "/v1/prove", {"plan": "JP", "rules": [], "ranges": "all"}).json["proof"]
    return next((r["class"] for r in proof["ranges"] if r["prefix"] == number and r["whole"]), None)


@case
def every_table_is_replaced_by_a_file_of_its_name():
    short = "01025261512345"  # eight digits behind +252
    with Daemon(BINARY) as d, tempfile.TemporaryDirectory() as dir:
        assert verdict(d.agi, "1001", short).startswith(SOMALIA)
        assert proved(d, "199") is None
        texts = {name: table(name)[0] for name in WRONG_ROWS}
        texts["codes.tsv"] = table("codes.tsv", "JP\t199\tshort\tSPECIAL\t-\t")[0]
        lengths = re.sub(r"(?m)^252\t[0-9-]+\t", "252\t9\t", texts["lengths.tsv"])
        assert lengths != texts["lengths.tsv"]
        texts["lengths.tsv"] = lengths
        for name, text in texts.items():
            with open(os.path.join(dir, name), "w", encoding="utf-8") as f:
                f.write(text)
        d.write_config({"numbering": {"tables": dir}})
        reload(d, "reloaded")
        assert verdict(d.agi, "1001", "199") == "allow unrestricted SPECIAL 199"
        assert proved(d, "199") == "SPECIAL", "a proof must see the tables that are in use"
        assert "INTERNATIONAL" not in verdict(d.agi, "1001", short)
        assert verdict(d.agi, "1001", "010252615123456").startswith(SOMALIA)
        # Without the files the compiled-in tables hold again.
        d.write_config({})
        reload(d, "reloaded")
        assert "UNKNOWN" in verdict(d.agi, "1001", "199")
        assert proved(d, "199") is None
        assert verdict(d.agi, "1001", short).startswith(SOMALIA)
        assert d.stop() == 0


@case
def json_lines_are_json():
    with Daemon(BINARY, {"daemon": {"log_format": "json", "log_level": "debug"}}) as d:
        s = connect(d.agi)
        s.sendall(environment("", "", script='v1/"\\\x1b[31m\u202e'))
        read_all(s)
        s.close()
        assert d.stop() == 0
        for line in d.read_log().splitlines():
            event = json.loads(line)
            assert {"time", "level", "event"} <= event.keys() and line.isprintable(), line


# ---- systemd ------------------------------------------------------------------------------------

@case
def systemd_is_told():
    with tempfile.TemporaryDirectory() as dir:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(dir + "/notify")
        s.settimeout(20)
        with Daemon(BINARY, env={"NOTIFY_SOCKET": dir + "/notify", "WATCHDOG_USEC": "200000"}) as d:
            first = [s.recv(4096) for _ in range(20)]
            assert {m for m in first if not m.startswith(b"READY=1\n")} == {b"WATCHDOG=1\n"}, first
            assert sum(m.startswith(b"READY=1\n") for m in first) == 1, first
            d.send(signal.SIGHUP)
            seen = []
            while not seen or not seen[-1].startswith(b"READY=1"):
                seen += [m for m in [s.recv(4096)] if m != b"WATCHDOG=1\n"]
            assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+\n", seen[0]), seen
            assert d.stop() == 0
            s.setblocking(False)
            rest = b""
            try:
                while True:
                    rest += s.recv(4096)
            except BlockingIOError:
                pass
            assert b"STOPPING=1\n" in rest


# ---- Misfortune ---------------------------------------------------------------------------------

@case
def what_was_is_found_again_after_kill_9():
    with Daemon(BINARY) as d:
        api(d, "PUT", "/v1/switches/local/accounts/1001", {"tenant": "main", "note": "kept"})
        assert verdict(d.agi, "1002", "0312345678") == NATIONAL
        end = time.monotonic() + 10
        while time.monotonic() < end:
            names = [a["name"] for a in api(d, "GET", "/v1/accounts")["items"]]
            if "1002" in names:
                break
        assert set(names) == {"1001", "1002"}, names
        before = api(d, "GET", "/v1/accounts")
        d.stop(signal.SIGKILL)
        d.start()
        assert api(d, "GET", "/v1/accounts") == before
        assert verdict(d.agi, "1001", "010252615123456") == SOMALIA


@case
def refusals_are_recorded():
    with Daemon(BINARY) as d:
        for _ in range(3):
            assert verdict(d.agi, "1001", "010252615123456") == SOMALIA
        end = time.monotonic() + 10
        count = 0
        while time.monotonic() < end and count < 3:
            items = api(d, "GET", "/v1/refusals")["items"]
            count = sum(r["count"] for r in items if r["dialled"] == "010252615123456")
        assert count == 3, items
        assert d.stop() == 0


@case
def a_lifted_restriction_holds_for_the_next_call():
    with Daemon(BINARY) as d:
        account = api(d, "PUT", "/v1/switches/local/accounts/1001", {"tenant": "main"})
        assert verdict(d.agi, "1001", "010252615123456") == SOMALIA
        api(d, "DELETE", f"/v1/accounts/{account['id']}/rules/restrict/010")
        assert verdict(d.agi, "1001", "010252615123456") == \
            "allow unrestricted INTERNATIONAL 010252615123456"


@case
def emergencies_pass_in_every_state_of_an_account():
    with Daemon(BINARY) as d:
        account = api(d, "PUT", "/v1/switches/local/accounts/1001", {"tenant": "main"})
        for state in ("suspended", "locked"):
            api(d, "PATCH", f"/v1/accounts/{account['id']}", {"state": state})
            assert verdict(d.agi, "1001", "110") == EMERGENCY
            assert verdict(d.agi, "1001", "0312345678") == f"deny {state} NATIONAL"
        api(d, "PUT", "/v1/stops/operator", {})
        assert verdict(d.agi, "1001", "110") == EMERGENCY
        api(d, "PATCH", "/v1/switches/local", {"unknown": "deny"})
        assert verdict(d.agi, "1009", "0312345678") == "deny unknown-account NATIONAL"
        assert verdict(d.agi, "1009", "110") == EMERGENCY


@case
def a_locked_store_delays_no_answer():
    with Daemon(BINARY) as d:
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        holders = [sqlite3.connect(f, isolation_level=None) for f in
                   glob.glob(os.path.join(d.state, "*.db"))]
        for db in holders:
            try:
                db.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                pass  # the daemon holds it for itself alone: so much the better
        began = time.monotonic()
        for i in range(200):
            assert verdict(d.agi, f"new{i}", "110") == EMERGENCY
            assert verdict(d.agi, f"new{i}", "010252615123456") == SOMALIA
            assert verdict(d.agi, f"new{i}", "0312345678") == NATIONAL
        assert time.monotonic() - began < 5
        for db in holders:
            db.close()
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL


@case
def a_broken_store_delays_no_answer():
    with Daemon(BINARY) as d:
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        for f in glob.glob(os.path.join(d.state, "*.db*")):
            with open(f, "r+b") as db:
                db.write(os.urandom(os.path.getsize(f)))
        for i in range(50):
            assert verdict(d.agi, f"new{i}", "110") == EMERGENCY
            assert verdict(d.agi, f"new{i}", "010252615123456") == SOMALIA
            assert verdict(d.agi, f"new{i}", "0312345678") == NATIONAL
        assert d.process.poll() is None


@case
def a_store_that_cannot_be_written_is_told():
    limit = "import resource,os,sys;resource.setrlimit(resource.RLIMIT_FSIZE,(int(sys.argv[1]),)*2);" \
            "import signal;signal.signal(signal.SIGXFSZ,signal.SIG_IGN);os.execv(sys.argv[2],sys.argv[2:])"
    with tempfile.TemporaryDirectory() as dir:
        script = dir + "/start"
        with Daemon(BINARY) as d:
            d.stop()
            # A store that is new takes more than this to be made: it has been, and some room is left.
            room = 200000 + max(os.path.getsize(f) for f in glob.glob(os.path.join(d.state, "*.db")))
            with open(script, "w") as f:
                f.write(f"#!/bin/sh\nexec /usr/bin/python3 -c '{limit}' {room} {BINARY} \"$@\"\n")
            os.chmod(script, 0o755)
            d.binary = script
            d.start()
            for i in range(2000):
                try:
                    api(d, "PUT", f"/v1/switches/local/accounts/full{i}",
                        {"tenant": "main", "note": "x" * 400})
                except ApiError:
                    break
            else:
                raise AssertionError("the store never became full")
            health = api(d, "GET", "/healthz")
            assert health["status"] == "failing" and "store" in health["problems"][0], health
            assert verdict(d.agi, "1001", "110") == EMERGENCY
            assert verdict(d.agi, "full0", "010252615123456") == SOMALIA
            count = i
            d.stop(signal.SIGKILL)
            d.binary = BINARY
            d.start()
            seen = 0
            cursor = ""
            while cursor is not None:
                page = api(d, "GET", "/v1/accounts?limit=1000&q=full" + cursor)
                seen += len(page["items"])
                cursor = page["next"] and f"&cursor={page['next']}"
            assert seen == count, (seen, count)


@case
def limits_that_need_more_descriptors_are_told():
    with Daemon(BINARY, {"fastagi": {"connections": 100}, "http": {"connections": 100}}) as d:
        assert not any("descriptors" in w for w in api(d, "GET", "/v1/status")["warnings"])
    with Daemon(["prlimit", "--nofile=200:200", BINARY],
                {"fastagi": {"connections": 100}, "http": {"connections": 100}}) as d:
        assert any("may have 200 descriptors" in w for w in api(d, "GET", "/v1/status")["warnings"])


@case
def who_stays_root_is_told():
    def warned(d):
        return any("runs as root" in w for w in api(d, "GET", "/v1/status")["warnings"])

    with Daemon(BINARY) as d:
        assert warned(d) == (os.geteuid() == 0)
    if os.geteuid() == 0:
        with Daemon([BINARY, "--user", "daemon"], open_to_all=True) as d:
            assert not warned(d)
            assert os.stat(d.state).st_uid == os.stat(f"/proc/{d.process.pid}").st_uid != 0


@case
def nobody_reads_what_it_says():
    """Standard error is a pipe that is full: calls go on."""
    r, w = os.pipe()
    conf = config_file("[fastagi]\nlisten = 127.0.0.1:0\n[http]\nlisten = 127.0.0.1:0\n"
                               "[guard]\nenforce = no\n")
    with tempfile.TemporaryDirectory() as dir:
        p = subprocess.Popen([BINARY, "-c", conf, "--state-dir", dir], stdout=subprocess.PIPE, stderr=w)
        port = 0
        while not port:
            found = re.search(rb"127\.0\.0\.1:(\d+)", p.stdout.readline())
            port = int(found[1]) if found else 0
        os.set_blocking(w, False)
        try:
            while True:
                os.write(w, b"x" * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(w, True)
        for i in range(300):
            s = connect(port)
            s.sendall(environment("", "", script="nonsense"))
            assert variables(read_all(s))["SEKISHO_VERDICT"] == "deny"
            s.close()
        os.close(r)
        p.terminate()
        assert p.wait(20) == 0
    os.unlink(conf)


run()
