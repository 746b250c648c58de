/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/gates.h"

#include <stdlib.h>

#define GROUPS_MAX (33 + 129) /* lengths of IPv4 and IPv6 networks */

/* All networks of one length, longest first within a family. */
struct group {
    uint8_t family, bits;
    size_t first, n;
};

struct gates {
    size_t n_groups;
    struct group groups[GROUPS_MAX];
    struct gates_entry entries[]; /* by family, length (longest first), address */
};

static int compare(const void *a, const void *b)
{
    const struct network *x = &((const struct gates_entry *)a)->network;
    const struct network *y = &((const struct gates_entry *)b)->network;

    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    if (x->bits != y->bits)
        return x->bits > y->bits ? -1 : 1;
    return memcmp(x->ip, y->ip, sizeof(x->ip));
}

static void make_groups(struct gates *gates, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct network *net = &gates->entries[i].network;
        struct group *last = gates->n_groups ? &gates->groups[gates->n_groups - 1] : NULL;

        if (!last || last->family != net->family || last->bits != net->bits) {
            last = &gates->groups[gates->n_groups++];
            *last = (struct group){net->family, net->bits, i, 0};
        }
        last->n++;
    }
}

int gates_new(struct gates **out, const struct gates_entry *entries, size_t n, size_t *clash,
              size_t *with, struct fault *f)
{
    struct gates *gates = calloc(1, sizeof(*gates) + n * sizeof(*entries));

    if (!gates)
        return fault_nomem(f);
    if (n > 0)
        memcpy(gates->entries, entries, n * sizeof(*entries));
    qsort(gates->entries, n, sizeof(*entries), compare);
    for (size_t i = 1; i < n; i++)
        if (compare(&gates->entries[i - 1], &gates->entries[i]) == 0 &&
            gates->entries[i - 1].gate != gates->entries[i].gate) {
            char text[ADDRESS_TEXT_MAX];

            *clash = gates->entries[i - 1].gate;
            *with = gates->entries[i].gate;
            network_text(&gates->entries[i].network, text);
            gates_free(gates);
            return fault(f, ERR_EXISTS, "network %s belongs to two switches", text);
        }
    make_groups(gates, n);
    *out = gates;
    return 0;
}

void gates_free(struct gates *gates)
{
    free(gates);
}

size_t gates_networks(const struct gates *gates, struct network *out, size_t most)
{
    size_t n = 0;

    for (size_t g = 0; g < gates->n_groups; g++)
        for (size_t i = 0; i < gates->groups[g].n; i++, n++)
            if (n < most)
                out[n] = gates->entries[gates->groups[g].first + i].network;
    return n;
}

static void mask(uint8_t ip[16], unsigned bits)
{
    for (unsigned i = bits / 8; i < 16; i++)
        ip[i] &= i == bits / 8 ? (uint8_t)(0xff00 >> bits % 8) : 0;
}

bool gates_find(const struct gates *gates, const struct address *address, size_t *gate)
{
    for (size_t g = 0; g < gates->n_groups; g++) {
        const struct group *group = &gates->groups[g];
        struct gates_entry wanted = {.network = {group->family, group->bits, {0}}};
        const struct gates_entry *found;

        if (group->family != address->family)
            continue;
        memcpy(wanted.network.ip, address->ip, sizeof(address->ip));
        mask(wanted.network.ip, group->bits);
        found = bsearch(&wanted, &gates->entries[group->first], group->n, sizeof(wanted), compare);
        if (found) {
            *gate = found->gate;
            return true;
        }
    }
    return false;
}
