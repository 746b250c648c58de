# SPDX-License-Identifier: GPL-2.0-or-later
"""Prometheus' text format 0.0.4, read strictly: what a scraper would only guess at is an error."""

import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
SAMPLE = re.compile(rf'({NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]+)?)')


def labels_of(text):
    """{name: value}; each once, separated by one comma."""
    out, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        assert m, f'no label: {text[at:]!r}'
        assert m[1] not in out, f'twice: {m[1]}'
        out[m[1]] = re.sub(r'\\(.)', lambda e: '\n' if e[1] == 'n' else e[1], m[2])
        at = m.end()
        if at < len(text):
            assert text[at] == ',' and at + 1 < len(text), f'no comma: {text[at:]!r}'
            at += 1
    return out


def parse(raw):
    """{(family, (label, value) …): number}."""
    text = raw.decode('utf-8')
    assert text.endswith('\n'), 'the last line has no end'
    types, samples, family, labelled = {}, {}, None, {}
    lines = text[:-1].split('\n')
    while lines:
        line = lines.pop(0)
        m = re.fullmatch(rf'# HELP ({NAME}) (.+)', line)
        if m:
            family = m[1]
            assert family not in types, f'{family}: a second time'
            assert not re.search(r'\\[^\\n]', m[2]), line
            m = re.fullmatch(rf'# TYPE {family} (counter|gauge)', lines.pop(0))
            assert m, f'{family}: no type behind its help'
            types[family] = m[1]
            assert (m[1] == 'counter') == family.endswith('_total'), f'{family} is a {m[1]}'
            assert family.startswith('sekisho_'), family
            continue
        m = SAMPLE.fullmatch(line)
        assert m, f'no sample: {line!r}'
        assert m[1] == family, f'{m[1]} among the samples of {family}'
        assert m[2] is None or m[2], f'empty labels: {line!r}'
        labels = labels_of(m[2] or '')
        names = labelled.setdefault(family, set(labels))
        assert names == set(labels), f'{family}: other labels: {line!r}'
        key = (family, *sorted(labels.items()))
        assert key not in samples, f'twice: {line!r}'
        samples[key] = float(m[3])
        assert samples[key] >= 0, line
    assert set(types) - {family for family, *_ in samples} <= {t for t in types if t.startswith('sekisho_witness_')}, 'a family is empty'
    return samples
