/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_RULES_H
#define SEKISHO_SERVE_API_RULES_H

#include "serve/api.h"

/* Handlers of the rules of accounts, tenants and the operator. */
int api_account_rules_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_rules_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_rule_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_rule_delete(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_rules_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_rules_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_rule_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_rule_delete(struct api *api, struct store_tx *tx, struct fault *f);
int api_operator_rules_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_operator_rules_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_operator_rule_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_operator_rule_delete(struct api *api, struct store_tx *tx, struct fault *f);

/* Reads an array of rules that stands at `at` ("/rules"). `*rules` lives as long as the reader and
 * borrows from `array`. Forms are checked here, what the set as a whole must be by the store. */
int api_rules_read(struct reader *r, const char *at, json_t *array, const struct rule **rules,
                   size_t *n, struct fault *f);

json_t *api_rule_json(const struct rule *rule);
json_t *api_rules_json(const struct rule *rules, size_t n);

#endif
