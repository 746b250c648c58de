/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_HTTP_H
#define SEKISHO_SERVE_HTTP_H

#include "base/address.h"
#include "serve/api.h"

/*
 * The HTTP API on the wire: TCP and a Unix socket, libmicrohttpd without threads of its own. The caller's
 * event loop watches two descriptors and the listeners, and calls http_run() when one is readable or
 * when http_wait_ms() has passed. That thread must be registered as a reader of the snapshot, and never
 * waits for a disk: what needs the store is a job of the store, and the connection sleeps meanwhile.
 *
 * Over TCP every request needs a token and a configured Host. On the Unix socket the kernel says who
 * asks: root and the daemon's own uid are the operator.
 *
 * Bounds: connections in all and per address (when there is no room, the one that has been idle for
 * longest goes, of the same address when that has its share; where none is idle, the new one is refused),
 * header, body, time for a whole request, time between requests. Some room is kept for the Unix socket. Nothing is kept for a source but its connections and a bounded table of wrong tokens.
 */
struct http;

#define HTTP_LISTENERS_MAX 9

struct http_options {
    const char
        *hosts; /* names with or without port, separated by commas; those that it listens on are
                          allowed without being named; copied */
    unsigned connections;             /* at once, at least 1 */
    unsigned connections_per_address; /* 0: no limit but `connections` */
    unsigned timeout_s;               /* for one request, and for the time between two */
    size_t body_max;                  /* bytes */
    size_t import_max;
};

#define HTTP_HEADER_MAX 32768 /* bytes of a request's first line and header */

/* Opens the listeners; `socket` may be NULL or "". `services` is copied, what it points to is
 * borrowed. */
int http_new(struct http **out, const struct api_services *services, const struct address *listen,
             size_t n_listen, const char *socket, const struct http_options *options,
             struct fault *f);

/* Closes everything. Waits for the store's jobs that belong to requests: the store must still run. */
void http_free(struct http *http);

/* Other options and services from now on; on failure the old ones stand. */
int http_configure(struct http *http, const struct api_services *services,
                   const struct http_options *options, struct fault *f);

int http_fd(const struct http *http);
int http_wake(const struct http *http);
/* The listeners, which the caller watches too until http_drain(); how many there are. */
size_t http_listeners(const struct http *http, int fds[HTTP_LISTENERS_MAX]);
/* Until something is due; -1: nothing is. */
int http_wait_ms(const struct http *http);
/* `fd`: which of them is readable; -1: something is due. */
void http_run(struct http *http, int fd);

/* Takes no more connections and lets those that are open finish their request. */
void http_drain(struct http *http);
size_t http_open(const struct http *http);

/* The address that TCP listener `i` got (its port may have been given as 0). */
struct address http_address(const struct http *http, size_t i);

struct http_figures {
    uint64_t accepted;
    uint64_t crowded;      /* refused or dropped because there was no room */
    uint64_t late;         /* cut off because they were too slow */
    uint64_t requests;     /* answered */
    uint64_t wrong_tokens; /* with a wrong token or none */
};
struct http_figures http_figures(const struct http *http);

#endif
