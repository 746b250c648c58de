/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_FILE_H
#define SEKISHO_INTAKE_CDR_FILE_H

#include <stdint.h>

#include "base/fault.h"

/*
 * A file of records, plain or compressed by gzip (told by its first bytes, whatever its name), as a window of
 * plain bytes that moves on. Memory is bounded, however large the file is.
 *
 * All positions are in plain bytes, and the digest is of all plain bytes before the position (BLAKE2b, 32 bytes): the same
 * content under another name, or compressed, has the same digests, and a file that had been read up to some
 * position and has grown since is known by the digest at that position.
 */

#define CDR_FILE_WINDOW (512 * 1024)
#define CDR_FILE_DIGEST 32

struct cdr_file;

/* ERR_MISSING, ERR_IO with a sentence. Only regular files and pipes. */
int cdr_file_open(struct cdr_file **out, const char *path, struct fault *f);
void cdr_file_close(struct cdr_file *file);

/*
 * Reads on, as far as there is room, and says what stands at the position: of CDR_FILE_WINDOW bytes at least half,
 * where the file has so many. `*end`: the file has no more now; a plain file may later, and is then read on.
 * A compressed file that is cut short or damaged gives the bytes before that, and then ERR_CORRUPT.
 */
int cdr_file_fill(struct cdr_file *file, struct span *window, bool *end, struct fault *f);

/* Done with the first `n` bytes of the window, which stays where it is until the next fill. */
void cdr_file_take(struct cdr_file *file, size_t n);

uint64_t cdr_file_position(const struct cdr_file *file);
void cdr_file_digest(const struct cdr_file *file, uint8_t out[CDR_FILE_DIGEST]);

/* Takes all up to `position`, which costs reading. ERR_MISSING: there is not so much. */
int cdr_file_skip(struct cdr_file *file, uint64_t position, struct fault *f);

/* How far it is, for a progress bar: bytes read and bytes in all of the file as it lies on the disk; 0 in all: not known. */
void cdr_file_progress(const struct cdr_file *file, uint64_t *done, uint64_t *all);

#endif
