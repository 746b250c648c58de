/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_import.h"

#include "serve/api_accounts.h"
#include "serve/api_common.h"

#define COLUMNS_MAX 16

/*
 * A body of lines, one account each. JSON lines and CSV both become a JSON object and go through the
 * reader of single accounts, so that they mean the same.
 */
struct lines {
    struct api *api;
    struct store_tx *tx;
    char *at; /* what is left */
    size_t left;
    uint64_t line;                    /* that begins at `at` */
    struct span switch_name, tenant;  /* of lines that name none */
    struct span columns[COLUMNS_MAX]; /* CSV */
    size_t n_columns;
    json_t *row;                          /* what the last row borrows from */
    struct span seen_switch, seen_tenant; /* the last that were looked up, and may be used */
};

/* ---- CSV (RFC 4180) ---- */

/* Cuts one cell off, unquoting it where it stands. `*last`: a line's end stood behind it. */
static int cell(struct lines *l, struct span *out, bool *last, struct fault *f)
{
    char *from = l->at;
    char *end = l->at + l->left;
    char *p = from;
    char *to = from;

    if (p < end && *p == '"') {
        for (p++; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++) {
            l->line += *p == '\n';
            p += *p == '"';
            *to++ = *p;
        }
        if (p == end)
            return fault(f, ERR_SYNTAX, "a quoted cell does not end");
        p++;
    } else {
        while (p < end && *p != ',' && *p != '\n' && *p != '\r' && *p != '"')
            *to++ = *p++;
    }
    *out = (struct span){from, (size_t)(to - from)};
    if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
        p++;
    if (p < end && *p != ',' && *p != '\n')
        return fault(f, ERR_SYNTAX, "a cell must be followed by a comma or the line's end");
    *last = p == end || *p == '\n';
    l->line += p < end && *p == '\n';
    p += p < end;
    l->at = p;
    l->left = (size_t)(end - p);
    return 0;
}

/* Behind a line that cannot be read, the next one is tried. */
static void skip_line(struct lines *l)
{
    struct span rest;

    span_cut((struct span){l->at, l->left}, '\n', &rest);
    l->at += l->left - rest.n;
    l->left = rest.n;
    l->line++;
}

static int cells(struct lines *l, struct span *out, size_t *n, struct fault *f)
{
    bool last = false;

    *n = 0;
    while (!last) {
        int rc;

        if (*n == COLUMNS_MAX)
            rc = fault(f, ERR_RANGE, "more than %d cells", COLUMNS_MAX);
        else
            rc = cell(l, &out[*n], &last, f);
        if (rc) {
            skip_line(l);
            return rc;
        }
        (*n)++;
    }
    return 0;
}

static int csv_header(struct lines *l, struct fault *f)
{
    static const char *const known[] = {"name", "switch", "tenant", "state", "note"};
    bool named = false;
    int rc;

    if (l->left >= 3 && memcmp(l->at, "\xef\xbb\xbf", 3) == 0) {
        l->at += 3;
        l->left -= 3;
    }
    rc = cells(l, l->columns, &l->n_columns, f);
    if (rc)
        return fault_in(f, "line 1: ");
    for (size_t i = 0; i < l->n_columns; i++) {
        size_t k = 0;

        while (k < 5 && !span_is(l->columns[i], known[k]))
            k++;
        if (k == 5)
            return fault(
                f, ERR_RANGE,
                "line 1: there is no column \"%s\"; allowed are name, switch, tenant, state, note",
                ESCAPED(l->columns[i]));
        for (size_t j = 0; j < i; j++) {
            if (span_eq(l->columns[i], l->columns[j]))
                return fault(f, ERR_RANGE, "line 1: the column \"%s\" stands twice", known[k]);
        }
        named = named || k == 0;
    }
    return named ? 0 : fault(f, ERR_RANGE, "line 1: the column \"name\" is missing");
}

static int csv_row(struct lines *l, json_t **out, struct fault *f)
{
    struct span values[COLUMNS_MAX];
    json_t *row;
    size_t n;
    int rc = cells(l, values, &n, f);

    if (rc)
        return rc;
    if (n != l->n_columns)
        return fault(f, ERR_SYNTAX, "%zu cells, the header has %zu", n, l->n_columns);
    row = json_object();
    for (size_t i = 0; i < n; i++) {
        char key[16];
        json_t *value = values[i].n ? api_text(values[i]) : NULL;

        if (!values[i].n)
            continue;
        escape(l->columns[i], key, sizeof(key));
        if (!value || json_object_set_new(row, key, value)) {
            json_decref(row);
            return fault(f, ERR_SYNTAX, "%s is not UTF-8", key);
        }
    }
    *out = row;
    return 0;
}

/* ---- rows ---- */

static int json_row(struct lines *l, json_t **out, struct fault *f)
{
    struct span rest;
    struct span line = span_cut((struct span){l->at, l->left}, '\n', &rest);

    l->at += l->left - rest.n;
    l->left = rest.n;
    l->line++;
    return reader_parse(&l->api->reader, line, out, f);
}

static bool blank(struct lines *l)
{
    return l->at[0] == '\n' || (l->left > 1 && l->at[0] == '\r' && l->at[1] == '\n');
}

/* May the caller put accounts there? Neighbouring lines mostly name the same. The names of the last good
 * ones live as long as the job. */
static int may_use(struct lines *l, struct store_account *a, struct fault *f)
{
    struct store_switch gate;
    struct store_tenant tenant;
    int rc = 0;

    if (!api_within(l->api))
        return 0;
    if (!span_eq(a->switch_name, l->seen_switch) || !l->seen_switch.n) {
        rc = a->switch_name.n ? api_find_switch(l->api, l->tx, a->switch_name, &gate, f)
                              : api_only_switch(l->api, l->tx, &gate, f);
        if (rc)
            return rc;
        l->seen_switch = gate.name;
    }
    a->switch_name = l->seen_switch;
    if (!span_eq(a->tenant, l->seen_tenant) || !l->seen_tenant.n) {
        rc = a->tenant.n ? api_find_tenant(l->api, l->tx, a->tenant, &tenant, f)
                         : store_tenant_get(l->tx, api_within(l->api), &tenant, f);
        if (rc)
            return rc;
        l->seen_tenant = tenant.name;
    }
    a->tenant = l->seen_tenant;
    if (a->state == STORE_LOCKED)
        return fault(f, ERR_DENIED, "only the operator locks");
    return 0;
}

static int next(void *arg, struct store_import_row *row, struct fault *f)
{
    struct lines *l = arg;
    int rc;

    json_decref(l->row);
    l->row = NULL;
    while (l->left && blank(l))
        skip_line(l);
    if (!l->left)
        return 0;
    *row = (struct store_import_row){
        .line = l->line,
        .account = {.state = STORE_ACTIVE,
                    .switch_name = l->switch_name,
                    .tenant = l->tenant,
                    .note = {"", 0}},
    };
    rc = l->api->media == MEDIA_CSV ? csv_row(l, &l->row, f) : json_row(l, &l->row, f);
    if (!rc)
        rc = api_account_read(&l->api->reader, "", l->row, FIELDS_NEW, &row->account, f);
    if (!rc)
        rc = may_use(l, &row->account, f);
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

static int begin(struct lines *l, struct store_import *import, struct fault *f)
{
    struct span existing = target_query_get(&l->api->target.query, "existing");
    int rc;

    if (existing.p && !span_is(existing, "keep") && !span_is(existing, "refuse"))
        return api_refuse_parameter(l->api, "existing", f, "existing must be refuse or keep");
    import->keep_existing = span_is(existing, "keep");
    rc = api_query_name(l->api, "switch", &l->switch_name, f);
    if (!rc)
        rc = api_query_name(l->api, "tenant", &l->tenant, f);
    if (!rc && l->api->media == MEDIA_CSV)
        rc = csv_header(l, f);
    return rc;
}

int api_import(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct lines l = {.api = api, .tx = tx, .at = api->body.p, .left = api->body.n, .line = 1};
    struct store_import import = {.next = next, .arg = &l};
    struct store_by by;
    int rc = begin(&l, &import, f);

    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_account_import(tx, &by, &import, f);
    json_decref(l.row);
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
