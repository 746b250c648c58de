/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_TABLES_H
#define SEKISHO_NUMBERING_TABLES_H

#include "base/fault.h"
#include "numbering/number.h"

/*
 * The number tables: countries, E.164 prefixes, risks and dial plans. Immutable once loaded.
 * The same reader takes the tables that are compiled in and files of the same format that replace
 * them: a file is refused whole, with its name, the line and the reason.
 */
struct tables;

/* One file's content under its base name ("e164.tsv"). Borrowed during the call only. */
struct tables_file {
    struct span name;
    struct span content;
};

/* The tables that are compiled in. */
const struct tables_file *tables_builtin(size_t *n);

/*
 * Loads the compiled-in tables, each replaced by the one of `files` that bears its name. A name that
 * is no table's is refused. `tables_free(NULL)` is fine.
 */
int tables_load(struct tables **out, const struct tables_file *files, size_t n, struct fault *f);
void tables_free(struct tables *tables);

/* By ISO code, any case; NULL where there is none. */
const struct country *tables_country(const struct tables *tables, struct span iso);

/* For the room itself: the plan of a country (ISO code, any case; "*" for what holds in every plan)
 * or NULL, and the world's ranges. */
struct plan;
struct ranges;
const struct plan *tables_plan(const struct tables *tables, struct span iso);
const struct ranges *tables_ranges(const struct tables *tables);

#endif
