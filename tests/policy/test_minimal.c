/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cases.h"
#include "failalloc.h"
#include "policy/complement.h"
#include "policy/minimal.h"

#define WANTS_MAX 64

static enum minimal_outcome outcome_of(struct span word)
{
    if (span_is(word, "open"))
        return MINIMAL_OPEN;
    return span_is(word, "closed") ? MINIMAL_CLOSED : MINIMAL_EITHER;
}

static void show(struct buf *out, const char *name, struct span root,
                 const struct minimal_want *wants, size_t n, enum minimal_form form)
{
    struct minimal *list;
    struct fault f;

    if (minimal_new(&list, root, wants, n, form, &f)) {
        buf_clear(out);
        buf_printf(out, "fault %s\n", f.text);
        return;
    }
    buf_puts(out, name);
    for (size_t i = 0; i < minimal_count(list); i++) {
        struct rule rule = minimal_rule(list, i);

        buf_printf(out, " %c%.*s", rule.action == RULE_RESTRICT ? '-' : '+', SPAN_FMT(rule.prefix));
    }
    buf_puts(out, "\n");
    minimal_free(list);
}

static void run_case(void **state)
{
    const struct test_case *c = *state;
    struct span rest = buf_span(&c->in), root = {NULL, 0};
    struct minimal_want wants[WANTS_MAX];
    struct buf out = {0};
    size_t n = 0;

    while (rest.n) {
        struct span prefix, word = span_cut(span_cut(rest, '\n', &rest), ' ', &prefix);

        if (span_is(word, "root"))
            root = prefix;
        else if (word.n)
            wants[n++] = (struct minimal_want){prefix, outcome_of(word)};
    }
    show(&out, "rules", root, wants, n, MINIMAL_WITH_EXCEPTIONS);
    if (!span_starts(buf_span(&out), SPAN("fault")))
        show(&out, "only", root, wants, n, MINIMAL_RESTRICTIONS);
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
}

/* ---- at random, against brute force ---- */

static unsigned seed = 1;

static unsigned below(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

/* What is wanted of each of the hundred strings of two digits below the root "7". */
struct wish {
    char prefix[WANTS_MAX][4];
    struct minimal_want wants[WANTS_MAX];
    size_t n;
    uint8_t of[100];
};

static void random_wish(struct wish *w)
{
    unsigned kinds = 2 + below(2), many = 1 + below(30);

    w->n = 0;
    for (unsigned i = 0; i < many; i++) {
        unsigned length = below(3), number = below(length == 2 ? 100 : 10);
        bool twice = false;

        snprintf(w->prefix[w->n], sizeof(w->prefix[0]),
                 length == 0   ? "7"
                 : length == 1 ? "7%u"
                               : "7%02u",
                 number);
        w->wants[w->n] =
            (struct minimal_want){span_of(w->prefix[w->n]), (enum minimal_outcome)below(kinds)};
        for (size_t k = 0; k < w->n; k++)
            twice |= span_eq(w->wants[k].prefix, w->wants[w->n].prefix);
        w->n += !twice;
    }
    for (unsigned s = 0; s < 100; s++) {
        size_t longest = 0;
        char digits[8];

        snprintf(digits, sizeof(digits), "7%02u", s);
        w->of[s] = MINIMAL_OPEN;
        for (size_t i = 0; i < w->n; i++)
            if (span_starts(span_of(digits), w->wants[i].prefix) &&
                w->wants[i].prefix.n > longest) {
                longest = w->wants[i].prefix.n;
                w->of[s] = (uint8_t)w->wants[i].outcome;
            }
    }
}

/* A rule on "7" (0), "70" … (1 to 10) or "700" … (11 to 110), and what it covers. */
struct candidate {
    unsigned place;
    bool closes;
};

static unsigned rank(unsigned place)
{
    return place == 0 ? 1 : place <= 10 ? 2 : 3;
}

static bool covers(unsigned place, unsigned s)
{
    return place == 0 || (place <= 10 ? s / 10 == place - 1 : s == place - 11);
}

static bool realise(const struct wish *w, const struct candidate *rules, size_t n)
{
    for (unsigned s = 0; s < 100; s++) {
        bool closed = false;
        unsigned best = 0;

        for (size_t i = 0; i < n; i++)
            if (covers(rules[i].place, s) && rank(rules[i].place) > best) {
                best = rank(rules[i].place);
                closed = rules[i].closes;
            }
        if (w->of[s] != MINIMAL_EITHER && closed != (w->of[s] == MINIMAL_CLOSED))
            return false;
    }
    return true;
}

/* Whether any `n` rules do, at places from `from` on. */
static bool any_realise(const struct wish *w, struct candidate *rules, size_t have, size_t n,
                        unsigned from, bool restrict_only)
{
    if (have == n)
        return realise(w, rules, n);
    for (unsigned place = from; place <= 110; place++)
        for (int closes = restrict_only; closes <= 1; closes++) {
            rules[have] = (struct candidate){place, closes};
            if (any_realise(w, rules, have + 1, n, place + 1, restrict_only))
                return true;
        }
    return false;
}

static unsigned place_of(struct span prefix)
{
    if (prefix.n == 1)
        return 0;
    return prefix.n == 2 ? 1 + (unsigned)(prefix.p[1] - '0')
                         : 11 + (unsigned)(prefix.p[1] - '0') * 10 + (unsigned)(prefix.p[2] - '0');
}

static void check_wish(const struct wish *w, enum minimal_form form)
{
    struct candidate rules[WANTS_MAX * 4] = {{0}}, fewer[4] = {{0}};
    bool only = form == MINIMAL_RESTRICTIONS;
    struct minimal *list;
    size_t n;

    assert_int_equal(minimal_new(&list, SPAN("7"), w->wants, w->n, form, NULL), 0);
    n = minimal_count(list);
    for (size_t i = 0; i < n; i++) {
        struct rule rule = minimal_rule(list, i);

        assert_true(!only || rule.action == RULE_RESTRICT);
        assert_true(rule.prefix.n >= 1 && rule.prefix.n <= 3);
        rules[i] = (struct candidate){place_of(rule.prefix), rule.action == RULE_RESTRICT};
    }
    assert_true(realise(w, rules, n));
    for (size_t k = 0; k < n && k <= 2; k++)
        assert_false(any_realise(w, fewer, 0, k, 0, only));
    minimal_free(list);
}

static void random_lists_are_exact_and_minimal(void **state)
{
    struct wish wish;

    (void)state;
    for (int round = 0; round < 150; round++) {
        random_wish(&wish);
        check_wish(&wish, MINIMAL_WITH_EXCEPTIONS);
        check_wish(&wish, MINIMAL_RESTRICTIONS);
    }
}

/* The best that dynamic programming over all covers of one level finds, as a second opinion on lists
 * that are too long to try all. */
static unsigned fewest(const struct wish *w, unsigned ten, bool above_closed, bool turn)
{
    bool closed = above_closed != turn;
    unsigned rules = turn;

    for (unsigned s = ten * 10; s < ten * 10 + 10; s++)
        rules += w->of[s] != MINIMAL_EITHER && closed != (w->of[s] == MINIMAL_CLOSED);
    return rules;
}

static void long_lists_are_minimal(void **state)
{
    struct wish wish;

    (void)state;
    for (int round = 0; round < 500; round++) {
        struct minimal *list;
        unsigned best = 1000;

        random_wish(&wish);
        for (int closed = 0; closed <= 1; closed++) {
            unsigned rules = (unsigned)closed;

            for (unsigned ten = 0; ten < 10; ten++) {
                unsigned keep = fewest(&wish, ten, closed, false),
                         turn = fewest(&wish, ten, closed, true);

                rules += keep < turn ? keep : turn;
            }
            best = rules < best ? rules : best;
        }
        assert_int_equal(
            minimal_new(&list, SPAN("7"), wish.wants, wish.n, MINIMAL_WITH_EXCEPTIONS, NULL), 0);
        assert_int_equal(minimal_count(list), best);
        minimal_free(list);
    }
}

static void restrictions_are_those_of_complement(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct minimal_want wants[8] = {{SPAN("7"), MINIMAL_CLOSED}};
        struct span allowed[7];
        char digits[7][8];
        struct complement *rest;
        struct minimal *list;
        size_t n = 0;

        for (unsigned i = 0; i < 7; i++) {
            bool twice = false;

            digits[n][0] = '7';
            snprintf(digits[n] + 1, 7, below(2) ? "%u" : "%03u", below(1000));
            allowed[n] = span_of(digits[n]);
            for (size_t k = 0; k < n; k++)
                twice |= span_eq(allowed[k], allowed[n]);
            wants[1 + n] = (struct minimal_want){allowed[n], MINIMAL_OPEN};
            n += !twice;
        }
        assert_int_equal(minimal_new(&list, SPAN("7"), wants, n + 1, MINIMAL_RESTRICTIONS, NULL),
                         0);
        assert_int_equal(complement_new(&rest, SPAN("7"), allowed, n, NULL), 0);
        assert_int_equal(minimal_count(list), complement_count(rest));
        for (size_t i = 0; i < minimal_count(list); i++)
            assert_true(span_eq(minimal_rule(list, i).prefix, complement_prefix(rest, i)));
        complement_free(rest);
        minimal_free(list);
    }
}

static void no_memory_no_list(void **state)
{
    static const struct minimal_want wants[] = {{SPAN("010"), MINIMAL_CLOSED},
                                                {SPAN("0101"), MINIMAL_OPEN},
                                                {SPAN("0101876"), MINIMAL_CLOSED}};

    (void)state;
    for (int form = MINIMAL_WITH_EXCEPTIONS; form <= MINIMAL_RESTRICTIONS; form++)
        for (size_t n = 0;; n++) {
            struct minimal *list = NULL;
            struct fault f;

            failalloc_after(n);

            int err = minimal_new(&list, SPAN("010"), wants, 3, (enum minimal_form)form, &f);

            if (!failalloc_off()) {
                assert_int_equal(err, 0);
                minimal_free(list);
                break;
            }
            assert_int_equal(err, ERR_NOMEM);
            assert_null(list);
        }
    minimal_free(NULL);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest fixed[] = {
        cmocka_unit_test(random_lists_are_exact_and_minimal),
        cmocka_unit_test(long_lists_are_minimal),
        cmocka_unit_test(restrictions_are_those_of_complement),
        cmocka_unit_test(no_memory_no_list),
    };

    return argc == 2 ? cases_run(argv[1], run_case, fixed, sizeof(fixed) / sizeof(*fixed)) : 2;
}
