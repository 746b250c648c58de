/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a file holds: a configuration or sentences, and none of the sentences can do anything to the
 * terminal that shows it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_report report = {0};
    struct config *config = NULL;
    int err =
        config_parse(&config, (struct span){(const char *)data, size}, "sekisho.conf", &report);

    if ((err == 0) != (config != NULL) || (err == 0) != (report.errors == 0))
        abort();
    for (size_t i = 0; i < report.text.n; i++) {
        unsigned char c = (unsigned char)report.text.p[i];

        if ((c < ' ' && c != '\n') || c == 0x7f)
            abort();
    }
    config_free(config);
    config_report_free(&report);
    return 0;
}
