/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_SECURITY_EVENT_H
#define SEKISHO_INTAKE_SECURITY_EVENT_H

#include "intake/ami_message.h"
#include "intake/security_kind.h"

/*
 * Asterisk's security events as they come over AMI, one field a line. Pure.
 *
 * A CR LF that the peer sent ends a field, two end the event and begin what looks like another. So an
 * event is believed only when its fields are exactly those of its kind, in Asterisk's order, once each.
 * Behind one that ends too early, or whose response is none, everything that begins in the next
 * SECURITY_SPLIT_MAX bytes is dropped, for it may be what the peer wrote. The one that was split is an attempt all
 * the same, for nobody hides by that: where both addresses had come before the end they are Asterisk's; where
 * the end came in AccountID they are taken from the end of the rest, and the account is not known.
 *
 * Log in with security events alone: what else Asterisk reports can be made to hold line ends too.
 */
/* Zero-initialised is ready; zero it again for a new connection. */
struct security_events {
    size_t distrust;                    /* bytes in which nothing is believed */
    const struct security_kind *broken; /* split in AccountID: the rest comes next */
    char service[17];
    uint64_t split; /* events that were not as Asterisk writes them */
    struct security_echoes echoes;
};

/*
 * One message, which took `size` bytes of the stream. Every message of the connection is given to this, in
 * order. SECURITY_ATTEMPT writes `*out`, whose spans live as long as the message's bytes; SECURITY_DROPPED
 * says that nothing in the message may be used.
 */
enum security_reading security_event_read(struct security_events *r, const struct ami_message *m,
                                          size_t size, struct attempt *out);

#endif
