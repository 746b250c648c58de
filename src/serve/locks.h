/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_LOCKS_H
#define SEKISHO_SERVE_LOCKS_H

#include "guard/guard.h"

/*
 * Which accounts the guard has locked, and which sources are known to be good for an account: what the guard
 * decides on its own thread, as authorize() sees it on any other without waiting. Observed locks are none.
 *
 * One writer, the guard's thread, which is registered as a reader of the snapshot (policy/snapshot.h) too and does not
 * hold its read lock when it calls. Readers call within that read lock.
 */
struct locks;

/* `key` is the guard's: what is restored names accounts by their keyed hash alone. */
int locks_new(struct locks **out, const uint8_t key[GUARD_KEY_BYTES], struct fault *f);
/* When nobody reads any more. */
void locks_free(struct locks *locks);

/* ---- the guard's thread ---- */

/* Makes it what the guard says: after it was restored, and once a day, since what is good ends without an event. Waits
 * for readers. ERR_NOMEM: what stood before stands. */
int locks_load(struct locks *locks, const struct guard *guard, struct instant now, struct fault *f);

/* Takes an event, of whatever kind. Without memory a lock is kept in the next locks_load(), which is then due:
 * locks_behind(). */
void locks_take(struct locks *locks, const struct guard_event *event);
bool locks_behind(const struct locks *locks);

/* Frees what was replaced. Once a second: waits for readers, if there is anything to free. */
void locks_reclaim(struct locks *locks);

/* ---- readers ---- */

struct locks_answer {
    enum guard_account_state state; /* as guard_account_state() says it */
    bool takeover;                  /* it is international-locked by one */
    bool source_good;               /* known to be good for this account, locked or not */
};

/* `locks` NULL: nobody is locked, nothing is good. `source` may be of family 0: not known. */
struct locks_answer locks_ask(const struct locks *locks, int64_t switch_id, struct span account,
                              const struct address *source);
/* Whether locks_ask() has anything but GUARD_FREE and false to say of anybody. */
bool locks_any(const struct locks *locks);

#endif
