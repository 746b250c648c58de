/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "craft.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static void die(const char *what)
{
    fprintf(stderr, "bad: %s\n", what);
    abort();
}

struct address craft_address(const char *text)
{
    struct address a;

    if (address_parse(span_of(text), &a, NULL))
        die(text);
    return a;
}

static void add16(struct buf *b, unsigned n)
{
    buf_putc(b, (char)(n >> 8));
    buf_putc(b, (char)n);
}

static void add32(struct buf *b, uint32_t n)
{
    add16(b, n >> 16);
    add16(b, n & 0xffff);
}

static size_t ip_length(const struct address *a)
{
    return a->family == 4 ? 4 : 16;
}

void craft_ip(struct buf *out, const char *from_text, const char *to_text, uint8_t protocol,
              struct span payload)
{
    struct address from = craft_address(from_text), to = craft_address(to_text);

    if (from.family == 4) {
        buf_add(out, (struct span){"\x45\0", 2});
        add16(out, (unsigned)(20 + payload.n));
        buf_add(out, (struct span){"\0\0\0\0\x40", 5});
        buf_putc(out, (char)protocol);
        add16(out, 0);
    } else {
        buf_add(out, (struct span){"\x60\0\0\0", 4});
        add16(out, (unsigned)payload.n);
        buf_putc(out, (char)protocol);
        buf_putc(out, 64);
    }
    buf_add(out, (struct span){(const char *)from.ip, ip_length(&from)});
    buf_add(out, (struct span){(const char *)to.ip, ip_length(&to)});
    buf_add(out, payload);
}

static uint32_t sum(uint32_t s, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s += (uint32_t)(uint8_t)p[i] << (i % 2 ? 0 : 8);
    return s;
}

static void finish(struct buf *out, const char *from_text, const char *to_text, uint8_t protocol,
                   struct buf *payload, size_t checksum_at)
{
    struct address from = craft_address(from_text), to = craft_address(to_text);
    uint32_t s = sum(protocol + (uint32_t)payload->n, payload->p, payload->n);

    s = sum(s, (const char *)from.ip, ip_length(&from));
    s = sum(s, (const char *)to.ip, ip_length(&to));
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    s = ~s;
    payload->p[checksum_at] = (char)(s >> 8);
    payload->p[checksum_at + 1] = (char)s;
    craft_ip(out, from_text, to_text, protocol, buf_span(payload));
    buf_free(payload);
}

void craft_udp(struct buf *out, const char *from, const char *to, struct span bytes)
{
    struct buf b = {0};

    add16(&b, craft_address(from).port);
    add16(&b, craft_address(to).port);
    add16(&b, (unsigned)(8 + bytes.n));
    add16(&b, 0);
    buf_add(&b, bytes);
    finish(out, from, to, IPPROTO_UDP, &b, 6);
}

void craft_tcp(struct buf *out, const char *from, const char *to, uint32_t sequence,
               uint32_t acknowledged, uint8_t flags, struct span bytes)
{
    struct buf b = {0};

    add16(&b, craft_address(from).port);
    add16(&b, craft_address(to).port);
    add32(&b, sequence);
    add32(&b, acknowledged);
    buf_putc(&b, 0x50);
    buf_putc(&b, (char)flags);
    add16(&b, 8192);
    add32(&b, 0);
    buf_add(&b, bytes);
    finish(out, from, to, IPPROTO_TCP, &b, 16);
}

void craft_fragment(struct buf *out, struct span whole, size_t from, size_t to, uint32_t id)
{
    bool v4 = (whole.p[0] & 0xf0) == 0x40;
    size_t header = v4 ? 20 : 40;
    bool more = header + to < whole.n;

    buf_add(out, (struct span){whole.p, header});
    if (v4) {
        out->p[2] = (char)((20 + to - from) >> 8);
        out->p[3] = (char)(20 + to - from);
        out->p[4] = (char)(id >> 8);
        out->p[5] = (char)id;
        out->p[6] = (char)((more ? 0x20 : 0) | from >> 11);
        out->p[7] = (char)(from >> 3);
    } else {
        out->p[4] = (char)((8 + to - from) >> 8);
        out->p[5] = (char)(8 + to - from);
        buf_putc(out, out->p[6]);
        out->p[6] = IPPROTO_FRAGMENT;
        buf_putc(out, 0);
        add16(out, (unsigned)(from | more));
        add32(out, id);
    }
    buf_add(out, (struct span){whole.p + header + from, to - from});
}

void craft_file(struct buf *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    char bytes[4096];
    size_t n;

    if (!f)
        die(path);
    while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
        buf_add(out, (struct span){bytes, n});
    fclose(f);
}

void capture_open(struct capture *c, const char *path)
{
    *c = (struct capture){.at = 24};
    craft_file(&c->file, path);
    if (c->file.n < 24 || memcmp(c->file.p, "\xd4\xc3\xb2\xa1", 4) != 0 ||
        (uint8_t)c->file.p[20] != 0x14)
        die(path);
}

bool capture_next(struct capture *c, struct span *packet, int64_t *ns)
{
    uint32_t head[4]; /* seconds, microseconds, captured, length */

    if (c->at + sizeof(head) > c->file.n)
        return false;
    memcpy(head, c->file.p + c->at, sizeof(head));
    c->at += sizeof(head);
    *ns = ((int64_t)head[0] * 1000000 + head[1]) * 1000;
    *packet = (struct span){c->file.p + c->at, head[2]};
    c->at += head[2];
    return c->at <= c->file.n;
}
