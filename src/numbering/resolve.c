/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/resolve.h"

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
    r->out->country = plan->country;
    r->out->e164[0] = '+';
    reading_put(r->out->e164, 1, plan->cc);
    reading_put(r->out->e164, 1 + plan->cc.n, nsn);
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

/* The E.164 number as it would be dialled by way of the access prefix. */
static void write_abroad(struct reading *r, struct span access)
{
    struct span digits = span_of(r->out->e164 + 1);
    struct span canonical = span_of(r->site->plan->access);

    reading_put(r->out->dialled, 0, canonical);
    reading_put(r->out->dialled, canonical.n, digits);
    reading_put(r->out->network, 0, access);
    reading_put(r->out->network, access.n, digits);
}

/* A national number whose plan has no row for it: the world's tables know at least its country. One of
 * another country that shares our country code is foreign, although it is dialled like our own. */
static enum number_class by_ranges(struct reading *r, struct span nsn)
{
    const struct plan *plan = r->site->plan;
    char digits[NUMBER_DIGITS_MAX + 4];
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

    reading_only(r, class);
    take_found(r, &found);
    if (!own)
        write_abroad(r, (struct span){NULL, 0});
    else
        reading_put(r->out->dialled, plan->trunk.n, rest);
    reading_put(r->out->network, plan->trunk.n, rest);
    if (plan->trunk.n) {
        memcpy(r->out->network, plan->trunk.p, plan->trunk.n);
        if (own)
            memcpy(r->out->dialled, plan->trunk.p, plan->trunk.n);
    }
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
