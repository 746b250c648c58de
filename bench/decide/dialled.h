/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_DIALLED_H
#define SEKISHO_BENCH_DIALLED_H

#include <stdint.h>
#include <stdio.h>

#include "base/span.h"

/* What people and machines dial in Japan, as a PBX hands it on: the same strings in every run. */
struct dialled {
    char *bytes; /* string i is bytes[at[i]] to bytes[at[i + 1]] */
    uint32_t *at;
    size_t n;
};

void dialled_make(struct dialled *out, size_t n, uint64_t seed);
void dialled_free(struct dialled *dialled);

static inline struct span dialled_at(const struct dialled *d, size_t i)
{
    return (struct span){d->bytes + d->at[i], d->at[i + 1] - d->at[i]};
}

/* The shares of the mix, one a line. */
void dialled_describe(FILE *to);

#endif
