/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "serve/api_routes.h"

/* Prints the route table, for the test that compares it with docs/openapi.yaml. */
int main(void)
{
    for (size_t i = 0; i < api_routes_n; i++) {
        const struct api_route *r = &api_routes[i];

        printf("%s\t%s\t%s%s%s\t%s\n", r->method, r->pattern,
               r->who & API_OPERATOR ? "operator " : "", r->who & API_TENANT ? "tenant " : "",
               r->who & API_SWITCH ? "switch " : "", r->query);
    }
    return 0;
}
