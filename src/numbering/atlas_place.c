/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/atlas_place.h"

#include "numbering/atlas.h"

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
    return code->keep || code->role == ROLE_TRUNK;
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

static struct span trunk_habit(const struct atlas_ground *ground)
{
    return span_of(ground->code ? ground->code->trunk : NULL);
}

/* Whether the tables may still tell what follows from its brothers: a prefix of theirs goes on, or the
 * digits are among the first two of a national number and may be a trunk prefix too many. */
static bool ground_goes_on(const struct atlas_ground *g)
{
    if (!g->there)
        return false;
    if (g->node)
        return true;
    return g->code && (g->habit == g->since || (g->doubtful && g->since <= (g->pairs ? 2 : 1)));
}

static void ground_step(const struct ranges *ranges, struct atlas_ground *g, char key, size_t depth,
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

static void enter_national(struct atlas_place *at, size_t depth)
{
    const struct ranges *ranges = at->site->ranges;
    struct span cc = at->site->plan->cc;

    at->national = (struct atlas_ground){.there = true};
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

static void instead_step(struct atlas_place *at, char key)
{
    const struct plan *plan = at->site->plan;
    const struct trie *trie = &plan->trie;
    size_t n = at->nsn++;

    if (plan->keeps)
        at->instead[0] = step_behind(trie, (struct span){NULL, 0}, n == 0, at->instead[0], key);
    if (plan->n_trunks)
        at->instead[1] = step_behind(trie, plan->other_trunk, n == 0, at->instead[1], key);
}

/* The codes of national numbers, behind the access prefix and the own country code. */
static void enter_home(struct atlas_place *at)
{
    struct span trunk = at->site->plan->trunk;

    at->at_home = true;
    for (int which = 0; which < 2; which++)
        at->home[which] = trunk.n ? trie_find(trie_of(at->site, which), trunk) : 0;
}

/* The national number that was begun where a code ends by way of which it is written. */
static void enter_other(struct atlas_place *at, const struct code *code, struct span path)
{
    const struct plan *plan = at->site->plan;
    struct span trunk = plan->trunk, nsn = span_skip(path, code->drop.n);
    char digits[2 * ATLAS_PREFIX_MAX];
    size_t n = plan->cc.n;

    memcpy(digits, plan->cc.p, n);
    memcpy(digits + n, nsn.p, nsn.n);
    n += nsn.n;
    at->other = (struct atlas_ground){.there = true};
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

void atlas_place_begin(struct atlas_place *at, const struct site *site)
{
    *at = (struct atlas_place){.site = site, .codes = {true, true}};
    if (site->plan->trunk.n == 0)
        enter_national(at, 0);
}

static void codes_step(struct atlas_place *at, char key, struct span path)
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

void atlas_place_step(struct atlas_place *at, struct span path)
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
        at->abroad = (struct atlas_ground){.there = true};
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

bool atlas_place_goes_on(const struct atlas_place *at, struct span path)
{
    const struct plan *plan = at->site->plan;

    return at->codes[0] || at->codes[1] || at->home[0] || at->home[1] || at->other_home[0] ||
           at->other_home[1] || at->instead[0] || at->instead[1] || ground_goes_on(&at->other) ||
           ground_goes_on(&at->abroad) || ground_goes_on(&at->national) ||
           begins(span_of(plan->access), path) || begins(plan->trunk, path);
}
