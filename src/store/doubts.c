/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/doubts.h"

#include <stdlib.h>

#define BITS (8 * sizeof(((struct doubts *)NULL)->some))

static int add(struct doubts *doubts, const struct doubt *doubt, struct fault *f)
{
    if (doubts->n == doubts->cap) {
        size_t cap = doubts->cap ? 2 * doubts->cap : 64;
        struct doubt *more = realloc(doubts->at, cap * sizeof(*more));

        if (!more)
            return fault_nomem(f);
        doubts->at = more;
        doubts->cap = cap;
    }
    doubts->at[doubts->n++] = *doubt;
    doubts->some[doubt->caller % BITS / 8] |= (uint8_t)(1u << doubt->caller % 8);
    return 0;
}

int doubts_load(struct doubts *doubts, struct db *db, struct fault *f)
{
    struct query q;
    int err =
        query_start(&q, db,
                    "SELECT c.id AS caller, d.country, d.since, d.until FROM disowned d"
                    " JOIN callers c ON c.switch = d.switch AND c.name = d.name UNION ALL"
                    " SELECT c.id, '', a.since, a.until FROM attacks a"
                    " JOIN callers c ON c.switch = a.switch AND c.name = a.name ORDER BY caller",
                    NULL, 0, f);

    doubts->n = 0;
    memset(doubts->some, 0, sizeof(doubts->some));
    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        struct doubt doubt = {.caller = (uint32_t)query_int(&q, 0),
                              .since_ms = query_int(&q, 2),
                              .until_ms = query_int(&q, 3)};
        struct span country = query_text(&q, 1);

        if (country.n && country.n < sizeof(doubt.country))
            memcpy(doubt.country, country.p, country.n);
        err = add(doubts, &doubt, f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

void doubts_free(struct doubts *doubts)
{
    free(doubts->at);
    *doubts = (struct doubts){0};
}

/* The first of a caller, or where it would be. */
static size_t first_of(const struct doubts *doubts, uint32_t caller)
{
    size_t low = 0, high = doubts->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (doubts->at[mid].caller < caller)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool doubts_cover(const struct doubts *doubts, const struct call *call, struct span country)
{
    if (!(doubts->some[call->caller % BITS / 8] & 1u << call->caller % 8))
        return false;
    for (size_t i = first_of(doubts, call->caller);
         i < doubts->n && doubts->at[i].caller == call->caller; i++) {
        const struct doubt *d = &doubts->at[i];

        if (call->start_ms >= d->since_ms && call->start_ms < d->until_ms &&
            (!d->country[0] || span_is(country, d->country)))
            return true;
    }
    return false;
}
