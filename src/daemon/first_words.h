/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_FIRST_WORDS_H
#define SEKISHO_DAEMON_FIRST_WORDS_H

#include "base/address.h"
#include "config/config.h"
#include "store/store.h"

/* What sekishod tells the person who has started it, on standard output. */
struct first_words {
    const char *state_dir;
    const char *socket; /* "" where there is none */
    struct address fastagi[CONFIG_LISTEN_MAX];
    size_t n_fastagi;
    struct address sip[CONFIG_LISTEN_MAX];
    size_t n_sip;
    struct address http[CONFIG_LISTEN_MAX];
    size_t n_http;
    const struct store_first *first;
};

/*
 * What is listening, how to make the first account, and on a first start the operator's token. Where
 * standard output is kept (a file, the journal), the token goes into a file that only the daemon's own
 * system account can read, and that file's name is told.
 */
void first_words_say(const struct first_words *words);

#endif
