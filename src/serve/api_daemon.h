/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_DAEMON_H
#define SEKISHO_SERVE_API_DAEMON_H

#include "serve/api.h"

/* Handlers of /healthz, /v1/status, /v1/settings and /v1/backup. */
int api_health(struct api *api, struct store_tx *tx, struct fault *f);
int api_status(struct api *api, struct store_tx *tx, struct fault *f);
int api_settings_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_settings_patch(struct api *api, struct store_tx *tx, struct fault *f);
int api_backup(struct api *api, struct store_tx *tx, struct fault *f);

#endif
