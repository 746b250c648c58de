/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

static void format_sample(struct buf *out, enum log_format format, uint64_t suppressed)
{
    const struct log_field fields[] = {
        {.key = NULL},
        LOG_TEXT("address", "192.0.2.7"),
        LOG_INT("port", 4573),
        LOG_SPAN("dialled", SPAN("010 \"252\"\r\nlevel=error event=forged \x1b[31m")),
        LOG_TEXT("empty", ""),
        LOG_TEXT("name", "\xe9\x96\xa2\xe6\x89\x80"),
    };

    log_format_line(out, format, 1793678706789, LOG_LEVEL_WARNING, "switch-unknown", suppressed,
                    fields, sizeof(fields) / sizeof(*fields));
}

static void a_value_cannot_end_its_field_or_its_line(void **state)
{
    struct buf out = {0};

    format_sample(&out, LOG_FORMAT_LOGFMT, 0);
    assert_string_equal(
        out.p, "time=2026-11-03T04:05:06.789Z level=warning event=switch-unknown "
               "address=192.0.2.7 port=4573 dialled=\"010 \\\"252\\\"\\x0d\\x0alevel=error "
               "event=forged \\x1b[31m\" empty=\"\" name=\xe9\x96\xa2\xe6\x89\x80");
    buf_free(&out);
}

static void json_lines_are_json(void **state)
{
    struct buf out = {0};

    format_sample(&out, LOG_FORMAT_JSON, 12);
    assert_string_equal(
        out.p, "{\"time\":\"2026-11-03T04:05:06.789Z\",\"level\":\"warning\",\"event\":"
               "\"switch-unknown\",\"address\":\"192.0.2.7\",\"port\":4573,\"dialled\":\"010 "
               "\\\\\\\"252\\\\\\\"\\\\x0d\\\\x0alevel=error event=forged \\\\x1b[31m\","
               "\"empty\":\"\",\"name\":\"\xe9\x96\xa2\xe6\x89\x80\",\"suppressed\":12}");
    buf_free(&out);
}

/* Runs with standard error in a pipe and returns what was written to it. */
static char *captured(void (*run)(void))
{
    static char text[65536];
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    size_t n = 0;
    ssize_t got;

    assert_int_equal(pipe(pipe_fds), 0);
    dup2(pipe_fds[1], STDERR_FILENO);
    close(pipe_fds[1]);
    run();
    dup2(saved, STDERR_FILENO);
    close(saved);
    while ((got = read(pipe_fds[0], text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got;
    close(pipe_fds[0]);
    text[n] = '\0';
    return text;
}

static unsigned lines_with(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void flood(void)
{
    struct fault f;

    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    assert_int_equal(log_start(&f), 0);
    for (int i = 0; i < 1000; i++)
        log_warning("flood", LOG_INT("i", i));
    log_info("quiet");
    log_debug("hidden");
    log_stop();
}

static void a_flood_of_one_event_hides_no_other(void **state)
{
    const char *text = captured(flood);

    assert_int_equal(lines_with(text, "event=flood"), LOG_BURST);
    assert_int_equal(lines_with(text, "event=quiet"), 1);
    assert_int_equal(lines_with(text, "event=hidden"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_cannot_end_its_field_or_its_line),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(a_flood_of_one_event_hides_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
