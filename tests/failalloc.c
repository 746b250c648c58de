/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "failalloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct {
    bool armed, once, failed;
    size_t left;
} state;

void failalloc_after(size_t n)
{
    state.armed = true;
    state.once = false;
    state.failed = false;
    state.left = n;
}

void failalloc_once(size_t n)
{
    failalloc_after(n);
    state.once = true;
}

bool failalloc_off(void)
{
    state.armed = false;
    return state.failed;
}

static bool refused(void)
{
    if (!state.armed)
        return false;
    if (state.left > 0) {
        state.left--;
        return false;
    }
    if (state.once)
        state.armed = false;
    state.failed = true;
    errno = ENOMEM;
    return true;
}

/* The linker's --wrap gives every call of f in our objects to __wrap_f and f itself as __real_f. */
#define WRAP(type, name, failure, parameters, arguments)                                           \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return refused() ? (failure) : __real_##name arguments;                                    \
    }

WRAP(void *, malloc, NULL, (size_t n), (n))
WRAP(void *, calloc, NULL, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, NULL, (void *p, size_t n), (p, n))
WRAP(void *, reallocarray, NULL, (void *p, size_t n, size_t size), (p, n, size))
WRAP(void *, aligned_alloc, NULL, (size_t alignment, size_t n), (alignment, n))
WRAP(int, posix_memalign, ENOMEM, (void **out, size_t alignment, size_t n), (out, alignment, n))
WRAP(char *, strdup, NULL, (const char *text), (text))
WRAP(char *, strndup, NULL, (const char *text, size_t n), (text, n))

int __wrap_vasprintf(char **out, const char *format, va_list args);
int __wrap_asprintf(char **out, const char *format, ...);

__attribute__((format(printf, 2, 0))) int __wrap_vasprintf(char **out, const char *format,
                                                           va_list args)
{
    if (refused()) {
        *out = NULL;
        return -1;
    }
    int __real_vasprintf(char **, const char *, va_list);
    return __real_vasprintf(out, format, args);
}

__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = __wrap_vasprintf(out, format, args);
    va_end(args);
    return n;
}
