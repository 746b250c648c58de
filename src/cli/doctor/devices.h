/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_DEVICES_H
#define SEKISHO_CLI_DOCTOR_DEVICES_H

#include "cli/doctor/astconf.h"

/* Who may call this Asterisk, and whom it may call: PJSIP endpoints, SIP peers, IAX2 peers. */

enum device_kind {
    DEVICE_PHONE, /* authenticates itself here */
    DEVICE_TRUNK, /* another switch: this Asterisk authenticates itself there, or its address is fixed */
    DEVICE_GUEST, /* whoever likes to call */
};

struct device {
    const char *tech; /* "PJSIP", "SIP", "IAX2" */
    enum device_kind kind;
    struct span name;
    struct span context; /* where its calls enter the dialplan */
    struct place at;
};

struct devices {
    struct device *all;
    size_t n;
    /* Contexts that calls enter by transfer or forwarding (TRANSFER_CONTEXT, FORWARD_CONTEXT). */
    struct device *transfers;
    size_t n_transfers;
};

/* Reads pjsip.conf, pjsip_wizard.conf, sip.conf and iax.conf in `dir` (those whose module is not loaded
 * are skipped), and finds guests and bad secrets on the way. */
int devices_read(struct devices *out, const char *dir, struct findings *findings, struct fault *f);

/* By technology and name, any case; NULL where there is none. */
const struct device *devices_find(const struct devices *d, const char *tech, struct span name);

#endif
