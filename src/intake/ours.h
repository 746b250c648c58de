/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_OURS_H
#define SEKISHO_INTAKE_OURS_H

#include "intake/exchange.h"

/*
 * Which addresses are the switch's, and so which way a message goes. Pure.
 *
 * Between two addresses of ours (a softphone on the same machine) a request goes in and a reply out.
 */
#define OURS_MAX 64

struct ours {
    size_t n;
    struct network networks[OURS_MAX];
};

/* False when there is no room. */
bool ours_add(struct ours *ours, const struct network *network);
bool ours_has(const struct ours *ours, const struct address *address);

/* PASSING where neither is ours. */
enum exchange_way ours_way(const struct ours *ours, const struct address *from,
                           const struct address *to, struct span bytes);

#endif
