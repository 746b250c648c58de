/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cases.h"
#include "guard/scenario.h"
#include "serve/api_routes.h"
#include "serve/guard_desk.h"
#include "store/fixture.h"
#include "store/guard_lists.h"
#include "store/guard_records.h"

/* The guard's routes with a guard and a store before them, but without sockets and threads: guard.cases. */

struct play {
    struct scenario scenario;
    struct place place;
    struct store *store;
    struct guard_room_exempt exempts[3];
    struct api_services services;
    struct api_caller caller;
    json_t *answer; /* to the last request */
    struct buf out;
};

static struct play *now_playing;

static struct instant now(void)
{
    return now_playing->scenario.now;
}

/* ---- one request ---- */

struct job {
    struct api *api;
    api_handler run;
};

static int run_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct job *job = arg;

    return job->run(job->api, tx, f);
}

/* What daemon/guard_thread.h does when the operator's lists have changed. */
static int apply_lists(struct store_tx *tx, void *arg, struct fault *f)
{
    struct play *p = arg;
    struct store_guard_lists lists;
    struct guard_account canaries[16];
    int rc = store_guard_lists_read(tx, &lists, f);

    for (size_t i = 0; !rc && i < lists.n_canaries && i < 16; i++)
        canaries[i] = (struct guard_account){lists.canaries[i].switch_id, lists.canaries[i].name};
    if (!rc)
        rc = guard_set_exempt(p->scenario.guard, now(), EXEMPT_NEVER_BAN, lists.never,
                              lists.n_never, f);
    return rc ? rc : guard_set_canaries(p->scenario.guard, canaries, lists.n_canaries, f);
}

static int ask(struct play *p, struct api *api, struct fault *f)
{
    const struct guard_room room = {
        .guard = p->scenario.guard,
        .now = now(),
        .enforcement = {.state = GUARD_ENFORCEMENT_EFFECTIVE, .why = ""},
        .exempts = p->exempts,
        .n_exempts = 1,
    };

    return api->ask(api, &room, f);
}

static int steps(struct play *p, struct api *api, struct fault *f)
{
    int rc;

    for (;; api->step++) {
        struct job job = {api, api->route->run};

        switch (api->route->lane) {
        case API_READ: return store_read_wait(p->store, run_job, &job, f);
        case API_WRITE: return store_write_wait(p->store, run_job, &job, f);
        case API_HERE: break;
        case API_URGENT:
        case API_ALONE:
        case API_CALLS:
        case API_BACKUP: fail();
        }
        rc = api->route->run(api, NULL, f);
        job.run = api->first;
        if (rc == API_READ_FIRST)
            rc = store_read_wait(p->store, run_job, &job, f);
        else if (rc == API_WRITE_FIRST)
            rc = store_write_wait(p->store, run_job, &job, f);
        else if (rc == API_ASK_FIRST)
            rc = ask(p, api, f);
        else
            return rc;
        if (rc)
            return rc;
    }
}

static void request(struct play *p, struct span line)
{
    struct span body, method = span_cut(line, ' ', &body), target = span_cut(body, ' ', &body);
    struct api api = {.services = &p->services, .caller = p->caller, .now = now()};
    char text[400], verb[10];
    struct fault f = {0};
    int rc;

    snprintf(text, sizeof(text), "%.*s", SPAN_FMT(target));
    snprintf(verb, sizeof(verb), "%.*s", SPAN_FMT(method));
    rc = target_parse(&api.target, text, strlen(text), &f);
    if (!rc)
        rc = api_route(&api, verb, &f);
    if (!rc)
        rc = api_check_query(&api, &f);
    if (!rc && !(api.route->who & api.caller.who))
        rc = api_refuse(&api, 403, &f, ERR_DENIED, "only the operator may do this");
    buf_add(&api.body, body);
    if (!rc)
        rc = steps(p, &api, &f);
    if (rc)
        api_problem(&api, api.status >= 400 ? api.status : 0, &f);
    json_decref(p->answer);
    p->answer = api.out.n ? json_loadb(api.out.p, api.out.n, 0, NULL) : NULL;
    if (p->out.n)
        buf_putc(&p->out, '\n');
    buf_printf(&p->out, "%u", api.status);
    if (api.problem)
        buf_printf(&p->out, " %s", json_string_value(json_object_get(p->answer, "detail")));
    if (api.location[0])
        buf_printf(&p->out, " at %s", api.location);
    for (size_t i = 0; api.csv && i + 1 < api.out.n; i++)
        if (api.out.p[i] != '\r')
            buf_printf(&p->out, "%s%c", i ? "" : "\n", api.out.p[i]);
    api_free(&api);
    store_read_wait(p->store, apply_lists, p, NULL);
}

/* ---- what is shown of the answer ---- */

static const json_t *at(const json_t *json, struct span pointer)
{
    pointer = span_skip(pointer, 1);
    while (json && pointer.n) {
        struct span part = span_cut(pointer, '/', &pointer);
        char key[64];

        snprintf(key, sizeof(key), "%.*s", SPAN_FMT(part));
        json = json_is_array(json) ? json_array_get(json, (size_t)strtoul(key, NULL, 10))
                                   : json_object_get(json, key);
    }
    return json;
}

static void show(struct play *p, struct span pointers)
{
    while (pointers.n) {
        struct span pointer = span_cut(pointers, ' ', &pointers);
        bool count = span_starts(pointer, SPAN("#"));
        const json_t *value = at(p->answer, count ? span_skip(pointer, 1) : pointer);
        char *text =
            value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9))
                  : NULL;

        buf_printf(&p->out, " %.*s=", SPAN_FMT(pointer));
        if (count)
            buf_printf(&p->out, "%zu", json_array_size(value));
        else
            buf_puts(&p->out, text ? text : "-");
        free(text);
    }
}

/* Every English or Japanese sentence of `text` on a line of its own. */
static void read_out(struct play *p, const char *language)
{
    const json_t *sentences = json_object_get(p->answer, "text");

    for (size_t i = 0; i < json_array_size(sentences); i++)
        buf_printf(&p->out, "\n%s",
                   json_string_value(json_object_get(json_array_get(sentences, i), language)));
}

/* ---- a case ---- */

static int find_tenant(struct store_tx *tx, void *arg, struct fault *f)
{
    struct play *p = arg;
    struct store_tenant tenant;
    int rc = store_tenant_find(tx, SPAN("main"), &tenant, f);

    p->caller = (struct api_caller){.who = API_TENANT, .id = tenant.id, .token = 2};
    return rc;
}

static int add_rows(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_attempts_add(tx, arg, 1, f);
}

/* OUTCOME from ADDRESS account NAME agent NAME times N, as the guard's thread writes it down for reports. */
static void record(struct play *p, struct span line)
{
    struct store_attempts row = {.first_ms = now().wall_ms,
                                 .last_ms = now().wall_ms,
                                 .count = 1,
                                 .switch_id = 1,
                                 .proof = PROOF_PROVED};
    struct span word = span_cut(line, ' ', &line);

    assert_true(outcome_from(word, &row.outcome));
    while (line.n) {
        struct span key = span_cut(line, ' ', &line), value = span_cut(line, ' ', &line);

        if (span_is(key, "from"))
            assert_int_equal(network_parse(value, &row.source, NULL), 0);
        else if (span_is(key, "account"))
            row.account = value;
        else if (span_is(key, "agent"))
            row.user_agent = value;
        else
            row.count = strtoul(value.p, NULL, 10);
    }
    assert_int_equal(store_evidence_wait(p->store, add_rows, &row, NULL), 0);
}

static void play_line(struct play *p, struct span line)
{
    struct span rest, word = span_cut(line, ' ', &rest);

    if (span_is(word, "GET") || span_is(word, "PUT") || span_is(word, "POST") ||
        span_is(word, "DELETE")) {
        request(p, line);
    } else if (span_is(word, "show")) {
        show(p, rest);
    } else if (span_is(word, "read")) {
        read_out(p, span_is(rest, "ja") ? "ja" : "en");
    } else if (span_is(word, "as") && span_is(rest, "tenant")) {
        assert_int_equal(store_read_wait(p->store, find_tenant, p, NULL), 0);
    } else if (span_is(word, "as")) {
        p->caller = (struct api_caller){.who = API_OPERATOR, .token = 1};
    } else if (span_is(word, "recorded")) {
        record(p, rest);
    } else if (span_is(word, "from")) {
        assert_int_equal(address_parse_ip(rest, &p->caller.from, NULL), 0);
    } else if (!scenario_line(&p->scenario, line)) {
        fail_msg("%s", p->scenario.trouble);
    }
}

static void begin(struct play *p)
{
    struct store_config config = {.dir = p->place.dir, .now = now};
    struct fault f;

    place_make(&p->place);
    assert_true(scenario_begin(&p->scenario));
    p->scenario.ignored = UINT32_MAX;
    if (store_open(&p->store, &config, NULL, &f))
        fail_msg("%s", f.text);
    p->services.store = p->store;
    p->caller = (struct api_caller){.who = API_OPERATOR, .token = 1};
    p->exempts[0] = (struct guard_room_exempt){.from = GUARD_EXEMPT_TRUNK, .name = "sip.example"};
    assert_int_equal(network_parse(SPAN("203.0.113.9"), &p->exempts[0].network, NULL), 0);
}

static void play(void **state)
{
    const struct test_case *c = *state;
    struct span lines = buf_span(&c->in);
    struct play *p = calloc(1, sizeof(*p));
    char *out;

    assert_non_null(p);
    now_playing = p;
    begin(p);
    while (lines.n) {
        struct span line = span_cut(lines, '\n', &lines);

        if (line.n)
            play_line(p, line);
    }
    buf_putc(&p->out, '\n');
    out = p->out.p;
    assert_string_equal(out, c->out.p);
    json_decref(p->answer);
    buf_free(&p->out);
    store_close(p->store);
    scenario_end(&p->scenario);
    place_remove(&p->place);
    free(p);
}

int main(int argc, char **argv)
{
    (void)argc;
    return cases_run(argv[1], play, NULL, 0);
}
