#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`sekisho doctor` on the configurations of doctor.cases, and on what is shipped for Asterisk."""
import hashlib
import os
import sys
import tempfile

from command import sekisho
from e2e.tap import check, done, same

CASES, SHIPPED = sys.argv[1:3]  # doctor.cases, contrib/asterisk


def read_cases():
    base, cases = {}, []
    files, name, expect = base, None, None
    with open(CASES, encoding="utf-8") as lines:
        for line in lines:
            word, _, rest = line.rstrip("\n").partition(" ")
            if line.startswith("# "):
                continue
            if word == "case":
                files = dict(base)
                name, expect = None, None
                cases.append({"name": rest, "files": files, "expect": [], "fails": False})
            elif word == "file" and rest:
                name, files[rest] = rest, ""
            elif word == "append" and rest:
                name = rest
            elif word == "without" and rest:
                name = None
                del files[rest]
            elif line.strip() == "expect" and cases:
                name, expect = None, cases[-1]["expect"]
            elif line.strip() == "fails" and cases:
                cases[-1]["fails"] = True
                name = None
            elif not line.strip():
                continue
            elif name:
                files[name] += line
            elif expect is not None:
                expect.append(line.strip())
    return cases


def write(folder, files):
    md5 = hashlib.md5(b"1003:asterisk:1003").hexdigest()
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("@MD5@", md5))


def line_of(finding):
    place = finding["file"] + (f":{finding['line']}" if finding["line"] else "")
    return f"{finding['severity']} {finding['id']} {place}"


def run_case(one):
    with tempfile.TemporaryDirectory() as folder:
        write(folder, one["files"])
        ran = sekisho("doctor", "--asterisk", folder, "--json")
        if one["fails"]:
            check(one["name"], ran.code == 1 and ran.err.startswith("sekisho: "), ran)
            return
        if not ran.out:
            check(one["name"], False, ran)
            return
        found = ran.json()
        wrong = [f for f in found if not (f["what"] and f["change"])]
        good = sorted(map(line_of, found)) == sorted(one["expect"]) and not wrong
        serious = any(line.startswith("serious") for line in one["expect"])
        check(one["name"], good and ran.code == (1 if serious else 0),
              "want " + repr(sorted(one["expect"])) + f"\n{ran}")


def texts():
    """People get the place, the way and what to change; nothing hostile reaches their terminal."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, {
            "pjsip.conf": "[a\x1b[31m]\ntype=endpoint\ncontext=out\nauth=a\n[t]\ntype=endpoint\noutbound_auth=t\n",
            "extensions.conf": "[out]\nexten => _X.,1,Goto(far,${EXTEN},1)\n[far]\nexten => _X.,1,Dial(PJSIP/${EXTEN}@t)\n",
            "logger.conf": "[logfiles]\nx => security\n"})
        ran = sekisho("doctor", "--asterisk", folder)
        check("text: severity, place, way and change", "SERIOUS  extensions.conf:4  trunk-unasked" in ran.out
              and "> out (extensions.conf:2) > far (extensions.conf:4)" in ran.out and "change: " in ran.out, ran)
        check("text: control bytes are escaped", "\x1b" not in ran.out and "\\x1b" in ran.out, ran)
        ran = sekisho("doctor", "--asterisk", folder, "--lang", "ja")
        check("text: Japanese headings", "重大" in ran.out and "対処" in ran.out, ran)
        other = os.path.join(folder, "other.conf")
        with open(other, "w", encoding="utf-8") as f:
            f.write("[out]\nexten => _X.,1,Hangup()\n")
        ran = sekisho("doctor", "--asterisk", folder, "--dialplan-file", other, "--json")
        check("--dialplan-file is read in place of extensions.conf",
              not [f for f in ran.json() if f["id"] == "trunk-unasked"], ran)
        same("--dialplan-file that is not there", sekisho("doctor", "--asterisk", folder, "--dialplan-file",
                                                           other + "x").code, 1)
        conf = os.path.join(folder, "sekisho.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f"[asterisk]\nconfig_dir = {folder}\n")
        same("--config names the directory", sekisho("doctor", "--config", conf, "--json").json(),
             sekisho("doctor", "--asterisk", folder, "--json").json())
        with open(conf, "w", encoding="utf-8") as f:
            f.write("[asterisk]\nconfig_dir = here\n")
        ran = sekisho("doctor", "--config", conf)
        check("--config: a wrong one is named with its line", ran.code == 1 and "sekisho.conf:2" in ran.err, ran)
        same("--plan that is not there", sekisho("doctor", "--asterisk", folder, "--plan", "ZZ").code, 1)


def shipped():
    """What is shipped, included as its comments say, is sound."""
    base = next(one for one in read_cases() if one["name"] == "a sound configuration")["files"]
    names = [name for name in ("sekisho.conf", "sekisho-site.conf") if os.path.exists(os.path.join(SHIPPED, name))]
    if not names:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            with open(os.path.join(SHIPPED, name), encoding="utf-8") as f:
                base[name] = f.read().replace("@trunk", "@provider")
        write(folder, base)
        ran = sekisho("doctor", "--asterisk", folder, "--json")
        same("contrib/asterisk is sound", ran.json(), [])


for every in read_cases():
    run_case(every)
texts()
shipped()
done()
