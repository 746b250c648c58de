/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/fastagi.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/agi_answer.h"
#include "serve/agi_request.h"

#define LISTENERS_MAX 8
#define BACKLOG 4096
#define EVENTS_MAX 256
#define ACCEPTS_MAX 256 /* in one go, so that those who are accepted get their turn */
#define READ_SIZE 4096

enum phase { PHASE_READING, PHASE_CLOSING };

/* Connections stand in one list in the order of their deadlines: all get the same time, and who gets
 * new time moves to the end. */
struct connection {
    struct connection *earlier, *later;
    int fd;
    enum phase phase;
    int64_t deadline_ns; /* boot time */
    struct address remote;
    struct agi_request request;
};

struct fastagi {
    struct authorizer *authorizer;
    int epoll;
    int spare; /* given up to take and close a connection when descriptors have run out */
    int listeners[LISTENERS_MAX];
    size_t n_listeners;
    struct network *allow;
    size_t n_allow;
    unsigned connections;
    int64_t timeout_ns;
    struct connection *first, *last; /* open, soonest deadline first */
    struct connection *unused;       /* chained by `later` */
    size_t open;
    struct fastagi_figures figures;
};

/* ---- connections ---------------------------------------------------------------------------- */

static void unlink_connection(struct fastagi *agi, struct connection *c)
{
    *(c->earlier ? &c->earlier->later : &agi->first) = c->later;
    *(c->later ? &c->later->earlier : &agi->last) = c->earlier;
}

static void append_connection(struct fastagi *agi, struct connection *c)
{
    c->later = NULL;
    c->earlier = agi->last;
    *(agi->last ? &agi->last->later : &agi->first) = c;
    agi->last = c;
}

static void close_connection(struct fastagi *agi, struct connection *c)
{
    unlink_connection(agi, c);
    close(c->fd);
    c->later = agi->unused;
    agi->unused = c;
    agi->open--;
}

static struct connection *take_unused(struct fastagi *agi)
{
    struct connection *c = agi->unused;

    if (c)
        agi->unused = c->later;
    else
        c = malloc(sizeof(*c));
    return c;
}

static void drop_oldest(struct fastagi *agi)
{
    if (!agi->first)
        return;
    agi->figures.crowded++;
    close_connection(agi, agi->first);
}

/* ---- answering ------------------------------------------------------------------------------ */

static void decide_question(struct fastagi *agi, const struct connection *c,
                            const struct agi_question *question, struct instant now,
                            enum number_class *class, struct verdict *verdict)
{
    struct number number;

    snapshot_read_lock();
    const struct authorize_question asked = {
        .gate = snapshot_switch_by_address(authorizer_snapshot(agi->authorizer), &c->remote),
        .account = question->account,
        .remote = question->remote,
        .dialled = question->number,
        .now = now,
    };
    authorize(agi->authorizer, &asked, &number, verdict, NULL);
    snapshot_read_unlock();
    *class = number.class;
}

static void refuse_question(const struct connection *c, const struct fault *f,
                            enum number_class *class, struct verdict *verdict)
{
    char address[ADDRESS_TEXT_MAX];

    *class = CLASS_MALFORMED;
    *verdict = (struct verdict){.action = VERDICT_DENY, .reason = REASON_MALFORMED};
    log_warning("agi-malformed", LOG_TEXT("switch_address", address_ip_text(&c->remote, address)),
                LOG_TEXT("fault", f->text));
}

/* Answers, and lets the connection end: after our end of file Asterisk runs through all the commands
 * that it has buffered, without one it would stop after the first. Its replies say nothing that we need,
 * so only its own end is waited for; closing at once could reset the connection before it has read. */
static void answer(struct fastagi *agi, struct connection *c, struct instant now)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = c};
    struct agi_question question;
    enum number_class class;
    struct verdict verdict;
    char text[AGI_ANSWER_MAX];
    struct fault f;

    if (agi_request_question(&c->request, &question, &f) == 0) {
        decide_question(agi, c, &question, now, &class, &verdict);
    } else {
        refuse_question(c, &f, &class, &verdict);
        agi->figures.malformed++;
    }
    size_t n = agi_answer(class, &verdict, text);
    /* The first bytes of a connection always fit its send buffer: a short write is a broken one. */
    if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n || shutdown(c->fd, SHUT_WR) != 0 ||
        epoll_ctl(agi->epoll, EPOLL_CTL_MOD, c->fd, &event) != 0) {
        agi->figures.broken++;
        close_connection(agi, c);
        return;
    }
    agi->figures.answered++;
    c->phase = PHASE_CLOSING;
    c->deadline_ns = now.boot_ns + agi->timeout_ns;
    unlink_connection(agi, c);
    append_connection(agi, c);
}

static void read_connection(struct fastagi *agi, struct connection *c, struct instant now)
{
    char bytes[READ_SIZE];

    for (;;) {
        ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            agi->figures.late++;
            close_connection(agi, c);
            return;
        }
        switch (agi_request_feed(&c->request, (struct span){bytes, (size_t)n})) {
        case AGI_MORE: continue;
        case AGI_DONE: answer(agi, c, now); return;
        case AGI_BAD:
            agi->figures.garbage++;
            close_connection(agi, c);
            return;
        }
    }
}

static void run_connection(struct fastagi *agi, struct connection *c, struct instant now)
{
    switch (c->phase) {
    case PHASE_READING: read_connection(agi, c, now); break;
    case PHASE_CLOSING: close_connection(agi, c); break;
    }
}

/* ---- accepting ------------------------------------------------------------------------------ */

static bool among(const struct fastagi *agi, const struct address *remote)
{
    for (size_t i = 0; i < agi->n_allow; i++)
        if (network_has(&agi->allow[i], remote))
            return true;
    return agi->n_allow == 0;
}

/* Without a snapshot nobody can be known; who would be asked on this machine still gets his
 * emergencies through. */
static bool welcome(const struct fastagi *agi, const struct address *remote)
{
    const struct snapshot *snapshot = authorizer_snapshot(agi->authorizer);

    if (!among(agi, remote))
        return false;
    if (!snapshot)
        return agi->n_allow || address_is_loopback(remote);
    snapshot_read_lock();
    bool known = snapshot_switch_by_address(snapshot, remote) != NULL;
    snapshot_read_unlock();
    return known;
}

static void turn_away(struct fastagi *agi, int fd, const struct address *remote)
{
    char address[ADDRESS_TEXT_MAX];

    agi->figures.strangers++;
    close(fd);
    log_warning("agi-stranger", LOG_TEXT("address", address_ip_text(remote, address)));
}

static void add_connection(struct fastagi *agi, int fd, const struct address *remote,
                           struct instant now)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};

    while (agi->open >= agi->connections)
        drop_oldest(agi);
    struct connection *c = take_unused(agi);

    if (!c) {
        agi->figures.crowded++;
        close(fd);
        return;
    }
    event.data.ptr = c;
    c->fd = fd;
    c->phase = PHASE_READING;
    c->remote = *remote;
    c->deadline_ns = now.boot_ns + agi->timeout_ns;
    agi_request_begin(&c->request);
    append_connection(agi, c);
    agi->open++;
    if (epoll_ctl(agi->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        agi->figures.broken++;
        close_connection(agi, c);
        return;
    }
    /* The question is often there already, which spares a turn of the loop. */
    read_connection(agi, c, now);
}

/* Descriptors have run out: the oldest of ours makes room, or else the caller is told by a close. A
 * listener that is left as it is would be reported for ever. */
static void make_room(struct fastagi *agi, int listener)
{
    if (agi->first) {
        drop_oldest(agi);
        return;
    }
    close(agi->spare);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        agi->figures.crowded++;
        close(fd);
    }
    agi->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* False when nobody waits any more. */
static bool accept_one(struct fastagi *agi, int listener, struct instant now)
{
    struct sockaddr_storage ss;
    socklen_t length = sizeof(ss);
    int fd = accept4(listener, (struct sockaddr *)&ss, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            make_room(agi, listener);
        return errno != EAGAIN && errno != EWOULDBLOCK;
    }
    struct address remote = address_of((struct sockaddr *)&ss);

    agi->figures.accepted++;
    if (welcome(agi, &remote))
        add_connection(agi, fd, &remote, now);
    else
        turn_away(agi, fd, &remote);
    return true;
}

static void accept_some(struct fastagi *agi, int listener, unsigned most, struct instant now)
{
    while (most-- && accept_one(agi, listener, now))
        ;
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void end_late(struct fastagi *agi, int64_t now_ns)
{
    while (agi->first && agi->first->deadline_ns <= now_ns) {
        if (agi->first->phase == PHASE_READING)
            agi->figures.late++;
        close_connection(agi, agi->first);
    }
}

static bool is_listener(const struct fastagi *agi, const void *tag)
{
    const int *at = tag;

    return at >= agi->listeners && at < agi->listeners + LISTENERS_MAX;
}

void fastagi_run(struct fastagi *agi)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(agi->epoll, events, EVENTS_MAX, 0);
    struct instant now = clock_now();

    for (int i = 0; i < n; i++)
        if (!is_listener(agi, events[i].data.ptr))
            run_connection(agi, events[i].data.ptr, now);
    /* Only now: accepting may drop a connection that one of the events was about. */
    for (int i = 0; i < n; i++)
        if (is_listener(agi, events[i].data.ptr))
            accept_some(agi, *(int *)events[i].data.ptr, ACCEPTS_MAX, now);
    end_late(agi, now.boot_ns);
}

int fastagi_fd(const struct fastagi *agi)
{
    return agi->epoll;
}

int fastagi_wait_ms(const struct fastagi *agi)
{
    if (!agi->first)
        return -1;
    int64_t left = agi->first->deadline_ns - clock_now().boot_ns;

    return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

void fastagi_drain(struct fastagi *agi)
{
    struct instant now = clock_now();

    for (size_t i = 0; i < agi->n_listeners; i++) {
        accept_some(agi, agi->listeners[i], BACKLOG, now);
        close(agi->listeners[i]);
    }
    agi->n_listeners = 0;
}

/* ---- making and ending ---------------------------------------------------------------------- */

static int open_listener(const struct address *address, int *out, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];
    struct sockaddr_storage ss;
    socklen_t length = address_to(address, &ss);
    const int on = 1;
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return fault(f, ERR_IO, "cannot make a socket for %s: %m", address_text(address, text));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Accepted connections inherit it: the answer must not wait for an acknowledgement. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (address->family == 6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&ss, length) != 0 || listen(fd, BACKLOG) != 0) {
        int err = fault(f, ERR_IO, "cannot listen on %s (fastagi.listen): %m",
                        address_text(address, text));

        close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

static int open_listeners(struct fastagi *agi, const struct address *addresses, size_t n,
                          struct fault *f)
{
    if (n > LISTENERS_MAX)
        return fault(f, ERR_RANGE, "more than %d addresses to listen on", LISTENERS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &agi->listeners[i]};
        int err = open_listener(&addresses[i], &agi->listeners[i], f);

        if (err)
            return err;
        agi->n_listeners++;
        if (epoll_ctl(agi->epoll, EPOLL_CTL_ADD, agi->listeners[i], &event) != 0)
            return fault(f, ERR_IO, "cannot watch a socket: %m");
    }
    return 0;
}

int fastagi_configure(struct fastagi *agi, const struct fastagi_options *options, struct fault *f)
{
    struct network *allow = NULL;

    if (options->n_allow) {
        allow = calloc(options->n_allow, sizeof(*allow));
        if (!allow)
            return fault_nomem(f);
        memcpy(allow, options->allow, options->n_allow * sizeof(*allow));
    }
    free(agi->allow);
    agi->allow = allow;
    agi->n_allow = options->n_allow;
    agi->connections = options->connections ? options->connections : 1;
    agi->timeout_ns = options->timeout_ms * (int64_t)1000000;
    return 0;
}

int fastagi_new(struct fastagi **out, struct authorizer *authorizer, const struct address *listen,
                size_t n_listen, const struct fastagi_options *options, struct fault *f)
{
    struct fastagi *agi = calloc(1, sizeof(*agi));

    if (!agi)
        return fault_nomem(f);
    agi->authorizer = authorizer;
    agi->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    agi->epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = agi->epoll < 0 ? fault(f, ERR_IO, "cannot make an epoll: %m") : 0;

    if (!err)
        err = fastagi_configure(agi, options, f);
    if (!err)
        err = open_listeners(agi, listen, n_listen, f);
    if (err) {
        fastagi_free(agi);
        return err;
    }
    *out = agi;
    return 0;
}

void fastagi_free(struct fastagi *agi)
{
    if (!agi)
        return;
    while (agi->first)
        close_connection(agi, agi->first);
    while (agi->unused) {
        struct connection *c = agi->unused;

        agi->unused = c->later;
        free(c);
    }
    for (size_t i = 0; i < agi->n_listeners; i++)
        close(agi->listeners[i]);
    if (agi->epoll >= 0)
        close(agi->epoll);
    if (agi->spare >= 0)
        close(agi->spare);
    free(agi->allow);
    free(agi);
}

struct address fastagi_address(const struct fastagi *agi, size_t i)
{
    struct sockaddr_storage ss = {0};
    socklen_t length = sizeof(ss);

    if (i < agi->n_listeners)
        getsockname(agi->listeners[i], (struct sockaddr *)&ss, &length);
    return address_of((struct sockaddr *)&ss);
}

struct fastagi_figures fastagi_figures(const struct fastagi *agi)
{
    return agi->figures;
}

size_t fastagi_open(const struct fastagi *agi)
{
    return agi->open;
}
