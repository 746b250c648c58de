/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_ROUTES_H
#define SEKISHO_SERVE_API_ROUTES_H

#include "serve/api.h"

/* Every route of the HTTP API. */
extern const struct api_route api_routes[];
extern const size_t api_routes_n;

/*
 * Finds the route for the parsed target. HEAD is GET. Returns 0 and sets api->route and params, or an
 * error with api->status set: 404, or 405 with api->allow.
 */
int api_route(struct api *api, const char *method, struct fault *f);

/* Checks that every query parameter is one of the route's and stands once (`allow` may be repeated). */
int api_check_query(struct api *api, struct fault *f);

/* Does the pattern match these segments? Sets `params` on success. */
bool api_match(const char *pattern, const struct target *target,
               struct span params[API_PARAMS_MAX]);

#endif
