/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/ours.h"

bool ours_add(struct ours *ours, const struct network *network)
{
    if (ours->n == OURS_MAX)
        return false;
    ours->networks[ours->n++] = *network;
    return true;
}

bool ours_has(const struct ours *ours, const struct address *address)
{
    for (size_t i = 0; i < ours->n; i++)
        if (network_has(&ours->networks[i], address))
            return true;
    return false;
}

enum exchange_way ours_way(const struct ours *ours, const struct address *from,
                           const struct address *to, struct span bytes)
{
    bool is_from = ours_has(ours, from), is_to = ours_has(ours, to);

    if (is_from && is_to)
        return span_starts(bytes, SPAN("SIP/")) ? EXCHANGE_OUT : EXCHANGE_IN;
    return is_to ? EXCHANGE_IN : is_from ? EXCHANGE_OUT : EXCHANGE_PASSING;
}
