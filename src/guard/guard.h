/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_GUARD_H
#define SEKISHO_GUARD_GUARD_H

#include "guard/attempt.h"
#include "guard/evidence.h"
#include "guard/exempt.h"
#include "guard/keys.h"
#include "guard/limits.h"

/*
 * The guard: from attempts to bans and lockouts (docs/guard.md). It never acts: decisions come out as events,
 * through a callback that runs within the call that led to them and must not call the guard.
 *
 * Pure, for one thread. `now` is an argument everywhere: windows and ends are measured on boot time, by whole
 * seconds; a wall clock that jumps changes nothing but what records say. Boot time that goes back counts as standing
 * still. All memory is taken by guard_new(), and is there when it returns: attempts allocate nothing, and nothing grows
 * with an attack. The same calls in the same order with the same key give the same events.
 *
 * What a switch in mode *observe* reports is judged in the same way, apart from all others, and its decisions are
 * marked `observed`: nobody may act on them, and they never add up with what an enforcing switch saw.
 */
struct guard;

enum guard_mode { GUARD_OBSERVE, GUARD_ENFORCE };

/* What somebody was up to, for reports. */
enum attack {
    ATTACK_BRUTE_FORCE, /* passwords of an account */
    ATTACK_SLOW, /* the same below the threshold of the short window: a spray over a day or a week */
    ATTACK_ENUMERATION, /* one source, many accounts */
    ATTACK_SCAN,        /* OPTIONS, scanners */
    ATTACK_CALL,        /* calls without credentials */
    ATTACK_MALFORMED,
    ATTACK_CANARY,   /* touched an account that nobody should know */
    ATTACK_OPERATOR, /* none: an operator's ban */
    ATTACK_ADOPTED,  /* not known any more: guard_adopt() */
};
#define ATTACKS 9

/* Whether attempts were counted for it, so that a witness, a proof and a switch mean something. */
bool guard_attack_counted(enum attack attack);

enum guard_event_kind {
    GUARD_BAN,     /* drop `network` for `seconds` */
    GUARD_QUENCH,  /* drop it from the SIP ports for `seconds`; its address is not proved */
    GUARD_UNBAN,   /* a ban or quench ended: its time is over, an operator's act, or never-ban */
    GUARD_LOCKOUT, /* refuse `account` except from `good` */
    GUARD_INTERNATIONAL, /* the same without any good source: only calls abroad are refused */
    GUARD_TAKEOVER, /* a success that looks like a thief's: international-locked until somebody unlocks */
    GUARD_UNLOCK,   /* any of the three ended */
    GUARD_GOOD,     /* `network` is now known good for `account` */
    GUARD_NOT_GOOD, /* and no longer */
    GUARD_PAIR_REFUSED, /* a source that must not be banned (shared, known good): refuse `account` from `network`
                             for `seconds` where the gate can; else an alarm */
    GUARD_WRONG_PASSWORD, /* a phone at `network` has a wrong password for `account`; once a day */
    GUARD_ENUMERATION,    /* alarm: from a shared or known good source, once an hour */
    GUARD_EXEMPT_ATTACKS, /* alarm: over a threshold, but never-ban, a trunk or known good; once an hour */
    GUARD_CANARY,         /* alarm: a proved touch; the ban is its own event */
    GUARD_STILL_ANSWERED, /* alarm: attempts come from a banned source, the ban does not work; once a ban */
    GUARD_PRESSURE, /* alarm: more attackers than tables have room for; once a minute */
};
#define GUARD_EVENTS 16

#define GUARD_GOOD_MAX 8   /* known good sources of an account */
#define GUARD_EVENT_IDS 32 /* attempts that an event names */

/* Valid within the callback. What does not apply is 0 or empty. */
struct guard_event {
    enum guard_event_kind kind;
    enum attack attack;
    bool observed;
    struct instant at;
    int64_t switch_id; /* whose attempt led to it; for bans of more than one, the last */
    struct network network;
    bool quench;          /* GUARD_QUENCH, and GUARD_UNBAN of one */
    struct span account;  /* cut at ACCOUNT_NAME_MAX */
    enum witness witness; /* whose count decided */
    enum proof proof;
    uint32_t threshold, count, window; /* `count` of `threshold` within `window` seconds */
    uint32_t seconds;                  /* how long; 0: until somebody ends it */
    uint32_t level;                    /* how many times before, within memory */
    const uint64_t *attempts; /* ids of those that counted, newest first: guard_evidence() */
    size_t n_attempts;
    const struct network *good; /* GUARD_LOCKOUT: hosts of IPv4, /64 of IPv6 */
    size_t n_good;
};

typedef void guard_event_fn(void *context, const struct guard_event *event);

/* Words: "ban", "still-answered"; "brute-force". */
const char *guard_event_name(enum guard_event_kind kind);
const char *guard_attack_name(enum attack attack);

/* `key` must be random and kept with the records: known good and counts are found again only with the same one.
 * `events` may be NULL. ERR_RANGE, ERR_NOMEM. */
int guard_new(struct guard **out, const struct guard_limits *limits,
              const uint8_t key[GUARD_KEY_BYTES], struct instant now, guard_event_fn *events,
              void *context, struct fault *f);
void guard_free(struct guard *guard);

/* Has the kernel give all of the guard's memory now, up to a millisecond for each 2 MiB, so that no attempt of an attack waits for
 * a page. To be called before the first attempt; where nothing is watched, what is never used is never given. */
void guard_prepare(struct guard *guard);

void guard_attempt(struct guard *guard, const struct attempt *attempt);
/* To be called about once a second: ends bans and locks, forgets what is old. */
void guard_tick(struct guard *guard, struct instant now);

/*
 * Pairing. Wire and HEP call it when credentials from `source` that echo a nonce issued to that very address were
 * *refused*, and they do not report that attempt themselves (a witness that only proves). guard_attempt() does it for
 * every such failure that they do report. Each call lets one failure of the same switch and source that log reports
 * (wrong credentials, unknown account), and one that AMI reports, within GUARD_VOUCH_S seconds after it count as
 * proved. So a weak witness never counts more against an address than was proved to have come from it, whatever names
 * the packets carry, and a success vouches for nothing: packets forged in the name of a phone that works find
 * nothing to be paired with. The account is no part of it: log cuts and decodes names, and a sender could
 * choose one that is never paired.
 */
#define GUARD_VOUCH_S 10
void guard_vouch(struct guard *guard, struct instant now, int64_t switch_id,
                 const struct address *source);

/* ---- questions ---- */

/* When an attempt last left its source one guess short of a ban or a quench, in boot time; 0: never. */
int64_t guard_near_ns(const struct guard *guard);

/*
 * For authorize: whether calls of the account may go where its lock does not reach. The guard is for one thread:
 * who answers on others keeps what the events say (GUARD_LOCKOUT with `good`, GUARD_INTERNATIONAL, GUARD_TAKEOVER,
 * GUARD_UNLOCK, GUARD_GOOD, GUARD_NOT_GOOD), and begins with guard_next_lock() and guard_good_of().
 */
enum guard_account_state {
    GUARD_FREE,
    GUARD_LOCKED_OUT,           /* locked, and `source` is not known to be good */
    GUARD_INTERNATIONAL_LOCKED, /* wherever it comes from */
};
/* `source` may have family 0: not known, hence not good. Observed locks are none. */
enum guard_account_state guard_account_state(const struct guard *guard, struct instant now,
                                             int64_t switch_id, struct span account,
                                             const struct address *source);
bool guard_source_good(const struct guard *guard, struct instant now, int64_t switch_id,
                       struct span account, const struct address *source);
/* Known good for any account. */
bool guard_address_good(const struct guard *guard, struct instant now,
                        const struct address *source);
bool guard_pair_refused(const struct guard *guard, struct instant now, int64_t switch_id,
                        struct span account, const struct address *source);
/* NULL when it is no longer kept. */
const struct evidence *guard_evidence(const struct guard *guard, uint64_t id);
/* For `why`: the ids that are kept of a source (a host, a /64 or a /48) or an account, newest first. */
size_t guard_why_source(const struct guard *guard, const struct network *source, uint64_t *ids,
                        size_t max);
size_t guard_why_account(const struct guard *guard, int64_t switch_id, struct span account,
                         uint64_t *ids, size_t max);

/* Whether the network is inside of one that is never banned, or has one inside; and what guard_ban() would say. */
enum exempt guard_exempt(const struct guard *guard, const struct network *network);
int guard_may_ban(const struct guard *guard, const struct network *network, struct fault *f);
const struct guard_limits *guard_limits_in_use(const struct guard *guard);

/* ---- the operator's acts ---- */

/* `seconds` 0: until unban. Networks wider than /16 or IPv6 /32 and what overlaps never-ban or a trunk are
 * refused: ERR_RANGE, ERR_CONFLICT. `order` is the operator's number for it, kept as guard_ban.last. */
int guard_ban(struct guard *guard, struct instant now, const struct network *network,
              uint32_t seconds, uint64_t order, struct fault *f);
/* A ban that the kernel holds and that no record tells of: the guard decided it, and died before that was written. It
 * lasts for the `seconds` that are left of it, which are not 0, and makes no later one longer. Refused like guard_ban(). */
int guard_adopt(struct guard *guard, struct instant now, const struct network *network, bool quench,
                uint32_t seconds, struct fault *f);
/* Also forgets what was counted. ERR_MISSING names a wider network when that is what is banned. */
int guard_unban(struct guard *guard, struct instant now, const struct network *network,
                struct fault *f);
int guard_unlock(struct guard *guard, struct instant now, int64_t switch_id, struct span account,
                 struct fault *f);
/* `network` NULL: all of the account. */
int guard_forget_good(struct guard *guard, struct instant now, int64_t switch_id,
                      struct span account, const struct network *network, struct fault *f);
/* Replaces the list of a kind, and ends bans that it forbids. ERR_RANGE. */
int guard_set_exempt(struct guard *guard, struct instant now, enum exempt why,
                     const struct network *networks, size_t n, struct fault *f);

struct guard_account {
    int64_t switch_id;
    struct span name;
};
#define GUARD_CANARIES_MAX 4096
/* Replaces all. ERR_RANGE. */
int guard_set_canaries(struct guard *guard, const struct guard_account *canaries, size_t n,
                       struct fault *f);
#define GUARD_SWITCHES_MAX 1024
/* A switch that was never set is observed. When it is to be observed from now on, the bans and locks that it led to
 * end. ERR_FULL. */
int guard_set_mode(struct guard *guard, struct instant now, int64_t switch_id, enum guard_mode mode,
                   struct fault *f);

/* ---- lists, and what outlives a restart ---- */

/* Walks: begin with *cursor = 0; false at the end. What is active now. Times are wall seconds. */
struct guard_ban {
    struct network network;
    bool observed, quench;
    enum attack attack;
    enum witness witness;
    int64_t switch_id;
    int64_t since, until; /* until 0: until somebody ends it */
    uint32_t left; /* seconds that it still lasts; 0 where until is. Not looked at by a restore */
    uint32_t length, level, quench_level;
    uint32_t threshold, count, window;
    uint32_t heard; /* attempts since it was to work */
    uint64_t
        last; /* the newest attempt that counted; of an operator's ban the number of his order */
};
bool guard_next_ban(const struct guard *guard, struct instant now, size_t *cursor,
                    struct guard_ban *out);

/* The one of exactly this network. */
bool guard_find_ban(const struct guard *guard, struct instant now, const struct network *network,
                    bool observed, struct guard_ban *out);
/* Those that the network is in, itself included, the widest first; at most `max`. */
size_t guard_bans_around(const struct guard *guard, struct instant now,
                         const struct network *network, struct guard_ban *out, size_t max);

enum guard_lock_kind { GUARD_LOCK_OUT, GUARD_LOCK_INTERNATIONAL, GUARD_LOCK_TAKEOVER };
struct guard_lock {
    int64_t switch_id;
    char name[ACCOUNT_NAME_MAX];
    uint8_t name_n;
    enum guard_lock_kind kind;
    bool observed;
    int64_t since, until; /* until 0: until unlocked */
    uint32_t length, level, threshold, count, window;
    uint64_t last;
};
bool guard_next_lock(const struct guard *guard, struct instant now, size_t *cursor,
                     struct guard_lock *out);

bool guard_find_lock(const struct guard *guard, struct instant now, int64_t switch_id,
                     struct span account, struct guard_lock *out);

/* Pairs of account and source with successes, known good and not yet. The account is its keyed hash. */
struct guard_pair {
    uint64_t account;
    struct network home;
    uint16_t first_day, last_day, taint_until_day; /* days since 1970 */
    uint8_t days;
    bool good;
};
bool guard_next_pair(const struct guard *guard, struct instant now, size_t *cursor,
                     struct guard_pair *out);
/* Of one account, known good. */
size_t guard_good_of(const struct guard *guard, struct instant now, int64_t switch_id,
                     struct span account, struct network out[GUARD_GOOD_MAX]);

/* Sources and accounts that something is counted of. */
struct guard_count {
    bool is_account, observed, proved;
    struct network network; /* of a source */
    int64_t switch_id;      /* of an account … */
    char name[ACCOUNT_NAME_MAX];
    uint8_t name_n;
    bool known;
    /* Source: short, day, noise; account: short, day, week, and of that guesses. `parts` are those of guard/counter.h:
     * what a restart must know. */
    uint32_t count[4][WITNESSES], parts[4][WITNESSES];
    uint32_t names; /* accounts that failed at this source, about */
    uint32_t age;   /* for guard_restore_count: how many seconds ago the parts were so */
};
bool guard_next_count(const struct guard *guard, struct instant now, size_t *cursor,
                      struct guard_count *out);

/* Of one network: proved and not, enforced and observed, those where anything is counted. */
#define GUARD_SOURCE_COUNTS 4
size_t guard_counts_of_source(const struct guard *guard, struct instant now,
                              const struct network *source,
                              struct guard_count out[GUARD_SOURCE_COUNTS]);
/* False: nothing is counted. */
bool guard_count_of_account(const struct guard *guard, struct instant now, int64_t switch_id,
                            struct span account, struct guard_count *out);

/* Silent: no events but GUARD_PRESSURE. A clock that was set back between makes nothing longer than it was. ERR_FULL. */
int guard_restore_ban(struct guard *guard, struct instant now, const struct guard_ban *ban,
                      struct fault *f);
int guard_restore_lock(struct guard *guard, struct instant now, const struct guard_lock *lock,
                       struct fault *f);
int guard_restore_pair(struct guard *guard, struct instant now, const struct guard_pair *pair,
                       struct fault *f);
int guard_restore_count(struct guard *guard, struct instant now, const struct guard_count *count,
                        struct fault *f);

struct guard_figures {
    uint64_t attempts[WITNESSES][OUTCOMES];
    uint64_t retransmits, paired, turned_away, pushed_out;
    uint64_t events[GUARD_EVENTS];
    size_t memory;         /* bytes, constant */
    size_t bans, quenches; /* active or remembered */
};
void guard_figures(const struct guard *guard, struct guard_figures *out);

#endif
