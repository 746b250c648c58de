#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The sweep as its operator sees it: previewed, announced, applied, undone, by the command against a real sekishod."""
import csv
import os
import re
import sys
import tempfile

from command import sekisho
from e2e import calls, loopback
from e2e.daemon import Daemon
from e2e.tap import check, done, same

SEKISHOD = sys.argv[1]
# Of a house that was imported today nobody is known for thirty days.
PREVIEW = ("sweep", "preview", "--young", "0")


def house():
    """Who is who: all were there, unrestricted, before anybody looked."""
    rows = "".join(f'{{"name":"{name}","tenant":"{tenant}","rules":[{rules}]}}\n' for name, tenant, rules in (
        ("quiet", "main", ""), ("caller", "main", ""), ("once", "main", ""), ("objector", "main", ""),
        ("own", "main", '{"action":"restrict","prefix":"0107"}'), ("below", "acme", ""), ("branch-1", "branch", ""),
        ("lifter", "main", '{"action":"restrict","prefix":"010"}'),
        ("born", "main", '{"action":"restrict","prefix":"010"}')))
    same("tenants", [sekisho("tenant", "add", "acme").code,
                     sekisho("tenant", "add", "branch", "--parent", "acme").code], [0, 0])
    ran = sekisho("account", "import", "-", stdin=rows.encode())
    check("accounts as they were", ran.code == 0, ran)
    same("one lifts its restriction", sekisho("restrict", "remove", "lifter", "010", "--yes").code, 0)


def counts(ran):
    return {word: n for word, n in ran.json()["counts"].items() if n}


def few_records(daemon):
    ran = sekisho(*PREVIEW)
    check("without call records nobody is restricted, and it says why", ran.code == 0 and
          "none: nobody there is restricted" in ran.out and "There is no account to restrict." in ran.out, ran)
    calls.put(daemon.state, 1, {"caller": 2}, range(0, 3))
    ran = sekisho(*PREVIEW)
    check("three days of them do not reach", "not all of the time" in ran.out and "There is no account" in ran.out, ran)
    check("who called abroad in them did", "last 2" in ran.out and "to US" in ran.out and "caller@local" in ran.out, ran)
    calls.put(daemon.state, 1, {"once": 500}, [*range(0, 100, 10), *range(200, 410, 10)])
    ran = sekisho(*PREVIEW)
    check("a gap is named by its days", re.search(r"nothing from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d", ran.out), ran)
    same("unless such a gap is believed", counts(sekisho(*PREVIEW, "--gap", "120", "--json"))["restrict"], 5)
    calls.put(daemon.state, 1, {}, range(0, 410, 10))


def previews(folder):
    same("restricted from above", sekisho("restrict", "add", "--tenant", "acme", "010").code, 0)
    same("an objection", sekisho("sweep", "object", "--account", "objector", "--note", "ジャマイカ支店").code, 0)
    ran = sekisho("sweep", "objections")
    check("objections", "objector@local" in ran.out and "ジャマイカ支店" in ran.out, ran)
    ran = sekisho(*PREVIEW, "--json")
    same("everybody is counted once", counts(ran), {
        "restrict": 2, "restricted": 3, "own-rules": 1, "objected": 1, "calls-abroad": 1, "lifted": 1})
    text = sekisho(*PREVIEW).out
    for what, pattern in {
            "restricted by whom": r"below@local +acme +by rules of tenant:acme",
            "from above it too": r"branch-1@local +branch +by rules of tenant:acme",
            "by itself": r"born@local +main +by its own rules",
            "lifted by whom, and when": r"lifter@local +main +by uid:\d+ on \d{4}-\d\d-\d\d",
            "objected by whom": r"objector@local +main +by uid:\d+ on \d{4}",
            "called where, and when": r"caller@local +main +last \d{4}-\d\d-\d\d to US",
            "a call before the window is none": r"once@local +main +known since \d{4}"}.items():
        check(f"preview: {what}", re.search(pattern, text), text)
    check("preview: how to go on", re.search(r"sekisho sweep apply \d+ --restrict 2$", text, re.M), text)
    japanese = sekisho(*PREVIEW, "--lang", "ja").out
    check("preview in Japanese", "規制の対象（2 件中 2 件）" in japanese and "判断できる" in japanese, japanese)
    same("--include-lifted", counts(sekisho(*PREVIEW, "--include-lifted", "--json"))["restrict"], 3)
    same("--tenant", counts(sekisho(*PREVIEW, "--tenant", "acme", "--json")), {"restricted": 2})
    same("a short window tells nothing", counts(sekisho("sweep", "preview", "--since", "7d", "--json")).get("restrict"), None)

    path = os.path.join(folder, "sweep.csv")
    ran = sekisho(*PREVIEW, "--csv", path)
    with open(path, encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    same("--csv: every account, with the reason", (ran.code, {r["name"]: r["verdict"] for r in rows}), (0, {
        "quiet": "restrict", "once": "restrict", "caller": "calls-abroad", "objector": "objected", "own": "own-rules",
        "below": "restricted", "branch-1": "restricted", "lifter": "lifted", "born": "restricted"}))
    ran = sekisho(*PREVIEW, "--csv", "-")
    check("--csv -: and how to go on, aside", ran.out.startswith("id,name,switch,tenant,verdict,") and
          "sweep apply" in ran.err, ran)
    same("--csv: where nothing can be written", sekisho(*PREVIEW, "--csv", "/nowhere/x").code, 1)
    same("--csv: to a full disk", sekisho(*PREVIEW, "--csv", "/dev/full").code, 1)


def wrong_words():
    for words in (("apply",), ("apply", "7"), ("apply", "x", "--restrict", "1"), ("apply", "7", "--restrict", "x"),
                  ("announce", "7", "--restrict", "1"), ("undo",), ("undo", "x"), ("show",), ("object",),
                  ("object", "--tenant", "a", "--account", "b"), ("preview", "--young", "x"), ("preview", "x")):
        same(f"sweep {' '.join(words)}: a wrong command line", sekisho("sweep", *words).code, 2)
    ran = sekisho("sweep", "apply", "7", "--restrict", "1")
    check("apply: a preview that nobody made", ran.code == 1 and "make another one" in ran.err, ran)
    same("undo: no such sweep", sekisho("sweep", "undo", "7", "--yes").code, 1)


def calls_abroad(name):
    return sekisho("check", "--account", name, "01012125551234").code == 0


def swept():
    seen = sekisho(*PREVIEW, "--json").json()
    change = str(seen["change"])
    ran = sekisho("sweep", "announce", change, "--restrict", "2", "--on", "2020-01-01")
    check("announce: a day that is over", ran.code == 1 and "2020-01-01" in ran.err, ran)
    ran = sekisho("sweep", "announce", change, "--restrict", "2", "--on", "2099-12-01")
    check("announce", ran.code == 0 and "2 accounts" in ran.out and "nothing is restricted yet" in ran.out, ran)
    check("announcements", "2099-12-01" in sekisho("sweep", "announcements").out, sekisho("sweep", "announcements"))
    ran = sekisho("sweep", "apply", change, "--restrict", "2")
    check("apply: before the day", ran.code == 1 and "2099-12-01" in ran.err and calls_abroad("quiet"), ran)
    ran = sekisho("sweep", "apply", change, "--restrict", "3", "--early")
    check("apply: not what was looked at", ran.code == 1 and "would restrict 2 accounts, not 3" in ran.err, ran)
    same("somebody objects meanwhile", sekisho("sweep", "object", "--account", "once").code, 0)
    ran = sekisho("sweep", "apply", change, "--restrict", "2", "--early")
    check("apply: stale", ran.code == 1 and "is stale" in ran.err and calls_abroad("quiet"), ran)
    same("and takes it back", sekisho("sweep", "object", "--undo", "--account", "once").code, 0)

    change = str(sekisho(*PREVIEW, "--json").json()["change"])
    ran = sekisho("sweep", "apply", change, "--restrict", "2", "--early")
    check("apply", ran.code == 0 and "2 accounts restricted" in ran.out and "sweep undo" in ran.out, ran)
    same("who was swept, and who was not", [calls_abroad(n) for n in ("quiet", "once", "caller", "objector", "lifter")],
         [False, False, True, True, True])
    same("again: nobody is left", counts(sekisho(*PREVIEW, "--json")).get("restrict"), None)
    ran = sekisho("sweep", "apply", change, "--restrict", "2", "--early")
    same("apply: once", ran.code, 1)
    return str(sekisho("sweep", "list", "--json").json()[0]["id"])


def undone(number):
    same("one lifts it", sekisho("restrict", "remove", "once", "010", "--yes").code, 0)
    same("who lifted it is not swept again", counts(sekisho(*PREVIEW, "--json")).get("restrict"), None)
    same("show: what stands", sekisho("sweep", "show", number, "--json").json()["standing"], 1)
    ran = sekisho("sweep", "show", number, "--accounts", "--lang", "ja")
    check("show --accounts, in Japanese", "規制中" in ran.out and "変更あり" in ran.out, ran)
    ran = sekisho("sweep", "undo", number, "--yes")
    check("undo: and those that were changed are listed", ran.code == 0 and "1 accounts have the rules again" in ran.out and
          "once" in ran.out and "quiet" not in ran.out, ran)
    check("undo: it is open again", calls_abroad("quiet"))
    ran = sekisho("sweep", "undo", number, "--yes")
    check("undo: once", ran.code == 1 and "undone already" in ran.err, ran)
    same("what was undone may be swept again", counts(sekisho(*PREVIEW, "--json"))["restrict"], 1)
    text = sekisho("audit").out
    check("the audit has it all", all(a in text for a in ("sweep.announce", "sweep.apply", "sweep.undo", "objection.put")), text)


loopback.own()
with tempfile.TemporaryDirectory() as work, Daemon(SEKISHOD) as sekishod:
    os.environ["SEKISHO_SOCKET"] = sekishod.socket
    same("objections: none", sekisho("sweep", "objections").out, "nobody has objected\n")
    house()
    few_records(sekishod)
    previews(work)
    wrong_words()
    undone(swept())
    same("it ends cleanly", (sekishod.stop(), sekishod.complaints()), (0, []))
done()
