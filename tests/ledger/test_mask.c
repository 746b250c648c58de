/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "ledger/mask.h"

static const char *path;

static void unescape(struct span text, struct buf *out)
{
    char hex[3] = {0};

    buf_clear(out);
    buf_puts(out, "");
    while (text.n) {
        if (text.n >= 4 && text.p[0] == '\\' && text.p[1] == 'x') {
            memcpy(hex, text.p + 2, 2);
            buf_putc(out, (char)strtoul(hex, NULL, 16));
            text = span_skip(text, 4);
        } else {
            buf_putc(out, text.p[0]);
            text = span_skip(text, 1);
        }
    }
}

static void test_table(void **state)
{
    struct buf table = {0}, dialled = {0}, wanted = {0}, got = {0}, whole = {0};
    struct fault f;
    size_t rows = 0;

    if (file_read(path, 1 << 20, &table, &f))
        fail_msg("%s", f.text);
    for (struct span rest = buf_span(&table); rest.n;) {
        struct span right, line = span_cut(rest, '\n', &rest), left = span_cut(line, '\t', &right);

        if (!right.p)
            continue;
        unescape(left, &dialled);
        unescape(right, &wanted);
        buf_clear(&got);
        buf_clear(&whole);
        mask_number_if(true, buf_span(&dialled), &got);
        mask_number_if(false, buf_span(&dialled), &whole);
        if (!span_eq(buf_span(&got), buf_span(&wanted)))
            fail_msg("%s is shown as %s", ESCAPED(buf_span(&dialled)), ESCAPED(buf_span(&got)));
        assert_true(span_eq(buf_span(&whole), buf_span(&dialled)));
        rows++;
    }
    assert_true(rows > 15);
    buf_free(&table);
    buf_free(&dialled);
    buf_free(&wanted);
    buf_free(&got);
    buf_free(&whole);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

    if (argc != 2)
        return 2;
    path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
