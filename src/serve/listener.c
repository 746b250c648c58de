/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int open_tcp(const struct address *address, int *out)
{
    struct sockaddr_storage ss;
    socklen_t length = address_to(address, &ss);
    int one = 1;
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (ss.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&ss, length) != 0 || listen(fd, LISTENER_BACKLOG) != 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    *out = fd;
    return 0;
}

int listener_tcp(const struct address *address, const char *key, int *fd, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];

    if (open_tcp(address, fd) == 0)
        return 0;
    return fault(f, ERR_IO, "cannot listen on %s (%s): %m", address_text(address, text), key);
}

static int name_socket(const char *path, struct sockaddr_un *out, struct fault *f)
{
    size_t n = strlen(path);

    if (!n || n >= sizeof(out->sun_path))
        return fault(f, ERR_RANGE,
                     "the socket's path \"%s\" (http.socket) must have 1 to %zu bytes",
                     ESCAPED(span_of(path)), sizeof(out->sun_path) - 1);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, n + 1);
    return 0;
}

/* Is the name free, or of a socket on which nobody listens? */
static int check_free(const char *path, const struct sockaddr_un *name, struct fault *f)
{
    struct stat st;
    bool listens;
    int fd;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : fault(f, ERR_IO, "cannot look at %s: %m", path);
    if (!S_ISSOCK(st.st_mode))
        return fault(f, ERR_CONFLICT,
                     "%s (http.socket) is there and is no socket; it is left as it is", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault(f, ERR_IO, "cannot make a socket: %m");
    listens =
        connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0 || errno != ECONNREFUSED;
    close(fd);
    if (listens)
        return fault(f, ERR_CONFLICT, "somebody listens on %s (http.socket) already", path);
    return 0;
}

int listener_unix(const char *path, int *out, struct fault *f)
{
    struct sockaddr_un name;
    struct sockaddr_un draft;
    char draft_path[sizeof(name.sun_path) + 8];
    int fd;
    int rc = name_socket(path, &name, f);

    if (!rc)
        rc = check_free(path, &name, f);
    if (rc)
        return rc;
    snprintf(draft_path, sizeof(draft_path), "%s.new", path);
    rc = name_socket(draft_path, &draft, f);
    if (rc)
        return rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault(f, ERR_IO, "cannot make a socket: %m");
    unlink(draft_path);
    if (bind(fd, (struct sockaddr *)&draft, sizeof(draft)) != 0 || chmod(draft_path, 0660) != 0 ||
        listen(fd, LISTENER_BACKLOG) != 0 || rename(draft_path, path) != 0) {
        rc = fault(f, ERR_IO, "cannot listen on %s (http.socket): %m", path);
        unlink(draft_path);
        close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

void listener_unlink(const char *path, int fd)
{
    struct sockaddr_un name;
    int probe;

    /* Another process may have taken the name meanwhile: then somebody answers who is not us. */
    if (name_socket(path, &name, NULL) != 0)
        return;
    shutdown(fd, SHUT_RDWR);
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    if (connect(probe, (struct sockaddr *)&name, sizeof(name)) != 0 && errno == ECONNREFUSED)
        unlink(path);
    close(probe);
}

int listener_peer_uid(int fd, unsigned *uid, struct fault *f)
{
    struct ucred who;
    socklen_t length = sizeof(who);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
        return fault(f, ERR_IO, "cannot tell who is on the Unix socket: %m");
    *uid = who.uid;
    return 0;
}
