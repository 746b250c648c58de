/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks POST /v1/authorize on connections that stay open. Usage:
 *
 *   ask PORT PID QUESTIONS AT_ONCE ACCOUNTS [TOKEN]
 *
 * The accounts are phone0 to phoneN-1, and one call in ten goes abroad. Prints CPU time that process PID took a question and
 * wall time a question, in ns; how many bytes the last body had; how many questions got no 200.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define AT_ONCE_MAX 256

static struct {
    const char *token;
    unsigned long accounts;
    size_t body_n, failed;
    uint64_t seed;
} all = {.seed = 1};

static int open_connection(unsigned port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void send_question(int fd)
{
    uint64_t random = measure_random(&all.seed);
    char body[256], text[1024];
    int n;

    n = snprintf(body, sizeof(body),
                 "{\"switch\":\"local\",\"account\":\"phone%lu\",\"number\":\"%s%08u\"}",
                 (unsigned long)(random % all.accounts), random >> 40 & 7 ? "03" : "01044",
                 (unsigned)(random >> 32) % 100000000);
    n = snprintf(text, sizeof(text),
                 "POST /v1/authorize HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                 "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                 all.token, n, body);
    if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        exit(1);
}

/* Both servers write an answer at once, and none is longer than this. */
static void take_answer(int fd)
{
    char in[4096];
    ssize_t n = recv(fd, in, sizeof(in) - 1, 0);
    const char *behind;

    if (n <= 0) {
        fprintf(stderr, "a connection was closed\n");
        exit(1);
    }
    in[n] = 0;
    behind = strstr(in, "\r\n\r\n");
    all.failed += strncmp(in, "HTTP/1.1 200", 12) != 0 || !behind;
    if (behind)
        all.body_n = (size_t)(in + n - behind) - 4;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;

    struct pollfd fds[AT_ONCE_MAX];
    size_t questions = strtoul(argv[3], NULL, 10), at_once = strtoul(argv[4], NULL, 10);
    size_t sent = 0, taken = 0;
    clockid_t clock;

    all.accounts = strtoul(argv[5], NULL, 10);
    all.token = argc > 6 ? argv[6] : "";
    if (at_once > AT_ONCE_MAX || clock_getcpuclockid((pid_t)strtol(argv[2], NULL, 10), &clock))
        return 1;
    for (size_t i = 0; i < at_once; i++)
        fds[i] = (struct pollfd){.fd = open_connection((unsigned)strtoul(argv[1], NULL, 10)),
                                 .events = POLLIN};
    double cpu = measure_clock(clock), begin = measure_now();

    for (size_t i = 0; i < at_once; i++, sent++)
        send_question(fds[i].fd);
    while (taken < sent) {
        if (poll(fds, at_once, 5000) <= 0)
            return 1;
        for (size_t i = 0; i < at_once; i++) {
            if (!fds[i].revents)
                continue;
            take_answer(fds[i].fd);
            taken++;
            if (sent < questions) {
                send_question(fds[i].fd);
                sent++;
            }
        }
    }
    printf("%.0f %.0f %zu %zu\n", (measure_clock(clock) - cpu) / (double)taken,
           (measure_now() - begin) / (double)taken, all.body_n, all.failed);
    return 0;
}
