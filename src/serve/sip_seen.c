/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_seen.h"

#include <stddef.h>

/* Never used is older than anything. */
static int64_t age(const struct sip_seen *seen, size_t slot, int64_t now_ns)
{
    return seen->slots[slot].hash ? now_ns - seen->slots[slot].at_ns : INT64_MAX;
}

static size_t first_of(uint64_t hash)
{
    return hash % (SIP_SEEN_SLOTS / SIP_SEEN_WAYS) * SIP_SEEN_WAYS;
}

/* A load, and no prefetch: policy/snapshot.c says why. */
void sip_seen_touch(const struct sip_seen *seen, uint64_t hash)
{
    uint64_t there = seen->slots[first_of(hash)].hash;

    __asm__ volatile("" : : "r"(there));
}

bool sip_seen(struct sip_seen *seen, uint64_t hash, int64_t now_ns)
{
    size_t first = first_of(hash), place = first;

    for (size_t i = first; i < first + SIP_SEEN_WAYS; i++) {
        if (seen->slots[i].hash == hash && age(seen, i, now_ns) < SIP_SEEN_NS)
            return true;
        if (age(seen, i, now_ns) > age(seen, place, now_ns))
            place = i;
    }
    seen->slots[place].hash = hash;
    seen->slots[place].at_ns = now_ns;
    return false;
}
