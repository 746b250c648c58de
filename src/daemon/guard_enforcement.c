/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_enforcement.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "enforce/client.h"

#define ASKED 1024 /* bans whose time to the kernel is being measured; a power of two */
#define SLOWEST 16 /* stretches of 64 bans of which the slowest is kept */
#define COUNT_NS INT64_C(5000000000)
#define RECONCILE_NS INT64_C(300000000000)
/* The enforcer takes some 20 us, and often has to be scheduled on the CPU that the guard's thread is on: what is left to do
 * about a decision takes longer than that. */
#define HAND_OVER_NS INT64_C(500000)
/* The enforcer stays awake for 0.2 ms each time: twenty times a second, eight of them in a row, cost 0.4 % of a core. */
#define PRIME_NS INT64_C(50000000)
#define PRIMED_AHEAD 7

struct asked {
    struct network network;
    int64_t at_ns; /* 0: nothing */
};

struct enforcement {
    struct client *client; /* NULL: it is impossible, or not wanted */
    struct enforcement_hearers hearers;
    struct guard *guard;
    struct adoption *adoption; /* NULL: not any more */
    struct instant now;
    enum enforce_scope scope;
    struct config_ports ports;
    enum guard_enforcement_state told; /* in the log */
    bool enforce;                      /* as configured: else nothing is ever banned */
    char program[500], user[64], never[500];
    struct guard_enforcement seen;
    char why[2 * FAULT_MAX];
    char said[FAULT_MAX]; /* why the enforcer failed, as it said; "" since it is ready again */
    int64_t count_ns, reconcile_ns, primed_ns;
    struct asked asked[ASKED];
    uint64_t timed, slowest_us[SLOWEST];
};

/* ---- starting ------------------------------------------------------------------------------- */

/* The one beside sekishod; in a build tree it stands in a folder of its own. */
static int find_program(struct enforcement *e, const char *configured, struct fault *f)
{
    char self[400];
    ssize_t n;

    if (configured[0]) {
        snprintf(e->program, sizeof(e->program), "%s", configured);
    } else {
        n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        if (n <= 0)
            return fault(f, ERR_IO, "cannot find out where sekishod is: %m");
        self[n] = '\0';
        *strrchr(self, '/') = '\0';
        snprintf(e->program, sizeof(e->program), "%s/sekisho-enforcer", self);
        if (access(e->program, X_OK) != 0)
            snprintf(e->program, sizeof(e->program), "%s/../enforce/sekisho-enforcer", self);
    }
    return access(e->program, X_OK) == 0
               ? 0
               : fault(f, ERR_MISSING, "there is no program %s", e->program);
}

static void enter(struct enforcement *e, enum guard_enforcement_state state, const char *why)
{
    if (e->seen.state == state)
        return;
    e->seen.state = state;
    e->seen.since = clock_now();
    snprintf(e->why, sizeof(e->why), "%s", why);
}

static const struct client_handlers handlers;

static int start(struct enforcement *e, const struct config *config, struct fault *f)
{
    struct client_handlers own = handlers;
    const struct client_program program = {
        .path = e->program,
        .user = e->user,
        .never = e->never,
        .log_level = log_level_name((enum log_level)config->log_level),
        .log_format = log_format_name((enum log_format)config->log_format),
    };
    int err;

    if (geteuid() != 0)
        return fault(f, ERR_DENIED, "sekishod was not started by root");
    err = find_program(e, config->enforcer, f);
    if (err)
        return err;
    snprintf(e->user, sizeof(e->user), "%s", config->enforcer_user);
    snprintf(e->never, sizeof(e->never), "%s", config->never_ban);
    own.context = e;
    return client_start(&e->client, &program, &own, f);
}

int enforcement_new(struct enforcement **out, const struct config *config,
                    const struct enforcement_hearers *hearers, struct fault *f)
{
    struct enforcement *e = calloc(1, sizeof(*e));
    struct fault why = {0};

    if (!e)
        return fault_nomem(f);
    e->hearers = *hearers;
    e->scope = config->ban_scope ? ENFORCE_EVERYTHING : ENFORCE_SIP;
    e->ports = config->ports;
    e->enforce = config->enforce == CONFIG_ENFORCE;
    e->seen.state = e->told = GUARD_ENFORCEMENT_STARTING;
    e->seen.since = clock_now();
    if (config->enforce == CONFIG_NO_ENFORCER)
        enter(e, GUARD_ENFORCEMENT_OFF, "[guard] enforce is no");
    else if (start(e, config, &why) != 0)
        enter(e, GUARD_ENFORCEMENT_NONE, why.text);
    *out = e;
    return 0;
}

void enforcement_free(struct enforcement *e)
{
    if (!e)
        return;
    client_close(e->client);
    adoption_free(e->adoption);
    free(e);
}

void enforcement_begin(struct enforcement *e, struct guard *guard, struct instant now)
{
    e->guard = guard;
    e->now = now;
    e->count_ns = now.boot_ns;
    e->reconcile_ns = now.boot_ns + RECONCILE_NS;
    if (!e->client)
        return;
    client_ports(e->client, e->ports.at, e->ports.n);
}

void enforcement_adopt(struct enforcement *e, struct adoption *adoption)
{
    adoption_free(e->adoption);
    e->adoption = adoption;
}

/* ---- what ought to stand -------------------------------------------------------------------- */

static struct enforce_ban kernel_ban(const struct enforcement *e, const struct guard_ban *ban)
{
    return (struct enforce_ban){
        .network = ban->network,
        .scope = ban->quench ? ENFORCE_SIP : e->scope,
        .left_ms = ban->until ? (uint64_t)ban->left * 1000 : 0,
    };
}

static bool next_ban(void *context, uint64_t *cursor, struct enforce_ban *out)
{
    const struct enforcement *e = context;
    struct guard_ban ban;
    size_t at = (size_t)*cursor;

    while (e->enforce && guard_next_ban(e->guard, e->now, &at, &ban)) {
        *cursor = at;
        if (ban.observed)
            continue;
        *out = kernel_ban(e, &ban);
        return true;
    }
    return false;
}

static bool is_wanted(void *context, const struct enforce_ban *held)
{
    const struct enforcement *e = context;
    struct guard_ban ban;

    if (!e->enforce)
        return false;
    if (guard_find_ban(e->guard, e->now, &held->network, false, &ban))
        return kernel_ban(e, &ban).scope == held->scope;
    return e->adoption && adoption_take(e->adoption, e->guard, e->now, held, e->scope);
}

/* ---- one decision --------------------------------------------------------------------------- */

static struct asked *asked_of(struct enforcement *e, const struct network *network)
{
    uint32_t h = network->bits;

    for (size_t i = 0; i < sizeof(network->ip); i++)
        h = h * 16777619u ^ network->ip[i];
    return &e->asked[h % ASKED];
}

static void ban(struct enforcement *e, const struct guard_event *event, enum enforce_scope scope)
{
    const struct enforce_ban ban = {event->network, scope, (uint64_t)event->seconds * 1000};
    struct asked *asked = asked_of(e, &event->network);

    *asked = (struct asked){event->network, clock_now().boot_ns};
    client_ban(e->client, &ban);
    client_hand_over(e->client, HAND_OVER_NS);
}

void enforcement_take(struct enforcement *e, const struct guard_event *event)
{
    if (!e->client || !e->enforce || event->observed)
        return;
    if (event->attack == ATTACK_ADOPTED && event->kind != GUARD_UNBAN)
        return; /* the kernel holds it */
    switch (event->kind) {
    case GUARD_BAN: ban(e, event, e->scope); break;
    case GUARD_QUENCH: ban(e, event, ENFORCE_SIP); break;
    case GUARD_UNBAN:
        if (e->adoption)
            adoption_forbid(e->adoption, &event->network, NULL);
        client_unban(e->client, &event->network, ENFORCE_SIP);
        if (e->scope != ENFORCE_SIP)
            client_unban(e->client, &event->network, e->scope);
        break;
    case GUARD_LOCKOUT:
    case GUARD_INTERNATIONAL:
    case GUARD_TAKEOVER:
    case GUARD_UNLOCK:
    case GUARD_GOOD:
    case GUARD_NOT_GOOD:
    case GUARD_PAIR_REFUSED:
    case GUARD_WRONG_PASSWORD:
    case GUARD_ENUMERATION:
    case GUARD_EXEMPT_ATTACKS:
    case GUARD_CANARY:
    case GUARD_STILL_ANSWERED:
    case GUARD_PRESSURE: break;
    }
}

void enforcement_prime(struct enforcement *e, struct instant now)
{
    if (!e->client || !e->enforce || now.boot_ns + PRIMED_AHEAD * PRIME_NS < e->primed_ns)
        return;
    e->primed_ns = (e->primed_ns > now.boot_ns ? e->primed_ns : now.boot_ns) + PRIME_NS;
    client_prime(e->client);
}

/* ---- what the enforcer says ----------------------------------------------------------------- */

static const char *refusal_words(enum enforce_refusal why)
{
    switch (why) {
    case ENFORCE_KERNEL: return "the kernel refused";
    case ENFORCE_TOO_WIDE: return "wider than the ceiling";
    case ENFORCE_IS_NEVER: return "on the never-ban list";
    case ENFORCE_NOT_PORT: return "must not be a SIP port";
    case ENFORCE_NO_ROOM: return "no room";
    case ENFORCE_NO_SOCKET: return "no packet socket is left";
    }
    return "?";
}

/* The slowest of the last 1,024, roughly: of 16 stretches of 64. */
static void time_ban(struct enforcement *e, const struct network *network)
{
    struct asked *asked = asked_of(e, network);
    uint64_t us, *slot;

    if (!asked->at_ns || memcmp(&asked->network, network, sizeof(*network)) != 0)
        return;
    us = (uint64_t)(clock_now().boot_ns - asked->at_ns) / 1000;
    asked->at_ns = 0;
    slot = &e->slowest_us[e->timed / 64 % SLOWEST];
    if (e->timed++ % 64 == 0)
        *slot = 0;
    *slot = us > *slot ? us : *slot;
}

static void on_done(void *context, enum client_action action, const struct enforce_ban *ban,
                    enum enforce_refusal why, uint32_t error)
{
    struct enforcement *e = context;
    char text[ADDRESS_TEXT_MAX];

    if (action == CLIENT_BAN)
        time_ban(e, &ban->network);
    if (why && action == CLIENT_BAN) {
        e->seen.refused++;
        log_error("ban-refused", LOG_TEXT("network", network_text(&ban->network, text)),
                  LOG_TEXT("why", refusal_words(why)), LOG_INT("errno", error));
    } else if (!why) {
        e->seen.bans += action == CLIENT_BAN;
        e->seen.unbans += action == CLIENT_UNBAN;
    }
}

static const char *list_name(enum enforce_type list)
{
    return list == ENFORCE_NEVER    ? "never-ban"
           : list == ENFORCE_ACCESS ? "access"
           : list == ENFORCE_PORTS  ? "ports"
                                    : "observe";
}

static void on_refused(void *context, enum enforce_type list, struct enforce_failure failure)
{
    log_error("list-refused", LOG_TEXT("list", list_name(list)), LOG_INT("record", failure.index),
              LOG_TEXT("why", refusal_words(failure.why)), LOG_INT("errno", failure.error));
}

/* An unban by hand counts as one. */
static void on_removed(void *context, const struct network *network, enum enforce_scope scope)
{
    struct enforcement *e = context;
    char text[ADDRESS_TEXT_MAX];
    struct guard_ban ban;

    if (!guard_find_ban(e->guard, e->now, network, false, &ban) ||
        kernel_ban(e, &ban).scope != scope)
        return;
    e->seen.removed++;
    log_warning("unbanned-by-hand", LOG_TEXT("network", network_text(network, text)));
    guard_unban(e->guard, e->now, network, NULL);
    if (ban.attack == ATTACK_OPERATOR)
        e->hearers.lifted(e->hearers.context, network, (int64_t)ban.last);
}

static void on_trusted(void *context, const struct network *network)
{
    const struct enforcement *e = context;

    e->hearers.trusted(e->hearers.context, network);
}

static void on_counted(void *context, const struct enforce_count *counts, unsigned n)
{
    struct enforcement *e = context;

    for (unsigned i = 0; i < n; i++)
        e->seen.counts[counts[i].counter] = counts[i];
    e->seen.counted = e->now;
}

static void on_socket(void *context, int descriptor)
{
    const struct enforcement *e = context;

    e->hearers.socket(e->hearers.context, descriptor);
}

static void on_disturbed(void *context, enum enforce_disturbance what)
{
    static const char *const words[] = {[ENFORCE_TABLE_GONE] = "the table was gone",
                                        [ENFORCE_RULES_CHANGED] = "its rules were changed",
                                        [ENFORCE_SETS_CHANGED] = "its sets were changed"};
    struct enforcement *e = context;

    e->seen.disturbed++;
    log_warning("kernel-disturbed", LOG_TEXT("what", words[what]));
}

static void on_error(void *context, struct span text)
{
    struct enforcement *e = context;

    escape(text, e->said, sizeof(e->said));
    if (e->seen.state != GUARD_ENFORCEMENT_OFF)
        snprintf(e->why, sizeof(e->why), "sekisho-enforcer said: %s", e->said);
}

static void enter_gone(struct enforcement *e)
{
    char why[2 * FAULT_MAX];

    snprintf(why, sizeof(why),
             "sekisho-enforcer has ended: %s; bans in the kernel stand until they expire",
             e->said[0] ? e->said : "the log says why");
    enter(e, GUARD_ENFORCEMENT_GONE, why);
}

static void on_state(void *context, enum client_state state)
{
    struct enforcement *e = context;

    switch (state) {
    case CLIENT_STARTING: enter(e, GUARD_ENFORCEMENT_STARTING, ""); break;
    case CLIENT_RESTORING:
        e->said[0] = '\0';
        enter(e, e->enforce ? GUARD_ENFORCEMENT_RESTORING : GUARD_ENFORCEMENT_OFF, "");
        break;
    case CLIENT_EFFECTIVE:
        enforcement_adopt(e, NULL);
        enter(e, e->enforce ? GUARD_ENFORCEMENT_EFFECTIVE : GUARD_ENFORCEMENT_OFF, "");
        break;
    case CLIENT_GONE: enter_gone(e); break;
    }
    /* Bans are set again from time to time: nothing to tell. */
    if (e->seen.state == e->told || e->seen.state == GUARD_ENFORCEMENT_RESTORING)
        return;
    e->told = e->seen.state;
    log_info("enforcement", LOG_TEXT("state", guard_enforcement_name(e->told)));
}

static const struct client_handlers handlers = {
    .next = next_ban,
    .wanted = is_wanted,
    .done = on_done,
    .refused = on_refused,
    .removed = on_removed,
    .trusted = on_trusted,
    .counted = on_counted,
    .socket = on_socket,
    .disturbed = on_disturbed,
    .error = on_error,
    .state = on_state,
};

/* ---- work ----------------------------------------------------------------------------------- */

struct pollfd enforcement_poll(const struct enforcement *e)
{
    if (!e->client)
        return (struct pollfd){.fd = -1};
    return (struct pollfd){.fd = client_descriptor(e->client), .events = client_events(e->client)};
}

int64_t enforcement_due_ns(const struct enforcement *e)
{
    return e->client ? client_deadline_ns(e->client) : INT64_MAX;
}

void enforcement_work(struct enforcement *e, struct instant now)
{
    e->now = now;
    if (e->client)
        client_work(e->client, now.boot_ns);
}

void enforcement_tick(struct enforcement *e, struct instant now)
{
    e->now = now;
    if (!e->client)
        return;
    if (now.boot_ns >= e->count_ns && client_count(e->client))
        e->count_ns = now.boot_ns + COUNT_NS;
    if (now.boot_ns >= e->reconcile_ns) {
        client_reconcile(e->client);
        e->reconcile_ns = now.boot_ns + RECONCILE_NS;
    }
}

void enforcement_never(struct enforcement *e, const struct network *networks, size_t n)
{
    if (e->client && client_never(e->client, networks, n) != 0)
        log_error("list-refused", LOG_TEXT("list", "never-ban"), LOG_TEXT("why", "no room"));
}

int enforcement_access(struct enforcement *e, const struct network *networks, size_t n)
{
    return e->client ? client_access(e->client, networks, e->enforce ? n : 0) : 0;
}

int enforcement_observe(struct enforcement *e, const struct network *networks, size_t n)
{
    return e->client ? client_observe(e->client, networks, n) : 0;
}

bool enforcement_ask_socket(struct enforcement *e)
{
    return e->client && client_socket(e->client);
}

bool enforcement_settled(const struct enforcement *e)
{
    switch (e->seen.state) {
    case GUARD_ENFORCEMENT_NONE:
    case GUARD_ENFORCEMENT_GONE:
    case GUARD_ENFORCEMENT_EFFECTIVE: return true;
    case GUARD_ENFORCEMENT_STARTING:
    case GUARD_ENFORCEMENT_RESTORING: return false;
    case GUARD_ENFORCEMENT_OFF: return !e->client || client_state(e->client) == CLIENT_EFFECTIVE;
    }
    return true;
}

void enforcement_look(const struct enforcement *e, struct guard_enforcement *out)
{
    *out = e->seen;
    out->why = e->why;
    for (size_t i = 0; i < SLOWEST; i++)
        if (e->slowest_us[i] > out->slowest_us)
            out->slowest_us = e->slowest_us[i];
}
