/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <stdarg.h>
#include <unistd.h>

int cli_fail(const struct fault *f)
{
    fflush(stdout);
    fprintf(stderr, "sekisho: %s\n", f->text);
    return f->code == ERR_TIMEOUT ? EXIT_UNREACHABLE : EXIT_FAILED;
}

static void print_usage(FILE *to, const struct command *c)
{
    struct span rest = span_of(c->usage);
    const char *lead = "usage:";

    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);

        fprintf(to, "%-6s sekisho %.*s\n", lead, SPAN_FMT(line));
        lead = "";
    }
}

int cli_usage(const struct command *self, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("sekisho: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    print_usage(stderr, self);
    for (const struct command *sub = self->sub; sub && sub->name; sub++)
        fprintf(stderr, "%s  %-10s %s\n", sub == self->sub ? "\n" : "", sub->name, sub->brief);
    return EXIT_USAGE;
}

void cli_note(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("sekisho: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

bool cli_confirm(const char *question)
{
    char answer[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fflush(stdout);
    fprintf(stderr, "%s [y/N] ", question);
    if (!fgets(answer, sizeof(answer), stdin))
        return false;
    return answer[0] == 'y' || answer[0] == 'Y';
}

void command_help(const struct command *c)
{
    print_usage(stdout, c);
    if (c->brief)
        printf("\n%s.\n", c->brief);
    if (c->help)
        printf("\n%s", c->help);
    for (const struct command *sub = c->sub; sub && sub->name; sub++)
        printf("%s  %-10s %s\n", sub == c->sub ? "\n" : "", sub->name, sub->brief);
}
