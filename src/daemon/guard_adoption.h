/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_ADOPTION_H
#define SEKISHO_DAEMON_GUARD_ADOPTION_H

#include "enforce/message.h"
#include "guard/guard.h"

/*
 * Bans that the kernel holds at the start and no record tells of. Decisions are written some milliseconds after they are in
 * the kernel, many at once: a sekishod that is killed in between knows nothing of them when it starts again. They are
 * adopted: they stand for what is left of them. Not what the operator has lifted: of that network none is adopted,
 * whatever came later; nor what has no end, which only an operator orders, durable before the kernel has it.
 */
struct adoption;

int adoption_new(struct adoption **out, struct fault *f);
void adoption_free(struct adoption *adoption);

/* Bans of exactly this network are none to be adopted. ERR_NOMEM: none at all is any more. */
int adoption_forbid(struct adoption *adoption, const struct network *network, struct fault *f);

/* Whether the guard has adopted it. Where bans are for everything (`scope`), what is for SIP alone was a quench. */
bool adoption_take(struct adoption *adoption, struct guard *guard, struct instant now,
                   const struct enforce_ban *held, enum enforce_scope scope);

#endif
