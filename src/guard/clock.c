/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard_impl.h"

/* Second 0 of the guard's clock is before the machine started, so that every window fits before now. */
#define BEFORE_BOOT (60 * 86400)
/* Where a part of a window begins is told by the wall clock at the start: counts that are restored grow older over reboots
 * too. A multiple of a quarter of each default window, and far from 2^32. */
#define ERA INT64_C(151200000)
#define Y2020 INT64_C(1577836800)
#define HALVE_S 3600u
#define SWEEP_S 3600u /* all of the known good once in so long */

static uint32_t seconds(const struct guard *g, struct instant now)
{
    int64_t s = now.boot_ns / 1000000000;

    return (uint32_t)((s > 0 ? s : 0) + g->before_boot);
}

static uint16_t day_of(const struct guard *g, uint32_t t)
{
    int64_t day = clock_wall(g, t) / 86400;

    return day < 0 ? 0 : day > UINT16_MAX ? UINT16_MAX : (uint16_t)day;
}

int64_t clock_wall(const struct guard *g, uint32_t t)
{
    return (int64_t)t + g->wall_offset;
}

struct moment clock_read(const struct guard *g, struct instant now)
{
    uint32_t t = seconds(g, now);

    t = t > g->at.t ? t : g->at.t;
    return (struct moment){now, t, day_of(g, t)};
}

void clock_begin(struct guard *g, struct instant now)
{
    int64_t era = (instant_wall_s(now) - now.boot_ns / 1000000000) % ERA;

    g->before_boot = (uint32_t)(BEFORE_BOOT + (era < 0 ? era + ERA : era));
    g->wall_offset = instant_wall_s(now) - seconds(g, now);
    g->at = clock_read(g, now);
    g->halved = g->at.t;
}

static void end_bans(struct guard *g)
{
    uint32_t t = g->at.t, due = UINT32_MAX;

    for (uint32_t i = 0; i < g->bans.touched; i++) {
        struct ban *ban = bans_at(&g->bans, i);

        if (!ban)
            continue;
        if (ban->active && !ban_active(ban, t))
            end_ban(g, ban);
        if (!ban->active && ban->remembered <= t)
            bans_drop(&g->bans, &g->keys, ban);
        else if (ban->active && ban->until < due)
            due = ban->until;
    }
    g->bans.due = due;
}

static void forget(struct guard *g, uint32_t passed)
{
    uint64_t buckets = (uint64_t)passed * (g->good.buckets / SWEEP_S + 1);
    uint32_t halvings = (g->at.t - g->halved) / HALVE_S;

    known_good_sweep(&g->good, g->at.day,
                     buckets < g->good.buckets ? (uint32_t)buckets : g->good.buckets);
    if (halvings > 0) {
        g->halved += halvings * HALVE_S;
        table_halve(&g->proved.table, halvings);
        table_halve(&g->unproved.table, halvings);
        table_halve(&g->subjects.table, halvings);
    }
}

void clock_reach(struct guard *g, struct instant now)
{
    uint32_t before = g->at.t;

    /* A machine that started without a clock, and has one now. */
    if (clock_wall(g, before) < Y2020 && instant_wall_s(now) >= Y2020)
        g->wall_offset = instant_wall_s(now) - seconds(g, now);
    g->at = clock_read(g, now);
    if (g->at.t == before)
        return;
    if (g->at.t >= g->bans.due)
        end_bans(g);
    if (g->at.t >= g->subjects.due)
        end_locks(g);
    forget(g, g->at.t - before);
}

uint32_t clock_left(const struct guard *g, int64_t until, uint32_t length)
{
    int64_t now = clock_wall(g, g->at.t), left = until - now;

    if (left <= 0)
        return 0;
    if (length && left > length)
        left = length;
    return left < UINT32_MAX / 2 ? (uint32_t)left : UINT32_MAX / 2;
}
