/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_PLAUSIBLE_H
#define SEKISHO_BENCH_PLAUSIBLE_H

#include <stdint.h>

#include "base/buf.h"

/*
 * Plausible lines of an Asterisk's Master.csv, the same ones from the same seed: tenants of some accounts each (two
 * to thirty, most of them few), of which one in twenty-five calls abroad, each its own few countries; calls by the hour of
 * the day and the day of the week, national ones of fixed lines and mobiles, freephone, extensions; answered, busy, not
 * answered, some refused by the gate.
 */
struct plausible {
    uint64_t seed;
    uint64_t accounts;
    int64_t at; /* Unix seconds; calls come one after the other */
    uint64_t calls;
};

/* From 2025-10-24 on, Japanese time. */
void plausible_begin(struct plausible *p, uint64_t seed, uint64_t accounts);

/* Adds one line, with all 18 columns that loguniqueid and loguserfield make. */
void plausible_line(struct plausible *p, struct buf *out);

#endif
