/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_TAIL_H
#define SEKISHO_INTAKE_TAIL_H

#include <stdint.h>

#include "base/fault.h"

/*
 * Follows a log file by name and hands its lines on. It never waits: inotify says when to look, and what
 * is true is asked of the file system each time that it looks, so that an event that was lost or never
 * sent (a symbolic link, a network file system) costs time only. Call tail_read() when tail_fd() is
 * readable, and once a second besides.
 *
 * - A file, or a directory above it, that does not exist yet is waited for, and read from its first byte
 *   when it comes. One that is there at the start is read from its end, however large it is.
 * - Renamed or deleted: the old file is read on until the new one has bytes in it, for a writer goes on
 *   in the old one until it is told to open its log again.
 * - Truncated (copytruncate): read from the first byte again. What was written and cut off between two
 *   looks is lost; so is, unnoticed, a file that grew beyond its old length in that time.
 * - A line of more than TAIL_LINE_MAX bytes is left out, and is a gap.
 */
#define TAIL_LINE_MAX (64 * 1024)

/* Why a line may not follow from the one before it. */
enum tail_gap {
    TAIL_OTHER_FILE, /* the next line is the first of another file */
    TAIL_TRUNCATED,
    TAIL_LONG_LINE,
};

struct tail_sink {
    /* Without its line end (LF or CR LF); any byte but LF. Borrowed for the call. */
    void (*line)(void *arg, struct span line);
    void (*gap)(void *arg, enum tail_gap why);
    void *arg;
};

struct tail_figures {
    bool open;      /* a file is being read */
    int error;      /* errno of the last try to open it, 0 when that went well; ENOENT is waiting */
    uint64_t bytes; /* read since the start */
    uint64_t lines; /* handed on */
    uint64_t long_lines;  /* left out */
    uint64_t other_files; /* times that another file was found under the name */
    uint64_t truncations;
};

struct tail;

/* `path` is absolute, and is copied. Only lack of memory and of inotify instances are errors. */
int tail_open(struct tail **out, const char *path, struct fault *f);
void tail_close(struct tail *t);

/* Becomes readable when there is something to look at. Owned by `t`, the same from open to close. */
int tail_fd(const struct tail *t);

/* Hands on the lines of at most about `budget` bytes. True where there may be more to read at once. */
bool tail_read(struct tail *t, size_t budget, const struct tail_sink *sink);

struct tail_figures tail_figures(const struct tail *t);

#endif
