/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/why.h"

#include <stdio.h>
#include <string.h>

#include "serve/api_guard.h"

/* ---- counts ---- */

static void add_line(struct why *why, struct why_line line)
{
    if (line.count && why->n_lines < WHY_LINES)
        why->lines[why->n_lines++] = line;
}

/* The witness whose count is largest decides. */
static void add_count(struct why *why, struct why_line line, const uint32_t count[WITNESSES])
{
    for (int i = 0; i < WITNESSES; i++) {
        if (count[i] <= line.count)
            continue;
        line.count = count[i];
        line.witness = (enum witness)i;
    }
    add_line(why, line);
}

static void source_lines(struct why *why, const struct guard_count *c)
{
    const struct guard_limits *l = &why->limits;
    bool net64 = c->network.family == 6 && c->network.bits == 64;
    bool net48 = c->network.family == 6 && c->network.bits == 48;
    struct why_line line = {.of = c->network,
                            .proved = c->proved,
                            .observed = c->observed,
                            .what = "failures",
                            .leads_to = c->proved ? "ban" : "quench"};

    line.limit = !c->proved ? l->unproved : net64 ? l->net64 : net48 ? l->net48 : l->source;
    add_count(why, line, c->count[0]);
    line.what = "failures-day";
    line.limit = !c->proved ? l->unproved_day
                 : net64    ? l->net64_day
                 : net48    ? l->net48_day
                            : l->source_day;
    add_count(why, line, c->count[1]);
    if (!c->proved || net64 || net48)
        return;
    line.what = "noise";
    line.limit = l->noise;
    add_count(why, line, c->count[2]);
    line.what = "names";
    line.limit = l->names;
    line.any_witness = true;
    line.count = c->names;
    add_line(why, line);
}

static void account_lines(struct why *why, const struct guard_count *c)
{
    const struct guard_limits *l = &why->limits;
    struct why_line line = {.proved = true,
                            .observed = c->observed,
                            .what = "failures",
                            .leads_to = c->known ? "lockout" : "nothing",
                            .limit = l->account};

    add_count(why, line, c->count[0]);
    line.what = "failures-day";
    line.limit = l->account_day;
    add_count(why, line, c->count[1]);
    line.what = "failures-week";
    line.limit = l->account_week;
    add_count(why, line, c->count[2]);
}

/* ---- gathering ---- */

static void gather_attempts(struct why *why, const struct guard *guard, const uint64_t *ids,
                            size_t n)
{
    for (size_t i = 0; i < n && why->n_attempts < WHY_ATTEMPTS; i++) {
        const struct evidence *e = guard_evidence(guard, ids[i]);

        if (e)
            why->attempts[why->n_attempts++] = *e;
    }
}

/* The network itself and, of an IPv6 host, the /64 and /48 that it counts for. */
static void gather_counts(struct why *why, const struct guard_room *room)
{
    struct address address = {.family = why->network.family};
    struct guard_count counts[GUARD_SOURCE_COUNTS];
    const uint8_t wider[] = {64, 48};
    size_t n = guard_counts_of_source(room->guard, room->now, &why->network, counts);

    memcpy(address.ip, why->network.ip, sizeof(address.ip));
    for (size_t i = 0; i < n; i++)
        source_lines(why, &counts[i]);
    for (size_t k = 0; k < 2 && address.family == 6; k++) {
        struct network net = keys_around(&address, wider[k]);

        if (wider[k] >= why->network.bits)
            continue;
        n = guard_counts_of_source(room->guard, room->now, &net, counts);
        for (size_t i = 0; i < n; i++)
            source_lines(why, &counts[i]);
    }
}

static void gather_exempt(struct why *why, const struct guard_room *room)
{
    why->exempt = guard_exempt(room->guard, &why->network);
    for (size_t i = 0; i < room->n_exempts && !why->by.network.family; i++) {
        const struct guard_room_exempt *e = &room->exempts[i];

        if ((e->from == GUARD_EXEMPT_TRUNK) == (why->exempt == EXEMPT_TRUNK) &&
            exempts_overlap(&e->network, &why->network))
            why->by = *e;
    }
}

/* What is dropped of a network, itself not counted. */
static void gather_inside(struct why *why, const struct guard_room *room)
{
    struct guard_ban ban;
    size_t cursor = 0;

    why->wide = why->network.bits < (why->network.family == 4 ? 32 : 128);
    while (why->wide && guard_next_ban(room->guard, room->now, &cursor, &ban)) {
        if (ban.network.bits <= why->network.bits || !exempts_overlap(&why->network, &ban.network))
            continue;
        why->observed_inside += ban.observed;
        why->quenched_inside += !ban.observed && ban.quench;
        why->banned_inside += !ban.observed && !ban.quench;
    }
}

static void gather_source(struct why *why, const struct guard_room *room)
{
    struct address address = {.family = why->network.family};
    uint64_t ids[WHY_ATTEMPTS];

    memcpy(address.ip, why->network.ip, sizeof(address.ip));
    why->n_bans = guard_bans_around(room->guard, room->now, &why->network, why->bans, WHY_BANS);
    why->address_good = guard_address_good(room->guard, room->now, &address);
    gather_inside(why, room);
    gather_exempt(why, room);
    gather_counts(why, room);
    gather_attempts(why, room->guard, ids,
                    guard_why_source(room->guard, &why->network, ids, WHY_ATTEMPTS));
}

static void gather_account(struct why *why, const struct guard_room *room)
{
    struct guard_count count;
    uint64_t ids[WHY_ATTEMPTS];

    why->locked = guard_find_lock(room->guard, room->now, why->switch_id, why->account, &why->lock);
    why->n_good = guard_good_of(room->guard, room->now, why->switch_id, why->account, why->good);
    if (guard_count_of_account(room->guard, room->now, why->switch_id, why->account, &count))
        account_lines(why, &count);
    gather_attempts(
        why, room->guard, ids,
        guard_why_account(room->guard, why->switch_id, why->account, ids, WHY_ATTEMPTS));
}

void why_gather(struct why *why, const struct guard_room *room)
{
    why->now = room->now;
    why->limits = *guard_limits_in_use(room->guard);
    why->enforcement = room->enforcement.state;
    if (why->network.family)
        gather_source(why, room);
    else
        gather_account(why, room);
}

/* ---- what follows ---- */

static const char *ban_state(const struct why *why)
{
    const char *state = "free";
    int best = 0;

    for (size_t i = 0; i < why->n_bans; i++) {
        const struct guard_ban *ban = &why->bans[i];
        int rank = ban->observed ? 1 : ban->quench ? 2 : 3;

        if (rank <= best)
            continue;
        best = rank;
        state = ban->observed ? "observed" : ban->quench ? "quenched" : "banned";
    }
    return state;
}

const char *why_state(const struct why *why)
{
    if (why->network.family)
        return ban_state(why);
    if (!why->locked)
        return "free";
    if (why->lock.observed)
        return "observed";
    switch (why->lock.kind) {
    case GUARD_LOCK_OUT: return "lockout";
    case GUARD_LOCK_INTERNATIONAL: return "international";
    case GUARD_LOCK_TAKEOVER: return "takeover";
    }
    return "free";
}

void why_undo(const struct why *why, struct span switch_name, char out[WHY_UNDO_MAX])
{
    char text[ADDRESS_TEXT_MAX];
    char before[100];

    out[0] = 0;
    for (size_t i = 0; i < why->n_bans; i++) {
        if (why->bans[i].observed && strcmp(why_state(why), "observed") != 0)
            continue;
        api_path(out, WHY_UNDO_MAX, "DELETE /v1/bans/",
                 span_of(network_text(&why->bans[i].network, text)));
        return;
    }
    if (!why->locked)
        return;
    snprintf(before, sizeof(before), "DELETE /v1/lockouts/%.*s/", SPAN_FMT(switch_name));
    api_path(out, WHY_UNDO_MAX, before, why->account);
}
