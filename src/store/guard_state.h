/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_STATE_H
#define SEKISHO_STORE_GUARD_STATE_H

#include "guard/guard.h"
#include "store/tx.h"

/* Whom a count is of, as a key: 's', proved, observed, network; or 'a', observed, switch, name. */
#define COUNT_SUBJECT_MAX (16 + ACCOUNT_NAME_MAX)
struct span count_subject_pack(const struct guard_count *count, char out[COUNT_SUBJECT_MAX]);
bool count_subject_unpack(struct span packed, struct guard_count *out);

#define COUNTS_BYTES 64
struct span counts_pack(const struct guard_count *count, char out[COUNTS_BYTES]);
bool counts_unpack(struct span packed, struct guard_count *out);

#endif
