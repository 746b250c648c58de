/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/enforcer.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "enforce/bans.h"
#include "enforce/lists.h"
#include "enforce/outbox.h"
#include "enforce/packet_socket.h"
#include "enforce/ruleset.h"
#include "enforce/watch.h"

#define UNTAKEN_MAX 16  /* notices that wait for the daemon */
#define REMOVED_MAX 256 /* of those that name whom somebody set free: a flushed set is many */
#define LAY_AGAIN_MS                                                                               \
    50 /* who fights for the table with another program does not do it without rest */
/* Awake for a ban that may follow. Two cores or more: where there is one, sched_yield() leaves it to the daemon. */
#define PRIMED_NS INT64_C(200000)
#define LOOK_EVERY_MS 10000 /* notices may get lost without a word */

/* What is needed for a ban comes first: see bans.c. */
struct enforcer {
    int daemon;
    bool untold;       /* the daemon took nothing while there was something to tell */
    int64_t laid_ms;   /* when the table was last put right */
    int64_t looked_ms; /* when it was last looked whether it stands */
    int64_t awake_ns;  /* until then the next question is waited for without sleep */
    atomic_uint *pulse;
    struct netlink *nl, *dump;
    struct ruleset *rules;
    struct watch *watch;
    struct bans *bans;
    struct outbox outbox;
    struct packet_sockets sockets;
    /* Reading the sets for the daemon. */
    struct {
        bool active, asked, interrupted;
        unsigned set;
        uint32_t sequence, records;
    } read;
    struct enforce_writer writer;
    uint8_t received[ENFORCE_MESSAGE_MAX + 1];
    struct limits limits;
    struct lists lists;
    /* What others took away. */
    struct {
        bool ranges[TABLE_SETS], lists;
        bool many; /* more than there is room for: the first are told already */
        size_t n;
        struct enforce_ban of[ENFORCE_RECORDS_MAX];
    } taken;
};

static int64_t now_ms(void)
{
    return clock_now().boot_ns / 1000000;
}

static void flush_writer(struct enforcer *e)
{
    outbox_add(&e->outbox, enforce_written(&e->writer));
}

/* Begins the next message when the one that is written is full. */
static void write_held(void *context, const struct enforce_ban *ban)
{
    struct enforcer *e = context;

    if (e->writer.count == ENFORCE_RECORDS_MAX) {
        flush_writer(e);
        enforce_write(&e->writer, ENFORCE_HELD, e->read.sequence);
    }
    enforce_write_ban(&e->writer, ban);
    e->read.records++;
}

/* ---- Reading the sets ---- */

static void hold_element(void *context, enum table_set set, const struct element *element)
{
    const struct table_set_facts *facts = table_set_facts(set);
    struct enforce_ban ban = {.network = {.family = facts->family, .bits = facts->bits},
                              .scope = table_set_scope(set),
                              .left_ms = element->left_ms};

    memcpy(ban.network.ip, element->key, sizeof(ban.network.ip));
    write_held(context, &ban);
}

static int hold_elements(void *context, const struct nlmsghdr *answer)
{
    elements_each(answer, hold_element, context);
    return 0;
}

/* One packet of the kernel's. What the daemon has not taken yet is not read. */
static void read_some(struct enforcer *e)
{
    enforce_write(&e->writer, ENFORCE_HELD, e->read.sequence);
    if (e->read.set > TABLE_EVERY_NETS6) {
        enforce_write(&e->writer, ENFORCE_HELD_END, e->read.sequence);
        enforce_write_end(&e->writer, (struct enforce_end){e->read.interrupted, e->read.records});
        e->read.active = false;
        flush_writer(e);
        return;
    }
    int err = 0;

    if (table_set_facts((enum table_set)e->read.set)->ranges) {
        bans_ranges(e->bans, (enum table_set)e->read.set, now_ms(), write_held, e);
    } else {
        if (!e->read.asked)
            err = netlink_send(e->dump, elements_question(e->dump, (enum table_set)e->read.set));
        e->read.asked = !err;
        if (!err)
            err = netlink_receive(e->dump, hold_elements, e);
    }
    if (err && err != NETLINK_MORE)
        e->read.interrupted = true;
    if (err != NETLINK_MORE) {
        e->read.set++;
        e->read.asked = false;
    }
    if (e->writer.count)
        flush_writer(e);
}

static void begin_read(struct enforcer *e, uint32_t sequence)
{
    /* One that is still going on ends here, and says that it is not whole. */
    if (e->read.active) {
        enforce_write(&e->writer, ENFORCE_HELD_END, e->read.sequence);
        enforce_write_end(&e->writer, (struct enforce_end){true, e->read.records});
        flush_writer(e);
        while (e->read.asked && netlink_receive(e->dump, hold_elements, e) == NETLINK_MORE)
            enforce_write(&e->writer, ENFORCE_HELD, 0);
    }
    memset(&e->read, 0, sizeof(e->read));
    e->read.active = true;
    e->read.sequence = sequence;
}

static void look(struct enforcer *e, const struct enforce_message *m)
{
    struct enforce_end end = {0};

    enforce_write(&e->writer, ENFORCE_HELD, m->sequence);
    for (unsigned i = 0; i < m->count; i++) {
        struct enforce_ban ban = {0};

        ban.network = enforce_message_network(m, i, &ban.scope);
        if (bans_look(e->bans, &ban, now_ms())) {
            enforce_write_ban(&e->writer, &ban);
            end.records++;
        }
    }
    if (end.records)
        flush_writer(e);
    enforce_write(&e->writer, ENFORCE_HELD_END, m->sequence);
    enforce_write_end(&e->writer, end);
    flush_writer(e);
}

/* ---- Counters ---- */

static void read_counter(const struct nlattr *data, struct enforce_count *count)
{
    const struct nlattr *attr;

    mnl_attr_for_each_nested(attr, data)
    {
        if (mnl_attr_get_payload_len(attr) != 8)
            continue;
        if (mnl_attr_get_type(attr) == NFTA_COUNTER_PACKETS)
            count->packets = be64toh(mnl_attr_get_u64(attr));
        else if (mnl_attr_get_type(attr) == NFTA_COUNTER_BYTES)
            count->bytes = be64toh(mnl_attr_get_u64(attr));
    }
}

static int write_counter(void *context, const struct nlmsghdr *answer)
{
    struct enforcer *e = context;
    struct enforce_count count = {.counter = ENFORCE_COUNTERS};
    const struct nlattr *attr;

    mnl_attr_for_each(attr, answer, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attr) == NFTA_OBJ_NAME &&
            mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
            count.counter = table_counter_named(span_of(mnl_attr_get_str(attr)));
        else if (mnl_attr_get_type(attr) == NFTA_OBJ_DATA)
            read_counter(attr, &count);
    }
    if (count.counter < ENFORCE_COUNTERS && e->writer.count < ENFORCE_RECORDS_MAX)
        enforce_write_count(&e->writer, count);
    return 0;
}

static void count(struct enforcer *e, uint32_t sequence)
{
    struct nlmsghdr *question = netlink_question(e->nl, NFT_MSG_GETOBJ, NLM_F_DUMP);

    mnl_attr_put_strz(question, NFTA_OBJ_TABLE, TABLE_NAME);
    mnl_attr_put_u32(question, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
    enforce_write(&e->writer, ENFORCE_COUNTS, sequence);
    netlink_ask(e->nl, question, write_counter, e);
    flush_writer(e);
}

/* ---- What the daemon asks ---- */

static void give_socket(struct enforcer *e, uint32_t sequence)
{
    int socket = packet_sockets_take(&e->sockets, e->lists.ports, e->lists.n_ports);

    if (socket < 0) {
        enforce_write(&e->writer, ENFORCE_DONE, sequence);
        enforce_write_failure(&e->writer, (struct enforce_failure){0, ENFORCE_NO_SOCKET, 0});
        flush_writer(e);
        return;
    }
    enforce_write(&e->writer, ENFORCE_TAKE, sequence);
    outbox_add_descriptor(&e->outbox, enforce_written(&e->writer), socket);
}

/* Awake, and what a ban touches on its way is in the caches. */
static void prime(struct enforcer *e)
{
    bans_warm(e->bans);
    e->awake_ns = clock_now().boot_ns + PRIMED_NS;
}

/* Whether there may be something now: for as long as it was primed for. */
static bool stays_awake(struct enforcer *e)
{
    if (!e->awake_ns)
        return false;
    if (clock_now().boot_ns >= e->awake_ns)
        e->awake_ns = 0;
    sched_yield();
    return e->awake_ns != 0;
}

static int answer(struct enforcer *e, const struct enforce_message *m, struct fault *f)
{
    enforce_write(&e->writer, ENFORCE_DONE, m->sequence);
    switch (m->type) {
    case ENFORCE_PRIME: prime(e); return 0;
    case ENFORCE_BAN: bans_set(e->bans, m, now_ms(), &e->writer); break;
    case ENFORCE_UNBAN: bans_lift(e->bans, m, now_ms(), &e->writer); break;
    case ENFORCE_NEVER:
    case ENFORCE_ACCESS:
    case ENFORCE_OBSERVE:
    case ENFORCE_PORTS: lists_set(&e->lists, m, &e->writer); break;
    case ENFORCE_READ: begin_read(e, m->sequence); return 0;
    case ENFORCE_LOOK: look(e, m); return 0;
    case ENFORCE_COUNT: count(e, m->sequence); return 0;
    case ENFORCE_SOCKET: give_socket(e, m->sequence); return 0;
    case ENFORCE_DONE:
    case ENFORCE_HELD:
    case ENFORCE_HELD_END:
    case ENFORCE_COUNTS:
    case ENFORCE_TAKE:
    case ENFORCE_READY:
    case ENFORCE_TRUSTED:
    case ENFORCE_DISTURBED:
    case ENFORCE_REMOVED:
    case ENFORCE_ERROR:
        return fault(f, ERR_SYNTAX, "a message of type %d, which is not the daemon's to send",
                     m->type);
    }
    flush_writer(e);
    return 0;
}

static void beat(struct enforcer *e)
{
    if (e->pulse)
        atomic_fetch_add_explicit(e->pulse, 1, memory_order_relaxed);
}

/* Answers what has come, until the daemon has something to take first. ERR_MISSING when it has gone. */
static int hear_daemon(struct enforcer *e, struct fault *f)
{
    while (outbox_is_empty(&e->outbox)) {
        ssize_t n = recv(e->daemon, e->received, sizeof(e->received), MSG_DONTWAIT);
        struct enforce_message m;

        beat(e);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (stays_awake(e))
                continue;
            return 0;
        }
        if (n <= 0)
            return fault(f, ERR_MISSING, "sekishod has gone");
        int err = enforce_message_read(&m, (struct span){(const char *)e->received, (size_t)n}, f);

        if (!err)
            err = answer(e, &m, f);
        if (err)
            return err;
        outbox_send(&e->outbox, e->daemon);
        if (m.type != ENFORCE_PRIME)
            e->awake_ns = 0;
    }
    return 0;
}

/* ---- What others do ---- */

/* Untaken notices do not pile up: that something happened is told when there is room. */
static bool may_tell(struct enforcer *e, size_t most)
{
    if (outbox_count(&e->outbox) >= most)
        e->untold = true;
    return !e->untold;
}

/* Who was banned again since then is not set free. Of many nobody asks that. */
static void write_taken(struct enforcer *e)
{
    enforce_write(&e->writer, ENFORCE_REMOVED, 0);
    for (size_t i = 0; i < e->taken.n; i++) {
        struct enforce_ban *ban = &e->taken.of[i];

        if (e->taken.many || !bans_look(e->bans, ban, now_ms()))
            enforce_write_network(&e->writer, &ban->network, ban->scope);
    }
    e->taken.n = 0;
}

static void tell_removed(struct enforcer *e)
{
    if (e->writer.count && may_tell(e, e->taken.many ? REMOVED_MAX : UNTAKEN_MAX))
        flush_writer(e);
}

static void note_taken(void *context, enum table_set set, const struct element *element)
{
    struct enforcer *e = context;
    const struct table_set_facts *facts = table_set_facts(set);

    if (!facts->bans) {
        e->taken.lists = true;
    } else if (facts->ranges) {
        e->taken.ranges[set] = true;
    } else {
        if (e->taken.n == ENFORCE_RECORDS_MAX) {
            e->taken.many = true;
            write_taken(e);
            tell_removed(e);
        }
        struct enforce_ban *ban = &e->taken.of[e->taken.n++];

        *ban = (struct enforce_ban){.network = {.family = facts->family, .bits = facts->bits},
                                    .scope = table_set_scope(set)};
        memcpy(ban->network.ip, element->key, sizeof(ban->network.ip));
    }
}

static void write_gone(void *context, const struct network *network, enum enforce_scope scope)
{
    struct enforcer *e = context;

    if (e->writer.count < ENFORCE_RECORDS_MAX)
        enforce_write_network(&e->writer, network, scope);
}

static void tell_disturbed(struct enforcer *e, enum enforce_disturbance what)
{
    if (!may_tell(e, UNTAKEN_MAX))
        return;
    enforce_write(&e->writer, ENFORCE_DISTURBED, 0);
    enforce_write_disturbance(&e->writer, what);
    flush_writer(e);
}

/* Everything but the bans of hosts, which the daemon is asked for. */
static int lay(struct enforcer *e, bool *kept, struct fault *f)
{
    int err = ruleset_lay(e->rules, e->nl, kept, f);

    if (err)
        return err;
    if (!*kept)
        bans_redraw(e->bans, now_ms());
    err = lists_write(&e->lists);
    return err ? fault(f, ERR_IO, "cannot fill the never-ban set: %s", strerror(err)) : 0;
}

static int put_right(struct enforcer *e, struct fault *f)
{
    enum ruleset_state state = ruleset_look(e->rules, e->nl);
    bool kept = true;
    int err = 0;

    if (state == RULESET_STANDS)
        return 0;
    int64_t rest_ms = e->laid_ms + LAY_AGAIN_MS - now_ms();

    if (e->laid_ms && rest_ms > 0)
        poll(NULL, 0, (int)rest_ms);
    err = lay(e, &kept, f);
    if (err)
        return err;
    e->laid_ms = now_ms();
    log_warning("table-disturbed", LOG_TEXT("what", kept ? "rules changed" : "table gone"));
    tell_disturbed(e, kept ? ENFORCE_RULES_CHANGED : ENFORCE_TABLE_GONE);
    return 0;
}

static int hear_others(struct enforcer *e, struct fault *f)
{
    struct watch_heard heard = watch_read(e->watch, note_taken, e);
    int err = heard.rules || heard.lost ? put_right(e, f) : 0;

    if (!err && e->taken.lists && lists_write(&e->lists) != 0)
        err = fault(f, ERR_IO, "cannot fill the lists again");
    write_taken(e);
    for (unsigned set = 0; set < TABLE_SETS; set++)
        if (e->taken.ranges[set])
            bans_forget_taken(e->bans, (enum table_set)set, now_ms(), write_gone, e);
    tell_removed(e);
    /* After those that are named: what is not set free is to be sent again. */
    if (heard.lost || e->taken.many)
        tell_disturbed(e, ENFORCE_SETS_CHANGED);
    memset(&e->taken, 0, offsetof(struct enforcer, taken.of) - offsetof(struct enforcer, taken));
    return err;
}

/* ---- The whole ---- */

static void write_trusted(struct enforcer *e, const struct networks *list)
{
    enforce_write(&e->writer, ENFORCE_TRUSTED, 0);
    for (size_t i = 0; i < list->n; i++)
        enforce_write_network(&e->writer, &list->of[i].network, ENFORCE_SIP);
    if (list->n)
        flush_writer(e);
}

/* The first that the daemon hears: with a fresh table nothing is banned, else what stood stands. */
static void tell_ready(struct enforcer *e, bool stood)
{
    enforce_write(&e->writer, ENFORCE_READY, 0);
    enforce_write_state(&e->writer, (struct enforce_state){stood, (uint32_t)e->sockets.n});
    flush_writer(e);
    write_trusted(e, &e->limits.never4);
    write_trusted(e, &e->limits.never6);
}

int enforcer_open(struct enforcer **out, int daemon, const struct limits *limits, struct fault *f)
{
    struct enforcer *e = calloc(1, sizeof(*e));
    bool kept = false;

    if (!e)
        return fault_nomem(f);
    e->daemon = daemon;
    e->limits = *limits;
    packet_sockets_open(&e->sockets);
    int err = ruleset_open(&e->rules, f);

    if (!err)
        err = netlink_open(&e->nl, f);
    if (!err)
        err = netlink_open(&e->dump, f);
    if (!err)
        err = bans_new(&e->bans, e->nl, &e->limits, f);
    e->lists.nl = e->nl;
    e->lists.limits = &e->limits;
    if (!err)
        err = watch_open(&e->watch, e->nl, f);
    if (!err)
        err = ruleset_lay(e->rules, e->nl, &kept, f);
    if (!err && kept)
        lists_learn(&e->lists);
    if (!err && lists_write(&e->lists) != 0)
        err = fault(f, ERR_IO, "cannot fill the never-ban set: %m");
    if (err) {
        enforcer_close(e);
        return err;
    }
    if (kept)
        bans_learn(e->bans, now_ms());
    tell_ready(e, kept);
    *out = e;
    return 0;
}

/* 0 to go on. */
static int step(struct enforcer *e, struct fault *f)
{
    struct pollfd fds[] = {{.fd = e->daemon}, {.fd = watch_descriptor(e->watch), .events = POLLIN}};
    int err = 0;

    if (outbox_send(&e->outbox, e->daemon) != 0)
        return fault(f, ERR_MISSING, "sekishod has gone");
    if (outbox_is_empty(&e->outbox) && e->untold) {
        e->untold = false;
        tell_disturbed(e, ENFORCE_SETS_CHANGED);
    }
    bool reading = outbox_is_empty(&e->outbox) && e->read.active;

    if (reading)
        read_some(e);
    /* Nothing is taken from a daemon that takes nothing. */
    fds[0].events = outbox_is_empty(&e->outbox) ? POLLIN : POLLOUT;
    int n = poll(fds, 2, reading ? 0 : LOOK_EVERY_MS);

    beat(e);
    if (now_ms() - e->looked_ms >= LOOK_EVERY_MS) {
        e->looked_ms = now_ms();
        err = put_right(e, f);
    }
    if (!err && n > 0 && fds[1].revents)
        err = hear_others(e, f);
    if (!err && n > 0 && fds[0].revents & (POLLIN | POLLHUP | POLLERR))
        err = hear_daemon(e, f);
    return err;
}

void enforcer_set_pulse(struct enforcer *e, atomic_uint *pulse)
{
    e->pulse = pulse;
}

int enforcer_run(struct enforcer *e, struct fault *f)
{
    int err = 0;

    while (!err)
        err = step(e, f);
    return err == ERR_MISSING ? 0 : err;
}

void enforcer_close(struct enforcer *e)
{
    if (!e)
        return;
    bans_free(e->bans);
    watch_close(e->watch);
    ruleset_close(e->rules);
    netlink_close(e->nl);
    netlink_close(e->dump);
    packet_sockets_close(&e->sockets);
    outbox_free(&e->outbox);
    free(e);
}
