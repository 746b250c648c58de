/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_CALL_H
#define SEKISHO_LEDGER_CALL_H

#include <stdint.h>

#include "base/span.h"

/* How a call ended. Kept in files: values never change their meaning. */
enum call_end {
    CALL_ANSWERED = 0,
    CALL_UNANSWERED = 1, /* rang, was busy, was given up */
    CALL_FAILED = 2,     /* the trunk, or whoever stands behind it, would not have it */
    CALL_REFUSED = 3,    /* we would not have it */
};

/*
 * A call that is over, as a CDR told it. What it is (class, country, risk) is not kept: the dialled
 * string is, and is understood anew with today's tables whenever somebody asks.
 */
struct call {
    int64_t start_ms; /* milliseconds since 1970-01-01T00:00:00Z, 0 to CALL_START_MAX */
    uint64_t key;     /* the same for two records of one call, see call_key() */
    uint32_t caller;  /* who pays: a number that the store gives to a name on a switch */
    uint32_t seconds; /* talked; 0 unless answered */
    enum call_end end;
    struct span dialled; /* as it was dialled, any bytes, at most CALL_DIALLED_MAX */
};

#define CALL_START_MAX INT64_C(253402300799999) /* the end of the year 9999 */
#define CALL_DIALLED_MAX 127

/*
 * What tells one call from every other: a hash of who called whom, when, for how long, and of the id that
 * the switch gave it (may be empty). `nth` counts those of one file that are otherwise the same, from 0, so that
 * two calls in one second stay two while the same file, or another export of the same calls, adds nothing.
 * Not keyed: whoever can write CDRs needs no collision to lie.
 */
uint64_t call_key(const struct call *call, struct span id, uint32_t nth);

/* "answered", "unanswered", "failed", "refused". */
const char *call_end_name(enum call_end end);

#endif
