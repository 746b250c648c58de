/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/file.h"
#include "cli/account_ref.h"
#include "cli/ami_client.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/table.h"

/* What the Asterisk has, and what of it is an account already. */
struct discovery {
    struct cli *cli;
    const char *switch_, *tenant;
    json_t *found; /* [{"name","kind","account":bool}] */
};

/* An account's name is [A-Za-z0-9._@+-]; anything else cannot be asked about, and is left out aloud. */
static bool is_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-",
                    s.p[i]) ||
            !s.p[i])
            return false;
    return s.n > 0 && s.n <= 64;
}

static int keep(struct discovery *d, struct span name, const char *kind, struct fault *f)
{
    if (!is_name(name)) {
        cli_note("\"%s\" cannot be an account's name and is left out", ESCAPED(name));
        return 0;
    }
    if (json_array_append_new(d->found, json_pack("{s:s%, s:s, s:b}", "name", name.p, name.n,
                                                  "kind", kind, "account", 0)))
        return fault_nomem(f);
    return 0;
}

/* An endpoint that authenticates itself to somebody else is a trunk; its account is the one that pays
 * for legs without a payer. */
static int on_endpoint(const struct ami_message *m, void *arg, struct fault *f)
{
    struct span name = ami_message_first(m, "ObjectName"), rest;

    if (!ami_message_is_event(m, "EndpointList"))
        return 0;
    return keep(arg, span_cut(name, '/', &rest),
                ami_message_first(m, "OutboundAuths").n ? "PJSIP trunk" : "PJSIP", f);
}

static int on_peer(const struct ami_message *m, void *arg, struct fault *f)
{
    if (!ami_message_is_event(m, "PeerEntry"))
        return 0;
    return keep(arg, ami_message_first(m, "ObjectName"),
                span_is(ami_message_first(m, "Dynamic"), "yes") ? "SIP" : "SIP trunk", f);
}

static int ask_asterisk(struct discovery *d, const char *where, const char *name,
                        struct span secret, struct fault *f)
{
    struct ami_client *ami = NULL;
    int err = ami_client_open(&ami, where, f);

    if (!err)
        err = ami_client_login(ami, name, secret, f);
    if (!err)
        err = ami_client_list(ami, "PJSIPShowEndpoints", "EndpointListComplete", on_endpoint, d, f);
    if (!err)
        err = ami_client_list(ami, "SIPpeers", "PeerlistComplete", on_peer, d, f);
    ami_client_close(ami);
    return err;
}

/* Without --switch the only one is meant. */
static int on_switch(const json_t *item, void *arg, struct fault *f)
{
    json_t **only = arg;

    if (*only)
        return fault(f, ERR_RANGE, "there is more than one switch: say --switch");
    *only = json_incref(json_object_get(item, "name"));
    return 0;
}

static int on_account(const json_t *item, void *arg, struct fault *f)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    struct discovery *d = arg;
    json_t *entry;
    size_t i;

    json_array_foreach(
        d->found, i,
        entry) if (name && strcasecmp(name, json_string_value(json_object_get(entry, "name"))) == 0)
        json_object_set_new(entry, "account", json_true());
    return 0;
}

static int compare(struct discovery *d, struct fault *f)
{
    struct buf path = {0};
    int err;

    buf_puts(&path, "/v1/accounts");
    path_query(&path, "switch", d->switch_);
    err = path.failed ? fault_nomem(f) : remote_list(d->cli, path.p, 0, on_account, d, f);
    buf_free(&path);
    return err;
}

/* The missing ones in one batch: all or none. */
static int create(struct discovery *d, struct fault *f)
{
    struct buf path = {0}, lines = {0};
    const json_t *entry;
    size_t i;
    int err;

    json_array_foreach(d->found, i, entry) if (!json_is_true(json_object_get(entry, "account")))
        buf_printf(&lines, "{\"name\":\"%s\",\"note\":\"%s, discovered\"}\n",
                   json_string_value(json_object_get(entry, "name")),
                   json_string_value(json_object_get(entry, "kind")));
    buf_puts(&path, "/v1/accounts/import");
    path_query(&path, "switch", d->switch_);
    path_query(&path, "tenant", d->tenant);
    err = path.failed || lines.failed ? fault_nomem(f)
                                      : remote_send(d->cli, "POST", path.p, "application/x-ndjson",
                                                    buf_span(&lines), NULL, f);
    buf_free(&lines);
    buf_free(&path);
    return err;
}

static size_t missing(const struct discovery *d)
{
    const json_t *entry;
    size_t i, n = 0;

    json_array_foreach(d->found, i, entry) n += !json_is_true(json_object_get(entry, "account"));
    return n;
}

static int offer(struct discovery *d, bool yes)
{
    static const struct column columns[] = {{"name", "NAME", "名前"},
                                            {"kind", "KIND", "種類"},
                                            {"account", "ACCOUNT", "登録済み"},
                                            {0}};
    struct cli *cli = d->cli;
    size_t n = missing(d);
    struct fault f;
    int code = show_array(cli, d->found, columns);

    if (code || n == 0) {
        if (!code)
            cli_note(TR(cli, "every endpoint has its account", "すべて登録済みです"));
        return code;
    }
    if (!yes && !cli_confirm(
                    TR(cli, "Add the accounts that are missing?", "未登録のものを追加しますか?"))) {
        cli_note(
            TR(cli, "%zu are missing; --yes adds them", "%zu 件が未登録です。--yes で追加します"),
            n);
        return EXIT_DONE;
    }
    if (create(d, &f))
        return cli_fail(&f);
    cli_note(TR(cli, "%zu accounts added", "%zu 件のアカウントを追加しました"), n);
    return EXIT_DONE;
}

static int discover(struct discovery *d, const char *where, const char *name, const char *file,
                    bool yes)
{
    struct buf secret = {0};
    struct span rest;
    json_t *only = NULL;
    struct fault f;
    int err = file_read(file, 4096, &secret, &f);

    if (!err) {
        struct span line = span_cut(buf_span(&secret), '\n', &rest);

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        err = ask_asterisk(d, where, name, line, &f);
    }
    if (!err && !d->switch_) {
        err = remote_list(d->cli, "/v1/switches", 0, on_switch, &only, &f);
        d->switch_ = json_string_value(only);
    }
    if (!err)
        err = compare(d, &f);
    int code = err ? cli_fail(&f) : offer(d, yes);
    json_decref(only);
    buf_free(&secret);
    return code;
}

int cmd_account_discover(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct discovery d = {.cli = cli};
    const char *where = NULL, *name = NULL, *file = NULL;
    struct words rest = {0};
    bool yes = false;
    const struct option options[] = {
        {.name = "ami", .text = &where, .value = "HOST[:PORT]"},
        {.name = "user", .text = &name, .value = "NAME"},
        {.name = "secret-file", .text = &file, .value = "FILE"},
        {.name = "switch", .text = &d.switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &d.tenant, .value = "TENANT"},
        {.name = "yes", .flag = &yes},
        {0},
    };
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(rest.at[0])));
    else if (!where || !name || !file)
        code = cli_usage(self, "--%s is missing", !where ? "ami" : !name ? "user" : "secret-file");
    else {
        d.found = json_array();
        code = discover(&d, where, name, file, yes);
        json_decref(d.found);
    }
    words_free(&rest);
    return code;
}
