/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * operations.cases, each case on a store of its own that begins as a first start leaves it. A line is
 * an operation with key=value arguments between bars, and gives a line of answer. Every line that
 * changes something is checked to have written exactly one audit record, every other line none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "fixture.h"
#include "store/guard_lists.h"

/* One line at work. */
struct line {
    struct span op, args;
    struct buf *out;
    int64_t change_before, change_after;
    struct store_tx *tx;
    struct store_by by;
};

static struct span arg(const struct line *l, const char *key)
{
    struct span rest = l->args;

    while (rest.p) {
        struct span value, pair = span_trim(span_cut(rest, '|', &rest));
        struct span name = span_cut(pair, '=', &value);
        if (span_is(name, key))
            return value;
    }
    return (struct span){NULL, 0};
}

static int64_t arg_int(const struct line *l, const char *key)
{
    struct span s = arg(l, key);

    return s.n ? strtoll(s.p, NULL, 10) : 0;
}

static void set(const struct line *l, const char *key, struct span *field)
{
    struct span value = arg(l, key);

    if (value.p)
        *field = value;
}

static size_t split(struct span list, struct span *out)
{
    size_t n = 0;

    for (struct span rest = list; rest.p && list.n;)
        out[n++] = span_trim(span_cut(rest, '&', &rest));
    return n;
}

/* "restrict 010", "except 0101 until 5", "restrict 0 mandatory", "restrict 0 at mon 09:00-10:00 UTC" */
static struct rule parse_rule(struct span text)
{
    struct span rest, word = span_cut(text, ' ', &rest);
    struct rule r = {.action = span_is(word, "except") ? RULE_EXCEPT : RULE_RESTRICT};

    r.prefix = span_cut(rest, ' ', &rest);
    while (rest.p) {
        word = span_cut(rest, ' ', &rest);
        if (span_is(word, "mandatory"))
            r.mandatory = true;
        if (span_is(word, "until"))
            r.until = strtoll(span_cut(rest, ' ', &rest).p, NULL, 10);
        if (span_is(word, "at")) {
            r.schedule = rest;
            rest.p = NULL;
        }
    }
    return r;
}

static size_t parse_rules(struct span text, struct rule *out)
{
    struct span parts[32];
    size_t n = split(text, parts);

    for (size_t i = 0; i < n; i++)
        out[i] = parse_rule(parts[i]);
    return n;
}

static void show_rules(struct buf *out, const struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rule *r = &rules[i];
        buf_printf(out, "%s%s %.*s", i ? " & " : "", rule_action_name(r->action),
                   SPAN_FMT(r->prefix));
        if (r->mandatory)
            buf_puts(out, " mandatory");
        if (r->until)
            buf_printf(out, " until %" PRId64, r->until);
        if (r->schedule.n)
            buf_printf(out, " at %.*s", SPAN_FMT(r->schedule));
    }
    if (n == 0)
        buf_puts(out, "no rules");
}

/* "expect=stale" or "expect=now" of a row whose change number is `change`. */
static void expect(struct line *l, int64_t change)
{
    struct span word = arg(l, "expect");

    l->by.expect = span_is(word, "stale") ? 1 : span_is(word, "now") ? change : 0;
}

/* ---- mutations ------------------------------------------------------------------------------ */

static void fill_tenant(const struct line *l, struct store_tenant *t)
{
    set(l, "name", &t->name);
    set(l, "title", &t->title);
    set(l, "parent", &t->parent);
    set(l, "preset", &t->preset);
    set(l, "language", &t->language);
    set(l, "area", &t->area);
    set(l, "mail", &t->mail);
    store_mode_parse(arg(l, "mode"), &t->mode);
}

static int tenant_add(struct line *l, struct fault *f)
{
    struct store_tenant t = {.language = SPAN("ja")};
    int64_t id;

    fill_tenant(l, &t);
    return store_tenant_add(l->tx, &l->by, &t, &id, f);
}

static int tenant_update(struct line *l, struct fault *f)
{
    struct store_tenant t;
    int err = store_tenant_find(l->tx, arg(l, "of"), &t, f);

    if (err)
        return err;
    expect(l, t.change);
    fill_tenant(l, &t);
    return store_tenant_update(l->tx, &l->by, &t, f);
}

static int tenant_delete(struct line *l, struct fault *f)
{
    struct store_tenant t;
    int err = store_tenant_find(l->tx, arg(l, "of"), &t, f);

    return err ? err : store_tenant_delete(l->tx, &l->by, t.id, f);
}

static void fill_switch(const struct line *l, struct store_switch *s, struct span *addresses,
                        struct span *tenants)
{
    set(l, "name", &s->name);
    set(l, "plan", &s->plan);
    set(l, "note", &s->note);
    set(l, "outside", &s->outside);
    set(l, "extensions", &s->extensions);
    set(l, "area", &s->area);
    set(l, "adopt", &s->adopt_tenant);
    store_mode_parse(arg(l, "mode"), &s->mode);
    store_unknown_parse(arg(l, "unknown"), &s->unknown);
    store_form_parse(arg(l, "form"), &s->form);
    if (arg(l, "addresses").p) {
        s->addresses = addresses;
        s->n_addresses = split(arg(l, "addresses"), addresses);
    }
    if (arg(l, "tenants").p) {
        s->tenants = tenants;
        s->n_tenants = split(arg(l, "tenants"), tenants);
    }
}

static int switch_add(struct line *l, struct fault *f)
{
    struct store_switch s = {.plan = SPAN("JP"), .mode = STORE_ENFORCE, .unknown = STORE_DENY};
    struct span addresses[100], tenants[100];
    int64_t id;

    fill_switch(l, &s, addresses, tenants);
    return store_switch_add(l->tx, &l->by, &s, &id, f);
}

static int switch_update(struct line *l, struct fault *f)
{
    struct store_switch s;
    struct span addresses[100], tenants[100];
    int err = store_switch_find(l->tx, arg(l, "of"), &s, f);

    if (err)
        return err;
    expect(l, s.change);
    fill_switch(l, &s, addresses, tenants);
    return store_switch_update(l->tx, &l->by, &s, f);
}

static int switch_delete(struct line *l, struct fault *f)
{
    struct store_switch s;
    int err = store_switch_find(l->tx, arg(l, "of"), &s, f);

    return err ? err : store_switch_delete(l->tx, &l->by, s.id, f);
}

static int preset_add(struct line *l, struct fault *f)
{
    struct rule rules[32];
    struct store_preset p = {.name = arg(l, "name"), .title = arg(l, "title"), .rules = rules};
    int64_t id;

    p.n_rules = parse_rules(arg(l, "rules"), rules);
    return store_preset_add(l->tx, &l->by, &p, &id, f);
}

static int preset_update(struct line *l, struct fault *f)
{
    struct rule rules[32];
    struct store_preset p;
    int err = store_preset_find(l->tx, arg(l, "of"), &p, f);

    if (err)
        return err;
    expect(l, p.change);
    set(l, "name", &p.name);
    set(l, "title", &p.title);
    if (arg(l, "rules").p) {
        p.rules = rules;
        p.n_rules = parse_rules(arg(l, "rules"), rules);
    }
    return store_preset_update(l->tx, &l->by, &p, f);
}

static int preset_delete(struct line *l, struct fault *f)
{
    struct store_preset p;
    int err = store_preset_find(l->tx, arg(l, "of"), &p, f);

    return err ? err : store_preset_delete(l->tx, &l->by, p.id, f);
}

static void fill_account(const struct line *l, struct store_account *a)
{
    set(l, "switch", &a->switch_name);
    set(l, "name", &a->name);
    set(l, "tenant", &a->tenant);
    set(l, "note", &a->note);
    store_state_parse(arg(l, "state"), &a->state);
}

static int account_add(struct line *l, struct fault *f)
{
    struct store_account a = {0};
    int64_t id;

    fill_account(l, &a);
    int err = store_account_add(l->tx, &l->by, &a, &id, f);
    if (!err)
        buf_printf(l->out, "account:%" PRId64, id);
    return err;
}

static int account_update(struct line *l, struct fault *f)
{
    struct store_account a;
    int err = store_account_get(l->tx, arg_int(l, "id"), &a, f);

    if (err)
        return err;
    expect(l, a.change);
    fill_account(l, &a);
    return store_account_update(l->tx, &l->by, &a, f);
}

static int account_delete(struct line *l, struct fault *f)
{
    return store_account_delete(l->tx, &l->by, arg_int(l, "id"), f);
}

static int account_adopt(struct line *l, struct fault *f)
{
    struct store_switch s;
    int64_t id;
    bool made;
    int err = store_switch_find(l->tx, arg(l, "switch"), &s, f);

    if (!err)
        err = store_account_adopt(l->tx, &l->by, s.id, arg(l, "name"), &id, &made, f);
    if (!err)
        buf_printf(l->out, "account:%" PRId64 " %s", id, made ? "made" : "known");
    return err;
}

/* "NAME" or "NAME TENANT" or "NAME TENANT RULE", between "&". */
struct import_lines {
    struct span rows[100];
    size_t n, next;
    struct rule rule;
};

static int next_row(void *p, struct store_import_row *row, struct fault *f)
{
    struct import_lines *lines = p;

    if (lines->next == lines->n)
        return 0;
    struct span rest, text = lines->rows[lines->next++];
    row->line = lines->next;
    if (span_is(text, "garbage"))
        return fault(f, ERR_SYNTAX, "this is no row");
    row->account.name = span_cut(text, ' ', &rest);
    row->account.tenant = span_cut(rest, ' ', &rest);
    if (rest.p) {
        lines->rule = parse_rule(rest);
        row->own_rules = true;
        row->rules = &lines->rule;
        row->n_rules = 1;
    }
    return 1;
}

static int account_import(struct line *l, struct fault *f)
{
    struct import_lines lines = {0};
    struct store_import import = {
        .next = next_row, .arg = &lines, .keep_existing = span_is(arg(l, "existing"), "keep")};

    lines.n = split(arg(l, "rows"), lines.rows);
    int err = store_account_import(l->tx, &l->by, &import, f);
    assert_true((import.batch != 0) == (import.added != 0));
    for (size_t i = 0; i < import.n_faults; i++)
        buf_printf(l->out, "%sline %" PRIu64 ": %s", i ? "; " : "", import.faults[i].line,
                   import.faults[i].text);
    if (!err)
        buf_printf(l->out, "added %" PRIu64 ", kept %" PRIu64, import.added, import.kept);
    else if (import.n_faults)
        fault(f, err, "%" PRIu64 " faults: ", import.n_faults);
    return err;
}

static int rules_replace(struct line *l, struct fault *f)
{
    struct rule rules[32];
    struct store_ref owner;
    struct store_rules old;
    size_t n = parse_rules(arg(l, "rules"), rules);
    int err = store_ref_parse(l->tx, arg(l, "owner"), &owner, f);

    if (!err && arg(l, "expect").n) {
        err = store_rules_get(l->tx, owner, &old, f);
        expect(l, err ? 0 : old.change);
    }
    return err ? err : store_rules_replace(l->tx, &l->by, owner, rules, n, f);
}

static int rules_put(struct line *l, struct fault *f)
{
    struct rule rule = parse_rule(arg(l, "rule"));
    struct store_ref owner;
    int err = store_ref_parse(l->tx, arg(l, "owner"), &owner, f);

    return err ? err : store_rule_put(l->tx, &l->by, owner, &rule, f);
}

static int rules_delete(struct line *l, struct fault *f)
{
    struct rule rule = parse_rule(arg(l, "rule"));
    struct store_ref owner;
    int err = store_ref_parse(l->tx, arg(l, "owner"), &owner, f);

    return err ? err : store_rule_delete(l->tx, &l->by, owner, rule.action, rule.prefix, f);
}

static int stop_put(struct line *l, struct fault *f)
{
    struct store_ref scope;
    int err = store_ref_parse(l->tx, arg(l, "scope"), &scope, f);

    return err ? err : store_stop_put(l->tx, &l->by, scope, arg(l, "note"), f);
}

static int stop_delete(struct line *l, struct fault *f)
{
    struct store_ref scope;
    int err = store_ref_parse(l->tx, arg(l, "scope"), &scope, f);

    return err ? err : store_stop_delete(l->tx, &l->by, scope, f);
}

static int token_add(struct line *l, struct fault *f)
{
    struct store_token t = {.label = arg(l, "label"), .expires = arg_int(l, "expires")};
    char secret[STORE_SECRET_MAX];
    int64_t id;
    int err = store_ref_parse(l->tx, arg(l, "scope"), &t.scope, f);

    if (!err)
        err = store_token_add(l->tx, &l->by, &t, &id, secret, f);
    if (!err) {
        assert_int_equal(strlen(secret), 8 + 43);
        buf_printf(l->out, "token:%" PRId64, id);
    }
    return err;
}

static int token_revoke(struct line *l, struct fault *f)
{
    return store_token_revoke(l->tx, &l->by, arg_int(l, "id"), f);
}

static int settings_update(struct line *l, struct fault *f)
{
    struct store_settings s;
    int err = store_settings_get(l->tx, &s, f);

    if (err)
        return err;
    if (arg(l, "adopted_max").n)
        s.adopted_max = (uint32_t)arg_int(l, "adopted_max");
    if (arg(l, "refusal_days").n)
        s.refusal_days = (uint32_t)arg_int(l, "refusal_days");
    return store_settings_update(l->tx, &l->by, &s, f);
}

/* Two changes in one job, the second of which fails. */
static int half(struct line *l, struct fault *f)
{
    int err = account_add(l, f);

    l->out->n = 0;
    return err ? err : store_account_delete(l->tx, &l->by, 4711, f);
}

/* ---- questions ------------------------------------------------------------------------------ */

static int within(struct line *l, int64_t *id, struct fault *f)
{
    struct store_tenant t;
    struct span name = arg(l, "within");

    if (name.n == 0)
        return 0;
    int err = store_tenant_find(l->tx, name, &t, f);
    if (!err)
        *id = t.id;
    return err;
}

static struct store_page page(struct line *l)
{
    return (struct store_page){.cursor = arg(l, "cursor"), .limit = (uint32_t)arg_int(l, "limit")};
}

static void show_next(struct line *l, struct span next)
{
    if (next.n)
        buf_printf(l->out, " next %.*s", SPAN_FMT(next));
    else if (l->out->n == 0)
        buf_puts(l->out, "none");
}

static int show_accounts(struct line *l, struct fault *f)
{
    struct store_account_query query = {.page = page(l),
                                        .switch_name = arg(l, "switch"),
                                        .tenant = arg(l, "tenant"),
                                        .text = arg(l, "text"),
                                        .adopted = arg(l, "adopted").p != NULL};
    struct store_account_list list;
    int err = within(l, &query.within, f);

    query.by_state = store_state_parse(arg(l, "state"), &query.state);
    if (!err)
        err = store_account_list(l->tx, &query, &list, f);
    for (size_t i = 0; !err && i < list.n; i++)
        buf_printf(l->out, "%s%" PRId64 ":%.*s", i ? " " : "", list.items[i].id,
                   SPAN_FMT(list.items[i].name));
    if (!err)
        show_next(l, list.next);
    return err;
}

static int show_account(struct line *l, struct fault *f)
{
    struct store_account a;
    int err = arg(l, "id").n ? store_account_get(l->tx, arg_int(l, "id"), &a, f)
                             : store_account_find(l->tx, arg(l, "switch"), arg(l, "name"), &a, f);

    if (!err)
        buf_printf(l->out, "%" PRId64 " %.*s@%.*s of %.*s %s%s%s %.*s", a.id, SPAN_FMT(a.name),
                   SPAN_FMT(a.switch_name), SPAN_FMT(a.tenant), store_state_name(a.state),
                   a.adopted ? " adopted" : "", a.stopped ? " stopped" : "", SPAN_FMT(a.note));
    return err;
}

static int show_tenants(struct line *l, struct fault *f)
{
    struct store_tenant_query query = {.page = page(l)};
    struct store_tenant_list list;
    int err = within(l, &query.within, f);

    if (!err)
        err = store_tenant_list(l->tx, &query, &list, f);
    for (size_t i = 0; !err && i < list.n; i++) {
        const struct store_tenant *t = &list.items[i];
        buf_printf(l->out, "%s%.*s(%.*s,%s,%.*s,%.*s)%s", i ? " " : "", SPAN_FMT(t->name),
                   SPAN_FMT(t->parent), store_mode_name(t->mode), SPAN_FMT(t->preset),
                   SPAN_FMT(t->language), t->stopped ? " stopped" : "");
    }
    if (!err)
        show_next(l, list.next);
    return err;
}

static int show_switches(struct line *l, struct fault *f)
{
    struct store_page p = page(l);
    struct store_switch_list list;
    int err = store_switch_list(l->tx, &p, &list, f);

    for (size_t i = 0; !err && i < list.n; i++) {
        const struct store_switch *s = &list.items[i];
        buf_printf(l->out, "%s%.*s(", i ? " " : "", SPAN_FMT(s->name));
        for (size_t k = 0; k < s->n_addresses; k++)
            buf_printf(l->out, "%.*s ", SPAN_FMT(s->addresses[k]));
        buf_printf(l->out, "%.*s %s %s %s %.*s", SPAN_FMT(s->plan), store_form_name(s->form),
                   store_mode_name(s->mode), store_unknown_name(s->unknown),
                   SPAN_FMT(s->adopt_tenant));
        for (size_t k = 0; k < s->n_tenants; k++)
            buf_printf(l->out, " +%.*s", SPAN_FMT(s->tenants[k]));
        buf_puts(l->out, ")");
    }
    if (!err)
        show_next(l, list.next);
    return err;
}

static int show_presets(struct line *l, struct fault *f)
{
    struct store_page p = page(l);
    struct store_preset_list list;
    int err = store_preset_list(l->tx, &p, &list, f);

    for (size_t i = 0; !err && i < list.n; i++) {
        buf_printf(l->out, "%s%.*s(", i ? " " : "", SPAN_FMT(list.items[i].name));
        show_rules(l->out, list.items[i].rules, list.items[i].n_rules);
        buf_puts(l->out, ")");
    }
    if (!err)
        show_next(l, list.next);
    return err;
}

static int show_owner_rules(struct line *l, struct fault *f)
{
    struct store_ref owner;
    struct store_rules rules;
    int err = store_ref_parse(l->tx, arg(l, "owner"), &owner, f);

    if (!err)
        err = store_rules_get(l->tx, owner, &rules, f);
    if (!err)
        show_rules(l->out, rules.items, rules.n);
    return err;
}

static int show_stops(struct line *l, struct fault *f)
{
    struct store_stop_query query = {.page = page(l)};
    struct store_stop_list list;
    int err = within(l, &query.within, f);

    if (!err)
        err = store_stop_list(l->tx, &query, &list, f);
    for (size_t i = 0; !err && i < list.n; i++)
        buf_printf(l->out, "%s%.*s(%.*s)", i ? " " : "", SPAN_FMT(list.items[i].scope_text),
                   SPAN_FMT(list.items[i].label));
    if (!err)
        show_next(l, list.next);
    return err;
}

static int show_tokens(struct line *l, struct fault *f)
{
    struct store_page p = page(l);
    struct store_token_list list;
    int err = store_token_list(l->tx, &p, &list, f);

    for (size_t i = 0; !err && i < list.n; i++)
        buf_printf(l->out, "%s%" PRId64 ":%.*s", i ? " " : "", list.items[i].id,
                   SPAN_FMT(list.items[i].scope_text));
    if (!err)
        show_next(l, list.next);
    return err;
}

static int show_audit(struct line *l, struct fault *f)
{
    struct store_audit_query query = {.page = page(l),
                                      .account = arg_int(l, "account"),
                                      .actor = arg(l, "actor"),
                                      .object = arg(l, "object"),
                                      .action = arg(l, "action")};
    struct store_audit_list list;
    int err = within(l, &query.within, f);

    if (!err)
        err = store_audit_list(l->tx, &query, &list, f);
    for (size_t i = 0; !err && i < list.n; i++)
        buf_printf(l->out, "%s%.*s %.*s%s", i ? ", " : "", SPAN_FMT(list.items[i].action),
                   SPAN_FMT(list.items[i].object_name), list.items[i].rows > 1 ? "…" : "");
    if (!err)
        show_next(l, list.next);
    return err;
}

/* Of the last change. */
static int show_detail(struct line *l, struct fault *f)
{
    struct store_audit record;
    int64_t id;
    int err = store_change(l->tx, &id, f);

    if (!err)
        err = store_audit_get(l->tx, id, &record, f);
    if (!err)
        buf_add(l->out, record.detail);
    return err;
}

static int show_within(struct line *l, struct fault *f)
{
    struct store_tenant a, b;
    bool in;
    int err = store_tenant_find(l->tx, arg(l, "of"), &a, f);

    if (!err)
        err = store_tenant_find(l->tx, arg(l, "above"), &b, f);
    if (!err)
        err = store_tenant_within(l->tx, a.id, b.id, &in, f);
    if (!err)
        buf_puts(l->out, in ? "yes" : "no");
    return err;
}

/* ---- who may reach the switches ------------------------------------------------------------- */

static int network_arg(const struct line *l, struct network *out, struct fault *f)
{
    return network_parse(arg(l, "network"), out, f);
}

static enum store_networks list_arg(const struct line *l)
{
    return span_is(arg(l, "list"), "access") ? STORE_ACCESS : STORE_NEVER_BAN;
}

static int network_put(struct line *l, struct fault *f)
{
    struct network network;
    int64_t id;
    int err = network_arg(l, &network, f);

    return err ? err
               : store_network_put(l->tx, &l->by, list_arg(l), &network, arg(l, "note"), &id, f);
}

static int network_delete(struct line *l, struct fault *f)
{
    struct network network;
    int err = network_arg(l, &network, f);

    return err ? err : store_network_delete(l->tx, &l->by, list_arg(l), &network, f);
}

static int canary_put(struct line *l, struct fault *f)
{
    const struct store_canary canary = {
        .switch_name = arg(l, "switch"), .name = arg(l, "name"), .note = arg(l, "note")};
    int64_t id;

    return store_canary_put(l->tx, &l->by, &canary, &id, f);
}

static int canary_delete(struct line *l, struct fault *f)
{
    return store_canary_delete(l->tx, &l->by, arg(l, "switch"), arg(l, "name"), f);
}

static int ban_put(struct line *l, struct fault *f)
{
    struct store_ban ban = {.until = arg_int(l, "until"), .note = arg(l, "note")};
    int64_t id;
    int err = network_arg(l, &ban.network, f);

    return err ? err : store_ban_put(l->tx, &l->by, &ban, &id, f);
}

static int ban_lift(struct line *l, struct fault *f)
{
    struct network network;
    int err = network_arg(l, &network, f);

    return err ? err : store_unban(l->tx, &l->by, &network, f);
}

static int ban_gone(struct line *l, struct fault *f)
{
    struct network network;
    int err = network_arg(l, &network, f);

    return err ? err : store_ban_gone(l->tx, &l->by, &network, arg_int(l, "seen"), f);
}

static int lockout_lift(struct line *l, struct fault *f)
{
    return store_unlock(l->tx, &l->by, arg(l, "switch"), arg(l, "account"), f);
}

static int good_lift(struct line *l, struct fault *f)
{
    struct network network;
    int err = arg(l, "network").n ? network_arg(l, &network, f) : 0;

    return err ? err
               : store_forget_good(l->tx, &l->by, arg(l, "switch"), arg(l, "account"),
                                   arg(l, "network").n ? &network : NULL, f);
}

static void show_note(struct buf *out, struct span note)
{
    if (note.n)
        buf_printf(out, "(%.*s)", SPAN_FMT(note));
}

static int networks_show(struct line *l, struct fault *f)
{
    const struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_network_list list;
    char text[ADDRESS_TEXT_MAX];
    int err = store_network_list(l->tx, list_arg(l), &page, &list, f);

    for (size_t i = 0; !err && i < list.n; i++) {
        buf_printf(l->out, "%s%s", i ? " " : "", network_text(&list.items[i].network, text));
        show_note(l->out, list.items[i].note);
    }
    if (!err && !list.n)
        buf_puts(l->out, "none");
    return err;
}

static int canaries_show(struct line *l, struct fault *f)
{
    const struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_canary_list list;
    int err = store_canary_list(l->tx, &page, &list, f);

    for (size_t i = 0; !err && i < list.n; i++) {
        buf_printf(l->out, "%s%.*s@%.*s", i ? " " : "", SPAN_FMT(list.items[i].name),
                   SPAN_FMT(list.items[i].switch_name));
        show_note(l->out, list.items[i].note);
    }
    if (!err && !list.n)
        buf_puts(l->out, "none");
    return err;
}

static int bans_show(struct line *l, struct fault *f)
{
    const struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_ban_list list;
    char text[ADDRESS_TEXT_MAX];
    int err = store_ban_list(l->tx, &page, &list, f);

    for (size_t i = 0; !err && i < list.n; i++) {
        buf_printf(l->out, "%s%s", i ? " " : "", network_text(&list.items[i].network, text));
        if (list.items[i].until)
            buf_printf(l->out, " until %" PRId64, list.items[i].until);
        show_note(l->out, list.items[i].note);
    }
    if (!err && !list.n)
        buf_puts(l->out, "none");
    return err;
}

static void add_networks(struct buf *out, const char *name, const struct network *at, size_t n)
{
    char text[ADDRESS_TEXT_MAX];

    buf_printf(out, "%s:", name);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, " %s", network_text(&at[i], text));
    buf_puts(out, "; ");
}

static int guard_lists(struct line *l, struct fault *f)
{
    struct store_guard_lists lists;
    int err = store_guard_lists_read(l->tx, &lists, f);

    if (err)
        return err;
    add_networks(l->out, "access", lists.access, lists.n_access);
    add_networks(l->out, "never", lists.never, lists.n_never);
    buf_puts(l->out, "canaries:");
    for (size_t i = 0; i < lists.n_canaries; i++)
        buf_printf(l->out, " %.*s@%" PRId64, SPAN_FMT(lists.canaries[i].name),
                   lists.canaries[i].switch_id);
    for (size_t i = 0; i < lists.n_switches; i++) {
        const struct store_guard_switch *s = &lists.switches[i];

        buf_printf(l->out, "; %" PRId64 " %.*s %s ", s->id, SPAN_FMT(s->name),
                   store_mode_name(s->mode));
        add_networks(l->out, "at", s->addresses, s->n_addresses);
    }
    l->out->n -= 2; /* the last semicolon */
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct line *l, struct fault *f);
    bool write;
} operations[] = {
    {"network.put", network_put, true},
    {"network.delete", network_delete, true},
    {"canary.put", canary_put, true},
    {"canary.delete", canary_delete, true},
    {"ban.put", ban_put, true},
    {"ban.lift", ban_lift, true},
    {"ban.gone", ban_gone, true},
    {"lockout.lift", lockout_lift, true},
    {"good.lift", good_lift, true},
    {"networks", networks_show, false},
    {"canaries", canaries_show, false},
    {"bans", bans_show, false},
    {"guard-lists", guard_lists, false},
    {"tenant.add", tenant_add, true},
    {"tenant.update", tenant_update, true},
    {"tenant.delete", tenant_delete, true},
    {"switch.add", switch_add, true},
    {"switch.update", switch_update, true},
    {"switch.delete", switch_delete, true},
    {"preset.add", preset_add, true},
    {"preset.update", preset_update, true},
    {"preset.delete", preset_delete, true},
    {"account.add", account_add, true},
    {"account.update", account_update, true},
    {"account.delete", account_delete, true},
    {"account.adopt", account_adopt, true},
    {"account.import", account_import, true},
    {"rules.replace", rules_replace, true},
    {"rules.put", rules_put, true},
    {"rules.delete", rules_delete, true},
    {"stop.put", stop_put, true},
    {"stop.delete", stop_delete, true},
    {"token.add", token_add, true},
    {"token.revoke", token_revoke, true},
    {"settings.update", settings_update, true},
    {"half", half, true},
    {"accounts", show_accounts, false},
    {"account", show_account, false},
    {"tenants", show_tenants, false},
    {"switches", show_switches, false},
    {"presets", show_presets, false},
    {"rules", show_owner_rules, false},
    {"stops", show_stops, false},
    {"tokens", show_tokens, false},
    {"audit", show_audit, false},
    {"detail", show_detail, false},
    {"within", show_within, false},
    {"read.account.add", account_add, false}, /* a read job must not */
};

static int run_line(struct store_tx *tx, void *p, struct fault *f)
{
    struct line *l = p;

    l->tx = tx;
    int err = store_change(tx, &l->change_before, f);
    for (size_t i = 0; !err && i < sizeof(operations) / sizeof(*operations); i++) {
        if (!span_is(l->op, operations[i].name))
            continue;
        err = operations[i].run(l, f);
        if (!err)
            err = store_change(tx, &l->change_after, f);
        return err;
    }
    fail_msg("no operation %.*s", SPAN_FMT(l->op));
    return ERR_MISSING;
}

static bool writes(struct span op)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        if (span_is(op, operations[i].name))
            return operations[i].write;
    return false;
}

static int read_change(struct store_tx *tx, void *p, struct fault *f)
{
    return store_change(tx, p, f);
}

static void answer(struct store *store, struct span text, struct buf *to)
{
    struct buf out = {0};
    struct line l = {.out = &out, .by = {.actor = SPAN("test")}};
    struct fault f = {0};
    int64_t durable = 0;

    buf_puts(&out, "");
    l.op = span_cut(text, ' ', &l.args);
    bool write = writes(l.op);
    int err = write ? store_write_wait(store, run_line, &l, &f)
                    : store_read_wait(store, run_line, &l, &f);

    assert_int_equal(store_read_wait(store, read_change, &durable, NULL), 0);
    if (err)
        buf_printf(to, "%s: %s", fixture_error_name(err), f.text);
    if (err || !write)
        assert_int_equal(durable, l.change_before);
    else
        assert_in_range(l.change_after - l.change_before, 0, 1);
    if (!err && write) {
        assert_int_equal(durable, l.change_after);
        buf_puts(to, l.change_after == l.change_before ? "same" : out.n ? "" : "ok");
    }
    if (!err && write && out.n && l.change_after == l.change_before)
        buf_puts(to, " ");
    buf_add(to, buf_span(&out));
    buf_puts(to, "\n");
    buf_free(&out);
}

static void operations_answer(void **state)
{
    const struct test_case *c = *state;
    struct buf got = {0};
    struct place place;

    place_make(&place);
    struct store *store = fixture_open(place.dir);
    for (struct span rest = buf_span(&c->in); rest.p;) {
        struct span line = span_cut(rest, '\n', &rest);
        if (line.n)
            answer(store, line, &got);
    }
    store_close(store);
    place_remove(&place);
    assert_string_equal(got.p, c->out.p);
    buf_free(&got);
}

int main(int argc, char **argv)
{
    return argc == 2 ? cases_run(argv[1], operations_answer, NULL, 0) : 1;
}
