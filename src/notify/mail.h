/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NOTIFY_MAIL_H
#define SEKISHO_NOTIFY_MAIL_H

#include <stdint.h>

#include "base/buf.h"

/*
 * A mail as RFC 5322 and MIME (RFC 2045 to 2047) have it: text and HTML as alternatives, one attachment at most. Pure.
 * Addresses are mail_address_ok(); all other text is UTF-8 and becomes what it says, whatever it holds: a subject cannot
 * begin another field, a text no other part.
 */
struct mail {
    struct span from, from_name; /* the name may be empty */
    struct span to;
    struct span reply_to; /* or empty */
    struct span subject;
    struct span message_id; /* without < > */
    struct span boundary;   /* [0-9a-z]: not to be guessed by who is told of */
    struct span language;   /* "ja" */
    int64_t date_s;         /* since 1970 */
    struct span text, html;
    struct span csv;      /* p == NULL: nothing is attached */
    struct span csv_name; /* ASCII */
};

#define MAIL_LINE_MAX 76

/* The whole, with CRLF; no line is longer than MAIL_LINE_MAX, but for words that cannot be cut (998 at most). */
void mail_build(const struct mail *mail, struct buf *out);

/* A header field's text, folded and as encoded words where it is not plain ASCII. `used`: bytes that stand on the line. */
void mail_words(struct span text, size_t used, struct buf *out);

#endif
