/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of what the guard decided. */
#include <inttypes.h>

#include "base/buf.h"
#include "store/below.h"
#include "store/evidence.h"
#include "store/guard_batch.h"
#include "store/guard_names.h"
#include "store/guard_words.h"
#include "store/names.h"
#include "store/page.h"

#define DAY_MS (86400 * (int64_t)1000)
/* Rows that one job deletes because of their age. */
#define EXPIRE_AT_ONCE 10000
#define SHOWN_TEXT_MAX (4 * EVIDENCE_TEXT + 8)

/* ---- writing -------------------------------------------------------------------------------- */

/* What anybody can cause by forged packets must not push out what is proved. */
static bool is_light(const struct guard_event *e)
{
    return e->kind == GUARD_QUENCH || (e->kind == GUARD_UNBAN && e->quench) ||
           e->kind == GUARD_PRESSURE;
}

static const char *show(char out[SHOWN_TEXT_MAX], const char *text, size_t n)
{
    return escape((struct span){text, n}, out, SHOWN_TEXT_MAX);
}

static int write_counted(struct db *db, int64_t decision, size_t position, const struct evidence *e,
                         struct fault *f)
{
    char source[GUARD_NETWORK_MAX], account[GUARD_NAME_SHOWN_MAX], dialled[SHOWN_TEXT_MAX],
        agent[SHOWN_TEXT_MAX], call_id[SHOWN_TEXT_MAX];
    struct network host = keys_host(&e->source);

    return db_run(
        db,
        "INSERT INTO counted (decision, position, at, switch, witness, outcome, proof, transport,"
        " method, source, account, dialled, user_agent, call_id)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        DB_VALUES(
            INT(decision), INT((int64_t)position), INT(e->wall_ms), INT(e->switch_id),
            WORD(witness_name((enum witness)e->witness)),
            WORD(outcome_name((enum outcome)e->outcome)), WORD(proof_name((enum proof)e->proof)),
            WORD(transport_name((enum transport)e->transport)),
            WORD(method_name((enum method)e->method)),
            BLOB(e->source.family ? guard_network_pack(&host, source) : ((struct span){source, 0})),
            WORD(guard_name_show((struct span){e->account, e->account_n}, account)),
            WORD(show(dialled, e->dialled, e->dialled_n)),
            WORD(show(agent, e->user_agent, e->user_agent_n)),
            WORD(show(call_id, e->call_id, e->call_id_n))),
        f);
}

static int hold_quota(struct db *db, struct span network, const char *account, int64_t sw,
                      uint32_t quota, struct fault *f)
{
    int err = 0;

    if (network.n)
        err = db_run(db,
                     "DELETE FROM decisions WHERE network = ?1 AND id <= (SELECT id FROM decisions"
                     " WHERE network = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                     DB_VALUES(BLOB(network), INT(quota)), f);
    if (!err && *account)
        err =
            db_run(db,
                   "DELETE FROM decisions WHERE account <> '' AND account = ?1 AND switch = ?2 AND"
                   " id <= (SELECT id FROM decisions WHERE account <> '' AND account = ?1 AND"
                   " switch = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
                   DB_VALUES(WORD(account), INT(sw), INT(quota)), f);
    return err;
}

static int write_decision(struct store_tx *tx, const struct batch_decision *d, uint32_t quota,
                          struct fault *f)
{
    const struct guard_event *e = &d->event;
    char packed[GUARD_NETWORK_MAX], account[GUARD_NAME_SHOWN_MAX],
        good[GUARD_GOOD_MAX * GUARD_NETWORK_MAX];
    struct span network = guard_network_pack(&e->network, packed);
    int64_t tenant = 0;
    size_t n = 0;
    bool found;

    guard_name_show((struct span){d->account, d->account_n}, account);
    for (size_t i = 0; i < d->n_good; i++)
        n += guard_network_pack(&d->good[i], good + n).n;
    int err = db_int(tx->db, &tenant, &found,
                     "SELECT tenant FROM accounts WHERE switch = ?1 AND name = ?2",
                     DB_VALUES(INT(e->switch_id), WORD(account)), f);
    if (!err)
        err = db_run(
            tx->evidence,
            "INSERT INTO decisions (at, kind, attack, observed, quench, light, switch, network,"
            " account, tenant, witness, proof, threshold, count, window, seconds, level, good,"
            " named) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
            " ?17, ?18, ?19)",
            DB_VALUES(INT(e->at.wall_ms), WORD(guard_event_name(e->kind)),
                      WORD(guard_attack_name(e->attack)), INT(e->observed), INT(e->quench),
                      INT(is_light(e)), INT(e->switch_id), BLOB(network), WORD(account), ID(tenant),
                      WORD(witness_name(e->witness)), WORD(proof_name(e->proof)), INT(e->threshold),
                      INT(e->count), INT(e->window), INT(e->seconds), INT(e->level),
                      BLOB(((struct span){good, n})), INT((int64_t)e->n_attempts)),
            f);
    int64_t id = db_last_id(tx->evidence);
    for (size_t i = 0; !err && i < d->n_counted; i++)
        err = write_counted(tx->evidence, id, i, &d->counted[i], f);
    return err ? err : hold_quota(tx->evidence, network, account, e->switch_id, quota, f);
}

static int hold_total(struct db *db, int64_t light, int64_t most, struct fault *f)
{
    int64_t total = 0;
    bool found;
    int err = db_int(db, &total, &found, "SELECT rows FROM decision_total WHERE light = ?1",
                     DB_VALUES(INT(light)), f);

    if (err || total <= most)
        return err;
    return db_run(db,
                  "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE light = ?1"
                  " ORDER BY id LIMIT ?2)",
                  DB_VALUES(INT(light), INT(total - most)), f);
}

static int expire(struct store_tx *tx, uint32_t days, struct fault *f)
{
    int64_t oldest = tx->now.wall_ms - days * DAY_MS, at = INT64_MAX;
    bool found = false;
    int err = db_int(tx->evidence, &at, &found, "SELECT at FROM decisions ORDER BY id LIMIT 1",
                     NULL, 0, f);

    if (err || !found || at >= oldest)
        return err;
    return db_run(tx->evidence,
                  "DELETE FROM decisions WHERE id IN (SELECT id FROM (SELECT id, at FROM decisions"
                  " ORDER BY id LIMIT ?2) WHERE at < ?1)",
                  DB_VALUES(INT(oldest), INT(EXPIRE_AT_ONCE)), f);
}

int decisions_write(struct store_tx *tx, const struct guard_batch *b, struct fault *f)
{
    struct store_settings s;

    if (!b->n_decisions)
        return 0;
    int err = store_settings_get(tx, &s, f);
    for (size_t i = 0; !err && i < b->n_decisions; i++)
        err = write_decision(tx, &b->decisions[i], s.decisions_per_subject, f);
    if (!err)
        err = hold_total(tx->evidence, 1, s.decisions_max / 4, f);
    if (!err)
        err = hold_total(tx->evidence, 0, s.decisions_max - s.decisions_max / 4, f);
    return err ? err : expire(tx, s.decision_days, f);
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool read_enums(struct query *q, struct store_counted *c)
{
    return witness_from(query_text(q, 2), &c->witness) &&
           outcome_from(query_text(q, 3), &c->outcome) && proof_from(query_text(q, 4), &c->proof) &&
           transport_from(query_text(q, 5), &c->transport) &&
           method_from(query_text(q, 6), &c->method);
}

static int read_counted(struct store_tx *tx, struct store_decision *d, struct fault *f)
{
    struct arena *a = &tx->arena;
    struct store_counted *items = arena_alloc(a, GUARD_EVENT_IDS * sizeof(*items));
    struct query q;
    bool ok = true;

    if (!items)
        return fault_nomem(f);
    int err = query_start(&q, tx->evidence,
                          "SELECT at, switch, witness, outcome, proof, transport, method, source,"
                          " account, dialled, user_agent, call_id FROM counted WHERE decision = ?1"
                          " ORDER BY position",
                          DB_VALUES(INT(d->id)), f);
    if (err)
        return err;
    while (d->n_attempts < GUARD_EVENT_IDS && (err = query_row(&q, f)) == 1) {
        struct store_counted *c = &items[d->n_attempts];
        struct network host = guard_network_unpack(query_text(&q, 7));

        *c = (struct store_counted){.at_ms = query_int(&q, 0),
                                    .switch_id = query_int(&q, 1),
                                    .source.family = host.family,
                                    .account = query_copy(&q, 8, a, &ok),
                                    .dialled = query_copy(&q, 9, a, &ok),
                                    .user_agent = query_copy(&q, 10, a, &ok),
                                    .call_id = query_copy(&q, 11, a, &ok)};
        memcpy(c->source.ip, host.ip, sizeof(c->source.ip));
        if (read_enums(&q, c))
            d->n_attempts++;
    }
    query_end(&q);
    d->attempts = items;
    return err < 0 ? err : ok ? 0 : fault_nomem(f);
}

static int read_good(struct store_tx *tx, struct span packed, struct store_decision *d,
                     struct fault *f)
{
    struct network *good =
        packed.n ? arena_alloc(&tx->arena, GUARD_GOOD_MAX * sizeof(*good)) : NULL;

    if (packed.n && !good)
        return fault_nomem(f);
    while (packed.n && d->n_good < GUARD_GOOD_MAX) {
        size_t n = packed.p[0] == 4 ? 6 : 18;

        if (packed.n < n)
            break;
        good[d->n_good++] = guard_network_unpack((struct span){packed.p, n});
        packed = span_skip(packed, n);
    }
    d->good = good;
    return 0;
}

static int read_bare(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_decision *out = item;
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_decision d = {
        .id = query_int(q, 0),
        .at_ms = query_int(q, 1),
        .observed = query_int(q, 4) != 0,
        .quench = query_int(q, 5) != 0,
        .switch_id = query_int(q, 6),
        .network = guard_network_unpack(query_text(q, 7)),
        .account = query_copy(q, 8, a, &ok),
        .threshold = (uint32_t)query_int(q, 12),
        .count = (uint32_t)query_int(q, 13),
        .window = (uint32_t)query_int(q, 14),
        .seconds = (uint32_t)query_int(q, 15),
        .level = (uint32_t)query_int(q, 16),
        .n_named = (uint32_t)query_int(q, 18),
    };

    if (!ok)
        return fault_nomem(f);
    if (!guard_word_event(query_text(q, 2), &d.kind) ||
        !guard_word_attack(query_text(q, 3), &d.attack) ||
        !witness_from(query_text(q, 10), &d.witness) || !proof_from(query_text(q, 11), &d.proof))
        return fault(f, ERR_CORRUPT, "%s has a decision of no kind", db_path(tx->evidence));
    int err = read_good(tx, query_text(q, 17), &d, f);
    if (!err)
        err = evidence_names(tx, d.switch_id, query_int(q, 9), &d.switch_name, &d.tenant, f);
    if (!err)
        *out = d;
    return err;
}

static int read_decision(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    int err = read_bare(tx, q, item, f);

    return err ? err : read_counted(tx, item, f);
}

/* Parameters of a query that is put together. */
#define VALUES_MAX 160
struct question {
    struct buf sql;
    struct db_value values[VALUES_MAX];
    size_t n;
    char packed[132][GUARD_NETWORK_MAX];
};

/* `sql` ends where the value is to stand. */
static void ask(struct question *q, const char *sql, struct db_value value)
{
    q->values[q->n++] = value;
    buf_printf(&q->sql, "%s?%zu", sql, q->n);
}

/* The network as it is, and those that it is in: none that is banned is wider than /16 or /32. */
static void ask_network(struct question *q, const struct network *network, bool inside)
{
    struct address at = {.family = network->family};
    uint8_t widest = network->family == 4 ? 16 : 32;
    size_t used = 0;

    memcpy(at.ip, network->ip, sizeof(at.ip));
    buf_puts(&q->sql, " AND (network IN (x''");
    for (int bits = network->bits; bits >= (network->bits < widest ? network->bits : widest);
         bits--) {
        struct network around = keys_around(&at, (uint8_t)bits);
        ask(q, ", ", BLOB(guard_network_pack(&around, q->packed[used])));
        used++;
    }
    buf_puts(&q->sql, ")");
    if (inside) {
        struct network last = *network;
        int all = network->family == 4 ? 32 : 128;

        for (int bit = network->bits; bit < all; bit++)
            last.ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        last.bits = UINT8_MAX;
        ask(q, " OR (network >= ", BLOB(guard_network_pack(network, q->packed[used])));
        ask(q, " AND network <= ", BLOB(guard_network_pack(&last, q->packed[used + 1])));
        buf_puts(&q->sql, ")");
    }
    buf_puts(&q->sql, ")");
}

static void ask_kinds(struct question *q, uint32_t kinds)
{
    buf_puts(&q->sql, " AND kind IN (''");
    for (int i = 0; i < GUARD_EVENTS; i++)
        if (kinds & 1u << i)
            buf_printf(&q->sql, ", '%s'", guard_event_name((enum guard_event_kind)i));
    buf_puts(&q->sql, ")");
}

static int ask_all(struct store_tx *tx, struct question *q,
                   const struct store_decision_query *query, struct fault *f)
{
    int64_t sw = 0;
    int err = query->switch_name.n ? switch_id(tx, query->switch_name, &sw, f) : 0;

    if (!err && query->within)
        err = evidence_within(tx, &q->sql, query->within, f);
    if (err)
        return err;
    if (query->network.family)
        ask_network(q, &query->network, query->inside);
    if (sw)
        ask(q, " AND switch = ", INT(sw));
    if (query->account.n)
        ask(q, " AND account <> '' AND account = ", TEXT(query->account));
    if (query->kinds)
        ask_kinds(q, query->kinds);
    if (query->since_ms)
        ask(q, " AND at >= ", INT(query->since_ms));
    if (query->until_ms)
        ask(q, " AND at < ", INT(query->until_ms));
    return 0;
}

int store_decision_list(struct store_tx *tx, const struct store_decision_query *query,
                        struct store_decision_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_decision),
                     .read = query->bare ? read_bare : read_decision};
    struct question *question = arena_alloc(&tx->arena, sizeof(*question));
    struct query q;
    int err = question ? page_begin_id(&p, &query->page, INT64_MAX, f) : fault_nomem(f);

    if (err)
        return err;
    memset(question, 0, sizeof(*question));
    ask(question,
        "SELECT id, at, kind, attack, observed, quench, switch, network, account, tenant, witness,"
        " proof, threshold, count, window, seconds, level, good, named FROM decisions"
        " WHERE id < ",
        INT(p.id));
    err = ask_all(tx, question, query, f);
    ask(question, " ORDER BY id DESC LIMIT ", INT(p.rows));
    if (!err)
        err = question->sql.failed ? fault_nomem(f)
                                   : query_build(&q, tx->evidence, question->sql.p,
                                                 question->values, question->n, f);
    buf_free(&question->sql);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_decision_list){p.items, p.n, p.next};
    return err;
}
