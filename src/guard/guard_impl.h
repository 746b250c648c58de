/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_GUARD_IMPL_H
#define SEKISHO_GUARD_GUARD_IMPL_H

#include "guard/bans.h"
#include "guard/guard.h"
#include "guard/known_good.h"
#include "guard/recent.h"
#include "guard/sources.h"
#include "guard/strays.h"
#include "guard/subjects.h"

/* What the files of the guard share: nobody else includes it. */

/* One reading of the guard's clock: seconds of boot time, and the day that they are in. */
struct moment {
    struct instant now;
    uint32_t t;
    uint16_t day;
};

struct guard_switch {
    int64_t id;
    enum guard_mode mode;
};

struct guard {
    struct guard_limits limits;
    struct keys keys;
    guard_event_fn *events;
    void *context;

    struct moment at;
    uint32_t before_boot;     /* the guard's second when the machine started */
    int64_t wall_offset;      /* wall seconds = t + this, whatever the wall clock does meanwhile */
    int64_t near_ns;          /* guard_near_ns() */
    uint32_t halved, pressed; /* when strangers were forgotten by half, pressure was told */

    struct sources proved, unproved;
    struct subjects subjects;
    struct table homes;
    struct known_good good;
    struct bans bans;
    struct evidence_rings evidence;
    struct table notices; /* what was told, and refused pairs */
    struct table pairs;   /* failures of an account at a shared source */
    struct table strays;  /* accounts that are strangers to a shared or known good source */
    struct limit strangers;
    struct table vouched;
    struct table seen; /* credentials */

    struct exempts exempts;
    uint64_t canaries[GUARD_CANARIES_MAX]; /* sorted */
    size_t n_canaries;
    struct guard_switch switches[GUARD_SWITCHES_MAX]; /* sorted */
    size_t n_switches;
    struct guard_figures figures;
};

/* An attempt on trial. */
struct trial {
    struct attempt attempt;
    struct moment at;
    bool observed;
    uint64_t account;          /* key, 0: none */
    struct network host, home; /* family 0: none */
    bool own;                  /* the account has succeeded at this home */
    uint32_t strays; /* it has not, nor have so many that failed there; 0: it is none of them */
    struct evidence *evidence; /* NULL: not kept */
};

/* What a record says of a decision. */
struct why {
    enum attack attack;
    struct excess excess;
    const uint64_t *ids;
    size_t n_ids;
};

/* clock.c */
void clock_begin(struct guard *guard, struct instant now);
/* Goes on to `now`, and ends what is over. */
void clock_reach(struct guard *guard, struct instant now);
/* The reading without going on: for questions. */
struct moment clock_read(const struct guard *guard, struct instant now);
int64_t clock_wall(const struct guard *guard, uint32_t t);
/* What is left until a wall second, at most `length`: a clock that was set back makes nothing longer. */
uint32_t clock_left(const struct guard *guard, int64_t until, uint32_t length);

/* tell.c */
void tell(struct guard *guard, struct guard_event *event);
void tell_pressure(struct guard *guard);
/* An event about the attempt, with what `why` says. */
struct guard_event event_of(const struct trial *trial, enum guard_event_kind kind,
                            const struct why *why);
/* True the first time in so long. `salt` tells notices apart. */
bool notice_due(struct guard *guard, uint64_t key, enum guard_event_kind salt, uint32_t seconds);

/* judge_source.c */
void judge_source_failure(struct guard *guard, struct trial *trial);
void judge_source_challenge(struct guard *guard, struct trial *trial);
void judge_canary(struct guard *guard, struct trial *trial);
/* Where its accounts are at home: of an IPv6 host the /64. Family 0: nowhere. */
struct network home_network(const struct network *network);
uint64_t pair_key(const struct guard *guard, uint64_t account, const struct network *home);
bool pair_refused(const struct guard *guard, uint64_t account, const struct network *home,
                  uint32_t t);
/* It is a wrong password in a phone: hardly counted against the account for a day. To be asked once an attempt. */
bool pair_excused(struct guard *guard, uint64_t account, const struct network *home, uint32_t t);
void end_ban(struct guard *guard, struct ban *ban);

/* judge_account.c */
void judge_account_failure(struct guard *guard, struct trial *trial);
void judge_success(struct guard *guard, struct trial *trial);
void end_lock(struct guard *guard, struct subject *subject);
/* Of all accounts of a switch that is only observed from now on, if they are in force. */
void end_locks_of(struct guard *guard, int64_t switch_id);
void end_locks(struct guard *guard);
void subject_leaves(const struct subject *subject, void *guard);

#endif
