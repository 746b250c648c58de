/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define RAW (64 * 1024)
#define GZIP_WINDOW (16 + MAX_WBITS) /* zlib: a gzip header, and the largest window */

struct cdr_file {
    int fd;
    bool known; /* whether it is compressed */
    bool gzip;
    bool member;        /* within a compressed member */
    const char *damage; /* of the compressed file */
    z_stream z;
    uint64_t raw_read;
    size_t raw_at, raw_n; /* what is left in `raw` */
    size_t at, n;         /* the window is [at, n) of `plain` */
    size_t hashed;        /* up to where `hash` has seen `plain` */
    uint64_t position;    /* of `at` */
    crypto_generichash_state hash;
    unsigned char raw[RAW];
    char plain[CDR_FILE_WINDOW];
};

int cdr_file_open(struct cdr_file **out, const char *path, struct fault *f)
{
    struct cdr_file *file = calloc(1, sizeof(*file));
    struct stat s;

    if (!file)
        return fault_nomem(f);
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file->fd < 0) {
        int err = errno == ENOENT ? ERR_MISSING : ERR_IO;

        fault(f, err, "cannot open %s: %s", path, strerror(errno));
        free(file);
        return err;
    }
    if (fstat(file->fd, &s) || (!S_ISREG(s.st_mode) && !S_ISFIFO(s.st_mode))) {
        cdr_file_close(file);
        return fault(f, ERR_IO, "%s is neither a file nor a pipe", path);
    }
    crypto_generichash_init(&file->hash, NULL, 0, CDR_FILE_DIGEST);
    *out = file;
    return 0;
}

void cdr_file_close(struct cdr_file *file)
{
    if (!file)
        return;
    if (file->gzip)
        inflateEnd(&file->z);
    close(file->fd);
    free(file);
}

/* Up to `room` bytes; 0 at the end. */
static ssize_t read_fd(struct cdr_file *file, void *to, size_t room)
{
    ssize_t got;

    do
        got = read(file->fd, to, room);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        file->raw_read += (uint64_t)got;
    return got;
}

static int fill_raw(struct cdr_file *file, struct fault *f)
{
    if (file->raw_n - file->raw_at > 1)
        return 0;
    memmove(file->raw, file->raw + file->raw_at, file->raw_n - file->raw_at);
    file->raw_n -= file->raw_at;
    file->raw_at = 0;
    ssize_t got = read_fd(file, file->raw + file->raw_n, RAW - file->raw_n);

    if (got < 0)
        return fault(f, ERR_IO, "cannot read: %s", strerror(errno));
    file->raw_n += (size_t)got;
    return 0;
}

/* By the magic of RFC 1952. A file with less than two bytes may yet become anything. */
static int find_kind(struct cdr_file *file, struct fault *f)
{
    int err = fill_raw(file, f);

    if (err || file->raw_n < 2)
        return err;
    file->known = true;
    if (file->raw[0] != 0x1f || file->raw[1] != 0x8b)
        return 0;
    if (inflateInit2(&file->z, GZIP_WINDOW) != Z_OK)
        return fault_nomem(f);
    file->gzip = true;
    return 0;
}

/* Hashes what has been taken, and moves the rest to the front. */
static void make_room(struct cdr_file *file)
{
    crypto_generichash_update(&file->hash, (unsigned char *)file->plain + file->hashed,
                              file->at - file->hashed);
    memmove(file->plain, file->plain + file->at, file->n - file->at);
    file->n -= file->at;
    file->at = 0;
    file->hashed = 0;
}

static int fill_plain(struct cdr_file *file, bool *end, struct fault *f)
{
    while (file->n < CDR_FILE_WINDOW) {
        size_t room = CDR_FILE_WINDOW - file->n, left = file->raw_n - file->raw_at;
        ssize_t got;

        if (left) {
            /* Of the look at the kind. */
            size_t n = left < room ? left : room;

            memcpy(file->plain + file->n, file->raw + file->raw_at, n);
            file->raw_at += n;
            file->n += n;
            continue;
        }
        got = read_fd(file, file->plain + file->n, room);
        if (got < 0)
            return fault(f, ERR_IO, "cannot read: %s", strerror(errno));
        if (got == 0) {
            *end = true;
            break;
        }
        file->n += (size_t)got;
    }
    return 0;
}

/* First what was whole, then the fault. */
static int damaged(struct cdr_file *file, const char *how, struct fault *f)
{
    bool first = !file->damage;

    if (first)
        file->damage = how;
    if (first && file->n > file->at)
        return 0;
    return fault(f, ERR_CORRUPT, "the compressed file is %s behind byte %llu of its content",
                 file->damage, (unsigned long long)file->position + (file->n - file->at));
}

/* Members stand one behind the other (as `cat a.gz b.gz` makes them). */
static int fill_gzip(struct cdr_file *file, bool *end, struct fault *f)
{
    while (file->n < CDR_FILE_WINDOW) {
        int err = fill_raw(file, f), done;
        size_t left = file->raw_n - file->raw_at;

        if (err)
            return err;
        if (left == 0 && !file->member && file->raw_read > 0) {
            *end = true;
            return 0;
        }
        if (left == 0)
            return damaged(file, "cut short", f);
        file->z.next_in = file->raw + file->raw_at;
        file->z.avail_in = (uInt)left;
        file->z.next_out = (unsigned char *)file->plain + file->n;
        file->z.avail_out = (uInt)(CDR_FILE_WINDOW - file->n);
        file->member = true;
        done = inflate(&file->z, Z_NO_FLUSH);
        file->raw_at = file->raw_n - file->z.avail_in;
        file->n = CDR_FILE_WINDOW - file->z.avail_out;
        if (done == Z_STREAM_END) {
            file->member = false;
            if (inflateReset(&file->z) != Z_OK)
                return damaged(file, "damaged", f);
        } else if (done != Z_OK && done != Z_BUF_ERROR) {
            return damaged(file, "damaged", f);
        }
    }
    return 0;
}

int cdr_file_fill(struct cdr_file *file, struct span *window, bool *end, struct fault *f)
{
    int err = 0;

    make_room(file);
    *end = false;
    if (!file->known)
        err = find_kind(file, f);
    if (!err && file->damage)
        err = damaged(file, file->damage, f);
    else if (!err && file->gzip)
        err = fill_gzip(file, end, f);
    else if (!err && file->known)
        err = fill_plain(file, end, f);
    else if (!err)
        *end = true; /* a byte or none, which is no record in any case */
    if (err)
        return err;
    *window = (struct span){file->plain + file->at, file->n - file->at};
    return 0;
}

void cdr_file_take(struct cdr_file *file, size_t n)
{
    file->at += n;
    file->position += n;
}

uint64_t cdr_file_position(const struct cdr_file *file)
{
    return file->position;
}

void cdr_file_digest(const struct cdr_file *file, uint8_t out[CDR_FILE_DIGEST])
{
    crypto_generichash_state hash = file->hash;

    crypto_generichash_update(&hash, (const unsigned char *)file->plain + file->hashed,
                              file->at - file->hashed);
    crypto_generichash_final(&hash, out, CDR_FILE_DIGEST);
}

int cdr_file_skip(struct cdr_file *file, uint64_t position, struct fault *f)
{
    while (file->position < position) {
        struct span window;
        bool end;
        int err = cdr_file_fill(file, &window, &end, f);
        uint64_t n;

        if (err)
            return err;
        n = position - file->position < window.n ? position - file->position : window.n;
        cdr_file_take(file, (size_t)n);
        if (end && file->position < position)
            return fault(f, ERR_MISSING, "the file has %llu bytes of content, not %llu",
                         (unsigned long long)file->position, (unsigned long long)position);
    }
    return 0;
}

void cdr_file_progress(const struct cdr_file *file, uint64_t *done, uint64_t *all)
{
    struct stat s;

    *done = file->raw_read;
    *all = fstat(file->fd, &s) == 0 && S_ISREG(s.st_mode) ? (uint64_t)s.st_size : 0;
}
