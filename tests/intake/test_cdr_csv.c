/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CSV, whole and in blocks of every size: test_cdr_csv CASES. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "intake/cdr_csv.h"

static void add_cell(struct buf *out, struct span cell)
{
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] == '\n')
            buf_puts(out, "\\n");
        else if (cell.p[i] == '\r')
            buf_puts(out, "\\r");
        else if (cell.p[i] == '\0')
            buf_puts(out, "\\0");
        else if (cell.p[i] & 0x80)
            buf_printf(out, "\\x%02x", (unsigned char)cell.p[i]);
        else
            buf_putc(out, cell.p[i]);
    }
}

/* "LINE: [cell][cell]", "LINE! what is wrong". */
static void add_row(struct buf *out, enum cdr_csv_found found, struct cdr_row *row,
                    const struct fault *f)
{
    if (found == CDR_CSV_BAD) {
        buf_printf(out, "%u! %s\n", (unsigned)row->line, f->text);
        return;
    }
    buf_printf(out, "%u: ", (unsigned)row->line);
    for (size_t i = 0; i < row->n; i++) {
        buf_putc(out, '[');
        add_cell(out, cdr_row_cell(row, i));
        buf_putc(out, ']');
        assert_true(span_eq(cdr_row_cell(row, i), cdr_row_cell(row, i)));
    }
    assert_null(cdr_row_cell(row, row->n).p);
    buf_putc(out, '\n');
}

/* As from a file whose bytes come `step` at a time, and with the memory of exactly what has come. */
static void read_in_steps(struct buf *out, struct span in, size_t step, struct cdr_csv csv,
                          bool ends)
{
    static struct cdr_row row;
    struct fault f;
    char *block = NULL;
    size_t held = 0, came = 0, used;

    while (came < in.n || held) {
        size_t more = in.n - came < step ? in.n - came : step;
        char *exact = malloc(held + more + !(held + more));

        assert_non_null(exact);
        if (held)
            memcpy(exact, block, held);
        memcpy(exact + held, in.p + came, more);
        free(block);
        block = exact;
        held += more;
        came += more;
        for (size_t at = 0;;) {
            enum cdr_csv_found found =
                cdr_csv_next(&csv, block + at, held - at, ends && came == in.n, &row, &used, &f);

            assert_true(used <= held - at);
            at += used;
            if (found == CDR_CSV_MORE) {
                memmove(block, block + at, held - at);
                held -= at;
                break;
            }
            add_row(out, found, &row, &f);
        }
        if (came == in.n)
            break;
    }
    if (held)
        buf_printf(out, "waits: %zu\n", held);
    free(block);
}

static void rows_are_split(void **state)
{
    const struct test_case *c = *state;
    struct span in = buf_span(&c->in);
    bool ends = !strstr(c->name, "waits");
    struct cdr_csv csv = {.delimiter = ',', .loose = span_starts(span_of(c->name), SPAN("loose"))};

    if (strstr(c->name, "semicolon"))
        csv.delimiter = ';';
    if (strstr(c->name, "tab"))
        csv.delimiter = '\t';
    /* The line end of the last line of a case is the file's, not the case's. */
    if (strstr(c->name, "no line end"))
        in.n--;
    for (size_t step = 1 + in.n / 200; step <= in.n; step += step < 200 ? 1 : in.n / 7 + 1) {
        struct buf got = {0};

        buf_puts(&got, "");
        read_in_steps(&got, in, step, csv, ends);
        if (!span_eq(buf_span(&got), buf_span(&c->out)))
            fail_msg("in steps of %zu\nwanted:\n%sgot:\n%s", step, c->out.p, got.p);
        buf_free(&got);
    }
}

/* Whatever the bytes: rows come in order, no byte is lost or seen twice. */
static void bytes_are_never_lost(void **state)
{
    static const char letters[] = "\"\",,\n\r;a";
    uint64_t seed = 1;

    for (unsigned round = 0; round < 3000; round++) {
        static struct cdr_row row;
        struct cdr_csv csv = {.delimiter = ','};
        struct fault f;
        char text[200];
        size_t n = round % sizeof(text), at = 0, used;
        uint64_t ends = 0;

        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[i] = letters[(seed >> 33) % (sizeof(letters) - 1)];
            ends += text[i] == '\n';
        }
        while (cdr_csv_next(&csv, text + at, n - at, true, &row, &used, &f) != CDR_CSV_MORE) {
            assert_true(used > 0);
            at += used;
        }
        assert_int_equal(at + used, n);
        assert_int_equal(csv.line, ends);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_never_lost),
    };

    return cases_run(argv[1], rows_are_split, tests, sizeof(tests) / sizeof(*tests));
}
