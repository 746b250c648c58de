/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_H
#define SEKISHO_SERVE_API_H

#include <jansson.h>
#include <stdio.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/instant.h"
#include "serve/reader.h"
#include "serve/target.h"
#include "store/store.h"

/*
 * One request of the HTTP API between the wire (http.h) and the handlers (api_*.h): who asks, what, and
 * the answer. docs/openapi.yaml says what each route takes and gives.
 */

struct authorizer;   /* serve/authorize.h */
struct atlases;      /* serve/atlases.h */
struct importing;    /* serve/importing.h */
struct sweeping;     /* serve/sweeping.h */
struct calls_room;   /* serve/calls_room.h */
struct call_imports; /* serve/call_imports.h */
struct metrics;      /* serve/metrics.h */
struct guard_desk;   /* serve/guard_desk.h */
struct sip_tcp;      /* serve/sip_tcp.h */
struct sip_udp;      /* serve/sip_udp.h */
struct guard_room;
struct postbox; /* notify/postbox.h */

/* What the handlers work on. All borrowed. */
struct api_services {
    struct store *store;
    struct snapshot *snapshot;
    struct authorizer *authorizer;
    struct atlases *atlases; /* for jobs of the store */
    /* The number tables in use. Called on the serve thread. */
    const struct tables *(*tables)(void *arg);
    /* Adds sentences to the two JSON arrays: what keeps the daemon from deciding or changing, and what
     * needs attention. On the serve thread. May be NULL. */
    void (*health)(void *arg, json_t *problems, json_t *warnings);
    /* Adds what is counted outside of the API. On the serve thread. May be NULL. */
    void (*metrics)(void *arg, struct metrics *metrics);
    void *arg;
    const char *version;
    struct instant started;
    struct importing *importing; /* http.h sets it, and: */
    struct sweeping *sweeping;
    struct call_imports *call_imports; /* of that thread: NULL likewise */
    struct calls_room *calls;          /* NULL where there are no call records */
    const struct postbox *postbox;     /* NULL where nobody is told anything */
    const char *backup_dir;            /* "" where backups over TCP are not allowed */
    struct guard_desk *desk;           /* NULL where there is no guard */
    const struct sip_udp *sip;         /* NULL where nothing is asked over SIP */
    const struct sip_tcp *sip_tcp;     /* likewise; of the serve thread */
};

/* Who may use a route, and who asks. */
enum api_who { API_OPERATOR = 1, API_TENANT = 2, API_SWITCH = 4 };

struct api_caller {
    enum api_who who;
    int64_t id;          /* of the tenant or switch */
    int64_t token;       /* 0: none, the Unix socket's peer */
    unsigned uid;        /* of that peer */
    bool local;          /* on the Unix socket */
    struct address from; /* family 0 there */
};

/* Where a handler runs. */
enum api_lane {
    API_HERE,   /* on the serve thread, without `tx`: pure, or in memory */
    API_READ,   /* in a read job */
    API_WRITE,  /* in a write job */
    API_URGENT, /* in a write job that goes before others, and that a long one gives way to */
    API_ALONE,  /* on a thread of its own, without `tx`; one at a time */
    API_CALLS,  /* on the thread of calls.db, without `tx`; may wait for the store */
    API_BACKUP  /* on the serve thread; then api->path is backed up, and then the answer is sent */
};

enum api_body {
    API_NO_BODY,
    API_JSON,
    API_JSON_OPTIONAL,
    API_PATCH,    /* application/merge-patch+json or application/json */
    API_QUESTION, /* application/json or a form */
    API_IMPORT,   /* JSON lines or CSV, up to the larger limit */
};

enum api_media { MEDIA_NONE, MEDIA_JSON, MEDIA_PATCH, MEDIA_FORM, MEDIA_NDJSON, MEDIA_CSV };

/* Which body of a resource is read: POST (with its name), PUT, or PATCH (null is the default). */
enum api_fields { FIELDS_NEW, FIELDS_PUT, FIELDS_PATCH };

struct api;

/*
 * Returns 0 when the answer is set, or an error code with `f`. A handler that runs on the serve thread may
 * first want something from others, as often as it likes: it sets api->first and returns API_READ_FIRST or
 * API_WRITE_FIRST (a job of the store), or sets api->ask and returns API_ASK_FIRST (on the guard's thread, with what
 * lies on its desk). When that has returned 0, the handler is called again, and api->step has grown by one.
 */
typedef int (*api_handler)(struct api *api, struct store_tx *tx, struct fault *f);
typedef int (*api_question)(struct api *api, const struct guard_room *room, struct fault *f);

#define API_READ_FIRST 1
#define API_WRITE_FIRST 2
#define API_ASK_FIRST 3

#define API_PARAMS_MAX 4

struct api_route {
    const char *method;
    const char *pattern; /* "/v1/accounts/{id}", as in openapi.yaml */
    unsigned who;        /* enum api_who, or-ed */
    enum api_lane lane;
    enum api_body body;
    const char *query; /* the parameters that it takes, separated by blanks */
    api_handler run;
};

struct api {
    const struct api_services *services;
    const struct api_route *route;
    struct api_caller caller;
    struct instant now;
    /* the question */
    struct span params[API_PARAMS_MAX]; /* what stands for the {…} of the pattern */
    enum api_media media;
    struct buf body;
    struct span if_match; /* p == NULL where there is none */
    struct span if_none_match;
    struct reader reader;
    json_t *json;      /* set by api_json() */
    api_handler first; /* see api_handler */
    api_question ask;
    bool ask_anyway; /* where there is no guard `ask` gets NULL, instead of an answer of 503 */
    unsigned step;
    void *state; /* of the handler, between the steps; from reader_alloc() */
    /* the answer */
    unsigned status;
    struct buf out;
    FILE *file;         /* with api->csv: sent in place of `out`, up to where it stands; or NULL */
    bool problem;       /* `out` is a problem document */
    bool csv;           /* or CSV */
    bool metrics;       /* or Prometheus' text */
    char etag[32];      /* with its quotes; "" for none */
    char location[256]; /* "" for none */
    char allow[64];     /* of a 405 */
    unsigned retry_after; /* seconds; 0 for none */
    char parameter[64];   /* that was wrong, for the problem document */
    json_t *errors;       /* of an import */
    uint64_t errors_n;    /* how many there are: `errors` has the first */
    bool harmful;         /* there is something that the caller has to agree to: */
    json_t *harms;
    const char *path; /* of a backup */
    /* Of the question, and last: 4 KiB of parameters that need not be cleared for each. */
    struct target target;
};

/* Frees what the request holds, not the request. */
void api_free(struct api *api);

/* Takes `body` (NULL: memory ran out, ERR_NOMEM). */
int api_answer(struct api *api, unsigned status, json_t *body, struct fault *f);
int api_answer_empty(struct api *api, unsigned status);

/* With ETag; answers 304 where If-None-Match of a GET or HEAD says so. */
int api_answer_tagged(struct api *api, unsigned status, int64_t change, json_t *body,
                      struct fault *f);

/* Compares If-Match and If-None-Match with what is there; 412 where they do not hold. */
int api_precondition(struct api *api, bool exists, int64_t change, struct fault *f);

/* Renders the problem document for what a handler returned. `status` 0: follows from the code. */
void api_problem(struct api *api, unsigned status, const struct fault *f);

/* A refusal with a status of its own: sets both and returns `code`. */
__attribute__((format(printf, 5, 6))) int
api_refuse(struct api *api, unsigned status, struct fault *f, int code, const char *format, ...);

/* The same about a query or path parameter (422). */
__attribute__((format(printf, 4, 5))) int api_refuse_parameter(struct api *api,
                                                               const char *parameter,
                                                               struct fault *f, const char *format,
                                                               ...);

#endif
