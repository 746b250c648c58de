/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard_impl.h"

static const char *const event_names[GUARD_EVENTS] = {
    [GUARD_BAN] = "ban",
    [GUARD_QUENCH] = "quench",
    [GUARD_UNBAN] = "unban",
    [GUARD_LOCKOUT] = "lockout",
    [GUARD_INTERNATIONAL] = "international-locked",
    [GUARD_TAKEOVER] = "takeover",
    [GUARD_UNLOCK] = "unlock",
    [GUARD_GOOD] = "good",
    [GUARD_NOT_GOOD] = "not-good",
    [GUARD_PAIR_REFUSED] = "pair-refused",
    [GUARD_WRONG_PASSWORD] = "wrong-password",
    [GUARD_ENUMERATION] = "enumeration",
    [GUARD_EXEMPT_ATTACKS] = "exempt-attacks",
    [GUARD_CANARY] = "canary",
    [GUARD_STILL_ANSWERED] = "still-answered",
    [GUARD_PRESSURE] = "pressure",
};

static const char *const attack_names[ATTACKS] = {
    [ATTACK_BRUTE_FORCE] = "brute-force",
    [ATTACK_SLOW] = "slow",
    [ATTACK_ENUMERATION] = "enumeration",
    [ATTACK_SCAN] = "scan",
    [ATTACK_CALL] = "call",
    [ATTACK_MALFORMED] = "malformed",
    [ATTACK_CANARY] = "canary",
    [ATTACK_OPERATOR] = "operator",
    [ATTACK_ADOPTED] = "adopted",
};

const char *guard_event_name(enum guard_event_kind kind)
{
    return event_names[kind];
}

bool guard_attack_counted(enum attack attack)
{
    return attack != ATTACK_OPERATOR && attack != ATTACK_ADOPTED;
}

const char *guard_attack_name(enum attack attack)
{
    return attack_names[attack];
}

void tell(struct guard *g, struct guard_event *event)
{
    g->figures.events[event->kind]++;
    event->at = g->at.now;
    if (g->events)
        g->events(g->context, event);
}

void tell_pressure(struct guard *g)
{
    struct guard_event event = {.kind = GUARD_PRESSURE};

    if (g->pressed && g->at.t - g->pressed < 60)
        return;
    g->pressed = g->at.t;
    tell(g, &event);
}

struct guard_event event_of(const struct trial *trial, enum guard_event_kind kind,
                            const struct why *why)
{
    const struct attempt *a = &trial->attempt;
    struct guard_event event = {.kind = kind,
                                .observed = trial->observed,
                                .switch_id = a->switch_id,
                                .account = a->account,
                                .network = trial->host,
                                .witness = a->witness,
                                .proof = a->proof};

    if (event.account.n > ACCOUNT_NAME_MAX)
        event.account.n = ACCOUNT_NAME_MAX;
    if (why) {
        event.attack = why->attack;
        event.witness = why->excess.witness;
        event.count = why->excess.count;
        if (why->excess.limit) {
            event.threshold = why->excess.limit->count;
            event.window = why->excess.limit->window;
        }
        event.attempts = why->ids;
        event.n_attempts = why->n_ids;
    }
    return event;
}

bool notice_due(struct guard *g, uint64_t key, enum guard_event_kind salt, uint32_t seconds)
{
    return recent_first(&g->notices, keys_join(&g->keys, key, (uint64_t)salt), g->at.t, seconds);
}
