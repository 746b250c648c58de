/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_WORDS_H
#define SEKISHO_CLI_WORDS_H

#include "base/fault.h"

/* A list of words that somebody else owns (the command line). Zero-initialised is empty. */
struct words {
    const char **at;
    size_t n;
};

int words_add(struct words *w, const char *word, struct fault *f);
void words_free(struct words *w);

#endif
