/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorded security.log, written as Asterisk would write it: test_asterisk_log RECORDED-LOG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "intake/asterisk_log.h"

static const char *recorded_path;

struct world {
    char dir[64];
    char path[128];
    char old[128];
    struct asterisk_log *log;
    unsigned told[OUTCOMES];
    unsigned sum;
};

static const struct instant now = {.boot_ns = 7, .wall_ms = 8};

static void on_attempt(void *arg, const struct attempt *a)
{
    struct world *w = arg;

    assert_int_equal(a->witness, WITNESS_LOG);
    assert_int_equal(a->switch_id, 42);
    assert_int_equal(a->at.boot_ns, 7);
    w->told[a->outcome]++;
    w->sum++;
}

static void append(const char *path, struct span text)
{
    FILE *out = fopen(path, "a");

    assert_non_null(out);
    assert_int_equal(fwrite(text.p, 1, text.n, out), text.n);
    assert_int_equal(fclose(out), 0);
}

static void look(struct world *w)
{
    while (asterisk_log_read(w->log, now, on_attempt, w))
        ;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct fault f;

    strcpy(w->dir, "/tmp/sekisho-log-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/security.log", w->dir);
    snprintf(w->old, sizeof(w->old), "%s/security.log.1", w->dir);
    if (asterisk_log_open(&w->log, w->path, 42, now, &f))
        fail_msg("%s", f.text);
    look(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    asterisk_log_close(w->log);
    unlink(w->path);
    unlink(w->old);
    rmdir(w->dir);
    free(w);
    return 0;
}

static void a_recorded_log_becomes_attempts(void **state)
{
    struct world *w = *state;
    const struct witness_figures *f = asterisk_log_figures(w->log);
    struct buf text = {0};
    struct fault fault;

    assert_false(f->connected);
    assert_string_equal(f->why, "No such file or directory");
    if (file_read(recorded_path, 1 << 20, &text, &fault))
        fail_msg("%s", fault.text);
    for (struct span rest = buf_span(&text); rest.n;) {
        struct span line = span_cut(rest, '\n', &rest);
        struct span half = {line.p, line.n / 2};

        if (span_starts(line, SPAN("###"))) /* a remark, not Asterisk's */
            continue;
        append(w->path, half);
        look(w);
        append(w->path, (struct span){line.p + half.n, line.n - half.n + 1});
    }
    look(w);
    assert_int_equal(w->told[OUTCOME_SUCCESS], 7);
    assert_int_equal(w->told[OUTCOME_CHALLENGED], 39);
    assert_int_equal(w->told[OUTCOME_WRONG_CREDENTIALS], 10);
    assert_int_equal(w->told[OUTCOME_UNKNOWN_ACCOUNT], 27);
    assert_int_equal(w->told[OUTCOME_LISTED], 2);
    assert_int_equal(f->seen, 91);
    assert_int_equal(f->understood, 91);
    assert_int_equal(f->attempts, 85);
    assert_int_equal(f->dropped + f->not_understood + f->foreign + f->without_source, 0);
    assert_int_equal(f->last.boot_ns, 7);
    assert_true(f->connected);
    buf_free(&text);
}

#define LINE                                                                                       \
    "SECURITY[1] res_security_log.c: "                                                             \
    "SecurityEvent=\"FailedACL\",EventTV=\"2026-11-24T02:33:12.141+"                               \
    "0000\",Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"next\",SessionID=" \
    "\"n\","                                                                                       \
    "LocalAddress=\"IPV4/UDP/192.0.2.9/5060\",RemoteAddress=\"IPV4/UDP/192.0.2.2/5060\"\n"

/* A packet that pjproject dumps into a NOTICE may hold whole lines of the security channel. */
static void a_file_with_other_channels_is_not_believed(void **state)
{
    struct world *w = *state;
    const struct witness_figures *f = asterisk_log_figures(w->log);

    append(w->path, SPAN(LINE));
    look(w);
    assert_int_equal(w->sum, 1);
    append(w->path, SPAN("[Nov 24 02:33:12] ERROR[7] pjproject: sip_transport.c Error:\n" LINE));
    look(w);
    append(w->path, SPAN(LINE));
    look(w);
    assert_int_equal(w->sum, 1);
    assert_int_equal(f->foreign, 1);
    assert_int_equal(f->dropped, 2);
    assert_int_equal(witness_trouble(f, true, false, now), WITNESS_FORGEABLE);
    /* The operator gave the channel a file of its own. */
    assert_int_equal(rename(w->path, w->old), 0);
    append(w->path, SPAN(LINE));
    look(w);
    look(w);
    assert_int_equal(w->sum, 2);
    assert_int_equal(witness_trouble(f, true, false, now), WITNESS_WELL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_recorded_log_becomes_attempts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_with_other_channels_is_not_believed, set_up,
                                        tear_down),
    };

    recorded_path = argv[1];
    return cmocka_run_group_tests_name("asterisk log", tests, NULL, NULL);
}
