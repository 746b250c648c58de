/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho-enforcer: the only part of Sekisho with privilege. sekishod starts it with one end of a socketpair
 * as descriptor 3. Two processes: the keeper, which does nothing but start the other again when it dies, and end it when
 * it hangs (it reads nothing that anybody sends but a counter), and the enforcer, which gives up all privilege but
 * CAP_NET_ADMIN before it reads its first message.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "enforce/confine.h"
#include "enforce/direct.h"
#include "enforce/enforcer.h"
#include "enforce/never_file.h"

#define DAEMON 3 /* the socketpair's descriptor */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define STEADY_S 60 /* who lived this long is started again at once */
/* An enforcer whose pulse stands still for so many looks is ended: 20 s. Looks are counted, and not the time, which passes
 * for a keeper that is stopped itself. */
#define LOOK_S 5
#define LOOKS_MAX 4
/* One that has not begun to work: a large table is read then, by a machine that may be starting. */
#define START_LOOKS_MAX 24

/* Exit statuses of the enforcer. */
enum { EXIT_DONE = 0, EXIT_AGAIN = 1, EXIT_FATAL = 2 };

struct options {
    const char *user, *never, *unban;
    enum log_level level;
    enum log_format format;
};

/* Shared by keeper and enforcer. */
static atomic_uint *pulse;

static const char usage[] = "Usage: sekisho-enforcer --user USER [--never-ban FILE] [--log-level "
                            "LEVEL] [--log-format FORMAT]\n"
                            "           started by sekishod, with a socket as descriptor 3\n"
                            "       sekisho-enforcer --unban ADDRESS|NETWORK          lifts bans "
                            "in the kernel; needs no sekishod\n";

/* In the log, and to the daemon, which shows it: its `status` is looked at first. */
static int tell_fault(const char *event, const struct fault *f)
{
    static struct enforce_writer writer;
    struct span message;

    log_error(event, LOG_TEXT("error", f->text));
    enforce_write(&writer, ENFORCE_ERROR, 0);
    enforce_write_text(&writer, f->text);
    message = enforce_written(&writer);
    send(DAEMON, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    return EXIT_FATAL;
}

/* Never returns to what made it: no cleaning up, which confinement would not let it do. */
static int enforce(const struct options *options)
{
    struct enforcer *e = NULL;
    struct limits *limits = calloc(1, sizeof(*limits));
    struct fault f = {0};

    if (!limits)
        return EXIT_AGAIN;
    int nowhere = open("/dev/null", O_RDWR);

    if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0 ||
        close_range(DAEMON + 1, ~0U, 0) != 0)
        return EXIT_FATAL;
    limits_init(limits);
    if (never_file_read(options->never, limits, &f) != 0)
        return tell_fault("never-ban", &f);
    if (enforcer_open(&e, DAEMON, limits, &f) != 0)
        return tell_fault("enforcer-start", &f);
    if (confine(options->user, &f) != 0)
        return tell_fault("enforcer-privilege", &f);
    enforcer_set_pulse(e, pulse);
    log_info("enforcer-ready");
    if (enforcer_run(e, &f) != 0) {
        tell_fault("enforcer", &f);
        return EXIT_AGAIN;
    }
    return EXIT_DONE;
}

/* Rests, unless the daemon ends: then there is nobody left to work for. */
static void rest(unsigned ms)
{
    struct pollfd daemon = {.fd = DAEMON};

    poll(&daemon, 1, (int)ms);
}

static time_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/* Whether anybody still holds the daemon's end. */
static bool daemon_is_there(void)
{
    char byte;

    return recv(DAEMON, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 || errno == EAGAIN;
}

static void mask_children(int how)
{
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(how, &children, NULL);
}

static pid_t start(const struct options *options)
{
    pid_t keeper = getpid();
    pid_t child = fork();

    if (child == 0) {
        /* Without its keeper the enforcer goes on until the daemon ends. */
        signal(SIGTERM, SIG_DFL);
        mask_children(SIG_UNBLOCK);
        prctl(PR_SET_NAME, "enforcer");
        if (getppid() == keeper)
            _exit(enforce(options));
        _exit(EXIT_DONE);
    }
    return child;
}

/* False: nothing happened to a child for so long. SIGCHLD is blocked. */
static bool child_changed_within(time_t most_s)
{
    const struct timespec most = {.tv_sec = most_s};
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    return sigtimedwait(&children, NULL, &most) >= 0 || errno != EAGAIN;
}

/* Waits for its end, and brings it about where its pulse stands still: nobody else has the privilege to. Bans stand. */
static int await_end(pid_t child)
{
    unsigned last = atomic_load(pulse), looks = 0;
    int status = 0;

    for (;;) {
        pid_t ended = waitpid(child, &status, WNOHANG);

        if (ended == child || (ended < 0 && errno != EINTR))
            return status;
        if (child_changed_within(LOOK_S))
            continue;
        looks = atomic_load(pulse) == last ? looks + 1 : 0;
        last = atomic_load(pulse);
        unsigned most = last ? LOOKS_MAX : START_LOOKS_MAX;

        if (looks < most)
            continue;
        looks = 0;
        if (kill(child, SIGKILL) == 0)
            log_error("enforcer-hung", LOG_INT("seconds", most * LOOK_S));
        else
            log_error("enforcer-hung", LOG_TEXT("message", "it cannot be ended: end it by hand"),
                      LOG_INT("errno", errno));
    }
}

static int keep(const struct options *options)
{
    unsigned backoff = BACKOFF_MIN_MS;
    bool first = true;

    prctl(PR_SET_NAME, "enforcer-keeper");
    signal(SIGPIPE, SIG_IGN);
    /* Ignored, which programs inherit, no end of a child would be told, and its number might be another's by then. */
    signal(SIGCHLD, SIG_DFL);
    mask_children(SIG_BLOCK);
    pulse = mmap(NULL, sizeof(*pulse), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pulse == MAP_FAILED)
        return EXIT_FAILURE;
    for (;;) {
        time_t began = seconds();

        atomic_store(pulse, 0);
        pid_t child = start(options);

        if (child < 0)
            return EXIT_FAILURE;
        int status = await_end(child);

        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE)
            return EXIT_SUCCESS;
        /* What is wrong from the beginning stays wrong; what worked once may work again. */
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FATAL && first)
            return EXIT_FAILURE;
        if (!daemon_is_there())
            return EXIT_SUCCESS;
        log_error("enforcer-died", LOG_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
                  LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0));
        first = false;
        if (seconds() - began >= STEADY_S)
            backoff = BACKOFF_MIN_MS;
        rest(backoff);
        if (!daemon_is_there())
            return EXIT_SUCCESS;
        backoff = 2 * backoff < BACKOFF_MAX_MS ? 2 * backoff : BACKOFF_MAX_MS;
    }
}

static int unban(const char *text)
{
    struct network network;
    struct buf out = {0};
    struct fault f;

    if (network_parse(span_of(text), &network, &f) != 0 || direct_unban(&network, &out, &f) != 0) {
        fprintf(stderr, "sekisho-enforcer: %s\n", f.text);
        return EXIT_FAILURE;
    }
    if (out.n)
        fputs(out.p, stdout);
    else
        puts("not banned");
    buf_free(&out);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"user", required_argument, NULL, 'u'},
        {"never-ban", required_argument, NULL, 'n'},
        {"unban", required_argument, NULL, 'b'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {"log-level", required_argument, NULL, 'l'},
        {"log-format", required_argument, NULL, 'f'},
        {0},
    };
    struct options options = {.never = NEVER_FILE, .level = LOG_LEVEL_INFO};
    bool wrong = false;
    int type = 0, c;
    socklen_t size = sizeof(type);

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'u': options.user = optarg; break;
        case 'n': options.never = optarg; break;
        case 'b': options.unban = optarg; break;
        case 'l': wrong |= !log_level_from(optarg, &options.level); break;
        case 'f': wrong |= !log_format_from(optarg, &options.format); break;
        case 'V': puts("sekisho-enforcer " SEKISHO_VERSION); return EXIT_SUCCESS;
        case 'h': fputs(usage, stdout); return EXIT_SUCCESS;
        default: fputs(usage, stderr); return EXIT_FAILURE;
        }
    }
    if (options.unban)
        return unban(options.unban);
    if (!options.user || optind != argc || wrong) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    log_configure(options.level, options.format);
    if (getsockopt(DAEMON, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        fputs("sekisho-enforcer: descriptor 3 is not sekishod's socket: it is started by sekishod, "
              "not by hand\n",
              stderr);
        return EXIT_FAILURE;
    }
    return keep(&options);
}
