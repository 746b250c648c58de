/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_sweeps.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "serve/api_common.h"
#include "serve/calls_room.h"
#include "serve/sweeping.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define MONTHS 13 /* how far back calls count, unless it is said */
#define YOUNG_DAYS 30
#define GAP_DAYS 14
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
    FILE *file; /* of CSV: a million lines are not for memory */
    struct buf lines;
    struct fault why; /* it cannot be written */
    json_t *samples[SWEEP_VERDICTS];
};

/* Who lifted, or who objected: one of both. */
static int64_t deed_ms(const struct sweep_found *found, enum sweep_verdict verdict)
{
    return found->verdict == verdict ? found->deed_ms : HISTORY_NEVER;
}

static struct span deed_by(const struct sweep_found *found, enum sweep_verdict verdict)
{
    return found->verdict == verdict ? found->deed_by : (struct span){NULL, 0};
}

static json_t *found_json(const struct sweep_found *found)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
                     (json_int_t)found->account_id, "name", api_text(found->name), "switch",
                     api_text(found->switch_name), "tenant", api_text(found->tenant), "prefix",
                     api_text(found->access), "rules_of", api_text_or_null(found->rules_of),
                     "country", api_word_or_null(found->country), "last_call",
                     time_or_null(found->abroad_ms), "known_since", api_time_ms(found->known_ms),
                     "lifted", time_or_null(deed_ms(found, SWEEP_LIFTED)), "lifted_by",
                     api_text_or_null(deed_by(found, SWEEP_LIFTED)), "objected",
                     time_or_null(deed_ms(found, SWEEP_OBJECTED)), "objected_by",
                     api_text_or_null(deed_by(found, SWEEP_OBJECTED)));
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

#define CSV_HEAD                                                                                   \
    "id,name,switch,tenant,verdict,prefix,rules_of,country,last_call,known_since,lifted,lifted_"   \
    "by,"                                                                                          \
    "objected,objected_by\n"

static void csv_deed(struct buf *out, const struct sweep_found *found, enum sweep_verdict verdict)
{
    buf_putc(out, ',');
    csv_time(out, deed_ms(found, verdict));
    buf_putc(out, ',');
    csv_text(out, deed_by(found, verdict));
}

static void csv_line(struct buf *out, const struct sweep_found *found)
{
    buf_printf(out, "%" PRId64 ",%.*s,%.*s,%.*s,%s,%.*s,%.*s,%s,", found->account_id,
               SPAN_FMT(found->name), SPAN_FMT(found->switch_name), SPAN_FMT(found->tenant),
               sweep_verdict_name(found->verdict), SPAN_FMT(found->access),
               SPAN_FMT(found->rules_of), found->country);
    csv_time(out, found->abroad_ms);
    buf_putc(out, ',');
    csv_time(out, found->known_ms);
    csv_deed(out, found, SWEEP_LIFTED);
    csv_deed(out, found, SWEEP_OBJECTED);
    buf_putc(out, '\n');
}

#define LINES_MAX 65536 /* bytes that are written at once */

static int flush_lines(struct preview *p, size_t most)
{
    int err = p->lines.failed ? fault_nomem(&p->why) : 0;

    if (!err && p->lines.n > most) {
        if (fwrite(p->lines.p, 1, p->lines.n, p->file) != p->lines.n)
            err =
                fault(&p->why, errno == ENOSPC ? ERR_FULL : ERR_IO, "a list cannot be written: %m");
        buf_clear(&p->lines);
    }
    return err;
}

static int take_found(void *arg, const struct sweep_found *found)
{
    struct preview *p = arg;
    json_t *samples = p->samples[found->verdict];

    if (p->csv) {
        csv_line(&p->lines, found);
        return flush_lines(p, LINES_MAX);
    }
    if (json_array_size(samples) < SAMPLES)
        json_array_append_new(samples, found_json(found));
    return 0;
}

static int open_file(struct preview *p, struct fault *f)
{
    int fd;
    int rc = store_scratch(p->api->services->store, &fd, f);

    if (rc)
        return rc;
    p->file = fdopen(fd, "w+");
    if (!p->file) {
        close(fd);
        return fault_nomem(f);
    }
    buf_puts(&p->lines, CSV_HEAD);
    return 0;
}

/* What is in the file is the answer. */
static int close_file(struct preview *p, struct fault *f)
{
    struct api *api = p->api;
    int rc = flush_lines(p, 0);

    if (!rc && fflush(p->file) != 0)
        rc = fault(&p->why, errno == ENOSPC ? ERR_FULL : ERR_IO, "a list cannot be written: %m");
    if (rc) {
        *f = p->why;
        return rc;
    }
    api->file = p->file;
    p->file = NULL;
    api->csv = true;
    api->status = 200;
    return 0;
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
    int64_t since_s, young_days, gap_days;
    bool include_lifted;
};

static int read_preview(struct api *api, struct given *given, bool *csv, struct fault *f)
{
    const struct field fields[] = {
        {.name = "since", .kind = FIELD_TIME, .out = &given->since_s},
        {.name = "tenant", .kind = FIELD_NAME, .out = &given->tenant},
        {.name = "include_lifted", .kind = FIELD_BOOL, .out = &given->include_lifted},
        {.name = "young_days", .kind = FIELD_INTEGER, .out = &given->young_days, .max = 3650},
        {.name = "gap_days", .kind = FIELD_INTEGER, .out = &given->gap_days, .max = 3650},
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
    struct given given = {.young_days = YOUNG_DAYS, .gap_days = GAP_DAYS};
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
                  .believed_ms = given.gap_days * DAY_MS,
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

static json_t *records_json(const struct sweep_plan *plan)
{
    json_t *items = json_array();

    for (size_t i = 0; i < sweep_plan_switches(plan); i++) {
        struct sweep_records r = sweep_plan_records(plan, i);

        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "switch",
                                               api_text(r.switch_name), "first",
                                               time_or_null(r.records.first_ms), "last",
                                               time_or_null(r.records.last_ms), "reach",
                                               time_or_null(r.records.reach_ms), "gap",
                                               time_or_null(r.records.gap_ms), "gap_ends",
                                               time_or_null(r.records.gap_ends_ms), "strays",
                                               (int)r.strays, "sufficient", (int)r.hold));
    }
    return items;
}

static int answer_preview(struct preview *p, const struct sweep_plan *plan, struct fault *f)
{
    struct api *api = p->api;

    if (p->csv)
        return close_file(p, f);
    return api_answer(
        api, 200,
        json_pack("{s:I, s:o, s:b, s:I, s:I, s:o, s:o, s:o}", "change",
                  (json_int_t)sweep_plan_change(plan), "since", api_time_ms(p->ask.terms.since_ms),
                  "include_lifted", (int)p->ask.terms.include_lifted, "young_days",
                  (json_int_t)(p->ask.terms.young_ms / DAY_MS), "gap_days",
                  (json_int_t)(p->ask.terms.believed_ms / DAY_MS), "records", records_json(plan),
                  "counts", counts_json(plan), "samples", samples_json(p)),
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
        rc = open_file(&p, f);
    if (!rc)
        rc = store_sweep_preview(api->services->store, &p.ask, take_found, &p, &plan, f);
    if (rc && p.why.text[0])
        *f = p.why;
    if (!rc)
        rc = answer_preview(&p, plan, f);
    for (int v = 0; v < SWEEP_VERDICTS; v++)
        json_decref(p.samples[v]);
    buf_free(&p.lines);
    if (p.file)
        fclose(p.file);
    if (!rc) {
        sweep_plan_free(last->plan);
        last->plan = plan;
    } else {
        sweep_plan_free(plan);
    }
    return rc;
}
