/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/repeats.h"

void repeats_begin(struct repeats *r)
{
    r->n = 0;
    r->due_ns = INT64_MAX;
}

static bool same(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == 6 ? 8 : 4) == 0;
}

/* Of the address, or one to be used for it. */
static struct repeat *find(struct repeats *r, const struct address *address)
{
    struct repeat *oldest = &r->at[0];

    for (size_t i = 0; i < r->n; i++) {
        if (same(&r->at[i].address, address))
            return &r->at[i];
        if (r->at[i].told_ns < oldest->told_ns)
            oldest = &r->at[i];
    }
    if (r->n < REPEATS_MAX)
        oldest = &r->at[r->n++];
    oldest->told_ns = INT64_MIN;
    oldest->untold = 0;
    return oldest;
}

bool repeats_count(struct repeats *r, const struct address *address, int64_t boot_ns)
{
    struct repeat *repeat = find(r, address);

    repeat->address = *address;
    if (repeat->told_ns != INT64_MIN && boot_ns - repeat->told_ns < REPEATS_QUIET_NS) {
        repeat->untold++;
        if (repeat->told_ns + REPEATS_QUIET_NS < r->due_ns)
            r->due_ns = repeat->told_ns + REPEATS_QUIET_NS;
        return false;
    }
    repeat->told_ns = boot_ns;
    return true;
}

bool repeats_due(struct repeats *r, int64_t boot_ns, struct address *address, uint64_t *times)
{
    if (boot_ns < r->due_ns)
        return false;
    r->due_ns = INT64_MAX;
    for (size_t i = 0; i < r->n; i++) {
        struct repeat *repeat = &r->at[i];
        int64_t due = repeat->untold ? repeat->told_ns + REPEATS_QUIET_NS : INT64_MAX;

        if (due <= boot_ns) {
            *address = repeat->address;
            *times = repeat->untold;
            repeat->untold = 0;
            repeat->told_ns = boot_ns;
            r->due_ns = boot_ns; /* there may be more */
            return true;
        }
        if (due < r->due_ns)
            r->due_ns = due;
    }
    return false;
}
