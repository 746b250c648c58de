/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_CALLS_ROOM_H
#define SEKISHO_SERVE_CALLS_ROOM_H

#include "store/calls.h"

struct snapshot; /* policy/snapshot.h */

/*
 * The room of calls.db: the one thread that writes it, and whoever wants something of it asks there. The thread is a reader of
 * the snapshot; it may wait for the store, which never waits for it.
 *
 * The file is made with the first call record. One that is there is opened at the start, and its calls are
 * brought into the history before anything else is done.
 */
struct calls_room;

/* What history says. */
enum calls_state {
    CALLS_NONE,    /* nobody has imported call records yet */
    CALLS_SUMMING, /* not all calls are in the history yet */
    CALLS_READY,
    CALLS_BROKEN, /* they could not be brought into it: see the words */
};

/* `dir` is the store's directory; `snapshot` is borrowed. */
int calls_room_new(struct calls_room **out, const char *dir, struct snapshot *snapshot,
                   struct fault *f);
void calls_room_free(struct calls_room *room);

/* Opens the file if it is there (refused as store_open() refuses its files), and starts the thread. */
int calls_room_start(struct calls_room *room, struct fault *f);
/* Ends the thread when it has done what waits, and closes the file. Sums that are under way are given up, and made
 * after the next start. */
void calls_room_stop(struct calls_room *room);

/* Any thread. `words` (may be NULL) gets what is wrong, or "". */
enum calls_state calls_room_state(struct calls_room *room, char words[FAULT_MAX]);

/* On the room's thread; may take its time. */
typedef int calls_job_fn(void *arg, struct fault *f);
typedef void calls_done_fn(void *arg, int code, const struct fault *f);

/* Any thread. Whatever 0 was returned for is run, and then `done` is called there with what came of it. ERR_FULL: too much
 * waits; neither is called. */
#define CALLS_ROOM_WAITING 256
int calls_room_ask(struct calls_room *room, calls_job_fn *run, void *arg, calls_done_fn *done,
                   void *done_arg, struct fault *f);

/* Called on the room's thread every `ms` milliseconds or so. Before calls_room_start(). */
void calls_room_tick(struct calls_room *room, void (*tick)(void *arg), void *arg, unsigned ms);

/* ---- on the room's thread ---- */

/* calls.db. NULL in `*out` where there is none; `make`: then it is made. */
int calls_room_file(struct calls_room *room, bool make, struct calls **out, struct fault *f);

/* Brings all calls into the history. */
int calls_room_sum(struct calls_room *room, struct fault *f);

/* What cannot be told while not all calls are in the history: 0, or ERR_CONFLICT with words for whoever asked. */
int calls_room_settled(struct calls_room *room, struct fault *f);

#endif
