/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_READING_H
#define SEKISHO_TESTS_READING_H

#include "base/buf.h"
#include "sip/message.h"

/*
 * All that can be read from a message, one line each, for cases to be compared with: what the start
 * line says, the header fields in the order of enum sip_header, the body's length, the faults. Folds are
 * one space, bytes that are not printable \xHH. A value without the form that it must have is "? VALUE".
 */
void reading_write(struct buf *out, const struct sip_message *m);

#endif
