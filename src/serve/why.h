/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_WHY_H
#define SEKISHO_SERVE_WHY_H

#include <jansson.h>

#include "serve/guard_desk.h"

/*
 * Why an address is dropped or an account locked, or why it is not: what the guard knows, gathered on its thread in one
 * moment, and the sentences that say it in English and Japanese.
 */

#define WHY_BANS 16
#define WHY_COUNTS 12   /* entries: of a host, its /64 and its /48 */
#define WHY_LINES 64    /* counts that are told: by network, kind and strength */
#define WHY_ATTEMPTS 64 /* of a chain, the newest */

/* What is counted, and how near it is to a decision. */
struct why_line {
    struct network of;    /* family 0: the account */
    const char *what;     /* "failures", "failures-day", "failures-week", "noise", "names" */
    const char *leads_to; /* "ban", "quench", "lockout", "nothing" */
    bool proved, observed;
    bool any_witness; /* names are not counted by witness */
    enum witness witness;
    uint32_t count;
    struct limit limit;
};

struct why {
    /* asked */
    struct network network; /* family 0: an account is meant */
    int64_t switch_id;
    struct span account;
    /* gathered */
    struct instant now;
    struct guard_limits limits;
    struct guard_ban bans[WHY_BANS]; /* that it is in, the widest first */
    size_t n_bans;
    bool locked;
    struct guard_lock lock;
    struct network good[GUARD_GOOD_MAX]; /* of the account */
    size_t n_good;
    bool address_good; /* known good for some account */
    enum exempt exempt;
    struct guard_room_exempt by; /* whose network that is; family 0: not told */
    struct why_line lines[WHY_LINES];
    size_t n_lines;
    struct evidence attempts[WHY_ATTEMPTS]; /* the newest first */
    size_t n_attempts;
    bool wide; /* more than a host: what is dropped of it */
    uint32_t banned_inside, quenched_inside, observed_inside;
    enum guard_enforcement_state enforcement;
    /* from the store */
    bool account_there;          /* Sekisho has it */
    struct span notes[WHY_BANS]; /* of an operator's ban */
    const char *last_event;      /* the newest decision, "ban"; NULL: none is kept */
    int64_t last_ms;
};

/* On the guard's thread. */
void why_gather(struct why *why, const struct guard_room *room);

/* "free", "observed", "quenched", "banned"; "lockout", "international", "takeover". What holds goes before what is
 * only on record, a ban before a quench. */
const char *why_state(const struct why *why);

/* The words for an attack: "brute force", "総当たり". */
const char *why_attack_words(enum attack attack, bool japanese);

/* An array of {en, ja}, the most important first; NULL without memory. */
struct api_switch_names;
json_t *why_words(const struct why *why, const struct api_switch_names *names);

/* The request that ends what holds, as "DELETE /v1/bans/192.0.2.1"; "" where nothing does. */
#define WHY_UNDO_MAX 320
void why_undo(const struct why *why, struct span switch_name, char out[WHY_UNDO_MAX]);

#endif
