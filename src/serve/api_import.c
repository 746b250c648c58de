/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_import.h"

#include "serve/api_accounts.h"
#include "serve/api_common.h"
#include "serve/lines.h"

/* The order of rows between the body and the store. */
struct rows {
    struct api *api;
    struct store_tx *tx;
    struct lines lines;
    struct span switch_name, tenant;      /* of lines that name none */
    json_t *row;                          /* what the last row borrows from */
    struct span seen_switch, seen_tenant; /* the last that were looked up, and may be used */
};

/* May the caller put accounts there? Neighbouring lines mostly name the same. The names of the last
 * good ones live as long as the job. */
static int may_use(struct rows *rows, struct store_account *a, struct fault *f)
{
    struct store_switch gate;
    struct store_tenant tenant;
    struct api *api = rows->api;
    int rc = 0;

    if (!api_within(api))
        return 0;
    if (!span_eq(a->switch_name, rows->seen_switch) || !rows->seen_switch.n) {
        rc = a->switch_name.n ? api_find_switch(api, rows->tx, a->switch_name, &gate, f)
                              : api_only_switch(api, rows->tx, &gate, f);
        if (rc)
            return rc;
        rows->seen_switch = gate.name;
    }
    if (!span_eq(a->tenant, rows->seen_tenant) || !rows->seen_tenant.n) {
        rc = a->tenant.n ? api_find_tenant(api, rows->tx, a->tenant, &tenant, f)
                         : store_tenant_get(rows->tx, api_within(api), &tenant, f);
        if (rc)
            return rc;
        rows->seen_tenant = tenant.name;
    }
    a->switch_name = rows->seen_switch;
    a->tenant = rows->seen_tenant;
    if (a->state == STORE_LOCKED)
        return fault(f, ERR_DENIED, "only the operator locks");
    return 0;
}

static int next(void *arg, struct store_import_row *row, struct fault *f)
{
    struct rows *rows = arg;
    struct reader *reader = &rows->api->reader;
    int rc;

    json_decref(rows->row);
    rows->row = NULL;
    *row = (struct store_import_row){
        .account = {.state = STORE_ACTIVE,
                    .switch_name = rows->switch_name,
                    .tenant = rows->tenant,
                    .note = {"", 0}},
    };
    rc = lines_next(&rows->lines, reader, &rows->row, &row->line, f);
    if (rc <= 0)
        return rc;
    rc = api_account_read(reader, "", rows->row, FIELDS_NEW, &row->account, f);
    if (!rc)
        rc = may_use(rows, &row->account, f);
    return rc ? rc : 1;
}

static json_t *errors_json(const struct store_import *import)
{
    json_t *errors = json_array();
    size_t n = import->n_faults < STORE_IMPORT_FAULTS ? import->n_faults : STORE_IMPORT_FAULTS;

    for (size_t i = 0; i < n; i++)
        json_array_append_new(errors,
                              json_pack("{s:I, s:s}", "line", (json_int_t)import->faults[i].line,
                                        "detail", import->faults[i].text));
    return errors;
}

static int begin(struct rows *rows, struct store_import *import, struct fault *f)
{
    static const char *const columns[] = {"name", "switch", "tenant", "state", "note", NULL};
    struct api *api = rows->api;
    struct span existing = target_query_get(&api->target.query, "existing");
    int rc;

    if (existing.p && !span_is(existing, "keep") && !span_is(existing, "refuse"))
        return api_refuse_parameter(api, "existing", f, "existing must be refuse or keep");
    import->keep_existing = span_is(existing, "keep");
    rc = api_query_name(api, "switch", &rows->switch_name, f);
    if (!rc)
        rc = api_query_name(api, "tenant", &rows->tenant, f);
    if (!rc)
        rc = lines_begin(&rows->lines, api->body.p, api->body.n, api->media == MEDIA_CSV, columns,
                         f);
    return rc;
}

int api_import(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct rows rows = {.api = api, .tx = tx};
    struct store_import import = {.next = next, .arg = &rows};
    struct store_by by;
    int rc = begin(&rows, &import, f);

    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_account_import(tx, &by, &import, f);
    json_decref(rows.row);
    if (rc && import.n_faults) {
        api->status = 422;
        api->reader.pointer[0] = 0;
        api->errors = errors_json(&import);
    }
    if (rc)
        return rc;
    return api_answer(api, 200,
                      json_pack("{s:I, s:I, s:o}", "added", (json_int_t)import.added, "kept",
                                (json_int_t)import.kept, "change",
                                import.batch ? json_integer(import.batch) : json_null()),
                      f);
}
