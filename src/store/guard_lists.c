/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that the guard's thread wants to know of what the operator decided. */
#include "store/guard_lists.h"

#include "store/tx.h"

/* Rows of a query become items of an array in the job's memory. */
struct rows {
    void *items;
    size_t n;
};

typedef int read_fn(struct store_tx *tx, struct query *q, void *item, struct fault *f);

static int read_rows(struct store_tx *tx, const char *count, const char *select, int64_t id,
                     size_t size, read_fn *read, struct rows *out, struct fault *f)
{
    const struct db_value of = INT(id);
    struct query q;
    int64_t n = 0;
    bool found;
    int err = db_int(tx->db, &n, &found, count, &of, id ? 1 : 0, f);
    char *items = err || !n ? NULL : arena_alloc(&tx->arena, (size_t)n * size);

    *out = (struct rows){0};
    if (err || !n)
        return err;
    if (!items)
        return fault_nomem(f);
    err = query_start(&q, tx->db, select, &of, id ? 1 : 0, f);
    if (err)
        return err;
    while (out->n < (size_t)n && (err = query_row(&q, f)) == 1) {
        err = read(tx, &q, items + out->n * size, f);
        if (err)
            break;
        out->n++;
    }
    query_end(&q);
    out->items = items;
    return err < 0 ? err : 0;
}

static int read_network(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    return network_parse(query_text(q, 0), item, f);
}

static int read_canary(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_guard_canary *a = item;
    bool ok = true;

    *a = (struct store_guard_canary){query_int(q, 0), query_copy(q, 1, &tx->arena, &ok)};
    return ok ? 0 : fault_nomem(f);
}

static int read_switch(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_guard_switch *s = item;
    struct rows addresses;
    bool ok = true;

    *s = (struct store_guard_switch){
        .id = query_int(q, 0), .name = query_copy(q, 1, &tx->arena, &ok), .mode = STORE_OBSERVE};
    if (!ok)
        return fault_nomem(f);
    store_mode_parse(query_text(q, 2), &s->mode);
    int err = read_rows(tx, "SELECT count(*) FROM switch_addresses WHERE switch = ?1",
                        "SELECT address FROM switch_addresses WHERE switch = ?1 ORDER BY position",
                        s->id, sizeof(struct network), read_network, &addresses, f);
    s->addresses = addresses.items;
    s->n_addresses = addresses.n;
    return err;
}

int store_guard_lists_read(struct store_tx *tx, struct store_guard_lists *out, struct fault *f)
{
    struct rows access, never, canaries, switches;
    int err = read_rows(tx, "SELECT count(*) FROM networks WHERE list = 'access'",
                        "SELECT network FROM networks WHERE list = 'access' ORDER BY id", 0,
                        sizeof(struct network), read_network, &access, f);

    if (!err)
        err = read_rows(tx, "SELECT count(*) FROM networks WHERE list = 'never-ban'",
                        "SELECT network FROM networks WHERE list = 'never-ban' ORDER BY id", 0,
                        sizeof(struct network), read_network, &never, f);
    if (!err)
        err = read_rows(tx, "SELECT count(*) FROM canaries",
                        "SELECT switch, name FROM canaries ORDER BY id", 0,
                        sizeof(struct store_guard_canary), read_canary, &canaries, f);
    if (!err)
        err = read_rows(tx, "SELECT count(*) FROM switches",
                        "SELECT id, name, mode FROM switches ORDER BY id", 0,
                        sizeof(struct store_guard_switch), read_switch, &switches, f);
    if (!err)
        *out = (struct store_guard_lists){
            .access = access.items,
            .n_access = access.n,
            .never = never.items,
            .n_never = never.n,
            .canaries = canaries.items,
            .n_canaries = canaries.n,
            .switches = switches.items,
            .n_switches = switches.n,
        };
    return err;
}
