/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_LISTENER_H
#define SEKISHO_SERVE_LISTENER_H

#include "base/address.h"

/* Sockets that listen: non-blocking, close-on-exec. */

#define LISTENER_BACKLOG 4096 /* connections that wait to be accepted */

/* A port that is in use, or may not be taken, is ERR_IO with a sentence, which names the `key` of the
 * configuration. */
int listener_tcp(const struct address *address, const char *key, int *fd, struct fault *f);

/*
 * A Unix socket of mode 0660 at `path`. What is left of a process that has gone is replaced; ERR_CONFLICT
 * where somebody still listens there or where the name is no socket's. It takes its name only when it
 * listens and has its mode.
 */
int listener_unix(const char *path, int *fd, struct fault *f);

/* Ends listening, and removes the name unless another process listens there. Does not close `fd`. */
void listener_unlink(const char *path, int fd);

/* Who is on the other side of a Unix socket. */
int listener_peer_uid(int fd, unsigned *uid, struct fault *f);

#endif
