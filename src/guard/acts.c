/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "guard/guard_impl.h"

/* What an operator does. */

#define WIDEST_V4 16
#define WIDEST_V6 32

int guard_may_ban(const struct guard *g, const struct network *network, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];

    network_text(network, text);
    if (network->bits < (network->family == 4 ? WIDEST_V4 : WIDEST_V6))
        return fault(f, ERR_RANGE,
                     "%s is too wide to be banned: at most a /%d of IPv4, a /%d of IPv6", text,
                     WIDEST_V4, WIDEST_V6);
    switch (exempts_of(&g->exempts, network)) {
    case EXEMPT_NONE: break;
    case EXEMPT_NEVER_BAN:
        return fault(f, ERR_CONFLICT, "%s has addresses that are never banned", text);
    case EXEMPT_TRUNK: return fault(f, ERR_CONFLICT, "%s has a trunk in it", text);
    }
    return 0;
}

int guard_ban(struct guard *g, struct instant now, const struct network *network, uint32_t seconds,
              uint64_t order, struct fault *f)
{
    struct guard_event event = {.kind = GUARD_BAN,
                                .attack = ATTACK_OPERATOR,
                                .network = *network,
                                .proof = PROOF_PROVED,
                                .seconds = seconds};
    int err = guard_may_ban(g, network, f);
    struct ban *ban;

    if (err)
        return err;
    clock_reach(g, now);
    ban = bans_take(&g->bans, &g->keys, network, false, g->at.t);
    if (!ban)
        return fault(f, ERR_FULL, "there is no room for another ban");
    bans_begin(&g->bans, ban, false, g->at.t, seconds);
    ban->attack = ATTACK_OPERATOR;
    ban->manual = true;
    ban->threshold = ban->count = ban->window = 0;
    ban->last = order;
    if (ban->until > ban->remembered)
        ban->remembered = ban->until;
    tell(g, &event);
    return 0;
}

int guard_adopt(struct guard *g, struct instant now, const struct network *network, bool quench,
                uint32_t seconds, struct fault *f)
{
    struct guard_event event = {.kind = quench ? GUARD_QUENCH : GUARD_BAN,
                                .attack = ATTACK_ADOPTED,
                                .network = *network,
                                .quench = quench,
                                .seconds = seconds};
    int err = seconds ? guard_may_ban(g, network, f)
                      : fault(f, ERR_RANGE, "only an operator bans without an end");
    struct ban *ban;

    if (err)
        return err;
    clock_reach(g, now);
    ban = bans_take(&g->bans, &g->keys, network, false, g->at.t);
    if (!ban || !bans_begin(&g->bans, ban, quench, g->at.t, seconds))
        return fault(f, ERR_FULL, "there is no room for another ban");
    ban->attack = ATTACK_ADOPTED;
    ban->manual = false;
    ban->switch_id = 0;
    ban->threshold = ban->count = ban->window = 0;
    ban->last = 0;
    if (ban->until > ban->remembered)
        ban->remembered = ban->until;
    tell(g, &event);
    return 0;
}

static void forget_counts(struct guard *g, const struct network *network)
{
    struct sources *tables[2] = {&g->proved, &g->unproved};
    struct network home = home_network(network);

    for (int i = 0; i < 4; i++) {
        struct source *s = sources_find(tables[i / 2], network, i % 2);

        if (s)
            table_drop(&tables[i / 2]->table, s);
    }
    for (int observed = 0; observed < 2 && home.family; observed++)
        strays_forget(&g->strays, &g->keys, &home, observed);
}

int guard_unban(struct guard *g, struct instant now, const struct network *network, struct fault *f)
{
    bool ended = false;
    struct ban *wider;
    char text[ADDRESS_TEXT_MAX], wide[ADDRESS_TEXT_MAX];

    clock_reach(g, now);
    for (int observed = 0; observed < 2; observed++) {
        struct ban *ban = bans_find(&g->bans, &g->keys, network, observed);

        if (!ban)
            continue;
        if (ban_active(ban, g->at.t)) {
            end_ban(g, ban);
            ended = true;
        }
        bans_drop(&g->bans, &g->keys, ban);
    }
    forget_counts(g, network);
    wider = bans_covering(&g->bans, &g->keys, network, false, g->at.t);
    if (wider)
        return fault(f, ERR_MISSING, "%s is still banned as part of %s; unban that",
                     network_text(network, text), network_text(&wider->network, wide));
    return ended ? 0 : fault(f, ERR_MISSING, "%s is not banned", network_text(network, text));
}

int guard_unlock(struct guard *g, struct instant now, int64_t switch_id, struct span account,
                 struct fault *f)
{
    struct subject *s = NULL;

    clock_reach(g, now);
    if (account.n)
        s = subjects_find(&g->subjects, keys_account(&g->keys, switch_id, account));
    if (!s || !subject_locked(s, g->at.t))
        return fault(f, ERR_MISSING, "account \"%s\" is not locked", ESCAPED(account));
    s->recent = s->day = s->week = (struct counter){0};
    s->level = 0;
    end_lock(g, s);
    return 0;
}

int guard_forget_good(struct guard *g, struct instant now, int64_t switch_id, struct span account,
                      const struct network *network, struct fault *f)
{
    struct network good[GUARD_GOOD_MAX];
    struct guard_event event = {.kind = GUARD_NOT_GOOD, .switch_id = switch_id, .account = account};
    uint64_t key;
    size_t n, forgotten = 0;

    clock_reach(g, now);
    if (!account.n)
        return fault(f, ERR_MISSING, "no account is named");
    key = keys_account(&g->keys, switch_id, account);
    n = known_good_list(&g->good, key, g->at.day, good);
    for (size_t i = 0; i < n; i++) {
        if (network && !exempts_overlap(network, &good[i]))
            continue;
        known_good_forget(&g->good, key, &good[i]);
        event.network = good[i];
        tell(g, &event);
        forgotten++;
    }
    return forgotten ? 0
                     : fault(f, ERR_MISSING, "account \"%s\" has no such known good source",
                             ESCAPED(account));
}

int guard_set_exempt(struct guard *g, struct instant now, enum exempt why,
                     const struct network *networks, size_t n, struct fault *f)
{
    int err = exempts_set(&g->exempts, why, networks, n, f);

    if (err)
        return err;
    clock_reach(g, now);
    for (uint32_t i = 0; i < g->bans.touched; i++) {
        struct ban *ban = bans_at(&g->bans, i);

        if (ban && ban->active && exempts_of(&g->exempts, &ban->network) != EXEMPT_NONE)
            end_ban(g, ban);
    }
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int guard_set_canaries(struct guard *g, const struct guard_account *canaries, size_t n,
                       struct fault *f)
{
    if (n > GUARD_CANARIES_MAX)
        return fault(f, ERR_RANGE, "%zu canary accounts are too many; at most %d are allowed", n,
                     GUARD_CANARIES_MAX);
    for (size_t i = 0; i < n; i++)
        g->canaries[i] = keys_account(&g->keys, canaries[i].switch_id, canaries[i].name);
    g->n_canaries = n;
    qsort(g->canaries, n, sizeof(g->canaries[0]), compare_keys);
    return 0;
}

static void end_bans_of(struct guard *g, int64_t switch_id)
{
    for (uint32_t i = 0; i < g->bans.touched; i++) {
        struct ban *ban = bans_at(&g->bans, i);

        if (ban && ban->active && !ban->observed && !ban->manual && ban->switch_id == switch_id)
            end_ban(g, ban);
    }
}

int guard_set_mode(struct guard *g, struct instant now, int64_t switch_id, enum guard_mode mode,
                   struct fault *f)
{
    size_t at = 0;

    clock_reach(g, now);
    while (at < g->n_switches && g->switches[at].id < switch_id)
        at++;
    if (at == g->n_switches || g->switches[at].id != switch_id) {
        if (g->n_switches == GUARD_SWITCHES_MAX)
            return fault(f, ERR_FULL, "the guard has room for %d switches", GUARD_SWITCHES_MAX);
        memmove(&g->switches[at + 1], &g->switches[at],
                (g->n_switches - at) * sizeof(g->switches[0]));
        g->n_switches++;
    } else if (g->switches[at].mode == GUARD_ENFORCE && mode == GUARD_OBSERVE) {
        end_bans_of(g, switch_id);
        end_locks_of(g, switch_id);
    }
    g->switches[at] = (struct guard_switch){switch_id, mode};
    return 0;
}
