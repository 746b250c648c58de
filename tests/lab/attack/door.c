/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sip/stream.h"

#define MESSAGE_MAX 65536

struct connection {
    int fd; /* -1: none; -2: it failed, and is not tried again */
    struct buf unused;
    struct sip_stream stream;
};

struct door {
    struct address to;
    struct sockaddr_storage peer;
    socklen_t peer_n;
    int udp;
    uint16_t port;
    unsigned n;
    struct connection *connections;
    struct pollfd *polls; /* n, or 1 */
    char bytes[MESSAGE_MAX];
};

static int open_udp(const struct address *to, uint16_t port)
{
    bool six = to->family == 6;
    struct address any = {.family = to->family, .port = port};
    struct sockaddr_storage at;
    socklen_t n = address_to(&any, &at);
    int yes = 1, room = 32 << 20;
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    if ((six ? setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &yes, sizeof(yes)) ||
                   setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes))
             : setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &yes, sizeof(yes))) ||
        bind(fd, (struct sockaddr *)&at, n)) {
        close(fd);
        return -1;
    }
    return fd;
}

struct door *door_open(const struct address *to, uint16_t port, unsigned sources)
{
    struct door *door = calloc(1, sizeof(*door));

    if (!door)
        return NULL;
    door->to = *to;
    door->peer_n = address_to(to, &door->peer);
    door->port = port;
    door->n = sources;
    door->udp = sources ? -1 : open_udp(to, port);
    door->polls = calloc(sources + 1, sizeof(*door->polls));
    door->connections = calloc(sources + 1, sizeof(*door->connections));
    if (!door->polls || !door->connections || (!sources && door->udp < 0)) {
        door->n = 0;
        door_close(door);
        return NULL;
    }
    for (unsigned i = 0; i < sources; i++)
        door->connections[i].fd = -1;
    return door;
}

void door_close(struct door *door)
{
    if (!door)
        return;
    for (unsigned i = 0; i < door->n; i++) {
        if (door->connections[i].fd >= 0)
            close(door->connections[i].fd);
        buf_free(&door->connections[i].unused);
    }
    if (door->udp >= 0)
        close(door->udp);
    free(door->connections);
    free(door->polls);
    free(door);
}

static bool send_udp(struct door *door, const struct address *from, struct span message)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {(void *)message.p, message.n};
    struct msghdr m = {.msg_name = &door->peer,
                       .msg_namelen = door->peer_n,
                       .msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control};
    struct in_pktinfo four = {0};
    struct in6_pktinfo six = {0};
    bool is_six = from->family == 6;
    size_t size = is_six ? sizeof(six) : sizeof(four);

    m.msg_controllen = CMSG_SPACE(size);
    memcpy(&four.ipi_spec_dst, from->ip, 4);
    memcpy(&six.ipi6_addr, from->ip, 16);
    CMSG_FIRSTHDR(&m)->cmsg_level = is_six ? IPPROTO_IPV6 : IPPROTO_IP;
    CMSG_FIRSTHDR(&m)->cmsg_type = is_six ? IPV6_PKTINFO : IP_PKTINFO;
    CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), is_six ? (void *)&six : (void *)&four, size);
    /* An error that an earlier packet met is told once, and is not this one's. */
    return sendmsg(door->udp, &m, 0) >= 0 || sendmsg(door->udp, &m, 0) >= 0;
}

/* Waits for at most half a second: a banned source is not let in. */
static int connect_from(const struct door *door, const struct address *from)
{
    struct timeval patience = {.tv_usec = 500000};
    struct sockaddr_storage at;
    socklen_t n = address_to(from, &at);
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    if (fd < 0)
        return -2;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (bind(fd, (struct sockaddr *)&at, n) ||
        connect(fd, (const struct sockaddr *)&door->peer, door->peer_n) ||
        fcntl(fd, F_SETFL, O_NONBLOCK)) {
        close(fd);
        return -2;
    }
    return fd;
}

bool door_send(struct door *door, unsigned i, const struct address *from, struct span message)
{
    struct connection *c = &door->connections[i];
    ssize_t sent;

    if (!door->n)
        return send_udp(door, from, message);
    if (c->fd == -1)
        c->fd = connect_from(door, from);
    if (c->fd < 0)
        return false;
    sent = send(c->fd, message.p, message.n, MSG_NOSIGNAL);
    if (sent >= 0 && (size_t)sent < message.n) { /* half a message: nothing can follow it */
        close(c->fd);
        c->fd = -2;
    }
    return sent == (ssize_t)message.n;
}

static void hear_udp(struct door *door, door_heard_fn *heard, void *context)
{
    ssize_t n;

    for (int i = 0; i < 256; i++) {
        n = recv(door->udp, door->bytes, sizeof(door->bytes), 0);
        if (n < 0 && errno != ECONNREFUSED)
            return;
        if (n > 0)
            heard(context, (struct span){door->bytes, (size_t)n});
    }
}

static void hear_tcp(struct door *door, struct connection *c, door_heard_fn *heard, void *context)
{
    ssize_t n = recv(c->fd, door->bytes, sizeof(door->bytes), 0);
    size_t used = 0, one;
    struct sip_message message;
    enum sip_stream_found found;

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            close(c->fd);
            c->fd = -2;
        }
        return;
    }
    buf_add(&c->unused, (struct span){door->bytes, (size_t)n});
    for (;;) {
        struct span rest = span_skip(buf_span(&c->unused), used);

        found = sip_stream_next(&c->stream, rest, &message, &one);
        if (found == SIP_STREAM_MORE || found == SIP_STREAM_LOST)
            break;
        if (found == SIP_STREAM_MESSAGE)
            heard(context, message.whole);
        used += one;
    }
    if (found == SIP_STREAM_LOST)
        used = c->unused.n;
    memmove(c->unused.p, c->unused.p + used, c->unused.n - used);
    c->unused.n -= used;
}

void door_listen(struct door *door, int64_t ns, door_heard_fn *heard, void *context)
{
    struct timespec wait = {ns / 1000000000, ns % 1000000000};
    unsigned n = door->n ? door->n : 1;

    for (unsigned i = 0; i < n; i++) /* poll passes over what is negative */
        door->polls[i] =
            (struct pollfd){.fd = door->n ? door->connections[i].fd : door->udp, .events = POLLIN};
    if (ns < 0)
        wait = (struct timespec){0};
    if (ppoll(door->polls, n, &wait, NULL) <= 0)
        return;
    if (!door->n) {
        hear_udp(door, heard, context);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        if (door->polls[i].revents)
            hear_tcp(door, &door->connections[i], heard, context);
}
