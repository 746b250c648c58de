/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/recent.h"

#include <string.h>

struct recent *recent_find(const struct table *table, uint64_t key, uint32_t t)
{
    struct recent *r = table_find(table, key);

    return r && r->until > t ? r : NULL;
}

static uint32_t left(const void *entry, const void *context)
{
    const struct recent *r = entry;
    uint32_t t = *(const uint32_t *)context;

    return r->until > t ? r->until - t : 0;
}

struct recent *recent_begin(struct table *table, uint64_t key, uint32_t t, uint32_t seconds)
{
    struct table_rank rank = {.weight = left, .context = &t, .newcomer = UINT32_MAX};
    struct recent *r = table_take(table, key, &rank);

    r->until = t + seconds;
    memset(r->n, 0, sizeof(r->n));
    return r;
}

bool recent_first(struct table *table, uint64_t key, uint32_t t, uint32_t seconds)
{
    if (recent_find(table, key, t))
        return false;
    recent_begin(table, key, t, seconds);
    return true;
}
