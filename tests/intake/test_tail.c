/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "failalloc.h"
#include "intake/tail.h"

/* A directory of its own for each test, the file in it, and what the tail said: lines in a row with
 * " | " behind each, gaps as <other>, <truncated>, <long>. */
struct world {
    char dir[64];
    char path[128];
    char old[128];
    struct tail *tail;
    struct buf said;
};

static void on_line(void *arg, struct span line)
{
    struct world *w = arg;

    buf_add(&w->said, line);
    buf_puts(&w->said, " | ");
}

static void on_gap(void *arg, enum tail_gap why)
{
    struct world *w = arg;

    switch (why) {
    case TAIL_OTHER_FILE: buf_puts(&w->said, "<other> "); break;
    case TAIL_TRUNCATED: buf_puts(&w->said, "<truncated> "); break;
    case TAIL_LONG_LINE: buf_puts(&w->said, "<long> "); break;
    }
}

static void append(const char *path, const char *text)
{
    FILE *out = fopen(path, "a");

    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void look(struct world *w)
{
    const struct tail_sink sink = {on_line, on_gap, w};

    while (tail_read(w->tail, 1 << 20, &sink))
        ;
}

/* What was said since the last time, once the file descriptor has called. */
static const char *after_a_call(struct world *w)
{
    struct pollfd p = {tail_fd(w->tail), POLLIN, 0};

    buf_clear(&w->said);
    buf_puts(&w->said, "");
    assert_int_equal(poll(&p, 1, 5000), 1);
    look(w);
    return w->said.p ? w->said.p : "";
}

static void open_tail(struct world *w)
{
    struct fault f;

    if (tail_open(&w->tail, w->path, &f))
        fail_msg("%s", f.text);
    look(w);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    strcpy(w->dir, "/tmp/sekisho-tail-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/security.log", w->dir);
    snprintf(w->old, sizeof(w->old), "%s/security.log.1", w->dir);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    tail_close(w->tail);
    buf_free(&w->said);
    unlink(w->path);
    unlink(w->old);
    rmdir(w->dir);
    free(w);
    return 0;
}

static void what_was_there_at_the_start_is_old(void **state)
{
    struct world *w = *state;

    append(w->path, "old\nhalf of an old li");
    open_tail(w);
    append(w->path, "ne\nnew\r\n");
    assert_string_equal(after_a_call(w), "new | ");
}

static void a_line_is_handed_on_when_it_is_whole(void **state)
{
    struct world *w = *state;

    append(w->path, "");
    open_tail(w);
    append(w->path, "one\ntw");
    assert_string_equal(after_a_call(w), "one | ");
    append(w->path, "o\n\n");
    assert_string_equal(after_a_call(w), "two |  | ");
}

static void a_file_that_does_not_exist_is_waited_for(void **state)
{
    struct world *w = *state;

    open_tail(w);
    assert_int_equal(tail_figures(w->tail).error, ENOENT);
    append(w->path, "first\n");
    assert_string_equal(after_a_call(w), "<other> first | ");
    assert_true(tail_figures(w->tail).open);
    assert_int_equal(tail_figures(w->tail).error, 0);
}

static void so_is_a_directory(void **state)
{
    struct world *w = *state;

    assert_int_equal(rmdir(w->dir), 0);
    open_tail(w);
    /* Other things happen above it meanwhile. */
    assert_int_equal(mkdir(w->dir, 0700), 0);
    assert_string_equal(after_a_call(w), "");
    append(w->path, "first\n");
    assert_string_equal(after_a_call(w), "<other> first | ");
}

/* Writing goes on, and a file that took the name is found all the same. */
static void rotation_while_much_is_written_is_seen(void **state)
{
    struct world *w = *state;

    append(w->path, "");
    open_tail(w);
    for (int i = 0; i < 100; i++) {
        append(w->path, "1\n");
        assert_string_equal(after_a_call(w), "1 | ");
    }
    append(w->path, "2\n");
    assert_int_equal(rename(w->path, w->old), 0);
    append(w->old, "3\n");
    append(w->path, "4\n");
    assert_string_equal(after_a_call(w), "2 | 3 | <other> 4 | ");
}

/* logrotate with "create": a new empty file takes the name, the writer goes on in the old one until it
 * opens its log again. */
static void rotation_by_rename_loses_nothing(void **state)
{
    struct world *w = *state;

    append(w->path, "");
    open_tail(w);
    append(w->path, "1\n");
    assert_int_equal(rename(w->path, w->old), 0);
    append(w->path, "");
    append(w->old, "2\n");
    assert_string_equal(after_a_call(w), "1 | 2 | ");
    append(w->old, "3\n");
    assert_string_equal(after_a_call(w), "3 | ");
    append(w->old, "4\n");
    append(w->path, "5\n");
    assert_string_equal(after_a_call(w), "4 | <other> 5 | ");
    append(w->path, "6\n");
    assert_string_equal(after_a_call(w), "6 | ");
}

static void rotation_before_we_look_is_told_once(void **state)
{
    struct world *w = *state;

    append(w->path, "");
    open_tail(w);
    append(w->path, "1\n2 without an e");
    assert_int_equal(rename(w->path, w->old), 0);
    append(w->path, "3\n");
    assert_string_equal(after_a_call(w), "1 | <other> 3 | ");
}

static void a_deleted_file_comes_again(void **state)
{
    struct world *w = *state;

    append(w->path, "");
    open_tail(w);
    assert_int_equal(unlink(w->path), 0);
    assert_string_equal(after_a_call(w), "");
    append(w->path, "again\n");
    assert_string_equal(after_a_call(w), "<other> again | ");
}

static void copytruncate_begins_again(void **state)
{
    struct world *w = *state;

    append(w->path, "what was before\n");
    open_tail(w);
    append(w->path, "1\nhal");
    assert_string_equal(after_a_call(w), "1 | ");
    assert_int_equal(truncate(w->path, 0), 0);
    append(w->path, "2\n");
    assert_string_equal(after_a_call(w), "<truncated> 2 | ");
}

static void a_huge_file_is_not_read_at_the_start(void **state)
{
    struct world *w = *state;

    append(w->path, "");
    assert_int_equal(truncate(w->path, (off_t)8 << 30), 0);
    open_tail(w);
    assert_int_equal(tail_figures(w->tail).bytes, 0);
    append(w->path, "\nnew\n");
    assert_string_equal(after_a_call(w), "new | ");
}

static void a_line_beyond_all_length_is_left_out(void **state)
{
    struct world *w = *state;
    size_t n = 5 * TAIL_LINE_MAX;
    char *text = malloc(n + 1);

    assert_non_null(text);
    memset(text, 'x', n);
    text[n] = '\0';
    append(w->path, "");
    open_tail(w);
    append(w->path, "before\n");
    append(w->path, text);
    append(w->path, "\nafter\n");
    assert_string_equal(after_a_call(w), "before | <long> after | ");
    assert_int_equal(tail_figures(w->tail).long_lines, 1);
    free(text);
}

static void a_pipe_is_no_log(void **state)
{
    struct world *w = *state;

    assert_int_equal(mkfifo(w->path, 0600), 0);
    open_tail(w);
    assert_false(tail_figures(w->tail).open);
    assert_int_equal(tail_figures(w->tail).error, EINVAL);
}

static void it_stops_when_the_budget_is_used(void **state)
{
    struct world *w = *state;
    const struct tail_sink sink = {on_line, on_gap, w};

    append(w->path, "");
    open_tail(w);
    for (int i = 0; i < 40000; i++)
        buf_puts(&w->said, "a line of some length\n");
    append(w->path, w->said.p);
    buf_clear(&w->said);
    assert_true(tail_read(w->tail, 1, &sink));
    assert_in_range(tail_figures(w->tail).lines, 1, 39999);
    look(w);
    assert_int_equal(tail_figures(w->tail).lines, 40000);
}

static void a_path_must_be_absolute(void **state)
{
    struct fault f;
    struct tail *t = NULL;

    assert_int_equal(tail_open(&t, "security.log", &f), ERR_SYNTAX);
    assert_null(t);
}

static void memory_that_runs_out_is_told(void **state)
{
    for (size_t n = 0;; n++) {
        struct tail *t = NULL;

        failalloc_after(n);
        int err = tail_open(&t, "/tmp/security.log", NULL);
        bool failed = failalloc_off();
        tail_close(t);
        assert_int_equal(err, failed ? ERR_NOMEM : 0);
        if (!failed)
            break;
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_there_at_the_start_is_old),
        T(a_line_is_handed_on_when_it_is_whole),
        T(a_file_that_does_not_exist_is_waited_for),
        T(so_is_a_directory),
        T(rotation_while_much_is_written_is_seen),
        T(rotation_by_rename_loses_nothing),
        T(rotation_before_we_look_is_told_once),
        T(a_deleted_file_comes_again),
        T(copytruncate_begins_again),
        T(a_huge_file_is_not_read_at_the_start),
        T(a_line_beyond_all_length_is_left_out),
        T(a_pipe_is_no_log),
        T(it_stops_when_the_budget_is_used),
        cmocka_unit_test(a_path_must_be_absolute),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };

    return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
