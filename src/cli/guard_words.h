/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_GUARD_WORDS_H
#define SEKISHO_CLI_GUARD_WORDS_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/show.h"

/* What the words of the guard's records (docs/openapi.yaml) are called when people talk. */
enum guard_word { WORD_STATE, WORD_OUTCOME, WORD_PROOF, WORD_WITNESS, WORD_EVENT, WORD_ATTACK };

/* What stands in a table of people who read Japanese, for a word of the field `key`; NULL: the same as in English. */
const char *guard_japanese(const char *key, const char *word);

/* The columns of a list of bans. */
extern const struct column guard_ban_columns[];

/* In the language of `cli`. A word that is not known comes back as it is; NULL is "-". */
const char *guard_word(const struct cli *cli, enum guard_word of, const char *word);

/* The text at `key`; NULL where it is null or left out. */
const char *guard_text(const json_t *object, const char *key);

struct table;
/* A cell: the time at `key` in this machine's zone. */
void guard_time(struct table *t, const json_t *object, const char *key, const char *before);

/* The number at `key`. */
long long guard_number(const json_t *object, const char *key);

/* Prints a line, escaped: most of what is in these records was chosen by strangers. */
void guard_line(const char *untrusted);

#endif
