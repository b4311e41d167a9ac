// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes that wait. One leaf lock covers all lists, and is held while a waiter is woken: so cancel returns only when a wake
 * that runs is over, in any context, and what a waiter points to is not touched after it was cancelled.
 */
#include "link/internal.h"

static DEFINE_SPINLOCK(waiter_lock);

void smcu_waiter_init(struct smcu_waiter *w, void (*wake)(struct smcu_waiter *w))
{
	INIT_LIST_HEAD(&w->node);
	w->wake = wake;
}

void smcu_waiter_add(struct list_head *list, struct smcu_waiter *w)
{
	spin_lock_bh(&waiter_lock);
	if (!WARN_ON_ONCE(!list_empty(&w->node)))
		list_add_tail(&w->node, list);
	spin_unlock_bh(&waiter_lock);
}

void smcu_waiter_cancel(struct smcu_waiter *w)
{
	spin_lock_bh(&waiter_lock);
	list_del_init(&w->node);
	spin_unlock_bh(&waiter_lock);
}

void smcu_waiter_wake_with(struct list_head *list, int *outcome, int value)
{
	struct smcu_waiter *w;

	spin_lock_bh(&waiter_lock);
	if (outcome && !list_empty(list))
		WRITE_ONCE(*outcome, value);
	while ((w = list_first_entry_or_null(list, struct smcu_waiter, node))) {
		list_del_init(&w->node);
		w->wake(w);
	}
	spin_unlock_bh(&waiter_lock);
}

void smcu_waiter_wake_all(struct list_head *list)
{
	smcu_waiter_wake_with(list, NULL, 0);
}
