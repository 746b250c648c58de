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
    struct rule rule = {.action = span_is(word, "except") ? RULE_EXCEPT : RULE_RESTRICT,
                        .mandatory = span_is(word, "mandatory")};

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

static struct sweep_says read_rules(struct span line)
{
    struct rule rules[RULES_MAX];
    size_t n = 0;

    line = span_trim(line);
    while (line.n)
        rules[n++] = read_rule(span_cut(line, ',', &line));
    return sweep_says(rules, n, SPAN("010"), 1000);
}

static struct sweep_facts read_facts(struct span line, struct coverage *records)
{
    int64_t last_ms = read_time(line, "records");

    records->last_ms = last_ms;
    records->first_ms = records->reach_ms = read_time(line, "reach");
    return (struct sweep_facts){
        .records = records,
        .abroad_ms = read_time(line, "abroad"),
        .lifted_ms = read_time(line, "lifted"),
        .created_ms = read_time(line, "created"),
        .first_call_ms = read_time(line, "first call"),
    };
}

static const char *const levels[] = {"rules:", "tenant:", "operator:"};
#define LEVELS 3

static bool read_level(struct span line, struct sweep_says *says)
{
    for (size_t i = 0; i < LEVELS; i++)
        if (span_starts(line, span_of(levels[i]))) {
            says[i] = read_rules(span_skip(line, strlen(levels[i])));
            return true;
        }
    return false;
}

static void a_case(void **state)
{
    static const char *const rules_names[] = {"open", "own", "closed"};
    static const char *const by_names[] = {"", " by tenant", " by operator"};
    const struct test_case *t = *state;
    struct span rest = buf_span(&t->in), line;
    struct sweep_says says[LEVELS] = {0};
    struct sweep_terms terms = {.now_ms = NOW_MS,
                                .since_ms = NOW_MS - 365 * DAY_MS,
                                .young_ms = 30 * DAY_MS,
                                .believed_ms = 14 * DAY_MS};
    struct coverage records;
    struct sweep_facts facts = {0};
    bool objected = false;
    size_t by;
    char got[64];

    coverage_begin(&records, terms.believed_ms);
    while (rest.n) {
        line = span_cut(rest, '\n', &rest);
        if (span_is(line, "include lifted"))
            terms.include_lifted = true;
        else if (span_is(line, "objected"))
            objected = true;
        else if (span_starts(line, SPAN("since ")))
            terms.since_ms = NOW_MS - strtol(line.p + 6, NULL, 10) * DAY_MS;
        else if (!read_level(line, says) && line.n)
            facts = read_facts(line, &records);
    }
    facts.objected = objected;
    facts.rules = sweep_rules(says, LEVELS, &by);
    snprintf(got, sizeof(got), "%s%s: %s\n", rules_names[facts.rules], by_names[by],
             sweep_verdict_name(sweep_judge(&facts, &terms)));
    assert_string_equal(got, t->out.p);
}

int main(int argc, char **argv)
{
    return argc == 2 ? cases_run(argv[1], a_case, NULL, 0) : 2;
}
