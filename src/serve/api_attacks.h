/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_ATTACKS_H
#define SEKISHO_SERVE_API_ATTACKS_H

#include "serve/api.h"

/* /v1/attacks: what share of the attacks was what, as JSON or CSV. */
int api_attacks(struct api *api, struct store_tx *tx, struct fault *f);

#endif
