/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE 16384 /* a power of two */
#define FLIGHTS                                                                                    \
    8 /* messages that wait for their answer: as many as the socket takes without waiting */
#define PORTS_MAX 32
#define BACKOFF_MIN_NS INT64_C(100000000)
#define BACKOFF_MAX_NS INT64_C(5000000000)

struct op {
    enum client_action action;
    bool asked; /* now, and not because it ought to stand anyway */
    struct enforce_ban ban;
};

/* A list of networks as the enforcer ought to have it. */
struct list {
    bool
        given; /* the daemon said something; until then what the enforcer found in the kernel stays */
    bool due;
    size_t n;
    struct network of[ENFORCE_RECORDS_MAX];
};

struct client {
    int socket;
    pid_t child;
    const struct client_program *program; /* NULL where it was not started here */
    struct client_program program_copy;
    struct client_handlers handlers;
    enum client_state state;
    uint32_t sequence;
    int64_t start_ns, backoff_ns;

    /* Operations, oldest first: those that were sent, then those that wait. */
    uint64_t head, sent, tail;
    struct op queue[QUEUE];
    struct {
        uint32_t sequence;
        enum enforce_type type;
        unsigned n;     /* operations; 0 for a list */
    } flights[FLIGHTS]; /* oldest first */
    unsigned n_flights;
    bool full; /* the socket took no more */

    bool behind;  /* the queue was full: everything is to be set again */
    bool filling; /* taking bans from `next` */
    uint64_t cursor;
    uint32_t reading; /* the sequence number of a READ, or 0 */
    bool read_due, count_due, socket_due;

    struct list never, access, observe;
    struct enforce_port ports[PORTS_MAX];
    size_t n_ports;
    bool ports_given, ports_due;
    struct enforce_writer writer;
    uint8_t received[ENFORCE_MESSAGE_MAX + 1];
};

static void enter(struct client *c, enum client_state state)
{
    if (c->state == state)
        return;
    c->state = state;
    c->handlers.state(c->handlers.context, state);
}

static bool is_ready(const struct client *c)
{
    return c->state == CLIENT_RESTORING || c->state == CLIENT_EFFECTIVE;
}

/* ---- Starting and ending ---- */

static void put_option(const char **arguments, size_t *n, const char *name, const char *value)
{
    if (!value)
        return;
    arguments[(*n)++] = name;
    arguments[(*n)++] = value;
}

/* In the child, between fork and exec: the socket becomes descriptor 3. */
static void become_enforcer(int socket, const struct client_program *program)
{
    const char *arguments[10] = {program->path};
    size_t n = 1;
    sigset_t none;

    put_option(arguments, &n, "--user", program->user);
    put_option(arguments, &n, "--never-ban", program->never);
    put_option(arguments, &n, "--log-level", program->log_level);
    put_option(arguments, &n, "--log-format", program->log_format);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (socket == 3 ? fcntl(3, F_SETFD, 0) == 0 : dup2(socket, 3) == 3)
        execv(program->path, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static int start(struct client *c, struct fault *f)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return fault(f, ERR_IO, "cannot make a socket for sekisho-enforcer: %m");
    c->child = fork();
    if (c->child == 0)
        become_enforcer(ends[1], c->program);
    close(ends[1]);
    if (c->child < 0) {
        close(ends[0]);
        return fault(f, ERR_IO, "cannot start %s: %m", c->program->path);
    }
    c->socket = ends[0];
    return 0;
}

int client_open(struct client **out, int socket, const struct client_handlers *handlers,
                struct fault *f)
{
    struct client *c = calloc(1, sizeof(*c));

    if (!c)
        return fault_nomem(f);
    c->socket = socket;
    c->child = -1;
    c->handlers = *handlers;
    c->backoff_ns = BACKOFF_MIN_NS;
    *out = c;
    return 0;
}

int client_start(struct client **out, const struct client_program *program,
                 const struct client_handlers *handlers, struct fault *f)
{
    struct client *c = NULL;
    int err = client_open(&c, -1, handlers, f);

    if (err)
        return err;
    c->program_copy = *program;
    c->program = &c->program_copy;
    err = start(c, f);
    if (err) {
        client_close(c);
        return err;
    }
    *out = c;
    return 0;
}

/* It ends when our end of the socket closes. */
static void hang_up(struct client *c)
{
    if (c->socket >= 0)
        close(c->socket);
    c->socket = -1;
}

/* Whether no child is left. */
static bool reap(struct client *c, int how)
{
    if (c->child > 0 && waitpid(c->child, NULL, how) != 0)
        c->child = -1;
    return c->child <= 0;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    hang_up(c);
    reap(c, 0);
    free(c);
}

/* ---- Sending ---- */

static bool send_written(struct client *c, enum enforce_type type, unsigned ops)
{
    struct span message = enforce_written(&c->writer);

    if (send(c->socket, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        /* Whatever else is wrong with the socket is found when it is read. */
        c->full = errno == EAGAIN;
        return false;
    }
    c->flights[c->n_flights].sequence = c->sequence;
    c->flights[c->n_flights].type = type;
    c->flights[c->n_flights].n = ops;
    c->n_flights++;
    return true;
}

static void begin(struct client *c, enum enforce_type type)
{
    if (++c->sequence == 0)
        c->sequence = 1;
    enforce_write(&c->writer, type, c->sequence);
}

static bool send_list(struct client *c, enum enforce_type type, struct list *list)
{
    begin(c, type);
    for (size_t i = 0; i < list->n; i++)
        enforce_write_network(&c->writer, &list->of[i], ENFORCE_SIP);
    list->due = !send_written(c, type, 0);
    return !list->due;
}

static bool send_ports(struct client *c)
{
    begin(c, ENFORCE_PORTS);
    for (size_t i = 0; i < c->n_ports; i++)
        enforce_write_port(&c->writer, c->ports[i]);
    c->ports_due = !send_written(c, ENFORCE_PORTS, 0);
    return !c->ports_due;
}

static bool send_question(struct client *c, enum enforce_type type, bool *due)
{
    begin(c, type);
    *due = !send_written(c, type, 0);
    return !*due;
}

/* The operations that wait, as many as are of one kind and fit a message. */
static bool send_ops(struct client *c)
{
    enum client_action action = c->queue[c->sent % QUEUE].action;
    enum enforce_type type = action == CLIENT_BAN ? ENFORCE_BAN : ENFORCE_UNBAN;
    unsigned n = 0;

    begin(c, type);
    while (c->sent + n < c->tail && n < ENFORCE_RECORDS_MAX) {
        const struct op *op = &c->queue[(c->sent + n) % QUEUE];

        if (op->action != action)
            break;
        if (action == CLIENT_BAN)
            enforce_write_ban(&c->writer, &op->ban);
        else
            enforce_write_network(&c->writer, &op->ban.network, op->ban.scope);
        n++;
    }
    if (!send_written(c, type, n))
        return false;
    c->sent += n;
    return true;
}

static void take_from_next(struct client *c)
{
    struct op op = {.action = CLIENT_BAN};

    /* Half of the queue is for what happens now. */
    while (c->filling && c->tail - c->head < QUEUE / 2) {
        c->filling = c->handlers.next(c->handlers.context, &c->cursor, &op.ban);
        if (c->filling)
            c->queue[c->tail++ % QUEUE] = op;
        else
            c->read_due = true;
    }
}

static void begin_restore(struct client *c)
{
    c->behind = false;
    c->filling = true;
    c->cursor = 0;
    c->read_due = false;
    c->reading = 0;
    enter(c, CLIENT_RESTORING);
}

/* One message, whichever comes first: who must not be banned, where bans apply, then bans. */
static bool send_one(struct client *c)
{
    if (c->never.due)
        return send_list(c, ENFORCE_NEVER, &c->never);
    if (c->observe.due)
        return send_list(c, ENFORCE_OBSERVE, &c->observe);
    if (c->access.due)
        return send_list(c, ENFORCE_ACCESS, &c->access);
    if (c->ports_due)
        return send_ports(c);
    if (c->socket_due)
        return send_question(c, ENFORCE_SOCKET, &c->socket_due);
    if (c->count_due)
        return send_question(c, ENFORCE_COUNT, &c->count_due);
    take_from_next(c);
    if (c->sent < c->tail)
        return send_ops(c);
    if (c->read_due && send_question(c, ENFORCE_READ, &c->read_due)) {
        /* Answered at its leisure: it is no flight that others wait behind. */
        c->reading = c->flights[--c->n_flights].sequence;
        return true;
    }
    return false;
}

static bool is_idle(const struct client *c)
{
    return c->head == c->tail && !c->filling && !c->read_due && !c->reading;
}

static void send_all(struct client *c)
{
    if (!is_ready(c))
        return;
    c->full = false;
    for (;;) {
        while (!c->full && c->n_flights < FLIGHTS && send_one(c))
            ;
        if (!is_idle(c))
            return;
        if (!c->behind)
            break;
        begin_restore(c);
    }
    enter(c, CLIENT_EFFECTIVE);
}

/* ---- What is asked ---- */

static int ask(struct client *c, enum client_action action, const struct enforce_ban *ban)
{
    if (!is_ready(c))
        return 0; /* `next` has it when there is somebody to tell */
    if (c->tail - c->head == QUEUE) {
        c->behind = true;
        return ERR_FULL;
    }
    c->queue[c->tail++ % QUEUE] = (struct op){action, true, *ban};
    if (c->n_flights < FLIGHTS && !c->full)
        send_one(c);
    return 0;
}

int client_ban(struct client *c, const struct enforce_ban *ban)
{
    return ask(c, CLIENT_BAN, ban);
}

int client_unban(struct client *c, const struct network *network, enum enforce_scope scope)
{
    struct enforce_ban ban = {*network, scope, 0};

    return ask(c, CLIENT_UNBAN, &ban);
}

void client_hand_over(struct client *c, int64_t most_ns)
{
    struct pollfd answer = {c->socket, POLLIN, 0};
    const struct timespec most = {most_ns / 1000000000, most_ns % 1000000000};

    if (is_ready(c) && c->n_flights == 1 && c->sent == c->tail)
        ppoll(&answer, 1, &most, NULL);
}

void client_prime(struct client *c)
{
    struct span message;

    if (!is_ready(c) || c->n_flights || c->sent != c->tail || c->full)
        return;
    begin(c, ENFORCE_PRIME);
    message = enforce_written(&c->writer);
    /* What does not fit is not missed. */
    (void)send(c->socket, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int set_list(struct client *c, struct list *list, const struct network *networks, size_t n)
{
    if (n > ENFORCE_RECORDS_MAX)
        return ERR_FULL;
    if (list->given && list->n == n && (!n || !memcmp(list->of, networks, n * sizeof(*networks))))
        return 0; /* the enforcer has it, or will */
    if (n)
        memcpy(list->of, networks, n * sizeof(*networks));
    list->n = n;
    list->given = list->due = true;
    send_all(c);
    return 0;
}

int client_access(struct client *c, const struct network *networks, size_t n)
{
    return set_list(c, &c->access, networks, n);
}

int client_observe(struct client *c, const struct network *networks, size_t n)
{
    return set_list(c, &c->observe, networks, n);
}

int client_never(struct client *c, const struct network *networks, size_t n)
{
    return set_list(c, &c->never, networks, n);
}

int client_ports(struct client *c, const struct enforce_port *ports, size_t n)
{
    if (n > PORTS_MAX)
        return ERR_FULL;
    if (n)
        memcpy(c->ports, ports, n * sizeof(*ports));
    c->n_ports = n;
    c->ports_given = c->ports_due = true;
    send_all(c);
    return 0;
}

bool client_count(struct client *c)
{
    c->count_due = is_ready(c);
    send_all(c);
    return is_ready(c);
}

bool client_socket(struct client *c)
{
    c->socket_due = is_ready(c);
    send_all(c);
    return is_ready(c);
}

void client_reconcile(struct client *c)
{
    if (is_ready(c))
        begin_restore(c);
    send_all(c);
}

/* ---- What is answered ---- */

/* An enforcer that knows nothing of what its predecessor was asked. */
static void greet(struct client *c)
{
    c->head = c->sent = c->tail = 0;
    c->n_flights = 0;
    c->count_due = c->socket_due = false;
    c->never.due = c->never.given;
    c->access.due = c->access.given;
    c->observe.due = c->observe.given;
    c->ports_due = c->ports_given;
    c->backoff_ns = BACKOFF_MIN_NS;
    begin_restore(c);
}

/* Every operation of the message is done, but those that are named. */
static void finish_ops(struct client *c, const struct enforce_message *m, unsigned n)
{
    enum enforce_refusal why[ENFORCE_RECORDS_MAX] = {0};
    uint32_t error[ENFORCE_RECORDS_MAX] = {0};

    for (unsigned i = 0; i < m->count; i++) {
        struct enforce_failure failure = enforce_message_failure(m, i);

        if (failure.index < n) {
            why[failure.index] = failure.why;
            error[failure.index] = failure.error;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        const struct op *op = &c->queue[c->head++ % QUEUE];

        c->handlers.done(c->handlers.context, op->action, &op->ban, why[i], error[i]);
    }
}

static void finish_flight(struct client *c, const struct enforce_message *m)
{
    /* Answers come in order; one that is nobody's was a former enforcer's. */
    if (!c->n_flights || c->flights[0].sequence != m->sequence)
        return;
    enum enforce_type type = c->flights[0].type;
    unsigned n = c->flights[0].n;

    memmove(c->flights, c->flights + 1, --c->n_flights * sizeof(c->flights[0]));
    if (n)
        finish_ops(c, m, n);
    else if (type == ENFORCE_SOCKET)
        c->handlers.socket(c->handlers.context, -1);
    else
        for (unsigned i = 0; i < m->count; i++)
            c->handlers.refused(c->handlers.context, type, enforce_message_failure(m, i));
}

static void lift_unwanted(struct client *c, const struct enforce_message *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct op op = {CLIENT_UNBAN, false, enforce_message_ban(m, i)};

        if (c->handlers.wanted(c->handlers.context, &op.ban))
            continue;
        if (c->tail - c->head < QUEUE)
            c->queue[c->tail++ % QUEUE] = op;
        else
            c->behind = true;
    }
}

static void tell_counts(struct client *c, const struct enforce_message *m)
{
    struct enforce_count counts[ENFORCE_COUNTERS];
    unsigned n = m->count < ENFORCE_COUNTERS ? m->count : ENFORCE_COUNTERS;

    for (unsigned i = 0; i < n; i++)
        counts[i] = enforce_message_counted(m, i);
    c->handlers.counted(c->handlers.context, counts, n);
}

/* Whether it was asked to be banned and the enforcer has not answered: whatever it says of the time before is over then. */
static bool is_asked(const struct client *c, const struct network *network,
                     enum enforce_scope scope)
{
    for (uint64_t i = c->head; i < c->tail; i++) {
        const struct op *op = &c->queue[i % QUEUE];

        if (op->asked && op->action == CLIENT_BAN && op->ban.scope == scope &&
            memcmp(&op->ban.network, network, sizeof(*network)) == 0)
            return true;
    }
    return false;
}

static void tell_networks(struct client *c, const struct enforce_message *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        enum enforce_scope scope;
        struct network network = enforce_message_network(m, i, &scope);

        if (m->type == ENFORCE_TRUSTED)
            c->handlers.trusted(c->handlers.context, &network);
        else if (!is_asked(c, &network, scope))
            c->handlers.removed(c->handlers.context, &network, scope);
    }
}

/* False for what an enforcer does not say. */
static bool hear(struct client *c, const struct enforce_message *m, int descriptor)
{
    bool first = c->n_flights && c->flights[0].sequence == m->sequence;

    switch (m->type) {
    case ENFORCE_DONE: finish_flight(c, m); return true;
    case ENFORCE_COUNTS:
    case ENFORCE_TAKE:
        if (first && m->type == ENFORCE_COUNTS)
            tell_counts(c, m);
        else if (first)
            c->handlers.socket(c->handlers.context, descriptor);
        else if (descriptor >= 0)
            close(descriptor);
        if (first)
            memmove(c->flights, c->flights + 1, --c->n_flights * sizeof(c->flights[0]));
        return true;
    case ENFORCE_HELD:
        if (c->reading && m->sequence == c->reading)
            lift_unwanted(c, m);
        return true;
    case ENFORCE_HELD_END:
        if (m->sequence == c->reading)
            c->reading = 0;
        return true;
    case ENFORCE_READY: greet(c); return true;
    case ENFORCE_TRUSTED:
    case ENFORCE_REMOVED: tell_networks(c, m); return true;
    case ENFORCE_DISTURBED:
        c->handlers.disturbed(c->handlers.context, enforce_message_disturbance(m));
        if (is_ready(c))
            begin_restore(c);
        return true;
    case ENFORCE_ERROR:
        c->handlers.error(c->handlers.context, enforce_message_text(m));
        return true;
    case ENFORCE_BAN:
    case ENFORCE_UNBAN:
    case ENFORCE_NEVER:
    case ENFORCE_ACCESS:
    case ENFORCE_OBSERVE:
    case ENFORCE_PORTS:
    case ENFORCE_READ:
    case ENFORCE_LOOK:
    case ENFORCE_COUNT:
    case ENFORCE_SOCKET:
    case ENFORCE_PRIME: return false;
    }
    return false;
}

/* Length, 0 when the enforcer has gone, -1 when there is nothing. The descriptor that came along, or -1. */
static ssize_t receive(struct client *c, int *descriptor)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {c->received, sizeof(c->received)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(c->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *rights = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    *descriptor = -1;
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(rights), sizeof(int));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    return n;
}

/* Only root can start another: else the keeper was to prevent this. */
static void start_later(struct client *c, int64_t now_ns)
{
    if (!c->program || geteuid() != 0)
        return;
    c->start_ns = now_ns + c->backoff_ns;
    c->backoff_ns = 2 * c->backoff_ns < BACKOFF_MAX_NS ? 2 * c->backoff_ns : BACKOFF_MAX_NS;
}

static void lose(struct client *c, int64_t now_ns)
{
    hang_up(c);
    enter(c, CLIENT_GONE);
    start_later(c, now_ns);
}

static void start_again(struct client *c, int64_t now_ns)
{
    if (now_ns < client_deadline_ns(c))
        return;
    if (reap(c, WNOHANG) && start(c, NULL) == 0)
        enter(c, CLIENT_STARTING);
    else
        start_later(c, now_ns);
}

void client_work(struct client *c, int64_t now_ns)
{
    struct enforce_message m;
    int descriptor;
    ssize_t n = -1;

    if (c->socket < 0)
        start_again(c, now_ns);
    if (c->socket < 0)
        return;
    while ((n = receive(c, &descriptor)) > 0) {
        if (enforce_message_read(&m, (struct span){(const char *)c->received, (size_t)n}, NULL) !=
                0 ||
            !hear(c, &m, descriptor)) {
            n = 0;
            break;
        }
    }
    if (n == 0)
        lose(c, now_ns);
    else
        send_all(c);
}

enum client_state client_state(const struct client *c)
{
    return c->state;
}

int client_descriptor(const struct client *c)
{
    return c->socket;
}

short client_events(const struct client *c)
{
    return (short)(POLLIN | (c->full ? POLLOUT : 0));
}

int64_t client_deadline_ns(const struct client *c)
{
    return c->socket < 0 && c->start_ns ? c->start_ns : INT64_MAX;
}
