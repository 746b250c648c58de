/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_stream.h"

#include <stdlib.h>

struct cdr_stream {
    struct cdr_file *file;
    struct cdr_reader *reader;
    bool live;
    bool header; /* the mapping finds its columns in the first row */
    bool whole;  /* what has been read means nothing without the rest */
    bool over;
    struct cdr_place begin;
    bool end;
    struct span window; /* of which `taken` is done with */
    size_t taken;
};

int cdr_stream_open(struct cdr_stream **out, const char *path, const struct cdr_options *options,
                    bool live, struct fault *f)
{
    struct cdr_stream *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return fault_nomem(f);
    s->live = live;
    s->header = options->format == CDR_FORMAT_MAPPING && cdr_mapping_header(options->mapping);
    s->whole = options->format == CDR_FORMAT_KAMAILIO;
    err = cdr_file_open(&s->file, path, f);
    if (!err)
        err = cdr_reader_new(&s->reader, options, f);
    if (err) {
        cdr_stream_close(s);
        return err;
    }
    s->begin.line = 1;
    cdr_file_digest(s->file, s->begin.digest);
    *out = s;
    return 0;
}

void cdr_stream_close(struct cdr_stream *s)
{
    if (!s)
        return;
    cdr_reader_free(s->reader);
    cdr_file_close(s->file);
    free(s);
}

enum cdr_next cdr_stream_next(struct cdr_stream *s, struct cdr *out, struct fault *f)
{
    for (;;) {
        size_t used;
        enum cdr_step step =
            cdr_reader_next(s->reader, s->window.p, s->window.n, s->end && !s->live, &used, out, f);

        cdr_file_take(s->file, used);
        s->window = span_skip(s->window, used);
        if (step == CDR_STEP_RECORD)
            return CDR_NEXT_RECORD;
        if (step == CDR_STEP_BAD)
            return CDR_NEXT_BAD;
        if (step == CDR_STEP_FORMAT)
            return CDR_NEXT_ERROR;
        if (s->end && !s->live) {
            s->over = true;
            return CDR_NEXT_END;
        }
        size_t left = s->window.n;

        if (cdr_file_fill(s->file, &s->window, &s->end, f))
            return CDR_NEXT_ERROR;
        if (s->live && s->end && s->window.n == left)
            return CDR_NEXT_END;
    }
}

void cdr_stream_place(const struct cdr_stream *s, struct cdr_place *out)
{
    if (s->whole && !s->over) {
        *out = s->begin;
        return;
    }
    out->position = cdr_file_position(s->file);
    out->line = cdr_reader_next_line(s->reader);
    cdr_file_digest(s->file, out->digest);
}

/* The first row, for what it says of the columns. */
static int read_header(struct cdr_stream *s, struct fault *f)
{
    struct span window;
    bool end;
    int err = cdr_file_fill(s->file, &window, &end, f);

    return err ? err : cdr_reader_header(s->reader, window.p, window.n, f);
}

int cdr_stream_resume(struct cdr_stream *s, const struct cdr_place *place, struct fault *f)
{
    uint8_t digest[CDR_FILE_DIGEST];
    int err = s->header ? read_header(s, f) : 0;

    if (!err)
        err = cdr_file_skip(s->file, place->position, f);
    if (err)
        return err;
    cdr_file_digest(s->file, digest);
    if (memcmp(digest, place->digest, sizeof(digest)) != 0)
        return fault(f, ERR_CONFLICT, "the first %llu bytes are not those that were read before",
                     (unsigned long long)place->position);
    if (place->position > 0)
        cdr_reader_resume(s->reader, place->line);
    return 0;
}

const struct cdr_reader *cdr_stream_reader(const struct cdr_stream *s)
{
    return s->reader;
}

const struct cdr_file *cdr_stream_file(const struct cdr_stream *s)
{
    return s->file;
}
