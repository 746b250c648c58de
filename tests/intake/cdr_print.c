/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a file of records, for tests that look at a real switch's: cdr_print FORMAT FILE. Times are UTC. One record a
 * line, its parts between tabs: outcome, moment, seconds, account, endpoint, src, dialled, sent, trunk, "near" for the
 * half of a Local channel that is no call; or "bad", the line, and what is wrong with it. */
#include <stdio.h>

#include "intake/cdr_stream.h"

static void print(struct span s)
{
    printf("\t");
    for (size_t i = 0; i < s.n; i++)
        putchar((unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
}

static void print_record(const struct cdr *c)
{
    const struct span parts[] = {c->account, c->endpoint, c->src, c->dialled, c->sent, c->trunk};

    printf("%s\t%lld\t%u", cdr_outcome_name(c->outcome), (long long)c->start_ms, c->billed_s);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        print(parts[i]);
    printf("\t%s\n", c->near_half ? "near" : "");
}

int main(int argc, char **argv)
{
    struct cdr_options options = {0};
    struct cdr_stream *s;
    enum cdr_next next;
    struct fault f;
    struct cdr c;

    if (argc != 3 || !cdr_format_named(span_of(argv[1]), &options.format) ||
        options.format == CDR_FORMAT_MAPPING) {
        fprintf(stderr, "Usage: cdr_print FORMAT FILE\n");
        return 2;
    }
    if (cdr_stream_open(&s, argv[2], &options, false, &f)) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    while ((next = cdr_stream_next(s, &c, &f)) != CDR_NEXT_END && next != CDR_NEXT_ERROR) {
        if (next == CDR_NEXT_RECORD)
            print_record(&c);
        else
            printf("bad\t%llu\t%s\n", (unsigned long long)cdr_reader_line(cdr_stream_reader(s)),
                   f.text);
    }
    if (next == CDR_NEXT_ERROR)
        fprintf(stderr, "%s\n", f.text);
    cdr_stream_close(s);
    return next == CDR_NEXT_ERROR;
}
