/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_CALLS_H
#define SEKISHO_STORE_CALLS_H

#include "base/fault.h"
#include "ledger/history.h"

/*
 * What CDRs told: calls.db, beside the store's other files but with a writer of its own, so that an import of a
 * hundred million calls delays no change and no decision. A commit is on the disk when it returns.
 *
 * Who pays for a call is a *caller*: a name on a switch, whether or not there is such an account today. What was
 * told before is known again by its key (ledger/call.h) and added once. Blocks of calls are kept in the order of
 * their time as far as they came so, and summed into the history of each caller and country.
 */
struct calls;

struct calls_config {
    const char *dir; /* of the store; has to exist */
    /* Where a call of that switch went, with today's tables. Pure; called on the thread that adds or sums. */
    struct history_place (*place)(void *arg, int64_t switch_id, const struct call *call);
    void *place_arg;
    /* May be NULL. When it becomes true (by __atomic builtins, on any thread), calls_sum() gives up: ERR_CONFLICT. */
    const bool *ending;
    size_t sums; /* that fit in memory while history is summed, about 100 bytes each; 0: 262,144 */
};

/* The only writer of the file; one thread at a time. Refused as store_open() refuses its files. */
int calls_open(struct calls **out, const struct calls_config *config, struct fault *f);
void calls_close(struct calls *calls); /* NULL is fine */

/*
 * The caller of a name (1 to STORE_ACCOUNT_NAME_MAX bytes, in lower case), made when there is none: with the next
 * calls_append() that ends well, so that a caller without calls is nothing to keep. Fast for names that were asked
 * for before.
 */
int calls_caller(struct calls *calls, int64_t switch_id, struct span name, uint32_t *out,
                 struct fault *f);

/* How far a file was read. */
struct calls_file {
    int64_t id;       /* 0: not known yet; set when it is kept */
    struct span head; /* what tells files apart before they are read whole; at most 64 bytes */
    uint64_t bytes;
    unsigned char hash[32]; /* of those bytes */
    uint64_t rows, unread;
    struct span name;
};

/* Gives files of the switch that begin like that to `take`, the longest first, until it returns anything
 * but 0, which is returned then. */
int calls_files(struct calls *calls, int64_t switch_id, struct span head,
                int (*take)(void *arg, const struct calls_file *file), void *arg, struct fault *f);

#define CALLS_APPEND_MAX ((size_t)1 << 20)

/* What calls_append() did. */
struct calls_added {
    size_t added, known; /* known: they were told before */
};

/*
 * Adds those of `n` calls of one switch (at most CALLS_APPEND_MAX) that are not there yet, and notes how far
 * `file` (may be NULL) was read, in one commit. Sorts `call` by time; each has its key. All or nothing: after a
 * failure, or a crash, the same may be added again. A few calls are summed at once, many wait for calls_sum().
 */
int calls_append(struct calls *calls, int64_t switch_id, struct call *call, size_t n,
                 struct calls_file *file, int64_t now_ms, struct calls_added *out, struct fault *f);

/* Takes back callers that were made for an append that will not be. */
void calls_undo(struct calls *calls);

/* Brings history up to date, in one commit. To be called after an import, and after calls_open(). */
int calls_sum(struct calls *calls, struct fault *f);
/* Forgets history and sums all calls anew: after other number tables, or when calls are no longer believed. */
int calls_sum_again(struct calls *calls, struct fault *f);

/* History of a caller by country, abroad last, to `take` as above. */
int calls_history(struct calls *calls, uint32_t caller,
                  int (*take)(void *arg, const struct history_sum *sum), void *arg,
                  struct fault *f);

/* The same of a name on a switch, which may have none. */
int calls_history_of(struct calls *calls, int64_t switch_id, struct span name,
                     int (*take)(void *arg, const struct history_sum *sum), void *arg,
                     struct fault *f);

/* Calls that the owner did not make: fraud, and no reason to think that he calls there. */
struct calls_disowned {
    int64_t id;                 /* set by the store */
    struct span name;           /* of the caller, whether or not he has called */
    char country[4];            /* "": all */
    int64_t since_ms, until_ms; /* since <= start < until */
    int64_t at_ms;
    struct span actor;
};

/* The caller's history is made anew at once, which takes a pass over all calls. */
int calls_disown(struct calls *calls, int64_t switch_id, const struct calls_disowned *what,
                 int64_t *id, struct fault *f);
/* Takes that back. ERR_MISSING: there is no such of that name. */
int calls_own_again(struct calls *calls, int64_t switch_id, struct span name, int64_t id,
                    struct fault *f);
int calls_disowned_list(struct calls *calls, int64_t switch_id, struct span name,
                        int (*take)(void *arg, const struct calls_disowned *what), void *arg,
                        struct fault *f);

/* A decision of the guard's on an account: calls from `since_ms` to `until_ms` do not speak for it; or `ends`: what stood ended
 * at `since_ms`. */
struct calls_attack {
    int64_t decision; /* its id: what was told before is not taken again */
    int64_t switch_id;
    struct span name;
    int64_t since_ms, until_ms;
    bool ends;
};

/* In the order of time. Histories that they touch are made anew. */
int calls_attacked(struct calls *calls, const struct calls_attack *attacks, size_t n,
                   struct fault *f);

/* Which calls. Times are milliseconds since 1970. */
struct calls_range {
    int64_t switch_id; /* 0: of all switches */
    int64_t from_ms, before_ms;
};

/* Every call of the range to `take`, in the order of blocks, until it returns anything but 0. */
int calls_each(struct calls *calls, const struct calls_range *range,
               int (*take)(void *arg, int64_t switch_id, const struct call *call), void *arg,
               struct fault *f);

/* On which days (since 1970, UTC) there are records of the switch, ascending, to `take` as above. Without them a day
 * without calls and one whose records nobody brought look alike. */
int calls_days(struct calls *calls, int64_t switch_id,
               int (*take)(void *arg, int64_t day, uint64_t calls), void *arg, struct fault *f);

/* Forgets calls that are older, and counts them. History stays, and so do the days: who makes history forget must
 * make those forget as well, or a sweep takes what was forgotten for silence. */
int calls_expire(struct calls *calls, int64_t before_ms, uint64_t *gone, struct fault *f);

#endif
