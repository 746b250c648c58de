/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/resolve.h"

/* A national number of mobiles as the plan writes it, "0 11 15 ..." for "9 11 ...": by the longest area
 * code that takes the infix. Returns its length, 0 where it takes none. */
static size_t with_infix(const struct plan *plan, struct span nsn, char *to)
{
    const struct code *code = &plan->code[plan->infix];
    struct span rest = span_skip(nsn, code->put.n);

    if (!span_starts(nsn, code->put))
        return 0;
    for (size_t area = rest.n; area > 0; area--) {
        size_t at = plan->trunk.n + area, n = plan->trunk.n + rest.n + code->drop.n;

        if (at + code->drop.n > PLAN_SHAPE_MAX)
            continue;
        reading_put(to, 0, plan->trunk);
        reading_put(to, plan->trunk.n, (struct span){rest.p, area});
        reading_put(to, at, code->drop);

        uint16_t node = trie_find(&plan->trie, (struct span){to, at + code->drop.n});
        uint16_t there = plan->trie.nodes[node].value[PLAN_WHOLE];
        struct fit fit = {&plan->code[there], at + code->drop.n};

        if (!node || !there || fit.code->role != ROLE_INFIX || fit_length(&fit, n) != LENGTH_RIGHT)
            continue;
        reading_put(to, at + code->drop.n, span_skip(rest, area));
        return n;
    }
    return 0;
}

/* With the trunk prefix of a row whose shape names the numbers that it stands before. */
static size_t with_trunk(const struct plan *plan, struct span nsn, char *to)
{
    for (size_t i = 0; i < plan->n_trunks; i++) {
        const struct code *code = &plan->code[plan->trunks[i]];
        struct fit fit = {code, 0};
        uint16_t node = 0;

        reading_put(to, 0, code->drop);
        reading_put(to, code->drop.n, nsn);
        do
            node = trie_step(&plan->trie, node, to[fit.n++]);
        while (node && (fit.n <= code->drop.n ||
                        plan->trie.nodes[node].value[PLAN_WHOLE] != plan->trunks[i]));
        if (node && fit_length(&fit, code->drop.n + nsn.n) == LENGTH_RIGHT)
            return code->drop.n + nsn.n;
    }
    return 0;
}

/* Is the number never dialled with the trunk prefix? */
static bool is_kept(const struct reading *r, struct span nsn)
{
    struct fits fits;

    fits_find(r->site, nsn, &fits);
    for (size_t i = fits.n_whole; i-- > 0;)
        if (fits.whole[i].code->keep && fit_length(&fits.whole[i], nsn.n) == LENGTH_RIGHT)
            return true;
    return false;
}

/* Writes a national number as the plan dials it and returns its length. */
static size_t dial_home(const struct reading *r, struct span nsn, char *to)
{
    const struct plan *plan = r->site->plan;
    size_t n = with_trunk(plan, nsn, to);
    struct span trunk = plan->trunk;

    if (n)
        return n;
    if (plan->keeps && is_kept(r, nsn))
        trunk.n = 0;
    reading_put(to, 0, trunk);
    reading_put(to, trunk.n, nsn);
    return trunk.n + nsn.n;
}

/* The network is dialled an infix where the number takes one; rules are written without it. */
static void put_network(struct reading *r, struct span nsn, struct span home)
{
    const struct plan *plan = r->site->plan;

    if (!plan->infix || !with_infix(plan, nsn, r->out->network))
        reading_put(r->out->network, 0, home);
}

/* Whose number it is where the country code is not ours alone. */
static const struct country *whose(const struct reading *r, const char *e164)
{
    const struct plan *plan = r->site->plan;
    struct range_found found;

    if (plan->shares && ranges_find(r->site->ranges, span_of(e164 + 1), &found) == RANGE_VALID)
        return found.country;
    return plan->country;
}

enum number_class resolve_row(struct reading *r, const struct fit *fit, struct span canonical)
{
    const struct plan *plan = r->site->plan;
    struct span nsn = span_skip(canonical, plan->trunk.n);

    if (fit->code->class == CLASS_INVALID || fit->code->class == CLASS_UNKNOWN)
        return reading_only(r, fit->code->class);
    switch (fit_length(fit, canonical.n)) {
    case LENGTH_SHORT: return reading_only(r, CLASS_INCOMPLETE);
    case LENGTH_WRONG: return reading_only(r, CLASS_INVALID);
    case LENGTH_RIGHT: break;
    }
    if (1 + plan->cc.n + nsn.n >= NUMBER_E164_MAX)
        return reading_only(r, CLASS_INVALID);
    reading_as(r, fit->code->class, fit->code->kind, canonical);
    r->out->e164[0] = '+';
    reading_put(r->out->e164, 1, plan->cc);
    reading_put(r->out->e164, 1 + plan->cc.n, nsn);
    r->out->country = whose(r, r->out->e164);
    if (plan->keeps || plan->infix || plan->n_trunks) {
        dial_home(r, nsn, r->out->dialled);
        put_network(r, nsn, span_of(r->out->dialled));
    }
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
    case RANGE_SHORT: return reading_only(r, CLASS_INCOMPLETE);
    case RANGE_UNLISTED: return reading_only(r, CLASS_UNKNOWN);
    case RANGE_INVALID:
    case RANGE_VALID: break;
    }
    return reading_only(r, CLASS_INVALID);
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

/* The keys of the longest access prefix with which the string begins, 0 for none. */
static size_t access_of(const struct reading *r, struct span keys)
{
    struct fits fits;

    fits_find(r->site, keys, &fits);
    for (size_t i = fits.n_strip; i-- > 0;)
        if (fits.strip[i].code->role == ROLE_ACCESS)
            return fits.strip[i].n;
    return 0;
}

/* The E.164 number as it would be dialled by way of the access prefix. Where that would be read as a longer
 * one (in Bolivia 00 and +1 9... as 0019), the canonical prefix is dialled instead. */
static void write_abroad(struct reading *r, struct span access)
{
    struct span digits = span_of(r->out->e164 + 1);
    struct span canonical = span_of(r->site->plan->access);

    reading_put(r->out->dialled, 0, canonical);
    reading_put(r->out->dialled, canonical.n, digits);
    reading_put(r->out->network, 0, access);
    reading_put(r->out->network, access.n, digits);
    if (!span_eq(access, canonical) && access_of(r, span_of(r->out->network)) != access.n)
        reading_put(r->out->network, 0, span_of(r->out->dialled));
}

/* Would the network take the string for a call abroad, or one by way of a carrier? */
static bool leads_elsewhere(const struct reading *r, struct span keys)
{
    struct fits fits;

    fits_find(r->site, keys, &fits);
    for (size_t i = 0; i < fits.n_strip; i++)
        if (fits.strip[i].code->role == ROLE_ACCESS || fits.strip[i].code->role == ROLE_CARRIER)
            return true;
    return false;
}

/* A national number whose plan has no row for it: the world's tables know at least its country. One of
 * another country that shares our country code is foreign, although it is dialled like our own. */
static enum number_class by_ranges(struct reading *r, struct span nsn)
{
    const struct plan *plan = r->site->plan;
    char digits[NUMBER_DIGITS_MAX + 4], home[NUMBER_DIGITS_MAX + PLAN_PUT_MAX];
    struct range_found found;
    enum range_status status;

    reading_put(digits, 0, plan->cc);
    reading_put(digits, plan->cc.n, nsn);
    status = ranges_find(r->site->ranges, (struct span){digits, plan->cc.n + nsn.n}, &found);
    if (status != RANGE_VALID)
        return not_found(r, status);

    struct span rest = span_of(found.e164 + 1 + plan->cc.n);

    /* A trunk prefix behind the one that was dialled is no habit, but something else. */
    if (rest.n != nsn.n)
        return reading_only(r, CLASS_UNKNOWN);

    bool own = is_own(plan, &found);
    enum number_class class = own ? class_of_kind(found.kind) : CLASS_INTERNATIONAL;

    size_t n = dial_home(r, rest, home);

    if (leads_elsewhere(r, (struct span){home, n}))
        return reading_only(r, CLASS_UNKNOWN);
    reading_only(r, class);
    take_found(r, &found);
    if (own)
        reading_put(r->out->dialled, 0, (struct span){home, n});
    else
        write_abroad(r, (struct span){NULL, 0});
    put_network(r, rest, (struct span){home, n});
    return class;
}

enum number_class resolve_national(struct reading *r, struct span nsn)
{
    const struct plan *plan = r->site->plan;
    char canonical[NUMBER_DIGITS_MAX + 4];
    struct span whole = {canonical, plan->trunk.n + nsn.n};
    struct fits fits;

    if (!span_all_digits(nsn))
        return reading_only(r, CLASS_UNKNOWN);
    reading_put(canonical, 0, plan->trunk);
    reading_put(canonical, plan->trunk.n, nsn);
    fits_find(r->site, whole, &fits);
    for (size_t i = fits.n_whole; i-- > 0;)
        if (fits.whole[i].code->role == ROLE_NUMBER)
            return resolve_row(r, &fits.whole[i], whole);
    return by_ranges(r, nsn);
}

enum number_class resolve_abroad(struct reading *r, struct span digits, struct span access)
{
    const struct plan *plan = r->site->plan;
    struct range_found found;
    enum range_status status = ranges_find(r->site->ranges, digits, &found);

    r->abroad = true;
    if (status != RANGE_VALID)
        return not_found(r, status);

    bool home = span_starts(digits, plan->cc) && found.cc == plan->cc.n && is_own(plan, &found);

    if (home) {
        enum number_class class = resolve_national(r, span_of(found.e164 + 1 + found.cc));

        if (!reading_understood(r->out))
            return class;
    }
    reading_only(r, CLASS_INTERNATIONAL);
    take_found(r, &found);
    if (home)
        r->out->kind = KIND_HOME;
    write_abroad(r, access);
    return CLASS_INTERNATIONAL;
}

enum number_class resolve_plus(struct reading *r, struct span digits)
{
    const struct plan *plan = r->site->plan;
    struct range_found found;
    enum range_status status;

    if (!span_starts(digits, plan->cc))
        return resolve_abroad(r, digits, span_of(plan->access));

    struct span nsn = span_skip(digits, plan->cc.n);

    /* A gateway that writes every number of the house as E.164 writes emergency calls so, too. */
    if (site_is_emergency(r->site, nsn))
        return reading_as(r, CLASS_EMERGENCY, KIND_NONE, nsn);
    status = ranges_find(r->site->ranges, digits, &found);
    if (status != RANGE_VALID)
        return not_found(r, status);
    if (found.cc != plan->cc.n)
        return resolve_abroad(r, digits, span_of(plan->access));
    return resolve_national(r, span_of(found.e164 + 1 + found.cc));
}
