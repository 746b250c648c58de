/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/exempt.h"

#include <string.h>

int exempts_set(struct exempts *e, enum exempt why, const struct network *networks, size_t n,
                struct fault *f)
{
    size_t others = 0, kept = 0;

    for (size_t i = 0; i < e->n; i++)
        others += e->at[i].why != why;
    if (n > EXEMPT_MAX - others)
        return fault(f, ERR_RANGE,
                     "%zu networks that are never banned are too many; with the %zu others at most "
                     "%d are allowed",
                     n, others, EXEMPT_MAX);
    for (size_t i = 0; i < e->n; i++)
        if (e->at[i].why != why)
            e->at[kept++] = e->at[i];
    for (size_t i = 0; i < n; i++)
        e->at[kept++] = (struct exempt_network){networks[i], why};
    e->n = kept;
    return 0;
}

bool exempts_overlap(const struct network *a, const struct network *b)
{
    unsigned bits = a->bits < b->bits ? a->bits : b->bits;

    if (a->family != b->family || memcmp(a->ip, b->ip, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || ((a->ip[bits / 8] ^ b->ip[bits / 8]) & 0xff << (8 - bits % 8)) == 0;
}

/* What no router passes on, or nobody sends from. */
static const struct network always[] = {
    {4, 8, {127}},        {4, 16, {169, 254}}, {4, 8, {0}},           {4, 3, {224}},
    {6, 128, {[15] = 1}}, {6, 128, {0}},       {6, 10, {0xfe, 0x80}}, {6, 8, {0xff}},
};

enum exempt exempts_of(const struct exempts *e, const struct network *network)
{
    enum exempt found = EXEMPT_NONE;

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (exempts_overlap(&always[i], network))
            found = EXEMPT_NEVER_BAN;
    for (size_t i = 0; i < e->n && found != EXEMPT_TRUNK; i++)
        if (exempts_overlap(&e->at[i].network, network))
            found = e->at[i].why;
    return found;
}
