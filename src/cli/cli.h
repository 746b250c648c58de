/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_CLI_H
#define SEKISHO_CLI_CLI_H

#include <stdio.h>

#include "base/fault.h"

/*
 * The frame of the command `sekisho`: the global options, and one table of commands, each in a file
 * of its own (cmd_NAME.c).
 */

/* Part of the interface: sekisho(1), EXIT STATUS. */
enum exit_code {
    EXIT_DONE = 0,        /* done; of `check`: the verdict is allow */
    EXIT_FAILED = 1,      /* it could not be done; of `doctor`: something serious was found */
    EXIT_USAGE = 2,       /* the command line is wrong; nothing was tried */
    EXIT_DENY = 3,        /* of `check NUMBER`: the verdict is deny; of `prove` with two lists: the
                             first lets through what the second closes */
    EXIT_UNREACHABLE = 4, /* the daemon does not answer */
};

enum lang { LANG_EN, LANG_JA };

struct cli {
    const char *socket; /* Unix socket of the daemon */
    const char *url;    /* or "http://HOST:PORT"; NULL: the socket */
    const char *token_file;
    bool json;
    enum lang lang;
};

/* Chooses the words for people by --lang. Errors are English. */
#define TR(cli, en, ja) ((cli)->lang == LANG_JA ? (ja) : (en))

struct command {
    const char *name;
    const char *brief; /* one line for lists of commands */
    const char *usage; /* what stands behind "sekisho ", one form per line */
    const char *help;  /* the rest, or NULL */
    /* Gets the words behind the command's name; returns an exit code. */
    int (*run)(struct cli *cli, const struct command *self, int argc, char **argv);
    const struct command *sub; /* in place of `run`: commands below it, ended by name == NULL */
    const char
        *otherwise; /* the one of `sub` that is meant when no name of one is given, or NULL */
};

/* All commands, ended by name == NULL. */
extern const struct command commands[];

/* Prints the sentence of `f` on stderr; returns the exit code that fits it. */
int cli_fail(const struct fault *f);

/* The same for a wrong command line: names the command's usage too; returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_usage(const struct command *self, const char *format,
                                                    ...);

/* Prints a warning or remark on stderr, for people only. */
__attribute__((format(printf, 1, 2))) void cli_note(const char *format, ...);

/* Asks on the terminal; false without one, or without a "y". */
bool cli_confirm(const char *question);

void command_help(const struct command *c);

#endif
