/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int privilege_state_dir(const char *path, struct fault *f)
{
    struct stat st;

    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return fault(f, ERR_IO, "cannot make the directory %s (daemon.state_dir): %m", path);
    if (stat(path, &st) != 0)
        return fault(f, ERR_IO, "cannot look at %s (daemon.state_dir): %m", path);
    if (!S_ISDIR(st.st_mode))
        return fault(f, ERR_IO, "%s (daemon.state_dir) is not a directory", path);
    return 0;
}

static int give(const char *dir, const struct passwd *account, struct fault *f)
{
    if (dir && chown(dir, account->pw_uid, account->pw_gid) != 0)
        return fault(f, ERR_IO, "cannot give %s to %s: %m", dir, account->pw_name);
    return 0;
}

int privilege_drop(const char *user, const char *state_dir, const char *runtime_dir,
                   struct fault *f)
{
    int err;

    if (!user[0] || geteuid() != 0)
        return 0;
    errno = 0;
    const struct passwd *account = getpwnam(user);

    if (!account)
        return fault(f, ERR_MISSING, "daemon.user: there is no system account \"%s\"", user);
    err = give(state_dir, account, f);
    if (!err)
        err = give(runtime_dir, account, f);
    if (err)
        return err;
    if (initgroups(user, account->pw_gid) != 0 || setgid(account->pw_gid) != 0 ||
        setuid(account->pw_uid) != 0)
        return fault(f, ERR_IO, "cannot become %s: %m", user);
    if (account->pw_uid != 0 && setuid(0) == 0)
        return fault(f, ERR_IO, "became %s, but could become root again", user);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return 0;
}

unsigned long privilege_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}
