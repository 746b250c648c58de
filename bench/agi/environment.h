/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_AGI_ENVIRONMENT_H
#define SEKISHO_BENCH_AGI_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

#define ENVIRONMENT_MAX 2048

/* What Asterisk 22 sends for a call of a PJSIP phone, one of phone0 to phoneN-1 (of 0 accounts: phone0);
 * one call in ten goes abroad. Returns the length. */
size_t environment_make(char *out, unsigned accounts, uint64_t *seed);

#endif
