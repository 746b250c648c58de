/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/guard_desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct question {
    guard_desk_run_fn *run;
    guard_desk_done_fn *done;
    void *arg;
};

/*
 * One ring, with the questions in the order in which they came: from `finished` those that have run, from
 * `served` those that wait. A slot is free again when its `done` has been called, so that as many can be under way as
 * there are slots and nothing is ever allocated.
 */
struct guard_desk {
    pthread_mutex_t lock;
    pthread_mutex_t serving; /* while the desk is closed, everybody serves himself */
    struct question *slots;
    size_t n_slots;
    uint64_t asked, served, finished; /* numbers of the next one */
    bool open;
    int work, done; /* event descriptors */
};

const char *guard_enforcement_name(enum guard_enforcement_state state)
{
    switch (state) {
    case GUARD_ENFORCEMENT_OFF: return "off";
    case GUARD_ENFORCEMENT_NONE: return "none";
    case GUARD_ENFORCEMENT_STARTING: return "starting";
    case GUARD_ENFORCEMENT_RESTORING: return "restoring";
    case GUARD_ENFORCEMENT_EFFECTIVE: return "effective";
    case GUARD_ENFORCEMENT_GONE: return "gone";
    }
    return "?";
}

const char *guard_exempt_from_name(enum guard_exempt_from from)
{
    switch (from) {
    case GUARD_EXEMPT_OPERATOR: return "operator";
    case GUARD_EXEMPT_FILE: return "file";
    case GUARD_EXEMPT_MACHINE: return "machine";
    case GUARD_EXEMPT_SWITCH: return "switch";
    case GUARD_EXEMPT_TRUNK: return "trunk";
    }
    return "?";
}

int guard_desk_new(struct guard_desk **out, size_t slots, struct fault *f)
{
    struct guard_desk *desk = calloc(1, sizeof(*desk));

    if (!desk)
        return fault_nomem(f);
    desk->n_slots = slots;
    desk->slots = calloc(slots, sizeof(*desk->slots));
    desk->work = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    desk->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&desk->lock, NULL);
    pthread_mutex_init(&desk->serving, NULL);
    if (!desk->slots || desk->work < 0 || desk->done < 0) {
        int err =
            desk->slots ? fault(f, ERR_IO, "cannot make an event descriptor: %m") : fault_nomem(f);

        guard_desk_free(desk);
        return err;
    }
    *out = desk;
    return 0;
}

void guard_desk_free(struct guard_desk *desk)
{
    if (!desk)
        return;
    if (desk->work >= 0)
        close(desk->work);
    if (desk->done >= 0)
        close(desk->done);
    pthread_mutex_destroy(&desk->serving);
    pthread_mutex_destroy(&desk->lock);
    free(desk->slots);
    free(desk);
}

/* An eventfd that is full is readable already. */
static void ring(int fd)
{
    eventfd_write(fd, 1);
}

static void silence(int fd)
{
    eventfd_t n;

    eventfd_read(fd, &n);
}

int guard_desk_ask(struct guard_desk *desk, guard_desk_run_fn *run, guard_desk_done_fn *done,
                   void *arg, struct fault *f)
{
    bool full, open;

    pthread_mutex_lock(&desk->lock);
    open = desk->open;
    full = desk->asked - desk->finished == desk->n_slots;
    if (!full)
        desk->slots[desk->asked++ % desk->n_slots] = (struct question){run, done, arg};
    pthread_mutex_unlock(&desk->lock);
    if (full)
        return fault(f, ERR_FULL, "%zu questions wait for the guard already", desk->n_slots);
    if (open)
        ring(desk->work);
    else
        guard_desk_serve(desk, NULL);
    return 0;
}

/* The next of those before `end`; false where there is none. */
static bool next(struct guard_desk *desk, const uint64_t *at, const uint64_t *end,
                 struct question *out)
{
    bool found;

    pthread_mutex_lock(&desk->lock);
    found = *at != *end;
    if (found)
        *out = desk->slots[*at % desk->n_slots];
    pthread_mutex_unlock(&desk->lock);
    return found;
}

static void step(struct guard_desk *desk, uint64_t *at)
{
    pthread_mutex_lock(&desk->lock);
    ++*at;
    pthread_mutex_unlock(&desk->lock);
}

void guard_desk_serve(struct guard_desk *desk, const struct guard_room *room)
{
    struct question q;

    pthread_mutex_lock(&desk->serving);
    silence(desk->work);
    while (next(desk, &desk->served, &desk->asked, &q)) {
        q.run(q.arg, room);
        step(desk, &desk->served);
        ring(desk->done);
    }
    pthread_mutex_unlock(&desk->serving);
}

void guard_desk_finish(struct guard_desk *desk)
{
    struct question q;

    silence(desk->done);
    while (next(desk, &desk->finished, &desk->served, &q)) {
        step(desk, &desk->finished);
        if (q.done)
            q.done(q.arg);
    }
}

size_t guard_desk_open(const struct guard_desk *desk)
{
    struct guard_desk *d = (struct guard_desk *)desk;
    size_t n;

    pthread_mutex_lock(&d->lock);
    n = (size_t)(d->asked - d->finished);
    pthread_mutex_unlock(&d->lock);
    return n;
}

int guard_desk_fd(const struct guard_desk *desk)
{
    return desk->done;
}

int guard_desk_work_fd(const struct guard_desk *desk)
{
    return desk->work;
}

void guard_desk_close(struct guard_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->open = false;
    pthread_mutex_unlock(&desk->lock);
    guard_desk_serve(desk, NULL);
}

void guard_desk_reopen(struct guard_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->open = true;
    pthread_mutex_unlock(&desk->lock);
}
