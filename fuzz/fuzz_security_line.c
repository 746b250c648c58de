/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "intake/security_line.h"
#include "security.h"

/* Lines as they stand. */
static void read_raw(struct span in)
{
    struct security_reader r = {0};
    struct attempt a;

    for (struct span rest = in; rest.n;) {
        struct span line = span_cut(rest, '\n', &rest);

        if (security_line_read(&r, line, &a) == SECURITY_ATTEMPT)
            security_check(&a);
        PROMISE(r.first <= r.open.n);
    }
    security_reader_free(&r);
}

static void add_event(struct buf *b, struct span in, bool answered)
{
    buf_printf(b,
               "[2026-11-24 02:33:12.141] SECURITY[4774] res_security_log.c: "
               "SecurityEvent=\"%s\",EventTV=\"2026-11-24T02:33:12.141+0000\","
               "Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"",
               answered ? "ChallengeResponseFailed" : "InvalidAccountID");
    /* The account of a failed response is an endpoint of the configuration. */
    if (answered)
        buf_puts(b, "1001");
    else
        buf_add(b, security_part(&in, 31));
    buf_puts(b, "\",SessionID=\"");
    security_call_id(b, security_part(&in, 4096));
    buf_puts(b, "\",LocalAddress=\"IPV4/UDP/192.0.2.9/5060\",RemoteAddress=\"" TRUE_SOURCE "\"");
    if (answered) {
        buf_puts(b, ",Challenge=\"");
        buf_add(b, security_part(&in, 63));
        buf_puts(b, "\",Response=\"");
        buf_add(b, security_part(&in, 255));
        buf_puts(b, "\",ExpectedResponse=\"\"");
    }
    buf_puts(b, "\n");
}

static void add_next(struct buf *b)
{
    buf_puts(b, "[2026-11-24 02:33:12.141] SECURITY[4774] res_security_log.c: "
                "SecurityEvent=\"FailedACL\",EventTV=\"2026-11-24T02:33:12.141+0000\","
                "Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"next\","
                "SessionID=\"n\",LocalAddress=\"IPV4/UDP/192.0.2.9/5060\","
                "RemoteAddress=\"IPV4/UDP/192.0.2.2/5060\"");
}

/* The lines of his event: his address or none comes out, once. */
static void read_his(struct security_reader *r, struct span lines)
{
    struct attempt a;
    unsigned his = 0;

    for (struct span rest = lines; rest.n;) {
        struct span line = span_cut(rest, '\n', &rest);

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (security_line_read(r, line, &a) != SECURITY_ATTEMPT)
            continue;
        security_check(&a);
        PROMISE(a.source.family == 0 || memcmp(a.source.ip, true_ip, 16) == 0);
        his++;
    }
    PROMISE(his == 1);
}

/* Whatever a peer puts where he can, the next event is read for what it is, unless it comes at once behind
 * one that was made to end early. */
static void read_written(struct span in, bool answered)
{
    struct security_reader r = {0};
    struct buf b = {0};
    struct attempt a;

    add_event(&b, in, answered);
    read_his(&r, buf_span(&b));
    buf_clear(&b);
    add_next(&b);
    for (int i = 0; r.distrust; i++) {
        PROMISE(i < SECURITY_SPLIT_MAX);
        PROMISE(security_line_read(&r, buf_span(&b), &a) == SECURITY_DROPPED);
    }
    PROMISE(security_line_read(&r, buf_span(&b), &a) == SECURITY_ATTEMPT);
    security_check(&a);
    PROMISE(span_is(a.account, "next") && a.outcome == OUTCOME_LISTED);
    PROMISE(memcmp(a.source.ip, next_ip, 16) == 0);
    security_reader_free(&r);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = {(const char *)data, size};

    if (!size)
        return 0;
    switch (data[0]) {
    case 'A': read_written(span_skip(in, 1), false); break;
    case 'R': read_written(span_skip(in, 1), true); break;
    default: read_raw(in);
    }
    return 0;
}
