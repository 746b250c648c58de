/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/limits.h"

#define MINUTE 60u
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)

#define AT(field) offsetof(struct guard_limits, field)
#define LIMIT(name, field, so_many, so_long, shortest, longest)                                    \
    {name "_count", so_many, 2, 500, AT(field.count)},                                             \
    {                                                                                              \
        name "_window", so_long, shortest, longest, AT(field.window)                               \
    }

/* A counter's part holds 255 attempts: a count above 500 could not be reached in two parts of a window. */
static const struct guard_limit_info limits[] = {
    LIMIT("source", source, 5, 10 * MINUTE, 10, DAY),
    LIMIT("source_day", source_day, 20, DAY, HOUR, WEEK),
    LIMIT("noise", noise, 20, 10 * MINUTE, 10, DAY),
    LIMIT("net64", net64, 10, 10 * MINUTE, 10, DAY),
    LIMIT("net64_day", net64_day, 40, DAY, HOUR, WEEK),
    LIMIT("net48", net48, 40, 10 * MINUTE, 10, DAY),
    LIMIT("net48_day", net48_day, 160, DAY, HOUR, WEEK),
    {"names_count", 12, 2, 40, AT(names.count)},
    {"names_window", 10 * MINUTE, 10, DAY, AT(names.window)},
    LIMIT("unproved", unproved, 10, MINUTE, 10, HOUR),
    LIMIT("unproved_day", unproved_day, 30, DAY, HOUR, WEEK),
    LIMIT("account", account, 10, 10 * MINUTE, 10, DAY),
    LIMIT("account_day", account_day, 30, DAY, HOUR, WEEK),
    LIMIT("account_week", account_week, 50, WEEK, DAY, 4 * WEEK),
    {"takeover_count", 5, 2, 500, AT(takeover)},
    {"takeover_week_count", 20, 2, 500, AT(takeover_week)},
    {"ban", 10 * MINUTE, 10, 30 * DAY, AT(ban)},
    {"ban_factor", 4, 1, 100, AT(ban_factor)},
    {"ban_max", WEEK, 10, 365 * DAY, AT(ban_max)},
    {"ban_memory", WEEK, 0, 365 * DAY, AT(ban_memory)},
    {"quench", MINUTE, 10, 10 * MINUTE, AT(quench)},
    {"quench_max", 10 * MINUTE, 10, 10 * MINUTE, AT(quench_max)},
    {"lockout", 15 * MINUTE, 10, 30 * DAY, AT(lockout)},
    {"lockout_max", DAY, 10, 365 * DAY, AT(lockout_max)},
    {"good_days", 3, 1, 60, AT(good_days)},
    {"good_idle_days", 30, 1, 365, AT(good_idle_days)},
    {"taint_days", 14, 0, 60, AT(taint_days)},
    {"office", 2, 1, 8, AT(office)},
    {"memory_mib", 64, 1, 65536, AT(memory_mib)},
};
#define LIMITS (sizeof(limits) / sizeof(limits[0]))

static uint32_t *field(struct guard_limits *l, const struct guard_limit_info *info)
{
    return (uint32_t *)(void *)((char *)l + info->offset);
}

void guard_limits_default(struct guard_limits *out)
{
    for (size_t i = 0; i < LIMITS; i++)
        *field(out, &limits[i]) = limits[i].fallback;
}

static int ordered(const char *small, uint32_t a, const char *large, uint32_t b, struct fault *f)
{
    return a <= b ? 0
                  : fault(f, ERR_RANGE, "guard limit %s is %u, which is more than %s, %u", small, a,
                          large, b);
}

int guard_limits_check(const struct guard_limits *l, struct fault *f)
{
    struct guard_limits copy = *l;
    int err = 0;

    for (size_t i = 0; i < LIMITS; i++) {
        uint32_t value = *field(&copy, &limits[i]);

        if (value < limits[i].least || value > limits[i].most)
            return fault(f, ERR_RANGE, "guard limit %s is %u; allowed are %u to %u", limits[i].name,
                         value, limits[i].least, limits[i].most);
    }
    if (!err)
        err = ordered("ban", l->ban, "ban_max", l->ban_max, f);
    if (!err)
        err = ordered("quench", l->quench, "quench_max", l->quench_max, f);
    if (!err)
        err = ordered("lockout", l->lockout, "lockout_max", l->lockout_max, f);
    if (!err)
        err = ordered("source_count", l->source.count, "net64_count", l->net64.count, f);
    if (!err)
        err = ordered("net64_count", l->net64.count, "net48_count", l->net48.count, f);
    return err;
}

bool guard_limits_info(size_t i, struct guard_limit_info *out)
{
    if (i >= LIMITS)
        return false;
    *out = limits[i];
    return true;
}
