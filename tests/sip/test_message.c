/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages and what is read from them: test_message CASES. A case's lines end in CRLF; one whose name
 * ends in "(exact)" is taken as it stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "cases.h"
#include "reading.h"

static void add_crlf(struct buf *out, struct span in)
{
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r'))
            buf_putc(out, '\r');
        buf_putc(out, in.p[i]);
    }
}

static void read_one(struct buf *out, struct span bytes)
{
    char *exact = malloc(bytes.n ? bytes.n : 1);
    struct sip_message m;

    assert_non_null(exact);
    memcpy(exact, bytes.p, bytes.n);
    switch (sip_message_read(&m, (struct span){exact, bytes.n})) {
    case 0: reading_write(out, &m); break;
    case ERR_MISSING: buf_puts(out, "nothing\n"); break;
    case ERR_RANGE: buf_puts(out, "too long\n"); break;
    default: buf_puts(out, "no SIP\n");
    }
    free(exact);
}

static void a_message_is_read(void **state)
{
    const struct test_case *c = *state;
    struct buf in = {0}, got = {0};
    size_t n = strlen(c->name);

    if (n > 7 && strcmp(c->name + n - 7, "(exact)") == 0)
        buf_add(&in, buf_span(&c->in));
    else
        add_crlf(&in, buf_span(&c->in));
    read_one(&got, buf_span(&in));
    if (!span_eq(buf_span(&got), buf_span(&c->out)))
        fail_msg("wanted:\n%sgot:\n%s", c->out.p, got.p);
    buf_free(&in);
    buf_free(&got);
}

int main(int argc, char **argv)
{
    return argc == 2 ? cases_run(argv[1], a_message_is_read, NULL, 0) : 2;
}
