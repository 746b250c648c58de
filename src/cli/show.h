/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_SHOW_H
#define SEKISHO_CLI_SHOW_H

#include "cli/remote.h"

/* What the daemon answers, on stdout: JSON for programs (--json), aligned text for people. */

/* One field of an object: a column of a list, a line of a single one. Ended by key == NULL. */
struct column {
    const char *key;
    const char *en, *ja; /* heading */
};

/* Prints a JSON value and a line end. On a terminal everything but ASCII is escaped. */
void show_json(const json_t *value);

/* The list at `path`: a table, or with --json one array. Returns an exit code. */
int show_list(struct cli *cli, const char *path, size_t limit, const struct column *columns);

/* The same; where there is nothing to list, people are told so by `none`. */
int show_list_or(struct cli *cli, const char *path, size_t limit, const struct column *columns,
                 const char *none);

/* The same of an array that is here already. */
int show_array(struct cli *cli, const json_t *array, const struct column *columns);

/* One object, a line a field, or with --json the object as it came. */
void show_object(struct cli *cli, const json_t *object, const struct column *columns);

/* GETs `path` and shows the object. Returns an exit code. */
int show_get(struct cli *cli, const char *path, const struct column *columns);

#endif
