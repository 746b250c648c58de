/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/understand.h"

/* A code of the plan and how many keys of the string fitted its shape. */
struct fit {
    const struct code *code;
    size_t n;
};

/* The shapes that fit the front of a string, the longest last. No code of a real plan is nearly so
 * long; a shape that is fits nothing. */
#define FITS_MAX 24
struct fits {
    struct fit strip[FITS_MAX], whole[FITS_MAX];
    size_t n_strip, n_whole;
    bool begins; /* the whole string is the beginning of a longer shape */
};

static void put(char *to, size_t at, struct span s)
{
    if (s.n)
        memcpy(to + at, s.p, s.n);
    to[at + s.n] = '\0';
}

static bool all_digits(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

bool understood(const struct number *number)
{
    switch (number->class) {
    case CLASS_EMERGENCY:
    case CLASS_INTERNAL:
    case CLASS_FREEPHONE:
    case CLASS_SHARED_COST:
    case CLASS_PREMIUM:
    case CLASS_SPECIAL:
    case CLASS_INTERNATIONAL: return true;
    case CLASS_FORWARDING: return number->network[0] != '\0';
    case CLASS_NATIONAL: return number->kind != KIND_LOCAL;
    case CLASS_INVALID:
    case CLASS_INCOMPLETE:
    case CLASS_MALFORMED:
    case CLASS_UNKNOWN: return false;
    }
    return false;
}

/* Nothing but the class. */
static enum number_class only(struct reading *r, enum number_class class)
{
    struct number *out = r->out;

    out->class = class;
    out->kind = KIND_NONE;
    out->risk = RISK_NONE;
    out->country = NULL;
    out->open_ended = false;
    out->as_network = false;
    out->e164[0] = out->dialled[0] = out->network[0] = '\0';
    return class;
}

enum number_class understand_as(struct reading *r, enum number_class class, enum number_kind kind,
                                struct span keys)
{
    only(r, class);
    r->out->kind = kind;
    put(r->out->dialled, 0, keys);
    put(r->out->network, 0, keys);
    return class;
}

bool is_emergency(const struct site *site, struct span keys)
{
    const struct trie *t = &site->plan->trie;

    return t->nodes[trie_find(t, keys)].value[PLAN_EMERGENCY] != 0;
}

static bool is_extension(const struct site *site, struct span keys)
{
    const struct trie *t = &site->extensions;

    return t->nodes && t->nodes[trie_find(t, keys)].value[0] != 0;
}

static void find_fits(const struct site *site, struct span keys, struct fits *found)
{
    const struct plan *plans[] = {site->any, site->plan};
    uint16_t node[] = {0, 0};
    size_t i;

    found->n_strip = found->n_whole = 0;
    found->begins = false;
    for (i = 0; i < keys.n && i < FITS_MAX / 2; i++) {
        for (int p = 0; p < 2; p++) {
            const struct trie *t = &plans[p]->trie;

            if (i > 0 && node[p] == 0)
                continue;
            node[p] = trie_step(t, node[p], keys.p[i]);

            const struct trie_node *at = &t->nodes[node[p]];

            if (node[p] && at->value[PLAN_STRIP])
                found->strip[found->n_strip++] =
                    (struct fit){&plans[p]->code[at->value[PLAN_STRIP]], i + 1};
            if (node[p] && at->value[PLAN_WHOLE])
                found->whole[found->n_whole++] =
                    (struct fit){&plans[p]->code[at->value[PLAN_WHOLE]], i + 1};
        }
        if (!node[0] && !node[1])
            return;
    }
    for (int p = 0; p < 2 && i == keys.n; p++)
        for (unsigned k = 0; node[p] && k < TRIE_KEYS; k++)
            found->begins = found->begins || plans[p]->trie.nodes[node[p]].child[k];
}

/* Is a string of n keys as long as the code says? A row without lengths is exactly its shape. */
enum length { LENGTH_SHORT, LENGTH_RIGHT, LENGTH_WRONG };

static enum length judge_length(const struct fit *fit, size_t n)
{
    uint32_t lengths = fit->code->lengths ? fit->code->lengths : UINT32_C(1) << fit->n;

    if (n >= 32)
        return LENGTH_WRONG;
    if (lengths & UINT32_C(1) << n)
        return LENGTH_RIGHT;
    return lengths >> n ? LENGTH_SHORT : LENGTH_WRONG;
}

/* A national number by the row of codes.tsv that it fits. `canonical` has the trunk prefix. */
static enum number_class by_row(struct reading *r, const struct fit *fit, struct span canonical)
{
    const struct plan *plan = r->site->plan;
    struct span nsn = span_skip(canonical, plan->trunk.n);

    if (fit->code->class == CLASS_INVALID || fit->code->class == CLASS_UNKNOWN)
        return only(r, fit->code->class);
    switch (judge_length(fit, canonical.n)) {
    case LENGTH_SHORT: return only(r, CLASS_INCOMPLETE);
    case LENGTH_WRONG: return only(r, CLASS_INVALID);
    case LENGTH_RIGHT: break;
    }
    if (1 + plan->cc.n + nsn.n >= NUMBER_E164_MAX)
        return only(r, CLASS_INVALID);
    understand_as(r, fit->code->class, fit->code->kind, canonical);
    r->out->country = plan->country;
    r->out->e164[0] = '+';
    put(r->out->e164, 1, plan->cc);
    put(r->out->e164, 1 + plan->cc.n, nsn);
    return fit->code->class;
}

/* The class of an own number whose plan has no row for it, by its kind in the world's tables. */
static enum number_class class_of_kind(enum number_kind kind)
{
    switch (kind) {
    case KIND_PREMIUM: return CLASS_PREMIUM;
    case KIND_SHARED_COST: return CLASS_SHARED_COST;
    case KIND_NONE:
    case KIND_GEOGRAPHIC:
    case KIND_MOBILE:
    case KIND_IP:
    case KIND_M2M:
    case KIND_LOCAL:
    case KIND_SATELLITE:
    case KIND_PERSONAL:
    case KIND_RISK:
    case KIND_OPERATOR:
    case KIND_HOME:
    case KIND_HELP: return CLASS_NATIONAL;
    }
    return CLASS_NATIONAL;
}

static enum number_class not_found(struct reading *r, enum range_status status)
{
    switch (status) {
    case RANGE_SHORT: return only(r, CLASS_INCOMPLETE);
    case RANGE_UNLISTED: return only(r, CLASS_UNKNOWN);
    case RANGE_INVALID:
    case RANGE_VALID: break;
    }
    return only(r, CLASS_INVALID);
}

static void take_found(struct reading *r, const struct range_found *found)
{
    r->out->country = found->country;
    r->out->kind = found->kind;
    r->out->risk = found->risk;
    memcpy(r->out->e164, found->e164, sizeof(found->e164));
}

/* Numbers of the own country, and services that belong to no country but to our country code. */
static bool is_own(const struct plan *plan, const struct range_found *found)
{
    return found->country == plan->country || strcmp(found->country->iso, "001") == 0;
}

/* The E.164 number as it would be dialled by way of the access prefix. */
static void write_abroad(struct reading *r, struct span access)
{
    struct span digits = span_of(r->out->e164 + 1);
    struct span canonical = span_of(r->site->plan->access);

    put(r->out->dialled, 0, canonical);
    put(r->out->dialled, canonical.n, digits);
    put(r->out->network, 0, access);
    put(r->out->network, access.n, digits);
}

/* A national number whose plan has no row for it: the world's tables know at least its country. One of
 * another country that shares our country code is foreign, although it is dialled like our own. */
static enum number_class by_ranges(struct reading *r, struct span nsn)
{
    const struct plan *plan = r->site->plan;
    char digits[NUMBER_DIGITS_MAX + 4];
    struct range_found found;
    enum range_status status;

    put(digits, 0, plan->cc);
    put(digits, plan->cc.n, nsn);
    status = ranges_find(r->site->ranges, (struct span){digits, plan->cc.n + nsn.n}, &found);
    if (status != RANGE_VALID)
        return not_found(r, status);

    struct span rest = span_of(found.e164 + 1 + plan->cc.n);

    /* A trunk prefix behind the one that was dialled is no habit, but something else. */
    if (rest.n != nsn.n)
        return only(r, CLASS_UNKNOWN);

    bool own = is_own(plan, &found);
    enum number_class class = own ? class_of_kind(found.kind) : CLASS_INTERNATIONAL;

    only(r, class);
    take_found(r, &found);
    if (!own)
        write_abroad(r, (struct span){NULL, 0});
    else
        put(r->out->dialled, plan->trunk.n, rest);
    put(r->out->network, plan->trunk.n, rest);
    if (plan->trunk.n) {
        memcpy(r->out->network, plan->trunk.p, plan->trunk.n);
        if (own)
            memcpy(r->out->dialled, plan->trunk.p, plan->trunk.n);
    }
    return class;
}

/* A national significant number of the own country code. */
static enum number_class national(struct reading *r, struct span nsn)
{
    const struct plan *plan = r->site->plan;
    char canonical[NUMBER_DIGITS_MAX + 4];
    struct span whole = {canonical, plan->trunk.n + nsn.n};
    struct fits fits;

    if (!all_digits(nsn))
        return only(r, CLASS_UNKNOWN);
    put(canonical, 0, plan->trunk);
    put(canonical, plan->trunk.n, nsn);
    find_fits(r->site, whole, &fits);
    for (size_t i = fits.n_whole; i-- > 0;)
        if (fits.whole[i].code->role == ROLE_NUMBER)
            return by_row(r, &fits.whole[i], whole);
    return by_ranges(r, nsn);
}

/* The country code and all behind it, reached by way of `access`. The own country is no less an
 * international call for being at home. */
static enum number_class abroad(struct reading *r, struct span digits, struct span access)
{
    const struct plan *plan = r->site->plan;
    struct range_found found;
    enum range_status status = ranges_find(r->site->ranges, digits, &found);

    r->abroad = true;
    if (status != RANGE_VALID)
        return not_found(r, status);

    bool home = span_starts(digits, plan->cc) && found.cc == plan->cc.n && is_own(plan, &found);

    if (home) {
        enum number_class class = national(r, span_of(found.e164 + 1 + found.cc));

        if (!understood(r->out))
            return class;
    }
    only(r, CLASS_INTERNATIONAL);
    take_found(r, &found);
    if (home)
        r->out->kind = KIND_HOME;
    write_abroad(r, access);
    return CLASS_INTERNATIONAL;
}

enum number_class understand_plus(struct reading *r, struct span digits)
{
    const struct plan *plan = r->site->plan;
    struct range_found found;
    enum range_status status;

    if (!span_starts(digits, plan->cc))
        return abroad(r, digits, span_of(plan->access));

    struct span nsn = span_skip(digits, plan->cc.n);

    /* A gateway that writes every number of the house as E.164 writes emergency calls so, too. */
    if (is_emergency(r->site, nsn))
        return understand_as(r, CLASS_EMERGENCY, KIND_NONE, nsn);
    status = ranges_find(r->site->ranges, digits, &found);
    if (status != RANGE_VALID)
        return not_found(r, status);
    if (found.cc != plan->cc.n)
        return abroad(r, digits, span_of(plan->access));
    return national(r, span_of(found.e164 + 1 + found.cc));
}

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
    if (!understood(r->out))
        r->presentation = before;
    return class;
}

/* The code has a length of its own where its shape would be too many nodes. */
static enum number_class behind_carrier(struct reading *r, const struct fit *fit, struct span keys)
{
    size_t n = fit->code->lengths ? (size_t)__builtin_ctz(fit->code->lengths) : fit->n;

    if (keys.n < n)
        return only(r, CLASS_INCOMPLETE);
    return understand(r, span_skip(keys, n), NEED_TRUNK);
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
    put(r->out->network, 0, code);
    put(r->out->network, code.n, prefix);
    put(r->out->network, code.n + prefix.n, (struct span){inner, middle.n});
    if (mark)
        put(r->out->network, code.n + prefix.n + middle.n, (struct span){&mark, 1});
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
    if (understood(r->out))
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
        return understand_as(r, fit->code->class, fit->code->kind, keys);
    class = understand(r, rest, MAY_CARRIER);
    if (!understood(r->out) || class == CLASS_EMERGENCY)
        return only(r, CLASS_UNKNOWN);
    enclose(r, (struct span){keys.p, fit->n}, "", '\0');
    return class;
}

static enum number_class operator(struct reading *r, const struct fit *fit, struct span keys) {
    if (!all_digits(keys) || judge_length(fit, keys.n) == LENGTH_WRONG) return only(r,
                                                                                    CLASS_UNKNOWN);
    understand_as(r, CLASS_INTERNATIONAL, KIND_OPERATOR, span_of(r->site->plan->access));
    put(r->out->network, 0, keys);
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
    case ROLE_NSN: return false;
    }
    return false;
}

static enum number_class strip(struct reading *r, const struct fit *fit, struct span keys,
                               unsigned may)
{
    struct span rest = span_skip(keys, fit->n);

    switch (fit->code->role) {
    case ROLE_ACCESS: return abroad(r, rest, (struct span){keys.p, fit->n});
    case ROLE_CARRIER: return behind_carrier(r, fit, keys);
    case ROLE_PREFIX: return behind_prefix(r, fit, rest, may);
    case ROLE_FORWARD: return forwarding(r, fit, keys);
    case ROLE_RELAY: return relayed(r, fit, keys);
    case ROLE_OPERATOR: return operator(r, fit, keys);
    case ROLE_NUMBER:
    case ROLE_SHORT:
    case ROLE_LOCAL:
    case ROLE_NSN: break;
    }
    return only(r, CLASS_UNKNOWN);
}

/* A number without area code. With one configured it is as if that had been dialled, too. */
static enum number_class local(struct reading *r, struct span keys)
{
    const struct site *site = r->site;
    char whole[NUMBER_DIGITS_MAX];

    if (site->area.n == 0) {
        understand_as(r, CLASS_NATIONAL, KIND_LOCAL, keys);
        r->out->network[0] = '\0';
        return CLASS_NATIONAL;
    }
    put(whole, 0, site->area);
    put(whole, site->area.n, keys);

    struct span full = {whole, site->area.n + keys.n};

    return national(r, span_starts(full, site->plan->trunk) ? span_skip(full, site->plan->trunk.n)
                                                            : full);
}

/* A code that takes all keys or none. */
static enum number_class whole(struct reading *r, const struct fit *fit, struct span keys)
{
    enum code_role role = fit->code->role;

    if (!all_digits(span_skip(keys, fit->n)))
        return only(r, CLASS_UNKNOWN);
    if (role == ROLE_NUMBER)
        return by_row(r, fit, keys);
    switch (judge_length(fit, keys.n)) {
    case LENGTH_WRONG: return only(r, CLASS_UNKNOWN);
    case LENGTH_SHORT: return only(r, role == ROLE_SHORT ? CLASS_INCOMPLETE : CLASS_UNKNOWN);
    case LENGTH_RIGHT: break;
    }
    if (role == ROLE_LOCAL)
        return local(r, keys);
    if (role == ROLE_NSN) {
        enum number_class class = national(r, keys);

        if (fit->code->keep && understood(r->out))
            put(r->out->network, 0, keys);
        return class;
    }
    if (fit->code->class == CLASS_INVALID || fit->code->class == CLASS_UNKNOWN)
        return only(r, fit->code->class);
    return understand_as(r, fit->code->class, fit->code->kind, keys);
}

/* The first reading that failed says why, unless it only said that it knew nothing. */
static void remember(enum number_class *why, enum number_class class)
{
    if (*why == CLASS_UNKNOWN)
        *why = class;
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
    enum number_class why = CLASS_UNKNOWN;
    unsigned failed = 0;

    for (size_t i = fits->n_whole; i-- > 0;) {
        const struct fit *fit = &fits->whole[i];
        unsigned role = 1u << fit->code->role;

        if (failed & role || !may_be_whole(fit, may, access))
            continue;
        enum number_class class = whole(r, fit, keys);

        if (understood(r->out) || r->out->kind == KIND_LOCAL)
            return class;
        failed |= role;
        remember(&why, class);
        /* The row says so itself. */
        if (fit->code->class == CLASS_INVALID || fit->code->class == CLASS_UNKNOWN)
            break;
    }
    if (failed || access || !span_starts(keys, r->site->plan->trunk))
        return only(r, why);
    return national(r, span_skip(keys, r->site->plan->trunk.n));
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

        if (understood(r->out))
            return class;
        /* A forwarding to nowhere may be something else yet: *67*31#110 hides the caller twice. */
        if (class == CLASS_FORWARDING && !forward)
            forward = fit;
        remember(&why, class);
        if (r->abroad && !*access)
            *access = is_access ? fit->n : keys.n;
    }
    return forward ? strip(r, forward, keys, may) : only(r, why);
}

/* Steps 7 to 9 at one place. */
static enum number_class network_side(struct reading *r, struct span keys, unsigned may)
{
    bool before = r->abroad, needs_trunk = may & NEED_TRUNK;
    enum number_class why, class;
    size_t access = 0;
    struct fits fits;

    if (keys.p[0] == '+')
        return understand_plus(r, span_skip(keys, 1));
    find_fits(r->site, keys, &fits);
    r->abroad = false;
    why = stripped(r, &fits, keys, may, &access);
    r->abroad = r->abroad || before;
    if (understood(r->out) || why == CLASS_FORWARDING)
        return why;
    if (!needs_trunk || span_starts(keys, r->site->plan->trunk)) {
        class = whole_number(r, &fits, keys, may, access);
        if (understood(r->out) || r->out->kind == KIND_LOCAL)
            return class;
        remember(&why, class);
        if (fits.begins)
            return only(r, CLASS_INCOMPLETE);
    }
    /* Behind a carrier an impossible national number may have been meant for anything. */
    if (needs_trunk && why == CLASS_INVALID && !access)
        return only(r, CLASS_UNKNOWN);
    return only(r, why);
}

/* An extension stands only where the same keys do not reach an emergency number through prefixes. */
static enum number_class internal(struct reading *r, struct span keys, unsigned may)
{
    enum number_presentation before = r->presentation;

    if (understand(r, keys, may & ~(unsigned)MAY_EXTENSION) == CLASS_EMERGENCY)
        return CLASS_EMERGENCY;
    r->presentation = before;
    return understand_as(r, CLASS_INTERNAL, KIND_NONE, keys);
}

enum number_class understand(struct reading *r, struct span keys, unsigned may)
{
    struct span outside = r->site->outside;

    if (keys.n == 0)
        return only(r, CLASS_INCOMPLETE);
    if (is_emergency(r->site, keys))
        return understand_as(r, CLASS_EMERGENCY, KIND_NONE, keys);
    if ((may & MAY_EXTENSION) && is_extension(r->site, keys))
        return internal(r, keys, may);
    may &= ~(unsigned)MAY_EXTENSION;
    if (!(may & MAY_OUTSIDE) || outside.n == 0 || !span_starts(keys, outside))
        return network_side(r, keys, may);

    unsigned inside = may & ~(unsigned)MAY_OUTSIDE;
    struct span rest = span_skip(keys, outside.n);
    enum number_class class = understand(r, rest, inside);

    if (understood(r->out))
        return class;
    /* People leave the outside line out. */
    enum number_class direct = network_side(r, keys, may | NOT_LOCAL);

    if (understood(r->out) || class == CLASS_UNKNOWN)
        return direct;
    return understand(r, rest, inside);
}
