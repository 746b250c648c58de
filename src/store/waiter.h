/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_WAITER_H
#define SEKISHO_STORE_WAITER_H

#include <pthread.h>

#include "store/store.h"

/* Somebody who waits for the end of something that has a store_done. */
struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool over;
    int code;
    struct fault fault;
};

#define WAITER_INIT                                                                                \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER                      \
    }

/* A store_done; `waiter` is a struct waiter. */
void waiter_done(void *waiter, int code, const struct fault *f);

/* Waits for the call above; returns its code, and its sentence in `f` when it is a failure. */
int waiter_wait(struct waiter *w, struct fault *f);

#endif
