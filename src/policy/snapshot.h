/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_SNAPSHOT_H
#define SEKISHO_POLICY_SNAPSHOT_H

#include "policy/account_hash.h"
#include "policy/levels.h"

/*
 * All rules in memory, as readers on any thread see them without ever waiting.
 *
 * One writer (the store thread) stages changes, which allocates whatever they need and may fail, and
 * publishes them when they are durable, which cannot fail. Each account is one pointer: a reader
 * sees it before a change or after it, never in between. The levels are one block.
 *
 * The snapshot stands on liburcu (memb). A thread that reads registers once; between
 * snapshot_read_lock() and unlock() whatever it was given stays valid. Reading a NULL snapshot finds
 * nothing, and decides UNAVAILABLE for all but emergencies.
 */
struct snapshot;

/* ---- for readers ---- */

void snapshot_reader_register(void); /* per thread, before its first lock */
void snapshot_reader_unregister(void);
void snapshot_read_lock(void); /* does not wait; may be nested */
void snapshot_read_unlock(void);

/* For those who keep something else under the same read lock: waits until every lock that is held now has been
 * given back. Not within the read lock. */
void snapshot_grace(void);

/* The change number that has been published last. */
int64_t snapshot_change(const struct snapshot *snap);

/* How many accounts it has, at about this moment. Within the read lock. */
size_t snapshot_accounts(const struct snapshot *snap);

/* NULL where there is none. Names are those that the store keeps (lower case). By address: the
 * longest network that contains it. */
const struct levels_gate *snapshot_switch_by_id(const struct snapshot *snap, int64_t id);
const struct levels_gate *snapshot_switch_by_name(const struct snapshot *snap, struct span name);
const struct levels_gate *snapshot_switch_by_address(const struct snapshot *snap,
                                                     const struct address *address);

/* Copies up to `most` of the networks of all switches; returns how many there are. */
size_t snapshot_switch_networks(const struct snapshot *snap, struct network *out, size_t most);

/* Whom a question is about. Embedded by the caller; all fields are for reading. */
struct snapshot_subject {
    const struct levels_gate *gate; /* NULL: no such switch */
    int64_t account;                /* id; 0: unknown on this switch */
    int64_t tenant;                 /* id; of an unknown account the one that adopts it, or 0 */
    const char *tenant_name;        /* NULL where tenant is 0 */
    bool adopt;                     /* unknown, and to be adopted with the born restriction */
    bool observe;                   /* switch or tenant in mode observe */
    enum account_state state;
    bool stopped;            /* at account, tenant or operator scope */
    const struct site *site; /* with the tenant's area; NULL where gate is */
    const void *internal[2]; /* for snapshot_decide() */
    int64_t change;          /* see snapshot_change() */
};

/* Finds the account by name, ASCII letters of any case. `gate` may be NULL (as the finders above
 * give it); `snap` too. An account of a tenant that is out of the switch's reach is unknown and not
 * adopted. Always fills `out`. */
void snapshot_find(const struct snapshot *snap, const struct levels_gate *gate, struct span account,
                   struct snapshot_subject *out);

/* The same for several at once, which is faster than one after the other: memory that is far, an
 * account's slot, is asked for on behalf of all before any of them waits. Some thirty are enough. */
struct snapshot_question {
    const struct levels_gate *gate;
    struct span account;
};
void snapshot_find_many(const struct snapshot *snap, const struct snapshot_question *questions,
                        size_t n, struct snapshot_subject *out);

/* Decides about `number`, parsed with the subject's site, within the same read lock. `now` is wall
 * time in seconds. */
void snapshot_decide(const struct snapshot *snap, const struct snapshot_subject *subject,
                     const struct number *number, bool source_good, int64_t now,
                     struct verdict *out);

/* ---- for the writer ---- */

struct snapshot_options {
    struct zones *zones; /* borrowed, may be NULL; used by the writer's thread only */
    uint8_t key[16];     /* random: account names are hashed with it */
    size_t accounts;     /* how many to make room for, and a fifth more; 0 is fine */
};

int snapshot_new(struct snapshot **out, const struct snapshot_options *options, struct fault *f);

/* When no reader is left. */
void snapshot_free(struct snapshot *snap);

/* The zones that it was made with: for checking a schedule's zone before a rule is kept. */
struct zones *snapshot_zones(struct snapshot *snap);

/* Rules as a set of this snapshot, with one reference for the caller (see ruleset_intern()). Accounts
 * that share rules are staged with the same set, which spares the work of interning it again. */
int snapshot_rules(struct snapshot *snap, const struct rule *rules, size_t n,
                   const struct ruleset **out, struct fault *f);
void snapshot_rules_unref(struct snapshot *snap, const struct ruleset *set);

struct snapshot_account {
    int64_t id; /* > 0 */
    int64_t switch_id;
    struct span name; /* 1 to ACCOUNT_NAME_MAX bytes of ASCII; any case */
    int64_t tenant;   /* id */
    enum account_state state;
    bool stopped;
    const struct ruleset
        *rules; /* of this snapshot; may be NULL; a reference of its own is taken */
};

/*
 * Staging. Nothing is visible until it is published, and a failure (ERR_NOMEM, ERR_RANGE, or the
 * sentence of what is wrong in the levels) leaves what was staged before. An account is created or
 * replaced; removing what is not there is fine. Switches and tenants may be staged after the
 * accounts that refer to them. Of levels that are staged twice the later count.
 */
/* Makes room for `n` further accounts at once, before many are staged. */
int snapshot_reserve(struct snapshot *snap, size_t n, struct fault *f);
int snapshot_stage_account(struct snapshot *snap, const struct snapshot_account *account,
                           struct fault *f);
int snapshot_stage_removal(struct snapshot *snap, int64_t switch_id, struct span name,
                           struct fault *f);
int snapshot_stage_levels(struct snapshot *snap, const struct levels_config *config,
                          struct fault *f);

/* How much is staged: a mark for snapshot_discard(), which forgets what was staged behind it (a job
 * that was rolled back); discard(snap, 0) forgets all. */
size_t snapshot_staged(const struct snapshot *snap);
void snapshot_discard(struct snapshot *snap, size_t mark);

/* Makes all that is staged visible, in order, and then `change` as the change number. Cannot fail. */
void snapshot_publish(struct snapshot *snap, int64_t change);

/* Waits until no reader can see what was replaced, and frees it. Called by the writer before a commit;
 * publish does it by itself when much has gathered. The calling thread must not
 * hold the read lock. */
void snapshot_reclaim(struct snapshot *snap);

/* Makes room ahead of time when the table is nearly full: behind a change, so that the next one need not wait
 * for it. Without memory it does nothing. */
void snapshot_prepare(struct snapshot *snap);

struct snapshot_figures {
    size_t accounts;
    size_t rulesets;
    size_t profiles; /* distinct (rules, tenant, state, stopped) */
    size_t bytes;    /* of the account table */
};
struct snapshot_figures snapshot_figures(const struct snapshot *snap);

#endif
