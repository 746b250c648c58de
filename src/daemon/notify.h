/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_NOTIFY_H
#define SEKISHO_DAEMON_NOTIFY_H

#include <stdint.h>

/*
 * Tells systemd how we are (sd_notify(3); the protocol is one datagram of KEY=VALUE lines to the socket
 * that $NOTIFY_SOCKET names). Without that variable all of it does nothing.
 */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void); /* WATCHDOG=1 */

/* How often notify_alive() is expected, halved; 0: never. */
uint64_t notify_interval_ms(void);

#endif
