/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_SWEEPS_H
#define SEKISHO_STORE_SWEEPS_H

#include "ledger/sweep.h"
#include "store/store.h"

/*
 * The sweep: who never calls abroad is restricted, as one batch that can be undone. A preview is made on the
 * caller's own thread beside everything else, from one consistent view of accounts and one of calls; it is
 * applied only while nothing of what it looked at has changed.
 */
struct sweep_plan;

struct sweep_ask {
    struct sweep_terms terms;
    int64_t within; /* only accounts of this tenant and those below it; 0 is all */
};

/* One account, and why. Spans live until `each` returns. */
struct sweep_found {
    int64_t account_id, switch_id, tenant_id;
    struct span name, switch_name, tenant;
    enum sweep_verdict verdict;
    struct span
        rules_of; /* SWEEP_RESTRICTED, SWEEP_OWN_RULES: "account", "tenant:acme", "operator" */
    struct span access; /* the prefix that is, or would be, restricted */
    char country[4];    /* of the latest answered international call; "" where there is none */
    int64_t abroad_ms;  /* when that was, or HISTORY_NEVER */
    int64_t known_ms;   /* when it was made, or called first */
    /* SWEEP_LIFTED: who lifted its restriction (or its tenant's) last; SWEEP_OBJECTED: who objected. */
    int64_t deed_ms;
    struct span deed_by;
};

/*
 * Judges every account, gives each to `each` (may be NULL), in the order of switches and names, and makes the plan
 * of what would be restricted. What `each` returns but 0 ends it. Not from a job; takes seconds for a million
 * accounts, which others do not feel.
 */
int store_sweep_preview(struct store *store, const struct sweep_ask *ask,
                        int (*each)(void *arg, const struct sweep_found *found), void *arg,
                        struct sweep_plan **out, struct fault *f);
void sweep_plan_free(struct sweep_plan *plan);

/* The change number of what it looked at. */
int64_t sweep_plan_change(const struct sweep_plan *plan);
const struct sweep_ask *sweep_plan_ask(const struct sweep_plan *plan);
uint64_t sweep_plan_count(const struct sweep_plan *plan, enum sweep_verdict verdict);

/* What call records there are of a switch. */
struct sweep_records {
    struct span switch_name; /* lives as long as the plan */
    struct coverage records;
    bool
        strays; /* a fifth of the calls or more is of names that no account has: the names are read wrongly */
    bool
        hold; /* they name accounts, and reach from the date to now; where they do not, nobody is swept */
};
size_t sweep_plan_switches(const struct sweep_plan *plan);
struct sweep_records sweep_plan_records(const struct sweep_plan *plan, size_t i);

/*
 * Restricts what the plan says: one commit, one audit record, whose number is the sweep's id. Accounts that have called
 * abroad since the preview are left out and counted (`*called`). ERR_CONFLICT: accounts, rules, tenants, switches or
 * objections were changed since the preview; or a day was announced that has not come, and `early` is not said.
 * Nothing to restrict is ERR_MISSING. Whom it concerns is told, by the same transaction (notices.h). Not from a job.
 */
int store_sweep_apply_wait(struct store *store, const struct store_by *by,
                           const struct sweep_plan *plan, bool early, int64_t *sweep,
                           uint64_t *called, struct fault *f);

/*
 * Tells the tenants of what the plan would restrict that this will happen on the day that begins at `due_ms`, so that they
 * can object: one record, one digest for each who is told (`*told`). Changes nothing else. ERR_CONFLICT, ERR_MISSING as
 * above; a day that has begun is ERR_RANGE. Not from a job.
 */
int store_sweep_announce_wait(struct store *store, const struct store_by *by,
                              const struct sweep_plan *plan, int64_t due_ms, int64_t *announcement,
                              uint64_t *told, struct fault *f);

struct store_announcement {
    int64_t id, at_ms;
    struct span actor;
    int64_t due_ms, since_ms;
    bool include_lifted;
    struct span tenant; /* empty: of all; or of one that is gone */
    uint64_t rows;      /* accounts that it named */
};

struct store_announcement_list {
    const struct store_announcement *items;
    size_t n;
    struct span next;
};

/* Newest first. */
int store_announcement_list(struct store_tx *tx, const struct store_page *page,
                            struct store_announcement_list *out, struct fault *f);

struct store_sweep {
    int64_t id, at_ms;
    struct span actor;
    int64_t since_ms;
    bool include_lifted;
    struct span tenant; /* empty: of all; or of one that is gone */
    uint64_t rows;      /* accounts that it restricted */
    uint64_t standing;  /* of those, how many nobody has changed since */
    int64_t undone;     /* the change that undid it; 0: none */
    uint64_t restored;  /* by that */
};

struct store_sweep_list {
    const struct store_sweep *items;
    size_t n;
    struct span next;
};

/* Newest first. */
int store_sweep_list(struct store_tx *tx, const struct store_page *page,
                     struct store_sweep_list *out, struct fault *f);
int store_sweep_get(struct store_tx *tx, int64_t id, struct store_sweep *out, struct fault *f);

/* What became of one account of a sweep. */
enum sweep_fate {
    SWEEP_STANDS,   /* as the sweep made it */
    SWEEP_CHANGED,  /* somebody has changed it since */
    SWEEP_RESTORED, /* by undo */
    SWEEP_GONE,     /* the account was deleted */
};
const char *sweep_fate_name(enum sweep_fate fate); /* "stands", "changed", "restored", "gone" */

struct store_sweep_row {
    int64_t account_id;
    enum sweep_fate fate;
    struct span name, switch_name, tenant; /* empty when gone */
    int64_t change;                        /* of the account; 0 when gone */
};

struct store_sweep_rows {
    const struct store_sweep_row *items;
    size_t n;
    struct span next;
};
/* `fate` (may be NULL): only those of which that came. */
int store_sweep_rows(struct store_tx *tx, int64_t sweep, const enum sweep_fate *fate,
                     const struct store_page *page, struct store_sweep_rows *out, struct fault *f);

/* Gives accounts that nobody has changed since the sweep the rules that they had; all others stay, and are told by
 * store_sweep_rows(). ERR_CONFLICT: it was undone already. A job of its own: not from a job. */
int store_sweep_undo_wait(struct store *store, const struct store_by *by, int64_t sweep,
                          uint64_t *restored, struct fault *f);

#endif
