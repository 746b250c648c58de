/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_watch.h"

#include <sys/random.h>

#include "intake/exchange.h"

/* Boot time to both clocks; 0 stays never. */
static struct instant moment_of(int64_t boot_ns, struct instant now)
{
    if (!boot_ns)
        return (struct instant){0};
    return (struct instant){.boot_ns = boot_ns,
                            .wall_ms = now.wall_ms - (now.boot_ns - boot_ns) / 1000000};
}

void watch_exchange_figures(const struct exchange_figures *from, struct instant now,
                            struct witness_figures *out)
{
    out->seen = from->seen - from->passing;
    out->understood = from->understood + from->keepalives;
    out->attempts = from->attempts;
    out->not_understood = from->not_understood;
    out->dropped = from->pushed_out;
    out->shared = from->shared;
    out->shared_last = moment_of(from->shared_ns, now);
    out->last = moment_of(from->last_ns, now);
}

int watch_random(uint8_t key[16], struct fault *f)
{
    return getrandom(key, 16, 0) == 16 ? 0 : fault(f, ERR_IO, "cannot get random bytes: %m");
}
