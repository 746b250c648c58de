/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_TOKENS_H
#define SEKISHO_STORE_TOKENS_H

#include "store/tx.h"

/*
 * All tokens in memory, so that a request can be let in without waiting for a disk. Immutable; the
 * store swaps in a new table with the commit that changed one.
 */
struct token_table;

int token_table_load(struct token_table **out, struct db *db, struct fault *f);
void token_table_free(struct token_table *table);
/* False for unknown and expired ones. */
bool token_table_find(const struct token_table *table, struct span secret, int64_t now_s,
                      struct store_pass *out);

#endif
