/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_notices.h"

#include "base/mail_address.h"
#include "notify/postbox.h"
#include "serve/api_common.h"

static const char *const languages[] = {"ja", "en", NULL};

static json_t *id_or_null(int64_t id)
{
    return id ? json_integer(id) : json_null();
}

static json_t *ms_or_null(int64_t ms)
{
    return ms ? api_time_ms(ms) : json_null();
}

static json_t *notice_json(const struct store_notice *n)
{
    bool ended = n->state == NOTICE_SENT || n->state == NOTICE_FAILED;

    return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "id",
                     (json_int_t)n->id, "kind", notice_kind_name(n->kind), "state",
                     notice_state_name(n->state), "tenant", api_text_or_null(n->tenant_name),
                     "recipient", api_text_or_null(n->recipient), "language",
                     api_text_or_null(n->language), "change", id_or_null(n->change), "batch",
                     id_or_null(n->batch), "at", api_time_ms(n->at_ms), "tries",
                     (json_int_t)n->tries, "next", ended ? json_null() : api_time_ms(n->next_ms),
                     "ended", ms_or_null(n->ended_ms), "error", api_text_or_null(n->error));
}

static int read_query(struct api *api, struct store_notice_query *query, struct fault *f)
{
    struct span state = target_query_get(&api->target.query, "state");
    struct span kind = target_query_get(&api->target.query, "kind");
    int rc = api_query_page(api, &query->page, f);

    query->by_state = state.p != NULL;
    query->by_kind = kind.p != NULL;
    if (!rc && state.p && !notice_state_parse(state, &query->state))
        return api_refuse_parameter(api, "state", f,
                                    "state must be waiting, sending, sent or failed");
    if (!rc && kind.p && !notice_kind_parse(kind, &query->kind))
        return api_refuse_parameter(
            api, "kind", f,
            "kind must be sweep-announced, sweep-applied, sweep-undone, rule-loosened, lockout, "
            "takeover, lock-ended or test");
    if (!rc)
        rc = api_query_name(api, "tenant", &query->tenant, f);
    return rc ? rc : api_query_id(api, "change", &query->change, f);
}

int api_notices_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_notice_query query = {0};
    struct store_notice_list list;
    int rc = read_query(api, &query, f);

    if (rc)
        return rc;
    rc = store_notice_list(tx, &query, &list, f);
    if (rc == ERR_MISSING)
        return api_refuse_parameter(api, "tenant", f, "there is no tenant \"%s\"",
                                    ESCAPED(query.tenant));
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, notice_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

/* With what it tells. */
static int answer(struct api *api, struct store_tx *tx, unsigned status, int64_t id,
                  struct fault *f)
{
    struct store_notice n;
    int rc = store_notice_get(tx, id, &n, f);

    if (rc == ERR_MISSING)
        api->status = 404;
    if (rc)
        return rc;
    json_t *json = notice_json(&n);
    json_t *facts = json_loadb(n.facts.p, n.facts.n, 0, NULL);

    if (json)
        json_object_set_new(json, "facts", facts ? facts : json_null());
    else
        json_decref(facts);
    return api_answer(api, status, json, f);
}

int api_notice_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    int64_t id = 0;
    int rc = api_param_id(api, 0, &id, f);

    return rc ? rc : answer(api, tx, 200, id, f);
}

int api_notice_retry(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_by by;
    int64_t id = 0;
    int rc = api_param_id(api, 0, &id, f);

    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_notice_retry(tx, &by, id, f);
    if (rc == ERR_MISSING)
        api->status = 404;
    if (rc == ERR_CONFLICT)
        api->status = 409;
    return rc ? rc : answer(api, tx, 200, id, f);
}

int api_notice_test(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct span address = {0};
    unsigned language = 0;
    const struct field fields[] = {
        {.name = "address",
         .kind = FIELD_TEXT,
         .out = &address,
         .required = true,
         .max = MAIL_ADDRESS_MAX},
        {.name = "language", .kind = FIELD_CHOICE, .out = &language, .choices = languages},
    };
    struct store_by by;
    int64_t id = 0;
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, sizeof(fields) / sizeof(*fields), f);
    if (!rc && !mail_address_ok(address))
        return reader_refuse(&api->reader, "", "address", f, ERR_SYNTAX,
                             "\"%s\" is no mail address: name@host.example, in ASCII",
                             ESCAPED(address));
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_notice_test(tx, &by, address, span_of(languages[language]), &id, f);
    if (rc)
        return rc;
    snprintf(api->location, sizeof(api->location), "/v1/notices/%lld", (long long)id);
    return answer(api, tx, 201, id, f);
}

int api_notice_preview(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct span word = target_query_get(&api->target.query, "language");
    enum notice_language language = NOTICE_JA;
    struct letter letter;
    enum notice_kind kind;

    if (!notice_kind_parse(api->params[0], &kind))
        return api_refuse(api, 404, f, ERR_MISSING, "there is no kind of notice \"%s\"",
                          ESCAPED(api->params[0]));
    if (word.p && !notice_language_parse(word, &language))
        return api_refuse_parameter(api, "language", f, "language must be ja or en");
    if (!api->services->postbox)
        return api_refuse(api, 503, f, ERR_MISSING, "there are no templates here");
    int rc = postbox_preview(api->services->postbox, kind, language, api->now.wall_ms, &letter, f);
    if (rc)
        return rc;
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:o, s:o}", "kind", notice_kind_name(kind), "language",
        notice_language_name(language), "subject", api_text(buf_span(&letter.subject)), "text",
        api_text(buf_span(&letter.text)), "html", api_text(buf_span(&letter.html)));
    letter_free(&letter);
    return api_answer(api, 200, json, f);
}
