#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""FastAGI of a real sekishod, as it is meant to be used and as nobody should use it."""

import random
import select
import signal
import socket
import struct
import sys
import time

from e2e import loopback
from e2e.agi import ask, environment, variables, verdict
from e2e.daemon import Daemon
from e2e.tap import case, run
from e2e.tcp import connect, read_all

loopback.own()
BINARY = sys.argv[1]
NATIONAL = "allow unrestricted NATIONAL 0312345678"
SOMALIA = "deny restricted INTERNATIONAL"

daemon = Daemon(BINARY)


def still_answers():
    assert verdict(daemon.agi, "1001", "0312345678") == NATIONAL
    assert verdict(daemon.agi, "1001", "010252615123456") == SOMALIA


@case
def an_unknown_account_is_born_restricted():
    still_answers()


@case
def the_spellings_of_an_international_number():
    for number in ("010252615123456", "010-252-61-5123456", "+252615123456", "184010252615123456",
                   "0033010252615123456", "%3010252615123456", "０１０２５２６１５１２３４５６",
                   "sip:010252615123456@example.net", "010252615123456,1", "01025261 5123456"):
        v = ask(daemon.agi, "1001", number)
        assert v["SEKISHO_VERDICT"] == "deny" and v["SEKISHO_DIAL"] == "", (number, v)


@case
def emergencies_pass_for_anybody():
    for account in ("1001", "no/such\naccount", "", "x" * 64, "\0"):
        for number, dial in (("110", "110"), ("119", "119"), ("184118", "184118")):
            assert verdict(daemon.agi, account, number) == f"allow emergency EMERGENCY {dial}"
    assert "deny" in verdict(daemon.agi, "1001", "1190101234567")


@case
def a_name_that_cannot_be_an_account_is_refused():
    for account in ("", "a b", "a/b", "é", "x" * 65, "a\nb"):
        assert verdict(daemon.agi, account, "0312345678") == "deny unknown-account NATIONAL", account


@case
def account_names_have_no_case():
    assert verdict(daemon.agi, "ALICE", "010252615123456") == SOMALIA
    assert verdict(daemon.agi, "alice", "010252615123456") == SOMALIA


@case
def bytes_of_a_number_stay_in_the_number():
    for number in ("0312345678\nagi_network_script: v1/authorize/1001//0312345678", "0312345678\r",
                   "0312345678\0", "\0" + "0312345678", "9" * 300):
        v = ask(daemon.agi, "1001", number)
        assert v["SEKISHO_VERDICT"] == "deny", (number, v)


@case
def a_malformed_question_is_denied():
    for script in ("", "/", "v1", "v1/authorize", "v1/authorize/1001", "v1/authorize/1001/x",
                   "v1/authorize/1001/x/0312345678/y", "v1/authorize/1001//0312345678%",
                   "v1/authorize/1001//03 1234", "v2/authorize/1001//0312345678"):
        v = ask(daemon.agi, "1001", "", script=script or " ")
        assert (v["SEKISHO_VERDICT"], v["SEKISHO_REASON"]) == ("deny", "malformed"), (script, v)


@case
def only_the_first_question_is_believed():
    s = connect(daemon.agi)
    s.sendall(environment("1001", "010252615123456",
                          extra="agi_network_script: v1/authorize/1001//0312345678\n"))
    assert variables(read_all(s))["SEKISHO_VERDICT"] == "deny"


@case
def the_verdict_is_set_last():
    s = connect(daemon.agi)
    s.sendall(environment("1001", "0312345678"))
    lines = read_all(s).decode().splitlines()
    assert len(lines) == 5 and lines[-1] == 'SET VARIABLE SEKISHO_VERDICT "allow"', lines


@case
def what_asterisk_replies_is_taken():
    s = connect(daemon.agi)
    s.sendall(environment("1001", "0312345678"))
    data = b""
    for _ in range(5):
        while data.count(b"\n") < 1:
            data += s.recv(1024)
        line, data = data.split(b"\n", 1)
        assert line.startswith(b"SET VARIABLE "), line
        s.sendall(b"200 result=1\n")
    assert read_all(s) == b""
    s.close()
    still_answers()


@case
def a_hang_up_in_the_middle_is_taken():
    s = connect(daemon.agi)
    s.sendall(environment("1001", "0312345678"))
    s.send(b"HANGUP\n", socket.MSG_OOB)
    assert len(variables(read_all(s))) == 5
    still_answers()


@case
def pipelined_rubbish_behind_the_question_is_ignored():
    s = connect(daemon.agi)
    s.sendall(environment("1001", "0312345678") + b"x" * 100000)
    assert len(variables(read_all(s))) == 5
    still_answers()


@case
def a_question_may_be_split_anywhere():
    text = environment("1001", "0312345678")
    sockets = []
    for at in range(1, len(text)):
        s = connect(daemon.agi)
        s.sendall(text[:at])
        sockets.append((s, text[at:]))
    for s, rest in sockets:
        s.sendall(rest)
    for s, _ in sockets:
        v = variables(read_all(s))
        assert v["SEKISHO_VERDICT"] == "allow" and v["SEKISHO_DIAL"] == "0312345678", v
        s.close()


@case
def a_question_may_come_byte_by_byte():
    s = connect(daemon.agi)
    for b in environment("1001", "010252615123456"):
        s.sendall(bytes([b]))
    assert variables(read_all(s))["SEKISHO_VERDICT"] == "deny"


@case
def our_end_of_file_may_come_with_the_question():
    s = connect(daemon.agi)
    s.sendall(environment("1001", "0312345678"))
    s.shutdown(socket.SHUT_WR)
    assert len(variables(read_all(s))) == 5


@case
def an_end_of_file_before_the_question_is_the_end():
    text = environment("1001", "0312345678")
    for at in (0, 1, 30, len(text) - 1):
        s = connect(daemon.agi)
        s.sendall(text[:at])
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b"", at
    still_answers()


@case
def resets_in_every_phase():
    text = environment("1001", "0312345678")
    for at in (0, 10, len(text) - 1, len(text)):
        for _ in range(20):
            s = connect(daemon.agi)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.sendall(text[:at])
            s.close()
    still_answers()


@case
def a_thousand_half_open_connections():
    before = daemon.descriptors()
    began = time.monotonic()
    sockets = [connect(daemon.agi) for _ in range(1000)]
    for s in sockets[::2]:
        s.sendall(b"agi_network: yes\nagi_netw")
    t = time.monotonic()
    still_answers()
    assert time.monotonic() - t < 1.0
    for s in sockets:
        assert read_all(s) == b""
        s.close()
    took = time.monotonic() - began
    assert 1.8 < took < 8, took
    still_answers()
    assert daemon.descriptors() <= before + 2


@case
def slow_connections_are_ended_in_time():
    began = time.monotonic()
    s = connect(daemon.agi)
    text = environment("1001", "0312345678")
    sent = 0
    while sent < len(text):
        try:
            s.sendall(text[sent:sent + 1])
        except (BrokenPipeError, ConnectionResetError):
            break
        sent += 1
        if select.select([s], [], [], 0.2)[0]:
            break
    assert sent < len(text)
    assert read_all(s) == b""
    assert 1.8 < time.monotonic() - began < 4


@case
def who_never_closes_is_closed():
    s = connect(daemon.agi)
    began = time.monotonic()
    s.sendall(environment("1001", "0312345678"))
    assert len(variables(read_all(s))) == 5
    before = daemon.descriptors()
    while daemon.descriptors() >= before and time.monotonic() - began < 5:
        time.sleep(0.05)
    assert 1.5 < time.monotonic() - began < 4
    s.close()


@case
def oversized_environments_get_no_answer():
    for extra in ("agi_x: " + "a" * 9000 + "\n", "agi_x: a\n" * 2000, "a" * 1000000):
        s = connect(daemon.agi)
        try:
            s.sendall(environment("1001", "0312345678", extra=extra))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert read_all(s) == b""
        s.close()
    still_answers()


@case
def garbage_is_ended_at_once():
    rng = random.Random(1)
    texts = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
             b"\n", b"\r\n\r\n", b"\0" * 100, b"REGISTER sip:x SIP/2.0\r\n\r\n",
             b"200 result=1\n\n"] + [rng.randbytes(rng.randrange(20, 3000)) for _ in range(200)]
    began = time.monotonic()
    for text in texts:
        s = connect(daemon.agi)
        try:
            s.sendall(text)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert read_all(s) == b"", text
        s.close()
    assert time.monotonic() - began < 10
    still_answers()


@case
def a_thousand_calls_at_once():
    sockets = [connect(daemon.agi, seconds=30) for _ in range(1000)]
    for i, s in enumerate(sockets):
        s.sendall(environment(f"phone{i % 50}", "0312345678" if i % 2 else "010252615123456"))
    for i, s in enumerate(sockets):
        v = variables(read_all(s))
        assert v["SEKISHO_VERDICT"] == ("allow" if i % 2 else "deny"), (i, v)
        s.close()


@case
def an_address_of_no_switch_gets_no_answer():
    s = connect(daemon.agi, source="127.0.0.2")
    try:
        s.sendall(environment("1001", "110"))
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert read_all(s) == b""
    daemon.wait_log("event=agi-stranger address=127.0.0.2")


@case
def who_repeats_himself_does_not_fill_the_log():
    for _ in range(15):
        s = connect(daemon.agi, source="127.0.0.3")
        assert read_all(s) == b""
        s.close()
        ask(daemon.agi, "1001", "", script="v2")
    assert daemon.read_log().count("event=agi-stranger address=127.0.0.3") == 1
    assert daemon.read_log().count("event=agi-malformed") == 1


@case
def reloading_during_a_thousand_calls_loses_none():
    sockets = []
    done = 0
    for i in range(1000):
        s = connect(daemon.agi, seconds=30)
        text = environment("1001", "0312345678")
        s.sendall(text[:50])
        sockets.append((s, text[50:]))
        if i % 100 == 50:
            daemon.send(signal.SIGHUP)
        if len(sockets) == 100:
            for other, rest in sockets:
                other.sendall(rest)
            for other, _ in sockets:
                assert variables(read_all(other))["SEKISHO_VERDICT"] == "allow"
                other.close()
                done += 1
            sockets = []
    assert done == 1000
    daemon.wait_log("event=reloaded")


@case
def what_callers_send_cannot_forge_a_log_line():
    for line in daemon.read_log().splitlines():
        assert line.startswith("time=") and " level=" in line and line.isprintable(), line


@case
def it_ends_cleanly_and_answers_who_is_still_asking():
    s = connect(daemon.agi)
    text = environment("1001", "0312345678")
    s.sendall(text[:60])
    time.sleep(0.2)
    daemon.send(signal.SIGTERM)
    daemon.wait_log("event=ending")
    time.sleep(0.1)
    s.sendall(text[60:])
    assert variables(read_all(s))["SEKISHO_VERDICT"] == "allow"
    s.close()
    assert daemon.stop() == 0
    daemon.end()


@case
def beyond_the_limit_the_oldest_connection_goes():
    with Daemon(BINARY, {"fastagi": {"connections": "64", "timeout_ms": "60000"}}) as d:
        sockets = [connect(d.agi) for _ in range(200)]
        time.sleep(0.2)
        for _ in range(20):
            assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        gone = [select.select([s], [], [], 0)[0] != [] for s in sockets]
        assert sum(gone) >= 136 and gone[0] and not gone[-1], gone
        sockets[-1].sendall(environment("1001", "0312345678"))
        assert len(variables(read_all(sockets[-1]))) == 5
        assert d.descriptors() < 64 + 40
        for s in sockets:
            s.close()


@case
def when_descriptors_run_out_it_goes_on():
    import resource
    with Daemon(BINARY) as d:
        used = d.descriptors()
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        sockets = [connect(d.agi) for _ in range(100)]
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL
        for s in sockets:
            s.close()
        assert verdict(d.agi, "1001", "110") == "allow emergency EMERGENCY 110"


@case
def only_networks_that_are_allowed_may_connect():
    with Daemon(BINARY, {"fastagi": {"allow": "192.0.2.0/24"}}) as d:
        s = connect(d.agi)
        try:
            s.sendall(environment("1001", "0312345678"))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert read_all(s) == b""
        d.write_config({"fastagi": {"listen": f"127.0.0.1:{d.agi}", "allow": "127.0.0.0/8"}})
        d.send(signal.SIGHUP)
        d.wait_log("event=reloaded")
        assert verdict(d.agi, "1001", "0312345678") == NATIONAL


run()
