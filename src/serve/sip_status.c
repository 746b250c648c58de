/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_status.h"

static json_t *listen_json(const struct sip_udp *udp)
{
    json_t *listen = json_array();

    for (size_t i = 0; i < SIP_LISTEN_MAX; i++) {
        struct address address = sip_udp_address(udp, i);
        char text[ADDRESS_TEXT_MAX];

        if (address.family)
            json_array_append_new(listen, json_string(address_text(&address, text)));
    }
    return listen;
}

static json_int_t answered(const struct sip_figures *f)
{
    return (json_int_t)(f->n[SIP_COUNT_ALLOWED] + f->n[SIP_COUNT_DENIED] +
                        f->n[SIP_COUNT_REPEATED] + f->n[SIP_COUNT_OPTIONS] +
                        f->n[SIP_COUNT_REFUSED] + f->n[SIP_COUNT_MALFORMED]);
}

static struct sip_last last_of(const struct sip_udp *udp, const struct sip_tcp *tcp)
{
    const struct sip_last none = {0};
    struct sip_last one = sip_udp_last(udp), other = tcp ? sip_tcp_last(tcp) : none;

    return other.switch_id && other.at_ms >= one.at_ms ? other : one;
}

json_t *sip_status_json(const struct sip_udp *udp, const struct sip_tcp *tcp,
                        const struct api_switch_names *names)
{
    struct sip_figures f = {0};

    if (!udp || !sip_udp_workers(udp))
        return json_null();
    sip_udp_figures(udp, &f);
    if (tcp)
        sip_tcp_figures(tcp, &f, NULL);

    struct sip_last last = last_of(udp, tcp);

    return json_pack("{s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "listen",
                     listen_json(udp), "tcp", tcp != NULL, "workers",
                     (json_int_t)sip_udp_workers(udp), "asked", (json_int_t)f.n[SIP_COUNT_RECEIVED],
                     "answered", answered(&f), "strangers", (json_int_t)f.n[SIP_COUNT_STRANGERS],
                     "garbage", (json_int_t)f.n[SIP_COUNT_GARBAGE], "unsent",
                     (json_int_t)f.n[SIP_COUNT_UNSENT], "last_switch",
                     api_switch_or_null(names, last.switch_id), "last_asked",
                     last.switch_id ? api_time_ms(last.at_ms) : json_null());
}
