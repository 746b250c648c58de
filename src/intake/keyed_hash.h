/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_KEYED_HASH_H
#define SEKISHO_INTAKE_KEYED_HASH_H

#include <stdint.h>

#include "base/span.h"

/* SipHash-2-4 of what came before (a number, or the hash of other bytes) and these; never 0. To whoever does not know the
 * key it says nothing, and he can make no two things one. */
uint64_t keyed_hash(const uint8_t key[16], uint64_t before, struct span bytes);

/* Of several, as one: where they part counts. At most KEYED_HASH_PARTS of them. */
#define KEYED_HASH_PARTS 8
uint64_t keyed_hash_all(const uint8_t key[16], uint64_t before, const struct span *parts, size_t n);

#endif
