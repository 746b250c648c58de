/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_KNOWN_GOOD_H
#define SEKISHO_GUARD_KNOWN_GOOD_H

#include "guard/homes.h"
#include "guard/limits.h"

/*
 * Where an account succeeds: pairs of account and home (keys_home()). A pair is known good after successes on
 * `good_days` days, none of them preceded by failures or made during an attack; one that was begins anew after
 * `taint_days`. At most eight are good for an account; one ends after `good_idle_days` without a success. Days are
 * whole days of UTC since 1970, of the guard's clock.
 *
 * Only who has a password makes entries. An account has at most four that are not good, the oldest gives way; what
 * is not good gives way to others in a full bucket; what is good never does.
 */
#define PAIR_WAYS 16
#define PAIR_CANDIDATES 4

struct pair {
    uint64_t account; /* key, 0: free */
    uint8_t ip[8];    /* IPv4, or the upper half of IPv6 */
    uint16_t first_day, last_day, taint_until;
    uint8_t days, family;
    bool good;
};

struct known_good {
    struct pair *at;
    uint32_t buckets;
    uint32_t swept; /* the bucket that the sweep looks at next */
    const struct guard_limits *limits;
    const struct keys *keys;
    struct table *homes;
};

/* Borrows all but `bytes`. ERR_NOMEM. */
int known_good_init(struct known_good *good, size_t bytes, const struct guard_limits *limits,
                    const struct keys *keys, struct table *homes);
void known_good_free(struct known_good *good);
void known_good_present(struct known_good *good); /* pages_present() */
size_t known_good_bytes(const struct known_good *good);

/* NULL: no success that still means something. */
struct pair *known_good_find(const struct known_good *good, uint64_t account,
                             const struct network *home, uint16_t day);
bool known_good_is(const struct known_good *good, uint64_t account, const struct network *home,
                   uint16_t day);
/* Whether the account was there before without anything being wrong. */
bool known_good_familiar(const struct known_good *good, uint64_t account,
                         const struct network *home, uint16_t day);
/* The homes that are good; `out` may be NULL. Up to eight. */
size_t known_good_list(const struct known_good *good, uint64_t account, uint16_t day,
                       struct network *out);
/* Any pair of the account, good or not. */
bool known_good_has(const struct known_good *good, uint64_t account, uint16_t day);

/* What a success is worth: it counts; it says nothing (others attack the account meanwhile); it follows failures
 * at this source, or comes from a new one during an attack. */
enum success { SUCCESS_CLEAN, SUCCESS_DOUBTFUL, SUCCESS_TAINTED };

/* True if that made it known good. */
bool known_good_success(struct known_good *good, uint64_t account, const struct network *home,
                        uint16_t day, enum success success, uint32_t t);
/* False: there was none. */
bool known_good_forget(struct known_good *good, uint64_t account, const struct network *home);
/* Puts a pair back as it was. False when there is no room. */
bool known_good_restore(struct known_good *good, const struct pair *pair, uint32_t t);
/* Looks at some buckets and drops what is over. */
void known_good_sweep(struct known_good *good, uint16_t day, uint32_t buckets);

struct network pair_home(const struct pair *pair);

#endif
