/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/http_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/api_routes.h"
#include "serve/calls_room.h"
#include "serve/guard_desk.h"
#include "serve/http_head.h"
#include "serve/metrics.h"

#define NS INT64_C(1000000000)
#define IMPORT_BYTES_PER_S                                                                         \
    65536 /* an import may last as long as its bytes come this fast; a file likewise */

/* What http.c keeps of the connection. */
static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void *request_new(void *arg, const char *target, struct MHD_Connection *mhd)
{
    struct http *http = arg;
    size_t n = strlen(target);
    struct request *r = malloc(sizeof(*r) + n + 1);

    if (!r)
        return NULL;
    memset(r, 0, offsetof(struct request, fault));
    memset(&r->api, 0, offsetof(struct api, target));
    r->api.target.n = r->api.target.query.n = 0;
    r->fault.text[0] = 0;
    r->target = (char *)(r + 1);
    r->target_n = n;
    memcpy(r->target, target, n + 1);
    r->http = http;
    r->mhd = mhd;
    r->connection = connection_of(mhd);
    r->api.services = &http->services;
    r->api.now = clock_now();
    if (r->connection) {
        r->connection->idle = false;
        r->connection->deadline_ns = r->api.now.boot_ns + http->options.timeout_s * NS;
    }
    return r;
}

void request_end(void *arg, struct MHD_Connection *mhd, void **request,
                 enum MHD_RequestTerminationCode why)
{
    struct http *http = arg;
    struct request *r = *request;

    if (!r)
        return;
    if (r->connection) {
        r->connection->idle = true;
        r->connection->deadline_ns = http->turn_ns + http->options.timeout_s * NS;
    }
    *request = NULL;
    http->import_bytes -= r->import_bytes;
    api_free(&r->api);
    free(r);
}

/* ---- the answer ---- */

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    if (value && value[0])
        MHD_add_response_header(response, name, value);
}

static void add_headers(const struct request *r, struct MHD_Response *response)
{
    const struct api *api = &r->api;
    char seconds[16] = "";

    if (api->out.n || (api->file && !api->problem))
        add(response, "Content-Type",
            api->problem   ? "application/problem+json"
            : api->csv     ? "text/csv"
            : api->metrics ? METRICS_CONTENT_TYPE
                           : "application/json");
    add(response, "Cache-Control", "no-store");
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "ETag", api->etag);
    add(response, "Location", api->location);
    if (api->status == 405)
        add(response, "Allow", api->allow);
    if (api->status == 401)
        add(response, "WWW-Authenticate", "Bearer");
    if (api->retry_after)
        snprintf(seconds, sizeof(seconds), "%u", api->retry_after);
    add(response, "Retry-After", seconds);
    if (r->http->draining)
        add(response, "Connection", "close");
}

/* From the file as far as it was written, which takes no memory however much there is. */
static struct MHD_Response *from_file(const struct api *api, int64_t *bytes)
{
    int fd = fcntl(fileno(api->file), F_DUPFD_CLOEXEC, 0);
    struct stat st;
    struct MHD_Response *response = NULL;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        *bytes = st.st_size;
        response = MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
    }
    if (!response && fd >= 0)
        close(fd);
    return response;
}

static enum MHD_Result send_answer(struct request *r)
{
    struct api *api = &r->api;
    int64_t bytes = 0;
    struct MHD_Response *response =
        api->file && !api->problem
            ? from_file(api, &bytes)
            : MHD_create_response_from_buffer(api->out.n, api->out.p, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result rc;

    if (!response)
        return MHD_NO;
    add_headers(r, response);
    rc = MHD_queue_response(r->mhd, api->status, response);
    MHD_destroy_response(response);
    r->http->figures.requests++;
    if (r->connection)
        r->connection->deadline_ns =
            r->http->turn_ns + r->http->options.timeout_s * NS + bytes * (NS / IMPORT_BYTES_PER_S);
    log_debug("http-request", LOG_TEXT("method", api->route ? api->route->method : "?"),
              LOG_TEXT("route", api->route ? api->route->pattern : "?"),
              LOG_INT("status", api->status), LOG_INT("token", api->caller.token));
    return rc;
}

/* The handler returned `code`: a refusal becomes a problem document. */
static void conclude(struct request *r, int code, const struct fault *f)
{
    struct api *api = &r->api;

    r->state = REQUEST_DONE;
    if (code)
        api_problem(api, api->status >= 400 ? api->status : 0, f);
}

/* ---- to the store or the guard, and back ---- */

static int run_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct request *r = arg;

    return r->api.route->run(&r->api, tx, f);
}

static int run_first(struct store_tx *tx, void *arg, struct fault *f)
{
    struct request *r = arg;

    return r->api.first(&r->api, tx, f);
}

/* On a thread of the store, or the guard's. */
static void job_done(void *arg, int code, const struct fault *f)
{
    struct request *r = arg;
    struct http *http = r->http;
    uint64_t one = 1;

    r->code = code;
    if (code)
        r->fault = *f;
    pthread_mutex_lock(&http->lock);
    r->next = http->done;
    http->done = r;
    while (write(http->wake, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    pthread_mutex_unlock(&http->lock);
}

static bool run_here(struct request *r);

/* Gives the request to the store. False: it was not taken, and the answer says so. */
static bool submit(struct request *r, enum api_lane lane, store_job job)
{
    struct store *store = r->http->services.store;
    struct fault f;
    int rc = 0;

    r->state = REQUEST_WAITING;
    switch (lane) {
    case API_HERE:
    case API_ALONE:
    case API_CALLS:
    case API_READ: rc = store_read(store, job, r, job_done, r, &f); break;
    case API_WRITE: rc = store_write(store, job, r, job_done, r, &f); break;
    case API_URGENT: rc = store_urgent(store, job, r, job_done, r, &f); break;
    case API_BACKUP: rc = store_backup(store, r->api.path, job_done, r, &f); break;
    }
    if (!rc) {
        r->http->pending++;
        return true;
    }
    r->api.status = rc == ERR_EXISTS || rc == ERR_CONFLICT ? 409 : 503;
    conclude(r, rc, &f);
    return false;
}

/* On the guard's thread. */
static void run_question(void *arg, const struct guard_room *room)
{
    struct request *r = arg;
    struct fault f = {0};
    int rc;

    if (room || r->api.ask_anyway) {
        rc = r->api.ask(&r->api, room, &f);
    } else {
        r->api.status = 503;
        rc = fault(&f, ERR_IO, "the guard does not run");
    }
    job_done(r, rc, &f);
}

/* The same for the guard. Nobody there, or the desk full: who asks anyway is told so by NULL. */
static bool ask(struct request *r)
{
    struct guard_desk *desk = r->http->services.desk;
    struct fault f;
    int rc;

    r->state = REQUEST_WAITING;
    rc = desk ? guard_desk_ask(desk, run_question, NULL, r, &f)
              : fault(&f, ERR_IO, "this sekishod has no guard");
    if (!rc) {
        r->http->pending++;
        return true;
    }
    if (r->api.ask_anyway) {
        rc = r->api.ask(&r->api, NULL, &f);
        r->api.step++;
        if (!rc)
            return run_here(r);
    }
    r->api.status = 503;
    conclude(r, rc, &f);
    return false;
}

/* A connection that is suspended when libmicrohttpd is stopped would never be resumed; and who frees the
 * server need not be a reader of the snapshot, as handlers are. */
static bool refuse_ending(struct request *r)
{
    struct fault f;

    r->api.status = 503;
    conclude(r, fault(&f, ERR_DENIED, "sekishod is ending"), &f);
    return false;
}

/* A handler on the serve thread. True: the request is with the store or the guard now. */
static bool run_here(struct request *r)
{
    struct fault f;
    int rc = r->api.route->run(&r->api, NULL, &f);

    r->again = rc > 0;
    if (rc == API_READ_FIRST)
        return submit(r, API_READ, run_first);
    if (rc == API_WRITE_FIRST)
        return submit(r, API_WRITE, run_first);
    if (rc == API_ASK_FIRST)
        return ask(r);
    if (rc == 0 && r->api.route->lane == API_BACKUP)
        return submit(r, API_BACKUP, NULL);
    conclude(r, rc, &f);
    return false;
}

/* ---- the thread of calls.db ---- */

static int run_on_calls(void *arg, struct fault *f)
{
    struct request *r = arg;

    return r->api.route->run(&r->api, NULL, f);
}

static bool submit_calls(struct request *r)
{
    struct calls_room *calls = r->http->services.calls;
    struct fault f;
    int rc = calls ? calls_room_ask(calls, run_on_calls, r, job_done, r, &f)
                   : fault(&f, ERR_IO, "this sekishod keeps no call records");

    r->state = REQUEST_WAITING;
    if (!rc) {
        r->http->pending++;
        return true;
    }
    r->api.status = 503;
    r->api.retry_after = 5;
    conclude(r, rc, &f);
    return false;
}

/* ---- a thread of its own ---- */

static void *work(void *arg)
{
    struct request *r = arg;
    struct fault f = {0};
    int rc = r->api.route->run(&r->api, NULL, &f);

    job_done(r, rc, &f);
    return NULL;
}

static bool start_worker(struct request *r)
{
    struct importing *i = &r->http->importing;
    struct span ticket = target_query_get(&r->api.target.query, "ticket");
    struct fault f;

    if (i->busy) {
        r->api.status = 503;
        r->api.retry_after = 5;
        conclude(r,
                 fault(&f, ERR_FULL,
                       "another import or sweep is under way; try again when it has ended"),
                 &f);
        return false;
    }
    *i = (struct importing){.busy = true, .caller = r->api.caller};
    if (importing_is_ticket(ticket))
        memcpy(i->ticket, ticket.p, ticket.n);
    r->state = REQUEST_WAITING;
    int why = pthread_create(&r->http->worker, NULL, work, r);
    if (why) {
        i->busy = false;
        r->api.status = 503;
        conclude(r, fault(&f, ERR_NOMEM, "a thread cannot start: %s", strerror(why)), &f);
        return false;
    }
    r->http->pending++;
    return true;
}

static void end_worker(struct http *http)
{
    pthread_join(http->worker, NULL);
    http->importing.busy = false;
}

static bool dispatch(struct request *r)
{
    if (r->http->ending)
        return refuse_ending(r);
    switch (r->api.route->lane) {
    case API_HERE:
    case API_BACKUP: return run_here(r);
    case API_READ:
    case API_WRITE:
    case API_URGENT: return submit(r, r->api.route->lane, run_job);
    case API_CALLS: return submit_calls(r);
    case API_ALONE: return start_worker(r);
    }
    return false;
}

bool request_finish(struct request *r)
{
    struct api *api = &r->api;

    r->http->pending--;
    if (api->route->lane == API_ALONE)
        end_worker(r->http);
    if (!r->code && r->again) {
        api->step++;
        return r->http->ending ? !refuse_ending(r) : !run_here(r);
    }
    conclude(r, r->code, &r->fault);
    return true;
}

/* ---- the question ---- */

static bool has_body(struct request *r)
{
    const char *length = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Content-Length");

    return (length && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Transfer-Encoding");
}

/* Everything that can be told from the header. A body that is not wanted is not waited for, which costs
 * the connection; without one it stays open. */
static enum MHD_Result begin(struct request *r, const char *method)
{
    struct fault f;
    int rc = head_check(r, method, &f);

    if (!rc) {
        r->state = REQUEST_READING;
        return MHD_YES;
    }
    conclude(r, rc, &f);
    return has_body(r) ? send_answer(r) : MHD_YES;
}

/* What tenants send for imports is held in memory before one can be told that another is under way: all
 * together it may be as much as one may send. */
static bool import_fits(struct request *r, size_t n)
{
    size_t max = r->http->options.import_max;

    if (r->api.route->body != API_IMPORT || r->api.caller.who == API_OPERATOR)
        return true;
    if (r->http->import_bytes > max || n > max - r->http->import_bytes)
        return false;
    r->http->import_bytes += n;
    r->import_bytes += n;
    return true;
}

static enum MHD_Result read_body(struct request *r, const char *data, size_t *n)
{
    struct api *api = &r->api;
    struct fault f;

    if (r->state != REQUEST_READING) { /* refused already: the rest is not looked at */
        *n = 0;
        return MHD_YES;
    }
    if (*n > r->body_max - api->body.n) {
        api->status = 413;
        conclude(r, fault(&f, ERR_RANGE, "the body has more than %zu bytes", r->body_max), &f);
        *n = 0;
        return MHD_YES;
    }
    if (!import_fits(r, *n)) {
        api->status = 503;
        api->retry_after = 5;
        conclude(r,
                 fault(&f, ERR_FULL, "other imports are under way; try again when they have ended"),
                 &f);
        buf_free(&api->body);
        r->http->import_bytes -= r->import_bytes;
        r->import_bytes = 0;
        *n = 0;
        return MHD_YES;
    }
    buf_add(&api->body, (struct span){data, *n});
    if (r->connection && api->route->body == API_IMPORT)
        r->connection->deadline_ns += (int64_t)*n * (NS / IMPORT_BYTES_PER_S);
    *n = 0;
    return MHD_YES;
}

enum MHD_Result request_handle(void *arg, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data, size_t *n,
                               void **request)
{
    struct request *r = *request;
    struct fault f;

    if (!r)
        return MHD_NO; /* there was no memory for it */
    if (r->state == REQUEST_NEW)
        return begin(r, method);
    if (*n)
        return read_body(r, data, n);
    if (r->state == REQUEST_READING && r->api.body.failed)
        conclude(r, fault_nomem(&f), &f);
    else if (r->state == REQUEST_READING && dispatch(r)) {
        if (r->connection)
            r->connection->deadline_ns = INT64_MAX;
        MHD_suspend_connection(mhd);
        return MHD_YES;
    }
    return send_answer(r);
}
