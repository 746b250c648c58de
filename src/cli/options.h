/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_OPTIONS_H
#define SEKISHO_CLI_OPTIONS_H

#include "cli/cli.h"
#include "cli/words.h"

/*
 * One option `--name`. Exactly one of the three targets is set and says what the option takes: a
 * flag nothing, a text one value (the last one given counts), a list one or more values, each use
 * adding to it.
 */
struct option {
    const char *name;
    bool *flag;
    const char **text;
    struct words *list;
    const char *value; /* what the value is called in messages: "PREFIX" */
};

/*
 * Sorts the words of a command line into `options` (ended by name == NULL), the global options of
 * `cli`, and the rest: positional words. `--name VALUE` and `--name=VALUE` are the same; behind `--`
 * everything is positional. A list takes every word up to the next option; where that leaves no
 * positional word although `wanted` says that one is due, and the list has more than one, its last
 * word at the end of the line is given back. ERR_SYNTAX with a sentence.
 */
int options_parse(struct cli *cli, int argc, char **argv, const struct option *options,
                  size_t wanted, struct words *rest, struct fault *f);

/* The same for the global options in front of the command: stops at the first word that is no
 * option and sets `*used` to the number of words before it. */
int options_global(struct cli *cli, int argc, char **argv, int *used, struct fault *f);

#endif
