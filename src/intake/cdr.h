/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_H
#define SEKISHO_INTAKE_CDR_H

#include <stdint.h>

#include "base/fault.h"

/*
 * One call as a switch recorded it (CDR), whatever switch that was. Spans are views into the block that is being
 * read and live until the next row is asked for. See docs/cdr.md for what switches really write.
 */

enum cdr_outcome {
    CDR_UNKNOWN,
    CDR_ANSWERED,
    CDR_NO_ANSWER,
    CDR_BUSY,
    CDR_CANCELLED, /* the caller gave up first */
    CDR_FAILED,    /* refused or not reached, by whoever is beyond the switch */
    CDR_REFUSED,   /* by Sekisho's gate: nothing left the switch */
};

/* "answered", "no-answer", ... and back; false for another word. */
const char *cdr_outcome_name(enum cdr_outcome outcome);
bool cdr_outcome_named(struct span name, enum cdr_outcome *out);

/* Of the final status of an INVITE (RFC 3261 section 21): 200 to 699, else unknown. */
enum cdr_outcome cdr_outcome_of_sip(unsigned status);

/* How a local time became a moment. */
enum cdr_clock {
    CDR_CLOCK_ONCE,
    CDR_CLOCK_SKIPPED, /* clocks never showed it (they were put forward): read as if they had not been yet */
    CDR_CLOCK_TWICE, /* they showed it twice (put back): the first time, unless the id tells */
};

struct cdr {
    struct span account;  /* accountcode */
    struct span channel;  /* of the caller, as it is written; may be empty */
    struct span endpoint; /* of that channel: who was authenticated. Empty for a Local channel */
    struct span src; /* the caller's number, which says what the caller or the dialplan likes */

    /*
     * What the caller dialled, as it was dialled; and what the switch dialled for it on the last trunk that
     * was tried, where that is recorded. They differ by more than form where a call was transferred or forwarded, or
     * a menu dialled: `dialled` is then an extension, and `sent` is abroad. A call went abroad where
     * either says so. `dialled` is of the caller's dial plan, `sent` in the form that the trunk wants, which
     * may be without any access prefix. Who keeps one of them keeps `sent` where that alone is abroad.
     */
    struct span dialled, sent;

    struct span trunk; /* endpoint or gateway of the far channel; empty: no channel was made */
    struct span
        id; /* uniqueid, Call-ID or UUID; may be empty. Forked records of a channel share it */
    struct span
        linked; /* the id of the first channel of a transferred or forwarded call; may be empty */
    int64_t sequence; /* -1: none recorded. (id, sequence) is unique */
    int64_t start_ms; /* Unix time */
    enum cdr_clock clock;
    int64_t id_s; /* when `id` says that its channel began, Unix seconds; 0: it does not */
    uint32_t total_s, billed_s;
    enum cdr_outcome outcome;

    /* Answered, and no end of it was recorded (Kamailio): how long it lasted is not known, both seconds are 0. */
    bool unended;

    /* The ;1 half of a Local channel. The ;2 half has a record of its own, which is the call: this one repeats
     * its number without having dialled it. */
    bool near_half;
};

/* A zone that is stated wrongly shows: `start_ms` is a quarter of an hour or more from `id_s`. A single
 * record may be (a call forked late); where most are, the zone is wrong. */
bool cdr_clock_doubtful(const struct cdr *c);

/* The name of a call whoever reads it again, and from whichever export: BLAKE2b of its id, sequence, moment,
 * channel and number, and of its length where there is no sequence, for forked records of one second may differ by that
 * alone. Not of the account, which the operator's rule may come to see otherwise. */
#define CDR_IDENTITY_SIZE 16
void cdr_identity(const struct cdr *c, uint8_t out[CDR_IDENTITY_SIZE]);

/* ---- which account pays ---- */

enum cdr_name { CDR_BY_ACCOUNTCODE, CDR_BY_ENDPOINT, CDR_BY_SRC };
#define CDR_NAMES 3

/* In which order what is asked. Zero-initialised asks nothing, and nobody pays. */
struct cdr_payer_rule {
    enum cdr_name order[CDR_NAMES];
    size_t n;
};

/* "accountcode, endpoint, src", or fewer of these words; each once. */
int cdr_payer_rule_parse(struct cdr_payer_rule *out, struct span text, struct fault *f);

/* The first of these that is not empty; empty when all are. `by` (may be NULL) is which it was. */
struct span cdr_payer(const struct cdr *c, const struct cdr_payer_rule *rule, enum cdr_name *by);

#endif
