/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_BANS_H
#define SEKISHO_SERVE_API_BANS_H

#include "serve/api.h"

/* /v1/bans: who is dropped now, and the operator's own. */
int api_bans_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_bans_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_ban_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_ban_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
