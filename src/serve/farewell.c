/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/farewell.h"

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_FIRST 64
#define CROWDED_LOOK_NS INT64_C(1000000)
#define CROWDED_PART 16

/* In the order in which they were added; the first `n_seen` have been looked at. */
struct farewell {
    struct pollfd *fds;
    int64_t *added_ns;
    size_t n, room, n_seen;
    int64_t look_ns;       /* at those who were not looked at yet, if there are such */
    int64_t look_again_ns; /* at all, if there are any */
    int64_t looked_ns;
};

struct farewell *farewell_new(void)
{
    return calloc(1, sizeof(struct farewell));
}

void farewell_free(struct farewell *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n; i++)
        close(w->fds[i].fd);
    free(w->fds);
    free(w->added_ns);
    free(w);
}

static bool grow(struct farewell *w)
{
    size_t room = w->room ? w->room * 2 : ROOM_FIRST;
    struct pollfd *fds = realloc(w->fds, room * sizeof(*fds));

    if (fds)
        w->fds = fds;
    int64_t *added_ns = realloc(w->added_ns, room * sizeof(*added_ns));

    if (added_ns)
        w->added_ns = added_ns;
    if (!fds || !added_ns)
        return false;
    w->room = room;
    return true;
}

void farewell_add(struct farewell *w, int fd, int64_t now_ns)
{
    if (w->n == w->room && !grow(w)) {
        close(fd);
        return;
    }
    if (w->n == w->n_seen)
        w->look_ns = now_ns + FAREWELL_LOOK_NS;
    if (w->n == 0)
        w->look_again_ns = now_ns + FAREWELL_LOOK_AGAIN_NS;
    w->fds[w->n] = (struct pollfd){.fd = fd, .events = POLLRDHUP};
    w->added_ns[w->n++] = now_ns;
}

/* Looks at all from number `from` on. */
static void look(struct farewell *w, size_t from, int64_t now_ns, int64_t timeout_ns)
{
    size_t left = from;
    bool told = poll(w->fds + from, w->n - from, 0) >= 0;

    for (size_t i = from; i < w->n; i++) {
        if ((told && w->fds[i].revents) || now_ns - w->added_ns[i] >= timeout_ns) {
            close(w->fds[i].fd);
            continue;
        }
        w->fds[left] = w->fds[i];
        w->added_ns[left++] = w->added_ns[i];
    }
    w->n = w->n_seen = left;
    w->looked_ns = now_ns;
    if (from == 0)
        w->look_again_ns = now_ns + FAREWELL_LOOK_AGAIN_NS;
}

void farewell_run(struct farewell *w, int64_t now_ns, int64_t timeout_ns)
{
    if (w->n && now_ns >= w->look_again_ns)
        look(w, 0, now_ns, timeout_ns);
    else if (w->n > w->n_seen && now_ns >= w->look_ns)
        look(w, w->n_seen, now_ns, timeout_ns);
}

size_t farewell_make_room(struct farewell *w, int64_t now_ns)
{
    size_t before = w->n;

    if (before && now_ns - w->looked_ns >= CROWDED_LOOK_NS)
        look(w, 0, now_ns, INT64_MAX);
    if (w->n < before || before == 0)
        return 0;
    /* Not one by one, since each time all others move up. */
    size_t gone = (w->n + CROWDED_PART - 1) / CROWDED_PART;

    for (size_t i = 0; i < gone; i++)
        close(w->fds[i].fd);
    w->n -= gone;
    w->n_seen -= gone < w->n_seen ? gone : w->n_seen;
    memmove(w->fds, w->fds + gone, w->n * sizeof(*w->fds));
    memmove(w->added_ns, w->added_ns + gone, w->n * sizeof(*w->added_ns));
    return gone;
}

int64_t farewell_due_ns(const struct farewell *w)
{
    if (w->n == 0)
        return INT64_MAX;
    return w->n > w->n_seen && w->look_ns < w->look_again_ns ? w->look_ns : w->look_again_ns;
}

size_t farewell_count(const struct farewell *w)
{
    return w->n;
}
