/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_PACK_H
#define SEKISHO_LEDGER_PACK_H

#include "base/buf.h"
#include "base/fault.h"
#include "ledger/call.h"

/*
 * Calls laid into bytes: how they are kept, a few thousand to one row of the database, about 20 bytes each.
 *
 *     version   1 byte, 1
 *     calls     varint
 *     each call:
 *       start     zigzag varint, milliseconds after the call before (the first: after 1970)
 *       caller    varint
 *       end       varint: seconds << 2 | end
 *       key       8 bytes, little endian
 *       dialled   1 byte, then its bytes: below 0x80 a length, two symbols of 0123456789*#+ to a byte,
 *                 the first in the high half, the last low half 0xf where the length is odd; else
 *                 0x80 | length, as they are
 *
 * A varint has seven bits to a byte, the lowest first, the highest bit set on all but the last (at most 10).
 */
#define PACK_CALLS_MAX 8192

struct pack {
    struct buf bytes;
    size_t n;
    int64_t last_ms;
};

/* Adds a call; `pack` begins zeroed. ERR_FULL: it has PACK_CALLS_MAX; ERR_RANGE: outside what call.h allows;
 * ERR_NOMEM. It is as it was then. */
int pack_add(struct pack *pack, const struct call *call);

/* Writes the bytes of all that was added behind `out` (check out->failed), and is empty again. */
void pack_close(struct pack *pack, struct buf *out);
void pack_free(struct pack *pack);

struct pack_reader {
    struct span left;
    size_t calls; /* that are still to come */
    int64_t last_ms;
    char dialled[CALL_DIALLED_MAX];
};

/* `bytes` outlive the reader. ERR_CORRUPT: they are not what pack_close() writes. */
int pack_open(struct pack_reader *reader, struct span bytes, struct fault *f);

/* 1: the next call stands in `call`, its dialled string until the next one is read; 0: there are no more;
 * ERR_CORRUPT. */
int pack_next(struct pack_reader *reader, struct call *call, struct fault *f);

#endif
