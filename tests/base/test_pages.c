/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pages.h"

#define MIB ((size_t)1 << 20)

static void memory_is_zero_aligned_and_all_there(void **state)
{
    static const size_t sizes[] = {1, 64, 4096, 4 * MIB - 1, 4 * MIB, 5 * MIB + 1};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t size = sizes[i];
        char *p = pages_new(size);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (size < 4 * MIB ? 64 : 2 * MIB), 0);
        for (size_t k = 0; k < size; k += 61)
            assert_int_equal(p[k], 0);
        for (size_t k = 0; k < size; k += 61)
            p[k] = 1;
        p[size - 1] = 1;
        pages_free(p, size);
    }
}

static void what_cannot_be_had_is_null(void **state)
{
    assert_null(pages_new(SIZE_MAX));
    assert_null(pages_new(SIZE_MAX / 4));
    pages_free(NULL, 1);
    pages_free(NULL, 5 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zero_aligned_and_all_there),
        cmocka_unit_test(what_cannot_be_had_is_null),
    };

    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
