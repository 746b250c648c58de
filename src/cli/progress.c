/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define NS INT64_C(1000000000)
#define BETWEEN_NS (NS / 5)
#define BAR 24

void progress_begin(struct progress *p, const struct cli *cli, bool quiet)
{
    *p = (struct progress){.cli = cli, .shown = !quiet && isatty(STDERR_FILENO)};
}

static void amount(struct buf *out, const char *unit, bool bytes, uint64_t n)
{
    char digits[24];
    int length;

    if (bytes) {
        buf_printf(out, "%.1f MiB", (double)n / 1048576);
        return;
    }
    length = snprintf(digits, sizeof(digits), "%" PRIu64, n);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            buf_putc(out, ',');
        buf_putc(out, digits[i]);
    }
    buf_printf(out, " %s", unit);
}

/* `ns` since the phase began. */
static void add_line(const struct cli *cli, struct buf *out, const char *phase, const char *unit,
                     bool bytes, uint64_t done, uint64_t total, int64_t ns)
{
    double seconds = (double)ns / NS;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    unsigned part = total ? (unsigned)(done < total ? done * BAR / total : BAR) : 0;

    buf_printf(out, "%s ", phase);
    if (total) {
        buf_putc(out, '[');
        for (unsigned i = 0; i < BAR; i++)
            buf_putc(out, i < part ? '#' : '.');
        buf_printf(out, "] %3u %% ", (unsigned)(done < total ? done * 100 / total : 100));
    }
    amount(out, unit, bytes, done);
    /* The first moments say little of what will be. */
    if (seconds < 0.5 || (total && done >= total))
        return;
    buf_puts(out, TR(cli, ", ", "、"));
    amount(out, unit, bytes, (uint64_t)rate);
    buf_puts(out, TR(cli, "/s", "/秒"));
    if (total > done && rate > 0)
        buf_printf(out, TR(cli, ", %" PRIu64 " s left", "、残り %" PRIu64 " 秒"),
                   (uint64_t)((double)(total - done) / rate) + 1);
}

void progress_show(struct progress *p, const char *phase, const char *unit, bool bytes,
                   uint64_t done, uint64_t total)
{
    int64_t now = clock_now().boot_ns;
    struct buf line = {0};

    if (!p->shown || (phase == p->phase && now - p->drawn_ns < BETWEEN_NS))
        return;
    if (phase != p->phase)
        p->began_ns = now;
    p->phase = phase;
    p->drawn_ns = now;
    add_line(p->cli, &line, phase, unit, bytes, done, total, now - p->began_ns);
    if (!line.failed)
        fprintf(stderr, "\r%s\033[K", line.p);
    fflush(stderr);
    buf_free(&line);
}

void progress_end(struct progress *p)
{
    if (p->shown && p->phase)
        fputs("\r\033[K", stderr);
    p->phase = NULL;
}
