/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/never_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "enforce/trust.h"

#define FILE_MAX (1024 * 1024)

static const char head[] =
    "# Networks that Sekisho never bans, one a line, as wide as you like. Read when sekishod "
    "starts.\n"
    "# 関所が決して遮断しないネットワーク。一行に一つ。sekishod の起動時に読まれる。\n"
    "#\n"
    "#   ceiling ipv4 16    no wider IPv4 network is banned (16 to 32)\n"
    "#   ceiling ipv6 32    no wider IPv6 network is banned (32 to 128)\n"
    "#   never-port 22      not a SIP port, whatever the configuration says; 22 is one always\n";

static int check_owner(const char *path, int fd, struct fault *f)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return fault(f, ERR_IO, "cannot look at %s: %m", path);
    if (!S_ISREG(st.st_mode))
        return fault(f, ERR_DENIED, "%s is not a plain file", path);
    if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
        return fault(
            f, ERR_DENIED,
            "%s must belong to root and be writable by nobody else: chown root, chmod go-w", path);
    return st.st_size > FILE_MAX ? fault(f, ERR_RANGE, "%s is longer than %d bytes", path, FILE_MAX)
                                 : 0;
}

static int read_all(const char *path, int fd, struct buf *out, struct fault *f)
{
    char piece[4096];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0 && out->n <= FILE_MAX)
        buf_add(out, (struct span){piece, (size_t)n});
    if (n < 0)
        return fault(f, ERR_IO, "cannot read %s: %m", path);
    return out->failed ? fault_nomem(f) : 0;
}

struct found {
    struct limits *limits;
    struct buf text;
};

static void trust_found(void *context, const struct network *network, const char *why)
{
    struct found *found = context;
    char text[ADDRESS_TEXT_MAX];

    network_text(network, text);
    limits_trust(found->limits, network);
    buf_printf(&found->text, "%s  # %s\n", text, why);
    log_info("never-ban", LOG_TEXT("network", text), LOG_TEXT("why", why));
}

/* The first start: whoever installs Sekisho over SSH is not locked out by it. */
static void make_file(const char *path, struct limits *limits)
{
    struct found found = {.limits = limits};

    buf_puts(&found.text, head);
    trust_ssh("/proc", getenv("SSH_CONNECTION"), trust_found, &found);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0 || found.text.failed ||
        write(fd, found.text.p, found.text.n) != (ssize_t)found.text.n || fchmod(fd, 0644) != 0 ||
        fsync(fd) != 0)
        log_warning("never-ban-file", LOG_TEXT("path", path), LOG_TEXT("error", strerror(errno)));
    if (fd >= 0)
        close(fd);
    buf_free(&found.text);
}

static void trust_quietly(void *context, const struct network *network, const char *why)
{
    limits_trust(context, network);
}

int never_file_read(const char *path, struct limits *limits, struct fault *f)
{
    struct buf text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int err = 0;

    if (fd < 0 && errno == ENOENT) {
        make_file(path, limits);
    } else if (fd < 0) {
        err = fault(f, ERR_IO, "cannot open %s: %m", path);
    } else {
        err = check_owner(path, fd, f);
        if (!err)
            err = read_all(path, fd, &text, f);
        if (!err && limits_read(limits, buf_span(&text), f) != 0)
            err = fault_in(f, "%s", path);
        close(fd);
    }
    buf_free(&text);
    return err ? err : trust_own(trust_quietly, limits, f);
}
