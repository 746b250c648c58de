/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_SIP_DESKS_H
#define SEKISHO_BENCH_SIP_DESKS_H

#include "questions.h"
#include "serve/sip_desk.h"

/* The desk without the sockets: what stands between taking a batch and sending its answers. Prints two lines: one desk,
 * and two of them in two threads at the same time. */
void desks_compare(struct authorizer *authorizer, const uint8_t key[SIP_KEY_BYTES],
                   const struct question *questions);

#endif
