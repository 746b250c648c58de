/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/api_common.h"
#include "serve/calls_room.h"

/* The account, and what its name in call records is. Read by the store while the calls room waits. */
struct subject {
    struct api *api;
    int64_t id, switch_id;
    char name[STORE_ACCOUNT_NAME_MAX + 1];
    char switch_name[STORE_NAME_MAX + 1];
    /* to be written into the audit: */
    const char *action;
    json_t *detail;
};

static int find_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct subject *s = arg;
    struct store_account account;
    int rc = api_param_id(s->api, 0, &s->id, f);

    if (!rc)
        rc = api_find_account(s->api, tx, s->id, &account, f);
    if (rc)
        return rc;
    s->switch_id = account.switch_id;
    snprintf(s->name, sizeof(s->name), "%.*s", SPAN_FMT(account.name));
    snprintf(s->switch_name, sizeof(s->switch_name), "%.*s", SPAN_FMT(account.switch_name));
    return 0;
}

static int audit_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct subject *s = arg;
    struct store_by by;
    char *text = json_dumps(s->detail, JSON_COMPACT);
    int rc = text ? api_by(s->api, tx, &by, f) : fault_nomem(f);

    if (!rc)
        rc = store_account_note(tx, &by, s->id, s->action, span_of(text), f);
    free(text);
    return rc;
}

/* Finds the account, and the calls where they are all in the history. */
static int begin(struct api *api, struct subject *s, struct calls **calls, struct fault *f)
{
    struct calls_room *room = api->services->calls;

    *s = (struct subject){.api = api};
    int rc = store_read_wait(api->services->store, find_job, s, f);
    if (rc)
        return rc;
    rc = calls_room_settled(room, f);
    if (rc) {
        api->status = 409;
        return rc;
    }
    return calls_room_file(room, true, calls, f);
}

static json_t *time_or_null(int64_t ms)
{
    return ms == HISTORY_NEVER ? json_null() : api_time_ms(ms);
}

static int take_sum(void *arg, const struct history_sum *sum)
{
    json_array_append_new(
        arg, json_pack("{s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "country",
                       api_word_or_null(sum->country), "abroad", (int)sum->abroad, "answered",
                       (json_int_t)sum->answered, "doubted", (json_int_t)sum->doubted, "unanswered",
                       (json_int_t)sum->unanswered, "failed", (json_int_t)sum->failed, "refused",
                       (json_int_t)sum->refused, "seconds", (json_int_t)sum->seconds, "first",
                       api_time_ms(sum->first_ms), "last", api_time_ms(sum->last_ms),
                       "first_answered", time_or_null(sum->spoke_first_ms), "last_answered",
                       time_or_null(sum->spoke_last_ms)));
    return 0;
}

static json_t *disowned_json(const struct calls_disowned *what)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)what->id, "country",
                     api_word_or_null(what->country), "since",
                     what->since_ms ? api_time_ms(what->since_ms) : json_null(), "until",
                     what->until_ms < INT64_MAX ? api_time_ms(what->until_ms) : json_null(), "at",
                     api_time_ms(what->at_ms), "by", api_text(what->actor));
}

static int take_disowned(void *arg, const struct calls_disowned *what)
{
    json_array_append_new(arg, disowned_json(what));
    return 0;
}

int api_history_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct subject s;
    struct calls *calls;
    json_t *items = json_array(), *disowned = json_array();
    int rc = begin(api, &s, &calls, f);

    if (!rc)
        rc = calls_history_of(calls, s.switch_id, span_of(s.name), take_sum, items, f);
    if (!rc)
        rc = calls_disowned_list(calls, s.switch_id, span_of(s.name), take_disowned, disowned, f);
    if (rc) {
        json_decref(items);
        json_decref(disowned);
        return rc;
    }
    return api_answer(api, 200,
                      json_pack("{s:I, s:s, s:s, s:o, s:o}", "id", (json_int_t)s.id, "name", s.name,
                                "switch", s.switch_name, "items", items, "disowned", disowned),
                      f);
}

/* "US", or "001": as the history has them. */
static bool is_country(struct span s)
{
    return span_is(s, "001") ||
           (s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z');
}

static int read_disowned(struct api *api, struct calls_disowned *what, struct fault *f)
{
    struct span country = {NULL, 0};
    int64_t since_s = 0, until_s = 0;
    const struct field fields[] = {
        {.name = "since", .kind = FIELD_TIME, .out = &since_s, .nullable = true},
        {.name = "until", .kind = FIELD_TIME, .out = &until_s, .nullable = true},
        {.name = "country", .kind = FIELD_TEXT, .out = &country, .nullable = true, .max = 3},
    };
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 3, f);
    if (!rc && country.n && !is_country(country))
        rc = reader_refuse(&api->reader, "", "country", f, ERR_RANGE,
                           "country must be two capital letters (ISO 3166-1), or 001");
    if (!rc && until_s && until_s <= since_s)
        rc = reader_refuse(&api->reader, "", "until", f, ERR_RANGE, "until must be behind since");
    if (rc)
        return rc;
    *what = (struct calls_disowned){.since_ms = since_s * 1000,
                                    .until_ms = until_s ? until_s * 1000 : INT64_MAX,
                                    .at_ms = api->now.wall_ms};
    if (country.n)
        memcpy(what->country, country.p, country.n);
    return 0;
}

int api_disowned_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    char actor[STORE_ACTOR_MAX];
    struct calls_disowned what;
    struct subject s;
    struct calls *calls;
    int rc = read_disowned(api, &what, f);

    if (!rc)
        rc = begin(api, &s, &calls, f);
    if (rc)
        return rc;
    what.name = span_of(s.name);
    what.actor = api_by_operator(api, actor).actor;
    s.action = "calls.disown";
    s.detail = disowned_json(&what);
    json_object_del(s.detail, "id");
    rc = store_write_wait(api->services->store, audit_job, &s, f);
    json_decref(s.detail);
    if (!rc)
        rc = calls_disown(calls, s.switch_id, &what, &what.id, f);
    if (rc)
        return rc;
    snprintf(api->location, sizeof(api->location), "/v1/accounts/%" PRId64 "/disowned/%" PRId64,
             s.id, what.id);
    return api_answer(api, 201, disowned_json(&what), f);
}

int api_disowned_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct subject s;
    struct calls *calls;
    int64_t id = 0;
    int rc = api_param_id(api, 1, &id, f);

    if (!rc)
        rc = begin(api, &s, &calls, f);
    if (!rc)
        rc = calls_own_again(calls, s.switch_id, span_of(s.name), id, f);
    if (rc == ERR_MISSING && !api->status)
        api->status = 404;
    if (rc)
        return rc;
    s.action = "calls.own";
    s.detail = json_pack("{s:I}", "id", (json_int_t)id);
    rc = store_write_wait(api->services->store, audit_job, &s, f);
    json_decref(s.detail);
    return rc ? rc : api_answer_empty(api, 204);
}
