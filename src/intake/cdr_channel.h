/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_CHANNEL_H
#define SEKISHO_INTAKE_CDR_CHANNEL_H

#include "base/span.h"

/* Names of Asterisk's channels, and what was dialled on them, as records have them. */

struct cdr_channel {
    /* PJSIP/1001-0000002a, SIP/1001-0000002a, IAX2/office-4711, DAHDI/i1/0312345678-3: "1001", "office", "i1". A
     * name that is no authenticated one has none: Local/... */
    struct span endpoint;
    bool near_half; /* Local/...;1 */
};

/* Any bytes; what is no channel's name has no endpoint. "Parked/", "AsyncGoto/" and the like in front, and
 * "<ZOMBIE>" behind, are passed over. */
struct cdr_channel cdr_channel_read(struct span name);

/*
 * The number in what Dial was given: PJSIP/NUMBER@trunk, PJSIP/trunk/sip:NUMBER@host, SIP/trunk/NUMBER, DAHDI/g1/NUMBER,
 * IAX2/user:secret@host/NUMBER; of several at once the first that has one. Empty for a phone (PJSIP/1001) and for
 * Local, whose other half has a record of its own.
 */
struct span cdr_dialled_number(struct span data);

#endif
