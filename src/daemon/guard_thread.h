/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_THREAD_H
#define SEKISHO_DAEMON_GUARD_THREAD_H

#include "config/config.h"
#include "daemon/health.h"
#include "serve/authorize.h"
#include "serve/guard_desk.h"
#include "serve/locks.h"
#include "store/store.h"

/*
 * The thread that guards: it owns the guard (guard/guard.h), every witness and the enforcer's client. It never waits
 * for the store or for who asks. Who wants to know or do something asks at the desk (serve/guard_desk.h); what
 * authorize() needs is published (serve/locks.h).
 */
struct guard_thread;

struct guard_thread_parts {
    const struct config *config; /* borrowed until guard_thread_free() */
    struct guard_desk *desk;     /* borrowed; opened by the start, closed by the stop */
    const struct snapshot *snapshot;
};

/* Starts the enforcer, which takes privilege: call it before that is dropped, and before any thread is made. What makes
 * enforcing impossible is no failure: the thread works without and says so. */
int guard_thread_new(struct guard_thread **out, const struct guard_thread_parts *parts,
                     struct fault *f);
/* When it has ended, or was never started. What the kernel holds stands. */
void guard_thread_free(struct guard_thread *thread);

/* ---- who hears, before the start ---- */

/* Every decision, on the guard's thread, within the call that led to it: must not wait, nor call the guard's acts;
 * guard_evidence() is fine. What `event` points to is good for the call. */
typedef void guard_hear_fn(void *arg, const struct guard *guard, const struct guard_event *event);
/* Every attempt, likewise, before it is judged. `proof` is what the witness says: pairing comes after. */
typedef void guard_see_fn(void *arg, const struct attempt *attempt);

/* Either may be NULL. At most 8. ERR_FULL. */
#define GUARD_HEARERS_MAX 8
int guard_thread_hear(struct guard_thread *thread, guard_hear_fn *hear, guard_see_fn *see,
                      void *arg, struct fault *f);

/* ---- start and stop ---- */

/* Restores what outlives a restart and starts the thread; then waits until the kernel holds the bans that ought to
 * stand, five seconds at most: a log line tells when that was not enough. The snapshot is loaded. Both are
 * borrowed; of the authorizer it is asked which live calls must end. */
int guard_thread_start(struct guard_thread *thread, struct store *store,
                       struct authorizer *authorizer, struct fault *f);
/* Before the store is closed: what is to outlive the restart is written. */
void guard_thread_stop(struct guard_thread *thread);

/* What authorize() is to look at; there from guard_thread_start() on, until guard_thread_free(). */
const struct locks *guard_thread_locks(const struct guard_thread *thread);

/* The operator's decisions in the store (access list, never-ban, canaries) or a switch have changed: they are
 * read again. Any thread; does not wait. */
void guard_thread_changed(struct guard_thread *thread);

/* Somebody was stopped: live calls that must end now, do. Any thread; does not wait. */
void guard_thread_stopped(struct guard_thread *thread);

/* What is not well, for status and /healthz. Any thread; waits for a copy of some kilobytes at most. */
void guard_thread_health(struct guard_thread *thread, health_say_fn *say, void *arg);

#endif
