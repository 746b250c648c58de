/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_import.h"

#include "serve/api_common.h"
#include "serve/import_rows.h"
#include "serve/importing.h"

/* ---- how far it is ---- */

static const char *phase_name(enum bulk_phase phase)
{
    switch (phase) {
    case BULK_READING: return "reading";
    case BULK_CHECKING: return "checking";
    case BULK_ADDING: return "adding";
    case BULK_COMMITTING: return "committing";
    }
    return "";
}

int api_import_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    const struct importing *i = importing_find(api, f);

    if (!i)
        return ERR_MISSING;
    const struct bulk_progress *p = &i->progress;
    return api_answer(
        api, 200,
        json_pack("{s:s, s:I, s:I}", "phase",
                  phase_name((enum bulk_phase)__atomic_load_n(&p->phase, __ATOMIC_RELAXED)), "done",
                  (json_int_t)__atomic_load_n(&p->done, __ATOMIC_RELAXED), "total",
                  (json_int_t)__atomic_load_n(&p->total, __ATOMIC_RELAXED)),
        f);
}

int api_import_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct importing *i = importing_find(api, f);

    if (!i)
        return ERR_MISSING;
    __atomic_store_n(&i->progress.cancelled, true, __ATOMIC_RELAXED);
    return api_answer_empty(api, 204);
}

/* ---- the import ---- */

struct import {
    struct api *api;
    struct bulk *bulk;
    struct store_import out;
    bool more; /* to check */
};

/* May the caller put accounts there? What a tenant's token leaves out is what it can only mean. */
static int may_use(void *arg, struct span *switch_name, struct span *tenant_name, struct fault *f)
{
    const struct import *m = ((void **)arg)[0];
    struct store_tx *tx = ((void **)arg)[1];
    struct api *api = m->api;
    struct store_switch gate;
    struct store_tenant tenant;
    int rc = switch_name->n ? api_find_switch(api, tx, *switch_name, &gate, f)
                            : api_only_switch(api, tx, &gate, f);

    if (!rc)
        rc = tenant_name->n ? api_find_tenant(api, tx, *tenant_name, &tenant, f)
                            : store_tenant_get(tx, api_within(api), &tenant, f);
    api->status = 0;
    if (rc)
        return rc;
    *switch_name = gate.name;
    *tenant_name = tenant.name;
    return 0;
}

static int rights_job(struct store_tx *tx, void *arg, struct fault *f)
{
    void *both[] = {arg, tx};

    return bulk_homes(((struct import *)arg)->bulk, may_use, both, f);
}

static int add_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct import *m = arg;
    struct store_by by;
    int rc = api_by(m->api, tx, &by, f);

    return rc ? rc : store_bulk_import(tx, &by, m->bulk, true, &m->out, f);
}

static int check_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct import *m = arg;
    int rc = store_bulk_check(tx, m->bulk, f);

    m->more = rc > 0;
    return rc < 0 ? rc : 0;
}

/* The rows are read and checked before the writer hears of them: it does nothing but insert. Which lines
 * were wrong is looked up by the reader, a part at a time. */
static int add(struct import *m, struct fault *f)
{
    struct store *store = m->api->services->store;
    int rc = api_within(m->api) ? store_read_wait(store, rights_job, m, f) : 0;

    if (!rc)
        rc = store_write_alone_wait(store, add_job, m, f);
    if (rc != ERR_RANGE)
        return rc;
    do
        rc = store_read_wait(store, check_job, m, f);
    while (!rc && m->more);
    return rc ? rc : bulk_fault(m->bulk, f);
}

static json_t *errors_json(const struct bulk_faults *faults)
{
    json_t *errors = json_array();
    size_t n = faults->n < STORE_IMPORT_FAULTS ? faults->n : STORE_IMPORT_FAULTS;

    for (size_t i = 0; i < n; i++)
        json_array_append_new(errors,
                              json_pack("{s:I, s:s}", "line", (json_int_t)faults->first[i].line,
                                        "detail", faults->first[i].text));
    return errors;
}

static int begin(struct api *api, struct import_options *options, bool *keep, struct fault *f)
{
    struct span existing = target_query_get(&api->target.query, "existing");
    struct span ticket = target_query_get(&api->target.query, "ticket");
    int rc;

    if (existing.p && !span_is(existing, "keep") && !span_is(existing, "refuse"))
        return api_refuse_parameter(api, "existing", f, "existing must be refuse or keep");
    if (ticket.p && !importing_is_ticket(ticket))
        return api_refuse_parameter(api, "ticket", f,
                                    "ticket must be %d to %d of A-Z, a-z, 0-9, - and _",
                                    IMPORT_TICKET_MIN, IMPORT_TICKET_MAX);
    *keep = span_is(existing, "keep");
    *options = (struct import_options){
        .csv = api->media == MEDIA_CSV,
        .locks = api->caller.who == API_OPERATOR,
    };
    rc = api_query_name(api, "switch", &options->switch_name, f);
    return rc ? rc : api_query_name(api, "tenant", &options->tenant, f);
}

static int run(struct import *m, const struct import_options *options, struct fault *f)
{
    struct api *api = m->api;
    int rc = import_rows(m->bulk, api->body.p, api->body.n, options, f);

    buf_free(&api->body); /* all that is needed of it was copied */
    if (!rc)
        rc = add(m, f);
    if (rc == ERR_CONFLICT)
        api->status = 409;
    if (rc && bulk_faults(m->bulk)->n && rc == ERR_RANGE) {
        api->status = 422;
        api->errors = errors_json(bulk_faults(m->bulk));
        api->errors_n = bulk_faults(m->bulk)->n;
    }
    if (rc)
        return rc;
    return api_answer(api, 200,
                      json_pack("{s:I, s:I, s:o}", "added", (json_int_t)m->out.added, "kept",
                                (json_int_t)m->out.kept, "change",
                                m->out.batch ? json_integer(m->out.batch) : json_null()),
                      f);
}

int api_import(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct import m = {.api = api};
    struct import_options options;
    bool keep = false;
    int rc = begin(api, &options, &keep, f);

    if (!rc)
        rc = bulk_new(&m.bulk, keep, &api->services->importing->progress, f);
    if (!rc)
        rc = run(&m, &options, f);
    bulk_free(m.bulk);
    return rc;
}
