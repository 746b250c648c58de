/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_LOCKOUTS_H
#define SEKISHO_SERVE_API_LOCKOUTS_H

#include "serve/api.h"

struct api_switch_names;
struct guard_lock;

/* /v1/lockouts: accounts that the guard has locked. A tenant sees those of its own accounts and lifts none. */
int api_lockouts_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_lockout_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_lockout_delete(struct api *api, struct store_tx *tx, struct fault *f);

/* With what the store knows of the account; `*tenant` is its tenant, 0 where nobody has the account. */
int api_lock_json(struct store_tx *tx, const struct api_switch_names *names,
                  const struct guard_lock *lock, int64_t *tenant, json_t **out, struct fault *f);

#endif
