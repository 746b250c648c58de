/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AMI witness by itself, for tests against a real Asterisk: drive_ami ADDRESS:PORT USER SECRET
 *
 * Tells what it hears ("attempt OUTCOME ACCOUNT ADDRESS") and, for each line ACCOUNT that comes on its standard input,
 * ends the live calls of that account ("*": of everybody) that a stop closes in Japan ("ended CHANNEL ACCOUNT NUMBER").
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "intake/ami.h"
#include "numbering/numbering.h"
#include "policy/decide.h"

static struct tables *tables;
static struct site *site;
static char stopped[128];

static bool ends(void *arg, const struct ami_call *call)
{
    struct number number;

    if (strcmp(stopped, "*") != 0 && !span_eq_nocase(call->account, span_of(stopped)))
        return false;
    numbering_parse(site, call->number, &number);
    return decide_closed_when_stopped(&number);
}

static void ended(void *arg, const struct ami_call *call)
{
    printf("ended %s %s %s\n", ESCAPED(call->channel), ESCAPED(call->account),
           ESCAPED(call->number));
}

static void tell(void *arg, const struct attempt *a)
{
    char source[ADDRESS_TEXT_MAX] = "-";

    if (a->source.family)
        address_ip_text(&a->source, source);
    printf("attempt %s %s %s\n", outcome_name(a->outcome), ESCAPED(a->account), source);
}

static struct ami *open_ami(char **argv)
{
    struct ami_config config = {
        .switch_id = 1,
        .user = span_of(argv[2]),
        .secret = span_of(argv[3]),
        .calls = {ends, ended, NULL},
    };
    const struct site_config japan = {.plan = SPAN("JP"), .extensions = SPAN("10XX")};
    struct ami *ami;
    struct fault f;

    if (address_parse(span_of(argv[1]), &config.server, &f) || tables_load(&tables, NULL, 0, &f) ||
        site_new(&site, tables, &japan, &f) || ami_open(&ami, &config, clock_now(), &f)) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    return ami;
}

int main(int argc, char **argv)
{
    struct ami *ami = argc == 4 ? open_ami(argv) : NULL;
    bool connected = false, ending = false;

    if (!ami)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        struct pollfd fds[] = {{.fd = ami_fd(ami), .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
        const struct witness_figures *w = ami_figures(ami);

        if (!ami_run(ami, clock_now(), tell, NULL))
            poll(fds, 2, 1000);
        if (w->connected != connected)
            printf("%s %s\n", w->connected ? "connected" : "disconnected", w->why);
        connected = w->connected;
        if (ending && !ami_ending(ami))
            printf("done %llu %s\n", (unsigned long long)ami_ending_figures(ami)->calls.ended,
                   ami_ending_figures(ami)->why);
        ending = ami_ending(ami);
        if (!(fds[1].revents & (POLLIN | POLLHUP)))
            continue;
        ssize_t n = read(STDIN_FILENO, stopped, sizeof(stopped) - 1);

        if (n <= 0)
            break;
        stopped[n] = '\0';
        stopped[strcspn(stopped, "\n")] = '\0';
        ami_end_calls(ami, clock_now());
        ending = true;
    }
    ami_close(ami);
    site_free(site);
    tables_free(tables);
    return 0;
}
