/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of records: plain and compressed, read on after an interruption, growing, damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "failalloc.h"
#include "intake/cdr_stream.h"

#define ROWS 20000 /* some windows full */

static char directory[] = "/tmp/test-cdr-XXXXXX";
static char path[64], packed[64];

static void add_row(struct buf *b, unsigned i)
{
    buf_printf(
        b,
        "\"\",\"1001\",\"03%08u\",\"c\",\"\"\"A, B\"\" <1001>\",\"PJSIP/1001-%08x\","
        "\"PJSIP/trunk-00000001\",\"Dial\",\"PJSIP/03%08u@trunk\",\"2026-11-24 "
        "%02u:%02u:%02u\",,\"\",%u,%u,\"ANSWERED\",\"DOCUMENTATION\",\"1795478400.%u\",\"\"\n",
        i, i, i, i / 3600 % 24, i / 60 % 60, i % 60, i, i, i);
}

static void write_bytes(const char *name, const char *mode, struct span s)
{
    FILE *out = fopen(name, mode);

    assert_non_null(out);
    assert_int_equal(fwrite(s.p, 1, s.n, out), s.n);
    assert_int_equal(fclose(out), 0);
}

static void write_packed(const char *name, const char *mode, struct span s)
{
    gzFile out = gzopen(name, mode);

    assert_non_null(out);
    assert_int_equal(gzwrite(out, s.p, (unsigned)s.n), (int)s.n);
    assert_int_equal(gzclose(out), Z_OK);
}

static struct buf content(unsigned rows)
{
    struct buf b = {0};

    for (unsigned i = 0; i < rows; i++)
        add_row(&b, i);
    assert_false(b.failed);
    return b;
}

static struct cdr_stream *opened(const char *name, bool live)
{
    static const struct cdr_options options = {.format = CDR_FORMAT_ASTERISK};
    struct cdr_stream *s;
    struct fault f;

    if (cdr_stream_open(&s, name, &options, live, &f))
        fail_msg("%s", f.text);
    return s;
}

/* The records from `first` on up to `end`, each the one that it must be. */
static void must_read(struct cdr_stream *s, unsigned first, unsigned end)
{
    struct cdr c;
    struct fault f;

    for (unsigned i = first; i < end; i++) {
        enum cdr_next next = cdr_stream_next(s, &c, &f);

        if (next != CDR_NEXT_RECORD || c.total_s != i)
            fail_msg("row %u: %s", i, next == CDR_NEXT_RECORD ? "another" : f.text);
        assert_int_equal(cdr_reader_line(cdr_stream_reader(s)), i + 1);
    }
}

static void must_end(struct cdr_stream *s)
{
    struct cdr c;
    struct fault f;

    assert_int_equal(cdr_stream_next(s, &c, &f), CDR_NEXT_END);
}

static void packed_and_plain_are_one_content(void **state)
{
    struct buf b = content(ROWS);
    struct cdr_place places[2];
    const char *names[] = {path, packed};

    write_bytes(path, "wb", buf_span(&b));
    /* In two members, as when a compressed log was appended to. */
    write_packed(packed, "wb", (struct span){b.p, b.n / 3});
    write_packed(packed, "ab", span_skip(buf_span(&b), b.n / 3));
    for (size_t i = 0; i < 2; i++) {
        struct cdr_stream *s = opened(names[i], false);

        must_read(s, 0, ROWS);
        must_end(s);
        must_end(s);
        cdr_stream_place(s, &places[i]);
        assert_int_equal(places[i].position, b.n);
        assert_int_equal(places[i].line, ROWS + 1);
        cdr_stream_close(s);
    }
    assert_memory_equal(places[0].digest, places[1].digest, CDR_FILE_DIGEST);
    buf_free(&b);
}

/* At any row, in the same content under whatever name: none doubled, none lost. */
static void an_interrupted_one_goes_on(void **state)
{
    struct buf b = content(ROWS);

    write_bytes(path, "wb", buf_span(&b));
    write_packed(packed, "wb", buf_span(&b));
    for (unsigned cut = 0; cut < ROWS; cut = cut * 3 + 1) {
        struct cdr_stream *s = opened(path, false);
        struct cdr_place place;
        struct fault f;

        must_read(s, 0, cut);
        cdr_stream_place(s, &place);
        cdr_stream_close(s);
        s = opened(cut % 2 ? packed : path, false);
        assert_int_equal(cdr_stream_resume(s, &place, &f), 0);
        must_read(s, cut, ROWS);
        must_end(s);
        cdr_stream_close(s);
    }
    buf_free(&b);
}

static void another_content_is_not_gone_on_with(void **state)
{
    struct buf b = content(ROWS);
    struct cdr_stream *s;
    struct cdr_place place;
    struct fault f;

    write_bytes(path, "wb", buf_span(&b));
    s = opened(path, false);
    must_read(s, 0, ROWS / 2);
    cdr_stream_place(s, &place);
    cdr_stream_close(s);
    b.p[10]++;
    write_bytes(path, "wb", buf_span(&b));
    s = opened(path, false);
    assert_int_equal(cdr_stream_resume(s, &place, &f), ERR_CONFLICT);
    cdr_stream_close(s);
    write_bytes(path, "wb", (struct span){b.p, 1000});
    s = opened(path, false);
    assert_int_equal(cdr_stream_resume(s, &place, &f), ERR_MISSING);
    assert_non_null(strstr(f.text, "1000 bytes"));
    cdr_stream_close(s);
    buf_free(&b);
}

static void a_live_file_is_read_as_it_grows(void **state)
{
    struct buf b = {0};
    struct cdr_stream *s;

    write_bytes(path, "wb", (struct span){"", 0});
    s = opened(path, true);
    must_end(s);
    for (unsigned i = 0; i < 50; i++) {
        buf_clear(&b);
        add_row(&b, i);
        for (size_t at = 0; at < b.n; at += 40) {
            struct span part = span_skip(buf_span(&b), at);

            must_end(s);
            part.n = part.n < 40 ? part.n : 40;
            write_bytes(path, "ab", part);
        }
        must_read(s, i, i + 1);
        must_end(s);
    }
    cdr_stream_close(s);
    buf_free(&b);
}

static void a_last_line_without_its_end(void **state)
{
    struct buf b = content(3);
    struct cdr_stream *s;

    write_bytes(path, "wb", (struct span){b.p, b.n - 1});
    s = opened(path, true);
    must_read(s, 0, 2);
    must_end(s);
    cdr_stream_close(s);
    s = opened(path, false);
    must_read(s, 0, 3);
    must_end(s);
    cdr_stream_close(s);
    buf_free(&b);
}

/* What was whole comes; then it is told, and not taken for the end. */
static void a_damaged_one_is_told(void **state)
{
    struct buf b = content(ROWS);
    char *bytes = malloc(1 << 22);
    FILE *in;
    size_t n;

    assert_non_null(bytes);
    write_packed(packed, "wb", buf_span(&b));
    in = fopen(packed, "rb");
    n = fread(bytes, 1, 1 << 22, in);
    fclose(in);
    for (int cut = 0; cut < 3; cut++) {
        struct cdr_stream *s;
        struct cdr c;
        struct fault f;
        enum cdr_next next;
        unsigned rows = 0;

        /* Cut in its middle, cut in its trailer, a bit turned. */
        if (cut == 2)
            bytes[n / 2] ^= 0x10;
        write_bytes(packed, "wb", (struct span){bytes, cut == 0 ? n / 2 : cut == 1 ? n - 4 : n});
        s = opened(packed, false);
        while ((next = cdr_stream_next(s, &c, &f)) == CDR_NEXT_RECORD || next == CDR_NEXT_BAD)
            rows += next == CDR_NEXT_RECORD;
        assert_int_equal(next, CDR_NEXT_ERROR);
        assert_int_equal(f.code, ERR_CORRUPT);
        assert_non_null(strstr(f.text, cut == 2 ? "damaged" : "cut short"));
        assert_in_range(rows, cut == 1 ? ROWS : ROWS / 4, ROWS);
        assert_int_equal(cdr_stream_next(s, &c, &f), CDR_NEXT_ERROR);
        cdr_stream_close(s);
    }
    free(bytes);
    buf_free(&b);
}

static void a_mapping_finds_its_header_again(void **state)
{
    static const char text[] = "header = yes\ndialled = to\nstart = when\ntime = unix\n";
    static const char rows[] = "when,to\n1,a\n2,b\n3,c\n";
    struct cdr_options options = {.format = CDR_FORMAT_MAPPING};
    struct cdr_mapping *m;
    struct cdr_stream *s;
    struct cdr_place place;
    struct cdr c;
    struct fault f;

    assert_int_equal(cdr_mapping_new(&m, SPAN(text), &f), 0);
    options.mapping = m;
    write_bytes(path, "wb", SPAN(rows));
    assert_int_equal(cdr_stream_open(&s, path, &options, false, &f), 0);
    assert_int_equal(cdr_stream_next(s, &c, &f), CDR_NEXT_RECORD);
    cdr_stream_place(s, &place);
    cdr_stream_close(s);
    assert_int_equal(cdr_stream_open(&s, path, &options, false, &f), 0);
    assert_int_equal(cdr_stream_resume(s, &place, &f), 0);
    assert_int_equal(cdr_stream_next(s, &c, &f), CDR_NEXT_RECORD);
    assert_true(span_is(c.dialled, "b"));
    assert_int_equal(cdr_reader_line(cdr_stream_reader(s)), 3);
    cdr_stream_close(s);
    cdr_mapping_free(m);
}

static void files_that_are_none(void **state)
{
    static const struct cdr_options options = {.format = CDR_FORMAT_ASTERISK};
    struct cdr_stream *s;
    struct fault f;

    assert_int_equal(cdr_stream_open(&s, "/nowhere/Master.csv", &options, false, &f), ERR_MISSING);
    assert_int_equal(cdr_stream_open(&s, directory, &options, false, &f), ERR_IO);
    for (size_t n = 0; n < 3; n++) {
        write_bytes(path, "wb", (struct span){"\x1f\x8b\n", n});
        s = opened(path, false);
        if (n < 2) {
            must_end(s);
        } else {
            struct cdr c;

            assert_int_equal(cdr_stream_next(s, &c, &f), CDR_NEXT_ERROR);
        }
        cdr_stream_close(s);
    }
}

static int begin_all(struct cdr_mapping **m, struct cdr_stream *s[3])
{
    static const char text[] = "dialled = 1\nstart = 2\n";
    struct fault f;
    int err = cdr_mapping_new(m, SPAN(text), &f);

    for (size_t i = 0; !err && i < 3; i++) {
        struct cdr_options options = {.format = i == 0   ? CDR_FORMAT_ASTERISK
                                                : i == 1 ? CDR_FORMAT_MAPPING
                                                         : CDR_FORMAT_KAMAILIO,
                                      .mapping = *m};

        err = cdr_stream_open(&s[i], path, &options, false, &f);
    }
    return err;
}

static void without_memory_nothing_begins(void **state)
{
    write_bytes(path, "wb", SPAN("a,b\n"));
    for (size_t n = 0;; n++) {
        struct cdr_mapping *m = NULL;
        struct cdr_stream *s[3] = {NULL};
        int err;

        failalloc_after(n);
        err = begin_all(&m, s);
        for (size_t i = 0; i < 3; i++)
            cdr_stream_close(s[i]);
        cdr_mapping_free(m);
        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
    }
}

static int begin(void **state)
{
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/Master.csv", directory);
    snprintf(packed, sizeof(packed), "%s/Master.csv.1", directory);
    return 0;
}

static int end(void **state)
{
    unlink(path);
    unlink(packed);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_and_plain_are_one_content),
        cmocka_unit_test(an_interrupted_one_goes_on),
        cmocka_unit_test(another_content_is_not_gone_on_with),
        cmocka_unit_test(a_live_file_is_read_as_it_grows),
        cmocka_unit_test(a_last_line_without_its_end),
        cmocka_unit_test(a_damaged_one_is_told),
        cmocka_unit_test(a_mapping_finds_its_header_again),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(without_memory_nothing_begins),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
