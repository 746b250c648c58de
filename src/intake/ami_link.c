/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/ami_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 16384
#define CHUNKS 64

void ami_link_init(struct ami_link *link, int epoll)
{
    *link = (struct ami_link){.epoll = epoll, .fd = -1};
}

void ami_link_free(struct ami_link *link)
{
    ami_link_close(link);
    ami_session_free(&link->session);
}

void ami_link_close(struct ami_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

static void watch(struct ami_link *link, int how)
{
    struct epoll_event event = {
        .events = EPOLLIN | (link->connecting || link->session.out.n ? EPOLLOUT : 0u)};

    epoll_ctl(link->epoll, how, link->fd, &event);
}

int ami_link_open(struct ami_link *link, const struct address *server,
                  const struct ami_login *login, struct instant now, struct fault *f)
{
    struct sockaddr_storage to = {0};
    socklen_t n = address_to(server, &to);
    uint8_t random[AMI_RANDOM];

    ami_link_close(link);
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return fault(f, ERR_IO, "cannot get random bytes: %m");
    link->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return fault(f, ERR_IO, "cannot make a socket: %m");
    /* One question follows another: none is to wait for the word that the last one has arrived. */
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    ami_session_begin(&link->session, login, random);
    link->since_ns = link->heard_ns = now.boot_ns;
    link->pinged_ns = 0;
    link->connecting = true;
    if (connect(link->fd, (struct sockaddr *)&to, n) && errno != EINPROGRESS) {
        fault(f, ERR_IO, "cannot connect: %m");
        ami_link_close(link);
        return ERR_IO;
    }
    watch(link, EPOLL_CTL_ADD);
    return 0;
}

/* 1: connected; 0: not yet. */
static int connected(struct ami_link *link, struct fault *f)
{
    struct pollfd p = {.fd = link->fd, .events = POLLOUT};
    socklen_t n = sizeof(int);
    int why = 0;

    if (!link->connecting)
        return 1;
    if (poll(&p, 1, 0) <= 0)
        return 0;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0 && why)
        return fault(f, ERR_IO, "cannot connect: %s", strerror(why));
    link->connecting = false;
    return 1;
}

int ami_link_flush(struct ami_link *link, struct fault *f)
{
    struct ami_session *s = &link->session;

    if (s->out.failed)
        return fault_nomem(f);
    while (s->out.n && !link->connecting) {
        ssize_t n = send(link->fd, s->out.p, s->out.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return fault(f, ERR_IO, "cannot write: %m");
        if (n < 0)
            break;
        ami_session_sent(s, (size_t)n);
    }
    if (s->out.n > AMI_GATHERED_MAX)
        return fault(f, ERR_FULL, "the manager interface does not read what it is sent");
    watch(link, EPOLL_CTL_MOD);
    return 0;
}

static int take_messages(struct ami_link *link, ami_link_message_fn *message, void *arg,
                         struct fault *f)
{
    size_t size;
    int got = ami_session_next(&link->session, &size, f);

    while (got == 1) {
        int err = message(arg, size, f);

        if (err)
            return err;
        got = ami_session_next(&link->session, &size, f);
    }
    return got;
}

/* 1: there may be more. */
static int read_some(struct ami_link *link, struct instant now, ami_link_message_fn *message,
                     void *arg, struct fault *f)
{
    char chunk[CHUNK];

    for (int i = 0; i < CHUNKS; i++) {
        ssize_t n = recv(link->fd, chunk, sizeof(chunk), 0);
        int err;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : fault(f, ERR_IO, "the connection broke: %m");
        if (n == 0)
            return fault(f, ERR_IO, "the manager interface closed the connection");
        link->heard_ns = now.boot_ns;
        link->pinged_ns = 0;
        err = ami_session_add(&link->session, (struct span){chunk, (size_t)n}, f);
        if (!err)
            err = take_messages(link, message, arg, f);
        if (err)
            return err;
        if ((size_t)n < sizeof(chunk))
            return 0;
    }
    return 1;
}

/* Whether the other side still lives. */
static int look_after(struct ami_link *link, struct instant now, struct fault *f)
{
    if (link->session.state != AMI_UP)
        return now.boot_ns - link->since_ns < AMI_PATIENCE_NS ? 0
               : link->connecting ? fault(f, ERR_TIMEOUT, "cannot connect: no answer")
                                  : fault(f, ERR_TIMEOUT, "the login is not answered");
    if (link->pinged_ns)
        return now.boot_ns - link->pinged_ns < AMI_PATIENCE_NS
                   ? 0
                   : fault(f, ERR_TIMEOUT, "the manager interface has gone silent");
    if (now.boot_ns - link->heard_ns >= AMI_PING_NS) {
        ami_session_act(&link->session, "Ping");
        ami_action_end(&link->session.out);
        link->pinged_ns = now.boot_ns;
    }
    return 0;
}

int ami_link_run(struct ami_link *link, struct instant now, ami_link_message_fn *message, void *arg,
                 struct fault *f)
{
    int more = 0;
    int err = connected(link, f);

    if (err == 1)
        more = err = read_some(link, now, message, arg, f);
    if (err >= 0)
        err = look_after(link, now, f);
    if (err >= 0)
        err = ami_link_flush(link, f);
    return err < 0 ? err : more;
}
