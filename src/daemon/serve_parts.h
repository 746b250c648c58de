/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_SERVE_PARTS_H
#define SEKISHO_DAEMON_SERVE_PARTS_H

#include "daemon/serve_thread.h"
#include "serve/fastagi.h"
#include "serve/guard_desk.h"
#include "serve/http.h"
#include "serve/sip_tcp.h"

/*
 * What lives on the serve thread, each made a part of its loop. All borrow what they are given until the
 * thread has ended, and are called before it starts.
 */
int serve_parts_fastagi(struct serve_thread *serve, struct fastagi *agi, struct fault *f);
int serve_parts_sip_tcp(struct serve_thread *serve, struct sip_tcp *sip, struct fault *f);
int serve_parts_http(struct serve_thread *serve, struct http *http, struct fault *f);
/* The answers of the guard thread to questions of the API. */
int serve_parts_desk(struct serve_thread *serve, struct guard_desk *desk, struct fault *f);

#endif
