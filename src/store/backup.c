/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A copy of the store while it runs. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/migrate.h"
#include "store/store_impl.h"
#include "store/waiter.h"

struct backup {
    struct store *store;
    store_done done;
    void *done_arg;
    char *path;
    char *partial; /* path.partial */
};

static void backup_free(struct backup *b)
{
    if (!b)
        return;
    free(b->path);
    free(b->partial);
    free(b);
}

static int io_fault(struct fault *f, const char *path, const char *what)
{
    int code = errno == ENOSPC || errno == EDQUOT ? ERR_FULL
               : errno == EEXIST                  ? ERR_EXISTS
                                                  : ERR_IO;

    return fault(f, code, "%s cannot be %s: %s", path, what, strerror(errno));
}

static int sync_path(const char *path, int flags, struct fault *f)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        return io_fault(f, path, "opened");
    int err = fsync(fd) == 0 ? 0 : io_fault(f, path, "written to the disk");
    close(fd);
    return err;
}

/* In write-ahead mode the source stays open for everybody, and what is copied is what stood there when
 * the copying began. */
static int copy_pages(struct db *from, struct db *to, struct fault *f)
{
    sqlite3_backup *copy = sqlite3_backup_init(db_handle(to), "main", db_handle(from), "main");

    if (!copy)
        return db_fault(to, sqlite3_extended_errcode(db_handle(to)), f);
    int code = sqlite3_backup_step(copy, -1);
    sqlite3_backup_finish(copy);
    if (code == SQLITE_DONE)
        return 0;
    /* Which of the two it was, the code does not say; the destination is the one that can be full. */
    return db_fault((code & 0xff) == SQLITE_CORRUPT ? from : to, code, f);
}

static int copy_file(struct backup *b, const struct store_file *file, struct fault *f)
{
    struct db *from = NULL, *to = NULL;
    char *source = store_path(b->store->dir, file->name);
    char *target = store_path(b->partial, file->name);
    int err = source && target ? 0 : fault_nomem(f);

    if (!err)
        err = db_create_private(target, f);
    if (!err)
        err = db_open(&from, source, DB_READ, f);
    if (!err)
        err = db_open(&to, target, DB_WRITE, f);
    if (!err)
        err = copy_pages(from, to, f);
    /* The copy is one file, without a log beside it. */
    if (!err)
        err = db_exec(to, "PRAGMA journal_mode = DELETE", f);
    if (!err)
        err = migrate_check(to, file->application_id, file->steps, f);
    if (!err)
        err = migrate_verify(to, f);
    db_close(to);
    db_close(from);
    if (!err)
        err = sync_path(target, O_RDONLY, f);
    free(source);
    free(target);
    return err;
}

/* Only what a backup makes is removed: a directory with anything else in it stays. */
static void remove_partial(const struct backup *b)
{
    static const char *const names[] = {
        STORE_MAIN,     STORE_MAIN "-journal",     STORE_MAIN "-wal",     STORE_MAIN "-shm",
        STORE_EVIDENCE, STORE_EVIDENCE "-journal", STORE_EVIDENCE "-wal", STORE_EVIDENCE "-shm",
        STORE_CALLS,    STORE_CALLS "-journal",    STORE_CALLS "-wal",    STORE_CALLS "-shm",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char *path = store_path(b->partial, names[i]);
        if (path)
            unlink(path);
        free(path);
    }
    rmdir(b->partial);
}

static int sync_parent(const char *path, struct fault *f)
{
    char *parent = strdup(path);

    if (!parent)
        return fault_nomem(f);
    char *slash = strrchr(parent, '/');
    slash[slash == parent ? 1 : 0] = '\0';
    int err = sync_path(parent, O_RDONLY | O_DIRECTORY, f);
    free(parent);
    return err;
}

static int run(struct backup *b, struct fault *f)
{
    struct stat st;

    if (lstat(b->path, &st) == 0)
        return fault(f, ERR_EXISTS, "%s exists already; a backup overwrites nothing", b->path);
    remove_partial(b); /* of a backup that was interrupted */
    if (mkdir(b->partial, 0750) != 0)
        return io_fault(f, b->partial, "made");
    int err = copy_file(b, &store_file_main, f);
    if (!err)
        err = copy_file(b, &store_file_evidence, f);
    if (!err && store_file_exists(b->store->dir, &store_file_calls))
        err = copy_file(b, &store_file_calls, f);
    if (!err)
        err = sync_path(b->partial, O_RDONLY | O_DIRECTORY, f);
    if (!err && renameat2(AT_FDCWD, b->partial, AT_FDCWD, b->path, RENAME_NOREPLACE) != 0)
        err = io_fault(f, b->path, "made");
    if (err) {
        remove_partial(b);
        return err;
    }
    return sync_parent(b->path, f);
}

static void *backup_thread(void *p)
{
    struct backup *b = p;
    struct store *s = b->store;
    struct fault f = {0};
    int err = run(b, &f);

    if (err)
        store_log(s, STORE_LOG_WARNING, "the backup to %s failed: %s", b->path, f.text);
    else
        store_log(s, STORE_LOG_INFO, "backup to %s complete", b->path);
    f.code = err;
    pthread_mutex_lock(&s->mutex);
    s->backing_up = false;
    pthread_mutex_unlock(&s->mutex);
    if (b->done)
        b->done(b->done_arg, err, &f);
    backup_free(b);
    return NULL;
}

static int make(struct backup **out, struct store *s, const char *path, store_done done,
                void *done_arg, struct fault *f)
{
    size_t size = strlen(path) + sizeof(".partial");

    if (path[0] != '/' || path[1] == '\0')
        return fault(f, ERR_RANGE, "the path \"%s\" of a backup must be absolute",
                     ESCAPED(span_of(path)));
    struct backup *b = calloc(1, sizeof(*b));
    if (!b)
        return fault_nomem(f);
    *b = (struct backup){.store = s,
                         .done = done,
                         .done_arg = done_arg,
                         .path = strdup(path),
                         .partial = malloc(size)};
    if (!b->path || !b->partial) {
        backup_free(b);
        return fault_nomem(f);
    }
    for (size_t n = strlen(b->path); n > 1 && b->path[n - 1] == '/'; n--)
        b->path[n - 1] = '\0';
    snprintf(b->partial, size, "%s.partial", b->path);
    *out = b;
    return 0;
}

int store_backup(struct store *s, const char *path, store_done done, void *done_arg,
                 struct fault *f)
{
    struct backup *b = NULL;
    int err = make(&b, s, path, done, done_arg, f);

    if (err)
        return err;
    pthread_mutex_lock(&s->mutex);
    bool refused = s->backing_up || s->closing;
    if (!refused)
        s->backing_up = true;
    pthread_mutex_unlock(&s->mutex);
    if (refused) {
        backup_free(b);
        return fault(f, ERR_CONFLICT, "a backup is being made already, or the store is closing");
    }
    backup_join(s); /* the thread of the one before, which has ended */
    int why = pthread_create(&s->backup_thread, NULL, backup_thread, b);
    pthread_mutex_lock(&s->mutex);
    s->backup_joinable = why == 0;
    if (why)
        s->backing_up = false;
    pthread_mutex_unlock(&s->mutex);
    if (why) {
        backup_free(b);
        return fault(f, ERR_IO, "a thread for the backup cannot start: %s", strerror(why));
    }
    return 0;
}

int store_backup_wait(struct store *s, const char *path, struct fault *f)
{
    struct waiter w = WAITER_INIT;
    int err = store_backup(s, path, waiter_done, &w, f);

    return err ? err : waiter_wait(&w, f);
}

void backup_join(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
    bool joinable = s->backup_joinable;
    s->backup_joinable = false;
    pthread_mutex_unlock(&s->mutex);
    if (joinable)
        pthread_join(s->backup_thread, NULL);
}
