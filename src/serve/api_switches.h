/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_SWITCHES_H
#define SEKISHO_SERVE_API_SWITCHES_H

#include "serve/api.h"

/* Handlers of /v1/switches. */
int api_switches_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_switches_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_switch_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_switch_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_switch_patch(struct api *api, struct store_tx *tx, struct fault *f);
int api_switch_delete(struct api *api, struct store_tx *tx, struct fault *f);

/* Reads the fields of a body over what stands in `out`, whose spans then borrow from `json` and the
 * reader. */
int api_switch_read(struct reader *r, json_t *json, enum api_fields which, struct store_switch *out,
                    struct fault *f);

#endif
