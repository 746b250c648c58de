#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every subcommand that asks the daemon, against a real sekishod, in text and in JSON."""
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from command import SEKISHO, on_terminal, sekisho
from e2e import loopback
from e2e.daemon import Daemon
from e2e.tap import check, done, same
from e2e.tcp import free_port

SEKISHOD = sys.argv[1]


class Ami(threading.Thread):
    """A manager interface with a few endpoints, one of which calls itself what no account may."""
    SECRET = b"hN3xPq0ZtV5bL9wy"

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.saw = b""
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                self.serve(connection)

    def serve(self, connection):
        connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        stream = connection.makefile("rb")
        while True:
            action = {}
            while True:
                line = stream.readline()
                if not line:
                    return
                self.saw += line
                if line == b"\r\n":
                    break
                name, _, value = line.strip().partition(b": ")
                action[name] = value
            connection.sendall(self.answer(action))

    def answer(self, action):
        def event(*lines):
            return "".join(line + "\r\n" for line in lines).encode() + b"\r\n"
        what = action[b"Action"]
        tag = "ActionID: " + action[b"ActionID"].decode()
        if what == b"Challenge":
            return event("Response: Success", tag, "Challenge: 840415273")
        if what == b"Login":
            good = hashlib.md5(b"840415273" + self.SECRET).hexdigest().encode() == action[b"Key"]
            return event("Event: FullyBooted") + (event("Response: Success", tag, "Message: Authentication accepted")
                                                  if good else
                                                  event("Response: Error", tag, "Message: Authentication failed"))
        if what == b"PJSIPShowEndpoints":
            return (event("Response: Success", tag, "EventList: start") +
                    event("Event: EndpointList", tag, "ObjectName: 1001", "OutboundAuths: ") +
                    event("Event: EndpointList", tag, "ObjectName: Desk-7", "OutboundAuths: ") +
                    event("Event: EndpointList", tag, "ObjectName: a b\x1b[1m", "OutboundAuths: ") +
                    event("Event: VarSet", "Variable: x", "Value: EndpointListComplete") +
                    event("Event: EndpointList", tag, "ObjectName: provider", "OutboundAuths: provider") +
                    event("Event: EndpointListComplete", tag, "ListItems: 4"))
        return event("Response: Error", tag, "Message: Invalid/unknown command")


def accounts():
    ran = sekisho("account", "add", "1001", "--note", "ロビー")
    check("account add: born restricted", ran.code == 0 and "restrict 010" in ran.out and "ロビー" in ran.out, ran)
    made = sekisho("--json", "account", "add", "Fax1").json()
    same("account add --json: stored in lower case, with its rules",
         (made["name"], made["switch"], made["tenant"], [r["prefix"] for r in made["rules"]]),
         ("fax1", "local", "main", ["010"]))
    ran = sekisho("account", "add", "1001")
    check("account add: twice is an error that names it", ran.code == 1 and "1001" in ran.err, ran)
    ran = sekisho("account", "add", "a b")
    check("account add: a name that is none", ran.code == 1 and "a b" in ran.err, ran)
    ran = sekisho("account", "add", "1009", "--tenant", "nobody")
    check("account add: a tenant that is none", ran.code == 1 and "nobody" in ran.err, ran)
    same("account list --json", [a["name"] for a in sekisho("account", "list", "--json").json()], ["1001", "fax1"])
    same("account list TEXT", [a["name"] for a in sekisho("account", "list", "FAX", "--json").json()], ["fax1"])
    same("account list --limit", len(sekisho("account", "list", "--limit", "1", "--json").json()), 1)
    check("account list: a table", sekisho("account", "list").out.splitlines()[0].split()[:3] == ["ID", "SWITCH", "NAME"])
    same("account show by id", sekisho("account", "show", f"id:{made['id']}", "--json").json()["name"], "fax1")
    same("account show, any case", sekisho("account", "show", "FAX1", "--json").json()["id"], made["id"])
    same("account show --switch", sekisho("account", "show", "fax1", "--switch", "local", "--json").json()["id"],
         made["id"])
    ran = sekisho("account", "show", "nobody")
    check("account show: nobody", ran.code == 1 and '"nobody"' in ran.err, ran)
    same("account suspend", sekisho("account", "suspend", "fax1").code, 0)
    same("account suspend: state", sekisho("account", "show", "fax1", "--json").json()["state"], "suspended")
    same("suspended: check is denied", sekisho("check", "--account", "fax1", "0312345678").code, 3)
    same("suspended: emergency is allowed", sekisho("check", "--account", "fax1", "110").code, 0)
    sekisho("account", "resume", "fax1")
    same("account resume", sekisho("account", "show", "fax1", "--json").json()["state"], "active")
    same("account set", sekisho("account", "set", "fax1", "--note", "2F").code, 0)
    same("account set: note", sekisho("account", "show", "fax1", "--json").json()["note"], "2F")
    same("account remove", sekisho("account", "remove", "fax1").code, 0)
    same("account remove: gone", sekisho("account", "show", "fax1").code, 1)


def imports(folder):
    path = os.path.join(folder, "accounts.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write('name,note\n2001,"lobby, 2F"\n2002,\n')
    ran = sekisho("account", "import", path)
    check("import CSV", ran.code == 0 and ran.out.startswith("2 accounts added"), ran)
    same("import CSV: quotes", sekisho("account", "show", "2001", "--json").json()["note"], "lobby, 2F")
    ran = sekisho("account", "import", "-", "--json", stdin=b'{"name":"2003"}\n{"name":"2004"}\n')
    same("import JSON lines from standard input", ran.json()["added"], 2)
    ran = sekisho("account", "import", "-", stdin=b'{"name":"2005"}\n{"name":"2 6"}\n')
    check("import: all or none, and the line is named", ran.code == 1 and "line 2" in ran.err, ran)
    ran = sekisho("account", "import", "-", "--keep", "--json", stdin=b'{"name":"2003"}\n{"name":"2007"}\n')
    same("import --keep", (ran.json()["added"], ran.json()["kept"]), (1, 1))
    same("import: nothing of it", sekisho("account", "show", "2005").code, 1)
    same("import: what was imported is born restricted",
         [r["prefix"] for r in sekisho("restrict", "list", "2003", "--json").json()], ["010"])


def many_faults_of_an_import(folder):
    ran = sekisho("account", "import", "-", stdin=b"name\n" + b"a b\n" * 1000)
    lines = ran.err.splitlines()
    check("import: the first hundred faults by line, and how many more",
          ran.code == 1 and "1000 of the lines" in lines[0] and lines[1].startswith('line 2: name "a b"') and
          lines[100].startswith("line 101:") and lines[101] == "and 900 more" and len(lines) == 102, ran)
    ran = sekisho("account", "import", "-", "--lang", "ja", stdin=b"name\na b\n")
    check("import: faults in Japanese", "2 行目" in ran.err, ran)
    path = os.path.join(folder, "rules.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\ufeffexcept,name,restrict\r\n0101212,r1,010 0990\r\n\r\n,r2,none\r\n,r3,\r\n")
    same("import: rules of their own", sekisho("account", "import", path).code, 0)
    for name, expected in (("r1", ["010", "0990", "0101212"]), ("r2", []), ("r3", ["010"])):
        same(f"import: rules of {name}", [r["prefix"] for r in sekisho("restrict", "list", name, "--json").json()],
             expected)


def progress_of_an_import(folder):
    path = os.path.join(folder, "many.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("name\n" + "".join(f"many-{i}\n" for i in range(40000)))
    code, shown = on_terminal("account", "import", path)
    check("import: a terminal shows how far it is",
          code == 0 and "sending [" in shown and "\r" in shown and "40000 accounts added" in shown, shown)
    code, shown = on_terminal("account", "import", path, "--keep", "--quiet")
    check("import --quiet: nothing but the end", code == 0 and "[" not in shown and "40000 were there" in shown, shown)
    code, shown = on_terminal("account", "import", path, "--keep", "--json")
    check("import --json: nothing but JSON", code == 0 and shown.strip().startswith("{"), shown)
    ran = sekisho("account", "import", path, "--keep")
    check("import: no terminal, no progress", ran.code == 0 and ran.err == "", ran)


def interrupted_import():
    process = subprocess.Popen([SEKISHO, "account", "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write(b"name\n" + b"".join(b"never-%d\n" % i for i in range(20000)))
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    err = process.stderr.read().decode()
    check("import: ^C says that nothing was imported", process.wait(30) == 1 and "nothing was imported" in err, err)
    same("import: ^C left nothing", sekisho("account", "show", "never-0").code, 1)
    process.stdin.close()
    process.stdout.close()
    process.stderr.close()


def rules():
    def prefixes(*whose):
        return [(r["action"], r["prefix"]) for r in sekisho("restrict", "list", *whose, "--json").json()]

    check("restrict list", sekisho("restrict", "list", "1001").out.split()[5:7] == ["010", "restrict"],
          sekisho("restrict", "list", "1001"))
    same("check: born restricted", sekisho("check", "--account", "1001", "+252615123456").code, 3)
    ran = sekisho("restrict", "add", "1001", "0990", "0 180")
    check("restrict add: several, as people write them", ran.code == 0 and "0180 restricted" in ran.out, ran)
    ran = sekisho("restrict", "except", "--account", "1001", "0101212", "--until", "2h")
    check("restrict except: says what it opens", ran.code == 0 and "United States" in ran.err, ran)
    check("restrict except: and not what it does not open", "the restriction decides" not in ran.err, ran)
    ran = sekisho("restrict", "except", "1001", "010", "--until", "2h")
    check("restrict except: says when the owner's own restriction keeps it shut",
          ran.code == 0 and "the restriction decides" in ran.err, ran)
    same("check: which it does", sekisho("check", "--account", "1001", "0102526151234").code, 3)
    sekisho("restrict", "remove", "1001", "010", "--exception")
    same("restrict: the list", prefixes("1001"),
         [("restrict", "010"), ("restrict", "0180"), ("restrict", "0990"), ("except", "0101212")])
    answer = sekisho("check", "--account", "1001", "--json", "01012125550100").json()
    check("check: the exception allows, and limits the call",
          answer["verdict"] == "allow" and 0 < answer["max_seconds"] <= 7200, answer)
    same("check: no other of +1", sekisho("check", "--account", "1001", "01018765550100").code, 3)
    ran = sekisho("restrict", "remove", "1001", "010")
    check("restrict remove: says what it opens", ran.code == 0 and "high risk" in ran.err and "1001" in ran.err, ran)
    same("restrict remove: lifted", sekisho("check", "--account", "1001", "+252615123456").code, 0)
    ran = sekisho("restrict", "remove", "1001", "010")
    check("restrict remove: twice is an error", ran.code == 1 and "010" in ran.err, ran)
    same("restrict add --tenant", sekisho("restrict", "add", "--tenant", "main", "010252").code, 0)
    same("restrict: the tenant's rule holds", sekisho("check", "--account", "1001", "+252615123456").code, 3)
    same("restrict add --operator --mandatory", sekisho("restrict", "add", "--operator", "--mandatory", "010881").code, 0)
    sekisho("restrict", "except", "1001", "010881")
    same("restrict: mandatory beats an exception",
         sekisho("check", "--account", "1001", "010881612345678", "--json").json()["reason"], "mandatory")
    same("restrict list --operator", prefixes("--operator"), [("restrict", "010881")])
    same("restrict list --tenant", prefixes("--tenant", "main"), [("restrict", "010252")])
    sekisho("restrict", "add", "1001", "0101212", "--schedule", "mon-fri 09:00-18:00 Asia/Tokyo")
    ran = sekisho("restrict", "remove", "1001", "0101212")
    check("restrict remove: says when both kinds are there", ran.code == 1 and "--exception" in ran.err, ran)
    same("restrict remove --exception", sekisho("restrict", "remove", "1001", "0101212", "--exception").code, 0)
    ran = sekisho("restrict", "add", "1001", "0990", "--schedule", "sometimes")
    check("restrict add: a schedule that is none", ran.code == 1 and "sometimes" in ran.err, ran)
    same("restrict add: a prefix that is none", sekisho("restrict", "add", "1001", "o1o").code, 1)
    for prefix in ("*72", "#31#"):
        same(f"restrict add {prefix}", sekisho("restrict", "add", "1001", prefix).code, 0)
        same(f"restrict remove {prefix}", sekisho("restrict", "remove", "1001", prefix).code, 0)
    sekisho("restrict", "add", "1001", "010")


def proofs():
    sekisho("account", "add", "proof-1")
    sekisho("account", "add", "proof-2")
    ran = sekisho("prove", "--account", "proof-1")
    check("prove --account: born restricted", ran.code == 0 and ran.out.startswith("0 of "), ran)
    sekisho("restrict", "except", "proof-2", "0101876")
    ran = sekisho("prove", "--account", "proof-2", "--lang", "ja")
    check("prove --account, in Japanese", "+1-876 ジャマイカ: 危険度 高、発信可" in ran.out, ran)
    ran = sekisho("prove", "--account", "proof-2", "--switch", "local", "--against-account", "proof-1")
    check("prove --against-account", ran.code == 3 and "+1-876" in ran.out.splitlines()[0], ran)
    same("prove --against-account: the other way",
         sekisho("prove", "--account", "proof-1", "--against-account", "proof-2").code, 0)
    same("prove --account --json: prefixes as dialled",
         [r["prefix"] for r in sekisho("prove", "--account", "proof-2", "--json").json()["proof"]["ranges"]
          if r["country"] == "JM"], ["0101876"])
    ran = sekisho("prove", "--account", "proof-2", "--restrictions")
    check("prove --account --restrictions", "0101876" not in ran.out.split() and "0101877" in ran.out.split(), ran)
    ran = sekisho("prove", "--tenant", "main", "--plan", "US")
    check("prove --tenant", ran.code == 0 and " countries abroad" in ran.out, ran)
    ran = sekisho("prove", "--operator")
    check("prove --operator: what the operator's rules alone leave open", ran.code == 0 and "25" in ran.out, ran)
    check("prove: nobody", sekisho("prove", "--account", "nobody").code == 1)


def templates():
    def prefixes(*whose):
        return [(r["action"], r["prefix"]) for r in sekisho("restrict", "list", *whose, "--json").json()]

    ran = sekisho("template", "apply", "us-canada", "--account", "proof-1", "proof-2", "--dry-run")
    check("template apply --dry-run: the rules and their proof",
          ran.code == 0 and "proof-1@local" in ran.out and "0101876" in ran.out and "Canada: open" in ran.out, ran)
    ran = sekisho("template", "apply", "us-canada", "--account", "proof-1")
    check("template apply: nobody to ask, nothing changed", ran.code == 1 and "--yes" in ran.err, ran)
    same("template apply: nothing was changed", prefixes("proof-1"), [("restrict", "010")])
    sekisho("restrict", "add", "proof-1", "0990")
    ran = sekisho("template", "apply", "us-canada", "--account", "proof-1", "proof-2", "--until", "7d", "--yes")
    check("template apply: says what it did, and that it opens",
          ran.code == 0 and "us-canada applied to proof-2@local" in ran.out and "opens" in ran.err, ran)
    for number, code in (("+12125550100", 0), ("+16135550100", 0), ("+18765550100", 3), ("+19005550100", 3),
                         ("+442079460000", 3), ("0990123456", 3)):
        same(f"template apply: {number}", sekisho("check", "--account", "proof-1", number).code, code)
    ran = sekisho("template", "apply", "only-countries", "gb", "--account", "proof-1", "--yes", "--json")
    same("template apply --json", (ran.json()["items"][0]["label"], ran.json()["countries"]), ("proof-1@local", ["gb"]))
    same("template apply: one change in the audit",
         sekisho("audit", "--account", "proof-1", "--limit", "1", "--json").json()[0]["action"], "rules.replace")
    ran = sekisho("audit", "--account", "proof-1", "--limit", "1")
    check("template apply: the audit says in words which rules came and went, the first of them",
          "; -… " in ran.out and "; +restrict 010440; " in ran.out, ran)
    sekisho("restrict", "except", "--operator", "0101876")
    ran = sekisho("template", "apply", "international-off", "--account", "proof-1", "--yes")
    check("template apply: what other levels leave open is said",
          ran.code == 0 and "not all as the template says" in ran.err and "+1-876" in ran.err, ran)
    ran = sekisho("template", "apply", "international-off", "--account", "proof-1", "--yes", "--lang", "ja")
    check("template apply: in Japanese", "テンプレートどおりにならない" in ran.err and "適用しました" in ran.out, ran)
    sekisho("restrict", "remove", "--operator", "0101876")
    same("template apply: other rules stay", prefixes("proof-1"), [("restrict", "010"), ("restrict", "0990")])
    ran = sekisho("template", "apply", "only-countries", "XX", "--account", "proof-1", "--yes")
    check("template apply: a country that is none", ran.code == 1 and "XX" in ran.err, ran)
    ran = sekisho("template", "apply", "us-canada", "--tenant", "nobody", "--yes")
    check("template apply: a tenant that is none", ran.code == 1 and "nobody" in ran.err, ran)
    code, shown = on_terminal("template", "apply", "only-new-york", "--account", "proof-1", typed=b"n\n")
    check("template apply: a terminal is asked, and may say no", code == 1 and "[y/N]" in shown, shown)
    # Hours that are never now: what is compared is the moment, and it opens all the same.
    hours = time.strftime("%a", time.gmtime(time.time() + 3 * 86400)).lower() + " 00:00-00:01 UTC"
    ran = sekisho("template", "apply", "only-new-york", "--account", "proof-1", "--schedule", hours)
    check("template apply: hours that are not now open too", ran.code == 1 and "this opens numbers" in ran.err, ran)
    code, shown = on_terminal("template", "apply", "only-new-york", "--account", "proof-1", typed=b"y\n")
    check("template apply: or yes", code == 0 and "only-new-york applied" in shown, shown)
    for name in ("proof-1", "proof-2"):
        sekisho("account", "remove", name)


def stops():
    sekisho("restrict", "remove", "2001", "010")
    same("stop: before it", sekisho("check", "--account", "2001", "01012125550100").code, 0)
    for scope in (["--account", "2001"], ["--tenant", "main"], []):
        name = " ".join(scope) or "everybody"
        same(f"stop {name}", sekisho("stop", *scope, "--note", "strange bill").code, 0)
        same(f"stop {name}: international is denied",
             sekisho("check", "--account", "2001", "01012125550100", "--json").json()["reason"], "stopped")
        same(f"stop {name}: national passes", sekisho("check", "--account", "2001", "0312345678").code, 0)
        same(f"stop {name}: is listed", len(sekisho("stop", "list", "--json").json()), 1)
        same(f"stop --undo {name}", sekisho("stop", "--undo", *scope).code, 0)
        same(f"stop --undo {name}: passes", sekisho("check", "--account", "2001", "01012125550100").code, 0)
    same("stop --undo: of nothing", sekisho("stop", "--undo").code, 1)


def platform():
    same("preset add", sekisho("preset", "add", "quiet", "--restrict", "010", "0990", "--json").json()["name"], "quiet")
    same("preset set", sekisho("preset", "set", "quiet", "--title", "静か").code, 0)
    check("preset list", "restrict 010, restrict 0990" in sekisho("preset", "list").out, sekisho("preset", "list"))
    same("tenant add", sekisho("tenant", "add", "umeda", "--title", "梅田商事", "--parent", "main", "--preset", "quiet",
                               "--json").json()["parent"], "main")
    same("tenant add: nested", sekisho("tenant", "add", "umeda2", "--parent", "umeda").code, 0)
    ran = sekisho("tenant", "remove", "umeda")
    check("tenant remove: not while tenants are below", ran.code == 1 and "umeda" in ran.err, ran)
    same("tenant set", sekisho("tenant", "set", "umeda2", "--language", "en", "--json").json()["language"], "en")
    ran = sekisho("tenant", "set", "umeda2", "--mode", "observe")
    check("tenant set --mode observe: says what it opens", ran.code == 0 and "refuses no call" in ran.err, ran)
    same("tenant show", sekisho("tenant", "show", "umeda2", "--json").json()["mode"], "observe")
    check("tenant list: wide characters line up", columns_line_up(sekisho("tenant", "list").out), sekisho("tenant", "list"))
    same("tenant remove", sekisho("tenant", "remove", "umeda2").code, 0)
    made = sekisho("switch", "add", "tokyo-1", "--plan", "JP", "--address", "192.0.2.10", "2001:db8::/64", "--outside",
                   "0", "--extensions", "2XXX", "31XX", "--json").json()
    same("switch add", (made["addresses"], made["outside"], made["extensions"].replace(" ", "")),
         (["192.0.2.10", "2001:db8::/64"], "0", "2XXX,31XX"))
    ran = sekisho("switch", "add", "bad", "--plan", "JP", "--extensions", "1X0")
    check("switch add: an extension that covers 110", ran.code == 1 and "110" in ran.err, ran)
    same("switch set", sekisho("switch", "set", "tokyo-1", "--form", "+e164", "--json").json()["form"], "+e164")
    same("switch show", sekisho("switch", "show", "tokyo-1").code, 0)
    for code in ("404", "503"):
        ran = sekisho("switch", "set", "tokyo-1", "--sip-allow", code)
        check("switch set: no " + code + " without fail-open", ran.code == 1 and "fail_open" in ran.err, ran)
    for option, code in (("--sip-allow", "301"), ("--sip-allow", "603"), ("--sip-deny", "404"), ("--sip-deny", "x")):
        check("switch set %s %s" % (option, code), sekisho("switch", "set", "tokyo-1", option, code).code != 0)
    made = sekisho("switch", "set", "tokyo-1", "--sip-account", "X-Account", "--sip-allow", "404", "--sip-deny", "608",
                   "--fail-open", "yes", "--json").json()
    same("switch set: how it asks over SIP", (made["sip_account"], made["sip_allow"], made["sip_deny"], made["fail_open"]),
         ("X-Account", 404, 608, True))
    check("switch set: no fail-open no while it goes on by 404", sekisho("switch", "set", "tokyo-1", "--fail-open", "no").code == 1)
    same("account on two switches", sekisho("account", "add", "1001", "--switch", "tokyo-1", "--tenant", "main").code, 0)
    ran = sekisho("account", "show", "1001")
    check("account show: ambiguous names the switches", ran.code == 1 and "tokyo-1" in ran.err and "--switch" in ran.err, ran)
    same("check --switch", sekisho("check", "--account", "1001", "--switch", "tokyo-1", "0-0312345678",
                                   "--json").json()["dial"], "+81312345678")
    same("number --switch", sekisho("number", "--switch", "tokyo-1", "2001", "--json").json()["class"], "INTERNAL")
    same("account remove --switch", sekisho("account", "remove", "1001", "--switch", "tokyo-1").code, 0)
    same("switch remove", sekisho("switch", "remove", "tokyo-1").code, 0)
    same("switch list", [s["name"] for s in sekisho("switch", "list", "--json").json()], ["local"])


def columns_line_up(text):
    lines = text.splitlines()
    places = set()
    for line in lines:
        second = line.split("  ")[0]
        rest = line[len(second):]
        places.add(sum(2 if ord(c) > 0x2000 else 1 for c in second) + len(rest) - len(rest.lstrip()))
    return len(lines) > 1 and len(places) == 1


def tokens(daemon, folder):
    made = sekisho("token", "add", "tenant:main", "--label", "console", "--expires", "2h", "--json").json()
    path = os.path.join(folder, "token")
    with open(path, "w", encoding="utf-8") as f:
        f.write(made["token"] + "\n")
    over_tcp = ["--url", f"http://127.0.0.1:{daemon.http}", "--token-file", path]
    same("token: over TCP", sekisho(*over_tcp, "account", "show", "2001", "--json").json()["name"], "2001")
    ran = sekisho(*over_tcp, "status")
    check("token: what its scope forbids", ran.code == 1 and ran.err, ran)
    ran = sekisho("--url", over_tcp[1], "status")
    check("token: none", ran.code == 1, ran)
    check("token list: without secrets", made["token"] not in sekisho("token", "list", "--json").out and
          "tenant:main" in sekisho("token", "list").out)
    same("token revoke", sekisho("token", "revoke", str(made["id"])).code, 0)
    same("token: revoked", sekisho(*over_tcp, "account", "show", "2001").code, 1)


def records(folder):
    check("audit", "account.add" in sekisho("audit", "--limit", "0").out, sekisho("audit"))
    whole = sekisho("audit", "--limit", "0", "--json").json()
    same("audit --limit 0 --json: every change once, the newest first", [r["id"] for r in whole],
         sorted({r["id"] for r in whole}, reverse=True))
    ours = sekisho("audit", "--account", "2001", "--json").json()
    check("audit --account", ours and len(ours) < len(whole), ours)
    same("audit --since", sekisho("audit", "--since", "2100-01-01", "--json").json(), [])
    check("audit: what changed, in words", "+restrict 0990" in sekisho("audit", "--limit", "0").out or
          "prefix: 0990" in sekisho("audit", "--limit", "0").out, sekisho("audit", "--limit", "0"))
    same("refusals --json", sekisho("refusals", "--json").json(), [])
    same("refusals", sekisho("refusals", "--since", "7d", "--account", "2001").code, 0)
    ran = sekisho("status", "--json").json()
    same("status --json", (ran["counts"]["switches"], ran["problems"]), (1, []))
    told = sekisho("status").out
    check("status", "accounts" in told)
    # What a witness is said to be may change in its first second: those count that stand before and behind.
    stand = [w for w in sekisho("status", "--json").json()["warnings"] if w in ran["warnings"]]
    same("status tells each warning whole", [w for w in stand if w.replace('"', '\\"') not in told], [])
    check("and one of them is long", any(len(w) > 240 for w in ran["warnings"]), ran["warnings"])
    check("status --lang ja", "アカウント" in sekisho("status", "--lang", "ja").out)
    same("settings set", sekisho("settings", "set", "--refusal-days", "90", "--json").json()["refusal_days"], 90)
    same("settings", sekisho("settings", "--json").json()["refusal_days"], 90)
    ran = sekisho("settings", "set", "--refusal-days", "0")
    check("settings set: out of range", ran.code == 1 and "refusal_days" in ran.err, ran)
    path = os.path.join(folder, "copy")
    same("backup", sekisho("backup", path).code, 0)
    check("backup: is there", os.path.exists(path))
    same("backup: never over what is there", sekisho("backup", path).code, 1)


def guard():
    same("bans: none", sekisho("bans", "--json").json(), [])
    same("bans: none, for people", sekisho("bans").out, "no bans\n")
    same("bans: none, --lang ja", sekisho("bans", "--lang", "ja").out, "遮断はありません\n")
    ran = sekisho("ban", "198.51.100.7", "--for", "2h", "--note", "ticket 4711", "--json")
    same("ban", (ran.code, ran.json()["network"], ran.json()["seconds"], ran.json()["by"]),
         (0, "198.51.100.7", 7200, "operator"))
    check("bans", "198.51.100.7" in sekisho("bans").out and "ticket 4711" in sekisho("bans").out, sekisho("bans"))
    same("bans --network", sekisho("bans", "--network", "203.0.113.0/24", "--json").json(), [])
    same("ban: too wide", sekisho("ban", "10.0.0.0/8").code, 1)
    same("ban: no network", sekisho("ban", "nowhere").code, 1)
    same("ban: a network around it", sekisho("ban", "198.51.100.0/24").code, 0)
    ran = sekisho("unban", "198.51.100.7")
    check("unban: what still stands is said", ran.code == 0 and "198.51.100.0/24" in ran.err, ran)
    same("unban", sekisho("unban", "198.51.100.0/24").code, 0)
    same("bans: none any more", sekisho("bans", "--json").json(), [])
    same("unban: nobody", sekisho("unban", "198.51.100.7").code, 1)
    same("lockouts", sekisho("lockouts", "--json").json(), [])
    same("lockouts: none, for people", (sekisho("lockouts").out, sekisho("lockouts", "--lang", "ja").out),
         ("no lockouts\n", "ロックはありません\n"))
    same("known-good: none, for people", sekisho("known-good", "list").out, "no sources are known good\n")
    same("lockouts: a wrong kind", sekisho("lockouts", "--kind", "any").code, 1)
    same("unlock: nothing to unlock", sekisho("unlock", "2001").code, 1)
    same("known-good", sekisho("known-good", "list", "--json").json(), [])
    same("known-good forget: nothing", sekisho("known-good", "forget", "2001", "--all").code, 1)

    ran = sekisho("access", "add", "192.0.2.0/24")
    check("access add: what it shuts out is said, and not done unasked", ran.code == 1 and "IPv6" in ran.err and
          "--yes" in ran.err, ran)
    same("access list: still off", sekisho("access", "list", "--json").json(), [])
    same("access add --yes", sekisho("access", "add", "192.0.2.0/24", "--note", "office", "--yes").code, 0)
    check("access list", "192.0.2.0/24" in sekisho("access", "list").out and "office" in sekisho("access", "list").out,
          sekisho("access", "list"))
    ran = sekisho("access", "remove", "192.0.2.0/24")
    same("access remove: opens, and is not done unasked", (ran.code, "--yes" in ran.err), (1, True))
    same("access remove --yes", sekisho("access", "remove", "192.0.2.0/24", "--yes").code, 0)

    same("never-ban add", sekisho("never-ban", "add", "203.0.113.9").code, 0)
    ran = sekisho("never-ban", "list")
    check("never-ban list: with what was found", "203.0.113.9" in ran.out and "127.0.0.0/8" in ran.out, ran)
    same("ban: what is never banned", sekisho("ban", "203.0.113.9").code, 1)
    same("never-ban remove", sekisho("never-ban", "remove", "203.0.113.9").code, 0)

    same("canary add", sekisho("canary", "add", "9999", "--note", "nobody").code, 0)
    same("canary list", [c["account"] for c in sekisho("canary", "list", "--json").json()], ["9999"])
    same("canary add: an account", sekisho("canary", "add", "2001").code, 1)
    same("canary remove", sekisho("canary", "remove", "9999").code, 0)


def refusals(daemon):
    token = sekisho("token", "add", "operator", "--json").json()["token"]
    call = {"switch": "local", "account": "2003", "number": "010252615123456", "remote": "192.0.2.7"}
    for _ in range(3):
        verdict = daemon.api.tcp(token, "POST", "/v1/authorize", call).json["verdict"]
    same("a call is refused", verdict, "deny")
    end = time.monotonic() + 15
    found = []
    while not found and time.monotonic() < end:
        found = sekisho("refusals", "--account", "2003", "--json").json()
        time.sleep(0.1)
    check("refusals: it is listed", found and found[0]["reason"] == "restricted" and found[0]["rule"] == "010252", found)
    check("refusals: in text", "2003" in sekisho("refusals").out and "SO" in sekisho("refusals").out,
          sekisho("refusals"))
    same("refusals --since: later than that", sekisho("refusals", "--since", "2100-01-01", "--json").json(), [])
    same("check records nothing", (sekisho("check", "--account", "2004", "010252615123456").code,
                                   sekisho("refusals", "--account", "2004", "--json").json()), (3, []))


def discover(folder):
    ami = Ami()
    path = os.path.join(folder, "secret")
    with open(path, "wb") as f:
        f.write(ami.SECRET + b"\n")
    words = ["account", "discover", "--ami", f"127.0.0.1:{ami.port}", "--user", "sekisho", "--secret-file", path,
             "--tenant", "main"]
    ran = sekisho(*words)
    check("discover: offers what is missing, and adds nothing unasked",
          ran.code == 0 and "Desk-7" in ran.out and "2 are missing" in ran.err, ran)
    check("discover: a name that no account can have is said, escaped", "a b\\x1b[1m" in ran.err, ran)
    same("discover: nothing was added", sekisho("account", "show", "desk-7").code, 1)
    same("discover --yes", sekisho(*words, "--yes").code, 0)
    same("discover --yes: born restricted", [r["prefix"] for r in sekisho("restrict", "list", "desk-7", "--json").json()],
         ["010"])
    check("discover: trunks are told", "trunk" in sekisho("account", "show", "provider").out)
    ran = sekisho(*words, "--yes")
    check("discover: again, nothing is missing", ran.code == 0 and "every endpoint" in ran.err, ran)
    check("discover: the secret never goes over the wire", ami.SECRET not in ami.saw and b"Key: " in ami.saw)
    with open(path, "wb") as f:
        f.write(b"wrong\n")
    ran = sekisho(*words)
    check("discover: a wrong secret", ran.code == 1 and "Authentication failed" in ran.err, ran)
    ran = sekisho("account", "discover", "--ami", f"127.0.0.1:{free_port()}", "--user", "x", "--secret-file", path)
    check("discover: nobody answers", ran.code == 4, ran)


# A log that is not there: a long warning.
NO_LOG = {"switch local": {"log": "/nowhere/" + "so-long-a-name/" * 12 + "security"}}

loopback.own()
with tempfile.TemporaryDirectory() as work, Daemon(SEKISHOD, NO_LOG) as sekishod:
    os.environ["SEKISHO_SOCKET"] = sekishod.socket
    accounts()
    imports(work)
    many_faults_of_an_import(work)
    progress_of_an_import(work)
    interrupted_import()
    rules()
    proofs()
    templates()
    stops()
    platform()
    tokens(sekishod, work)
    records(work)
    refusals(sekishod)
    guard()
    discover(work)
    same("sekishod ends cleanly", sekishod.stop(), 0)
    same("status without a daemon", sekisho("status").code, 4)
done()
