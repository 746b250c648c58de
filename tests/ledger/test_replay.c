/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/zoneinfo.h"
#include "cases.h"
#include "failalloc.h"
#include "ledger/replay.h"
#include "numbering/site.h"
#include "policy/zones.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define MONDAY_MS (INT64_C(20458) * DAY_MS) /* 2026-01-05 */
#define RULES_MAX 8

static struct tables *tables;
static struct site *site;
static struct zones *zones;
static struct ruleset_pool *pool;

static int open_place(void **state)
{
    const struct site_config config = {
        .plan = SPAN("JP"), .extensions = SPAN("1XXX"), .area = SPAN("03")};
    static const uint8_t key[16];
    struct fault f;

    return tables_load(&tables, NULL, 0, &f) || site_new(&site, tables, &config, &f) ||
           zones_new(&zones, zoneinfo_read, NULL, &f) || ruleset_pool_new(&pool, zones, key, &f);
}

static int close_place(void **state)
{
    ruleset_pool_free(pool);
    zones_free(zones);
    site_free(site);
    tables_free(tables);
    return 0;
}

/* What a case says, read whole before calls are judged. */
struct scene {
    struct rule rules[RULES_MAX];
    size_t n_rules;
    struct buf rates;
    struct rates *table;
    struct decide_rules decide;
    struct replay *replay;
};

static struct rule read_rule(struct span text)
{
    struct span word = span_cut(text, ' ', &text);
    struct rule rule = {.action = span_is(word, "restrict") ? RULE_RESTRICT : RULE_EXCEPT};

    rule.prefix = span_cut(text, ' ', &text);
    word = span_cut(text, ' ', &text);
    if (span_is(word, "schedule"))
        rule.schedule = text;
    return rule;
}

static void judge(struct scene *s, uint32_t caller, int64_t start_ms, struct span dialled,
                  enum call_end end, uint32_t seconds)
{
    const struct call call = {
        .caller = caller, .start_ms = start_ms, .dialled = dialled, .end = end, .seconds = seconds};
    struct fault f;

    if (replay_add(s->replay, &call, site, &s->decide, &f))
        fail_msg("%s", f.text);
}

static long number(struct span *text)
{
    struct span word = span_cut(*text, ' ', text);

    return strtol(word.p, NULL, 10);
}

static void read_call(struct scene *s, struct span line)
{
    static const char *const ends[] = {"answered", "unanswered", "failed", "refused"};

    if (span_starts(line, SPAN("every "))) {
        line = span_skip(line, 6);
        long weeks = number(&line), caller = number(&line);
        for (long i = 0; i < weeks; i++)
            judge(s, (uint32_t)caller, MONDAY_MS + (7 * i + 1) * DAY_MS, line, CALL_ANSWERED, 60);
        return;
    }
    long caller = number(&line), day = number(&line);
    struct span clock = span_cut(line, ' ', &line), dialled = span_cut(line, ' ', &line);
    int end = span_among(span_cut(line, ' ', &line), ends, 4);
    int64_t ms = strtol(clock.p, NULL, 10) * 3600 + strtol(clock.p + 3, NULL, 10) * 60 +
                 strtol(clock.p + 6, NULL, 10);

    assert_true(end >= 0);
    judge(s, (uint32_t)caller, MONDAY_MS + day * DAY_MS + ms * 1000, dialled, (enum call_end)end,
          (uint32_t)strtoul(line.p, NULL, 10));
}

static void set_scene(struct scene *s, struct span text)
{
    const struct ruleset *set;
    struct fault f;

    while (text.n) {
        struct span line = span_cut(text, '\n', &text);

        if (span_starts(line, SPAN("rule: ")))
            s->rules[s->n_rules++] = read_rule(span_skip(line, 6));
        if (!span_starts(line, SPAN("rate: ")))
            continue;
        if (!s->rates.n)
            buf_puts(&s->rates, "prefix,price,increment,currency\n");
        buf_add(&s->rates, span_skip(line, 6));
        buf_putc(&s->rates, '\n');
    }
    if (ruleset_intern(pool, s->rules, s->n_rules, &set, &f) ||
        (s->rates.n && rates_new(&s->table, SPAN("rates"), buf_span(&s->rates), &f)))
        fail_msg("%s", f.text);
    s->decide.account = set;
    assert_int_equal(replay_new(&s->replay, &(struct replay_config){.rates = s->table}, &f), 0);
}

static void tell_line(const struct scene *s, const struct replay_line *l, struct buf *out)
{
    char text[MONEY_TEXT];

    buf_printf(out, ": %d calls, %d answered, %d s", (int)l->calls, (int)l->answered,
               (int)l->seconds);
    for (size_t i = 0; s->table && i < rates_currencies(s->table); i++)
        if (l->paid[i])
            buf_printf(out, ", %s", money_text(l->paid[i], rates_currency(s->table, i), text));
    if (l->unpriced)
        buf_printf(out, ", %d without a price (%d s)", (int)l->unpriced, (int)l->unpriced_seconds);
    buf_printf(out, "%s\n", l->regular ? ", every week" : "");
}

static void tell(const struct scene *s, struct buf *out)
{
    struct replay_totals totals = replay_totals(s->replay);
    const char(*unpriced)[REPLAY_UNPRICED_DIGITS + 1];
    struct replay_line *lines;
    struct fault f;
    size_t n;

    buf_puts(out, "calls:");
    for (enum replay_fate i = 0; i < REPLAY_FATES; i++)
        if (totals.calls[i])
            buf_printf(out, "%s %s %d", out->p[out->n - 1] == ':' ? "" : ",", replay_fate_name(i),
                       (int)totals.calls[i]);
    buf_putc(out, '\n');
    for (enum replay_by by = REPLAY_BY_ALL; by <= REPLAY_BY_COUNTRY; by++) {
        assert_int_equal(replay_lines(s->replay, by, &lines, &n, &f), 0);
        for (size_t i = 0; i < n; i++) {
            if (by == REPLAY_BY_ALL)
                buf_puts(out, "all");
            else if (by == REPLAY_BY_CALLER)
                buf_printf(out, "%d", (int)lines[i].caller);
            else
                buf_puts(out, lines[i].country);
            tell_line(s, &lines[i], out);
        }
        free(lines);
    }
    n = replay_unpriced(s->replay, &unpriced);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "no price: %s\n", unpriced[i]);
}

static void a_case(void **state)
{
    const struct test_case *t = *state;
    struct scene s = {.n_rules = 0};
    struct buf got = {0};

    set_scene(&s, buf_span(&t->in));
    for (struct span text = buf_span(&t->in); text.n;) {
        struct span line = span_cut(text, '\n', &text);

        if (line.n && !span_starts(line, SPAN("rule: ")) && !span_starts(line, SPAN("rate: ")))
            read_call(&s, line);
    }
    tell(&s, &got);
    assert_string_equal(got.p, t->out.p);
    ruleset_unref(pool, s.decide.account);
    replay_free(s.replay);
    rates_free(s.table);
    buf_free(&s.rates);
    buf_free(&got);
}

/* Sums of ever more callers, with memory running out at each step: what was added stays added, once. */
static void test_without_memory(void **state)
{
    const struct rule rule = {.action = RULE_RESTRICT, .prefix = SPAN("010")};
    struct decide_rules rules = {.account = NULL};
    const struct ruleset *set;
    struct replay_config config = {.rates = NULL};
    struct replay *replay;
    struct replay_line *lines;
    struct fault f;
    size_t n;

    assert_int_equal(ruleset_intern(pool, &rule, 1, &set, &f), 0);
    rules.account = set;
    assert_int_equal(replay_new(&replay, &config, &f), 0);
    for (uint32_t i = 1; i <= 1000; i++) {
        const struct call call = {.caller = i,
                                  .start_ms = MONDAY_MS,
                                  .dialled = SPAN("010252615123456"),
                                  .end = CALL_ANSWERED,
                                  .seconds = 1};
        for (size_t granted = 0;; granted++) {
            failalloc_after(granted);
            int err = replay_add(replay, &call, site, &rules, &f);
            if (!failalloc_off()) {
                assert_int_equal(err, 0);
                break;
            }
            assert_int_equal(err, ERR_NOMEM);
        }
    }
    assert_int_equal(replay_lines(replay, REPLAY_BY_CALLER, &lines, &n, &f), 0);
    assert_int_equal(n, 1000);
    for (size_t i = 0; i < n; i++)
        assert_true(lines[i].calls == 1 && lines[i].seconds == 1);
    free(lines);
    replay_free(replay);
    ruleset_unref(pool, set);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_without_memory)};
    int failed;

    if (argc != 2 || open_place(NULL))
        return 2;
    failed = cases_run(argv[1], a_case, tests, 1);
    close_place(NULL);
    return failed;
}
