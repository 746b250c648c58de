/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/atlas.h"

#include <stdlib.h>

#include "numbering/numbering.h"
#include "numbering/site_internal.h"

struct atlas {
    struct site plain; /* the plan alone */
    struct atlas_region *regions;
    size_t n, cap;
};

/*
 * The atlas is drawn by a walk over all prefixes at which the tables may change their mind. At such a
 * place several things may go on at once: codes of the plan, the world's ranges behind the access prefix,
 * those of the own country behind the trunk prefix.
 */
struct ground {
    bool there;
    uint16_t node; /* of the ranges' trie; 0: beyond it, or at its root */
    const struct calling_code *code;
    size_t since;  /* digits behind the country code */
    bool doubtful; /* the first of them may be a trunk prefix that does not belong there, */
    bool pairs;    /* and with some second digits a number can begin so, with others not */
    size_t habit;  /* and so many of the first match the one that people write */
};

struct place {
    const struct site *site;
    bool codes[2];
    uint16_t code[2]; /* of the plan for all, and of the plan */
    struct ground abroad, national;
    bool at_home;
    uint16_t home[2]; /* codes at the trunk prefix and the national number, reached by 010 and CC */
    struct ground other; /* the national number, reached without the trunk prefix or by another */
    uint16_t other_home[2];
    /* The same from the other side: behind the trunk prefix, codes by way of which the number would be
     * written instead; and how many of its digits were read. */
    uint16_t instead[3];
    bool in_national;
    size_t nsn;
    uint32_t lengths; /* that a number here may have: never too few */
    /* What follows a service such as 114 may be a number itself, and then not every one may. */
    bool carries;
};

static const struct trie *trie_of(const struct site *site, int which)
{
    return which ? &site->plan->trie : &site->any->trie;
}

/* ---- which lengths to try ---- */

static uint32_t shifted(uint32_t lengths, size_t n)
{
    return n < 32 ? lengths << n : 0;
}

static bool names_numbers(const struct code *code)
{
    return code->class != CLASS_INVALID && code->class != CLASS_UNKNOWN;
}

/* Whether a national number is written by way of the code, and not only understood. */
static bool writes_numbers(const struct code *code)
{
    return code->keep || code->role == ROLE_TRUNK || code->role == ROLE_INFIX;
}

/* Of the codes that end at this node, n keys from the front. */
static uint32_t code_lengths(const struct site *site, int which, uint16_t node, size_t n)
{
    const struct plan *plan = which ? site->plan : site->any;
    const struct trie_node *at = &plan->trie.nodes[node];
    uint32_t exactly = n < 32 ? UINT32_C(1) << n : 0, lengths = 0;

    if (at->value[PLAN_EMERGENCY])
        lengths |= exactly;
    for (int slot = PLAN_STRIP; slot <= PLAN_WHOLE; slot++) {
        const struct code *code = &plan->code[at->value[slot]];

        if (!at->value[slot])
            continue;
        switch (code->role) {
        case ROLE_NUMBER:
        case ROLE_SHORT:
            if (names_numbers(code))
                lengths |= code->lengths ? code->lengths : exactly;
            break;
        case ROLE_RELAY: lengths |= exactly; break;
        case ROLE_ACCESS:
        case ROLE_CARRIER:
        case ROLE_PREFIX:
        case ROLE_FORWARD:
        case ROLE_OPERATOR:
        case ROLE_LOCAL: break;
        case ROLE_NSN:
        case ROLE_TRUNK:
        case ROLE_INFIX:
            if (writes_numbers(code))
                lengths |= code->lengths ? code->lengths : exactly;
            break;
        }
    }
    return lengths;
}

static bool may_carry(const struct site *site, int which, uint16_t node)
{
    const struct plan *plan = which ? site->plan : site->any;
    const struct code *code = &plan->code[plan->trie.nodes[node].value[PLAN_WHOLE]];

    return code != plan->code && code->role == ROLE_SHORT && code->class == CLASS_SPECIAL;
}

/* ---- one key further ---- */

static struct span trunk_habit(const struct ground *ground)
{
    return span_of(ground->code ? ground->code->trunk : NULL);
}

/* Whether the tables may still tell what follows from its brothers: a prefix of theirs goes on, or the
 * digits are among the first two of a national number and may be a trunk prefix too many. */
static bool ground_goes_on(const struct ground *g)
{
    if (!g->there)
        return false;
    if (g->node)
        return true;
    return g->code && (g->habit == g->since || (g->doubtful && g->since <= (g->pairs ? 2 : 1)));
}

static void ground_step(const struct ranges *ranges, struct ground *g, char key, size_t depth,
                        uint32_t *lengths)
{
    struct span habit;

    if (!g->there || (g->since > 0 && !ground_goes_on(g))) {
        g->there = false;
        return;
    }
    /* The root is 0, too: there is one only where nothing was read yet. */
    if (g->node || !g->code)
        g->node = trie_step(&ranges->trie, g->node, key);
    if (!g->node && !g->code) {
        g->there = false;
        return;
    }

    const struct range *range = &ranges->range[ranges->trie.nodes[g->node].value[0]];

    if (g->node && range->code) {
        g->code = &ranges->code[range->code];
        g->since = g->habit = 0;
        *lengths |= shifted(g->code->lengths, depth);
        return;
    }
    if (!g->code)
        return;
    habit = trunk_habit(g);
    if (g->since == 0) {
        uint16_t begins = key >= '0' ? g->code->begins[key - '0'] : 0;

        g->doubtful = key == '0' || (habit.n && habit.p[0] == key);
        g->pairs = begins != 0 && begins != 0x3ff;
    }
    if (g->habit == g->since && g->since < habit.n && habit.p[g->since] == key)
        g->habit++;
    g->since++;
}

static void enter_national(struct place *at, size_t depth)
{
    const struct ranges *ranges = at->site->ranges;
    struct span cc = at->site->plan->cc;

    at->national = (struct ground){.there = true};
    at->in_national = true;
    for (size_t i = 0; i < cc.n; i++)
        ground_step(ranges, &at->national, cc.p[i], depth, &at->lengths);
}

/* The node that `key` leads to from `node`, or where the step is the first, from the end of `front`. */
static uint16_t step_behind(const struct trie *trie, struct span front, bool first, uint16_t node,
                            char key)
{
    if (first)
        node = front.n ? trie_find(trie, front) : 0;
    return node || (first && front.n == 0) ? trie_step(trie, node, key) : 0;
}

static struct span other_trunk(const struct plan *plan)
{
    for (size_t i = 1; i < plan->n_codes; i++)
        if (plan->code[i].role == ROLE_TRUNK)
            return plan->code[i].drop;
    return (struct span){NULL, 0};
}

static void instead_step(struct place *at, char key)
{
    const struct plan *plan = at->site->plan;
    const struct trie *trie = &plan->trie;
    struct span put = plan->infix ? plan->code[plan->infix].put : (struct span){NULL, 0};
    size_t n = at->nsn++;

    if (plan->keeps)
        at->instead[0] = step_behind(trie, (struct span){NULL, 0}, n == 0, at->instead[0], key);
    if (plan->trunks)
        at->instead[1] = step_behind(trie, other_trunk(plan), n == 0, at->instead[1], key);
    if (n < put.n)
        at->instead[2] = (n == 0 || at->instead[2]) && put.p[n] == key;
    else if (at->instead[2])
        at->instead[2] = step_behind(trie, plan->trunk, n == put.n, at->instead[2], key);
}

/* The codes of national numbers, behind the access prefix and the own country code. */
static void enter_home(struct place *at)
{
    struct span trunk = at->site->plan->trunk;

    at->at_home = true;
    for (int which = 0; which < 2; which++)
        at->home[which] = trunk.n ? trie_find(trie_of(at->site, which), trunk) : 0;
}

/* The national number that was begun where a code ends by way of which it is written. */
static void enter_other(struct place *at, const struct code *code, struct span path)
{
    const struct plan *plan = at->site->plan;
    struct span trunk = plan->trunk, nsn = span_skip(path, code->drop.n);
    char digits[2 * ATLAS_PREFIX_MAX];
    size_t n = plan->cc.n;

    memcpy(digits, plan->cc.p, n);
    if (code->role == ROLE_INFIX) {
        nsn = (struct span){path.p, path.n - code->drop.n};
        nsn = span_skip(nsn, span_starts(nsn, trunk) ? trunk.n : 0);
        memcpy(digits + n, code->put.p, code->put.n);
        n += code->put.n;
    }
    memcpy(digits + n, nsn.p, nsn.n);
    n += nsn.n;
    at->other = (struct ground){.there = true};
    for (size_t i = 0; i < n; i++)
        ground_step(at->site->ranges, &at->other, digits[i], 32, &at->lengths);
    for (int which = 0; which < 2; which++) {
        const struct trie *trie = trie_of(at->site, which);
        uint16_t node = trunk.n ? trie_find(trie, trunk) : 0;

        for (size_t i = plan->cc.n; i < n && (node || i == plan->cc.n); i++)
            node = node || !trunk.n ? trie_step(trie, node, digits[i]) : 0;
        at->other_home[which] = node;
    }
}

static void begin(struct place *at, const struct site *site)
{
    *at = (struct place){.site = site, .codes = {true, true}};
    if (site->plan->trunk.n == 0)
        enter_national(at, 0);
}

static void codes_step(struct place *at, char key, struct span path)
{
    size_t depth = path.n;
    size_t in_home = span_of(at->site->plan->access).n + at->site->plan->cc.n;
    bool home_root = at->at_home && depth == in_home + 1 && at->site->plan->trunk.n == 0;

    for (int which = 0; which < 2; which++) {
        const struct trie *trie = trie_of(at->site, which);

        if (at->codes[which]) {
            at->code[which] = trie_step(trie, at->code[which], key);
            at->codes[which] = at->code[which] != 0;
        }
        if (at->code[which]) {
            at->lengths |= code_lengths(at->site, which, at->code[which], depth);
            at->carries |= may_carry(at->site, which, at->code[which]);
        }
        if (at->home[which] || home_root)
            at->home[which] = trie_step(trie, at->home[which], key);
        if (at->other_home[which])
            at->other_home[which] = trie_step(trie, at->other_home[which], key);
    }
}

/* `path` has the key already. */
static void step(struct place *at, struct span path)
{
    const struct site *site = at->site;
    struct span access = span_of(site->plan->access), trunk = site->plan->trunk;
    char key = path.p[path.n - 1];

    codes_step(at, key, path);
    ground_step(site->ranges, &at->abroad, key, path.n, &at->lengths);
    ground_step(site->ranges, &at->national, key, path.n, &at->lengths);
    ground_step(site->ranges, &at->other, key, 32, &at->lengths);
    if (at->in_national)
        instead_step(at, key);
    if (at->code[1] && site->plan->trie.nodes[at->code[1]].value[PLAN_WHOLE]) {
        const struct code *code =
            &site->plan->code[site->plan->trie.nodes[at->code[1]].value[PLAN_WHOLE]];

        if (writes_numbers(code))
            enter_other(at, code, path);
    }
    if (span_eq(access, path))
        at->abroad = (struct ground){.there = true};
    if (trunk.n && span_eq(trunk, path))
        enter_national(at, path.n);
    if (path.n == access.n + site->plan->cc.n && span_starts(path, access) &&
        span_eq(span_skip(path, access.n), site->plan->cc))
        enter_home(at);
}

static bool begins(struct span prefix, struct span path)
{
    return path.n < prefix.n && span_starts(prefix, path);
}

/* Whether what follows has to be looked at digit by digit. */
static bool goes_on(const struct place *at, struct span path)
{
    const struct plan *plan = at->site->plan;

    return at->codes[0] || at->codes[1] || at->home[0] || at->home[1] || at->other_home[0] ||
           at->other_home[1] || at->instead[0] || at->instead[1] || at->instead[2] ||
           ground_goes_on(&at->other) || ground_goes_on(&at->abroad) ||
           ground_goes_on(&at->national) || begins(span_of(plan->access), path) ||
           begins(plan->trunk, path);
}

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

/* What is meant by `dialled` as a canonical form: by itself, or else as what + leads to. */
static bool look_up(const struct site *site, struct span dialled, struct number *out)
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

static struct atlas_traits traits_of(const struct number *n)
{
    return (struct atlas_traits){n->class, n->kind, n->risk, n->country, n->open_ended};
}

bool atlas_traits_equal(const struct atlas_traits *a, const struct atlas_traits *b)
{
    return a->class == b->class && a->kind == b->kind && a->risk == b->risk &&
           a->country == b->country && a->open_ended == b->open_ended;
}

static bool try_length(const struct place *at, struct span prefix, size_t length,
                       struct number *out)
{
    char digits[ATLAS_PREFIX_MAX + 1];

    memcpy(digits, prefix.p, prefix.n);
    for (const char *fill = at->carries && length > prefix.n ? "5270" : "5"; *fill; fill++) {
        memset(digits + prefix.n, *fill, length - prefix.n);
        if (look_up(at->site, (struct span){digits, length}, out))
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
static int draw_alike(struct drawing *d, const struct place *at, struct span prefix,
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
        traits = traits_of(&number);
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
static int draw(struct drawing *d, const struct place *at, size_t depth)
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
        struct place next = *at;

        d->path[depth] = *key;
        step(&next, path);
        if (goes_on(&next, path)) {
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

/* Calls that an operator completes may go wherever a call by way of the access prefix may. Their region
 * goes before all others with that prefix. */
static int draw_operator(struct drawing *d)
{
    static const struct atlas_traits traits = {
        .class = CLASS_INTERNATIONAL, .kind = KIND_OPERATOR, .open_ended = true};
    struct span access = atlas_access(d->atlas);
    size_t n, at = atlas_below(d->atlas, access, &n);
    struct atlas_region last;
    int rc;

    if (!atlas_open_ended(d->atlas))
        return 0;
    rc = add(d, access, UINT32_C(1) << access.n, &traits);
    if (rc)
        return rc;
    last = d->atlas->regions[d->atlas->n - 1];
    memmove(&d->atlas->regions[at + 1], &d->atlas->regions[at],
            (d->atlas->n - 1 - at) * sizeof(last));
    d->atlas->regions[at] = last;
    return 0;
}

int atlas_new(struct atlas **out, const struct site *site, struct fault *f)
{
    struct atlas *atlas = calloc(1, sizeof(*atlas));
    struct drawing d = {.atlas = atlas, .f = f};
    struct place at;
    int rc;

    if (!atlas)
        return fault_nomem(f);
    atlas->plain = (struct site){.plan = site->plan, .any = site->any, .ranges = site->ranges};
    begin(&at, &atlas->plain);
    rc = draw(&d, &at, 0);
    if (rc == 0)
        rc = draw_operator(&d);
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

/* How a region's prefix stands to `prefix` where both are cut to its length. */
static int against(const struct atlas_region *r, struct span prefix)
{
    size_t n = r->n < prefix.n ? r->n : prefix.n;
    int order = n ? memcmp(r->prefix, prefix.p, n) : 0;

    return order ? order : r->n < prefix.n ? -1 : 0;
}

size_t atlas_below(const struct atlas *atlas, struct span prefix, size_t *n)
{
    size_t low = 0, high = atlas->n, first;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (against(&atlas->regions[middle], prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    first = low;
    for (high = atlas->n; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (against(&atlas->regions[middle], prefix) <= 0)
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
    const struct plan *plans[] = {atlas->plain.any, atlas->plain.plan};

    for (int p = 0; p < 2; p++)
        for (size_t i = 1; i < plans[p]->n_codes; i++)
            if (plans[p]->code[i].role == ROLE_OPERATOR)
                return true;
    return false;
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
            if (!look_up(&atlas->plain, (struct span){digits, n}, &number))
                continue;
            traits = traits_of(&number);
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
