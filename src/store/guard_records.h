/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_RECORDS_H
#define SEKISHO_STORE_GUARD_RECORDS_H

#include "guard/guard.h"
#include "store/store.h"

/*
 * What happened at the guard, in evidence.db: what it must know again after a restart (its key, bans, locks, pairs,
 * counts), the history of its decisions with the attempts that counted, and how many attempts there were of which
 * kind. Written by store/guard_journal.h; what the operator decided is in store/guard_lists.h.
 *
 * An outsider chooses what an account is called: accounts come out, and go into queries, as text that can be shown: in
 * lower case, cut at ACCOUNT_NAME_MAX bytes and escaped as by escape().
 */

/* The bytes behind such a text, for the guard. ERR_SYNTAX: it is none. */
int store_guard_account(struct span shown, char raw[ACCOUNT_NAME_MAX], size_t *n, struct fault *f);

/* ---- what outlives a restart ---------------------------------------------------------------- */

/* The guard's key: made by the first call, the same ever after. An evidence job. */
int store_guard_key(struct store_tx *tx, uint8_t key[GUARD_KEY_BYTES], struct fault *f);

/* Any may be NULL; another answer than 0 ends the load with it. What guard_restore_*() has no room for is the
 * caller's to ignore. */
struct store_guard_loader {
    void *arg;
    /* Of this network the operator has lifted a ban, within a year; whether one was decided since is not said. */
    int (*lifted)(void *arg, const struct network *network, struct fault *f);
    int (*ban)(void *arg, const struct guard_ban *ban, struct fault *f);
    int (*lock)(void *arg, const struct guard_lock *lock, struct fault *f);
    int (*pair)(void *arg, const struct guard_pair *pair, struct fault *f);
    int (*count)(void *arg, const struct guard_count *count, struct fault *f);
};

/*
 * Gives everything to the loader, in an evidence or a read job: what was lifted, the operator's bans, then the guard's bans,
 * locks, pairs and counts. `last` of an operator's ban is the number of the change that made it. What the operator has lifted (unban, unlock, forgotten) does not come back, whether or not the
 * guard had time to write that down before it was killed; nor do bans and locks that are over, and counts whose
 * window, by `limits`, has passed since they were saved. A pair is good only if the guard's decision that
 * makes it good was written.
 */
int store_guard_load(struct store_tx *tx, const struct guard_limits *limits,
                     const struct store_guard_loader *loader, struct fault *f);

/* ---- known good ------------------------------------------------------------------------------ */

/* A source known good for an account, from the decision that made it so to the one that ended it, or until it was
 * idle for too long. */
struct store_known_good {
    int64_t id;
    int64_t switch_id;
    struct span switch_name; /* "" when it is gone */
    struct span tenant;      /* whose account it is; or "" */
    struct span account;
    struct network network; /* a host of IPv4, a /64 of IPv6 */
    int64_t since_ms;
    int64_t last_ms; /* a success on that day, as far as it was written: some minutes late */
};

struct store_known_good_list {
    const struct store_known_good *items;
    size_t n;
    struct span next;
};

/* Zero-initialised is everything. Oldest first. */
struct store_known_good_query {
    struct store_page page;
    int64_t within;          /* accounts of this tenant and those below it; 0 is all */
    struct span switch_name; /* unless empty; ERR_MISSING for one that is none */
    struct span account;     /* unless empty: exactly this one, as it comes out */
    struct network network;  /* unless family 0: what has an address in common with it */
};

/* In a read job, like all that follows. */
int store_known_good_list(struct store_tx *tx, const struct store_known_good_query *query,
                          struct store_known_good_list *out, struct fault *f);

/* ---- decisions, for `why` -------------------------------------------------------------------- */

/* An attempt that counted. */
struct store_counted {
    int64_t at_ms;
    int64_t switch_id;
    enum witness witness;
    enum outcome outcome;
    enum proof proof; /* pairing included */
    enum transport transport;
    enum method method;
    struct address source; /* family 0: not known */
    struct span account, dialled, user_agent,
        call_id; /* escaped; cut at EVIDENCE_TEXT bytes before */
};

/* One event of the guard (guard.h), as it was. */
struct store_decision {
    int64_t id;
    int64_t at_ms;
    enum guard_event_kind kind;
    enum attack attack;
    bool observed, quench;
    int64_t switch_id;       /* 0 is none: an operator's ban */
    struct span switch_name; /* "" when it is gone */
    struct span tenant;      /* of the account, when it happened; or "" */
    struct network network;  /* family 0: none */
    struct span account;     /* or empty */
    enum witness witness;
    enum proof proof;
    uint32_t threshold, count, window, seconds, level;
    const struct network *good; /* GUARD_LOCKOUT */
    size_t n_good;
    uint32_t n_named;                     /* attempts that it named; those that are kept: */
    const struct store_counted *attempts; /* newest first */
    size_t n_attempts;
};

struct store_decision_list {
    const struct store_decision *items;
    size_t n;
    struct span next;
};

/* Zero-initialised is everything. Newest first. */
struct store_decision_query {
    struct store_page page;
    int64_t within; /* decisions on accounts of this tenant and those below it; 0 is all */
    /* Unless family 0: decisions on this network and on those that it is in … */
    struct network network;
    bool inside; /* … and on those inside of it */
    struct span switch_name;
    struct span account;        /* unless empty: exactly this one, as it comes out */
    uint32_t kinds;             /* bits 1 << enum guard_event_kind; 0 is all */
    int64_t since_ms, until_ms; /* unless 0: since <= at < until */
    bool bare;                  /* without the attempts */
};

int store_decision_list(struct store_tx *tx, const struct store_decision_query *query,
                        struct store_decision_list *out, struct fault *f);

/* ---- attempts, for `attacks` ----------------------------------------------------------------- */

/*
 * Attempts of the same kind within an hour are one row that counts. Beyond the bounds of the settings a
 * row first loses account and User-Agent (one for each source and outcome is left), then the source ("others"): the
 * sums stay right, and what is proved does not give way to what anybody can send.
 */
struct store_attempts {
    int64_t first_ms, last_ms;
    uint64_t count;
    int64_t switch_id;
    enum witness witness;
    enum outcome outcome;
    enum proof proof;
    struct network source;           /* a host; family 0: not known, or one of the others */
    struct span account, user_agent; /* any bytes going in; may be empty */
    bool merged;                     /* account and User-Agent are not told, for want of room */
};

/* In an evidence job. The rows of one call may be written in part when they fail; a job that fails is
 * undone as a whole. */
int store_attempts_add(struct store_tx *tx, const struct store_attempts *rows, size_t n,
                       struct fault *f);

struct store_attack_query {
    int64_t since_ms, until_ms; /* until 0 is now. Whole hours are counted: see `from_ms` */
    struct span switch_name;    /* unless empty; ERR_MISSING for one that is none */
    uint32_t top;               /* entries of each list, 1 to 1,000; 0 is 10 */
};

struct store_attack_top {
    struct network network; /* of a source, a network */
    struct span text;       /* of an account, a User-Agent; escaped, "" where there was none */
    int64_t switch_id;      /* of an account, with: */
    struct span switch_name;
    uint64_t count;
    enum attack attack; /* what most of them were */
    int64_t first_ms, last_ms;
};

struct store_attack_tops {
    const struct store_attack_top *items; /* largest first */
    size_t n;
    uint64_t different; /* so many there were, of which these are the top */
};

/*
 * Witnesses of one switch see the same attempts: of each source in each hour those of the one that saw most are
 * counted, so that the shares add up to `failures`. Only failures are attacks (outcome_is_failure()). What a
 * source did is told by its attempts, and by what the guard decided on it within the time: slow, enumeration, canary.
 */
struct store_attack_report {
    int64_t from_ms, until_ms; /* what was looked at: the beginning of the first hour */
    uint64_t failures;
    uint64_t kinds[ATTACKS];
    uint64_t outcomes[OUTCOMES], proofs[PROOFS];
    uint64_t others;  /* of the failures, those whose source was not kept or never known */
    uint64_t unnamed; /* of the failures, those whose account and User-Agent were not kept */
    /* All attempts of every witness, by what it saw: not reduced to the one that saw most. */
    uint64_t seen[WITNESSES][OUTCOMES];
    uint64_t decisions[GUARD_EVENTS]; /* enforced ones; and: */
    uint64_t observed[GUARD_EVENTS];
    struct store_attack_tops sources;  /* hosts of IPv4, /64 of IPv6 */
    struct store_attack_tops networks; /* /24 of IPv4, /48 of IPv6 */
    struct store_attack_tops accounts, user_agents;
};

int store_attack_report(struct store_tx *tx, const struct store_attack_query *query,
                        struct store_attack_report *out, struct fault *f);

#endif
