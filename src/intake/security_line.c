/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/security_line.h"

#define HEAD_MAX 256 /* bytes before the event */

static const struct span event_begins = SPAN("SecurityEvent=\"");

/* Takes `what` off the front of `in`. */
static bool take(struct span *in, struct span what)
{
    if (!span_starts(*in, what))
        return false;
    *in = span_skip(*in, what.n);
    return true;
}

/* The bytes of a colour's escape sequence at the front: ESC or syslog's #033, '[', digits, 'm'. */
static size_t colour_at(struct span s)
{
    struct span rest = s;

    if (!take(&rest, SPAN("\033[")) && !take(&rest, SPAN("#033[")))
        return 0;
    while (rest.n && ((rest.p[0] >= '0' && rest.p[0] <= '9') || rest.p[0] == ';'))
        rest = span_skip(rest, 1);
    return rest.n && rest.p[0] == 'm' ? s.n - rest.n + 1 : 0;
}

static struct span without_colours(struct span s, char out[HEAD_MAX])
{
    size_t n = 0;

    while (s.n) {
        size_t colour = colour_at(s);

        if (!colour)
            out[n++] = s.p[0];
        s = span_skip(s, colour ? colour : 1);
    }
    return (struct span){out, n};
}

/* "[4774]", "[4774][C-00000001]": the thread and the call. */
static bool take_thread(struct span *in)
{
    struct span inside, rest = *in;

    if (!take(&rest, SPAN("[")))
        return false;
    inside = span_cut(rest, ']', &rest);
    if (!rest.p || !inside.n || inside.n > 10)
        return false;
    for (size_t i = 0; i < inside.n; i++)
        if (inside.p[i] < '0' || inside.p[i] > '9')
            return false;
    if (take(&rest, SPAN("[C-"))) {
        span_cut(rest, ']', &rest);
        if (!rest.p)
            return false;
    }
    *in = rest;
    return true;
}

/* Whether `level` and its thread stand somewhere in the head; `rest` is what stands behind them. */
static bool has_level(struct span head, struct span level, struct span *rest)
{
    const char *at = head.n ? memmem(head.p, head.n, level.p, level.n) : NULL;

    if (!at)
        return false;
    *rest = span_skip(head, (size_t)(at - head.p) + level.n);
    return take_thread(rest);
}

static bool is_security_head(struct span head)
{
    char plain[HEAD_MAX];
    struct span rest;

    if (head.n > HEAD_MAX || memchr(head.p, '"', head.n))
        return false;
    if (memchr(head.p, '\033', head.n) || memchr(head.p, '#', head.n))
        head = without_colours(head, plain);
    if (!has_level(head, SPAN("SECURITY"), &rest))
        return false;
    take(&rest, SPAN(":"));
    return take(&rest, SPAN(" res_security_log.c")) && rest.n >= 2 &&
           memcmp(rest.p + rest.n - 2, ": ", 2) == 0;
}

static bool is_foreign(struct span line)
{
    static const struct span levels[] = {SPAN("NOTICE"),  SPAN("WARNING"), SPAN("ERROR"),
                                         SPAN("VERBOSE"), SPAN("DEBUG"),   SPAN("DTMF")};
    char plain[HEAD_MAX];
    struct span rest;

    if (line.n > HEAD_MAX)
        line.n = HEAD_MAX;
    if (line.n && (memchr(line.p, '\033', line.n) || memchr(line.p, '#', line.n)))
        line = without_colours(line, plain);
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (has_level(line, levels[i], &rest))
            return true;
    return false;
}

/* Finds the event behind its head, and takes the colours off its end. */
static enum security_reading find_event(struct span line, struct span *event)
{
    const char *at = line.n ? memmem(line.p, line.n, event_begins.p, event_begins.n) : NULL;
    struct span head;

    if (!at)
        return line.n && is_foreign(line) ? SECURITY_FOREIGN : SECURITY_NOT_EVENT;
    head = (struct span){line.p, (size_t)(at - line.p)};
    if (is_foreign(head))
        return SECURITY_FOREIGN;
    if (!is_security_head(head))
        return SECURITY_NOT_UNDERSTOOD;
    *event = span_skip(line, (size_t)(at - line.p));
    return SECURITY_HELD;
}

static struct span trim_end(struct span s)
{
    const char *last = s.n ? memrchr(s.p, '"', s.n) : NULL;
    struct span rest;

    if (!last)
        return s;
    rest = span_skip(s, (size_t)(last - s.p) + 1);
    while (rest.n) {
        size_t colour = rest.p[0] == ' ' ? 1 : colour_at(rest);

        if (!colour)
            return s;
        rest = span_skip(rest, colour);
    }
    return (struct span){s.p, (size_t)(last - s.p) + 1};
}

/* Takes `name="VALUE"`, whose value holds no quote. */
static bool take_value(struct span *in, struct span name, struct span *value)
{
    struct span rest = *in;

    if (!take(&rest, name))
        return false;
    *value = span_cut(rest, '"', &rest);
    if (!rest.p)
        return false;
    *in = rest;
    return true;
}

/* Asterisk's own words: from the event's name up to the first field that the peer fills. */
static bool take_front(struct span *in, struct security_fields *f)
{
    struct span name, time, severity, version;

    if (!take_value(in, event_begins, &name) || !take_value(in, SPAN(",EventTV=\""), &time) ||
        !take_value(in, SPAN(",Severity=\""), &severity) ||
        !take_value(in, SPAN(",Service=\""), &f->service) ||
        !take_value(in, SPAN(",EventVersion=\""), &version))
        return false;
    f->kind = security_kind(name);
    return f->kind && security_is_time(time) && security_is_severity(severity) &&
           security_is_service(f->service) && security_is_version(version);
}

/* Takes `,Name="VALUE"` off the end; the value holds no quote. */
static bool take_last(struct span *in, struct span *name, struct span *value)
{
    const char *open, *comma;
    size_t n = in->n;

    if (n < 5 || in->p[n - 1] != '"')
        return false;
    open = memrchr(in->p, '"', n - 1);
    if (!open || open == in->p || open[-1] != '=')
        return false;
    comma = memrchr(in->p, ',', (size_t)(open - in->p));
    if (!comma)
        return false;
    *name = (struct span){comma + 1, (size_t)(open - comma) - 2};
    *value = (struct span){open + 1, n - 2 - (size_t)(open - in->p)};
    in->n = (size_t)(comma - in->p);
    return true;
}

static bool has_name(const char *const *names, size_t max, struct span name)
{
    for (size_t i = 0; i < max && names[i]; i++)
        if (span_is(name, names[i]))
            return true;
    return false;
}

static bool may_follow(const struct security_kind *k, struct span name)
{
    return has_name(k->required, 4, name) || has_name(k->optional, 6, name);
}

/* Both addresses, off the end of what stands before `in`'s end. */
static bool take_addresses(struct span *in, struct security_fields *f)
{
    struct span rest = *in, name, local, remote;
    struct address address, source;
    enum transport by, transport;

    if (!take_last(&rest, &name, &remote) || !span_is(name, "RemoteAddress") ||
        !security_address(remote, &source, &transport) || !take_last(&rest, &name, &local) ||
        !span_is(name, "LocalAddress") || !security_address(local, &address, &by) || !rest.n ||
        rest.p[rest.n - 1] != '"')
        return false;
    f->source = source;
    f->transport = transport;
    *in = rest;
    return true;
}

/* Of an event that ends in Asterisk's words: fields without quotes, and before them the addresses. */
static bool end_plainly(struct span *in, struct security_fields *f)
{
    for (int i = 0; i < 6; i++) {
        struct span name, value, rest = *in;

        if (take_addresses(in, f))
            return true;
        if (!take_last(&rest, &name, &value) || !may_follow(f->kind, name))
            return false;
        if (span_is(name, "UsingPassword"))
            f->used_password = !span_is(value, "0");
        *in = rest;
    }
    return false;
}

/* Whether the last field is one that this event ends with. SIP's channels add nothing to a failed response. */
static bool ends_well(struct span in, const struct security_fields *f)
{
    const struct security_kind *k = f->kind;
    struct span name, value;
    size_t last = 0;

    if (!take_last(&in, &name, &value))
        return false;
    while (last < 3 && k->required[last + 1])
        last++;
    if (k->required[0] && span_is(name, k->required[last]))
        return true;
    return (!k->required[1] || !security_is_sip(f->service)) &&
           (has_name(k->optional, 6, name) || span_is(name, "RemoteAddress"));
}

/* Whether the response of a failed one, the last field but one, is a digest. */
static bool has_digest(struct span in)
{
    struct span name, value;

    return take_last(&in, &name, &value) && take_last(&in, &name, &value) &&
           span_is(name, "Response") && security_is_digest(value);
}

/* The places that could hold the addresses of an event that ends in what the peer sent. The first of them is
 * left in `in`, which ends before it, and in `f`; `*behind` is where its last ends. */
static unsigned find_places(struct span *in, struct security_fields *f, size_t *behind)
{
    struct span at = *in, found = {NULL, 0};
    unsigned places = 0;

    for (;;) {
        struct span before = at, following = {at.p + at.n, in->n - at.n}, name, rest;

        name = span_cut(following, '=', &rest);
        if ((!following.n || (take(&name, SPAN(",")) && may_follow(f->kind, name))) &&
            take_addresses(&before, f)) {
            if (!places++)
                *behind = at.n;
            found = before;
        }
        const char *quote = at.n > 1 ? memrchr(at.p, '"', at.n - 1) : NULL;
        if (!quote)
            break;
        at.n = (size_t)(quote - at.p) + 1;
    }
    *in = found;
    return places;
}

/* With more than one place there is no saying which. */
static bool end_anyhow(struct span *in, struct security_fields *f)
{
    unsigned places;
    size_t behind;

    if (!ends_well(*in, f))
        return false;
    places = find_places(in, f, &behind);
    if (places > 1) {
        f->source = (struct address){0};
        f->transport = TRANSPORT_UNKNOWN;
    }
    return places > 0;
}

/* What stands between: the peer's account and session. A name can be made shorter from inside, never
 * longer: it ends at the first thing that ends it. */
static bool take_middle(struct span in, struct security_fields *f)
{
    static const struct span session = SPAN("\",SessionID=\"");

    f->account = (struct span){NULL, 0};
    if (!f->kind->without_account) {
        const char *last, *end;

        if (!take(&in, SPAN(",AccountID=\"")) || !in.p || !in.n)
            return false;
        /* A line end can only be in the name, so the name goes on behind the last one. */
        last = memrchr(in.p, '\n', in.n);
        if (!last)
            last = in.p;
        end = memmem(last, in.n - (size_t)(last - in.p), session.p, session.n);
        if (!end)
            return false;
        f->account = (struct span){in.p, (size_t)(end - in.p)};
        in = span_skip(in, f->account.n + 1);
    }
    if (!take(&in, SPAN(",SessionID=\"")) || !in.n || in.p[in.n - 1] != '"')
        return false;
    in.n--;
    f->session = in;
    return true;
}

/* Line ends stand where a peer can have sent them: a short account, no session. */
static bool holds_line_ends_well(const struct security_fields *f)
{
    if (f->session.n && memchr(f->session.p, '\n', f->session.n))
        return false;
    return f->account.n <= SECURITY_ACCOUNT_MAX || !memchr(f->account.p, '\n', f->account.n);
}

/* SECURITY_HELD where the event does not end here, SECURITY_DROPPED where it ends as none can. */
static enum security_reading read_event(struct security_reader *r, struct span event,
                                        struct attempt *out)
{
    struct security_fields f = {.kind = NULL};
    struct span rest = trim_end(event), whole;

    if (!take_front(&rest, &f))
        return SECURITY_NOT_UNDERSTOOD;
    whole = rest;
    if (!(f.kind->hostile ? end_anyhow(&rest, &f) : end_plainly(&rest, &f)))
        return SECURITY_HELD;
    if (!take_middle(rest, &f) || !security_is_session(f.service, f.session) ||
        !holds_line_ends_well(&f))
        return SECURITY_DROPPED;
    if (span_is(f.service, "PJSIP") && f.kind->required[1] && !has_digest(whole))
        r->odd = true;
    return security_attempt(&r->echoes, &f, out);
}

/* Whether a line end right behind what is open can be the peer's: in his account, or behind the addresses. */
static bool can_go_on(struct span open)
{
    struct security_fields f = {.kind = NULL};
    struct span rest = open;
    size_t behind;

    if (!take_front(&rest, &f))
        return false;
    if (take(&rest, SPAN(",AccountID=\"")) && rest.n <= SECURITY_ACCOUNT_MAX)
        return true;
    rest = open;
    return f.kind->hostile && find_places(&rest, &f, &behind) &&
           open.n - behind <= SECURITY_SPLIT_MAX;
}

static void give_up(struct security_reader *r)
{
    r->lost += r->first > 0;
    r->first = 0;
}

static enum security_reading open_event(struct security_reader *r, struct span event)
{
    r->split++;
    if (!can_go_on(event)) {
        r->lost++;
        return SECURITY_NOT_UNDERSTOOD;
    }
    buf_clear(&r->open);
    buf_add(&r->open, event);
    r->first = r->open.failed ? 0 : event.n;
    return r->first ? SECURITY_HELD : SECURITY_DROPPED;
}

static enum security_reading read_line(struct security_reader *r, struct span line,
                                       struct attempt *out)
{
    struct span event;
    enum security_reading reading = find_event(line, &event);

    if (reading == SECURITY_HELD)
        reading = read_event(r, event, out);
    return reading == SECURITY_HELD ? open_event(r, event) : reading;
}

/* The rest of a split event comes in. */
static enum security_reading go_on(struct security_reader *r, struct span line, struct attempt *out)
{
    enum security_reading reading = SECURITY_DROPPED;

    buf_putc(&r->open, '\n');
    buf_add(&r->open, line);
    if (!r->open.failed)
        reading = read_event(r, buf_span(&r->open), out);
    if (reading == SECURITY_HELD && can_go_on(buf_span(&r->open)))
        return SECURITY_HELD;
    if (reading == SECURITY_ATTEMPT || reading == SECURITY_NOTHING) {
        r->first = 0;
        return reading;
    }
    give_up(r);
    return read_line(r, line, out);
}

/*
 * An event whose response is no digest may have been made to end where it does. A whole line does not fit behind
 * such an end in the response; behind one in the nonce it does, but not without the rest of that one before it,
 * which looks like no line: by that it shows.
 */
static bool is_distrusted(struct security_reader *r, struct span line)
{
    struct span event;

    if (r->odd && !r->first && find_event(line, &event) != SECURITY_HELD)
        r->distrust = SECURITY_SPLIT_MAX;
    r->odd = false;
    if (!r->distrust)
        return false;
    r->distrust -= line.n + 1 < r->distrust ? line.n + 1 : r->distrust;
    return true;
}

enum security_reading security_line_read(struct security_reader *r, struct span line,
                                         struct attempt *out)
{
    if (is_distrusted(r, line)) {
        give_up(r);
        return SECURITY_DROPPED;
    }
    return r->first ? go_on(r, line, out) : read_line(r, line, out);
}

void security_line_gap(struct security_reader *r)
{
    give_up(r);
    r->distrust = 0;
    r->odd = false;
}

void security_reader_free(struct security_reader *r)
{
    buf_free(&r->open);
    r->first = 0;
}
