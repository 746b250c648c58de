/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_METRICS_H
#define SEKISHO_SERVE_API_METRICS_H

#include "serve/api.h"

/* /metrics: everything that is counted, for Prometheus. */
int api_metrics(struct api *api, struct store_tx *tx, struct fault *f);

#endif
