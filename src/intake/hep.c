/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/hep.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_BYTES (4 << 20)

struct hep {
    int fd;
    struct hep_config config;
    struct exchange *exchange;
    struct hep_figures figures;
    uint32_t dropped; /* as the kernel counts, modulo 2^32 */
    char (*bytes)[HEP_PACKET_MAX];
};

int hep_open(struct hep **out, int socket, const struct hep_config *config, struct fault *f)
{
    struct hep *h = calloc(1, sizeof(*h));
    int on = 1, bytes = QUEUE_BYTES;

    if (!h) {
        close(socket);
        return fault_nomem(f);
    }
    h->fd = socket;
    h->config = *config;
    h->config.exchange.witness = WITNESS_HEP;
    h->exchange = exchange_new(&h->config.exchange);
    h->bytes = malloc(HEP_BATCH * sizeof(*h->bytes));
    if (!h->exchange || !h->bytes) {
        hep_close(h);
        return fault_nomem(f);
    }
    /* Without them it works too: losses come sooner, and are not counted. */
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    setsockopt(socket, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    *out = h;
    return 0;
}

void hep_close(struct hep *h)
{
    if (!h)
        return;
    close(h->fd);
    exchange_free(h->exchange);
    free(h->bytes);
    free(h);
}

int hep_fd(const struct hep *h)
{
    return h->fd;
}

static enum transport transport_of(enum hep_protocol protocol)
{
    switch (protocol) {
    case HEP_PROTOCOL_UDP: return TRANSPORT_UDP;
    case HEP_PROTOCOL_TCP: return TRANSPORT_TCP;
    case HEP_PROTOCOL_TLS: return TRANSPORT_TLS;
    case HEP_PROTOCOL_WS: return TRANSPORT_WS;
    case HEP_PROTOCOL_OTHER: break;
    }
    return TRANSPORT_UNKNOWN;
}

static enum exchange_way way_of(const struct hep_peer *peer, const struct hep_packet *p)
{
    struct ours own = {.n = 1, .networks = {peer->from}};

    return ours_way(peer->ours.n ? &peer->ours : &own, &p->from, &p->to, p->payload);
}

static void sip(struct hep *h, const struct hep_peer *peer, const struct hep_packet *p,
                struct instant now)
{
    enum transport transport = transport_of(p->protocol);
    struct exchange_message m = {
        .at = now,
        .switch_id = peer->switch_id,
        .way = way_of(peer, p),
        .from = p->from,
        .to = p->to,
        .transport = transport,
        .proved = transport != TRANSPORT_UDP && transport != TRANSPORT_UNKNOWN,
        .bytes = p->payload,
    };

    if (transport == TRANSPORT_UNKNOWN || !p->from.family || !p->to.family) {
        h->figures.other++;
        return;
    }
    exchange_take(h->exchange, &m);
}

/* Of several at one address that with the right key. NULL: none is listed; then `listed` tells if one is. */
static const struct hep_peer *peer_of(const struct hep *h, const struct address *from,
                                      const struct hep_packet *p, bool *listed)
{
    for (size_t i = 0; i < h->config.n_peers; i++) {
        const struct hep_peer *peer = &h->config.peers[i];

        if (!network_has(&peer->from, from))
            continue;
        *listed = true;
        if (p && hep_packet_authentic(p, (struct span){peer->key, peer->key_n}))
            return peer;
    }
    return NULL;
}

void hep_take(struct hep *h, const struct address *from, struct span datagram, struct instant now)
{
    struct hep_packet p;
    bool listed = false;

    h->figures.datagrams++;
    peer_of(h, from, NULL, &listed);
    if (!listed) {
        h->figures.strangers++;
        return;
    }
    int err = hep_packet_read(&p, datagram);

    if (err == ERR_SYNTAX) {
        h->figures.broken++;
        return;
    }
    if (err) {
        h->figures.other++;
        return;
    }
    const struct hep_peer *peer = peer_of(h, from, &p, &listed);

    if (!peer)
        h->figures.wrong_key++;
    else if (p.payload_type != HEP_SIP)
        h->figures.other++;
    else
        sip(h, peer, &p, now);
}

static void count_lost(struct hep *h, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        uint32_t dropped;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
        h->figures.lost += dropped - h->dropped;
        h->dropped = dropped;
    }
}

static int read_batch(struct hep *h, struct instant now)
{
    struct mmsghdr messages[HEP_BATCH] = {0};
    struct iovec bytes[HEP_BATCH];
    struct sockaddr_storage from[HEP_BATCH];
    _Alignas(struct cmsghdr) char control[HEP_BATCH][CMSG_SPACE(sizeof(uint32_t))];

    for (size_t i = 0; i < HEP_BATCH; i++) {
        bytes[i] = (struct iovec){h->bytes[i], HEP_PACKET_MAX};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i],
            .msg_namelen = sizeof(from[i]),
            .msg_iov = &bytes[i],
            .msg_iovlen = 1,
            .msg_control = control[i],
            .msg_controllen = sizeof(control[i]),
        };
    }
    int n = recvmmsg(h->fd, messages, HEP_BATCH, MSG_DONTWAIT, NULL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : ERR_IO;
    for (int i = 0; i < n; i++) {
        struct address a = address_of((const struct sockaddr *)(const void *)&from[i]);

        count_lost(h, &messages[i].msg_hdr);
        hep_take(h, &a, (struct span){h->bytes[i], messages[i].msg_len}, now);
    }
    return n;
}

int hep_read(struct hep *h, struct instant now, unsigned batches)
{
    int all = 0;

    for (unsigned i = 0; i < batches; i++) {
        int n = read_batch(h, now);

        if (n < 0)
            return n;
        all += n;
        if (n < HEP_BATCH)
            break;
    }
    return all;
}

void hep_tick(struct hep *h, struct instant now)
{
    exchange_tick(h->exchange, now);
}

struct hep_figures hep_figures(const struct hep *h)
{
    struct hep_figures figures = h->figures;

    figures.exchange = *exchange_figures(h->exchange);
    return figures;
}
