/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over files, without libFuzzer: replay DIRECTORY. Each file is tried whole and
 * cut at every length (of long files at some), in a buffer of exactly that size, so that a read
 * beyond the end is seen. Output is TAP, one case a file.
 */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

#define SEED_MAX (1u << 20)
#define CUTS_MAX 256

static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);

    if (!exact)
        abort();
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int replay(const char *directory, const char *name)
{
    char path[4096];
    uint8_t *data = malloc(SEED_MAX);
    FILE *in;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    in = fopen(path, "rb");
    if (!in || !data)
        return -1;
    n = fread(data, 1, SEED_MAX, in);
    fclose(in);
    for (size_t cut = 0; cut < n; cut += 1 + n / CUTS_MAX)
        run(data, cut);
    run(data, n);
    free(data);
    return 0;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **names = NULL;
    int n = argc == 2 ? scandir(argv[1], &names, visible, alphasort) : -1;
    int failed = n <= 0;

    printf("1..%d\n", n > 0 ? n : 0);
    for (int i = 0; i < n; i++) {
        int bad = replay(argv[1], names[i]->d_name);

        printf("%sok %d - %s\n", bad ? "not " : "", i + 1, names[i]->d_name);
        failed |= bad;
        free(names[i]);
    }
    free(names);
    return failed != 0;
}
