/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_watch.h"

#include <sys/random.h>

#include "intake/exchange.h"

void watch_exchange_figures(const struct exchange_figures *from, struct instant now,
                            struct witness_figures *out)
{
    out->seen = from->seen - from->passing;
    out->understood = from->understood + from->keepalives;
    out->attempts = from->attempts;
    out->not_understood = from->not_understood;
    out->dropped = from->pushed_out;
    out->last = (struct instant){.boot_ns = from->last_ns};
    if (from->last_ns)
        out->last.wall_ms = now.wall_ms - (now.boot_ns - from->last_ns) / 1000000;
}

int watch_random(uint8_t key[16], struct fault *f)
{
    return getrandom(key, 16, 0) == 16 ? 0 : fault(f, ERR_IO, "cannot get random bytes: %m");
}
