/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_AMI_CALLS_H
#define SEKISHO_INTAKE_AMI_CALLS_H

#include "intake/ami_session.h"

/*
 * Ends live calls of an Asterisk, over a session of its own that has no events. Pure: one round lists all channels, asks
 * each for what Sekisho's dialplan wrote onto it (contrib/asterisk/sekisho.conf), hands that to `ends`, and hangs up those
 * for which it says so.
 *
 * The list is only a hint: whoever calls can write fields, and whole rows, into it by his name. What is believed is
 * the answer about one channel, under an ActionID that nobody can guess. So a forged row costs a question, and
 * a split one hides nothing, for a channel's name comes before what the caller says.
 *
 * SEKISHO_CALL is "UNIQUEID/ACCOUNT/NUMBER", each part percent-encoded: the channel with that unique id asked for
 * this call, and legs that were dialled for it inherit it. A leg that later asks for a call itself has kept its own in
 * SEKISHO_LEG. Calls to emergency numbers have neither.
 *
 * The manager's user needs the write classes `call` and `reporting`.
 */
#define AMI_CHANNEL_MAX 128
#define AMI_CALL_ACCOUNT_MAX 128
#define AMI_CALL_NUMBER_MAX 256
#define AMI_CALLS_WINDOW 64            /* channels that are asked about at a time */
#define AMI_CALLS_LISTED_MAX (4 << 20) /* bytes of names that wait for that */

/* Borrowed for the call. */
struct ami_call {
    struct span channel;
    struct span account; /* who pays, as the dialplan knows it; any bytes */
    struct span number;  /* as it was dialled; any bytes */
};

struct ami_calls_sink {
    /* Whether the call must end now. Must be false for every emergency call. */
    bool (*ends)(void *arg, const struct ami_call *call);
    /* It was hung up (not: it had ended by itself). May be NULL. */
    void (*ended)(void *arg, const struct ami_call *call);
    void *arg;
};

struct ami_calls_figures {
    uint64_t rounds;     /* that came to their end */
    uint64_t channels;   /* that were asked about */
    uint64_t calls;      /* of those: with a call that the dialplan told of */
    uint64_t unreadable; /* of those: which could not be read */
    uint64_t ended;      /* hung up */
    uint64_t refused;    /* to be hung up, but Asterisk did not */
    uint64_t left_out;   /* channels of a list that was too long, or with names that are none */
};

enum ami_asking { AMI_ASKING_NOTHING, AMI_ASKING_LEG, AMI_ASKING_CALL, AMI_ASKING_HANGUP };

/* Zero-initialised is ready; zero it again, after ami_calls_free(), for a new session. */
struct ami_calls {
    uint64_t list; /* the action that lists; 0: none is under way */
    struct buf names;
    size_t taken; /* of `names` */
    struct ami_asked {
        enum ami_asking asking;
        uint64_t action;
        char channel[AMI_CHANNEL_MAX];
        char account[AMI_CALL_ACCOUNT_MAX], number[AMI_CALL_NUMBER_MAX]; /* while it is hung up */
        size_t account_n, number_n;
    } asked[AMI_CALLS_WINDOW];
    size_t n_asked;
};

void ami_calls_free(struct ami_calls *calls);

/* Begins a round, unless one is under way. */
void ami_calls_begin(struct ami_calls *calls, struct ami_session *session);
bool ami_calls_busy(const struct ami_calls *calls);

/* Takes the session's message. ERR_DENIED, with what to do about it: the user may not list; ERR_NOMEM. */
int ami_calls_take(struct ami_calls *calls, struct ami_session *session,
                   const struct ami_calls_sink *sink, struct ami_calls_figures *figures,
                   struct fault *f);

/* "UNIQUEID/ACCOUNT/NUMBER" decoded into the two buffers, of which `*call` gets views. False where it is none. */
bool ami_call_read(struct span text, char account[AMI_CALL_ACCOUNT_MAX],
                   char number[AMI_CALL_NUMBER_MAX], struct ami_call *call);

#endif
