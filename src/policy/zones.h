/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_ZONES_H
#define SEKISHO_POLICY_ZONES_H

#include "base/buf.h"
#include "policy/tz.h"

/*
 * The time zones that schedules name, each read once, when it is first asked for. For one thread (the
 * writer); the zones that it hands out are immutable, may be read by all, and live as long as it does.
 */
struct zones;

/* Brings the bytes of a zone's TZif file into `out` (empty); ERR_MISSING where there is none. The
 * name has passed tz_name_valid(). base/zoneinfo.h has the one that reads the system's files. */
typedef int zones_read_fn(void *arg, struct span name, struct buf *out, struct fault *f);

#define ZONES_MAX 1024 /* more than IANA has; a further one is ERR_FULL */

int zones_new(struct zones **out, zones_read_fn *read, void *arg, struct fault *f);
void zones_free(struct zones *zones);

/* ERR_SYNTAX for what is no name, else what the reader and tz_new() say, the name in front. */
int zones_find(struct zones *zones, struct span name, const struct tz **out, struct fault *f);

#endif
