/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "enforce/trust.h"

static char proc[] = "/tmp/sekisho-proc-XXXXXX";

__attribute__((format(printf, 1, 2))) static const char *in_proc(const char *format, ...)
{
    static char path[256];
    char tail[200];
    va_list args;

    va_start(args, format);
    vsnprintf(tail, sizeof(tail), format, args);
    va_end(args);
    snprintf(path, sizeof(path), "%s/%s", proc, tail);
    return path;
}

static void put(const char *path, const char *text, size_t n)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, n, out), n);
    fclose(out);
}

static const struct {
    const char *title, *exe;
    unsigned inode;
} processes[] = {
    {"sshd: alice@pts/0", "/usr/sbin/sshd", 101}, /* logged in */
    {"sshd-session: bob@notty", "/usr/lib/openssh/sshd-session",
     102},                                                  /* the same, since OpenSSH 9.8 */
    {"sshd: root@pts/1", "/usr/sbin/sshd (deleted)", 103},  /* after an upgrade */
    {"sshd: carol [priv]", "/usr/sbin/sshd", 104},          /* has not logged in yet */
    {"sshd: [accepted]", "/usr/sbin/sshd", 105},            /* a stranger */
    {"sshd: mallory@pts/9", "/home/mallory/not-sshd", 106}, /* calls itself so */
    {"sshd: /usr/sbin/sshd -D [listener]", "/usr/sbin/sshd", 107},
    {"vi a@b", "/usr/bin/vi", 108},
};

static void make_proc(void)
{
    assert_non_null(mkdtemp(proc));
    mkdir(in_proc("net"), 0755);
    for (unsigned i = 0; i < sizeof(processes) / sizeof(processes[0]); i++) {
        char target[64];

        mkdir(in_proc("%u", 10 + i), 0755);
        mkdir(in_proc("%u/fd", 10 + i), 0755);
        put(in_proc("%u/cmdline", 10 + i), processes[i].title, strlen(processes[i].title) + 1);
        assert_int_equal(symlink(processes[i].exe, in_proc("%u/exe", 10 + i)), 0);
        snprintf(target, sizeof(target), "socket:[%u]", processes[i].inode);
        assert_int_equal(symlink(target, in_proc("%u/fd/4", 10 + i)), 0);
    }
}

static void make_connections(void)
{
    struct buf text = {0};

    buf_puts(&text, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
                    "uid  timeout inode\n");
    for (unsigned inode = 101; inode <= 108; inode++)
        buf_printf(&text,
                   "   0: 016433C6:0016 %02X0200C0:C386 01 00000000:00000000 02:0009C6B8 00000000  "
                   "   0        0 %u 4 "
                   "0000000000000000\n",
                   inode - 100, inode);
    /* Closing; from loopback. */
    buf_puts(&text, "   1: 016433C6:0016 630200C0:C386 06 00000000:00000000 02:0009C6B8 00000000 0 "
                    "0 101 4 0\n");
    buf_puts(&text, "   2: 0100007F:0016 0100007F:C386 01 00000000:00000000 02:0009C6B8 00000000 0 "
                    "0 101 4 0\n");
    put(in_proc("net/tcp"), text.p, text.n);
    buf_clear(&text);
    buf_puts(&text, "header\n   0: 00000000000000000000000000000000:0016 "
                    "B80D0120000000000000000005000000:C386 01 "
                    "00000000:00000000 02:0009C6B8 00000000 0 0 102 4 0\n");
    buf_puts(&text,
             "   1: 00000000000000000000000000000000:0016 0000000000000000FFFF0000096433C6:C386 01 "
             "00000000:00000000 02:0009C6B8 00000000 0 0 103 4 0\nshort\n");
    put(in_proc("net/tcp6"), text.p, text.n);
    buf_free(&text);
}

static void note(void *context, const struct network *network, const char *why)
{
    char text[ADDRESS_TEXT_MAX];

    buf_printf(context, "%s ", network_text(network, text));
}

static void who_has_logged_in_is_trusted_and_nobody_else(void **state)
{
    struct buf out = {0};

    make_proc();
    make_connections();
    trust_ssh(proc, NULL, note, &out);
    assert_string_equal(out.p, "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::5 198.51.100.9 ");
    buf_free(&out);
}

static void who_starts_it_is_trusted(void **state)
{
    static const char *const cases[][2] = {
        {"203.0.113.7 50022 198.51.100.1 22", "203.0.113.7 "},
        {"2001:db8::7 50022 2001:db8::1 22", "2001:db8::7 "},
        {"fe80::1%eth0 50022 fe80::2%eth0 22", "fe80::1 "},
        {"nonsense", ""},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};

        trust_ssh("/nonexistent", cases[i][0], note, &out);
        assert_string_equal(out.p ? out.p : "", cases[i][1]);
        buf_free(&out);
    }
}

static void loopback_is_trusted(void **state)
{
    struct buf out = {0};
    struct fault f;

    assert_int_equal(trust_own(note, &out, &f), 0);
    assert_non_null(strstr(out.p, "127.0.0.0/8 ::1 "));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_logged_in_is_trusted_and_nobody_else),
        cmocka_unit_test(who_starts_it_is_trusted),
        cmocka_unit_test(loopback_is_trusted),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", proc);
    return system(command) == 0 ? failed : 1;
}
