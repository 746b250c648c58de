/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_JOURNAL_H
#define SEKISHO_STORE_GUARD_JOURNAL_H

#include "guard/guard.h"
#include "store/store.h"

/*
 * The guard's way into the store: what it decides and what it is told gathers here, on the guard's thread, without
 * waiting for the disk, and becomes one evidence job at each flush. For one thread, the guard's.
 *
 * Bounded. What finds no room in a flood is counted: of decisions first the attempts that counted, then the decision
 * (never the ban or lock itself: when more change at once than can be noted, all are written anew); of attempts
 * first account and User-Agent, then the source, never the count. What the store could not take is kept and tried again.
 *
 * Bans and locks are written at the next flush, which is soon: guard_journal_urgent(). Pairs and counts are written every five minutes and at the
 * end: after a kill the guard knows them as they were then, but what it decided on known good sources it knows.
 */
struct guard_journal;

/* The key is the guard's. ERR_NOMEM. */
int guard_journal_new(struct guard_journal **out, const uint8_t key[GUARD_KEY_BYTES],
                      struct fault *f);
/* When no job of it is under way: after guard_journal_finish(), or when the store is closed. */
void guard_journal_free(struct guard_journal *journal);

/* Takes an event, within the callback (only guard_evidence() is asked), of whatever kind. */
void guard_journal_event(struct guard_journal *journal, const struct guard *guard,
                         const struct guard_event *event);
/* Takes an attempt into the sums for reports. */
void guard_journal_attempt(struct guard_journal *journal, const struct attempt *attempt);

/* A ban or a lock waits to be written, and the store could write: until then a kill would undo it at the next start. */
bool guard_journal_urgent(struct guard_journal *journal);
/* Once a second, and soon when it is urgent. Does nothing while the flush before it is under way. */
void guard_journal_flush(struct guard_journal *journal, const struct guard *guard,
                         struct instant now, struct store *store);
/* Writes everything, pairs and counts too, and waits for it, at most `wait_ms`. Before the store is closed. ERR_TIMEOUT,
 * or why the store did not take it. */
int guard_journal_finish(struct guard_journal *journal, const struct guard *guard,
                         struct instant now, struct store *store, unsigned wait_ms,
                         struct fault *f);

struct guard_journal_figures {
    uint64_t decisions, attempts; /* taken */
    uint64_t dropped_decisions;   /* no room */
    uint64_t dropped_evidence;    /* attempts that counted, whose decision was kept without them */
    uint64_t merged_attempts;     /* summed up without account, User-Agent or source */
    uint64_t flushes, failed;
    int64_t saved_ms; /* when pairs and counts were last written; 0: never */
};
void guard_journal_figures(const struct guard_journal *journal, struct guard_journal_figures *out);

#endif
