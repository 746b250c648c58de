/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_CASES_H
#define SEKISHO_TESTS_CASES_H

#include "base/buf.h"

struct CMUnitTest;

/*
 * Cases of many lines, in a file that reads as a specification:
 *
 *     == what the case shows
 *     lines that go in          \xHH is that byte, \@N is N times the letter a
 *     --
 *     lines that must come out  \@N as above; empty lines count for nothing
 *
 * What stands before the first "==" is a comment.
 */
struct test_case {
    char *name;
    struct buf in;
    struct buf out; /* every line with its newline; never NULL */
};

/* Runs `function` once for each case of the file at `path`, with the case as its state, behind the
 * `n_fixed` tests. What cmocka_run_group_tests() returns. A file that cannot be read ends the program. */
int cases_run(const char *path, void (*function)(void **state), const struct CMUnitTest *fixed,
              size_t n_fixed);

#endif
