/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/pushed_out.h"

#include <string.h>

/* The upper half: the lower has chosen the bucket that it was pushed out of. */
static uint32_t bit_of(uint64_t key)
{
    return (uint32_t)(key >> 32) % PUSHED_OUT_BITS;
}

void pushed_out_note(struct pushed_out *out, uint64_t key, int64_t boot_ns, int64_t kept_ns)
{
    uint32_t bit = bit_of(key);

    if (!out->since_ns[out->now]) {
        out->since_ns[out->now] = boot_ns;
    } else if (boot_ns - out->since_ns[out->now] >= kept_ns) {
        out->now = !out->now;
        memset(out->bits[out->now], 0, sizeof(out->bits[0]));
        out->since_ns[out->now] = boot_ns;
    }
    out->bits[out->now][bit / 64] |= UINT64_C(1) << bit % 64;
}

bool pushed_out_has(const struct pushed_out *out, uint64_t key, int64_t boot_ns, int64_t kept_ns)
{
    uint32_t bit = bit_of(key);

    for (int i = 0; i < 2; i++)
        if (out->since_ns[i] && boot_ns - out->since_ns[i] < 2 * kept_ns &&
            out->bits[i][bit / 64] >> bit % 64 & 1)
            return true;
    return false;
}
