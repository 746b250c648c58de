/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_FAREWELL_H
#define SEKISHO_SERVE_FAREWELL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Connections on which everything is said from our side, end of file included, and whose other side has
 * still to end: to close them before could reset them before the other side has read. Nothing that it
 * still sends matters, so that nobody is woken for it: one poll() finds who has ended among the many
 * that came since the last one.
 */

#define FAREWELL_LOOK_NS INT64_C(10000000)        /* most others have ended long before */
#define FAREWELL_LOOK_AGAIN_NS INT64_C(100000000) /* at those who had not at the first look */

struct farewell;

/* NULL without memory. */
struct farewell *farewell_new(void);
/* Closes all. */
void farewell_free(struct farewell *farewell);

/* Takes a connection, which is closed at once where there is no memory. `now_ns` is boot time here and
 * below. */
void farewell_add(struct farewell *farewell, int fd, int64_t now_ns);

/* If it is time to look: closes who has ended, and who was added `timeout_ns` ago. */
void farewell_run(struct farewell *farewell, int64_t now_ns, int64_t timeout_ns);

/* To make room for others, at least one where there is any: closes who has ended, unless that was looked
 * at within the last millisecond, or else those who were added first, a sixteenth part. Returns how many
 * were closed that had not ended. */
size_t farewell_make_room(struct farewell *farewell, int64_t now_ns);

/* When farewell_run() has something to do; INT64_MAX: never. */
int64_t farewell_due_ns(const struct farewell *farewell);
size_t farewell_count(const struct farewell *farewell);

#endif
