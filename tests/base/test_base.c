/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "base/md5.h"
#include "base/utf8.h"

static void escape_shows_hostile_bytes_as_hex(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } cases[] = {
        {SPAN("plain 110"), "plain 110"},
        {SPAN("a\r\nX: y"), "a\\x0d\\x0aX: y"},
        {SPAN("nul\0end"), "nul\\x00end"},
        {SPAN("\"q\\"), "\\\"q\\\\"},
        {SPAN("関所"), "関所"},
        {SPAN("\xe2\x80\xae"
              "flip"),
         "\\xe2\\x80\\xaeflip"},
        {SPAN("\xff\xc0\x80"), "\\xff\\xc0\\x80"},
        {SPAN("\x1b[31m"), "\\x1b[31m"},
    };
    char out[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(escape(cases[i].in, out, sizeof(out)), cases[i].out);
}

static void escape_never_overruns(void **state)
{
    char bytes[64], out[64];

    memset(bytes, 0x01, sizeof(bytes));
    for (size_t size = 8; size < sizeof(out); size++) {
        memset(out, 'Z', sizeof(out));
        escape((struct span){bytes, sizeof(bytes)}, out, size);
        assert_true(strlen(out) < size);
        assert_string_equal(out + strlen(out) - 3, "...");
        for (size_t i = size; i < sizeof(out); i++)
            assert_int_equal(out[i], 'Z');
    }
}

static void utf8_accepts_only_rfc3629(void **state)
{
    static const struct span bad[] = {
        SPAN("\xc0\xaf"),
        SPAN("\xe0\x80\xaf"),
        SPAN("\xed\xa0\x80"),
        SPAN("\xf4\x90\x80\x80"),
        SPAN("\xf8\x88\x80\x80"),
        SPAN("\xe3\x81"),
        SPAN("\x80"),
    };
    uint32_t c = 0;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(utf8_decode(bad[i], &c), 0);
    assert_int_equal(utf8_decode(SPAN("\xf0\x9f\x98\x80"), &c), 4);
    assert_int_equal(c, 0x1f600);
    assert_true(utf8_valid(SPAN("規制電話番号")));
    assert_false(utf8_valid(SPAN("規\xe5")));
}

static void fault_cuts_with_a_mark(void **state)
{
    struct fault f = {0};
    char big[2 * FAULT_MAX];

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(fault(&f, ERR_RANGE, "%s", big), ERR_RANGE);
    assert_int_equal(strlen(f.text), FAULT_MAX - 1);
    assert_string_equal(f.text + FAULT_MAX - 4, "...");
    assert_int_equal(fault_in(&f, "line %d", 7), ERR_RANGE);
    assert_int_equal(strncmp(f.text, "line 7: xxx", 11), 0);
    assert_string_equal(f.text + FAULT_MAX - 4, "...");
}

static void buf_grows_and_terminates(void **state)
{
    struct buf b = {0};

    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i);
    assert_false(b.failed);
    assert_int_equal(b.n, 3890);
    assert_int_equal(b.p[b.n], '\0');
    buf_clear(&b);
    buf_puts(&b, "x");
    buf_putc(&b, 'y');
    assert_string_equal(b.p, "xy");
    buf_free(&b);
}

static void span_cut_leaves_null_without_the_mark(void **state)
{
    struct span rest;

    assert_true(span_is(span_cut(SPAN("a/b/c"), '/', &rest), "a"));
    assert_true(span_is(rest, "b/c"));
    assert_true(span_is(span_cut(SPAN("a/"), '/', &rest), "a"));
    assert_non_null(rest.p);
    assert_true(span_is(span_cut(SPAN("abc"), '/', &rest), "abc"));
    assert_null(rest.p);
    assert_true(span_is(span_trim(SPAN(" \t x y\t ")), "x y"));
}

/* The test suite of RFC 1321, and lengths around the block size against md5sum. */
static void md5_agrees_with_rfc1321(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
        {"1234567890123456789012345678901234567890123456789012345",
         "c9ccf168914a1bcfc3229f1948e67da0"},
        {"12345678901234567890123456789012345678901234567890123456",
         "49f193adce178490e34d1b3a4ec0064c"},
        {"1234567890123456789012345678901234567890123456789012345678901234",
         "eb6c4179c0a7c82cc2828c1e6338e165"},
    };
    char out[MD5_HEX_SIZE];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct span whole = span_of(cases[i].in);

        md5_hex(&whole, 1, out);
        assert_string_equal(out, cases[i].out);
        md5_hex((struct span[]){{whole.p, whole.n / 2}, span_skip(whole, whole.n / 2)}, 2, out);
        assert_string_equal(out, cases[i].out);
    }
}

/* One byte of every value at every place among digits, in spans of every length that words and their
 * rests make. */
static void bytes_are_asked_like_one_by_one(void **state)
{
    char text[34];

    for (size_t n = 0; n <= sizeof(text); n++) {
        memset(text, '7', sizeof(text));
        assert_true(span_all_digits((struct span){text, n}));
        assert_false(span_has_control((struct span){text, n}));
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                text[at] = (char)c;
                assert_int_equal(span_all_digits((struct span){text, n}), c >= '0' && c <= '9');
                assert_int_equal(span_has_control((struct span){text, n}), c < 0x20 || c == 0x7f);
            }
            text[at] = '0';
        }
    }
}

static void bytes_copy_copies_all_and_no_more(void **state)
{
    static const char from[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char to[40];

    for (size_t n = 0; n < sizeof(from); n++) {
        memset(to, '#', sizeof(to));
        bytes_copy(to + 1, (struct span){from, n});
        assert_memory_equal(to + 1, from, n);
        assert_int_equal(to[0], '#');
        assert_int_equal(to[n + 1], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escape_shows_hostile_bytes_as_hex),
        cmocka_unit_test(escape_never_overruns),
        cmocka_unit_test(utf8_accepts_only_rfc3629),
        cmocka_unit_test(fault_cuts_with_a_mark),
        cmocka_unit_test(buf_grows_and_terminates),
        cmocka_unit_test(span_cut_leaves_null_without_the_mark),
        cmocka_unit_test(bytes_are_asked_like_one_by_one),
        cmocka_unit_test(bytes_copy_copies_all_and_no_more),
        cmocka_unit_test(md5_agrees_with_rfc1321),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
