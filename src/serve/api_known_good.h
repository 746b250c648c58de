/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_KNOWN_GOOD_H
#define SEKISHO_SERVE_API_KNOWN_GOOD_H

#include "serve/api.h"

/* /v1/known-good: from where accounts are known to work. */
int api_known_good_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_known_good_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
