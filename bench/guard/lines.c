/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a security log: read, and read and judged. */
#include <stdio.h>

#include "base/file.h"
#include "bench_guard.h"
#include "guard/guard.h"
#include "intake/security_line.h"
#include "measure.h"

struct lines {
    struct span text;
    size_t n, attempts;
    struct security_reader reader;
    struct guard *guard;
};

static struct instant now = {.boot_ns = INT64_C(1000000000000), .wall_ms = INT64_C(1795487580000)};

static void read_all(void *arg)
{
    struct lines *l = arg;
    struct attempt attempt;
    struct span rest = l->text;

    l->attempts = 0;
    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);

        if (security_line_read(&l->reader, line, &attempt) != SECURITY_ATTEMPT)
            continue;
        l->attempts++;
        if (!l->guard)
            continue;
        attempt.at = now;
        attempt.switch_id = 1;
        attempt.witness = WITNESS_LOG;
        guard_attempt(l->guard, &attempt);
        now.boot_ns += 100000;
    }
    measure_keep(l->attempts);
}

static void print(const char *what, struct lines *l)
{
    struct measure m = measure(9, l->n, read_all, l);

    printf("%s: %.2f million lines a CPU second (median of 9; %zu lines, %zu attempts)\n", what,
           1e3 / m.median, l->n, l->attempts);
}

int lines_run(const char *path)
{
    struct lines l = {0};
    struct buf text = {0};
    struct guard_limits limits;
    uint8_t key[GUARD_KEY_BYTES] = {1};
    struct fault f;

    if (file_read(path, 1u << 30, &text, &f) != 0) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    l.text = buf_span(&text);
    for (size_t i = 0; i < text.n; i++)
        l.n += text.p[i] == '\n';
    print("log intake, lines read", &l);
    guard_limits_default(&limits);
    if (guard_new(&l.guard, &limits, key, now, NULL, NULL, &f) == 0) {
        guard_set_mode(l.guard, now, 1, GUARD_ENFORCE, NULL);
        print("log intake, read and judged", &l);
    }
    guard_free(l.guard);
    security_reader_free(&l.reader);
    buf_free(&text);
    return 0;
}
