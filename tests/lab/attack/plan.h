/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LAB_ATTACK_PLAN_H
#define SEKISHO_LAB_ATTACK_PLAN_H

#include <stdint.h>

#include "base/address.h"
#include "base/buf.h"

/*
 * What an attack is to do, from the command line:
 *
 *   attack --to ADDRESS [OPTION VALUE]...
 *
 *   to          where the switch listens: ADDRESS or ADDRESS:PORT; private addresses alone
 *   sources     FIRST+N or FIRST+N/BITS: N addresses, each the next one, or in the next network of that many bits
 *   port        from which they send, 5062
 *   transport   udp, tcp (a connection a source, at most 512)
 *   spoofed     yes: the sources are other people's addresses, and their replies go elsewhere
 *   method      register, invite, options
 *   algorithm   md5, sha-256: which challenge is answered, where a switch sends several
 *   credentials none; own: answers the challenges that it gets; invented: with a nonce that nobody gave;
 *               stolen: with one that was given to `thief`
 *   thief       the address that steals
 *   fresh       yes: asks for a challenge before each guess, as phones and sipvicious do
 *   accounts    FIRST+N, numbers, or a name as it is, with escapes
 *   order       spread: the sources one after the other, each with the next account; each: all sources guess
 *               at an account before the next one is taken
 *   password    right for all of them; else each guess is another wrong one
 *   mistakes    guesses of each source that are wrong before `password` is used
 *   rate        requests a second over all sources; 0: as fast as they are answered
 *   count       guesses (requests, where there are no credentials) over all sources
 *   seconds     how long at most
 *   silence     seconds without an answer after which it gives up; 0: it goes on
 *   linger      seconds that it waits for answers behind the last request
 *   threshold   "beyond" counts answers above this many to one source
 *   each        of how many sources to print each one's figures
 *   call-id, agent, display, realm, body, header, digest
 *               texts with escapes (\r \n \t \\ \xHH) in place of what stands there; `header` is added, `digest`
 *               before the user name of the credentials
 *   without     a header field that is left out
 */
#define PLAN_COUNT_MAX 20000000u
#define PLAN_SECONDS_MAX 600
#define PLAN_SOURCES_MAX 1000000u

enum plan_method { PLAN_REGISTER, PLAN_INVITE, PLAN_OPTIONS };
enum plan_credentials { PLAN_NONE, PLAN_OWN, PLAN_INVENTED, PLAN_STOLEN };

struct plan {
    struct address to;
    struct address first;
    unsigned n, bits; /* bits 0: the next address */
    uint16_t port;
    bool tcp, spoofed, fresh, each_account, sha256;
    enum plan_method method;
    enum plan_credentials credentials;
    struct address thief;
    uint64_t account; /* the first of n_accounts numbers; n_accounts 0: account_name */
    unsigned n_accounts;
    struct buf account_name;
    const char *password;
    unsigned mistakes;
    double rate, seconds, silence, linger;
    uint64_t count;
    unsigned threshold, each;
    struct buf call_id, agent, display, realm, body, header, digest;
    const char *without;
};

/* Prints what is wrong, and returns false. */
bool plan_read(struct plan *plan, int argc, char **argv);
void plan_free(struct plan *plan);

struct address plan_source(const struct plan *plan, unsigned i);
/* The account of the k-th guess, without its NUL. */
size_t plan_account(const struct plan *plan, uint64_t k, char *out, size_t max);

#endif
