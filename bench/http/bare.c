/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that a server on libmicrohttpd can do for a question: it reads the body and always answers the same bytes,
 * with as many headers as sekishod. One thread and epoll, as there. Usage: bare BYTES, which is the size of the body.
 * Prints its port, and runs until it is killed.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *body;
static size_t body_n;

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *n,
                              void **request)
{
    static int seen;
    struct MHD_Response *response;
    enum MHD_Result done;

    (void)arg, (void)url, (void)method, (void)version, (void)data;
    if (!*request) {
        *request = &seen;
        return MHD_YES;
    }
    if (*n) {
        *n = 0;
        return MHD_YES;
    }
    response = MHD_create_response_from_buffer(body_n, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    done = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return done;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon;

    body_n = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
    body = malloc(body_n + 1);
    if (!body)
        return 1;
    memset(body, 'x', body_n);
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL,
                              MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_END);
    if (!daemon)
        return 1;
    printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    for (;;)
        pause();
}
