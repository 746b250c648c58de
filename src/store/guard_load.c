/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving the guard back what it knew, but for what the operator has lifted meanwhile. */
#include <stdlib.h>

#include "guard/exempt.h"
#include "store/guard_names.h"
#include "store/guard_records.h"
#include "store/guard_state.h"
#include "store/guard_words.h"

/* ---- what was lifted ------------------------------------------------------------------------ */

/* The guard tells its own seconds: by the wall clock a ban began up to a second before or after what it says. */
#define UNSURE_MS 2000

struct lifted {
    char kind; /* of its word the first letter: b, l, k */
    int64_t sw, at_ms;
    struct span account;
    struct network network; /* family 0: all */
};

struct load {
    struct store_tx *tx;
    const struct guard_limits *limits;
    const struct store_guard_loader *to;
    struct lifted *lifted; /* sorted */
    size_t n_lifted;
};

static int order_span(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* By kind, switch and account, then for bans by network. */
static int order(const void *left, const void *right)
{
    const struct lifted *a = left, *b = right;
    char x[GUARD_NETWORK_MAX], y[GUARD_NETWORK_MAX];

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->sw != b->sw)
        return a->sw < b->sw ? -1 : 1;
    int by_account = order_span(a->account, b->account);
    return by_account || a->kind != 'b'
               ? by_account
               : order_span(guard_network_pack(&a->network, x), guard_network_pack(&b->network, y));
}

static int read_lifted(struct load *l, struct fault *f)
{
    struct arena *a = &l->tx->arena;
    int64_t n = 0;
    bool found, ok = true;
    struct query q;
    int err = db_int(l->tx->db, &n, &found, "SELECT count(*) FROM lifted", NULL, 0, f);

    if (err || !n)
        return err;
    l->lifted = arena_alloc(a, (size_t)n * sizeof(*l->lifted));
    if (!l->lifted)
        return fault_nomem(f);
    err = query_start(&q, l->tx->db, "SELECT kind, switch, account, network, at FROM lifted", NULL,
                      0, f);
    if (err)
        return err;
    while (l->n_lifted < (size_t)n && (err = query_row(&q, f)) == 1) {
        struct span kind = query_text(&q, 0);
        if (!kind.n) {
            ok = false;
            break;
        }
        struct lifted *one = &l->lifted[l->n_lifted++];
        *one = (struct lifted){.kind = kind.p[0],
                               .sw = query_int(&q, 1),
                               .account = query_copy(&q, 2, a, &ok),
                               .at_ms = query_int(&q, 4)};
        if (query_text(&q, 3).n)
            err = network_parse(query_text(&q, 3), &one->network, f);
        if (err < 0 || !ok)
            break;
    }
    query_end(&q);
    if (!ok)
        return fault_nomem(f);
    qsort(l->lifted, l->n_lifted, sizeof(*l->lifted), order);
    return err < 0 ? err : 0;
}

/* The first that is not before `key`. */
static size_t lower_bound(const struct load *l, const struct lifted *key)
{
    size_t low = 0, high = l->n_lifted;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&l->lifted[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether the guard decided about what `key` names after `at_ms`, as near to its beginning as its state can tell. */
static int decided_after(const struct load *l, const struct lifted *key, int64_t at_ms, bool *found,
                         struct fault *f)
{
    const struct db_value from = INT(at_ms), to = INT(key->at_ms + UNSURE_MS);
    char packed[GUARD_NETWORK_MAX];
    int64_t id;

    if (key->kind == 'b')
        return db_int(l->tx->evidence, &id, found,
                      "SELECT id FROM decisions WHERE network = ?1 AND at > ?2 AND at < ?3"
                      " AND kind IN (?4, ?5) LIMIT 1",
                      DB_VALUES(BLOB(guard_network_pack(&key->network, packed)), from, to,
                                WORD(guard_event_name(GUARD_BAN)),
                                WORD(guard_event_name(GUARD_QUENCH))),
                      f);
    return db_int(l->tx->evidence, &id, found,
                  "SELECT id FROM decisions WHERE account <> '' AND account = ?1 AND switch = ?2"
                  " AND at > ?3 AND at < ?4 AND kind IN (?5, ?6, ?7) LIMIT 1",
                  DB_VALUES(TEXT(key->account), INT(key->sw), from, to,
                            WORD(guard_event_name(GUARD_LOCKOUT)),
                            WORD(guard_event_name(GUARD_INTERNATIONAL)),
                            WORD(guard_event_name(GUARD_TAKEOVER))),
                  f);
}

/* Whether what `key` names and began at key->at_ms was lifted since: 0 or 1, or an error. Bans and locks know only
 * roughly when they began; one that began anew around the lift is told by its decision. */
static int is_lifted(const struct load *l, const struct lifted *key, struct fault *f)
{
    const int64_t unsure = key->kind == 'k' ? 0 : UNSURE_MS;
    int64_t last = INT64_MIN;
    bool anew = false;
    int err = 0;

    for (size_t i = lower_bound(l, key); i < l->n_lifted; i++) {
        const struct lifted *one = &l->lifted[i];
        if (order(one, key) != 0)
            break;
        if (one->at_ms > last && (!one->network.family || !key->network.family ||
                                  exempts_overlap(&one->network, &key->network)))
            last = one->at_ms;
    }
    if (last == INT64_MIN || last < key->at_ms - unsure)
        return 0;
    if (last < key->at_ms + unsure)
        err = decided_after(l, key, last, &anew, f);
    return err ? err : !anew;
}

/* ---- bans and locks ------------------------------------------------------------------------- */

typedef int row_fn(struct load *l, struct query *q, struct fault *f);

/* `sql` may have the present second as ?1. */
static int each(struct load *l, struct db *db, const char *sql, row_fn *row, struct fault *f)
{
    const struct db_value now = INT(instant_wall_s(l->tx->now));
    struct query q;
    int err = query_start(&q, db, sql, &now, strchr(sql, '?') ? 1 : 0, f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        err = row(l, &q, f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

static int give_own_ban(struct load *l, struct query *q, struct fault *f)
{
    struct guard_ban ban = {.attack = ATTACK_OPERATOR,
                            .since = query_int(q, 1) / 1000,
                            .until = query_int(q, 2),
                            .last = (uint64_t)query_int(q, 3)};
    int err = network_parse(query_text(q, 0), &ban.network, f);

    if (err)
        return err;
    if (ban.until)
        ban.length = ban.until > ban.since ? (uint32_t)(ban.until - ban.since) : 1;
    return l->to->ban(l->to->arg, &ban, f);
}

static int give_lifted(const struct load *l, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; i < l->n_lifted && !err; i++)
        if (l->lifted[i].kind == 'b')
            err = l->to->lifted(l->to->arg, &l->lifted[i].network, f);
    return err;
}

static int give_ban(struct load *l, struct query *q, struct fault *f)
{
    struct guard_ban ban = {
        .network = guard_network_unpack(query_text(q, 0)),
        .observed = query_int(q, 1) != 0,
        .quench = query_int(q, 2) != 0,
        .switch_id = query_int(q, 5),
        .since = query_int(q, 6),
        .until = query_int(q, 7),
        .length = (uint32_t)query_int(q, 8),
        .level = (uint32_t)query_int(q, 9),
        .quench_level = (uint32_t)query_int(q, 10),
        .threshold = (uint32_t)query_int(q, 11),
        .count = (uint32_t)query_int(q, 12),
        .window = (uint32_t)query_int(q, 13),
        .heard = (uint32_t)query_int(q, 14),
        .last = (uint64_t)query_int(q, 15),
    };
    const struct lifted key = {.kind = 'b', .network = ban.network, .at_ms = ban.since * 1000};

    if (!ban.network.family || !guard_word_attack(query_text(q, 3), &ban.attack) ||
        !witness_from(query_text(q, 4), &ban.witness))
        return 0;
    int lifted = is_lifted(l, &key, f);
    if (lifted)
        return lifted < 0 ? lifted : 0;
    return l->to->ban(l->to->arg, &ban, f);
}

static int give_lock(struct load *l, struct query *q, struct fault *f)
{
    char shown[GUARD_NAME_SHOWN_MAX];
    struct span name = query_text(q, 1);
    struct guard_lock lock = {
        .switch_id = query_int(q, 0),
        .kind = (enum guard_lock_kind)query_int(q, 2),
        .observed = query_int(q, 3) != 0,
        .since = query_int(q, 4),
        .until = query_int(q, 5),
        .length = (uint32_t)query_int(q, 6),
        .level = (uint32_t)query_int(q, 7),
        .threshold = (uint32_t)query_int(q, 8),
        .count = (uint32_t)query_int(q, 9),
        .window = (uint32_t)query_int(q, 10),
        .last = (uint64_t)query_int(q, 11),
    };

    if (!name.n || name.n > sizeof(lock.name))
        return 0;
    memcpy(lock.name, name.p, name.n);
    lock.name_n = (uint8_t)name.n;
    const struct lifted key = {.kind = 'l',
                               .sw = lock.switch_id,
                               .account = span_of(guard_name_show(name, shown)),
                               .at_ms = lock.since * 1000};
    int lifted = is_lifted(l, &key, f);
    if (lifted)
        return lifted < 0 ? lifted : 0;
    return l->to->lock(l->to->arg, &lock, f);
}

/* ---- pairs and counts ----------------------------------------------------------------------- */

/* Good and written down as such, or not good at all. A good one that was decided after pairs were last saved has
 * no row of its own: it is good since that day. */
static int give_pair(struct load *l, struct query *q, struct fault *f)
{
    struct guard_pair pair = {
        .account = (uint64_t)query_int(q, 0),
        .home = guard_network_unpack(query_text(q, 1)),
        .first_day = (uint16_t)query_int(q, 2),
        .last_day = (uint16_t)query_int(q, 3),
        .taint_until_day = (uint16_t)query_int(q, 4),
        .days = (uint8_t)query_int(q, 5),
        .good = query_int(q, 6) != 0,
    };
    const struct lifted key = {.kind = 'k',
                               .sw = query_int(q, 7),
                               .account = query_text(q, 8),
                               .network = pair.home,
                               .at_ms = query_int(q, 9)};

    if (!pair.home.family)
        return 0;
    int lifted = pair.good ? is_lifted(l, &key, f) : 0;
    if (lifted)
        return lifted < 0 ? lifted : 0;
    if (!pair.days) /* decided, not saved */
        pair.days = l->limits->good_days < UINT8_MAX ? (uint8_t)l->limits->good_days : UINT8_MAX;
    return l->to->pair(l->to->arg, &pair, f);
}

static void forget(struct guard_count *c, int row, uint32_t window, int64_t age_s)
{
    if (age_s >= (int64_t)window)
        memset(c->parts[row], 0, sizeof(c->parts[row]));
}

/* Without what is older than its window. False: nothing is left. */
static bool age_count(struct guard_count *c, const struct guard_limits *limits, int64_t age_s)
{
    const struct limit *near = c->network.bits == 64   ? &limits->net64
                               : c->network.bits == 48 ? &limits->net48
                                                       : &limits->source;
    const struct limit *day = c->network.bits == 64   ? &limits->net64_day
                              : c->network.bits == 48 ? &limits->net48_day
                                                      : &limits->source_day;

    if (c->is_account) {
        forget(c, 0, limits->account.window, age_s);
        forget(c, 1, limits->account_day.window, age_s);
        forget(c, 2, limits->account_week.window, age_s);
        forget(c, 3, limits->account_week.window, age_s);
    } else {
        forget(c, 0, c->proved ? near->window : limits->unproved.window, age_s);
        forget(c, 1, day->window, age_s);
        forget(c, 2, limits->noise.window, age_s);
    }
    if (age_s >= (int64_t)limits->names.window)
        c->names = 0;
    for (int i = 0; i < 4; i++)
        for (int w = 0; w < WITNESSES; w++)
            if (c->parts[i][w])
                return true;
    return c->names != 0;
}

static int give_count(struct load *l, struct query *q, struct fault *f)
{
    struct guard_count c = {.known = query_int(q, 1) != 0, .names = (uint32_t)query_int(q, 3)};
    int64_t age_s = (l->tx->now.wall_ms - query_int(q, 4)) / 1000;

    c.age = age_s <= 0 ? 0 : age_s < UINT32_MAX ? (uint32_t)age_s : UINT32_MAX;
    if (!count_subject_unpack(query_text(q, 0), &c) || !counts_unpack(query_text(q, 2), &c) ||
        !age_count(&c, l->limits, age_s))
        return 0;
    return l->to->count(l->to->arg, &c, f);
}

#define SELECT_PAIRS                                                                               \
    "SELECT p.account, p.home, p.first_day, p.last_day, p.taint, p.days, p.good, g.switch,"        \
    " g.account, coalesce(g.since, 0) FROM pairs p"                                                \
    " LEFT JOIN known_good g ON g.pair = p.account AND g.network = p.home"                         \
    " WHERE (p.good = 0 OR g.id IS NOT NULL)"                                                      \
    " UNION ALL SELECT g.pair, g.network, g.since / 86400000, g.since / 86400000, 0, 0, 1,"        \
    " g.switch, g.account, g.since FROM known_good g"                                              \
    " WHERE NOT EXISTS (SELECT 1 FROM pairs WHERE account = g.pair AND home = g.network"           \
    " AND good = 1)"

int store_guard_load(struct store_tx *tx, const struct guard_limits *limits,
                     const struct store_guard_loader *to, struct fault *f)
{
    struct load l = {.tx = tx, .limits = limits, .to = to};
    int err = tx->evidence ? read_lifted(&l, f)
                           : fault(f, ERR_DENIED, "a write job cannot see what happened");

    if (!err && to->lifted)
        err = give_lifted(&l, f);
    if (!err && to->ban)
        err = each(&l, tx->db,
                   "SELECT network, since, until, change FROM bans WHERE until = 0 OR until > ?1",
                   give_own_ban, f);
    if (!err && to->ban)
        err =
            each(&l, tx->evidence,
                 "SELECT network, observed, quench, attack, witness, switch, since, until, length,"
                 " level, quench_level, threshold, count, window, heard, last FROM bans"
                 " WHERE until = 0 OR until > ?1",
                 give_ban, f);
    if (!err && to->lock)
        err = each(&l, tx->evidence,
                   "SELECT switch, name, kind, observed, since, until, length, level, threshold,"
                   " count, window, last FROM locks WHERE until = 0 OR until > ?1",
                   give_lock, f);
    if (!err && to->pair)
        err = each(&l, tx->evidence, SELECT_PAIRS, give_pair, f);
    if (!err && to->count)
        err = each(&l, tx->evidence, "SELECT subject, known, counts, names, saved FROM counts",
                   give_count, f);
    return err;
}
