#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes files as C: embed.py OUT.c HEADER STRUCT FUNCTION FILE...

STRUCT has a name and a content, both spans; FUNCTION(size_t *n) gives an array of them. Both are declared in HEADER."""
import os
import sys

out, header, struct, function, *files = sys.argv[1:]
with open(out, 'w', encoding='ascii') as c:
    c.write(f'/* Made by data/embed.py. */\n#include "{header}"\n\n')
    for i, path in enumerate(files):
        with open(path, 'rb') as f:
            content = f.read()
        c.write(f'static const unsigned char content{i}[] = {{\n')
        for at in range(0, len(content), 24):
            c.write(','.join(str(b) for b in content[at:at + 24]) + ',\n')
        c.write('};\n\n')
    c.write(f'static const struct {struct} builtin[] = {{\n')
    for i, path in enumerate(files):
        c.write(f'    {{SPAN("{os.path.basename(path)}"), '
                f'{{(const char *)content{i}, sizeof(content{i})}}}},\n')
    c.write(f'}};\n\nconst struct {struct} *{function}(size_t *n)\n{{\n'
            f'    *n = {len(files)};\n    return builtin;\n}}\n')
