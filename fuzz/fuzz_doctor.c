/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/doctor/reach.h"
#include "fuzz.h"

static struct device known[] = {
    {"PJSIP", DEVICE_TRUNK, {"provider", 8}, {"from-provider", 13}, {"pjsip.conf", 1}},
    {"PJSIP", DEVICE_PHONE, {"1001", 4}, {"phones", 6}, {"pjsip.conf", 9}},
};

/* Follows the dialplan with a phone, a caller from outside, and the emergency numbers of Japan. */
static void follow(const struct astconf *conf, struct findings *findings)
{
    static const struct span emergency[] = {SPAN("110"), SPAN("118"), SPAN("119")};
    struct dialplan dialplan = {0};
    struct devices devices = {.all = known, .n = 2};
    struct root all[] = {
        {.who = "trunk", .context = known[0].context, .at = known[0].at},
        {.who = "phone", .context = known[1].context, .at = known[1].at, .is_phone = true},
    };
    struct roots roots = {all, 2};
    struct reach reach = {&dialplan, &devices, &roots, findings, emergency, 3, emergency, 3};

    dialplan_read(&dialplan, conf, findings);
    reach_trunks(&reach);
    reach_emergency(&reach);
    reach_site(&reach);
    findings_sort(findings);
    for (size_t i = 0; i < findings->n; i++)
        PROMISE(findings->all[i].what && findings->all[i].change && findings->all[i].id);
}

/* An extensions.conf of any bytes. It may not include files: those are not the input's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct findings findings = {0};
    struct astconf conf = {0};
    char path[64];

    if (size > 16384 || (size && memmem(data, size, "clude", 5)))
        return 0;
    int fd = memfd_create("extensions.conf", MFD_CLOEXEC);
    PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    findings.arena = arena_new();
    if (astconf_read(&conf, "/nonexistent", path, &findings, NULL) == 0)
        follow(&conf, &findings);
    arena_free(findings.arena);
    close(fd);
    return 0;
}
