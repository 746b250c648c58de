/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_ENDING_H
#define SEKISHO_SERVE_ENDING_H

#include "serve/authorize.h"

/*
 * Must a call that is under way end now? Where its account, the account's tenant or everybody is stopped (`sekisho
 * stop`) or the guard holds it for taken over, and the call is one that a stop closes: international, premium,
 * forwarded. Not where the account is merely locked: whoever is talking is its owner, and forged packets can lock. By the same decision that a new call of this account to this number
 * would get, so never an emergency call, a national one, and never one that ends only by a takeover
 * where switch or tenant are only observed.
 *
 * On any thread that is registered as a reader of the snapshot; takes the read lock by itself.
 */
bool ending_is_due(struct authorizer *authorizer, int64_t switch_id, struct span account,
                   struct span dialled, struct instant now);

#endif
