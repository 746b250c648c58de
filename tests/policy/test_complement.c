/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "failalloc.h"
#include "policy/complement.h"

#define ALLOWED_MAX 64

static size_t split(struct span text, struct span *out)
{
    size_t n = 0;

    do {
        out[n++] = span_cut(text, ',', &text);
    } while (text.p && n < ALLOWED_MAX);
    return n;
}

static void listed(const struct complement *list, struct buf *out)
{
    for (size_t i = 0; i < complement_count(list); i++) {
        buf_puts(out, i ? "," : "");
        buf_add(out, complement_prefix(list, i));
    }
    buf_puts(out, "");
}

/* What stands behind the name: root, count, allowed, count, restricted, remark. */
static void row_case(void **state)
{
    struct span rest = span_of(*state), field[5], allowed[ALLOWED_MAX];
    struct complement *list = NULL;
    struct buf out = {0};
    struct fault f;

    for (size_t i = 0; i < 5; i++)
        field[i] = span_cut(rest, '\t', &rest);
    assert_int_equal(complement_new(&list, field[0], allowed, split(field[2], allowed), &f), 0);
    listed(list, &out);
    assert_int_equal(out.n, field[4].n);
    assert_memory_equal(out.p, field[4].p, out.n);
    assert_int_equal(complement_count(list), strtoul(field[3].p, NULL, 10));
    complement_free(list);
    buf_free(&out);
}

static void wrong_lists_are_refused(void **state)
{
    static const struct {
        const char *root, *allowed, *sentence;
        int err;
    } cases[] = {
        {"", "0101", "the root is empty; it must have 1 to 32 digits", ERR_SYNTAX},
        {"01a", "01a1", "the root \"01a\" may hold only digits", ERR_SYNTAX},
        {"+", "+1", "the root \"+\" may hold only digits", ERR_SYNTAX},
        {"010", "", "the allowed prefix is empty; it must have 1 to 32 digits", ERR_SYNTAX},
        {"010", "0101,", "the allowed prefix is empty; it must have 1 to 32 digits", ERR_SYNTAX},
        {"010", "0101\n", "the allowed prefix \"0101\\x0a\" may hold only digits", ERR_SYNTAX},
        {"010", "0101,0111",
         "the allowed prefix 0111 does not lie under 010; it must begin with it", ERR_RANGE},
        {"010", "01", "the allowed prefix 01 does not lie under 010; it must begin with it",
         ERR_RANGE},
        {"010", "010345678901234567890123456789012",
         "the allowed prefix \"010345678901234567890123456789012\" has 33 digits; at most 32 are "
         "allowed",
         ERR_RANGE},
    };
    struct complement *list = NULL;
    struct span allowed[ALLOWED_MAX];
    struct fault f;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t n = split(span_of(cases[i].allowed), allowed);

        assert_int_equal(complement_new(&list, span_of(cases[i].root), allowed, n, &f),
                         cases[i].err);
        assert_string_equal(f.text, cases[i].sentence);
    }
    assert_int_equal(complement_new(&list, SPAN("010"), NULL, 0, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "no allowed prefix is given; to allow nothing below 010, restrict "
                                "010 itself");
    assert_null(list);
}

static void a_list_that_is_too_long_is_refused(void **state)
{
    static char text[COMPLEMENT_ALLOWED_MAX + 1][RULE_PREFIX_MAX];
    static struct span allowed[COMPLEMENT_ALLOWED_MAX + 1];
    struct complement *list = NULL;
    struct fault f;

    for (size_t i = 0; i <= COMPLEMENT_ALLOWED_MAX; i++) {
        int n = snprintf(text[i], sizeof(text[i]), "010%04zu9999999", i);

        allowed[i] = (struct span){text[i], (size_t)n};
    }
    assert_int_equal(complement_new(&list, SPAN("010"), allowed, COMPLEMENT_ALLOWED_MAX, &f),
                     ERR_FULL);
    assert_int_equal(complement_new(&list, SPAN("010"), allowed, COMPLEMENT_ALLOWED_MAX + 1, &f),
                     ERR_FULL);
    assert_null(list);
    assert_int_equal(complement_new(&list, SPAN("010"), allowed, 100, &f), 0);
    complement_free(list);
}

static void an_allowed_root_leaves_nothing(void **state)
{
    const struct span allowed[] = {SPAN("010"), SPAN("0101")};
    struct complement *list;
    struct fault f;

    assert_int_equal(complement_new(&list, SPAN("010"), allowed, 2, &f), 0);
    assert_int_equal(complement_count(list), 0);
    complement_free(list);
}

static void no_memory_no_list(void **state)
{
    const struct span allowed[] = {SPAN("0101"), SPAN("01044")};
    struct complement *list = NULL;
    struct fault f;

    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int err = complement_new(&list, SPAN("010"), allowed, 2, &f);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(list);
    }
    complement_free(list);
}

/* ---- by brute force: all strings of DEPTH digits below the root ---- */

#define DEPTH 4
#define STRINGS 10000

/* The smallest number of prefixes that cover exactly the strings [first, first + size) which are not
 * open: 1 for a whole branch, else what its ten parts need. The root itself is never one of them
 * unless all is closed, which random lists never are. */
static size_t fewest(const bool *open, size_t size)
{
    size_t opens = 0, sum = 0;

    for (size_t i = 0; i < size; i++)
        opens += open[i];
    if (opens == size)
        return 0;
    if (opens == 0)
        return 1;
    for (size_t part = 0; part < 10; part++)
        sum += fewest(open + part * size / 10, size / 10);
    return sum;
}

static bool starts_any(const char *text, const struct span *prefixes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(text, prefixes[i].p, prefixes[i].n) == 0)
            return true;
    return false;
}

static bool covered(const char *text, const struct complement *list)
{
    for (size_t i = 0; i < complement_count(list); i++) {
        struct span p = complement_prefix(list, i);

        if (strncmp(text, p.p, p.n) == 0)
            return true;
    }
    return false;
}

static void one_random_list(unsigned *seed)
{
    static bool open[STRINGS];
    char text[ALLOWED_MAX][16], digits[16];
    struct span allowed[ALLOWED_MAX];
    size_t n = 1 + (size_t)rand_r(seed) % 12;
    struct complement *list;
    struct fault f;

    for (size_t i = 0; i < n; i++) {
        int length = 1 + rand_r(seed) % DEPTH;

        snprintf(text[i], sizeof(text[i]), "010%0*d", length,
                 rand_r(seed) % (length == 1   ? 10
                                 : length == 2 ? 100
                                 : length == 3 ? 1000
                                               : 10000));
        /* Some share their beginning, so that deep and covered prefixes occur. */
        if (i > 0 && rand_r(seed) % 2)
            memcpy(text[i], text[0], 4);
        allowed[i] = span_of(text[i]);
    }
    assert_int_equal(complement_new(&list, SPAN("010"), allowed, n, &f), 0);
    for (size_t i = 0; i < STRINGS; i++) {
        snprintf(digits, sizeof(digits), "010%04zu", i);
        open[i] = starts_any(digits, allowed, n);
        if (covered(digits, list) == open[i])
            fail_msg("%s is on the wrong side", digits);
    }
    assert_int_equal(complement_count(list), fewest(open, STRINGS));
    for (size_t i = 1; i < complement_count(list); i++) {
        struct span a = complement_prefix(list, i - 1), b = complement_prefix(list, i);

        assert_true(memcmp(a.p, b.p, a.n < b.n ? a.n : b.n) < 0);
    }
    complement_free(list);
}

static void random_lists_are_exact_and_minimal(void **state)
{
    unsigned seed = 20261124;

    for (int i = 0; i < 150; i++)
        one_random_list(&seed);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[64] = {
        cmocka_unit_test(wrong_lists_are_refused),
        cmocka_unit_test(a_list_that_is_too_long_is_refused),
        cmocka_unit_test(an_allowed_root_leaves_nothing),
        cmocka_unit_test(no_memory_no_list),
        cmocka_unit_test(random_lists_are_exact_and_minimal),
    };
    size_t n = 5;
    struct buf table = {0};
    struct fault f;

    if (argc != 2 || file_read(argv[1], 1 << 20, &table, &f))
        return 2;
    /* Behind the line of headings. */
    for (char *row = strchr(table.p, '\n'); row && row[1] && n < 64; n++) {
        char *name = row + 1, *tab = strchr(name, '\t');

        *row = '\0';
        row = strchr(name, '\n');
        *tab = '\0';
        tests[n] = (struct CMUnitTest){name, row_case, NULL, NULL, tab + 1};
    }
    assert_true(n > 5);
    int failed = _cmocka_run_group_tests("complement", tests, n, NULL, NULL);

    buf_free(&table);
    return failed;
}
