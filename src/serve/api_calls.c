/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_calls.h"

#include "serve/api_common.h"
#include "serve/authorize.h"
#include "serve/question.h"
#include "serve/verdict_json.h"

static int read_json(struct api *api, struct question *q, struct fault *f)
{
    json_t *json;
    int rc;

    if (question_plain(buf_span(&api->body), q))
        return 0;
    rc = api_json(api, &json, f);
    return rc ? rc : question_tree(&api->reader, json, q, f);
}

static int read_form(struct api *api, struct question *q, struct fault *f)
{
    struct target_query *form = reader_alloc(&api->reader, sizeof(*form));
    int rc = form ? target_query_parse(form, api->body.p, api->body.n, f) : fault_nomem(f);

    if (rc == ERR_SYNTAX)
        api->status = 400;
    if (rc)
        return rc;
    rc = question_form(form, q, api->parameter, f);
    if (rc)
        api->status = 422;
    return rc;
}

/* In a read job: which switch is meant, and may a tenant ask about this account? */
static int look_up(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct question *q = api->state;
    struct store_switch gate;
    struct store_account account;
    bool seen = false;
    char *name;
    int rc = q->gate.n ? api_find_switch(api, tx, q->gate, &gate, f)
                       : api_only_switch(api, tx, &gate, f);

    if (!rc && api->caller.who == API_TENANT) {
        rc = reader_is_account(q->account)
                 ? store_account_find(tx, gate.name, q->account, &account, f)
                 : ERR_MISSING;
        if (!rc)
            rc = api_may_see(api, tx, account.tenant_id, &seen, f);
        if (rc == ERR_MISSING || (!rc && !seen))
            return api_refuse(api, 404, f, ERR_MISSING, "there is no account \"%s\" on this switch",
                              ESCAPED(q->account));
    }
    if (rc)
        return rc;
    name = reader_alloc(&api->reader, gate.name.n);
    if (!name)
        return fault_nomem(f);
    memcpy(name, gate.name.p, gate.name.n);
    q->gate = (struct span){name, gate.name.n};
    return 0;
}

/* Within the read lock. A switch that asks without a name, or by its own, is the token's. */
static int find_gate(struct api *api, const struct question *q, const struct levels_gate **out,
                     struct fault *f)
{
    const struct snapshot *snapshot = api->services->snapshot;
    const struct levels_gate *gate;

    if (api->caller.who != API_SWITCH) {
        gate = snapshot_switch_by_name(snapshot, q->gate);
        if (!gate)
            return api_refuse(api, 404, f, ERR_MISSING, "there is no switch \"%s\"",
                              ESCAPED(q->gate));
        *out = gate;
        return 0;
    }
    gate = snapshot_switch_by_id(snapshot, api->caller.id);
    if (gate && q->gate.n && !span_is(q->gate, gate->name))
        return api_refuse(api, 403, f, ERR_DENIED, "this token is for the switch \"%s\" only",
                          gate->name);
    /* Without a gate only emergencies pass, and they must: no refusal here. */
    *out = gate;
    return 0;
}

static int ask(struct api *api, const struct question *q, struct fault *f)
{
    struct authorize_question question = {
        .account = q->account,
        .remote = q->remote,
        .dialled = q->number,
        .now = api->now,
        .dry_run = q->dry_run || api->caller.who == API_TENANT,
    };
    struct number number;
    struct verdict verdict;
    int rc;

    buf_clear(&api->out);
    snapshot_read_lock();
    rc = find_gate(api, q, &question.gate, f);
    if (!rc) {
        authorize(api->services->authorizer, &question, &number, &verdict, NULL);
        verdict_json_write(&api->out, &number, &verdict);
    }
    snapshot_read_unlock();
    if (rc)
        return rc;
    buf_putc(&api->out, '\n');
    if (api->out.failed)
        return fault_nomem(f);
    api->status = 200;
    return 0;
}

int api_authorize(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct question *q = api->state;
    int rc;

    if (q)
        return ask(api, q, f);
    q = api->state = reader_alloc(&api->reader, sizeof(*q));
    if (!q)
        return fault_nomem(f);
    rc = api->media == MEDIA_FORM ? read_form(api, q, f) : read_json(api, q, f);
    if (rc)
        return rc;
    if (api->caller.who == API_TENANT || (api->caller.who == API_OPERATOR && !q->gate.n)) {
        api->first = look_up;
        return API_READ_FIRST;
    }
    return ask(api, q, f);
}
