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
#define CLAIM_REALMS 4

struct claim {
    int64_t switch_id;
    struct address source;
    enum transport transport;
    enum method method;
    enum sip_method sip;
    enum proof proof;
    bool in_dialog;       /* To has a tag */
    bool scanner;         /* scanners.h */
    uint64_t credentials; /* a keyed hash of the lines that they stand in; 0: none */
    bool odd;             /* what their realms are is not beyond doubt */
    uint8_t n_realms, n_awaited;
    union {
        /* That they name, or for which their nonces went out: nonces_realm_id(). */
        uint64_t realms[CLAIM_REALMS];
        /* Without credentials: the nonces of the challenge, of which one may come back. */
        uint64_t awaited[CLAIM_REALMS];
    };
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

/* Adds all of them to the hash. */
void claim_hash_credentials(struct claim *claim, const struct sip_message *m,
                            const uint8_t key[16]);
/* Account and realm are theirs. */
void claim_speak(struct claim *claim, const struct credentials *c);
/* They name this realm; 0: nobody knows which. */
void claim_add_realm(struct claim *claim, uint64_t realm);
bool claim_has_realm(const struct claim *claim, uint64_t realm);
/* The account is whom it names in credentials that are written in no way that we read. */
void claim_name(struct claim *claim, struct span user);

/* It has no credentials, and was told these nonces, at most CLAIM_REALMS. */
void claim_await(struct claim *claim, const uint64_t *nonces, size_t n);

/* Has it faults that no phone makes? What is `cut` has no end. */
bool claim_is_malformed(const struct sip_message *m, bool cut, bool doubtful);
/* May the switch answer with another Call-ID or CSeq than we read? No phone does that either. */
bool claim_is_unmatchable(const struct sip_message *m);

static inline struct span claim_span(const struct claim *claim, enum claim_text text)
{
    return (struct span){claim->text[text], claim->n[text]};
}

#endif
