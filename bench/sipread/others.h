/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_OTHERS_H
#define SEKISHO_BENCH_OTHERS_H

#include "base/span.h"

/* Other readers of SIP. Each reads the message and frees what it has made of it; with `fields` it also
 * reads what the guard would need and reading alone does not give. False when it refuses the message. */
void osip_begin(void);
bool osip_reads(struct span message, bool fields);
bool re_reads(struct span message, bool fields);

#endif
