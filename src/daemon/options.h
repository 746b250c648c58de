/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_OPTIONS_H
#define SEKISHO_DAEMON_OPTIONS_H

/* The command line of sekishod. */

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK,        /* --check-config */
    OPTIONS_PRINT_CONFIG, /* --print-config */
    OPTIONS_PRINT_MDOC,   /* --print-config=mdoc: for the manual */
    OPTIONS_VERSION,
    OPTIONS_HELP,
    OPTIONS_WRONG, /* a sentence is on standard error */
};

struct options {
    enum options_action action;
    const char *config;    /* NULL: none was named, take the default if it is there */
    const char *state_dir; /* NULL: what the configuration says */
    const char *user;      /* the same */
};

#define OPTIONS_DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"

struct options options_parse(int argc, char **argv);
void options_help(void);

#endif
