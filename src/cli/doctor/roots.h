/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_ROOTS_H
#define SEKISHO_CLI_DOCTOR_ROOTS_H

#include "cli/doctor/devices.h"

/*
 * Where calls begin: guests, trunks, phones, and what Asterisk itself starts for callers (voicemail that
 * dials out, queue members, features, follow-me, conferences, parking).
 */
struct root {
    const char *who; /* "phone \"1001\" (pjsip.conf:12)" */
    struct place at;
    struct span context, exten,
        priority;            /* where it enters; exten empty: any; context empty: below */
    struct span destination; /* or what is dialled without any dialplan, "PJSIP/…" */
    struct span app, args;   /* or an application that is run */
    bool is_phone;
};

struct roots {
    struct root *all; /* the least trusted first */
    size_t n;
};

int roots_read(struct roots *out, const char *dir, const struct devices *devices,
               struct findings *findings, struct fault *f);

#endif
