/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_FUZZ_SECURITY_H
#define SEKISHO_FUZZ_SECURITY_H

#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "guard/attempt.h"

/* What the targets of Asterisk's security events have in common: the log's lines, the manager's messages. */

#define TRUE_SOURCE "IPV4/UDP/192.0.2.1/5060"

static const uint8_t true_ip[16] = {192, 0, 2, 1};
static const uint8_t next_ip[16] = {192, 0, 2, 2};

static inline void security_check(const struct attempt *a)
{
    unsigned sum = 0;

    PROMISE(a->outcome < OUTCOMES && a->proof < PROOFS && a->transport < TRANSPORTS);
    PROMISE(a->source.family == 0 || a->source.family == 4 || a->source.family == 6);
    PROMISE(a->source.family || a->transport == TRANSPORT_UNKNOWN);
    /* Every byte can be read. */
    for (size_t i = 0; i < a->account.n; i++)
        sum += (uint8_t)a->account.p[i];
    for (size_t i = 0; i < a->call_id.n; i++)
        sum += (uint8_t)a->call_id.p[i];
    PROMISE(sum <= 255 * (a->account.n + a->call_id.n));
}

/* The next field of what the peer sends: up to a NUL, and no longer than Asterisk lets it be. */
static inline struct span security_part(struct span *in, size_t max)
{
    struct span s = span_cut(*in, '\0', in);

    if (s.n > max)
        s.n = max;
    return s;
}

/* The Call-ID has no line ends. */
static inline void security_call_id(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\n' && s.p[i] != '\r')
            buf_putc(b, s.p[i]);
}

#endif
