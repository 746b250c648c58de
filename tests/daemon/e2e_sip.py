#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP of a real sekishod, as switches ask and as nobody should."""

import json
import random
import re
import signal
import socket
import sys
import time

from e2e.agi import ask as ask_agi
from e2e.daemon import Daemon
from e2e.tap import case, run

BINARY = sys.argv[1]
STRANGER, SBC, CLOUD, WATCH, PROXY = ("127.0.0.%d" % n for n in (9, 2, 3, 4, 5))

daemon = Daemon(BINARY, {"sip": {"listen": "127.0.0.1:0, [::1]:0, 0.0.0.0:0", "workers": 2, "connections": 4,
                                 "timeout_s": 2}})
PORTS = [int(n) for n in re.findall(r"SIP\s+\S+:(\d+)\n", daemon.words)]
PORT, PORT6, PORT_ANY = PORTS
calls = 0


def switch(name, address, **more):
    done = daemon.api.local("PUT", f"/v1/switches/{name}", {"plan": "JP", "addresses": [address], "unknown": "born",
                                                           "adopt_tenant": "main", **more})
    assert done.status == 201, done


switch("sbc", SBC, sip_account="From", sip_allow=404, sip_deny=403, fail_open=True)
switch("cloud", CLOUD, sip_account="subdomain", sip_deny=608, form="+e164")
switch("watch", WATCH, sip_account="X-Account", mode="observe")
switch("proxy", PROXY)


def invite(uri, account="1001", method="INVITE", extra="", branch=None, length="Content-Length: 0\r\n", via="127.0.0.1:5060"):
    global calls
    calls += 1
    identity = f"P-Asserted-Identity: <sip:{account}@h>\r\n" if account else ""
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK{branch or calls};rport\r\n"
            f"Max-Forwards: 0\r\nFrom: <sip:{account}@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: {calls}@e2e\r\n"
            f"CSeq: 1 {method}\r\n{identity}{extra}{length}\r\n").encode("utf-8", "surrogateescape")


class Udp:
    def __init__(self, address="127.0.0.1", port=PORT, to="127.0.0.1", family=socket.AF_INET):
        self.s = socket.socket(family, socket.SOCK_DGRAM)
        self.s.bind((address, 0))
        self.s.settimeout(10)
        self.to = (to, port)

    def ask(self, data):
        self.s.sendto(data, self.to)
        answer, source = self.s.recvfrom(65536)
        assert source[:2] == self.to, source
        return answer.decode("utf-8", "surrogateescape")

    def silent(self, data):
        """Nothing comes; what is asked behind it is answered alone."""
        self.s.sendto(data, self.to)
        self.s.settimeout(0.3)
        try:
            return self.s.recv(65536) is None
        except TimeoutError:
            return True
        finally:
            self.s.settimeout(10)


def status(answer):
    return int(answer.split(" ", 2)[1])


def contact(answer):
    found = re.search(r"^Contact: <sips?:([^@>]*)@", answer, re.M)
    return found[1].replace("%23", "#") if found else ""


def metrics():
    text = daemon.api.local("GET", "/metrics").raw.decode()
    return {(m[1], m[2]): int(m[3]) for m in
            re.finditer(r'^sekisho_sip_requests_total\{transport="(\w+)",result="(\w+)"\} (\d+)$', text, re.M)}


def counted(before, transport="udp"):
    """What has been counted since, as {result: times}."""
    return {k[1]: n - before[k] for k, n in metrics().items() if k[0] == transport and n != before[k]}


local = Udp()


def still_answers():
    answer = local.ask(invite("sip:0312345678@h"))
    assert status(answer) == 302 and contact(answer) == "0312345678", answer


@case
def allowed_is_302_and_refused_is_603_with_the_rule():
    still_answers()
    answer = local.ask(invite("sip:010252615123456@h"))
    assert status(answer) == 603 and 'Reason: SIP;cause=603;text="restricted number 010 of the account"' in answer, answer


@case
def every_switch_is_answered_as_it_wants():
    sbc, cloud, watch, proxy = (Udp(a, PORT_ANY, "127.0.0.1") for a in (SBC, CLOUD, WATCH, PROXY))
    assert status(sbc.ask(invite("sip:0312345678@h"))) == 404
    assert status(sbc.ask(invite("sip:010252615123456@h"))) == 403
    answer = cloud.ask(invite("sip:0312345678@alice.cloud.example", account=""))
    assert status(answer) == 302 and contact(answer) == "+81312345678", answer
    assert status(cloud.ask(invite("sip:010252615123456@alice.cloud.example"))) == 608
    answer = watch.ask(invite("sip:010252615123456@h", account="", extra="X-Account: bob\r\n"))
    assert status(answer) == 302 and contact(answer) == "010252615123456", answer
    assert status(proxy.ask(invite("sip:0312345678@h", account="x y"))) == 603
    assert "received=127.0.0.5;rport=" in proxy.ask(invite("sip:0312345678@h"))


@case
def observed_refusals_are_recorded():
    for _ in range(100):
        found = [r for r in daemon.api.local("GET", "/v1/refusals").json["items"] if r.get("observed")]
        if found:
            return
        time.sleep(0.1)
    raise AssertionError(daemon.api.local("GET", "/v1/refusals"))


@case
def over_ipv6_and_from_the_address_that_was_asked():
    six = Udp("::1", PORT6, "::1", socket.AF_INET6)
    assert status(six.ask(invite("sip:0312345678@h"))) == 302
    for to in ("127.0.0.1", "127.0.0.77", "127.1.2.3"):
        assert status(Udp("127.0.0.1", PORT_ANY, to).ask(invite("sip:0312345678@h"))) == 302


@case
def emergencies_pass_for_anybody():
    for account in ("", "no such", "x" * 100):
        answer = local.ask(invite("sip:110@h", account, extra="Require: 100rel\r\n"))
        assert status(answer) == 302 and contact(answer) == "110", answer


@case
def a_stranger_gets_nothing_and_is_counted():
    before = metrics()
    stranger = Udp(STRANGER, PORT_ANY, "127.0.0.1")
    for data in (invite("sip:119@h"), invite("sip:x@h", method="OPTIONS"), b"junk", b""):
        assert stranger.silent(data)
    assert counted(before) == {"stranger": 4}, counted(before)
    tcp = socket.socket()
    tcp.bind((STRANGER, 0))
    tcp.settimeout(10)
    tcp.connect(("127.0.0.1", PORT_ANY))
    try:
        assert tcp.recv(100) == b""
    except ConnectionResetError:
        pass


@case
def retransmissions_are_answered_the_same_and_counted_once():
    before, figures = metrics(), daemon.api.local("GET", "/metrics").raw
    data = invite("sip:0312345678@h")
    answers = {local.ask(data) for _ in range(7)}
    assert len(answers) == 1
    assert counted(before) == {"allowed": 1, "repeated": 6}, counted(before)
    other = Udp()
    assert other.ask(data) not in answers
    assert counted(before) == {"allowed": 2, "repeated": 6}
    assert figures != b""


@case
def other_methods_and_what_gets_no_answer():
    before = metrics()
    assert status(local.ask(invite("sip:h", method="OPTIONS"))) == 200
    answer = local.ask(invite("sip:h", method="REGISTER"))
    assert status(answer) == 405 and "Allow: INVITE, ACK, CANCEL, OPTIONS\r\n" in answer, answer
    for method in ("ACK", "CANCEL"):
        assert local.silent(invite("sip:h", method=method))
    assert local.silent(b"\r\n\r\n")
    assert local.silent(b"SIP/2.0 200 OK\r\n\r\n")
    assert counted(before) == {"options": 1, "refused": 1, "absorbed": 2, "garbage": 2}, counted(before)


@case
def bad_input_is_400_or_nothing():
    good = "sip:0312345678@h"
    for extra in ("X: " + "a" * 60000 + "\r\n", "X: a\r\n" * 1000, "X: a\0b\r\n", "Max-Forwards: 1\r\n",
                  "Content-Length: 3\r\n", "no header\r\n"):
        answer = local.ask(invite(good, extra=extra))
        assert status(answer) == (302 if len(extra) > 50000 else 400), (extra[:40], answer)
        assert len(answer) < 600
    for length in ("Content-Length: 5\r\n", "Content-Length: -1\r\n", "Content-Length: 99999999999\r\n"):
        assert status(local.ask(invite(good, length=length))) == 400, length
    assert status(local.ask(invite(good, length=""))) == 302
    data = invite(good, extra="X: " + "y" * 300 + "\r\n")
    for cut in range(0, len(data), 7):
        local.s.sendto(data[:cut], local.to)
    for cut in range(200):
        local.s.sendto(random.randbytes(random.randrange(1500)), local.to)
    time.sleep(0.5)
    local.s.setblocking(False)
    try:
        while status(local.s.recv(65536).decode()) in (400, 603):
            pass
        raise AssertionError("an answer that is neither")
    except BlockingIOError:
        local.s.settimeout(10)
    still_answers()


def connect(address="127.0.0.1", port=PORT):
    s = socket.socket()
    s.bind((address, 0))
    s.settimeout(10)
    s.connect(("127.0.0.1", port))
    return s


def read_answers(s, n):
    data = b""
    while data.count(b"\r\n\r\n") < n:
        more = s.recv(65536)
        assert more, data
        data += more
    return data.decode().split("\r\n\r\n")[:-1]


@case
def over_tcp_in_dribbles_and_in_pipelines():
    s = connect()
    wanted = [random.choice(("0312345678", "010252615123456")) for _ in range(300)]
    data = b"".join(invite(f"sip:{n}@h", length="Content-Length: 4\r\n") + b"v=0\n" for n in wanted)
    s.sendall(data)
    answers = read_answers(s, len(wanted))
    assert [status(a) for a in answers] == [302 if n[1] == "3" else 603 for n in wanted]
    for byte in invite("sip:0312345678@h"):
        s.sendall(bytes([byte]))
    assert status(read_answers(s, 1)[0]) == 302
    s.sendall(b"\r\n\r\n")
    assert s.recv(10) == b"\r\n"


@case
def over_tcp_what_says_no_length_is_400_and_the_last():
    good, before = "sip:0312345678@h", metrics()
    for length in ("", "l: 0\r\nContent-Length: 7\r\n", "Content-Length: x\r\n", "Content-Length: 70000\r\n"):
        s = connect()
        s.sendall(invite(good) + invite(good, length=length) + invite(good) * 3)
        answers = read_answers(s, 2)
        assert [status(a) for a in answers] == [302, 400], (length, answers)
        assert s.recv(10) == b"", "without a length nobody knows where the next message begins"
    s = connect()
    s.sendall(invite("sip:119@h", length=""))
    assert status(read_answers(s, 1)[0]) == 302, "an emergency"
    assert s.recv(10) == b""
    s = connect()
    s.sendall(invite(good, method="ACK", length=""))
    assert s.recv(10) == b"", "nothing is said to an ACK"
    assert counted(before, "tcp") == {"allowed": 5, "malformed": 4, "absorbed": 1}, counted(before, "tcp")


@case
def over_tcp_bad_input_is_400_or_the_end():
    good = "sip:0312345678@h"
    s = connect()
    for extra, wanted in (("X: " + "a" * 60000 + "\r\n", 302), ("X: a\r\n" * 1000, 400), ("X: a\0b\r\n", 400),
                          ("Max-Forwards: 1\r\n", 400), ("no header\r\n", 400), ("", 302)):
        s.sendall(invite(good, extra=extra))
        answer = read_answers(s, 1)[0]
        assert status(answer) == wanted and len(answer) < 600, (extra[:40], answer)
    s.sendall(invite(good, length="Content-Length: 9\r\n") + b"a\0b\r\n\r\nab" + invite(good))
    assert [status(a) for a in read_answers(s, 2)] == [302, 302], "a body is nobody's business"
    s.sendall(invite(good, extra="X: " + "a" * 70000 + "\r\n"))
    try:
        assert s.recv(10) == b"", "a header longer than any message"
    except ConnectionResetError:
        pass
    for data in (b"\0" * 100, b"\x16\x03\x01\x02\0", random.randbytes(5000), b"\r\n" * 5000 + b"\0 y\r\n"):
        s = connect()
        s.settimeout(5)
        s.sendall(data)
        try:
            while s.recv(65536):
                pass
        except ConnectionResetError:
            pass
    still_answers()


@case
def tcp_closes_who_is_idle_who_dribbles_and_who_is_no_sip():
    idle, lost = connect(), connect()
    lost.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert lost.recv(10) == b""
    begin = time.monotonic()
    assert idle.recv(10) == b""
    assert 1 < time.monotonic() - begin < 9


@case
def a_switch_has_so_many_connections_and_no_more():
    mine = connect()
    others = [connect(PROXY, PORT_ANY) for _ in range(6)]
    for s in others[-4:]:
        s.sendall(invite("sip:0312345678@h"))
        assert status(read_answers(s, 1)[0]) == 302
    for s in others[:2]:
        assert s.recv(10) == b""
    mine.sendall(invite("sip:0312345678@h"))
    assert status(read_answers(mine, 1)[0]) == 302


def spelled(number):
    """As it stands in a Request-URI."""
    return "".join(chr(b) if chr(b) in "0123456789+*-.()" else f"%{b:02X}" for b in number.encode())


PARTS = ("010", "00", "+", "+81", "0033", "184", "186", "0", "03", "090", "1", "44", "252", "119", "110", "0120", "0990",
         "12345678", "615123456", "-", " ", "(", ")", "０１０", "#", "*", "117", "5", "81", "0570", "p")


WHOLE = ("0312345678", "09012345678", "0661234567", "+81312345678", "010252615123456", "+14155550123", "0120123456",
         "119", "117", "0570012345", "01014155550123", "+442079460000")


def some_number(rng):
    """Half of them parts at random, half numbers that somebody writes oddly."""
    if rng.random() < 0.5:
        return "".join(rng.choice(PARTS) for _ in range(rng.randrange(1, 6))).strip() or "0"
    number = "".join(c + (rng.choice("- .()") if rng.random() < 0.1 else "") for c in rng.choice(WHOLE))
    return rng.choice(("", "", "", "184", "186")) + number.strip()


@case
def fastagi_http_and_sip_say_the_same_to_the_same_10_000_questions():
    rng = random.Random(7)
    token = next(line for line in daemon.words.split() if line.startswith("sekisho_"))
    verdicts = {"allow": 0, "deny": 0}
    for i in range(10000):
        number = some_number(rng)
        account = rng.choice(("1001", "1002", "stranger-%d" % (i % 3)))
        answer = local.ask(invite(f"sip:{spelled(number)}@h", account))
        v = daemon.api.tcp(token, "POST", "/v1/authorize", {"switch": "local", "account": account, "number": number}).json
        agi = ask_agi(daemon.agi, account, number, remote="")
        assert agi["SEKISHO_VERDICT"] == v["verdict"] and agi["SEKISHO_DIAL"] == (v["dial"] or ""), (number, agi, v)
        assert (status(answer) == 302) == (v["verdict"] == "allow"), (number, answer, v)
        assert contact(answer) == (v["dial"] or ""), (number, answer, v)
        verdicts[v["verdict"]] += 1
    assert min(verdicts.values()) > 1000, verdicts


@case
def a_flood_of_strangers_leaves_the_switch_its_answers():
    stranger = Udp(STRANGER, PORT, "127.0.0.1")
    data, lost = invite("sip:0312345678@h"), 0
    local.s.settimeout(1)
    for _ in range(200):
        for _ in range(20):
            stranger.s.sendto(data, stranger.to)
        try:
            lost += status(local.ask(invite("sip:0312345678@h"))) != 302
        except TimeoutError:
            lost += 1
    local.s.settimeout(10)
    assert lost <= 10, lost


def floods():
    """Of workers that have a filter now."""
    log = daemon.read_log()
    return log.count("event=sip-flood what=begins") - log.count("event=sip-flood what=ends")


def until(holds, what, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@case
def a_flood_is_dropped_in_the_kernel_and_switches_are_not():
    flooder, data = Udp("127.0.0.7"), invite("sip:0312345678@h")
    until(lambda: not floods(), "the flood of another case does not end")
    end = time.monotonic() + 20
    while not floods():
        assert time.monotonic() < end, "no filter"
        for _ in range(2000):
            flooder.s.sendto(data, flooder.to)
    before = metrics()
    for _ in range(3000):
        flooder.s.sendto(data, flooder.to)
    assert status(local.ask(invite("sip:0312345678@h"))) == 302
    # Those that were dropped are reckoned in: each that came stands for 64.
    assert (metrics()["udp", "stranger"] - before["udp", "stranger"]) % 64 == 0
    switch("flooder", "127.0.0.7")
    flooder.s.settimeout(0.2)
    for _ in range(50):  # nothing goes out that asks again: the filter follows the switches by itself
        try:
            assert status(flooder.ask(invite("sip:0312345678@h"))) == 302
            break
        except TimeoutError:
            pass
    else:
        raise AssertionError("a new switch is not heard")
    flooder.s.settimeout(10)
    assert all(status(flooder.ask(invite("sip:0312345678@h"))) == 302 for _ in range(100))
    until(lambda: not floods(), "the filter stays")
    assert daemon.api.local("DELETE", "/v1/switches/flooder").status in (204, 409)


@case
def the_status_tells_who_asked():
    before = daemon.api.local("GET", "/v1/status").json["sip"]
    assert before["listen"] == [f"127.0.0.1:{PORT}", f"[::1]:{PORT6}", f"0.0.0.0:{PORT_ANY}"], before
    assert before["tcp"] and before["workers"] == 2
    cloud, stranger = Udp(CLOUD, PORT_ANY), Udp(STRANGER, PORT_ANY)
    assert status(cloud.ask(invite("sip:h", method="OPTIONS"))) == 200
    assert stranger.silent(invite("sip:119@h")) and cloud.silent(b"junk") and cloud.silent(invite("sip:h", method="ACK"))
    after = daemon.api.local("GET", "/v1/status").json["sip"]
    assert {k: after[k] - before[k] for k in ("asked", "answered", "strangers", "garbage", "unsent")} == {
        "asked": 4, "answered": 1, "strangers": 1, "garbage": 1, "unsent": 0}, (before, after)
    assert after["last_switch"] == "cloud" and after["last_asked"] >= before["last_asked"], after
    s = connect(PROXY, PORT_ANY)
    time.sleep(0.01)
    s.sendall(invite("sip:0312345678@h"))
    read_answers(s, 1)
    assert daemon.api.local("GET", "/v1/status").json["sip"]["last_switch"] == "proxy"


def ends(stream):
    """It is kept alive, so that being idle is no reason."""
    until = time.monotonic() + 20
    try:
        while time.monotonic() < until:
            stream.sendall(b"\r\n\r\n")
            if not stream.recv(2):
                return True
            time.sleep(0.1)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


@case
def changes_take_effect_and_drop_no_answer():
    proxy, restricted = Udp(PROXY, PORT_ANY), "sip:010252615123456@h"

    def change(**fields):
        done = daemon.api.local("PATCH", "/v1/switches/proxy", fields, {"If-Match": "*"})
        assert done.status == 200, done

    stream = connect(PROXY, PORT_ANY)
    for deny in (403, 608, 603):
        change(sip_deny=deny)
        daemon.process.send_signal(signal.SIGHUP)
        codes = [status(proxy.ask(invite(restricted))) for _ in range(100)]
        assert codes[-1] == deny, (deny, codes)
        stream.sendall(invite(restricted))
        assert status(read_answers(stream, 1)[0]) == deny, "a connection outlasts it"
    change(form="+e164")
    assert contact(proxy.ask(invite("sip:0312345678@h"))) == "+81312345678"
    change(form="e164")
    assert contact(proxy.ask(invite("sip:0312345678@h"))) == "81312345678"
    change(form="dialled", sip_account="X-Who")
    assert status(proxy.ask(invite("sip:0312345678@h", account="1 1"))) == 603
    assert status(proxy.ask(invite("sip:0312345678@h", extra="X-Who: 1001\r\n"))) == 302
    change(fail_open=True, sip_allow=503)
    assert status(proxy.ask(invite("sip:0312345678@h", extra="X-Who: 1001\r\n"))) == 503
    change(fail_open=False, sip_allow=302, sip_account="P-Asserted-Identity", addresses=["127.0.0.99"])
    assert proxy.silent(invite("sip:119@h")), "it is a stranger now"
    assert ends(stream), "and so is its connection"
    change(addresses=[PROXY])
    assert status(proxy.ask(invite("sip:0312345678@h"))) == 302


@case
def what_a_switch_may_say_is_checked():
    def refused(what, **fields):
        done = daemon.api.local("PATCH", "/v1/switches/proxy", fields, {"If-Match": "*"})
        assert done.status in (400, 422), done
        assert what in json.dumps(done.json), done

    refused("fail_open", sip_allow=404)
    refused("fail_open", sip_allow=503)
    refused("sip_allow", sip_allow=300)
    refused("sip_deny", sip_deny=404)
    refused("sip_account", sip_account="two words")


@case
def a_second_daemon_does_not_take_half_of_the_questions():
    try:
        Daemon(BINARY, {"sip": {"listen": f"127.0.0.1:{PORT}"}}).end()
    except Exception as e:  # noqa: BLE001 - it did not start
        assert f"cannot listen on 127.0.0.1:{PORT} over UDP (sip.listen)" in str(e), e
        return
    raise AssertionError("it started")


with daemon:
    run()
