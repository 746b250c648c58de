/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_GUARD_LISTS_H
#define SEKISHO_SERVE_API_GUARD_LISTS_H

#include "serve/api.h"

/* What the operator tells the guard beforehand: /v1/access, /v1/never-ban, /v1/canaries. */
int api_access_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_access_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_access_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_access_delete(struct api *api, struct store_tx *tx, struct fault *f);

int api_never_ban_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_never_ban_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_never_ban_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_never_ban_delete(struct api *api, struct store_tx *tx, struct fault *f);

int api_canaries_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_canary_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_canary_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_canary_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
