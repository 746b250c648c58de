/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void api_free(struct api *api)
{
    json_decref(api->json);
    json_decref(api->errors);
    json_decref(api->harms);
    api->json = NULL;
    api->errors = NULL;
    api->harms = NULL;
    if (api->file)
        fclose(api->file);
    api->file = NULL;
    reader_free(&api->reader);
    buf_free(&api->body);
    buf_free(&api->out);
}

static int add_to_buf(const char *bytes, size_t n, void *out)
{
    buf_add(out, (struct span){bytes, n});
    return 0;
}

static int render(struct api *api, const json_t *body, struct fault *f)
{
    buf_clear(&api->out);
    if (json_dump_callback(body, add_to_buf, &api->out, JSON_COMPACT | JSON_REAL_PRECISION(9)) ||
        api->out.failed)
        return fault_nomem(f);
    buf_putc(&api->out, '\n');
    return api->out.failed ? fault_nomem(f) : 0;
}

int api_answer(struct api *api, unsigned status, json_t *body, struct fault *f)
{
    int rc = body ? render(api, body, f) : fault_nomem(f);

    json_decref(body);
    if (!rc)
        api->status = status;
    return rc;
}

int api_answer_empty(struct api *api, unsigned status)
{
    buf_clear(&api->out);
    api->status = status;
    return 0;
}

/* Is `change` among the entity tags of an If-Match or If-None-Match? A weak tag of If-None-Match
 * compares like a strong one (RFC 9110 section 13.1.2). */
static bool tag_listed(struct span list, int64_t change)
{
    char tag[32];

    snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", change);
    while (list.n) {
        struct span one = span_trim(span_cut(list, ',', &list));

        if (span_starts(one, SPAN("W/")))
            one = span_skip(one, 2);
        if (span_is(one, tag))
            return true;
    }
    return false;
}

int api_answer_tagged(struct api *api, unsigned status, int64_t change, json_t *body,
                      struct fault *f)
{
    bool get = strcmp(api->route->method, "GET") == 0;
    struct span none = span_trim(api->if_none_match);

    snprintf(api->etag, sizeof(api->etag), "\"%" PRId64 "\"", change);
    if (get && none.p && (span_is(none, "*") || tag_listed(none, change))) {
        json_decref(body);
        return api_answer_empty(api, 304);
    }
    return api_answer(api, status, body, f);
}

int api_precondition(struct api *api, bool exists, int64_t change, struct fault *f)
{
    struct span match = span_trim(api->if_match);
    struct span none = span_trim(api->if_none_match);

    if (match.p && (!exists || (!span_is(match, "*") && !tag_listed(match, change)))) {
        if (!exists)
            return api_refuse(api, 412, f, ERR_CONFLICT,
                              "it does not exist, and If-Match wants it to");
        snprintf(api->etag, sizeof(api->etag), "\"%" PRId64 "\"", change);
        return api_refuse(api, 412, f, ERR_CONFLICT,
                          "it was changed meanwhile: its ETag is \"%" PRId64 "\", not %s", change,
                          ESCAPED(match));
    }
    if (none.p && exists && (span_is(none, "*") || tag_listed(none, change)))
        return api_refuse(api, 412, f, ERR_CONFLICT,
                          "it exists already, and If-None-Match wants it not to");
    return 0;
}

int api_refuse(struct api *api, unsigned status, struct fault *f, int code, const char *format, ...)
{
    char text[FAULT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    api->status = status;
    return fault(f, code, "%s", text);
}

int api_refuse_parameter(struct api *api, const char *parameter, struct fault *f,
                         const char *format, ...)
{
    char text[FAULT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(api->parameter, sizeof(api->parameter), "%s", parameter);
    api->status = 422;
    return fault(f, ERR_RANGE, "%s", text);
}

static unsigned status_of(int code)
{
    switch ((enum error)code) {
    case ERR_SYNTAX:
    case ERR_RANGE:
    case ERR_MISSING:
    case ERR_DENIED: return 422;
    case ERR_EXISTS:
    case ERR_CONFLICT: return 409;
    case ERR_NOMEM:
    case ERR_IO:
    case ERR_FULL:
    case ERR_TIMEOUT: return 503;
    case ERR_CORRUPT: return 500;
    }
    return 500;
}

struct kind {
    unsigned status;
    const char *slug, *title;
};

static const struct kind kinds[] = {
    {400, "malformed", "Malformed request"},
    {401, "unauthorized", "No token, or not one that is valid here"},
    {403, "forbidden", "Not within the rights of this token"},
    {404, "not-found", "Not found"},
    {405, "method", "This method is not for this resource"},
    {409, "conflict", "Conflict"},
    {412, "precondition-failed", "Precondition failed"},
    {413, "too-large", "Body too large"},
    {415, "media-type", "Content-Type not taken here"},
    {421, "host", "Host not configured"},
    {422, "invalid", "Not allowed"},
    {429, "too-many-requests", "Too many requests"},
    {500, "internal", "Sekisho is at fault"},
    {503, "unavailable", "Cannot be done now"},
};

static const struct kind *kind_of(unsigned status)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].status == status)
            return &kinds[i];
    }
    return &kinds[12];
}

static json_t *problem_json(const struct api *api, const struct kind *kind, const char *detail)
{
    char type[64];
    json_t *json;

    snprintf(type, sizeof(type), "urn:sekisho:problem:%s", kind->slug);
    json = json_pack("{s:s, s:s, s:i, s:s}", "type", type, "title", kind->title, "status",
                     (int)kind->status, "detail", detail);
    if (json && api->reader.pointer[0])
        json_object_set_new(json, "pointer", json_string(api->reader.pointer));
    if (json && api->parameter[0])
        json_object_set_new(json, "parameter", json_string(api->parameter));
    if (json && api->errors) {
        json_object_set(json, "errors", api->errors);
        json_object_set_new(json, "errors_total", json_integer((json_int_t)api->errors_n));
    }
    if (json && api->harms && kind->status == 409)
        json_object_set(json, "consent", api->harms);
    return json;
}

void api_problem(struct api *api, unsigned status, const struct fault *f)
{
    const struct kind *kind = kind_of(status ? status : status_of(f->code));
    json_t *json = problem_json(api, kind, f->text);
    struct fault ignored;

    api->status = kind->status;
    api->problem = true;
    api->location[0] = 0;
    if (kind->status != 412)
        api->etag[0] = 0;
    if (kind->status == 503 && !api->retry_after)
        api->retry_after = 1;
    if (!json || render(api, json, &ignored)) {
        api->status = 503;
        buf_clear(&api->out);
    }
    json_decref(json);
}
