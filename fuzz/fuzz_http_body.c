/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "serve/api_accounts.h"
#include "serve/api_presets.h"
#include "serve/api_routes.h"
#include "serve/api_rules.h"
#include "serve/api_switches.h"
#include "serve/api_tenants.h"
#include "serve/http_head.h"
#include "serve/import_rows.h"
#include "serve/lines.h"
#include "serve/question.h"

/*
 * What strangers can put into a request. The first byte says what reads the rest; every refusal must be
 * a syntax or a range, with a sentence, and what is taken must keep to its bounds.
 */

static void promise_refusal(int rc, const struct reader *r, const struct fault *f)
{
    PROMISE(rc == ERR_SYNTAX || rc == ERR_RANGE);
    PROMISE(f->text[0] && !strchr(f->text, '\n'));
    PROMISE(memchr(r->pointer, 0, sizeof(r->pointer)));
}

static int read_account(struct reader *r, json_t *json, enum api_fields which, struct fault *f)
{
    struct store_account a = {.state = STORE_ACTIVE};
    int rc = api_account_read(r, "", json, which, &a, f);

    if (rc)
        return rc;
    PROMISE(!a.name.n || reader_is_account(a.name));
    PROMISE(a.note.n <= STORE_TEXT_MAX);
    PROMISE(!memchr(a.note.p ? a.note.p : "", '\n', a.note.n));
    PROMISE(a.state <= STORE_LOCKED);
    return 0;
}

static int read_switch(struct reader *r, json_t *json, enum api_fields which, struct fault *f)
{
    struct store_switch s = {.mode = STORE_ENFORCE};
    int rc = api_switch_read(r, json, which, &s, f);

    if (rc)
        return rc;
    PROMISE(s.mode == STORE_ENFORCE || s.mode == STORE_OBSERVE);
    PROMISE(s.n_addresses <= STORE_ADDRESSES_MAX && s.n_tenants <= STORE_REACH_MAX);
    for (size_t i = 0; i < s.n_tenants; i++)
        PROMISE(reader_is_name(s.tenants[i]));
    return 0;
}

static int read_tenant(struct reader *r, json_t *json, enum api_fields which, struct fault *f)
{
    struct store_tenant t = {0};
    int rc = api_tenant_read(r, json, which, &t, f);

    PROMISE(rc || span_is(t.language, "ja") || span_is(t.language, "en"));
    return rc;
}

static int read_preset(struct reader *r, json_t *json, enum api_fields which, struct fault *f)
{
    struct store_preset p = {0};
    int rc = api_preset_read(r, json, which, &p, f);

    for (size_t i = 0; !rc && i < p.n_rules; i++) {
        struct fault why;

        PROMISE(rule_check(&p.rules[i], &why) == 0);
    }
    return rc;
}

static int (*const readers[])(struct reader *r, json_t *json, enum api_fields which,
                              struct fault *f) = {read_account, read_switch, read_tenant,
                                                  read_preset};

static void json_body(unsigned which, struct span body)
{
    struct reader r = {0};
    json_t *json = NULL;
    struct fault f;
    int rc = reader_parse(&r, body, &json, &f);

    if (!rc)
        rc = readers[which % 4](&r, json, which / 4 % 3, &f);
    if (rc)
        promise_refusal(rc, &r, &f);
    json_decref(json);
    reader_free(&r);
}

/* What flat_read() takes is what a parser of JSON takes, and says the same. */
static void plain_is_json(struct span text, const char *const *names, const struct line *line)
{
    struct reader r = {0};
    struct fault f;
    json_t *json = NULL;
    size_t n = 0;

    PROMISE(reader_parse(&r, text, &json, &f) == 0 || strstr(f.text, "nested"));
    for (size_t i = 0; json && names[i]; i++) {
        const json_t *value = json_object_get(json, names[i]);

        PROMISE(!value == !line->cells[i].p);
        n += value != NULL;
        PROMISE(!value ||
                (json_string_length(value) == line->cells[i].n &&
                 memcmp(json_string_value(value), line->cells[i].p, line->cells[i].n) == 0));
    }
    PROMISE(!json || n == json_object_size(json));
    json_decref(json);
}

static bool same(struct span a, struct span b)
{
    return !a.p == !b.p && span_eq(a, b);
}

/* What is taken without a tree is what the tree says, and a question that the tree takes keeps to its bounds. */
static void question_body(struct span body)
{
    struct reader r = {0};
    struct question plain = {0}, tree = {0};
    struct fault f;
    json_t *json = NULL;
    bool taken = question_plain(body, &plain);
    int rc = reader_parse(&r, body, &json, &f);

    if (!rc)
        rc = question_tree(&r, json, &tree, &f);
    if (rc)
        promise_refusal(rc, &r, &f);
    PROMISE(!taken || rc == 0);
    if (taken) {
        PROMISE(same(plain.gate, tree.gate) && same(plain.account, tree.account));
        PROMISE(same(plain.number, tree.number) && same(plain.remote, tree.remote));
        PROMISE(!plain.dry_run && !tree.dry_run);
    }
    if (rc == 0) {
        PROMISE(!tree.gate.p || reader_is_name(tree.gate));
        PROMISE(tree.account.p && tree.account.n <= QUESTION_ACCOUNT_MAX);
        PROMISE(tree.number.p && tree.number.n <= QUESTION_NUMBER_MAX);
        PROMISE(tree.remote.n <= QUESTION_REMOTE_MAX);
    }
    json_decref(json);
    reader_free(&r);
}

static void question_pairs(char *text, size_t n)
{
    static struct target_query form;
    struct question q = {0};
    char parameter[64] = "";
    struct fault f;
    int rc = target_query_parse(&form, text, n, &f);

    if (!rc)
        rc = question_form(&form, &q, parameter, &f);
    PROMISE(rc == 0 || ((rc == ERR_SYNTAX || rc == ERR_RANGE) && f.text[0]));
    PROMISE(memchr(parameter, 0, sizeof(parameter)));
    PROMISE(rc || (q.account.p && q.account.n <= QUESTION_ACCOUNT_MAX && q.number.p &&
                   q.number.n <= QUESTION_NUMBER_MAX && q.remote.n <= QUESTION_REMOTE_MAX));
}

/* Every line is read once, whatever stands in those before it. */
static void line_body(bool csv, char *text, size_t n)
{
    static const char *const names[] = {"name", "switch", "tenant", "state", "note", NULL};
    struct reader r = {0};
    struct lines lines;
    struct line line;
    struct fault f;
    uint64_t before = 0;
    const char *from = text;
    int rc = lines_begin(&lines, text, n, csv, names, &f);

    if (rc) {
        promise_refusal(rc, &r, &f);
        return;
    }
    for (from = lines.at; (rc = lines_next(&lines, &r, &line, &f)) != 0; from = lines.at) {
        PROMISE(line.number > before && line.number <= n + 1);
        before = line.number;
        if (rc > 0 && line.json)
            rc = read_account(&r, line.json, FIELDS_NEW, &f);
        else if (rc > 0 && !csv)
            plain_is_json((struct span){from, (size_t)(lines.at - from)}, names, &line);
        if (rc < 0)
            promise_refusal(rc, &r, &f);
        json_decref(line.json);
    }
    PROMISE(lines.left == 0);
    reader_free(&r);
}

/* All the way to rows in memory. */
static void import_body(bool csv, char *text, size_t n)
{
    const struct import_options options = {.csv = csv};
    struct bulk *bulk = NULL;
    struct fault f = {0};

    PROMISE(bulk_new(&bulk, false, NULL, &f) == 0);
    int rc = import_rows(bulk, text, n, &options, &f);
    PROMISE(rc <= 0 && (rc == 0 || f.text[0]));
    for (size_t i = 1; i < bulk_faults(bulk)->n && i < STORE_IMPORT_FAULTS; i++)
        PROMISE(bulk_faults(bulk)->first[i - 1].line <= bulk_faults(bulk)->first[i].line);
    bulk_free(bulk);
}

static void inside(const char *text, size_t n, struct span s)
{
    PROMISE(s.n == 0 || (s.p >= text && s.p + s.n <= text + n));
    PROMISE(!memchr(s.p ? s.p : "", 0, s.n));
}

static void target(char *text, size_t n)
{
    struct api api = {0};
    struct fault f;

    if (target_parse(&api.target, text, n, &f) == 0) {
        for (size_t i = 0; i < api.target.n; i++)
            inside(text, n, api.target.segments[i]);
        for (size_t i = 0; i < api.target.query.n; i++) {
            inside(text, n, api.target.query.pairs[i].key);
            inside(text, n, api.target.query.pairs[i].value);
        }
        if (api_route(&api, "GET", &f) == 0)
            api_check_query(&api, &f);
        else
            PROMISE(api.status == 404 || api.status == 405);
    }
    api_free(&api);
}

/* A Host that is taken is the configured one, whatever case and port. */
static void header(const char *text, size_t n)
{
    struct span s = {text, n};
    struct address address = {.family = 4, .ip = {192, 0, 2, 1}, .port = 8470};
    enum api_media media;

    if (head_host_allowed(s, SPAN("sekisho.example, [::1]"), &address, 1))
        PROMISE((n >= 15 && strncasecmp(text, "sekisho.example", 15) == 0) ||
                (n >= 5 && memcmp(text, "[::1]", 5) == 0) || span_is(s, "192.0.2.1:8470"));
    head_media(s, &media);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    /* An allocation of its own size, so that a sanitizer sees every byte too many. */
    text = malloc(size > 1 ? size - 1 : 1);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    switch (data[0]) {
    case 'l': line_body(false, text, size - 1); break;
    case 'i': import_body(false, text, size - 1); break;
    case 'v': import_body(true, text, size - 1); break;
    case 'c': line_body(true, text, size - 1); break;
    case 't': target(text, size - 1); break;
    case 'q': question_body((struct span){text, size - 1}); break;
    case 'f': question_pairs(text, size - 1); break;
    case 'h': header(text, size - 1); break;
    default: json_body(data[0], (struct span){text, size - 1}); break;
    }
    free(text);
    return 0;
}
