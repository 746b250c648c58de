/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_PRESETS_H
#define SEKISHO_SERVE_API_PRESETS_H

#include "serve/api.h"

/* Handlers of /v1/presets. */
int api_presets_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_presets_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_preset_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_preset_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_preset_patch(struct api *api, struct store_tx *tx, struct fault *f);
int api_preset_delete(struct api *api, struct store_tx *tx, struct fault *f);

/* Reads the fields of a body over what stands in `out`, whose spans then borrow from `json` and the
 * reader. */
int api_preset_read(struct reader *r, json_t *json, enum api_fields which, struct store_preset *out,
                    struct fault *f);

#endif
