/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/subjects.h"

#define KNOWN_WEIGHT 0x20000u
#define LOCK_WEIGHT 0x10000u
#define THRESHOLD_WEIGHT 64u

struct subject *subjects_find(const struct subjects *s, uint64_t key)
{
    return key ? table_find(&s->table, key) : NULL;
}

struct weigh {
    const struct subjects *subjects;
    const struct guard_limits *limits;
    uint32_t t;
};

bool subject_locked(const struct subject *s, uint32_t t)
{
    return s->lock != LOCK_NONE && (s->until == LOCK_FOREVER || s->until > t);
}

/* How near to a threshold. */
static uint32_t near(uint32_t count, const struct limit *limit)
{
    return count * THRESHOLD_WEIGHT / limit->count;
}

static uint32_t weight(const void *entry, const void *context)
{
    const struct subject *s = entry;
    const struct weigh *w = context;
    const struct guard_limits *l = w->limits;
    uint32_t week = near(counter_most(&s->week, w->t, l->account_week.window), &l->account_week);
    uint32_t count = near(counter_most(&s->recent, w->t, l->account.window), &l->account);

    count = week > count ? week : count;
    if (subject_locked(s, w->t))
        count += LOCK_WEIGHT;
    if (count > 0 && s->known)
        count += KNOWN_WEIGHT;
    return count;
}

static void leaving(const void *entry, const void *context)
{
    const struct weigh *w = context;

    if (w->subjects->leaving)
        w->subjects->leaving(entry, w->subjects->context);
}

struct subject *subjects_take(struct subjects *s, uint64_t key, int64_t switch_id, struct span name,
                              bool known, uint32_t t)
{
    struct weigh context = {s, s->limits, t};
    struct table_rank rank = {.weight = weight,
                              .leaving = leaving,
                              .context = &context,
                              .newcomer = known ? KNOWN_WEIGHT : 0,
                              .unit = near(1, &s->limits->account)};
    struct subject *subject = table_take(&s->table, key, &rank);

    if (!subject)
        return NULL;
    if (!subject->name_n) {
        subject->switch_id = switch_id;
        subject->name_n = (uint8_t)(name.n < ACCOUNT_NAME_MAX ? name.n : ACCOUNT_NAME_MAX);
        memcpy(subject->name, name.p, subject->name_n);
    }
    subject->known |= known;
    return subject;
}

void subject_add(struct subject *s, const struct guard_limits *limits, uint32_t t,
                 enum witness witness, bool guess)
{
    counter_add(&s->recent, t, limits->account.window, witness);
    counter_add(&s->day, t, limits->account_day.window, witness);
    counter_add(&s->week, t, limits->account_week.window, witness);
    if (guess)
        counter_add(&s->guesses, t, limits->account_week.window, witness);
}

void subject_lock(struct subjects *subjects, struct subject *s, enum lock lock, bool observed,
                  uint32_t t, uint32_t length)
{
    s->lock = (uint8_t)lock;
    s->observed = observed;
    s->since = t;
    s->length = length;
    s->until = length && length < LOCK_FOREVER - t ? t + length : LOCK_FOREVER;
    if (s->until < subjects->due)
        subjects->due = s->until;
}
