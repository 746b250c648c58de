/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/homes.h"

#define QUARTER_S 900u
#define GOOD_WEIGHT 0x10000u

static uint64_t key_of(const struct keys *keys, const struct network *network)
{
    return keys_network(keys, network, 'h');
}

static uint16_t quarter_of(uint32_t t)
{
    return (uint16_t)(t / QUARTER_S);
}

static bool carried(const struct home *home, int i, uint32_t t)
{
    return home->quarter[i] &&
           (uint16_t)(quarter_of(t) - home->quarter[i]) <= HOME_CARRIES_S / QUARTER_S;
}

const struct home *homes_find(const struct table *homes, const struct keys *keys,
                              const struct network *network)
{
    return table_find(homes, key_of(keys, network));
}

static uint32_t weight(const void *entry, const void *context)
{
    const struct home *home = entry;
    uint32_t t = *(const uint32_t *)context;

    if (home->good)
        return GOOD_WEIGHT + home->good;
    for (int i = 0; i < HOME_ACCOUNTS; i++)
        if (carried(home, i, t))
            return 1;
    return 0;
}

void homes_carry(struct table *homes, const struct keys *keys, const struct network *network,
                 uint64_t account, uint32_t t)
{
    struct table_rank rank = {.weight = weight, .context = &t};
    struct home *home = table_take(homes, key_of(keys, network), &rank);
    uint32_t part = (uint32_t)account;
    int oldest = 0;

    if (!home)
        return;
    for (int i = 0; i < HOME_ACCOUNTS; i++) {
        if (carried(home, i, t) && home->account[i] == part) {
            oldest = i;
            break;
        }
        if (!carried(home, i, t) ||
            (carried(home, oldest, t) && (uint16_t)(quarter_of(t) - home->quarter[i]) >
                                             (uint16_t)(quarter_of(t) - home->quarter[oldest])))
            oldest = i;
    }
    home->account[oldest] = part;
    home->quarter[oldest] = quarter_of(t) ? quarter_of(t) : 1;
}

bool homes_good(struct table *homes, const struct keys *keys, const struct network *network,
                uint16_t day, uint32_t idle_days, bool one_more, uint32_t t)
{
    struct table_rank rank = {.weight = weight, .context = &t, .newcomer = 2};
    struct home *home = table_take(homes, key_of(keys, network), &rank);

    if (!home)
        return false;
    home->good += one_more || home->good == 0;
    home->good_day = day;
    home->idle_days = (uint16_t)idle_days;
    return true;
}

void homes_not_good(struct table *homes, const struct keys *keys, const struct network *network)
{
    struct home *home = table_find(homes, key_of(keys, network));

    if (home && home->good)
        home->good--;
}

bool home_is_good(const struct home *home, uint16_t day)
{
    return home && home->good && (day < home->good_day || day - home->good_day <= home->idle_days);
}

uint32_t home_carries(const struct home *home, uint64_t but, uint32_t t)
{
    uint32_t n = 0;

    for (int i = 0; home && i < HOME_ACCOUNTS; i++)
        n += carried(home, i, t) && home->account[i] != (uint32_t)but;
    return n;
}
