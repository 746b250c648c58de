/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_FRAGMENTS_H
#define SEKISHO_INTAKE_FRAGMENTS_H

#include "base/address.h"

/*
 * Puts IP fragments together (RFC 791, RFC 8200 section 4.5), as Linux does: a fragment that overlaps another one
 * and is not the same range ends the datagram, after 30 s it is given up. Memory is taken once.
 *
 * At most FRAGMENTS_KEPT bytes of a datagram are kept; a longer one is whole when all of its bytes have come, and
 * is given cut. Less would not do: switches take a header of 60 KiB, and its end holds the credentials. Slots are found by a keyed hash of the source, so that
 * one source fills its own bucket alone. Where that is full the oldest gives way, and what it holds from its first
 * byte on is given away too: whoever fills the table hides nothing that began with the first fragment. Pure.
 */
#define FRAGMENTS_KEPT 65528
#define FRAGMENTS_WAYS 4

struct fragments;

struct fragment {
    struct address from, to; /* ports are 0 */
    uint32_t id;
    uint8_t protocol;
    uint16_t offset; /* bytes; a multiple of 8 */
    bool more;       /* not the last one */
    struct span bytes;
};

struct fragments_whole {
    struct address from, to;
    uint8_t protocol;
    struct span bytes; /* from the IP payload's first on; until the next call */
    bool cut;          /* there was more */
};

struct fragments_figures {
    uint64_t seen, whole;
    uint64_t overlapping; /* datagrams that were dropped for it */
    uint64_t pushed_out;  /* incomplete when another one took their place */
    uint64_t given_up;    /* incomplete after 30 s */
};

/* `buckets` of FRAGMENTS_WAYS, each way about 18 KiB. NULL without memory. Takes a copy of the key. */
struct fragments *fragments_new(size_t buckets, const uint8_t key[16]);
void fragments_free(struct fragments *fragments);

/*
 * One more. Returns how many datagrams `out` has now: one that is whole, and before it one that was pushed
 * out, if the first part of that is there. ERR_SYNTAX for a fragment that cannot be: an empty one, one that
 * is not the last and no multiple of 8 long, one that reaches beyond 65,535.
 */
int fragments_take(struct fragments *fragments, const struct fragment *fragment, int64_t boot_ns,
                   struct fragments_whole out[2]);

const struct fragments_figures *fragments_figures(const struct fragments *fragments);

#endif
