/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/ruleset.h"

#include <sodium/crypto_shorthash.h>
#include <stdlib.h>

/*
 * Rules stand sorted by prefix, and of one prefix the exception before the restriction. A rule's
 * parent is the last rule before it whose prefix is a prefix of its own, or the same. Then the rules
 * that match a key are the last rule that is not greater than the key, if its prefix fits, and
 * otherwise the first of its parents that fits, and all parents of that.
 *
 * Two cache lines are what a set of ten rules may have, so prefixes of up to 16 symbols are kept in 64
 * bits, and the other half of the keys exists only where a set has a longer one.
 *
 * Most of what is dialled matches no rule, and shows it by its second and third symbols: the first is a
 * trunk prefix nearly everywhere.
 */
struct ruleset {
    uint32_t refs;
    uint32_t hash;
    uint32_t begins; /* the signs (see ruleset_sign()) of all that a rule may match */
    uint16_t n : 15;
    bool wide : 1;
    uint16_t n_conditions;
    uint64_t data[]; /* high[n], low[n] if wide, conditions, parent[n], bits[n] */
};

_Static_assert(RULESET_RULES_MAX < 1 << 15, "n has 15 bits");

/* Beside the rule's number: what `until` and `schedule` say. Sorted by rule. */
struct condition {
    int64_t until;             /* INT64_MAX: for ever */
    struct schedule *schedule; /* NULL: always */
    uint64_t rule;
};

enum {
    BITS_LENGTH = 0x1f, /* of the prefix, less 1 */
    BITS_EXCEPT = 0x20,
    BITS_CONDITION = 0x40,
};

#define NO_PARENT 0xffff
#define CACHE_LINE 64

static uint64_t *highs(const struct ruleset *set)
{
    return (uint64_t *)set->data;
}

static uint64_t *lows(const struct ruleset *set)
{
    return highs(set) + set->n;
}

static struct condition *conditions(const struct ruleset *set)
{
    return (struct condition *)(highs(set) + set->n * (set->wide ? 2 : 1));
}

static uint16_t *parents(const struct ruleset *set)
{
    return (uint16_t *)(conditions(set) + set->n_conditions);
}

static uint8_t *bits(const struct ruleset *set)
{
    return (uint8_t *)(parents(set) + set->n);
}

static size_t set_size(size_t n, size_t n_conditions, bool wide)
{
    size_t size = sizeof(struct ruleset) + n * (wide ? 16 : 8) +
                  n_conditions * sizeof(struct condition) + n * 3;

    return (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static unsigned __int128 prefix_at(const struct ruleset *set, size_t i)
{
    return (unsigned __int128)highs(set)[i] << 64 | (set->wide ? lows(set)[i] : 0);
}

static unsigned length_at(const struct ruleset *set, size_t i)
{
    return (bits(set)[i] & BITS_LENGTH) + 1U;
}

static enum rule_action action_at(const struct ruleset *set, size_t i)
{
    return bits(set)[i] & BITS_EXCEPT ? RULE_EXCEPT : RULE_RESTRICT;
}

/* ---- keys ---- */

/* In the order of ASCII; 0 is behind the end. */
static const char symbols[] = "\0#*+0123456789";

static const uint8_t symbol_codes[256] = {
    ['#'] = 1, ['*'] = 2, ['+'] = 3,  ['0'] = 4,  ['1'] = 5,  ['2'] = 6,  ['3'] = 7,
    ['4'] = 8, ['5'] = 9, ['6'] = 10, ['7'] = 11, ['8'] = 12, ['9'] = 13,
};

/* Eight digits, the first in the highest byte, as 32 bits of codes; false where not all are digits. */
static bool pack_digits(const char *p, uint64_t *out)
{
    const uint64_t each = 0x0101010101010101;
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        w = __builtin_bswap64(w);
    if (((w + (0x7f - '9') * each) | (w - '0' * each) | w) & 0x80 * each)
        return false;
    w -= ('0' - 4) * each;
    w = (w | w >> 4) & 0x00ff00ff00ff00ff;
    w = (w | w >> 8) & 0x0000ffff0000ffff;
    *out = (w | w >> 16) & 0xffffffff;
    return true;
}

/* What nearly all keys are: 8 to 16 digits, all in the upper half. The second eight may overlap the
 * first. */
static bool key_of_digits(struct span digits, struct ruleset_key *out)
{
    uint64_t first, last;

    if (digits.n < 8 || digits.n > 16 || !pack_digits(digits.p, &first) ||
        !pack_digits(digits.p + digits.n - 8, &last))
        return false;
    first = first << 32 | last << 4 * (16 - digits.n);
    *out = (struct ruleset_key){(unsigned __int128)first << 64, (unsigned)digits.n};
    return true;
}

struct ruleset_key ruleset_key(struct span digits)
{
    size_t n = digits.n < RULE_PREFIX_MAX ? digits.n : RULE_PREFIX_MAX;
    uint64_t half[2] = {0, 0};
    struct ruleset_key key;
    unsigned i;

    if (key_of_digits(digits, &key))
        return key;
    for (i = 0; i < n; i++) {
        uint64_t code = symbol_codes[(unsigned char)digits.p[i]];

        if (code == 0)
            break;
        half[i / 16] |= code << (60 - 4 * (i % 16));
    }
    return (struct ruleset_key){(unsigned __int128)half[0] << 64 | half[1], i};
}

uint32_t ruleset_sign_of(const char *digits)
{
    const unsigned char *p = (const unsigned char *)digits;
    unsigned __int128 second = 0, third = 0;

    if (symbol_codes[p[0]] != 0)
        second = symbol_codes[p[1]];
    if (second != 0)
        third = symbol_codes[p[2]];
    return ruleset_sign(second << 120 | third << 116);
}

static size_t half_digits(uint64_t half, char *digits)
{
    size_t n = 0;

    for (; half; half <<= 4)
        digits[n++] = symbols[half >> 60];
    return n;
}

/* Whether the first `length` symbols (1 to 32) are the same. */
static bool same_start(unsigned __int128 a, unsigned __int128 b, unsigned length)
{
    return (a ^ b) >> (128 - 4 * length) == 0;
}

/* ---- building ---- */

struct draft {
    unsigned __int128 key;
    const struct rule *rule;
    unsigned length;
};

static int compare_drafts(const void *a, const void *b)
{
    const struct draft *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    /* Exceptions first. */
    return (int)y->rule->action - (int)x->rule->action;
}

static int sort_drafts(const struct rule *rules, size_t n, struct draft *drafts, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        int err = rule_check(&rules[i], f);
        struct ruleset_key key;

        if (err)
            return err;
        key = ruleset_key(rules[i].prefix);
        drafts[i] = (struct draft){key.bits, &rules[i], key.length};
    }
    qsort(drafts, n, sizeof(*drafts), compare_drafts);
    for (size_t i = 1; i < n; i++)
        if (compare_drafts(&drafts[i - 1], &drafts[i]) == 0)
            return fault(f, ERR_EXISTS, "there are two rules \"%s %s\"",
                         rule_action_name(drafts[i].rule->action), ESCAPED(drafts[i].rule->prefix));
    return 0;
}

static bool conditional(const struct rule *rule)
{
    return rule->until != 0 || rule->schedule.n > 0;
}

static void set_free(struct ruleset *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->n_conditions; i++)
        schedule_free(conditions(set)[i].schedule);
    free(set);
}

/* Of all keys that begin with the first `length` symbols of this one. */
static uint32_t signs(unsigned __int128 key, unsigned length)
{
    uint32_t all = 0;

    if (length == 1)
        return UINT32_MAX;
    if (length > 2)
        return ruleset_sign(key);
    for (unsigned third = 0; third < 16; third++)
        all |= ruleset_sign(key | (unsigned __int128)third << 116);
    return all;
}

/* Rule `i` into its place; all before it are there. */
static void place(struct ruleset *set, size_t i, const struct draft *draft)
{
    uint16_t parent = i > 0 ? (uint16_t)(i - 1) : NO_PARENT;

    highs(set)[i] = (uint64_t)(draft->key >> 64);
    if (set->wide)
        lows(set)[i] = (uint64_t)draft->key;
    while (parent != NO_PARENT &&
           !same_start(prefix_at(set, parent), draft->key, length_at(set, parent)))
        parent = parents(set)[parent];
    parents(set)[i] = parent;
    set->begins |= signs(draft->key, draft->length);
    bits(set)[i] =
        (uint8_t)((draft->length - 1) | (draft->rule->action == RULE_EXCEPT ? BITS_EXCEPT : 0) |
                  (conditional(draft->rule) ? BITS_CONDITION : 0));
}

static int build(const struct draft *drafts, size_t n, struct zones *zones, struct ruleset **out,
                 struct fault *f)
{
    size_t n_conditions = 0, size;
    struct ruleset *set;
    bool wide = false;

    for (size_t i = 0; i < n; i++) {
        n_conditions += conditional(drafts[i].rule);
        wide |= drafts[i].length > 16;
    }
    size = set_size(n, n_conditions, wide);
    set = aligned_alloc(CACHE_LINE, size);
    if (!set)
        return fault_nomem(f);
    memset(set, 0, size);
    set->refs = 1;
    set->n = n & 0x7fff;
    set->n_conditions = (uint16_t)n_conditions;
    set->wide = wide;
    n_conditions = 0;
    for (size_t i = 0; i < n; i++) {
        const struct rule *rule = drafts[i].rule;
        struct condition *c = &conditions(set)[n_conditions];
        int err = 0;

        place(set, i, &drafts[i]);
        if (!conditional(rule))
            continue;
        c->until = rule->until ? rule->until : INT64_MAX;
        c->rule = i;
        n_conditions++;
        if (rule->schedule.n)
            err = schedule_new(&c->schedule, rule->schedule, zones, f);
        if (err) {
            set_free(set);
            return err;
        }
    }
    *out = set;
    return 0;
}

/* ---- the pool: open addressing by hash, no tombstones ---- */

struct ruleset_pool {
    struct zones *zones;
    struct ruleset **slots;
    size_t n_slots; /* a power of two */
    size_t count;
    uint8_t key[crypto_shorthash_KEYBYTES];
};

static uint32_t hash_bytes(const struct ruleset_pool *pool, const void *p, size_t n, uint32_t seed)
{
    uint64_t h;

    crypto_shorthash((unsigned char *)&h, p, n, pool->key);
    return (seed * 31) ^ (uint32_t)h;
}

/* All but the conditions lies at the same place in equal sets. */
static uint32_t set_hash(const struct ruleset_pool *pool, const struct ruleset *set)
{
    uint32_t h = hash_bytes(pool, set->data, set->n * (set->wide ? 16U : 8U), set->n);

    h = hash_bytes(pool, bits(set), set->n, h);
    for (size_t i = 0; i < set->n_conditions; i++) {
        const struct condition *c = &conditions(set)[i];
        struct span text = c->schedule ? schedule_text(c->schedule) : (struct span){"", 0};

        h = hash_bytes(pool, &c->until, sizeof(c->until), h);
        h = hash_bytes(pool, text.p, text.n, h);
    }
    return h;
}

static bool same_condition(const struct condition *a, const struct condition *b)
{
    if (a->until != b->until || !a->schedule != !b->schedule)
        return false;
    return !a->schedule || span_eq(schedule_text(a->schedule), schedule_text(b->schedule));
}

static bool same_set(const struct ruleset *a, const struct ruleset *b)
{
    if (a->hash != b->hash || a->n != b->n || a->n_conditions != b->n_conditions ||
        a->wide != b->wide || memcmp(a->data, b->data, a->n * (a->wide ? 16U : 8U)) != 0 ||
        memcmp(bits(a), bits(b), a->n) != 0)
        return false;
    for (size_t i = 0; i < a->n_conditions; i++)
        if (!same_condition(&conditions(a)[i], &conditions(b)[i]))
            return false;
    return true;
}

int ruleset_pool_new(struct ruleset_pool **out, struct zones *zones, const uint8_t key[16],
                     struct fault *f)
{
    struct ruleset_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return fault_nomem(f);
    pool->n_slots = 64;
    pool->slots = calloc(pool->n_slots, sizeof(*pool->slots));
    if (!pool->slots) {
        free(pool);
        return fault_nomem(f);
    }
    pool->zones = zones;
    memcpy(pool->key, key, sizeof(pool->key));
    *out = pool;
    return 0;
}

void ruleset_pool_free(struct ruleset_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->n_slots; i++)
        set_free(pool->slots[i]);
    free(pool->slots);
    free(pool);
}

size_t ruleset_pool_count(const struct ruleset_pool *pool)
{
    return pool->count;
}

static void put(struct ruleset **slots, size_t n_slots, struct ruleset *set)
{
    size_t i = set->hash & (n_slots - 1);

    while (slots[i])
        i = (i + 1) & (n_slots - 1);
    slots[i] = set;
}

/* Makes room for one more; at most half of the slots are taken. */
static int grow(struct ruleset_pool *pool, struct fault *f)
{
    size_t n = pool->n_slots * 2;
    struct ruleset **slots;

    if (pool->count * 2 < pool->n_slots)
        return 0;
    slots = calloc(n, sizeof(*slots));
    if (!slots)
        return fault_nomem(f);
    for (size_t i = 0; i < pool->n_slots; i++)
        if (pool->slots[i])
            put(slots, n, pool->slots[i]);
    free(pool->slots);
    pool->slots = slots;
    pool->n_slots = n;
    return 0;
}

static struct ruleset *find(const struct ruleset_pool *pool, const struct ruleset *set)
{
    size_t i = set->hash & (pool->n_slots - 1);

    for (; pool->slots[i]; i = (i + 1) & (pool->n_slots - 1))
        if (same_set(pool->slots[i], set))
            return pool->slots[i];
    return NULL;
}

int ruleset_intern(struct ruleset_pool *pool, const struct rule *rules, size_t n,
                   const struct ruleset **out, struct fault *f)
{
    struct ruleset *set = NULL, *known;
    struct draft *drafts;
    int err;

    if (n == 0) {
        *out = NULL;
        return 0;
    }
    if (n > RULESET_RULES_MAX)
        return fault(f, ERR_FULL, "%zu rules; one owner can have at most %d", n, RULESET_RULES_MAX);
    drafts = calloc(n, sizeof(*drafts));
    if (!drafts)
        return fault_nomem(f);
    err = sort_drafts(rules, n, drafts, f);
    if (!err)
        err = build(drafts, n, pool->zones, &set, f);
    free(drafts);
    if (err)
        return err;
    set->hash = set_hash(pool, set);
    known = find(pool, set);
    if (!known)
        err = grow(pool, f);
    if (err || known)
        set_free(set);
    if (err)
        return err;
    if (known) {
        known->refs++;
    } else {
        put(pool->slots, pool->n_slots, set);
        pool->count++;
    }
    *out = known ? known : set;
    return 0;
}

void ruleset_ref(const struct ruleset *set)
{
    if (set)
        ((struct ruleset *)set)->refs++;
}

/* Takes `set` out and moves what was pushed behind it by collisions back. */
static void take_out(struct ruleset_pool *pool, const struct ruleset *set)
{
    size_t mask = pool->n_slots - 1, i = set->hash & mask;

    while (pool->slots[i] != set)
        i = (i + 1) & mask;
    for (size_t k = (i + 1) & mask; pool->slots[k]; k = (k + 1) & mask) {
        size_t home = pool->slots[k]->hash & mask;

        if (((k - home) & mask) >= ((k - i) & mask)) {
            pool->slots[i] = pool->slots[k];
            i = k;
        }
    }
    pool->slots[i] = NULL;
    pool->count--;
}

void ruleset_unref(struct ruleset_pool *pool, const struct ruleset *set)
{
    struct ruleset *mine = (struct ruleset *)set;

    if (!mine || --mine->refs > 0)
        return;
    take_out(pool, mine);
    set_free(mine);
}

/* ---- questions ---- */

size_t ruleset_count(const struct ruleset *set)
{
    return set ? set->n : 0;
}

size_t ruleset_bytes(const struct ruleset *set)
{
    return set ? set_size(set->n, set->n_conditions, set->wide) : 0;
}

/* Two cache lines are all of most sets. */
void ruleset_prefetch(const struct ruleset *set)
{
    if (!set)
        return;
    __builtin_prefetch(set);
    __builtin_prefetch((const char *)set + CACHE_LINE);
}

static const struct condition *condition_of(const struct ruleset *set, size_t rule)
{
    const struct condition *all = conditions(set);
    size_t low = 0, high = set->n_conditions;

    if (!(bits(set)[rule] & BITS_CONDITION))
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (all[middle].rule <= rule)
            low = middle + 1;
        else
            high = middle;
    }
    return &all[low - 1];
}

void ruleset_prefix(const struct ruleset *set, size_t i, char digits[RULE_PREFIX_MAX + 1])
{
    size_t n = half_digits(highs(set)[i], digits);

    if (set->wide)
        n += half_digits(lows(set)[i], digits + n);
    digits[n] = '\0';
}

struct rule ruleset_rule(const struct ruleset *set, size_t i, char digits[RULE_PREFIX_MAX + 1])
{
    const struct condition *c = condition_of(set, i);
    struct rule rule = {.action = action_at(set, i)};

    ruleset_prefix(set, i, digits);
    rule.prefix = (struct span){digits, length_at(set, i)};
    if (c && c->until != INT64_MAX)
        rule.until = c->until;
    if (c && c->schedule)
        rule.schedule = schedule_text(c->schedule);
    return rule;
}

static bool in_force(const struct ruleset *set, size_t i, const struct ruleset_moment *when)
{
    const struct condition *c = condition_of(set, i);

    if (!c)
        return true;
    if (when->now >= c->until)
        return false;
    if (!c->schedule)
        return true;
    switch (schedule_state(c->schedule, when->extra, when->now)) {
    case SCHEDULE_OFF: return false;
    case SCHEDULE_ON: return true;
    case SCHEDULE_UNKNOWN: break;
    }
    return action_at(set, i) == RULE_RESTRICT;
}

/* How many rules have a prefix that is not greater than `key`. */
static size_t not_greater(const struct ruleset *set, unsigned __int128 key)
{
    const uint64_t *high = highs(set), *low = lows(set);
    uint64_t key_high = (uint64_t)(key >> 64), key_low = (uint64_t)key;
    size_t base = 0;

    /* One after the other is faster than halving, which waits for each outcome. */
    if (set->n <= 16 && !set->wide) {
        for (size_t i = 0; i < set->n; i++)
            base += high[i] <= key_high;
        return base;
    }
    /* Halving without a branch on what is compared: the outcome cannot be foreseen. */
    for (size_t n = set->n; n > 0;) {
        size_t half = (n + 1) / 2;
        size_t at = base + half - 1;
        bool below = high[at] <= key_high;

        if (set->wide)
            below = high[at] < key_high || (high[at] == key_high && low[at] <= key_low);
        base += below ? half : 0;
        n = below ? n - half : half - 1;
    }
    return base;
}

/* Kept apart from may_match(), which answers most questions and should take no more than it must. */
__attribute__((noinline)) static bool match(const struct ruleset *set,
                                            const struct ruleset_key *key, size_t but,
                                            const struct ruleset_moment *when,
                                            struct ruleset_match *out)
{
    size_t i = not_greater(set, key->bits);

    for (i = i > 0 ? i - 1 : NO_PARENT; i != NO_PARENT; i = parents(set)[i]) {
        if (i == but || !same_start(prefix_at(set, i), key->bits, length_at(set, i)) ||
            !in_force(set, i, when))
            continue;
        out->action = action_at(set, i);
        out->length = length_at(set, i);
        out->index = (uint32_t)i;
        return true;
    }
    return false;
}

static bool may_match(const struct ruleset *set, const struct ruleset_key *key)
{
    return set && (set->begins & ruleset_sign(key->bits));
}

uint32_t ruleset_signs(const struct ruleset *set)
{
    return set ? set->begins : 0;
}

bool ruleset_match(const struct ruleset *set, const struct ruleset_key *key,
                   const struct ruleset_moment *when, struct ruleset_match *out)
{
    return may_match(set, key) && match(set, key, NO_PARENT, when, out);
}

bool ruleset_match_without(const struct ruleset *set, const struct ruleset_key *key, uint32_t index,
                           const struct ruleset_moment *when, struct ruleset_match *out)
{
    return may_match(set, key) && match(set, key, index, when, out);
}

bool ruleset_restricts_below(const struct ruleset *set, const struct ruleset_key *key,
                             const struct ruleset_moment *when, ruleset_accept_fn *accept,
                             void *arg, struct ruleset_match *out)
{
    if (!set)
        return false;
    for (size_t i = not_greater(set, key->bits); i < set->n; i++) {
        struct ruleset_key found = {prefix_at(set, i), length_at(set, i)};

        if (key->length > 0 && !same_start(found.bits, key->bits, key->length))
            return false;
        if (action_at(set, i) != RULE_RESTRICT || !in_force(set, i, when) ||
            (accept && !accept(arg, &found)))
            continue;
        *out = (struct ruleset_match){RULE_RESTRICT, found.length, (uint32_t)i};
        return true;
    }
    return false;
}

bool ruleset_in_force(const struct ruleset *set, uint32_t index, const struct ruleset_moment *when)
{
    return in_force(set, index, when);
}

int64_t ruleset_end(const struct ruleset *set, uint32_t index, const struct ruleset_moment *when)
{
    const struct condition *c = condition_of(set, index);
    int64_t end = INT64_MAX;

    if (!c)
        return INT64_MAX;
    /* A restriction whose zone cannot be read is in force always: its schedule ends nothing. */
    if (c->schedule && schedule_state(c->schedule, when->extra, when->now) == SCHEDULE_ON)
        end = schedule_end(c->schedule, when->extra, when->now);
    return end < c->until ? end : c->until;
}
