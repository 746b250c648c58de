/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/understand.h"

#include "numbering/fits.h"
#include "numbering/resolve.h"

/* Which caller ID is asked for where two prefixes disagree: the one that tells less. */
static enum number_presentation both(enum number_presentation a, enum number_presentation b)
{
    if (a == PRESENTATION_WITHHOLD || b == PRESENTATION_DEFAULT)
        return a;
    return b;
}

static enum number_class behind_prefix(struct reading *r, const struct fit *fit, struct span rest,
                                       unsigned may)
{
    enum number_presentation before = r->presentation;
    enum number_class class;

    r->presentation = both(before, fit->code->presentation);
    class = understand(r, rest, may & ~(unsigned)MAY_EXTENSION);
    if (!reading_understood(r->out))
        r->presentation = before;
    return class;
}

/* All keys are a number that a row of the plan describes whole. */
static bool is_number(struct reading *r, struct span keys)
{
    struct fits fits;

    fits_find(r->site, keys, &fits);
    for (size_t i = fits.n_whole; i-- > 0;) {
        if (fits.whole[i].code->role != ROLE_NUMBER || !span_all_digits(keys))
            continue;
        resolve_row(r, &fits.whole[i], keys);
        return reading_understood(r->out);
    }
    return false;
}

/* The code has a length of its own where its shape would be too many nodes. Where the trunk prefix may be
 * missing behind it, it may itself be the beginning of a number. */
static enum number_class behind_carrier(struct reading *r, const struct fit *fit, struct span keys)
{
    size_t n = fit->code->lengths ? (size_t)__builtin_ctz(fit->code->lengths) : fit->n;

    if (keys.n < n)
        return reading_only(r, CLASS_INCOMPLETE);

    struct span rest = span_skip(keys, n);
    enum number_class class;

    if (fit->code->area && is_number(r, keys))
        return r->out->class;
    class = understand(r, rest, NEED_TRUNK);
    if (reading_understood(r->out) || !fit->code->area || r->abroad)
        return class;
    resolve_national(r, rest);
    return reading_understood(r->out) ? r->out->class : reading_only(r, class);
}

/* Puts `code` before what the network is dialled, and `mark` behind it. */
static void enclose(struct reading *r, struct span code, const char *again, char mark)
{
    char inner[NUMBER_DIGITS_MAX];
    struct span middle = span_of(r->out->network), prefix = span_of(again);

    memcpy(inner, middle.p, middle.n + 1);
    if (!middle.n || code.n + prefix.n + middle.n + 2 > NUMBER_DIGITS_MAX) {
        r->out->network[0] = '\0';
        return;
    }
    reading_put(r->out->network, 0, code);
    reading_put(r->out->network, code.n, prefix);
    reading_put(r->out->network, code.n + prefix.n, (struct span){inner, middle.n});
    if (mark)
        reading_put(r->out->network, code.n + prefix.n + middle.n, (struct span){&mark, 1});
    r->out->as_network = true;
}

const char *understand_prefix(const struct site *site, enum number_presentation presentation)
{
    switch (presentation) {
    case PRESENTATION_DEFAULT: return "";
    case PRESENTATION_WITHHOLD:
        return site->plan->withhold[0] ? site->plan->withhold : site->any->withhold;
    case PRESENTATION_SEND: return site->plan->send[0] ? site->plan->send : site->any->send;
    }
    return "";
}

/* Whatever the target is, the call programs a forwarding; the target's reading stays in `out`. */
static enum number_class forwarding(struct reading *r, const struct fit *fit, struct span keys)
{
    struct span code = {keys.p, fit->n}, target = span_skip(keys, fit->n);
    enum number_presentation before = r->presentation;
    size_t n = 0;

    while (fit->code->closing && n < target.n && target.p[n] != '*' && target.p[n] != '#')
        n++;
    if (fit->code->closing)
        target.n = n;
    r->presentation = PRESENTATION_DEFAULT;
    r->out->target = understand(r, target, MAY_EXTENSION | MAY_OUTSIDE | MAY_CARRIER);
    if (reading_understood(r->out))
        enclose(r, code, understand_prefix(r->site, r->presentation), fit->code->closing);
    else
        r->out->network[0] = '\0';
    r->presentation = before;
    r->out->class = CLASS_FORWARDING;
    return CLASS_FORWARDING;
}

/* The call goes to the number behind the code, and is judged as such; an emergency number there is
 * not reached like one. */
static enum number_class relayed(struct reading *r, const struct fit *fit, struct span keys)
{
    struct span rest = span_skip(keys, fit->n);
    enum number_class class;

    if (rest.n == 0)
        return reading_as(r, fit->code->class, fit->code->kind, keys);
    class = understand(r, rest, MAY_CARRIER);
    if (!reading_understood(r->out) || class == CLASS_EMERGENCY)
        return reading_only(r, CLASS_UNKNOWN);
    enclose(r, (struct span){keys.p, fit->n}, "", '\0');
    return class;
}

static enum number_class by_operator(struct reading *r, const struct fit *fit, struct span keys)
{
    if (!span_all_digits(keys) || fit_length(fit, keys.n) == LENGTH_WRONG)
        return reading_only(r, CLASS_UNKNOWN);
    reading_as(r, CLASS_INTERNATIONAL, KIND_OPERATOR, span_of(r->site->plan->access));
    reading_put(r->out->network, 0, keys);
    r->out->open_ended = true;
    r->out->as_network = true;
    return CLASS_INTERNATIONAL;
}

static bool may_strip(enum code_role role, unsigned may)
{
    switch (role) {
    case ROLE_ACCESS:
    case ROLE_PREFIX: return true;
    case ROLE_CARRIER: return may & MAY_CARRIER;
    case ROLE_FORWARD: return may & MAY_FORWARD;
    case ROLE_RELAY: return may & MAY_RELAY;
    case ROLE_OPERATOR: return !(may & NEED_TRUNK);
    case ROLE_NUMBER:
    case ROLE_SHORT:
    case ROLE_LOCAL:
    case ROLE_NSN:
    case ROLE_TRUNK:
    case ROLE_INFIX: return false;
    }
    return false;
}

static enum number_class strip(struct reading *r, const struct fit *fit, struct span keys,
                               unsigned may)
{
    struct span rest = span_skip(keys, fit->n);

    switch (fit->code->role) {
    case ROLE_ACCESS: return resolve_abroad(r, rest, (struct span){keys.p, fit->n});
    case ROLE_CARRIER: return behind_carrier(r, fit, keys);
    case ROLE_PREFIX: return behind_prefix(r, fit, rest, may);
    case ROLE_FORWARD: return forwarding(r, fit, keys);
    case ROLE_RELAY: return relayed(r, fit, keys);
    case ROLE_OPERATOR: return by_operator(r, fit, keys);
    case ROLE_NUMBER:
    case ROLE_SHORT:
    case ROLE_LOCAL:
    case ROLE_NSN:
    case ROLE_TRUNK:
    case ROLE_INFIX: break;
    }
    return reading_only(r, CLASS_UNKNOWN);
}

/* A number without area code. With one configured, or only one there is, it is as if that had been
 * dialled, too. */
static enum number_class local(struct reading *r, const struct code *code, struct span keys)
{
    const struct site *site = r->site;
    struct span area = site->area, trunk = site->plan->trunk;
    char whole[NUMBER_DIGITS_MAX];

    if (area.n == 0)
        area = code->put;
    else if (span_starts(area, trunk))
        area = span_skip(area, trunk.n);
    if (area.n == 0) {
        reading_as(r, CLASS_NATIONAL, KIND_LOCAL, keys);
        r->out->network[0] = '\0';
        return CLASS_NATIONAL;
    }
    reading_put(whole, 0, area);
    reading_put(whole, area.n, keys);
    return resolve_national(r, (struct span){whole, area.n + keys.n});
}

/* Trunk prefix, area code and, behind it, what the national number does not have there. */
static enum number_class infixed(struct reading *r, const struct fit *fit, struct span keys)
{
    struct span put = fit->code->put, area = {keys.p, fit->n - fit->code->drop.n};
    struct span rest = span_skip(keys, fit->n), trunk = r->site->plan->trunk;
    char nsn[NUMBER_DIGITS_MAX + PLAN_PUT_MAX];

    if (span_starts(area, trunk))
        area = span_skip(area, trunk.n);
    reading_put(nsn, 0, put);
    reading_put(nsn, put.n, area);
    reading_put(nsn, put.n + area.n, rest);
    return resolve_national(r, (struct span){nsn, put.n + area.n + rest.n});
}

/* Behind a service that takes a number (114, 141) stands one of the own country, or none. */
static bool carries_abroad(struct reading *r, struct span rest)
{
    enum number_presentation presentation = r->presentation;
    bool before = r->abroad, abroad;

    if (rest.n == 0)
        return false;
    r->abroad = false;
    abroad = understand(r, rest, MAY_CARRIER) == CLASS_INTERNATIONAL || r->abroad;
    r->abroad = before;
    r->presentation = presentation;
    return abroad;
}

/* A code that takes all keys or none. */
static enum number_class whole(struct reading *r, const struct fit *fit, struct span keys)
{
    enum code_role role = fit->code->role;

    if (!span_all_digits(span_skip(keys, fit->n)))
        return reading_only(r, CLASS_UNKNOWN);
    if (role == ROLE_NUMBER)
        return resolve_row(r, fit, keys);
    switch (fit_length(fit, keys.n)) {
    case LENGTH_WRONG: return reading_only(r, CLASS_UNKNOWN);
    case LENGTH_SHORT:
        return reading_only(r, role == ROLE_SHORT ? CLASS_INCOMPLETE : CLASS_UNKNOWN);
    case LENGTH_RIGHT: break;
    }
    if (role == ROLE_LOCAL)
        return local(r, fit->code, keys);
    if (role == ROLE_NSN)
        return resolve_national(r, keys);
    if (role == ROLE_TRUNK)
        return resolve_national(r, span_skip(keys, fit->code->drop.n));
    if (role == ROLE_INFIX)
        return infixed(r, fit, keys);
    if (fit->code->class == CLASS_INVALID || fit->code->class == CLASS_UNKNOWN)
        return reading_only(r, fit->code->class);
    if (fit->code->class == CLASS_SPECIAL && carries_abroad(r, span_skip(keys, fit->n)))
        return reading_only(r, CLASS_UNKNOWN);
    return reading_as(r, fit->code->class, fit->code->kind, keys);
}

/* The first reading that failed says why, unless it only said that it knew nothing. */
static void remember(enum number_class *why, enum number_class class)
{
    if (*why == CLASS_UNKNOWN)
        *why = class;
}

/* What no reading could understand. Of what is national only a local number without its area comes here,
 * from behind a code. */
static enum number_class not_understood(struct reading *r, enum number_class why)
{
    reading_only(r, why);
    if (why == CLASS_NATIONAL)
        r->out->kind = KIND_LOCAL;
    return why;
}

/* May the row be asked about a whole number here? One that is no longer than an access prefix may
 * not: what leaves the country must not come back as something else. */
static bool may_be_whole(const struct fit *fit, unsigned may, size_t access)
{
    if (fit->n <= access)
        return false;
    if (may & NEED_TRUNK)
        return fit->code->role == ROLE_NUMBER;
    return fit->code->role != ROLE_LOCAL || !(may & NOT_LOCAL);
}

/* All keys as one number: by the longest row of each role, or by the world's tables where the plan
 * has no row for it. */
static enum number_class whole_number(struct reading *r, const struct fits *fits, struct span keys,
                                      unsigned may, size_t access)
{
    /* The other roles only say how a number is dialled, and a shorter row or none may say more. */
    const unsigned says_what = 1u << ROLE_NUMBER | 1u << ROLE_SHORT;
    enum number_class why = CLASS_UNKNOWN;
    unsigned failed = 0;

    for (size_t i = fits->n_whole; i-- > 0;) {
        const struct fit *fit = &fits->whole[i];
        unsigned role = 1u << fit->code->role;

        if (failed & role || !may_be_whole(fit, may, access))
            continue;
        enum number_class class = whole(r, fit, keys);

        if (reading_understood(r->out) || r->out->kind == KIND_LOCAL)
            return class;
        failed |= role & says_what;
        remember(&why, class);
        /* The row says so itself. */
        if (fit->code->class == CLASS_INVALID || fit->code->class == CLASS_UNKNOWN)
            break;
    }
    if (failed || access || !span_starts(keys, r->site->plan->trunk))
        return reading_only(r, why);
    return resolve_national(r, span_skip(keys, r->site->plan->trunk.n));
}

/* Is what may be a forwarding an emergency call behind one of the first n codes? *67*67911 hides the
 * caller twice, or forwards to 67911; who calls 911 must not be told that all is set. */
static bool asks_for_help(struct reading *r, const struct fits *fits, size_t n, struct span keys,
                          unsigned may)
{
    enum number_presentation before = r->presentation;

    while (n-- > 0) {
        if (fits->strip[n].code->role != ROLE_PREFIX)
            continue;
        if (strip(r, &fits->strip[n], keys, may) == CLASS_EMERGENCY)
            return true;
        r->presentation = before;
    }
    return false;
}

/* What stands before a number, the longest shape first. Returns the class and sets `access` where a
 * reading left the country: to the length of the access prefix, or to everything where that stood
 * behind another code. Surplus digits that a foreign network would ignore must not turn 0066-010-...
 * into a service of 0066. */
static enum number_class stripped(struct reading *r, const struct fits *fits, struct span keys,
                                  unsigned may, size_t *access)
{
    const struct fit *forward = NULL;
    enum number_class why = CLASS_UNKNOWN;

    for (size_t i = fits->n_strip; i-- > 0;) {
        const struct fit *fit = &fits->strip[i];
        bool is_access = fit->code->role == ROLE_ACCESS;

        if (!may_strip(fit->code->role, may) || (*access && !is_access))
            continue;
        enum number_class class = strip(r, fit, keys, may);

        if (class == CLASS_FORWARDING && reading_understood(r->out))
            return asks_for_help(r, fits, i, keys, may) ? CLASS_EMERGENCY
                                                        : strip(r, fit, keys, may);
        if (reading_understood(r->out))
            return class;
        /* A forwarding to nowhere may be something else yet: *67*31#110 hides the caller twice. */
        if (class == CLASS_FORWARDING && !forward)
            forward = fit;
        remember(&why, class);
        if (r->abroad && !*access)
            *access = is_access ? fit->n : keys.n;
    }
    return forward ? strip(r, forward, keys, may) : not_understood(r, why);
}

/* Steps 7 to 9 at one place. */
static enum number_class network_side(struct reading *r, struct span keys, unsigned may)
{
    bool before = r->abroad, needs_trunk = may & NEED_TRUNK;
    enum number_class why, class;
    size_t access = 0;
    struct fits fits;

    if (keys.p[0] == '+')
        return resolve_plus(r, span_skip(keys, 1));
    fits_find(r->site, keys, &fits);
    r->abroad = false;
    why = stripped(r, &fits, keys, may, &access);
    r->abroad = r->abroad || before;
    if (reading_understood(r->out) || why == CLASS_FORWARDING)
        return why;
    if (!needs_trunk || span_starts(keys, r->site->plan->trunk)) {
        class = whole_number(r, &fits, keys, may, access);
        if (reading_understood(r->out) || r->out->kind == KIND_LOCAL)
            return class;
        remember(&why, class);
        if (fits.begins)
            return reading_only(r, CLASS_INCOMPLETE);
    }
    /* Behind a carrier an impossible national number may have been meant for anything. */
    if (needs_trunk && why == CLASS_INVALID && !access)
        return reading_only(r, CLASS_UNKNOWN);
    return not_understood(r, why);
}

/* An extension stands only where the same keys do not reach an emergency number through prefixes. */
static enum number_class internal(struct reading *r, struct span keys, unsigned may)
{
    enum number_presentation before = r->presentation;

    if (understand(r, keys, may & ~(unsigned)MAY_EXTENSION) == CLASS_EMERGENCY)
        return CLASS_EMERGENCY;
    r->presentation = before;
    return reading_as(r, CLASS_INTERNAL, KIND_NONE, keys);
}

enum number_class understand(struct reading *r, struct span keys, unsigned may)
{
    struct span outside = r->site->outside;

    if (r->places == 0)
        return reading_only(r, CLASS_UNKNOWN);
    r->places--;
    if (keys.n == 0)
        return reading_only(r, CLASS_INCOMPLETE);
    if (site_is_emergency(r->site, keys))
        return reading_as(r, CLASS_EMERGENCY, KIND_NONE, keys);
    if ((may & MAY_EXTENSION) && site_is_extension(r->site, keys))
        return internal(r, keys, may);
    may &= ~(unsigned)MAY_EXTENSION;
    if (!(may & MAY_OUTSIDE) || outside.n == 0 || !span_starts(keys, outside))
        return network_side(r, keys, may);

    unsigned inside = may & ~(unsigned)MAY_OUTSIDE;
    struct span rest = span_skip(keys, outside.n);
    enum number_class class = understand(r, rest, inside);

    if (reading_understood(r->out))
        return class;
    /* People leave the outside line out. */
    enum number_class direct = network_side(r, keys, may | NOT_LOCAL);

    if (reading_understood(r->out) || class == CLASS_UNKNOWN)
        return direct;
    return understand(r, rest, inside);
}
