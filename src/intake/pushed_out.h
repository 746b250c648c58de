/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_PUSHED_OUT_H
#define SEKISHO_INTAKE_PUSHED_OUT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Keys of requests with credentials that a flood has pushed out: a switch may still answer them, or repeat its answer,
 * to whatever comes in their place. Each is remembered for `seconds` at least and twice that at most. A key that was never
 * noted may be taken for one that was, the more often the more are noted; never the other way round. 128 KiB.
 */
#define PUSHED_OUT_BITS (UINT32_C(1) << 19)

struct pushed_out {
    uint64_t bits[2][PUSHED_OUT_BITS / 64];
    int64_t since_ns[2]; /* when each was begun */
    int now;
};

/* Zeroed memory holds none. `key` is a keyed hash. */
void pushed_out_note(struct pushed_out *out, uint64_t key, int64_t boot_ns, int64_t kept_ns);
bool pushed_out_has(const struct pushed_out *out, uint64_t key, int64_t boot_ns, int64_t kept_ns);

#endif
