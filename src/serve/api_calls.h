/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_CALLS_H
#define SEKISHO_SERVE_API_CALLS_H

#include "serve/api.h"

/* Handler of /v1/authorize. */
int api_authorize(struct api *api, struct store_tx *tx, struct fault *f);

#endif
