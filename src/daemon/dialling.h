/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_DIALLING_H
#define SEKISHO_DAEMON_DIALLING_H

#include "config/config.h"
#include "numbering/site.h"

/*
 * What the section [numbering] stands for: the number tables, and the site by which emergencies are
 * known when nothing else is. The site borrows the tables.
 */
struct dialling {
    struct tables *tables;
    struct site *site;
};

/* Reads the files of numbering.tables (all *.tsv of the directory) and makes the site. The sentence
 * names the key, or the file and line, that is wrong. `out` is untouched on failure. */
int dialling_load(struct dialling *out, const struct config *config, struct fault *f);
/* Frees both; the members may be NULL. */
void dialling_free(struct dialling *dialling);

#endif
