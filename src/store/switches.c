/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "base/address.h"
#include "numbering/site.h"
#include "sip/field.h"
#include "store/accounts.h"
#include "store/names.h"
#include "store/page.h"

static const struct change_kind switch_kind = {
    "switch",
    "SELECT 'switch:' || name, 'switch:' || name, NULL, NULL, change FROM switches WHERE id = ?1",
    "SELECT json_object('name', s.name,"
    " 'addresses', (SELECT json_group_array(address) FROM"
    "   (SELECT address FROM switch_addresses WHERE switch = s.id ORDER BY position)),"
    " 'plan', s.plan, 'outside', nullif(s.outside, ''), 'extensions', nullif(s.extensions, ''),"
    " 'area', nullif(s.area, ''), 'form', s.form, 'mode', s.mode, 'unknown', s.unknown,"
    " 'adopt_tenant', t.name,"
    " 'tenants', (SELECT json_group_array(name) FROM (SELECT n.name FROM switch_tenants x"
    "   JOIN tenants n ON n.id = x.tenant WHERE x.switch = s.id ORDER BY n.name)),"
    " 'note', nullif(s.note, ''),"
    " 'sip_account', nullif(s.sip_account, 'P-Asserted-Identity'),"
    " 'sip_allow', nullif(s.sip_allow, 302), 'sip_deny', nullif(s.sip_deny, 603),"
    " 'fail_open', iif(s.fail_open, json('true'), NULL))"
    " FROM switches s LEFT JOIN tenants t ON t.id = s.adopt_tenant WHERE s.id = ?1",
};

static int check_site(struct store_tx *tx, const struct store_switch *s, struct fault *f)
{
    struct site *site = NULL;
    struct site_config config = {
        .plan = s->plan, .outside = s->outside, .extensions = s->extensions, .area = s->area};

    if (s->plan.n == 0)
        return fault(f, ERR_RANGE, "a switch needs a dial plan, a country like JP");
    if (!tx->tables)
        return 0;
    int err = site_new(&site, tx->tables, &config, f);
    if (!err)
        site_free(site);
    return err;
}

/* Without what is the same for all. */
static struct store_switch with_defaults(const struct store_switch *s)
{
    struct store_switch out = *s;

    if (!out.sip_account.n)
        out.sip_account = SPAN("P-Asserted-Identity");
    if (!out.sip_allow)
        out.sip_allow = 302;
    if (!out.sip_deny)
        out.sip_deny = 603;
    return out;
}

static int check_sip(const struct store_switch *s, struct fault *f)
{
    if (s->sip_account.n > STORE_HEADER_MAX || !field_is_token(s->sip_account))
        return fault(f, ERR_RANGE,
                     "\"%s\" names no header field (sip_account): it is one like "
                     "P-Asserted-Identity, From or X-Account, or subdomain, at most %d bytes",
                     ESCAPED(s->sip_account), STORE_HEADER_MAX);
    if (s->sip_allow != 302 && s->sip_allow != 404 && s->sip_allow != 503)
        return fault(f, ERR_RANGE,
                     "%" PRId64 " allows no call over SIP (sip_allow): it is 302, or with "
                     "fail_open 404 or 503",
                     s->sip_allow);
    if (s->sip_deny != 603 && s->sip_deny != 403 && s->sip_deny != 608)
        return fault(f, ERR_RANGE,
                     "%" PRId64 " refuses no call over SIP (sip_deny): it is 603, 403 or 608",
                     s->sip_deny);
    if (s->sip_allow != 302 && !s->fail_open)
        return fault(f, ERR_RANGE,
                     "a switch that goes on by %" PRId64
                     " (sip_allow) goes on with the number as it was dialled, and where Sekisho "
                     "is broken or gone too: say so by fail_open, or allow by 302",
                     s->sip_allow);
    return 0;
}

static int check(struct store_tx *tx, const struct store_switch *s, struct fault *f)
{
    int err = name_check(s->name, "switch", f);

    if (!err)
        err = text_check(s->note, STORE_TEXT_MAX, "the note", f);
    if (!err)
        err = text_check(s->extensions, STORE_TEXT_MAX, "the list of extensions", f);
    if (!err && s->mode == STORE_INHERIT)
        err = fault(f, ERR_RANGE, "a switch's mode is enforce or observe");
    if (!err && s->unknown == STORE_BORN && s->adopt_tenant.n == 0)
        err = fault(f, ERR_RANGE,
                    "a switch whose unknown accounts are born needs the tenant that "
                    "adopts them (adopt_tenant), or unknown must be deny");
    if (!err && s->n_addresses > STORE_ADDRESSES_MAX)
        err = fault(f, ERR_RANGE, "%zu addresses are too many; a switch has at most %d",
                    s->n_addresses, STORE_ADDRESSES_MAX);
    if (!err && s->n_tenants > STORE_REACH_MAX)
        err = fault(f, ERR_RANGE, "%zu tenants in reach are too many; list at most %d",
                    s->n_tenants, STORE_REACH_MAX);
    if (!err)
        err = check_sip(s, f);
    return err ? err : check_site(tx, s, f);
}

static int name_is_free(struct store_tx *tx, struct span name, int64_t id, struct fault *f)
{
    int64_t other = 0;
    bool found = false;
    int err = db_int(tx->db, &other, &found, "SELECT id FROM switches WHERE name = ?1 AND id <> ?2",
                     DB_VALUES(TEXT(name), INT(id)), f);

    if (!err && found)
        return fault(f, ERR_EXISTS, "there is a switch \"%s\" already", ESCAPED(name));
    return err;
}

static int put_address(struct store_tx *tx, int64_t id, size_t position, struct span text,
                       struct fault *f)
{
    char canonical[ADDRESS_TEXT_MAX];
    struct network network;
    struct span owner = {0};
    int err = network_parse(text, &network, f);

    if (err)
        return err;
    network_text(&network, canonical);
    err = change_text(tx,
                      "SELECT s.name FROM switch_addresses a JOIN switches s ON s.id = a.switch"
                      " WHERE a.address = ?1",
                      DB_VALUES(WORD(canonical)), &owner, f);
    if (!err && owner.n)
        return fault(f, ERR_EXISTS, "the address %s is already switch \"%s\"", canonical,
                     ESCAPED(owner));
    if (err)
        return err;
    return db_run(tx->db,
                  "INSERT INTO switch_addresses (address, switch, position) VALUES (?1, ?2, ?3)",
                  DB_VALUES(WORD(canonical), INT(id), INT((int64_t)position)), f);
}

/* The lists of switch `id`, replaced whole. */
static int put_lists(struct store_tx *tx, int64_t id, const struct store_switch *s, int64_t adopt,
                     struct fault *f)
{
    int err =
        db_run(tx->db, "DELETE FROM switch_addresses WHERE switch = ?1", DB_VALUES(INT(id)), f);

    if (!err)
        err = db_run(tx->db, "DELETE FROM switch_tenants WHERE switch = ?1", DB_VALUES(INT(id)), f);
    for (size_t i = 0; !err && i < s->n_addresses; i++)
        err = put_address(tx, id, i, s->addresses[i], f);
    for (size_t i = 0; !err && i < s->n_tenants; i++) {
        int64_t tenant;
        err = tenant_id(tx, s->tenants[i], false, &tenant, f);
        if (!err)
            err = db_run(tx->db,
                         "INSERT OR IGNORE INTO switch_tenants (switch, tenant) VALUES (?1, ?2)",
                         DB_VALUES(INT(id), INT(tenant)), f);
    }
    return err || !adopt ? err : account_reach(tx, id, adopt, f);
}

/* Everything about `s` that can be wrong but its lists. `id` is 0 for a new one. */
static int resolve(struct store_tx *tx, const struct store_switch *s, int64_t id, int64_t *adopt,
                   struct fault *f)
{
    int err = check(tx, s, f);

    if (!err)
        err = name_is_free(tx, s->name, id, f);
    if (!err)
        err = tenant_id(tx, s->adopt_tenant, true, adopt, f);
    return err;
}

int store_switch_add(struct store_tx *tx, const struct store_by *by,
                     const struct store_switch *given, int64_t *id, struct fault *f)
{
    const struct store_switch whole = with_defaults(given), *s = &whole;
    struct change c;
    int64_t adopt = 0, new = 0;
    int err = change_begin(&c, tx, by, &switch_kind, "switch.add", CHANGE_NEW, f);

    if (!err)
        err = resolve(tx, s, 0, &adopt, f);
    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO switches (name, plan, outside, extensions, area, form, mode,"
                     " unknown, adopt_tenant, note, change, sip_account, sip_allow, sip_deny,"
                     " fail_open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                     " ?14, ?15)",
                     DB_VALUES(TEXT(s->name), TEXT(s->plan), TEXT(s->outside), TEXT(s->extensions),
                               TEXT(s->area), WORD(store_form_name(s->form)),
                               WORD(store_mode_name(s->mode)), WORD(store_unknown_name(s->unknown)),
                               ID(adopt), TEXT(s->note), INT(c.number), TEXT(s->sip_account),
                               INT(s->sip_allow), INT(s->sip_deny), INT(s->fail_open)),
                     f);
    if (!err) {
        c.id = new = db_last_id(tx->db);
        err = put_lists(tx, new, s, adopt, f);
    }
    tx_touch_levels(tx);
    tx_touch_guard(tx);
    err = change_end(&c, err, f);
    if (!err)
        *id = new;
    return err;
}

int store_switch_update(struct store_tx *tx, const struct store_by *by,
                        const struct store_switch *given, struct fault *f)
{
    const struct store_switch whole = with_defaults(given), *s = &whole;
    struct change c;
    int64_t adopt = 0;
    int err = change_begin(&c, tx, by, &switch_kind, "switch.update", s->id, f);

    if (!err)
        err = resolve(tx, s, s->id, &adopt, f);
    if (!err)
        err =
            db_run(tx->db,
                   "UPDATE switches SET name = ?2, plan = ?3, outside = ?4, extensions = ?5,"
                   " area = ?6, form = ?7, mode = ?8, unknown = ?9, adopt_tenant = ?10, note = ?11,"
                   " change = ?12, sip_account = ?13, sip_allow = ?14, sip_deny = ?15,"
                   " fail_open = ?16 WHERE id = ?1",
                   DB_VALUES(INT(s->id), TEXT(s->name), TEXT(s->plan), TEXT(s->outside),
                             TEXT(s->extensions), TEXT(s->area), WORD(store_form_name(s->form)),
                             WORD(store_mode_name(s->mode)), WORD(store_unknown_name(s->unknown)),
                             ID(adopt), TEXT(s->note), INT(c.number), TEXT(s->sip_account),
                             INT(s->sip_allow), INT(s->sip_deny), INT(s->fail_open)),
                   f);
    if (!err)
        err = put_lists(tx, s->id, s, adopt, f);
    tx_touch_levels(tx);
    tx_touch_guard(tx);
    return change_end(&c, err, f);
}

static const char needed_sql[] =
    "SELECT n || ' ' || what FROM ("
    "SELECT (SELECT count(*) FROM accounts WHERE switch = ?1) AS n, 'account(s)' AS what UNION ALL "
    "SELECT (SELECT count(*) FROM tokens WHERE switch = ?1), 'token(s)') WHERE n > 0 LIMIT 1";

int store_switch_delete(struct store_tx *tx, const struct store_by *by, int64_t id, struct fault *f)
{
    struct change c;
    struct span needed = {0};
    int err = change_begin(&c, tx, by, &switch_kind, "switch.delete", id, f);

    if (!err)
        err = change_text(tx, needed_sql, DB_VALUES(INT(id)), &needed, f);
    if (!err && needed.n)
        err = fault(f, ERR_CONFLICT, "%s still has %s", ESCAPED(c.object), ESCAPED(needed));
    if (!err)
        err = db_run(tx->db, "DELETE FROM switches WHERE id = ?1", DB_VALUES(INT(id)), f);
    tx_touch_levels(tx);
    tx_touch_guard(tx);
    return change_end(&c, err, f);
}

#define SELECT_SWITCH                                                                              \
    "SELECT s.id, s.change, s.name, s.plan, s.outside, s.extensions, s.area, s.form, s.mode,"      \
    " s.unknown, t.name, s.note, s.sip_account, s.sip_allow, s.sip_deny, s.fail_open"              \
    " FROM switches s LEFT JOIN tenants t ON t.id = s.adopt_tenant "

/* One column of several rows as spans; there are at most `max`. */
static int read_list(struct store_tx *tx, const char *sql, int64_t id, size_t max,
                     const struct span **out, size_t *n, struct fault *f)
{
    struct span *items = arena_alloc(&tx->arena, max * sizeof(*items));
    struct query q;
    size_t count = 0;
    bool ok = items != NULL;
    int err = query_start(&q, tx->db, sql, DB_VALUES(INT(id)), f);

    if (err)
        return err;
    while (ok && count < max && (err = query_row(&q, f)) == 1)
        items[count++] = query_copy(&q, 0, &tx->arena, &ok);
    query_end(&q);
    if (err >= 0)
        err = ok ? 0 : fault_nomem(f);
    if (!err) {
        *out = items;
        *n = count;
    }
    return err;
}

static int read_switch(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_switch *out = item;
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_switch s = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .name = query_copy(q, 2, a, &ok),
        .plan = query_copy(q, 3, a, &ok),
        .outside = query_copy(q, 4, a, &ok),
        .extensions = query_copy(q, 5, a, &ok),
        .area = query_copy(q, 6, a, &ok),
        .adopt_tenant = query_copy(q, 10, a, &ok),
        .note = query_copy(q, 11, a, &ok),
        .sip_account = query_copy(q, 12, a, &ok),
        .sip_allow = query_int(q, 13),
        .sip_deny = query_int(q, 14),
        .fail_open = query_int(q, 15) != 0,
    };

    store_form_parse(query_text(q, 7), &s.form);
    store_mode_parse(query_text(q, 8), &s.mode);
    store_unknown_parse(query_text(q, 9), &s.unknown);
    int err = ok ? 0 : fault_nomem(f);
    if (!err)
        err = read_list(tx,
                        "SELECT address FROM switch_addresses WHERE switch = ?1 ORDER BY position",
                        s.id, STORE_ADDRESSES_MAX, &s.addresses, &s.n_addresses, f);
    if (!err)
        err = read_list(tx,
                        "SELECT t.name FROM switch_tenants x JOIN tenants t ON t.id = x.tenant"
                        " WHERE x.switch = ?1 ORDER BY t.name",
                        s.id, STORE_REACH_MAX, &s.tenants, &s.n_tenants, f);
    if (!err)
        *out = s;
    return err;
}

int store_switch_get(struct store_tx *tx, int64_t id, struct store_switch *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_SWITCH "WHERE s.id = ?1", DB_VALUES(INT(id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_switch(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no switch with id %" PRId64, id);
    query_end(&q);
    return err;
}

int store_switch_find(struct store_tx *tx, struct span name, struct store_switch *out,
                      struct fault *f)
{
    int64_t id;
    int err = switch_id(tx, name, &id, f);

    return err ? err : store_switch_get(tx, id, out, f);
}

int store_switch_only(struct store_tx *tx, struct store_switch *out, struct fault *f)
{
    int64_t n = 0, id = 0;
    bool found;
    int err = db_int(tx->db, &n, &found, "SELECT count(*) FROM switches", NULL, 0, f);

    if (!err && n != 1)
        return fault(f, ERR_MISSING, "there are %" PRId64 " switches: say which one is meant", n);
    if (!err)
        err = db_int(tx->db, &id, &found, "SELECT id FROM switches", NULL, 0, f);
    return err ? err : store_switch_get(tx, id, out, f);
}

int store_switch_list(struct store_tx *tx, const struct store_page *page,
                      struct store_switch_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_switch), .key = 2, .read = read_switch};
    struct query q;
    int err = page_begin_name(&p, page, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_SWITCH "WHERE s.name > ?1 ORDER BY s.name LIMIT ?2",
                          DB_VALUES(TEXT(p.name), INT(p.rows)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_switch_list){p.items, p.n, p.next};
    return err;
}
