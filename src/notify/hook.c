/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define NS INT64_C(1000000000)
#define LOOK_NS (NS / 20) /* how often it is looked whether one has ended */
#define NOBODY 65534

struct running {
    pid_t pid; /* 0: the place is free */
    int64_t until_ns;
    bool killed;
};

struct hook {
    char *path;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Under the lock. */
    bool ending;
    struct span queue[HOOK_QUEUE]; /* a ring; each is its own memory */
    size_t first, n;
    struct hook_figures figures;
    /* The thread's. */
    struct running running[HOOK_AT_ONCE];
};

/* ---- one run -------------------------------------------------------------------------------- */

/* A file that nobody can change, at its beginning: nobody waits for the program to read. */
static int input_of(struct span json)
{
    int fd = memfd_create("sekisho-hook", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (write(fd, json.p, json.n) != (ssize_t)json.n || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int spawn(const char *path, int input, pid_t *pid)
{
    static char lang[] = "LANG=C.UTF-8", where[] = "PATH=/usr/bin:/bin";
    char *const environment[] = {where, lang, NULL};
    char *const arguments[] = {(char *)path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int err;

    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files))
        return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&files);
        return ENOMEM;
    }
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    err = posix_spawn_file_actions_adddup2(&files, input, 0);
    if (!err)
        err = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    if (!err)
        err = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    if (!err)
        err = posix_spawn_file_actions_addclosefrom_np(&files, 3);
    if (!err)
        err = posix_spawn_file_actions_addchdir_np(&files, "/");
    if (!err)
        err = posix_spawn(pid, path, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return err;
}

/* True where one has been started in `place`. */
static bool start(const struct hook *hook, struct running *place, struct span json, int64_t now_ns)
{
    pid_t pid = 0;
    int input = input_of(json);
    int err = input < 0 ? errno : spawn(hook->path, input, &pid);

    if (input >= 0)
        close(input);
    if (err) {
        log_warning("hook-unstarted", LOG_TEXT("program", hook->path),
                    LOG_TEXT("why", strerror(err)));
        return false;
    }
    *place = (struct running){.pid = pid, .until_ns = now_ns + HOOK_SECONDS * NS};
    return true;
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* What it must not have, only this thread gives up: the rest of the process may need it. */
static void give_up_privilege(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (geteuid() != 0)
        return;
    if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) ||
        syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
        abort(); /* the operator's program is not run as root */
}

/* Reaps one that has ended, or kills one that runs for too long. Under the lock. */
static void look_after(struct hook *hook, struct running *r, int64_t now_ns)
{
    int status = 0;
    pid_t got = waitpid(r->pid, &status, WNOHANG);

    if (got == 0) {
        if (!r->killed && now_ns >= r->until_ns) {
            kill(-r->pid, SIGKILL);
            r->killed = true;
            hook->figures.killed++;
            log_warning("hook-killed", LOG_TEXT("program", hook->path),
                        LOG_INT("seconds", HOOK_SECONDS));
        }
        return;
    }
    if (got > 0 && !r->killed && status != 0) {
        hook->figures.failed++;
        log_warning("hook-failed", LOG_TEXT("program", hook->path),
                    LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    }
    r->pid = 0;
    hook->figures.running--;
}

/* Takes the next one from the queue and starts it. Under the lock, which is given back meanwhile. */
static void start_next(struct hook *hook, struct running *place, int64_t now_ns)
{
    struct span json = hook->queue[hook->first];
    bool started;

    hook->first = (hook->first + 1) % HOOK_QUEUE;
    hook->n--;
    hook->figures.running++;
    pthread_mutex_unlock(&hook->lock);
    started = start(hook, place, json, now_ns);
    free((char *)json.p);
    pthread_mutex_lock(&hook->lock);
    hook->figures.running -= !started;
    hook->figures.started += started;
    hook->figures.unstarted += !started;
}

static void wait_a_little(struct hook *hook)
{
    struct timespec until;

    if (hook->figures.running == 0) {
        pthread_cond_wait(&hook->wake, &hook->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_NS;
    until.tv_sec += until.tv_nsec / NS;
    until.tv_nsec %= NS;
    pthread_cond_timedwait(&hook->wake, &hook->lock, &until);
}

static void kill_all(struct hook *hook)
{
    for (struct running *r = hook->running; r < hook->running + HOOK_AT_ONCE; r++) {
        if (!r->pid)
            continue;
        kill(-r->pid, SIGKILL);
        while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        r->pid = 0;
    }
}

static void *thread_main(void *arg)
{
    struct hook *hook = arg;

    give_up_privilege();
    pthread_mutex_lock(&hook->lock);
    while (!hook->ending) {
        int64_t now_ns = clock_now().boot_ns;
        bool room = false;

        for (struct running *r = hook->running; r < hook->running + HOOK_AT_ONCE; r++) {
            if (r->pid)
                look_after(hook, r, now_ns);
            if (!r->pid && hook->n)
                start_next(hook, r, now_ns);
            room |= !r->pid;
        }
        if (!hook->ending && !(room && hook->n))
            wait_a_little(hook);
    }
    pthread_mutex_unlock(&hook->lock);
    kill_all(hook);
    return NULL;
}

/* ---- the outside ---------------------------------------------------------------------------- */

static int check(const char *path, struct fault *f)
{
    struct stat st;

    if (path[0] != '/' || stat(path, &st) != 0)
        return fault(f, ERR_MISSING, "the hook \"%s\" is not there, or not an absolute path",
                     ESCAPED(span_of(path)));
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111) || access(path, X_OK) != 0)
        return fault(f, ERR_DENIED, "the hook \"%s\" is no file that sekishod may execute",
                     ESCAPED(span_of(path)));
    if (st.st_mode & S_IWOTH)
        return fault(f, ERR_DENIED, "everybody may write the hook \"%s\": chmod o-w it",
                     ESCAPED(span_of(path)));
    return 0;
}

static int start_thread(struct hook *hook, struct fault *f)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&hook->thread, NULL, thread_main, hook);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return fault(f, ERR_IO, "cannot start the hook's thread: %s", strerror(err));
    hook->started = true;
    return 0;
}

int hook_open(struct hook **out, const char *path, struct fault *f)
{
    pthread_condattr_t monotonic;
    int err = check(path, f);
    struct hook *hook;

    if (err)
        return err;
    hook = calloc(1, sizeof(*hook));
    if (!hook)
        return fault_nomem(f);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&hook->lock, NULL);
    pthread_cond_init(&hook->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    hook->path = strdup(path);
    err = hook->path ? start_thread(hook, f) : fault_nomem(f);
    if (err)
        hook_close(hook);
    else
        *out = hook;
    return err;
}

void hook_close(struct hook *hook)
{
    if (!hook)
        return;
    if (hook->started) {
        pthread_mutex_lock(&hook->lock);
        hook->ending = true;
        pthread_cond_signal(&hook->wake);
        pthread_mutex_unlock(&hook->lock);
        pthread_join(hook->thread, NULL);
    }
    for (; hook->n; hook->n--, hook->first = (hook->first + 1) % HOOK_QUEUE)
        free((char *)hook->queue[hook->first].p);
    pthread_cond_destroy(&hook->wake);
    pthread_mutex_destroy(&hook->lock);
    free(hook->path);
    free(hook);
}

bool hook_tell(struct hook *hook, struct span json)
{
    char *copy = json.n && json.n <= HOOK_TEXT_MAX ? malloc(json.n) : NULL;
    bool kept;

    if (copy)
        memcpy(copy, json.p, json.n);
    pthread_mutex_lock(&hook->lock);
    hook->figures.told++;
    kept = copy && hook->n < HOOK_QUEUE;
    if (kept) {
        hook->queue[(hook->first + hook->n++) % HOOK_QUEUE] = (struct span){copy, json.n};
        pthread_cond_signal(&hook->wake);
    } else {
        hook->figures.dropped++;
    }
    pthread_mutex_unlock(&hook->lock);
    if (!kept)
        free(copy);
    return kept;
}

struct hook_figures hook_figures(struct hook *hook)
{
    struct hook_figures figures;

    pthread_mutex_lock(&hook->lock);
    figures = hook->figures;
    figures.waiting = hook->n;
    pthread_mutex_unlock(&hook->lock);
    return figures;
}
