/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_SUBJECTS_H
#define SEKISHO_GUARD_SUBJECTS_H

#include "guard/counter.h"
#include "guard/keys.h"
#include "guard/limits.h"
#include "guard/table.h"

/*
 * Accounts that somebody tries to get into: what failed over all sources, and the lock. Weight: accounts that are
 * known before names that somebody may have invented, then locks, then what was counted. Only known accounts are
 * locked: a name that nobody has needs no lock, and names without end must not take the room of those that do.
 */
enum lock { LOCK_NONE, LOCK_OUT, LOCK_INTERNATIONAL, LOCK_TAKEOVER };

struct subject {
    uint64_t key;
    int64_t switch_id;
    uint64_t last;                    /* newest attempt that counted */
    struct counter recent, day, week; /* windows of account, account_day, account_week */
    struct counter guesses;           /* window of account_week: those that may have been right */
    uint32_t since, until;            /* of the lock; until LOCK_FOREVER */
    uint32_t length, remembered;      /* until when `level` means something */
    uint32_t threshold, count, window;
    uint8_t lock, level, name_n;
    bool observed, known;
    char name[ACCOUNT_NAME_MAX];
};
#define LOCK_FOREVER UINT32_MAX

struct subjects {
    struct table table;
    const struct guard_limits *limits; /* borrowed */
    const struct keys *keys;
    uint32_t due; /* when a lock ends at the earliest */
    void (*leaving)(const struct subject *subject, void *context); /* it gives way */
    void *context;
};

struct subject *subjects_find(const struct subjects *subjects, uint64_t key);
/* Found or new; NULL when all in its bucket weigh more. */
struct subject *subjects_take(struct subjects *subjects, uint64_t key, int64_t switch_id,
                              struct span name, bool known, uint32_t t);

/* `guess`: the switch looked at the password. It does not where the nonce is invented. */
void subject_add(struct subject *subject, const struct guard_limits *limits, uint32_t t,
                 enum witness witness, bool guess);
void subject_lock(struct subjects *subjects, struct subject *subject, enum lock lock, bool observed,
                  uint32_t t, uint32_t length);
bool subject_locked(const struct subject *subject, uint32_t t);

static inline struct span subject_name(const struct subject *subject)
{
    return (struct span){subject->name, subject->name_n};
}

#endif
