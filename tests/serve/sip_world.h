/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_SIP_WORLD_H
#define SEKISHO_TESTS_SIP_WORLD_H

#include <stdlib.h>

#include "numbering/tables.h"
#include "serve/sip_desk.h"

/* Five switches that ask over SIP, with two accounts each: alice, born restricted (010), and bob, who is free. */
struct sip_world {
    struct tables *tables;
    struct snapshot *snapshot;
    struct authorizer *authorizer;
    struct sip_desk *desk;
};

static inline struct network sip_world_network(const char *text)
{
    struct network network;

    if (network_parse(span_of(text), &network, NULL))
        abort();
    return network;
}

static inline void sip_world_levels(struct sip_world *w)
{
    const struct levels_tenant tenant = {.id = 1, .name = SPAN("main")};
    const struct network at[] = {
        sip_world_network("192.0.2.0/24"), sip_world_network("198.51.100.1"),
        sip_world_network("2001:db8::/32"), sip_world_network("203.0.113.0/24"),
        sip_world_network("198.18.0.0/15")};
    const struct site_config jp = {
        .plan = SPAN("JP"), .extensions = SPAN("1XXX"), .area = SPAN("03")};
    const struct levels_switch switches[] = {
        {.id = 1, .name = SPAN("pbx"), .networks = &at[0], .n_networks = 1, .site = jp},
        {.id = 2,
         .name = SPAN("sbc"),
         .networks = &at[1],
         .n_networks = 1,
         .site = jp,
         .sip = {.account = SPAN("From"), .allow = 404, .deny = 403}},
        {.id = 3,
         .name = SPAN("cloud"),
         .networks = &at[2],
         .n_networks = 1,
         .site = jp,
         .form = FORM_PLUS_E164,
         .sip = {.account = SPAN("subdomain"), .deny = 608}},
        {.id = 4,
         .name = SPAN("watch"),
         .networks = &at[3],
         .n_networks = 1,
         .site = jp,
         .mode = MODE_OBSERVE,
         .sip = {.account = SPAN("X-Account")}},
        {.id = 5,
         .name = SPAN("gate"),
         .networks = &at[4],
         .n_networks = 1,
         .site = jp,
         .form = FORM_E164,
         .sip = {.allow = 503, .deny = 608}},
    };
    struct levels_switch all[5];
    struct levels_config config = {
        .tables = w->tables, .switches = all, .n_switches = 5, .tenants = &tenant, .n_tenants = 1};

    for (size_t i = 0; i < 5; i++) {
        all[i] = switches[i];
        all[i].unknown = UNKNOWN_DENY;
        if (all[i].mode == MODE_INHERIT)
            all[i].mode = MODE_ENFORCE;
    }
    if (snapshot_stage_levels(w->snapshot, &config, NULL))
        abort();
}

static inline void sip_world_account(struct sip_world *w, int64_t gate, const char *name,
                                     const char *restricted)
{
    static int64_t id;
    const struct rule rule = {.action = RULE_RESTRICT, .prefix = span_of(restricted)};
    struct snapshot_account account = {
        .id = ++id, .switch_id = gate, .name = span_of(name), .tenant = 1};

    if (snapshot_rules(w->snapshot, &rule, restricted ? 1 : 0, &account.rules, NULL) ||
        snapshot_stage_account(w->snapshot, &account, NULL))
        abort();
    snapshot_rules_unref(w->snapshot, account.rules);
}

static inline void sip_world_open(struct sip_world *w)
{
    const struct snapshot_options options = {.key = {1}};
    const uint8_t key[SIP_KEY_BYTES] = {2};
    size_t n;
    const struct tables_file *files = tables_builtin(&n);

    snapshot_reader_register();
    if (tables_load(&w->tables, files, n, NULL) || snapshot_new(&w->snapshot, &options, NULL))
        abort();
    sip_world_levels(w);
    for (int64_t gate = 1; gate <= 5; gate++) {
        sip_world_account(w, gate, "alice", "010");
        sip_world_account(w, gate, "bob", NULL);
    }
    snapshot_publish(w->snapshot, 1);
    if (authorizer_new(&w->authorizer, w->snapshot, NULL, NULL, NULL) ||
        sip_desk_new(&w->desk, w->authorizer, key, NULL))
        abort();
}

static inline void sip_world_close(struct sip_world *w)
{
    sip_desk_free(w->desk);
    authorizer_free(w->authorizer);
    snapshot_free(w->snapshot);
    tables_free(w->tables);
    snapshot_reader_unregister();
}

#endif
