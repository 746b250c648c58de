/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_replay CALLS: plausible calls as calls.db keeps them (packed in blocks), judged by rule sets of three kinds, with a rate
 * table and without; and what of that is unpacking and numbering alone.
 */
#include <inttypes.h>
#include <stdio.h>

#include "intake/cdr_call.h"
#include "intake/cdr_reader.h"
#include "ledger/pack.h"
#include "ledger/replay.h"
#include "measure.h"
#include "numbering/numbering.h"
#include "plausible.h"

#define ROUNDS 5
#define BLOCKS_MAX 16384
#define RULES_MAX 16

static struct tables *tables;
static struct site *site;
static struct ruleset_pool *pool;
static struct buf blocks[BLOCKS_MAX];
static size_t n_blocks, n_calls;
static struct fault f;

static void must(int err)
{
    if (!err)
        return;
    fprintf(stderr, "bench_replay: %s\n", f.text);
    exit(1);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void add(struct pack *pack, const struct cdr *c)
{
    struct call call = {.start_ms = c->start_ms,
                        .key = n_calls,
                        .end = cdr_call_end(c),
                        .dialled = cdr_call_number(c, site)};

    for (size_t i = 0; i < c->account.n; i++)
        call.caller = call.caller * 31 + (unsigned char)c->account.p[i];
    call.caller %= 100000;
    call.seconds = call.end == CALL_ANSWERED ? c->billed_s : 0;
    must(pack_add(pack, &call));
    n_calls++;
    if (pack->n == PACK_CALLS_MAX && n_blocks < BLOCKS_MAX)
        pack_close(pack, &blocks[n_blocks++]);
}

static void make_calls(size_t n)
{
    const struct cdr_options options = {.format = CDR_FORMAT_ASTERISK};
    struct pack pack = {0};
    struct plausible p;
    struct cdr_reader *reader;
    struct buf line = {0};
    struct cdr c;
    size_t used;

    must(cdr_reader_new(&reader, &options, &f));
    plausible_begin(&p, 1, 100000);
    while (n_calls < n && n_blocks < BLOCKS_MAX) {
        buf_clear(&line);
        plausible_line(&p, &line);
        if (cdr_reader_next(reader, line.p, line.n, true, &used, &c, &f) == CDR_STEP_RECORD)
            add(&pack, &c);
    }
    if (pack.n && n_blocks < BLOCKS_MAX)
        pack_close(&pack, &blocks[n_blocks++]);
    pack_free(&pack);
    cdr_reader_free(reader);
    buf_free(&line);
}

/* ---- rounds --------------------------------------------------------------------------------- */

struct round {
    bool parse;                       /* numbering alone */
    const struct decide_rules *rules; /* NULL: not judged */
    const struct rates *rates;
    uint64_t refused;
};

static void run(void *arg)
{
    struct round *r = arg;
    const struct replay_config config = {.rates = r->rates};
    struct replay *replay = NULL;
    static struct number number;

    if (r->rules)
        must(replay_new(&replay, &config, &f));
    for (size_t i = 0; i < n_blocks; i++) {
        struct pack_reader reader;
        struct call call;
        int more;

        must(pack_open(&reader, buf_span(&blocks[i]), &f));
        while ((more = pack_next(&reader, &call, &f)) == 1) {
            if (r->rules)
                must(replay_add(replay, &call, site, r->rules, &f));
            else if (r->parse)
                numbering_parse(site, call.dialled, &number);
            measure_keep(call.key);
        }
        must(more);
    }
    if (replay)
        r->refused = replay_totals(replay).calls[REPLAY_REFUSED];
    replay_free(replay);
}

static void row(const char *what, struct round *r)
{
    struct measure m = measure(ROUNDS, n_calls, run, r);

    printf("%-44s %12.0f %10.0f", what, 1e9 / m.least, m.least);
    if (r->rules)
        printf(" %10" PRIu64, r->refused);
    putchar('\n');
}

static struct decide_rules rules_of(const char *const *prefixes, enum rule_action second)
{
    struct decide_rules rules = {.account = NULL};
    struct rule list[RULES_MAX];
    size_t n = 0;

    for (; prefixes[n]; n++)
        list[n] =
            (struct rule){.action = n ? second : RULE_RESTRICT, .prefix = span_of(prefixes[n])};
    must(ruleset_intern(pool, list, n, &rules.account, &f));
    return rules;
}

/* A price for each country code there may be, and for a thousand prefixes within. */
static struct rates *make_rates(void)
{
    struct rates *rates = NULL;
    struct buf text = {0};

    buf_puts(&text, "prefix,price,increment,currency\n");
    for (unsigned i = 1; i < 10; i++)
        buf_printf(&text, "%u,%u,60,JPY\n", i, 10 * i);
    for (unsigned i = 100; i < 1000; i++)
        buf_printf(&text, "%u,%u,60/60,%s\n", i, i, i % 3 ? "JPY" : "USD");
    for (unsigned i = 25200; i < 30000; i++)
        buf_printf(&text, "%u,%u.5,30/6,JPY\n", i, i % 500);
    must(rates_new(&rates, SPAN("rates"), buf_span(&text), &f));
    buf_free(&text);
    return rates;
}

int main(int argc, char **argv)
{
    static const char *const born[] = {"010", NULL};
    static const char *const only[] = {"0100", "0102", "0103", "0104", "0105",
                                       "0106", "0107", "0108", "0109", NULL};
    static const char *const but[] = {"010", "0101212", "01044", "01082", NULL};
    const struct site_config plan = {.plan = SPAN("JP"), .extensions = SPAN("1XXX")};
    static const uint8_t key[16];

    if (argc != 2)
        return 2;
    must(tables_load(&tables, NULL, 0, &f));
    must(site_new(&site, tables, &plan, &f));
    must(ruleset_pool_new(&pool, NULL, key, &f));
    make_calls(strtoul(argv[1], NULL, 10));
    struct rates *rates = make_rates();
    struct decide_rules r_born = rules_of(born, RULE_RESTRICT),
                        r_only = rules_of(only, RULE_RESTRICT), r_but = rules_of(but, RULE_EXCEPT);

    printf("%zu calls in %zu blocks\n%-44s %12s %10s %10s\n", n_calls, n_blocks, "", "calls/CPU s",
           "ns a call", "refused");
    row("unpacked", &(struct round){.parse = false});
    row("unpacked, and their numbers understood", &(struct round){.parse = true});
    row("replayed: 010 restricted", &(struct round){.rules = &r_born});
    row("replayed: only country code 1", &(struct round){.rules = &r_only});
    row("replayed: 010 but three exceptions", &(struct round){.rules = &r_but});
    row("replayed: 010 restricted, with prices", &(struct round){.rules = &r_born, .rates = rates});
    rates_free(rates);
    ruleset_pool_free(pool);
    site_free(site);
    tables_free(tables);
    for (size_t i = 0; i < n_blocks; i++)
        buf_free(&blocks[i]);
    return 0;
}
