/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a captured enforcer could still do. Each case is a process of its own, confined. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enforce/confine.h"

/* Each returns whether it was told no; most do not return. Straight system calls: what a library would do
 * first is not what is tried here. */
static bool opens_a_file(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) < 0 && errno == EACCES;
}

static bool makes_a_file(void)
{
    return syscall(SYS_openat, AT_FDCWD, "a", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES;
}

static bool makes_a_socket(void)
{
    return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES;
}

static bool connects(void)
{
    return syscall(SYS_connect, 0, NULL, 0) < 0 && errno == EACCES;
}

static bool executes(void)
{
    return syscall(SYS_execve, "/bin/true", NULL, NULL) < 0;
}

static bool forks(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0;
}

static bool kills(void)
{
    return syscall(SYS_kill, getppid(), 0) < 0;
}

static bool traces(void)
{
    return syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0) < 0;
}

static bool becomes_root(void)
{
    return syscall(SYS_setuid, 0) < 0;
}

static bool mounts(void)
{
    return syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL) < 0;
}

static bool loads_a_program(void)
{
    return syscall(SYS_bpf, 0, NULL, 0) < 0;
}

static bool makes_code(void)
{
    return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                   0) == -1;
}

static bool changes_a_mode(void)
{
    return syscall(SYS_fchmodat, AT_FDCWD, ".", 0777) < 0;
}

static bool renames_the_host(void)
{
    return syscall(SYS_sethostname, "x", 1) < 0;
}

static bool writes_elsewhere(void)
{
    return syscall(SYS_write, STDOUT_FILENO, "x", 1) < 0;
}

enum end { TOLD_NO, KILLED };

static const struct {
    const char *name;
    bool (*tries)(void);
    enum end end;
} cases[] = {
    {"opens no file", opens_a_file, TOLD_NO},
    {"makes no file", makes_a_file, TOLD_NO},
    {"makes no socket", makes_a_socket, TOLD_NO},
    {"connects to nothing", connects, TOLD_NO},
    {"executes nothing", executes, KILLED},
    {"forks not", forks, KILLED},
    {"kills nobody", kills, KILLED},
    {"traces nobody", traces, KILLED},
    {"does not become root", becomes_root, KILLED},
    {"mounts nothing", mounts, KILLED},
    {"loads no program into the kernel", loads_a_program, KILLED},
    {"makes no memory that can be run", makes_code, KILLED},
    {"changes no mode", changes_a_mode, KILLED},
    {"does not rename the host", renames_the_host, KILLED},
    {"writes to standard error alone", writes_elsewhere, KILLED},
};

static bool holds(bool (*tries)(void), enum end end)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct fault f;

        if (confine("nobody", &f) != 0) {
            fprintf(stderr, "%s\n", f.text);
            _exit(2);
        }
        _exit(tries() ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    return end == TOLD_NO ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                          : WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

int main(void)
{
    unsigned n = sizeof(cases) / sizeof(cases[0]), failed = 0;

    if (geteuid() != 0) {
        puts("1..0 # SKIP needs root");
        return EXIT_SUCCESS;
    }
    printf("1..%u\n", n);
    fflush(stdout);
    for (unsigned i = 0; i < n; i++) {
        bool good = holds(cases[i].tries, cases[i].end);

        failed += !good;
        printf("%s %u - a captured enforcer %s\n", good ? "ok" : "not ok", i + 1, cases[i].name);
        fflush(stdout);
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
