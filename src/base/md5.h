/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_MD5_H
#define SEKISHO_BASE_MD5_H

#include "base/span.h"

#define MD5_HEX_SIZE 33 /* 32 digits and NUL */

/*
 * MD5 (RFC 1321) over the parts as if they stood end to end, in lower-case hexadecimal. Broken as a
 * hash, and what AMI's challenge login and SIP's digest (RFC 2617) ask for: for those, nothing else.
 * Each part is shorter than 2^32 bytes.
 */
void md5_hex(const struct span *parts, size_t n, char out[MD5_HEX_SIZE]);

#endif
