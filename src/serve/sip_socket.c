/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pages.h"

#define DATAGRAM_MAX 65535
#define ANSWER_MAX 65507        /* what an IPv4 datagram can hold */
#define APART (65536 + 13 * 64) /* so that not all of them share the same cache lines */
#define RECEIVE_BUFFER (4 << 20)

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct sip_mail {
    struct mmsghdr in[SIP_BATCH_MAX], out[SIP_BATCH_MAX];
    struct iovec in_bytes[SIP_BATCH_MAX], out_bytes[SIP_BATCH_MAX];
    struct sockaddr_storage from[SIP_BATCH_MAX];
    union control asked[SIP_BATCH_MAX], answering[SIP_BATCH_MAX];
    struct sip_packet packets[SIP_BATCH_MAX];
    size_t used; /* of `in`, by the last call; the others are as `any` wants them */
    bool any;
    char requests[SIP_BATCH_MAX * APART], replies[SIP_BATCH_MAX * APART];
};

/* ---- sockets -------------------------------------------------------------------------------- */

static bool is_any(const struct address *address)
{
    static const uint8_t zero[sizeof(address->ip)];

    return memcmp(address->ip, zero, sizeof(zero)) == 0;
}

static void configure(int fd, const struct address *address, bool any)
{
    int one = 1, size = RECEIVE_BUFFER;

    /* As much as the machine allows: what fills it is told apart only when it is read. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (address->family == 6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (any && address->family == 6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
    else if (any)
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
}

int sip_socket_open(struct sip_socket *out, const struct address *address, bool shared,
                    struct fault *f)
{
    struct sockaddr_storage ss;
    socklen_t length = address_to(address, &ss);
    char text[ADDRESS_TEXT_MAX];
    int one = 1;
    int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return fault(f, ERR_IO, "cannot make a socket for %s (sip.listen): %m",
                     address_text(address, text));
    configure(fd, address, is_any(address));
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&ss, length) != 0) {
        int err = fault(f, ERR_IO, "cannot listen on %s over UDP (sip.listen): %m",
                        address_text(address, text));

        close(fd);
        return err;
    }
    *out = (struct sip_socket){.fd = fd, .any = is_any(address)};
    return 0;
}

void sip_socket_close(struct sip_socket *s)
{
    close(s->fd);
}

struct address sip_socket_address(const struct sip_socket *s)
{
    struct sockaddr_storage ss = {0};
    socklen_t length = sizeof(ss);

    getsockname(s->fd, (struct sockaddr *)&ss, &length);
    return address_of((struct sockaddr *)&ss);
}

/* ---- mail ----------------------------------------------------------------------------------- */

struct sip_mail *sip_mail_new(void)
{
    struct sip_mail *mail = pages_new(sizeof(*mail));

    if (mail)
        mail->used = SIP_BATCH_MAX;
    for (size_t i = 0; mail && i < SIP_BATCH_MAX; i++) {
        mail->in_bytes[i] = (struct iovec){mail->requests + i * APART, DATAGRAM_MAX};
        mail->packets[i].reply = mail->replies + i * APART;
        mail->packets[i].size = ANSWER_MAX;
        mail->in[i].msg_hdr = (struct msghdr){
            .msg_name = &mail->from[i], .msg_iov = &mail->in_bytes[i], .msg_iovlen = 1};
    }
    return mail;
}

void sip_mail_free(struct sip_mail *mail)
{
    if (mail)
        pages_free(mail, sizeof(*mail));
}

struct sip_packet *sip_mail_packets(struct sip_mail *mail)
{
    return mail->packets;
}

size_t sip_mail_take(struct sip_mail *mail, const struct sip_socket *s)
{
    /* Only what the kernel wrote to: at a quiet rate the rest is far from this processor. */
    for (size_t i = 0; i < (s->any == mail->any ? mail->used : SIP_BATCH_MAX); i++) {
        struct msghdr *m = &mail->in[i].msg_hdr;

        m->msg_namelen = sizeof(mail->from[i]);
        m->msg_control = s->any ? &mail->asked[i] : NULL;
        m->msg_controllen = s->any ? sizeof(mail->asked[i]) : 0;
    }

    int n = recvmmsg(s->fd, mail->in, SIP_BATCH_MAX, MSG_DONTWAIT, NULL);

    mail->any = s->any;
    mail->used = n > 0 ? (size_t)n : 0;
    for (int i = 0; i < n; i++) {
        mail->packets[i].bytes = (struct span){mail->in_bytes[i].iov_base, mail->in[i].msg_len};
        mail->packets[i].source = address_of((struct sockaddr *)&mail->from[i]);
    }
    return n > 0 ? (size_t)n : 0;
}

/* The address that was asked becomes the one that answers; the route chooses the interface. */
static void answer_from(struct msghdr *out, union control *room, struct msghdr *in)
{
    struct cmsghdr *asked = CMSG_FIRSTHDR(in), *answer;

    if (!asked)
        return;
    memset(room, 0, sizeof(*room));
    out->msg_control = room;
    out->msg_controllen = asked->cmsg_len <= sizeof(*room) ? CMSG_ALIGN(asked->cmsg_len) : 0;
    answer = CMSG_FIRSTHDR(out);
    if (!answer)
        return;
    memcpy(answer, asked, asked->cmsg_len);
    if (asked->cmsg_level == IPPROTO_IP && asked->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;

        memcpy(&info, CMSG_DATA(asked), sizeof(info));
        info.ipi_ifindex = 0;
        memcpy(CMSG_DATA(answer), &info, sizeof(info));
    } else if (asked->cmsg_level == IPPROTO_IPV6 && asked->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;

        memcpy(&info, CMSG_DATA(asked), sizeof(info));
        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
            info.ipi6_ifindex = 0;
        memcpy(CMSG_DATA(answer), &info, sizeof(info));
    }
}

size_t sip_mail_send(struct sip_mail *mail, const struct sip_socket *s, size_t n)
{
    size_t answers = 0, unsent = 0;

    for (size_t i = 0; i < n; i++) {
        struct mmsghdr *out = &mail->out[answers];

        if (!mail->packets[i].n)
            continue;
        mail->out_bytes[answers] = (struct iovec){mail->packets[i].reply, mail->packets[i].n};
        out->msg_hdr = (struct msghdr){.msg_name = &mail->from[i],
                                       .msg_namelen = mail->in[i].msg_hdr.msg_namelen,
                                       .msg_iov = &mail->out_bytes[answers],
                                       .msg_iovlen = 1};
        if (s->any)
            answer_from(&out->msg_hdr, &mail->answering[answers], &mail->in[i].msg_hdr);
        answers++;
    }
    for (size_t at = 0; at < answers;) {
        int sent = sendmmsg(s->fd, mail->out + at, (unsigned)(answers - at), MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR)
            continue;
        /* What cannot be sent holds nobody else up. */
        unsent += sent <= 0;
        at += sent > 0 ? (size_t)sent : 1;
    }
    return unsent;
}
