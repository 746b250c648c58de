/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/history.h"

#include <stdlib.h>

#include "base/fault.h"

struct history {
    size_t n, most;
    uint32_t mask;
    uint32_t *slots; /* 1 + the sum's index, 0: free; twice as many as sums at least */
    struct history_sum sums[];
};

#define SUMS_MAX ((size_t)1 << 28)

struct history *history_new(size_t sums)
{
    struct history *history;
    size_t slots = 4;

    if (sums == 0 || sums > SUMS_MAX)
        return NULL;
    while (slots < sums * 2)
        slots *= 2;
    history = malloc(sizeof(*history) + sums * sizeof(history->sums[0]));
    if (!history)
        return NULL;
    *history = (struct history){.most = sums, .mask = (uint32_t)(slots - 1)};
    history->slots = calloc(slots, sizeof(history->slots[0]));
    if (!history->slots) {
        free(history);
        return NULL;
    }
    return history;
}

void history_free(struct history *history)
{
    if (history)
        free(history->slots);
    free(history);
}

static uint32_t country_word(const char country[4])
{
    uint32_t word;

    memcpy(&word, country, sizeof(word));
    return word;
}

static bool same(const struct history_sum *a, const struct history_sum *b)
{
    return a->caller == b->caller && country_word(a->country) == country_word(b->country) &&
           a->abroad == b->abroad;
}

static uint32_t spread(const struct history_sum *sum)
{
    uint64_t both = (uint64_t)sum->caller << 32 | (country_word(sum->country) ^ sum->abroad);

    return (uint32_t)((both * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* The sum of `key`, made when it is missing; NULL: there is no room. */
static struct history_sum *sum_of(struct history *history, const struct history_sum *key)
{
    for (uint32_t i = spread(key) & history->mask;; i = (i + 1) & history->mask) {
        if (history->slots[i] == 0) {
            if (history->n == history->most)
                return NULL;
            history->sums[history->n] = *key;
            history->slots[i] = (uint32_t)++history->n;
            return &history->sums[history->n - 1];
        }
        if (same(&history->sums[history->slots[i] - 1], key))
            return &history->sums[history->slots[i] - 1];
    }
}

/* The history of one call. */
static struct history_sum of_call(const struct call *call, struct history_place place)
{
    struct history_sum sum = {.caller = call->caller,
                              .abroad = place.abroad,
                              .first_ms = call->start_ms,
                              .last_ms = call->start_ms,
                              .spoke_first_ms = HISTORY_NEVER,
                              .spoke_last_ms = HISTORY_NEVER};

    if (place.country.n && place.country.n < sizeof(sum.country))
        memcpy(sum.country, place.country.p, place.country.n);
    switch (call->end) {
    case CALL_ANSWERED:
        sum.seconds = call->seconds;
        if (place.doubted) {
            sum.doubted = 1;
        } else {
            sum.answered = 1;
            sum.spoke_first_ms = sum.spoke_last_ms = call->start_ms;
        }
        break;
    case CALL_UNANSWERED: sum.unanswered = 1; break;
    case CALL_FAILED: sum.failed = 1; break;
    case CALL_REFUSED: sum.refused = 1; break;
    }
    return sum;
}

int history_add(struct history *history, const struct call *call, struct history_place place)
{
    struct history_sum one = of_call(call, place);
    size_t before = history->n;
    struct history_sum *sum = sum_of(history, &one);

    if (!sum)
        return ERR_FULL;
    if (history->n == before)
        history_merge(sum, &one);
    return 0;
}

static int by_place(const void *left, const void *right)
{
    const struct history_sum *a = left, *b = right;
    int order;

    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    order = memcmp(a->country, b->country, sizeof(a->country));
    return order ? order : (int)a->abroad - (int)b->abroad;
}

/* Sums have moved: finds them again. */
static void place_again(struct history *history)
{
    memset(history->slots, 0, ((size_t)history->mask + 1) * sizeof(history->slots[0]));
    for (size_t n = 0; n < history->n; n++) {
        uint32_t i = spread(&history->sums[n]) & history->mask;

        while (history->slots[i])
            i = (i + 1) & history->mask;
        history->slots[i] = (uint32_t)n + 1;
    }
}

int history_drain(struct history *history, int (*take)(void *arg, const struct history_sum *sum),
                  void *arg)
{
    int code = 0;

    qsort(history->sums, history->n, sizeof(history->sums[0]), by_place);
    for (size_t i = 0; i < history->n && code == 0; i++)
        code = take(arg, &history->sums[i]);
    if (code == 0)
        history->n = 0;
    place_again(history);
    return code;
}

void history_clear(struct history *history)
{
    history->n = 0;
    place_again(history);
}

int history_halve(struct history *history, uint32_t *highest)
{
    size_t stay = history->n / 2;

    qsort(history->sums, history->n, sizeof(history->sums[0]), by_place);
    /* No caller is parted: the one in the middle goes with those above, or stays where he is the lowest. */
    while (stay > 0 && history->sums[stay - 1].caller == history->sums[stay].caller)
        stay--;
    if (stay == 0)
        while (stay < history->n && history->sums[stay].caller == history->sums[0].caller)
            stay++;
    if (stay == history->n) {
        place_again(history);
        return ERR_RANGE;
    }
    history->n = stay;
    place_again(history);
    *highest = history->sums[stay - 1].caller;
    return 0;
}

static uint32_t plus(uint32_t a, uint32_t b)
{
    uint32_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void history_merge(struct history_sum *sum, const struct history_sum *more)
{
    sum->answered = plus(sum->answered, more->answered);
    sum->unanswered = plus(sum->unanswered, more->unanswered);
    sum->failed = plus(sum->failed, more->failed);
    sum->refused = plus(sum->refused, more->refused);
    sum->doubted = plus(sum->doubted, more->doubted);
    if (__builtin_add_overflow(sum->seconds, more->seconds, &sum->seconds))
        sum->seconds = UINT64_MAX;
    sum->first_ms = earlier(sum->first_ms, more->first_ms);
    sum->last_ms = later(sum->last_ms, more->last_ms);
    if (sum->spoke_first_ms == HISTORY_NEVER)
        sum->spoke_first_ms = more->spoke_first_ms;
    else if (more->spoke_first_ms != HISTORY_NEVER)
        sum->spoke_first_ms = earlier(sum->spoke_first_ms, more->spoke_first_ms);
    sum->spoke_last_ms = later(sum->spoke_last_ms, more->spoke_last_ms);
}
