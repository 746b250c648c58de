#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Call records by command: each call once, whatever is killed in the midst, and the history right."""
import gzip
import os
import signal
import sqlite3
import subprocess
import sys
import time

from command import SEKISHO, sekisho
from e2e import loopback
from e2e.daemon import Daemon
from e2e.tap import check, done, same

SEKISHOD = sys.argv[1]
ROWS = 60000


def line(i):
    who = f"100{i % 4}"
    dialled = "010252615123456" if i % 10 == 0 else "0312345678"
    day, rest = divmod(i, 3600)
    return (f'"{who}","{who}","{dialled}","internal","""A"" <{who}>","PJSIP/{who}-{i:08x}","PJSIP/trunk-{i:08x}","Dial",'
            f'"PJSIP/{dialled}@trunk,,","2026-10-{1 + day:02} 10:{rest // 60:02}:{rest % 60:02}","","",62,60,'
            f'"{"ANSWERED" if i % 3 else "NO ANSWER"}","DOCUMENTATION","1790000000.{i}",""\n')


def total(daemon):
    with sqlite3.connect(f"file:{daemon.state}/calls.db?mode=ro", uri=True) as db:
        return db.execute("SELECT coalesce(sum(calls), 0) FROM blocks").fetchone()[0]


def kill_in_the_midst(daemon, victim, words):
    """Begins an import and kills somebody as soon as some of it is there. Whether that was in the midst."""
    before = total(daemon) if os.path.exists(f"{daemon.state}/calls.db") else 0
    running = subprocess.Popen([SEKISHO, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while time.monotonic() < end and running.poll() is None:
        try:
            if total(daemon) > before:
                break
        except sqlite3.Error:
            pass
    (running if victim == "command" else daemon.process).kill()
    running.wait()
    if victim == "daemon":
        daemon.process.wait()
        daemon.log.close()
        daemon.process.stdout.close()
        daemon.start()


loopback.own()
with Daemon(SEKISHOD) as daemon:
    os.environ["SEKISHO_SOCKET"] = daemon.socket
    path = os.path.join(daemon.dir, "Master.csv")
    text = "".join(map(line, range(ROWS)))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    words = ("cdr", "import", path, "--switch", "local", "--format", "asterisk", "--zone", "UTC")
    for name in ("1000", "1001", "1002", "quiet"):
        same(f"account {name}", sekisho("account", "add", name).code, 0)
    said = sekisho("history", "1000")
    check("before any records: words", said.code == 1 and "cdr import" in said.err, said)

    kill_in_the_midst(daemon, "command", words)
    kill_in_the_midst(daemon, "daemon", words)
    kill_in_the_midst(daemon, "daemon", words)
    ran = sekisho(*words)
    check("and then it is whole", ran.code == 0, ran)
    same("nothing doubled, nothing lost", total(daemon), ROWS)
    check("who pays: names that no account has are told", "1003" in ran.err and "WARNING" in ran.err, ran)
    check("and accounts without a call", "of 5 accounts" in ran.err or "of 4 accounts" in ran.err, ran)

    sums = {s["country"]: s for s in sekisho("history", "1000", "--json").json()["items"] if s["abroad"]}
    want = [i for i in range(0, ROWS, 4) if i % 10 == 0]
    same("answered abroad", sums["SO"]["answered"], sum(1 for i in want if i % 3))
    same("unanswered abroad", sums["SO"]["unanswered"], sum(1 for i in want if not i % 3))
    same("seconds", sums["SO"]["seconds"], 60 * sum(1 for i in want if i % 3))

    ran = sekisho(*words, "--json")
    figures = ran.json()[0]
    check("the same file again: nothing is read", figures["added"] == figures["known"] == 0, figures)
    with gzip.open(path + ".gz", "wt") as f:
        f.write(text + line(ROWS) + "rubbish\n")
    rejects = os.path.join(daemon.dir, "rejects")
    ran = sekisho(*[path + ".gz" if w == path else w for w in words], "--rejects", rejects)
    check("grown, compressed, under another name: what is new", "1 calls added, 0 were there" in ran.out, ran)
    check("a row that cannot be read", f"Master.csv.gz:{ROWS + 2}: " in ran.err, ran)
    with open(rejects, encoding="utf-8") as f:
        check("stands among the rejects", f"Master.csv.gz:{ROWS + 2}: " in f.read())
    ran = sekisho(*["-" if w == path else w for w in words], stdin=(text[:200000]).encode())
    check("standard input", ran.code == 0 and "0 calls added" in ran.out, ran)
    ran = sekisho(*[w for w in words if w not in ("--zone", "UTC")])
    check("the zone is never guessed", ran.code == 1 and "zone" in ran.err, ran)
    same("all in all", total(daemon), ROWS + 1)

    ran = sekisho("history", "disown", "1000", "--country", "SO")
    check("disown", ran.code == 0, ran)
    sums = {s["country"]: s for s in sekisho("history", "1000", "--json").json()["items"] if s["abroad"]}
    same("they do not speak for it", (sums["SO"]["answered"], sums["SO"]["last_answered"]), (0, None))
    ran = sekisho("history", "1000", "--lang", "ja")
    check("in words", "SO" in ran.out and "本人のものでない通話" in ran.out, ran)
    same("own", sekisho("history", "own", "1000", "1").code, 0)
    sums = {s["country"]: s for s in sekisho("history", "1000", "--json").json()["items"] if s["abroad"]}
    same("they do again", sums["SO"]["answered"], sum(1 for i in want if i % 3))
    check("it ends cleanly", daemon.stop(signal.SIGTERM) == 0 and not daemon.complaints(), daemon.read_log())
done()
