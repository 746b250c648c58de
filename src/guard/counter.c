/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/counter.h"

static uint32_t part_of(uint32_t t, uint32_t window)
{
    return t / (window / COUNTER_PARTS);
}

static uint32_t aged(uint32_t seen, uint32_t parts)
{
    return parts < COUNTER_PARTS ? seen << 8 * parts : 0;
}

uint32_t counter_sum(uint32_t parts)
{
    return (parts & 0xff) + (parts >> 8 & 0xff) + (parts >> 16 & 0xff) + (parts >> 24);
}

static void roll(struct counter *c, uint32_t t, uint32_t window)
{
    uint32_t part = part_of(t, window);

    if (part == c->part)
        return;
    for (int i = 0; i < WITNESSES; i++)
        c->seen[i] = aged(c->seen[i], part - c->part);
    c->part = part;
}

void counter_add(struct counter *c, uint32_t t, uint32_t window, enum witness witness)
{
    roll(c, t, window);
    if ((c->seen[witness] & 0xff) != 0xff)
        c->seen[witness]++;
}

void counter_set(struct counter *c, uint32_t t, uint32_t window, enum witness witness,
                 uint32_t parts)
{
    roll(c, t, window);
    c->seen[witness] = parts;
}

uint32_t counter_parts(const struct counter *c, uint32_t t, uint32_t window, enum witness witness)
{
    return aged(c->seen[witness], part_of(t, window) - c->part);
}

uint32_t counter_since(const struct counter *c, uint32_t t, uint32_t window, enum witness witness,
                       uint32_t since)
{
    uint32_t parts = part_of(t, window) - part_of(since, window);
    uint32_t seen = counter_parts(c, t, window, witness);

    return counter_sum(parts < COUNTER_PARTS ? seen & ((1u << 8 * parts) - 1) : seen);
}

uint32_t counter_of(const struct counter *c, uint32_t t, uint32_t window, enum witness witness)
{
    return counter_sum(counter_parts(c, t, window, witness));
}

uint32_t counter_most(const struct counter *c, uint32_t t, uint32_t window)
{
    uint32_t most = 0;

    for (int i = 0; i < WITNESSES; i++) {
        uint32_t count = counter_of(c, t, window, (enum witness)i);

        most = count > most ? count : most;
    }
    return most;
}
