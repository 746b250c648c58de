/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_sweeps.h"

#include <inttypes.h>
#include <time.h>

#include "serve/api_common.h"
#include "serve/sweeping.h"

/* ---- applying ------------------------------------------------------------------------------- */

struct chosen {
    int64_t change, restricted;
    bool early;
    struct span on;
};

/* The plan that was previewed last, if it is the one that is meant. */
static int find_plan(struct api *api, const struct chosen *chosen, struct fault *f)
{
    const struct sweep_plan *plan = api->services->sweeping->plan;

    if (!plan || sweep_plan_change(plan) != chosen->change)
        return api_refuse(api, 409, f, ERR_CONFLICT,
                          "there is no preview of change %" PRId64
                          " at hand: only the last one can be applied, once, until sekishod is "
                          "started again; make another one",
                          chosen->change);
    /* A preview changes nothing: two of them, of other terms, may be of one change. */
    if (sweep_plan_count(plan, SWEEP_RESTRICT) != (uint64_t)chosen->restricted)
        return api_refuse(api, 409, f, ERR_CONFLICT,
                          "the last preview would restrict %" PRIu64 " accounts, not %" PRId64
                          ": another one was made since; look at it, or make yours again",
                          sweep_plan_count(plan, SWEEP_RESTRICT), chosen->restricted);
    return 0;
}

static int read_chosen(struct api *api, struct chosen *chosen, const struct field *more,
                       struct fault *f)
{
    const struct field fields[] = {
        {.name = "change",
         .kind = FIELD_INTEGER,
         .out = &chosen->change,
         .required = true,
         .min = 1,
         .max = INT64_MAX},
        {.name = "restrict",
         .kind = FIELD_INTEGER,
         .out = &chosen->restricted,
         .required = true,
         .max = INT64_MAX},
        *more,
    };
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 3, f);
    return rc ? rc : find_plan(api, chosen, f);
}

int api_sweeps_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct sweeping *last = api->services->sweeping;
    struct chosen chosen = {0};
    const struct field early = {.name = "early", .kind = FIELD_BOOL, .out = &chosen.early};
    char actor[STORE_ACTOR_MAX];
    int64_t sweep = 0;
    uint64_t called = 0;
    int rc = read_chosen(api, &chosen, &early, f);

    if (rc)
        return rc;
    struct store_by by = api_by_operator(api, actor);
    rc = store_sweep_apply_wait(api->services->store, &by, last->plan, chosen.early, &sweep,
                                &called, f);
    if (rc == ERR_CONFLICT || rc == ERR_MISSING)
        api->status = 409;
    if (rc)
        return rc;
    uint64_t rows = sweep_plan_count(last->plan, SWEEP_RESTRICT) - called;
    sweep_plan_free(last->plan);
    last->plan = NULL;
    snprintf(api->location, sizeof(api->location), "/v1/sweeps/%" PRId64, sweep);
    return api_answer(api, 201,
                      json_pack("{s:I, s:I, s:I}", "id", (json_int_t)sweep, "restricted",
                                (json_int_t)rows, "called", (json_int_t)called),
                      f);
}

/* ---- announcing ----------------------------------------------------------------------------- */

static int two(struct span text, size_t at)
{
    return (text.p[at] - '0') * 10 + (text.p[at + 1] - '0');
}

/* Where a day begins here: YYYY-MM-DD. */
static int read_day(struct api *api, struct span text, int64_t *ms, struct fault *f)
{
    static const char form[] = "dddd-dd-dd";
    bool good = text.n == sizeof(form) - 1;

    for (size_t i = 0; good && i < text.n; i++)
        good = form[i] == 'd' ? text.p[i] >= '0' && text.p[i] <= '9' : text.p[i] == form[i];
    if (good) {
        struct tm tm = {.tm_year = two(text, 0) * 100 + two(text, 2) - 1900,
                        .tm_mon = two(text, 5) - 1,
                        .tm_mday = two(text, 8),
                        .tm_isdst = -1};
        time_t s = mktime(&tm);

        good = s > 0 && tm.tm_mon == two(text, 5) - 1 && tm.tm_mday == two(text, 8);
        *ms = (int64_t)s * 1000;
    }
    return good ? 0
                : reader_refuse(&api->reader, "", "on", f, ERR_RANGE,
                                "\"%s\" is no day, like 2026-12-01", ESCAPED(text));
}

int api_announcements_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    const struct sweeping *last = api->services->sweeping;
    struct chosen chosen = {0};
    const struct field on = {
        .name = "on", .kind = FIELD_TEXT, .out = &chosen.on, .required = true, .max = 10};
    char actor[STORE_ACTOR_MAX];
    int64_t id = 0, due_ms = 0;
    uint64_t told = 0;
    int rc = read_chosen(api, &chosen, &on, f);

    if (!rc)
        rc = read_day(api, chosen.on, &due_ms, f);
    if (!rc && due_ms <= api->now.wall_ms)
        rc = reader_refuse(&api->reader, "", "on", f, ERR_RANGE,
                           "%s has begun already: announce a day that is to come",
                           ESCAPED(chosen.on));
    if (rc)
        return rc;
    struct store_by by = api_by_operator(api, actor);
    rc = store_sweep_announce_wait(api->services->store, &by, last->plan, due_ms, &id, &told, f);
    if (rc == ERR_CONFLICT || rc == ERR_MISSING)
        api->status = 409;
    return rc ? rc
              : api_answer(api, 201,
                           json_pack("{s:I, s:I, s:I}", "id", (json_int_t)id, "accounts",
                                     (json_int_t)chosen.restricted, "notices", (json_int_t)told),
                           f);
}

static json_t *announcement_json(const struct store_announcement *a)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:I}", "id", (json_int_t)a->id, "at",
                     api_time_ms(a->at_ms), "by", api_text(a->actor), "on", api_time_ms(a->due_ms),
                     "since", api_time_ms(a->since_ms), "include_lifted", (int)a->include_lifted,
                     "tenant", api_text_or_null(a->tenant), "accounts", (json_int_t)a->rows);
}

int api_announcements_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_page page = {0};
    struct store_announcement_list list;
    int rc = api_query_page(api, &page, f);

    if (!rc)
        rc = store_announcement_list(tx, &page, &list, f);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, announcement_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

/* ---- undoing -------------------------------------------------------------------------------- */

int api_sweep_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    char actor[STORE_ACTOR_MAX];
    struct store_by by = api_by_operator(api, actor);
    uint64_t restored = 0;
    int64_t id = 0;
    int rc = api_param_id(api, 0, &id, f);

    if (!rc)
        rc = store_sweep_undo_wait(api->services->store, &by, id, &restored, f);
    if (rc == ERR_MISSING)
        api->status = 404;
    if (rc == ERR_CONFLICT)
        api->status = 409;
    return rc ? rc : api_answer(api, 200, json_pack("{s:I}", "restored", (json_int_t)restored), f);
}

/* ---- looking -------------------------------------------------------------------------------- */

static json_t *sweep_json(const struct store_sweep *s)
{
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:b, s:o, s:I, s:I, s:o, s:I}", "id", (json_int_t)s->id, "at",
        api_time_ms(s->at_ms), "by", api_text(s->actor), "since", api_time_ms(s->since_ms),
        "include_lifted", (int)s->include_lifted, "tenant", api_text_or_null(s->tenant),
        "restricted", (json_int_t)s->rows, "standing", (json_int_t)s->standing, "undone",
        s->undone ? json_integer(s->undone) : json_null(), "restored", (json_int_t)s->restored);
}

int api_sweeps_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_page page = {0};
    struct store_sweep_list list;
    int rc = api_query_page(api, &page, f);

    if (!rc)
        rc = store_sweep_list(tx, &page, &list, f);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, sweep_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

int api_sweep_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_sweep sweep;
    int64_t id = 0;
    int rc = api_param_id(api, 0, &id, f);

    if (!rc)
        rc = store_sweep_get(tx, id, &sweep, f);
    if (rc == ERR_MISSING)
        api->status = 404;
    return rc ? rc : api_answer(api, 200, sweep_json(&sweep), f);
}

static json_t *row_json(const struct store_sweep_row *r)
{
    return json_pack("{s:I, s:s, s:o, s:o, s:o}", "id", (json_int_t)r->account_id, "fate",
                     sweep_fate_name(r->fate), "name", api_text_or_null(r->name), "switch",
                     api_text_or_null(r->switch_name), "tenant", api_text_or_null(r->tenant));
}

/* `*which` is `fate`, or NULL where it is not asked for. */
static int read_fate(struct api *api, enum sweep_fate *fate, const enum sweep_fate **which,
                     struct fault *f)
{
    static const enum sweep_fate fates[] = {SWEEP_STANDS, SWEEP_CHANGED, SWEEP_RESTORED,
                                            SWEEP_GONE};
    struct span word = target_query_get(&api->target.query, "fate");

    *which = word.p ? fate : NULL;
    for (size_t i = 0; word.p && i < sizeof(fates) / sizeof(*fates); i++)
        if (span_is(word, sweep_fate_name(fates[i]))) {
            *fate = fates[i];
            return 0;
        }
    return word.p ? api_refuse_parameter(api, "fate", f,
                                         "fate must be stands, changed, restored or gone")
                  : 0;
}

int api_sweep_accounts(struct api *api, struct store_tx *tx, struct fault *f)
{
    enum sweep_fate fate = SWEEP_STANDS;
    const enum sweep_fate *which = NULL;
    struct store_page page = {0};
    struct store_sweep_rows rows;
    struct store_sweep sweep;
    int64_t id = 0;
    int rc = api_param_id(api, 0, &id, f);

    if (!rc)
        rc = api_query_page(api, &page, f);
    if (!rc)
        rc = read_fate(api, &fate, &which, f);
    if (!rc)
        rc = store_sweep_get(tx, id, &sweep, f);
    if (rc == ERR_MISSING)
        api->status = 404;
    if (!rc)
        rc = store_sweep_rows(tx, id, which, &page, &rows, f);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < rows.n; i++)
        json_array_append_new(items, row_json(&rows.items[i]));
    return api_answer_list(api, items, rows.next, f);
}
