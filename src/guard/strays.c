/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/strays.h"

#include <string.h>

static uint64_t key_of(const struct keys *keys, const struct network *home, bool observed)
{
    return keys_network(keys, home, observed ? 'S' : 's');
}

struct past {
    uint32_t t, window;
};

static uint32_t accounts(const struct stray *stray)
{
    uint32_t n = 0;

    for (int i = 0; i < STRAY_WORDS; i++)
        n += (uint32_t)__builtin_popcountll(stray->account[i]);
    return n;
}

static uint32_t weight(const void *entry, const void *context)
{
    const struct stray *stray = entry;
    const struct past *past = context;

    return past->t - stray->since < past->window ? accounts(stray) : 0;
}

uint32_t strays_add(struct table *strays, const struct keys *keys, const struct network *home,
                    bool observed, uint64_t account, uint32_t t, uint32_t window)
{
    struct past past = {t, window};
    struct table_rank rank = {.weight = weight, .context = &past, .newcomer = 2};
    struct stray *stray = table_take(strays, key_of(keys, home, observed), &rank);

    if (!stray)
        return 0;
    if (!accounts(stray) || t - stray->since >= window) {
        memset(stray->account, 0, sizeof(stray->account));
        stray->since = t;
    }
    stray->account[account / 64 % STRAY_WORDS] |= UINT64_C(1) << account % 64;
    return accounts(stray);
}

void strays_forget(struct table *strays, const struct keys *keys, const struct network *home,
                   bool observed)
{
    struct stray *stray = table_find(strays, key_of(keys, home, observed));

    if (stray)
        table_drop(strays, stray);
}
