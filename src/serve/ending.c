/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/ending.h"

bool ending_is_due(struct authorizer *authorizer, int64_t switch_id, struct span account,
                   struct span dialled, struct instant now)
{
    struct snapshot_subject who;
    struct verdict verdict;
    struct number number;
    bool due;

    snapshot_read_lock();
    const struct authorize_question question = {
        .gate = snapshot_switch_by_id(authorizer_snapshot(authorizer), switch_id),
        .account = account,
        .dialled = dialled,
        .now = now,
        .dry_run = true,
        .under_way = true,
    };

    authorize(authorizer, &question, &number, &verdict, &who);
    due = question.gate && who.stopped && verdict.action == VERDICT_DENY &&
          decide_closed_when_stopped(&number);
    snapshot_read_unlock();
    return due;
}
