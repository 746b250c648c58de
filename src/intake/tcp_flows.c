/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/tcp_flows.h"

#include <sodium.h>
#include <stdlib.h>

#include "sip/stream.h"

#define STALE_NS (10 * INT64_C(1000000000)) /* nobody sends what is missing for so long any more */
#define NONE 0

/* What one side says. */
struct half {
    bool known, proved, doubtful, opaque;
    bool begun;        /* the connection was seen from its beginning, and nothing is missing */
    bool astray;       /* what came last is not SIP, or something is missing before it */
    uint16_t hold;     /* its number + 1; NONE */
    uint32_t next;     /* the sequence number that is due */
    uint32_t received; /* what the other side says that it has ... */
    bool has_received;
    uint32_t offered; /* what a SYN says that will be due, until the other side takes it */
    bool has_offered;
    uint32_t skip; /* bytes of a body that are passed over */
    struct sip_stream stream;
};

struct flow {
    uint64_t key; /* 0: free */
    struct address low, high;
    int64_t used_ns;
    struct half half[2]; /* what `low` says; what `high` says */
};

/* bytes[from..to) are without a hole; what is `early` stands behind that, up to `far`. */
struct hold {
    struct half *of; /* NULL: free */
    struct address sender;
    int64_t used_ns;
    size_t from, to, far;
    char *bytes; /* TCP_HOLD_BYTES, like: */
    bool *early;
};

struct tcp_flows {
    uint8_t key[16];
    size_t buckets, n_holds;
    struct flow *flows;
    struct hold *holds;
    char *bytes; /* of all holds, like: */
    bool *early;
    struct tcp_figures figures;
};

/* One call of tcp_flows_take(). */
struct turn {
    struct tcp_flows *all;
    const struct tcp_segment *segment;
    struct half *half;
    int64_t now;
    tcp_message_fn *give;
    void *context;
};

struct tcp_flows *tcp_flows_new(size_t buckets, size_t holds, const uint8_t key[16])
{
    struct tcp_flows *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->buckets = buckets;
    f->n_holds = holds;
    f->flows = calloc(buckets, TCP_FLOWS_WAYS * sizeof(*f->flows));
    f->holds = calloc(holds, sizeof(*f->holds));
    f->bytes = calloc(holds, TCP_HOLD_BYTES);
    f->early = calloc(holds, TCP_HOLD_BYTES);
    if (!f->flows || !f->holds || !f->bytes || !f->early) {
        tcp_flows_free(f);
        return NULL;
    }
    for (size_t i = 0; i < holds; i++) {
        f->holds[i].bytes = f->bytes + i * TCP_HOLD_BYTES;
        f->holds[i].early = f->early + i * TCP_HOLD_BYTES;
    }
    memcpy(f->key, key, sizeof(f->key));
    return f;
}

void tcp_flows_free(struct tcp_flows *f)
{
    if (!f)
        return;
    free(f->flows);
    free(f->holds);
    free(f->bytes);
    free(f->early);
    free(f);
}

/* ---- holds ---- */

static void hold_free(struct tcp_flows *f, struct half *half)
{
    if (half->hold == NONE)
        return;
    struct hold *h = &f->holds[half->hold - 1];

    if (h->far > h->to)
        memset(h->early + h->to, 0, h->far - h->to);
    h->of = NULL;
    half->hold = NONE;
}

/* One for the sender: a free one, his own oldest when he has enough, else as the header says. NULL: none. */
static struct hold *hold_for(struct tcp_flows *f, const struct address *sender, bool proved)
{
    struct hold *unused = NULL, *own = NULL, *worst = NULL;
    size_t n = 0;

    for (size_t i = 0; i < f->n_holds; i++) {
        struct hold *h = &f->holds[i];

        if (!h->of) {
            unused = unused ? unused : h;
            continue;
        }
        if (memcmp(h->sender.ip, sender->ip, sizeof(sender->ip)) == 0) {
            n++;
            own = !own || h->used_ns < own->used_ns ? h : own;
        }
        if (!worst ||
            (h->of->proved != worst->of->proved ? !h->of->proved : h->used_ns < worst->used_ns))
            worst = h;
    }
    if (n >= TCP_HOLDS_EACH)
        return own;
    if (unused)
        return unused;
    return worst->of->proved && !proved ? NULL : worst;
}

static void astray(struct half *half)
{
    half->astray = true;
    half->begun = false;
    half->skip = 0;
    half->stream = (struct sip_stream){0};
}

/* NULL: there is none for it. */
static struct hold *hold_of(struct turn *t)
{
    struct tcp_flows *f = t->all;

    if (t->half->hold != NONE)
        return &f->holds[t->half->hold - 1];
    struct hold *h = hold_for(f, &t->segment->from, t->half->proved);

    if (!h)
        return NULL;
    if (h->of) {
        struct half *loser = h->of;

        f->figures.pushed_out++;
        f->figures.lost++;
        hold_free(f, loser);
        astray(loser);
    }
    h->of = t->half;
    h->sender = t->segment->from;
    h->used_ns = t->now;
    h->from = h->to = h->far = 0;
    t->half->hold = (uint16_t)(h - f->holds + 1);
    return h;
}

/* ---- messages ---- */

static void give(struct turn *t, struct span bytes, bool cut)
{
    struct tcp_message m = {
        .from = t->segment->from,
        .to = t->segment->to,
        .proved = t->half->proved,
        .doubtful = t->half->doubtful,
        .cut = cut,
        .bytes = bytes,
    };

    t->all->figures.messages++;
    t->half->doubtful = false;
    t->give(t->context, &m);
}

/* TLS records and HTTP requests and replies are somebody else's. */
static bool is_opaque(struct span bytes)
{
    return (bytes.n >= 3 && bytes.p[0] == 0x16 && bytes.p[1] == 0x03) ||
           span_starts(bytes, SPAN("GET ")) || span_starts(bytes, SPAN("HTTP/"));
}

/* A message that is longer than is kept: its beginning is given; a body is passed over by its length. */
static size_t too_long(struct turn *t, struct span bytes)
{
    uint32_t rest =
        t->half->stream.needed > bytes.n ? (uint32_t)(t->half->stream.needed - bytes.n) : 0;

    if (t->half->stream.needed || !t->half->astray)
        give(t, bytes, true);
    t->half->stream = (struct sip_stream){0};
    if (rest)
        t->half->skip = rest;
    else
        astray(t->half);
    return bytes.n;
}

/* What is no SIP: given once if it began where a message should; then the next start line. */
static size_t none(struct turn *t, struct span bytes)
{
    struct half *half = t->half;
    size_t n = sip_stream_resume(&half->stream, bytes);

    if (half->begun && is_opaque(bytes)) {
        half->opaque = true;
        t->all->figures.opaque++;
        return bytes.n;
    }
    if (!half->astray)
        give(t, (struct span){bytes.p, n}, false);
    half->astray = true;
    half->begun = false;
    return n;
}

/* Returns how many of the bytes are done with. `full`: no more of them can be kept. */
static size_t read_messages(struct turn *t, struct span bytes, bool full)
{
    struct half *half = t->half;
    size_t done = 0;

    while (done < bytes.n && !half->opaque) {
        struct span rest = span_skip(bytes, done);
        struct sip_message m;
        size_t used = half->skip < rest.n ? half->skip : rest.n;

        if (used) {
            half->skip -= (uint32_t)used;
            done += used;
            continue;
        }
        switch (sip_stream_next(&half->stream, rest, &m, &used)) {
        case SIP_STREAM_MESSAGE:
            half->astray = false;
            half->begun = false;
            give(t, (struct span){rest.p, used}, false);
            break;
        case SIP_STREAM_KEEPALIVE: break;
        case SIP_STREAM_LOST: used = none(t, rest); break;
        case SIP_STREAM_MORE:
            if (!full || done)
                return done;
            used = too_long(t, rest);
            break;
        }
        done += used;
    }
    return half->opaque ? bytes.n : done;
}

/* ---- bytes ---- */

/* All that is without a hole is read; what is left moves to the front when the room behind gets short. */
static void read_hold(struct turn *t, struct hold *h)
{
    size_t n = h->to - h->from, end = h->far > h->to ? h->far : h->to;

    h->from += read_messages(t, (struct span){h->bytes + h->from, n}, n == TCP_HOLD_BYTES);
    if (h->from == end) {
        hold_free(t->all, t->half);
        return;
    }
    if (h->from == 0 || end < TCP_HOLD_BYTES / 2)
        return;
    memmove(h->bytes, h->bytes + h->from, end - h->from);
    memmove(h->early, h->early + h->from, end - h->from);
    memset(h->early + (end - h->from), 0, h->from);
    h->to -= h->from;
    h->far = end - h->from;
    h->from = 0;
}

/* What came early and is due now. */
static void join(struct half *half, struct hold *h)
{
    while (h->to < h->far && h->early[h->to]) {
        h->early[h->to++] = false;
        half->next++;
    }
    if (h->far < h->to)
        h->far = h->to;
}

/* Puts them `ahead` of what is due; first come, first served. Returns how many found a place. */
static size_t put(struct turn *t, struct hold *h, struct span bytes, size_t ahead)
{
    size_t at = h->to + ahead, n = at < TCP_HOLD_BYTES ? TCP_HOLD_BYTES - at : 0;
    bool contradicted = false;

    if (n > bytes.n)
        n = bytes.n;
    if (ahead == 0 && h->far <= h->to) { /* nothing came early: the ordinary case */
        memcpy(h->bytes + at, bytes.p, n);
        h->to += n;
        t->half->next += (uint32_t)n;
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        if (h->early[at + i])
            contradicted |= h->bytes[at + i] != bytes.p[i];
        else
            h->bytes[at + i] = bytes.p[i];
        h->early[at + i] = true;
    }
    if (n && h->far < at + n)
        h->far = at + n;
    if (contradicted) {
        t->all->figures.contradicted++;
        t->half->doubtful = true;
    }
    join(t->half, h);
    return n;
}

static bool is_behind(uint32_t a, uint32_t b)
{
    return a != b && b - a < UINT32_C(1) << 31;
}

/* In order. */
static void add(struct turn *t, struct span bytes)
{
    struct half *half = t->half;

    if (half->hold == NONE) {
        size_t n = read_messages(t, bytes, false);

        half->next += (uint32_t)n;
        bytes = span_skip(bytes, n);
    }
    while (bytes.n && !half->opaque) {
        struct hold *h = hold_of(t);

        if (!h) {
            t->all->figures.lost++;
            half->next += (uint32_t)bytes.n;
            astray(half);
            return;
        }
        h->used_ns = t->now;
        size_t n = put(t, h, bytes, 0);

        read_hold(t, h);
        if (n == 0) { /* what came early stands in the way of what is due */
            hold_free(t->all, half);
            astray(half);
            t->all->figures.lost++;
        }
        bytes = span_skip(bytes, n);
    }
    if (half->opaque)
        hold_free(t->all, half);
}

/* Whoever should have had it has it, or nobody will send it again. */
static bool is_lost(const struct turn *t, uint32_t ahead)
{
    const struct half *half = t->half;
    uint32_t received = half->received - half->next;

    if (half->has_received && received < UINT32_C(1) << 31 && received >= ahead)
        return true;
    return half->hold != NONE && t->now - t->all->holds[half->hold - 1].used_ns > STALE_NS;
}

static void data(struct turn *t)
{
    struct half *half = t->half;
    struct span bytes = t->segment->bytes;
    uint32_t sequence = t->segment->sequence + (t->segment->flags & TCP_SYN ? 1 : 0);

    if (!half->known) {
        half->known = true;
        half->next = sequence;
        half->astray = true; /* perhaps the middle of a message */
    }
    uint32_t ahead = sequence - half->next;

    if (ahead >= UINT32_C(1) << 31) { /* behind */
        size_t old = half->next - sequence;

        if (old >= bytes.n) {
            t->all->figures.repeated++;
            return;
        }
        bytes = span_skip(bytes, old);
        ahead = 0;
    }
    if (ahead && is_lost(t, ahead)) {
        t->all->figures.lost++;
        hold_free(t->all, half);
        astray(half);
        half->next = sequence;
        ahead = 0;
    }
    if (ahead == 0) {
        add(t, bytes);
    } else if (ahead < TCP_HOLD_BYTES) {
        struct hold *h = hold_of(t);

        t->all->figures.reordered++;
        if (h)
            put(t, h, bytes, ahead);
    }
}

/* The switch speaks: it has read something where we found nothing that we can rely on. */
static void give_doubtful(struct turn *t, struct half *other)
{
    const struct hold *h = other->hold == NONE ? NULL : &t->all->holds[other->hold - 1];
    struct tcp_message m = {
        .from = t->segment->to,
        .to = t->segment->from,
        .proved = other->proved,
        .doubtful = true,
        .bytes = h ? (struct span){h->bytes + h->from, h->to - h->from} : SPAN(""),
    };

    t->all->figures.messages++;
    t->give(t->context, &m);
    other->doubtful = false;
    hold_free(t->all, other);
    astray(other);
}

/* Of a segment that is no part of the connection. */
static void stand_alone(struct turn *t)
{
    struct half alone = {.known = true, .begun = true};

    t->all->figures.refused++;
    t->half = &alone;
    read_messages(t, t->segment->bytes, false);
}

/* ---- connections ---- */

static int order(const struct address *a, const struct address *b)
{
    int c = a->family - b->family;

    if (!c)
        c = memcmp(a->ip, b->ip, sizeof(a->ip));
    return c ? c : a->port - b->port;
}

static void flow_free(struct tcp_flows *f, struct flow *flow)
{
    hold_free(f, &flow->half[0]);
    hold_free(f, &flow->half[1]);
    flow->key = 0;
}

static bool gives_way(const struct flow *a, const struct flow *b)
{
    bool proved_a = a->half[0].proved && a->half[1].proved;
    bool proved_b = b->half[0].proved && b->half[1].proved;

    return proved_a != proved_b ? proved_b : a->used_ns < b->used_ns;
}

static uint64_t hash(const struct tcp_flows *f, const struct address *low,
                     const struct address *high)
{
    uint8_t in[37] = {low->family};
    uint64_t key;

    memcpy(in + 1, low->ip, 16);
    memcpy(in + 17, high->ip, 16);
    memcpy(in + 33, &low->port, 2);
    memcpy(in + 35, &high->port, 2);
    crypto_shorthash((uint8_t *)&key, in, sizeof(in), f->key);
    return key ? key : 1;
}

static struct flow *find(struct tcp_flows *f, const struct address *low, const struct address *high)
{
    uint64_t key = hash(f, low, high);
    struct flow *ways = &f->flows[key % f->buckets * TCP_FLOWS_WAYS], *worst = NULL;

    for (size_t i = 0; i < TCP_FLOWS_WAYS; i++) {
        if (ways[i].key == key && order(&ways[i].low, low) == 0 && order(&ways[i].high, high) == 0)
            return &ways[i];
        if (!worst || (worst->key && (!ways[i].key || gives_way(&ways[i], worst))))
            worst = &ways[i];
    }
    if (worst->key) {
        f->figures.pushed_out++;
        flow_free(f, worst);
    }
    f->figures.flows++;
    *worst = (struct flow){.key = key, .low = *low, .high = *high};
    return worst;
}

static void begin(struct tcp_flows *f, struct half *half, uint32_t next)
{
    if (half->known && half->next == next) /* the SYN once more */
        return;
    hold_free(f, half);
    *half = (struct half){.known = true,
                          .begun = true,
                          .next = next,
                          .offered = half->offered,
                          .has_offered = half->has_offered};
}

/* A SYN begins a connection that is not known. Where one is, it counts when the other side takes it: a stray one
 * changes nothing, as it does nothing to the switch. False: nothing more is to be taken from this segment. */
static bool synchronise(struct tcp_flows *f, const struct tcp_segment *segment, struct half *half,
                        struct half *other)
{
    uint32_t next = segment->sequence + 1;

    if (!(segment->flags & TCP_ACK)) {
        half->offered = next;
        half->has_offered = true;
        if (half->known)
            return half->next == next;
        begin(f, half, next);
        return true;
    }
    if (!other->has_offered || segment->acknowledged != other->offered)
        return false;
    begin(f, other, other->offered);
    begin(f, half, next);
    return true;
}

void tcp_flows_take(struct tcp_flows *f, const struct tcp_segment *segment, int64_t boot_ns,
                    tcp_message_fn *give_, void *context)
{
    bool low = order(&segment->from, &segment->to) < 0;
    struct flow *flow =
        find(f, low ? &segment->from : &segment->to, low ? &segment->to : &segment->from);
    struct half *half = &flow->half[!low], *other = &flow->half[low];
    struct turn t = {f, segment, half, boot_ns, give_, context};

    f->figures.segments++;
    flow->used_ns = boot_ns;
    if (segment->flags & TCP_RST) {
        if (half->known && segment->sequence == half->next)
            flow_free(f, flow);
        return;
    }
    if (segment->flags & TCP_SYN && !synchronise(f, segment, half, other))
        return;
    if (segment->flags & TCP_ACK && other->known) {
        if (segment->acknowledged == other->next)
            half->proved = true;
        other->received = segment->acknowledged;
        other->has_received = true;
    }
    if (!segment->bytes.n || !(segment->flags & TCP_ACK) || half->opaque)
        return;
    if (other->known && is_behind(other->next, segment->acknowledged)) {
        stand_alone(&t);
        return;
    }
    if (other->doubtful)
        give_doubtful(&t, other);
    half->doubtful |= (segment->flags & TCP_URG) != 0;
    data(&t);
}

const struct tcp_figures *tcp_flows_figures(const struct tcp_flows *f)
{
    return &f->figures;
}
