/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_PLAUSIBLE_H
#define SEKISHO_BENCH_PLAUSIBLE_H

#include <stdbool.h>
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

/* How an account is called: "t00012-0034", 32 bytes with its NUL. */
void plausible_account(const struct plausible *p, uint64_t account, char out[32]);

/* Whether it calls abroad by itself. */
bool plausible_abroad(uint64_t account);

/*
 * What thieves did, call by call, as real victims reported it; between the others wherever the caller puts it.
 *
 *   burst   111 calls to 89 numbers in 37 countries within 16 minutes
 *   pump    Sierra Leone: 14,000 calls of 32 s in 4 days
 */
enum plausible_shape { PLAUSIBLE_BURST, PLAUSIBLE_PUMP };

#define PLAUSIBLE_BURST_CALLS 111
#define PLAUSIBLE_PUMP_CALLS 14000

struct plausible_attack {
    enum plausible_shape shape;
    uint64_t account;
    int64_t at; /* Unix seconds of its first call */
    uint64_t done;
};

uint64_t plausible_attack_calls(enum plausible_shape shape);
/* When its next call begins; INT64_MAX: there is none. */
int64_t plausible_attack_next(const struct plausible_attack *attack);
/* Adds that call. */
void plausible_attack_line(struct plausible *p, struct plausible_attack *attack, struct buf *out);

#endif
