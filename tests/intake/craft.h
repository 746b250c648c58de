/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_INTAKE_CRAFT_H
#define SEKISHO_TESTS_INTAKE_CRAFT_H

#include "base/buf.h"
#include "intake/packet.h"

/* Packets made by hand, and read from capture files. */

/* "192.0.2.1:5060"; ends the program where it is none. */
struct address craft_address(const char *text);

/* Whole IP packets with their checksums, appended to an empty `out`. */
void craft_udp(struct buf *out, const char *from, const char *to, struct span bytes);
void craft_tcp(struct buf *out, const char *from, const char *to, uint32_t sequence,
               uint32_t acknowledged, uint8_t flags, struct span bytes);
/* An IP packet with that payload, which may begin with extension headers. */
void craft_ip(struct buf *out, const char *from, const char *to, uint8_t protocol,
              struct span payload);
/* Part [from, to) of the payload of a whole IP packet, as a fragment. */
void craft_fragment(struct buf *out, struct span whole, size_t from, size_t to, uint32_t id);

/* A capture file of the LINUX_SLL2 type in the order of bytes of this machine. */
struct capture {
    struct buf file;
    size_t at;
};
void capture_open(struct capture *capture, const char *path);
/* The next packet with its header, and its time; false at the end. */
bool capture_next(struct capture *capture, struct span *packet, int64_t *ns);

/* The whole file; ends the program where there is none. */
void craft_file(struct buf *out, const char *path);

#endif
