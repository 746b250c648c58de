/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HEPv3 datagram. */
#include "fuzz.h"
#include "intake/hep_packet.h"

static void within(struct span part, struct span whole)
{
    PROMISE(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span whole = {(const char *)data, size};
    struct hep_packet p;
    int err = hep_packet_read(&p, whole);

    PROMISE(err == 0 || err == ERR_SYNTAX || err == ERR_MISSING || err == ERR_RANGE);
    if (err)
        return 0;
    within(p.key, whole);
    within(p.payload, whole);
    PROMISE(p.payload.p != NULL);
    PROMISE(p.from.family == 0 || p.from.family == 4 || p.from.family == 6);
    PROMISE(hep_packet_authentic(&p, SPAN("")));
    PROMISE(hep_packet_authentic(&p, p.key));
    PROMISE(!hep_packet_authentic(&p, SPAN("a key that seeds do not have")) ||
            span_is(p.key, "a key that seeds do not have"));
    return 0;
}
