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
    assert_true(range->traits.risk >= n.risk);
    if (range->mixed)
        return;
    assert_int_equal(range->traits.class, n.class);
    assert_int_equal(range->traits.kind, n.kind);
    assert_int_equal(range->traits.risk, n.risk);
    assert_ptr_equal(range->traits.country, n.country);
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

/* What the proof calls closed cannot be dialled, however it is keyed. */
static void check_spellings(const struct prove *proof, const struct prove_question *q,
                            const char *digits)
{
    static const char *const before[] = {"184", "0033", "#31#", "122", "*67", "0", "9", "1", "106"};
    char spelled[2 * NUMBER_DIGITS_MAX];
    struct number n;

    numbering_parse(site, span_of(digits), &n);
    for (size_t i = 0; i <= sizeof(before) / sizeof(*before); i++) {
        struct decide_question question = {
            .number = &n, .rules = q->rules, .site = site, .when = q->when};
        const struct prove_range *range;
        struct number keyed;
        struct verdict v;

        if (i == 0)
            snprintf(spelled, sizeof(spelled), "%s", n.e164);
        else
            snprintf(spelled, sizeof(spelled), "%s%s", before[i - 1], digits);
        numbering_parse(site, span_of(spelled), &keyed);
        question.number = &keyed;
        decide(&question, &v);
        if (v.action == VERDICT_DENY || keyed.target == CLASS_INTERNAL)
            continue;
        range = range_of(proof, span_of(keyed.dialled));
        if (!range || !range->open)
            fail_msg("%s goes to %s, which the proof calls closed", spelled, keyed.dialled);
    }
}

static void check_stack(void)
{
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
        if (i % 8 == 0)
            check_spellings(proof, &q, digits);
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

static void a_proof_agrees_with_decide(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++)
        check_stack();
}

static void a_proof_agrees_with_decide_elsewhere(void **state)
{
    static const char *const plans[] = {"US", "IT", "GB", "RU", "CN"};
    struct site *japan = site;
    struct atlas *japans = atlas;

    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++) {
        struct site_config config = {.plan = span_of(plans[i])};

        assert_int_equal(site_new(&site, tables, &config, NULL), 0);
        assert_int_equal(atlas_new(&atlas, site, NULL), 0);
        for (int round = 0; round < 8; round++)
            check_stack();
        atlas_free(atlas);
        site_free(site);
    }
    site = japan;
    atlas = japans;
}

/* ---- rules without effect ---- */

/* The rules of `set` but the one, as a set of their own. */
static const struct ruleset *without(const struct ruleset *set, size_t but)
{
    char digits[64][RULE_PREFIX_MAX + 1];
    struct rule rules[64];
    const struct ruleset *rest;
    size_t n = 0;

    for (size_t i = 0; i < ruleset_count(set); i++)
        if (i != but) {
            rules[n] = ruleset_rule(set, i, digits[n]);
            n++;
        }
    assert_int_equal(ruleset_intern(pool, rules, n, &rest, NULL), 0);
    return rest;
}

/* The stack without its rule `number`, counted through all levels. */
static void leave_out(struct stack *s, size_t number)
{
    const struct ruleset **sets[] = {&s->rules.account, &s->tenants[0], &s->tenants[1],
                                     &s->rules.operator_rules, &s->rules.mandatory};

    for (size_t i = 0; i < 5; i++) {
        if ((i == 1 || i == 2) && s->rules.n_tenants == 0)
            continue;
        if (number < ruleset_count(*sets[i])) {
            *sets[i] = without(*sets[i], number);
            return;
        }
        number -= ruleset_count(*sets[i]);
    }
    fail_msg("no such rule");
}

static void rules_have_an_effect_where_numbers_tell(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++) {
        struct stack stack;
        struct prove_question q = {.rules = &stack.rules, .when = {.now = below(250)}};
        struct prove *proof;

        random_stack(&stack);
        if (round % 2 == 0)
            stack.rules.account = rules_of(SPAN("-0100 +0100 -01099999 -0102 +01021"));
        assert_int_equal(prove_new(&proof, atlas, &q, NULL), 0);
        for (size_t i = 0; i < prove_rules(proof); i++) {
            struct stack less = stack;
            struct prove_question other = {.rules = &less.rules, .when = q.when};
            const struct prove_rule *rule = prove_rule(proof, i);
            struct prove_difference d;

            less.rules.tenants = less.tenants;
            leave_out(&less, i);
            assert_int_equal(prove_compare(&d, atlas, &q, &other, NULL), 0);
            if ((rule->effect == PROVE_EFFECT) != (d.numbers != PROVE_EQUAL))
                fail_msg("%s %s is said to be %s, and without it the rules are %s",
                         rule_action_name(rule->action), rule->prefix,
                         prove_effect_name(rule->effect), prove_relation_name(d.numbers));
        }
        prove_free(proof);
        forget(&stack);
    }
}

/* ---- comparison, against brute force ---- */

/* Few digits below 0, where Japan has no emergency number. */
static const struct ruleset *small_rules(void)
{
    char prefixes[12][8];
    struct rule rules[12] = {0};
    const struct ruleset *set;
    size_t n = 0;

    for (unsigned wanted = below(12); wanted > 0; wanted--) {
        size_t length = 1 + below(4);
        bool twice = false;

        prefixes[n][0] = '0';
        for (size_t i = 1; i < length; i++)
            prefixes[n][i] = (char)('0' + below(3));
        rules[n] = (struct rule){.action = below(2) ? RULE_RESTRICT : RULE_EXCEPT,
                                 .prefix = {prefixes[n], length}};
        for (size_t k = 0; k < n; k++)
            twice |=
                rules[k].action == rules[n].action && span_eq(rules[k].prefix, rules[n].prefix);
        n += !twice;
    }
    assert_int_equal(ruleset_intern(pool, rules, n, &set, NULL), 0);
    return set;
}

/* What every string of five digits below 0 says: 'S' where the first closes and the second does
 * not, 'L' the other way. */
struct brute {
    char side[10000];
    bool exists[10000];
    char operator_side;
};

static char side_of(const struct decide_rules *a, const struct decide_rules *b, struct span digits,
                    bool open_ended)
{
    struct ruleset_moment when = {.now = 0};
    struct ruleset_key key = ruleset_key(digits);
    struct decide_finding rule;
    bool first = decide_by_rules(a, &key, open_ended, &when, &rule),
         second = decide_by_rules(b, &key, open_ended, &when, &rule);

    return first == second ? '=' : second ? 'S' : 'L';
}

static void try_all(const struct decide_rules *a, const struct decide_rules *b, struct brute *out)
{
    for (unsigned i = 0; i < 10000; i++) {
        char digits[8];

        snprintf(digits, sizeof(digits), "0%04u", i);
        out->side[i] = side_of(a, b, span_of(digits), false);
        out->exists[i] = atlas_has(atlas, span_of(digits));
    }
    out->operator_side = side_of(a, b, SPAN("010"), true);
}

static enum prove_relation relation(const struct brute *all, bool numbers)
{
    bool s = numbers && all->operator_side == 'S', l = numbers && all->operator_side == 'L';

    for (unsigned i = 0; i < 10000; i++) {
        s |= all->side[i] == 'S' && (!numbers || all->exists[i]);
        l |= all->side[i] == 'L' && (!numbers || all->exists[i]);
    }
    return s && l ? PROVE_DIFFERENT : s ? PROVE_STRICTER : l ? PROVE_LOOSER : PROVE_EQUAL;
}

/* Whether all that begins with the n-digit string is on the side, and whether numbers are in it. */
static bool uniform(const struct brute *all, unsigned from, unsigned n, char side, bool *exists)
{
    *exists = false;
    for (unsigned i = from; i < from + n; i++) {
        *exists |= all->exists[i];
        if (all->side[i] != side)
            return false;
    }
    return true;
}

static void check_example(const struct brute *all, const struct prove_example *example, char side)
{
    static const unsigned width[] = {10000, 1000, 100, 10, 1};
    unsigned first = 10000;
    size_t depth;

    /* Of numbers that exist if there are such, the shortest and then the smallest. */
    for (depth = 0; depth < 10 && first == 10000; depth++)
        for (unsigned at = 0; at < 10000 && first == 10000; at += width[depth % 5]) {
            bool exists, hit = uniform(all, at, width[depth % 5], side, &exists);

            if (hit && (exists || depth >= 5))
                first = at;
        }
    /* The operator's calls are an example only where no other number is. */
    if (all->operator_side == side && (first == 10000 || depth > 5)) {
        assert_string_equal(example->prefix, "010");
        assert_true(example->whole && example->traits.open_ended);
        return;
    }
    assert_int_equal(example->there, first != 10000);
    if (first == 10000)
        return;

    char digits[8];

    snprintf(digits, sizeof(digits), "0%04u", first);
    digits[1 + (depth - 1) % 5] = '\0';
    assert_string_equal(example->prefix, digits);
    assert_int_equal(example->exists, depth <= 5);
    if (!example->exists)
        return;

    struct number n;

    numbering_parse(site, span_of(example->number), &n);
    assert_string_equal(n.dialled, example->number);
    assert_true(span_starts(span_of(n.dialled), span_of(digits)));
    assert_int_equal(n.class, example->traits.class);
    assert_ptr_equal(n.country, example->traits.country);
}

static void a_comparison_agrees_with_all_strings(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct decide_rules a = {.account = small_rules()}, b = {.account = small_rules()};
        struct prove_question first = {.rules = &a}, second = {.rules = &b};
        static struct brute all;
        struct prove_difference d;

        if (below(2))
            a.operator_rules = small_rules();
        if (below(4) == 0)
            b = a;
        if (below(4) == 0)
            b.account = NULL;
        try_all(&a, &b, &all);
        assert_int_equal(prove_compare(&d, atlas, &first, &second, NULL), 0);
        assert_int_equal(d.strings, relation(&all, false));
        assert_int_equal(d.numbers, relation(&all, true));
        check_example(&all, &d.stricter, 'S');
        check_example(&all, &d.looser, 'L');
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

static void a_comparison_survives_a_lack_of_memory(void **state)
{
    struct decide_rules a = {.account = rules_of(SPAN("-010 +0101 -0101876"))},
                        b = {.account = NULL};
    struct prove_question first = {.rules = &a}, second = {.rules = &b};
    struct prove_difference d = {.strings = PROVE_DIFFERENT};
    struct fault f;

    (void)state;
    for (size_t n = 0;; n++) {
        failalloc_after(n);

        int err = prove_compare(&d, atlas, &first, &second, &f);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_int_equal(d.strings, PROVE_DIFFERENT);
    }
    assert_int_equal(d.strings, PROVE_STRICTER);
}

/* As many rules as an owner can have, each as deep as a rule can be. */
static void rules_that_cut_too_much_are_refused(void **state)
{
    static struct rule rules[RULESET_RULES_MAX];
    static char digits[RULESET_RULES_MAX][RULE_PREFIX_MAX + 1];
    struct decide_rules stack = {0};
    struct prove_question q = {.rules = &stack};
    struct prove *proof = NULL;
    struct prove_difference d;
    struct fault f;

    (void)state;
    for (size_t i = 0; i < RULESET_RULES_MAX; i++) {
        snprintf(digits[i], sizeof(digits[i]), "01012125%05zu%015u0000", i, below(1000000));
        rules[i] = (struct rule){.action = RULE_RESTRICT, .prefix = span_of(digits[i])};
    }
    assert_int_equal(ruleset_intern(pool, rules, RULESET_RULES_MAX, &stack.account, &f), 0);
    assert_int_equal(prove_new(&proof, atlas, &q, &f), ERR_FULL);
    assert_string_equal(f.text, "the rules cut the dial plan into more than 131072 ranges");
    assert_null(proof);
    assert_int_equal(prove_compare(&d, atlas, &q, &q, &f), 0);
    assert_int_equal(d.strings, PROVE_EQUAL);
}

/* An operator's calls are closed by what is closed behind 010: by the second tenant's rule, and not by one of
 * the first's in its place. */
static void the_rule_that_closes_an_operators_calls_is_named(void **state)
{
    const struct ruleset *tenants[] = {rules_of(SPAN("-0990")), rules_of(SPAN("-0101"))};
    const struct decide_rules rules = {.tenants = tenants, .n_tenants = 2};
    struct prove *proof = prove(&rules);
    const struct prove_range *range = range_of(proof, SPAN("010"));

    assert_non_null(range);
    assert_true(range->traits.open_ended);
    assert_false(range->open);
    assert_int_equal(prove_rule(proof, range->rule)->tenant, 1);
    assert_string_equal(prove_rule(proof, range->rule)->prefix, "0101");
    prove_free(proof);
    ruleset_unref(pool, tenants[0]);
    ruleset_unref(pool, tenants[1]);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest fixed[] = {
        cmocka_unit_test(a_proof_agrees_with_decide),
        cmocka_unit_test(a_proof_agrees_with_decide_elsewhere),
        cmocka_unit_test(rules_have_an_effect_where_numbers_tell),
        cmocka_unit_test(a_comparison_agrees_with_all_strings),
        cmocka_unit_test(it_survives_a_lack_of_memory),
        cmocka_unit_test(a_comparison_survives_a_lack_of_memory),
        cmocka_unit_test(rules_that_cut_too_much_are_refused),
        cmocka_unit_test(the_rule_that_closes_an_operators_calls_is_named),
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
