/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an empty store begins with, so that the first `sekisho account add` works at once. */
#include "store/change.h"
#include "store/store_impl.h"

static int add_all(struct store_tx *tx, const struct store_by *by, struct store_first *first,
                   struct fault *f)
{
    const struct rule born = {.action = RULE_RESTRICT, .prefix = SPAN("010")};
    const struct store_preset preset = {
        .name = SPAN("jp"),
        .title = SPAN("Japan: international calls restricted"),
        .rules = &born,
        .n_rules = 1,
    };
    const struct store_tenant tenant = {
        .name = SPAN("main"),
        .preset = SPAN("jp"),
        .language = SPAN("ja"),
        .mode = STORE_INHERIT,
    };
    const struct span here[] = {SPAN("127.0.0.1"), SPAN("::1")};
    const struct store_switch local = {
        .name = SPAN("local"),
        .addresses = here,
        .n_addresses = 2,
        .plan = SPAN("JP"),
        .form = FORM_DIALLED,
        .mode = STORE_ENFORCE,
        .unknown = STORE_BORN,
        .adopt_tenant = SPAN("main"),
    };
    const struct store_token token = {.label = SPAN("made at the first start")};
    int64_t id;
    int err = store_preset_add(tx, by, &preset, &id, f);

    if (!err)
        err = store_tenant_add(tx, by, &tenant, &id, f);
    if (!err)
        err = store_switch_add(tx, by, &local, &id, f);
    if (!err)
        err = store_token_add(tx, by, &token, &id, first->secret, f);
    return err;
}

int seed_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("sekishod")};
    int64_t seeded = 0;
    bool found;
    int err = db_int(tx->db, &seeded, &found, "SELECT seeded FROM settings", NULL, 0, f);

    if (err || seeded)
        return err;
    err = add_all(tx, &by, arg, f);
    if (!err)
        err = db_run(tx->db, "UPDATE settings SET seeded = 1", NULL, 0, f);
    if (!err)
        ((struct store_first *)arg)->seeded = true;
    return err;
}
