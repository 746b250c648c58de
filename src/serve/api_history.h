/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_HISTORY_H
#define SEKISHO_SERVE_API_HISTORY_H

#include "serve/api.h"

/* Where an account has called, and which of its calls it did not make. */
int api_history_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_disowned_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_disowned_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
