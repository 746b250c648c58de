/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A root directory that is empty and stays so: it is removed before we enter it. */
static int enter_nowhere(struct fault *f)
{
    static const char *const places[] = {"/run/sekisho-XXXXXX", "/tmp/sekisho-XXXXXX"};
    char path[32];
    bool made = false;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !made; i++) {
        memcpy(path, places[i], strlen(places[i]) + 1);
        made = mkdtemp(path) != NULL;
    }
    if (!made)
        return fault(f, ERR_IO, "cannot make an empty directory in /run or /tmp: %m");
    if (chdir(path) != 0 || rmdir(path) != 0 || chroot(".") != 0)
        return fault(f, ERR_IO, "cannot make the empty directory %s the root directory: %m", path);
    return 0;
}

static int limit_resources(struct fault *f)
{
    static const struct {
        int what;
        rlim_t most;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 64}, {RLIMIT_NPROC, 0}};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit = {limits[i].most, limits[i].most};

        if (setrlimit((__rlimit_resource_t)limits[i].what, &limit) != 0)
            return fault(f, ERR_IO, "cannot lower a resource limit: %m");
    }
    return 0;
}

/* CAP_NET_ADMIN, permitted and effective; nothing inheritable. */
static int set_capabilities(struct fault *f)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.permitted = 1U << CAP_NET_ADMIN, .effective = 1U << CAP_NET_ADMIN}};
    struct __user_cap_data_struct now[2];

    if (syscall(SYS_capset, &header, data) != 0)
        return fault(f, ERR_IO, "cannot give up capabilities: %m");
    if (syscall(SYS_capget, &header, now) != 0 || memcmp(now, data, sizeof(now)) != 0)
        return fault(f, ERR_IO, "gave up capabilities, but has others than CAP_NET_ADMIN");
    return 0;
}

static int become(uid_t uid, gid_t gid, struct fault *f)
{
    for (unsigned long i = 0; i <= 63; i++)
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno != EINVAL)
            return fault(f, ERR_IO, "cannot drop capability %lu from the bounding set: %m", i);
    if (prctl(PR_SET_SECUREBITS,
              SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
                  SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
              0, 0, 0) != 0)
        return fault(f, ERR_IO, "cannot set the securebits: %m");
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return fault(f, ERR_IO, "cannot become user %u: %m", (unsigned)uid);
    int err = set_capabilities(f);

    if (err)
        return err;
    if (setresuid(0, 0, 0) == 0)
        return fault(f, ERR_IO, "became user %u, but could become root again", (unsigned)uid);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fault(f, ERR_IO, "cannot forbid new privileges: %m");
    return 0;
}

/* What may be called. libnftables lays the rules again after a `flush ruleset`: it needs its own socket,
 * memory, and select. */
static const int allowed[] = {
    SCMP_SYS(sendto),       SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom),     SCMP_SYS(recvmsg),
    SCMP_SYS(poll),         SCMP_SYS(ppoll),
    SCMP_SYS(select),       SCMP_SYS(pselect6),
    SCMP_SYS(_newselect),   SCMP_SYS(getsockopt),
    SCMP_SYS(getsockname),  SCMP_SYS(close),
    SCMP_SYS(brk),          SCMP_SYS(munmap),
    SCMP_SYS(mremap),       SCMP_SYS(madvise),
    SCMP_SYS(futex),        SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getpid),       SCMP_SYS(getrandom),
    SCMP_SYS(gettid),       SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),
    SCMP_SYS(bind),         SCMP_SYS(clock_gettime64),
    SCMP_SYS(fstat),        SCMP_SYS(newfstatat),
    SCMP_SYS(time),         SCMP_SYS(lseek),
    SCMP_SYS(sched_yield),  SCMP_SYS(sigaltstack),
};

/* What a library may try without harm if it is told no. */
static const int denied[] = {
    SCMP_SYS(open),      SCMP_SYS(openat),     SCMP_SYS(openat2), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(stat),       SCMP_SYS(lstat),   SCMP_SYS(statx),
    SCMP_SYS(readlink),  SCMP_SYS(readlinkat), SCMP_SYS(socket),  SCMP_SYS(connect),
    SCMP_SYS(ioctl),     SCMP_SYS(fcntl),      SCMP_SYS(read),
};

static int allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp argument)
{
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &argument);
}

static int allow_some(scmp_filter_ctx filter)
{
    /* The log goes to standard error and nowhere else. */
    struct scmp_arg_cmp to_log = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = STDERR_FILENO};
    /* Memory, but none that can be run. */
    struct scmp_arg_cmp no_code = {
        .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
    /* Filters for the packet sockets that are given away, buffers of libnftables' socket. */
    struct scmp_arg_cmp of_sockets = {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = SOL_SOCKET};

    return allow_if(filter, SCMP_SYS(write), to_log) | allow_if(filter, SCMP_SYS(writev), to_log) |
           allow_if(filter, SCMP_SYS(mmap), no_code) |
           allow_if(filter, SCMP_SYS(mprotect), no_code) |
           allow_if(filter, SCMP_SYS(setsockopt), of_sockets);
}

static int filter_calls(struct fault *f)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int err = filter ? 0 : -ENOMEM;

    for (size_t i = 0; !err && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; !err && i < sizeof(denied) / sizeof(denied[0]); i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), denied[i], 0);
    if (!err)
        err = allow_some(filter);
    if (!err)
        err = seccomp_load(filter);
    seccomp_release(filter);
    return err ? fault(f, ERR_IO, "cannot restrict the system calls (seccomp): %s", strerror(-err))
               : 0;
}

int confine(const char *user, struct fault *f)
{
    errno = 0;
    const struct passwd *account = getpwnam(user);

    if (!account)
        return fault(f, ERR_MISSING, "there is no system account \"%s\"", user);
    if (account->pw_uid == 0)
        return fault(f, ERR_RANGE, "\"%s\" is root, and must not be", user);
    uid_t uid = account->pw_uid;
    gid_t gid = account->pw_gid;
    int err = enter_nowhere(f);

    if (!err)
        err = become(uid, gid, f);
    if (!err)
        err = limit_resources(f);
    if (!err)
        err = filter_calls(f);
    return err;
}
