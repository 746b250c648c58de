/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/local.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/file.h"

#define TABLE_FILE_MAX (16u << 20)
#define TABLE_FILES_MAX 16

struct replaced {
    struct tables_file files[TABLE_FILES_MAX];
    char *names[TABLE_FILES_MAX];
    struct buf contents[TABLE_FILES_MAX];
    size_t n;
};

static int is_table(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 4 && strcmp(e->d_name + n - 4, ".tsv") == 0;
}

static int read_one(struct replaced *r, const char *dir, const char *name, struct fault *f)
{
    struct buf path = {0};
    int err;

    if (r->n == TABLE_FILES_MAX)
        return fault(f, ERR_RANGE, "%s holds more than %d tables", dir, TABLE_FILES_MAX);
    buf_printf(&path, "%s/%s", dir, name);
    r->names[r->n] = strdup(name);
    r->contents[r->n] = (struct buf){0};
    err = path.failed || !r->names[r->n] ? fault_nomem(f)
                                         : file_read(path.p, TABLE_FILE_MAX, &r->contents[r->n], f);
    r->files[r->n].name = span_of(r->names[r->n]);
    r->files[r->n].content = buf_span(&r->contents[r->n]);
    r->n++;
    buf_free(&path);
    return err;
}

static int read_dir(struct replaced *r, const char *dir, struct fault *f)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_table, alphasort);
    int err = 0;

    if (n < 0)
        return fault(f, ERR_IO, "cannot read the tables in %s: %m", dir);
    for (int i = 0; i < n; i++) {
        if (!err)
            err = read_one(r, dir, entries[i]->d_name, f);
        free(entries[i]);
    }
    free(entries);
    if (!err && n == 0)
        err = fault(f, ERR_MISSING, "there is no table (*.tsv) in %s", dir);
    return err;
}

static void join(struct buf *b, const struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        buf_printf(b, "%s%s", i ? "," : "", w->at[i]);
}

int local_open(struct local *out, const struct local_options *o, struct fault *f)
{
    struct replaced r = {.n = 0};
    struct buf extensions = {0};
    struct local l = {0};
    int err = o->tables ? read_dir(&r, o->tables, f) : 0;

    join(&extensions, &o->extensions);
    if (!err && extensions.failed)
        err = fault_nomem(f);
    if (!err)
        err = tables_load(&l.tables, r.files, r.n, f);
    if (!err) {
        struct site_config config = {
            .plan = span_of(o->plan ? o->plan : "JP"),
            .outside = span_of(o->outside),
            .extensions = buf_span(&extensions),
            .area = span_of(o->area),
        };

        err = site_new(&l.site, l.tables, &config, f);
    }
    for (size_t i = 0; i < r.n; i++) {
        free(r.names[i]);
        buf_free(&r.contents[i]);
    }
    buf_free(&extensions);
    if (err)
        local_close(&l);
    else
        *out = l;
    return err;
}

void local_close(struct local *l)
{
    site_free(l->site);
    tables_free(l->tables);
    *l = (struct local){0};
}
