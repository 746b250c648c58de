/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_call_imports.h"

#include <inttypes.h>
#include <sodium.h>

#include "serve/api_common.h"
#include "serve/call_imports.h"

#define KNOWN_MAX 16

static bool from_hex(struct span text, unsigned char out[32])
{
    size_t n = 0;

    return text.n == 64 && sodium_hex2bin(out, 32, text.p, text.n, NULL, &n, NULL) == 0 && n == 32;
}

static json_t *hex_json(const unsigned char bytes[32])
{
    char text[65];

    return json_string(sodium_bin2hex(text, sizeof(text), bytes, 32));
}

static int find(struct api *api, struct call_import_session **out, struct fault *f)
{
    *out = call_imports_find(api->services->call_imports, api->params[0]);
    if (*out)
        return 0;
    return api_refuse(api, 404, f, ERR_MISSING,
                      "no such import is under way: begin it again, and it goes on where it was");
}

/* ---- beginning ------------------------------------------------------------------------------ */

static int take_known(void *arg, const struct calls_file *file)
{
    json_t *known = arg;

    json_array_append_new(known, json_pack("{s:I, s:o}", "position", (json_int_t)file->bytes,
                                           "digest", hex_json(file->hash)));
    return json_array_size(known) == KNOWN_MAX;
}

static int read_ask(struct api *api, struct call_import_ask *ask, unsigned char head[32],
                    struct fault *f)
{
    struct span hex = {NULL, 0};
    const struct field fields[] = {
        {.name = "switch", .kind = FIELD_NAME, .out = &ask->switch_name, .required = true},
        {.name = "format", .kind = FIELD_TEXT, .out = &ask->terms.format, .max = 20},
        {.name = "zone", .kind = FIELD_TEXT, .out = &ask->terms.zone, .max = 100},
        {.name = "payer", .kind = FIELD_TEXT, .out = &ask->terms.payer, .max = 100},
        {.name = "mapping",
         .kind = FIELD_BYTES,
         .out = &ask->terms.mapping,
         .max = CDR_MAPPING_BYTES_MAX},
        {.name = "name", .kind = FIELD_BYTES, .out = &ask->name, .max = 4096},
        {.name = "head", .kind = FIELD_TEXT, .out = &hex, .max = 64},
    };
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, sizeof(fields) / sizeof(*fields), f);
    if (!rc && hex.n && !from_hex(hex, head))
        rc = reader_refuse(&api->reader, "", "head", f, ERR_SYNTAX,
                           "head must be a BLAKE2b digest of 64 hexadecimal digits");
    ask->head = hex.n ? head : NULL;
    return rc;
}

int api_call_imports_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct call_imports *imports = api->services->call_imports;
    struct call_import_ask ask = {.head = NULL};
    struct call_import_session *s = NULL;
    unsigned char head[32];
    const char *wrong = "";
    int rc = read_ask(api, &ask, head, f);

    if (rc)
        return rc;
    rc = call_imports_begin(imports, &ask, &s, &wrong, f);
    if (rc == ERR_FULL) {
        api->status = 503;
        api->retry_after = 5;
    } else if (rc == ERR_RANGE || rc == ERR_MISSING || rc == ERR_SYNTAX) {
        api->status = 422;
        snprintf(api->reader.pointer, sizeof(api->reader.pointer), "/%s", wrong);
    }
    if (rc)
        return rc;
    json_t *known = json_array();
    rc = call_imports_known(imports, s, take_known, known, f);
    if (rc < 0) {
        json_decref(known);
        return rc;
    }
    return api_answer(api, 201,
                      json_pack("{s:s, s:b, s:o}", "id", s->id, "resumable",
                                (int)call_terms_resumable(s->terms), "known", known),
                      f);
}

/* ---- pieces --------------------------------------------------------------------------------- */

static json_t *errors_json(const struct call_import_fault *faults, size_t n)
{
    json_t *errors = json_array();

    for (size_t i = 0; i < n; i++) {
        char text[4 * sizeof(faults[i].text)];

        json_array_append_new(errors,
                              json_pack("{s:I, s:s}", "line", (json_int_t)faults[i].line, "detail",
                                        escape(span_of(faults[i].text), text, sizeof(text))));
    }
    return errors;
}

static json_t *figures_json(const struct call_import_session *s)
{
    const struct call_import_fault *faults;
    size_t n;
    struct call_import_figures figures = call_import_figures(s->import, &faults, &n);

    return json_pack("{s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "position",
                     (json_int_t)s->position, "ended", (int)s->ended, "rows",
                     (json_int_t)call_import_lines(s->import), "added", (json_int_t)figures.added,
                     "known", (json_int_t)figures.known, "bad", (json_int_t)figures.bad, "unowned",
                     (json_int_t)figures.unowned, "passed", (json_int_t)figures.passed, "doubtful",
                     (json_int_t)figures.doubtful, "first",
                     figures.first_ms ? api_time_ms(figures.first_ms) : json_null(), "last",
                     figures.last_ms ? api_time_ms(figures.last_ms) : json_null(), "errors",
                     errors_json(faults, n));
}

static int read_given(struct api *api, struct call_import_given *given, struct fault *f)
{
    const struct target_query *query = &api->target.query;
    struct span position = target_query_get(query, "position");
    struct span last = target_query_get(query, "last");
    uint64_t at = 0;

    if (!position.n || position.n > 18)
        return api_refuse_parameter(api, "position", f, "position must be a number of bytes");
    for (size_t i = 0; i < position.n; i++) {
        if (position.p[i] < '0' || position.p[i] > '9')
            return api_refuse_parameter(api, "position", f, "position must be a number of bytes");
        at = at * 10 + (uint64_t)(position.p[i] - '0');
    }
    if (!from_hex(target_query_get(query, "digest"), given->digest))
        return api_refuse_parameter(api, "digest", f,
                                    "digest must be the BLAKE2b digest of all before the position, "
                                    "64 hexadecimal digits");
    if (last.p && !span_is(last, "true") && !span_is(last, "false"))
        return api_refuse_parameter(api, "last", f, "last must be true or false");
    if (api->body.n > CALL_IMPORT_PIECE)
        return api_refuse(api, 413, f, ERR_RANGE, "a piece has at most %zu bytes",
                          CALL_IMPORT_PIECE);
    given->position = at;
    given->last = span_is(last, "true");
    given->bytes = buf_span(&api->body);
    return 0;
}

int api_call_import_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct call_import_session *s;
    struct call_import_given given;
    int rc = find(api, &s, f);

    if (!rc)
        rc = read_given(api, &given, f);
    if (!rc) {
        rc = call_imports_piece(api->services->call_imports, s, &given, api->now.wall_ms, f);
        if (rc == ERR_CONFLICT)
            api->status = 409;
        if (rc == ERR_MISSING)
            api->status = 422; /* the header of the file */
    }
    return rc ? rc : api_answer(api, 200, figures_json(s), f);
}

/* ---- the end -------------------------------------------------------------------------------- */

json_t *api_payers_json(const struct payers *p, const struct payers_top *top)
{
    json_t *names = json_array();

    for (size_t i = 0; top && i < top->n; i++)
        json_array_append_new(names,
                              json_pack("{s:o, s:I}", "name", api_text(span_of(top->items[i].name)),
                                        "calls", (json_int_t)top->items[i].calls));
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "at", api_time_ms(p->at_ms),
                     "calls", (json_int_t)p->calls, "stray_calls", (json_int_t)p->stray_calls,
                     "callers", (json_int_t)p->callers, "stray_callers",
                     (json_int_t)p->stray_callers, "accounts", (json_int_t)p->accounts, "silent",
                     (json_int_t)p->silent, "doubtful", (int)payers_doubtful(p), "strays", names);
}

int api_call_import_finish(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct call_import_session *s;
    struct span hex = {NULL, 0};
    const struct field fields[] = {{.name = "digest", .kind = FIELD_TEXT, .out = &hex, .max = 64}};
    unsigned char digest[32] = {0};
    struct payers payers;
    struct payers_top top;
    json_t *json;
    int rc = find(api, &s, f);

    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 1, f);
    if (!rc && !from_hex(hex, digest))
        rc = reader_refuse(&api->reader, "", "digest", f, ERR_SYNTAX,
                           "digest must be a BLAKE2b digest of 64 hexadecimal digits");
    if (rc)
        return rc;
    json_t *figures = figures_json(s);
    rc = call_imports_finish(api->services->call_imports, s, digest, api->now.wall_ms, &payers,
                             &top, f);
    if (rc) {
        json_decref(figures);
        return rc;
    }
    json_object_set_new(figures, "payers", api_payers_json(&payers, &top));
    return api_answer(api, 200, figures, f);
}
