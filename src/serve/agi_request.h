/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_AGI_REQUEST_H
#define SEKISHO_SERVE_AGI_REQUEST_H

#include "base/fault.h"

/*
 * The environment that Asterisk sends at the beginning of a FastAGI connection, fed in pieces of any
 * size: lines "agi_NAME: VALUE" up to an empty one. Only the first agi_network_script line is kept.
 * Asterisk writes it before anything that a caller can influence but the URL itself; whatever a caller
 * can make look like another one comes later, and is ignored like every other line.
 * Pure; holds no pointer to what it was fed.
 */

#define AGI_ENVIRONMENT_MAX 8192 /* bytes, all lines together */
#define AGI_SCRIPT_MAX 1024      /* bytes of the question; a longer one is refused, never cut */

struct agi_request {
    size_t total;  /* bytes of the environment so far */
    size_t line;   /* bytes of the current line */
    size_t n;      /* bytes in `script` */
    bool first;    /* in the first line of all */
    bool found;    /* `script` is the question */
    bool too_long; /* it was longer than AGI_SCRIPT_MAX */
    char script[AGI_SCRIPT_MAX];
};

enum agi_progress {
    AGI_MORE, /* not yet at its end */
    AGI_DONE, /* the empty line was seen; what stands behind it was not looked at */
    AGI_BAD,  /* too long, or not the beginning of a FastAGI environment at all */
};

void agi_request_begin(struct agi_request *request);
enum agi_progress agi_request_feed(struct agi_request *request, struct span bytes);

/* Decoded, any bytes; views into the request. */
struct agi_question {
    struct span account;
    struct span remote;
    struct span number;
};

/*
 * Takes v1/authorize/ACCOUNT/REMOTE/NUMBER apart and decodes each part in place, once: to be called
 * once, on a request that is DONE. ERR_SYNTAX (and a sentence) when there was no question, when it has
 * another form, more or fewer parts, a byte that URIENCODE would have encoded, or a broken escape.
 */
int agi_request_question(struct agi_request *request, struct agi_question *out, struct fault *f);

#endif
