/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/sources.h"

#include <string.h>

struct source_limits source_limits(const struct guard_limits *l, const struct source *source)
{
    if (!source->proved)
        return (struct source_limits){&l->unproved, &l->unproved_day, NULL};
    if (source->family == 6 && source->bits == 64)
        return (struct source_limits){&l->net64, &l->net64_day, NULL};
    if (source->family == 6 && source->bits == 48)
        return (struct source_limits){&l->net48, &l->net48_day, NULL};
    return (struct source_limits){&l->source, &l->source_day, &l->noise};
}

static uint64_t key_of(const struct sources *s, const struct network *network, bool observed)
{
    return keys_network(s->keys, network, (uint8_t)(s->proved << 1 | observed));
}

struct source *sources_find(const struct sources *s, const struct network *network, bool observed)
{
    return table_find(&s->table, key_of(s, network, observed));
}

struct weigh {
    const struct guard_limits *limits;
    uint32_t t;
};

#define THRESHOLD_WEIGHT 64u

static uint32_t near(uint32_t count, const struct limit *limit)
{
    return count * THRESHOLD_WEIGHT / limit->count;
}

static uint32_t weight(const void *entry, const void *context)
{
    const struct source *source = entry;
    const struct weigh *w = context;
    struct source_limits own = source_limits(w->limits, source);
    uint32_t parts[] = {
        near(counter_most(&source->guesses, w->t, own.guesses->window), own.guesses),
        near(counter_most(&source->day, w->t, own.day->window), own.day),
        near(counter_most(&source->noise, w->t, w->limits->noise.window), &w->limits->noise),
        near(source_names(source, w->limits, w->t), &w->limits->names),
    };
    uint32_t most = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        most = parts[i] > most ? parts[i] : most;
    return most;
}

struct source *sources_take(struct sources *s, const struct network *network, bool observed,
                            uint32_t t)
{
    struct weigh context = {s->limits, t};
    struct table_rank rank = {
        .weight = weight,
        .context = &context,
        .unit = near(1, s->proved ? &s->limits->source : &s->limits->unproved),
    };
    struct source *source = table_take(&s->table, key_of(s, network, observed), &rank);

    if (source && !source->family) {
        source->family = network->family;
        source->bits = network->bits;
        memcpy(source->ip, network->ip, sizeof(source->ip));
        source->observed = observed;
        source->proved = s->proved;
        source->names_since = source->fresh_since = t;
    }
    return source;
}

static uint64_t bit(uint64_t name)
{
    return UINT64_C(1) << (name & 63);
}

static bool names_hold(const struct source *s, const struct guard_limits *limits, uint32_t t)
{
    return t - s->names_since < limits->names.window;
}

/* Names are forgotten a window after the first; what was asked for becomes a matter when it was not answered. */
static void names_roll(struct source *s, const struct guard_limits *limits, uint32_t t)
{
    if (!names_hold(s, limits, t)) {
        s->failed = s->asked = s->fresh = 0;
        s->names_since = s->fresh_since = t;
    }
    if (t - s->fresh_since >= SOURCE_ANSWERS_S) {
        s->asked |= s->fresh;
        s->fresh = 0;
        s->fresh_since = t;
    }
}

void source_add(struct source *s, const struct guard_limits *limits, uint32_t t,
                enum witness witness, bool noise, uint64_t name)
{
    struct source_limits own = source_limits(limits, s);

    names_roll(s, limits, t);
    if (noise && s->proved) {
        counter_add(&s->noise, t, limits->noise.window, witness);
        return;
    }
    counter_add(&s->guesses, t, own.guesses->window, witness);
    if (!noise)
        counter_add(&s->day, t, own.day->window, witness);
    if (name)
        s->failed |= bit(name);
}

void source_asked(struct source *s, const struct guard_limits *limits, uint32_t t, uint64_t name)
{
    names_roll(s, limits, t);
    s->fresh |= bit(name);
}

void source_answered(struct source *s, uint64_t name)
{
    s->asked &= ~bit(name);
    s->fresh &= ~bit(name);
}

bool source_failed(const struct source *s, const struct guard_limits *limits, uint32_t t,
                   uint64_t name)
{
    return names_hold(s, limits, t) && (s->failed & bit(name));
}

uint32_t source_failing(const struct source *s, const struct guard_limits *limits, uint32_t t)
{
    return names_hold(s, limits, t) ? (uint32_t)__builtin_popcountll(s->failed) : 0;
}

uint32_t source_names(const struct source *s, const struct guard_limits *limits, uint32_t t)
{
    return names_hold(s, limits, t) ? (uint32_t)__builtin_popcountll(s->failed | s->asked) : 0;
}

static bool exceeds(const struct counter *counter, const struct limit *limit, uint32_t t,
                    struct excess *out)
{
    bool found = false;

    if (!limit)
        return false;
    for (int i = 0; i < WITNESSES; i++) {
        uint32_t count = counter_of(counter, t, limit->window, (enum witness)i);

        if (count >= limit->count && (!found || count > out->count)) {
            *out = (struct excess){.limit = limit, .count = count, .witness = (enum witness)i};
            found = true;
        }
    }
    return found;
}

bool source_excess(const struct source *s, const struct guard_limits *limits, uint32_t t,
                   struct excess *out)
{
    struct source_limits own = source_limits(limits, s);

    if (exceeds(&s->guesses, own.guesses, t, out))
        return true;
    if (exceeds(&s->day, own.day, t, out)) {
        out->day = true;
        return true;
    }
    if (exceeds(&s->noise, own.noise, t, out)) {
        out->noise = true;
        return true;
    }
    return false;
}

bool source_is_near(const struct source *s, const struct guard_limits *limits, uint32_t t)
{
    const struct limit *guesses = source_limits(limits, s).guesses;

    return guesses && counter_most(&s->guesses, t, guesses->window) + 1 == guesses->count;
}

struct network source_network(const struct source *s)
{
    struct network n = {.family = s->family, .bits = s->bits};

    memcpy(n.ip, s->ip, sizeof(n.ip));
    return n;
}
