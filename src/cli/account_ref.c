/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/account_ref.h"

void account_id(const json_t *account, char out[ACCOUNT_ID_SIZE])
{
    snprintf(out, ACCOUNT_ID_SIZE, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(account, "id")));
}

struct search {
    const char *name;
    json_t *found;
    struct buf switches;
};

static int compare(const json_t *item, void *arg, struct fault *f)
{
    struct search *s = arg;
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *on = json_string_value(json_object_get(item, "switch"));

    if (!name || strcasecmp(name, s->name) != 0)
        return 0;
    buf_printf(&s->switches, "%s%s", s->found ? ", " : "", on ? on : "?");
    if (s->found)
        return fault(f, ERR_RANGE,
                     "more than one switch has an account \"%s\" (%s …); say --switch",
                     ESCAPED(span_of(s->name)), s->switches.p);
    s->found = json_incref((json_t *)item);
    return 0;
}

static int search(struct cli *cli, const char *name, json_t **out, struct fault *f)
{
    struct search s = {.name = name};
    struct buf path = {0};
    int err;

    buf_puts(&path, "/v1/accounts");
    path_query(&path, "q", name);
    err = path.failed ? fault_nomem(f) : remote_list(cli, path.p, 0, compare, &s, f);
    if (!err && !s.found)
        err = fault(f, ERR_MISSING, "there is no account \"%s\" on any switch",
                    ESCAPED(span_of(name)));
    if (err)
        json_decref(s.found);
    else
        *out = s.found;
    buf_free(&s.switches);
    buf_free(&path);
    return err;
}

int account_find(struct cli *cli, const char *ref, const char *switch_, json_t **out,
                 struct fault *f)
{
    struct buf path = {0};
    struct reply r = {0};
    int err;

    if (!*ref)
        return fault(f, ERR_SYNTAX, "an account's name is not empty");
    if (strncmp(ref, "id:", 3) == 0) {
        buf_puts(&path, "/v1/accounts");
        path_part(&path, ref + 3);
    } else if (switch_) {
        buf_puts(&path, "/v1/switches");
        path_part(&path, switch_);
        buf_puts(&path, "/accounts");
        path_part(&path, ref);
    } else {
        return search(cli, ref, out, f);
    }
    err = path.failed ? fault_nomem(f) : remote_call(cli, "GET", path.p, NULL, &r, f);
    if (!err)
        *out = r.json;
    buf_free(&path);
    return err;
}
