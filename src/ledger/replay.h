/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_REPLAY_H
#define SEKISHO_LEDGER_REPLAY_H

#include "ledger/call.h"
#include "ledger/rates.h"
#include "policy/decide.h"

/*
 * What would rules have done? Calls that are over are judged by rules that were not there, one after the other, in any
 * order: which of them would have been refused, for whom, where to, for how long and at what price.
 *
 * Rules are asked as of the moment of each call (schedules); whoever gives them leaves out those that have ended, and takes
 * `until` off the others. States (a lock, a stop) are no rules and play no part, nor do caps.
 */
struct replay;

/* What would have become of a call. */
enum replay_fate {
    REPLAY_PASSED, /* was not refused, and would not be: emergency calls always are here or in OPENED */
    REPLAY_REFUSED,      /* was not refused, and a rule would have */
    REPLAY_OPENED,       /* was refused, and would have been let through */
    REPLAY_REFUSED_THEN, /* was refused, and would be again */
    REPLAY_NO_NUMBER, /* the dial plan sees no number that can be called (an extension that it was not told of):
                            denied whatever the rules are, and no reason to praise them */
};
#define REPLAY_FATES (REPLAY_NO_NUMBER + 1)

const char *replay_fate_name(
    enum replay_fate fate); /* "passed", "refused", "opened", "refused-then", "no-number" */

/* One call, judged. */
struct replay_case {
    const struct call *call;
    enum replay_fate fate;
    const struct number *number;
    const struct verdict *verdict;
    const struct rate *rate; /* NULL: no prefix of the number has a price, or there is no table */
    money price;             /* of an answered call; 0 without a rate */
};

struct replay_config {
    const struct rates *rates; /* NULL: money is not asked for. Borrowed */
    /* Gets each call of these fates (a bit each: 1 << REPLAY_REFUSED); anything but 0 ends replay_add() with that. */
    unsigned wanted;
    int (*take)(void *arg, const struct replay_case *judged);
    void *arg;
};

/* Sums that are kept, of caller, country and currency: about 100 bytes each. Only what is refused is summed. */
#define REPLAY_SUMS_MAX ((size_t)1 << 22)

int replay_new(struct replay **out, const struct replay_config *config, struct fault *f);
void replay_free(struct replay *replay); /* NULL is fine */

/* Judges a call by the dial plan and the rules of whoever called. ERR_FULL: too many sums;
 * ERR_NOMEM; then the call has not been. */
int replay_add(struct replay *replay, const struct call *call, const struct site *site,
               const struct decide_rules *rules, struct fault *f);

/* ---- what came out -------------------------------------------------------------------------- */

struct replay_totals {
    uint64_t calls[REPLAY_FATES];
    int64_t first_ms, last_ms; /* of all; first_ms > last_ms: there were none */
};
struct replay_totals replay_totals(const struct replay *replay);

/* Refused calls that have something in common. */
struct replay_line {
    uint32_t caller; /* of REPLAY_BY_CALLER; else 0 */
    char country[4]; /* of REPLAY_BY_COUNTRY: ISO 3166-1 alpha-2, "001", "" where there is none */
    bool regular;    /* of REPLAY_BY_CALLER: calls abroad every week, see replay_regular() */
    uint64_t calls, answered, seconds;
    uint64_t unpriced,
        unpriced_seconds; /* of the answered calls: they have no rate. 0 without a table */
    int64_t first_ms, last_ms;
    money paid[RATES_CURRENCIES_MAX]; /* by rates_currency(): of the answered calls */
};

enum replay_by { REPLAY_BY_ALL, REPLAY_BY_CALLER, REPLAY_BY_COUNTRY };

/* One line for each caller or country, the most seconds first, then the most calls; of all exactly one. free() them. */
int replay_lines(struct replay *replay, enum replay_by by, struct replay_line **out, size_t *n,
                 struct fault *f);

/*
 * Whether a caller calls abroad every week: it had answered international calls in four weeks at least, and in three of four
 * weeks from its first such call to the end of all calls (weeks begin on Monday, UTC; at most the last 128 count). A
 * thief's weekend never makes that, however much is called.
 */
bool replay_regular(const struct replay *replay, uint32_t caller);

/* Beginnings of refused numbers (6 digits of E.164) for which there is no price, at most REPLAY_UNPRICED_MAX of them, in
 * the order in which they were met. */
#define REPLAY_UNPRICED_MAX 16
#define REPLAY_UNPRICED_DIGITS 6
size_t replay_unpriced(const struct replay *replay, const char (**out)[REPLAY_UNPRICED_DIGITS + 1]);

#endif
