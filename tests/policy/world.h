/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_WORLD_H
#define SEKISHO_TESTS_WORLD_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/zoneinfo.h"
#include "numbering/numbering.h"
#include "policy/snapshot.h"

/*
 * A small platform: a reseller (1) with a shop below it (2), an office (3), and two switches. Tests
 * change what they need in it and stage it.
 *
 *     switch pbx (1)   192.0.2.0/24, 2001:db8::/32; unknown accounts are adopted by shop
 *     switch sbc (2)   192.0.2.128/25, 10.0.0.1; unknown accounts are denied; only office in reach
 */
struct world {
    struct tables *tables;
    struct zones *zones;
    struct snapshot *snap;
    struct network networks[4];
    struct levels_tenant tenants[3];
    struct levels_switch switches[2];
    struct levels_config config;
};

static const struct rule world_born[] = {{.action = RULE_RESTRICT, .prefix = SPAN("010")}};
static const int64_t world_office[] = {3};

static inline void must(int err, const struct fault *f)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", f->text);
    abort();
}

static inline void world_describe(struct world *w)
{
    static const char *const texts[] = {"192.0.2.0/24", "2001:db8::/32", "192.0.2.128/25",
                                        "10.0.0.1"};
    const struct levels_rules born = {world_born, 1};
    struct fault f;

    for (size_t i = 0; i < 4; i++)
        must(network_parse(span_of(texts[i]), &w->networks[i], &f), &f);
    w->tenants[0] = (struct levels_tenant){.id = 1, .name = SPAN("reseller"), .born = born};
    w->tenants[1] =
        (struct levels_tenant){.id = 2, .name = SPAN("shop"), .parent = 1, .born = born};
    w->tenants[2] = (struct levels_tenant){.id = 3, .name = SPAN("office"), .born = born};
    w->switches[0] = (struct levels_switch){
        .id = 1,
        .name = SPAN("pbx"),
        .networks = w->networks,
        .n_networks = 2,
        .site = {.plan = SPAN("JP"), .extensions = SPAN("1XXX")},
        .mode = MODE_ENFORCE,
        .unknown = UNKNOWN_BORN,
        .adopt_tenant = 2,
    };
    w->switches[1] = (struct levels_switch){
        .id = 2,
        .name = SPAN("sbc"),
        .networks = w->networks + 2,
        .n_networks = 2,
        .site = {.plan = SPAN("JP"), .outside = SPAN("9"), .area = SPAN("06")},
        .form = FORM_PLUS_E164,
        .mode = MODE_ENFORCE,
        .unknown = UNKNOWN_DENY,
        .tenants = world_office,
        .n_tenants = 1,
    };
    w->config = (struct levels_config){
        .tables = w->tables,
        .switches = w->switches,
        .n_switches = 2,
        .tenants = w->tenants,
        .n_tenants = 3,
    };
}

static inline void world_stage(struct world *w)
{
    struct fault f;

    must(snapshot_stage_levels(w->snap, &w->config, &f), &f);
}

static inline void world_open(struct world *w, size_t accounts)
{
    struct snapshot_options options = {.key = "sixteen bytes..", .accounts = accounts};
    struct fault f;

    *w = (struct world){0};
    must(tables_load(&w->tables, NULL, 0, &f), &f);
    must(zones_new(&w->zones, zoneinfo_read, NULL, &f), &f);
    options.zones = w->zones;
    must(snapshot_new(&w->snap, &options, &f), &f);
    world_describe(w);
    world_stage(w);
    snapshot_publish(w->snap, 1);
}

static inline void world_close(struct world *w)
{
    snapshot_free(w->snap);
    zones_free(w->zones);
    tables_free(w->tables);
}

/* Stages the account with the rules that the words of `rules` say: "-010" restricts, "+0101" excepts. */
static inline int world_stage_account(struct world *w, struct snapshot_account account,
                                      const char *rules, struct fault *f)
{
    struct span rest = span_of(rules);
    struct rule parsed[16] = {0};
    size_t n = 0;
    int err;

    while (rest.n) {
        struct span word = span_cut(rest, ' ', &rest);

        parsed[n++] = (struct rule){.action = word.p[0] == '-' ? RULE_RESTRICT : RULE_EXCEPT,
                                    .prefix = span_skip(word, 1)};
    }
    err = snapshot_rules(w->snap, parsed, n, &account.rules, f);
    if (err)
        return err;
    err = snapshot_stage_account(w->snap, &account, f);
    snapshot_rules_unref(w->snap, account.rules);
    return err;
}

static inline void world_account(struct world *w, int64_t id, int64_t switch_id, const char *name,
                                 int64_t tenant, const char *rules)
{
    struct snapshot_account a = {
        .id = id, .switch_id = switch_id, .name = span_of(name), .tenant = tenant};
    struct fault f;

    must(world_stage_account(w, a, rules, &f), &f);
}

/* What the account on the switch gets for `dialled`; also who it was found to be. */
static inline struct verdict world_ask_at(const struct world *w, const char *gate,
                                          const char *account, const char *dialled, int64_t now,
                                          struct snapshot_subject *subject)
{
    struct number number;
    struct verdict v;

    snapshot_read_lock();
    snapshot_find(w->snap, snapshot_switch_by_name(w->snap, span_of(gate)), span_of(account),
                  subject);
    number = (struct number){.class = CLASS_UNKNOWN, .target = CLASS_UNKNOWN};
    if (subject->site)
        numbering_parse(subject->site, span_of(dialled), &number);
    snapshot_decide(w->snap, subject, &number, false, now, &v);
    snapshot_read_unlock();
    return v;
}

static inline struct verdict world_ask(const struct world *w, const char *gate, const char *account,
                                       const char *dialled)
{
    struct snapshot_subject subject;

    return world_ask_at(w, gate, account, dialled, 1795489200, &subject); /* 2026-11-24 12:00 JST */
}

#endif
