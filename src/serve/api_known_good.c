/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_known_good.h"

#include "serve/api_guard.h"
#include "store/guard_lists.h"
#include "store/guard_records.h"

static json_t *source_json(const struct store_known_good *g)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "switch", api_text_or_null(g->switch_name),
                     "account", api_text(g->account), "tenant", api_text_or_null(g->tenant),
                     "network", api_network(&g->network), "since", api_time_ms(g->since_ms), "last",
                     api_time_ms(g->last_ms));
}

int api_known_good_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_known_good_query query = {0};
    struct store_known_good_list list;
    int64_t switch_id;
    json_t *items;
    int rc = api_query_page(api, &query.page, f);

    if (!rc)
        rc = api_query_within(api, tx, &query.within, f);
    if (!rc)
        rc = api_query_switch(api, tx, &switch_id, f);
    if (!rc)
        rc = api_query_name(api, "switch", &query.switch_name, f);
    if (!rc)
        rc = api_query_tried(api, &query.account, f);
    if (!rc)
        rc = api_query_network(api, "network", &query.network, f);
    if (!rc)
        rc = store_known_good_list(tx, &query, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, source_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

/* ---- forgetting ---- */

struct act {
    int64_t switch_id;
    bool all;
    struct network network; /* unless all */
};

static int look_up(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct store_switch gate;
    int rc = api_find_switch(api, tx, api->params[0], &gate, f);

    if (rc)
        return rc;
    act->switch_id = gate.id;
    act->all = !api->params[2].p;
    return act->all ? 0 : api_param_network(api, 2, &act->network, f);
}

static int find(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;
    struct network good[GUARD_GOOD_MAX];
    size_t n = guard_good_of(room->guard, room->now, act->switch_id, api->params[1], good);
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < n; i++)
        if (act->all || exempts_overlap(&act->network, &good[i]))
            return 0;
    if (act->all)
        return api_refuse(api, 404, f, ERR_MISSING,
                          "account \"%s\" of \"%s\" has no known good source",
                          ESCAPED(api->params[1]), ESCAPED(api->params[0]));
    return api_refuse(
        api, 404, f, ERR_MISSING, "%s is not known to be good for account \"%s\" of \"%s\"",
        network_text(&act->network, text), ESCAPED(api->params[1]), ESCAPED(api->params[0]));
}

static int record(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct store_by by;
    int rc = api_by(api, tx, &by, f);

    return rc ? rc
              : store_forget_good(tx, &by, api->params[0], api->params[1],
                                  act->all ? NULL : &act->network, f);
}

/* A takeover may have revoked it meanwhile: that is what was asked for. */
static int forget(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;

    (void)f;
    guard_forget_good(room->guard, room->now, act->switch_id, api->params[1],
                      act->all ? NULL : &act->network, NULL);
    return 0;
}

int api_known_good_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0: return api_read_first(api, look_up, sizeof(struct act), f);
    case 1: return api_ask_first(api, find);
    case 2: return api_write_first(api, record);
    case 3: return api_ask_first(api, forget);
    }
    return api_answer_empty(api, 204);
}
