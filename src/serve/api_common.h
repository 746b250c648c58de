/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_COMMON_H
#define SEKISHO_SERVE_API_COMMON_H

#include "serve/api.h"

/* What the handlers of api_*.c share. */

/* Parses the body once; an absent optional one is an empty object. */
int api_json(struct api *api, json_t **out, struct fault *f);

/* Query parameters. Absent: `out` is untouched. */
int api_query_page(struct api *api, struct store_page *page, struct fault *f);
int api_query_name(struct api *api, const char *key, struct span *out, struct fault *f);
int api_query_id(struct api *api, const char *key, int64_t *out, struct fault *f);
int api_query_time_ms(struct api *api, const char *key, int64_t *out, struct fault *f);

/* A path parameter that is an id: 1 and up; anything else is 404, there is no such thing. */
int api_param_id(struct api *api, size_t i, int64_t *out, struct fault *f);

/* Who asks, for the audit: "uid:0", "token:3", "token:7 tenant:main". Lives as long as the job. */
int api_by(struct api *api, struct store_tx *tx, struct store_by *by, struct fault *f);

/* The same outside of a job, for routes of the operator's alone. */
struct store_by api_by_operator(const struct api *api, char actor[STORE_ACTOR_MAX]);

/* The tenant whose subtree the caller may see; 0 is all. */
int64_t api_within(const struct api *api);

/* What the URL names. What is not there, and what the caller may not see, is 404 alike. */
int api_find_account(struct api *api, struct store_tx *tx, int64_t id, struct store_account *out,
                     struct fault *f);
int api_find_tenant(struct api *api, struct store_tx *tx, struct span name,
                    struct store_tenant *out, struct fault *f);
int api_find_switch(struct api *api, struct store_tx *tx, struct span name,
                    struct store_switch *out, struct fault *f);

/* The only switch that the caller may see; ERR_RANGE where there is a choice or none. */
int api_only_switch(struct api *api, struct store_tx *tx, struct store_switch *out,
                    struct fault *f);

/* What a query or body names: 422 at `parameter` or the reader's pointer. Must be visible. */
int api_query_within(struct api *api, struct store_tx *tx, int64_t *within, struct fault *f);

/* Is the tenant one that the caller may see? */
int api_may_see(struct api *api, struct store_tx *tx, int64_t tenant, bool *out, struct fault *f);

/* Is the switch one that serves the caller's tenant? */
int api_serves(struct api *api, struct store_tx *tx, const struct store_switch *s, bool *out,
               struct fault *f);

/* {"items":[…],"next":…}; takes `items`. */
int api_answer_list(struct api *api, json_t *items, struct span next, struct fault *f);

/* JSON values; NULL when memory runs out. */
json_t *api_text(struct span text);
json_t *api_text_or_null(struct span text); /* empty is null */
json_t *api_word_or_null(const char *text); /* NULL and "" are null */
json_t *api_time_ms(int64_t wall_ms);
json_t *api_time_or_null(int64_t wall_s); /* 0 is null */

#endif
