/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "cases.h"
#include "serve/api_accounts.h"
#include "serve/api_presets.h"
#include "serve/api_routes.h"
#include "serve/api_rules.h"
#include "serve/api_switches.h"
#include "serve/api_tenants.h"

/* ---- bodies ---- */

static void show(struct buf *out, const char *name, struct span value)
{
    if (out->n && out->p[out->n - 1] != '\n')
        buf_putc(out, ' ');
    buf_printf(out, "%s=%.*s", name, SPAN_FMT(value));
}

static void show_list(struct buf *out, const char *name, const struct span *list, size_t n)
{
    show(out, name, (struct span){"", 0});
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%.*s", i ? "," : "", SPAN_FMT(list[i]));
}

static void show_rules(struct buf *out, const struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (out->n && out->p[out->n - 1] != '\n')
            buf_putc(out, '\n');
        buf_printf(out, "%s %.*s", rule_action_name(rules[i].action), SPAN_FMT(rules[i].prefix));
        if (rules[i].until)
            buf_printf(out, " until %" PRId64, rules[i].until);
        if (rules[i].schedule.n)
            buf_printf(out, " in %.*s", SPAN_FMT(rules[i].schedule));
        if (rules[i].mandatory)
            buf_puts(out, " mandatory");
    }
}

static int read_account(struct reader *r, json_t *json, enum api_fields which, struct buf *out,
                        struct fault *f)
{
    struct store_account a = {0};
    int rc = api_account_read(r, "", json, which, &a, f);

    if (rc)
        return rc;
    show(out, "name", a.name);
    show(out, "switch", a.switch_name);
    show(out, "tenant", a.tenant);
    show(out, "state", span_of(store_state_name(a.state)));
    show(out, "note", a.note);
    return 0;
}

static int read_switch(struct reader *r, json_t *json, enum api_fields which, struct buf *out,
                       struct fault *f)
{
    struct store_switch s = {.mode = STORE_ENFORCE, .unknown = STORE_DENY};
    int rc = api_switch_read(r, json, which, &s, f);

    if (rc)
        return rc;
    show(out, "name", s.name);
    show(out, "plan", s.plan);
    show(out, "mode", span_of(store_mode_name(s.mode)));
    show(out, "unknown", span_of(store_unknown_name(s.unknown)));
    show(out, "form", span_of(store_form_name(s.form)));
    show(out, "adopt", s.adopt_tenant);
    show_list(out, "addresses", s.addresses, s.n_addresses);
    show_list(out, "tenants", s.tenants, s.n_tenants);
    return 0;
}

static int read_tenant(struct reader *r, json_t *json, enum api_fields which, struct buf *out,
                       struct fault *f)
{
    struct store_tenant t = {0};
    int rc = api_tenant_read(r, json, which, &t, f);

    if (rc)
        return rc;
    show(out, "name", t.name);
    show(out, "title", t.title);
    show(out, "parent", t.parent);
    show(out, "mode", span_of(store_mode_name(t.mode)));
    show(out, "preset", t.preset);
    show(out, "language", t.language);
    show(out, "area", t.area);
    return 0;
}

static int read_preset(struct reader *r, json_t *json, enum api_fields which, struct buf *out,
                       struct fault *f)
{
    struct store_preset p = {0};
    int rc = api_preset_read(r, json, which, &p, f);

    if (rc)
        return rc;
    show(out, "name", p.name);
    show(out, "title", p.title);
    show_rules(out, p.rules, p.n_rules);
    return 0;
}

static int read_rules(struct reader *r, json_t *json, enum api_fields which, struct buf *out,
                      struct fault *f)
{
    json_t *array = NULL;
    const struct field field = {
        .name = "items", .kind = FIELD_ARRAY, .out = &array, .required = true, .max = 1000};
    const struct rule *rules;
    size_t n;
    int rc = reader_fields(r, "", json, &field, 1, f);

    if (!rc)
        rc = api_rules_read(r, "/items", array, &rules, &n, f);
    if (!rc)
        show_rules(out, rules, n);
    return rc;
}

static const struct {
    const char *name;
    int (*read)(struct reader *r, json_t *json, enum api_fields which, struct buf *out,
                struct fault *f);
    enum api_fields which;
} readers[] = {
    {"account new", read_account, FIELDS_NEW},
    {"account put", read_account, FIELDS_PUT},
    {"account patch", read_account, FIELDS_PATCH},
    {"switch new", read_switch, FIELDS_NEW},
    {"switch put", read_switch, FIELDS_PUT},
    {"switch patch", read_switch, FIELDS_PATCH},
    {"tenant new", read_tenant, FIELDS_NEW},
    {"tenant put", read_tenant, FIELDS_PUT},
    {"tenant patch", read_tenant, FIELDS_PATCH},
    {"preset new", read_preset, FIELDS_NEW},
    {"preset put", read_preset, FIELDS_PUT},
    {"preset patch", read_preset, FIELDS_PATCH},
    {"rules", read_rules, FIELDS_PUT},
};

static void read_body(struct span which, struct span body, struct buf *out)
{
    struct reader r = {0};
    json_t *json = NULL;
    struct fault f;
    size_t i = 0;
    int rc = reader_parse(&r, body, &json, &f);

    while (!span_is(which, readers[i].name)) {
        i++;
        assert_true(i < sizeof(readers) / sizeof(readers[0]));
    }
    if (!rc)
        rc = readers[i].read(&r, json, readers[i].which, out, &f);
    if (rc) {
        assert_true(rc == ERR_SYNTAX || rc == ERR_RANGE);
        buf_clear(out);
        buf_printf(out, "%s%s%s", r.pointer, r.pointer[0] ? " " : "", f.text);
    }
    buf_putc(out, '\n');
    json_decref(json);
    reader_free(&r);
}

/* Where a case gives a pointer alone, the sentence is another room's. */
static void body_case(void **state)
{
    struct test_case *c = *state;
    struct span body;
    struct span which = span_cut(buf_span(&c->in), '\n', &body);
    struct buf out = {0};

    if (body.n)
        body.n--;
    read_body(which, body, &out);
    if (c->out.p[0] == '/' && !strchr(c->out.p, ' ')) {
        char *space = strchr(out.p, ' ');

        assert_non_null(space);
        memcpy(space, "\n", 2);
    }
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
}

/* ---- routes ---- */

static void give_target(struct api *api, const char *text, char *copy, size_t size)
{
    struct fault f;

    snprintf(copy, size, "%s", text);
    assert_int_equal(target_parse(&api->target, copy, strlen(copy), &f), 0);
}

static const char *route(struct api *api, const char *method, const char *text)
{
    static char copy[200];
    struct fault f;

    *api = (struct api){0};
    give_target(api, text, copy, sizeof(copy));
    return api_route(api, method, &f) == 0 ? api->route->pattern : NULL;
}

static void finds_each_route(void **state)
{
    struct api api;

    for (size_t i = 0; i < api_routes_n; i++) {
        const char *pattern = route(&api, api_routes[i].method, api_routes[i].pattern);

        assert_non_null(pattern);
        assert_string_equal(pattern, api_routes[i].pattern);
        assert_string_equal(api.route->method, api_routes[i].method);
    }
}

static void each_route_is_there_once(void **state)
{
    for (size_t i = 0; i < api_routes_n; i++) {
        for (size_t j = 0; j < i; j++)
            assert_false(strcmp(api_routes[i].method, api_routes[j].method) == 0 &&
                         strcmp(api_routes[i].pattern, api_routes[j].pattern) == 0);
    }
}

static void gives_the_parts_of_the_path(void **state)
{
    struct api api;

    assert_string_equal(route(&api, "PUT", "/v1/accounts/12/rules/except/%2B81"),
                        "/v1/accounts/{id}/rules/{action}/{prefix}");
    assert_true(span_is(api.params[0], "12"));
    assert_true(span_is(api.params[1], "except"));
    assert_true(span_is(api.params[2], "+81"));
}

static void a_word_goes_before_a_part(void **state)
{
    struct api api;

    assert_string_equal(route(&api, "POST", "/v1/accounts/import"), "/v1/accounts/import");
}

static void head_is_get(void **state)
{
    struct api api;

    assert_string_equal(route(&api, "HEAD", "/healthz"), "/healthz");
}

static void tells_the_methods_of_a_path(void **state)
{
    struct api api;

    assert_null(route(&api, "TRACE", "/v1/accounts/12"));
    assert_int_equal(api.status, 405);
    assert_string_equal(api.allow, "GET, HEAD, PATCH, DELETE");
    assert_null(route(&api, "OPTIONS", "/v1/backup"));
    assert_string_equal(api.allow, "POST");
}

static void knows_no_other_path(void **state)
{
    static const char *const paths[] = {"/",
                                        "/v1",
                                        "/v2/accounts",
                                        "/v1/accounts/",
                                        "/v1//accounts",
                                        "/V1/accounts",
                                        "/v1/accounts/12/",
                                        "/v1/accounts/12/rules/restrict",
                                        "/v1/operator/rules//010",
                                        "/v1/tenants/main/rules/restrict/",
                                        "/v1/accounts%2F12",
                                        "/healthz/",
                                        "/v1/../healthz"};
    struct api api;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_null(route(&api, "GET", paths[i]));
        assert_int_equal(api.status, 404);
    }
}

static int query(struct api *api, const char *text)
{
    struct fault f;

    assert_non_null(route(api, "GET", text));
    return api_check_query(api, &f);
}

static void takes_the_parameters_of_the_route_only(void **state)
{
    struct api api;

    assert_int_equal(query(&api, "/v1/accounts?limit=5&q=x"), 0);
    assert_int_equal(query(&api, "/v1/complement?root=010&allow=0101&allow=0102"), 0);
    assert_int_equal(query(&api, "/v1/accounts?limits=5"), ERR_RANGE);
    assert_int_equal(api.status, 422);
    assert_string_equal(api.parameter, "limits");
    assert_int_equal(query(&api, "/v1/accounts?limit=5&limit=6"), ERR_RANGE);
    assert_int_equal(query(&api, "/v1/accounts?=5"), ERR_RANGE);
    assert_int_equal(query(&api, "/v1/accounts?limit%20cursor=5"), ERR_RANGE);
    assert_int_equal(query(&api, "/healthz?x=1"), ERR_RANGE);
}

/* ---- conditions ---- */

static int condition(const char *match, const char *none, bool exists, int64_t change)
{
    struct api api = {.if_match = span_of(match), .if_none_match = span_of(none)};
    struct fault f;
    int rc = api_precondition(&api, exists, change, &f);

    assert_int_equal(api.status, rc ? 412 : 0);
    return rc;
}

static void compares_entity_tags(void **state)
{
    assert_int_equal(condition(NULL, NULL, true, 7), 0);
    assert_int_equal(condition("\"7\"", NULL, true, 7), 0);
    assert_int_equal(condition("\"6\"", NULL, true, 7), ERR_CONFLICT);
    assert_int_equal(condition("7", NULL, true, 7), ERR_CONFLICT);
    assert_int_equal(condition("\"5\" , \"7\"", NULL, true, 7), 0);
    assert_int_equal(condition("*", NULL, true, 7), 0);
    assert_int_equal(condition("*", NULL, false, 0), ERR_CONFLICT);
    assert_int_equal(condition("", NULL, true, 7), ERR_CONFLICT);
    assert_int_equal(condition(NULL, "*", false, 0), 0);
    assert_int_equal(condition(NULL, "*", true, 7), ERR_CONFLICT);
    assert_int_equal(condition(NULL, "W/\"7\"", true, 7), ERR_CONFLICT);
    assert_int_equal(condition(NULL, "\"6\"", true, 7), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(finds_each_route),
        cmocka_unit_test(each_route_is_there_once),
        cmocka_unit_test(gives_the_parts_of_the_path),
        cmocka_unit_test(a_word_goes_before_a_part),
        cmocka_unit_test(head_is_get),
        cmocka_unit_test(tells_the_methods_of_a_path),
        cmocka_unit_test(knows_no_other_path),
        cmocka_unit_test(takes_the_parameters_of_the_route_only),
        cmocka_unit_test(compares_entity_tags),
    };

    assert_int_equal(argc, 2);
    return cases_run(argv[1], body_case, fixed, sizeof(fixed) / sizeof(fixed[0]));
}
