/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/packet.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>

#define TAGS_MAX 2
#define EXTENSIONS_MAX 8
#define COOKED_HEADER 20

struct packets {
    struct fragments *fragments;
    struct tcp_flows *flows;
    struct packet_figures figures;
};

/* One call of packets_take(). */
struct turn {
    struct packets *all;
    int64_t now;
    packet_fn *give;
    void *context;
    bool checked;
    bool cut;
};

/* What the IP header says. */
struct datagram {
    struct address from, to;
    uint8_t protocol;
    struct span bytes;
    bool fragment, more;
    uint16_t offset;
    uint32_t id;
};

struct packets *packets_new(struct packet_sizes sizes, const uint8_t key[16])
{
    struct packets *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->fragments = fragments_new(sizes.fragment_buckets, key);
    p->flows = tcp_flows_new(sizes.flow_buckets, sizes.flow_holds, key);
    if (!p->fragments || !p->flows) {
        packets_free(p);
        return NULL;
    }
    return p;
}

void packets_free(struct packets *p)
{
    if (!p)
        return;
    fragments_free(p->fragments);
    tcp_flows_free(p->flows);
    free(p);
}

struct packet_figures packets_figures(const struct packets *p)
{
    struct packet_figures figures = p->figures;

    figures.fragments = *fragments_figures(p->fragments);
    figures.tcp = *tcp_flows_figures(p->flows);
    return figures;
}

enum packet_link packet_link_of(unsigned arphrd)
{
    switch (arphrd) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK: return PACKET_ETHERNET;
    case ARPHRD_NONE:
    case ARPHRD_PPP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_RAWIP: return PACKET_IP;
    default: return PACKET_UNKNOWN;
    }
}

static uint16_t u16(const char *p)
{
    return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

static uint32_t u32(const char *p)
{
    return (uint32_t)u16(p) << 16 | u16(p + 2);
}

/* ---- IP ---- */

static void set_address(struct address *a, uint8_t family, const char *ip)
{
    static const char mapped[12] = {[10] = (char)0xff, [11] = (char)0xff};

    *a = (struct address){.family = family};
    if (family == 6 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
        a->family = 4;
        ip += sizeof(mapped);
    }
    memcpy(a->ip, ip, a->family == 4 ? 4 : 16);
}

/* Bytes behind the length that the header says are the link layer's padding. */
static bool ipv4(struct datagram *out, struct span s)
{
    if (s.n < 20)
        return false;
    size_t header = (size_t)(s.p[0] & 15) * 4, length = u16(s.p + 2);
    uint16_t place = u16(s.p + 6);

    if (length == 0) /* segments that the kernel has put together beyond 65,535 */
        length = s.n;
    if (header < 20 || length < header || length > s.n)
        return false;
    set_address(&out->from, 4, s.p + 12);
    set_address(&out->to, 4, s.p + 16);
    out->protocol = (uint8_t)s.p[9];
    out->id = u16(s.p + 4);
    out->more = place >> 13 & 1;
    out->offset = (uint16_t)((place & 0x1fff) * 8);
    out->fragment = out->more || out->offset;
    out->bytes = (struct span){s.p + header, length - header};
    return true;
}

/* Steps over extension headers; where one is a Fragment header, what stands behind it waits for the whole. */
static bool extensions(struct datagram *d)
{
    for (unsigned i = 0; i < EXTENSIONS_MAX && !d->fragment; i++) {
        struct span s = d->bytes;
        size_t length = 8;

        switch (d->protocol) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
        case IPPROTO_AH:
        case IPPROTO_FRAGMENT: break;
        default: return true;
        }
        if (s.n < 8)
            return false;
        if (d->protocol == IPPROTO_FRAGMENT) {
            d->offset = u16(s.p + 2) & 0xfff8;
            d->more = s.p[3] & 1;
            d->id = u32(s.p + 4);
            d->fragment = d->more || d->offset;
        } else if (d->protocol == IPPROTO_AH) {
            length = ((size_t)(uint8_t)s.p[1] + 2) * 4;
        } else {
            length = ((size_t)(uint8_t)s.p[1] + 1) * 8;
        }
        if (length > s.n)
            return false;
        d->protocol = (uint8_t)s.p[0];
        d->bytes = span_skip(s, length);
    }
    return true;
}

static bool ipv6(struct datagram *out, struct span s)
{
    if (s.n < 40)
        return false;
    size_t length = u16(s.p + 4);

    if (length == 0) /* likewise */
        length = s.n - 40;
    if (length > s.n - 40)
        return false;
    set_address(&out->from, 6, s.p + 8);
    set_address(&out->to, 6, s.p + 24);
    out->protocol = (uint8_t)s.p[6];
    out->bytes = (struct span){s.p + 40, length};
    out->fragment = false;
    return extensions(out);
}

/* ---- UDP and TCP ---- */

/* Of words of 16 bits, four at a time, as they lie in memory: RFC 1071 section 2 says why the order of bytes plays no
 * part, but for that of the result. */
static uint64_t sum(uint64_t sum, struct span s)
{
    const char *p = s.p;
    size_t n = s.n;
    uint64_t upper = 0, words;
    uint32_t rest[2] = {0};

    for (; n >= sizeof(words); p += sizeof(words), n -= sizeof(words)) {
        memcpy(&words, p, sizeof(words));
        sum += (uint32_t)words;
        upper += words >> 32;
    }
    if (n)
        memcpy(rest, p, n);
    return sum + upper + rest[0] + rest[1];
}

static bool checksum_fits(const struct datagram *d, uint8_t protocol)
{
    size_t n = d->from.family == 4 ? 4 : 16;
    uint64_t s = sum(htonl((uint32_t)(protocol + d->bytes.n)), d->bytes);

    s = sum(s, (struct span){(const char *)d->from.ip, n});
    s = sum(s, (struct span){(const char *)d->to.ip, n});
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s == 0xffff;
}

static void udp(struct turn *t, struct datagram *d)
{
    struct packet_figures *figures = &t->all->figures;

    if (d->bytes.n < 8) {
        figures->broken++;
        return;
    }
    size_t length = u16(d->bytes.p + 4);

    if (length == 0 && d->bytes.n > 65535)
        length = d->bytes.n;
    if (length < 8 || (length > d->bytes.n && !t->cut)) {
        figures->broken++;
        return;
    }
    if (length < d->bytes.n)
        d->bytes.n = length;
    if (!t->checked && !t->cut && u16(d->bytes.p + 6) != 0 && !checksum_fits(d, IPPROTO_UDP)) {
        figures->bad_checksum++;
        return;
    }
    d->from.port = u16(d->bytes.p);
    d->to.port = u16(d->bytes.p + 2);
    struct packet_payload payload = {
        .from = d->from, .to = d->to, .cut = t->cut, .bytes = span_skip(d->bytes, 8)};

    if (payload.bytes.n == 0)
        return;
    figures->udp++;
    t->give(t->context, &payload);
}

static void tcp_message(void *context, const struct tcp_message *m)
{
    struct turn *t = context;
    struct packet_payload payload = {
        .from = m->from,
        .to = m->to,
        .tcp = true,
        .proved = m->proved,
        .doubtful = m->doubtful,
        .cut = m->cut,
        .bytes = m->bytes,
    };

    t->give(t->context, &payload);
}

static void tcp(struct turn *t, struct datagram *d)
{
    size_t header = d->bytes.n < 20 ? 0 : (size_t)((uint8_t)d->bytes.p[12] >> 4) * 4;

    if (header < 20 || header > d->bytes.n || t->cut) {
        t->all->figures.broken++;
        return;
    }
    if (!t->checked && !checksum_fits(d, IPPROTO_TCP)) {
        t->all->figures.bad_checksum++;
        return;
    }
    d->from.port = u16(d->bytes.p);
    d->to.port = u16(d->bytes.p + 2);
    struct tcp_segment segment = {
        .from = d->from,
        .to = d->to,
        .sequence = u32(d->bytes.p + 4),
        .acknowledged = u32(d->bytes.p + 8),
        .flags = (uint8_t)d->bytes.p[13],
        .bytes = span_skip(d->bytes, header),
    };

    tcp_flows_take(t->all->flows, &segment, t->now, tcp_message, t);
}

static void transport(struct turn *t, struct datagram *d)
{
    if (d->protocol == IPPROTO_UDP)
        udp(t, d);
    else if (d->protocol == IPPROTO_TCP)
        tcp(t, d);
    else
        t->all->figures.other++;
}

static void fragment(struct turn *t, const struct datagram *d)
{
    struct fragments_whole whole[2];
    struct fragment part = {
        .from = d->from,
        .to = d->to,
        .id = d->id,
        .protocol = d->protocol,
        .offset = d->offset,
        .more = d->more,
        .bytes = d->bytes,
    };
    int n = fragments_take(t->all->fragments, &part, t->now, whole);

    if (n < 0)
        t->all->figures.broken++;
    for (int i = 0; i < n; i++) {
        struct datagram joined = {
            .from = whole[i].from,
            .to = whole[i].to,
            .protocol = whole[i].protocol,
            .bytes = whole[i].bytes,
        };

        t->cut = whole[i].cut;
        t->checked = false;
        if (joined.from.family == 4 || extensions(&joined))
            transport(t, &joined);
    }
}

/* ---- the link layer ---- */

/* Leaves the IP header and what follows; false for what is not IP. */
static bool strip_link(enum packet_link link, struct span *s)
{
    uint16_t type = 0;

    switch (link) {
    case PACKET_IP: return s->n > 0;
    case PACKET_ETHERNET:
        if (s->n < ETH_HLEN)
            return false;
        type = u16(s->p + 12);
        *s = span_skip(*s, ETH_HLEN);
        break;
    case PACKET_COOKED:
        if (s->n < COOKED_HEADER)
            return false;
        type = u16(s->p);
        *s = span_skip(*s, COOKED_HEADER);
        break;
    case PACKET_UNKNOWN: return false;
    }
    for (int i = 0; i < TAGS_MAX && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
        if (s->n < 4)
            return false;
        type = u16(s->p + 2);
        *s = span_skip(*s, 4);
    }
    return s->n > 0 && (type == ETH_P_IP || type == ETH_P_IPV6);
}

void packets_take(struct packets *p, const struct packet_frame *frame, int64_t boot_ns,
                  packet_fn *give, void *context)
{
    struct turn t = {
        .all = p, .now = boot_ns, .give = give, .context = context, .checked = frame->checked};
    struct span s = frame->bytes;
    struct datagram d;

    p->figures.seen++;
    if (!strip_link(frame->link, &s)) {
        p->figures.other++;
        return;
    }
    unsigned version = (uint8_t)s.p[0] >> 4;

    if (version != 4 && version != 6)
        p->figures.other++;
    else if (version == 4 ? !ipv4(&d, s) : !ipv6(&d, s))
        p->figures.broken++;
    else if (d.fragment)
        fragment(&t, &d);
    else
        transport(&t, &d);
}
