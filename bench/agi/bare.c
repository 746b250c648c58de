/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that a server can do for a question over FastAGI: accept, read, write, end. It understands
 * nothing, bounds nothing, ends nobody late, and always writes the same bytes, as many as sekishod does.
 * Usage: bare HOW, which says how a connection ends:
 *
 *   close   by a close at once, which resets a peer that replies. The fewest calls there can be
 *   wait    our direction is closed, and the peer's end waited for with epoll
 *   batch   our end goes out with the answer, and who has ended is found by one poll() for many: the
 *           same on the wire, and the same calls, as sekishod
 *
 * Prints its port, and runs until it is killed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define EVENTS 256
#define ENDING_MAX 4096
#define ENDING_MS 10

static const char answer[] = "SET VARIABLE SEKISHO_REASON \"unrestricted\"\n"
                             "SET VARIABLE SEKISHO_DIAL \"0312345678\"\n"
                             "SET VARIABLE SEKISHO_CLASS \"NATIONAL\"\n"
                             "SET VARIABLE SEKISHO_MAX_SECONDS \"0\"\n"
                             "SET VARIABLE SEKISHO_VERDICT \"allow\"\n";

enum how { HOW_CLOSE, HOW_WAIT, HOW_BATCH };

static enum how how;
static int ep;
static struct pollfd ending[ENDING_MAX];
static nfds_t n_ending;
static double look_ns; /* when those who are ending are looked at */

static void watch(int op, int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event event = {.events = events, .data.u64 = tag};

    if (epoll_ctl(ep, op, fd, &event) != 0)
        close(fd);
}

/* A tag is the descriptor, and above it whether it is ending. */
#define ENDING(fd) ((uint64_t)1 << 32 | (uint64_t)(fd))

static void end(int fd, int watched)
{
    switch (how) {
    case HOW_CLOSE: close(fd); break;
    case HOW_WAIT:
        shutdown(fd, SHUT_WR);
        watch(watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, EPOLLRDHUP | EPOLLET, ENDING(fd));
        break;
    case HOW_BATCH:
        shutdown(fd, SHUT_WR);
        if (watched)
            epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
        if (n_ending == ENDING_MAX) {
            close(fd);
            break;
        }
        if (n_ending == 0)
            look_ns = measure_now() + ENDING_MS * 1e6;
        ending[n_ending++] = (struct pollfd){.fd = fd, .events = POLLRDHUP};
        break;
    }
}

static void look_at_ending(void)
{
    nfds_t left = 0;

    poll(ending, n_ending, 0);
    for (nfds_t i = 0; i < n_ending; i++) {
        if (ending[i].revents)
            close(ending[i].fd);
        else
            ending[left++] = ending[i];
    }
    n_ending = left;
    look_ns = measure_now() + ENDING_MS * 1e6;
}

/* Reads once: the answer follows whenever the bytes end as a question does. */
static void serve(int fd, int watched)
{
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

    if (n < 0 && errno == EAGAIN) {
        if (!watched)
            watch(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, (uint64_t)fd);
    } else if (n <= 0) {
        close(fd);
    } else if (bytes[n - 1] != '\n' || (n > 1 && bytes[n - 2] != '\n')) {
        if (!watched)
            watch(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, (uint64_t)fd);
    } else {
        ssize_t sent =
            send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | (how == HOW_BATCH ? MSG_MORE : 0));

        if (sent == sizeof(answer) - 1)
            end(fd, watched);
        else
            close(fd);
    }
}

static int open_listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, length) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) != 0) {
        perror("bare");
        exit(1);
    }
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void turn(int listener)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(ep, events, EVENTS, n_ending ? ENDING_MS : -1);

    for (int i = 0; i < n; i++) {
        int fd = (int)events[i].data.u64;

        if (events[i].data.u64 == ENDING(fd)) {
            close(fd);
        } else if (fd != listener) {
            serve(fd, 1);
        } else {
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
                serve(fd, 0);
        }
    }
    if (n_ending && measure_now() >= look_ns)
        look_at_ending();
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"close", "wait", "batch"};
    size_t i = 0;

    while (i < 3 && (argc != 2 || strcmp(argv[1], names[i]) != 0))
        i++;
    if (i == 3) {
        fprintf(stderr, "usage: bare close|wait|batch\n");
        return 2;
    }
    how = (enum how)i;
    ep = epoll_create1(0);
    int listener = open_listener();

    watch(EPOLL_CTL_ADD, listener, EPOLLIN, (uint64_t)listener);
    for (;;)
        turn(listener);
}
