/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_LISTS_H
#define SEKISHO_STORE_GUARD_LISTS_H

#include "base/address.h"
#include "store/store.h"

/*
 * What the operator decided about who may reach the switches, in sekisho.db: networks that may reach SIP at all
 * (access) and that are never banned, canary accounts, bans of his own, and what he lifted of the guard's decisions. Write jobs;
 * each call that changes something has its audit record. After the commit, and never before, the store calls
 * store_config.guard_changed, and the guard's thread reads them by store_guard_lists_read().
 *
 * What is lifted is durable here first; the guard is told when that is done (serve/guard_desk.h), and does not
 * learn it again from evidence.db after a restart (store_guard_load()).
 */

#define STORE_NETWORKS_MAX 512 /* of each list */
#define STORE_CANARIES_MAX 4096
#define STORE_BANS_MAX 100000 /* of the operator's own */

/* ---- access and never-ban -------------------------------------------------------------------- */

enum store_networks { STORE_ACCESS, STORE_NEVER_BAN };
/* "access", "never-ban". */
const char *store_networks_name(enum store_networks list);

struct store_network {
    int64_t id;
    int64_t change;
    struct network network;
    struct span note;
    int64_t since_ms; /* set by the store, like: */
    struct span actor;
};

struct store_network_list {
    const struct store_network *items; /* in the order in which they came */
    size_t n;
    struct span next;
};

/* put on one that is listed replaces its note. A network on never-ban ends the operator's bans that overlap it, each
 * with a record of its own. ERR_FULL beyond the bound. delete: ERR_MISSING. */
int store_network_put(struct store_tx *tx, const struct store_by *by, enum store_networks list,
                      const struct network *network, struct span note, int64_t *id,
                      struct fault *f);
int store_network_delete(struct store_tx *tx, const struct store_by *by, enum store_networks list,
                         const struct network *network, struct fault *f);
int store_network_get(struct store_tx *tx, enum store_networks list, const struct network *network,
                      struct store_network *out, struct fault *f);
int store_network_list(struct store_tx *tx, enum store_networks list, const struct store_page *page,
                       struct store_network_list *out, struct fault *f);

/* ---- canaries -------------------------------------------------------------------------------- */

/* An account that nobody has, and nobody should know. */
struct store_canary {
    int64_t id;
    int64_t change;
    int64_t switch_id;
    struct span switch_name; /* set by the store */
    struct span name;        /* as of an account: kept in lower case */
    struct span note;
    int64_t since_ms; /* set by the store, like: */
    struct span actor;
};

struct store_canary_list {
    const struct store_canary *items;
    size_t n;
    struct span next;
};

/* Only switch_name, name and note of `canary` are looked at. ERR_CONFLICT where the switch has an account of that
 * name; one that is added later stays a canary until the operator deletes that. Canaries go with their switch. */
int store_canary_put(struct store_tx *tx, const struct store_by *by,
                     const struct store_canary *canary, int64_t *id, struct fault *f);
int store_canary_delete(struct store_tx *tx, const struct store_by *by, struct span switch_name,
                        struct span name, struct fault *f);
int store_canary_get(struct store_tx *tx, struct span switch_name, struct span name,
                     struct store_canary *out, struct fault *f);
int store_canary_list(struct store_tx *tx, const struct store_page *page,
                      struct store_canary_list *out, struct fault *f);

/* ---- the operator's bans --------------------------------------------------------------------- */

struct store_ban {
    int64_t id;
    int64_t change;
    struct network network;
    int64_t until; /* wall seconds; 0: until it is lifted */
    struct span note;
    int64_t since_ms; /* set by the store, like: */
    struct span actor;
};

struct store_ban_list {
    const struct store_ban *items;
    size_t n;
    struct span next;
};

/* put on one that is banned replaces its end and note. ERR_RANGE: wider than /16 or IPv6 /32, or an end that has
 * passed; ERR_CONFLICT: overlaps never-ban (trunks only the guard knows: guard_may_ban()). */
int store_ban_put(struct store_tx *tx, const struct store_by *by, const struct store_ban *ban,
                  int64_t *id, struct fault *f);
int store_ban_get(struct store_tx *tx, const struct network *network, struct store_ban *out,
                  struct fault *f);
/* Those that are not over. */
int store_ban_list(struct store_tx *tx, const struct store_page *page, struct store_ban_list *out,
                   struct fault *f);

/* ---- lifting --------------------------------------------------------------------------------- */

/* Each writes a record, whether or not there was something to lift: what the guard decided only the guard
 * knows. by->expect is not looked at. `account` is as it comes out of guard_records.h; ERR_SYNTAX. */

/* A ban of exactly this network, the operator's or the guard's. */
int store_unban(struct store_tx *tx, const struct store_by *by, const struct network *network,
                struct fault *f);
/* The operator's ban of exactly this network, by the change `seen`, was lifted by hand, in the kernel: it does not come back.
 * No record where he has not banned it, or has banned it anew since. */
int store_ban_gone(struct store_tx *tx, const struct store_by *by, const struct network *network,
                   int64_t seen, struct fault *f);
/* A lock of an account, of whatever kind. */
int store_unlock(struct store_tx *tx, const struct store_by *by, struct span switch_name,
                 struct span account, struct fault *f);
/* What overlaps `network`, or everything (NULL), of the sources known good for an account. */
int store_forget_good(struct store_tx *tx, const struct store_by *by, struct span switch_name,
                      struct span account, const struct network *network, struct fault *f);

/* ---- for the guard's thread ------------------------------------------------------------------ */

/* Everything at once, as it is committed. */
struct store_guard_lists {
    const struct network *access, *never;
    size_t n_access, n_never;
    const struct store_guard_canary {
        int64_t switch_id;
        struct span name;
    } * canaries;
    size_t n_canaries;
    const struct store_guard_switch {
        int64_t id;
        struct span name;
        enum store_mode mode;            /* enforce or observe */
        const struct network *addresses; /* its own */
        size_t n_addresses;
    } * switches;
    size_t n_switches;
};

/* In a read job; the job's memory. The operator's bans come by store_guard_load(), then one by one over the desk. */
int store_guard_lists_read(struct store_tx *tx, struct store_guard_lists *out, struct fault *f);

#endif
