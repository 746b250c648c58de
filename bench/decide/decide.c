/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a dialled string to a verdict: see README.md beside this file. Usage: decide [STRINGS [ACCOUNTS]]
 * [machine] [numbering] [policy] */
#include <stdio.h>

#include "dialled.h"
#include "machine.h"
#include "numbering/numbering.h"
#include "numbering/site.h"
#include "world.h"

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

/* ---- policy ---- */

/* Numbers that policy alone is asked about, in no order: few, so that they are nearly as near as one
 * that has just been parsed is. */
#define NUMBERS 128
#define QUESTIONS (1U << 20)
#define BATCH 32
#define NOW 1795489200 /* 2026-11-24 12:00 in Japan */

struct questions {
    const struct bench *bench;
    const struct world *world;
    const struct levels_gate *gate;
    struct world_name *names; /* QUESTIONS of them */
    struct number numbers[NUMBERS];
};

static struct span asked_name(const struct questions *q, size_t i)
{
    return (struct span){q->names[i].text, q->names[i].n};
}

static const struct number *asked_number(const struct questions *q, size_t i)
{
    return &q->numbers[q->names[i].number];
}

static void open_questions(struct questions *q, const struct bench *b, const struct world *world)
{
    uint64_t seed = 3;

    q->bench = b;
    q->world = world;
    q->gate = snapshot_switch_by_name(world->snap, SPAN("pbx"));
    q->names = calloc(QUESTIONS, sizeof(*q->names));
    if (!q->names)
        abort();
    for (size_t i = 0; i < QUESTIONS; i++) {
        world_name(measure_random(&seed) % world->accounts, &q->names[i]);
        q->names[i].number = (uint8_t)(measure_random(&seed) % NUMBERS);
    }
    for (size_t i = 0; i < NUMBERS; i++)
        numbering_parse(q->gate->site, dialled_at(&b->dialled, i), &q->numbers[i]);
}

/* What the outcome holds of what was read: always 0, which neither compiler nor machine can know before
 * the account's slot and its rules are there. */
static size_t wait_for(const struct snapshot_subject *subject, const struct verdict *verdict)
{
    return (size_t)(subject->account >> 62) + (size_t)((unsigned char)verdict->rule_prefix[0] >> 7);
}

static size_t ask(const struct questions *q, size_t i)
{
    struct snapshot_subject subject;
    struct verdict verdict;

    snapshot_read_lock();
    snapshot_find(q->world->snap, q->gate, asked_name(q, i), &subject);
    snapshot_decide(q->world->snap, &subject, asked_number(q, i), false, NOW, &verdict);
    snapshot_read_unlock();
    return wait_for(&subject, &verdict);
}

static void ask_all(void *arg)
{
    size_t sum = 0;

    for (size_t i = 0; i < QUESTIONS; i++)
        sum += ask(arg, i);
    measure_keep(sum);
}

static void ask_in_turn(void *arg)
{
    size_t i = 0;

    for (size_t k = 1; k < QUESTIONS; k++)
        i = k + ask(arg, i);
    measure_keep(i);
}

static void find_batch(const struct questions *q, size_t from, struct snapshot_subject *subjects)
{
    struct snapshot_question asked[BATCH];

    for (size_t k = 0; k < BATCH; k++)
        asked[k] = (struct snapshot_question){q->gate, asked_name(q, from + k)};
    snapshot_find_many(q->world->snap, asked, BATCH, subjects);
}

static void ask_batches(void *arg)
{
    const struct questions *q = arg;
    struct snapshot_subject subjects[BATCH];
    struct verdict verdict;
    size_t sum = 0;

    for (size_t i = 0; i < QUESTIONS; i += BATCH) {
        snapshot_read_lock();
        find_batch(q, i, subjects);
        for (size_t k = 0; k < BATCH; k++) {
            snapshot_decide(q->world->snap, &subjects[k], asked_number(q, i + k), false, NOW,
                            &verdict);
            sum += wait_for(&subjects[k], &verdict);
        }
        snapshot_read_unlock();
    }
    measure_keep(sum);
}

static void find_only(void *arg)
{
    const struct questions *q = arg;
    struct snapshot_subject subjects[BATCH];
    size_t sum = 0;

    for (size_t i = 0; i < QUESTIONS; i += BATCH) {
        snapshot_read_lock();
        find_batch(q, i, subjects);
        sum += (size_t)subjects[BATCH - 1].account;
        snapshot_read_unlock();
    }
    measure_keep(sum);
}

/* What each verdict that allows writes: the number in the trunk's form. */
static void dial_only(void *arg)
{
    const struct questions *q = arg;
    char dial[NUMBER_DIGITS_MAX];
    size_t sum = 0;

    for (size_t i = 0; i < QUESTIONS; i++)
        sum += numbering_dial(q->gate->site, asked_number(q, i), q->gate->form, dial) == 0;
    measure_keep(sum);
}

/* From raw strings: what a SIP server does with the datagrams that came together. */
static void ask_raw(void *arg)
{
    const struct questions *q = arg;
    const struct dialled *dialled = &q->bench->dialled;
    struct snapshot_subject subjects[BATCH];
    struct verdict verdict;
    struct number number;
    size_t sum = 0;

    for (size_t i = 0; i < QUESTIONS; i += BATCH) {
        snapshot_read_lock();
        find_batch(q, i, subjects);
        for (size_t k = 0; k < BATCH; k++) {
            numbering_parse(subjects[k].site, dialled_at(dialled, (i + k) % dialled->n), &number);
            snapshot_decide(q->world->snap, &subjects[k], &number, false, NOW, &verdict);
            sum += wait_for(&subjects[k], &verdict);
        }
        snapshot_read_unlock();
    }
    measure_keep(sum);
}

#define SIZES 5
static const size_t sizes[SIZES] = {1000, 10000, 100000, 1000000, 10000000};

struct policy {
    struct measure many, find, dial, look_up, one, turn, raw;
};

static struct measure without(struct measure all, struct measure part)
{
    return (struct measure){all.least - part.least, all.median - part.median};
}

static void row_of_parts(const struct policy *m)
{
    row("a question, 32 at once", m->many);
    row("  of it finding the account", m->find);
    row("  of it its rules and the verdict", without(m->look_up, m->find));
    row("  of it what to dial", m->dial);
    row("the look-up, account and rules, without what to dial", m->look_up);
}

static struct policy measure_policy(const struct bench *b, size_t accounts)
{
    struct snapshot_figures figures;
    struct questions q;
    struct world world;
    struct policy m;
    char title[64];

    world_open(&world, b->tables, accounts);
    open_questions(&q, b, &world);
    figures = snapshot_figures(world.snap);
    snprintf(title, sizeof(title), "Policy, %zu accounts", accounts);
    heading(title);
    m.many = measure(9, QUESTIONS, ask_batches, &q);
    m.find = measure(9, QUESTIONS, find_only, &q);
    m.dial = measure(9, QUESTIONS, dial_only, &q);
    m.look_up = without(m.many, m.dial);
    m.one = measure(7, QUESTIONS, ask_all, &q);
    m.turn = measure(5, QUESTIONS, ask_in_turn, &q);
    m.raw = measure(5, QUESTIONS, ask_raw, &q);
    row_of_parts(&m);
    row("a question, one after the other", m.one);
    row("a question, each waits for the one before", m.turn);
    row("numbering and policy, 32 at once", m.raw);
    printf("  %zu rule sets; %.1f bytes an account beside the 16 of its name's hash\n",
           figures.rulesets, (double)figures.bytes / (double)figures.accounts - 16);
    free(q.names);
    world_close(&world);
    return m;
}

static void print_growth(const char *what, struct measure first, struct measure last)
{
    printf("  %-34s x %4.2f (medians)  x %4.2f (least)\n", what, last.median / first.median,
           last.least / first.least);
}

static void measure_policies(const struct bench *b, size_t most)
{
    struct policy first = {0}, last = {0};
    size_t i;

    snapshot_reader_register();
    for (i = 0; i < SIZES && sizes[i] <= most; i++) {
        last = measure_policy(b, sizes[i]);
        if (i == 0)
            first = last;
    }
    snapshot_reader_unregister();
    if (i < 2)
        return;
    printf("\nFrom %zu to %zu accounts\n", sizes[0], sizes[i - 1]);
    print_growth("the look-up", first.look_up, last.look_up);
    print_growth("32 at once", first.many, last.many);
    print_growth("one after the other", first.one, last.one);
    print_growth("each waits for the one before", first.turn, last.turn);
    print_growth("from raw string to verdict", first.raw, last.raw);
}

/* Without parts, all of them. */
static bool wanted(int argc, char **argv, const char *part)
{
    bool any = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], part) == 0)
            return true;
        any |= argv[i][0] >= 'a';
    }
    return !any;
}

static size_t count_of(int argc, char **argv, int which, size_t otherwise)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] <= '9' && which-- == 0)
            return strtoul(argv[i], NULL, 10);
    return otherwise;
}

int main(int argc, char **argv)
{
    size_t n = count_of(argc, argv, 0, 10000000), most = count_of(argc, argv, 1, 10000000);
    struct bench b;

    setvbuf(stdout, NULL, _IOLBF, 0);
    open_bench(&b, n);
    printf("%zu dialled strings, of which\n", n);
    dialled_describe(stdout);
    if (wanted(argc, argv, "machine"))
        measure_machine();
    if (wanted(argc, argv, "numbering"))
        measure_numbering(&b);
    if (wanted(argc, argv, "policy"))
        measure_policies(&b, most);
    close_bench(&b);
    return 0;
}
