/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/fastagi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/repeats.h"
#include "serve/agi_answer.h"
#include "serve/agi_request.h"
#include "serve/farewell.h"
#include "serve/listener.h"

#define EVENTS_MAX 256
#define ACCEPTS_MAX 256 /* in one go, so that those who are accepted get their turn */
#define LIKELY_TIMES 8
#define READ_SIZE 4096

/* A connection whose question is not whole yet. They stand in one list in the order of their deadlines,
 * since all get the same time. */
struct connection {
    struct connection *earlier, *later;
    int fd;
    bool watched;        /* by `epoll` */
    int64_t deadline_ns; /* boot time */
    struct address remote;
    struct agi_request request;
};

struct listener {
    int fd;
    unsigned likely; /* connections the next time that there are some */
    unsigned right;  /* how many times in a row there were not less */
};

struct fastagi {
    struct authorizer *authorizer;
    int epoll;
    int spare; /* given up to take and close a connection when descriptors have run out */
    struct listener listeners[FASTAGI_LISTENERS_MAX];
    size_t n_listeners;
    int64_t now_ns; /* of the last run */
    struct network *allow;
    size_t n_allow;
    unsigned connections;
    int64_t timeout_ns;
    struct connection *first, *last;     /* soonest deadline first */
    struct connection *unused;           /* chained by `later` */
    size_t reading;                      /* from `first` to `last` */
    struct farewell *farewell;           /* who has been answered */
    struct repeats strangers, malformed; /* what of them is in the log */
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

/* Its descriptor is somebody else's from now on. */
static void forget_connection(struct fastagi *agi, struct connection *c)
{
    unlink_connection(agi, c);
    c->later = agi->unused;
    agi->unused = c;
    agi->reading--;
}

static void close_connection(struct fastagi *agi, struct connection *c)
{
    close(c->fd);
    forget_connection(agi, c);
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

/* Who has his answer goes before who still waits for one. False if there was nobody. */
static bool make_room(struct fastagi *agi, int64_t now_ns)
{
    if (farewell_count(agi->farewell)) {
        agi->figures.crowded += farewell_make_room(agi->farewell, now_ns);
        return true;
    }
    if (!agi->first)
        return false;
    agi->figures.crowded++;
    close_connection(agi, agi->first);
    return true;
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

static void refuse_question(struct fastagi *agi, const struct connection *c, const struct fault *f,
                            int64_t now_ns, enum number_class *class, struct verdict *verdict)
{
    char address[ADDRESS_TEXT_MAX];

    *class = CLASS_MALFORMED;
    *verdict = (struct verdict){.action = VERDICT_DENY, .reason = REASON_MALFORMED};
    agi->figures.malformed++;
    if (repeats_count(&agi->malformed, &c->remote, now_ns))
        log_warning("agi-malformed",
                    LOG_TEXT("switch_address", address_ip_text(&c->remote, address)),
                    LOG_TEXT("fault", f->text));
}

/*
 * Answers, and lets the connection end: after our end of file Asterisk runs through all the commands
 * that it has buffered, without one it would stop after the first. Its replies say nothing that we need,
 * so only its own end is waited for; closing at once could reset the connection before it has read.
 * MSG_MORE keeps the answer until shutdown() sends it together with our end, in one segment.
 */
static void answer(struct fastagi *agi, struct connection *c, struct instant now)
{
    struct agi_question question;
    enum number_class class;
    struct verdict verdict;
    char text[AGI_ANSWER_MAX];
    struct fault f;

    if (agi_request_question(&c->request, &question, &f) == 0)
        decide_question(agi, c, &question, now, &class, &verdict);
    else
        refuse_question(agi, c, &f, now.boot_ns, &class, &verdict);
    size_t n = agi_answer(class, &verdict, text);
    /* The first bytes of a connection always fit its send buffer: a short write is a broken one. */
    if (send(c->fd, text, n, MSG_NOSIGNAL | MSG_MORE) != (ssize_t)n ||
        shutdown(c->fd, SHUT_WR) != 0 ||
        (c->watched && epoll_ctl(agi->epoll, EPOLL_CTL_DEL, c->fd, NULL) != 0)) {
        agi->figures.broken++;
        close_connection(agi, c);
        return;
    }
    agi->figures.answered++;
    farewell_add(agi->farewell, c->fd, now.boot_ns);
    forget_connection(agi, c);
}

/* The rest of the question is still to come. Edge-triggered: what came meanwhile is told at once. */
static void watch(struct fastagi *agi, struct connection *c)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};

    if (c->watched)
        return;
    c->watched = true;
    if (epoll_ctl(agi->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        agi->figures.broken++;
        close_connection(agi, c);
    }
}

static void read_connection(struct fastagi *agi, struct connection *c, struct instant now)
{
    char bytes[READ_SIZE];

    for (;;) {
        ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch(agi, c);
            return;
        }
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

static void turn_away(struct fastagi *agi, int fd, const struct address *remote, int64_t now_ns)
{
    char address[ADDRESS_TEXT_MAX];

    agi->figures.strangers++;
    close(fd);
    if (repeats_count(&agi->strangers, remote, now_ns))
        log_warning("agi-stranger", LOG_TEXT("address", address_ip_text(remote, address)));
}

static void add_connection(struct fastagi *agi, int fd, const struct address *remote,
                           struct instant now)
{
    while (fastagi_open(agi) >= agi->connections && make_room(agi, now.boot_ns))
        ;
    struct connection *c = take_unused(agi);

    if (!c) {
        agi->figures.crowded++;
        close(fd);
        return;
    }
    c->fd = fd;
    c->watched = false;
    c->remote = *remote;
    c->deadline_ns = now.boot_ns + agi->timeout_ns;
    agi_request_begin(&c->request);
    append_connection(agi, c);
    agi->reading++;
    /* The question is often there already, and then nothing needs watching. */
    read_connection(agi, c, now);
}

/* Descriptors have run out: one of ours makes room, or else the caller is told by a close. A listener
 * that is left as it is would be reported for ever. */
static void make_descriptor(struct fastagi *agi, int listener, int64_t now_ns)
{
    if (make_room(agi, now_ns))
        return;
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
            make_descriptor(agi, listener, now.boot_ns);
        return errno != EAGAIN && errno != EWOULDBLOCK;
    }
    struct address remote = address_of((struct sockaddr *)&ss);

    agi->figures.accepted++;
    if (welcome(agi, &remote))
        add_connection(agi, fd, &remote, now);
    else
        turn_away(agi, fd, &remote, now.boot_ns);
    return true;
}

/* Returns how many there were; `most` if there may be more. */
static unsigned accept_some(struct fastagi *agi, int listener, unsigned most, struct instant now)
{
    unsigned n = 0;

    while (n < most && accept_one(agi, listener, now))
        n++;
    return n;
}

/* To find that nobody waits any more costs a call too, and a listener that was left too early is told of
 * again: so as many are taken as there were lately, and more of them once that was not enough for long. */
static void accept_likely(struct fastagi *agi, struct listener *listener, struct instant now)
{
    unsigned n = accept_some(agi, listener->fd, listener->likely, now);

    if (n < listener->likely) {
        listener->likely = n ? n : 1;
        listener->right = 0;
    } else if (++listener->right >= LIKELY_TIMES) {
        listener->likely = n * 2 < ACCEPTS_MAX ? n * 2 : ACCEPTS_MAX;
        listener->right = 0;
    }
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void end_late(struct fastagi *agi, int64_t now_ns)
{
    while (agi->first && agi->first->deadline_ns <= now_ns) {
        agi->figures.late++;
        close_connection(agi, agi->first);
    }
    farewell_run(agi->farewell, now_ns, agi->timeout_ns);
}

static void tell_repeats(struct fastagi *agi, int64_t now_ns)
{
    char text[ADDRESS_TEXT_MAX];
    struct address address;
    uint64_t times;

    while (repeats_due(&agi->strangers, now_ns, &address, &times))
        log_warning("agi-stranger", LOG_TEXT("address", address_ip_text(&address, text)),
                    LOG_INT("times", times));
    while (repeats_due(&agi->malformed, now_ns, &address, &times))
        log_warning("agi-malformed", LOG_TEXT("switch_address", address_ip_text(&address, text)),
                    LOG_INT("times", times));
}

/* Nothing here closes a connection but its own event's. */
static void read_some(struct fastagi *agi, struct instant now)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(agi->epoll, events, EVENTS_MAX, 0);

    for (int i = 0; i < n; i++)
        read_connection(agi, events[i].data.ptr, now);
}

void fastagi_run(struct fastagi *agi, int fd)
{
    struct instant now = clock_now();

    agi->now_ns = now.boot_ns;
    if (fd == agi->epoll)
        read_some(agi, now);
    for (size_t i = 0; i < agi->n_listeners; i++)
        if (agi->listeners[i].fd == fd)
            accept_likely(agi, &agi->listeners[i], now);
    end_late(agi, now.boot_ns);
    tell_repeats(agi, now.boot_ns);
}

int fastagi_fd(const struct fastagi *agi)
{
    return agi->epoll;
}

size_t fastagi_listeners(const struct fastagi *agi, int out[FASTAGI_LISTENERS_MAX])
{
    for (size_t i = 0; i < agi->n_listeners; i++)
        out[i] = agi->listeners[i].fd;
    return agi->n_listeners;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int fastagi_wait_ms(const struct fastagi *agi)
{
    int64_t due = farewell_due_ns(agi->farewell);

    due = sooner(due, agi->first ? agi->first->deadline_ns : INT64_MAX);
    due = sooner(due, sooner(repeats_due_ns(&agi->strangers), repeats_due_ns(&agi->malformed)));
    if (due == INT64_MAX)
        return -1;
    return due <= agi->now_ns ? 0 : (int)((due - agi->now_ns) / 1000000) + 1;
}

void fastagi_drain(struct fastagi *agi)
{
    struct instant now = clock_now();

    for (size_t i = 0; i < agi->n_listeners; i++) {
        accept_some(agi, agi->listeners[i].fd, LISTENER_BACKLOG, now);
        close(agi->listeners[i].fd);
    }
    agi->n_listeners = 0;
}

/* ---- making and ending ---------------------------------------------------------------------- */

static int open_listeners(struct fastagi *agi, const struct address *addresses, size_t n,
                          struct fault *f)
{
    int err = 0;

    if (n > FASTAGI_LISTENERS_MAX)
        return fault(f, ERR_RANGE, "more than %d addresses to listen on", FASTAGI_LISTENERS_MAX);
    for (size_t i = 0; i < n && !err; i++) {
        err = listener_tcp(&addresses[i], "fastagi.listen", &agi->listeners[i].fd, f);
        agi->listeners[i].likely = 1;
        agi->n_listeners += !err;
    }
    return err;
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

    repeats_begin(&agi->strangers);
    repeats_begin(&agi->malformed);
    agi->farewell = farewell_new();
    if (!err && !agi->farewell)
        err = fault_nomem(f);
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
        close(agi->listeners[i].fd);
    farewell_free(agi->farewell);
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
        getsockname(agi->listeners[i].fd, (struct sockaddr *)&ss, &length);
    return address_of((struct sockaddr *)&ss);
}

struct fastagi_figures fastagi_figures(const struct fastagi *agi)
{
    return agi->figures;
}

size_t fastagi_open(const struct fastagi *agi)
{
    return agi->reading + farewell_count(agi->farewell);
}
