/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/atlas.h"

#include <stdlib.h>

#include "numbering/atlas_draw.h"

int atlas_new(struct atlas **out, const struct site *site, struct fault *f)
{
    struct atlas *atlas = calloc(1, sizeof(*atlas));
    int rc;

    if (!atlas)
        return fault_nomem(f);
    atlas->plain = (struct site){.plan = site->plan, .any = site->any, .ranges = site->ranges};
    rc = atlas_draw(atlas, f);
    if (rc) {
        atlas_free(atlas);
        return rc;
    }
    *out = atlas;
    return 0;
}

void atlas_free(struct atlas *atlas)
{
    if (!atlas)
        return;
    free(atlas->regions);
    free(atlas);
}

/* ---- questions ---- */

size_t atlas_count(const struct atlas *atlas)
{
    return atlas->n;
}

const struct atlas_region *atlas_region(const struct atlas *atlas, size_t i)
{
    return &atlas->regions[i];
}

size_t atlas_below(const struct atlas *atlas, struct span prefix, size_t *n)
{
    size_t low = 0, high = atlas->n, first;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (atlas_region_order(&atlas->regions[middle], prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    first = low;
    for (high = atlas->n; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (atlas_region_order(&atlas->regions[middle], prefix) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    *n = low - first;
    return first;
}

const struct atlas_region *atlas_find(const struct atlas *atlas, struct span dialled)
{
    if (dialled.n > ATLAS_PREFIX_MAX)
        return NULL;
    for (struct span prefix = dialled;; prefix.n--) {
        size_t n, i = atlas_below(atlas, prefix, &n);

        for (; n > 0 && atlas->regions[i].n == prefix.n; i++, n--)
            if (atlas->regions[i].lengths & UINT32_C(1) << dialled.n)
                return &atlas->regions[i];
        if (prefix.n == 0)
            return NULL;
    }
}

bool atlas_has(const struct atlas *atlas, struct span prefix)
{
    size_t n, i;

    atlas_below(atlas, prefix, &n);
    for (struct span up = prefix; n == 0 && up.n-- > 0;) {
        i = atlas_below(atlas, up, &n);
        for (; n > 0 && atlas->regions[i].n == up.n; i++, n--)
            if (prefix.n <= ATLAS_PREFIX_MAX && atlas->regions[i].lengths >> prefix.n)
                return true;
        n = 0;
    }
    return n > 0;
}

static bool stands_before_a_number(const struct plan *plan, uint16_t node, bool canonical)
{
    uint16_t index = plan->trie.nodes[node].value[PLAN_STRIP];

    return index && !(canonical && plan->code[index].role == ROLE_ACCESS);
}

/* Whether a code that is stripped ends at the node or further on. */
static bool strips_below(const struct plan *plan, uint16_t node)
{
    if (plan->trie.nodes[node].value[PLAN_STRIP])
        return true;
    for (unsigned key = 0; key < TRIE_KEYS; key++)
        if (plan->trie.nodes[node].child[key] &&
            strips_below(plan, plan->trie.nodes[node].child[key]))
            return true;
    return false;
}

bool atlas_spells(const struct atlas *atlas, struct span prefix)
{
    const struct plan *plans[] = {atlas->plain.any, atlas->plain.plan};

    if (prefix.n && prefix.p[0] == '+')
        return true;
    for (int p = 0; p < 2; p++) {
        uint16_t node = 0;
        size_t i = 0;

        for (; i < prefix.n; i++) {
            struct span path = {prefix.p, i + 1};

            node = trie_step(&plans[p]->trie, node, prefix.p[i]);
            if (!node)
                break;
            if (stands_before_a_number(plans[p], node, span_eq(path, atlas_access(atlas))))
                return true;
        }
        if (i == prefix.n && strips_below(plans[p], node))
            return true;
    }
    return false;
}

bool atlas_open_ended(const struct atlas *atlas)
{
    return atlas->open_ended;
}

const struct country *atlas_country(const struct atlas *atlas)
{
    return atlas->plain.plan->country;
}

struct span atlas_access(const struct atlas *atlas)
{
    return span_of(atlas->plain.plan->access);
}

struct span atlas_cc(const struct atlas *atlas)
{
    return atlas->plain.plan->cc;
}

struct span atlas_trunk(const struct atlas *atlas)
{
    return atlas->plain.plan->trunk;
}

size_t atlas_calling_code(const struct atlas *atlas, struct span dialled)
{
    const struct ranges *ranges = atlas->plain.ranges;
    struct span access = atlas_access(atlas), digits = span_skip(dialled, access.n);
    uint16_t node = 0;
    size_t cc = 0;

    if (!span_starts(dialled, access))
        return 0;
    for (size_t i = 0; i < digits.n; i++) {
        node = trie_step(&ranges->trie, node, digits.p[i]);
        if (!node)
            break;
        if (ranges->range[ranges->trie.nodes[node].value[0]].code)
            cc = i + 1;
    }
    return cc;
}

/* The smallest that is found of the shortest numbers below `prefix`, at least `least` long. */
static bool shortest(const struct atlas *atlas, const struct atlas_region *r, struct span prefix,
                     size_t most, char out[NUMBER_DIGITS_MAX], size_t *length)
{
    struct span from = r->n > prefix.n ? (struct span){r->prefix, r->n} : prefix;
    struct number number;

    for (size_t n = from.n; n <= most; n++) {
        char digits[ATLAS_PREFIX_MAX + 1];

        if (!(r->lengths & UINT32_C(1) << n))
            continue;
        memcpy(digits, from.p, from.n);
        for (char fill = '0'; fill <= '9'; fill++) {
            struct atlas_traits traits;

            memset(digits + from.n, fill, n - from.n);
            if (!atlas_look_up(&atlas->plain, (struct span){digits, n}, &number))
                continue;
            traits = atlas_traits_of(&number);
            if (!atlas_traits_equal(&traits, &r->traits))
                continue;
            memcpy(out, digits, n);
            out[n] = '\0';
            *length = n;
            return true;
        }
    }
    return false;
}

bool atlas_example(const struct atlas *atlas, struct span prefix, bool whole,
                   char out[NUMBER_DIGITS_MAX], struct atlas_traits *traits)
{
    size_t n, first = atlas_below(atlas, prefix, &n), most = whole ? prefix.n : ATLAS_PREFIX_MAX;
    size_t found = SIZE_MAX;

    if (prefix.n > ATLAS_PREFIX_MAX)
        return false;
    for (size_t i = 0; i < n && found > prefix.n; i++) {
        const struct atlas_region *r = &atlas->regions[first + i];

        if (!r->traits.open_ended && shortest(atlas, r, prefix, most, out, &found)) {
            *traits = r->traits;
            most = found - 1;
        }
    }
    /* Regions that began further up. */
    for (struct span up = prefix; up.n-- > 0 && found > prefix.n;) {
        size_t i = atlas_below(atlas, up, &n);

        for (; n > 0 && atlas->regions[i].n == up.n && found > prefix.n; i++, n--) {
            const struct atlas_region *r = &atlas->regions[i];

            if (!r->traits.open_ended && shortest(atlas, r, prefix, most, out, &found)) {
                *traits = r->traits;
                most = found - 1;
            }
        }
    }
    return found != SIZE_MAX;
}
