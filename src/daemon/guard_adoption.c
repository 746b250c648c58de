/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_adoption.h"

#include <stdlib.h>

/* The guard ends its bans by whole seconds: what is about to end may have ended there. */
#define ENDING_MS 2000

struct adoption {
    struct network *forbidden;
    size_t n, cap;
    bool sorted, failed;
};

int adoption_new(struct adoption **out, struct fault *f)
{
    struct adoption *a = calloc(1, sizeof(*a));

    if (!a)
        return fault_nomem(f);
    *out = a;
    return 0;
}

void adoption_free(struct adoption *a)
{
    if (!a)
        return;
    free(a->forbidden);
    free(a);
}

int adoption_forbid(struct adoption *a, const struct network *network, struct fault *f)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 64;
        struct network *more = realloc(a->forbidden, cap * sizeof(*more));

        if (!more) {
            a->failed = true;
            return fault_nomem(f);
        }
        a->forbidden = more;
        a->cap = cap;
    }
    a->forbidden[a->n++] = *network;
    a->sorted = false;
    return 0;
}

/* Networks have no bits behind their prefix and no holes between their members. */
static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct network));
}

static bool is_forbidden(struct adoption *a, const struct network *network)
{
    if (!a->n)
        return false;
    if (!a->sorted)
        qsort(a->forbidden, a->n, sizeof(*a->forbidden), compare);
    a->sorted = true;
    return bsearch(network, a->forbidden, a->n, sizeof(*a->forbidden), compare) != NULL;
}

bool adoption_take(struct adoption *a, struct guard *guard, struct instant now,
                   const struct enforce_ban *held, enum enforce_scope scope)
{
    uint64_t left_s = (held->left_ms + 999) / 1000;
    bool quench = held->scope == ENFORCE_SIP && scope != ENFORCE_SIP;

    if (held->left_ms < ENDING_MS || left_s > UINT32_MAX || a->failed ||
        is_forbidden(a, &held->network))
        return false;
    return guard_adopt(guard, now, &held->network, quench, (uint32_t)left_s, NULL) == 0;
}
