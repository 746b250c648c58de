/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "serve/agi_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum agi_progress feed(struct agi_request *request, const char *bytes, size_t n, size_t step)
{
    enum agi_progress progress = AGI_MORE;

    agi_request_begin(request);
    for (size_t at = 0; at < n && progress == AGI_MORE; at += step)
        progress =
            agi_request_feed(request, (struct span){bytes + at, n - at < step ? n - at : step});
    return progress;
}

static void inside(const struct agi_request *request, struct span s)
{
    if (s.n && (s.p < request->script || s.p + s.n > request->script + sizeof(request->script)))
        abort();
}

/* The first byte says how the rest is cut; the meaning must not depend on it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct agi_request whole, cut;
    struct agi_question a, b;
    struct fault f;

    if (size == 0)
        return 0;
    const char *bytes = (const char *)data + 1;
    enum agi_progress progress = feed(&whole, bytes, size - 1, size);

    if (feed(&cut, bytes, size - 1, 1 + data[0] % 32) != progress)
        abort();
    if (progress != AGI_DONE)
        return 0;
    int err = agi_request_question(&whole, &a, &f);

    if (agi_request_question(&cut, &b, NULL) != err)
        abort();
    if (err)
        return 0;
    inside(&whole, a.account);
    inside(&whole, a.remote);
    inside(&whole, a.number);
    if (!span_eq(a.account, b.account) || !span_eq(a.remote, b.remote) ||
        !span_eq(a.number, b.number))
        abort();
    return 0;
}
