/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long it takes to read a SIP message, beside libosip2 and libre: see README.md beside this file. */
#include <stdio.h>

#include "measure.h"
#include "others.h"
#include "sip/credentials.h"
#include "sip/message.h"
#include "sip/uri.h"
#include "sip/via.h"

#define TIMES 20000
#define ROUNDS 21

#define VIA "Via: SIP/2.0/UDP 192.0.2.77:5062;rport;branch=z9hG4bK-524287-1---1c5f4f7b0a2d8e11\r\n"
#define FROM_TO                                                                                    \
    "From: \"Reception\" <sip:2001@pbx.example.com>;tag=5e3b1c07\r\n"                              \
    "To: \"Reception\" <sip:2001@pbx.example.com>\r\n"
#define CALL "Call-ID: 84911ZTQ4NGY0YjA0ZjY0YmQyZDk0YWY\r\n"
#define CONTACT "Contact: <sip:2001@192.0.2.77:5062;transport=udp;ob>;expires=600\r\n"
#define DIGEST                                                                                     \
    "Authorization: Digest username=\"2001\", realm=\"asterisk\", nonce=\"1795487580/"             \
    "3f1b0e8a4c6d2975b8e1f0a3d4c5b697\", uri=\"sip:pbx.example.com\", response=\""                 \
    "6629fae49393a05397450978507c4ef1\", algorithm=MD5, cnonce=\"0a4f113b\", "                     \
    "opaque=\"5ccc069c403ebaf9\", qop=auth, nc=00000001\r\n"
#define AGENT "User-Agent: Yealink SIP-T46S 66.85.0.5\r\nAllow: INVITE\r\n"

static const struct {
    const char *name, *text;
} messages[] = {
    {"REGISTER with credentials",
     "REGISTER sip:pbx.example.com SIP/2.0\r\n" VIA "Max-Forwards: 70\r\n" CONTACT FROM_TO CALL
     "CSeq: 2 REGISTER\r\nExpires: 600\r\n" AGENT DIGEST "Content-Length: 0\r\n\r\n"},
    {"REGISTER without",
     "REGISTER sip:pbx.example.com SIP/2.0\r\n" VIA "Max-Forwards: 70\r\n" CONTACT FROM_TO CALL
     "CSeq: 1 REGISTER\r\nExpires: 600\r\n" AGENT "Content-Length: 0\r\n\r\n"},
    {"INVITE with SDP",
     "INVITE sip:01012125550123@pbx.example.com SIP/2.0\r\n" VIA "Max-Forwards: 70\r\n" FROM_TO CALL
     "CSeq: 1 INVITE\r\n" CONTACT AGENT
     "Supported: replaces\r\nContent-Type: application/sdp\r\nContent-Length: 290\r\n\r\n"
     "v=0\r\no=- 20518 20518 IN IP4 192.0.2.77\r\ns=SDP data\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n"
     "m=audio 11780 RTP/AVP 9 0 8 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n"
     "a=rtpmap:8 PCMA/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=maxptime:150\r\na=rtcp:11781 IN "
     "IP4 192.0.2.77\r\na=x-yyyyyyyyyyyyyyyy\r\na=sendrecv\r\n"},
    {"200 OK", "SIP/2.0 200 OK\r\n" VIA CALL FROM_TO
               "CSeq: 2 REGISTER\r\nDate: Tue, 24 Nov 2026 07:13:00 GMT\r\n" CONTACT
               "Expires: 600\r\nServer: Asterisk PBX 22.10.1\r\nContent-Length:  0\r\n\r\n"},
};

/* All that the guard wants to know of a message. */
static uint64_t guard_reads(const struct sip_message *m)
{
    static const enum sip_header credential_headers[] = {SIP_H_AUTHORIZATION,
                                                         SIP_H_PROXY_AUTHORIZATION};
    struct sip_values vias = sip_values(m, SIP_H_VIA), contacts = sip_values(m, SIP_H_CONTACT);
    struct name_addr from, to, contact;
    struct span value, agent;
    uint32_t expires = 0;
    uint64_t sum = 0;
    struct via via;

    sum += sip_values_next(&vias, &value) && via_parse(&via, value) == 0;
    sum += name_addr_parse_field(&from, sip_message_get(m, SIP_H_FROM), NULL) == 0;
    sum += name_addr_parse_field(&to, sip_message_get(m, SIP_H_TO), NULL) == 0;
    sum += sip_values_next(&contacts, &value) && name_addr_parse_field(&contact, value, NULL) == 0;
    sum += field_number(sip_message_get(m, SIP_H_EXPIRES), UINT32_MAX, &expires) == 0;
    agent = sip_message_get(m, SIP_H_USER_AGENT);
    for (size_t i = 0; i < sizeof(credential_headers) / sizeof(credential_headers[0]); i++) {
        struct sip_values v = sip_values(m, credential_headers[i]);
        struct credentials c;

        while (sip_values_line(&v, &value))
            while (credentials_next(&c, &value) == 0)
                sum += c.field[DIGEST_RESPONSE].n;
    }
    return sum + agent.n + expires;
}

static bool we_read(struct span message, bool fields)
{
    struct sip_message m;
    int rc = sip_message_read(&m, message);

    measure_keep(rc == 0 && fields ? guard_reads(&m) : m.faults);
    return rc == 0;
}

struct task {
    bool (*reads)(struct span message, bool fields);
    struct span message;
    bool fields;
};

static void run(void *arg)
{
    const struct task *t = arg;

    for (size_t i = 0; i < TIMES; i++) {
        if (!t->reads(t->message, t->fields)) {
            fprintf(stderr, "a message is not read: %.*s\n", SPAN_FMT(t->message));
            exit(1);
        }
    }
}

static void row(const char *name, struct span message, bool fields)
{
    static bool (*const readers[])(struct span, bool) = {we_read, osip_reads, re_reads};
    struct measure m[3];

    for (size_t i = 0; i < 3; i++) {
        struct task t = {readers[i], message, fields};

        m[i] = measure(ROUNDS, TIMES, run, &t);
    }
    printf("%-28s %6zu %9.0f %9.0f %9.0f %9.0f %8.1f %8.1f\n", name, message.n, m[0].median,
           m[0].least, m[1].least, m[2].least, m[1].least / m[0].least, m[2].least / m[0].least);
}

int main(void)
{
    static const char *const titles[] = {"the message alone",
                                         "and all fields that the guard needs"};

    osip_begin();
    for (int fields = 0; fields < 2; fields++) {
        printf("%s, ns a message\n%-28s %6s %9s %9s %9s %9s %8s %8s\n", titles[fields], "", "bytes",
               "median", "least", "osip2", "re", "osip2 x", "re x");
        for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
            row(messages[i].name, span_of(messages[i].text), fields);
    }
    return 0;
}
