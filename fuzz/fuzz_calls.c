/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "ledger/pack.h"

/* A block of calls as a damaged disk would give it: what can be read, written again, reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pack_reader reader, again;
    struct pack pack = {0};
    struct buf bytes = {0};
    struct call call, same;
    struct fault f;
    int code = pack_open(&reader, (struct span){(const char *)data, size}, &f);
    size_t n = 0;

    if (code)
        return 0;
    while ((code = pack_next(&reader, &call, &f)) == 1) {
        PROMISE(pack_add(&pack, &call) == 0);
        n++;
    }
    pack_close(&pack, &bytes);
    PROMISE(pack_open(&again, buf_span(&bytes), &f) == 0);
    for (size_t i = 0; i < n; i++)
        PROMISE(pack_next(&again, &same, &f) == 1);
    PROMISE(pack_next(&again, &same, &f) == 0);
    if (n)
        PROMISE(same.key == call.key && same.start_ms == call.start_ms);
    pack_free(&pack);
    buf_free(&bytes);
    return 0;
}
