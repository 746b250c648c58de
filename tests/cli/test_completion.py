#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The bash completion offers what the command has: everything, and nothing else."""
import functools
import os
import re
import shlex
import subprocess
import sys
import tempfile

from command import SEKISHO, sekisho
from e2e.tap import check, done, same

SCRIPT = sys.argv[1]
os.environ["SEKISHO_SOCKET"] = "/nonexistent"  # whatever is tried here, nobody hears it


BASH = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
BASH.stdin.write(f"source {shlex.quote(SCRIPT)}\n")
GLOBAL = {"--help", "--socket", "--url", "--token-file", "--json", "--lang"}
END = "-- that was all --"


def complete(*words, path=""):
    """What bash would offer for the last of the words; what else it says stands there, too."""
    BASH.stdin.write(f"COMP_WORDS=({shlex.join(('sekisho',) + words)}); COMP_CWORD={len(words)}; "
                     f"{'PATH=' + shlex.quote(path) + ':$PATH; ' if path else ''}_sekisho; "
                     f'printf "%s\\n" "${{COMPREPLY[@]}}" "{END}"\n')
    BASH.stdin.flush()
    lines = iter(lambda: BASH.stdout.readline().rstrip("\n"), END)
    return sorted(line for line in lines if line)


@functools.cache
def help_of(*path):
    return sekisho("help", *path).out


def commands(*path):
    """Names that `sekisho help` lists."""
    return sorted(line.split()[0] for line in help_of(*path).splitlines() if re.match("  [a-z]", line))


def option_words(*path):
    """Options that the help of a command names, and those that its source knows."""
    return set(re.findall(r"--[a-z][a-z-]*", help_of(*path)))


def first_unknown(path, options):
    """The first of the options that the command does not know. One that nobody knows stands behind them, so that
    nothing is ever done."""
    ran = sekisho(*path, *(word for option in options for word in (option, "x")), "--unheard-of")
    return re.findall('there is no option "(.*?)"', ran.err)


same("commands", complete(""), commands())
same("a beginning", complete("re"), ["refusals", "replay", "restrict"])
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
    unnamed = sorted(offered - named - GLOBAL)
    if unnamed:
        same(f"{' '.join(path)}: every other option that is offered exists", first_unknown(path, unnamed),
             ["--unheard-of"])
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "sekisho"), "w", encoding="utf-8") as f:
        f.write('#!/bin/sh\n[ "$1 $2" = "account list" ] && printf \'[\\n{"id":1,"name":"1001"},\\n'
                '{"id":2,"name":"fax1"}\\n]\\n\'\n')
    os.chmod(f.name, 0o755)
    same("names come from the daemon", complete("restrict", "list", "", path=folder), ["1001", "fax1"])
    same("names behind an option", complete("stop", "--account", "f", path=folder), ["fax1"])
same("no daemon, no names, no noise", complete("account", "show", "x"), [])
BASH.stdin.close()
same("bash ends well", BASH.wait(timeout=20), 0)
check("the command is the one under test", os.path.exists(SEKISHO))
done()
