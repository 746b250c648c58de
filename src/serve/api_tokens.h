/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_TOKENS_H
#define SEKISHO_SERVE_API_TOKENS_H

#include "serve/api.h"

/* Handlers of /v1/tokens. */
int api_tokens_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_tokens_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_token_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
