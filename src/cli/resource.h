/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_RESOURCE_H
#define SEKISHO_CLI_RESOURCE_H

#include "cli/options.h"
#include "cli/show.h"

/*
 * What switches, tenants and presets have in common: named things under one path that are added,
 * listed, shown, set and removed.
 */
struct resource {
    const char *path; /* "/v1/switches" */
    const char *noun, *noun_ja;
    const struct column *columns; /* of a list */
    const struct column *fields;  /* of one */
};

int resource_list(struct cli *cli, const struct command *self, const struct resource *kind,
                  int argc, char **argv);
int resource_show(struct cli *cli, const struct command *self, const struct resource *kind,
                  int argc, char **argv);
int resource_remove(struct cli *cli, const struct command *self, const struct resource *kind,
                    int argc, char **argv);

/* What may be asked of a list: the option and the API's parameter have one name. */
struct filter {
    const char *name;
    const char *value; /* what the option's value is called */
};
#define FILTERS_MAX 6

/* A list of which options choose a part. */
struct filtered {
    const char *path;
    const struct filter *filters; /* ended by name == NULL */
    const struct column *columns;
    const char *hint;           /* what else to say to a word that is too much */
    const char *none, *none_ja; /* what to say where there is none */
};
int resource_filtered(struct cli *cli, const struct command *self, const struct filtered *list,
                      int argc, char **argv);

/* POSTs (`add`) or PATCHes (with `name`) the body, which it releases, and shows what it became. */
int resource_add(struct cli *cli, const struct resource *kind, json_t *body);
int resource_set(struct cli *cli, const struct resource *kind, const char *name, json_t *body);

/* Puts a field into a body: nothing for NULL. `clearable` makes "" a null. */
void body_text(json_t *body, const char *key, const char *value, bool clearable);
/* An array of the words, or with `joined` one text; [""] is empty. */
void body_words(json_t *body, const char *key, const struct words *w, bool joined);

/* Says what a loosening opens, and asks whether to go on: at a terminal, unless `yes`. False is no. */
bool loosening(const struct cli *cli, bool yes, const char *what);

/* Says what was done, to people only. */
__attribute__((format(printf, 2, 3))) void said(const struct cli *cli, const char *format, ...);

#endif
