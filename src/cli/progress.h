/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_PROGRESS_H
#define SEKISHO_CLI_PROGRESS_H

#include <stdint.h>

#include "cli/cli.h"

/*
 * One line on the terminal that says how far something long is. Nothing where standard error is no
 * terminal.
 */
struct progress {
    const struct cli *cli; /* whose language it is */
    bool shown;
    const char *phase; /* of the line before */
    int64_t began_ns;  /* this phase */
    int64_t drawn_ns;
};

/* `quiet`: nothing, ever. */
void progress_begin(struct progress *p, const struct cli *cli, bool quiet);

/* Says it again, five times a second at most. `phase` is compared by address. `total` 0: not known.
 * `bytes`: counted in MiB, else in `unit`. */
void progress_show(struct progress *p, const char *phase, const char *unit, bool bytes,
                   uint64_t done, uint64_t total);

/* Takes the line away. */
void progress_end(struct progress *p);

#endif
