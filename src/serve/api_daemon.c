/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_daemon.h"

#include "policy/snapshot.h"
#include "serve/api_common.h"
#include "serve/authorize.h"
#include "serve/guard_status.h"
#include "serve/sip_status.h"

/* ---- /healthz and /v1/status ---- */

/* Both arrays must exist. */
static void look(const struct api *api, json_t *problems, json_t *warnings)
{
    if (api->services->health)
        api->services->health(api->services->arg, problems, warnings);
}

int api_health(struct api *api, struct store_tx *tx, struct fault *f)
{
    json_t *problems = json_array();
    json_t *warnings = json_array();
    bool well;

    if (problems && warnings)
        look(api, problems, warnings);
    well = json_array_size(problems) == 0;
    json_decref(warnings);
    return api_answer(
        api, well ? 200 : 503,
        json_pack("{s:s, s:o}", "status", well ? "ok" : "failing", "problems", problems), f);
}

/* Pages of lists, to count what the store has no counter for. */
static int count_switches(struct store_tx *tx, json_int_t *n, struct fault *f)
{
    struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_switch_list list;
    int rc;

    do {
        rc = store_switch_list(tx, &page, &list, f);
        if (rc)
            return rc;
        *n += (json_int_t)list.n;
        page.cursor = list.next;
    } while (list.next.n);
    return 0;
}

static int count_tenants(struct store_tx *tx, json_int_t *n, struct fault *f)
{
    struct store_tenant_query query = {.page = {.limit = STORE_PAGE_MAX}};
    struct store_tenant_list list;
    int rc;

    do {
        rc = store_tenant_list(tx, &query, &list, f);
        if (rc)
            return rc;
        *n += (json_int_t)list.n;
        query.page.cursor = list.next;
    } while (list.next.n);
    return 0;
}

static int count_stops(struct store_tx *tx, json_int_t *n, struct fault *f)
{
    struct store_stop_query query = {.page = {.limit = STORE_PAGE_MAX}};
    struct store_stop_list list;
    int rc;

    do {
        rc = store_stop_list(tx, &query, &list, f);
        if (rc)
            return rc;
        *n += (json_int_t)list.n;
        query.page.cursor = list.next;
    } while (list.next.n);
    return 0;
}

struct counts {
    json_int_t switches, tenants, stops;
    int64_t change;
    struct api_switch_names names;
    struct guard_status guard;
};

static int count(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct counts *counts = api->state;
    int rc = count_switches(tx, &counts->switches, f);

    if (!rc)
        rc = count_tenants(tx, &counts->tenants, f);
    if (!rc)
        rc = count_stops(tx, &counts->stops, f);
    if (!rc)
        rc = store_change(tx, &counts->change, f);
    if (!rc)
        rc = api_switch_names(api, tx, &counts->names, f);
    return rc;
}

static json_t *status_json(const struct api *api, const struct counts *counts)
{
    struct authorize_figures figures = authorizer_figures(api->services->authorizer);
    json_t *problems = json_array();
    json_t *warnings = json_array();
    json_int_t accounts;
    struct store_stats stats;
    json_int_t up = (api->now.boot_ns - api->services->started.boot_ns) / 1000000000;

    if (problems && warnings)
        look(api, problems, warnings);
    store_stats(api->services->store, &stats);
    snapshot_read_lock();
    accounts = (json_int_t)snapshot_accounts(api->services->snapshot);
    snapshot_read_unlock();
    return json_pack(
        "{s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:o, "
        "s:o}",
        "version", api->services->version, "started", api_time_ms(api->services->started.wall_ms),
        "uptime_seconds", up, "load_milliseconds", (json_int_t)stats.load_ms, "change",
        (json_int_t)counts->change, "problems", problems, "warnings", warnings, "counts",
        "switches", counts->switches, "tenants", counts->tenants, "accounts", accounts, "stops",
        counts->stops, "decisions", "allowed", (json_int_t)figures.allowed, "denied",
        (json_int_t)figures.denied, "observed", (json_int_t)figures.observed, "emergency",
        (json_int_t)figures.emergency, "sip",
        sip_status_json(api->services->sip, api->services->sip_tcp, &counts->names), "guard",
        guard_status_json(&counts->guard, &counts->names));
}

static int look_at_guard(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct counts *counts = api->state;

    return room ? guard_status_take(&counts->guard, &api->reader, room, f) : 0;
}

int api_status(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0: return api_read_first(api, count, sizeof(struct counts), f);
    case 1: api->ask_anyway = true; return api_ask_first(api, look_at_guard);
    }
    return api_answer(api, 200, status_json(api, api->state), f);
}

/* ---- /v1/settings ---- */

static int answer_settings(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_settings s;
    int rc = store_settings_get(tx, &s, f);

    if (rc)
        return rc;
    return api_answer_tagged(
        api, 200, s.change,
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "refusal_days",
                  (json_int_t)s.refusal_days, "refusals_max", (json_int_t)s.refusals_max,
                  "refusals_per_account", (json_int_t)s.refusals_per_account, "adopted_max",
                  (json_int_t)s.adopted_max, "attempt_days", (json_int_t)s.attempt_days,
                  "attempts_max", (json_int_t)s.attempts_max, "decision_days",
                  (json_int_t)s.decision_days, "decisions_max", (json_int_t)s.decisions_max,
                  "decisions_per_subject", (json_int_t)s.decisions_per_subject, "change",
                  (json_int_t)s.change),
        f);
}

int api_settings_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    return answer_settings(api, tx, f);
}

/* The settings and how far the reader lets them go: what they may be together, the store says. */
static const struct setting {
    const char *name;
    size_t offset; /* of its uint32_t within struct store_settings */
    int64_t min, max;
} settings[] = {
    {"refusal_days", offsetof(struct store_settings, refusal_days), 1, 3650},
    {"refusals_max", offsetof(struct store_settings, refusals_max), 1000, 100000000},
    {"refusals_per_account", offsetof(struct store_settings, refusals_per_account), 10, 100000000},
    {"adopted_max", offsetof(struct store_settings, adopted_max), 0, 10000000},
    {"attempt_days", offsetof(struct store_settings, attempt_days), 1, 3650},
    {"attempts_max", offsetof(struct store_settings, attempts_max), 1000, 10000000},
    {"decision_days", offsetof(struct store_settings, decision_days), 1, 3650},
    {"decisions_max", offsetof(struct store_settings, decisions_max), 1000, 10000000},
    {"decisions_per_subject", offsetof(struct store_settings, decisions_per_subject), 10, 100000},
};
#define SETTINGS (sizeof(settings) / sizeof(*settings))

static uint32_t *setting_of(struct store_settings *s, size_t i)
{
    return (uint32_t *)(void *)((char *)s + settings[i].offset);
}

static int read_settings(struct api *api, struct store_settings *s, struct fault *f)
{
    struct field fields[SETTINGS] = {0};
    int64_t values[SETTINGS];
    json_t *json;
    int rc = api_json(api, &json, f);

    for (size_t i = 0; i < SETTINGS; i++) {
        values[i] = *setting_of(s, i);
        fields[i] = (struct field){.name = settings[i].name,
                                   .kind = FIELD_INTEGER,
                                   .out = &values[i],
                                   .min = settings[i].min,
                                   .max = settings[i].max};
    }
    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, SETTINGS, f);
    for (size_t i = 0; !rc && i < SETTINGS; i++)
        *setting_of(s, i) = (uint32_t)values[i];
    return rc;
}

int api_settings_patch(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_settings s;
    struct store_by by;
    int rc = store_settings_get(tx, &s, f);

    if (!rc)
        rc = api_precondition(api, true, s.change, f);
    if (!rc)
        rc = read_settings(api, &s, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_settings_update(tx, &by, &s, f);
    return rc ? rc : answer_settings(api, tx, f);
}

/* ---- /v1/backup ---- */

static bool has_dots(struct span path)
{
    while (path.p) {
        struct span part = span_cut(path, '/', &path);

        if (span_is(part, "..") || span_is(part, "."))
            return true;
    }
    return false;
}

static bool below(struct span path, const char *dir)
{
    size_t n = dir ? strlen(dir) : 0;

    while (n > 1 && dir[n - 1] == '/')
        n--;
    return n && path.n > n + 1 && memcmp(path.p, dir, n) == 0 && path.p[n] == '/';
}

int api_backup(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct span path = {NULL, 0};
    const struct field fields[] = {
        {.name = "path", .kind = FIELD_TEXT, .out = &path, .required = true, .max = 4000}};
    struct store_stats stats;
    json_t *json;
    char *copy;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 1, f);
    if (rc)
        return rc;
    if (path.n < 2 || path.p[0] != '/' || has_dots(path))
        return reader_refuse(&api->reader, "", "path", f, ERR_RANGE,
                             "path \"%s\" must be absolute and without . and .. in it",
                             ESCAPED(path));
    if (!api->caller.local && !below(path, api->services->backup_dir))
        return reader_refuse(&api->reader, "", "path", f, ERR_RANGE,
                             "path \"%s\" must lie below [http] backup_dir, which is \"%s\"; on "
                             "the Unix socket it may be anywhere",
                             ESCAPED(path),
                             api->services->backup_dir ? api->services->backup_dir : "");
    copy = reader_alloc(&api->reader, path.n + 1);
    if (!copy)
        return fault_nomem(f);
    memcpy(copy, path.p, path.n);
    api->path = copy;
    store_stats(api->services->store, &stats);
    return api_answer(
        api, 200,
        json_pack("{s:o, s:I}", "path", api_text(path), "change", (json_int_t)stats.change), f);
}
