/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_flood.h"

#include "policy/snapshot.h"

#define SECOND_NS INT64_C(1000000000)
#define NETWORKS (2 * SIP_FILTER_NETWORKS)

static void detach_all(const struct sip_socket *sockets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sip_filter_detach(sockets[i].fd);
}

/* All sockets, or none. */
static bool attach_all(struct sip_flood *flood, const struct snapshot *snapshot,
                       const struct sip_socket *sockets, size_t n)
{
    size_t networks;

    snapshot_read_lock();
    flood->change = snapshot_change(snapshot);
    networks = snapshot_switch_networks(snapshot, flood->networks, NETWORKS + 1);
    snapshot_read_unlock();
    for (size_t i = 0; i < n; i++) {
        size_t length = networks > NETWORKS
                            ? 0
                            : sip_filter_program(sip_socket_address(&sockets[i]).family,
                                                 flood->networks, networks, flood->program);

        if (!length || !sip_filter_attach(sockets[i].fd, flood->program, length)) {
            detach_all(sockets, n);
            return false;
        }
    }
    return true;
}

static bool changed(const struct sip_flood *flood, const struct snapshot *snapshot)
{
    snapshot_read_lock();
    bool other = snapshot_change(snapshot) != flood->change;
    snapshot_read_unlock();
    return other;
}

static enum sip_flood_turn look_on(struct sip_flood *flood, const struct snapshot *snapshot,
                                   const struct sip_socket *sockets, size_t n, bool few,
                                   int64_t now_ns)
{
    if (!few)
        flood->quiet_ns = 0;
    else if (!flood->quiet_ns)
        flood->quiet_ns = now_ns;
    bool over = flood->quiet_ns && now_ns - flood->quiet_ns >= SIP_FLOOD_QUIET_NS;

    if (!over && (!changed(flood, snapshot) || attach_all(flood, snapshot, sockets, n)))
        return SIP_FLOOD_AS_BEFORE;
    if (over)
        detach_all(sockets, n);
    flood->refused = !over;
    flood->on = false;
    return SIP_FLOOD_ENDED;
}

static enum sip_flood_turn look_off(struct sip_flood *flood, const struct snapshot *snapshot,
                                    const struct sip_socket *sockets, size_t n, bool many)
{
    if (!many || (flood->refused && !changed(flood, snapshot)))
        return SIP_FLOOD_AS_BEFORE;
    flood->on = attach_all(flood, snapshot, sockets, n);
    flood->refused = !flood->on;
    flood->quiet_ns = 0;
    return flood->on ? SIP_FLOOD_BEGUN : SIP_FLOOD_AS_BEFORE;
}

enum sip_flood_turn sip_flood_look(struct sip_flood *flood, const struct snapshot *snapshot,
                                   const struct sip_socket *sockets, size_t n, uint64_t strangers,
                                   int64_t now_ns)
{
    int64_t passed_ns = now_ns - flood->looked_ns;
    uint64_t came = strangers - flood->strangers;

    if (passed_ns < SIP_FLOOD_LOOK_NS)
        return SIP_FLOOD_AS_BEFORE;
    flood->looked_ns = now_ns;
    flood->strangers = strangers;
    double a_second = (double)came * (double)SECOND_NS / (double)passed_ns;

    return flood->on ? look_on(flood, snapshot, sockets, n, a_second < SIP_FLOOD_ENDS, now_ns)
                     : look_off(flood, snapshot, sockets, n, a_second > SIP_FLOOD_BEGINS);
}
