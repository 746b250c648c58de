/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_MASK_H
#define SEKISHO_LEDGER_MASK_H

#include "base/buf.h"

/*
 * Numbers of calls as they are shown to people who need not know who was called: the last four digits are stars. The one
 * place where that is done, for whatever shows what somebody dialled.
 *
 * Of a plain number (digits, * # +, spaces, - . ( ) /) its last four digits are hidden: "010-252-61-5123456" is
 * "010-252-61-512****", and "1002" is "****". Of anything else (a URI, full-width digits, what an escape() made of bytes) all
 * digits and all bytes beyond ASCII are, since nobody can say which of them are the last of a number.
 */
#define MASK_DIGITS 4

void mask_number(struct span dialled, struct buf *out);

/* The same where `masked`; else `dialled` as it is. */
void mask_number_if(bool masked, struct span dialled, struct buf *out);

#endif
