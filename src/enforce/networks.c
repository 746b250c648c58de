/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/networks.h"

static unsigned width(uint8_t family)
{
    return family == 4 ? 32 : 128;
}

/* The last address of the network. */
static void last_of(const struct network *network, uint8_t last[16])
{
    memcpy(last, network->ip, 16);
    for (unsigned bit = network->bits; bit < width(network->family); bit++)
        last[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
}

/* One more; false where that would leave the family's addresses. */
static bool step(uint8_t ip[16], uint8_t family)
{
    for (unsigned i = width(family) / 8; i-- > 0;)
        if (++ip[i])
            return true;
    return false;
}

static void step_back(uint8_t ip[16], uint8_t family)
{
    for (unsigned i = width(family) / 8; i-- > 0;)
        if (ip[i]--)
            return;
}

static int order(const struct network *a, const struct network *b)
{
    int by_ip = memcmp(a->ip, b->ip, sizeof(a->ip));

    return by_ip ? by_ip : (int)a->bits - (int)b->bits;
}

/* Where the network stands, or would. */
static size_t place(const struct networks *list, const struct network *network)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (order(&list->of[middle].network, network) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int networks_add(struct networks *list, const struct network *network, int64_t end_ms)
{
    size_t at = place(list, network);

    if (at < list->n && order(&list->of[at].network, network) == 0) {
        list->of[at].end_ms = end_ms;
        return 0;
    }
    if (list->n == NETWORKS_MAX)
        return ERR_FULL;
    memmove(list->of + at + 1, list->of + at, (list->n - at) * sizeof(list->of[0]));
    list->of[at] = (struct networks_entry){*network, end_ms};
    list->n++;
    return 0;
}

bool networks_remove(struct networks *list, const struct network *network)
{
    size_t at = place(list, network);

    if (at == list->n || order(&list->of[at].network, network) != 0)
        return false;
    list->n--;
    memmove(list->of + at, list->of + at + 1, (list->n - at) * sizeof(list->of[0]));
    return true;
}

bool networks_expire(struct networks *list, int64_t now_ms)
{
    size_t kept = 0, before = list->n;

    for (size_t i = 0; i < list->n; i++)
        if (list->of[i].end_ms > now_ms)
            list->of[kept++] = list->of[i];
    list->n = kept;
    return kept < before;
}

static bool within(const struct network *outer, const struct network *inner)
{
    struct address first = {.family = inner->family};

    memcpy(first.ip, inner->ip, sizeof(first.ip));
    return outer->bits <= inner->bits && network_has(outer, &first);
}

bool networks_cover(const struct networks *list, const struct network *network)
{
    for (size_t i = 0; i < list->n; i++)
        if (within(&list->of[i].network, network))
            return true;
    return false;
}

/* The networks that cover the point where drawing has come to, the widest first. Two networks are apart or
 * one lies in the other, so that they open and close like brackets. */
struct pen {
    uint8_t family;
    unsigned depth;
    struct {
        uint8_t last[16];
        int64_t end_ms; /* the longest of this one and those around it */
    } open[129];
    uint8_t at[16]; /* drawn up to here, exclusive */
    bool past;      /* the last address of all is drawn: `at` means nothing */
    struct networks_range *out;
    size_t n;
};

/* Draws from where the pen is to `last`, if there is anything between. */
static void draw_to(struct pen *pen, const uint8_t last[16])
{
    int64_t end_ms = pen->open[pen->depth - 1].end_ms;

    if (pen->past || memcmp(pen->at, last, 16) > 0)
        return;
    if (pen->n && pen->out[pen->n - 1].end_ms == end_ms) {
        uint8_t next[16];

        memcpy(next, pen->out[pen->n - 1].last, 16);
        if (step(next, pen->family) && memcmp(next, pen->at, 16) == 0) {
            memcpy(pen->out[pen->n - 1].last, last, 16);
            return;
        }
    }
    struct networks_range *range = &pen->out[pen->n++];

    memcpy(range->first, pen->at, 16);
    memcpy(range->last, last, 16);
    range->end_ms = end_ms;
}

/* Closes the innermost network. */
static void close_one(struct pen *pen)
{
    const uint8_t *last = pen->open[pen->depth - 1].last;

    draw_to(pen, last);
    if (!pen->past && memcmp(pen->at, last, 16) <= 0) {
        memcpy(pen->at, last, 16);
        pen->past = !step(pen->at, pen->family);
    }
    pen->depth--;
}

size_t networks_draw(const struct networks *list, struct networks_range *out)
{
    struct pen pen = {.out = out};

    for (size_t i = 0; i < list->n; i++) {
        const struct networks_entry *entry = &list->of[i];

        pen.family = entry->network.family;
        while (pen.depth && memcmp(pen.open[pen.depth - 1].last, entry->network.ip, 16) < 0)
            close_one(&pen);
        int64_t end_ms = entry->end_ms;

        if (pen.depth) {
            uint8_t before[16];

            /* What the outer one has to itself before this one begins. */
            if (memcmp(pen.at, entry->network.ip, 16) < 0) {
                memcpy(before, entry->network.ip, 16);
                step_back(before, pen.family);
                draw_to(&pen, before);
            }
            if (pen.open[pen.depth - 1].end_ms > end_ms)
                end_ms = pen.open[pen.depth - 1].end_ms;
        }
        memcpy(pen.at, entry->network.ip, 16);
        last_of(&entry->network, pen.open[pen.depth].last);
        pen.open[pen.depth++].end_ms = end_ms;
    }
    while (pen.depth)
        close_one(&pen);
    return pen.n;
}

int networks_add_range(struct networks *list, uint8_t family, const struct networks_range *range)
{
    struct network network = {.family = family};
    uint8_t last[16];

    memcpy(network.ip, range->first, 16);
    for (;;) {
        /* The widest network that begins here and does not go too far. */
        for (network.bits = 0; network.bits < width(family); network.bits++) {
            struct network wider = network;

            for (unsigned bit = network.bits; bit < width(family); bit++)
                wider.ip[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
            last_of(&network, last);
            if (memcmp(wider.ip, network.ip, 16) == 0 && memcmp(last, range->last, 16) <= 0)
                break;
        }
        last_of(&network, last);
        int err = networks_add(list, &network, range->end_ms);

        if (err)
            return err;
        if (memcmp(last, range->last, 16) >= 0)
            return 0;
        memcpy(network.ip, last, 16);
        if (!step(network.ip, family))
            return 0;
    }
}
