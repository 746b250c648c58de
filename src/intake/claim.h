/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CLAIM_H
#define SEKISHO_INTAKE_CLAIM_H

#include "guard/attempt.h"
#include "sip/credentials.h"
#include "sip/message.h"

/*
 * What a request says of its sender, kept while its reply is waited for: who he says that he is, and with
 * what. Texts are cut at CLAIM_TEXT_MAX bytes. Pure.
 */
#define CLAIM_TEXT_MAX 64

enum claim_text {
    CLAIM_ACCOUNT, /* user name of the credentials, else of From; quoted-pairs and %XX as they are meant */
    CLAIM_REALM,
    CLAIM_USER_AGENT,
    CLAIM_DIALLED, /* user part of the Request-URI, of INVITE alone */
    CLAIM_CALL_ID,
};
#define CLAIM_TEXTS 5

struct claim {
    int64_t switch_id;
    struct address source;
    enum transport transport;
    enum method method;
    enum sip_method sip;
    enum proof proof;
    bool in_dialog;       /* To has a tag */
    bool scanner;         /* scanners.h */
    uint64_t credentials; /* a keyed hash of all of them; 0: none */
    uint8_t n[CLAIM_TEXTS];
    char text[CLAIM_TEXTS][CLAIM_TEXT_MAX];
};

/* Without credentials. */
void claim_read(struct claim *out, const struct sip_message *m, int64_t switch_id,
                const struct address *source, enum transport transport);
/* Of a sender of bytes that say nothing. */
void claim_none(struct claim *out, int64_t switch_id, const struct address *source,
                enum transport transport);

/* The Digest credentials of a request, one after the other. */
struct claim_credentials {
    struct sip_values values, other;
    struct span line;
    bool second;
};
struct claim_credentials claim_credentials(const struct sip_message *m);
bool claim_credentials_next(struct claim_credentials *each, struct credentials *out);

/* Adds them to the hash; `speaks`: account and realm are theirs. */
void claim_add_credentials(struct claim *claim, const struct credentials *c, const uint8_t key[16],
                           bool speaks);

/* Has it faults that no phone makes? What is `cut` has no end. */
bool claim_is_malformed(const struct sip_message *m, bool cut, bool doubtful);

static inline struct span claim_span(const struct claim *claim, enum claim_text text)
{
    return (struct span){claim->text[text], claim->n[text]};
}

#endif
