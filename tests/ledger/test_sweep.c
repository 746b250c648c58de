/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "ledger/sweep.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define NOW_MS (INT64_C(20000) * DAY_MS)
#define RULES_MAX 8

static struct rule read_rule(struct span text)
{
    struct span rest, word = span_cut(span_trim(text), ' ', &rest);
    struct rule rule = {.action = span_is(word, "restrict") ? RULE_RESTRICT : RULE_EXCEPT};

    rule.prefix = span_cut(rest, ' ', &rest);
    word = span_cut(rest, ' ', &rest);
    if (span_is(word, "until"))
        rule.until = strtol(rest.p, NULL, 10);
    else if (span_is(word, "schedule"))
        rule.schedule = SPAN("mon-fri 18:00-24:00 Asia/Tokyo");
    return rule;
}

/* "abroad 5": five days ago. */
static int64_t read_time(struct span text, const char *name)
{
    struct span word;

    while (text.p) {
        word = span_trim(span_cut(text, ',', &text));
        if (span_starts(word, span_of(name))) {
            word = span_skip(word, strlen(name) + 1);
            return span_is(word, "never") ? HISTORY_NEVER
                                          : NOW_MS - strtol(word.p, NULL, 10) * DAY_MS;
        }
    }
    fail_msg("%s is missing", name);
    return 0;
}

static void a_case(void **state)
{
    static const char *const rules_names[] = {"open", "own", "closed"};
    const struct test_case *t = *state;
    struct span rest = buf_span(&t->in), line;
    struct rule rules[RULES_MAX];
    struct sweep_terms terms = {
        .now_ms = NOW_MS, .since_ms = NOW_MS - 365 * DAY_MS, .young_ms = 30 * DAY_MS};
    struct sweep_facts facts = {0};
    size_t n = 0;
    char got[64];

    while (rest.n) {
        line = span_cut(rest, '\n', &rest);
        if (span_is(line, "include lifted")) {
            terms.include_lifted = true;
        } else if (span_starts(line, SPAN("rules:"))) {
            line = span_trim(span_skip(line, 6));
            while (line.n)
                rules[n++] = read_rule(span_cut(line, ',', &line));
        } else if (line.n) {
            facts = (struct sweep_facts){
                .switch_last_ms = read_time(line, "records"),
                .abroad_ms = read_time(line, "abroad"),
                .lifted_ms = read_time(line, "lifted"),
                .created_ms = read_time(line, "created"),
                .first_call_ms = read_time(line, "first call"),
            };
        }
    }
    facts.rules = sweep_rules(rules, n, SPAN("010"), 1000);
    snprintf(got, sizeof(got), "%s: %s\n", rules_names[facts.rules],
             sweep_verdict_name(sweep_judge(&facts, &terms)));
    assert_string_equal(got, t->out.p);
}

int main(int argc, char **argv)
{
    return argc == 2 ? cases_run(argv[1], a_case, NULL, 0) : 2;
}
