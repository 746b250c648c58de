/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/message.h"

#include <netinet/in.h>

/* Offsets within a record. A ban is a network and the time that is left. */
enum { AT_FAMILY = 0, AT_BITS = 1, AT_SCOPE = 2, AT_IP = 4, NETWORK_SIZE = 20, BAN_SIZE = 28 };

enum form {
    FORM_NONE,
    FORM_BAN,
    FORM_NETWORK,
    FORM_PORT,
    FORM_FAILURE,
    FORM_COUNT,
    FORM_WORDS,
    FORM_TEXT
};

struct shape {
    enum form form;
    uint8_t size;    /* of a record */
    uint8_t exactly; /* records there must be; 0: any number */
};

/* Not over our enum but over a byte that came from outside. Size 0: no such type. */
static struct shape shape_of(uint8_t type)
{
    switch (type) {
    case ENFORCE_BAN:
    case ENFORCE_HELD: return (struct shape){FORM_BAN, BAN_SIZE, 0};
    case ENFORCE_UNBAN:
    case ENFORCE_NEVER:
    case ENFORCE_ACCESS:
    case ENFORCE_OBSERVE:
    case ENFORCE_LOOK:
    case ENFORCE_TRUSTED:
    case ENFORCE_REMOVED: return (struct shape){FORM_NETWORK, NETWORK_SIZE, 0};
    case ENFORCE_PORTS: return (struct shape){FORM_PORT, 4, 0};
    case ENFORCE_DONE: return (struct shape){FORM_FAILURE, 8, 0};
    case ENFORCE_COUNTS: return (struct shape){FORM_COUNT, 24, 0};
    case ENFORCE_READY:
    case ENFORCE_HELD_END: return (struct shape){FORM_WORDS, 8, 1};
    case ENFORCE_DISTURBED: return (struct shape){FORM_WORDS, 4, 1};
    case ENFORCE_ERROR: return (struct shape){FORM_TEXT, 1, 0};
    case ENFORCE_READ:
    case ENFORCE_COUNT:
    case ENFORCE_SOCKET:
    case ENFORCE_PRIME:
    case ENFORCE_TAKE: return (struct shape){FORM_NONE, 1, 0};
    }
    return (struct shape){FORM_NONE, 0, 0};
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint64_t get64(const uint8_t *p)
{
    return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        p[i] = (uint8_t)value;
}

static void put64(uint8_t *p, uint64_t value)
{
    put32(p, (uint32_t)(value >> 32));
    put32(p + 4, (uint32_t)value);
}

static bool clear_behind(const uint8_t ip[16], unsigned bits)
{
    if (bits % 8 && (uint8_t)(ip[bits / 8] << (bits % 8)))
        return false;
    for (unsigned i = (bits + 7) / 8; i < 16; i++)
        if (ip[i])
            return false;
    return true;
}

static bool network_is_sound(const uint8_t *r)
{
    unsigned family = r[AT_FAMILY], bits = r[AT_BITS];

    return ((family == 4 && bits <= 32) || (family == 6 && bits <= 128)) &&
           r[AT_SCOPE] <= ENFORCE_EVERYTHING && r[3] == 0 && clear_behind(r + AT_IP, bits);
}

static bool record_is_sound(enum form form, uint8_t type, const uint8_t *r)
{
    switch (form) {
    case FORM_BAN: return network_is_sound(r) && get64(r + NETWORK_SIZE) <= ENFORCE_LEFT_MAX;
    case FORM_NETWORK: return network_is_sound(r);
    case FORM_PORT:
        return (r[0] == IPPROTO_UDP || r[0] == IPPROTO_TCP || r[0] == IPPROTO_SCTP) && r[1] == 0;
    case FORM_FAILURE: return r[2] >= ENFORCE_KERNEL && r[2] <= ENFORCE_NO_SOCKET && r[3] == 0;
    case FORM_COUNT: return r[0] < ENFORCE_COUNTERS && get32(r) << 8 == 0 && get32(r + 4) == 0;
    case FORM_WORDS:
        if (type == ENFORCE_DISTURBED)
            return get32(r) >= ENFORCE_TABLE_GONE && get32(r) <= ENFORCE_SETS_CHANGED;
        return get32(r) <= 1;
    case FORM_NONE:
    case FORM_TEXT: return true;
    }
    return false;
}

int enforce_message_read(struct enforce_message *out, struct span bytes, struct fault *f)
{
    const uint8_t *p = (const uint8_t *)bytes.p;

    if (bytes.n < ENFORCE_HEADER)
        return fault(f, ERR_SYNTAX, "a message of %zu bytes; the header alone has %d", bytes.n,
                     ENFORCE_HEADER);
    if (p[0] != ENFORCE_VERSION)
        return fault(f, ERR_SYNTAX, "a message of version %d; this is version %d", p[0],
                     ENFORCE_VERSION);
    struct shape shape = shape_of(p[1]);
    unsigned count = get16(p + 2);

    if (!shape.size)
        return fault(f, ERR_SYNTAX, "a message of type %d, which there is not", p[1]);
    if (count > ENFORCE_RECORDS_MAX || (shape.form == FORM_NONE && count) ||
        (shape.exactly && count != shape.exactly))
        return fault(f, ERR_SYNTAX, "a message of type %d with %u records", p[1], count);
    if (get32(p + 4) != bytes.n || bytes.n != ENFORCE_HEADER + (size_t)count * shape.size)
        return fault(f, ERR_SYNTAX,
                     "a message of type %d and %zu bytes: it says %u, its %u records make %zu",
                     p[1], bytes.n, get32(p + 4), count,
                     ENFORCE_HEADER + (size_t)count * shape.size);
    for (unsigned i = 0; i < count; i++)
        if (!record_is_sound(shape.form, p[1], p + ENFORCE_HEADER + (size_t)i * shape.size))
            return fault(f, ERR_SYNTAX, "a message of type %d, whose record %u is malformed", p[1],
                         i);
    *out = (struct enforce_message){.type = (enum enforce_type)p[1],
                                    .count = (uint16_t)count,
                                    .sequence = get32(p + 8),
                                    .records = p + ENFORCE_HEADER};
    return 0;
}

/* ::ffff:192.0.2.1/128 is 192.0.2.1/32: packets from it carry the IPv4 address. */
static struct network unmapped(struct network network)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (network.family == 6 && network.bits >= 96 &&
        memcmp(network.ip, mapped, sizeof(mapped)) == 0) {
        network.family = 4;
        network.bits = (uint8_t)(network.bits - 96);
        memmove(network.ip, network.ip + 12, 4);
        memset(network.ip + 4, 0, 12);
    }
    return network;
}

static struct network network_at(const uint8_t *r, enum enforce_scope *scope)
{
    struct network network = {.family = r[AT_FAMILY], .bits = r[AT_BITS]};

    memcpy(network.ip, r + AT_IP, sizeof(network.ip));
    *scope = r[AT_SCOPE] ? ENFORCE_EVERYTHING : ENFORCE_SIP;
    return unmapped(network);
}

struct enforce_ban enforce_message_ban(const struct enforce_message *m, unsigned i)
{
    const uint8_t *r = m->records + (size_t)i * BAN_SIZE;
    struct enforce_ban ban;

    ban.network = network_at(r, &ban.scope);
    ban.left_ms = get64(r + NETWORK_SIZE);
    return ban;
}

struct network enforce_message_network(const struct enforce_message *m, unsigned i,
                                       enum enforce_scope *scope)
{
    enum enforce_scope unasked;

    return network_at(m->records + (size_t)i * NETWORK_SIZE, scope ? scope : &unasked);
}

struct enforce_port enforce_message_port(const struct enforce_message *m, unsigned i)
{
    const uint8_t *r = m->records + (size_t)i * 4;

    return (struct enforce_port){r[0], get16(r + 2)};
}

struct enforce_failure enforce_message_failure(const struct enforce_message *m, unsigned i)
{
    const uint8_t *r = m->records + (size_t)i * 8;

    return (struct enforce_failure){get16(r), (enum enforce_refusal)r[2], get32(r + 4)};
}

struct enforce_count enforce_message_counted(const struct enforce_message *m, unsigned i)
{
    const uint8_t *r = m->records + (size_t)i * 24;

    return (struct enforce_count){(enum enforce_counter)r[0], get64(r + 8), get64(r + 16)};
}

struct enforce_state enforce_message_state(const struct enforce_message *m)
{
    return (struct enforce_state){get32(m->records) != 0, get32(m->records + 4)};
}

enum enforce_disturbance enforce_message_disturbance(const struct enforce_message *m)
{
    return (enum enforce_disturbance)get32(m->records);
}

struct enforce_end enforce_message_end(const struct enforce_message *m)
{
    return (struct enforce_end){get32(m->records) != 0, get32(m->records + 4)};
}

struct span enforce_message_text(const struct enforce_message *m)
{
    return (struct span){(const char *)m->records, m->count};
}

void enforce_write(struct enforce_writer *w, enum enforce_type type, uint32_t sequence)
{
    memset(w->bytes, 0, ENFORCE_HEADER);
    w->bytes[0] = ENFORCE_VERSION;
    w->bytes[1] = (uint8_t)type;
    put32(w->bytes + 8, sequence);
    w->count = 0;
    w->n = ENFORCE_HEADER;
}

/* Room for one record, zeroed. */
static uint8_t *record(struct enforce_writer *w, size_t size)
{
    uint8_t *r = w->bytes + w->n;

    memset(r, 0, size);
    w->n += size;
    w->count++;
    return r;
}

static void put_network(uint8_t *r, const struct network *network, enum enforce_scope scope)
{
    r[AT_FAMILY] = network->family;
    r[AT_BITS] = network->bits;
    r[AT_SCOPE] = (uint8_t)scope;
    memcpy(r + AT_IP, network->ip, sizeof(network->ip));
}

void enforce_write_ban(struct enforce_writer *w, const struct enforce_ban *ban)
{
    uint8_t *r = record(w, BAN_SIZE);

    put_network(r, &ban->network, ban->scope);
    put64(r + NETWORK_SIZE, ban->left_ms);
}

void enforce_write_network(struct enforce_writer *w, const struct network *network,
                           enum enforce_scope scope)
{
    put_network(record(w, NETWORK_SIZE), network, scope);
}

void enforce_write_port(struct enforce_writer *w, struct enforce_port port)
{
    put32(record(w, 4), (uint32_t)port.protocol << 24 | port.port);
}

void enforce_write_failure(struct enforce_writer *w, struct enforce_failure failure)
{
    uint8_t *r = record(w, 8);

    put32(r, (uint32_t)failure.index << 16 | (uint32_t)failure.why << 8);
    put32(r + 4, failure.error);
}

void enforce_write_count(struct enforce_writer *w, struct enforce_count count)
{
    uint8_t *r = record(w, 24);

    r[0] = (uint8_t)count.counter;
    put64(r + 8, count.packets);
    put64(r + 16, count.bytes);
}

static void write_words(struct enforce_writer *w, uint32_t first, uint32_t second)
{
    uint8_t *r = record(w, 8);

    put32(r, first);
    put32(r + 4, second);
}

void enforce_write_state(struct enforce_writer *w, struct enforce_state state)
{
    write_words(w, state.stood, state.sockets);
}

void enforce_write_disturbance(struct enforce_writer *w, enum enforce_disturbance what)
{
    put32(record(w, 4), what);
}

void enforce_write_end(struct enforce_writer *w, struct enforce_end end)
{
    write_words(w, end.interrupted, end.records);
}

void enforce_write_text(struct enforce_writer *w, const char *text)
{
    for (; *text && w->count < ENFORCE_RECORDS_MAX; text++)
        *record(w, 1) = (uint8_t)*text;
}

struct span enforce_written(struct enforce_writer *w)
{
    put32(w->bytes + 4, (uint32_t)w->n);
    w->bytes[2] = (uint8_t)(w->count >> 8);
    w->bytes[3] = (uint8_t)w->count;
    return (struct span){(const char *)w->bytes, w->n};
}
