/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/tz.h"

#include <stdlib.h>

#define DAY 86400
#define TIME_MIN (-377705116800) /* -9999-01-01T00:00:00Z */
#define TIME_MAX 253402300799    /* 9999-12-31T23:59:59Z */
#define OFFSET_MAX (26 * 3600)   /* RFC 8536 3.2 recommends -24:59:59 to 25:59:59 */
#define HEADER 44

/* The footer's rule for one of the two changes of a year (POSIX TZ: Jn, n, Mm.w.d). */
struct change {
    enum { JULIAN_1, JULIAN_0, MONTH_WEEK } form;
    int month, week, day; /* day: of the year, or of the week with 0 for Sunday */
    int32_t time;         /* local seconds behind midnight; may be negative or beyond the day */
};

struct rule_tz {
    bool present, has_dst;
    int32_t std, dst; /* seconds east */
    struct change start, end;
};

struct tz {
    struct rule_tz footer;
    int32_t before; /* the offset before the first transition */
    size_t n;
    struct transition {
        int64_t at;
        int32_t offset;
    } transitions[];
};

/* ---- the footer: a POSIX TZ string with the extensions of RFC 8536 3.3.1 ---- */

static bool eat(struct span *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = span_skip(*s, 1);
    return true;
}

static bool eat_number(struct span *s, int max, int *out)
{
    int value = 0;
    size_t n = 0;

    while (n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9')
        value = value * 10 + (s->p[n++] - '0');
    if (n == 0 || value > max)
        return false;
    *s = span_skip(*s, n);
    *out = value;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool eat_name(struct span *s)
{
    size_t n = 0;

    if (eat(s, '<')) {
        while (n < s->n && s->p[n] != '>')
            n++;
        *s = span_skip(*s, n);
        return n > 0 && eat(s, '>');
    }
    while (n < s->n && is_letter(s->p[n]))
        n++;
    *s = span_skip(*s, n);
    return n >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool eat_time(struct span *s, int max_hours, int32_t *out)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = eat(s, '-');

    if (!negative)
        eat(s, '+');
    if (!eat_number(s, max_hours, &hours))
        return false;
    if (eat(s, ':')) {
        if (!eat_number(s, 59, &minutes))
            return false;
        if (eat(s, ':') && !eat_number(s, 59, &seconds))
            return false;
    }
    *out = hours * 3600 + minutes * 60 + seconds;
    if (negative)
        *out = -*out;
    return true;
}

static bool eat_change(struct span *s, struct change *c)
{
    *c = (struct change){.time = 2 * 3600};
    if (!eat(s, ','))
        return false;
    if (eat(s, 'M')) {
        c->form = MONTH_WEEK;
        if (!eat_number(s, 12, &c->month) || c->month < 1 || !eat(s, '.') ||
            !eat_number(s, 5, &c->week) || c->week < 1 || !eat(s, '.') ||
            !eat_number(s, 6, &c->day))
            return false;
    } else {
        c->form = eat(s, 'J') ? JULIAN_1 : JULIAN_0;
        if (!eat_number(s, 365, &c->day) || (c->form == JULIAN_1 && c->day < 1))
            return false;
    }
    return !eat(s, '/') || eat_time(s, 167, &c->time);
}

static bool parse_footer(struct span s, struct rule_tz *out)
{
    struct rule_tz r = {.present = true};
    int32_t west;

    if (!eat_name(&s) || !eat_time(&s, 25, &west))
        return false;
    r.std = -west;
    if (s.n > 0) {
        r.has_dst = true;
        r.dst = r.std + 3600;
        if (!eat_name(&s))
            return false;
        if (s.n > 0 && s.p[0] != ',') {
            if (!eat_time(&s, 25, &west))
                return false;
            r.dst = -west;
        }
        if (!eat_change(&s, &r.start) || !eat_change(&s, &r.end) || s.n > 0)
            return false;
    }
    *out = r;
    return true;
}

static int64_t change_day(const struct change *c, int year)
{
    int64_t first = civil_to_days(year, 1, 1);

    switch (c->form) {
    case JULIAN_0: return first + c->day;
    case JULIAN_1: {
        /* February 29 is never counted. */
        bool leap = civil_days_in_month(year, 2) == 29;

        return first + c->day - 1 + (leap && c->day >= 60);
    }
    case MONTH_WEEK: break;
    }
    first = civil_to_days(year, c->month, 1);
    int wanted = (c->day + 6) % 7; /* from Sunday is 0 to Monday is 0 */
    int day = (wanted - (int)civil_weekday(first) + 7) % 7 + 7 * (c->week - 1);

    /* Week 5 is the last one. */
    if (day >= civil_days_in_month(year, c->month))
        day -= 7;
    return first + day;
}

/* The changes from the year before `at` to the year after it, ascending. Where a summer time ends in
 * the moment in which the next begins (it lasts the whole year), the beginning comes last and stands. */
#define YEARS 3
static void footer_changes(const struct rule_tz *r, int64_t at, struct transition out[2 * YEARS])
{
    int64_t local = at + r->std;
    int year = civil_from_days(local / DAY - (local % DAY < 0)).year;
    size_t n = 0;

    for (int y = year - 1; y <= year + 1; y++) {
        struct transition both[2] = {
            {change_day(&r->end, y) * DAY + r->end.time - r->dst, r->std},
            {change_day(&r->start, y) * DAY + r->start.time - r->std, r->dst},
        };

        for (size_t i = 0; i < 2; i++) {
            size_t k = n++;

            for (; k > 0 && out[k - 1].at > both[i].at; k--)
                out[k] = out[k - 1];
            out[k] = both[i];
        }
    }
}

static int32_t footer_offset(const struct rule_tz *r, int64_t at)
{
    struct transition changes[2 * YEARS];
    int32_t offset = r->std;

    if (!r->has_dst)
        return r->std;
    footer_changes(r, at, changes);
    for (size_t i = 0; i < 2 * YEARS && changes[i].at <= at; i++)
        offset = changes[i].offset;
    return offset;
}

static int64_t footer_next(const struct rule_tz *r, int64_t at)
{
    struct transition changes[2 * YEARS];

    if (!r->present || !r->has_dst)
        return INT64_MAX;
    footer_changes(r, at, changes);
    for (size_t i = 0; i < 2 * YEARS; i++)
        if (changes[i].at > at)
            return changes[i].at;
    return INT64_MAX;
}

/* ---- the file ---- */

struct header {
    char version;
    size_t isut, isstd, leap, time, type, chars;
};

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

static bool read_header(struct span s, struct header *h)
{
    if (s.n < HEADER || memcmp(s.p, "TZif", 4) != 0)
        return false;
    *h = (struct header){
        .version = s.p[4],
        .isut = big_endian(s.p + 20, 4),
        .isstd = big_endian(s.p + 24, 4),
        .leap = big_endian(s.p + 28, 4),
        .time = big_endian(s.p + 32, 4),
        .type = big_endian(s.p + 36, 4),
        .chars = big_endian(s.p + 40, 4),
    };
    return h->type > 0 && h->type <= 256;
}

/* The counts have 32 bits each, so that the sum cannot overflow 64. */
static size_t block_size(const struct header *h, size_t time_size)
{
    return h->time * (time_size + 1) + h->type * 6 + h->chars + h->leap * (time_size + 4) +
           h->isstd + h->isut;
}

static bool read_transitions(struct tz *tz, const struct header *h, const char *p, size_t time_size)
{
    const char *types = p + h->time * time_size;
    const char *offsets = types + h->time;

    for (size_t i = 0; i < h->type; i++) {
        int32_t offset = (int32_t)big_endian(offsets + 6 * i, 4);

        if (offset < -OFFSET_MAX || offset > OFFSET_MAX)
            return false;
    }
    tz->before = (int32_t)big_endian(offsets, 4);
    for (size_t i = 0; i < h->time; i++) {
        uint64_t raw = big_endian(p + i * time_size, time_size);
        size_t type = (unsigned char)types[i];

        if (type >= h->type)
            return false;
        tz->transitions[i].at = time_size == 8 ? (int64_t)raw : (int32_t)raw;
        tz->transitions[i].offset = (int32_t)big_endian(offsets + 6 * type, 4);
        if (i > 0 && tz->transitions[i].at <= tz->transitions[i - 1].at)
            return false;
    }
    tz->n = h->time;
    return true;
}

/* The footer stands between two newlines; an empty one says nothing. */
static bool read_footer(struct span s, struct rule_tz *out)
{
    struct span rest;

    if (!eat(&s, '\n'))
        return false;
    s = span_cut(s, '\n', &rest);
    return rest.p && (s.n == 0 || parse_footer(s, out));
}

int tz_new(struct tz **out, struct span tzif, struct fault *f)
{
    size_t time_size = 4;
    struct span s = tzif;
    struct header h;
    struct tz *tz;

    if (!read_header(s, &h))
        return fault(f, ERR_SYNTAX, "not a TZif file (RFC 8536)");
    /* From version 2 on a second, whole copy with 64-bit times follows. */
    if (h.version >= '2') {
        time_size = 8;
        if (block_size(&h, 4) > s.n - HEADER)
            return fault(f, ERR_SYNTAX, "a TZif file that is cut short");
        s = span_skip(s, HEADER + block_size(&h, 4));
        if (!read_header(s, &h))
            return fault(f, ERR_SYNTAX, "a TZif file without its second header");
    }
    s = span_skip(s, HEADER);
    if (block_size(&h, time_size) > s.n)
        return fault(f, ERR_SYNTAX, "a TZif file that is cut short");
    tz = calloc(1, sizeof(*tz) + h.time * sizeof(*tz->transitions));
    if (!tz)
        return fault_nomem(f);
    if (!read_transitions(tz, &h, s.p, time_size) ||
        (time_size == 8 && !read_footer(span_skip(s, block_size(&h, 8)), &tz->footer))) {
        free(tz);
        return fault(f, ERR_SYNTAX, "a TZif file that contradicts itself");
    }
    *out = tz;
    return 0;
}

void tz_free(struct tz *tz)
{
    free(tz);
}

bool tz_name_valid(struct span name)
{
    bool begins = true;

    if (name.n == 0 || name.n >= TZ_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = is_letter(c) || (c >= '0' && c <= '9');

        if (!plain && (begins || (c != '_' && c != '+' && c != '-' && c != '/')))
            return false;
        begins = c == '/';
    }
    return !begins;
}

/* ---- questions ---- */

/* How many transitions are at or before `at`. */
static size_t passed(const struct tz *tz, int64_t at)
{
    size_t low = 0, high = tz->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tz->transitions[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t offset_at(const struct tz *tz, int64_t at)
{
    size_t n = passed(tz, at);

    if (n == tz->n && tz->footer.present)
        return footer_offset(&tz->footer, at);
    return n > 0 ? tz->transitions[n - 1].offset : tz->before;
}

static int64_t clamp(int64_t at)
{
    return at < TIME_MIN ? TIME_MIN : at > TIME_MAX ? TIME_MAX : at;
}

void tz_local(const struct tz *tz, int64_t at, struct tz_local *out)
{
    int32_t offset = offset_at(tz, clamp(at));
    int64_t local = clamp(at) + offset;
    int64_t days = local / DAY - (local % DAY < 0);
    int of_day = (int)(local - days * DAY);

    *out = (struct tz_local){
        .date = civil_from_days(days),
        .weekday = civil_weekday(days),
        .hour = of_day / 3600,
        .minute = of_day / 60 % 60,
        .second = of_day % 60,
        .offset = offset,
    };
}

int64_t tz_next_change(const struct tz *tz, int64_t at)
{
    size_t n = passed(tz, clamp(at));

    if (at > TIME_MAX)
        return INT64_MAX;
    if (n < tz->n)
        return tz->transitions[n].at;
    return footer_next(&tz->footer, clamp(at));
}
