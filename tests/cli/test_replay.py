#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`sekisho replay --file`: what two attacks that really happened would have cost, found among everyday calls to the call and yen."""
import csv
import gzip
import io
import os
import subprocess
import sys
import tempfile

from command import sekisho
from e2e.tap import check, done, same

GENERATE = sys.argv[1]
os.environ["SEKISHO_SOCKET"] = "/nonexistent"
DIR = tempfile.mkdtemp()
FILE = os.path.join(DIR, "Master.csv")
RATES = os.path.join(DIR, "rates.csv")
PLAN = ["--plan", "JP", "--extensions", "1XXX"]
FROM = ["--file", FILE, "--zone", "Asia/Tokyo", *PLAN]


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def generate(*words):
    ran = subprocess.run([GENERATE, *words], capture_output=True, check=True)
    with open(FILE, "wb") as f:
        f.write(ran.stdout)
    return {line.split()[0]: line.split()[1] for line in ran.stderr.decode().splitlines()}


def replay(*words):
    ran = sekisho("--json", "replay", *FROM, *words)
    same(f"replay {' '.join(words)}", ran.code, 0)
    return ran.json()


def account(told, name):
    return next((one for one in told["accounts"] if one["account"] == name), None)


def planted():
    victims = generate("10000", "7", "1000", "burst", "pump")
    write(RATES, "prefix,price,increment,currency\n232,170,60/60,JPY\n1,10,60,JPY\n")
    told = replay("--born", "--rates", RATES, "--top", "100000")

    pump = account(told, victims["pump"])
    same("the pump: every call of it, and nothing else of that account", (pump["calls"], pump["answered"], pump["seconds"]),
         (14000, 14000, 14000 * 32))
    same("the pump: a minute begun is a minute", [(m["currency"], m["amount"]) for m in pump["saved"]], [("JPY", "2380000")])
    same("four days are no habit", pump["every_week"], False)
    burst = account(told, victims["burst"])
    same("the burst: every call of it", (burst["calls"], burst["answered"]), (111, 84))

    ran = sekisho("replay", *FROM, "--born", "--rates", RATES, "--csv")
    rows = [row for row in csv.DictReader(io.StringIO(ran.out)) if row["account"] == victims["burst"]]
    same("the burst went to 37 countries", len({row["country"] for row in rows}), 37)
    same("and to 89 numbers", len({row["e164"] for row in rows}), 89)
    same("within 16 minutes", max(r["time"] for r in rows) < min(r["time"] for r in rows)[:11] + "12:16", True)
    same("as many rows as the sum says",
         len(list(csv.DictReader(io.StringIO(ran.out)))), told["refused"]["calls"])

    again = replay("--born", "--rates", RATES, "--top", "100000")
    same("twice the same", again, told)
    same("what the first template says is what 010 says",
         replay("--template", "international-off", "--rates", RATES, "--top", "100000")["refused"], told["refused"])
    some = replay("--restrict", "010232", "--top", "100000")
    same("only Sierra Leone", account(some, victims["pump"])["calls"], 14000)
    same("all countries, as told", [one["country"] for one in some["countries"]], ["SL"])
    open_ = replay("--restrict", "010", "--except", "010232", "--top", "100000")
    same("all but Sierra Leone", account(open_, victims["pump"]), None)

    with open(FILE, "rb") as plain, gzip.open(FILE + ".gz", "wb") as packed:
        packed.write(plain.read())
    ran = sekisho("--json", "replay", "--file", FILE + ".gz", *FROM[2:], "--born", "--rates", RATES, "--top", "100000")
    same("compressed, the same", ran.json(), told)
    ran = sekisho("replay", *FROM, "--born", "--rates", RATES)
    check("in words", "would have refused" in ran.out and "¥2,38" in ran.out, ran.out)
    ran = sekisho("--lang", "ja", "replay", *FROM, "--born", "--rates", RATES)
    check("and in Japanese", "拒否し、¥2,38" in ran.out, ran.out)
    none = replay("--born", "--since", "2030-01-01")
    same("nobody called then", (none["refused"]["calls"], none["first"]), (0, None))


LINE = ('"{who}","0500","{to}","from-internal","","PJSIP/{who}-1","PJSIP/t-2","Dial","PJSIP/{to}@t,,",'
        '"{at}","{at}","{at}",{s},{s},"ANSWERED","DOCUMENTATION","",""\n')


def clocks():
    """Of the hour that clocks showed twice the first is meant; without an id nothing tells."""
    write(FILE, "".join(LINE.format(who="1001", to="010252615123456", at=at, s=60)
                        for at in ("2026-10-25 01:59:59", "2026-10-25 02:30:00", "2026-10-25 03:00:00")))
    ran = sekisho("replay", "--file", FILE, "--zone", "Europe/Berlin", *PLAN, "--born", "--csv")
    same("clocks that are put back", [row["time"] for row in csv.DictReader(io.StringIO(ran.out))],
         ["2026-10-24T23:59:59Z", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"])


def hostile():
    """Rows that cannot be read are told; what a thief dials is no formula."""
    write(FILE, LINE.format(who="=1+2", to="010252615123456", at="2026-11-01 09:00:00", s=60)
          + "nonsense\n"
          + LINE.format(who="1001", to="+252615123456", at="2026-11-01 09:00:00", s=60))
    ran = sekisho("replay", *FROM, "--born", "--csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    same("no cell begins a formula", [(row["account"], row["dialled"]) for row in rows],
         [("'=1+2", "010252615123456"), ("1001", "'+252615123456")])
    check("the row that cannot be read is told by its line", "line 2" in ran.err, ran.err)


def refused():
    for words, said in [
            (["--file", FILE, *PLAN, "--born"], "--zone is missing"),
            (["--file", FILE, "--zone", "../x", *PLAN, "--born"], "is no time zone"),
            (["--file", FILE, "--zone", "UTC", "--born"], "--plan COUNTRY is missing"),
            ([*FROM], "rules are missing"),
            ([*FROM, "--born", "--template", "us-canada"], "--template contradicts"),
            ([*FROM, "--born", "--format", "excel"], "is not asterisk"),
            ([*FROM, "--born", "--format", "mapping"], "go together"),
            ([*FROM, "--born", "--top", "0"], "is not a number from 1"),
            ([*FROM, "--born", "--rates", "/nonexistent"], "/nonexistent"),
            ([*FROM, "--born", "--rates", write(RATES, "prefix,price\n")], "rates.csv, line 1: no column is called increment"),
            (["--file", "/nonexistent", *FROM[2:], "--born"], "/nonexistent")]:
        ran = sekisho("replay", *words)
        check(f"refused: {said}", ran.code in (1, 2) and said in ran.err and not ran.out, f"{ran.code} {ran.out} {ran.err}")


planted()
clocks()
hostile()
refused()
done()
