/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_LOCAL_H
#define SEKISHO_CLI_LOCAL_H

#include "cli/options.h"
#include "numbering/site.h"

/* What needs no daemon: the number tables and one dial plan, as the command line gives them. */

/* The options that choose them; zero-initialised. */
struct local_options {
    const char *plan;        /* --plan */
    const char *outside;     /* --outside */
    struct words extensions; /* --extensions, several patterns */
    const char *area;        /* --area */
    const char *tables;      /* --tables: a directory whose *.tsv replace the compiled-in ones */
};

/* Their entries for a table of options. */
#define LOCAL_OPTIONS(o)                                                                           \
    {.name = "plan", .text = &(o)->plan, .value = "COUNTRY"},                                      \
        {.name = "outside", .text = &(o)->outside, .value = "DIGITS"},                             \
        {.name = "extensions", .list = &(o)->extensions, .value = "PATTERN"},                      \
        {.name = "area", .text = &(o)->area, .value = "AREACODE"},                                 \
    {                                                                                              \
        .name = "tables", .text = &(o)->tables, .value = "DIR"                                     \
    }

struct local {
    struct tables *tables;
    struct site *site;
};

int local_open(struct local *out, const struct local_options *o, struct fault *f);
void local_close(struct local *l);

#endif
