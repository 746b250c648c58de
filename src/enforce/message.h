/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_MESSAGE_H
#define SEKISHO_ENFORCE_MESSAGE_H

#include <stdint.h>

#include "base/address.h"

/*
 * What sekishod and sekisho-enforcer say to each other over their socketpair (SOCK_SEQPACKET): one
 * message a packet, a header of 12 bytes and records of one size. docs/interfaces.md has it byte by byte.
 * Pure: nothing here touches a socket.
 */
#define ENFORCE_VERSION 1
#define ENFORCE_HEADER 12
#define ENFORCE_RECORDS_MAX 1024
#define ENFORCE_MESSAGE_MAX (ENFORCE_HEADER + ENFORCE_RECORDS_MAX * 28)

enum enforce_type {
    /* The daemon asks. */
    ENFORCE_BAN = 1,   /* bans: each is set or renewed */
    ENFORCE_UNBAN = 2, /* networks: each is set free, whether it was banned or not */
    ENFORCE_NEVER = 3, /* never dropped, besides the enforcer's own; replaced whole */
    ENFORCE_ACCESS =
        4, /* networks that may reach the SIP ports, replaced whole; none: no access list */
    ENFORCE_OBSERVE = 5, /* switches (destinations) where nothing is dropped, replaced whole */
    ENFORCE_PORTS = 6,   /* the SIP ports, replaced whole */
    ENFORCE_READ = 7,    /* nothing: what does the kernel hold? */
    ENFORCE_LOOK = 8,    /* networks: which of these does the kernel hold? */
    ENFORCE_COUNT = 9,   /* nothing: what do the counters say? */
    ENFORCE_SOCKET = 10, /* nothing: a packet socket that sees the SIP ports and no more */
    ENFORCE_PRIME = 11,  /* nothing: a ban may follow at once. Not answered */
    /* The enforcer answers, with the sequence number of the question. */
    ENFORCE_DONE = 64, /* failures: what of the question was not done; none: all is in the kernel */
    ENFORCE_HELD = 65, /* bans, as the kernel holds them */
    ENFORCE_HELD_END = 66, /* one end: nothing follows */
    ENFORCE_COUNTS = 67,   /* counts */
    ENFORCE_TAKE = 68,     /* nothing; the packet socket comes with it (SCM_RIGHTS) */
    /* The enforcer tells unasked, with sequence number 0. */
    ENFORCE_READY =
        80, /* one state. Whatever was asked before and not answered must be asked again */
    ENFORCE_TRUSTED = 81, /* networks: what the never-ban list holds */
    ENFORCE_DISTURBED =
        82, /* one disturbance: somebody changed the table; all bans must be sent again */
    ENFORCE_REMOVED = 83, /* networks that somebody else set free (`sekisho unban --direct`, nft) */
    ENFORCE_ERROR = 84,   /* why the enforcer ends */
};

/* What a ban covers. */
enum enforce_scope { ENFORCE_SIP, ENFORCE_EVERYTHING };

/* Why one record was not done. */
enum enforce_refusal {
    ENFORCE_KERNEL = 1,    /* the kernel said no: errno */
    ENFORCE_TOO_WIDE = 2,  /* wider than the ceiling */
    ENFORCE_IS_NEVER = 3,  /* within the never-ban list */
    ENFORCE_NOT_PORT = 4,  /* a port that must stay open, or port 0 */
    ENFORCE_NO_ROOM = 5,   /* a bounded list is full */
    ENFORCE_NO_SOCKET = 6, /* no packet socket is left */
};

enum enforce_disturbance {
    ENFORCE_TABLE_GONE = 1,
    ENFORCE_RULES_CHANGED = 2,
    ENFORCE_SETS_CHANGED = 3
};

/* The kernel's counters. Those of dropped packets by what dropped them, the narrower first. */
enum enforce_counter {
    ENFORCE_COUNT_NEVER,     /* passed, for being on the never-ban list */
    ENFORCE_COUNT_OBSERVED,  /* passed, and would have been dropped were its switch not observed */
    ENFORCE_COUNT_NO_ACCESS, /* dropped, for not being on the access list */
    ENFORCE_COUNT_SIP_HOSTS, /* dropped on a SIP port: banned hosts */
    ENFORCE_COUNT_SIP_NETS,  /* the same: banned networks */
    ENFORCE_COUNT_EVERY_HOSTS, /* dropped on whatever port: banned hosts */
    ENFORCE_COUNT_EVERY_NETS,
    ENFORCE_COUNTERS
};

struct enforce_ban {
    struct network network; /* an IPv4-mapped one is read as the IPv4 network that it is */
    enum enforce_scope scope;
    uint64_t left_ms; /* 0: until it is lifted; at most ENFORCE_LEFT_MAX */
};

#define ENFORCE_LEFT_MAX (UINT64_C(10) * 365 * 86400 * 1000)

struct enforce_port {
    uint8_t protocol; /* IPPROTO_UDP, IPPROTO_TCP or IPPROTO_SCTP */
    uint16_t port;
};

struct enforce_failure {
    uint16_t index; /* of the record in the question */
    enum enforce_refusal why;
    uint32_t error; /* errno where `why` is ENFORCE_KERNEL, else 0 */
};

struct enforce_count {
    enum enforce_counter counter;
    uint64_t packets, bytes;
};

struct enforce_state {
    bool stood;       /* the table was there already, with bans */
    uint32_t sockets; /* packet sockets that can be asked for */
};

struct enforce_end {
    bool interrupted; /* the sets changed while they were read: something may be missing or twice */
    uint32_t records;
};

/* A message in somebody else's bytes. */
struct enforce_message {
    enum enforce_type type;
    uint16_t count;
    uint32_t sequence;
    const uint8_t *records;
};

/* Checks header, lengths and the form of every record, so that the readers below cannot fail. ERR_SYNTAX
 * with the reason. */
int enforce_message_read(struct enforce_message *out, struct span bytes, struct fault *f);

/* Record `i` of a message whose type has such. */
struct enforce_ban enforce_message_ban(const struct enforce_message *m, unsigned i);
struct network enforce_message_network(const struct enforce_message *m, unsigned i,
                                       enum enforce_scope *scope);
struct enforce_port enforce_message_port(const struct enforce_message *m, unsigned i);
struct enforce_failure enforce_message_failure(const struct enforce_message *m, unsigned i);
struct enforce_count enforce_message_counted(const struct enforce_message *m, unsigned i);
struct enforce_state enforce_message_state(const struct enforce_message *m);
enum enforce_disturbance enforce_message_disturbance(const struct enforce_message *m);
struct enforce_end enforce_message_end(const struct enforce_message *m);
struct span enforce_message_text(const struct enforce_message *m);

/* A message that is being written. */
struct enforce_writer {
    uint16_t count;
    size_t n;
    uint8_t bytes[ENFORCE_MESSAGE_MAX];
};

void enforce_write(struct enforce_writer *w, enum enforce_type type, uint32_t sequence);
/* Each adds one record. The caller minds the type, and adds at most ENFORCE_RECORDS_MAX. */
void enforce_write_ban(struct enforce_writer *w, const struct enforce_ban *ban);
void enforce_write_network(struct enforce_writer *w, const struct network *network,
                           enum enforce_scope scope);
void enforce_write_port(struct enforce_writer *w, struct enforce_port port);
void enforce_write_failure(struct enforce_writer *w, struct enforce_failure failure);
void enforce_write_count(struct enforce_writer *w, struct enforce_count count);
void enforce_write_state(struct enforce_writer *w, struct enforce_state state);
void enforce_write_disturbance(struct enforce_writer *w, enum enforce_disturbance what);
void enforce_write_end(struct enforce_writer *w, struct enforce_end end);
void enforce_write_text(struct enforce_writer *w,
                        const char *text); /* cut at ENFORCE_RECORDS_MAX */
/* Borrowed from `w`, until it is written again. */
struct span enforce_written(struct enforce_writer *w);

#endif
