/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_NUMBERS_H
#define SEKISHO_SERVE_API_NUMBERS_H

#include "serve/api.h"

/* Handlers of /v1/complement and /v1/number: they change nothing and look at no account. */
int api_complement(struct api *api, struct store_tx *tx, struct fault *f);
int api_number(struct api *api, struct store_tx *tx, struct fault *f);

#endif
