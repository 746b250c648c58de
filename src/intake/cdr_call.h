/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_CALL_H
#define SEKISHO_INTAKE_CDR_CALL_H

#include "intake/cdr.h"
#include "ledger/call.h"
#include "numbering/site.h"

/* What a record means as a call. Pure. */

/* How it ended: by its outcome, and where that is not known by its seconds. */
enum call_end cdr_call_end(const struct cdr *c);

/* The number that is kept of a call is what made it one abroad, where anything did: a transfer or a menu sends what its
 * caller has not dialled. A view into the record. */
struct span cdr_call_number(const struct cdr *c, const struct site *site);

/* Why a record can be no call, or NULL: `number` is too long, or it began at no time that is kept. */
const char *cdr_call_objection(const struct cdr *c, struct span number);

#endif
