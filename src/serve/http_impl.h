/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_HTTP_IMPL_H
#define SEKISHO_SERVE_HTTP_IMPL_H

#include <microhttpd.h>
#include <pthread.h>

#include "serve/http.h"
#include "serve/importing.h"
#include "serve/penalties.h"
#include "serve/sweeping.h"

/* What http.c (sockets, connections, time) and http_request.c (one request) have in common. http.c calls http_request.c,
 * never the other way. */

struct connection {
    struct connection *prev, *next;
    int fd;
    struct address from; /* family 0 on the Unix socket */
    bool local;
    unsigned uid; /* of the Unix socket's peer */
    bool idle;    /* between two requests */
    bool cut;     /* shut down; libmicrohttpd closes it when it sees that */
    int64_t deadline_ns;
};

enum request_state {
    REQUEST_NEW,     /* the first line has been read */
    REQUEST_READING, /* the header was good; the body comes */
    REQUEST_WAITING, /* for the store or the guard; the connection is suspended */
    REQUEST_DONE,    /* the answer is ready to be sent */
};

struct request {
    struct http *http;
    struct connection *connection;
    struct MHD_Connection *mhd;
    enum request_state state;
    size_t body_max;
    size_t import_bytes; /* of http->import_bytes */
    char *target;        /* behind the request, decoded in place */
    size_t target_n;
    bool again;           /* when what the handler wanted first is there, it is called again */
    int code;             /* of the store's job, or the guard's answer */
    struct request *next; /* in http->done */
    struct fault fault;   /* where `code` is not 0 */
    /* Last, and in it the target, which request_new() does not clear. */
    struct api api;
};

struct http {
    struct api_services services;
    struct http_options options;
    char *hosts;
    char good_host
        [128]; /* one that was found to be configured, "" at first: it is mostly the next one too */
    struct MHD_Daemon *mhd;
    struct penalties *penalties;
    int epoll; /* libmicrohttpd's */
    int wake;  /* eventfd, readable exactly while something stands in `done` */
    int spare; /* given up for a moment when descriptors run out */
    int listeners[HTTP_LISTENERS_MAX];
    size_t n_listeners; /* the TCP ones first */
    size_t n_tcp;
    struct address addresses[HTTP_LISTENERS_MAX];
    char *socket;
    bool draining;
    bool ending; /* no request is looked at any more: only what is with the store is answered */
    struct connection *connections;
    size_t n_connections;
    int64_t sweep_ns; /* when deadlines are looked at next */
    int64_t turn_ns;  /* boot time when http_run() began: near enough for deadlines */
    struct http_figures figures;
    unsigned pending;    /* requests with the store, the guard or the worker; serve thread only */
    size_t import_bytes; /* of tenants' imports, from when they come until they are answered */
    struct importing importing;
    struct sweeping sweeping;
    pthread_t worker; /* of an API_ALONE request, while importing.busy */
    pthread_mutex_t lock;
    struct request *done; /* under the lock: finished by the store's threads and the guard's */
};

/* libmicrohttpd's callbacks. */
void *request_new(void *http, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_handle(void *http, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data, size_t *n,
                               void **request);
void request_end(void *http, struct MHD_Connection *mhd, void **request,
                 enum MHD_RequestTerminationCode why);

/* The store has finished with it (on the serve thread): the answer is made ready. False: it has gone
 * back to the store. */
bool request_finish(struct request *request);

#endif
