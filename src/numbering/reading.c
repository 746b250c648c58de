/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/reading.h"

enum number_class reading_as(struct reading *r, enum number_class class, enum number_kind kind,
                             struct span keys)
{
    reading_only(r, class);
    r->out->kind = kind;
    reading_put(r->out->dialled, 0, keys);
    reading_put(r->out->network, 0, keys);
    return class;
}
