/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/dialling.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

#define FILES_MAX 64
#define FILE_BYTES_MAX (16 * 1024 * 1024)

/* The files of one directory, read. */
struct listing {
    struct tables_file files[FILES_MAX];
    struct buf contents[FILES_MAX];
    size_t n;
};

static void listing_free(struct listing *listing)
{
    for (size_t i = 0; i < listing->n; i++) {
        free((char *)listing->files[i].name.p);
        buf_free(&listing->contents[i]);
    }
    free(listing);
}

static int add_file(struct listing *listing, const char *dir, const char *name, struct fault *f)
{
    struct buf path = {0};
    char *copy = strdup(name);
    int err;

    buf_printf(&path, "%s/%s", dir, name);
    if (!copy || path.failed)
        err = fault_nomem(f);
    else if (listing->n == FILES_MAX)
        err = fault(f, ERR_FULL, "%s holds more than %d files", dir, FILES_MAX);
    else
        err = file_read(path.p, FILE_BYTES_MAX, &listing->contents[listing->n], f);
    buf_free(&path);
    if (err) {
        free(copy);
        return err;
    }
    listing->files[listing->n].name = span_of(copy);
    listing->files[listing->n].content = buf_span(&listing->contents[listing->n]);
    listing->n++;
    return 0;
}

static bool is_table(const char *name)
{
    size_t n = strlen(name);

    return name[0] != '.' && n > 4 && strcmp(name + n - 4, ".tsv") == 0;
}

static int read_listing(struct listing *listing, const char *path, struct fault *f)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int err = 0;

    if (!dir)
        return fault(f, ERR_IO, "cannot read the directory %s: %m", path);
    while (!err && (entry = readdir(dir)))
        if (is_table(entry->d_name))
            err = add_file(listing, path, entry->d_name, f);
    closedir(dir);
    return err;
}

static int load_tables(struct tables **out, const char *path, struct fault *f)
{
    struct listing *listing = calloc(1, sizeof(*listing));
    int err;

    if (!listing)
        return fault_nomem(f);
    err = path[0] ? read_listing(listing, path, f) : 0;
    if (!err)
        err = tables_load(out, listing->files, listing->n, f);
    if (err && path[0])
        fault_in(f, "numbering.tables");
    listing_free(listing);
    return err;
}

int dialling_load(struct dialling *out, const struct config *config, struct fault *f)
{
    const struct site_config wanted = {
        .plan = span_of(config->plan),
        .outside = span_of(config->outside),
        .extensions = span_of(config->extensions),
        .area = span_of(config->area),
    };
    struct dialling dialling = {0};
    int err = load_tables(&dialling.tables, config->tables, f);

    if (!err) {
        err = site_new(&dialling.site, dialling.tables, &wanted, f);
        if (err)
            fault_in(f, "[numbering]");
    }
    if (err) {
        dialling_free(&dialling);
        return err;
    }
    *out = dialling;
    return 0;
}

void dialling_free(struct dialling *dialling)
{
    site_free(dialling->site);
    tables_free(dialling->tables);
    *dialling = (struct dialling){0};
}
