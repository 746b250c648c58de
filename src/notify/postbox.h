/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NOTIFY_POSTBOX_H
#define SEKISHO_NOTIFY_POSTBOX_H

#include "notify/notice_texts.h"

/* Makes a mail of a notice: facts, accounts, templates, who it is from. Does not change: any thread. */
struct postbox;

/* All copied. Addresses are mail_address_ok(). */
struct postbox_options {
    const char *from, *from_name;
    const char *reply_to;    /* "": none; else it is the contact, too */
    const char *operator_;   /* who gets what is for the operator; "": nobody */
    const char *language;    /* the operator's */
    const char *console_url; /* "": no links */
    const char *templates;   /* directory; "": none */
};

int postbox_new(struct postbox **out, const struct postbox_options *options, struct fault *f);
void postbox_free(struct postbox *box);

#define LETTER_ACCOUNTS 50 /* that the text lists; more of them are attached as CSV */
#define LETTER_CSV_ROWS 20000

struct letter {
    char to[256];
    struct buf subject, text, html;
    struct buf message; /* the whole mail */
};
void letter_free(struct letter *letter);

/* A read job's; a batch's accounts are read in `tx`. ERR_MISSING: it is for the operator, of whom no address is known. */
int postbox_letter(const struct postbox *box, struct store_tx *tx,
                   const struct store_notice *notice, int64_t now_ms, struct letter *out,
                   struct fault *f);

/* What such a notice looks like, of invented facts. */
int postbox_preview(const struct postbox *box, enum notice_kind kind, enum notice_language language,
                    int64_t now_ms, struct letter *out, struct fault *f);

#endif
