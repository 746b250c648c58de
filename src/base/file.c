/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int file_read(const char *path, size_t limit, struct buf *out, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[16384];
    ssize_t n;
    int err = 0;

    if (fd < 0)
        return fault(f, errno == ENOENT ? ERR_MISSING : ERR_IO, "cannot open %s: %m", path);
    buf_clear(out);
    while (!err && (n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err = fault(f, ERR_IO, "cannot read %s: %m", path);
        else if (out->n + (size_t)n > limit)
            err = fault(f, ERR_RANGE, "%s is larger than the %zu bytes allowed", path, limit);
        else
            buf_add(out, (struct span){chunk, (size_t)n});
    }
    close(fd);
    if (!err && out->failed)
        err = fault_nomem(f);
    return err;
}
