/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS 64
#define SECOND_NS INT64_C(1000000000)

static const uint8_t key[GUARD_KEY_BYTES] = "thirty-two bytes of a known key";

struct line {
    struct span word[WORDS];
    size_t n, at;
};

static bool trouble(struct scenario *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool trouble(struct scenario *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(s->trouble, sizeof(s->trouble), format, args);
    va_end(args);
    return false;
}

/* ---- events as text ---- */

static void add_event(void *context, const struct guard_event *e)
{
    struct scenario *s = context;
    char text[ADDRESS_TEXT_MAX];
    struct buf *b;

    if (s->ignored & 1u << e->kind)
        return;
    if (s->n == SCENARIO_EVENTS) {
        trouble(s, "more than %d events", SCENARIO_EVENTS);
        return;
    }
    b = &s->events[(s->first + s->n++) % SCENARIO_EVENTS];
    buf_clear(b);
    buf_puts(b, guard_event_name(e->kind));
    if (e->observed)
        buf_puts(b, " observed");
    if (e->quench && e->kind == GUARD_UNBAN)
        buf_puts(b, " quench");
    if (e->network.family)
        buf_printf(b, " %s", network_text(&e->network, text));
    if (e->account.n)
        buf_printf(b, " account %s", ESCAPED(e->account));
    if (e->seconds)
        buf_printf(b, " for %us", e->seconds);
    buf_printf(b, " %s", guard_attack_name(e->attack));
    if (e->threshold)
        buf_printf(b, " %u of %u in %us", e->count, e->threshold, e->window);
    else if (e->count)
        buf_printf(b, " %u times", e->count);
    buf_printf(b, " by %s %s on %lld level %u attempts %zu", witness_name(e->witness),
               proof_name(e->proof), (long long)e->switch_id, e->level, e->n_attempts);
    for (size_t i = 0; i < e->n_good; i++)
        buf_printf(b, " good %s", network_text(&e->good[i], text));
}

/* ---- words ---- */

static struct line split(struct span text)
{
    struct line line = {.n = 0};

    while (text.p && line.n < WORDS) {
        struct span word = span_cut(text, ' ', &text);

        if (word.n)
            line.word[line.n++] = word;
    }
    return line;
}

static struct span next(struct line *line)
{
    return line->at < line->n ? line->word[line->at++] : (struct span){NULL, 0};
}

static bool next_is(struct line *line, const char *word)
{
    if (line->at == line->n || !span_is(line->word[line->at], word))
        return false;
    line->at++;
    return true;
}

static int64_t number(struct span word, struct span *rest)
{
    int64_t n = 0;

    while (word.n && word.p[0] >= '0' && word.p[0] <= '9') {
        n = n * 10 + word.p[0] - '0';
        word = span_skip(word, 1);
    }
    if (rest)
        *rest = word;
    return n;
}

/* "10ms", "5s", "3m", "2h", "1d". */
static int64_t duration_ns(struct span word)
{
    struct span unit;
    int64_t n = number(word, &unit);

    if (span_is(unit, "ms"))
        return n * (SECOND_NS / 1000);
    if (span_is(unit, "m"))
        return n * 60 * SECOND_NS;
    if (span_is(unit, "h"))
        return n * 3600 * SECOND_NS;
    if (span_is(unit, "d"))
        return n * 86400 * SECOND_NS;
    return n * SECOND_NS;
}

static void pass(struct scenario *s, int64_t ns)
{
    s->now.boot_ns += ns;
    s->now.wall_ms += ns / 1000000;
}

/* In small steps where there is little of it, so that ends come when they are due. */
static void time_passes(struct scenario *s, int64_t ns)
{
    while (ns > 0) {
        int64_t most = (ns > 43200 * SECOND_NS ? 900 : 30) * SECOND_NS;
        int64_t step = ns < most ? ns : most;

        pass(s, step);
        guard_tick(s->guard, s->now);
        ns -= step;
    }
}

/* The first "{a..b}" of a line: how often it is to be played, and from which number. */
static int64_t range_of(struct span line, int64_t *first)
{
    const char *open = memchr(line.p, '{', line.n);
    struct span rest;

    *first = 0;
    if (!open)
        return 1;
    rest = (struct span){open + 1, line.n - (size_t)(open + 1 - line.p)};
    *first = number(rest, &rest);
    return number(span_skip(rest, 2), NULL) - *first + 1;
}

/* `word` with every "{a..b}" as the i-th number. */
static struct span filled(struct span word, int64_t i, char *to, size_t size)
{
    size_t n = 0;

    while (word.n) {
        if (word.p[0] == '{') {
            struct span range = span_cut(span_skip(word, 1), '}', &word);

            n += (size_t)snprintf(to + n, size - n, "%lld", (long long)(number(range, NULL) + i));
        } else {
            to[n++] = word.p[0];
            word = span_skip(word, 1);
        }
        if (!word.p || n >= size - 24)
            break;
    }
    return (struct span){to, n};
}

/* "192.0.2.1", "198.18.0.0+300", "2001:db8::1"; "none". */
static bool address_from(struct scenario *s, struct span word, struct address *out)
{
    struct span offset, text = span_cut(word, '+', &offset);
    uint32_t low;
    struct fault f;

    *out = (struct address){0};
    if (span_is(word, "none"))
        return true;
    if (address_parse_ip(text, out, &f) != 0)
        return trouble(s, "%s", f.text);
    out->port = 5060;
    if (offset.p) {
        uint8_t *last = out->ip + (out->family == 4 ? 0 : 12);

        low = (uint32_t)last[0] << 24 | (uint32_t)last[1] << 16 | (uint32_t)last[2] << 8 | last[3];
        low += (uint32_t)number(offset, NULL);
        for (int i = 0; i < 4; i++)
            last[i] = (uint8_t)(low >> (24 - 8 * i));
    }
    return true;
}

static struct network network_from(struct scenario *s, struct span word)
{
    struct network network = {0};
    struct fault f;

    if (network_parse(word, &network, &f) != 0)
        trouble(s, "%s", f.text);
    return network;
}

/* ---- attempts ---- */

struct volley {
    struct attempt attempt;
    int64_t times, every_ns;
};

static bool read_option(struct scenario *s, struct line *line, int64_t i, struct volley *v)
{
    static char text[4][512]; /* what spans point to */
    struct attempt *a = &v->attempt;
    struct span word = next(line);

    if (span_is(word, "from"))
        return address_from(s, filled(next(line), i, text[0], sizeof(text[0])), &a->source);
    if (span_is(word, "account")) {
        a->account = filled(next(line), i, text[1], sizeof(text[1]));
        a->account_known = a->account.n && a->account.p[0] >= '0' && a->account.p[0] <= '9';
    } else if (span_is(word, "agent")) {
        a->user_agent = next(line);
    } else if (span_is(word, "call-id")) {
        a->call_id = next(line);
    } else if (span_is(word, "on")) {
        a->switch_id = number(next(line), NULL);
    } else if (span_is(word, "times")) {
        v->times = number(next(line), NULL);
    } else if (span_is(word, "every")) {
        v->every_ns = duration_ns(next(line));
    } else if (span_is(word, "credentials")) {
        a->credentials = (uint64_t)number(next(line), NULL);
    } else if (span_is(word, "by")) {
        return witness_from(next(line), &a->witness) || trouble(s, "what witness?");
    } else if (span_is(word, "over")) {
        return transport_from(next(line), &a->transport) || trouble(s, "what transport?");
    } else if (span_is(word, "method")) {
        return method_from(next(line), &a->method) || trouble(s, "what method?");
    } else if (span_is(word, "doubtful")) {
        a->doubtful = true;
    } else {
        return proof_from(word, &a->proof) ||
               trouble(s, "\"%.*s\" is no option of an attempt", SPAN_FMT(word));
    }
    return true;
}

static bool play_attempt(struct scenario *s, struct span text)
{
    int64_t first, rounds = range_of(text, &first);

    for (int64_t i = 0; i < rounds; i++) {
        struct line line = split(text);
        struct volley v = {.times = 1,
                           .every_ns = SECOND_NS / 100,
                           .attempt = {.switch_id = 1,
                                       .witness = WITNESS_WIRE,
                                       .proof = PROOF_PROVED,
                                       .transport = TRANSPORT_UDP,
                                       .method = METHOD_REGISTER}};

        next(&line); /* "attempt" */
        if (!outcome_from(next(&line), &v.attempt.outcome))
            return trouble(s, "what outcome?");
        while (line.at < line.n)
            if (!read_option(s, &line, i, &v))
                return false;
        for (int64_t k = 0; k < v.times; k++) {
            v.attempt.at = s->now;
            guard_attempt(s->guard, &v.attempt);
            if (v.every_ns >= SECOND_NS)
                time_passes(s, v.every_ns);
            else
                pass(s, v.every_ns);
        }
    }
    return true;
}

/* "registers 1001 from 192.0.2.1 for 3d": every six hours, from the first to the last minute of it. */
static bool play_registers(struct scenario *s, struct span text)
{
    struct line line = split(text);
    int64_t first, rounds = range_of(text, &first), left;
    char account[512], source[512];
    struct attempt a = {.switch_id = 1,
                        .outcome = OUTCOME_SUCCESS,
                        .proof = PROOF_PROVED,
                        .transport = TRANSPORT_UDP,
                        .account_known = true,
                        .method = METHOD_REGISTER};

    if (line.n != 6)
        return trouble(s, "registers ACCOUNT from ADDRESS for DURATION");
    for (left = duration_ns(line.word[5]); left > 0; left -= 6 * 3600 * SECOND_NS) {
        for (int64_t i = 0; i < rounds; i++) {
            a.account = filled(line.word[1], i, account, sizeof(account));
            if (!address_from(s, filled(line.word[3], i, source, sizeof(source)), &a.source))
                return false;
            a.at = s->now;
            guard_attempt(s->guard, &a);
        }
        time_passes(s, 6 * 3600 * SECOND_NS);
    }
    return true;
}

static bool play_vouch(struct scenario *s, struct line *line)
{
    struct address source;

    next(line); /* "for" */
    if (!address_from(s, next(line), &source))
        return false;
    guard_vouch(s->guard, s->now, 1, &source);
    return true;
}

/* ---- what must come out ---- */

/* All words stand in the event, in this order. */
static bool matches(const struct buf *event, const struct line *line, size_t from)
{
    struct line words = split(buf_span(event));
    size_t at = from;

    for (size_t i = 0; i < words.n && at < line->n; i++) {
        if (i == 0 && !span_eq(words.word[0], line->word[from]))
            return false;
        at += span_eq(words.word[i], line->word[at]);
    }
    return at == line->n;
}

static bool play_expect(struct scenario *s, struct line *line)
{
    int64_t times = 1;

    if (next_is(line, "nothing"))
        return s->n == 0 || trouble(s, "but: %s", s->events[s->first].p);
    if (line->at < line->n && line->word[line->at].p[0] >= '0' && line->word[line->at].p[0] <= '9')
        times = number(next(line), NULL);
    for (; times > 0; times--) {
        if (s->n == 0)
            return trouble(s, "but nothing more");
        if (!matches(&s->events[s->first], line, line->at))
            return trouble(s, "but: %s", s->events[s->first].p);
        s->first = (s->first + 1) % SCENARIO_EVENTS;
        s->n--;
    }
    return true;
}

static bool answer(struct scenario *s, struct line *line, bool is)
{
    struct span want = line->n ? line->word[line->n - 1] : (struct span){NULL, 0};

    return span_is(want, is ? "yes" : "no") || trouble(s, "it is %s", is ? "yes" : "no");
}

static bool is_dropped(struct scenario *s, const struct address *address)
{
    struct guard_ban ban;
    size_t cursor = 0;

    while (guard_next_ban(s->guard, s->now, &cursor, &ban))
        if (!ban.observed && network_has(&ban.network, address))
            return true;
    return false;
}

/* dropped ADDRESS yes; good ACCOUNT from ADDRESS yes; refused …; state ACCOUNT from ADDRESS free */
static bool play_question(struct scenario *s, struct line *line, struct span what)
{
    static const char *const states[] = {"free", "locked-out", "international-locked"};
    struct span account = {NULL, 0};
    struct address source;

    if (!span_is(what, "dropped")) {
        account = next(line);
        next(line); /* "from" */
    }
    if (!address_from(s, next(line), &source))
        return false;
    if (span_is(what, "dropped"))
        return answer(s, line, is_dropped(s, &source));
    if (span_is(what, "good"))
        return answer(s, line, guard_source_good(s->guard, s->now, 1, account, &source));
    if (span_is(what, "refused"))
        return answer(s, line, guard_pair_refused(s->guard, s->now, 1, account, &source));
    enum guard_account_state state = guard_account_state(s->guard, s->now, 1, account, &source);

    return span_is(next(line), states[state]) || trouble(s, "it is %s", states[state]);
}

/* why ADDRESS N, why account NAME N: so many attempts are kept. */
static bool play_why(struct scenario *s, struct line *line)
{
    uint64_t ids[1000];
    size_t n;

    if (next_is(line, "account")) {
        n = guard_why_account(s->guard, 1, next(line), ids, 1000);
    } else {
        struct network source = network_from(s, next(line));

        n = guard_why_source(s->guard, &source, ids, 1000);
    }
    for (size_t i = 0; i < n; i++)
        if (!guard_evidence(s->guard, ids[i]))
            return trouble(s, "an attempt is named that is not kept");
    return n == (size_t)number(next(line), NULL) || trouble(s, "there are %zu", n);
}

/* ---- the operator ---- */

static bool refused(struct scenario *s, struct line *line, int err, const struct fault *f)
{
    bool expected = line->n && span_is(line->word[line->n - 1], "refused");

    if (expected)
        return err != 0 || trouble(s, "it was not refused");
    return err == 0 || trouble(s, "%s", f->text);
}

static bool play_list(struct scenario *s, struct line *line, enum exempt why)
{
    struct network networks[WORDS];
    size_t n = 0;
    struct fault f;

    while (line->at < line->n)
        networks[n++] = network_from(s, next(line));
    return guard_set_exempt(s->guard, s->now, why, networks, n, &f) == 0 ||
           trouble(s, "%s", f.text);
}

static bool play_canaries(struct scenario *s, struct line *line)
{
    struct guard_account canaries[WORDS];
    size_t n = 0;

    while (line->at < line->n)
        canaries[n++] = (struct guard_account){1, next(line)};
    return guard_set_canaries(s->guard, canaries, n, NULL) == 0;
}

static bool play_act(struct scenario *s, struct line *line, struct span what)
{
    struct span word = next(line);
    struct network network;
    struct fault f;
    int err;

    if (span_is(what, "unlock"))
        return refused(s, line, guard_unlock(s->guard, s->now, 1, word, &f), &f);
    if (span_is(what, "forget")) {
        bool one = next_is(line, "from");

        network = one ? network_from(s, next(line)) : (struct network){0};
        return refused(s, line,
                       guard_forget_good(s->guard, s->now, 1, word, one ? &network : NULL, &f), &f);
    }
    network = network_from(s, word);
    if (span_is(what, "adopt") || span_is(what, "adopt-quench"))
        err = guard_adopt(s->guard, s->now, &network, span_is(what, "adopt-quench"),
                          (uint32_t)(duration_ns(next(line)) / SECOND_NS), &f);
    else if (span_is(what, "unban"))
        err = guard_unban(s->guard, s->now, &network, &f);
    else
        err = guard_ban(s->guard, s->now, &network, (uint32_t)(duration_ns(next(line)) / SECOND_NS),
                        0, &f);
    return refused(s, line, err, &f);
}

static bool play_switch(struct scenario *s, struct line *line)
{
    int64_t id = number(next(line), NULL);

    return guard_set_mode(s->guard, s->now, id,
                          next_is(line, "enforce") ? GUARD_ENFORCE : GUARD_OBSERVE, NULL) == 0;
}

/* ---- begin, restart, end ---- */

static bool begin(struct scenario *s)
{
    struct fault f;

    if (guard_new(&s->guard, &s->limits, key, s->now, add_event, s, &f) != 0)
        return trouble(s, "%s", f.text);
    guard_set_mode(s->guard, s->now, 1, GUARD_ENFORCE, NULL);
    guard_set_mode(s->guard, s->now, 2, GUARD_ENFORCE, NULL);
    return true;
}

static bool carry_over(struct guard *from, struct guard *to, struct instant then,
                       struct instant now)
{
    struct guard_count count;
    struct guard_pair pair;
    struct guard_lock lock;
    struct guard_ban ban;
    size_t cursor = 0;
    int err = 0;

    while (guard_next_pair(from, then, &cursor, &pair))
        err |= guard_restore_pair(to, now, &pair, NULL);
    for (cursor = 0; guard_next_ban(from, then, &cursor, &ban);)
        err |= guard_restore_ban(to, now, &ban, NULL);
    for (cursor = 0; guard_next_count(from, then, &cursor, &count);)
        err |= guard_restore_count(to, now, &count, NULL);
    for (cursor = 0; guard_next_lock(from, then, &cursor, &lock);)
        err |= guard_restore_lock(to, now, &lock, NULL);
    return err == 0;
}

/* "restart": the process; "reboot": the machine, whose boot clock begins again a minute ago. */
static bool play_restart(struct scenario *s, bool reboot)
{
    struct guard *old = s->guard;
    struct instant then = s->now;
    bool ok;

    if (reboot)
        s->now.boot_ns = 60 * SECOND_NS;
    ok = begin(s) && carry_over(old, s->guard, then, s->now);
    guard_free(old);
    return ok || trouble(s, "not all came back");
}

static bool play_limit(struct scenario *s, struct line *line)
{
    struct span name = next(line);
    struct guard_limit_info info;

    for (size_t i = 0; guard_limits_info(i, &info); i++)
        if (span_is(name, info.name)) {
            uint32_t value = (uint32_t)number(next(line), NULL);

            memcpy((char *)&s->limits + info.offset, &value, sizeof(value));
            guard_free(s->guard);
            s->guard = NULL;
            return begin(s);
        }
    return trouble(s, "there is no such limit");
}

static bool play_ignore(struct scenario *s, struct line *line)
{
    while (line->at < line->n) {
        struct span word = next(line);

        for (int i = 0; i < GUARD_EVENTS; i++)
            if (span_is(word, guard_event_name((enum guard_event_kind)i)))
                s->ignored |= 1u << i;
    }
    return true;
}

static bool play_clock(struct scenario *s, struct line *line)
{
    struct span how = (next(line), next(line)); /* "jumps" */
    int64_t ms = duration_ns(span_skip(how, 1)) / 1000000;

    s->now.wall_ms += how.p[0] == '-' ? -ms : ms;
    guard_tick(s->guard, s->now);
    return true;
}

static bool play_line(struct scenario *s, struct span text)
{
    struct line line = split(text);
    struct span what = next(&line);

    if (!line.n || what.p[0] == '#')
        return true;
    if (span_is(what, "attempt"))
        return play_attempt(s, text);
    if (span_is(what, "registers"))
        return play_registers(s, text);
    if (span_is(what, "vouch"))
        return play_vouch(s, &line);
    if (span_is(what, "time")) {
        next(&line); /* "passes" */
        time_passes(s, duration_ns(next(&line)));
        return true;
    }
    if (span_is(what, "clock"))
        return play_clock(s, &line);
    if (span_is(what, "expect"))
        return play_expect(s, &line);
    if (span_is(what, "dropped") || span_is(what, "good") || span_is(what, "refused") ||
        span_is(what, "state"))
        return play_question(s, &line, what);
    if (span_is(what, "why"))
        return play_why(s, &line);
    if (span_is(what, "ban") || span_is(what, "unban") || span_is(what, "unlock") ||
        span_is(what, "forget") || span_is(what, "adopt") || span_is(what, "adopt-quench"))
        return play_act(s, &line, what);
    if (span_is(what, "never-ban"))
        return play_list(s, &line, EXEMPT_NEVER_BAN);
    if (span_is(what, "trunk"))
        return play_list(s, &line, EXEMPT_TRUNK);
    if (span_is(what, "canary"))
        return play_canaries(s, &line);
    if (span_is(what, "switch"))
        return play_switch(s, &line);
    if (span_is(what, "limit"))
        return play_limit(s, &line);
    if (span_is(what, "ignore"))
        return play_ignore(s, &line);
    if (span_is(what, "restart") || span_is(what, "reboot"))
        return play_restart(s, span_is(what, "reboot"));
    return trouble(s, "no such word");
}

bool scenario_begin(struct scenario *s)
{
    guard_limits_default(&s->limits);
    s->limits.memory_mib = 4;
    /* 2026-11-24 00:00 UTC, a day after the machine started. */
    s->now = (struct instant){86400 * SECOND_NS, INT64_C(1795478400) * 1000};
    return begin(s);
}

bool scenario_line(struct scenario *s, struct span line)
{
    char because[400];

    if (play_line(s, line) && !s->trouble[0])
        return true;
    snprintf(because, sizeof(because), "%.390s", s->trouble);
    return trouble(s, "%.*s: %s", SPAN_FMT(line), because);
}

bool scenario_play(struct scenario *s, struct span lines)
{
    if (!scenario_begin(s))
        return false;
    while (lines.n)
        if (!scenario_line(s, span_cut(lines, '\n', &lines)))
            return false;
    return s->n == 0 || trouble(s, "at the end: %s", s->events[s->first].p);
}

void scenario_end(struct scenario *s)
{
    guard_free(s->guard);
    for (size_t i = 0; i < SCENARIO_EVENTS; i++)
        buf_free(&s->events[i]);
}
