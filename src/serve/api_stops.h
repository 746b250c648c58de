/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_STOPS_H
#define SEKISHO_SERVE_API_STOPS_H

#include "serve/api.h"

/* Handlers of /v1/stops: international off, now. */
int api_stops_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_stop_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_stop_delete(struct api *api, struct store_tx *tx, struct fault *f);

/* Is the account stopped by somebody above the caller, so that the caller must not be rid of the stop? */
int api_stop_binds(struct api *api, struct store_tx *tx, int64_t account, bool *out,
                   struct fault *f);

#endif
