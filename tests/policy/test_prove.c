/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A proof says of every number what decide() says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cases.h"
#include "failalloc.h"
#include "numbering/numbering.h"
#include "policy/prove_words.h"

static struct tables *tables;
static struct site *site;
static struct atlas *atlas;
static struct ruleset_pool *pool;

static unsigned seed = 1;

static unsigned below(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

/* "-0102 +01012": restrictions and exceptions. */
static const struct ruleset *rules_of(struct span rest)
{
    struct rule rules[64] = {0};
    const struct ruleset *set;
    struct fault f;
    size_t n = 0;

    while (rest.n) {
        struct span word = span_cut(rest, ' ', &rest);

        rules[n].action = word.p[0] == '-' ? RULE_RESTRICT : RULE_EXCEPT;
        rules[n++].prefix = span_skip(word, 1);
    }
    if (ruleset_intern(pool, rules, n, &set, &f))
        fail_msg("%s", f.text);
    return set;
}

static struct prove *prove(const struct decide_rules *rules)
{
    struct prove_question q = {.rules = rules};
    struct prove *proof;
    struct fault f;

    if (prove_new(&proof, atlas, &q, &f))
        fail_msg("%s", f.text);
    return proof;
}

static const struct prove_range *range_of(const struct prove *proof, struct span digits)
{
    const struct prove_range *found = NULL;

    for (size_t i = 0; i < prove_ranges(proof); i++) {
        const struct prove_range *r = prove_range(proof, i);
        struct span prefix = span_of(r->prefix);

        if (!span_starts(digits, prefix) || (r->whole && digits.n != prefix.n))
            continue;
        /* The whole number comes first, and what begins with it does not mean it. */
        if (found && found->whole && prefix.n == digits.n)
            continue;
        if (found)
            fail_msg("%.*s is in %s and in %s", SPAN_FMT(digits), found->prefix, r->prefix);
        found = r;
    }
    return found;
}

/* ---- in words ---- */

struct asked {
    struct decide_rules first, second;
    enum prove_language language;
    struct buf out;
};

static const struct prove_summary *summary_of(const struct prove *proof, struct span what)
{
    for (size_t i = 0; i < prove_summaries(proof); i++) {
        const struct prove_summary *s = prove_summary(proof, i);

        if (s->country ? span_is(what, s->country->iso)
                       : span_is(what, s->open_ended ? "operator" : number_class_name(s->class)))
            return s;
    }
    fail_msg("no summary of %.*s", SPAN_FMT(what));
    return NULL;
}

static void list_effects(const struct prove *proof, struct asked *a)
{
    for (size_t i = 0; i < prove_rules(proof); i++) {
        if (prove_rule(proof, i)->effect == PROVE_EFFECT)
            continue;
        prove_words_rule(&a->out, prove_rule(proof, i), a->language);
        buf_puts(&a->out, "\n");
    }
}

static void say_difference(struct asked *a)
{
    struct prove_question first = {.rules = &a->first}, second = {.rules = &a->second};
    struct prove_difference d;

    assert_int_equal(prove_compare(&d, atlas, &first, &second, NULL), 0);
    prove_words_difference(&a->out, atlas, &d, a->language);
    buf_printf(&a->out, "\n%s %s\n", prove_relation_name(d.numbers),
               prove_relation_name(d.strings));
}

static void answer(struct asked *a, struct span word, struct span rest)
{
    struct prove *proof = prove(&a->first);

    if (span_is(word, "range")) {
        const struct prove_range *range = range_of(proof, rest);

        assert_non_null(range);
        prove_words_range(&a->out, atlas, range, a->language);
        buf_printf(&a->out, " (%s%s)\n", range->prefix, range->whole ? "" : "...");
    } else if (span_is(word, "summary")) {
        prove_words_summary(&a->out, summary_of(proof, rest), a->language);
        buf_puts(&a->out, "\n");
    } else if (span_is(word, "effects")) {
        list_effects(proof, a);
    } else {
        assert_true(span_is(word, "difference"));
        say_difference(a);
    }
    prove_free(proof);
}

static void run_case(void **state)
{
    const struct test_case *c = *state;
    struct span text = buf_span(&c->in);
    struct asked a = {.language = PROVE_ENGLISH};

    while (text.n) {
        struct span rest, word = span_cut(span_cut(text, '\n', &text), ' ', &rest);

        if (span_is(word, "ja"))
            a.language = PROVE_JAPANESE;
        else if (span_is(word, "first"))
            a.first.account = rules_of(rest);
        else if (span_is(word, "operator"))
            a.first.operator_rules = rules_of(rest);
        else if (span_is(word, "mandatory"))
            a.first.mandatory = rules_of(rest);
        else if (span_is(word, "second"))
            a.second.account = rules_of(rest);
        else if (word.n)
            answer(&a, word, rest);
    }
    assert_string_equal(a.out.p, c->out.p);
    buf_free(&a.out);
}

/* ---- at random ---- */

/* A prefix that has something to do with numbers: a region's, longer or shorter. */
static void random_prefix(char out[RULE_PREFIX_MAX + 1])
{
    const struct atlas_region *r = atlas_region(atlas, below((unsigned)atlas_count(atlas)));
    size_t n = r->n;

    memcpy(out, r->prefix, n + 1);
    for (unsigned more = below(3); more > 0 && n < RULE_PREFIX_MAX; more--)
        out[n++] = "0123456789*#+"[below(20) ? below(10) : below(13)];
    if (below(2))
        n = 1 + below((unsigned)n);
    out[n] = '\0';
}

static const struct ruleset *random_rules(bool mandatory)
{
    char prefixes[24][RULE_PREFIX_MAX + 1];
    struct rule rules[24] = {0};
    size_t n = 0, wanted = below(24);
    const struct ruleset *set;

    for (size_t i = 0; i < wanted; i++) {
        bool twice = false;

        random_prefix(prefixes[n]);
        rules[n] = (struct rule){
            .action = mandatory || below(2) ? RULE_RESTRICT : RULE_EXCEPT,
            .prefix = span_of(prefixes[n]),
            .until = below(4) ? 0 : 1 + below(200),
            .schedule = below(6) ? (struct span){NULL, 0} : SPAN("thu 00:00-00:02 Asia/Tokyo"),
        };
        for (size_t k = 0; k < n; k++)
            twice |=
                rules[k].action == rules[n].action && span_eq(rules[k].prefix, rules[n].prefix);
        n += !twice;
    }
    assert_int_equal(ruleset_intern(pool, rules, n, &set, NULL), 0);
    return set;
}

struct stack {
    struct decide_rules rules;
    const struct ruleset *tenants[2];
};

static void random_stack(struct stack *s)
{
    unsigned levels = below(16);

    *s = (struct stack){.rules = {0}};
    s->rules.account = random_rules(false);
    s->rules.tenants = s->tenants;
    s->rules.n_tenants = levels & 1 ? 2 : 0;
    s->tenants[0] = levels & 2 ? random_rules(false) : s->rules.account;
    s->tenants[1] = random_rules(false);
    if (levels & 4)
        s->rules.operator_rules = random_rules(false);
    if (levels & 8)
        s->rules.mandatory = below(2) ? random_rules(true) : rules_of(SPAN("-0101"));
}

static void forget(const struct stack *s)
{
    (void)s;
    ruleset_pool_free(pool);
    assert_int_equal(ruleset_pool_new(&pool, NULL, (const uint8_t[16]){0}, NULL), 0);
}

/* Whether `digits` is only the beginning of a rule. */
static bool only_begins(const struct prove *proof, struct span digits)
{
    for (size_t i = 0; i < prove_rules(proof); i++) {
        struct span prefix = span_of(prove_rule(proof, i)->prefix);

        if (prefix.n > digits.n && span_starts(prefix, digits))
            return true;
    }
    return false;
}

static void check_number(const struct prove *proof, const struct prove_question *q,
                         struct span digits)
{
    struct decide_question question = {.rules = q->rules, .site = site, .when = q->when};
    const struct prove_range *range;
    struct number n;
    struct verdict v;

    numbering_parse(site, digits, &n);
    if (!span_is(digits, n.dialled))
        return;
    question.number = &n;
    decide(&question, &v);
    range = range_of(proof, digits);
    if (!range)
        fail_msg("%.*s is in no range", SPAN_FMT(digits));
    if (!range->exists)
        assert_int_equal(v.action, VERDICT_DENY);
    if (v.reason == REASON_INVALID || v.reason == REASON_INCOMPLETE ||
        v.reason == REASON_UNKNOWN_NUMBER || v.reason == REASON_NO_AREA)
        return;
    if (range->open != (v.action == VERDICT_ALLOW))
        fail_msg("%.*s: %s %s, and %s is %s", SPAN_FMT(digits), verdict_reason_name(v.reason),
                 v.rule_prefix, range->prefix, range->open ? "open" : "closed");
    assert_true(range->exists);
    assert_int_equal(range->traits.class, n.class);
    assert_ptr_equal(range->traits.country, n.country);
    assert_int_equal(range->traits.risk, n.risk);
    assert_true(range->mixed || range->traits.kind == n.kind);
}

/* Nobody's numbers, too, are open or closed as the rules say. */
static void check_string(const struct prove *proof, const struct prove_question *q,
                         struct span digits)
{
    const struct prove_range *range = range_of(proof, digits);
    struct ruleset_key key = ruleset_key(digits);
    struct decide_finding rule;

    if (range && !range->exists && !only_begins(proof, digits))
        assert_int_equal(range->open, decide_by_rules(q->rules, &key, false, &q->when, &rule));
    if (!range && !only_begins(proof, digits) && digits.n > 14)
        fail_msg("%.*s is in no range", SPAN_FMT(digits));
}

static void random_number(char out[NUMBER_DIGITS_MAX])
{
    const struct atlas_region *r = atlas_region(atlas, below((unsigned)atlas_count(atlas)));
    size_t n = r->n;

    memcpy(out, r->prefix, n);
    while (n < 31 && (!(r->lengths & UINT32_C(1) << n) || (r->lengths >> n > 1 && below(2))))
        out[n++] = (char)('0' + below(10));
    out[n] = '\0';
}

static void random_string(char out[NUMBER_DIGITS_MAX], const struct prove *proof)
{
    size_t n = 0;

    if (prove_rules(proof) && below(2)) {
        const struct prove_rule *r = prove_rule(proof, below((unsigned)prove_rules(proof)));

        n = strspn(r->prefix, "0123456789");
        memcpy(out, r->prefix, n);
    }
    while (n < 33)
        out[n++] = (char)('0' + below(10));
    out[n] = '\0';
}

static void check_ranges(const struct prove *proof)
{
    for (size_t i = 1; i < prove_ranges(proof); i++) {
        const struct prove_range *a = prove_range(proof, i - 1), *b = prove_range(proof, i);
        int order = strcmp(a->prefix, b->prefix);

        assert_true(order < 0 || (order == 0 && a->whole && !b->whole));
    }
}

static void a_proof_agrees_with_decide(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct stack stack;
        struct prove_question q = {.rules = &stack.rules, .when = {.now = below(250)}};
        char digits[NUMBER_DIGITS_MAX];
        struct prove *proof;
        struct fault f;

        random_stack(&stack);
        assert_int_equal(prove_new(&proof, atlas, &q, &f), 0);
        check_ranges(proof);
        for (int i = 0; i < 300; i++) {
            random_number(digits);
            check_number(proof, &q, span_of(digits));
            random_string(digits, proof);
            check_string(proof, &q, span_of(digits));
        }
        for (unsigned i = 0; i < 1000; i++) {
            snprintf(digits, sizeof(digits), "%03u", i);
            check_number(proof, &q, span_of(digits));
        }
        prove_free(proof);
        forget(&stack);
    }
}

static void it_survives_a_lack_of_memory(void **state)
{
    struct decide_rules rules = {.account = rules_of(SPAN("-010 +0101 -0101876"))};
    struct prove_question q = {.rules = &rules};
    struct prove *proof = NULL;
    struct fault f;

    (void)state;
    for (size_t n = 0;; n++) {
        failalloc_after(n);

        int err = prove_new(&proof, atlas, &q, &f);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(proof);
    }
    prove_free(proof);
    prove_free(NULL);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest fixed[] = {
        cmocka_unit_test(a_proof_agrees_with_decide),
        cmocka_unit_test(it_survives_a_lack_of_memory),
    };
    struct site_config config = {.plan = SPAN("JP")};
    struct fault f;
    int failed = 2;

    if (tables_load(&tables, NULL, 0, &f) || site_new(&site, tables, &config, &f) ||
        atlas_new(&atlas, site, &f) || ruleset_pool_new(&pool, NULL, (const uint8_t[16]){0}, &f)) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    if (argc == 2)
        failed = cases_run(argv[1], run_case, fixed, sizeof(fixed) / sizeof(*fixed));
    ruleset_pool_free(pool);
    atlas_free(atlas);
    site_free(site);
    tables_free(tables);
    return failed;
}
