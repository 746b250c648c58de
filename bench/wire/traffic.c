/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traffic.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define HEADERS 28 /* IPv4 and UDP */
#define HOLE "########"
#define HOLE_BYTES 8
#define HOLES_MAX 12

#define WAY                                                                                        \
    "Via: SIP/2.0/UDP 192.0.2.77:5062;rport;branch=z9hG4bK-524287-1---1c5f4f7b" HOLE "\r\n"        \
    "Max-Forwards: 70\r\n"
#define BOTH                                                                                       \
    "From: \"Reception\" <sip:" HOLE "@pbx.example.com>;tag=5e3b1c07\r\n"                          \
    "To: \"Reception\" <sip:" HOLE "@pbx.example.com>\r\n"                                         \
    "Call-ID: 84911ZTQ4NGY0YjA0ZjY0Ym" HOLE "\r\n"
#define CONTACT "Contact: <sip:2001@192.0.2.77:5062;transport=udp;ob>;expires=600\r\n"
#define NONCE "nonce=\"1795487580/3f1b0e8a4c6d2975b8e1f0a3" HOLE "\""

static const char *const texts[TRAFFICS] = {
    [TRAFFIC_ASK] = "REGISTER sip:pbx.example.com SIP/2.0\r\n" WAY CONTACT BOTH
                    "CSeq: 1 REGISTER\r\nExpires: 600\r\nUser-Agent: Yealink SIP-T46S 66.85.0.5\r\n"
                    "Content-Length: 0\r\n\r\n",
    [TRAFFIC_CHALLENGE] = "SIP/2.0 401 Unauthorized\r\n" WAY BOTH
                          "CSeq: 1 REGISTER\r\nServer: Asterisk PBX 22.10.1\r\nWWW-Authenticate: "
                          "Digest realm=\"asterisk\"," NONCE ",opaque=\"5ccc069c403ebaf9\","
                          "algorithm=MD5,qop=\"auth\"\r\nContent-Length:  0\r\n\r\n",
    [TRAFFIC_GUESS] = "REGISTER sip:pbx.example.com SIP/2.0\r\n" WAY CONTACT BOTH
                      "CSeq: 2 REGISTER\r\nExpires: 600\r\nUser-Agent: Yealink SIP-T46S\r\n"
                      "Authorization: Digest username=\"" HOLE "\", realm=\"asterisk\", " NONCE
                      ", uri=\"sip:pbx.example.com\", response=\"6629fae49393a05397450978" HOLE
                      "\", algorithm=MD5, cnonce=\"0a4f113b\", opaque=\"5ccc069c403ebaf9\", "
                      "qop=auth, nc=00000001\r\nContent-Length: 0\r\n\r\n",
    [TRAFFIC_REFUSE] = "SIP/2.0 401 Unauthorized\r\n" WAY BOTH
                       "CSeq: 2 REGISTER\r\nServer: Asterisk PBX 22.10.1\r\nWWW-Authenticate: "
                       "Digest realm=\"asterisk\"," NONCE ",opaque=\"5ccc069c403ebaf9\","
                       "algorithm=MD5,qop=\"auth\"\r\nContent-Length:  0\r\n\r\n",
    [TRAFFIC_SCAN] =
        "OPTIONS sip:100@198.51.100.1 SIP/2.0\r\n" WAY BOTH
        "CSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\nAccept: application/sdp\r\n"
        "Content-Length: 0\r\n\r\n",
};

/* A text with where its holes are. */
static struct form {
    size_t n, holes;
    size_t hole[HOLES_MAX];
} forms[TRAFFICS];

static void find_holes(enum traffic kind)
{
    struct form *f = &forms[kind];

    f->n = strlen(texts[kind]);
    for (const char *p = texts[kind]; (p = strstr(p, HOLE)); p += HOLE_BYTES)
        f->hole[f->holes++] = (size_t)(p - texts[kind]);
}

static uint32_t add(uint32_t sum, const char *p, size_t n)
{
    uint64_t all = sum;

    for (; n >= 4; p += 4, n -= 4) {
        uint32_t word;

        memcpy(&word, p, sizeof(word));
        all += word;
    }
    if (n) {
        uint32_t word = 0;

        memcpy(&word, p, n);
        all += word;
    }
    all = (all & 0xffffffff) + (all >> 32);
    return (uint32_t)((all & 0xffff) + (all >> 16 & 0xffff) + (all >> 32));
}

static void put16(char *to, uint16_t value)
{
    value = htons(value);
    memcpy(to, &value, sizeof(value));
}

/* As it is added up, in the order of this machine. */
static void put_sum(char *to, uint32_t sum)
{
    uint16_t value;

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    value = (uint16_t)~sum;
    memcpy(to, &value, sizeof(value));
}

static void put_headers(char *out, size_t n, uint32_t from, uint32_t to, bool reply)
{
    char pseudo[12] = {0};

    memset(out, 0, HEADERS);
    out[0] = 0x45;
    put16(out + 2, (uint16_t)(HEADERS + n));
    out[8] = 64;
    out[9] = IPPROTO_UDP;
    memcpy(out + 12, &from, 4);
    memcpy(out + 16, &to, 4);
    put_sum(out + 10, add(0, out, 20));
    put16(out + 20, reply ? 5060 : 5062);
    put16(out + 22, reply ? 5062 : 5060);
    put16(out + 24, (uint16_t)(8 + n));
    memcpy(pseudo, out + 12, 8);
    pseudo[9] = IPPROTO_UDP;
    put16(pseudo + 10, (uint16_t)(8 + n));
    put_sum(out + 26, add(add(0, pseudo, sizeof(pseudo)), out + 20, 8 + n));
}

size_t traffic_write(char out[TRAFFIC_PACKET_MAX], enum traffic kind, uint32_t source,
                     uint32_t number)
{
    static const char digits[] = "0123456789abcdef";
    const struct form *f = &forms[kind];
    bool reply = kind == TRAFFIC_CHALLENGE || kind == TRAFFIC_REFUSE;
    uint32_t here = inet_addr(TRAFFIC_SWITCH);
    char hole[HOLE_BYTES];

    if (!f->n)
        find_holes(kind);
    for (int i = 0; i < HOLE_BYTES; i++)
        hole[i] = digits[number >> (28 - 4 * i) & 15];
    memcpy(out + HEADERS, texts[kind], f->n);
    for (size_t i = 0; i < f->holes; i++)
        memcpy(out + HEADERS + f->hole[i], hole, HOLE_BYTES);
    source = htonl(source);
    put_headers(out, f->n, reply ? here : source, reply ? source : here, reply);
    return HEADERS + f->n;
}
