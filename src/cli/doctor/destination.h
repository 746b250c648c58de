/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_DESTINATION_H
#define SEKISHO_CLI_DOCTOR_DESTINATION_H

#include "cli/doctor/devices.h"

/* What Dial() and its like are told to call, and the arguments of dialplan applications. */

enum destination_kind {
    DESTINATION_PHONE,   /* something of this switch */
    DESTINATION_TRUNK,   /* out */
    DESTINATION_LOCAL,   /* back into the dialplan: Local/EXTEN@CONTEXT */
    DESTINATION_UNCLEAR, /* a number behind a variable that cannot be known here */
};

struct destination {
    enum destination_kind kind;
    struct span trunk;          /* its name, of TRUNK */
    struct span exten, context; /* of LOCAL */
};

/* One "TECH/…" as Dial() takes it. */
struct destination destination_of(const struct devices *devices, struct span text);

/* Splits at the separator outside of (), {}, [] and quotes. Returns how many there are; no more than
 * `most` are written. */
size_t args_split(struct span args, char separator, struct span *out, size_t most);

#define ARGS_MAX 32

#endif
