/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/waiter.h"

void waiter_done(void *waiter, int code, const struct fault *f)
{
    struct waiter *w = waiter;

    pthread_mutex_lock(&w->mutex);
    w->over = true;
    w->code = code;
    w->fault = *f;
    pthread_cond_signal(&w->ended);
    pthread_mutex_unlock(&w->mutex);
}

int waiter_wait(struct waiter *w, struct fault *f)
{
    pthread_mutex_lock(&w->mutex);
    while (!w->over)
        pthread_cond_wait(&w->ended, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
    if (w->code && f)
        *f = w->fault;
    return w->code;
}
