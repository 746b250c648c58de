/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "environment.h"

#include <stdio.h>

#include "measure.h"

size_t environment_make(char *out, unsigned accounts, uint64_t *seed)
{
    uint64_t r = measure_random(seed);
    unsigned account = accounts ? (unsigned)(r >> 32) % accounts : 0;
    char number[32];

    if (r % 10 == 0)
        snprintf(number, sizeof(number), "01025261%07u", (unsigned)(r >> 8) % 10000000);
    else
        snprintf(number, sizeof(number), "033%07u", 2000000 + (unsigned)(r >> 8) % 8000000);
    int n = snprintf(
        out, ENVIRONMENT_MAX,
        "agi_network: yes\n"
        "agi_network_script: v1/authorize/phone%u/192.0.2.%u/%s\n"
        "agi_request: agi://127.0.0.1:4573/v1/authorize/phone%u/192.0.2.%u/%s\n"
        "agi_channel: PJSIP/phone%u-0000%04x\nagi_language: en\nagi_type: PJSIP\n"
        "agi_uniqueid: 1700000000.%u\nagi_version: 22.10.1\nagi_callerid: phone%u\n"
        "agi_calleridname: Alice\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n"
        "agi_callingtns: 0\nagi_dnid: %s\nagi_rdnis: unknown\nagi_context: phones\n"
        "agi_extension: %s\nagi_priority: 3\nagi_enhanced: 0.0\nagi_accountcode: \n"
        "agi_threadid: 140027183806144\n\n",
        account, (unsigned)(r >> 16) % 250, number, account, (unsigned)(r >> 16) % 250, number,
        account, (unsigned)r & 0xffff, (unsigned)(r >> 40), account, number, number);

    return (size_t)n;
}
