#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the numbered schema files as C strings: embed.py OUT.c NAME-001.sql NAME-002.sql ..."""
import os
import re
import sys

lists = {}
for path in sorted(sys.argv[2:], key=os.path.basename):
    name, number = re.fullmatch(r"(\w+)-(\d{3})\.sql", os.path.basename(path)).groups()
    steps = lists.setdefault(name, [])
    if int(number) != len(steps) + 1:
        sys.exit(f"{path}: the step before it is missing")
    with open(path, encoding="ascii") as file:
        steps.append(file.read())

with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write('/* Made by embed.py from sql/. */\n#include "store/migrate.h"\n')
    for name, steps in sorted(lists.items()):
        out.write(f"\nconst char *const migrate_{name}_steps[] = {{\n")
        for step in steps:
            for line in step.splitlines():
                line = re.sub(r"\s*--.*", "", line).replace("\\", "\\\\").replace('"', '\\"')
                if line.strip():
                    out.write(f'    "{line}\\n"\n')
            out.write("    ,\n")
        out.write("    NULL};\n")
