/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/serve_parts.h"

/* ---- FastAGI -------------------------------------------------------------------------------- */

static void run_agi(void *arg, int fd)
{
    fastagi_run(arg, fd);
}

static int wait_agi(void *arg)
{
    return fastagi_wait_ms(arg);
}

static void drain_agi(void *arg)
{
    fastagi_drain(arg);
}

static size_t open_agi(void *arg)
{
    return fastagi_open(arg);
}

int serve_parts_fastagi(struct serve_thread *serve, struct fastagi *agi, struct fault *f)
{
    struct serve_part part = {
        .arg = agi,
        .fd = fastagi_fd(agi),
        .run = run_agi,
        .wait_ms = wait_agi,
        .drain = drain_agi,
        .open = open_agi,
    };

    _Static_assert(FASTAGI_LISTENERS_MAX <= SERVE_LISTENERS_MAX, "a part has room for them");
    part.n_listeners = fastagi_listeners(agi, part.listeners);
    return serve_thread_add(serve, &part, f);
}

/* ---- SIP over TCP --------------------------------------------------------------------------- */

static void run_sip(void *arg, int fd)
{
    sip_tcp_run(arg, fd);
}

static int wait_sip(void *arg)
{
    return sip_tcp_wait_ms(arg);
}

static void drain_sip(void *arg)
{
    sip_tcp_drain(arg);
}

static size_t open_sip_connections(void *arg)
{
    return sip_tcp_unfinished(arg);
}

int serve_parts_sip_tcp(struct serve_thread *serve, struct sip_tcp *sip, struct fault *f)
{
    struct serve_part part = {
        .arg = sip,
        .fd = sip_tcp_fd(sip),
        .run = run_sip,
        .wait_ms = wait_sip,
        .drain = drain_sip,
        .open = open_sip_connections,
    };

    part.n_listeners = sip_tcp_listeners(sip, part.listeners);
    return serve_thread_add(serve, &part, f);
}

/* ---- HTTP ----------------------------------------------------------------------------------- */

static void run_http(void *arg, int fd)
{
    http_run(arg, fd);
}

static int wait_http(void *arg)
{
    return http_wait_ms(arg);
}

static void drain_http(void *arg)
{
    http_drain(arg);
}

static size_t open_http_requests(void *arg)
{
    return http_open(arg);
}

int serve_parts_http(struct serve_thread *serve, struct http *http, struct fault *f)
{
    struct serve_part part = {
        .arg = http,
        .fd = http_fd(http),
        .wake = http_wake(http),
        .run = run_http,
        .wait_ms = wait_http,
        .drain = drain_http,
        .open = open_http_requests,
    };

    _Static_assert(HTTP_LISTENERS_MAX <= SERVE_LISTENERS_MAX, "a part has room for them");
    part.n_listeners = http_listeners(http, part.listeners);
    return serve_thread_add(serve, &part, f);
}

/* ---- answers of the guard ------------------------------------------------------------------- */

static void run_desk(void *arg, int fd)
{
    guard_desk_finish(arg);
}

static int wait_desk(void *arg)
{
    return -1;
}

static void drain_desk(void *arg)
{
}

static size_t open_questions(void *arg)
{
    return guard_desk_open(arg);
}

int serve_parts_desk(struct serve_thread *serve, struct guard_desk *desk, struct fault *f)
{
    const struct serve_part part = {
        .arg = desk,
        .fd = guard_desk_fd(desk),
        .run = run_desk,
        .wait_ms = wait_desk,
        .drain = drain_desk,
        .open = open_questions,
    };

    return serve_thread_add(serve, &part, f);
}
