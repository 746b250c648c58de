/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/requests.h"

#include "base/fault.h"
#include "base/pages.h"

#define SECOND INT64_C(1000000000)
#define WAIT_NS                                                                                    \
    (32 *                                                                                          \
     SECOND) /* timers B, F: RFC 3261 section 17.1. A repeated answer: timer J, and some more */

_Static_assert(REQUESTS_WAYS * sizeof(struct request) == 256, "four cache lines");
_Static_assert(REQUESTS_BUCKETS_MAX *REQUESTS_WAYS <= 1 << 20, "request.claim names any");

int requests_init(struct requests *q, size_t buckets)
{
    size_t n = buckets * REQUESTS_WAYS;

    *q = (struct requests){.buckets = buckets};
    if (!buckets || buckets > REQUESTS_BUCKETS_MAX)
        return ERR_RANGE;
    q->at = pages_new_present(n * sizeof(*q->at));
    q->claims = pages_new_present(n * sizeof(*q->claims));
    q->free = pages_new_present(n * sizeof(*q->free));
    if (!q->at || !q->claims || !q->free) {
        requests_done(q);
        return ERR_NOMEM;
    }
    for (size_t i = n; i-- > 0;)
        q->free[q->n_free++] = (uint32_t)i;
    return 0;
}

void requests_done(struct requests *q)
{
    size_t n = q->buckets * REQUESTS_WAYS;

    pages_free(q->at, n * sizeof(*q->at));
    pages_free(q->claims, n * sizeof(*q->claims));
    pages_free(q->free, n * sizeof(*q->free));
    *q = (struct requests){0};
}

int64_t request_kept_ns(const struct request *r)
{
    return r->state == REQUEST_GRANTED ? REQUEST_REPEAT_NS : WAIT_NS;
}

struct request *requests_find(const struct requests *q, uint64_t key, uint32_t branch,
                              int64_t boot_ns)
{
    struct request *ways = requests_bucket(q, key), *likely = NULL;

    for (size_t i = 0; i < REQUESTS_WAYS; i++) {
        struct request *r = &ways[i];

        if (r->state == REQUEST_FREE || r->key != key ||
            boot_ns - r->since_ns >= request_kept_ns(r))
            continue;
        if (r->branch == branch)
            return r;
        if ((!r->branch || !branch) && (!likely || r->state > likely->state))
            likely = r;
    }
    return likely;
}

/* Who sends many with one Call-ID and CSeq takes from himself. */
static bool gives_way(const struct request *a, const struct request *b, uint64_t key)
{
    bool own = a->key == key && request_is_waiting(a);
    bool other = b->key == key && request_is_waiting(b);

    if (own != other && a->state >= REQUEST_WAITING && b->state >= REQUEST_WAITING)
        return own;
    return a->state != b->state ? a->state < b->state : a->since_ns < b->since_ns;
}

struct request *requests_least(const struct requests *q, uint64_t key)
{
    struct request *ways = requests_bucket(q, key), *least = &ways[0];

    for (size_t i = 1; i < REQUESTS_WAYS; i++)
        if (gives_way(&ways[i], least, key))
            least = &ways[i];
    return least;
}

void requests_put(struct requests *q, struct request *r, const struct request *as,
                  const struct claim *claim)
{
    uint32_t own = request_has_claim(r) ? r->claim : q->free[--q->n_free];

    *r = *as;
    r->claim = own & 0xfffff;
    r->credentials = claim->credentials;
    r->sip = (uint32_t)claim->sip & 31;
    q->claims[own] = *claim;
}

void requests_enter(struct requests *q, struct request *r, enum request_state state)
{
    bool had = request_has_claim(r);

    r->state = (uint32_t)state & 7;
    if (had && !request_has_claim(r))
        q->free[q->n_free++] = r->claim;
}
