/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as records of each format; the first byte says which. Of a mapping, its text comes first, up to a NUL. */
#include <string.h>

#include "fuzz.h"
#include "intake/cdr_reader.h"

static void within(struct span s, size_t size)
{
    char all = 0;

    PROMISE(s.n <= size);
    for (size_t i = 0; i < s.n; i++)
        all |= s.p[i];
    PROMISE(s.n || all == 0); /* every byte was read, which the sanitizers watch */
}

static void look(const struct cdr *c, size_t size)
{
    const struct span parts[] = {c->account, c->channel, c->endpoint, c->src,   c->dialled,
                                 c->sent,    c->trunk,   c->id,       c->linked};
    uint8_t identity[CDR_IDENTITY_SIZE];

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        within(parts[i], size);
    PROMISE(c->dialled.n || c->sent.n);
    PROMISE(c->sequence >= -1);
    PROMISE(c->start_ms >= 0 && c->start_ms <= INT64_C(253402300799999));
    PROMISE(cdr_outcome_name(c->outcome));
    cdr_identity(c, identity);
}

static void read_all(const struct cdr_options *options, struct span in)
{
    struct cdr_reader *r;
    struct fault f;
    struct cdr c;
    enum cdr_step step;
    size_t at = 0, used;

    if (cdr_reader_new(&r, options, &f))
        abort();
    while ((step = cdr_reader_next(r, in.p + at, in.n - at, true, &used, &c, &f)) !=
           CDR_STEP_MORE) {
        PROMISE(used <= in.n - at);
        PROMISE(used > 0 || (step == CDR_STEP_RECORD && c.unended));
        at += used;
        if (step == CDR_STEP_RECORD)
            look(&c, in.n);
        else
            PROMISE(strlen(f.text) > 0);
        if (step == CDR_STEP_FORMAT)
            break;
    }
    PROMISE(step == CDR_STEP_FORMAT || at + used == in.n);
    cdr_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cdr_options options = {.format = CDR_FORMAT_ASTERISK};
    struct cdr_mapping *mapping = NULL;
    struct span in = {(const char *)data, size}, text;
    struct fault f;

    if (!size)
        return 0;
    in = span_skip(in, 1);
    switch (data[0]) {
    case 'k': options.format = CDR_FORMAT_KAMAILIO; break;
    case 'f': options.format = CDR_FORMAT_FREESWITCH; break;
    case 'm':
        options.format = CDR_FORMAT_MAPPING;
        text = span_cut(in, '\0', &in);
        if (!in.p || cdr_mapping_new(&mapping, text, &f))
            return 0;
        options.mapping = mapping;
        break;
    default: break;
    }
    read_all(&options, in);
    cdr_mapping_free(mapping);
    return 0;
}
