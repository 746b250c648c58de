/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_BELOW_H
#define SEKISHO_STORE_BELOW_H

/* SQL: the ids of a tenant (the parameter, "?3") and of all below it. */
#define TENANTS_BELOW(parameter)                                                                   \
    "(WITH RECURSIVE below (id) AS (SELECT " parameter                                             \
    " UNION SELECT tenants.id FROM tenants JOIN below ON tenants.parent = below.id)"               \
    " SELECT id FROM below)"

#endif
