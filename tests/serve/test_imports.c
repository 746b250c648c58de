/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the lines of an import to rows in memory (imports.cases). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>

#include "cases.h"
#include "serve/import_rows.h"
#include "store/bulk_impl.h"

static void show_rules(struct buf *out, const struct bulk *b, uint32_t set)
{
    if (set == BULK_BORN)
        buf_puts(out, " born");
    else if (b->sets[set].n == 0)
        buf_puts(out, " none");
    for (size_t i = 0; set != BULK_BORN && i < b->sets[set].n; i++) {
        const struct rule *r = &b->sets[set].rules[i];

        buf_printf(out, " %s %.*s", rule_action_name(r->action), SPAN_FMT(r->prefix));
        if (r->until)
            buf_printf(out, " until %" PRId64, r->until);
    }
}

static void show_row(struct buf *out, const struct bulk *b, const struct bulk_row *row)
{
    const struct bulk_home *home = &b->homes[row->home];

    buf_printf(out, "%.*s switch=%.*s tenant=%.*s state=%s note=%.*s", (int)row->name_n, row->name,
               SPAN_FMT(home->switch_name), SPAN_FMT(home->tenant), store_state_name(row->state),
               (int)row->note_n, row->note);
    show_rules(out, b, row->set);
    buf_putc(out, '\n');
}

/* Rows and faults, in the order of their lines. */
static void show(struct buf *out, const struct bulk *b)
{
    const struct bulk_faults *faults = bulk_faults(b);
    size_t k = 0;

    for (size_t i = 0; i <= b->n; i++) {
        for (; k < faults->n && (i == b->n || faults->first[k].line < b->rows[i].line); k++)
            buf_printf(out, "%" PRIu64 ": %s\n", faults->first[k].line, faults->first[k].text);
        if (i < b->n)
            show_row(out, b, &b->rows[i]);
    }
}

static void options_of(struct span words, struct import_options *options)
{
    *options = (struct import_options){.locks = true};
    while (words.n) {
        struct span word = span_cut(words, ' ', &words);

        if (span_is(word, "csv"))
            options->csv = true;
        else if (span_is(word, "nolocks"))
            options->locks = false;
        else if (span_starts(word, SPAN("switch=")))
            options->switch_name = span_skip(word, 7);
        else if (span_starts(word, SPAN("tenant=")))
            options->tenant = span_skip(word, 7);
        else
            assert_true(span_is(word, "lines"));
    }
}

static void import_case(void **state)
{
    const struct test_case *c = *state;
    struct import_options options;
    struct buf out = {0};
    struct bulk *b;
    struct fault f;
    struct span text;

    buf_puts(&out, "");
    options_of(span_cut(buf_span(&c->in), '\n', &text), &options);
    while (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    /* An allocation of its own size, so that a sanitizer sees every byte too many. */
    char *copy = malloc(text.n ? text.n : 1);
    assert_non_null(copy);
    if (text.n)
        memcpy(copy, text.p, text.n);
    assert_int_equal(bulk_new(&b, false, NULL, &f), 0);
    if (import_rows(b, copy, text.n, &options, &f))
        buf_printf(&out, "%s\n", f.text);
    else
        show(&out, b);
    free(copy);
    bulk_free(b);
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
}

/* ---- many ---- */

static struct bulk *import(const char *name, size_t times, struct bulk_progress *progress, int *rc)
{
    const struct import_options options = {0};
    struct buf text = {0};
    struct bulk *b;
    struct fault f;

    for (size_t i = 0; i < times; i++)
        buf_printf(&text, "{\"name\":\"%s%zu\"}\n", name, i);
    assert_false(text.failed);
    assert_int_equal(bulk_new(&b, false, progress, &f), 0);
    *rc = import_rows(b, text.p, text.n, &options, &f);
    buf_free(&text);
    return b;
}

static void a_thousand_faults_are_counted_and_the_first_told(void **state)
{
    int rc;
    struct bulk *b = import("a b ", 1000, NULL, &rc);

    assert_int_equal(rc, 0);
    assert_int_equal(bulk_rows(b), 0);
    assert_int_equal(bulk_faults(b)->n, 1000);
    for (size_t i = 0; i < STORE_IMPORT_FAULTS; i++)
        assert_int_equal(bulk_faults(b)->first[i].line, i + 1);
    bulk_free(b);
}

/* Every beginning of the list is in order, whenever its lines are found. */
static void faults_found_later_stand_where_they_belong(void **state)
{
    const struct fault why = {.code = ERR_RANGE, .text = "x"};
    struct bulk *b;
    struct fault f;

    assert_int_equal(bulk_new(&b, false, NULL, &f), 0);
    for (uint64_t line = 2; line <= 400; line += 2)
        assert_int_equal(bulk_refuse(b, line, &why, &f), 0);
    for (uint64_t line = 1; line <= 400; line += 2)
        assert_int_equal(bulk_refuse(b, line, &why, &f), 0);
    assert_int_equal(bulk_faults(b)->n, 400);
    for (size_t i = 0; i < STORE_IMPORT_FAULTS; i++)
        assert_int_equal(bulk_faults(b)->first[i].line, i + 1);
    bulk_free(b);
}

static void a_cancelled_import_ends(void **state)
{
    struct bulk_progress progress = {.cancelled = true};
    int rc;

    bulk_free(import("a", 10000, &progress, &rc));
    assert_int_equal(rc, ERR_CONFLICT);
    assert_true(progress.done > 0 && progress.done < progress.total);
}

/* What a body of the largest size could make of itself is many times that. */
static void rows_and_rules_are_bounded(void **state)
{
    const struct import_options options = {.csv = true};
    struct buf text = {0};
    struct bulk *b;
    struct fault f;

    assert_int_equal(bulk_new(&b, false, NULL, &f), 0);
    assert_int_equal(b->rows_max, BULK_ROWS_MAX);
    assert_int_equal(b->rules_max, BULK_RULES_MAX);
    b->rows_max = 3;
    b->rules_max = 3;
    buf_puts(&text, "name,restrict\na,010 0990\nb,010 0990\nc,0 1\nd,2\ne,\nf,\n");
    assert_int_equal(import_rows(b, text.p, text.n, &options, &f), 0);
    assert_int_equal(bulk_rows(b), 3);
    assert_int_equal(bulk_faults(b)->n, 3);
    assert_int_equal(bulk_faults(b)->first[0].line, 4);
    assert_string_equal(bulk_faults(b)->first[0].text, "the rows have more than 3 different rules");
    assert_int_equal(bulk_faults(b)->first[1].line, 6);
    assert_string_equal(bulk_faults(b)->first[1].text, "there are more than 3 rows");
    buf_free(&text);
    bulk_free(b);
}

/* Each row has rules that differ in their end alone, or in the end of a long schedule: none is looked for one
 * by one. */
static void many_lists_of_rules(void **state)
{
    const uint32_t many = 50000;
    char hours[400];
    struct bulk *b;
    struct fault f;

    assert_int_equal(bulk_new(&b, false, NULL, &f), 0);
    for (uint32_t i = 0; i < many; i++) {
        int n = snprintf(hours, sizeof(hours), "%0300u", (unsigned)i);
        const struct rule ends = {.prefix = SPAN("010"), .until = i + 1};
        const struct rule hourly = {.prefix = SPAN("010"), .schedule = {hours, (size_t)n}};
        uint32_t set;

        assert_int_equal(bulk_rules(b, &ends, 1, &set, &f), 0);
        assert_int_equal(set, 2 * i);
        assert_int_equal(bulk_rules(b, &hourly, 1, &set, &f), 0);
        assert_int_equal(set, 2 * i + 1);
    }
    bulk_free(b);
}

/* Each row names a switch of its own: what is looked for among them is not looked for one by one. */
static void many_switches(void **state)
{
    const struct import_options options = {.csv = true};
    const size_t many = 20000;
    struct buf text = {0};
    struct bulk *b;
    struct fault f;

    buf_puts(&text, "name,switch,tenant\n");
    for (size_t i = 0; i < 2 * many; i++)
        buf_printf(&text, "a%zu,s%zu,t%zu\n", i, i % many, i);
    assert_false(text.failed);
    assert_int_equal(bulk_new(&b, false, NULL, &f), 0);
    assert_int_equal(import_rows(b, text.p, text.n, &options, &f), 0);
    assert_int_equal(b->n_homes, 2 * many);
    for (size_t i = 0; i < 2 * many; i++)
        assert_int_equal(b->homes[i].first, i % many);
    buf_free(&text);
    bulk_free(b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(a_thousand_faults_are_counted_and_the_first_told),
        cmocka_unit_test(faults_found_later_stand_where_they_belong),
        cmocka_unit_test(a_cancelled_import_ends),
        cmocka_unit_test(rows_and_rules_are_bounded),
        cmocka_unit_test(many_lists_of_rules),
        cmocka_unit_test(many_switches),
    };

    assert_int_equal(argc, 2);
    return cases_run(argv[1], import_case, fixed, sizeof(fixed) / sizeof(fixed[0]));
}
