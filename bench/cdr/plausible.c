/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plausible.h"

#include "measure.h"
#include "policy/civil.h"

#define DAY 86400
#define JAPAN (9 * 3600)
#define FIRST INT64_C(1761231600) /* 2025-10-24 00:00 in Japan */

void plausible_begin(struct plausible *p, uint64_t seed, uint64_t accounts)
{
    *p = (struct plausible){.seed = seed, .accounts = accounts, .at = FIRST};
}

/* Always the same of the same account. */
static uint64_t trait(uint64_t account, uint64_t of)
{
    uint64_t seed = account * 0x9e3779b97f4a7c15u + of;

    return measure_random(&seed);
}

static void add_two(struct buf *out, int n)
{
    buf_putc(out, (char)('0' + n / 10));
    buf_putc(out, (char)('0' + n % 10));
}

static void add_time(struct buf *out, int64_t at)
{
    int64_t local = at + JAPAN;
    struct civil day = civil_from_days(local / DAY);
    int of_day = (int)(local % DAY);

    buf_putc(out, '"');
    add_two(out, day.year / 100);
    add_two(out, day.year % 100);
    buf_putc(out, '-');
    add_two(out, day.month);
    buf_putc(out, '-');
    add_two(out, day.day);
    buf_putc(out, ' ');
    add_two(out, of_day / 3600);
    buf_putc(out, ':');
    add_two(out, of_day / 60 % 60);
    buf_putc(out, ':');
    add_two(out, of_day % 60);
    buf_puts(out, "\",");
}

/* Goes on to the next call: offices call by day. */
static void pass(struct plausible *p)
{
    int64_t local = p->at + JAPAN;
    bool night = local % DAY < 8 * 3600 || local % DAY > 20 * 3600;
    bool weekend = (int)civil_weekday(local / DAY) >= SATURDAY;
    uint64_t r = measure_random(&p->seed);

    p->at += (int64_t)(r % (night ? 40 : weekend ? 20 : 3) == 0 ? 1 + r / 64 % 3 : r / 64 % 2);
}

static void dial(struct plausible *p, uint64_t account, char out[32])
{
    static const char *const abroad[] = {"1212", "4420", "8621", "8210",
                                         "6565", "4930", "6680", "8862"};
    static const struct {
        const char *area;
        unsigned digits;
    } home[] = {{"03", 8},  {"06", 8},  {"0112", 6}, {"0924", 6}, {"0526", 6},
                {"090", 8}, {"080", 8}, {"070", 8},  {"0120", 6}};
    uint64_t r = measure_random(&p->seed), kind = r % 100;
    unsigned digits = (unsigned)(r >> 16) % 10000000;

    if (kind < 12)
        snprintf(out, 32, "1%03u", (unsigned)(r >> 8) % 1000);
    else if (trait(account, 2) % 25 == 0 && kind < 40)
        snprintf(out, 32, "%s010%s%07u",
                 kind < 14   ? "184"
                 : kind < 16 ? "0033"
                             : "",
                 abroad[(trait(account, 3) + (r >> 9) % 3) % 8], digits);
    else
        snprintf(out, 32, "%s%s%0*u", kind > 97 ? "184" : "", home[(r >> 8) % 9].area,
                 (int)home[(r >> 8) % 9].digits, digits % 1000000);
}

/* What of a call follows from whether it was allowed and how it went. */
static void add_call(struct plausible *p, struct buf *out, uint64_t account, const char *number)
{
    uint64_t r = measure_random(&p->seed), way = r % 100;
    bool abroad = strstr(number, "010") != NULL, refused = abroad && trait(account, 2) % 25;
    const char *how = refused    ? "NO ANSWER"
                      : way < 68 ? "ANSWERED"
                      : way < 90 ? "NO ANSWER"
                      : way < 97 ? "BUSY"
                                 : "FAILED";
    unsigned rings = 2 + (unsigned)(r >> 8) % 20, talks = 0;

    if (way < 68 && !refused)
        talks = 1 + (unsigned)(r >> 16) % (way < 40 ? 60 : way < 64 ? 600 : 3600);
    if (refused)
        buf_puts(out, "\"\",\"Hangup\",\"21\",");
    else
        buf_printf(out, "\"PJSIP/trunk%u-%08x\",\"Dial\",\"PJSIP/%s@trunk%u,,\",",
                   (unsigned)(account % 3), (unsigned)(2 * p->calls + 1), number,
                   (unsigned)(account % 3));
    add_time(out, p->at);
    if (talks)
        add_time(out, p->at + rings);
    else
        buf_putc(out, ',');
    add_time(out, p->at + (refused ? 0 : rings) + talks);
    buf_printf(out, "%u,%u,\"%s\",\"DOCUMENTATION\",\"%lld.%llu\",\"\"\n",
               refused ? 0 : rings + talks, talks, how, (long long)p->at,
               (unsigned long long)(2 * p->calls));
}

void plausible_line(struct plausible *p, struct buf *out)
{
    uint64_t r = measure_random(&p->seed);
    /* Some call a hundred times as often as others. */
    uint64_t account = r % 3 ? r / 3 % p->accounts : r / 3 % (1 + p->accounts / 20);
    uint64_t tenant = account / (2 + trait(account / 30, 1) % 6);
    char number[32];

    pass(p);
    dial(p, account, number);
    buf_printf(out,
               "\"t%05u-%04u\",\"05%09u\",\"%s\",\"from-internal\",\"\"\"%s\"\" "
               "<05%09u>\",\"PJSIP/t%05u-%04u-%08x\",",
               (unsigned)tenant, (unsigned)(account % 10000), (unsigned)account, number,
               trait(account, 4) % 3 ? "Reception" : "", (unsigned)account, (unsigned)tenant,
               (unsigned)(account % 10000), (unsigned)(2 * p->calls));
    add_call(p, out, account, number);
    p->calls++;
}
