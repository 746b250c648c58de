/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a dialled string to a verdict: see README.md beside this file. Usage: decide [STRINGS] */
#include <stdio.h>

#include "dialled.h"
#include "machine.h"
#include "numbering/numbering.h"
#include "numbering/site.h"

struct bench {
    struct dialled dialled;
    struct tables *tables;
    struct site *site;
};

static void row(const char *what, struct measure m)
{
    printf("%-58s %9.1f %9.1f\n", what, m.median, m.least);
}

static void heading(const char *what)
{
    printf("\n%-58s %9s %9s\n", what, "median ns", "least ns");
}

static void open_bench(struct bench *b, size_t n)
{
    const struct site_config config = {.plan = SPAN("JP"), .extensions = SPAN("1XXX")};
    struct fault f;

    dialled_make(&b->dialled, n, 1);
    if (tables_load(&b->tables, NULL, 0, &f) || site_new(&b->site, b->tables, &config, &f)) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
}

static void close_bench(struct bench *b)
{
    site_free(b->site);
    tables_free(b->tables);
    dialled_free(&b->dialled);
}

/* ---- the machine ---- */

static void measure_machine(void)
{
    struct machine small = machine_memory(512 << 20, false);
    struct machine huge = machine_memory(512 << 20, true);

    heading("This machine: a random cache line of 512 MiB");
    row("each address from the line before, pages of 4 KiB", small.latency);
    row("each address from the line before, huge pages", huge.latency);
    row("addresses known beforehand, pages of 4 KiB", small.throughput);
    row("addresses known beforehand, huge pages", huge.throughput);
}

/* ---- numbering ---- */

static void parse_all(void *arg)
{
    const struct bench *b = arg;
    struct number number;

    for (size_t i = 0; i < b->dialled.n; i++) {
        numbering_parse(b->site, dialled_at(&b->dialled, i), &number);
        measure_keep(number.class);
    }
}

/* Which string is next is known when the last one is understood. */
static void parse_in_turn(void *arg)
{
    const struct bench *b = arg;
    struct number number;
    size_t i = 0;

    for (size_t k = 0; k < b->dialled.n; k++) {
        numbering_parse(b->site, dialled_at(&b->dialled, i), &number);
        i = k + 1 + (number.class > CLASS_UNKNOWN);
    }
    measure_keep(i);
}

static void measure_numbering(struct bench *b)
{
    heading("Numbering");
    row("a string, throughput", measure(5, b->dialled.n, parse_all, b));
    row("a string, each waits for the one before", measure(3, b->dialled.n, parse_in_turn, b));
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000000;
    struct bench b;

    setvbuf(stdout, NULL, _IOLBF, 0);
    open_bench(&b, n);
    printf("%zu dialled strings, of which\n", n);
    dialled_describe(stdout);
    measure_machine();
    measure_numbering(&b);
    close_bench(&b);
    return 0;
}
