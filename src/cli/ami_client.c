/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/ami_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "intake/ami_session.h"

struct ami_client {
    int fd;
    struct ami_login login;
    struct ami_session session;
};

/* Splits HOST, HOST:PORT, [HOST]:PORT; a bare IPv6 address has no port. */
static int split(const char *where, char host[256], char port[16], struct fault *f)
{
    const char *colon = strrchr(where, ':');
    const char *close = strchr(where, ']');
    struct span name = span_of(where);

    if (where[0] == '[' && close) {
        name = (struct span){where + 1, (size_t)(close - where) - 1};
        colon = close[1] == ':' ? close + 1 : NULL;
    } else if (colon && strchr(where, ':') == colon) {
        name.n = (size_t)(colon - where);
    } else {
        colon = NULL;
    }
    if (!name.n || name.n > 255 || (colon && (!colon[1] || strlen(colon + 1) > 5)))
        return fault(f, ERR_SYNTAX, "\"%s\" is not HOST or HOST:PORT", ESCAPED(span_of(where)));
    snprintf(host, 256, "%.*s", SPAN_FMT(name));
    snprintf(port, 16, "%s", colon ? colon + 1 : "5038");
    return 0;
}

static int dial(const char *where, int *out, struct fault *f)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval patience = {.tv_sec = 10};
    struct addrinfo *all = NULL;
    char host[256], port[16];
    int fd = -1;

    if (split(where, host, port, f))
        return ERR_SYNTAX;
    int err = getaddrinfo(host, port, &hints, &all);
    if (err)
        return fault(f, ERR_MISSING, "cannot find \"%s\": %s", ESCAPED(span_of(host)),
                     gai_strerror(err));
    errno = 0;
    for (const struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(fd, a->ai_addr, a->ai_addrlen)) {
            int why = errno;

            close(fd);
            fd = -1;
            errno = why;
        }
    }
    freeaddrinfo(all);
    if (fd < 0)
        return fault(f, ERR_TIMEOUT, "cannot reach the manager interface at %s: %m",
                     ESCAPED(span_of(where)));
    *out = fd;
    return 0;
}

static int flush(struct ami_client *c, struct fault *f)
{
    while (c->session.out.n) {
        ssize_t n = send(c->fd, c->session.out.p, c->session.out.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault(f, ERR_TIMEOUT, "cannot write to the manager interface: %m");
        ami_session_sent(&c->session, (size_t)n);
    }
    return c->session.out.failed ? fault_nomem(f) : 0;
}

static int receive(struct ami_client *c, struct fault *f)
{
    char chunk[8192];
    ssize_t n;

    do {
        n = recv(c->fd, chunk, sizeof(chunk), 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return fault(f, ERR_TIMEOUT, "the manager interface does not answer: %m");
    if (n == 0)
        return fault(f, ERR_IO, "the manager interface closed the connection");
    return ami_session_add(&c->session, (struct span){chunk, (size_t)n}, f);
}

int ami_client_open(struct ami_client **out, const char *where, struct fault *f)
{
    struct ami_client *c = calloc(1, sizeof(*c));
    int err;

    if (!c)
        return fault_nomem(f);
    c->fd = -1;
    err = dial(where, &c->fd, f);
    if (err)
        ami_client_close(c);
    else
        *out = c;
    return err;
}

void ami_client_close(struct ami_client *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    ami_session_free(&c->session);
    free(c);
}

/* Takes in what there is; 1: `message` is the next one. */
static int next(struct ami_client *c, struct fault *f)
{
    size_t size;
    int got = ami_session_next(&c->session, &size, f);
    int err = got < 0 ? got : flush(c, f);

    return err ? err : got;
}

int ami_client_login(struct ami_client *c, const char *name, struct span secret, struct fault *f)
{
    uint8_t random[AMI_RANDOM];
    int err = 0;

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return fault(f, ERR_IO, "cannot get random bytes: %m");
    c->login = (struct ami_login){span_of(name), secret, "off"};
    ami_session_begin(&c->session, &c->login, random);
    while (!err && c->session.state != AMI_UP) {
        err = receive(c, f);
        if (!err)
            err = next(c, f);
    }
    return err < 0 ? err : 0;
}

/* Reads on to the next message that answers `id`; others are nobody's. */
static int answer(struct ami_client *c, uint64_t id, struct fault *f)
{
    for (;;) {
        int got = next(c, f);

        if (got == 1 && ami_session_of(&c->session) == id)
            return 0;
        if (got == 0)
            got = receive(c, f);
        if (got < 0)
            return got;
    }
}

int ami_client_list(struct ami_client *c, const char *action, const char *end,
                    int (*each)(const struct ami_message *event, void *arg, struct fault *f),
                    void *arg, struct fault *f)
{
    const struct ami_message *m = &c->session.message;
    uint64_t id = ami_session_act(&c->session, action);
    int err;

    ami_action_end(&c->session.out);
    err = flush(c, f);
    if (!err)
        err = answer(c, id, f);
    if (err || !span_is(ami_message_first(m, "Response"), "Success"))
        return err;
    while (!(err = answer(c, id, f)) && !ami_message_is_event(m, end)) {
        err = each(m, arg, f);
        if (err)
            return err;
    }
    return err;
}
