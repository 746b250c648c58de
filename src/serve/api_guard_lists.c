/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_guard_lists.h"

#include "serve/api_guard.h"
#include "store/guard_lists.h"

/* The guard and the kernel hear of a change when it is committed: they read the lists again. */

/* ---- networks ---- */

static json_t *network_json(const struct store_network *n)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I}", "network", api_network(&n->network), "note",
                     api_text(n->note), "since", api_time_ms(n->since_ms), "by", api_text(n->actor),
                     "change", (json_int_t)n->change);
}

static int list_networks(struct api *api, struct store_tx *tx, enum store_networks list,
                         json_t **items, struct span *next, struct fault *f)
{
    struct store_network_list found;
    struct store_page page = {0};
    int rc = api_query_page(api, &page, f);

    if (!rc)
        rc = store_network_list(tx, list, &page, &found, f);
    if (rc)
        return rc;
    *items = json_array();
    for (size_t i = 0; i < found.n; i++)
        json_array_append_new(*items, network_json(&found.items[i]));
    *next = found.next;
    return 0;
}

static int missing(struct api *api, enum store_networks list, const struct network *network,
                   struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];

    return api_refuse(api, 404, f, ERR_MISSING, "%s is not on the %s list",
                      network_text(network, text), store_networks_name(list));
}

/* `there` says whether it is. */
static int find(struct api *api, struct store_tx *tx, enum store_networks list,
                struct store_network *out, bool *there, struct fault *f)
{
    struct network network;
    int rc = api_param_network(api, 0, &network, f);

    if (rc)
        return rc;
    rc = store_network_get(tx, list, &network, out, f);
    *there = rc == 0;
    if (rc == ERR_MISSING)
        *out = (struct store_network){.network = network};
    return rc == ERR_MISSING ? 0 : rc;
}

static int get(struct api *api, struct store_tx *tx, enum store_networks list, struct fault *f)
{
    struct store_network network;
    bool there;
    int rc = find(api, tx, list, &network, &there, f);

    if (rc)
        return rc;
    if (!there)
        return missing(api, list, &network.network, f);
    return api_answer_tagged(api, 200, network.change, network_json(&network), f);
}

static int read_note(struct api *api, struct span *note, struct fault *f)
{
    const struct field fields[] = {
        {.name = "note", .kind = FIELD_TEXT, .out = note, .max = STORE_TEXT_MAX}};
    json_t *json;
    int rc = api_json(api, &json, f);

    *note = (struct span){"", 0};
    return rc ? rc : reader_fields(&api->reader, "", json, fields, 1, f);
}

/* What the lists of some kind would do to the caller and to others: fills in the harms. */
typedef int harm_fn(struct api *api, struct store_tx *tx, const struct network *network,
                    struct fault *f);

static int put(struct api *api, struct store_tx *tx, enum store_networks list, harm_fn *harm,
               struct fault *f)
{
    struct store_network network;
    struct store_by by;
    struct span note;
    int64_t id;
    bool there;
    int rc = find(api, tx, list, &network, &there, f);

    if (!rc)
        rc = api_precondition(api, there, network.change, f);
    if (!rc)
        rc = read_note(api, &note, f);
    if (!rc && !there)
        rc = harm(api, tx, &network.network, f);
    if (!rc)
        rc = api_consented(api, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_network_put(tx, &by, list, &network.network, note, &id, f);
    if (!rc)
        rc = store_network_get(tx, list, &network.network, &network, f);
    return rc ? rc
              : api_answer_tagged(api, there ? 200 : 201, network.change, network_json(&network),
                                  f);
}

static int take_off(struct api *api, struct store_tx *tx, enum store_networks list, harm_fn *harm,
                    struct fault *f)
{
    struct store_network network;
    struct store_by by;
    bool there;
    int rc = find(api, tx, list, &network, &there, f);

    if (rc)
        return rc;
    if (!there)
        return missing(api, list, &network.network, f);
    rc = api_precondition(api, true, network.change, f);
    if (!rc && harm)
        rc = harm(api, tx, &network.network, f);
    if (!rc)
        rc = api_consented(api, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_network_delete(tx, &by, list, &network.network, f);
    return rc ? rc : api_answer_empty(api, 204);
}

/* ---- the access list ---- */

/* Who gets through: everybody where the list is empty. */
struct reach {
    size_t n;
    bool v4, v6, caller;
};

static void reach_add(struct reach *reach, const struct api *api, const struct network *network)
{
    reach->n++;
    reach->v4 = reach->v4 || network->family == 4;
    reach->v6 = reach->v6 || network->family == 6;
    reach->caller = reach->caller || !api->caller.from.family ||
                    address_is_loopback(&api->caller.from) ||
                    network_has(network, &api->caller.from);
}

static void reach_end(struct reach *reach)
{
    if (!reach->n)
        reach->v4 = reach->v6 = reach->caller = true;
}

/* As it is, and as it will be: with `plus`, without `minus`. */
static int reach_read(struct api *api, struct store_tx *tx, const struct network *plus,
                      const struct network *minus, struct reach *now, struct reach *then,
                      struct fault *f)
{
    struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_network_list list;

    *now = *then = (struct reach){0};
    do {
        int rc = store_network_list(tx, STORE_ACCESS, &page, &list, f);

        if (rc)
            return rc;
        for (size_t i = 0; i < list.n; i++) {
            const struct network *network = &list.items[i].network;

            reach_add(now, api, network);
            if (!minus || memcmp(minus, network, sizeof(*minus)) != 0)
                reach_add(then, api, network);
        }
        page.cursor = list.next;
    } while (list.next.n);
    if (plus)
        reach_add(then, api, plus);
    reach_end(now);
    reach_end(then);
    return 0;
}

static void access_harms(struct api *api, const struct reach *now, const struct reach *then)
{
    if (now->v4 && !then->v4)
        api_harm(api, &(struct api_harm){
                          "ipv4-closed",
                          "the list would have no IPv4 network: nobody could reach SIP by IPv4",
                          "リストにIPv4のネットワークがなくなり、IPv4ではSIPに到達できなくなり"
                          "ます。"});
    if (now->v6 && !then->v6)
        api_harm(api, &(struct api_harm){
                          "ipv6-closed",
                          "the list would have no IPv6 network: nobody could reach SIP by IPv6",
                          "リストにIPv6のネットワークがなくなり、IPv6ではSIPに到達できなくなり"
                          "ます。"});
    if (now->caller && !then->caller)
        api_harm(api, &(struct api_harm){
                          "caller-outside",
                          "the list would not hold the address that this request comes from",
                          "この要求の送信元アドレスがリストに含まれなくなります。"});
    if (now->n && !then->n)
        api_harm(api,
                 &(struct api_harm){
                     "opened", "the list would be empty, and off: everybody could reach SIP",
                     "リストが空になって無効になり、どこからでもSIPに到達できるようになります。"});
}

static int harm_of_adding(struct api *api, struct store_tx *tx, const struct network *network,
                          struct fault *f)
{
    struct reach now, then;
    int rc = reach_read(api, tx, network, NULL, &now, &then, f);

    if (!rc)
        access_harms(api, &now, &then);
    return rc;
}

static int harm_of_removing(struct api *api, struct store_tx *tx, const struct network *network,
                            struct fault *f)
{
    struct reach now, then;
    int rc = reach_read(api, tx, NULL, network, &now, &then, f);

    if (!rc)
        access_harms(api, &now, &then);
    return rc;
}

int api_access_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct span next;
    json_t *items;
    int rc = list_networks(api, tx, STORE_ACCESS, &items, &next, f);

    return rc ? rc : api_answer_list(api, items, next, f);
}

int api_access_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    return get(api, tx, STORE_ACCESS, f);
}

int api_access_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    return put(api, tx, STORE_ACCESS, harm_of_adding, f);
}

int api_access_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    return take_off(api, tx, STORE_ACCESS, harm_of_removing, f);
}

/* ---- never-ban ---- */

/* What nobody put there, but what is never dropped all the same. */
struct found {
    struct guard_room_exempt *at;
    size_t n;
};

static int look_at_exempts(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct found *found = api->state;

    if (!room)
        return 0;
    found->at = reader_alloc(&api->reader, (room->n_exempts + 1) * sizeof(*found->at));
    if (!found->at)
        return fault_nomem(f);
    for (size_t i = 0; i < room->n_exempts; i++)
        if (room->exempts[i].from != GUARD_EXEMPT_OPERATOR)
            found->at[found->n++] = room->exempts[i];
    return 0;
}

static json_t *found_json(const struct found *found)
{
    json_t *items = json_array();

    for (size_t i = 0; i < found->n; i++)
        json_array_append_new(items, json_pack("{s:o, s:s, s:o}", "network",
                                               api_network(&found->at[i].network), "from",
                                               guard_exempt_from_name(found->at[i].from), "name",
                                               api_word_or_null(found->at[i].name)));
    return items;
}

static int answer_never_ban(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct found *found = api->state;
    struct span next;
    json_t *items, *json;
    int rc = list_networks(api, tx, STORE_NEVER_BAN, &items, &next, f);

    if (rc)
        return rc;
    json = json_pack("{s:o, s:o}", "items", items, "next", api_text_or_null(next));
    if (json && found->at && !target_query_get(&api->target.query, "cursor").p)
        json_object_set_new(json, "found", found_json(found));
    return api_answer(api, 200, json, f);
}

int api_never_ban_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0:
        api->state = reader_alloc(&api->reader, sizeof(struct found));
        if (!api->state)
            return fault_nomem(f);
        api->ask_anyway = true;
        return api_ask_first(api, look_at_exempts);
    case 1: return api_read_first(api, answer_never_ban, 0, f);
    }
    return 0;
}

int api_never_ban_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    return get(api, tx, STORE_NEVER_BAN, f);
}

static int harm_of_sparing(struct api *api, struct store_tx *tx, const struct network *network,
                           struct fault *f)
{
    (void)tx;
    (void)f;
    if (network->bits < (network->family == 4 ? 16 : 32))
        api_harm(api, &(struct api_harm){
                          "wide", "so wide a network: nobody in it is banned whatever he does",
                          "広いネットワークです。その中からの攻撃は一切遮断されなくなります。"});
    return 0;
}

int api_never_ban_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    return put(api, tx, STORE_NEVER_BAN, harm_of_sparing, f);
}

int api_never_ban_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    return take_off(api, tx, STORE_NEVER_BAN, NULL, f);
}

/* ---- canaries ---- */

static json_t *canary_json(const struct store_canary *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "switch", api_text(c->switch_name),
                     "account", api_text(c->name), "note", api_text(c->note), "since",
                     api_time_ms(c->since_ms), "by", api_text(c->actor), "change",
                     (json_int_t)c->change);
}

int api_canaries_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_canary_list list;
    struct store_page page = {0};
    json_t *items;
    int rc = api_query_page(api, &page, f);

    if (!rc)
        rc = store_canary_list(tx, &page, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, canary_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

static int find_canary(struct api *api, struct store_tx *tx, struct store_canary *out, bool *there,
                       struct fault *f)
{
    struct store_switch gate;
    int rc = api_find_switch(api, tx, api->params[0], &gate, f);

    if (rc)
        return rc;
    *out = (struct store_canary){.switch_name = gate.name, .name = api->params[1]};
    rc = reader_is_account(api->params[1]) ? store_canary_get(tx, gate.name, api->params[1], out, f)
                                           : ERR_MISSING;
    *there = rc == 0;
    return rc == ERR_MISSING ? 0 : rc;
}

static int no_canary(struct api *api, struct fault *f)
{
    return api_refuse(api, 404, f, ERR_MISSING, "\"%s\" of \"%s\" is no canary",
                      ESCAPED(api->params[1]), ESCAPED(api->params[0]));
}

int api_canary_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_canary canary;
    bool there;
    int rc = find_canary(api, tx, &canary, &there, f);

    if (rc)
        return rc;
    if (!there)
        return no_canary(api, f);
    return api_answer_tagged(api, 200, canary.change, canary_json(&canary), f);
}

int api_canary_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_canary canary;
    struct store_by by;
    int64_t id;
    bool there;
    int rc = find_canary(api, tx, &canary, &there, f);

    if (!rc && !reader_is_account(api->params[1]))
        return api_refuse_parameter(api, "name", f, "\"%s\" can be no account's name",
                                    ESCAPED(api->params[1]));
    if (!rc)
        rc = api_precondition(api, there, canary.change, f);
    if (!rc)
        rc = read_note(api, &canary.note, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_canary_put(tx, &by, &canary, &id, f);
    if (!rc)
        rc = store_canary_get(tx, canary.switch_name, api->params[1], &canary, f);
    return rc ? rc
              : api_answer_tagged(api, there ? 200 : 201, canary.change, canary_json(&canary), f);
}

int api_canary_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_canary canary;
    struct store_by by;
    bool there;
    int rc = find_canary(api, tx, &canary, &there, f);

    if (rc)
        return rc;
    if (!there)
        return no_canary(api, f);
    rc = api_precondition(api, true, canary.change, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_canary_delete(tx, &by, canary.switch_name, canary.name, f);
    return rc ? rc : api_answer_empty(api, 204);
}
