/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what others are asked, the same that decide asks: the dialled strings, one a line, and tables
 * for Kamailio's db_text. Usage: export FOLDER */
#include <stdio.h>

#include "dialled.h"
#include "measure.h"
#include "numbering/numbering.h"
#include "numbering/site.h"
#include "world.h"

#define STRINGS 200000
#define QUESTIONS 10000

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void write_dialled(const char *folder, const struct dialled *dialled)
{
    FILE *file = create(folder, "dialled");

    for (size_t i = 0; i < dialled->n; i++)
        fprintf(file, "%.*s\n", SPAN_FMT(dialled_at(dialled, i)));
    fclose(file);
}

/* One tree for all sets, each under four digits of its own: of what mtree offers that is the fastest. */
static void write_rules(const char *folder)
{
    struct rule rules[WORLD_RULES];
    char digits[WORLD_RULES][16];
    FILE *file = create(folder, "rules");

    fprintf(file, "tprefix(string) tvalue(string)\n");
    for (size_t i = 0; i < WORLD_SETS; i++) {
        world_set(i, rules, digits);
        for (size_t k = 0; k < WORLD_RULES; k++)
            fprintf(file, "%04zu%s:%s\n", i, digits[k], rule_action_name(rules[k].action));
    }
    fclose(file);
}

static void write_questions(const char *folder, const struct dialled *dialled,
                            const struct site *site)
{
    FILE *file = create(folder, "questions");
    uint64_t seed = 5;
    size_t written = 0;

    fprintf(
        file,
        "id(int) key_name(string) key_type(int) value_type(int) key_value(string) expires(int)\n");
    for (size_t i = 0; i < dialled->n && written < QUESTIONS; i++) {
        struct number number;

        numbering_parse(site, dialled_at(dialled, i), &number);
        if (number.dialled[0])
            fprintf(file, "%zu:%zu:0:0:%04zu%s:0\n", written + 1, written,
                    (size_t)(measure_random(&seed) % WORLD_SETS), number.dialled);
        written += number.dialled[0] != '\0';
    }
    fclose(file);
}

static void write_version(const char *folder)
{
    FILE *file = create(folder, "version");

    fprintf(file, "table_name(string) table_version(int)\nrules:1\nquestions:2\n");
    fclose(file);
}

int main(int argc, char **argv)
{
    const struct site_config config = {.plan = SPAN("JP"), .extensions = SPAN("1XXX")};
    struct dialled dialled;
    struct tables *tables;
    struct site *site;
    struct fault f;

    if (argc != 2 || tables_load(&tables, NULL, 0, &f) || site_new(&site, tables, &config, &f))
        return 1;
    dialled_make(&dialled, STRINGS, 1);
    write_dialled(argv[1], &dialled);
    write_rules(argv[1]);
    write_questions(argv[1], &dialled, site);
    write_version(argv[1]);
    dialled_free(&dialled);
    site_free(site);
    tables_free(tables);
    return 0;
}
