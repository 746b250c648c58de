/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "policy/complement.h"
#include "policy/minimal.h"
#include "policy/ruleset.h"
#include "policy/tz.h"

/* The first line says what the rest is:
 *   schedule    a schedule's text
 *   tz          the bytes of a time zone's file
 *   rules       lines "-PREFIX UNTIL SCHEDULE" (a restriction), "+…" (an exception), "?NUMBER"
 *   complement  the root, then allowed prefixes, one a line
 *   minimal     the root, then wants, one a line: "oPREFIX" open, "cPREFIX" closed, "ePREFIX" either */

#define RULES_MAX 64

/* Moments about which zones and schedules are asked: around 1970, clock changes, far ends. */
static const int64_t moments[] = {
    INT64_MIN,  -377705116800, -2208988800, 0,          1,          951782400,    1772953199,
    1772953200, 1793512800,    1795489200,  1795489201, 4102444800, 253402300799, INT64_MAX,
};
#define N_MOMENTS (sizeof(moments) / sizeof(*moments))

/* Zones of two rules, as files without transitions; every other name is missing. */
static int read_zone(void *arg, struct span name, struct buf *out, struct fault *f)
{
    static const char header[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 1};
    static const char type[7];
    const char *footer = span_is(name, "Asia/Tokyo")         ? "\nJST-9\n"
                         : span_is(name, "America/New_York") ? "\nEST5EDT,M3.2.0,M11.1.0\n"
                                                             : NULL;

    if (!footer)
        return fault(f, ERR_MISSING, "no such zone");
    for (int i = 0; i < 2; i++) {
        buf_add(out, (struct span){header, sizeof(header)});
        buf_add(out, (struct span){type, sizeof(type)});
    }
    buf_puts(out, footer);
    return 0;
}

static void fuzz_schedule(struct span text, struct zones *zones)
{
    char canonical[RULE_SCHEDULE_MAX + 1], again[RULE_SCHEDULE_MAX + 1];
    struct fault f = {.text = ""};
    struct schedule *s;

    if (schedule_canonical(text, canonical, &f)) {
        PROMISE(f.text[0]);
        PROMISE(schedule_check(text, NULL) != 0);
        return;
    }
    PROMISE(schedule_canonical(span_of(canonical), again, &f) == 0);
    PROMISE(strcmp(canonical, again) == 0);
    PROMISE(schedule_new(&s, text, zones, &f) == 0);
    PROMISE(span_is(schedule_text(s), canonical));
    for (size_t i = 1; i + 1 < N_MOMENTS; i++) {
        int64_t end = schedule_end(s, NULL, moments[i]);
        bool on = schedule_state(s, NULL, moments[i]) == SCHEDULE_ON;

        PROMISE(on ? end > moments[i] : end == moments[i]);
        PROMISE(end == INT64_MAX || schedule_state(s, NULL, end) != SCHEDULE_ON);
    }
    schedule_free(s);
}

static void fuzz_tz(struct span bytes)
{
    struct fault f = {.text = ""};
    struct tz_local local;
    struct tz *tz;

    if (tz_new(&tz, bytes, &f)) {
        PROMISE(f.text[0]);
        return;
    }
    for (size_t i = 0; i < N_MOMENTS; i++) {
        int64_t next = tz_next_change(tz, moments[i]);

        tz_local(tz, moments[i], &local);
        PROMISE(local.date.month >= 1 && local.date.month <= 12);
        PROMISE(local.date.day >= 1 && local.date.day <= 31);
        PROMISE(local.hour >= 0 && local.hour <= 23 && local.minute >= 0 && local.minute <= 59);
        PROMISE(local.second >= 0 && local.second <= 59);
        PROMISE(moments[i] == INT64_MAX || next > moments[i]);
    }
    tz_free(tz);
}

/* ---- rules ---- */

struct rules {
    struct rule rule[RULES_MAX];
    size_t n;
};

static bool read_rule(struct span line, struct rule *rule)
{
    struct span rest;

    *rule = (struct rule){.action = line.p[0] == '+' ? RULE_EXCEPT : RULE_RESTRICT};
    rule->prefix = span_cut(span_skip(line, 1), ' ', &rest);
    for (struct span until = span_cut(rest, ' ', &rest); until.n; until = span_skip(until, 1)) {
        if (until.p[0] < '0' || until.p[0] > '9' || rule->until > INT32_MAX)
            return false;
        rule->until = rule->until * 10 + (until.p[0] - '0');
    }
    rule->schedule = rest;
    return true;
}

static bool in_force(const struct rule *r, int64_t now, struct zones *zones)
{
    enum schedule_state state = SCHEDULE_ON;
    struct schedule *s;

    if (r->schedule.n) {
        PROMISE(schedule_new(&s, r->schedule, zones, NULL) == 0);
        state = schedule_state(s, NULL, now);
        schedule_free(s);
    }
    return (r->until == 0 || now < r->until) &&
           (state == SCHEDULE_ON || (state == SCHEDULE_UNKNOWN && r->action == RULE_RESTRICT));
}

/* The naive way: the longest of all that match, and of two the restriction. */
static const struct rule *longest(const struct rules *rules, struct span digits, int64_t now,
                                  struct zones *zones)
{
    const struct rule *best = NULL;

    for (size_t i = 0; i < rules->n; i++) {
        const struct rule *r = &rules->rule[i];

        if (span_starts(digits, r->prefix) && in_force(r, now, zones) &&
            (!best || r->prefix.n > best->prefix.n ||
             (r->prefix.n == best->prefix.n && r->action == RULE_RESTRICT)))
            best = r;
    }
    return best;
}

static void ask(const struct ruleset *set, const struct rules *rules, struct span digits,
                struct zones *zones)
{
    struct ruleset_key key = ruleset_key(digits);

    if (key.length != digits.n)
        return;
    for (size_t i = 0; i < N_MOMENTS; i += 3) {
        struct ruleset_moment when = {.now = moments[i]};
        const struct rule *wanted = longest(rules, digits, when.now, zones);
        char named[RULE_PREFIX_MAX + 1];
        struct ruleset_match m;

        PROMISE(ruleset_match(set, &key, &when, &m) == (wanted != NULL));
        if (!wanted)
            continue;
        PROMISE(m.length == wanted->prefix.n && m.action == wanted->action);
        ruleset_rule(set, m.index, named);
        PROMISE(span_is(wanted->prefix, named));
        if (m.action == RULE_EXCEPT)
            PROMISE(ruleset_end(set, m.index, &when) > when.now);
    }
}

static void fuzz_rules(struct span text, struct zones *zones)
{
    static const uint8_t secret[16];
    struct rules rules = {.n = 0}, backward = {.n = 0};
    const struct ruleset *set, *again;
    struct ruleset_pool *pool;
    struct fault f = {.text = ""};

    for (struct span rest = text; rest.p && rules.n < RULES_MAX;) {
        struct span line = span_cut(rest, '\n', &rest);

        if (line.n > 0 && line.p[0] != '?' && !read_rule(line, &rules.rule[rules.n++]))
            return;
    }
    for (size_t i = rules.n; i > 0; i--)
        backward.rule[backward.n++] = rules.rule[i - 1];
    PROMISE(ruleset_pool_new(&pool, zones, secret, &f) == 0);
    if (ruleset_intern(pool, rules.rule, rules.n, &set, &f)) {
        PROMISE(f.text[0]);
        PROMISE(ruleset_intern(pool, backward.rule, backward.n, &again, NULL) != 0);
    } else {
        PROMISE(ruleset_intern(pool, backward.rule, backward.n, &again, &f) == 0);
        PROMISE(again == set && ruleset_count(set) == rules.n);
        for (struct span rest = text; rest.p;) {
            struct span line = span_cut(rest, '\n', &rest);

            if (line.n > 0 && line.p[0] == '?')
                ask(set, &rules, span_skip(line, 1), zones);
        }
    }
    ruleset_pool_free(pool);
}

static void fuzz_complement(struct span text)
{
    struct span rest, root = span_cut(text, '\n', &rest), allowed[RULES_MAX];
    struct fault f = {.text = ""};
    struct complement *list;
    size_t n = 0;

    while (rest.p && n < RULES_MAX)
        allowed[n++] = span_cut(rest, '\n', &rest);
    if (complement_new(&list, root, allowed, n, &f)) {
        PROMISE(f.text[0]);
        return;
    }
    for (size_t i = 0; i < complement_count(list); i++) {
        struct span p = complement_prefix(list, i);

        PROMISE(span_starts(p, root) && p.n > root.n && p.n <= RULE_PREFIX_MAX);
        for (size_t k = 0; k < n; k++)
            PROMISE(!span_starts(p, allowed[k]) && !span_starts(allowed[k], p));
    }
    complement_free(list);
}

/* What the longest want says of the digits, or (`list`) what the longest rule does. */
static int outcome(const struct minimal_want *wants, size_t n, const struct minimal *list,
                   struct span digits)
{
    int found = MINIMAL_OPEN;
    size_t longest = 0;

    for (size_t i = 0; i < (list ? minimal_count(list) : n); i++) {
        struct rule rule = {.action = RULE_RESTRICT};

        if (list)
            rule = minimal_rule(list, i);
        else
            rule.prefix = wants[i].prefix;
        if (!span_starts(digits, rule.prefix) || rule.prefix.n < longest)
            continue;
        longest = rule.prefix.n;
        found = !list                          ? (int)wants[i].outcome
                : rule.action == RULE_RESTRICT ? MINIMAL_CLOSED
                                               : MINIMAL_OPEN;
    }
    return found;
}

static void check_minimal(const struct minimal_want *wants, size_t n, const struct minimal *list)
{
    for (size_t i = 0; i < n; i++)
        for (char digit = '0'; digit <= '9'; digit++) {
            char digits[RULE_PREFIX_MAX + 8];
            struct span longer = {digits, sizeof(digits)};
            int wanted;

            memset(digits, digit, sizeof(digits));
            memcpy(digits, wants[i].prefix.p, wants[i].prefix.n);
            wanted = outcome(wants, n, NULL, longer);
            PROMISE(wanted == MINIMAL_EITHER || outcome(NULL, 0, list, longer) == wanted);
        }
}

static void fuzz_minimal(struct span text)
{
    struct span rest, root = span_cut(text, '\n', &rest);
    struct minimal_want wants[RULES_MAX];
    struct minimal *both, *only;
    struct fault f = {.text = ""};
    size_t n = 0;

    while (rest.p && n < RULES_MAX) {
        struct span line = span_cut(rest, '\n', &rest);

        if (line.n == 0)
            continue;
        wants[n++] = (struct minimal_want){span_skip(line, 1), line.p[0] == 'o'   ? MINIMAL_OPEN
                                                               : line.p[0] == 'c' ? MINIMAL_CLOSED
                                                                                  : MINIMAL_EITHER};
    }
    if (minimal_new(&both, root, wants, n, MINIMAL_WITH_EXCEPTIONS, &f)) {
        PROMISE(f.text[0]);
        PROMISE(minimal_new(&only, root, wants, n, MINIMAL_RESTRICTIONS, NULL) != 0);
        return;
    }
    PROMISE(minimal_new(&only, root, wants, n, MINIMAL_RESTRICTIONS, &f) == 0);
    PROMISE(minimal_count(both) <= minimal_count(only));
    check_minimal(wants, n, both);
    check_minimal(wants, n, only);
    minimal_free(both);
    minimal_free(only);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest, what = span_cut((struct span){(const char *)data, size}, '\n', &rest);
    char clean[RULE_PREFIX_MAX + 1];
    struct zones *zones;
    struct fault f = {.text = ""};

    PROMISE(zones_new(&zones, read_zone, NULL, &f) == 0);
    if (span_is(what, "schedule"))
        fuzz_schedule(rest, zones);
    else if (span_is(what, "tz"))
        fuzz_tz(rest);
    else if (span_is(what, "rules"))
        fuzz_rules(rest, zones);
    else if (span_is(what, "complement"))
        fuzz_complement(rest);
    else if (span_is(what, "minimal"))
        fuzz_minimal(rest);
    else if (rule_prefix_clean((struct span){(const char *)data, size}, clean, &f) == 0)
        PROMISE(ruleset_key(span_of(clean)).length == strlen(clean));
    else
        PROMISE(f.text[0]);
    zones_free(zones);
    return 0;
}
