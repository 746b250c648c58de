/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What share of the attacks was what, and whose they were. */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "store/change.h"
#include "store/guard_names.h"
#include "store/guard_records.h"
#include "store/guard_words.h"
#include "store/names.h"
#include "store/tx.h"

#define HOUR_MS (3600 * (int64_t)1000)
#define TOP_DEFAULT 10
#define TOP_MAX 1000
#define KEY_MAX (8 + GUARD_NAME_SHOWN_MAX + 512)

/* ---- who did how much ----------------------------------------------------------------------- */

struct entry {
    struct span key; /* switch, as bytes, then the text or packed network */
    uint64_t count, kinds[ATTACKS];
    int64_t first, last;
};

/* Found by a keyed hash: names are the attackers' choice. As many as there are rows at most, which the settings
 * bound. */
struct tops {
    const uint8_t *hash_key;
    struct arena *arena;
    struct entry *at;
    uint32_t *slots; /* entry + 1 */
    size_t n, cap;   /* slots: 2 * cap, a power of two */
};

static uint32_t *slot_of(struct tops *t, struct span key)
{
    uint64_t h;

    crypto_shorthash((uint8_t *)&h, (const uint8_t *)key.p, key.n, t->hash_key);
    for (size_t i = h & (2 * t->cap - 1);; i = (i + 1) & (2 * t->cap - 1))
        if (!t->slots[i] || span_eq(t->at[t->slots[i] - 1].key, key))
            return &t->slots[i];
}

static bool grow(struct tops *t)
{
    size_t cap = t->cap ? 2 * t->cap : 256;
    struct entry *at = realloc(t->at, cap * sizeof(*at));

    if (!at)
        return false;
    t->at = at;
    free(t->slots);
    t->slots = calloc(2 * cap, sizeof(*t->slots));
    t->cap = t->slots ? cap : 0;
    for (size_t i = 0; t->slots && i < t->n; i++)
        *slot_of(t, t->at[i].key) = (uint32_t)i + 1;
    return t->slots != NULL;
}

static struct entry *take(struct tops *t, struct span key)
{
    if (t->n == t->cap && !grow(t))
        return NULL;
    uint32_t *slot = slot_of(t, key);
    if (*slot)
        return &t->at[*slot - 1];
    char *kept = arena_alloc(t->arena, key.n + 1);
    if (!kept)
        return NULL;
    memcpy(kept, key.p, key.n);
    t->at[t->n] = (struct entry){.key = {kept, key.n}, .first = INT64_MAX};
    *slot = (uint32_t)++t->n;
    return &t->at[t->n - 1];
}

static const struct entry *find(struct tops *t, struct span key)
{
    uint32_t *slot = t->cap ? slot_of(t, key) : NULL;

    return slot && *slot ? &t->at[*slot - 1] : NULL;
}

static void tops_free(struct tops *t)
{
    free(t->at);
    free(t->slots);
}

static struct span key_of(int64_t sw, struct span rest, char out[KEY_MAX])
{
    size_t n = rest.n < KEY_MAX - 8 ? rest.n : KEY_MAX - 8;

    memcpy(out, &sw, 8);
    if (n)
        memcpy(out + 8, rest.p, n);
    return (struct span){out, 8 + n};
}

static struct span network_key(const struct network *network, char out[KEY_MAX])
{
    char packed[GUARD_NETWORK_MAX];

    return key_of(0, guard_network_pack(network, packed), out);
}

/* ---- the report at work --------------------------------------------------------------------- */

struct report {
    struct store_tx *tx;
    struct store_attack_report *out;
    int64_t from_hour, to_hour, sw;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    struct tops sources, networks, accounts, agents;
    struct tops decided; /* networks, and accounts of a switch: `count` is 1 + enum attack */
};

/* What a decision says of the attempts of whom it hit; the higher one tells more. */
static int rank(enum attack attack)
{
    switch (attack) {
    case ATTACK_SLOW: return 1;
    case ATTACK_ENUMERATION: return 2;
    case ATTACK_CANARY: return 3;
    case ATTACK_BRUTE_FORCE:
    case ATTACK_SCAN:
    case ATTACK_CALL:
    case ATTACK_MALFORMED:
    case ATTACK_OPERATOR:
    case ATTACK_ADOPTED: return 0;
    }
    return 0;
}

static int decide(struct report *r, struct span key, enum attack attack, struct fault *f)
{
    struct entry *e = take(&r->decided, key);

    if (!e)
        return fault_nomem(f);
    if (!e->count || rank(attack) > rank((enum attack)(e->count - 1)))
        e->count = 1 + (uint64_t)attack;
    return 0;
}

static int read_decided(struct report *r, struct fault *f)
{
    char key[KEY_MAX];
    struct query q;
    int err = query_start(&q, r->tx->evidence,
                          "SELECT kind, attack, switch, network, account FROM decisions"
                          " WHERE at >= ?1 AND at < ?2"
                          " AND attack IN ('slow', 'enumeration', 'canary')",
                          DB_VALUES(INT(r->out->from_ms), INT(r->out->until_ms)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        enum guard_event_kind kind;
        enum attack attack;
        struct network network = guard_network_unpack(query_text(&q, 3));

        if (!guard_word_event(query_text(&q, 0), &kind) ||
            !guard_word_attack(query_text(&q, 1), &attack))
            continue;
        bool of_account =
            kind == GUARD_LOCKOUT || kind == GUARD_INTERNATIONAL || kind == GUARD_TAKEOVER;
        if (of_account)
            err = decide(r, key_of(query_int(&q, 2), query_text(&q, 4), key), attack, f);
        else if (network.family)
            err = decide(r, network_key(&network, key), attack, f);
        if (err < 0)
            break;
    }
    query_end(&q);
    return err;
}

static enum attack by_outcome(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_UNKNOWN_ACCOUNT: return ATTACK_ENUMERATION;
    case OUTCOME_REFUSED_CALL: return ATTACK_CALL;
    case OUTCOME_PROBE:
    case OUTCOME_LISTED: return ATTACK_SCAN;
    case OUTCOME_MALFORMED: return ATTACK_MALFORMED;
    case OUTCOME_WRONG_CREDENTIALS:
    case OUTCOME_SUCCESS:
    case OUTCOME_CHALLENGED: return ATTACK_BRUTE_FORCE;
    }
    return ATTACK_BRUTE_FORCE;
}

static void consider(struct report *r, struct span key, enum attack *attack)
{
    const struct entry *e = find(&r->decided, key);
    enum attack decided = e ? (enum attack)(e->count - 1) : ATTACK_BRUTE_FORCE;

    if (rank(decided) > rank(*attack))
        *attack = decided;
}

/* One row of `attempts`, borrowed. */
struct row {
    int64_t sw, first, last;
    uint64_t count;
    int detail;
    struct network source;
    struct span account, agent;
    enum outcome outcome;
    enum proof proof;
};

static enum attack attack_of(struct report *r, const struct row *row)
{
    enum attack attack = by_outcome(row->outcome);
    struct address at = {.family = row->source.family};
    char key[KEY_MAX];

    if (attack != ATTACK_BRUTE_FORCE && attack != ATTACK_ENUMERATION)
        return attack;
    memcpy(at.ip, row->source.ip, sizeof(at.ip));
    consider(r, network_key(&row->source, key), &attack);
    if (at.family == 6) {
        struct network wide = keys_around(&at, 48);
        consider(r, network_key(&wide, key), &attack);
    }
    if (row->account.n)
        consider(r, key_of(row->sw, row->account, key), &attack);
    return attack;
}

static int add_to(struct tops *t, struct span key, const struct row *row, enum attack attack,
                  struct fault *f)
{
    struct entry *e = take(t, key);

    if (!e)
        return fault_nomem(f);
    e->count += row->count;
    e->kinds[attack] += row->count;
    if (row->first < e->first)
        e->first = row->first;
    if (row->last > e->last)
        e->last = row->last;
    return 0;
}

static int add_row(struct report *r, const struct row *row, struct fault *f)
{
    struct store_attack_report *out = r->out;
    enum attack attack = attack_of(r, row);
    struct address at = {.family = row->source.family};
    char key[KEY_MAX];
    int err = 0;

    out->failures += row->count;
    out->kinds[attack] += row->count;
    out->outcomes[row->outcome] += row->count;
    out->proofs[row->proof] += row->count;
    if (!row->source.family)
        out->others += row->count;
    if (row->detail < 2)
        out->unnamed += row->count;
    if (row->source.family) {
        memcpy(at.ip, row->source.ip, sizeof(at.ip));
        struct network wide = keys_around(&at, at.family == 4 ? 24 : 48);
        err = add_to(&r->sources, network_key(&row->source, key), row, attack, f);
        if (!err)
            err = add_to(&r->networks, network_key(&wide, key), row, attack, f);
    }
    if (!err && row->detail == 2 && row->account.n)
        err = add_to(&r->accounts, key_of(row->sw, row->account, key), row, attack, f);
    if (!err && row->detail == 2)
        err = add_to(&r->agents, key_of(0, row->agent, key), row, attack, f);
    return err;
}

/* ---- rows of the witness that saw most ------------------------------------------------------ */

#define OF_INTEREST                                                                                \
    " WHERE hour >= ?1 AND hour < ?2 AND (?3 = 0 OR switch = ?3)"                                  \
    " AND outcome NOT IN ('success', 'challenged')"

#define SELECT_LEADERS                                                                             \
    "SELECT hour, switch, source, witness, max(n) FROM (SELECT hour, switch, source, witness,"     \
    " sum(count) AS n FROM attempts" OF_INTEREST " GROUP BY hour, switch, source, witness)"        \
    " GROUP BY hour, switch, source ORDER BY hour, switch, source"

#define SELECT_ROWS                                                                                \
    "SELECT hour, switch, source, witness, outcome, proof, detail, account, user_agent, count,"    \
    " first, last FROM attempts" OF_INTEREST " ORDER BY hour, switch, source"

static bool same_group(struct query *a, struct query *b)
{
    return query_int(a, 0) == query_int(b, 0) && query_int(a, 1) == query_int(b, 1) &&
           span_eq(query_text(a, 2), query_text(b, 2));
}

static int take_row(struct report *r, struct query *q, struct fault *f)
{
    struct row row = {
        .sw = query_int(q, 1),
        .source = guard_network_unpack(query_text(q, 2)),
        .detail = (int)query_int(q, 6),
        .account = query_text(q, 7),
        .agent = query_text(q, 8),
        .count = (uint64_t)query_int(q, 9),
        .first = query_int(q, 10),
        .last = query_int(q, 11),
    };

    if (!outcome_from(query_text(q, 4), &row.outcome) || !proof_from(query_text(q, 5), &row.proof))
        return fault(f, ERR_CORRUPT, "%s has attempts of no kind", db_path(r->tx->evidence));
    return add_row(r, &row, f);
}

/* Both come in the same order, so that nothing has to be kept. */
static int merge(struct report *r, struct query *leaders, struct query *rows, struct fault *f)
{
    int lead = query_row(leaders, f), row = query_row(rows, f);

    while (lead == 1 && row == 1) {
        int err = 0;

        if (!same_group(leaders, rows)) {
            lead = query_row(leaders, f);
            continue;
        }
        if (span_eq(query_text(leaders, 3), query_text(rows, 3)))
            err = take_row(r, rows, f);
        if (err)
            return err;
        row = query_row(rows, f);
    }
    return lead < 0 ? lead : row < 0 ? row : 0;
}

static int read_rows(struct report *r, struct fault *f)
{
    const struct db_value values[] = {INT(r->from_hour), INT(r->to_hour), INT(r->sw)};
    struct query leaders, rows;
    int err = query_start(&leaders, r->tx->evidence, SELECT_LEADERS, values, 3, f);

    if (err)
        return err;
    err = query_start(&rows, r->tx->evidence, SELECT_ROWS, values, 3, f);
    if (!err) {
        err = merge(r, &leaders, &rows, f);
        query_end(&rows);
    }
    query_end(&leaders);
    return err;
}

/* ---- sums ----------------------------------------------------------------------------------- */

static int read_seen(struct report *r, struct fault *f)
{
    struct query q;
    int err = query_start(&q, r->tx->evidence,
                          "SELECT witness, outcome, sum(count) FROM attempts WHERE hour >= ?1 AND"
                          " hour < ?2 AND (?3 = 0 OR switch = ?3) GROUP BY witness, outcome",
                          DB_VALUES(INT(r->from_hour), INT(r->to_hour), INT(r->sw)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        enum witness witness;
        enum outcome outcome;

        if (witness_from(query_text(&q, 0), &witness) && outcome_from(query_text(&q, 1), &outcome))
            r->out->seen[witness][outcome] = (uint64_t)query_int(&q, 2);
    }
    query_end(&q);
    return err;
}

static int read_decisions(struct report *r, struct fault *f)
{
    struct query q;
    int err =
        query_start(&q, r->tx->evidence,
                    "SELECT kind, observed, count(*) FROM decisions WHERE at >= ?1 AND at < ?2"
                    " AND (?3 = 0 OR switch = ?3) GROUP BY kind, observed",
                    DB_VALUES(INT(r->out->from_ms), INT(r->out->until_ms), INT(r->sw)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        enum guard_event_kind kind;

        if (guard_word_event(query_text(&q, 0), &kind))
            *(query_int(&q, 1) ? &r->out->observed[kind] : &r->out->decisions[kind]) =
                (uint64_t)query_int(&q, 2);
    }
    query_end(&q);
    return err;
}

/* ---- the largest ---------------------------------------------------------------------------- */

static int larger_first(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    int order = memcmp(a->key.p, b->key.p, n);
    return order ? order : (a->key.n > b->key.n) - (a->key.n < b->key.n);
}

static int finish(struct report *r, struct tops *t, bool networks, uint32_t top,
                  struct store_attack_tops *out, struct fault *f)
{
    size_t n = t->n < top ? t->n : top;
    struct store_attack_top *items = arena_alloc(&r->tx->arena, (n + 1) * sizeof(*items));

    if (!items)
        return fault_nomem(f);
    if (t->n)
        qsort(t->at, t->n, sizeof(*t->at), larger_first);
    for (size_t i = 0; i < n; i++) {
        const struct entry *e = &t->at[i];
        struct store_attack_top *item = &items[i];
        struct span rest = span_skip(e->key, 8);

        *item =
            (struct store_attack_top){.count = e->count, .first_ms = e->first, .last_ms = e->last};
        for (int kind = 0; kind < ATTACKS; kind++)
            if (e->kinds[kind] > e->kinds[item->attack])
                item->attack = (enum attack)kind;
        memcpy(&item->switch_id, e->key.p, 8);
        if (networks)
            item->network = guard_network_unpack(rest);
        else
            item->text = rest;
        int err = item->switch_id
                      ? change_text(r->tx, "SELECT name FROM switches WHERE id = ?1",
                                    DB_VALUES(INT(item->switch_id)), &item->switch_name, f)
                      : 0;
        if (err)
            return err;
    }
    *out = (struct store_attack_tops){items, n, t->n};
    return 0;
}

static int run(struct report *r, uint32_t top, struct fault *f)
{
    int err = read_decided(r, f);

    if (!err)
        err = read_rows(r, f);
    if (!err)
        err = read_seen(r, f);
    if (!err)
        err = read_decisions(r, f);
    if (!err)
        err = finish(r, &r->sources, true, top, &r->out->sources, f);
    if (!err)
        err = finish(r, &r->networks, true, top, &r->out->networks, f);
    if (!err)
        err = finish(r, &r->accounts, false, top, &r->out->accounts, f);
    if (!err)
        err = finish(r, &r->agents, false, top, &r->out->user_agents, f);
    return err;
}

int store_attack_report(struct store_tx *tx, const struct store_attack_query *query,
                        struct store_attack_report *out, struct fault *f)
{
    int64_t until = query->until_ms ? query->until_ms : tx->now.wall_ms + 1;
    struct store_attack_report made = {0};
    struct report r = {.tx = tx, .out = &made};
    struct tops *all[] = {&r.sources, &r.networks, &r.accounts, &r.agents, &r.decided};

    if (query->top > TOP_MAX)
        return fault(f, ERR_RANGE, "a list has at most %d entries, not %" PRIu32, TOP_MAX,
                     query->top);
    r.from_hour = query->since_ms / HOUR_MS;
    r.to_hour = (until + HOUR_MS - 1) / HOUR_MS;
    made.from_ms = r.from_hour * HOUR_MS;
    made.until_ms = until;
    randombytes_buf(r.hash_key, sizeof(r.hash_key));
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        *all[i] = (struct tops){.hash_key = r.hash_key, .arena = &tx->arena};
    int err = query->switch_name.n ? switch_id(tx, query->switch_name, &r.sw, f) : 0;
    if (!err)
        err = run(&r, query->top ? query->top : TOP_DEFAULT, f);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        tops_free(all[i]);
    if (!err)
        *out = made;
    return err;
}
