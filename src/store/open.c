/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/migrate.h"
#include "store/store_impl.h"

/* A file up to this size is checked whole at every start; the check of a bigger one would take
 * seconds. What is damaged in those is found when it is read: all of the accounts, at the start. */
#define VERIFY_MAX (64 * 1024 * 1024)

const struct store_file store_file_main = {STORE_MAIN, MIGRATE_MAIN_ID, migrate_main_steps, true};
const struct store_file store_file_evidence = {STORE_EVIDENCE, MIGRATE_EVIDENCE_ID,
                                               migrate_evidence_steps, false};
const struct store_file store_file_calls = {STORE_CALLS, MIGRATE_CALLS_ID, migrate_calls_steps,
                                            true};

char *store_path(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

bool store_file_exists(const char *dir, const struct store_file *file)
{
    char *path = store_path(dir, file->name);
    bool exists = path && access(path, F_OK) == 0;

    free(path);
    return exists;
}

static int verify_small(struct db *db, struct fault *f)
{
    struct stat st;

    if (stat(db_path(db), &st) != 0 || st.st_size > VERIFY_MAX)
        return 0;
    return migrate_verify(db, f);
}

int store_file_write(struct db **out, const char *dir, const struct store_file *file,
                     struct fault *f)
{
    struct db *db = NULL;
    char *path = store_path(dir, file->name);
    int err = path ? db_create_private(path, f) : fault_nomem(f);

    if (!err)
        err = db_open(&db, path, DB_WRITE, f);
    if (!err)
        err = migrate_admit(db, file->application_id, file->steps, f);
    if (!err)
        err = verify_small(db, f);
    if (!err)
        err = db_prepare(db, file->durable, f);
    if (!err)
        err = migrate(db, file->application_id, file->steps, f);
    free(path);
    if (err)
        db_close(db);
    else
        *out = db;
    return err;
}

int store_file_read(struct db **out, const char *dir, const struct store_file *file,
                    struct fault *f)
{
    char *path = store_path(dir, file->name);
    int err = path ? db_open(out, path, DB_READ, f) : fault_nomem(f);

    free(path);
    return err;
}

int store_file_view(struct db **out, const char *dir, const struct store_file *file,
                    struct fault *f)
{
    struct db *db = NULL;
    int err = store_file_read(&db, dir, file, f);

    if (!err)
        err = migrate_admit(db, file->application_id, file->steps, f);
    if (!err && migrate_check(db, file->application_id, file->steps, NULL) != 0)
        err = fault(f, ERR_CONFLICT,
                    "%s was written by an older Sekisho; the next import of call records brings it "
                    "up to date",
                    db_path(db));
    if (err)
        db_close(db);
    else
        *out = db;
    return err;
}

/* Where the file system knows no files without names. */
static int scratch_named(const char *dir)
{
    char *path = store_path(dir, "scratch-XXXXXX");
    int fd = path ? mkostemp(path, O_CLOEXEC) : -1;

    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

int store_scratch(struct store *store, int *fd, struct fault *f)
{
    int made = open(store->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (made < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        made = scratch_named(store->dir);
    if (made < 0)
        return fault(f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: no file can be made: %m",
                     store->dir);
    *fd = made;
    return 0;
}
