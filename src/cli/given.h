/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_GIVEN_H
#define SEKISHO_CLI_GIVEN_H

#include "cli/words.h"
#include "policy/rule.h"

/* Rules that exist only on a command line: prefixes behind options, lines of a file. Zero-initialised
 * is none. */
struct given {
    struct rule *rules;
    size_t n;
};

/* Adds one; its prefix is cleaned. The same rule twice says nothing new. */
int given_add(struct given *g, enum rule_action action, struct span prefix, struct fault *f);

/* The words behind `--restrict` or `--except`; `option` names it in a sentence. */
int given_words(struct given *g, enum rule_action action, const struct words *w, const char *option,
                struct fault *f);

/* What a file holds, whose name `path` is for sentences. A rule a line: "restrict 010", "except 0101", or a prefix alone, which is restricted. Empty lines and
 * what stands behind a # of its own count for nothing. */
int given_text(struct given *g, struct span text, const char *path, struct fault *f);

/* The same of the file itself; "-" is standard input. */
int given_file(struct given *g, const char *path, struct fault *f);

void given_free(struct given *g);

#endif
