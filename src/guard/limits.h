/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_LIMITS_H
#define SEKISHO_GUARD_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/*
 * When the guard acts, and for how long: all that an operator can turn. Every one has a name, a default and a
 * range in limits.c; docs/guard.md shows them.
 */
struct limit {
    uint32_t count;  /* so many … */
    uint32_t window; /* … within so many seconds */
};

struct guard_limits {
    /* Proved failures of one source → ban. */
    struct limit source, source_day;
    struct limit noise;            /* probes and malformed packets, proved */
    struct limit net64, net64_day; /* of an IPv6 /64 */
    struct limit net48, net48_day; /* of an IPv6 /48 */
    struct limit names; /* accounts that one source asked for and never got: enumeration */
    /* Unproved failures or noise of one source → quench; by the day only guesses at passwords. */
    struct limit unproved, unproved_day;
    /* Failures of one account over all sources → lockout. */
    struct limit account, account_day, account_week;
    /* So many failures of the account within the windows of `account` and `account_week` make a success from a source
     * that is new to it a takeover. */
    uint32_t takeover, takeover_week;

    uint32_t ban, ban_factor, ban_max; /* seconds; each return within ban_memory makes it longer */
    uint32_t ban_memory;
    uint32_t quench, quench_max;   /* seconds; each return doubles it */
    uint32_t lockout, lockout_max; /* seconds; doubled as long as the attack goes on */
    uint32_t good_days,
        good_idle_days;  /* successes on so many days; without any for so long it ends */
    uint32_t taint_days; /* how long a success after failures does not lead to known good */
    uint32_t office;     /* accounts registered at a source that make it a shared one */
    uint32_t memory_mib; /* of all tables together */
};

void guard_limits_default(struct guard_limits *out);

/* ERR_RANGE names the limit, its value and what is allowed. */
int guard_limits_check(const struct guard_limits *limits, struct fault *f);

/* For configuration: the i-th limit's name, default and range; false behind the last. */
struct guard_limit_info {
    const char *name;
    uint32_t fallback, least, most;
    size_t offset; /* of its uint32_t within struct guard_limits */
};
bool guard_limits_info(size_t i, struct guard_limit_info *out);

#endif
