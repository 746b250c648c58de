/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_sweeps.h"

#include <inttypes.h>
#include <time.h>

#include "serve/api_common.h"
#include "serve/calls_room.h"
#include "serve/sweeping.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define MONTHS 13 /* how far back calls count, unless it is said */
#define YOUNG_DAYS 30
#define SAMPLES 10 /* of each verdict */

/* A time that may not be. */
static json_t *time_or_null(int64_t ms)
{
    return ms == HISTORY_NEVER ? json_null() : api_time_ms(ms);
}

/* ---- the preview ---------------------------------------------------------------------------- */

struct preview {
    struct api *api;
    struct sweep_ask ask;
    bool csv;
    json_t *samples[SWEEP_VERDICTS];
};

static json_t *found_json(const struct sweep_found *found)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
                     (json_int_t)found->account_id, "name", api_text(found->name), "switch",
                     api_text(found->switch_name), "prefix", api_text(found->access), "country",
                     api_word_or_null(found->country), "last_call", time_or_null(found->abroad_ms),
                     "lifted", time_or_null(found->lifted_ms), "lifted_by",
                     api_text_or_null(found->lifted_by));
}

static void csv_text(struct buf *out, struct span text)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, text.p[i]);
    }
    buf_putc(out, '"');
}

static void csv_time(struct buf *out, int64_t ms)
{
    time_t s = (time_t)(ms / 1000);
    char text[32];
    struct tm tm;

    if (ms == HISTORY_NEVER || !gmtime_r(&s, &tm) ||
        !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return;
    buf_puts(out, text);
}

static void csv_line(struct buf *out, const struct sweep_found *found)
{
    buf_printf(out, "%" PRId64 ",%.*s,%.*s,%s,%.*s,%s,", found->account_id, SPAN_FMT(found->name),
               SPAN_FMT(found->switch_name), sweep_verdict_name(found->verdict),
               SPAN_FMT(found->access), found->country);
    csv_time(out, found->abroad_ms);
    buf_putc(out, ',');
    csv_time(out, found->lifted_ms);
    buf_putc(out, ',');
    csv_text(out, found->lifted_by);
    buf_putc(out, '\n');
}

static int take_found(void *arg, const struct sweep_found *found)
{
    struct preview *p = arg;
    json_t *samples = p->samples[found->verdict];

    if (p->csv)
        csv_line(&p->api->out, found);
    else if (json_array_size(samples) < SAMPLES)
        json_array_append_new(samples, found_json(found));
    return p->api->out.failed ? ERR_NOMEM : 0;
}

/* The same day and hour, so many months ago. */
static int64_t months_ago_ms(int64_t now_ms, int months)
{
    time_t s = (time_t)(now_ms / 1000);
    struct tm tm;

    if (!gmtime_r(&s, &tm))
        return 0;
    tm.tm_mon -= months;
    s = timegm(&tm);
    return (int64_t)s * 1000;
}

struct given {
    struct span tenant;
    int64_t since_s, young_days;
    bool include_lifted;
};

static int read_preview(struct api *api, struct given *given, bool *csv, struct fault *f)
{
    const struct field fields[] = {
        {.name = "since", .kind = FIELD_TIME, .out = &given->since_s},
        {.name = "tenant", .kind = FIELD_NAME, .out = &given->tenant},
        {.name = "include_lifted", .kind = FIELD_BOOL, .out = &given->include_lifted},
        {.name = "young_days", .kind = FIELD_INTEGER, .out = &given->young_days, .max = 3650},
    };
    struct span format = target_query_get(&api->target.query, "format");
    json_t *json;

    if (format.p && !span_is(format, "json") && !span_is(format, "csv"))
        return api_refuse_parameter(api, "format", f, "format must be json or csv");
    *csv = span_is(format, "csv");
    int rc = api_json(api, &json, f);
    return rc ? rc
              : reader_fields(&api->reader, "", json, fields, sizeof(fields) / sizeof(*fields), f);
}

struct tenant_job {
    struct api *api;
    struct span name;
    int64_t id;
};

static int find_tenant(struct store_tx *tx, void *arg, struct fault *f)
{
    struct tenant_job *job = arg;
    struct store_tenant tenant;
    int rc = store_tenant_find(tx, job->name, &tenant, f);

    if (rc == ERR_MISSING)
        return reader_refuse(&job->api->reader, "", "tenant", f, ERR_RANGE,
                             "there is no tenant \"%s\"", ESCAPED(job->name));
    if (!rc)
        job->id = tenant.id;
    return rc;
}

/* A preview from half of the calls would restrict who calls abroad in the other half. */
static int wait_for_calls(struct api *api, struct fault *f)
{
    struct calls_room *calls = api->services->calls;
    int rc =
        calls && calls_room_state(calls, NULL) != CALLS_NONE ? calls_room_settled(calls, f) : 0;

    if (rc)
        api->status = 409;
    return rc;
}

static int begin(struct preview *p, struct fault *f)
{
    struct api *api = p->api;
    struct given given = {.young_days = YOUNG_DAYS};
    struct tenant_job job = {.api = api};
    int64_t now_ms = api->now.wall_ms;
    int rc = read_preview(api, &given, &p->csv, f);

    if (!rc)
        rc = wait_for_calls(api, f);
    job.name = given.tenant;
    if (!rc && job.name.n)
        rc = store_read_wait(api->services->store, find_tenant, &job, f);
    if (!rc && given.since_s * 1000 > now_ms)
        rc = reader_refuse(&api->reader, "", "since", f, ERR_RANGE, "since lies in the future");
    p->ask = (struct sweep_ask){
        .terms = {.now_ms = now_ms,
                  .since_ms = given.since_s ? given.since_s * 1000 : months_ago_ms(now_ms, MONTHS),
                  .young_ms = given.young_days * DAY_MS,
                  .include_lifted = given.include_lifted},
        .within = job.id};
    return rc;
}

static json_t *counts_json(const struct sweep_plan *plan)
{
    json_t *counts = json_object();

    for (int v = 0; v < SWEEP_VERDICTS; v++)
        json_object_set_new(
            counts, sweep_verdict_name((enum sweep_verdict)v),
            json_integer((json_int_t)sweep_plan_count(plan, (enum sweep_verdict)v)));
    return counts;
}

static json_t *samples_json(struct preview *p)
{
    json_t *samples = json_object();

    for (int v = 0; v < SWEEP_VERDICTS; v++)
        json_object_set(samples, sweep_verdict_name((enum sweep_verdict)v), p->samples[v]);
    return samples;
}

static int answer_preview(struct preview *p, const struct sweep_plan *plan, struct fault *f)
{
    struct api *api = p->api;

    if (p->csv) {
        api->csv = true;
        api->status = 200;
        return api->out.failed ? fault_nomem(f) : 0;
    }
    return api_answer(api, 200,
                      json_pack("{s:I, s:o, s:b, s:o, s:o}", "change",
                                (json_int_t)sweep_plan_change(plan), "since",
                                api_time_ms(p->ask.terms.since_ms), "include_lifted",
                                (int)p->ask.terms.include_lifted, "counts", counts_json(plan),
                                "samples", samples_json(p)),
                      f);
}

int api_sweep_preview(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct preview p = {.api = api};
    struct sweeping *last = api->services->sweeping;
    struct sweep_plan *plan = NULL;
    int rc = begin(&p, f);

    for (int v = 0; v < SWEEP_VERDICTS; v++)
        p.samples[v] = json_array();
    if (!rc && p.csv)
        buf_puts(&api->out, "id,name,switch,verdict,prefix,country,last_call,lifted,lifted_by\n");
    if (!rc)
        rc = store_sweep_preview(api->services->store, &p.ask, take_found, &p, &plan, f);
    if (rc == ERR_NOMEM)
        rc = fault_nomem(f);
    if (!rc)
        rc = answer_preview(&p, plan, f);
    for (int v = 0; v < SWEEP_VERDICTS; v++)
        json_decref(p.samples[v]);
    if (!rc) {
        sweep_plan_free(last->plan);
        last->plan = plan;
    } else {
        sweep_plan_free(plan);
    }
    return rc;
}

/* ---- applying and undoing ------------------------------------------------------------------- */

int api_sweeps_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct sweeping *last = api->services->sweeping;
    char actor[STORE_ACTOR_MAX];
    int64_t change = 0, restricted = -1, sweep = 0;
    const struct field fields[] = {
        {.name = "change",
         .kind = FIELD_INTEGER,
         .out = &change,
         .required = true,
         .min = 1,
         .max = INT64_MAX},
        {.name = "restrict", .kind = FIELD_INTEGER, .out = &restricted, .max = INT64_MAX},
    };
    uint64_t called = 0;
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 2, f);
    if (rc)
        return rc;
    if (!last->plan || sweep_plan_change(last->plan) != change)
        return api_refuse(api, 409, f, ERR_CONFLICT,
                          "there is no preview of change %" PRId64
                          " at hand: only the last one can be applied",
                          change);
    /* A preview changes nothing: two of them, of other terms, may be of one change. */
    if (restricted >= 0 && sweep_plan_count(last->plan, SWEEP_RESTRICT) != (uint64_t)restricted)
        return api_refuse(api, 409, f, ERR_CONFLICT,
                          "the last preview would restrict %" PRIu64 " accounts, not %" PRId64
                          ": another one was made since; look at it, or make yours again",
                          sweep_plan_count(last->plan, SWEEP_RESTRICT), restricted);
    struct store_by by = api_by_operator(api, actor);
    rc = store_sweep_apply_wait(api->services->store, &by, last->plan, &sweep, &called, f);
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

int api_sweep_accounts(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_page page = {0};
    struct store_sweep_rows rows;
    struct store_sweep sweep;
    int64_t id = 0;
    int rc = api_param_id(api, 0, &id, f);

    if (!rc)
        rc = api_query_page(api, &page, f);
    if (!rc)
        rc = store_sweep_get(tx, id, &sweep, f);
    if (rc == ERR_MISSING)
        api->status = 404;
    if (!rc)
        rc = store_sweep_rows(tx, id, &page, &rows, f);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < rows.n; i++)
        json_array_append_new(items, row_json(&rows.items[i]));
    return api_answer_list(api, items, rows.next, f);
}
