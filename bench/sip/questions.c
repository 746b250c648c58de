/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "questions.h"

#include <stdio.h>
#include <string.h>

#include "../decide/world.h"
#include "measure.h"

#define BRANCH_DIGITS 8

static const char body[] =
    "v=0\r\no=- 3930298 3930298 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n"
    "m=audio 14592 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

/* As it stands in a URI. */
static void write_user(const struct world_name *who, char out[96])
{
    size_t n = 0;

    for (size_t i = 0; i < who->n; i++) {
        if (who->text[i] == '@') {
            memcpy(out + n, "%40", 3);
            n += 3;
        } else {
            out[n++] = who->text[i];
        }
    }
    out[n] = 0;
}

/* Three quarters go abroad. */
static void make(struct question *q, size_t accounts, uint64_t *seed)
{
    uint64_t random = measure_random(seed);
    struct world_name who;
    char user[96];
    char number[32];
    int n;

    world_name(measure_random(seed) % accounts, &who);
    write_user(&who, user);
    if (random % 4)
        snprintf(number, sizeof(number), "010%u%09u", 1 + (unsigned)(random >> 8) % 98,
                 (unsigned)(random >> 32) % 1000000000);
    else
        snprintf(number, sizeof(number), "03%08u", (unsigned)(random >> 32) % 100000000);
    n = snprintf(
        q->bytes, sizeof(q->bytes),
        "INVITE sip:%s@provider.example.jp;user=phone SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKxxxxxxxx\r\n"
        "Max-Forwards: 69\r\nFrom: \"%s\" <sip:%s@provider.example.jp>;tag=as%08x\r\n"
        "To: <sip:%s@provider.example.jp>\r\nContact: <sip:asterisk@192.0.2.20:5060>\r\n"
        "Call-ID: %016llx@192.0.2.20\r\nCSeq: 102 INVITE\r\nUser-Agent: PBX 22\r\n"
        "P-Asserted-Identity: <sip:%s@provider.example.jp>\r\n"
        "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, INFO\r\nSupported: replaces, timer\r\n"
        "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
        number, user, user, (unsigned)random, number, (unsigned long long)measure_random(seed),
        user, sizeof(body) - 1, body);
    q->n = (uint16_t)n;
    q->branch = (uint16_t)(strstr(q->bytes, "xxxxxxxx") - q->bytes);
}

static void write_branch(char *to, uint32_t number)
{
    for (size_t i = 0; i < BRANCH_DIGITS; i++, number /= 16)
        to[i] = "0123456789abcdef"[number % 16];
}

void questions_renew(struct question *q)
{
    static uint32_t number;

    write_branch(q->bytes + q->branch, ++number);
}

void questions_copy(const struct question *q, uint32_t number, char *out)
{
    memcpy(out, q->bytes, q->n);
    write_branch(out + q->branch, number);
}

struct question *questions_new(size_t accounts)
{
    struct question *all = calloc(QUESTIONS_TEMPLATES, sizeof(*all));
    uint64_t seed = 7;

    for (size_t i = 0; all && i < QUESTIONS_TEMPLATES; i++)
        make(&all[i], accounts, &seed);
    return all;
}
