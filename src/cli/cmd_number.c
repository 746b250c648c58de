/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/local.h"
#include "cli/show.h"
#include "cli/table.h"
#include "numbering/numbering.h"

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

/* The object of GET /v1/number. */
static json_t *number_object(const struct site *site, const struct number *n)
{
    char dial[NUMBER_DIGITS_MAX] = "";
    const struct country *c = n->country;

    if (numbering_dial(site, n, FORM_DIALLED, dial))
        dial[0] = '\0';
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:s}", "class", number_class_name(n->class),
        "kind", text_or_null(number_kind_name(n->kind)), "e164", text_or_null(n->e164), "country",
        text_or_null(c ? c->iso : NULL), "country_name",
        c ? json_pack("{s:s, s:s}", "en", c->name_en, "ja", c->name_ja) : json_null(), "dial",
        text_or_null(dial), "dialled", text_or_null(n->dialled), "risk", number_risk_name(n->risk),
        "presentation", number_presentation_name(n->presentation), "target",
        number_class_name(n->target));
}

static int show(struct cli *cli, const json_t *object)
{
    static const struct column columns[] = {
        {"class", "class", "種別"},
        {"kind", "kind", "細別"},
        {"e164", "E.164", "E.164"},
        {"country", "country", "国"},
        {"country_en", "in English", "英語名"},
        {"country_ja", "in Japanese", "日本語名"},
        {"risk", "risk", "危険度"},
        {"dialled", "rules match", "規制の照合先"},
        {"dial", "to be dialled", "発信する番号"},
        {"presentation", "caller ID", "発信者番号"},
        {"target", "target", "転送先の種別"},
        {0},
    };
    json_t *flat;

    if (cli->json) {
        show_json(object);
        return EXIT_DONE;
    }
    flat = json_copy((json_t *)object);
    const json_t *names = json_object_get(object, "country_name");
    json_object_set(flat, "country_en", json_object_get(names, "en"));
    json_object_set(flat, "country_ja", json_object_get(names, "ja"));
    show_object(cli, flat, columns);
    json_decref(flat);
    return EXIT_DONE;
}

static int ask_daemon(struct cli *cli, const char *switch_, const char *dialled)
{
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code;

    buf_puts(&path, "/v1/number");
    path_query(&path, "switch", switch_);
    path_query(&path, "number", dialled);
    int err = path.failed ? fault_nomem(&f) : remote_call(cli, "GET", path.p, NULL, &r, &f);
    code = err ? cli_fail(&f) : show(cli, r.json);
    reply_free(&r);
    buf_free(&path);
    return code;
}

static int ask_tables(struct cli *cli, const struct local_options *o, const char *dialled)
{
    struct local local = {0};
    struct number number;
    struct fault f;

    if (local_open(&local, o, &f))
        return cli_fail(&f);
    numbering_parse(local.site, span_of(dialled), &number);
    json_t *object = number_object(local.site, &number);
    int code = show(cli, object);
    json_decref(object);
    local_close(&local);
    return code;
}

int cmd_number(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct local_options o = {0};
    struct words rest = {0};
    const char *switch_ = NULL;
    const struct option options[] = {
        LOCAL_OPTIONS(&o),
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {0},
    };
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, rest.n ? "one NUMBER at a time" : "the NUMBER is missing");
    else if (switch_ && (o.plan || o.outside || o.extensions.n || o.area || o.tables))
        code = cli_usage(self, "--switch has its own dial plan; leave --plan and the like away");
    else
        code = switch_ ? ask_daemon(cli, switch_, rest.at[0]) : ask_tables(cli, &o, rest.at[0]);
    words_free(&o.extensions);
    words_free(&rest);
    return code;
}
