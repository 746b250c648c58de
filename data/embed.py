#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the number tables as C: embed.py OUT.c TABLE.tsv..."""
import os
import sys

out, *tables = sys.argv[1:]
with open(out, 'w', encoding='ascii') as c:
    c.write('/* Made by data/embed.py from data/numbering. */\n#include "numbering/tables.h"\n\n')
    for i, path in enumerate(tables):
        with open(path, 'rb') as f:
            content = f.read()
        c.write(f'static const unsigned char content{i}[] = {{\n')
        for at in range(0, len(content), 24):
            c.write(','.join(str(b) for b in content[at:at + 24]) + ',\n')
        c.write('};\n\n')
    c.write('static const struct tables_file builtin[] = {\n')
    for i, path in enumerate(tables):
        c.write(f'    {{SPAN("{os.path.basename(path)}"), '
                f'{{(const char *)content{i}, sizeof(content{i})}}}},\n')
    c.write('};\n\nconst struct tables_file *tables_builtin(size_t *n)\n{\n'
            f'    *n = {len(tables)};\n    return builtin;\n}}\n')
