#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The bash completion offers what the command has: everything, and nothing else."""
import os
import re
import subprocess
import sys
import tempfile

from command import SEKISHO, sekisho
from e2e.tap import check, done, same

SCRIPT = sys.argv[1]
os.environ["SEKISHO_SOCKET"] = "/nonexistent"  # whatever is tried here, nobody hears it


def complete(*words, path=None):
    """What bash would offer for the last of the words."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sekisho; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    env = dict(os.environ, PATH=(path + ":" if path else "") + os.environ["PATH"])
    ran = subprocess.run(["bash", "-c", script, "bash", SCRIPT, "sekisho", *words], capture_output=True, env=env,
                         check=False, timeout=20)
    if ran.stderr:
        print("# " + ran.stderr.decode().replace("\n", " | "))
    return sorted(line for line in ran.stdout.decode().splitlines() if line)


def commands(*path):
    """Names that `sekisho help` lists."""
    ran = sekisho("help", *path)
    return sorted(line.split()[0] for line in ran.out.splitlines() if re.match("  [a-z]", line))


def option_words(*path):
    """Options that the help of a command names, and those that its source knows."""
    return set(re.findall(r"--[a-z][a-z-]*", sekisho("help", *path).out))


same("commands", complete(""), commands())
same("a beginning", complete("re"), ["refusals", "restrict"])
same("behind global options", complete("--json", "--lang", "ja", "st"), ["status", "stop"])
same("values of --lang", complete("--lang", ""), ["en", "ja"])
same("values of --mode", complete("switch", "set", "local", "--mode", "o"), ["observe"])
for name in commands():
    below = commands(name)
    if not below or name == "help":
        continue
    same(f"{name}: subcommands", complete(name, ""), below)
    same(f"help {name}: subcommands", complete("help", name, ""), below)
for path in [(name,) for name in commands()] + [(name, sub) for name in commands() for sub in commands(name)
                                                if name != "help"]:
    if len(path) == 1 and commands(*path) and path[0] != "stop":
        continue
    offered, named = set(complete(*path, "--")), option_words(*path)
    missing = named - offered
    same(f"{' '.join(path)}: every option that help names is offered", sorted(missing), [])
    for option in offered - named - {"--help", "--socket", "--url", "--token-file", "--json", "--lang"}:
        ran = sekisho(*path, option + "=")
        if "there is no option" in ran.err:
            check(f"{' '.join(path)}: {option} exists", False, ran)
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "sekisho"), "w", encoding="utf-8") as f:
        f.write('#!/bin/sh\n[ "$1 $2" = "account list" ] && printf \'[\\n{"id":1,"name":"1001"},\\n'
                '{"id":2,"name":"fax1"}\\n]\\n\'\n')
    os.chmod(f.name, 0o755)
    same("names come from the daemon", complete("restrict", "list", "", path=folder), ["1001", "fax1"])
    same("names behind an option", complete("stop", "--account", "f", path=folder), ["fax1"])
same("no daemon, no names, no noise", complete("account", "show", "x"), [])
check("the command is the one under test", os.path.exists(SEKISHO))
done()
