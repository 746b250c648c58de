/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/numbering.h"

#include "numbering/fold.h"
#include "numbering/resolve.h"
#include "numbering/understand.h"
#include "sip/uri.h"

/* A dialled string taken out of whatever it was wrapped in. */
struct taken {
    struct span user;    /* still escaped */
    struct span context; /* phone-context, p == NULL where there is none */
};

static bool find_context(struct span params, struct span *context)
{
    struct span name, value;

    while (uri_next_param(&params, &name, &value)) {
        if (memchr(name.p, '%', name.n))
            return false;
        if (!span_eq_nocase(name, SPAN("phone-context")))
            continue;
        if (context->p || !value.p)
            return false;
        *context = value;
    }
    return true;
}

/* "+81", "+1-212": the keys to join to; `out` stays as it is for a domain. False where it is neither. */
static bool read_context(struct span context, char *room, struct keys *out)
{
    if (context.p && context.n == 0)
        return false;
    if (context.n && context.p[0] == '+')
        return fold(context, false, room, out) && out->all.p[0] == '+';
    for (size_t i = 0; i < context.n; i++) {
        char c = context.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '.'))
            return false;
    }
    return true;
}

/* A bare "110;phone-context=+81": parameters are two letters or more and may not be taken for
 * pauses. */
static void cut_params(struct taken *t, struct span *params)
{
    struct span behind;
    struct span front = span_cut(t->user, ';', &behind);
    size_t n = 0;

    while (n < behind.n && ((behind.p[n] | 0x20) >= 'a' && (behind.p[n] | 0x20) <= 'z'))
        n++;
    if (n < 2)
        return;
    t->user = front;
    *params = behind;
}

static bool take(struct span dialled, struct taken *out)
{
    struct taken t = {dialled, {NULL, 0}};
    struct span params = {NULL, 0};
    struct name_addr a;

    if (memchr(dialled.p, '<', dialled.n) || uri_is(dialled)) {
        if (name_addr_parse(&a, dialled, NULL))
            return false;
        /* "sip:110" names a host, and a telephone that dials so means a number. */
        t.user = a.uri.user.p ? a.uri.user : a.uri.host;
        params = a.uri.user_params;
        if (!find_context(a.uri.params, &t.context))
            return false;
    } else {
        cut_params(&t, &params);
    }
    if (!find_context(params, &t.context))
        return false;
    *out = t;
    return true;
}

/* RFC 5031, RFC 8147 and IANA's registry of service URNs. */
static const char *const services[] = {
    "sos",        "sos.ambulance", "sos.animal-control", "sos.ecall.automatic", "sos.ecall.manual",
    "sos.fire",   "sos.gas",       "sos.marine",         "sos.mountain",        "sos.physician",
    "sos.poison", "sos.police",
};

static struct span urn_number(const struct plan *plan, struct span service)
{
    for (size_t i = 0; i < plan->n_urns; i++)
        if (span_eq_nocase(plan->urn[i].service, service))
            return plan->urn[i].number;
    if (!span_is(service, "sos"))
        return urn_number(plan, SPAN("sos"));
    return plan->first_emergency;
}

static bool is_urn(struct reading *r, struct span dialled)
{
    static const char prefix[] = "urn:service:";
    struct span service = span_skip(dialled, sizeof(prefix) - 1);

    if (dialled.n >= 2 && dialled.p[0] == '<' && dialled.p[dialled.n - 1] == '>')
        return is_urn(r, (struct span){dialled.p + 1, dialled.n - 2});
    if (!service.n || (dialled.p[0] | 0x20) != 'u' ||
        strncasecmp(dialled.p, prefix, sizeof(prefix) - 1) != 0)
        return false;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (!span_eq_nocase(service, span_of(services[i])))
            continue;
        reading_as(r, CLASS_EMERGENCY, KIND_NONE, urn_number(r->site->plan, service));
        return true;
    }
    return false;
}

static enum number_class malformed(struct reading *r)
{
    r->out->literal[0] = '\0';
    return reading_only(r, CLASS_MALFORMED);
}

/* What is meant by a number under a phone-context of E.164 digits. */
static enum number_class in_context(struct reading *r, struct span keys, struct span context)
{
    const struct plan *plan = r->site->plan;
    struct span digits = span_skip(context, 1);
    bool own = span_starts(digits, plan->cc);
    char joined[2 * NUMBER_BYTES_MAX];
    enum number_class class;

    /* Papua New Guinea goes abroad by 00 and has 000 for emergencies, at home. */
    if (keys.p[0] == '+' ||
        (span_starts(keys, span_of(plan->access)) && (own || !site_is_emergency(r->site, keys))))
        return understand(r, keys, MAY_ALL & ~(unsigned)MAY_EXTENSION);
    if (own && site_is_emergency(r->site, keys))
        return reading_as(r, CLASS_EMERGENCY, KIND_NONE, keys);
    memcpy(joined, digits.p, digits.n);
    memcpy(joined + digits.n, keys.p, keys.n);
    class = resolve_plus(r, (struct span){joined, digits.n + keys.n});
    if (reading_understood(r->out) || !own)
        return class;
    return understand(r, keys, MAY_ALL);
}

/* A short string before a pause was dialled to somebody nearer than the network: "0,010...". Only where
 * the whole is nothing is the rest asked. */
static enum number_class with_pause(struct reading *r, const struct keys *keys)
{
    struct span all = keys->all;
    enum number_class class = understand(r, all, MAY_ALL);

    if (reading_understood(r->out) || keys->pause == 0 || keys->pause > 2)
        return class;
    understand(r, span_skip(all, keys->pause), MAY_ALL & ~(unsigned)MAY_EXTENSION);
    return reading_understood(r->out) ? r->out->class : understand(r, all, MAY_ALL);
}

static bool has_inner_plus(struct span keys)
{
    return keys.n > 1 && memchr(keys.p + 1, '+', keys.n - 1);
}

/* What the user part and the context of a URI are made of, where they are not as they were dialled. */
struct room {
    char user[NUMBER_BYTES_MAX], context[NUMBER_BYTES_MAX];
};

static bool unescape(struct span s, char *room, struct span *out)
{
    size_t n = 0;

    *out = s;
    if (!s.n || !memchr(s.p, '%', s.n))
        return true;
    if (uri_unescape(s, room, &n))
        return false;
    *out = (struct span){room, n};
    return true;
}

/* The keys in whatever they are wrapped in, and those of their phone-context. False where there is no
 * number in it. */
static bool unwrap(const struct plan *plan, struct span dialled, struct room *room,
                   struct keys *keys, struct keys *context)
{
    struct span user, where;
    struct taken taken;

    return dialled.n && take(dialled, &taken) && unescape(taken.user, room->user, &user) &&
           unescape(taken.context, room->context, &where) &&
           fold(user, plan->letters, room->user, keys) &&
           read_context(where, room->context, context);
}

static enum number_class parse(struct reading *r, struct span dialled)
{
    struct keys keys = {dialled, 0}, context = {{NULL, 0}, 0};
    struct room room;

    if (!fold_is_plain(dialled)) {
        if (span_has_control(dialled))
            return malformed(r);
        dialled = span_trim(dialled);
        if (is_urn(r, dialled))
            return CLASS_EMERGENCY;
        if (!unwrap(r->site->plan, dialled, &room, &keys, &context))
            return malformed(r);
    }
    reading_put(r->out->literal, 0, keys.all);

    enum number_class class =
        context.all.n ? in_context(r, keys.all, context.all) : with_pause(r, &keys);

    if (class == CLASS_UNKNOWN && has_inner_plus(keys.all))
        return malformed(r);
    return class;
}

/* "+999...", of a code that is nobody's. */
static bool is_foreign_plus(const struct site *site, const struct number *out)
{
    return out->literal[0] == '+' && !span_starts(span_of(out->literal + 1), site->plan->cc);
}

void numbering_parse(const struct site *site, struct span dialled, struct number *out)
{
    struct reading r = {.site = site, .out = out, .places = READING_PLACES};

    out->target = malformed(&r);
    if (dialled.n && dialled.n <= NUMBER_BYTES_MAX)
        parse(&r, dialled);
    /* What was not read to the end is not known, whatever the last reading said. */
    if (r.places == 0 && out->class != CLASS_EMERGENCY)
        reading_only(&r, CLASS_UNKNOWN);
    out->presentation = r.presentation;
    out->abroad = r.abroad || out->target == CLASS_INTERNATIONAL || is_foreign_plus(site, out);
    if (out->class != CLASS_FORWARDING)
        out->target = out->class;
}

_Static_assert(NUMBER_E164_MAX - 1 >= 16, "bytes_length() looks at 16 bytes");

int numbering_dial(const struct site *site, const struct number *number, enum number_form form,
                   char out[NUMBER_DIGITS_MAX])
{
    const char *body = number->network;
    struct span prefix = {NULL, 0};
    size_t n;

    if (!reading_understood(number) || !body[0])
        return ERR_RANGE;
    if (form != FORM_DIALLED && number->e164[0] && !number->as_network)
        body = number->e164 + (form == FORM_E164);
    n = bytes_length(body);
    if (number->presentation != PRESENTATION_DEFAULT)
        prefix = span_of(understand_prefix(site, number->presentation));
    if (prefix.n + n >= NUMBER_DIGITS_MAX)
        return ERR_RANGE;
    reading_put(out, 0, prefix);
    reading_put(out, prefix.n, (struct span){body, n});
    return 0;
}
