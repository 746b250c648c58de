/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_guard.h"

#include <stdio.h>

/* ---- steps ---- */

int api_read_first(struct api *api, api_handler job, size_t size, struct fault *f)
{
    if (size) {
        api->state = reader_alloc(&api->reader, size);
        if (!api->state)
            return fault_nomem(f);
    }
    api->first = job;
    return API_READ_FIRST;
}

int api_write_first(struct api *api, api_handler job)
{
    api->first = job;
    return API_WRITE_FIRST;
}

int api_ask_first(struct api *api, api_question question)
{
    api->ask = question;
    return API_ASK_FIRST;
}

/* ---- questions ---- */

int api_param_network(struct api *api, size_t i, struct network *out, struct fault *f)
{
    struct fault why;

    if (network_parse(api->params[i], out, &why))
        return api_refuse_parameter(api, "network", f, "%s", why.text);
    return 0;
}

int api_query_network(struct api *api, const char *key, struct network *out, struct fault *f)
{
    struct span text = target_query_get(&api->target.query, key);
    struct fault why;

    if (text.p && network_parse(text, out, &why))
        return api_refuse_parameter(api, key, f, "%s", why.text);
    return 0;
}

int api_field_network(struct api *api, const char *at, const char *name, struct span text,
                      struct network *out, struct fault *f)
{
    struct fault why;

    if (network_parse(text, out, &why))
        return reader_refuse(&api->reader, at, name, f, ERR_RANGE, "%s", why.text);
    return 0;
}

int api_query_bool(struct api *api, const char *key, bool *given, bool *out, struct fault *f)
{
    struct span text = target_query_get(&api->target.query, key);

    if (text.p && !span_is(text, "true") && !span_is(text, "false"))
        return api_refuse_parameter(api, key, f, "%s must be true or false", key);
    *given = text.p != NULL;
    *out = span_is(text, "true");
    return 0;
}

int api_query_tried(struct api *api, struct span *out, struct fault *f)
{
    struct span text = target_query_get(&api->target.query, "account");

    if (text.p && (!text.n || text.n > ACCOUNT_NAME_MAX))
        return api_refuse_parameter(api, "account", f, "account must have 1 to %d bytes",
                                    ACCOUNT_NAME_MAX);
    if (text.p)
        *out = text;
    return 0;
}

/* ---- consent ---- */

static bool agreed(const struct api *api, const char *word)
{
    struct span left = target_query_get(&api->target.query, "consent");

    while (left.n)
        if (span_is(span_trim(span_cut(left, ',', &left)), word))
            return true;
    return false;
}

void api_harm(struct api *api, const struct api_harm *harm)
{
    if (agreed(api, harm->word))
        return;
    api->harmful = true;
    if (!api->harms)
        api->harms = json_array();
    json_array_append_new(api->harms, json_pack("{s:s, s:o}", "word", harm->word, "text",
                                                api_words(harm->en, harm->ja)));
}

int api_consented(struct api *api, struct fault *f)
{
    const char *first = json_string_value(
        json_object_get(json_object_get(json_array_get(api->harms, 0), "text"), "en"));

    if (!api->harmful)
        return 0;
    return api_refuse(api, 409, f, ERR_CONFLICT, "%s", first ? first : "that wants consent");
}

/* ---- switches ---- */

int api_switch_names(struct api *api, struct store_tx *tx, struct api_switch_names *out,
                     struct fault *f)
{
    struct store_page page = {.limit = STORE_PAGE_MAX};
    struct api_switch_names names = {NULL, 0};
    struct store_switch_list list;

    do {
        int rc = store_switch_list(tx, &page, &list, f);
        struct api_switch_name *more;

        if (rc)
            return rc;
        more = reader_alloc(&api->reader, (names.n + list.n + 1) * sizeof(*more));
        if (!more)
            return fault_nomem(f);
        if (names.n)
            memcpy(more, names.at, names.n * sizeof(*more));
        for (size_t i = 0; i < list.n; i++) {
            char *name = reader_alloc(&api->reader, list.items[i].name.n + 1);

            if (!name)
                return fault_nomem(f);
            memcpy(name, list.items[i].name.p, list.items[i].name.n);
            more[names.n++] = (struct api_switch_name){list.items[i].id, span_of(name)};
        }
        names.at = more;
        page.cursor = list.next;
    } while (list.next.n);
    *out = names;
    return 0;
}

struct span api_switch_name(const struct api_switch_names *names, int64_t id)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->at[i].id == id)
            return names->at[i].name;
    return (struct span){NULL, 0};
}

int api_query_switch(struct api *api, struct store_tx *tx, int64_t *out, struct fault *f)
{
    struct span name = {NULL, 0};
    struct store_switch found;
    int rc = api_query_name(api, "switch", &name, f);

    *out = 0;
    if (rc || !name.p)
        return rc;
    rc = api_find_switch(api, tx, name, &found, f);
    if (rc == ERR_MISSING)
        return api_refuse_parameter(api, "switch", f, "there is no switch \"%s\"", ESCAPED(name));
    if (!rc)
        *out = found.id;
    return rc;
}

/* ---- walks ---- */

int api_walk_begin(struct api *api, struct api_walk *walk, size_t size, struct fault *f)
{
    struct store_page page = {0};
    int rc = api_query_page(api, &page, f);
    size_t at = 0;

    if (rc)
        return rc;
    for (size_t i = 0; i < page.cursor.n; i++) {
        char c = page.cursor.p[i];

        if (c < '0' || c > '9' || page.cursor.n > 18)
            return api_refuse_parameter(api, "cursor", f, "the cursor is not one that a list gave");
        at = at * 10 + (size_t)(c - '0');
    }
    /* One more than a page: the first that is left over says that there are more. */
    *walk = (struct api_walk){.limit = page.limit, .cursor = at, .size = size};
    walk->items = reader_alloc(&api->reader, (walk->limit + 1) * size);
    return walk->items ? 0 : fault_nomem(f);
}

void api_walk(struct api_walk *walk, const struct guard_room *room, api_walk_next_fn *next,
              api_walk_wants_fn *wants, const void *listing)
{
    size_t cursor = walk->cursor;

    for (;;) {
        void *item = (char *)walk->items + walk->n * walk->size;

        if (!next(room, &cursor, item))
            return;
        if (!wants(listing, item))
            continue;
        walk->more = walk->n == walk->limit;
        if (walk->more)
            return;
        walk->n++;
        walk->cursor = cursor;
    }
}

int api_walk_answer(struct api *api, struct store_tx *tx, const struct api_walk *walk,
                    api_walk_show_fn *show, const void *listing, struct fault *f)
{
    struct api_switch_names names;
    struct span next = {NULL, 0};
    json_t *items = json_array();
    int rc = api_switch_names(api, tx, &names, f);

    for (size_t i = 0; i < walk->n && !rc; i++) {
        json_t *item = NULL;

        rc = show(tx, listing, &names, (const char *)walk->items + i * walk->size, &item, f);
        if (!rc && item)
            json_array_append_new(items, item);
    }
    if (rc) {
        json_decref(items);
        return rc;
    }
    char *text = walk->more ? reader_alloc(&api->reader, 24) : NULL;

    if (text) {
        snprintf(text, 24, "%zu", walk->cursor);
        next = span_of(text);
    }
    return api_answer_list(api, items, next, f);
}

/* ---- JSON ---- */

json_t *api_network(const struct network *network)
{
    char text[ADDRESS_TEXT_MAX];

    return json_string(network_text(network, text));
}

json_t *api_network_or_null(const struct network *network)
{
    return network->family ? api_network(network) : json_null();
}

json_t *api_switch_or_null(const struct api_switch_names *names, int64_t id)
{
    return api_text_or_null(api_switch_name(names, id));
}

json_t *api_strange(struct span bytes)
{
    char text[4 * ACCOUNT_NAME_MAX + 8];

    return bytes.n ? json_string(escape(bytes, text, sizeof(text))) : json_null();
}

json_t *api_words(const char *en, const char *ja)
{
    return json_pack("{s:s, s:s}", "en", en, "ja", ja);
}

json_t *api_ban_json(const struct api_switch_names *names, const struct guard_ban *ban,
                     struct span note, struct span actor)
{
    bool by_hand = ban->attack == ATTACK_OPERATOR, counted = guard_attack_counted(ban->attack);

    return json_pack(
        "{s:o, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:I, s:I, s:o, s:o}",
        "network", api_network(&ban->network), "kind", ban->quench ? "quench" : "ban", "attack",
        guard_attack_name(ban->attack), "by", by_hand ? "operator" : "guard", "observed",
        ban->observed, "switch", counted ? api_switch_or_null(names, ban->switch_id) : json_null(),
        "since", api_time_ms(ban->since * 1000), "until", api_time_or_null(ban->until), "seconds",
        ban->length ? json_integer(ban->length) : json_null(), "level",
        (json_int_t)(ban->quench ? ban->quench_level : ban->level), "witness",
        counted ? json_string(witness_name(ban->witness)) : json_null(), "threshold",
        (json_int_t)ban->threshold, "count", (json_int_t)ban->count, "window",
        (json_int_t)ban->window, "heard", (json_int_t)ban->heard, "note", api_text(note), "actor",
        api_text_or_null(actor));
}

static struct span kept(const char *text, uint8_t n)
{
    return (struct span){text, n};
}

json_t *api_attempt_json(const struct api_switch_names *names, const struct evidence *e)
{
    struct network source = keys_host(&e->source);

    if (!e->source.family)
        source = (struct network){0};
    return json_pack(
        "{s:I, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
        (json_int_t)e->id, "at", api_time_ms(e->wall_ms), "switch",
        api_switch_or_null(names, e->switch_id), "witness", witness_name((enum witness)e->witness),
        "outcome", outcome_name((enum outcome)e->outcome), "proof",
        proof_name((enum proof)e->proof), "transport", transport_name((enum transport)e->transport),
        "method", method_name((enum method)e->method), "source", api_network_or_null(&source),
        "account", api_strange(kept(e->account, e->account_n)), "dialled",
        api_strange(kept(e->dialled, e->dialled_n)), "user_agent",
        api_strange(kept(e->user_agent, e->user_agent_n)), "call_id",
        api_strange(kept(e->call_id, e->call_id_n)));
}

void api_path(char *out, size_t size, const char *before, struct span segment)
{
    size_t n = (size_t)snprintf(out, size, "%s", before);

    for (size_t i = 0; i < segment.n && n + 4 < size; i++) {
        unsigned char c = (unsigned char)segment.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c && strchr("-._~:", c));

        n += (size_t)snprintf(out + n, size - n, plain ? "%c" : "%%%02X", c);
    }
}

const char *api_lock_kind_name(enum guard_lock_kind kind)
{
    switch (kind) {
    case GUARD_LOCK_OUT: return "lockout";
    case GUARD_LOCK_INTERNATIONAL: return "international";
    case GUARD_LOCK_TAKEOVER: return "takeover";
    }
    return "lockout";
}
