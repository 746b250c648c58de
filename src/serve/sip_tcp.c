/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/repeats.h"
#include "serve/farewell.h"
#include "serve/listener.h"
#include "sip/stream.h"

#define EVENTS_MAX 64
#define ACCEPTS_MAX 64 /* in one go, as below: others have their turn */
#define READS_MAX 8
#define IN_FIRST 4096
#define OUT_MAX (128 << 10) /* answers that wait; then nothing more is read */
#define LISTENERS_MAX 8
#define OUT_KEPT 4096
#define FAREWELLS_MAX 256
#define SECOND_NS INT64_C(1000000000)
#define LOOK_NS SECOND_NS /* for switches that are none any more */

struct connection {
    struct connection *earlier, *later;
    int fd;
    bool full;           /* waits until answers can be written */
    bool gone;           /* to be closed */
    bool lost;           /* nothing more can be understood */
    bool told;           /* ... when what was answered last has been read */
    int64_t deadline_ns; /* boot time */
    int64_t heard_ns;
    int64_t switch_id;
    struct address source;
    struct sip_stream stream;
    char *in; /* what has not been understood yet */
    size_t n_in, in_size;
    struct buf out;
    size_t sent; /* of `out` */
};

struct sip_tcp {
    struct authorizer *authorizer;
    struct sip_desk *desk;
    struct sip_tcp_options options;
    int epoll;
    int listeners[LISTENERS_MAX];
    size_t n_listeners;
    int spare; /* given up to take and close a connection when descriptors have run out */
    struct connection *first, *last;
    size_t n;
    struct farewell *farewell;
    int64_t now_ns;
    int64_t change; /* of the snapshot by which all connections are a switch's */
    int64_t looked_ns;
    struct repeats strangers;
    struct sip_tcp_figures figures;
    char reply[SIP_MESSAGE_MAX];
};

/* ---- connections ---------------------------------------------------------------------------- */

static void close_connection(struct sip_tcp *tcp, struct connection *c)
{
    *(c->earlier ? &c->earlier->later : &tcp->first) = c->later;
    *(c->later ? &c->later->earlier : &tcp->last) = c->earlier;
    tcp->n--;
    if (c->fd >= 0)
        close(c->fd);
    free(c->in);
    buf_free(&c->out);
    free(c);
}

/* To close a connection on which something has not been read yet would take the answer back with it. */
static void end_connection(struct sip_tcp *tcp, struct connection *c)
{
    if (c->told && !c->out.n && shutdown(c->fd, SHUT_WR) == 0 &&
        epoll_ctl(tcp->epoll, EPOLL_CTL_DEL, c->fd, NULL) == 0) {
        if (farewell_count(tcp->farewell) >= FAREWELLS_MAX)
            farewell_make_room(tcp->farewell, tcp->now_ns);
        farewell_add(tcp->farewell, c->fd, tcp->now_ns);
        c->fd = -1;
    }
    close_connection(tcp, c);
}

static void watch(struct sip_tcp *tcp, struct connection *c, int how)
{
    struct epoll_event event = {.events = c->full ? EPOLLOUT : EPOLLIN, .data.ptr = c};

    if (epoll_ctl(tcp->epoll, how, c->fd, &event) != 0)
        c->gone = true;
}

/* Begun and not ended is less patiently waited for than nothing at all; bytes that dribble in gain no time. */
static void set_deadline(struct sip_tcp *tcp, struct connection *c, bool whole)
{
    bool begun = c->n_in || c->out.n;

    if (whole || !begun)
        c->heard_ns = tcp->now_ns;
    c->deadline_ns =
        c->heard_ns + (begun ? SIP_TCP_WHOLE_S : (int64_t)tcp->options.timeout_s) * SECOND_NS;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void write_some(struct sip_tcp *tcp, struct connection *c)
{
    bool was_full = c->full;

    while (c->sent < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0) {
            c->gone = true;
            return;
        }
        c->sent += (size_t)n;
    }
    if (c->sent == c->out.n) {
        /* The room is kept where it is as little as nearly all need. */
        if (c->out.cap > OUT_KEPT)
            buf_free(&c->out);
        c->out.n = c->sent = 0;
    }
    c->full = c->out.n > 0;
    if (c->full != was_full)
        watch(tcp, c, EPOLL_CTL_MOD);
}

/* ---- answering ------------------------------------------------------------------------------ */

static void answer_message(struct sip_tcp *tcp, struct connection *c, struct span bytes)
{
    struct sip_packet packet = {.bytes = bytes,
                                .by_length = true,
                                .source = c->source,
                                .reply = tcp->reply,
                                .size = sizeof(tcp->reply)};

    sip_desk_answer(tcp->desk, &packet, 1, clock_now());
    buf_add(&c->out, (struct span){packet.reply, packet.n});
    c->gone |= c->out.failed;
}

static void answer_keepalive(struct connection *c, struct span ends)
{
    if (ends.n >= 4)
        buf_puts(&c->out, "\r\n");
}

/* Where the next message begins nobody knows. Whoever sent this one is told, if it can be told. */
static void lose(struct sip_tcp *tcp, struct connection *c, struct span bytes)
{
    tcp->figures.lost++;
    if (c->stream.header) {
        answer_message(tcp, c, (struct span){bytes.p, c->stream.header});
        c->told = true;
    }
    c->lost = true;
}

/* What has come begins with this. False where nothing is whole. */
static bool answer_one(struct sip_tcp *tcp, struct connection *c, struct span bytes, size_t *used,
                       bool *whole)
{
    struct sip_message m;

    switch (sip_stream_next(&c->stream, bytes, &m, used)) {
    case SIP_STREAM_MORE: return false;
    case SIP_STREAM_MESSAGE:
        answer_message(tcp, c, m.whole);
        *whole = true;
        return true;
    case SIP_STREAM_KEEPALIVE: answer_keepalive(c, (struct span){bytes.p, *used}); return true;
    case SIP_STREAM_LOST: lose(tcp, c, bytes); return false;
    }
    return false;
}

/* All whole messages of what has come, as long as answers are taken. */
static void answer_some(struct sip_tcp *tcp, struct connection *c)
{
    size_t at = 0, used = 0;
    bool whole = false, more = true;

    while (more && !c->gone && !c->lost && !c->full) {
        while (c->out.n < OUT_MAX &&
               (more = answer_one(tcp, c, (struct span){c->in + at, c->n_in - at}, &used, &whole)))
            at += used;
        write_some(tcp, c);
    }
    c->gone |= c->lost;
    c->n_in -= at;
    if (at && c->n_in)
        memmove(c->in, c->in + at, c->n_in);
    set_deadline(tcp, c, whole);
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool grow(struct connection *c)
{
    size_t size = c->in_size ? c->in_size * 2 : IN_FIRST;
    char *p;

    if (c->n_in < c->in_size)
        return true;
    /* A message that is longer is lost before its buffer is full. */
    if (size > 2 * (SIP_MESSAGE_MAX + 1))
        return false;
    p = realloc(c->in, size);
    if (!p)
        return false;
    c->in = p;
    c->in_size = size;
    return true;
}

static void read_some(struct sip_tcp *tcp, struct connection *c)
{
    for (unsigned i = 0; i < READS_MAX && !c->gone && !c->full; i++) {
        if (!grow(c)) {
            tcp->figures.lost++;
            c->gone = true;
            return;
        }
        ssize_t n = recv(c->fd, c->in + c->n_in, c->in_size - c->n_in, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            c->gone = true;
            return;
        }
        c->n_in += (size_t)n;
        answer_some(tcp, c);
    }
}

static void serve(struct sip_tcp *tcp, struct connection *c)
{
    if (c->full)
        write_some(tcp, c);
    /* What waited for room is answered before more is read. */
    if (!c->full && !c->gone && c->n_in)
        answer_some(tcp, c);
    read_some(tcp, c);
    if (c->gone)
        end_connection(tcp, c);
}

/* ---- accepting ------------------------------------------------------------------------------ */

/* 0: nobody's. */
static int64_t switch_of(const struct sip_tcp *tcp, const struct address *source)
{
    const struct levels_gate *gate;
    int64_t id;

    snapshot_read_lock();
    gate = snapshot_switch_by_address(authorizer_snapshot(tcp->authorizer), source);
    id = gate ? gate->id : 0;
    snapshot_read_unlock();
    return id;
}

/* The switch's own connections make room for a new one of it; nobody else's do. */
static bool make_room(struct sip_tcp *tcp, int64_t switch_id)
{
    struct connection *idlest = NULL;
    unsigned n = 0;

    for (struct connection *c = tcp->first; c; c = c->later) {
        if (c->switch_id != switch_id)
            continue;
        n++;
        if (!idlest || c->heard_ns < idlest->heard_ns)
            idlest = c;
    }
    if (n < tcp->options.connections && tcp->n < SIP_TCP_CONNECTIONS_MAX)
        return true;
    tcp->figures.crowded++;
    if (!idlest)
        return false;
    close_connection(tcp, idlest);
    return true;
}

static void add_connection(struct sip_tcp *tcp, int fd, const struct address *source,
                           int64_t switch_id)
{
    struct connection *c = make_room(tcp, switch_id) ? calloc(1, sizeof(*c)) : NULL;
    int one = 1;

    if (!c) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    tcp->figures.accepted++;
    *c = (struct connection){
        .earlier = tcp->last, .fd = fd, .switch_id = switch_id, .source = *source};
    *(tcp->last ? &tcp->last->later : &tcp->first) = c;
    tcp->last = c;
    tcp->n++;
    set_deadline(tcp, c, true);
    watch(tcp, c, EPOLL_CTL_ADD);
    if (c->gone)
        close_connection(tcp, c);
}

static void turn_away(struct sip_tcp *tcp, int fd, const struct address *source)
{
    char text[ADDRESS_TEXT_MAX];

    tcp->figures.strangers++;
    close(fd);
    if (repeats_count(&tcp->strangers, source, tcp->now_ns))
        log_warning("sip-stranger", LOG_TEXT("address", address_ip_text(source, text)));
}

/* Descriptors have run out: whoever waits is told by a close, since a listener that is left as it is would be
 * reported for ever. */
static void refuse_one(struct sip_tcp *tcp, int listener)
{
    close(tcp->spare);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        tcp->figures.crowded++;
        close(fd);
    }
    tcp->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_some(struct sip_tcp *tcp, int listener)
{
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage ss;
        socklen_t length = sizeof(ss);
        int fd = accept4(listener, (struct sockaddr *)&ss, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                refuse_one(tcp, listener);
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                return;
            continue;
        }
        struct address source = address_of((struct sockaddr *)&ss);
        int64_t id = switch_of(tcp, &source);

        if (id)
            add_connection(tcp, fd, &source, id);
        else
            turn_away(tcp, fd, &source);
    }
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void end_late(struct sip_tcp *tcp)
{
    struct connection *next;

    for (struct connection *c = tcp->first; c; c = next) {
        next = c->later;
        if (c->deadline_ns > tcp->now_ns)
            continue;
        if (c->full)
            tcp->figures.unread++;
        else
            tcp->figures.late++;
        close_connection(tcp, c);
    }
}

/* Addresses may have been taken from a switch, or given to another. */
static void end_strangers(struct sip_tcp *tcp)
{
    int64_t change = snapshot_change(authorizer_snapshot(tcp->authorizer));
    struct connection *next;

    if (change == tcp->change || tcp->now_ns - tcp->looked_ns < LOOK_NS)
        return;
    tcp->change = change;
    tcp->looked_ns = tcp->now_ns;
    for (struct connection *c = tcp->first; c; c = next) {
        next = c->later;
        c->switch_id = switch_of(tcp, &c->source);
        if (c->switch_id)
            continue;
        tcp->figures.strangers++;
        close_connection(tcp, c);
    }
}

static void tell_repeats(struct sip_tcp *tcp)
{
    char text[ADDRESS_TEXT_MAX];
    struct address address;
    uint64_t times;

    while (repeats_due(&tcp->strangers, tcp->now_ns, &address, &times))
        log_warning("sip-stranger", LOG_TEXT("address", address_ip_text(&address, text)),
                    LOG_INT("times", times));
}

void sip_tcp_run(struct sip_tcp *tcp, int fd)
{
    struct epoll_event events[EVENTS_MAX];
    int n = fd == tcp->epoll ? epoll_wait(tcp->epoll, events, EVENTS_MAX, 0) : 0;

    tcp->now_ns = clock_now().boot_ns;
    /* Nothing here closes a connection but its own event's. */
    for (int i = 0; i < n; i++)
        serve(tcp, events[i].data.ptr);
    for (size_t i = 0; i < tcp->n_listeners; i++)
        if (tcp->listeners[i] == fd)
            accept_some(tcp, fd);
    end_late(tcp);
    end_strangers(tcp);
    farewell_run(tcp->farewell, tcp->now_ns, SECOND_NS);
    tell_repeats(tcp);
}

int sip_tcp_wait_ms(const struct sip_tcp *tcp)
{
    int64_t due = repeats_due_ns(&tcp->strangers);

    if (tcp->first) /* what was changed in the store does not wake this thread */
        due = tcp->now_ns + LOOK_NS < due ? tcp->now_ns + LOOK_NS : due;
    for (const struct connection *c = tcp->first; c; c = c->later)
        if (c->deadline_ns < due)
            due = c->deadline_ns;
    if (farewell_due_ns(tcp->farewell) < due)
        due = farewell_due_ns(tcp->farewell);
    if (due == INT64_MAX)
        return -1;
    return due <= tcp->now_ns ? 0 : (int)((due - tcp->now_ns) / 1000000) + 1;
}

int sip_tcp_fd(const struct sip_tcp *tcp)
{
    return tcp->epoll;
}

size_t sip_tcp_listeners(const struct sip_tcp *tcp, int *out)
{
    for (size_t i = 0; i < tcp->n_listeners; i++)
        out[i] = tcp->listeners[i];
    return tcp->n_listeners;
}

void sip_tcp_drain(struct sip_tcp *tcp)
{
    for (size_t i = 0; i < tcp->n_listeners; i++) {
        accept_some(tcp, tcp->listeners[i]);
        close(tcp->listeners[i]);
    }
    tcp->n_listeners = 0;
}

size_t sip_tcp_unfinished(const struct sip_tcp *tcp)
{
    size_t n = farewell_count(tcp->farewell);

    for (const struct connection *c = tcp->first; c; c = c->later)
        n += c->n_in || c->out.n;
    return n;
}

/* ---- making and ending ---------------------------------------------------------------------- */

void sip_tcp_configure(struct sip_tcp *tcp, const struct sip_tcp_options *options)
{
    tcp->options = *options;
}

int sip_tcp_new(struct sip_tcp **out, struct authorizer *authorizer,
                const uint8_t key[SIP_KEY_BYTES], const struct address *listen, size_t n_listen,
                const struct sip_tcp_options *options, struct fault *f)
{
    struct sip_tcp *tcp = calloc(1, sizeof(*tcp));
    int err;

    if (!tcp)
        return fault_nomem(f);
    tcp->authorizer = authorizer;
    tcp->options = *options;
    tcp->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    tcp->epoll = epoll_create1(EPOLL_CLOEXEC);
    repeats_begin(&tcp->strangers);
    tcp->farewell = farewell_new();
    err = tcp->epoll < 0   ? fault(f, ERR_IO, "cannot make an epoll: %m")
          : !tcp->farewell ? fault_nomem(f)
                           : sip_desk_new(&tcp->desk, authorizer, key, f);
    if (!err && n_listen > LISTENERS_MAX)
        err = fault(f, ERR_RANGE, "more than %d addresses to listen on", LISTENERS_MAX);
    for (size_t i = 0; i < n_listen && !err; i++) {
        err = listener_tcp(&listen[i], "sip.listen", &tcp->listeners[i], f);
        tcp->n_listeners += !err;
    }
    if (err) {
        sip_tcp_free(tcp);
        return err;
    }
    *out = tcp;
    return 0;
}

void sip_tcp_free(struct sip_tcp *tcp)
{
    if (!tcp)
        return;
    while (tcp->first)
        close_connection(tcp, tcp->first);
    for (size_t i = 0; i < tcp->n_listeners; i++)
        close(tcp->listeners[i]);
    if (tcp->epoll >= 0)
        close(tcp->epoll);
    if (tcp->spare >= 0)
        close(tcp->spare);
    farewell_free(tcp->farewell);
    sip_desk_free(tcp->desk);
    free(tcp);
}

void sip_tcp_figures(const struct sip_tcp *tcp, struct sip_figures *requests,
                     struct sip_tcp_figures *connections)
{
    if (requests)
        sip_desk_figures(tcp->desk, requests);
    if (connections)
        *connections = tcp->figures;
}

struct sip_last sip_tcp_last(const struct sip_tcp *tcp)
{
    return sip_desk_last(tcp->desk);
}
