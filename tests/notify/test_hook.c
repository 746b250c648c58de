/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "notify/hook.h"
#include "notify/hook_event.h"

struct world {
    char dir[64], program[128], told[128];
    struct hook *hook;
};

/* A script that writes what it learns into the file `told`; everybody may write that, for root's hook is run as
 * nobody. */
static void program(struct world *w, const char *script)
{
    FILE *out = fopen(w->program, "w");
    struct fault f;

    assert_non_null(out);
    fprintf(out, "#!/bin/sh\ntold=%s\n%s\n", w->told, script);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(w->program, 0755), 0);
    if (hook_open(&w->hook, w->program, &f))
        fail_msg("%s", f.text);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    FILE *told;

    strcpy(w->dir, "/tmp/sekisho-hook-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(chmod(w->dir, 0755), 0);
    snprintf(w->program, sizeof(w->program), "%s/hook", w->dir);
    snprintf(w->told, sizeof(w->told), "%s/told", w->dir);
    told = fopen(w->told, "w");
    assert_non_null(told);
    fclose(told);
    assert_int_equal(chmod(w->told, 0666), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    hook_close(w->hook);
    unlink(w->program);
    unlink(w->told);
    rmdir(w->dir);
    free(w);
    return 0;
}

static void pass(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static void wait_until_idle(struct world *w)
{
    for (int i = 0; i < 3000; i++) {
        struct hook_figures f = hook_figures(w->hook);

        if (!f.waiting && !f.running)
            return;
        pass(10);
    }
    fail_msg("it does not end");
}

static char *told(struct world *w, struct buf *b)
{
    struct fault f;

    if (file_read(w->told, 1 << 20, b, &f))
        fail_msg("%s", f.text);
    buf_puts(b, "");
    return b->p;
}

/* Of signals the C library ignores two of its own. */
static void the_program_gets_the_object_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct buf b = {0};

    setenv("SEKISHO_TEST_SECRET", "x", 1);
    program(w,
            "{ cat; echo \"args $#\"; pwd; env | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD | sort;"
            " ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status | tr -d '\\t' | sed "
            "s/180000000/000000000/;"
            " grep SigBlk /proc/self/status | tr -d '\\t';"
            " grep NoNewPrivs /proc/self/status | tr -d '\\t'; id -u; } >$told");
    assert_true(hook_tell(w->hook, SPAN("{\"event\":\"ban\"}\n")));
    wait_until_idle(w);
    told(w, &b);
    static const char wanted[] =
        "{\"event\":\"ban\"}\nargs 0\n/\nLANG=C.UTF-8\nPATH=/usr/bin:/bin\n4\n"
        "SigIgn:0000000000000000\nSigBlk:0000000000000000\nNoNewPrivs:1\n";
    if (strncmp(b.p, wanted, strlen(wanted)) != 0)
        fail_msg("it got: %s", b.p);
    assert_null(strstr(b.p, "\n0\n"));
    assert_int_equal(hook_figures(w->hook).failed, 0);
    buf_free(&b);
}

static void whoever_fails_is_counted(void **state)
{
    struct world *w = *state;

    program(w, "exit 3");
    hook_tell(w->hook, SPAN("{}\n"));
    hook_tell(w->hook, SPAN("{}\n"));
    wait_until_idle(w);
    assert_int_equal(hook_figures(w->hook).started, 2);
    assert_int_equal(hook_figures(w->hook).failed, 2);
}

static void a_few_run_at_once_and_what_waits_is_bounded(void **state)
{
    struct world *w = *state;
    struct hook_figures f;

    program(w, "sleep 1");
    for (int i = 0; i < HOOK_QUEUE + 100; i++)
        hook_tell(w->hook, SPAN("{}\n"));
    pass(300);
    f = hook_figures(w->hook);
    assert_int_equal(f.running, HOOK_AT_ONCE);
    assert_in_range(f.waiting, HOOK_QUEUE - 2 * HOOK_AT_ONCE, HOOK_QUEUE);
    assert_in_range(f.dropped, 100 - HOOK_AT_ONCE, 100);
    assert_int_equal(f.told, HOOK_QUEUE + 100);
    /* Whoever closes does not wait for the rest. */
}

static void nothing_is_left_of_those_that_ended(void **state)
{
    struct world *w = *state;
    struct buf b = {0};

    program(w, "echo x >>$told");
    for (int i = 0; i < 50; i++)
        assert_true(hook_tell(w->hook, SPAN("{}\n")));
    wait_until_idle(w);
    assert_int_equal(strlen(told(w, &b)), 100);
    snprintf(w->told, sizeof(w->told), "/proc/self/task/%d/children", (int)getpid());
    assert_string_equal(told(w, &b), "");
    snprintf(w->told, sizeof(w->told), "%s/told", w->dir);
    buf_free(&b);
}

static void who_runs_for_too_long_is_killed_with_its_children(void **state)
{
    struct world *w = *state;
    struct buf b = {0};

    program(w, "sleep 60 & echo $! >$told; wait");
    hook_tell(w->hook, SPAN("{}\n"));
    wait_until_idle(w);
    assert_int_equal(hook_figures(w->hook).killed, 1);
    assert_int_equal(hook_figures(w->hook).failed, 0);
    int child = (int)strtol(told(w, &b), NULL, 10);
    char path[64];

    assert_true(child > 1);
    snprintf(path, sizeof(path), "/proc/%d/cwd", child);
    for (int i = 0; i < 100 && access(path, F_OK) == 0; i++)
        pass(10);
    assert_int_not_equal(access(path, F_OK), 0);
    buf_free(&b);
}

static void what_is_no_program_is_refused(void **state)
{
    struct world *w = *state;
    struct hook *hook = NULL;
    struct fault f;

    assert_int_equal(hook_open(&hook, "/nonexistent/hook", &f), ERR_MISSING);
    assert_int_equal(hook_open(&hook, "bin/true", &f), ERR_MISSING);
    assert_int_equal(hook_open(&hook, "/tmp", &f), ERR_DENIED);
    assert_int_equal(hook_open(&hook, w->told, &f), ERR_DENIED);
    chmod(w->told, 0777);
    assert_int_equal(hook_open(&hook, w->told, &f), ERR_DENIED);
    assert_null(hook);
}

static void an_object_that_is_too_long_is_dropped(void **state)
{
    struct world *w = *state;
    static char text[HOOK_TEXT_MAX + 1];

    program(w, "cat");
    memset(text, ' ', sizeof(text));
    assert_false(hook_tell(w->hook, (struct span){text, sizeof(text)}));
    assert_true(hook_tell(w->hook, (struct span){text, sizeof(text) - 1}));
    assert_int_equal(hook_figures(w->hook).dropped, 1);
}

/* ---- the object ----------------------------------------------------------------------------- */

static void a_ban_in_json(void **state)
{
    const struct guard_event event = {
        .kind = GUARD_BAN,
        .attack = ATTACK_BRUTE_FORCE,
        .at = {.boot_ns = 1, .wall_ms = 1795487580143},
        .switch_id = 1,
        .network = {.family = 4, .bits = 32, .ip = {192, 0, 2, 7}},
        .account = SPAN("a\"\\\x01\xff\n\xe3\x83\xad"),
        .witness = WITNESS_WIRE,
        .proof = PROOF_PROVED,
        .threshold = 5,
        .count = 6,
        .window = 600,
        .seconds = 600,
    };
    struct buf b = {0};
    json_error_t error;

    hook_event_json(&b, &event, SPAN("local"));
    json_t *json = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, &error);

    if (!json)
        fail_msg("%s: %s", error.text, b.p);
    const char *const words[][2] = {
        {"event", "ban"},
        {"time", "2026-11-24T02:33:00Z"},
        {"until", "2026-11-24T02:43:00Z"},
        {"switch", "local"},
        {"attack", "brute-force"},
        {"witness", "wire"},
        {"proof", "proved"},
        {"account", "a\\\"\\\\\\x01\\xff\\x0aロ"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        assert_string_equal(json_string_value(json_object_get(json, words[i][0])), words[i][1]);
    assert_string_equal(json_string_value(json_object_get(json, "network")), "192.0.2.7");
    assert_int_equal(json_integer_value(json_object_get(json, "count")), 6);
    assert_true(json_is_false(json_object_get(json, "observed")));
    assert_int_equal(json_array_size(json_object_get(json, "good")), 0);
    assert_int_equal(b.p[b.n - 1], '\n');
    json_decref(json);
    buf_free(&b);
}

static void only_bans_lockouts_and_takeovers_are_told(void **state)
{
    unsigned told_of = 0;

    for (int kind = 0; kind < GUARD_EVENTS; kind++) {
        const struct guard_event event = {.kind = (enum guard_event_kind)kind};

        told_of += hook_event_counts(&event);
    }
    assert_int_equal(told_of, 4);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(the_program_gets_the_object_and_nothing_else),
        WORLD(whoever_fails_is_counted),
        WORLD(a_few_run_at_once_and_what_waits_is_bounded),
        WORLD(nothing_is_left_of_those_that_ended),
        WORLD(who_runs_for_too_long_is_killed_with_its_children),
        WORLD(what_is_no_program_is_refused),
        WORLD(an_object_that_is_too_long_is_dropped),
        cmocka_unit_test(a_ban_in_json),
        cmocka_unit_test(only_bans_lockouts_and_takeovers_are_told),
    };

    return cmocka_run_group_tests_name("notify/hook", tests, NULL, NULL);
}
