/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/hep_packet.h"

#include <netinet/in.h>
#include <sodium.h>

#define FAMILY_IPV4 2
#define FAMILY_IPV6 10
#define HEADER 6

enum chunk {
    CHUNK_FAMILY = 1,
    CHUNK_PROTOCOL = 2,
    CHUNK_IPV4_FROM = 3,
    CHUNK_IPV4_TO = 4,
    CHUNK_IPV6_FROM = 5,
    CHUNK_IPV6_TO = 6,
    CHUNK_PORT_FROM = 7,
    CHUNK_PORT_TO = 8,
    CHUNK_SECONDS = 9,
    CHUNK_MICROSECONDS = 10,
    CHUNK_PAYLOAD_TYPE = 11,
    CHUNK_AGENT = 12,
    CHUNK_KEY = 14,
    CHUNK_PAYLOAD = 15,
    CHUNK_COMPRESSED = 16,
};
#define CHUNKS 17

/* The length that the value must have; 0: any. */
static const uint8_t lengths[CHUNKS] = {
    [CHUNK_FAMILY] = 1,     [CHUNK_PROTOCOL] = 1,     [CHUNK_IPV4_FROM] = 4,    [CHUNK_IPV4_TO] = 4,
    [CHUNK_IPV6_FROM] = 16, [CHUNK_IPV6_TO] = 16,     [CHUNK_PORT_FROM] = 2,    [CHUNK_PORT_TO] = 2,
    [CHUNK_SECONDS] = 4,    [CHUNK_MICROSECONDS] = 4, [CHUNK_PAYLOAD_TYPE] = 1, [CHUNK_AGENT] = 4,
};

static uint32_t number(struct span value)
{
    uint32_t n = 0;

    for (size_t i = 0; i < value.n && i < 4; i++)
        n = n << 8 | (uint8_t)value.p[i];
    return n;
}

static int read_chunks(struct span at, struct span chunks[CHUNKS])
{
    while (at.n) {
        if (at.n < HEADER)
            return ERR_SYNTAX;
        uint32_t vendor = number((struct span){at.p, 2}), type = number((struct span){at.p + 2, 2});
        uint32_t length = number((struct span){at.p + 4, 2});

        if (length < HEADER || length > at.n)
            return ERR_SYNTAX;
        struct span value = {at.p + HEADER, length - HEADER};

        at = span_skip(at, length);
        if (vendor != 0 || type >= CHUNKS)
            continue;
        if (chunks[type].p || (lengths[type] && value.n != lengths[type]))
            return ERR_SYNTAX;
        chunks[type] = value;
    }
    return 0;
}

/* An IPv4 address that is mapped into IPv6 becomes what it is. */
static struct address address(struct span ipv4, struct span ipv6, struct span port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address a = {.port = (uint16_t)number(port)};

    if (ipv6.p && memcmp(ipv6.p, mapped, sizeof(mapped)) == 0)
        ipv4 = span_skip(ipv6, sizeof(mapped));
    if (ipv4.p) {
        a.family = 4;
        memcpy(a.ip, ipv4.p, 4);
    } else if (ipv6.p) {
        a.family = 6;
        memcpy(a.ip, ipv6.p, 16);
    }
    return a;
}

static enum hep_protocol protocol(uint32_t n)
{
    switch (n) {
    case IPPROTO_UDP: return HEP_PROTOCOL_UDP;
    case IPPROTO_TCP: return HEP_PROTOCOL_TCP;
    case IPPROTO_IDP: return HEP_PROTOCOL_TLS;
    case IPPROTO_ESP: return HEP_PROTOCOL_WS;
    default: return HEP_PROTOCOL_OTHER;
    }
}

static bool families_agree(const struct span chunks[CHUNKS])
{
    bool ipv4 = chunks[CHUNK_IPV4_FROM].p || chunks[CHUNK_IPV4_TO].p;
    bool ipv6 = chunks[CHUNK_IPV6_FROM].p || chunks[CHUNK_IPV6_TO].p;
    uint32_t family = number(chunks[CHUNK_FAMILY]);

    return !(ipv4 && ipv6) && !(ipv4 && chunks[CHUNK_FAMILY].p && family != FAMILY_IPV4) &&
           !(ipv6 && chunks[CHUNK_FAMILY].p && family != FAMILY_IPV6);
}

int hep_packet_read(struct hep_packet *out, struct span datagram)
{
    struct span c[CHUNKS] = {0};

    if (datagram.n < HEADER || !span_starts(datagram, SPAN("HEP3")) ||
        number((struct span){datagram.p + 4, 2}) != datagram.n)
        return ERR_SYNTAX;
    int err = read_chunks(span_skip(datagram, HEADER), c);

    if (err)
        return err;
    if (!families_agree(c))
        return ERR_SYNTAX;
    if (c[CHUNK_COMPRESSED].p)
        return ERR_RANGE;
    if (!c[CHUNK_PAYLOAD].p)
        return ERR_MISSING;
    *out = (struct hep_packet){
        .protocol = protocol(number(c[CHUNK_PROTOCOL])),
        .from = address(c[CHUNK_IPV4_FROM], c[CHUNK_IPV6_FROM], c[CHUNK_PORT_FROM]),
        .to = address(c[CHUNK_IPV4_TO], c[CHUNK_IPV6_TO], c[CHUNK_PORT_TO]),
        .payload_type = (uint8_t)number(c[CHUNK_PAYLOAD_TYPE]),
        .agent = number(c[CHUNK_AGENT]),
        .seconds = number(c[CHUNK_SECONDS]),
        .microseconds = number(c[CHUNK_MICROSECONDS]),
        .key = c[CHUNK_KEY],
        .payload = c[CHUNK_PAYLOAD],
    };
    return 0;
}

bool hep_packet_authentic(const struct hep_packet *packet, struct span key)
{
    if (key.n == 0)
        return true;
    return packet->key.n == key.n && sodium_memcmp(packet->key.p, key.p, key.n) == 0;
}
