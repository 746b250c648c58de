/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_time.h"

#define DAY 86400
#define FAR (26 * 3600) /* no zone is farther from UTC */

void cdr_zone_begin(struct cdr_zone *z, const struct tz *tz)
{
    *z = (struct cdr_zone){.tz = tz};
    if (!tz) {
        z->from = INT64_MIN;
        z->until = INT64_MAX;
    }
}

static int64_t offset_at(const struct tz *tz, int64_t at)
{
    struct tz_local local;

    tz_local(tz, at, &local);
    return local.offset;
}

/* Goes through all offsets that can have shown this time. */
static enum cdr_clock search(struct cdr_zone *z, int64_t local, int64_t near, int64_t *unix_s)
{
    int64_t from = local - FAR, found = 0, skipped = local;
    unsigned times = 0;

    while (from <= local + FAR) {
        int64_t until = tz_next_change(z->tz, from), offset = offset_at(z->tz, from);
        int64_t at = local - offset;

        if (at >= from && at < until) {
            int64_t before = found > near ? found - near : near - found;
            int64_t now = at > near ? at - near : near - at;

            if (times++ == 0 || (near != 0 && now < before))
                found = at;
            /* Alone for all times that lie so far within. */
            z->offset = offset;
            z->from = from + FAR;
            z->until = until == INT64_MAX ? until : until - FAR;
        }
        /* Behind the change for these clocks, before it for the next. */
        if (until != INT64_MAX && at >= until && local - offset_at(z->tz, until) < until)
            skipped = at;
        if (until == INT64_MAX)
            break;
        from = until;
    }
    *unix_s = times ? found : skipped;
    return times > 1 ? CDR_CLOCK_TWICE : times ? CDR_CLOCK_ONCE : CDR_CLOCK_SKIPPED;
}

enum cdr_clock cdr_zone_moment(struct cdr_zone *z, int64_t local, int64_t near, int64_t *unix_s)
{
    int64_t at = local - z->offset;

    if (at >= z->from && at < z->until) {
        *unix_s = at;
        return CDR_CLOCK_ONCE;
    }
    return search(z, local, near, unix_s);
}

#define LAST_MS INT64_C(253402300799999)

int cdr_time_check(int64_t ms, struct fault *f)
{
    if (ms >= 0 && ms <= LAST_MS)
        return 0;
    return fault(f, ERR_RANGE, "a time that is %s in UTC", ms < 0 ? "before 1970" : "behind 9999");
}

int cdr_zone_start(struct cdr_zone *z, int64_t local_ms, int64_t near, struct cdr *c,
                   struct fault *f)
{
    int64_t at;
    enum cdr_clock clock = cdr_zone_moment(z, local_ms / 1000, near, &at);
    int err = cdr_time_check(at * 1000, f);

    if (err)
        return err;
    c->clock = clock;
    c->start_ms = at * 1000 + local_ms % 1000;
    return 0;
}

static bool number(const char *p, size_t n, int *out)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned char)p[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        value = value * 10 + (int)digit;
    }
    *out = value;
    return true;
}

/* ".5" to 500. */
static bool fraction(struct span s, int64_t *ms)
{
    int value = 0, scale = 100;

    if (s.n == 0)
        return true;
    if (s.p[0] != '.' || s.n < 2 || s.n > 10)
        return false;
    for (size_t i = 1; i < s.n; i++, scale /= 10) {
        int digit;

        if (!number(s.p + i, 1, &digit))
            return false;
        value += digit * scale;
    }
    *ms += value;
    return true;
}

bool cdr_time_read(struct span s, int64_t *local_ms)
{
    int year, month, day, hour, minute, second;
    int64_t ms;

    if (s.n < 19 || s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != ' ' && s.p[10] != 'T') ||
        s.p[13] != ':' || s.p[16] != ':')
        return false;
    if (!number(s.p, 4, &year) || !number(s.p + 5, 2, &month) || !number(s.p + 8, 2, &day) ||
        !number(s.p + 11, 2, &hour) || !number(s.p + 14, 2, &minute) ||
        !number(s.p + 17, 2, &second))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > civil_days_in_month(year, month) || hour > 23 || minute > 59 || second > 60)
        return false;
    ms = (civil_to_days(year, month, day) * DAY + hour * 3600 + minute * 60 + second) * 1000;
    if (!fraction(span_skip(s, 19), &ms))
        return false;
    *local_ms = ms;
    return true;
}
