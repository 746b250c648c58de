/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/ami_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/md5.h"

struct ami_client {
    int fd;
    struct buf in;
    size_t taken; /* bytes at the front of `in` that were read already */
    struct ami_message message;
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

static struct span unread(const struct ami_client *c)
{
    return span_skip(buf_span(&c->in), c->taken);
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
    /* What was taken is forgotten before more comes in: memory does not grow with the list. */
    memmove(c->in.p, c->in.p + c->taken, c->in.n - c->taken);
    c->in.n -= c->taken;
    c->taken = 0;
    buf_add(&c->in, (struct span){chunk, (size_t)n});
    return c->in.failed ? fault_nomem(f) : 0;
}

static int next(struct ami_client *c, struct fault *f)
{
    for (;;) {
        size_t used = 0;
        int got = ami_message_take(unread(c), &used, &c->message);
        int err;

        if (got == 1) {
            c->taken += used;
            return 0;
        }
        if (got < 0)
            return fault(f, got, "the manager interface sent a message of more than %d bytes",
                         AMI_MESSAGE_MAX);
        err = receive(c, f);
        if (err)
            return err;
    }
}

static int greet(struct ami_client *c, const char *where, struct fault *f)
{
    for (;;) {
        struct span version;
        size_t used = 0;
        int got = ami_greeting_take(unread(c), &used, &version);
        int err;

        if (got == 1) {
            c->taken += used;
            return 0;
        }
        if (got < 0)
            return fault(f, ERR_SYNTAX, "what answers at %s is no manager interface of Asterisk",
                         ESCAPED(span_of(where)));
        err = receive(c, f);
        if (err)
            return err;
    }
}

int ami_client_open(struct ami_client **out, const char *where, struct fault *f)
{
    struct ami_client *c = calloc(1, sizeof(*c));
    int err;

    if (!c)
        return fault_nomem(f);
    c->fd = -1;
    buf_puts(&c->in, "");
    buf_putc(&c->in, ' ');
    c->taken = 1;
    err = dial(where, &c->fd, f);
    if (!err)
        err = greet(c, where, f);
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
    buf_free(&c->in);
    free(c);
}

static int say(struct ami_client *c, struct buf *action, struct fault *f)
{
    struct span rest;

    ami_action_end(action);
    if (action->failed)
        return fault_nomem(f);
    rest = buf_span(action);
    while (rest.n) {
        ssize_t n = send(c->fd, rest.p, rest.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault(f, ERR_TIMEOUT, "cannot write to the manager interface: %m");
        rest = span_skip(rest, (size_t)n);
    }
    return 0;
}

/* Reads on to the response; events in between are nobody's. */
static int response(struct ami_client *c, struct fault *f)
{
    int err;

    do {
        err = next(c, f);
    } while (!err && !ami_message_first(&c->message, "Response").p);
    return err;
}

static int succeeded(struct ami_client *c, const char *what, struct fault *f)
{
    if (span_is(ami_message_first(&c->message, "Response"), "Success"))
        return 0;
    return fault(f, ERR_DENIED, "the manager interface refuses %s: %s", what,
                 ESCAPED(ami_message_first(&c->message, "Message")));
}

int ami_client_login(struct ami_client *c, const char *name, struct span secret, struct fault *f)
{
    struct buf action = {0};
    char key[MD5_HEX_SIZE];
    int err = ami_action_field(&action, "Action", SPAN("Challenge"), f);

    if (!err)
        err = ami_action_field(&action, "AuthType", SPAN("MD5"), f);
    if (!err)
        err = say(c, &action, f);
    if (!err)
        err = response(c, f);
    if (!err)
        err = succeeded(c, "a challenge", f);
    if (!err) {
        struct span parts[] = {ami_message_first(&c->message, "Challenge"), secret};

        md5_hex(parts, 2, key);
        buf_clear(&action);
        err = ami_action_field(&action, "Action", SPAN("Login"), f);
    }
    if (!err)
        err = ami_action_field(&action, "AuthType", SPAN("MD5"), f);
    if (!err)
        err = ami_action_field(&action, "Username", span_of(name), f);
    if (!err)
        err = ami_action_field(&action, "Key", span_of(key), f);
    if (!err)
        err = ami_action_field(&action, "Events", SPAN("off"), f);
    if (!err)
        err = say(c, &action, f);
    if (!err)
        err = response(c, f);
    if (!err)
        err = succeeded(c, "the login", f);
    buf_free(&action);
    return err;
}

int ami_client_list(struct ami_client *c, const char *action, const char *end,
                    int (*each)(const struct ami_message *event, void *arg, struct fault *f),
                    void *arg, struct fault *f)
{
    struct buf b = {0};
    int err = ami_action_field(&b, "Action", span_of(action), f);

    if (!err)
        err = ami_action_field(&b, "ActionID", span_of(action), f);
    if (!err)
        err = say(c, &b, f);
    if (!err)
        err = response(c, f);
    if (!err && span_is(ami_message_first(&c->message, "Response"), "Success")) {
        while (!(err = next(c, f)) && !ami_message_is_event(&c->message, end))
            if (span_is(ami_message_first(&c->message, "ActionID"), action)) {
                err = each(&c->message, arg, f);
                if (err)
                    break;
            }
    }
    buf_free(&b);
    return err;
}
