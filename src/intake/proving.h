/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_PROVING_H
#define SEKISHO_INTAKE_PROVING_H

#include "intake/claim.h"
#include "intake/exchange.h"
#include "intake/nonces.h"

/*
 * How well the credentials of a request are proved, into its claim, with account, realms and the hash of them (`key`). Of what
 * the switch may read otherwise than we, the worst is believed. Returns whether they were found where we read none. Pure.
 */
bool proving_read(struct nonces *nonces, const uint8_t key[16],
                  const struct exchange_message *message, const struct sip_message *m,
                  struct claim *claim);

#endif
