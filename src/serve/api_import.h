/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_IMPORT_H
#define SEKISHO_SERVE_API_IMPORT_H

#include "serve/api.h"

/* Handler of /v1/accounts/import. */
int api_import(struct api *api, struct store_tx *tx, struct fault *f);

#endif
