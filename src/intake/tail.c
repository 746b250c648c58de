/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (2 * TAIL_LINE_MAX)

#define UNLOOKED_MAX 64

struct tail {
    char *path;
    char *above; /* room for the name of a directory above it */
    int notify;
    int fd; /* -1: no file is being read */
    struct stat file;
    off_t offset;
    bool looked; /* the file of the start, if there was one, is found: later ones are read whole */
    bool
        skipping; /* up to the next line end: a line that is too long or whose begin was not read */
    bool named;   /* at the last look the file that is read had the name */
    unsigned unlooked; /* reads since `path` was looked at */
    size_t n;          /* bytes of a line without an end yet */
    struct tail_figures figures;
    char buf[CHUNK];
};

#define DIRECTORY_EVENTS                                                                           \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |         \
     IN_ATTRIB | IN_ONLYDIR)

/* Watches the nearest directory above the path that exists: its events say when to look again. */
static void watch_above(struct tail *t)
{
    size_t n = strlen(t->path);

    memcpy(t->above, t->path, n + 1);
    for (;;) {
        while (n > 1 && t->above[n - 1] != '/')
            n--;
        while (n > 1 && t->above[n - 1] == '/')
            n--;
        t->above[n] = '\0';
        if (inotify_add_watch(t->notify, t->above, DIRECTORY_EVENTS) >= 0 || n <= 1)
            return;
    }
}

/* True if all that happened is that somebody wrote. What does not fit is there the next time. */
static bool only_written(struct tail *t)
{
    _Alignas(struct inotify_event) char events[64 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    ssize_t n = read(t->notify, events, sizeof(events));
    bool only = n > 0;

    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const void *)(events + at);
        only &= event->mask == IN_MODIFY;
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    return only;
}

int tail_open(struct tail **out, const char *path, struct fault *f)
{
    struct tail *t;

    if (path[0] != '/')
        return fault(f, ERR_SYNTAX, "the path of a log file must be absolute, not \"%s\"",
                     ESCAPED(span_of(path)));
    t = malloc(sizeof(*t));
    if (!t)
        return fault_nomem(f);
    memset(t, 0, offsetof(struct tail, buf));
    t->fd = -1;
    t->path = strdup(path);
    t->above = strdup(path);
    t->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (!t->path || !t->above || t->notify < 0) {
        int err =
            t->notify < 0 ? fault(f, ERR_IO, "cannot watch files: inotify: %m") : fault_nomem(f);
        tail_close(t);
        return err;
    }
    watch_above(t);
    *out = t;
    return 0;
}

void tail_close(struct tail *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    if (t->notify >= 0)
        close(t->notify);
    free(t->path);
    free(t->above);
    free(t);
}

int tail_fd(const struct tail *t)
{
    return t->notify;
}

struct tail_figures tail_figures(const struct tail *t)
{
    return t->figures;
}

static void gap(struct tail *t, enum tail_gap why, const struct tail_sink *sink)
{
    t->n = 0;
    t->skipping = why == TAIL_LONG_LINE;
    sink->gap(sink->arg, why);
}

/* -1 with errno where the name leads to no regular file that can be read. Nothing but a file is ever
 * waited on: a pipe or a device under the name does not hang the daemon. */
static int open_file(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

/* A line whose begin stands before the end that we start at is not read from its middle. */
static void start_at_end(struct tail *t)
{
    char last = '\n';

    t->offset = t->file.st_size;
    if (t->offset > 0 && pread(t->fd, &last, 1, t->offset - 1) == 1)
        t->skipping = last != '\n';
}

/* Whether the name now leads to another file than the one that is read. Without any, tries to open it. */
static bool look(struct tail *t, struct stat *st)
{
    if (stat(t->path, st)) {
        t->figures.error = errno;
        watch_above(t);
        t->named = false;
        return false;
    }
    t->named = t->fd >= 0 && st->st_ino == t->file.st_ino && st->st_dev == t->file.st_dev;
    return !t->named;
}

/* Whether another file is there now. While the one that had the name at the last look is only written to, it is
 * seldom asked: a directory that moved far above has no event. */
static bool look_where_needed(struct tail *t, struct stat *st)
{
    bool written = only_written(t);

    if (written && t->named && ++t->unlooked < UNLOOKED_MAX)
        return false;
    t->unlooked = 0;
    return look(t, st);
}

static void take_file(struct tail *t, const struct tail_sink *sink)
{
    struct stat st;
    bool from_end = !t->looked;
    int fd = open_file(t->path, &st);

    if (fd < 0) {
        t->figures.error = errno;
        return;
    }
    if (t->looked) {
        t->figures.other_files++;
        gap(t, TAIL_OTHER_FILE, sink);
    }
    if (t->fd >= 0)
        close(t->fd);
    t->fd = fd;
    t->file = st;
    t->offset = 0;
    t->looked = true;
    t->figures.open = true;
    t->figures.error = 0;
    if (from_end)
        start_at_end(t);
    watch_above(t);
    /* A file that took its place just now is found by the next look, which the directory's event asks for. */
    inotify_add_watch(t->notify, t->path, IN_MODIFY | IN_ATTRIB);
}

static void check_truncated(struct tail *t, const struct tail_sink *sink)
{
    struct stat st;

    if (fstat(t->fd, &st) == 0 && st.st_size < t->offset) {
        t->offset = 0;
        t->figures.truncations++;
        gap(t, TAIL_TRUNCATED, sink);
    }
}

static void line(struct tail *t, struct span s, const struct tail_sink *sink)
{
    if (t->skipping) {
        t->skipping = false;
        return;
    }
    if (s.n && s.p[s.n - 1] == '\r')
        s.n--;
    t->figures.lines++;
    sink->line(sink->arg, s);
}

/* Takes the lines that have ended out of the buffer. `got` bytes came in behind the `t->n` before. */
static void split(struct tail *t, size_t got, const struct tail_sink *sink)
{
    struct span rest = {t->buf, t->n + got};
    char *end = memchr(t->buf + t->n, '\n', got);

    while (end) {
        size_t n = (size_t)(end - rest.p);

        line(t, (struct span){rest.p, n}, sink);
        rest = span_skip(rest, n + 1);
        end = rest.n ? memchr((char *)rest.p, '\n', rest.n) : NULL;
    }
    t->n = rest.n;
    memmove(t->buf, rest.p, rest.n);
    if (t->skipping) {
        t->n = 0;
    } else if (t->n > TAIL_LINE_MAX) {
        t->figures.long_lines++;
        gap(t, TAIL_LONG_LINE, sink);
    }
}

enum got {
    READ_NONE,
    READ_LESS,
    READ_ALL
}; /* of what there was room for; READ_NONE at the end of the file */

static enum got read_some(struct tail *t, const struct tail_sink *sink)
{
    size_t room = sizeof(t->buf) - t->n;
    ssize_t got = pread(t->fd, t->buf + t->n, room, t->offset);

    if (got <= 0)
        return READ_NONE;
    t->offset += got;
    t->figures.bytes += (uint64_t)got;
    split(t, (size_t)got, sink);
    return (size_t)got < room ? READ_LESS : READ_ALL;
}

bool tail_read(struct tail *t, size_t budget, const struct tail_sink *sink)
{
    uint64_t stop = t->figures.bytes + budget;
    struct stat st;
    enum got got;

    /* Asked before the old file is read to its end: what is written in between is read too. */
    bool other = look_where_needed(t, &st);

    if (t->fd >= 0) {
        check_truncated(t, sink);
        while ((got = read_some(t, sink)) != READ_NONE) {
            if (t->figures.bytes >= stop)
                return true;
            if (got == READ_LESS && !other)
                break; /* what comes now has its event */
        }
    }
    if (other && (t->fd < 0 || st.st_size > 0)) {
        take_file(t, sink);
        return t->fd >= 0 && t->offset < t->file.st_size;
    }
    t->looked = true;
    return false;
}
