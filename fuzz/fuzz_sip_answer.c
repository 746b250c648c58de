/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path of a SIP request: from a datagram, or from the bytes of a connection, to those that are sent
 * back. The first byte says which switch sends it, or a stranger; whether it is a connection; and in
 * parts of how many bytes they come there. Each answer is one message without a fault, answers the request that
 * it was sent for, is no larger than that takes, and is the same when it is asked for again.
 */
#include <string.h>

#include "../tests/serve/sip_world.h"
#include "fuzz.h"
#include "sip/message.h"
#include "sip/stream.h"
#include "sip/via.h"

static const struct address sources[] = {
    {4, {192, 0, 2, 7}, 5060},
    {4, {198, 51, 100, 1}, 5061},
    {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 5062},
    {4, {203, 0, 113, 9}, 65535},
    {4, {10, 0, 0, 1}, 5060},
    {4, {198, 18, 0, 1}, 5060},
};
#define SOURCES (sizeof(sources) / sizeof(*sources))
#define STRANGER 4
#define REPLY_MAX (2 * SIP_MESSAGE_MAX)

static struct sip_world world;

static size_t ask_once(struct span bytes, size_t who, bool by_length, char *reply)
{
    struct sip_packet packet = {.bytes = bytes,
                                .by_length = by_length,
                                .source = sources[who],
                                .reply = reply,
                                .size = REPLY_MAX};
    static int64_t now_ns;

    sip_desk_answer(world.desk, &packet, 1, (struct instant){.boot_ns = ++now_ns});
    return packet.n;
}

static size_t count_vias(const struct sip_message *m)
{
    struct sip_values values = sip_values(m, SIP_H_VIA);
    struct span value;
    size_t n = 0;

    while (sip_values_next(&values, &value))
        n++;
    return n;
}

/* Of the request's bytes those that are repeated, names in full, and some of our own. */
static void check_size(const struct sip_message *out, const struct sip_message *in)
{
    size_t most = in->whole.n + 512 + 4 * (size_t)sip_message_count(in, SIP_H_VIA);

    /* Behind each comma a space. */
    PROMISE(out->whole.n <= most + (out->status == 420 ? in->whole.n : 0));
}

static void check_answer(struct span reply, struct span bytes, size_t who)
{
    static const enum sip_header repeated[] = {SIP_H_FROM, SIP_H_CALL_ID, SIP_H_CSEQ};
    struct sip_message in, out;
    struct sip_values values;
    struct span top;
    struct via via;

    PROMISE(sip_message_read(&in, bytes) == 0 && in.request);
    PROMISE(in.method != SIP_ACK && in.method != SIP_CANCEL);
    PROMISE(sip_message_read(&out, reply) == 0 && !out.request);
    PROMISE(out.status >= 200);
    /* What a faulty CSeq said is repeated, and is a fault there too. */
    PROMISE(
        !(out.faults & ~(uint32_t)SIP_CSEQ & ~(uint32_t)SIP_METHOD_CASE & ~(uint32_t)SIP_TOO_MANY));
    PROMISE(out.has_length && out.length == 0 && out.body.n == 0 && out.rest.n == 0);
    for (size_t i = 0; i < sizeof(repeated) / sizeof(*repeated); i++)
        PROMISE(field_eq(sip_message_get(&in, repeated[i]), sip_message_get(&out, repeated[i])));
    PROMISE(count_vias(&in) == count_vias(&out));
    values = sip_values(&out, SIP_H_VIA);
    PROMISE(sip_values_next(&values, &top) && via_parse(&via, top) == 0);
    PROMISE(!via.has_rport || via.rport == sources[who].port);
    PROMISE(out.status != 302 || sip_message_count(&out, SIP_H_CONTACT) == 1);
    check_size(&out, &in);
}

static void ask(struct span bytes, size_t who, bool by_length)
{
    static char reply[REPLY_MAX], again[REPLY_MAX];
    size_t n = ask_once(bytes, who, by_length, reply);

    PROMISE(n == ask_once(bytes, who, by_length, again) && memcmp(reply, again, n) == 0);
    if (who == STRANGER)
        PROMISE(n == 0);
    if (n)
        check_answer((struct span){reply, n}, bytes, who);
}

/* As sip_tcp.c does. */
static void ask_stream(struct span bytes, size_t who, size_t step)
{
    struct sip_stream s = {0};
    struct sip_message m;
    size_t from = 0, have = 0, used;

    while (have < bytes.n) {
        have = step && bytes.n - have > step ? have + step : bytes.n;
        for (bool more = true; more;) {
            struct span part = {bytes.p + from, have - from};

            switch (sip_stream_next(&s, part, &m, &used)) {
            case SIP_STREAM_MORE: more = false; break;
            case SIP_STREAM_MESSAGE: ask(m.whole, who, true); break;
            case SIP_STREAM_KEEPALIVE: break;
            case SIP_STREAM_LOST:
                PROMISE(s.header <= part.n);
                if (s.header)
                    ask((struct span){part.p, s.header}, who, true);
                return;
            }
            from += used;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {(const char *)data + 1, size ? size - 1 : 0};

    if (!world.desk)
        sip_world_open(&world);
    if (!size || size > SIP_MESSAGE_MAX)
        return 0;
    if (data[0] / SOURCES % 2)
        ask_stream(bytes, data[0] % SOURCES, data[0] / SOURCES / 2);
    else
        ask(bytes, data[0] % SOURCES, false);
    return 0;
}
