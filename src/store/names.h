/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_NAMES_H
#define SEKISHO_STORE_NAMES_H

#include "store/tx.h"

/* The name of a switch, tenant or preset (`what`): [a-z0-9][a-z0-9._-]*, at most STORE_NAME_MAX. */
int name_check(struct span name, const char *what, struct fault *f);

/* Checks an account's name and writes it in lower case, with NUL. */
int account_name_clean(struct span name, char out[STORE_ACCOUNT_NAME_MAX + 1], struct fault *f);

/* Text that people read: UTF-8 of at most `max` bytes without control characters. */
int text_check(struct span text, size_t max, const char *what, struct fault *f);

/* A row's id in digits, as cursors and references have it; false, and `*id` untouched, for anything
 * else. */
bool id_parse(struct span text, int64_t *id);

/* Ids by name. A name that is none is ERR_MISSING; `optional`: an empty one is 0. */
int tenant_id(struct store_tx *tx, struct span name, bool optional, int64_t *id, struct fault *f);
int switch_id(struct store_tx *tx, struct span name, int64_t *id, struct fault *f);
int preset_id(struct store_tx *tx, struct span name, bool optional, int64_t *id, struct fault *f);

#endif
