/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/http_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/listener.h"

#define NS INT64_C(1000000000)
#define SWEEP_NS NS /* deadlines are kept to a second */
#define ACCEPTS_MAX 64
#define LOCAL_RESERVE 32 /* connections beyond the limit, on the Unix socket: for the operator */

/* ---- connections ---- */

/* Ends a connection that is libmicrohttpd's: it sees the end of the stream, and closes. */
static void cut(struct connection *c)
{
    if (!c->cut)
        shutdown(c->fd, SHUT_RDWR);
    c->cut = true;
}

static void link_connection(struct http *http, struct connection *c)
{
    c->prev = NULL;
    c->next = http->connections;
    if (c->next)
        c->next->prev = c;
    http->connections = c;
    http->n_connections++;
}

static void unlink_connection(struct http *http, struct connection *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        http->connections = c->next;
    if (c->next)
        c->next->prev = c->prev;
    http->n_connections--;
}

/* libmicrohttpd has taken a socket, or is about to close it. */
static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *http = arg;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = *context;

    switch (what) {
    case MHD_CONNECTION_NOTIFY_STARTED:
        for (c = http->connections; c && c->fd != info->connect_fd; c = c->next)
            ;
        *context = c;
        return;
    case MHD_CONNECTION_NOTIFY_CLOSED:
        if (c) {
            unlink_connection(http, c);
            free(c);
        }
        *context = NULL;
        return;
    }
}

static bool same_source(const struct connection *a, const struct connection *b)
{
    return a->local == b->local && a->from.family == b->from.family &&
           memcmp(a->from.ip, b->from.ip, sizeof(a->from.ip)) == 0;
}

static bool idler(const struct connection *c, const struct connection *than)
{
    return !c->cut && c->idle && (!than || c->deadline_ns < than->deadline_ns);
}

/* Is there room for one more from there? Where all are taken, the longest idle one gives way: of the same
 * source when that has its share. */
static bool make_room(struct http *http, const struct connection *fresh)
{
    unsigned share = fresh->local ? 0 : http->options.connections_per_address;
    size_t limit = http->options.connections + (fresh->local ? LOCAL_RESERVE : 0);
    struct connection *idlest = NULL;
    struct connection *idlest_there = NULL;
    unsigned there = 0;
    size_t open = 0;

    for (struct connection *c = http->connections; c; c = c->next) {
        bool same = !c->cut && same_source(c, fresh);

        open += !c->cut;
        there += same;
        if (idler(c, idlest))
            idlest = c;
        if (same && idler(c, idlest_there))
            idlest_there = c;
    }
    if (share && there >= share)
        idlest = idlest_there;
    else if (open < limit)
        return true;
    if (!idlest)
        return false;
    http->figures.crowded++;
    cut(idlest);
    return true;
}

static void adopt(struct http *http, int fd, const struct sockaddr_storage *ss, socklen_t length,
                  bool local, int64_t boot_ns)
{
    struct connection *c = calloc(1, sizeof(*c));

    if (!c) {
        close(fd);
        return;
    }
    c->fd = fd;
    c->local = local;
    c->idle = true;
    c->deadline_ns = boot_ns + http->options.timeout_s * NS;
    if (!local)
        c->from = address_of((const struct sockaddr *)ss);
    if ((local && listener_peer_uid(fd, &c->uid, NULL) != 0) || !make_room(http, c)) {
        http->figures.crowded++;
        close(fd);
        free(c);
        return;
    }
    http->figures.accepted++;
    link_connection(http, c);
    if (MHD_add_connection(http->mhd, fd, (const struct sockaddr *)ss, length) != MHD_YES) {
        /* The socket is closed; and freed already if it got as far as on_connection(). */
        for (struct connection *left = http->connections; left; left = left->next) {
            if (left == c) {
                unlink_connection(http, c);
                free(c);
                break;
            }
        }
    }
}

/* Without descriptors, whoever knocks is taken on the spare one and turned away: a listener that is left
 * as it is would be reported for ever. */
static void turn_away(struct http *http, int listener)
{
    int fd;

    close(http->spare);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    http->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    http->figures.crowded++;
}

static void accept_some(struct http *http, size_t i)
{
    int64_t boot_ns = clock_now().boot_ns;

    for (unsigned n = 0; n < ACCEPTS_MAX; n++) {
        struct sockaddr_storage ss = {0};
        socklen_t length = sizeof(ss);
        int fd = accept4(http->listeners[i], (struct sockaddr *)&ss, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE))
            turn_away(http, http->listeners[i]);
        if (fd < 0)
            return;
        adopt(http, fd, &ss, length, i >= http->n_tcp, boot_ns);
    }
}

/* ---- time ---- */

static void sweep(struct http *http, int64_t boot_ns)
{
    if (boot_ns < http->sweep_ns)
        return;
    http->sweep_ns = boot_ns + SWEEP_NS;
    for (struct connection *c = http->connections; c; c = c->next) {
        if (c->cut || c->deadline_ns > boot_ns)
            continue;
        http->figures.late += !c->idle;
        cut(c);
    }
}

int http_wait_ms(const struct http *http)
{
    int64_t left = (http->sweep_ns - http->turn_ns) / 1000000;
    unsigned long long mhd;
    int wait = -1;

    if (http->n_connections)
        wait = left < 0 ? 0 : left > 1000 ? 1000 : (int)left + 1;
    if (MHD_get_timeout(http->mhd, &mhd) == MHD_YES && (wait < 0 || mhd < (unsigned)wait))
        wait = (int)mhd;
    return wait;
}

/* ---- the loop ---- */

/* Takes what the store's threads have finished. */
static void collect(struct http *http)
{
    struct request *r;
    uint64_t count;

    pthread_mutex_lock(&http->lock);
    r = http->done;
    http->done = NULL;
    if (r)
        (void)!read(http->wake, &count, sizeof(count)); /* to 0, in one go */
    pthread_mutex_unlock(&http->lock);
    while (r) {
        struct request *next = r->next;

        if (request_finish(r))
            MHD_resume_connection(r->mhd);
        r = next;
    }
}

/* What is ready is not asked for: a look at `done` and libmicrohttpd's own wait tell it as cheaply. */
void http_run(struct http *http, int fd)
{
    http->turn_ns = clock_now().boot_ns;
    for (size_t i = 0; i < http->n_listeners && fd >= 0; i++)
        if (http->listeners[i] == fd)
            accept_some(http, i);
    collect(http);
    MHD_run(http->mhd);
    sweep(http, http->turn_ns);
}

size_t http_listeners(const struct http *http, int fds[HTTP_LISTENERS_MAX])
{
    for (size_t i = 0; i < http->n_listeners; i++)
        fds[i] = http->listeners[i];
    return http->n_listeners;
}

int http_fd(const struct http *http)
{
    return http->epoll;
}

int http_wake(const struct http *http)
{
    return http->wake;
}

size_t http_open(const struct http *http)
{
    return http->n_connections;
}

struct http_figures http_figures(const struct http *http)
{
    return http->figures;
}

struct address http_address(const struct http *http, size_t i)
{
    return i < http->n_tcp ? http->addresses[i] : (struct address){0};
}

/* ---- beginning and end ---- */

/* The target is taken raw (target.h decodes it once); libmicrohttpd's own decoding is of no use. */
static size_t leave(void *arg, struct MHD_Connection *mhd, char *text)
{
    return strlen(text);
}

static int start_mhd(struct http *http, struct fault *f)
{
    const union MHD_DaemonInfo *info;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;

    http->mhd = MHD_start_daemon(
        flags, 0, NULL, NULL, request_handle, http, MHD_OPTION_CONNECTION_LIMIT, 1000000u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        0u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave, NULL, MHD_OPTION_URI_LOG_CALLBACK, request_new, http,
        MHD_OPTION_NOTIFY_COMPLETED, request_end, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        http, MHD_OPTION_END);
    if (!http->mhd)
        return fault(f, ERR_IO, "the HTTP server cannot start: %m");
    info = MHD_get_daemon_info(http->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return fault(f, ERR_IO, "libmicrohttpd has no epoll");
    http->epoll = info->epoll_fd;
    return 0;
}

static int open_listeners(struct http *http, const struct address *listen, size_t n,
                          struct fault *f)
{
    int rc = 0;

    if (n + 1 > HTTP_LISTENERS_MAX)
        return fault(f, ERR_RANGE, "more than %d addresses to listen on (http.listen)",
                     HTTP_LISTENERS_MAX - 1);
    for (size_t i = 0; i < n && !rc; i++) {
        struct sockaddr_storage ss;
        socklen_t length = sizeof(ss);

        rc = listener_tcp(&listen[i], "http.listen", &http->listeners[i], f);
        if (rc)
            break;
        http->n_listeners = http->n_tcp = i + 1;
        if (getsockname(http->listeners[i], (struct sockaddr *)&ss, &length) == 0)
            http->addresses[i] = address_of((struct sockaddr *)&ss);
    }
    if (!rc && http->socket[0]) {
        rc = listener_unix(http->socket, &http->listeners[http->n_listeners], f);
        http->n_listeners += rc == 0;
    }
    return rc;
}

static int open_descriptors(struct http *http, struct fault *f)
{
    http->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    http->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (http->wake < 0 || http->spare < 0)
        return fault(f, ERR_IO, "cannot open a descriptor: %m");
    return start_mhd(http, f);
}

int http_configure(struct http *http, const struct api_services *services,
                   const struct http_options *options, struct fault *f)
{
    char *hosts = strdup(options->hosts ? options->hosts : "");

    if (!hosts)
        return fault_nomem(f);
    free(http->hosts);
    http->hosts = hosts;
    http->good_host[0] = 0;
    /* In one go: an API_ALONE request may be reading them on its thread, and finds none of its own missing. */
    struct api_services next = *services;
    next.importing = &http->importing;
    next.sweeping = &http->sweeping;
    http->services = next;
    http->options = *options;
    http->options.hosts = hosts;
    return 0;
}

static int allocate(struct http *http, const char *socket, struct fault *f)
{
    unsigned char key[16];

    http->socket = strdup(socket ? socket : "");
    if (!http->socket)
        return fault_nomem(f);
    randombytes_buf(key, sizeof(key));
    /* Members of JSON objects that strangers send are kept in a table with a keyed hash. */
    json_object_seed(0);
    return penalties_new(&http->penalties, key, f);
}

int http_new(struct http **out, const struct api_services *services, const struct address *listen,
             size_t n, const char *socket, const struct http_options *options, struct fault *f)
{
    struct http *http = calloc(1, sizeof(*http));
    int rc;

    if (!http)
        return fault_nomem(f);
    http->wake = http->spare = -1;
    pthread_mutex_init(&http->lock, NULL);
    rc = http_configure(http, services, options, f);
    if (!rc)
        rc = allocate(http, socket, f);
    if (!rc)
        rc = open_descriptors(http, f);
    if (!rc)
        rc = open_listeners(http, listen, n, f);
    if (rc) {
        http_free(http);
        return rc;
    }
    *out = http;
    return 0;
}

void http_drain(struct http *http)
{
    if (http->draining)
        return;
    for (size_t i = 0; i < http->n_listeners; i++)
        accept_some(http, i);
    http->draining = true;
    for (size_t i = 0; i < http->n_listeners; i++) {
        if (i >= http->n_tcp)
            listener_unlink(http->socket, http->listeners[i]);
        close(http->listeners[i]);
    }
    http->n_listeners = http->n_tcp = 0;
    for (struct connection *c = http->connections; c; c = c->next) {
        if (c->idle)
            cut(c);
    }
}

/* What is with the store must come back before its memory goes. */
static void settle(struct http *http)
{
    while (http->pending) {
        struct pollfd wake = {.fd = http->wake, .events = POLLIN};

        collect(http);
        if (http->pending)
            poll(&wake, 1, 100);
    }
    MHD_run(http->mhd);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    http_drain(http);
    http->ending = true;
    if (http->mhd) {
        settle(http);
        MHD_stop_daemon(http->mhd);
    }
    close_fd(http->wake);
    close_fd(http->spare);
    penalties_free(http->penalties);
    sweep_plan_free(http->sweeping.plan);
    pthread_mutex_destroy(&http->lock);
    free(http->hosts);
    free(http->socket);
    free(http);
}
