/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_DIRECT_H
#define SEKISHO_ENFORCE_DIRECT_H

#include "base/buf.h"
#include "enforce/message.h"

/*
 * `sekisho unban --direct`: straight into the kernel, without any daemon; as root. Whatever keeps `network`
 * out is lifted: bans of it, and of every network that it lies in. A running sekishod is told by its
 * enforcer, and takes it for an unban by hand.
 *
 * `out` gets one line for each ban that was lifted. 0 with nothing in `out`: nothing kept it out. ERR_DENIED
 * without the right, ERR_IO.
 */
int direct_unban(const struct network *network, struct buf *out, struct fault *f);

#endif
