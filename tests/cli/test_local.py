#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the command does without a daemon: check, complement, prove, template, number, help, and how it refuses."""
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

from command import SEKISHO, sekisho
from e2e.tap import check, done, same

DIALLED, COMPLEMENT = sys.argv[1:3]  # tests/numbering/dialled.tsv, tests/policy/complement.tsv
TABLES = sys.argv[3]  # data/numbering
os.environ["SEKISHO_SOCKET"] = "/nonexistent"

PROFILES = {
    "JP": ["--extensions", "1XXX"],
    "JP-out9": ["--extensions", "1XXX", "--outside", "9"],
    "JP-out0": ["--extensions", "1XXX", "--outside", "0"],
    "JP-ext4": ["--extensions", "0101"],
}


def rows(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader((line for line in f if not line.startswith("#")), delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


def dialled_bytes(text):
    """The quoted column with its C escapes, as bytes: \\x is a byte, \\u a code point."""
    def one(m):
        escape = m.group(0)
        if escape[1] == b"x"[0]:
            return bytes([int(escape[2:], 16)])
        return escape.decode("unicode_escape").encode()
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", one, text[1:-1].encode())


def dialled_table():
    table = rows(DIALLED)
    for profile, options in PROFILES.items():
        mine = [row for row in table if row["profile"] == profile]
        lines = [json.dumps(dialled_bytes(row["dialled"]).decode("utf-8", "surrogateescape"))
                 for row in mine]
        ran = sekisho("check", "--plan", "JP", *options, "--born", "--stdin",
                      stdin="".join(line + "\n" for line in lines).encode())
        answers = [json.loads(line) for line in ran.out.splitlines()]
        same(f"{profile}: one answer a line", len(answers), len(mine))
        for row, answer in zip(mine, answers):
            # A cell "-" says nothing.
            want = {key: row[key] for key in ("class", "e164", "verdict") if row[key] != "-"}
            same(f"{profile} {row['id']} {row['dialled']} {row['comment']}",
                 {key: answer[key] for key in want}, want)


def complement_table():
    for row in rows(COMPLEMENT):
        allow = row["allow"].split(",")
        want = row["deny_prefixes"].split(",")
        ran = sekisho("complement", "--root", row["root"], "--allow", *allow)
        same(f"complement {row['case']}", ran.out.split(), want)
        each = [word for prefix in allow for word in ("--allow", prefix)]
        ran = sekisho("--json", "complement", "--root", row["root"], *each)
        same(f"complement {row['case']}, --allow repeated, --json", ran.json()["restrict"], want)


def check_one():
    def verdict(*words):
        ran = sekisho("--json", "check", *words)
        answer = ran.json()
        return ran.code, answer["verdict"], answer["reason"], answer["rule"]

    same("one number denied ends with 3", verdict("--plan", "JP", "--born", "010-252-61-5123456"),
         (3, "deny", "restricted", "010"))
    same("one number allowed ends with 0", verdict("--plan", "JP", "--born", "0312345678"),
         (0, "allow", "unrestricted", None))
    same("several prefixes after one flag",
         verdict("--plan", "JP", "--restrict", "010", "0990", "--except", "0101212", "--", "0990512345"),
         (3, "deny", "restricted", "0990"))
    same("the last of several prefixes is the number",
         verdict("--plan", "JP", "--restrict", "010", "0990", "0312345678"),
         (0, "allow", "unrestricted", None))
    same("an exception opens", verdict("--plan", "JP", "--born", "--except", "0101212", "--", "01012125550100"),
         (0, "allow", "exception", "0101212"))
    same("flags may be repeated",
         verdict("--plan", "JP", "--restrict", "0990", "--restrict", "010", "--", "+252615123456"),
         (3, "deny", "restricted", "010"))
    same("prefixes as people write them",
         verdict("--plan=JP", "--restrict", "010-1", "--", "010 1 876 5551234"), (3, "deny", "restricted", "0101"))
    same("the form of the trunk", sekisho("check", "--plan", "JP", "--born", "--form", "+e164", "0312345678",
                                          "--json").json()["dial"], "+81312345678")
    same("a local number with the area code",
         sekisho("check", "--plan", "JP", "--born", "--area", "03", "23456789", "--json").json()["e164"],
         "+81323456789")
    same("the fields that everybody relies on come first",
         list(sekisho("check", "--plan", "JP", "--born", "110", "--json").json())[:8],
         ["class", "kind", "e164", "country", "dial", "verdict", "reason", "rule"])


def check_stdin():
    lines = [b'"110"', b"no string", b'"\\u0000"', b'"\\ud800"', b'"010\\udcff"', b'"\xff010"', b'""',
             b'{"a":1}', b'"a" "b"', b'"\\u0030\\u0031\\u0030252615123456"', b'"\\x41"', b"",
             b'"' + b"1" * 100000 + b'"', '"０１０２５２６１５１２３４５６"'.encode(), b'  "119"\r']
    ran = sekisho("check", "--plan", "JP", "--born", "--stdin", stdin=b"\n".join(lines))
    answers = [json.loads(line) for line in ran.out.splitlines()]
    same("hostile lines: an answer for every line", len(answers), len(lines))
    same("hostile lines: the classes", [a["class"] for a in answers],
         ["EMERGENCY"] + ["MALFORMED"] * 5 + [answers[6]["class"]] + ["MALFORMED"] * 2 + ["INTERNATIONAL"]
         + ["MALFORMED"] * 3 + ["INTERNATIONAL", "EMERGENCY"])
    check("hostile lines: nothing empty is allowed", answers[6]["verdict"] == "deny", answers[6])
    same("hostile lines: those that are no JSON string are named",
         [line.split(":")[1].strip() for line in ran.err.splitlines()],
         ["line 2", "line 8", "line 9", "line 11", "line 12"])
    same("hostile lines: exit status 1", ran.code, 1)
    same("an empty input is no error", sekisho("check", "--plan", "JP", "--born", "--stdin").code, 0)

    with subprocess.Popen([SEKISHO, "check", "--plan", "JP", "--born", "--stdin"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as asked:
        got = []
        for number in ("110", "0312345678", "01012125550100"):
            asked.stdin.write(json.dumps(number).encode() + b"\n")
            asked.stdin.flush()
            got.append(json.loads(asked.stdout.readline())["class"])
        asked.stdin.close()
        asked.wait(10)
    same("as a co-process it answers line by line", got, ["EMERGENCY", "NATIONAL", "INTERNATIONAL"])


def number():
    answer = sekisho("number", "--plan", "JP", "010252615123456", "--json").json()
    same("number: country in both languages", (answer["country"], answer["country_name"]),
         ("SO", {"en": "Somalia", "ja": "ソマリア"}))
    ran = sekisho("number", "--lang", "ja", "010252615123456")
    lines = [line for line in ran.out.splitlines() if "ソマリア" in line]
    check("number: Japanese text", len(lines) == 1, ran)
    columns = {sum(2 if ord(c) > 0x2000 else 1 for c in line[:line.rindex("  ")]) for line in
               ran.out.splitlines() if line.strip()}
    check("number: wide characters are counted in tables", len(columns) >= 1 and
          len({width_before_value(line) for line in ran.out.splitlines()}) == 1, ran)
    same("number: unknown plan", sekisho("number", "--plan", "XX", "110").code, 1)


def width_before_value(line):
    """The column in which the second cell begins, wide characters counted twice."""
    at = line.index("  ")
    while at < len(line) and line[at] == " ":
        at += 1
    return sum(2 if ord(c) > 0x2000 else 1 for c in line[:at])


def tables():
    with tempfile.TemporaryDirectory() as folder:
        same("--tables: an empty directory is refused", sekisho("number", "--tables", folder, "110").code, 1)
        with open(os.path.join(TABLES, "e164.tsv"), encoding="utf-8") as f:
            text = f.read()
        with open(os.path.join(folder, "e164.tsv"), "w", encoding="utf-8") as f:
            f.write(text.replace("Somalia", "Puntland"))
        answer = sekisho("number", "--tables", folder, "010252615123456", "--json").json()
        same("--tables: replaces the compiled-in table", answer["country_name"]["en"], "Puntland")
        with open(os.path.join(folder, "e164.tsv"), "a", encoding="utf-8") as f:
            f.write("999999x\tXX\n")
        ran = sekisho("number", "--tables", folder, "110")
        last = text.count("\n") + 1
        check("--tables: a wrong line is named", ran.code == 1 and "e164.tsv" in ran.err and str(last) in ran.err, ran)
        os.unlink(os.path.join(folder, "e164.tsv"))
        for name, row, reason in (("codes.tsv", "JP\t199\tshort\tNOPE\t-\t", "NOPE"),
                                  ("lengths.tsv", "81\t9\t-\t-\t", "a second time")):
            with open(os.path.join(TABLES, name), encoding="utf-8") as f:
                text = f.read()
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text + row + "\n")
            ran = sekisho("number", "--tables", folder, "110")
            where = f"{name}, line {text.count(chr(10)) + 1}: "
            check(f"--tables: a wrong line of {name} is named", ran.code == 1 and where in ran.err and reason in ran.err, ran)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        with open(os.path.join(folder, "codes.tsv"), "a", encoding="utf-8") as f:
            f.write("JP\t199\tshort\tSPECIAL\t-\t\n")
        same("--tables: a row more holds", sekisho("number", "--tables", folder, "199", "--json").json()["class"], "SPECIAL")
        same("--tables: no directory", sekisho("number", "--tables", folder + "/no", "110").code, 1)


WRONG = [
    # words, exit status, what the error names
    ([], 2, "command is missing"),
    (["frobnicate"], 2, "frobnicate"),
    (["--frob", "status"], 2, "--frob"),
    (["--lang", "fr", "version"], 2, "fr"),
    (["check", "--plan", "JP", "--born"], 2, "NUMBER is missing"),
    (["check", "--plan", "JP", "--born", "1", "2"], 2, "one NUMBER"),
    (["check", "--plan", "JP", "1"], 2, "--born"),
    (["check", "--born", "1"], 2, "--plan"),
    (["check", "--account", "1", "--born", "1"], 2, "--account"),
    (["check", "--plan", "JP", "--born", "--stdin", "1"], 2, "--stdin"),
    (["check", "--plan"], 2, "--plan needs a value"),
    (["check", "--plan", "--born", "1"], 2, "--plan needs a value"),
    (["check", "--born=yes", "--plan", "JP", "1"], 2, "--born takes no value"),
    (["check", "--plan", "ZZ", "--born", "1"], 1, "ZZ"),
    (["check", "--plan", "JP", "--restrict", "01x", "--", "1"], 1, "01x"),
    (["check", "--plan", "JP", "--born", "--extensions", "1X0", "--", "1"], 1, "110"),
    (["check", "--plan", "JP", "--born", "--outside", "9a", "1"], 1, "9a"),
    (["check", "--plan", "JP", "--born", "--form", "x", "1"], 1, "dialled"),
    (["complement", "--root", "010"], 2, "--allow is missing"),
    (["complement", "--allow", "0101"], 2, "--root is missing"),
    (["complement", "--root", "010", "--allow", "02"], 1, "02"),
    (["complement", "--root", "", "--allow", "0101"], 1, "--root"),
    (["prove"], 2, "--plan"),
    (["prove", "--plan", "JP"], 2, "--born"),
    (["prove", "--plan", "JP", "010"], 2, "--restrict"),
    (["prove", "--plan", "ZZ", "--born"], 1, "ZZ"),
    (["prove", "--plan", "JP", "--restrict", "01x"], 1, "--restrict"),
    (["prove", "--plan", "JP", "--born", "--against-except", "01x"], 1, "--against-except"),
    (["prove", "--plan", "JP", "--rules", "/nonexistent"], 1, "/nonexistent"),
    (["prove", "--account", "1", "--born"], 2, "--account"),
    (["prove", "--account", "1", "--tenant", "a"], 2, "contradict"),
    (["prove", "--account", "1", "--against-tenant", "a"], 2, "--against-tenant"),
    (["prove", "--account", "1"], 4, "/nonexistent"),
    (["template", "show"], 2, "NAME is missing"),
    (["template", "show", "frob"], 2, "frob"),
    (["template", "show", "us-canada", "GB"], 1, "takes no countries"),
    (["template", "show", "only-countries"], 1, "countries"),
    (["template", "show", "only-countries", "XX"], 1, "XX"),
    (["template", "export", "us-canada", "--plan", "ZZ"], 1, "ZZ"),
    (["template", "apply", "us-canada"], 2, "whose rules"),
    (["template", "apply", "us-canada", "--operator", "--until", "soon"], 2, "soon"),
    (["number"], 2, "NUMBER is missing"),
    (["number", "--switch", "a", "--plan", "JP", "1"], 2, "--switch"),
    (["account"], 2, "needs to be told"),
    (["account", "frob"], 2, "frob"),
    (["account", "add"], 2, "NAME is missing"),
    (["account", "discover"], 2, "--ami"),
    (["account", "import", "a", "b"], 2, "one FILE"),
    (["account", "import", "/nonexistent"], 1, "/nonexistent"),
    (["restrict", "add", "--tenant", "a", "--operator", "010"], 2, "one of them"),
    (["restrict", "add", "1001", "010", "--mandatory"], 2, "--operator"),
    (["restrict", "add", "1001", "010", "--until", "soon"], 2, "soon"),
    (["refusals", "--since", "yesterday"], 2, "yesterday"),
    (["refusals", "--limit", "many"], 2, "many"),
    (["stop", "1001"], 2, "--account 1001"),
    (["ban"], 2, "NETWORK is missing"),
    (["ban", "192.0.2.1", "--for", "soon"], 2, "no span of time"),
    (["ban", "192.0.2.1", "--for", "0s"], 2, "a second at least"),
    (["bans", "192.0.2.1"], 2, "too much"),
    (["unban"], 2, "NETWORK is missing"),
    (["unban", "--direct", "here"], 1, "here"),
    (["unlock"], 2, "ACCOUNT is missing"),
    (["known-good", "forget", "1001"], 2, "--all"),
    (["known-good", "forget", "1001", "192.0.2.1", "--all"], 2, "--all"),
    (["access", "add"], 2, "NETWORK is missing"),
    (["access", "list", "x"], 2, "too much"),
    (["never-ban", "remove", "--note", "x", "192.0.2.1"], 2, "--note"),
    (["canary", "add"], 2, "NAME is missing"),
    (["token", "add"], 2, "SCOPE is missing"),
    (["switch", "add", "a"], 2, "--plan is missing"),
    (["switch", "set", "a"], 2, "nothing to set"),
    (["preset", "add", "a"], 2, "rules are missing"),
    (["backup"], 2, "DIR is missing"),
    (["settings", "set", "--refusal-days", "many"], 2, "many"),
    (["help", "frob"], 2, "frob"),
    (["status", "--socket", "/nonexistent"], 4, "/nonexistent"),
    (["status", "--url", "http://127.0.0.1:1"], 4, "127.0.0.1:1"),
    (["status", "--url", "http://127.0.0.1:1", "--token-file", "/nonexistent"], 1, "/nonexistent"),
    (["doctor", "--asterisk", "/nonexistent"], 1, "/nonexistent"),
]


def wrong_lines():
    for words, code, names in WRONG:
        ran = sekisho(*words)
        check(f"refused: sekisho {' '.join(words)}",
              ran.code == code and names in ran.err and ran.err.startswith("sekisho: ") and not ran.out, ran)
    ran = sekisho("status", "--socket", "/tmp/\x1b[31m\nX")
    check("control bytes of the command line are not repeated raw", ran.code == 4, ran)
    ran = sekisho("x\x1b[31m\ny")
    check("a hostile command name is escaped", "\x1b" not in ran.err and "\\x1b" in ran.err, ran)


def helps():
    ran = sekisho("help")
    names = [line.split()[0] for line in ran.out.splitlines() if line.startswith("  ")]
    check("help lists commands", ran.code == 0 and "restrict" in names, ran)
    for name in names:
        for words in (["help", name], [name, "--help"]):
            one = sekisho(*words)
            check(" ".join(words), one.code == 0 and one.out.startswith("usage:") and f"sekisho {name}" in one.out
                  or name == "help" and one.code == 0, one)
    same("sekisho --help", sekisho("--help").out, ran.out)
    same("sekisho -h", sekisho("-h").out, ran.out)
    check("version", sekisho("version").out.startswith("sekisho "), "")
    same("version as JSON", list(sekisho("version", "--json").json()), ["version"])
    with open("/dev/full", "wb") as full:
        code = subprocess.run([SEKISHO, "help"], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode
    same("a full disk is an error", code, 1)


def prove():
    rest = [f"010{d}" for d in "23456789"]
    ran = sekisho("prove", "--plan", "JP", "--restrict", *rest)
    check("prove: a list that leaves 0101 open is told that it leaves Jamaica",
          ran.code == 0 and "+1-876 Jamaica: high risk, open" in ran.out and "26 of " in ran.out.splitlines()[0], ran)
    check("prove: the risky first", ran.out.index("high risk, open") < ran.out.index("medium risk, open"), ran)
    check("prove: premium numbers of no country", "+1-900 NANP non-geographic, premium rate: high risk, open" in ran.out, ran)
    check("prove: prefixes that nobody has", "no country has these numbers: 0100, " in ran.out, ran)
    ran = sekisho("prove", "--plan", "JP", "--restrict", *rest, "--lang", "ja")
    check("prove --lang ja: prefixes that nobody has", "どの国の番号でもなく、規制もされていない国際番号: 0100、" in ran.out, ran)
    check("prove --lang ja", "+1-876 ジャマイカ: 危険度 高、発信可" in ran.out, ran)
    json_ = sekisho("prove", "--plan", "JP", "--restrict", *rest, "--json").json()
    jamaica = [r for r in json_["proof"]["ranges"] if r["prefix"] == "0101876"]
    same("prove --json: the prefix as dialled, country and risk",
         [(r["country"], r["risk"], r["open"]) for r in jamaica], [("JM", "high", True)])
    check("prove --json: 0100 is open, and nobody's",
          [r["exists"] for r in json_["proof"]["ranges"] if r["prefix"] == "0100"] == [False], json_["proof"]["rules"])
    ran = sekisho("prove", "--plan", "JP", "--born", "--restrict", "0990")
    check("prove: what is closed at home", "At home not everything" in ran.out and "premium" in ran.out, ran)
    ran = sekisho("prove", "--plan", "JP", "--born", "--restrict", "0100", "184")
    check("prove: rules without effect are remarks", "restrict 0100" in ran.err and "184" in ran.err, ran)
    ran = sekisho("prove", "--plan", "JP", "--born", "--ranges")
    check("prove --ranges", "0120" in ran.out and "+1" not in ran.out, ran)
    ran = sekisho("prove", "--plan", "JP", "--born", "--all")
    check("prove --all", "0120" in ran.out and "+1" in ran.out, ran)
    for first, second, code, word in ((["--born"], ["010"], 0, "the same"), (["--born"], ["0101"], 0, "stricter"),
                                      (["--restrict", "0101"], ["010"], 3, "stricter"),
                                      (["--restrict", "0101"], ["0102"], 3, "")):
        ran = sekisho("prove", "--plan", "JP", *first, "--against-restrict", *second)
        check(f"prove {' '.join(first)} --against-restrict {' '.join(second)}", ran.code == code and word in ran.out, ran)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "list")
        with open(path, "w", encoding="utf-8") as f:
            f.write("# ours\n\nrestrict 010\r\nexcept 0101-212 # New York\n#7119\n")
        ran = sekisho("prove", "--plan", "JP", "--rules", path, "--json", "--against-restrict", "010")
        same("prove --rules", [(r["action"], r["prefix"]) for r in ran.json()["proof"]["rules"]],
             [("restrict", "#7119"), ("restrict", "010"), ("except", "0101212")])
        with open(path, "a", encoding="utf-8") as f:
            f.write("except x\n")
        ran = sekisho("prove", "--plan", "JP", "--rules", path)
        check("prove --rules: what is wrong, and in which line", ran.code == 1 and "line 6" in ran.err, ran)
    ran = sekisho("prove", "--plan", "JP", "--born", "--except", "0101", "--restrictions")
    same("prove --restrictions: for systems that know nothing else", ran.out.split(),
         ["0100"] + [f"010{d}" for d in "23456789"])
    row = next(row for row in rows(COMPLEMENT) if "NYC" in row["case"])
    ran = sekisho("prove", "--plan", "JP", "--born", "--except", "0101212", "--restrictions")
    same("prove --restrictions: the complement", ran.out.split(), row["deny_prefixes"].split(","))
    ran = sekisho("prove", "--plan", "JP", "--restrict", "1", "--restrictions")
    check("prove --restrictions: emergency numbers stay open",
          not [p for p in ran.out.split() if "110".startswith(p) or "119".startswith(p)], ran)


def templates():
    ran = sekisho("template", "show", "no-high-risk")
    check("template show: many lines, each heading once",
          (ran.out.count("restrict:"), ran.out.count("except:")) == (1, 1) and
          max(len(line) for line in ran.out.splitlines() if line.startswith("    ")) <= 104, ran)
    ran = sekisho("template", "list")
    check("template list", all(name in ran.out for name in ("international-off", "only-countries COUNTRY…", "us-canada",
                                                            "only-new-york", "no-high-risk")), ran)
    check("template list --lang ja", "ニューヨークのみ" in sekisho("template", "list", "--lang", "ja").out)
    same("template list --json", [t["takes_countries"] for t in sekisho("template", "list", "--json").json()],
         [False, True, False, False, False])
    ran = sekisho("template", "show", "only-new-york")
    check("template show: the list and its proof", ran.code == 0 and "restrict: 010\nexcept: 0101212\n" in ran.out
          and "United States" in ran.out and not ran.err, ran)
    json_ = sekisho("template", "show", "only-countries", "us", "CA", "--plan", "GB", "--json").json()
    same("template show --json", ({r["prefix"][:2] for r in json_["rules"]}, json_["proof"]["countries"]["high_risk"],
                                  json_["template"]["name"]), ({"00"}, 0, "only-countries"))
    same("template export", sekisho("template", "export", "only-new-york", "--plan", "US").out,
         "restrict 011\nexcept 0111212\n")
    ran = sekisho("template", "export", "only-new-york", "--restrict-only")
    same("template export --restrict-only", (len(ran.out.split()), ran.out.split()[:2]), (36, ["0100", "01010"]))
    ran = sekisho("template", "export", "only-new-york", "--restrict-only", "--comments")
    check("template export --comments", ran.out.startswith("# only-new-york: "), ran)
    for words in (["us-canada"], ["only-countries", "GB", "FR"], ["no-high-risk"], ["international-off"]):
        listed = sekisho("template", "export", *words).out.encode()
        with tempfile.NamedTemporaryFile() as other:
            other.write(sekisho("template", "export", *words, "--restrict-only").out.encode())
            other.flush()
            ran = sekisho("prove", "--plan", "JP", "--rules", "-", "--against", other.name, "--json", stdin=listed)
        same(f"template export {' '.join(words)}: both forms close the same numbers",
             ran.json()["difference"]["numbers"], "equal" if words != ["international-off"] else "equal")


dialled_table()
complement_table()
prove()
templates()
check_one()
check_stdin()
number()
tables()
wrong_lines()
helps()
done()
