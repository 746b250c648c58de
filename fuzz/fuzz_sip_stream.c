/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte stream: the first byte says in what pieces the others come. The messages that are found must
 * not depend on that, and each must be what a datagram of its bytes would be.
 */
#include <string.h>

#include "fuzz.h"
#include "sip/stream.h"

#define FOUND_MAX 64

struct found {
    size_t n;
    struct {
        enum sip_stream_found what;
        size_t from, to;
    } at[FOUND_MAX];
};

/* Keep-alives may come in one piece or several: they are left out. */
static void find_all(struct found *out, struct span bytes, size_t step)
{
    struct sip_stream s = {0};
    size_t have = 0, from = 0;

    out->n = 0;
    while (out->n < FOUND_MAX) {
        struct span part = {bytes.p + from, have - from};
        struct sip_message m, again;
        size_t used;
        enum sip_stream_found found = sip_stream_next(&s, part, &m, &used);

        PROMISE(used <= part.n);
        if (found == SIP_STREAM_MORE || found == SIP_STREAM_LOST)
            PROMISE(used == 0);
        else
            PROMISE(used > 0);
        if (found == SIP_STREAM_MESSAGE) {
            PROMISE(m.whole.p == part.p && m.whole.n == used && m.rest.n == 0);
            PROMISE(!(m.faults & (SIP_NO_END | SIP_BODY_CUT | SIP_CONTENT_LENGTH)));
            PROMISE(sip_message_read(&again, (struct span){part.p, used}) == 0);
            PROMISE(again.faults == m.faults && again.head.n == m.head.n);
        }
        if (found == SIP_STREAM_MESSAGE || found == SIP_STREAM_LOST) {
            out->at[out->n].what = found;
            out->at[out->n].from = from;
            out->at[out->n++].to = from + used;
        }
        from += used;
        if (found == SIP_STREAM_LOST || (found == SIP_STREAM_MORE && have == bytes.n))
            return;
        if (found == SIP_STREAM_MORE)
            have += step < bytes.n - have ? step : bytes.n - have;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {(const char *)data + 1, size ? size - 1 : 0};
    struct found whole, pieces;
    struct sip_stream s = {0};

    if (!size)
        return 0;
    find_all(&whole, bytes, bytes.n);
    find_all(&pieces, bytes, 1 + data[0]);
    PROMISE(whole.n == pieces.n);
    for (size_t i = 0; i < whole.n; i++) {
        PROMISE(whole.at[i].what == pieces.at[i].what);
        PROMISE(whole.at[i].from == pieces.at[i].from && whole.at[i].to == pieces.at[i].to);
    }
    for (size_t from = 0; from < bytes.n;) {
        size_t n = sip_stream_resume(&s, span_skip(bytes, from));

        PROMISE(n > 0 && n <= bytes.n - from);
        from += n;
    }
    return 0;
}
