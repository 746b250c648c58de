/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_HTTP_HEAD_H
#define SEKISHO_SERVE_HTTP_HEAD_H

#include "serve/http_impl.h"

/*
 * Looks at a request's first line and header: Host, who asks, the target, the route, whether the caller
 * may use it, its parameters, the body's type and length; in this order, so that a stranger learns
 * nothing about what is there. Returns 0 and the request is ready for its body, or an error code with
 * `f` and api.status.
 */
int head_check(struct request *request, const char *method, struct fault *f);

/* Is `host` ("sekisho.example", "127.0.0.1:8470") one of `hosts`, or an address that is listened on? */
bool head_host_allowed(struct span host, struct span hosts, const struct address *addresses,
                       size_t n);

/* The media type of a Content-Type; false where it is none that any route takes. */
bool head_media(struct span text, enum api_media *out);

#endif
