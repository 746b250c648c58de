/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CONFIG_CONFIG_VALUES_H
#define SEKISHO_CONFIG_CONFIG_VALUES_H

#include "config/config_keys.h"

/* The values of the keys: from text into the struct, and what each type allows. Only for config*.c. */

/* Parses `text` as the key's type and puts it into the struct at `base`, freeing what stood there.
 * The sentence says what is allowed. */
int config_value_set(const struct config_key *key, struct span text, void *base, struct fault *f);
/* Frees what the key holds. */
void config_value_free(const struct config_key *key, void *base);

/* Whether two structs hold the same value of this key. */
bool config_value_equal(const struct config_key *key, const void *a, const void *b);

/* What the key allows, in words: "a number from 1 to 100". */
void config_value_allowed(const struct config_key *key, char *out, size_t size);

#endif
