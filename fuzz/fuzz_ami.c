/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "intake/ami_message.h"

static void inside(struct span whole, struct span part)
{
    PROMISE(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void check(struct span taken, const struct ami_message *m)
{
    PROMISE(m->n <= AMI_FIELDS_MAX && (!m->dropped || m->n == AMI_FIELDS_MAX));
    for (size_t i = 0; i < m->n; i++) {
        inside(taken, m->fields[i].name);
        inside(taken, m->fields[i].value);
        PROMISE(m->fields[i].value.n == 0 ||
                !memchr(m->fields[i].value.p, '\n', m->fields[i].value.n));
    }
    PROMISE(!ami_message_is_event(m, "FullyBooted") || ami_message_count(m, "Event") == 1);
}

/* Messages come out one after the other, whole; none is taken before its last byte is there; what can
 * be written as a field is read as the same field. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ami_message m;
    struct span in = {(const char *)data, size}, version;
    size_t used = 0;

    if (ami_greeting_take(in, &used, &version) == 1) {
        inside(in, version);
        in = span_skip(in, used);
    }
    while (ami_message_take(in, &used, &m) == 1) {
        struct span taken = {in.p, used};

        PROMISE(used > 0 && used <= in.n);
        check(taken, &m);
        size_t again = 0;
        PROMISE(ami_message_take((struct span){in.p, used - 1}, &again, &m) == 0);
        in = span_skip(in, used);
    }
    struct buf b = {0};
    struct span value = span_trim((struct span){(const char *)data, size});
    if (size < 4096 && ami_action_field(&b, "Name", value, NULL) == 0) {
        ami_action_end(&b);
        PROMISE(ami_message_take(buf_span(&b), &used, &m) == 1 && m.n == 1);
        PROMISE(span_eq(ami_message_first(&m, "Name"), value));
    }
    buf_free(&b);
    return 0;
}
