/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/replay.h"

#include <stdlib.h>

#include "numbering/numbering.h"

#define WEEK_MS (7 * 24 * 3600 * (int64_t)1000)
#define MONDAY_MS (4 * 24 * 3600 * (int64_t)1000) /* 1970-01-05 was a Monday */
#define WEEKS 128
#define WEEKS_LEAST 4

#define NO_RATE UINT8_MAX

/* Refused calls of one caller to one country at prices in one currency. */
struct sum {
    uint32_t caller;
    char country[4];
    uint8_t currency; /* or NO_RATE */
    bool used;
    uint64_t calls, answered, seconds;
    int64_t first_ms, last_ms;
    money paid;
};

/* In which weeks a caller had answered calls abroad: bit 0 of `weeks` is week `top`, bit 1 the one before. */
struct habit {
    uint32_t caller;
    int32_t top;
    unsigned __int128 weeks; /* 0: free */
};

struct replay {
    struct replay_config config;
    struct replay_totals totals;
    struct sum *sums; /* by hash, of a power of two */
    size_t n_sums, size_sums;
    struct habit *habits;
    size_t n_habits, size_habits;
    char unpriced[REPLAY_UNPRICED_MAX][REPLAY_UNPRICED_DIGITS + 1];
    size_t n_unpriced;
    struct number number; /* what was parsed last: too large to be cleared for each call */
    struct verdict verdict;
};

const char *replay_fate_name(enum replay_fate fate)
{
    switch (fate) {
    case REPLAY_PASSED: return "passed";
    case REPLAY_REFUSED: return "refused";
    case REPLAY_OPENED: return "opened";
    case REPLAY_REFUSED_THEN: return "refused-then";
    case REPLAY_NO_NUMBER: return "no-number";
    }
    return "?";
}

int replay_new(struct replay **out, const struct replay_config *config, struct fault *f)
{
    struct replay *r = calloc(1, sizeof(*r));

    if (!r)
        return fault_nomem(f);
    r->config = *config;
    r->totals.first_ms = INT64_MAX;
    r->totals.last_ms = INT64_MIN;
    *out = r;
    return 0;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    free(r->sums);
    free(r->habits);
    free(r);
}

struct replay_totals replay_totals(const struct replay *r)
{
    return r->totals;
}

/* ---- sums ----------------------------------------------------------------------------------- */

static size_t hash(uint64_t key, size_t size)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 24) & (size - 1);
}

static struct sum *sum_slot(struct sum *sums, size_t size, const struct sum *like)
{
    uint32_t country = 0;

    memcpy(&country, like->country, sizeof(country));
    for (size_t i =
             hash(((uint64_t)country << 8 | like->currency) + ((uint64_t)like->caller << 32), size);
         ; i = (i + 1) & (size - 1)) {
        struct sum *s = &sums[i];

        if (!s->used || (s->caller == like->caller && s->currency == like->currency &&
                         memcmp(s->country, like->country, sizeof(s->country)) == 0))
            return s;
    }
}

/* Room for one sum more. */
static int sum_room(struct replay *r, struct fault *f)
{
    size_t size = r->size_sums ? 2 * r->size_sums : 256;
    struct sum *larger;

    if (r->n_sums < r->size_sums / 2)
        return 0;
    if (r->n_sums >= REPLAY_SUMS_MAX)
        return fault(f, ERR_FULL,
                     "more than %zu sums of account and country: replay fewer days at once",
                     REPLAY_SUMS_MAX);
    larger = calloc(size, sizeof(*larger));
    if (!larger)
        return fault_nomem(f);
    for (size_t i = 0; i < r->size_sums; i++)
        if (r->sums[i].used)
            *sum_slot(larger, size, &r->sums[i]) = r->sums[i];
    free(r->sums);
    r->sums = larger;
    r->size_sums = size;
    return 0;
}

/* Within the room that was made. */
static void sum_add(struct replay *r, const struct replay_case *c)
{
    struct sum like = {.caller = c->call->caller,
                       .currency = c->rate ? c->rate->currency : NO_RATE,
                       .used = true,
                       .first_ms = INT64_MAX,
                       .last_ms = INT64_MIN};

    if (c->number->country)
        memcpy(like.country, c->number->country->iso, sizeof(like.country));
    struct sum *s = sum_slot(r->sums, r->size_sums, &like);
    if (!s->used) {
        *s = like;
        r->n_sums++;
    }
    s->calls++;
    if (c->call->end == CALL_ANSWERED) {
        s->answered++;
        s->seconds += c->call->seconds;
        s->paid += c->price;
    }
    if (c->call->start_ms < s->first_ms)
        s->first_ms = c->call->start_ms;
    if (c->call->start_ms > s->last_ms)
        s->last_ms = c->call->start_ms;
}

/* ---- habits --------------------------------------------------------------------------------- */

static struct habit *habit_slot(struct habit *habits, size_t size, uint32_t caller)
{
    size_t i = hash(caller, size);

    while (habits[i].weeks && habits[i].caller != caller)
        i = (i + 1) & (size - 1);
    return &habits[i];
}

static int habit_room(struct replay *r, struct fault *f)
{
    size_t size = r->size_habits ? 2 * r->size_habits : 256;
    struct habit *larger;

    if (r->n_habits < r->size_habits / 2)
        return 0;
    larger = calloc(size, sizeof(*larger));
    if (!larger)
        return fault_nomem(f);
    for (size_t i = 0; i < r->size_habits; i++)
        if (r->habits[i].weeks)
            *habit_slot(larger, size, r->habits[i].caller) = r->habits[i];
    free(r->habits);
    r->habits = larger;
    r->size_habits = size;
    return 0;
}

static int32_t week_of(int64_t ms)
{
    return (int32_t)((ms - MONDAY_MS + WEEK_MS) / WEEK_MS);
}

/* Within the room that was made. */
static void habit_add(struct replay *r, const struct call *call)
{
    int32_t week = week_of(call->start_ms);
    struct habit *h = habit_slot(r->habits, r->size_habits, call->caller);
    if (!h->weeks) {
        *h = (struct habit){.caller = call->caller, .top = week, .weeks = 1};
        r->n_habits++;
    } else if (week > h->top) {
        h->weeks = week - h->top < WEEKS ? h->weeks << (week - h->top) | 1 : 1;
        h->top = week;
    } else if (h->top - week < WEEKS) {
        h->weeks |= (unsigned __int128)1 << (h->top - week);
    }
}

bool replay_regular(const struct replay *r, uint32_t caller)
{
    int weeks = 0, all = 0;

    if (!r->n_habits)
        return false;
    const struct habit *h = habit_slot(r->habits, r->size_habits, caller);
    for (int i = 0; i < WEEKS; i++)
        if (h->weeks >> i & 1) {
            weeks++;
            all = i + 1;
        }
    all += h->weeks ? week_of(r->totals.last_ms) - h->top : 0;
    return weeks >= WEEKS_LEAST && 4 * weeks >= 3 * all;
}

/* ---- judging -------------------------------------------------------------------------------- */

static enum replay_fate fate_of(const struct call *call, const struct verdict *verdict)
{
    bool refused = call->end == CALL_REFUSED;

    if (verdict->action == VERDICT_ALLOW)
        return refused ? REPLAY_OPENED : REPLAY_PASSED;
    switch (verdict->reason) {
    case REASON_RESTRICTED:
    case REASON_MANDATORY: return refused ? REPLAY_REFUSED_THEN : REPLAY_REFUSED;
    case REASON_EMERGENCY:
    case REASON_INTERNAL:
    case REASON_UNRESTRICTED:
    case REASON_EXCEPTION:
    case REASON_HELP_LINE:
    case REASON_UNKNOWN_ACCOUNT:
    case REASON_SUSPENDED:
    case REASON_LOCKED:
    case REASON_STOPPED:
    case REASON_MALFORMED:
    case REASON_INVALID:
    case REASON_INCOMPLETE:
    case REASON_UNKNOWN_NUMBER:
    case REASON_NO_TARGET:
    case REASON_NO_AREA:
    case REASON_UNAVAILABLE: break;
    }
    return REPLAY_NO_NUMBER;
}

static void note_unpriced(struct replay *r, const struct number *number)
{
    char begin[REPLAY_UNPRICED_DIGITS + 1] = {0};

    if (!number->e164[0] || r->n_unpriced == REPLAY_UNPRICED_MAX)
        return;
    for (size_t i = 0; i < REPLAY_UNPRICED_DIGITS && number->e164[i + 1]; i++)
        begin[i] = number->e164[i + 1];
    for (size_t i = 0; i < r->n_unpriced; i++)
        if (strcmp(r->unpriced[i], begin) == 0)
            return;
    memcpy(r->unpriced[r->n_unpriced++], begin, sizeof(begin));
}

static void set_price(struct replay *r, struct replay_case *c)
{
    const struct number *number = c->number;

    if (!r->config.rates)
        return;
    if (number->e164[0])
        c->rate = rates_find(r->config.rates, span_of(number->e164));
    if (c->rate && c->call->end == CALL_ANSWERED)
        c->price = rate_charge(c->rate, c->call->seconds);
    if (!c->rate && c->fate == REPLAY_REFUSED && c->call->end == CALL_ANSWERED)
        note_unpriced(r, number);
}

int replay_add(struct replay *r, const struct call *call, const struct site *site,
               const struct decide_rules *rules, struct fault *f)
{
    const struct decide_question question = {
        .number = &r->number, .rules = rules, .site = site, .when = {.now = call->start_ms / 1000}};
    struct replay_case c = {.call = call, .number = &r->number, .verdict = &r->verdict};
    int err = 0;

    numbering_parse(site, call->dialled, &r->number);
    decide(&question, &r->verdict);
    c.fate = fate_of(call, &r->verdict);
    bool abroad = call->end == CALL_ANSWERED && r->number.target == CLASS_INTERNATIONAL;
    if (c.fate == REPLAY_REFUSED)
        err = sum_room(r, f);
    if (!err && abroad)
        err = habit_room(r, f);
    if (err)
        return err;
    if (c.fate == REPLAY_REFUSED || r->config.wanted >> c.fate & 1)
        set_price(r, &c);
    if (c.fate == REPLAY_REFUSED)
        sum_add(r, &c);
    if (abroad)
        habit_add(r, call);
    r->totals.calls[c.fate]++;
    if (call->start_ms < r->totals.first_ms)
        r->totals.first_ms = call->start_ms;
    if (call->start_ms > r->totals.last_ms)
        r->totals.last_ms = call->start_ms;
    return r->config.wanted >> c.fate & 1 ? r->config.take(r->config.arg, &c) : 0;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static int by_group(const void *one, const void *other)
{
    const struct replay_line *a = one, *b = other;

    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    return memcmp(a->country, b->country, sizeof(a->country));
}

static int by_weight(const void *one, const void *other)
{
    const struct replay_line *a = one, *b = other;

    if (a->seconds != b->seconds)
        return a->seconds > b->seconds ? -1 : 1;
    if (a->calls != b->calls)
        return a->calls > b->calls ? -1 : 1;
    return by_group(one, other);
}

static struct replay_line line_of(const struct replay *r, const struct sum *s, enum replay_by by)
{
    struct replay_line line = {.calls = s->calls,
                               .answered = s->answered,
                               .seconds = s->seconds,
                               .first_ms = s->first_ms,
                               .last_ms = s->last_ms};

    if (by == REPLAY_BY_CALLER)
        line.caller = s->caller;
    if (by == REPLAY_BY_COUNTRY)
        memcpy(line.country, s->country, sizeof(line.country));
    if (s->currency != NO_RATE) {
        line.paid[s->currency] = s->paid;
    } else if (r->config.rates) {
        line.unpriced = s->answered;
        line.unpriced_seconds = s->seconds;
    }
    return line;
}

static void merge(struct replay_line *into, const struct replay_line *from)
{
    into->calls += from->calls;
    into->answered += from->answered;
    into->seconds += from->seconds;
    into->unpriced += from->unpriced;
    into->unpriced_seconds += from->unpriced_seconds;
    if (from->first_ms < into->first_ms)
        into->first_ms = from->first_ms;
    if (from->last_ms > into->last_ms)
        into->last_ms = from->last_ms;
    for (size_t i = 0; i < RATES_CURRENCIES_MAX; i++)
        into->paid[i] += from->paid[i];
}

int replay_lines(struct replay *r, enum replay_by by, struct replay_line **out, size_t *n,
                 struct fault *f)
{
    struct replay_line *lines = calloc(r->n_sums + 1, sizeof(*lines));
    size_t filled = 0, kept = 0;

    if (!lines)
        return fault_nomem(f);
    for (size_t i = 0; i < r->size_sums; i++)
        if (r->sums[i].used)
            lines[filled++] = line_of(r, &r->sums[i], by);
    qsort(lines, filled, sizeof(*lines), by_group);
    for (size_t i = 0; i < filled; i++)
        if (kept && by_group(&lines[kept - 1], &lines[i]) == 0)
            merge(&lines[kept - 1], &lines[i]);
        else
            lines[kept++] = lines[i];
    if (by == REPLAY_BY_ALL)
        kept = 1; /* all zero, where nothing was refused */
    for (size_t i = 0; i < kept && by == REPLAY_BY_CALLER; i++)
        lines[i].regular = replay_regular(r, lines[i].caller);
    qsort(lines, kept, sizeof(*lines), by_weight);
    *out = lines;
    *n = kept;
    return 0;
}

size_t replay_unpriced(const struct replay *r, const char (**out)[REPLAY_UNPRICED_DIGITS + 1])
{
    *out = r->unpriced;
    return r->n_unpriced;
}
