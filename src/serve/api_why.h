/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_WHY_H
#define SEKISHO_SERVE_API_WHY_H

#include "serve/api.h"

/* /v1/why: what is known of an address or an account, and what was decided on it. */
int api_why(struct api *api, struct store_tx *tx, struct fault *f);

#endif
