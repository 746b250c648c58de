/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "enforce/message.h"
#include "fuzz.h"

/* Whatever was read is written again as the same bytes, but for mapped networks, which become IPv4. */
static void write_again(const struct enforce_message *m, struct enforce_writer *w, bool *mapped)
{
    enforce_write(w, m->type, m->sequence);
    for (unsigned i = 0; i < m->count; i++) {
        enum enforce_scope scope;
        struct network network;
        struct enforce_ban ban;

        switch (m->type) {
        case ENFORCE_BAN:
        case ENFORCE_HELD:
            ban = enforce_message_ban(m, i);
            *mapped |= ban.network.family != m->records[(size_t)i * 28];
            enforce_write_ban(w, &ban);
            break;
        case ENFORCE_UNBAN:
        case ENFORCE_NEVER:
        case ENFORCE_ACCESS:
        case ENFORCE_OBSERVE:
        case ENFORCE_LOOK:
        case ENFORCE_TRUSTED:
        case ENFORCE_REMOVED:
            network = enforce_message_network(m, i, &scope);
            *mapped |= network.family != m->records[(size_t)i * 20];
            enforce_write_network(w, &network, scope);
            break;
        case ENFORCE_PORTS: enforce_write_port(w, enforce_message_port(m, i)); break;
        case ENFORCE_DONE: enforce_write_failure(w, enforce_message_failure(m, i)); break;
        case ENFORCE_COUNTS: enforce_write_count(w, enforce_message_counted(m, i)); break;
        case ENFORCE_READY: enforce_write_state(w, enforce_message_state(m)); break;
        case ENFORCE_HELD_END: enforce_write_end(w, enforce_message_end(m)); break;
        case ENFORCE_DISTURBED: enforce_write_disturbance(w, enforce_message_disturbance(m)); break;
        case ENFORCE_READ:
        case ENFORCE_COUNT:
        case ENFORCE_SOCKET:
        case ENFORCE_PRIME:
        case ENFORCE_TAKE: PROMISE(false); break;
        case ENFORCE_ERROR: break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct enforce_writer w;
    struct enforce_message m;
    struct fault f = {0};
    bool mapped = false;

    if (enforce_message_read(&m, (struct span){(const char *)data, size}, &f) != 0) {
        PROMISE(f.text[0]);
        return 0;
    }
    PROMISE(m.count <= ENFORCE_RECORDS_MAX);
    write_again(&m, &w, &mapped);
    struct span again = enforce_written(&w);

    if (m.type != ENFORCE_ERROR && !mapped)
        PROMISE(again.n == size && memcmp(again.p, data, size) == 0);
    return 0;
}
