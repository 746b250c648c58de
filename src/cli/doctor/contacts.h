/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_CONTACTS_H
#define SEKISHO_CLI_DOCTOR_CONTACTS_H

#include "cli/doctor/dialplan.h"
#include "cli/doctor/roots.h"

/*
 * Whether a telephone may say that its calls go to the trunk: who has its password can register a number there
 * as its Contact, or answer a call with a 302 that names a channel, and Asterisk calls it without any dialplan
 * (docs/switches/asterisk.md). Looked for only where there is a trunk of PJSIP or SIP.
 */

/* In pjsip.conf, pjsip_wizard.conf and sip.conf: "contact-open", "transport-shared", "path-believed",
 * "redirect-open". */
int contacts_check(const char *dir, const struct devices *devices, struct findings *findings,
                   struct fault *f);

/* In the dialplan: a Dial(), Page() or Queue() of telephones that follows a 302, "redirect-followed". */
void contacts_followed(const struct dialplan *d, const struct devices *devices,
                       const struct roots *roots, struct findings *findings);

#endif
