#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`sekisho why` and `sekisho attacks` against a real sekishod that reads of attacks in Asterisk's security log."""
import csv
import datetime
import io
import os
import sys
import time

from command import on_terminal, sekisho
from e2e import loopback
from e2e.daemon import Daemon
from e2e.tap import check, done, same

SEKISHOD = sys.argv[1]
CONFIG = {"guard": {"enforce": "yes", "enforcer": "/nonexistent"},
          "switch local": {"log": "{dir}/security", "wire": "no"}}
REFUSED = ('[2026-11-24 02:33:12] SECURITY[812] res_security_log.c: SecurityEvent="InvalidPassword",'
           'EventTV="2026-11-24T02:33:12.141+0000",Severity="Error",Service="PJSIP",EventVersion="2",'
           'AccountID="{account}",SessionID="{session}",LocalAddress="IPV4/TCP/192.0.2.200/5060",'
           'RemoteAddress="IPV4/TCP/{source}/5060",Challenge="1",ReceivedChallenge="2",ReceivedHash="3"\n')
ATTACKER, NEARLY = "203.0.113.5", "203.0.113.6"
# What strangers put into a name: a command for a terminal, and one for the shell of who copies a line.
EVIL = "a\x1b]0;x\x07$(id)"


def attack(daemon, source, account, times):
    with open(daemon.dir + "/security", "a", encoding="utf-8") as f:
        for i in range(times):
            f.write(REFUSED.format(source=source, account=account, session=f"{source}-{i}"))


def until(what, seconds=15):
    end = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return answer


def why_free():
    ran = sekisho("why", "198.51.100.9")
    check("why: an address of which nothing is known",
          ran.code == 0 and ran.out.startswith("198.51.100.9: free\n") and "is not dropped" in ran.out, ran)
    check("why: nothing to undo", "unban" not in ran.out and "TIME" not in ran.out, ran)
    ran = sekisho("why", "nobody")
    check("why: an account of which nothing is known",
          ran.code == 0 and ran.out.startswith("nobody@local: free\n") and
          "no account of this name" in ran.out and "not locked" in ran.out, ran)
    check("why: the same in Japanese", "登録されていません" in sekisho("why", "nobody", "--lang", "ja").out)
    sekisho("account", "add", "3003")
    check("why: an account that is there", "no account" not in (ran := sekisho("why", "3003")).out and
          "not locked" in ran.out, ran)
    check("why --lang ja", "制限なし" in sekisho("why", "198.51.100.9", "--lang", "ja").out)


def why_address(daemon):
    attack(daemon, NEARLY, "1001", 2)
    ran = until(lambda: "2 of 5" in (r := sekisho("why", NEARLY)).out and r)
    check("why: how near a free address is to a ban", ran and ": free\n" in ran.out, sekisho("why", NEARLY))
    same("why: every attempt that is remembered, in words", ran and ran.out.count("wrong password"), 2)
    attack(daemon, ATTACKER, "1001", 5)
    check("why: what was decided is there", until(lambda: sekisho("why", ATTACKER, "--json").json()["decisions"]))
    ran = sekisho("why", ATTACKER)
    lines = ran.out.splitlines()
    same("why: what stands comes first", lines[:1], [f"{ATTACKER}: banned"])
    check("why: since, until and the threshold", "is dropped since 20" in ran.out and "It ends by itself at 20" in ran.out
          and "5 attempts within 600 seconds" in ran.out and "5 are enough" in ran.out, ran)
    check("why: what undoes it", f"By command: sekisho unban {ATTACKER}" in lines, ran)
    attempts = [line for line in lines if "wrong password" in line]
    same("why: each attempt that counted stands there once", len(attempts), 5)
    check("why: an attempt has its switch, witness, source, proof and account",
          all(f" {word} " in attempts[0] for word in ("local", "log", ATTACKER, "proved: it came from there", "1001")),
          attempts)
    check("why --lang ja: sentences and tables", (ja := sekisho("why", ATTACKER, "--lang", "ja").out) and
          ja.startswith(f"{ATTACKER}: 遮断中\n") and "総当たり攻撃" in ja and "パスワード誤り" in ja, ja)
    ran = sekisho("why", "203.0.113.0/24")
    check("why NETWORK: how much of it is dropped, and what", ran.code == 0 and "203.0.113.0/24 is not dropped" in ran.out and
          "Inside of it: 1 banned" in ran.out and any(line.startswith(ATTACKER + " ") for line in ran.out.splitlines()), ran)
    same("why NETWORK --json", sekisho("why", "203.0.113.0/24", "--json").json()["inside"],
         {"banned": 1, "quenched": 0, "observed": 0})
    check("why NETWORK: a quiet one", "Nor is anything inside" in sekisho("why", "198.51.100.0/24").out)
    ran = sekisho("why", ATTACKER, env={"TZ": "Asia/Tokyo"})
    at = datetime.datetime.fromisoformat(sekisho("why", ATTACKER, "--json").json()["bans"][0]["since"].replace("Z", "+00:00"))
    there = at.astimezone(datetime.timezone(datetime.timedelta(hours=9))).isoformat()
    check("why: times are local, with their zone", f"is dropped since {there}" in ran.out and "Z " not in ran.out and
          ran.out.count("+09:00") >= 7, ran)
    check("why: and can be asked for as they stand", sekisho("attacks", "--since", there).code == 0)
    check("bans --lang ja: no English word", all(word in (ja := sekisho("bans", "--lang", "ja").out) for word in
          ("遮断", "総当たり攻撃", "ガード", "いいえ")) and "guard" not in ja and "no " not in ja, ja)
    sekisho("why", ATTACKER)
    daemon.api.local("DELETE", f"/v1/bans/{ATTACKER}")
    ran = until(lambda: "ban lifted" in (r := sekisho("why", ATTACKER)).out and r)
    check("why: past decisions stay", ran and ": free\n" in ran.out and "banned (brute force)" in ran.out, ran)


def why_account(daemon):
    sekisho("account", "add", "2001")
    for i in range(10):
        attack(daemon, f"203.0.114.{i + 1}", "2001", 1)
    until(lambda: sekisho("why", "2001", "--json").json()["decisions"])
    ran = sekisho("why", "2001@local")
    check("why ACCOUNT@SWITCH: a lock", ran.code == 0 and ran.out.startswith("2001@local: locked for calls abroad\n") and
          "By command: sekisho unlock 2001 --switch local\n" in ran.out, ran)
    same("why ACCOUNT --switch: the same", sekisho("why", "2001", "--switch", "local").out, ran.out)


def why_strange(daemon):
    for i in range(10):
        attack(daemon, f"203.0.115.{i + 1}", EVIL, 1)
    ran = until(lambda: "203.0.115.3" in (r := sekisho("why", "203.0.115.3")).out and "wrong" in r.out and r)
    check("why: what a stranger sent is escaped", ran and "\x1b" not in ran.out and "\x07" not in ran.out, ran)
    ran = sekisho("why", EVIL)
    check("why: no command to copy holds a stranger's words",
          ran.code == 0 and "\x1b" not in ran.out and "sekisho unlock" not in ran.out, ran)


def why_wrong():
    for words, code, said in (([], 2, "address"), (["a", "b"], 2, "address"), (["192.0.2.1", "--switch", "local"], 2, "switch"),
                              (["1001@local", "--switch", "other"], 2, "contradict"), (["192.0.2.7/24"], 1, "192.0.2.7/24"),
                              (["192.0.2.300"], 1, "192.0.2.300"), (["1001@nowhere"], 1, "nowhere")):
        ran = sekisho("why", *words)
        check(f"why {' '.join(words)}: an error that says so", ran.code == code and said in ran.err, ran)


def attacks():
    report = until(lambda: (r := sekisho("attacks", "--json").json())["attempts"] >= 27 and r)
    check("attacks --json", report and report["attacks"][0]["attack"] == "brute-force", report)
    ran = sekisho("attacks")
    lines = ran.out.splitlines()
    check("attacks: how many, from when to when", lines and lines[0].startswith(f"{report['attempts']} refused attempts from"), ran)
    shares = [float(line.split()[-1].rstrip("%")) for line in lines[3:3 + len(report["attacks"])]]
    check("attacks: the shares of all kinds are the whole", abs(sum(shares) - 100) < 0.1, ran)
    for heading in ("SOURCE (", "NETWORK (", "ACCOUNT (", "WITNESS", "OUTCOME", "SENDER", "DECIDED"):
        check(f"attacks: {heading.strip(' (')}", heading in ran.out, ran)
    check("attacks: who came most often", ATTACKER in ran.out and "2001@local" in ran.out and "203.0.114.0/24" in ran.out, ran)
    check("attacks: what strangers sent is escaped", "\x1b" not in ran.out and "\\x1b" in ran.out, ran)
    check("attacks --lang ja", "拒否された試行" in (ja := sekisho("attacks", "--lang", "ja").out) and "総当たり攻撃" in ja, ja)
    same("attacks --top", len(sekisho("attacks", "--top", "1", "--json").json()["sources"]["items"]), 1)
    same("attacks --switch", sekisho("attacks", "--switch", "local", "--json").json()["attempts"], report["attempts"])
    ran = sekisho("attacks", "--since", "2020-01-01", "--until", "2020-02-01")
    check("attacks --since --until: a time of peace", ran.code == 0 and ran.out.startswith("0 refused attempts") and
          "KIND" not in ran.out, ran)
    rows = list(csv.DictReader(io.StringIO(sekisho("attacks", "--csv").out)))
    same("attacks --csv", (rows[0]["section"], int(rows[0]["attempts"])), ("attempts", report["attempts"]))
    _, shown = on_terminal("attacks", "--csv")
    check("attacks --csv on a terminal: escaped", "section,key" in shown and "\x1b" not in shown, shown)
    for words, code, said in ((["--since", "yesterday"], 2, "yesterday"), (["x"], 2, "x"), (["--csv", "--json"], 2, "--csv"),
                              (["--top", "many"], 1, "top"), (["--switch", "nowhere", "--csv"], 1, "nowhere")):
        ran = sekisho("attacks", *words)
        check(f"attacks {' '.join(words)}: an error that says so", ran.code == code and said in ran.err, ran)


loopback.own()
with Daemon(SEKISHOD, CONFIG) as sekishod:
    os.environ["SEKISHO_SOCKET"] = sekishod.socket
    open(sekishod.dir + "/security", "a", encoding="utf-8").close()
    sekishod.wait_log("event=witness switch=local witness=log")
    why_free()
    why_address(sekishod)
    why_account(sekishod)
    why_strange(sekishod)
    why_wrong()
    attacks()
    same("sekishod ends cleanly", sekishod.stop(), 0)
    same("why without a daemon", sekisho("why", ATTACKER).code, 4)
    same("attacks without a daemon", sekisho("attacks").code, 4)
done()
