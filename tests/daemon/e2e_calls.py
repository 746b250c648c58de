# SPDX-License-Identifier: GPL-2.0-or-later
"""What a real sekishod does over a manager interface: hears of logins, ends calls, and tells the operator's program.

    e2e_calls.py SEKISHOD
"""

import hashlib
import json
import os
import socket
import sys
import tempfile
import threading
import time

from e2e.daemon import Daemon
from e2e.metrics import parse
from e2e.tap import case, run

SEKISHOD = sys.argv[1]
SECRET = "not for the log"
ABROAD, HOME = "010252615123456", "0312345678"
# Account and number of each channel, as the dialplan writes them.
CHANNELS = {
    "PJSIP/1001-00000001": f"1.1/1001/{ABROAD}",
    "PJSIP/trunk-00000002": f"1.1/1001/{ABROAD}",
    "PJSIP/1001-00000003": f"1.3/1001/{HOME}",
    "PJSIP/1001-00000005": "1.5/1001/110",
    "PJSIP/1002-00000006": f"1.6/1002/{ABROAD}",
    "PJSIP/1003-00000008": "",
}


def eventually(what, seconds=8.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return what()


def text(*lines):
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n"


class Manager:
    """An Asterisk's manager interface with calls under way."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.events, self.saw, self.lock = None, b"", threading.Lock()
        self.channels, self.hung_up, self.logins = dict(CHANNELS), [], []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        stream, action = connection.makefile("rb"), {}
        for line in stream:
            self.saw += line
            if line != b"\r\n":
                name, _, value = line.decode().strip().partition(": ")
                action[name] = value
                continue
            with self.lock:
                answer = self.answer(action, connection)
            connection.sendall(answer)
            action = {}

    def answer(self, action, connection):
        what, tag = action["Action"], "ActionID: " + action["ActionID"]
        if what == "Challenge":
            return text("Response: Success", tag, "Challenge: 4711")
        if what == "Login":
            if action["Key"] != hashlib.md5(b"4711" + SECRET.encode()).hexdigest():
                return text("Response: Error", tag, "Message: Authentication failed")
            self.logins.append((action["Username"], action["Events"]))
            if action["Events"] != "off":
                self.events = connection
            return text("Response: Success", tag, "Message: Authentication accepted")
        if what == "CoreShowChannels":
            return (text("Response: Success", tag, "EventList: start") +
                    b"".join(text("Event: CoreShowChannel", tag, "Channel: " + name, "CallerIDNum: 1\r\n\r\nEvent: x")
                             for name in self.channels) +
                    text("Event: CoreShowChannelsComplete", tag, "EventList: Complete"))
        if what == "GetVar" and action["Channel"] in self.channels:
            value = self.channels[action["Channel"]] if action["Variable"] == "SEKISHO_CALL" else ""
            return text("Response: Success", tag, "Variable: " + action["Variable"], "Value: " + value)
        if what == "Hangup" and self.channels.pop(action["Channel"], None) is not None:
            self.hung_up.append(action["Channel"])
            return text("Response: Success", tag, "Message: Channel Hungup")
        return text("Response: Error", tag, "Message: No such channel")

    def reset(self):
        with self.lock:
            self.channels, self.hung_up = dict(CHANNELS), []

    def tell(self, event, account, source, *more):
        self.events.sendall(text(
            "Event: " + event, "Privilege: security,all", "EventTV: 2026-11-24T02:33:00.143+0000", "Severity: Informational",
            "Service: PJSIP", "EventVersion: 1", "AccountID: " + account, f"SessionID: {time.monotonic_ns()}@{source}",
            "LocalAddress: IPV4/TCP/192.0.2.1/5060", f"RemoteAddress: IPV4/TCP/{source}/5062", *more))

    def fails(self, account, source):
        self.tell("ChallengeResponseFailed", account, source, "Challenge: 1/2", "Response: " + "a" * 32, "ExpectedResponse: ")

    def succeeds(self, account, source):
        self.tell("SuccessfulAuth", account, source, "UsingPassword: 1")


work = tempfile.mkdtemp(prefix="sekisho-calls-")
os.chmod(work, 0o755)
TOLD, HOOK, KEY = (os.path.join(work, name) for name in ("told", "hook", "key"))
for path, content, mode in ((TOLD, "", 0o666), (HOOK, f"#!/bin/sh\ncat >>{TOLD}\n", 0o755), (KEY, SECRET + "\n", 0o600)):
    with open(path, "w", encoding="utf-8") as f:
        f.write(content)
    os.chmod(path, mode)
manager = Manager()
daemon = Daemon(SEKISHOD, {
    "guard": {"enforce": "yes", "enforcer": "/nonexistent/enforcer", "hook": HOOK},
    "switch local": {"wire": "no", "ami": f"127.0.0.1:{manager.port}", "ami_user": "sekisho", "ami_secret_file": KEY},
})


def api(method, path, body=None, headers=None):
    answer = daemon.api.local(method, path, body, headers)
    assert answer.status < 300, answer
    return answer


def told():
    with open(TOLD, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def witness():
    return next(w for w in api("GET", "/v1/status").json["guard"]["witnesses"] if w["witness"] == "ami")


ids = {name: api("POST", "/v1/accounts", {"name": name}).json["id"] for name in ("1001", "1002", "1003")}


@case
def the_witness_logs_in_by_challenge_and_hears_security_events_alone():
    assert eventually(lambda: manager.events is not None), daemon.read_log()
    assert manager.logins == [("sekisho", "security")]
    manager.succeeds("1003", "192.0.2.30")
    assert eventually(lambda: witness()["attempts"] == 1), witness()


@case
def a_stop_ends_the_accounts_calls_abroad_and_no_others():
    began = time.monotonic()
    api("PUT", f"/v1/stops/account:{ids['1001']}", {})
    assert eventually(lambda: len(manager.hung_up) == 2), manager.hung_up
    assert time.monotonic() - began < 1
    assert eventually(lambda: ("sekisho", "off") in manager.logins)
    time.sleep(4)
    assert sorted(manager.hung_up) == ["PJSIP/1001-00000001", "PJSIP/trunk-00000002"], manager.hung_up
    api("DELETE", f"/v1/stops/account:{ids['1001']}")


@case
def a_stop_that_stands_already_is_carried_out_again():
    api("PUT", "/v1/stops/operator", {})
    assert eventually(lambda: "PJSIP/1002-00000006" in manager.hung_up), manager.hung_up
    manager.reset()
    time.sleep(4)
    api("PUT", "/v1/stops/operator", {})
    assert eventually(lambda: len(manager.hung_up) == 3), manager.hung_up
    api("DELETE", "/v1/stops/operator")


@case
def a_takeover_ends_them_too_and_the_program_is_told():
    time.sleep(4)
    manager.reset()
    for i in range(6):
        manager.fails("1001", f"198.51.100.{i + 1}")
    manager.succeeds("1001", "203.0.113.9")
    assert eventually(lambda: len(manager.hung_up) == 2), (manager.hung_up, daemon.read_log())
    assert sorted(manager.hung_up) == ["PJSIP/1001-00000001", "PJSIP/trunk-00000002"], manager.hung_up
    assert eventually(lambda: any(t["event"] == "takeover" for t in told())), told()
    event = next(t for t in told() if t["event"] == "takeover")
    assert (event["account"], event["switch"], event["witness"], event["observed"]) == ("1001", "local", "ami", False), event


@case
def who_guesses_is_banned_and_the_program_is_told():
    for _ in range(8):
        manager.fails("1002", "198.51.100.77")
    assert eventually(lambda: any(t["event"] == "ban" for t in told())), told()
    event = next(t for t in told() if t["event"] == "ban")
    assert (event["network"], event["attack"], event["proof"]) == ("198.51.100.77", "brute-force", "proved"), event


@case
def the_figures_say_so():
    def figures():
        return parse(api("GET", "/metrics").raw)

    assert figures()[("sekisho_bans", ("kind", "ban"), ("mode", "enforce"))] >= 1
    assert figures()[("sekisho_lockouts", ("kind", "takeover"), ("mode", "enforce"))] == 1
    assert figures()[("sekisho_attempts_total", ("outcome", "wrong-credentials"), ("witness", "ami"))] == 14
    assert figures()[("sekisho_enforcer_state", ("state", "none"))] == 1
    now = figures()
    assert now[("sekisho_hangups_total",)] >= 1 and now[("sekisho_hangup_orders_total",)] >= 1, now
    assert now[("sekisho_hangups_failed_total", ("why", "refused"))] == 0
    assert now[("sekisho_hook_runs_total",)] == now[("sekisho_hook_events_total",)] == len(told()), (now, told())
    assert now[("sekisho_hook_failures_total", ("why", "status"))] == 0
    assert now[("sekisho_journal_rows_total", ("of", "decision"))] >= 2
    assert now[("sekisho_journal_rows_total", ("of", "attempt"))] >= 14
    assert now[("sekisho_journal_dropped_total", ("of", "decision"))] == 0
    assert figures()[("sekisho_witness_connected", ("switch", "local"), ("watches", f"AMI of 127.0.0.1:{manager.port}"), ("witness", "ami"))] == 1


@case
def the_secret_is_told_to_nobody():
    assert SECRET.encode() not in manager.saw
    assert SECRET not in daemon.read_log()


@case
def it_ends_cleanly():
    assert daemon.stop() == 0, daemon.read_log()
    assert not daemon.complaints(), daemon.complaints()
    daemon.end()


run()
