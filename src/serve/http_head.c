/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/http_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "serve/api_routes.h"

/* ---- fields of the header ---- */

struct fields {
    struct span host, authorization, content_type, content_length, transfer_encoding, if_match,
        if_none_match;
    const char *twice; /* one of them that stands twice */
};

static enum MHD_Result take(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct fields *h = arg;
    const struct {
        const char *name;
        struct span *out;
    } known[] = {
        {"Host", &h->host},
        {"Authorization", &h->authorization},
        {"Content-Type", &h->content_type},
        {"Content-Length", &h->content_length},
        {"Transfer-Encoding", &h->transfer_encoding},
        {"If-Match", &h->if_match},
        {"If-None-Match", &h->if_none_match},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (((name[0] ^ known[i].name[0]) & ~0x20) || strcasecmp(name, known[i].name) != 0)
            continue;
        if (known[i].out->p)
            h->twice = known[i].name;
        *known[i].out = value ? span_of(value) : (struct span){"", 0};
    }
    return MHD_YES;
}

/* ---- Host ---- */

/* "host:port" in two; without a port it is 80. An IPv6 address keeps its brackets. */
static struct span cut_port(struct span host, struct span *port)
{
    size_t n = host.n;

    *port = SPAN("80");
    while (n && host.p[n - 1] >= '0' && host.p[n - 1] <= '9')
        n--;
    if (!n || n == host.n || host.p[n - 1] != ':')
        return host;
    *port = span_skip(host, n);
    return (struct span){host.p, n - 1};
}

static bool is_listened_on(struct span name, struct span port, const struct address *address)
{
    struct address bare = *address;
    char text[ADDRESS_TEXT_MAX];
    char bracketed[ADDRESS_TEXT_MAX + 2];
    char number[8];

    bare.port = 0;
    snprintf(number, sizeof(number), "%u", address->port);
    if (!span_is(port, number))
        return false;
    if (address_is_loopback(address) && span_eq_nocase(name, SPAN("localhost")))
        return true;
    address_ip_text(&bare, text);
    snprintf(bracketed, sizeof(bracketed), address->family == 6 ? "[%s]" : "%s", text);
    return span_eq_nocase(name, span_of(bracketed));
}

bool head_host_allowed(struct span host, struct span hosts, const struct address *addresses,
                       size_t n)
{
    struct span port;
    struct span name = cut_port(host, &port);

    if (!name.n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (is_listened_on(name, port, &addresses[i]))
            return true;
    }
    while (hosts.n) {
        struct span one = span_trim(span_cut(hosts, ',', &hosts));

        /* An entry without a port stands for every port: a proxy may stand in front. */
        if (one.n && (span_eq_nocase(one, host) || span_eq_nocase(one, name)))
            return true;
    }
    return false;
}

static int check_host(struct request *r, const struct fields *h, struct fault *f)
{
    struct http *http = r->http;
    struct span host = span_trim(h->host);

    if (r->connection->local || (host.n && span_is(host, http->good_host)))
        return 0;
    if (head_host_allowed(host, span_of(http->hosts), http->addresses, http->n_tcp)) {
        if (host.n < sizeof(http->good_host)) {
            memcpy(http->good_host, host.p, host.n);
            http->good_host[host.n] = 0;
        }
        return 0;
    }
    return api_refuse(&r->api, 421, f, ERR_DENIED, "Host \"%s\" is not configured (http.hosts)",
                      ESCAPED(h->host));
}

/* ---- who asks ---- */

static enum api_who who_of(enum store_scope scope)
{
    switch (scope) {
    case SCOPE_OPERATOR: return API_OPERATOR;
    case SCOPE_TENANT: return API_TENANT;
    case SCOPE_SWITCH: return API_SWITCH;
    case SCOPE_PRESET:
    case SCOPE_ACCOUNT: break;
    }
    return 0;
}

static int refuse_token(struct request *r, const char *why, struct fault *f)
{
    struct http *http = r->http;
    char address[ADDRESS_TEXT_MAX] = "local";
    unsigned wait = penalties_wrong(http->penalties, &r->connection->from, r->api.now.boot_ns);

    http->figures.wrong_tokens++;
    if (!r->connection->local)
        address_ip_text(&r->connection->from, address);
    if (wait) {
        r->api.retry_after = wait;
        return api_refuse(&r->api, 429, f, ERR_DENIED, "too many wrong tokens from this address");
    }
    log_warning("http-token-refused", LOG_TEXT("address", address), LOG_TEXT("why", why));
    return api_refuse(&r->api, 401, f, ERR_DENIED, "%s", why);
}

static int authenticate(struct request *r, const struct fields *h, struct fault *f)
{
    struct api_caller *caller = &r->api.caller;
    struct span rest;
    struct span scheme = span_cut(span_trim(h->authorization), ' ', &rest);
    struct store_pass pass;
    struct fault why;

    caller->local = r->connection->local;
    caller->from = r->connection->from;
    caller->uid = r->connection->uid;
    if (!h->authorization.p && caller->local && (caller->uid == 0 || caller->uid == geteuid())) {
        caller->who = API_OPERATOR;
        return 0;
    }
    if (!h->authorization.p)
        return refuse_token(r, "a token is needed: Authorization: Bearer TOKEN", f);
    if (!span_eq_nocase(scheme, SPAN("Bearer")))
        return refuse_token(r, "Authorization must be Bearer TOKEN", f);
    if (store_token_verify(r->http->services.store, span_trim(rest), instant_wall_s(r->api.now),
                           &pass, &why))
        return refuse_token(r, why.text, f);
    caller->who = who_of(pass.scope.scope);
    caller->id = pass.scope.id;
    caller->token = pass.token;
    return 0;
}

static int check_scope(struct request *r, struct fault *f)
{
    if (r->api.route->who & r->api.caller.who)
        return 0;
    if (r->api.caller.who == API_SWITCH)
        return api_refuse(&r->api, 403, f, ERR_DENIED,
                          "a switch's token is for POST /v1/authorize only");
    return api_refuse(&r->api, 403, f, ERR_DENIED, "only the operator may do this");
}

/* ---- body ---- */

bool head_media(struct span text, enum api_media *out)
{
    static const struct {
        const char *name;
        enum api_media media;
    } known[] = {
        {"application/json", MEDIA_JSON},
        {"application/merge-patch+json", MEDIA_PATCH},
        {"application/x-www-form-urlencoded", MEDIA_FORM},
        {"application/x-ndjson", MEDIA_NDJSON},
        {"text/csv", MEDIA_CSV},
    };
    struct span parameters;
    struct span name = span_trim(span_cut(text, ';', &parameters));
    struct span value;
    struct span key = span_trim(span_cut(parameters, '=', &value));

    value = span_trim(value);
    if (value.n > 1 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = (struct span){value.p + 1, value.n - 2};
    if (parameters.n && span_eq_nocase(key, SPAN("charset")) &&
        !span_eq_nocase(value, SPAN("utf-8")))
        return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (span_eq_nocase(name, span_of(known[i].name))) {
            *out = known[i].media;
            return true;
        }
    }
    return false;
}

static bool media_fits(enum api_body body, enum api_media media)
{
    switch (body) {
    case API_NO_BODY: return media == MEDIA_NONE;
    case API_JSON:
    case API_JSON_OPTIONAL: return media == MEDIA_JSON;
    case API_PATCH: return media == MEDIA_JSON || media == MEDIA_PATCH;
    case API_QUESTION: return media == MEDIA_JSON || media == MEDIA_FORM;
    case API_IMPORT: return media == MEDIA_NDJSON || media == MEDIA_CSV;
    }
    return false;
}

static const char *media_words(enum api_body body)
{
    switch (body) {
    case API_NO_BODY: return "no body";
    case API_JSON:
    case API_JSON_OPTIONAL: return "application/json";
    case API_PATCH: return "application/merge-patch+json or application/json";
    case API_QUESTION: return "application/json or application/x-www-form-urlencoded";
    case API_IMPORT: return "application/x-ndjson or text/csv";
    }
    return "";
}

static int check_body(struct request *r, const struct fields *h, struct fault *f)
{
    struct api *api = &r->api;
    enum api_body body = api->route->body;
    bool empty =
        !h->transfer_encoding.p && (!h->content_length.p || span_is(h->content_length, "0"));
    char length[20] = "";

    if (empty && (body == API_NO_BODY || body == API_JSON_OPTIONAL))
        return 0;
    if (body == API_NO_BODY)
        return api_refuse(api, 400, f, ERR_RANGE, "this takes no body");
    if (!h->content_type.p || !head_media(h->content_type, &api->media) ||
        !media_fits(body, api->media))
        return api_refuse(api, 415, f, ERR_RANGE,
                          "Content-Type \"%s\" is not taken here; allowed is %s",
                          ESCAPED(h->content_type), media_words(body));
    r->body_max = body == API_IMPORT ? r->http->options.import_max : r->http->options.body_max;
    if (h->content_length.n && h->content_length.n < sizeof(length))
        memcpy(length, h->content_length.p, h->content_length.n);
    if (h->content_length.n >= sizeof(length) || strtoull(length, NULL, 10) > r->body_max)
        return api_refuse(api, 413, f, ERR_RANGE, "the body has more than %zu bytes", r->body_max);
    return 0;
}

static int check_target(struct request *r, const char *method, struct fault *f)
{
    int rc = target_parse(&r->api.target, r->target, r->target_n, f);

    if (rc)
        return api_refuse(&r->api, rc == ERR_MISSING ? 404 : 400, f, rc, "%s",
                          rc == ERR_MISSING ? "there is no such path" : f->text);
    return api_route(&r->api, method, f);
}

int head_check(struct request *r, const char *method, struct fault *f)
{
    struct fields h = {0};
    int rc;

    if (!r->connection)
        return fault(f, ERR_IO, "the connection is not known");
    MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, take, &h);
    if (h.twice)
        return api_refuse(&r->api, 400, f, ERR_SYNTAX, "the header has %s twice", h.twice);
    r->api.if_match = h.if_match;
    r->api.if_none_match = h.if_none_match;
    rc = check_host(r, &h, f);
    if (!rc)
        rc = authenticate(r, &h, f);
    if (!rc)
        rc = check_target(r, method, f);
    if (!rc)
        rc = check_scope(r, f);
    if (!rc)
        rc = api_check_query(&r->api, f);
    if (!rc)
        rc = check_body(r, &h, f);
    return rc;
}
