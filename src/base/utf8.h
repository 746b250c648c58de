/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_UTF8_H
#define SEKISHO_BASE_UTF8_H

#include <stdint.h>

#include "base/span.h"

/* Decodes the first code point of `s` (RFC 3629: no overlong form, no surrogate, at most U+10FFFF).
 * Returns the bytes that it took (1 to 4), or 0 where `s` is empty or does not begin with a
 * well-formed sequence; `*c` is set only on success. */
size_t utf8_decode(struct span s, uint32_t *c);

bool utf8_valid(struct span s);

#endif
