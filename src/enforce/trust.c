/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/trust.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define PROC_FILE_MAX (4 * 1024 * 1024)
#define SOCKETS_MAX 256

static struct network host(const struct address *address)
{
    struct network network = {.family = address->family, .bits = address->family == 4 ? 32 : 128};

    memcpy(network.ip, address->ip, sizeof(network.ip));
    return network;
}

static void tell_host(const struct address *address, const char *why, trust_function each,
                      void *context)
{
    struct network network = host(address);

    each(context, &network, why);
}

int trust_own(trust_function each, void *context, struct fault *f)
{
    static const struct network loopback4 = {4, 8, {127}}, loopback6 = {6, 128, {[15] = 1}};
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        return fault(f, ERR_IO, "cannot list this machine's addresses: %m");
    each(context, &loopback4, "loopback");
    each(context, &loopback6, "loopback");
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct address address = one->ifa_addr ? address_of(one->ifa_addr) : (struct address){0};

        if (address.family && !address_is_loopback(&address))
            tell_host(&address, "this machine", each, context);
    }
    freeifaddrs(all);
    return 0;
}

/* "203.0.113.7 50022 198.51.100.1 22"; a link-local one may have a zone. */
static void of_environment(const char *ssh_connection, trust_function each, void *context)
{
    struct span rest, zone;
    struct span client = span_cut(span_cut(span_of(ssh_connection), ' ', &rest), '%', &zone);
    struct address address;

    if (address_parse_ip(client, &address, NULL) == 0)
        tell_host(&address, "SSH of who started it", each, context);
}

struct sockets {
    size_t n;
    unsigned long inode[SOCKETS_MAX];
};

/* "sshd: alice@pts/0", "sshd-session: alice@notty"; never "[priv]", "[net]" or "[accepted]". */
static bool has_logged_in(const struct buf *title)
{
    struct span text = {title->p, title->n};
    struct span name = span_cut(text, ':', &text);

    return (span_is(name, "sshd") || span_is(name, "sshd-session")) && text.n &&
           memchr(text.p, '@', text.n) && !memchr(text.p, '[', text.n);
}

/* Whether the program is an sshd: anybody can give themselves a title. */
static bool is_sshd(const char *process)
{
    char path[320], exe[256];

    snprintf(path, sizeof(path), "%s/exe", process);
    ssize_t n = readlink(path, exe, sizeof(exe) - 1);

    if (n <= 0)
        return false;
    exe[n] = '\0';
    const char *name = strrchr(exe, '/');

    /* Replaced by an upgrade, it is still the one that was started. */
    return name &&
           (strcmp(name, "/sshd") == 0 || strcmp(name, "/sshd-session") == 0 ||
            strcmp(name, "/sshd (deleted)") == 0 || strcmp(name, "/sshd-session (deleted)") == 0);
}

static void add_sockets(const char *process, struct sockets *sockets)
{
    char path[320], target[64];

    snprintf(path, sizeof(path), "%s/fd", process);
    DIR *dir = opendir(path);

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (n <= 8 || sockets->n == SOCKETS_MAX)
            continue;
        target[n] = '\0';
        if (strncmp(target, "socket:[", 8) == 0)
            sockets->inode[sockets->n++] = strtoul(target + 8, NULL, 10);
    }
    if (dir)
        closedir(dir);
}

static void find_sockets(const char *proc, struct sockets *sockets)
{
    DIR *dir = opendir(proc);
    struct buf title = {0};

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char process[280], path[320];

        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        snprintf(process, sizeof(process), "%.255s/%.20s", proc, entry->d_name);
        snprintf(path, sizeof(path), "%s/cmdline", process);
        if (file_read(path, 4096, &title, NULL) == 0 && has_logged_in(&title) && is_sshd(process))
            add_sockets(process, sockets);
    }
    buf_free(&title);
    if (dir)
        closedir(dir);
}

/* "0100007F:1F90": words of four bytes, each as the machine keeps it. */
static bool read_hex_address(const char *text, struct address *out)
{
    uint8_t ip[16];
    size_t digits = strspn(text, "0123456789ABCDEF");
    char word[9] = {0};

    if (digits != 8 && digits != 32)
        return false;
    for (size_t i = 0; i < digits; i += 8) {
        memcpy(word, text + i, 8);
        uint32_t value = (uint32_t)strtoul(word, NULL, 16);

        memcpy(ip + i / 2, &value, 4);
    }
    if (digits == 8) {
        struct sockaddr_in in = {.sin_family = AF_INET};

        memcpy(&in.sin_addr, ip, 4);
        *out = address_of((const struct sockaddr *)(const void *)&in);
    } else {
        struct sockaddr_in6 in = {.sin6_family = AF_INET6};

        memcpy(&in.sin6_addr, ip, 16);
        *out = address_of((const struct sockaddr *)(const void *)&in);
    }
    return true;
}

/* One line of /proc/net/tcp: an established connection (01) that one of the sockets is. */
static void read_connection(const char *line, const struct sockets *sockets, trust_function each,
                            void *context)
{
    char peer[64];
    unsigned state;
    unsigned long inode;
    struct address address;

    if (sscanf(line, " %*d: %*63s %63s %x %*s %*s %*s %*s %*s %lu", peer, &state, &inode) != 3 ||
        state != 1 || !read_hex_address(peer, &address) || address_is_loopback(&address))
        return;
    for (size_t i = 0; i < sockets->n; i++) {
        if (sockets->inode[i] == inode) {
            tell_host(&address, "logged in by SSH", each, context);
            return;
        }
    }
}

void trust_ssh(const char *proc, const char *ssh_connection, trust_function each, void *context)
{
    static const char *const tables[] = {"tcp", "tcp6"};
    struct sockets sockets = {0};
    struct buf text = {0};

    if (ssh_connection)
        of_environment(ssh_connection, each, context);
    find_sockets(proc, &sockets);
    for (size_t i = 0; sockets.n && i < sizeof(tables) / sizeof(tables[0]); i++) {
        char path[300];

        snprintf(path, sizeof(path), "%.255s/net/%s", proc, tables[i]);
        if (file_read(path, PROC_FILE_MAX, &text, NULL) != 0)
            continue;
        for (char *line = text.p, *next; line && *line; line = next) {
            next = strchr(line, '\n');
            if (next)
                *next++ = '\0';
            read_connection(line, &sockets, each, context);
        }
    }
    buf_free(&text);
}
