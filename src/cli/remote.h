/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_REMOTE_H
#define SEKISHO_CLI_REMOTE_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

/*
 * The daemon's HTTP API (docs/openapi.yaml), over its Unix socket or TCP. Nothing answers:
 * ERR_TIMEOUT. A problem answered becomes the fault: 404 ERR_MISSING, 409 ERR_EXISTS, 412
 * ERR_CONFLICT, 401 and 403 ERR_DENIED, any other ERR_RANGE.
 */

struct reply {
    int status;
    json_t *json;     /* NULL where the answer has no body */
    struct buf *text; /* set by remote_text: where an answer goes that is no JSON */
    FILE *file;       /* by remote_save: likewise */
};

void reply_free(struct reply *r);

/* Asks `method` of `path` (with its query). `body` may be NULL, and is borrowed. `out` may be NULL. */
int remote_call(struct cli *cli, const char *method, const char *path, const json_t *body,
                struct reply *out, struct fault *f);

/* The same, but `*out` is set whenever there was an answer, a problem too. */
int remote_try(struct cli *cli, const char *method, const char *path, const json_t *body,
               struct reply *out, struct fault *f);

/* The same as remote_call() with a body that is no JSON. */
int remote_send(struct cli *cli, const char *method, const char *path, const char *type,
                struct span body, struct reply *out, struct fault *f);

/* A body that is read while it is sent. */
struct remote_body {
    int64_t size; /* -1: not known */
    /* Up to `max` bytes; 0 at the end, or an error code that ends all, with `f` set. */
    int (*read)(void *arg, char *p, size_t max, struct fault *f);
    /* Ten times a second or so, until the answer is there. Not 0: an error code that ends all. */
    int (*tick)(void *arg, struct fault *f);
    void *arg;
};

/* The same with such a body, for as long as it takes. `*out` is set whenever there was an answer, a problem
 * too. */
int remote_stream(struct cli *cli, const char *method, const char *path, const char *type,
                  const struct remote_body *body, struct reply *out, struct fault *f);

/* GETs `path` as the text that it is (CSV), added to `out`. */
int remote_text(struct cli *cli, const char *path, struct buf *out, struct fault *f);

/* POSTs `body` and writes the answer, which is no JSON and may be long, to `out` as it comes. */
int remote_save(struct cli *cli, const char *path, const json_t *body, FILE *out, struct fault *f);

/* What the daemon said, fit for a terminal, in `out->text`. Quotes stay as they are: its sentences quote
 * names. */
const char *remote_words(struct span said, struct fault *out);

/* Hands every item of a list to `each` (page by page; `limit` items at most, 0 is all). `each`
 * borrows the item and returns 0 or an error code that ends the walk. */
int remote_list(struct cli *cli, const char *path, size_t limit,
                int (*each)(const json_t *item, void *arg, struct fault *f), void *arg,
                struct fault *f);

/* Builds a path: adds "/" and the percent-encoded part; adds "?" or "&", the name, "=" and the
 * percent-encoded value (nothing for NULL). */
void path_part(struct buf *b, const char *part);
void path_query(struct buf *b, const char *name, const char *value);

#endif
