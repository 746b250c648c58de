/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_strptime.h"

#include "intake/cdr_word.h"
#include "policy/civil.h"

#define DAY 86400

struct parts {
    int year, month, day, hour, minute, second, ms;
    bool twelve, pm, zoned;
    int offset; /* seconds east, where zoned */
};

/* Up to `most` digits in front of `s`, at least `least`. */
static bool eat(struct span *s, size_t least, size_t most, int *out)
{
    int value = 0;
    size_t n = 0;

    while (n < most && n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        value = value * 10 + (s->p[n++] - '0');
    if (n < least)
        return false;
    *s = span_skip(*s, n);
    *out = value;
    return true;
}

static bool eat_month(struct span *s, int *out)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int i = 0; i < 12 && s->n >= 3; i++) {
        if (strncasecmp(s->p, names + 3 * i, 3) == 0) {
            *s = span_skip(*s, 3);
            *out = i + 1;
            return true;
        }
    }
    return false;
}

static bool eat_fraction(struct span *s, int *ms)
{
    int scale = 100, value = 0;
    size_t n = 0;

    while (n < s->n && n < 9 && s->p[n] >= '0' && s->p[n] <= '9') {
        value += (s->p[n++] - '0') * scale;
        scale /= 10;
    }
    *s = span_skip(*s, n);
    *ms = value;
    return n > 0;
}

/* +0900, -09:00, Z */
static bool eat_zone(struct span *s, struct parts *t)
{
    int hours, minutes, sign;

    t->zoned = true;
    if (s->n && s->p[0] == 'Z') {
        *s = span_skip(*s, 1);
        return true;
    }
    if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
        return false;
    sign = s->p[0] == '-' ? -1 : 1;
    *s = span_skip(*s, 1);
    if (!eat(s, 2, 2, &hours))
        return false;
    if (s->n && s->p[0] == ':')
        *s = span_skip(*s, 1);
    if (!eat(s, 2, 2, &minutes) || hours > 26 || minutes > 59)
        return false;
    t->offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool eat_half(struct span *s, struct parts *t)
{
    if (s->n < 2 || (s->p[1] != 'M' && s->p[1] != 'm'))
        return false;
    t->twelve = true;
    t->pm = s->p[0] == 'P' || s->p[0] == 'p';
    if (!t->pm && s->p[0] != 'A' && s->p[0] != 'a')
        return false;
    *s = span_skip(*s, 2);
    return true;
}

static bool eat_short_year(struct span *s, int *year)
{
    if (!eat(s, 2, 2, year))
        return false;
    *year += *year < 69 ? 2000 : 1900;
    return true;
}

static bool eat_all(struct span format, struct span *s, struct parts *t);

static bool eat_one(char what, struct span *s, struct parts *t)
{
    switch (what) {
    case 'Y': return eat(s, 4, 4, &t->year);
    case 'y': return eat_short_year(s, &t->year);
    case 'm': return eat(s, 1, 2, &t->month);
    case 'b': return eat_month(s, &t->month);
    case 'e':
        if (s->n && s->p[0] == ' ')
            *s = span_skip(*s, 1);
        return eat(s, 1, 2, &t->day);
    case 'd': return eat(s, 1, 2, &t->day);
    case 'H':
    case 'I': return eat(s, 1, 2, &t->hour);
    case 'M': return eat(s, 1, 2, &t->minute);
    case 'S': return eat(s, 1, 2, &t->second);
    case 'f': return eat_fraction(s, &t->ms);
    case 'p': return eat_half(s, t);
    case 'z': return eat_zone(s, t);
    case 'F': return eat_all(SPAN("%Y-%m-%d"), s, t);
    case 'T': return eat_all(SPAN("%H:%M:%S"), s, t);
    default: return false;
    }
}

static bool eat_all(struct span format, struct span *s, struct parts *t)
{
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] == '%' && i + 1 < format.n && format.p[i + 1] != '%') {
            if (!eat_one(format.p[++i], s, t))
                return false;
            continue;
        }
        i += format.p[i] == '%';
        if (i == format.n || s->n == 0 || s->p[0] != format.p[i])
            return false;
        *s = span_skip(*s, 1);
    }
    return true;
}

static bool unix_time(struct span s, bool in_ms, int64_t *ms)
{
    struct span fraction, whole = span_cut(s, '.', &fraction);
    int behind = 0;
    int64_t value;

    if (!cdr_number(whole, INT64_C(253402300799) * (in_ms ? 1000 : 1), &value))
        return false;
    if (fraction.p && (in_ms || !eat_fraction(&fraction, &behind) || fraction.n))
        return false;
    *ms = in_ms ? value : value * 1000 + behind;
    return true;
}

bool cdr_strptime(struct span format, struct span s, int64_t *ms, bool *local)
{
    struct parts t = {.year = -1, .month = -1, .day = -1};

    if (span_is(format, "unix") || span_is(format, "unix-ms")) {
        if (!unix_time(s, span_is(format, "unix-ms"), ms))
            return false;
        *local = false;
        return true;
    }
    if (!eat_all(format, &s, &t) || s.n)
        return false;
    if (t.year < 1970 || t.month < 1 || t.month > 12 || t.day < 1 ||
        t.day > civil_days_in_month(t.year, t.month) || t.minute > 59 || t.second > 60)
        return false;
    if (t.twelve) {
        if (t.hour < 1 || t.hour > 12)
            return false;
        t.hour = t.hour % 12 + (t.pm ? 12 : 0);
    }
    if (t.hour > 23)
        return false;
    *ms = (civil_to_days(t.year, t.month, t.day) * DAY + t.hour * 3600 + t.minute * 60 + t.second -
           (t.zoned ? t.offset : 0)) *
              1000 +
          t.ms;
    *local = !t.zoned;
    return true;
}

/* Whether the format says each of year, month and day, and knows all that it says. */
bool cdr_strptime_valid(struct span format)
{
    bool year = false, month = false, day = false;

    if (span_is(format, "unix") || span_is(format, "unix-ms"))
        return true;
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%')
            continue;
        if (++i == format.n || !memchr("YymbedHIMSfpzFT%", format.p[i], 16))
            return false;
        year |= memchr("YyF", format.p[i], 3) != NULL;
        month |= memchr("mbF", format.p[i], 3) != NULL;
        day |= memchr("deF", format.p[i], 3) != NULL;
    }
    return year && month && day;
}
