/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_KEY_STRETCH_H
#define SEKISHO_BASE_KEY_STRETCH_H

#include <stddef.h>
#include <stdint.h>

/* Fills `out` with `size` bytes that follow from `key` and tell nothing of it (BLAKE2b by blocks of 64 bytes): keys of
 * a hash that needs many. `size` is a multiple of KEY_STRETCH_UNIT, at most 256 blocks. */
#define KEY_STRETCH_UNIT 32
void key_stretch(void *out, size_t size, const uint8_t key[16]);

#endif
