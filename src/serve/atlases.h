/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_ATLASES_H
#define SEKISHO_SERVE_ATLASES_H

#include "numbering/atlas.h"

/*
 * Atlases of the dial plans that were asked about, each made once (tens of milliseconds) and kept until
 * the number tables change. For the threads of the store: the serve thread waits for nobody. At most
 * ATLASES_MAX are kept; the one that was asked for longest ago goes first.
 */
struct atlases;
struct tables;

#define ATLASES_MAX 8

/* `tables` are borrowed until atlases_change() has returned. */
int atlases_new(struct atlases **out, const struct tables *tables, struct fault *f);
void atlases_free(struct atlases *atlases);

/* Other tables. Waits until nobody uses an atlas of the old ones. */
void atlases_change(struct atlases *atlases, const struct tables *tables);

/* The atlas of a plan ("JP"), until atlases_close(). The errors of site_new() and atlas_new(). */
int atlases_open(struct atlases *atlases, struct span plan, const struct atlas **out,
                 struct fault *f);
void atlases_close(struct atlases *atlases);

#endif
