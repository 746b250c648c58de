/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_SIP_QUESTIONS_H
#define SEKISHO_BENCH_SIP_QUESTIONS_H

#include <stddef.h>
#include <stdint.h>

/*
 * INVITEs of about 800 bytes with SDP, as a PBX of a provider sends them: a random account of so many (bench/decide's
 * world has them), three quarters of the numbers international.
 */
#define QUESTIONS_TEMPLATES 16384
#define QUESTIONS_SIZE 1024

struct question {
    uint16_t n, branch; /* where its eight digits stand */
    char bytes[QUESTIONS_SIZE];
};

/* An array of QUESTIONS_TEMPLATES, for free(); NULL without memory. */
struct question *questions_new(size_t accounts);

/* Another transaction each time. */
void questions_renew(struct question *q);

/* A copy, with a transaction of that number; `out` has room for QUESTIONS_SIZE. Any thread. */
void questions_copy(const struct question *q, uint32_t number, char *out);

#endif
