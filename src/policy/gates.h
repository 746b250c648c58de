/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_GATES_H
#define SEKISHO_POLICY_GATES_H

#include "base/address.h"

/* Which switch an address belongs to: the one with the longest network that has it. Immutable; at
 * most one binary search for each length of network that occurs. */
struct gates;

struct gates_entry {
    struct network network;
    size_t gate; /* the caller's number of the switch */
};

/* Copies. The same network for the same switch twice is fine; for two switches it is ERR_EXISTS, and
 * `*clash` and `*with` tell which. */
int gates_new(struct gates **out, const struct gates_entry *entries, size_t n, size_t *clash,
              size_t *with, struct fault *f);
void gates_free(struct gates *gates);

/* Copies up to `most` of the networks; returns how many there are. */
size_t gates_networks(const struct gates *gates, struct network *out, size_t most);

bool gates_find(const struct gates *gates, const struct address *address, size_t *gate);

#endif
