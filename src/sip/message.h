/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_MESSAGE_H
#define SEKISHO_SIP_MESSAGE_H

#include <stdint.h>

#include "sip/field.h"
#include "sip/header.h"
#include "sip/method.h"

/*
 * Reads one SIP message (RFC 3261 sections 7 and 25) in one pass. All parts are views into the bytes that
 * were given; nothing is copied or allocated. What has not the form that it should have is read as far
 * as it means one thing only, and told in `faults`: what stands twice is neither taken from its first
 * place nor from its last. So two programs cannot be brought to see different messages in one datagram
 * without a fault being seen here.
 */
#define SIP_MESSAGE_MAX 65535 /* bytes */
#define SIP_HEADERS_MAX 256   /* header fields; more are a fault, and read as switches do */

enum sip_fault {
    SIP_START_LINE = 1 << 0,   /* spaces elsewhere than one between each two parts, or a method that
                                     is no token */
    SIP_VERSION = 1 << 1,      /* not SIP/2.0 */
    SIP_STATUS = 1 << 2,       /* not three digits from 100 to 699 */
    SIP_METHOD_CASE = 1 << 3,  /* "register": not the method REGISTER, but what PBXs take for it */
    SIP_HEADER_LINE = 1 << 4,  /* a line that is no "name: value" */
    SIP_TOO_MANY = 1 << 5,     /* more header fields than SIP_HEADERS_MAX */
    SIP_NO_END = 1 << 6,       /* no empty line behind the header */
    SIP_BARE_CR = 1 << 7,      /* a CR without LF in the header: a byte like others */
    SIP_BARE_LF = 1 << 8,      /* an LF without CR in the header: the end of a line */
    SIP_NUL = 1 << 9,          /* a NUL in the header */
    SIP_CONTROL = 1 << 10,     /* another control byte in the header */
    SIP_REPEATED = 1 << 11,    /* a header field twice of which there is but one */
    SIP_MISSING = 1 << 12,     /* Via, From, To, Call-ID or CSeq is missing or empty */
    SIP_CSEQ = 1 << 13,        /* not a number below 2^31 and a method */
    SIP_CSEQ_METHOD = 1 << 14, /* not the method of the request line */
    SIP_CONTENT_LENGTH = 1 << 15, /* no number */
    SIP_BODY_CUT = 1 << 16,       /* Content-Length says more than came */
};

struct sip_message {
    struct span whole; /* from the start line on */
    struct span head;  /* the start line to the empty line, and that too */
    struct span body;  /* as long as Content-Length says; all that came where it says nothing */
    struct span rest;  /* what came behind the body: not part of the message */

    bool request;
    enum sip_method method; /* a response's is that of its CSeq; in any case: see SIP_METHOD_CASE */
    struct span method_name;
    struct span uri;     /* of a request; as it came */
    struct span version; /* "SIP/2.0" */
    unsigned status;     /* of a response; 0 with SIP_STATUS, and for a request */
    struct span reason;  /* of a response; may be empty */

    uint32_t cseq;         /* its number; 0 where it has none that can be read */
    struct span cseq_name; /* its method */
    bool has_length;       /* has one Content-Length that is a number ... */
    uint32_t length;       /* ... this one */

    uint32_t faults; /* bits of enum sip_fault */

    /* For sip_message_count(), sip_message_get() and struct sip_values. */
    struct {
        uint16_t at, n; /* the first value, in `whole` */
    } first[SIP_HEADERS];
    uint16_t count[SIP_HEADERS];
};

/*
 * `bytes` is one datagram, or what sip_stream_next() found; line ends before the start line are passed
 * over. Returns 0 when it begins with a start line, whatever the faults behind it; ERR_MISSING when it
 * holds line ends or nothing (a keep-alive); ERR_RANGE when it is longer than SIP_MESSAGE_MAX; else
 * ERR_SYNTAX.
 */
int sip_message_read(struct sip_message *out, struct span bytes);

/* "two header fields of which there may be one": what the lowest bit of `faults` means; "" for none. */
const char *sip_message_fault_text(uint32_t faults);

/* How many header fields (lines, not values) of this name there are. Not for SIP_H_OTHER. */
static inline unsigned sip_message_count(const struct sip_message *m, enum sip_header header)
{
    return m->count[header];
}

/* The value, trimmed, of a header field that stands there once; p == NULL where there is none, or more
 * than one. */
static inline struct span sip_message_get(const struct sip_message *m, enum sip_header header)
{
    if (m->count[header] != 1)
        return (struct span){NULL, 0};
    return (struct span){m->whole.p + m->first[header].at, m->first[header].n};
}

/* All header fields of one name, from the top of the message to its end. */
struct sip_values {
    struct span line; /* what is left of the line that we are in */
    struct span below;
    enum sip_header header;
    unsigned lines; /* that are still to come */
};

struct sip_values sip_values(const struct sip_message *m, enum sip_header header);

/* The next header field's whole value, trimmed; false after the last. For those that are no lists. */
bool sip_values_line(struct sip_values *v, struct span *line);

/* The next element, of this header field's list or the next one's: the topmost Via first. */
bool sip_values_next(struct sip_values *v, struct span *value);

/* How many header fields of this name there are, which may be none of enum sip_header; in any case, without
 * compact forms. `value` gets that of the first, trimmed, and is untouched where there is none. Walks the header. */
unsigned sip_message_named(const struct sip_message *m, struct span name, struct span *value);

/* Is `option` among the elements of all header fields of this name (Require, Supported)? Any case. */
bool sip_message_lists(const struct sip_message *m, enum sip_header header, struct span option);

#endif
