/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/key_stretch.h"

#include <sodium/crypto_generichash.h>

void key_stretch(void *out, size_t size, const uint8_t key[16])
{
    unsigned char *bytes = out;
    size_t block = crypto_generichash_BYTES_MAX;

    for (unsigned char i = 0; i * block < size; i++) {
        size_t left = size - i * block;

        crypto_generichash(bytes + i * block, left < block ? left : block, &i, 1, key, 16);
    }
}
