/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/atlas_draw.h"

#include <stdlib.h>

#include "numbering/atlas_place.h"
#include "numbering/numbering.h"

/* ---- what numbers are ---- */

static bool is_number(const struct number *number, struct span dialled)
{
    switch (number->class) {
    case CLASS_EMERGENCY:
    case CLASS_NATIONAL:
    case CLASS_FREEPHONE:
    case CLASS_SHARED_COST:
    case CLASS_PREMIUM:
    case CLASS_SPECIAL:
    case CLASS_INTERNATIONAL:
        return number->kind != KIND_LOCAL && span_is(dialled, number->dialled);
    case CLASS_INTERNAL:
    case CLASS_FORWARDING:
    case CLASS_INVALID:
    case CLASS_INCOMPLETE:
    case CLASS_MALFORMED:
    case CLASS_UNKNOWN: return false;
    }
    return false;
}

/* Whether +cc and the digits lead to what has `dialled` as its canonical form. */
static bool look_up_plus(const struct site *site, struct span cc, struct span digits,
                         struct span dialled, struct number *out)
{
    char plus[NUMBER_BYTES_MAX] = "+";

    if (1 + cc.n + digits.n > sizeof(plus))
        return false;
    if (cc.n)
        memcpy(plus + 1, cc.p, cc.n);
    if (digits.n)
        memcpy(plus + 1 + cc.n, digits.p, digits.n);
    numbering_parse(site, (struct span){plus, 1 + cc.n + digits.n}, out);
    return is_number(out, dialled);
}

bool atlas_look_up(const struct site *site, struct span dialled, struct number *out)
{
    const struct plan *plan = site->plan;
    struct span access = span_of(plan->access);

    numbering_parse(site, dialled, out);
    if (is_number(out, dialled))
        return true;
    if (span_starts(dialled, access) &&
        look_up_plus(site, (struct span){NULL, 0}, span_skip(dialled, access.n), dialled, out))
        return true;
    return span_starts(dialled, plan->trunk) &&
           look_up_plus(site, plan->cc, span_skip(dialled, plan->trunk.n), dialled, out);
}

struct atlas_traits atlas_traits_of(const struct number *n)
{
    return (struct atlas_traits){n->class, n->kind, n->risk, n->country, n->open_ended};
}

static bool try_length(const struct atlas_place *at, struct span prefix, size_t length,
                       struct number *out)
{
    char digits[ATLAS_PREFIX_MAX + 1];

    memcpy(digits, prefix.p, prefix.n);
    for (const char *fill = at->carries && length > prefix.n ? "5270" : "5"; *fill; fill++) {
        memset(digits + prefix.n, *fill, length - prefix.n);
        if (atlas_look_up(at->site, (struct span){digits, length}, out))
            return true;
    }
    return false;
}

/* ---- drawing ---- */

struct drawing {
    struct atlas *atlas;
    struct fault *f;
    char path[ATLAS_PREFIX_MAX + 1];
};

static int add(struct drawing *d, struct span prefix, uint32_t lengths,
               const struct atlas_traits *traits)
{
    struct atlas *atlas = d->atlas;

    if (atlas->n == atlas->cap) {
        size_t cap = atlas->cap ? 2 * atlas->cap : 1024;
        struct atlas_region *more = reallocarray(atlas->regions, cap, sizeof(*more));

        if (!more)
            return fault_nomem(d->f);
        atlas->regions = more;
        atlas->cap = cap;
    }

    struct atlas_region *r = &atlas->regions[atlas->n++];

    *r = (struct atlas_region){.n = (uint8_t)prefix.n, .lengths = lengths, .traits = *traits};
    memcpy(r->prefix, prefix.p, prefix.n);
    return 0;
}

/* The regions at one prefix below which all is alike: one, or several by length. */
static int draw_alike(struct drawing *d, const struct atlas_place *at, struct span prefix,
                      uint32_t lengths)
{
    size_t first = d->atlas->n;
    struct number number;

    for (size_t length = prefix.n; length <= ATLAS_PREFIX_MAX; length++) {
        uint32_t bit = UINT32_C(1) << length;
        struct atlas_traits traits;
        size_t i = first;
        int rc;

        if (!(lengths & bit) || !try_length(at, prefix, length, &number))
            continue;
        traits = atlas_traits_of(&number);
        while (i < d->atlas->n && !atlas_traits_equal(&d->atlas->regions[i].traits, &traits))
            i++;
        if (i < d->atlas->n) {
            d->atlas->regions[i].lengths |= bit;
            continue;
        }
        rc = add(d, prefix, bit, &traits);
        if (rc)
            return rc;
    }
    return 0;
}

/* Regions [from, from + n) again, under another last key. */
static int draw_again(struct drawing *d, size_t from, size_t n, char key)
{
    for (size_t i = 0; i < n; i++) {
        struct atlas_region r = d->atlas->regions[from + i];
        int rc;

        r.prefix[r.n - 1] = key;
        rc = add(d, (struct span){r.prefix, r.n}, r.lengths, &r.traits);
        if (rc)
            return rc;
    }
    return 0;
}

static bool same_regions(const struct atlas *atlas, size_t a, size_t b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (atlas->regions[a + i].n != atlas->regions[b + i].n ||
            atlas->regions[a + i].lengths != atlas->regions[b + i].lengths ||
            !atlas_traits_equal(&atlas->regions[a + i].traits, &atlas->regions[b + i].traits))
            return false;
    return true;
}

/* Where the regions from `from` on are ten times the same, one below each digit, they are one below
 * the first `depth` keys. */
static void join(struct atlas *atlas, size_t from, size_t depth)
{
    size_t n = (atlas->n - from) / 10;

    if (n == 0 || atlas->n - from != 10 * n)
        return;
    for (size_t i = 0; i < n; i++)
        if (atlas->regions[from + i].n != depth + 1)
            return;
    for (size_t digit = 0; digit < 10; digit++)
        if (atlas->regions[from + digit * n].prefix[depth] != (char)('0' + digit) ||
            !same_regions(atlas, from, from + digit * n, n))
            return;
    atlas->n = from + n;
    for (size_t i = from; i < atlas->n; i++) {
        atlas->regions[i].n--;
        atlas->regions[i].prefix[depth] = '\0';
    }
}

/* A number that stands where others begin, and is like them, is of their region. */
static void unite(struct atlas *atlas, size_t alone, size_t from)
{
    struct atlas_region *r = &atlas->regions[alone];

    for (size_t i = from; i < atlas->n; i++) {
        if (atlas->regions[i].n != r->n ||
            !atlas_traits_equal(&atlas->regions[i].traits, &r->traits))
            continue;
        atlas->regions[i].lengths |= r->lengths;
        memmove(r, r + 1, (atlas->n - alone - 1) * sizeof(*r));
        atlas->n--;
        return;
    }
}

/* All below the first `depth` keys of the path, in the order of ASCII. */
static int draw(struct drawing *d, const struct atlas_place *at, size_t depth)
{
    static const char keys[] = "#*0123456789";
    struct atlas *atlas = d->atlas;
    size_t from = atlas->n, alike = 0, n_alike = 0;
    bool have_alike = false;
    int rc = 0;

    if (at->lengths & UINT32_C(1) << depth)
        rc = draw_alike(d, at, (struct span){d->path, depth}, UINT32_C(1) << depth);
    if (depth == ATLAS_PREFIX_MAX)
        return rc;
    bool alone = atlas->n > from;

    from = atlas->n;
    for (const char *key = keys; rc == 0 && *key; key++) {
        struct span path = {d->path, depth + 1};
        struct atlas_place next = *at;

        d->path[depth] = *key;
        atlas_place_step(&next, path);
        if (atlas_place_goes_on(&next, path)) {
            rc = draw(d, &next, depth + 1);
        } else if (have_alike) {
            rc = draw_again(d, alike, n_alike, *key);
        } else if (*key >= '0' && next.lengths >> depth > 1) {
            alike = atlas->n;
            rc = draw_alike(d, &next, path, next.lengths & ~((UINT32_C(2) << depth) - 1));
            n_alike = atlas->n - alike;
            have_alike = true;
        }
    }
    if (rc)
        return rc;
    join(atlas, from, depth);
    if (alone)
        unite(atlas, from - 1, from);
    return 0;
}

static bool has_operator(const struct site *site)
{
    const struct plan *plans[] = {site->any, site->plan};

    for (int p = 0; p < 2; p++)
        for (size_t i = 1; i < plans[p]->n_codes; i++)
            if (plans[p]->code[i].role == ROLE_OPERATOR)
                return true;
    return false;
}

/* Calls that an operator completes may go wherever a call by way of the access prefix may. Their region
 * goes before all others with that prefix. */
static int draw_operator(struct drawing *d)
{
    static const struct atlas_traits traits = {
        .class = CLASS_INTERNATIONAL, .kind = KIND_OPERATOR, .open_ended = true};
    struct atlas *atlas = d->atlas;
    struct span access = span_of(atlas->plain.plan->access);
    struct atlas_region last;
    size_t at = 0;
    int rc = add(d, access, UINT32_C(1) << access.n, &traits);

    if (rc)
        return rc;
    last = atlas->regions[atlas->n - 1];
    while (at < atlas->n - 1 && atlas_region_order(&atlas->regions[at], access) < 0)
        at++;
    memmove(&atlas->regions[at + 1], &atlas->regions[at], (atlas->n - 1 - at) * sizeof(last));
    atlas->regions[at] = last;
    return 0;
}

int atlas_draw(struct atlas *atlas, struct fault *f)
{
    struct drawing d = {.atlas = atlas, .f = f};
    struct atlas_place at;
    int rc;

    atlas_place_begin(&at, &atlas->plain);
    rc = draw(&d, &at, 0);
    if (rc)
        return rc;
    atlas->open_ended = has_operator(&atlas->plain);
    return atlas->open_ended ? draw_operator(&d) : 0;
}
