/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_SWEEPS_H
#define SEKISHO_SERVE_API_SWEEPS_H

#include "serve/api.h"

/* Handlers of /v1/sweeps. A preview, its applying and undoing run on a thread of their own. */
int api_sweep_preview(struct api *api, struct store_tx *tx, struct fault *f);
int api_announcements_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_announcements_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_sweeps_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_sweeps_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_sweep_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_sweep_accounts(struct api *api, struct store_tx *tx, struct fault *f);
int api_sweep_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
