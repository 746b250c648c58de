/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/known_good.h"

#include <string.h>

#include "base/pages.h"

#define GOOD_MAX 8

int known_good_init(struct known_good *g, size_t bytes, const struct guard_limits *limits,
                    const struct keys *keys, struct table *homes)
{
    size_t buckets = bytes / (PAIR_WAYS * sizeof(struct pair));

    *g = (struct known_good){.buckets = buckets == 0 ? 1 : (uint32_t)buckets,
                             .limits = limits,
                             .keys = keys,
                             .homes = homes};
    g->at = pages_new(known_good_bytes(g));
    return g->at ? 0 : ERR_NOMEM;
}

void known_good_free(struct known_good *g)
{
    pages_free(g->at, known_good_bytes(g));
    g->at = NULL;
}

void known_good_present(struct known_good *g)
{
    pages_present(g->at, known_good_bytes(g));
}

size_t known_good_bytes(const struct known_good *g)
{
    return (size_t)g->buckets * PAIR_WAYS * sizeof(struct pair);
}

static struct pair *bucket_of(const struct known_good *g, uint64_t account)
{
    return &g->at[((account >> 32) * g->buckets >> 32) * PAIR_WAYS];
}

static bool is(const struct pair *p, uint64_t account, const struct network *home)
{
    return p->account == account && p->family == home->family &&
           memcmp(p->ip, home->ip, sizeof(p->ip)) == 0;
}

static bool over(const struct known_good *g, const struct pair *p, uint16_t day)
{
    return day > p->last_day && day - p->last_day > (int)g->limits->good_idle_days;
}

struct network pair_home(const struct pair *p)
{
    struct network home = {.family = p->family, .bits = p->family == 4 ? 32 : 64};

    memcpy(home.ip, p->ip, sizeof(p->ip));
    return home;
}

static bool around(const struct network *home, struct network *net48)
{
    *net48 = *home;
    net48->bits = 48;
    net48->ip[6] = net48->ip[7] = 0;
    return home->family == 6;
}

static bool make_good(struct known_good *g, struct pair *p, bool one_more, uint32_t t)
{
    struct network home = pair_home(p), net48;
    uint32_t idle = g->limits->good_idle_days;

    if (!homes_good(g->homes, g->keys, &home, p->last_day, idle, one_more, t))
        return false;
    if (around(&home, &net48) &&
        !homes_good(g->homes, g->keys, &net48, p->last_day, idle, one_more, t)) {
        homes_not_good(g->homes, g->keys, &home);
        return false;
    }
    return true;
}

static void drop(struct known_good *g, struct pair *p)
{
    struct network home = pair_home(p), net48;

    if (p->good) {
        homes_not_good(g->homes, g->keys, &home);
        if (around(&home, &net48))
            homes_not_good(g->homes, g->keys, &net48);
    }
    *p = (struct pair){0};
}

static struct pair *at(const struct known_good *g, uint64_t account, const struct network *home)
{
    struct pair *p = bucket_of(g, account);

    for (int i = 0; i < PAIR_WAYS; i++, p++)
        if (is(p, account, home))
            return p;
    return NULL;
}

struct pair *known_good_find(const struct known_good *g, uint64_t account,
                             const struct network *home, uint16_t day)
{
    struct pair *p = at(g, account, home);

    return p && !over(g, p, day) ? p : NULL;
}

bool known_good_is(const struct known_good *g, uint64_t account, const struct network *home,
                   uint16_t day)
{
    const struct pair *p = home->family ? known_good_find(g, account, home, day) : NULL;

    return p && p->good;
}

bool known_good_familiar(const struct known_good *g, uint64_t account, const struct network *home,
                         uint16_t day)
{
    const struct pair *p = home->family ? known_good_find(g, account, home, day) : NULL;

    return p && p->days > 0 && day >= p->taint_until;
}

size_t known_good_list(const struct known_good *g, uint64_t account, uint16_t day,
                       struct network *out)
{
    const struct pair *p = bucket_of(g, account);
    size_t n = 0;

    for (int i = 0; i < PAIR_WAYS && n < GOOD_MAX; i++, p++)
        if (p->account == account && p->good && !over(g, p, day)) {
            if (out)
                out[n] = pair_home(p);
            n++;
        }
    return n;
}

bool known_good_has(const struct known_good *g, uint64_t account, uint16_t day)
{
    const struct pair *p = bucket_of(g, account);

    for (int i = 0; i < PAIR_WAYS; i++, p++)
        if (p->account == account && !over(g, p, day))
            return true;
    return false;
}

static bool older(const struct pair *p, const struct pair *than)
{
    return !than || p->last_day < than->last_day;
}

/* A free slot; else the account's own oldest candidate, when it has too many; else anybody's. */
static struct pair *place(struct known_good *g, uint64_t account, uint16_t day)
{
    struct pair *p = bucket_of(g, account), *own = NULL, *any = NULL, *empty = NULL;
    int candidates = 0;

    for (int i = 0; i < PAIR_WAYS; i++, p++) {
        if (p->account && over(g, p, day))
            drop(g, p);
        if (!p->account) {
            empty = p;
            continue;
        }
        if (p->good)
            continue;
        any = older(p, any) ? p : any;
        if (p->account == account) {
            own = older(p, own) ? p : own;
            candidates++;
        }
    }
    if (candidates >= PAIR_CANDIDATES)
        empty = own;
    else if (!empty)
        empty = any;
    if (empty)
        *empty = (struct pair){0};
    return empty;
}

static struct pair *begin(struct known_good *g, uint64_t account, const struct network *home,
                          uint16_t day)
{
    struct pair *p = place(g, account, day);

    if (!p)
        return NULL;
    p->account = account;
    p->family = home->family;
    memcpy(p->ip, home->ip, sizeof(p->ip));
    p->first_day = p->last_day = day;
    return p;
}

bool known_good_success(struct known_good *g, uint64_t account, const struct network *home,
                        uint16_t day, enum success success, uint32_t t)
{
    struct pair *p = at(g, account, home);
    bool new_day;

    if (p && over(g, p, day))
        drop(g, p);
    if (!p || !p->account)
        p = begin(g, account, home, day);
    if (!p)
        return false;
    if (success == SUCCESS_TAINTED && !p->good) {
        p->days = 0;
        p->taint_until = (uint16_t)(day + g->limits->taint_days);
    }
    new_day = day > p->last_day || p->days == 0;
    if (success == SUCCESS_CLEAN || p->good || p->days == 0)
        p->last_day = day > p->last_day ? day : p->last_day;
    if (!new_day || success != SUCCESS_CLEAN || (day < p->taint_until && !p->good))
        return false;
    p->days += p->days < UINT8_MAX;
    if (p->good) {
        make_good(g, p, false, t);
        return false;
    }
    if (p->days < g->limits->good_days || known_good_list(g, account, day, NULL) >= GOOD_MAX)
        return false;
    p->good = make_good(g, p, true, t);
    return p->good;
}

bool known_good_forget(struct known_good *g, uint64_t account, const struct network *home)
{
    struct pair *p = at(g, account, home);

    if (p)
        drop(g, p);
    return p != NULL;
}

bool known_good_restore(struct known_good *g, const struct pair *pair, uint32_t t)
{
    struct network home = pair_home(pair);
    struct pair *p;

    known_good_forget(g, pair->account, &home);
    p = place(g, pair->account, pair->last_day);
    if (!p)
        return false;
    *p = *pair;
    p->good = pair->good && make_good(g, p, true, t);
    return true;
}

void known_good_sweep(struct known_good *g, uint16_t day, uint32_t buckets)
{
    for (; buckets > 0; buckets--) {
        struct pair *p = &g->at[(size_t)g->swept * PAIR_WAYS];

        for (int i = 0; i < PAIR_WAYS; i++, p++)
            if (p->account && over(g, p, day))
                drop(g, p);
        g->swept = g->swept + 1 < g->buckets ? g->swept + 1 : 0;
    }
}
