/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_SWEEP_H
#define SEKISHO_LEDGER_SWEEP_H

#include "ledger/history.h"
#include "policy/rule.h"

/*
 * Countermeasure 2: which accounts never call abroad, and so lose nothing when international calls are
 * restricted. An account is swept only when its call history says so and nobody has decided otherwise.
 */

/* What an account's own rules say of international calls. */
enum sweep_rules {
    SWEEP_RULES_OPEN, /* nothing */
    SWEEP_RULES_OWN,  /* something of its own: only some, or only at times, or that they are open */
    SWEEP_RULES_CLOSED, /* restricted, for good; there may be exceptions */
};

/* `access` is the access prefix that numbers are written with ("010"). Rules that have ended say nothing. */
enum sweep_rules sweep_rules(const struct rule *rules, size_t n, struct span access, int64_t now_s);

/* In the order in which they are asked: the first that holds is the verdict. */
enum sweep_verdict {
    SWEEP_RESTRICTED,   /* is restricted already */
    SWEEP_OWN_RULES,    /* has rules of its own behind the access prefix */
    SWEEP_NO_RECORDS,   /* no call of its switch is on record since the date: nothing is known */
    SWEEP_CALLS_ABROAD, /* an answered international call since the date speaks for it */
    SWEEP_LIFTED,    /* its restriction was lifted, and who did so is not overridden unless asked */
    SWEEP_TOO_YOUNG, /* too little time to tell */
    SWEEP_RESTRICT,  /* is to be restricted */
};
#define SWEEP_VERDICTS (SWEEP_RESTRICT + 1)

/* "restricted", "own-rules", "no-records", "calls-abroad", "lifted", "too-young", "restrict". */
const char *sweep_verdict_name(enum sweep_verdict verdict);

/* What is asked. Times are milliseconds since 1970. */
struct sweep_terms {
    int64_t now_ms;
    int64_t since_ms;    /* calls abroad before it do not count */
    int64_t young_ms;    /* an account that is known for less than this is too young */
    bool include_lifted; /* sweep what was lifted, too */
};

/* What is known of an account. HISTORY_NEVER where there is no such time. */
struct sweep_facts {
    enum sweep_rules rules;
    int64_t switch_last_ms; /* the latest call on record of its switch */
    int64_t abroad_ms;      /* the latest answered international call that speaks for it */
    int64_t lifted_ms;      /* when somebody lifted its restriction */
    int64_t created_ms;     /* when Sekisho came to know it */
    int64_t first_call_ms;  /* its earliest call on record */
};

enum sweep_verdict sweep_judge(const struct sweep_facts *facts, const struct sweep_terms *terms);

#endif
