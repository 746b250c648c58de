/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "failalloc.h"
#include "ledger/rates.h"

/* What stands behind "? " asks, everything else is the table. */
static void split(const struct test_case *t, struct buf *table, struct buf *asked)
{
    struct span rest = buf_span(&t->in);

    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);
        struct buf *to = span_starts(line, SPAN("? ")) ? asked : table;

        buf_add(to, line);
        buf_putc(to, '\n');
    }
}

static void answer(const struct rates *rates, struct span line, struct buf *out)
{
    struct span seconds, number = span_cut(span_skip(line, 2), ' ', &seconds);
    const struct rate *rate = rates_find(rates, number);
    char plain[MONEY_TEXT], text[MONEY_TEXT];

    if (!rate) {
        buf_puts(out, "none\n");
        return;
    }
    money price = rate_charge(rate, (uint32_t)strtoul(seconds.p, NULL, 10));
    const char *currency = rates_currency(rates, rate->currency);
    buf_printf(out, "%s %s %s\n", rate->prefix, money_plain(price, currency, plain),
               money_text(price, currency, text));
}

static void a_case(void **state)
{
    const struct test_case *t = *state;
    struct buf table = {0}, asked = {0}, got = {0};
    struct rates *rates = NULL;
    struct fault f;

    split(t, &table, &asked);
    if (rates_new(&rates, SPAN("rates.csv"), buf_span(&table), &f)) {
        assert_null(rates);
        buf_printf(&got, "%s\n", f.text);
    } else {
        struct span rest = buf_span(&asked);

        while (rest.n)
            answer(rates, span_cut(rest, '\n', &rest), &got);
    }
    rates_free(rates);
    assert_string_equal(got.p, t->out.p);
    buf_free(&table);
    buf_free(&asked);
    buf_free(&got);
}

/* Every number finds what a look at all prefixes finds. */
static void test_longest(void **state)
{
    struct buf text = {0};
    struct rates *rates = NULL;
    char prefixes[2000][8];
    size_t n = 0;
    unsigned seed = 7;

    buf_puts(&text, "prefix,price,increment,currency\n");
    while (n < 2000) {
        size_t i = 0;

        snprintf(prefixes[n], sizeof(prefixes[n]), "%u",
                 1 + (unsigned)rand_r(&seed) % (n % 3 ? 99999 : 999));
        while (i < n && strcmp(prefixes[i], prefixes[n]) != 0)
            i++;
        if (i == n)
            buf_printf(&text, "%s,%zu,60,JPY\n", prefixes[n++], i);
    }
    assert_int_equal(rates_new(&rates, SPAN("r"), buf_span(&text), NULL), 0);
    assert_int_equal(rates_count(rates), 2000);
    for (int k = 0; k < 20000; k++) {
        char number[16];
        const char *best = NULL;
        const struct rate *found;

        snprintf(number, sizeof(number), "%u", 1 + (unsigned)rand_r(&seed) % 9999999);
        for (size_t i = 0; i < n; i++)
            if (strncmp(number, prefixes[i], strlen(prefixes[i])) == 0 &&
                (!best || strlen(best) < strlen(prefixes[i])))
                best = prefixes[i];
        found = rates_find(rates, span_of(number));
        assert_int_equal(found != NULL, best != NULL);
        if (best)
            assert_string_equal(found->prefix, best);
    }
    rates_free(rates);
    buf_free(&text);
}

static void test_without_memory(void **state)
{
    struct buf text = {0};
    struct rates *rates = NULL;

    buf_puts(&text, "prefix,price,increment,currency\n");
    for (int i = 1; i < 700; i++)
        buf_printf(&text, "%d,1,60,JPY\n", i);
    for (size_t n = 0;; n++) {
        struct fault f;

        failalloc_after(n);
        int err = rates_new(&rates, SPAN("r"), buf_span(&text), &f);
        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(rates);
    }
    assert_int_equal(rates_count(rates), 699);
    rates_free(rates);
    buf_free(&text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_without_memory),
    };

    return argc == 2 ? cases_run(argv[1], a_case, tests, 2) : 2;
}
