/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

/* ---- reading -------------------------------------------------------------------------------- */

/* An option stands for the key. */
static int override(char **value, const char *option)
{
    char *copy = option ? strdup(option) : NULL;

    if (!option)
        return 0;
    if (!copy)
        return ERR_NOMEM;
    free(*value);
    *value = copy;
    return 0;
}

int settings_load(struct config **out, const struct options *options, struct config_report *report)
{
    struct config *config = NULL;
    const char *path = options->config;
    bool none = !path && access(OPTIONS_DEFAULT_CONFIG, F_OK) != 0 && errno == ENOENT;
    int err = none ? config_parse(&config, SPAN(""), OPTIONS_DEFAULT_CONFIG, report)
                   : config_load(&config, path ? path : OPTIONS_DEFAULT_CONFIG, report);

    if (!err)
        err = override(&config->state_dir, options->state_dir);
    if (!err)
        err = override(&config->user, options->user);
    if (err) {
        config_free(config);
        return err;
    }
    *out = config;
    return 0;
}

void settings_log(const struct config_report *report)
{
    struct span rest = buf_span(&report->text);

    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);

        if (report->errors)
            log_error("config", LOG_SPAN("fault", line));
        else
            log_warning("config", LOG_SPAN("fault", line));
    }
}

/* ---- what each part is given ---------------------------------------------------------------- */

struct fastagi_options settings_fastagi(const struct config *config)
{
    return (struct fastagi_options){
        .allow = config->fastagi_allow.at,
        .n_allow = config->fastagi_allow.n,
        .connections = config->fastagi_connections,
        .timeout_ms = config->fastagi_timeout_ms,
    };
}

struct sip_tcp_options settings_sip_tcp(const struct config *config)
{
    return (struct sip_tcp_options){
        .connections = config->sip_connections,
        .timeout_s = config->sip_timeout_s,
    };
}

struct http_options settings_http(const struct config *config)
{
    return (struct http_options){
        .hosts = config->http_hosts,
        .connections = config->http_connections,
        .connections_per_address = config->http_per_address,
        .timeout_s = config->http_timeout_s,
        .body_max = (size_t)config->http_body_kib << 10,
        .import_max = (size_t)config->http_import_mib << 20,
    };
}

const char *settings_runtime_dir(void)
{
    const char *runtime = getenv("RUNTIME_DIRECTORY");

    return runtime && runtime[0] == '/' && !strchr(runtime, ':') ? runtime : NULL;
}

int settings_socket(char **out, const struct config *config, struct fault *f)
{
    const char *runtime = settings_runtime_dir();
    struct buf path = {0};

    if (config->http_socket[0])
        buf_puts(&path, config->http_socket);
    else
        buf_printf(&path, "%s/sekisho.sock", runtime ? runtime : config->state_dir);
    if (path.failed) {
        buf_free(&path);
        return fault_nomem(f);
    }
    *out = path.p;
    return 0;
}

/* "171, 188" to spans into it; `out` may be NULL to count only. */
static size_t split_numbers(const char *text, struct span *out)
{
    size_t n = 0;

    for (struct span rest = span_of(text); rest.n;) {
        struct span item = span_trim(span_cut(rest, ',', &rest));

        if (item.n && out)
            out[n] = item;
        n += item.n != 0;
    }
    return n;
}

int settings_help_lines(struct span **out, size_t *n, const struct config *config, struct fault *f)
{
    struct span *lines = calloc(split_numbers(config->help_lines, NULL) + 1, sizeof(*lines));

    if (!lines)
        return fault_nomem(f);
    *n = split_numbers(config->help_lines, lines);
    *out = lines;
    return 0;
}
