/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of every format, from blocks of every size: test_cdr_read CASES... The name of a case begins with its format, and
 * may name a zone in brackets. The text of a mapping stands in front, up to a line "%%". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/zoneinfo.h"
#include "cases.h"
#include "intake/cdr_reader.h"

static void add(struct buf *out, const char *name, struct span s)
{
    if (s.n == 0)
        return;
    buf_printf(out, " %s=", name);
    for (size_t i = 0; i < s.n; i++)
        buf_printf(out, s.p[i] == '\n' ? "\\n" : "%c", s.p[i]);
}

static void add_time(struct buf *out, int64_t ms)
{
    struct civil day = civil_from_days(ms / 86400000);
    int of_day = (int)(ms / 1000 % 86400);

    buf_printf(out, " %04d-%02d-%02dT%02d:%02d:%02d", day.year, day.month, day.day, of_day / 3600,
               of_day / 60 % 60, of_day % 60);
    if (ms % 1000)
        buf_printf(out, ".%03d", (int)(ms % 1000));
    buf_putc(out, 'Z');
}

static void add_record(struct buf *out, const struct cdr *c)
{
    static const char *const clocks[] = {"", " skipped", " twice"};

    buf_puts(out, cdr_outcome_name(c->outcome));
    add_time(out, c->start_ms);
    buf_printf(out, " %u/%u", c->billed_s, c->total_s);
    add(out, "account", c->account);
    add(out, "endpoint", c->endpoint);
    add(out, "src", c->src);
    add(out, "dialled", c->dialled);
    add(out, "sent", c->sent);
    add(out, "trunk", c->trunk);
    add(out, "id", c->id);
    add(out, "linked", c->linked);
    /* Of Kamailio's it is a hash. */
    if (c->sequence >= 0 && c->sequence < 1000000)
        buf_printf(out, " #%lld", (long long)c->sequence);
    if (c->unended)
        buf_puts(out, " unended");
    buf_puts(out, clocks[c->clock]);
    if (c->near_half)
        buf_puts(out, " near-half");
    if (cdr_clock_doubtful(c))
        buf_puts(out, " doubtful");
    buf_putc(out, '\n');
}

/* All bytes before those that are left have been given, `step` more each time. */
static void read_in_steps(struct buf *out, const struct cdr_options *options, struct span in,
                          size_t step)
{
    struct cdr_reader *r;
    struct cdr_figures figures;
    struct cdr c;
    struct fault f;
    size_t at = 0, came = 0;
    enum cdr_step next = CDR_STEP_MORE;

    assert_int_equal(cdr_reader_new(&r, options, &f), 0);
    while (came < in.n) {
        size_t used;

        came = in.n - came < step ? in.n : came + step;
        while ((next = cdr_reader_next(r, in.p + at, came - at, came == in.n, &used, &c, &f)) !=
               CDR_STEP_MORE) {
            at += used;
            buf_printf(out, "%u", (unsigned)cdr_reader_line(r));
            if (next == CDR_STEP_RECORD) {
                buf_puts(out, ": ");
                add_record(out, &c);
            } else {
                buf_printf(out, "! %s\n", f.text);
            }
            if (next == CDR_STEP_FORMAT)
                break;
        }
        at += used;
        if (next == CDR_STEP_FORMAT)
            break;
    }
    assert_true(at == in.n || next == CDR_STEP_FORMAT);
    figures = cdr_reader_figures(r);
    if (figures.passed)
        buf_printf(out, "passed: %u\n", (unsigned)figures.passed);
    cdr_reader_free(r);
}

static struct tz *zone_of(const char *name)
{
    struct span rest, zone;
    struct buf tzif = {0};
    struct tz *tz = NULL;
    struct fault f;

    span_cut(span_of(name), '[', &rest);
    zone = span_cut(rest, ']', &rest);
    if (!rest.p)
        return NULL;
    if (zoneinfo_read(NULL, zone, &tzif, &f) || tz_new(&tz, buf_span(&tzif), &f))
        fail_msg("%s", f.text);
    buf_free(&tzif);
    return tz;
}

static void records_are_read(void **state)
{
    const struct test_case *c = *state;
    struct span in = buf_span(&c->in), format, rest;
    struct tz *tz = zone_of(c->name);
    struct cdr_options options = {.tz = tz};
    struct cdr_mapping *mapping = NULL;
    struct buf got = {0};
    struct fault f;

    format = span_cut(span_of(c->name), ' ', &rest);
    format = span_cut(format, ':', &rest);
    assert_true(cdr_format_named(format, &options.format));
    if (strstr(c->name, "stated userfield"))
        options.asterisk_17th = CDR_17TH_USERFIELD;
    buf_puts(&got, "");
    if (options.format == CDR_FORMAT_MAPPING) {
        const char *end = memmem(in.p, in.n, "%%\n", 3);
        size_t n = end ? (size_t)(end - in.p) : in.n;

        if (cdr_mapping_new(&mapping, (struct span){in.p, n}, &f))
            buf_printf(&got, "! %s\n", f.text);
        options.mapping = mapping;
        in = span_skip(in, n + 3);
    }
    for (size_t step = 1; step <= in.n && (mapping || options.format != CDR_FORMAT_MAPPING);
         step += step < 80 ? 7 : in.n / 3 + 1) {
        buf_clear(&got);
        buf_puts(&got, "");
        read_in_steps(&got, &options, in, step);
        if (!span_eq(buf_span(&got), buf_span(&c->out)))
            break;
    }
    cdr_mapping_free(mapping);
    tz_free(tz);
    if (!span_eq(buf_span(&got), buf_span(&c->out))) {
        /* cmocka's own message is cut. */
        fprintf(stderr, "%s\nwanted:\n%sgot:\n%s\n", c->name, c->out.p, got.p);
        fail();
    }
    buf_free(&got);
}

int main(int argc, char **argv)
{
    return cases_run(argv[1], records_are_read, NULL, 0);
}
