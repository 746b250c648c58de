/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a question is sekishod's own work and not the kernel's, without a connection. */
#include <stdio.h>

#include "environment.h"
#include "measure.h"
#include "serve/agi_answer.h"
#include "serve/agi_request.h"

#define QUESTIONS 4096

struct parts {
    char text[QUESTIONS][ENVIRONMENT_MAX];
    size_t n[QUESTIONS];
};

static void take_apart(void *arg)
{
    static struct agi_request request;
    struct parts *p = arg;
    struct agi_question question;

    for (size_t i = 0; i < QUESTIONS; i++) {
        agi_request_begin(&request);
        if (agi_request_feed(&request, (struct span){p->text[i], p->n[i]}) != AGI_DONE ||
            agi_request_question(&request, &question, NULL) != 0)
            abort();
        measure_keep(question.number.n);
    }
}

static void write_answer(void *arg)
{
    const struct verdict verdict = {.reason = REASON_UNRESTRICTED, .dial = "0332345678"};
    char text[AGI_ANSWER_MAX];

    for (size_t i = 0; i < QUESTIONS; i++)
        measure_keep(agi_answer(CLASS_NATIONAL, &verdict, text));
}

static void row(const char *what, struct measure m)
{
    printf("%-44s%9.2f%9.2f\n", what, m.median / 1000, m.least / 1000);
}

int main(void)
{
    static struct parts parts;
    uint64_t seed = 1;

    for (size_t i = 0; i < QUESTIONS; i++)
        parts.n[i] = environment_make(parts.text[i], 10000, &seed);
    printf("\n%-44s%9s%9s\n", "Of these, without a connection", "µs", "least");
    row("the environment taken apart", measure(9, QUESTIONS, take_apart, &parts));
    row("the answer written", measure(9, QUESTIONS, write_answer, NULL));
    printf("The decision: see the benchmark \"decide\".\n");
    return 0;
}
