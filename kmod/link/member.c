// SPDX-License-Identifier: GPL-2.0
/*
 * Connections as members of a group: tokens, posting, room, loss. Called by conn/. Members are found by token under RCU; the
 * lists are under lgr->lock. No upcall is made with a lock held.
 */
#include <linux/xarray.h>
#include "link/internal.h"

/* Token -> member. Global, so a token names one connection of this host; the member's group must be the one it came from. */
static DEFINE_XARRAY_FLAGS(tokens, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);
static u32 next_token;

struct smcu_member *smcu_member_lookup(struct smcu_lgr *lgr, u32 token)
{
	struct smcu_member *m = xa_load(&tokens, token);

	/* Set before the token was published, and never changed. */
	return m && m->lgr == lgr ? m : NULL;
}

int smcu_lgr_join(struct smcu_lgr *lgr, struct smcu_member *m)
{
	int err;

	might_sleep();

	/* Reserved now, visible when all is ready. */
	err = xa_alloc_cyclic_bh(&tokens, &m->token, NULL, XA_LIMIT(1, U32_MAX), &next_token, GFP_KERNEL);
	if (err < 0)
		return err;
	m->lgr = lgr;
	INIT_LIST_HEAD(&m->node);
	INIT_LIST_HEAD(&m->room_node);

	spin_lock_bh(&lgr->lock);
	err = 0;
	if (lgr->state == SMCU_LGR_DEAD)
		err = -ENOTCONN;
	else if (lgr->role == SMCU_SERVER && lgr->n_members >= lgr->terms.max_conns)
		/* The server has the choice; those it has left and we have not are no reason to refuse it. */
		err = -ENOSPC;
	if (!err) {
		list_add_tail(&m->node, &lgr->members);
		WRITE_ONCE(lgr->n_members, lgr->n_members + 1);
		lgr->users++;
		refcount_inc(&lgr->refs);
	}
	spin_unlock_bh(&lgr->lock);
	if (err) {
		xa_erase_bh(&tokens, m->token);
		return err;
	}
	/* The place is there, so it can't fail. */
	xa_store_bh(&tokens, m->token, m, GFP_KERNEL);
	return 0;
}

void smcu_lgr_leave(struct smcu_member *m)
{
	struct smcu_lgr *lgr = m->lgr;
	struct smcu_xport *xp;

	might_sleep();

	xa_erase_bh(&tokens, m->token);

	spin_lock_bh(&lgr->lock);
	while (lgr->losing == m) {
		spin_unlock_bh(&lgr->lock);
		wait_event(lgr->lost_wq, READ_ONCE(lgr->losing) != m);
		spin_lock_bh(&lgr->lock);
	}
	list_del_init(&m->node);
	list_del_init(&m->room_node);
	WRITE_ONCE(lgr->n_members, lgr->n_members - 1);
	spin_unlock_bh(&lgr->lock);

	rcu_read_lock();
	xp = rcu_dereference(lgr->xp);
	if (xp)
		smcu_xport_disown(xp, m);
	rcu_read_unlock();
	smcu_lgr_put(lgr);
}

void smcu_member_lose_all(struct smcu_lgr *lgr)
{
	struct smcu_member *m;

	might_sleep();

	spin_lock_bh(&lgr->lock);
	while ((m = list_first_entry_or_null(&lgr->members, struct smcu_member, node))) {
		list_move_tail(&m->node, &lgr->lost_members);
		WRITE_ONCE(lgr->losing, m);
		spin_unlock_bh(&lgr->lock);

		/* It can't go: leave waits for us. */
		m->ops->lost(m);

		spin_lock_bh(&lgr->lock);
		WRITE_ONCE(lgr->losing, NULL);
		/* Under the lock: who leaves and sees NULL there may drop the last user, but the list's reference is ours. */
		wake_up_all(&lgr->lost_wq);
	}
	spin_unlock_bh(&lgr->lock);
}

static int post(struct smcu_member *m, const struct smcu_xwrite *w, int n, const u8 *msg, u64 cookie, bool signal)
{
	struct smcu_xport *xp;
	int err = -ENOTCONN;

	/* Our last word may be out, and the peer reads no further. */
	if (smcu_lgr_state(m->lgr) == SMCU_LGR_DEAD)
		return err;
	rcu_read_lock();
	xp = rcu_dereference(m->lgr->xp);
	if (xp)
		err = smcu_xport_post(xp, w, n, msg, msg ? SMCU_CDC_LEN : 0, m, cookie, signal);
	rcu_read_unlock();
	return err;
}

int smcu_lgr_post(struct smcu_member *m, const struct smcu_xwrite *w, int n, const u8 *msg, u64 cookie, bool signal)
{
	struct smcu_lgr *lgr = m->lgr;
	int err;

	err = post(m, w, n, msg, cookie, signal);
	if (likely(err != -EAGAIN))
		return err;

	/* On the list first, then try again: room that comes after the second refusal finds us there. */
	spin_lock_bh(&lgr->lock);
	if (list_empty(&m->room_node))
		list_add_tail(&m->room_node, &lgr->rooms);
	spin_unlock_bh(&lgr->lock);
	return post(m, w, n, msg, cookie, signal);
}

void smcu_member_room(struct smcu_lgr *lgr)
{
	struct smcu_member *m;
	LIST_HEAD(list);

	spin_lock_bh(&lgr->lock);
	list_splice_init(&lgr->rooms, &list);
	while ((m = list_first_entry_or_null(&list, struct smcu_member, room_node))) {
		list_del_init(&m->room_node);
		spin_unlock_bh(&lgr->lock);
		m->ops->room(m);
		spin_lock_bh(&lgr->lock);
	}
	spin_unlock_bh(&lgr->lock);
}

void smcu_member_exit(void)
{
	WARN_ON(!xa_empty(&tokens));
	xa_destroy(&tokens);
}
