/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_GUARD_H
#define SEKISHO_SERVE_API_GUARD_H

#include "serve/api_common.h"
#include "serve/guard_desk.h"

/*
 * What the guard's routes share: how its networks, switches and attempts are read and shown, and what a caller has
 * to agree to. An act is in the audit, durable, before the guard hears of it, and is answered when the guard has done it.
 */

/* ---- steps ---- */

/* For a handler's next step: sets api->first or api->ask and says which it is. The first job may want a state of `size` bytes. */
int api_read_first(struct api *api, api_handler job, size_t size, struct fault *f);
int api_write_first(struct api *api, api_handler job);
int api_ask_first(struct api *api, api_question question);

/* ---- questions ---- */

/* A network that the path names: one that is none is 422. */
int api_param_network(struct api *api, size_t i, struct network *out, struct fault *f);
/* An address or network. Absent: family 0. */
int api_query_network(struct api *api, const char *key, struct network *out, struct fault *f);
int api_field_network(struct api *api, const char *at, const char *name, struct span text,
                      struct network *out, struct fault *f);
/* true or false; `*given` tells whether it stands there at all. */
int api_query_bool(struct api *api, const char *key, bool *given, bool *out, struct fault *f);

/* `account`: a name that somebody tried, 1 to 64 bytes of any kind. */
int api_query_tried(struct api *api, struct span *out, struct fault *f);

/* ---- consent ---- */

/* Something that a caller may not have meant. `word` is what he sends back to say that he does. */
struct api_harm {
    const char *word;
    const char *en, *ja;
};

/* Refuses (409) what the request did not consent to; once all is known. */
void api_harm(struct api *api, const struct api_harm *harm);
int api_consented(struct api *api, struct fault *f);

/* ---- switches ---- */

struct api_switch_name {
    int64_t id;
    struct span name;
};
struct api_switch_names {
    const struct api_switch_name *at;
    size_t n;
};

/* Of all switches; lives as long as the request. */
int api_switch_names(struct api *api, struct store_tx *tx, struct api_switch_names *out,
                     struct fault *f);
/* Empty where there is none of this id (any more). */
struct span api_switch_name(const struct api_switch_names *names, int64_t id);
/* The id of the switch that the query names, 0 where it names none; an unknown one is 422. */
int api_query_switch(struct api *api, struct store_tx *tx, int64_t *out, struct fault *f);

/* ---- a walk through one of the guard's tables, page by page ---- */

struct api_walk {
    size_t limit, cursor, n;
    bool more;
    size_t size; /* of an item */
    void *items; /* `n` of this page */
};

/* The next of the table; false: there is none. */
typedef bool api_walk_next_fn(const struct guard_room *room, size_t *cursor, void *item);
/* Whether the list is to have it. */
typedef bool api_walk_wants_fn(const void *listing, const void *item);
/* NULL in `out`: the caller must not see it. */
typedef int api_walk_show_fn(struct store_tx *tx, const void *listing,
                             const struct api_switch_names *names, const void *item, json_t **out,
                             struct fault *f);

/* Reads the query's limit and cursor (which is a number), and makes room for a page of items. */
int api_walk_begin(struct api *api, struct api_walk *walk, size_t size, struct fault *f);
/* On the guard's thread: a page of what is wanted. */
void api_walk(struct api_walk *walk, const struct guard_room *room, api_walk_next_fn *next,
              api_walk_wants_fn *wants, const void *listing);
int api_walk_answer(struct api *api, struct store_tx *tx, const struct api_walk *walk,
                    api_walk_show_fn *show, const void *listing, struct fault *f);

/* ---- JSON ---- */

json_t *api_network(const struct network *network);
json_t *api_network_or_null(const struct network *network); /* family 0 is null */
json_t *api_switch_or_null(const struct api_switch_names *names, int64_t id);
/* What strangers sent: what is no printable UTF-8 is \xHH, as in the log. Empty is null. */
json_t *api_strange(struct span bytes);
json_t *api_words(const char *en, const char *ja);
json_t *api_ban_json(const struct api_switch_names *names, const struct guard_ban *ban,
                     struct span note, struct span actor);
json_t *api_attempt_json(const struct api_switch_names *names, const struct evidence *e);
/* `before` and `segment` percent-encoded; cut where there is no room. */
void api_path(char *out, size_t size, const char *before, struct span segment);
/* "lockout", "international", "takeover". */
const char *api_lock_kind_name(enum guard_lock_kind kind);

#endif
