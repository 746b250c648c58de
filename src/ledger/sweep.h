/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_SWEEP_H
#define SEKISHO_LEDGER_SWEEP_H

#include "ledger/coverage.h"
#include "policy/rule.h"

/*
 * Countermeasure 2: which accounts never call abroad, and so lose nothing when international calls are
 * restricted. An account is swept only when its call history says so and nobody has decided otherwise.
 */

/*
 * What the rules of one owner (an account, a tenant, the operator) say of all international calls. Lengths are those
 * of the longest such prefix in digits, 0 where there is none. Rules that have ended say nothing.
 */
struct sweep_says {
    size_t closed;  /* a restriction, for good */
    size_t open;    /* an exception, for good or for a time: somebody has decided */
    bool mandatory; /* a mandatory restriction, for good: whatever others say */
    bool some;      /* rules for only some of them, or only at times */
};

/* `access` is the access prefix that numbers are written with ("010"). */
struct sweep_says sweep_says(const struct rule *rules, size_t n, struct span access, int64_t now_s);

/* What all levels together say. */
enum sweep_rules {
    SWEEP_RULES_OPEN, /* nothing */
    SWEEP_RULES_OWN,  /* that they are open, or the account has rules for some, or for some time */
    SWEEP_RULES_CLOSED, /* restricted, for good; there may be exceptions */
};

/*
 * `says` are the account's, its tenant's, those of the tenants above and the operator's last (n is at least 1).
 * As in decisions the longest prefix counts, then the nearer level, then the restriction. `*by` is the level that says
 * so. What tenants and the operator say of only some countries is no word on the others, and stays in force
 * beside a restriction of all.
 */
enum sweep_rules sweep_rules(const struct sweep_says *says, size_t n, size_t *by);

/* In the order in which they are asked: the first that holds is the verdict. */
enum sweep_verdict {
    SWEEP_RESTRICTED,   /* is restricted already, by its own rules or from above */
    SWEEP_OWN_RULES,    /* has rules of its own behind the access prefix, or is open from above */
    SWEEP_OBJECTED,     /* its tenant has objected, for it or for all */
    SWEEP_CALLS_ABROAD, /* an answered international call since the date speaks for it */
    SWEEP_NO_RECORDS, /* the records of its switch do not reach from the date to now: nothing is known */
    SWEEP_LIFTED,    /* its restriction was lifted, and who did so is not overridden unless asked */
    SWEEP_TOO_YOUNG, /* too little time to tell */
    SWEEP_RESTRICT,  /* is to be restricted */
};
#define SWEEP_VERDICTS (SWEEP_RESTRICT + 1)

/* "restricted", "own-rules", "objected", "calls-abroad", "no-records", "lifted", "too-young", "restrict". */
const char *sweep_verdict_name(enum sweep_verdict verdict);

/* What is asked. Times are milliseconds since 1970. */
struct sweep_terms {
    int64_t now_ms;
    int64_t since_ms; /* calls abroad before it do not count */
    int64_t young_ms; /* an account that is known for less is too young, and no window is shorter */
    int64_t believed_ms; /* so long a switch may be without records (coverage.h) */
    bool include_lifted; /* sweep what was lifted, too */
};

/* What is known of an account. HISTORY_NEVER where there is no such time. */
struct sweep_facts {
    enum sweep_rules rules;
    const struct coverage *records; /* of its switch */
    bool objected;
    int64_t abroad_ms;     /* the latest answered international call that speaks for it */
    int64_t lifted_ms;     /* when somebody lifted its restriction */
    int64_t created_ms;    /* when Sekisho came to know it */
    int64_t first_call_ms; /* its earliest call on record */
};

enum sweep_verdict sweep_judge(const struct sweep_facts *facts, const struct sweep_terms *terms);

#endif
