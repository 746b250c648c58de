/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "intake/security_event.h"
#include "security.h"

static void read_raw(struct span in)
{
    static struct ami_message m;
    struct security_events e = {0};
    struct attempt a;
    size_t used;

    while (ami_message_take(in, &used, &m) == 1) {
        if (security_event_read(&e, &m, used, &a) == SECURITY_ATTEMPT)
            security_check(&a);
        PROMISE(e.distrust <= SECURITY_SPLIT_MAX);
        in = span_skip(in, used);
    }
}

static void add_front(struct buf *b, const char *event)
{
    buf_printf(b,
               "Event: %s\r\nPrivilege: security,all\r\nEventTV: 2026-11-24T02:33:12.141+0000\r\n"
               "Severity: Error\r\nService: PJSIP\r\nEventVersion: 1\r\nAccountID: ",
               event);
}

static void add_event(struct buf *b, struct span in, bool answered)
{
    add_front(b, answered ? "ChallengeResponseFailed" : "InvalidAccountID");
    /* The account of a failed response is an endpoint of the configuration. */
    if (answered)
        buf_puts(b, "1001");
    else
        buf_add(b, security_part(&in, 31));
    buf_puts(b, "\r\nSessionID: ");
    security_call_id(b, security_part(&in, 4096));
    buf_puts(b, "\r\nLocalAddress: IPV4/UDP/192.0.2.9/5060\r\nRemoteAddress: " TRUE_SOURCE);
    if (answered) {
        buf_puts(b, "\r\nChallenge: ");
        buf_add(b, security_part(&in, 63));
        buf_puts(b, "\r\nResponse: ");
        buf_add(b, security_part(&in, 255));
        buf_puts(b, "\r\nExpectedResponse: ");
    }
    buf_puts(b, "\r\n\r\n");
}

static void add_next(struct buf *b)
{
    buf_puts(b, "Event: Other\r\nX: ");
    for (int i = 0; i < SECURITY_SPLIT_MAX; i++)
        buf_putc(b, 'x');
    buf_puts(b, "\r\n\r\n");
    add_front(b, "FailedACL");
    buf_puts(b, "next\r\nSessionID: n\r\nLocalAddress: IPV4/UDP/192.0.2.9/5060\r\n"
                "RemoteAddress: IPV4/UDP/192.0.2.2/5060\r\n\r\n");
}

/* Whatever a peer puts where he can: his address or none comes out, and what comes well behind is not lost. */
static void read_written(struct span in, bool answered)
{
    static struct ami_message m;
    struct security_events e = {0};
    struct buf b = {0};
    struct attempt a;
    unsigned his = 0, next = 0;
    size_t used;

    add_event(&b, in, answered);
    add_next(&b);
    for (in = buf_span(&b); ami_message_take(in, &used, &m) == 1; in = span_skip(in, used)) {
        if (security_event_read(&e, &m, used, &a) != SECURITY_ATTEMPT)
            continue;
        security_check(&a);
        if (span_is(a.account, "next") && a.outcome == OUTCOME_LISTED) {
            PROMISE(memcmp(a.source.ip, next_ip, 16) == 0);
            next++;
            continue;
        }
        PROMISE(a.source.family == 0 || memcmp(a.source.ip, true_ip, 16) == 0);
        his++;
    }
    PROMISE(his <= 1 && next == 1);
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
