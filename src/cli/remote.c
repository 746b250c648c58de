/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/remote.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define ANSWER_MAX (64u << 20)

void reply_free(struct reply *r)
{
    if (r)
        json_decref(r->json);
}

static const char *socket_path(const struct cli *cli)
{
    static const char *const places[] = {"/run/sekisho/sekisho.sock", "var/sekisho.sock"};
    const char *named = cli->socket ? cli->socket : getenv("SEKISHO_SOCKET");

    if (named && *named)
        return named;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        if (access(places[i], F_OK) == 0)
            return places[i];
    return places[0];
}

/* Where the bytes of an answer go. */
struct sink {
    CURL *curl;
    struct buf *body;
    FILE *file; /* NULL, or where they go when it is no refusal */
};

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
    struct sink *sink = arg;
    struct buf *b = sink->body;
    long status = 0;

    if (sink->file && curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
        status < 400)
        return fwrite(p, size, n, sink->file) * size;
    if (b->n + size * n > ANSWER_MAX)
        return 0;
    buf_add(b, (struct span){p, size * n});
    return b->failed ? 0 : size * n;
}

/* Adds "Authorization: Bearer TOKEN", the token being the first line of --token-file. */
static int add_token(const struct cli *cli, struct curl_slist **headers, struct fault *f)
{
    struct buf b = {0}, header = {0};
    struct span rest;
    int err = 0;

    if (!cli->token_file)
        return 0;
    err = file_read(cli->token_file, 4096, &b, f);
    if (!err) {
        struct span token = span_trim(span_cut(buf_span(&b), '\n', &rest));

        if (token.n && token.p[token.n - 1] == '\r')
            token.n--;
        for (size_t i = 0; i < token.n && !err; i++)
            if (token.p[i] <= ' ' || token.p[i] > '~')
                err = fault(f, ERR_SYNTAX, "%s does not hold a token in its first line",
                            cli->token_file);
        buf_puts(&header, "Authorization: Bearer ");
        buf_add(&header, token);
        struct curl_slist *grown = header.failed ? NULL : curl_slist_append(*headers, header.p);
        if (!err && !grown)
            err = fault_nomem(f);
        if (grown)
            *headers = grown;
    }
    buf_free(&header);
    buf_free(&b);
    return err;
}

static int code_of(int status)
{
    switch (status) {
    case 401:
    case 403: return ERR_DENIED;
    case 404: return ERR_MISSING;
    case 409: return ERR_EXISTS;
    case 412: return ERR_CONFLICT;
    case 503: return ERR_IO;
    default: return ERR_RANGE;
    }
}

const char *remote_words(struct span said, struct fault *out)
{
    char *to = out->text;

    escape(said, out->text, sizeof(out->text));
    /* The quotes were escaped for nothing. */
    for (const char *from = out->text; *from; from++)
        if (from[0] != '\\' || (from[1] != '"' && from[1] != '\\'))
            *to++ = *from;
        else
            *to++ = *++from;
    *to = '\0';
    return out->text;
}

/* Makes the sentence of a problem (RFC 9457): what was wrong, then where in what was sent. */
static int problem(const struct reply *r, struct fault *f)
{
    const json_t *errors = json_object_get(r->json, "errors"), *error;
    const char *detail = json_string_value(json_object_get(r->json, "detail"));
    const char *title = json_string_value(json_object_get(r->json, "title"));
    const char *pointer = json_string_value(json_object_get(r->json, "pointer"));
    const char *parameter = json_string_value(json_object_get(r->json, "parameter"));
    const char *where = pointer ? pointer : parameter;
    struct buf b = {0};
    size_t i;

    if (!detail)
        detail = title;
    if (!detail)
        return fault(f, code_of(r->status), "the daemon answered %d and no reason", r->status);
    buf_puts(&b, detail);
    if (where)
        buf_printf(&b, " (at %s)", where);
    json_array_foreach(errors, i, error)
    {
        const char *text = json_string_value(json_object_get(error, "detail"));

        buf_printf(&b, "%s line %d: %s", i ? ";" : ":",
                   (int)json_integer_value(json_object_get(error, "line")), text ? text : "?");
    }
    struct fault said;
    int err = fault(f, code_of(r->status), "%s", remote_words(buf_span(&b), &said));
    buf_free(&b);
    return err;
}

static int understand(struct reply *r, const struct buf *body, struct fault *f)
{
    json_error_t where;

    if (r->text && r->status < 400) {
        buf_add(r->text, buf_span(body));
        return r->text->failed ? fault_nomem(f) : 0;
    }
    if (body->n) {
        r->json = json_loadb(body->p, body->n, JSON_DECODE_ANY, &where);
        if (!r->json && r->status < 400)
            return fault(f, ERR_SYNTAX, "what answered is not Sekisho: its answer is no JSON");
    }
    if (r->status < 400)
        return 0;
    return problem(r, f);
}

static int unreachable(const struct cli *cli, CURL *curl, CURLcode why, const char *text,
                       struct fault *f)
{
    long number = 0;

    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
    if (cli->url)
        return fault(f, ERR_TIMEOUT, "no answer from %s: %s", cli->url,
                     *text ? text : curl_easy_strerror(why));
    /* libcurl's own words speak of a port, of which a Unix socket has none. */
    return fault(f, ERR_TIMEOUT,
                 "no answer from the daemon on %s (%s): is sekishod running? --socket or "
                 "SEKISHO_SOCKET says where else",
                 socket_path(cli),
                 why == CURLE_COULDNT_CONNECT && number ? strerror((int)number)
                                                        : curl_easy_strerror(why));
}

struct stream {
    const struct remote_body *body;
    int err;
    struct fault fault;
};

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
    struct stream *s = arg;
    int got = s->err ? s->err : s->body->read(s->body->arg, p, size * n, &s->fault);

    if (got < 0)
        s->err = got;
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

/* Runs a transfer with somebody looking on. */
static CURLcode drive(CURL *curl, struct stream *s)
{
    CURLM *multi = curl_multi_init();
    CURLcode code = CURLE_OK;
    CURLMsg *message;
    int running = 1, left;

    if (!multi || curl_multi_add_handle(multi, curl) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    while (!code && running) {
        if (curl_multi_perform(multi, &running) != CURLM_OK ||
            (running && curl_multi_poll(multi, NULL, 0, 100, NULL) != CURLM_OK))
            code = CURLE_OUT_OF_MEMORY;
        if (!code && !s->err)
            s->err = s->body->tick(s->body->arg, &s->fault);
        if (s->err)
            code = CURLE_ABORTED_BY_CALLBACK;
    }
    while (!code && (message = curl_multi_info_read(multi, &left)))
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    curl_multi_remove_handle(multi, curl);
    curl_multi_cleanup(multi);
    return code;
}

static int perform(CURL *curl, struct cli *cli, struct stream *stream, struct buf *body,
                   struct reply *r, struct fault *f)
{
    struct sink sink = {curl, body, r->file};
    char reason[CURL_ERROR_SIZE] = "";
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, stream ? 0L : 120000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (!cli->url)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path(cli));
    CURLcode code = stream ? drive(curl, stream) : curl_easy_perform(curl);
    if (body->failed)
        return fault_nomem(f);
    if (stream && stream->err) {
        *f = stream->fault;
        return stream->err;
    }
    if (code == CURLE_WRITE_ERROR && sink.file)
        return fault(f, ERR_IO, "what the daemon answers cannot be written: %m");
    if (code != CURLE_OK)
        return unreachable(cli, curl, code, reason, f);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int)status;
    return understand(r, body, f);
}

/* Either of `body` and `stream`, or none. */
static struct curl_slist *set_body(CURL *curl, struct curl_slist *headers, const char *type,
                                   struct span body, struct stream *stream)
{
    if (stream) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, stream);
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
        if (stream->body->size >= 0)
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)stream->body->size);
        else
            headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
    } else if (body.p) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    }
    return stream || body.p ? curl_slist_append(headers, type) : headers;
}

static int ask(struct cli *cli, const char *method, const char *path, const char *type,
               struct span body, struct stream *stream, struct reply *r, struct fault *f)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = NULL;
    struct buf url = {0}, answer = {0}, header = {0};
    int err = curl ? add_token(cli, &headers, f) : fault_nomem(f);

    buf_puts(&url, cli->url ? cli->url : "http://localhost");
    while (url.n && url.p[url.n - 1] == '/')
        url.p[--url.n] = '\0';
    buf_puts(&url, path);
    buf_printf(&header, "Content-Type: %s", type);
    if (!err && (url.failed || header.failed))
        err = fault_nomem(f);
    if (!err) {
        headers = set_body(curl, headers, header.p, body, stream);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
        curl_easy_setopt(curl, CURLOPT_URL, url.p);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        err = perform(curl, cli, stream, &answer, r, f);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    buf_free(&header);
    buf_free(&answer);
    buf_free(&url);
    return err;
}

int remote_text(struct cli *cli, const char *path, struct buf *out, struct fault *f)
{
    struct reply r = {.text = out};
    int err = ask(cli, "GET", path, "text/plain", (struct span){NULL, 0}, NULL, &r, f);

    reply_free(&r);
    return err;
}

int remote_save(struct cli *cli, const char *path, const json_t *body, FILE *out, struct fault *f)
{
    struct reply r = {.file = out};
    char *text = json_dumps(body, JSON_COMPACT);
    int err = text ? ask(cli, "POST", path, "application/json", span_of(text), NULL, &r, f)
                   : fault(f, ERR_SYNTAX, "what was given is not UTF-8");

    free(text);
    reply_free(&r);
    return err;
}

int remote_send(struct cli *cli, const char *method, const char *path, const char *type,
                struct span body, struct reply *out, struct fault *f)
{
    struct reply r = {0};
    int err = ask(cli, method, path, type, body, NULL, &r, f);

    if (!err && out)
        *out = r;
    else
        reply_free(&r);
    return err;
}

int remote_stream(struct cli *cli, const char *method, const char *path, const char *type,
                  const struct remote_body *body, struct reply *out, struct fault *f)
{
    struct stream stream = {.body = body};

    return ask(cli, method, path, type, (struct span){NULL, 0}, &stream, out, f);
}

int remote_try(struct cli *cli, const char *method, const char *path, const json_t *body,
               struct reply *out, struct fault *f)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    if (body && !text)
        return fault(f, ERR_SYNTAX, "what was given is not UTF-8");
    int err =
        ask(cli, method, path,
            strcmp(method, "PATCH") == 0 ? "application/merge-patch+json" : "application/json",
            span_of(text), NULL, out, f);
    free(text);
    return err;
}

int remote_call(struct cli *cli, const char *method, const char *path, const json_t *body,
                struct reply *out, struct fault *f)
{
    struct reply r = {0};
    int err = remote_try(cli, method, path, body, &r, f);

    if (!err && out)
        *out = r;
    else
        reply_free(&r);
    return err;
}

static int walk_page(const json_t *page, size_t *left,
                     int (*each)(const json_t *item, void *arg, struct fault *f), void *arg,
                     struct fault *f)
{
    const json_t *item;
    size_t i;
    int err = 0;

    json_array_foreach(json_object_get(page, "items"), i, item)
    {
        if (*left == 0)
            break;
        --*left;
        err = each(item, arg, f);
        if (err)
            break;
    }
    return err;
}

int remote_list(struct cli *cli, const char *path, size_t limit,
                int (*each)(const json_t *item, void *arg, struct fault *f), void *arg,
                struct fault *f)
{
    size_t left = limit ? limit : SIZE_MAX;
    char *cursor = NULL;
    bool more = true;
    int err = 0;

    while (more && !err && left) {
        struct buf page = {0};
        struct reply r = {0};
        char size[24];

        snprintf(size, sizeof(size), "%zu", left < 1000 ? left : 1000);
        buf_puts(&page, path);
        path_query(&page, "limit", size);
        path_query(&page, "cursor", cursor);
        free(cursor);
        cursor = NULL;
        err = page.failed ? fault_nomem(f) : remote_call(cli, "GET", page.p, NULL, &r, f);
        if (!err)
            err = walk_page(r.json, &left, each, arg, f);
        const char *next = json_string_value(json_object_get(r.json, "next"));
        more = next != NULL;
        if (next && !(cursor = strdup(next)) && !err)
            err = fault_nomem(f);
        reply_free(&r);
        buf_free(&page);
    }
    free(cursor);
    return err;
}

static void encode(struct buf *b, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (const char *c = text; *c; c++)
        if (strchr(plain, *c))
            buf_putc(b, *c);
        else
            buf_printf(b, "%%%02X", (unsigned)(unsigned char)*c);
}

void path_part(struct buf *b, const char *part)
{
    buf_putc(b, '/');
    encode(b, part);
}

void path_query(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(b, "%c%s=", b->n && memchr(b->p, '?', b->n) ? '&' : '?', name);
    encode(b, value);
}
