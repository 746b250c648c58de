/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/schedule.h"

#include <stdlib.h>

#include "base/buf.h"

#define DAY_MINUTES 1440
#define HORIZON (31 * 86400)
#define ALL_DAYS 0x7f
/* No text of RULE_SCHEDULE_MAX bytes can hold more: "all all A;" and "00:00-00:01,". */
#define PARTS_MAX 17
#define RANGES_MAX 16

enum holiday_word { HOLIDAYS_UNSAID, HOLIDAYS_TOO, HOLIDAYS_NOT };

struct range {
    uint16_t from, to; /* minutes behind midnight; `to` beyond DAY_MINUTES is on the next day */
};

struct part {
    uint8_t days; /* bit 0 is Monday */
    enum holiday_word holidays;
    uint8_t first, count; /* of the ranges; count 0 is all hours */
    struct span zone;     /* within the text that was parsed */
    const struct tz *tz;  /* NULL where the zone could not be read */
};

/* A text as it is being read. */
struct plan {
    size_t n_parts, n_ranges;
    struct part parts[PARTS_MAX];
    struct range ranges[RANGES_MAX];
};

/* One piece of memory: the parts, the ranges, the canonical text, in which the zones' names are. */
struct schedule {
    size_t n_parts;
    const struct range *ranges;
    const char *text;
    struct part parts[];
};

static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- reading ---- */

static bool parse_day(struct span word, int *out)
{
    for (int i = 0; i < 7; i++)
        if (span_eq_nocase(word, span_of(day_names[i]))) {
            *out = i;
            return true;
        }
    return false;
}

static bool add_days(struct span word, uint8_t *days)
{
    struct span last;
    struct span first = span_cut(word, '-', &last);
    int from, to;

    if (span_eq_nocase(word, SPAN("all"))) {
        *days = ALL_DAYS;
        return true;
    }
    if (!parse_day(first, &from))
        return false;
    to = from;
    if (last.p && !parse_day(last, &to))
        return false;
    for (int day = from;; day = (day + 1) % 7) {
        *days |= (uint8_t)(1 << day);
        if (day == to)
            return true;
    }
}

static int parse_days(struct span text, struct part *part, struct fault *f)
{
    struct span rest = text;

    do {
        struct span word = span_cut(rest, ',', &rest);
        bool too = span_eq_nocase(word, SPAN("holidays"));
        bool not = span_eq_nocase(word, SPAN("!holidays"));

        if ((too && part->holidays == HOLIDAYS_NOT) || (not &&part->holidays == HOLIDAYS_TOO))
            return fault(f, ERR_SYNTAX, "\"%s\" says both holidays and !holidays", ESCAPED(text));
        if (too || not )
            part->holidays = too ? HOLIDAYS_TOO : HOLIDAYS_NOT;
        else if (!add_days(word, &part->days))
            return fault(f, ERR_SYNTAX,
                         "\"%s\" is no day; days are mon to sun, mon-fri, all, holidays and "
                         "!holidays, separated by commas",
                         ESCAPED(word));
    } while (rest.p);
    /* "!holidays" alone takes them from every day, and every day has the holidays among them. */
    if (part->days == 0 && part->holidays == HOLIDAYS_NOT)
        part->days = ALL_DAYS;
    if (part->days == ALL_DAYS && part->holidays == HOLIDAYS_TOO)
        part->holidays = HOLIDAYS_UNSAID;
    return 0;
}

static bool parse_time(struct span text, uint16_t *out)
{
    static const char form[] = "00:00";
    int value;

    if (text.n != 5)
        return false;
    for (size_t i = 0; i < 5; i++)
        if (form[i] == ':' ? text.p[i] != ':' : text.p[i] < '0' || text.p[i] > '9')
            return false;
    value = ((text.p[0] - '0') * 10 + text.p[1] - '0') * 60;
    if (text.p[3] > '5')
        return false;
    value += (text.p[3] - '0') * 10 + text.p[4] - '0';
    *out = (uint16_t)value;
    return value <= DAY_MINUTES;
}

static int parse_range(struct span word, struct range *out, struct fault *f)
{
    struct span end;
    struct span begin = span_cut(word, '-', &end);
    struct range r;

    if (!parse_time(begin, &r.from) || !parse_time(end, &r.to) || r.from == DAY_MINUTES)
        return fault(f, ERR_SYNTAX,
                     "\"%s\" are no hours; hours are written 09:00-18:00, several separated by "
                     "commas, or all",
                     ESCAPED(word));
    if (r.from == r.to)
        return fault(f, ERR_RANGE, "\"%s\" ends when it begins; a whole day is all", ESCAPED(word));
    if (r.to < r.from)
        r.to += DAY_MINUTES;
    *out = r;
    return 0;
}

/* Keeps the ranges of a part sorted, each once. */
static void insert_range(struct plan *plan, struct part *part, struct range r)
{
    size_t i = (size_t)part->first + part->count;

    for (size_t k = part->first; k < i; k++)
        if (plan->ranges[k].from == r.from && plan->ranges[k].to == r.to)
            return;
    for (;
         i > part->first && (plan->ranges[i - 1].from > r.from ||
                             (plan->ranges[i - 1].from == r.from && plan->ranges[i - 1].to > r.to));
         i--)
        plan->ranges[i] = plan->ranges[i - 1];
    plan->ranges[i] = r;
    part->count++;
    plan->n_ranges++;
}

static int parse_hours(struct span text, struct plan *plan, struct part *part, struct fault *f)
{
    struct span rest = text;
    bool all = false;

    part->first = (uint8_t)plan->n_ranges;
    do {
        struct span word = span_cut(rest, ',', &rest);
        struct range r = {0};
        int err;

        if (span_eq_nocase(word, SPAN("all"))) {
            all = true;
            continue;
        }
        err = parse_range(word, &r, f);
        if (err)
            return err;
        if (plan->n_ranges == RANGES_MAX)
            return fault(f, ERR_RANGE, "a schedule has at most %d ranges of hours", RANGES_MAX);
        all |= r.to - r.from == DAY_MINUTES && r.from == 0;
        insert_range(plan, part, r);
    } while (rest.p);
    if (all) {
        plan->n_ranges = part->first;
        part->count = 0;
    }
    return 0;
}

static struct span next_word(struct span *s)
{
    size_t n = 0;
    struct span word;

    *s = span_trim(*s);
    while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
        n++;
    word = (struct span){s->p, n};
    *s = span_skip(*s, n);
    return word;
}

static int parse_part(struct span text, struct plan *plan, struct fault *f)
{
    struct part *part = &plan->parts[plan->n_parts];
    struct span rest = text;
    struct span days = next_word(&rest), hours = next_word(&rest), zone = next_word(&rest);
    int err;

    if (zone.n == 0 || next_word(&rest).n > 0)
        return fault(f, ERR_SYNTAX,
                     "\"%s\" is no schedule; one is written days, hours and time zone: "
                     "\"mon-fri,!holidays 09:00-18:00 Asia/Tokyo\"",
                     ESCAPED(text));
    *part = (struct part){.zone = zone};
    err = parse_days(days, part, f);
    if (!err)
        err = parse_hours(hours, plan, part, f);
    if (err)
        return err;
    if (!tz_name_valid(zone))
        return fault(f, ERR_SYNTAX, "\"%s\" is no time zone; one is written Asia/Tokyo",
                     ESCAPED(zone));
    plan->n_parts++;
    return 0;
}

static int parse(struct span text, struct plan *out, struct fault *f)
{
    struct span rest = text;

    if (text.n > RULE_SCHEDULE_MAX)
        return fault(f, ERR_RANGE, "a schedule of %zu bytes; at most %d are allowed", text.n,
                     RULE_SCHEDULE_MAX);
    out->n_parts = out->n_ranges = 0;
    do {
        struct span part = span_cut(rest, ';', &rest);
        int err;

        if (out->n_parts == PARTS_MAX)
            return fault(f, ERR_RANGE, "a schedule has at most %d parts", PARTS_MAX);
        err = parse_part(part, out, f);
        if (err)
            return err;
    } while (rest.p);
    return 0;
}

/* ---- writing ---- */

/* Writes into a bounded buffer; once it is full, `n` is beyond `size`. */
struct line {
    char *p;
    size_t n, size;
};

static void put(struct line *line, const char *p, size_t n)
{
    if (line->n + n <= line->size)
        memcpy(line->p + line->n, p, n);
    line->n += n;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_days(struct line *line, const struct part *part)
{
    const char *comma = "";

    if (part->days == ALL_DAYS && part->holidays == HOLIDAYS_UNSAID)
        put_text(line, "all");
    for (int from = 0; from < 7 && part->days != ALL_DAYS; from++) {
        int to = from;

        if (!(part->days & 1 << from))
            continue;
        while (to < 6 && part->days & 1 << (to + 1))
            to++;
        put_text(line, comma);
        put_text(line, day_names[from]);
        if (to > from) {
            put_text(line, to > from + 1 ? "-" : ",");
            put_text(line, day_names[to]);
        }
        comma = ",";
        from = to;
    }
    if (part->holidays != HOLIDAYS_UNSAID) {
        put_text(line, comma);
        put_text(line, part->holidays == HOLIDAYS_NOT ? "!holidays" : "holidays");
    }
}

static void put_time(struct line *line, int minutes)
{
    int hour = minutes / 60, minute = minutes % 60;
    char text[5] = {(char)('0' + hour / 10), (char)('0' + hour % 10), ':',
                    (char)('0' + minute / 10), (char)('0' + minute % 10)};

    put(line, text, sizeof(text));
}

static void put_hours(struct line *line, const struct plan *plan, const struct part *part)
{
    if (part->count == 0)
        put_text(line, "all");
    for (size_t i = 0; i < part->count; i++) {
        struct range r = plan->ranges[part->first + i];

        put_text(line, i > 0 ? "," : "");
        put_time(line, r.from);
        put_text(line, "-");
        put_time(line, r.to > DAY_MINUTES ? r.to - DAY_MINUTES : r.to);
    }
}

int schedule_canonical(struct span text, char out[RULE_SCHEDULE_MAX + 1], struct fault *f)
{
    char canonical[RULE_SCHEDULE_MAX];
    struct line line = {.p = canonical, .size = sizeof(canonical)};
    struct plan plan;
    int err = parse(text, &plan, f);

    if (err)
        return err;
    for (size_t i = 0; i < plan.n_parts; i++) {
        put_text(&line, i > 0 ? "; " : "");
        put_days(&line, &plan.parts[i]);
        put_text(&line, " ");
        put_hours(&line, &plan, &plan.parts[i]);
        put_text(&line, " ");
        put(&line, plan.parts[i].zone.p, plan.parts[i].zone.n);
    }
    if (line.n > line.size)
        return fault(f, ERR_RANGE, "a schedule of %zu bytes; at most %d are allowed", line.n,
                     RULE_SCHEDULE_MAX);
    memcpy(out, canonical, line.n);
    out[line.n] = '\0';
    return 0;
}

int schedule_check(struct span text, struct fault *f)
{
    char canonical[RULE_SCHEDULE_MAX + 1];

    return schedule_canonical(text, canonical, f);
}

int schedule_new(struct schedule **out, struct span text, struct zones *zones, struct fault *f)
{
    char canonical[RULE_SCHEDULE_MAX + 1];
    struct schedule *s;
    struct plan plan;
    int err = schedule_canonical(text, canonical, f);

    if (!err)
        err = parse(span_of(canonical), &plan, f);
    if (err)
        return err;
    size_t parts = plan.n_parts * sizeof(*plan.parts);
    size_t ranges = plan.n_ranges * sizeof(*plan.ranges);
    size_t bytes = strlen(canonical) + 1;
    s = malloc(sizeof(*s) + parts + ranges + bytes);
    if (!s)
        return fault_nomem(f);
    s->n_parts = plan.n_parts;
    s->ranges = memcpy((char *)s->parts + parts, plan.ranges, ranges);
    s->text = memcpy((char *)s->ranges + ranges, canonical, bytes);
    for (size_t i = 0; i < plan.n_parts; i++) {
        struct part *part = &s->parts[i];

        *part = plan.parts[i];
        part->zone.p = s->text + (part->zone.p - canonical);
        /* A zone that is not there is told by the state, one for which there is no memory now. */
        if (zones && zones_find(zones, part->zone, &part->tz, NULL) == ERR_NOMEM) {
            free(s);
            return fault_nomem(f);
        }
    }
    *out = s;
    return 0;
}

void schedule_free(struct schedule *schedule)
{
    free(schedule);
}

struct span schedule_text(const struct schedule *schedule)
{
    return span_of(schedule->text);
}

/* ---- questions ---- */

static bool day_counts(const struct part *part, const struct holidays *extra, int64_t day)
{
    if (part->holidays != HOLIDAYS_UNSAID && holidays_include(extra, day))
        return part->holidays == HOLIDAYS_TOO;
    return part->days & 1 << civil_weekday(day);
}

/* How many seconds by the clock on the wall the part stays in force; 0 where it is not. */
static int64_t remaining(const struct schedule *s, const struct part *part,
                         const struct holidays *extra, int64_t now)
{
    struct tz_local local;
    int64_t today, best = 0;
    int minute;

    tz_local(part->tz, now, &local);
    today = civil_to_days(local.date.year, local.date.month, local.date.day);
    minute = local.hour * 60 + local.minute;
    for (int back = 0; back <= 1; back++) {
        static const struct range whole_day = {0, DAY_MINUTES};
        const struct range *ranges = part->count ? &s->ranges[part->first] : &whole_day;
        int at = minute + back * DAY_MINUTES;

        if (!day_counts(part, extra, today - back))
            continue;
        for (size_t i = 0; i < (part->count ? part->count : 1); i++) {
            int64_t left = (int64_t)(ranges[i].to - at) * 60 - local.second;

            if (ranges[i].from <= at && at < ranges[i].to && left > best)
                best = left;
        }
    }
    return best;
}

/* The state, and when ON a moment up to which it certainly stays so. */
static enum schedule_state look(const struct schedule *s, const struct holidays *extra, int64_t now,
                                int64_t *sure)
{
    enum schedule_state state = SCHEDULE_OFF;

    *sure = now;
    for (size_t i = 0; i < s->n_parts; i++) {
        const struct part *part = &s->parts[i];
        int64_t left, end, change;

        if (!part->tz) {
            if (state == SCHEDULE_OFF)
                state = SCHEDULE_UNKNOWN;
            continue;
        }
        left = remaining(s, part, extra, now);
        if (left == 0)
            continue;
        state = SCHEDULE_ON;
        /* Where the clock is changed before the range ends, one must look again. */
        end = now + left;
        change = tz_next_change(part->tz, now);
        if (change < end)
            end = change;
        if (end > *sure)
            *sure = end;
    }
    return state;
}

enum schedule_state schedule_state(const struct schedule *schedule, const struct holidays *extra,
                                   int64_t now)
{
    int64_t sure;

    return look(schedule, extra, now, &sure);
}

int64_t schedule_end(const struct schedule *schedule, const struct holidays *extra, int64_t now)
{
    int64_t at = now, sure;

    while (at - now <= HORIZON) {
        if (look(schedule, extra, at, &sure) != SCHEDULE_ON)
            return at;
        at = sure;
    }
    return INT64_MAX;
}
