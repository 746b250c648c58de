/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plausible.h"

#include <stdio.h>
#include <string.h>

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

bool plausible_abroad(uint64_t account)
{
    return trait(account, 2) % 25 == 0;
}

void plausible_account(const struct plausible *p, uint64_t account, char out[32])
{
    uint64_t tenant = account / (2 + trait(account / 30, 1) % 6);

    snprintf(out, 32, "t%05u-%04u", (unsigned)tenant, (unsigned)(account % 10000));
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
    else if (plausible_abroad(account) && kind < 40)
        snprintf(out, 32, "%s010%s%07u",
                 kind < 14   ? "184"
                 : kind < 16 ? "0033"
                             : "",
                 abroad[(trait(account, 3) + (r >> 9) % 3) % 8], digits);
    else
        snprintf(out, 32, "%s%s%0*u", kind > 97 ? "184" : "", home[(r >> 8) % 9].area,
                 (int)home[(r >> 8) % 9].digits,
                 /* No local number begins with 0 or 1. */
                 (home[(r >> 8) % 9].digits == 8 ? 20000000 : 200000) + digits % 700000);
}

/* How a call went. */
struct course {
    int64_t at;
    bool refused;
    unsigned rings, talks; /* seconds; talks 0: not answered */
    const char *how;
};

static void add_caller(const struct plausible *p, struct buf *out, uint64_t account,
                       const char *number)
{
    char name[32];

    plausible_account(p, account, name);
    buf_printf(out,
               "\"%s\",\"05%09u\",\"%s\",\"from-internal\",\"\"\"%s\"\" "
               "<05%09u>\",\"PJSIP/%s-%08x\",",
               name, (unsigned)account, number, trait(account, 4) % 3 ? "Reception" : "",
               (unsigned)account, name, (unsigned)(2 * p->calls));
}

static void add_course(const struct plausible *p, struct buf *out, uint64_t account,
                       const char *number, const struct course *c)
{
    if (c->refused)
        buf_puts(out, "\"\",\"Hangup\",\"21\",");
    else
        buf_printf(out, "\"PJSIP/trunk%u-%08x\",\"Dial\",\"PJSIP/%s@trunk%u,,\",",
                   (unsigned)(account % 3), (unsigned)(2 * p->calls + 1), number,
                   (unsigned)(account % 3));
    add_time(out, c->at);
    if (c->talks)
        add_time(out, c->at + c->rings);
    else
        buf_putc(out, ',');
    add_time(out, c->at + (c->refused ? 0 : c->rings) + c->talks);
    buf_printf(out, "%u,%u,\"%s\",\"DOCUMENTATION\",\"%lld.%llu\",\"\"\n",
               c->refused ? 0 : c->rings + c->talks, c->talks, c->how, (long long)c->at,
               (unsigned long long)(2 * p->calls));
}

/* What of a call follows from whether it was allowed. */
static struct course course_of(struct plausible *p, uint64_t account, const char *number)
{
    uint64_t r = measure_random(&p->seed), way = r % 100;
    struct course c = {.at = p->at,
                       .refused = strstr(number, "010") && !plausible_abroad(account),
                       .rings = 2 + (unsigned)(r >> 8) % 20};

    c.how = c.refused  ? "NO ANSWER"
            : way < 68 ? "ANSWERED"
            : way < 90 ? "NO ANSWER"
            : way < 97 ? "BUSY"
                       : "FAILED";
    if (way < 68 && !c.refused)
        c.talks = 1 + (unsigned)(r >> 16) % (way < 40 ? 60 : way < 64 ? 600 : 3600);
    return c;
}

void plausible_line(struct plausible *p, struct buf *out)
{
    uint64_t r = measure_random(&p->seed);
    /* Some call a hundred times as often as others. */
    uint64_t account = r % 3 ? r / 3 % p->accounts : r / 3 % (1 + p->accounts / 20);
    char number[32];
    struct course c;

    pass(p);
    dial(p, account, number);
    add_caller(p, out, account, number);
    c = course_of(p, account, number);
    add_course(p, out, account, number, &c);
    p->calls++;
}

/* ---- attacks -------------------------------------------------------------------------------- */

#define BURST_SECONDS 960
#define BURST_NUMBERS 89
#define BURST_COUNTRIES 37
#define PUMP_SECONDS (4 * DAY)

uint64_t plausible_attack_calls(enum plausible_shape shape)
{
    switch (shape) {
    case PLAUSIBLE_BURST: return PLAUSIBLE_BURST_CALLS;
    case PLAUSIBLE_PUMP: return PLAUSIBLE_PUMP_CALLS;
    }
    return 0;
}

int64_t plausible_attack_next(const struct plausible_attack *a)
{
    uint64_t all = plausible_attack_calls(a->shape);
    int64_t seconds = a->shape == PLAUSIBLE_BURST ? BURST_SECONDS : PUMP_SECONDS;

    return a->done < all ? a->at + (int64_t)a->done * seconds / (int64_t)all : INT64_MAX;
}

/* Mobile numbers of 37 countries, without their last four digits. */
static const char *const burst_begins[BURST_COUNTRIES] = {
    "25261512", "2327612",  "3864112", "3712112",   "3706121",  "3725123",  "3737912",  "38267123",
    "3897012",  "35569212", "3741021", "99450212",  "99555512", "99650012", "2165012",  "2136612",
    "21261234", "22177123", "2237012", "225070121", "2287012",  "2296012",  "2305712",  "2417701",
    "24399123", "24581234", "24731",   "22462123",  "2537712",  "2577912",  "26096123", "26134123",
    "263981",   "265771",   "2677112", "5094812",   "5037812"};

static void burst_number(uint64_t i, char out[32])
{
    uint64_t number = i < BURST_NUMBERS ? i : i * 7 % BURST_NUMBERS;
    const char *begin = burst_begins[number % BURST_COUNTRIES];

    snprintf(out, 32, "010%s%0*u", begin, 4, (unsigned)(1000 + number));
}

void plausible_attack_line(struct plausible *p, struct plausible_attack *a, struct buf *out)
{
    struct course c = {.at = plausible_attack_next(a), .rings = 2, .talks = 32, .how = "ANSWERED"};
    char number[32];

    if (a->shape == PLAUSIBLE_BURST) {
        burst_number(a->done, number);
        /* Three of four were answered. */
        c.talks = a->done % 4 == 3 ? 0 : 30 + (unsigned)(a->done * 37 % 150);
        c.how = c.talks ? "ANSWERED" : "BUSY";
    } else {
        snprintf(number, sizeof(number), "01023276%06u", (unsigned)(a->done * 7919 % 1000000));
    }
    add_caller(p, out, a->account, number);
    add_course(p, out, a->account, number, &c);
    a->done++;
    p->calls++;
}
