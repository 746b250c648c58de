/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_CALL_TERMS_H
#define SEKISHO_SERVE_CALL_TERMS_H

#include "intake/cdr_reader.h"

/* How the records of a file are to be read, as people say it. Empty: not said. */
struct call_terms_text {
    struct span format;  /* "asterisk", "freeswitch", "kamailio", "mapping" */
    struct span zone;    /* "Asia/Tokyo", "UTC": must be said, it is never guessed */
    struct span payer;   /* "accountcode, endpoint, src" if not said */
    struct span mapping; /* the text of one, see intake/cdr_mapping.h */
};

struct call_terms {
    struct cdr_options format; /* points to what follows */
    struct cdr_payer_rule payer;
    struct tz *tz;
    struct cdr_mapping *mapping; /* NULL: none */
    unsigned char hash[32]; /* of all that was said: the same file read otherwise is another one */
};

/* ERR_RANGE, ERR_MISSING, ERR_SYNTAX with a sentence; `*wrong` (may be NULL) is then the name of what is wrong. Reads the
 * zone's file. */
int call_terms_new(struct call_terms **out, const struct call_terms_text *text, const char **wrong,
                   struct fault *f);
void call_terms_free(struct call_terms *terms);

/* Whether reading may begin in the midst of a file without its beginning. */
bool call_terms_resumable(const struct call_terms *terms);

#endif
