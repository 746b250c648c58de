/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/sekishod.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/zoneinfo.h"
#include "daemon/dialling.h"
#include "daemon/first_words.h"
#include "daemon/guard_alerts.h"
#include "daemon/guard_hook.h"
#include "daemon/guard_thread.h"
#include "daemon/health.h"
#include "daemon/mailer.h"
#include "daemon/measures.h"
#include "daemon/notify.h"
#include "daemon/privilege.h"
#include "daemon/records.h"
#include "daemon/serve_parts.h"
#include "daemon/serve_thread.h"
#include "daemon/settings.h"
#include "serve/atlases.h"
#include "serve/attack_spans.h"
#include "serve/call_imports.h"
#include "serve/calls_room.h"
#include "serve/fastagi.h"
#include "serve/http.h"
#include "serve/sip_tcp.h"
#include "serve/sip_udp.h"
#include "store/store.h"

#define TICK_MS 200
#define CALLS_TICK_MS 1000
#define ATTACKS_EVERY 30
#define DESCRIPTORS_OWN 128 /* listeners, the store, the log; half of it is spare */
#define GRACE_MS 3000       /* for calls that are being asked about when we end */

struct sekishod {
    struct config *config;
    const struct options *options;
    struct tables *tables; /* in use; exchanged on the serve thread */
    struct zones *zones;
    struct snapshot *snapshot;
    struct records *records;
    struct authorizer *authorizer;
    struct atlases *atlases;
    struct fastagi *agi;
    struct sip_udp *sip;
    struct sip_tcp *sip_tcp; /* NULL: none */
    struct http *http;
    char *socket; /* path of the Unix socket */
    struct serve_thread *serve;
    struct guard_desk *desk;
    struct guard_thread *guard;
    struct guard_hook *hook;
    struct mailer *mailer;
    struct guard_alerts *alerts;
    struct store *store;
    struct calls_room *calls;
    struct call_imports *call_imports;
    unsigned calls_ticks;
    int64_t attacks_ms;          /* up to when the guard's decisions are known to calls.db */
    struct config *first_config; /* whose lists the store and the guard borrow */
    struct span *help_lines;     /* the same, into first_config */
    struct instant started;
    unsigned long descriptors; /* that the process may have; 0: not known */
};

/* ---- parts ---------------------------------------------------------------------------------- */

static void on_store_log(void *arg, enum store_log level, const char *sentence)
{
    switch (level) {
    case STORE_LOG_INFO: log_info("store", LOG_TEXT("message", sentence)); break;
    case STORE_LOG_WARNING: log_warning("store", LOG_TEXT("message", sentence)); break;
    case STORE_LOG_ERROR: log_error("store", LOG_TEXT("message", sentence)); break;
    }
}

static const struct tables *tables_in_use(void *arg)
{
    const struct sekishod *d = arg;

    return d->tables;
}

struct sentences {
    json_t *problems, *warnings;
};

static void add_sentence(void *arg, enum health_kind kind, const char *sentence)
{
    struct sentences *to = arg;

    json_array_append_new(kind == HEALTH_PROBLEM ? to->problems : to->warnings,
                          json_string(sentence));
}

static void tell_health(void *arg, json_t *problems, json_t *warnings)
{
    const struct sekishod *d = arg;
    const struct health health = {
        .store = d->store,
        .records = d->records,
        .calls = d->calls,
        .agi = d->agi,
        .sip = d->sip,
        .sip_tcp = d->sip_tcp,
        .descriptors = d->descriptors,
        .wanted_descriptors =
            d->config->fastagi_connections + d->config->http_connections + DESCRIPTORS_OWN,
        .as_root = geteuid() == 0,
    };
    struct sentences to = {problems, warnings};

    health_tell(&health, add_sentence, &to);
    if (d->guard)
        guard_thread_health(d->guard, add_sentence, &to);
    mailer_health(d->mailer, add_sentence, &to);
}

static void tell_metrics(void *arg, struct metrics *metrics)
{
    const struct sekishod *d = arg;
    const struct measures measures = {.agi = d->agi,
                                      .sip = d->sip,
                                      .sip_tcp = d->sip_tcp,
                                      .http = d->http,
                                      .records = d->records,
                                      .hook = d->hook};

    measures_add(&measures, metrics);
}

static struct api_services services(struct sekishod *d, const struct config *config)
{
    return (struct api_services){
        .store = d->store,
        .calls = d->calls,
        .call_imports = d->call_imports,
        .sip = d->sip,
        .sip_tcp = d->sip_tcp,
        .snapshot = d->snapshot,
        .authorizer = d->authorizer,
        .atlases = d->atlases,
        .tables = tables_in_use,
        .health = tell_health,
        .metrics = tell_metrics,
        .arg = d,
        .version = SEKISHO_VERSION,
        .desk = d->desk,
        .started = d->started,
        .postbox = mailer_postbox(d->mailer),
        .backup_dir = config->http_backup_dir,
    };
}

static int make_snapshot(struct sekishod *d, struct fault *f)
{
    struct snapshot_options options = {0};
    int err = zones_new(&d->zones, zoneinfo_read, NULL, f);

    if (err)
        return err;
    if (getrandom(options.key, sizeof(options.key), 0) != (ssize_t)sizeof(options.key))
        return fault(f, ERR_IO, "cannot get random bytes: %m");
    options.zones = d->zones;
    return snapshot_new(&d->snapshot, &options, f);
}

/* The site of the configuration goes to the authorizer, the tables stay here. */
static int make_authorizer(struct sekishod *d, struct fault *f)
{
    struct dialling dialling;
    int err = dialling_load(&dialling, d->config, f);

    if (err)
        return err;
    err = records_new(&d->records, f);
    if (!err) {
        const struct authorize_sink sink = records_sink(d->records);

        err = authorizer_new(&d->authorizer, d->snapshot, dialling.site, &sink, f);
    }
    if (err) {
        dialling_free(&dialling);
        return err;
    }
    d->tables = dialling.tables;
    return atlases_new(&d->atlases, d->tables, f);
}

static int open_fastagi(struct sekishod *d, struct fault *f)
{
    const struct config *config = d->config;
    const struct fastagi_options options = settings_fastagi(config);
    int err = fastagi_new(&d->agi, d->authorizer, config->fastagi_listen.at,
                          config->fastagi_listen.n, &options, f);

    return err ? err : serve_parts_fastagi(d->serve, d->agi, f);
}

static int open_sip_tcp(struct sekishod *d, const uint8_t key[SIP_KEY_BYTES], struct fault *f)
{
    const struct sip_tcp_options options = settings_sip_tcp(d->config);
    struct address at[SIP_LISTEN_MAX];
    size_t n = d->config->sip_listen.n;

    for (size_t i = 0; i < n; i++)
        at[i] = sip_udp_address(d->sip, i);
    int err = sip_tcp_new(&d->sip_tcp, d->authorizer, key, at, n, &options, f);

    return err ? err : serve_parts_sip_tcp(d->serve, d->sip_tcp, f);
}

static int open_sip(struct sekishod *d, struct fault *f)
{
    const struct config *config = d->config;
    uint8_t key[SIP_KEY_BYTES];

    _Static_assert(CONFIG_LISTEN_MAX <= SIP_LISTEN_MAX && SIP_LISTEN_MAX <= SERVE_LISTENERS_MAX,
                   "there is room for all");
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return fault(f, ERR_IO, "cannot get random bytes: %m");
    int err = sip_udp_new(&d->sip, d->authorizer, key, config->sip_listen.at, config->sip_listen.n,
                          config->sip_workers, f);

    return err || !config->sip_listen.n || !config->sip_tcp ? err : open_sip_tcp(d, key, f);
}

static int open_http(struct sekishod *d, struct fault *f)
{
    const struct config *config = d->config;
    const struct api_services all = services(d, config);
    const struct http_options options = settings_http(config);
    int err = settings_socket(&d->socket, config, f);

    if (!err)
        err = http_new(&d->http, &all, config->http_listen.at, config->http_listen.n, d->socket,
                       &options, f);
    return err ? err : serve_parts_http(d->serve, d->http, f);
}

static int open_sockets(struct sekishod *d, struct fault *f)
{
    int err = serve_thread_new(&d->serve, f);

    if (!err)
        err = open_fastagi(d, f);
    if (!err)
        err = open_sip(d, f);
    if (!err)
        err = open_http(d, f);
    if (!err)
        err = serve_parts_desk(d->serve, d->desk, f);
    return err;
}

static void on_guard_changed(void *arg)
{
    guard_thread_changed(arg);
}

static void on_stopped(void *arg)
{
    guard_thread_stopped(arg);
}

static void on_noticed(void *arg)
{
    mailer_noticed(arg);
}

static int open_store(struct sekishod *d, struct store_first *first, struct fault *f)
{
    size_t n_help_lines = 0;
    int err = settings_help_lines(&d->help_lines, &n_help_lines, d->config, f);

    if (err)
        return err;
    d->first_config = d->config;
    const struct store_config config = {
        .dir = d->config->state_dir,
        .tables = d->tables,
        .snapshot = d->snapshot,
        .help_lines = d->help_lines,
        .n_help_lines = n_help_lines,
        .holidays = d->config->holidays.at,
        .n_holidays = d->config->holidays.n,
        .log = on_store_log,
        .guard_changed = on_guard_changed,
        .stopped = on_stopped,
        .guard_changed_arg = d->guard,
        .noticed = on_noticed,
        .noticed_arg = d->mailer,
    };

    return store_open(&d->store, &config, first, f);
}

static void on_tick(void *arg)
{
    struct sekishod *d = arg;

    records_flush(d->records);
    guard_alerts_flush(d->alerts);
}

/* Calls that were made while their account was under attack do not speak for it. */
static void doubt_attacks(struct sekishod *d)
{
    struct calls *calls = NULL;
    struct fault f;
    int err = calls_room_file(d->calls, false, &calls, &f);

    if (!err && calls)
        err = attack_spans_take(d->store, calls, &d->attacks_ms, &f);
    if (err)
        log_error("calls-attacks", LOG_TEXT("fault", f.text));
}

static void on_calls_tick(void *arg)
{
    struct sekishod *d = arg;

    call_imports_tick(d->call_imports);
    if (d->calls_ticks++ % ATTACKS_EVERY == 0)
        doubt_attacks(d);
}

static int open_calls(struct sekishod *d, struct fault *f)
{
    int err = calls_room_new(&d->calls, d->config->state_dir, d->snapshot, f);

    if (!err)
        err = call_imports_new(&d->call_imports, d->calls, d->snapshot, d->store, NULL, 0, f);
    if (err)
        return err;
    calls_room_tick(d->calls, on_calls_tick, d, CALLS_TICK_MS);
    return calls_room_start(d->calls, f);
}

/* Records and requests may now have the store. */
static int attach_store(struct sekishod *d, struct fault *f)
{
    const struct api_services all = services(d, d->config);
    const struct http_options options = settings_http(d->config);

    records_attach(d->records, d->store);
    serve_thread_tick(d->serve, on_tick, d, TICK_MS);
    return http_configure(d->http, &all, &options, f);
}

/* What needs privilege, and is made before there is any thread. */
static int make_guard(struct sekishod *d, struct fault *f)
{
    struct guard_thread_parts parts = {.config = d->config, .snapshot = d->snapshot};
    int err = guard_desk_new(&d->desk, GUARD_DESK_SLOTS, f);

    parts.desk = d->desk;
    return err ? err : guard_thread_new(&d->guard, &parts, f);
}

static int start_guard(struct sekishod *d, struct fault *f)
{
    int err = guard_hook_open(&d->hook, d->config->hook, d->guard, d->snapshot, f);

    if (!err && d->config->mail_server[0])
        err = guard_alerts_open(&d->alerts, d->guard, d->snapshot, f);
    guard_alerts_attach(d->alerts, d->store);
    return err ? err : guard_thread_start(d->guard, d->store, d->authorizer, f);
}

/* ---- starting ------------------------------------------------------------------------------- */

static int start_parts(struct sekishod *d, struct store_first *first, struct fault *f)
{
    int err = privilege_state_dir(d->config->state_dir, f);

    if (!err)
        err = make_snapshot(d, f);
    if (!err)
        err = make_guard(d, f);
    if (!err)
        err = mailer_new(&d->mailer, d->config, f);
    if (!err)
        err = privilege_drop(d->config->user, d->config->state_dir, settings_runtime_dir(), f);
    if (!err)
        err = make_authorizer(d, f);
    if (!err)
        err = open_sockets(d, f);
    if (!err)
        err = open_store(d, first, f);
    if (!err)
        err = open_calls(d, f);
    if (!err)
        err = attach_store(d, f);
    if (!err)
        err = start_guard(d, f);
    if (!err)
        err = mailer_start(d->mailer, d->store, f);
    if (!err)
        err = serve_thread_start(d->serve, notify_interval_ms(), f);
    if (!err)
        err = sip_udp_start(d->sip, f);
    return err;
}

static void say_hello(const struct sekishod *d, const struct store_first *first)
{
    struct first_words words = {
        .state_dir = d->config->state_dir,
        .first = first,
        .socket = d->socket,
    };

    for (size_t i = 0; i < d->config->fastagi_listen.n; i++)
        words.fastagi[words.n_fastagi++] = fastagi_address(d->agi, i);
    for (size_t i = 0; i < d->config->sip_listen.n; i++)
        words.sip[words.n_sip++] = sip_udp_address(d->sip, i);
    for (size_t i = 0; i < d->config->http_listen.n; i++)
        words.http[words.n_http++] = http_address(d->http, i);
    first_words_say(&words);
}

int sekishod_start(struct sekishod **out, struct config *config, const struct options *options,
                   struct fault *f)
{
    struct sekishod *d = calloc(1, sizeof(*d));
    struct store_first first = {0};

    if (!d) {
        config_free(config);
        return fault_nomem(f);
    }
    d->config = config;
    d->options = options;
    d->started = clock_now();
    d->descriptors = privilege_descriptors();
    log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
    int err = start_parts(d, &first, f);

    if (!err)
        err = log_start(f);
    if (err) {
        sekishod_stop(d);
        return err;
    }
    say_hello(d, &first);
    notify_ready("answering");
    *out = d;
    return 0;
}

/* ---- reloading ------------------------------------------------------------------------------ */

struct change {
    struct sekishod *d;
    struct config *config;
    struct tables *tables;
};

/* On the serve thread. */
static void apply(void *arg)
{
    struct change *change = arg;
    struct sekishod *d = change->d;
    const struct fastagi_options options = settings_fastagi(change->config);
    const struct api_services all = services(d, change->config);
    const struct http_options limits = settings_http(change->config);
    const struct sip_tcp_options sip = settings_sip_tcp(change->config);
    struct tables *old_tables = d->tables;
    struct config *old_config = d->config;
    struct fault f;

    /* The store has the other tables already. */
    d->tables = change->tables;
    change->tables = old_tables;
    /* The HTTP server borrows from the configuration that it was given last. */
    if (http_configure(d->http, &all, &limits, &f) != 0) {
        log_error("reload-incomplete", LOG_TEXT("fault", f.text));
        return;
    }
    if (fastagi_configure(d->agi, &options, &f) != 0)
        log_error("reload-incomplete", LOG_TEXT("fault", f.text));
    if (d->sip_tcp)
        sip_tcp_configure(d->sip_tcp, &sip);
    d->config = change->config;
    change->config = old_config;
}

static void take_over(struct sekishod *d, struct config *config, struct dialling *dialling)
{
    struct change change = {.d = d, .config = config, .tables = dialling->tables};
    struct buf restart = {0};

    config_restart_needed(d->config, config, &restart);
    if (restart.n)
        log_warning("reload-needs-restart", LOG_SPAN("keys", buf_span(&restart)));
    buf_free(&restart);
    log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
    serve_thread_call(d->serve, apply, &change);
    /* Waits for a grace period, after which nobody sees the old tables either. */
    authorizer_set_fallback(d->authorizer, dialling->site);
    atlases_change(d->atlases, d->tables);
    tables_free(change.tables);
    if (change.config != d->first_config)
        config_free(change.config);
}

void sekishod_reload(struct sekishod *d)
{
    struct config_report report = {0};
    struct config *config = NULL;
    struct dialling dialling = {0};
    struct fault f = {0};

    notify_reloading();
    int err = settings_load(&config, d->options, &report);

    settings_log(&report);
    config_report_free(&report);
    if (!err) {
        err = dialling_load(&dialling, config, &f);
        if (!err)
            err = store_tables_wait(d->store, dialling.tables, &f);
        if (err)
            log_error("config", LOG_TEXT("fault", f.text));
    }
    if (err) {
        dialling_free(&dialling);
        config_free(config);
        log_error("reload-refused", LOG_TEXT("message", "the old configuration stands"));
        notify_ready("answering; the last reload was refused");
        return;
    }
    take_over(d, config, &dialling);
    log_info("reloaded");
    notify_ready("answering");
}

/* ---- ending --------------------------------------------------------------------------------- */

void sekishod_stop(struct sekishod *d)
{
    if (!d)
        return;
    notify_stopping();
    if (d->serve)
        serve_thread_stop(d->serve, GRACE_MS);
    sip_udp_stop(d->sip);
    guard_thread_stop(d->guard);
    guard_hook_close(d->hook);
    guard_alerts_detach(d->alerts);
    mailer_stop(d->mailer);
    http_free(d->http);
    calls_room_free(d->calls);
    call_imports_free(d->call_imports);
    if (d->records)
        records_detach(d->records);
    store_close(d->store);
    serve_thread_free(d->serve);
    fastagi_free(d->agi);
    sip_tcp_free(d->sip_tcp);
    sip_udp_free(d->sip);
    authorizer_free(d->authorizer);
    guard_thread_free(d->guard);
    guard_desk_free(d->desk);
    mailer_free(d->mailer);
    guard_alerts_free(d->alerts);
    atlases_free(d->atlases);
    records_free(d->records);
    snapshot_free(d->snapshot);
    zones_free(d->zones);
    tables_free(d->tables);
    if (d->first_config != d->config)
        config_free(d->first_config);
    config_free(d->config);
    free(d->help_lines);
    free(d->socket);
    log_stop();
    free(d);
}
