/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/wire.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME 2048 /* TPACKET_V3 only asks that blocks are a multiple of it */
#define RETIRE_MS 1

struct wire {
    int fd;
    struct wire_config config;
    struct packets *packets;
    struct exchange *exchange;
    char *ring;
    size_t blocks, next;
    uint64_t lost, forged, cut;
    /* Of the packet that is being read. */
    struct instant now;
    bool outgoing;
};

static int open_ring(struct wire *w, struct fault *f)
{
    int version = TPACKET_V3;
    struct tpacket_req3 ring = {
        .tp_block_size = WIRE_BLOCK,
        .tp_block_nr = (unsigned)w->blocks,
        .tp_frame_size = FRAME,
        .tp_frame_nr = (unsigned)(w->blocks * (WIRE_BLOCK / FRAME)),
        .tp_retire_blk_tov = RETIRE_MS,
    };

    if (setsockopt(w->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0)
        return fault(f, ERR_IO, "this is no packet socket: %s", strerror(errno));
    if (setsockopt(w->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) != 0)
        return fault(f, ERR_IO, "the kernel gives no ring of %zu bytes: %s", w->blocks * WIRE_BLOCK,
                     strerror(errno));
    void *mapped = mmap(NULL, w->blocks * WIRE_BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);

    if (mapped == MAP_FAILED)
        return fault(f, ERR_IO, "the ring cannot be mapped: %s", strerror(errno));
    w->ring = mapped;
    return 0;
}

int wire_open(struct wire **out, int socket, const struct wire_config *config, struct fault *f)
{
    struct wire *w = calloc(1, sizeof(*w));
    int err;

    if (!w) {
        close(socket);
        return fault_nomem(f);
    }
    w->fd = socket;
    w->config = *config;
    w->config.exchange.witness = WITNESS_WIRE;
    w->blocks = config->ring_bytes / WIRE_BLOCK;
    w->packets = packets_new(PACKET_SIZES, config->exchange.key);
    w->exchange = exchange_new(&w->config.exchange);
    err = w->packets && w->exchange ? open_ring(w, f) : fault_nomem(f);
    if (err) {
        wire_close(w);
        return err;
    }
    *out = w;
    return 0;
}

void wire_close(struct wire *w)
{
    if (!w)
        return;
    if (w->ring)
        munmap(w->ring, w->blocks * WIRE_BLOCK);
    close(w->fd);
    packets_free(w->packets);
    exchange_free(w->exchange);
    free(w);
}

int wire_fd(const struct wire *w)
{
    return w->fd;
}

/* Which way, or PASSING where it is not to be believed. */
static enum exchange_way way_of(struct wire *w, const struct packet_payload *p)
{
    bool from = ours_has(w->config.ours, &p->from), to = ours_has(w->config.ours, &p->to);

    if (from && !w->outgoing) {
        w->forged += !to; /* on loopback each is seen twice */
        return EXCHANGE_PASSING;
    }
    if (w->outgoing && !from)
        return EXCHANGE_PASSING;
    return ours_way(w->config.ours, &p->from, &p->to, p->bytes);
}

static void payload(void *context, const struct packet_payload *p)
{
    struct wire *w = context;
    struct exchange_message m = {
        .at = w->now,
        .switch_id = w->config.switch_id,
        .way = way_of(w, p),
        .from = p->from,
        .to = p->to,
        .transport = p->tcp ? TRANSPORT_TCP : TRANSPORT_UDP,
        .proved = p->proved,
        .doubtful = p->doubtful,
        .cut = p->cut,
        .bytes = p->bytes,
    };

    exchange_take(w->exchange, &m);
}

static void packet(struct wire *w, char *at)
{
    const struct tpacket3_hdr *head = (const void *)at;
    const struct sockaddr_ll *link =
        (const void *)(at + TPACKET_ALIGN(sizeof(struct tpacket3_hdr)));
    struct packet_frame frame = {
        .link = PACKET_IP, /* cooked, whatever the interface is */
        .bytes = {at + head->tp_net, head->tp_snaplen},
        .checked = head->tp_status & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID),
    };

    if (head->tp_snaplen < head->tp_len)
        w->cut++;
    w->outgoing = link->sll_pkttype == PACKET_OUTGOING;
    packets_take(w->packets, &frame, w->now.boot_ns, payload, w);
}

int wire_read(struct wire *w, struct instant now, unsigned blocks)
{
    int n = 0, error = 0;
    socklen_t size = sizeof(error);

    w->now = now;
    for (unsigned i = 0; i < blocks; i++) {
        struct tpacket_block_desc *block = (void *)(w->ring + w->next * WIRE_BLOCK);

        if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            break;
        char *at = (char *)block + block->hdr.bh1.offset_to_first_pkt;

        for (uint32_t left = block->hdr.bh1.num_pkts; left > 0; left--) {
            packet(w, at);
            at += ((const struct tpacket3_hdr *)(const void *)at)->tp_next_offset;
            n++;
        }
        __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        w->next = (w->next + 1) % w->blocks;
    }
    /* An interface that went down is told once, and others go on: only asking takes it away. */
    if (n == 0 && getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return ERR_IO;
    return n;
}

void wire_tick(struct wire *w, struct instant now)
{
    exchange_tick(w->exchange, now);
}

struct wire_figures wire_figures(struct wire *w)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t size = sizeof(stats);

    /* Reading them sets them to zero. */
    if (getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
        w->lost += stats.tp_drops;
    return (struct wire_figures){
        .packets = packets_figures(w->packets),
        .exchange = *exchange_figures(w->exchange),
        .lost = w->lost,
        .forged = w->forged,
        .cut = w->cut,
    };
}
