/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialled strings of a file, one a line, as libphonenumber understands them at home in Japan.
 * Usage: phonenumber FILE */
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <phonenumbers/phonenumberutil.h>

extern "C" {
#include "measure.h"
}

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

struct bench {
    const PhoneNumberUtil *util;
    std::vector<std::string> dialled;
    size_t understood;
};

static void parse_all(void *arg)
{
    bench *b = static_cast<bench *>(arg);
    PhoneNumber number;
    std::string region;

    b->understood = 0;
    for (const std::string &dialled : b->dialled) {
        if (b->util->Parse(dialled, "JP", &number) != PhoneNumberUtil::NO_PARSING_ERROR)
            continue;
        b->util->GetRegionCodeForNumber(number, &region);
        b->understood += region != "ZZ";
    }
}

int main(int argc, char **argv)
{
    std::ifstream file(argc > 1 ? argv[1] : "");
    bench b = {PhoneNumberUtil::GetInstance(), {}, 0};

    for (std::string line; std::getline(file, line);)
        b.dialled.push_back(line);
    if (b.dialled.empty())
        return 1;
    struct measure m = measure(5, b.dialled.size(), parse_all, &b);
    printf("%-58s %9.1f %9.1f\n", "a string, by libphonenumber", m.median, m.least);
    printf("  (it gives a region to %.1f %% of them)\n",
           100.0 * static_cast<double>(b.understood) / static_cast<double>(b.dialled.size()));
    return 0;
}
