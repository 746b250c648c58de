/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/when.h"

#include <stdlib.h>
#include <time.h>

#include "base/buf.h"

static bool relative(const char *text, int64_t *seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || n < 0 || n > 1000000 || !*end || end[1])
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (*end == units[i].unit) {
            *seconds = n * units[i].seconds;
            return true;
        }
    return false;
}

/* "Z", "+09:00" or "-05:30" as seconds east of UTC. */
static bool offset(const char *text, int64_t *seconds)
{
    struct tm t = {0};

    if ((text[0] == 'Z' || text[0] == 'z') && !text[1]) {
        *seconds = 0;
        return true;
    }
    if (text[0] != '+' && text[0] != '-')
        return false;
    const char *end = strptime(text + 1, "%H:%M", &t);
    if (!end || *end)
        return false;
    *seconds = (text[0] == '-' ? -1 : 1) * (t.tm_hour * 3600 + t.tm_min * 60);
    return true;
}

static bool absolute(const char *text, int64_t *at)
{
    static const char *const local[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};
    struct tm t = {0};
    int64_t east;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &t);

    if (end && offset(end, &east)) {
        *at = (int64_t)timegm(&t) - east;
        return true;
    }
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++) {
        t = (struct tm){.tm_isdst = -1};
        end = strptime(text, local[i], &t);
        if (end && !*end) {
            *at = mktime(&t);
            return true;
        }
    }
    return false;
}

int when_parse(const char *text, enum when_side side, int64_t now, char out[WHEN_SIZE],
               struct fault *f)
{
    int64_t span, at;
    struct tm t;

    if (relative(text, &span))
        at = side == WHEN_PAST ? now - span : now + span;
    else if (!absolute(text, &at))
        return fault(f, ERR_SYNTAX,
                     "\"%s\" is no time; write 2026-12-01T09:00:00Z, 2026-12-01, "
                     "\"2026-12-01 09:00\" or a span such as 30m, 2h, 7d",
                     ESCAPED(span_of(text)));
    time_t seconds = (time_t)at;
    if (!gmtime_r(&seconds, &t) || t.tm_year < 70 || t.tm_year > 8099)
        return fault(f, ERR_RANGE, "\"%s\" is not between the years 1970 and 9999",
                     ESCAPED(span_of(text)));
    strftime(out, WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &t);
    return 0;
}

/* "2026-12-01T00:00:00Z", with or without a fraction, at the beginning of `text`: its end, else NULL. */
static const char *utc_time(const char *text, struct tm *t, const char **fraction)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    const char *p = text;

    for (const char *f = form; *f; f++, p++)
        if (*f == 'd' ? *p < '0' || *p > '9' : *p != *f)
            return NULL;
    *fraction = p;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9';)
            p++;
    if (*p != 'Z' || strptime(text, "%Y-%m-%dT%H:%M:%S", t) != *fraction)
        return NULL;
    return p + 1;
}

void when_local(struct buf *b, const char *text)
{
    for (const char *p = text ? text : "-"; *p;) {
        struct tm t = {0};
        const char *fraction, *end = utc_time(p, &t, &fraction);
        time_t at = end ? timegm(&t) : 0;
        long east;

        if (!end || !localtime_r(&at, &t)) {
            buf_putc(b, *p++);
            continue;
        }
        east = t.tm_gmtoff / 60;
        buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d%.*s%c%02ld:%02ld", t.tm_year + 1900,
                   t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                   (int)(end - 1 - fraction), fraction, east < 0 ? '-' : '+', labs(east) / 60,
                   labs(east) % 60);
        p = end;
    }
}

int when_span(const char *text, int64_t *seconds, struct fault *f)
{
    if (relative(text, seconds))
        return 0;
    return fault(f, ERR_SYNTAX, "\"%s\" is no span of time: 90s, 30m, 2h, 7d or 4w",
                 ESCAPED(span_of(text)));
}
