/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/named_on.h"

struct switches {
    struct buf names;
    size_t n;
};

static int add(const json_t *item, void *arg, struct fault *f)
{
    struct switches *s = arg;
    const char *name = json_string_value(json_object_get(item, "name"));

    buf_printf(&s->names, "%s%s", s->n++ ? ", " : "", name ? name : "?");
    return s->names.failed ? fault_nomem(f) : 0;
}

int named_on(struct cli *cli, const char *list, const char *switch_, const char *name,
             struct buf *path, struct fault *f)
{
    struct switches s = {0};
    int err = switch_ ? 0 : remote_list(cli, "/v1/switches", 0, add, &s, f);

    if (!err && !switch_ && s.n != 1)
        err = s.n ? fault(f, ERR_RANGE, "say --switch: there are %s", ESCAPED(buf_span(&s.names)))
                  : fault(f, ERR_MISSING, "there is no switch");
    if (!err) {
        buf_puts(path, list);
        path_part(path, switch_ ? switch_ : s.names.p);
        path_part(path, name);
        err = path->failed ? fault_nomem(f) : 0;
    }
    buf_free(&s.names);
    return err;
}
