// SPDX-License-Identifier: GPL-2.0
/*
 * The rings of a group: given to connections, taken back, kept for the next. Process context. All lists are under ring_lock,
 * which is held while the adapter is told of a ring; so when the group is dismantled every ring it knows of is on a list.
 *
 * Rings are not cleared between connections: what is in a receive ring was written by the peer of this group, which can't read
 * it, and programs get no byte that was not announced for their own connection.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include "link/internal.h"

enum { ADOPT_TRIES = 20 };

static void init_rings(struct smcu_rings *r)
{
	INIT_LIST_HEAD(&r->used);
	INIT_LIST_HEAD(&r->idle);
	INIT_LIST_HEAD(&r->resting);
}

void smcu_pool_init(struct smcu_lgr *lgr)
{
	init_rings(&lgr->rmbs);
	init_rings(&lgr->sndbufs);
	INIT_LIST_HEAD(&lgr->orphans);
}

/* Return: the endpoint of a group that lives, or NULL. */
static struct smcu_xport *live_xport(struct smcu_lgr *lgr)
{
	if (smcu_lgr_state(lgr) == SMCU_LGR_DEAD)
		return NULL;
	return rcu_dereference_protected(lgr->xp, lockdep_is_held(&lgr->ring_lock));
}

/*
 * A ring whose peer did not say its last word: what the peer had posted before it was told of the end has arrived after a while.
 * Unregistering it instead would make such a write an error that takes the link down, with all its connections. A peer that
 * writes later than that can only spoil what is its own.
 */
static struct smcu_buf *take_rested(struct smcu_rings *r, u32 size)
{
	struct smcu_buf *buf;

	list_for_each_entry(buf, &r->resting, node) {
		if (buf->size != size)
			continue;
		if (r->n_resting <= SMCU_POOL_RESTING && time_before(jiffies, buf->since + SMCU_POOL_REST))
			break;
		list_move(&buf->node, &r->used);
		r->n_resting--;
		return buf;
	}
	return NULL;
}

static struct smcu_buf *take_idle(struct smcu_lgr *lgr, struct smcu_rings *r, u32 size)
{
	struct smcu_buf *buf;

	mutex_lock(&lgr->ring_lock);
	if (live_xport(lgr)) {
		list_for_each_entry(buf, &r->idle, node) {
			if (buf->size == size) {
				list_move(&buf->node, &r->used);
				r->n_idle--;
				goto out;
			}
		}
		buf = take_rested(r, size);
		goto out;
	}
	buf = NULL;
out:
	mutex_unlock(&lgr->ring_lock);
	return buf;
}

/* Make the adapter know a new ring. On failure it is the caller's, unknown to the adapter. */
static int try_adopt(struct smcu_lgr *lgr, struct smcu_rings *r, struct smcu_buf *buf)
{
	bool receive = r == &lgr->rmbs;
	struct smcu_xport *xp;
	int err = -ENOTCONN;

	mutex_lock(&lgr->ring_lock);
	xp = live_xport(lgr);
	if (!xp)
		goto out;
	err = receive ? smcu_xport_register(xp, buf) : smcu_xport_map(xp, buf);
	if (err) {
		/* Mapped, perhaps, but nothing of it was posted. */
		smcu_xport_unmap(xp, buf);
		goto out;
	}
	/* While the link is being made its rings are announced by CLC. */
	buf->known = receive && smcu_lgr_state(lgr) == SMCU_LGR_MAKING;
	list_add(&buf->node, &r->used);
out:
	mutex_unlock(&lgr->ring_lock);
	return err;
}

/*
 * A queue that is full has room again in a moment, unless the peer acknowledges nothing: not to be waited for, and least of all
 * with the lock.
 */
static int adopt(struct smcu_lgr *lgr, struct smcu_rings *r, struct smcu_buf *buf)
{
	int tries = ADOPT_TRIES, err;

	while ((err = try_adopt(lgr, r, buf)) == -EAGAIN && --tries)
		usleep_range(500, 2000);
	return err == -EAGAIN ? -ENOBUFS : err;
}

static struct smcu_buf *get_ring(struct smcu_lgr *lgr, struct smcu_rings *r, u32 size)
{
	struct smcu_buf *buf;
	int err;

	might_sleep();

	for (;; size >>= 1) {
		buf = take_idle(lgr, r, size);
		if (buf)
			return buf;
		buf = smcu_buf_alloc(size, GFP_KERNEL);
		err = PTR_ERR_OR_ZERO(buf);
		if (!err) {
			err = adopt(lgr, r, buf);
			if (!err)
				return buf;
			smcu_buf_free(buf);
		}
		if (size <= SMCU_RMBE_MIN || (err != -ENOMEM && err != -EMSGSIZE))
			return ERR_PTR(err);
	}
}

struct smcu_buf *smcu_lgr_rmb_get(struct smcu_lgr *lgr, u32 size)
{
	return get_ring(lgr, &lgr->rmbs, size);
}

struct smcu_buf *smcu_lgr_sndbuf_get(struct smcu_lgr *lgr, u32 size)
{
	return get_ring(lgr, &lgr->sndbufs, size);
}

int smcu_lgr_sndbuf_adopt(struct smcu_lgr *lgr, struct smcu_buf *buf)
{
	might_sleep();

	return adopt(lgr, &lgr->sndbufs, buf);
}

void smcu_lgr_sndbuf_abandon(struct smcu_lgr *lgr, struct smcu_buf *buf)
{
	might_sleep();

	mutex_lock(&lgr->ring_lock);
	if (rcu_dereference_protected(lgr->xp, lockdep_is_held(&lgr->ring_lock))) {
		list_move(&buf->node, &lgr->orphans);
		buf = NULL;
	}
	mutex_unlock(&lgr->ring_lock);
	smcu_buf_free(buf);
}

void smcu_lgr_sndbuf_disown(struct smcu_lgr *lgr, struct smcu_buf *buf)
{
	struct smcu_xport *xp;

	might_sleep();

	mutex_lock(&lgr->ring_lock);
	xp = rcu_dereference_protected(lgr->xp, lockdep_is_held(&lgr->ring_lock));
	/* Where there is no endpoint any more the ring was taken off the list and unmapped with it. */
	if (xp) {
		list_del_init(&buf->node);
		smcu_xport_unmap(xp, buf);
	}
	mutex_unlock(&lgr->ring_lock);
}

/* Return: true where the ring has left the adapter and the caller frees it. */
static bool put_ring(struct smcu_lgr *lgr, struct smcu_rings *r, struct smcu_buf *buf, bool keep)
{
	bool receive = r == &lgr->rmbs;
	struct smcu_xport *xp;
	bool free = false;

	mutex_lock(&lgr->ring_lock);
	xp = rcu_dereference_protected(lgr->xp, lockdep_is_held(&lgr->ring_lock));
	if (!xp) {
		/* Dismantled: taken off the list and unmapped. */
		free = true;
	} else if (smcu_lgr_state(lgr) == SMCU_LGR_DEAD || smcu_xport_is_down(xp)) {
		/* The adapter may still be at it. */
		list_move(&buf->node, &lgr->orphans);
	} else if (!keep || (receive && !buf->known && r->n_idle >= SMCU_POOL_IDLE)) {
		/* Not unregistered either where the registration itself may still be on its way: only an answer is a proof. */
		list_move_tail(&buf->node, &r->resting);
		buf->since = jiffies;
		r->n_resting++;
	} else if (r->n_idle < SMCU_POOL_IDLE) {
		list_move(&buf->node, &r->idle);
		r->n_idle++;
	} else {
		list_del_init(&buf->node);
		smcu_xport_unmap(xp, buf);
		free = true;
	}
	mutex_unlock(&lgr->ring_lock);
	return free;
}

void smcu_lgr_rmb_put(struct smcu_lgr *lgr, struct smcu_buf *buf, bool reuse)
{
	bool known;
	u32 rkey = buf->rkey;

	might_sleep();

	smcu_llc_rkey_forget(lgr, buf);
	known = buf->known;
	if (!put_ring(lgr, &lgr->rmbs, buf, reuse))
		return;
	smcu_buf_free(buf);
	if (known && smcu_lgr_state(lgr) == SMCU_LGR_ACTIVE)
		smcu_llc_rkey_delete(lgr, rkey);
}

void smcu_lgr_sndbuf_put(struct smcu_lgr *lgr, struct smcu_buf *buf)
{
	might_sleep();

	if (put_ring(lgr, &lgr->sndbufs, buf, true))
		smcu_buf_free(buf);
}

int smcu_pool_register_all(struct smcu_lgr *lgr, struct smcu_xport *xp)
{
	struct smcu_buf *buf;
	int err;

	lockdep_assert_held(&lgr->ring_lock);

	list_for_each_entry(buf, &lgr->rmbs.used, node) {
		err = smcu_xport_register(xp, buf);
		if (err)
			return err;
	}
	list_for_each_entry(buf, &lgr->rmbs.idle, node) {
		err = smcu_xport_register(xp, buf);
		if (err)
			return err;
	}
	return 0;
}

static void unmap_list(struct smcu_xport *xp, struct list_head *list, bool free)
{
	struct smcu_buf *buf, *tmp;

	list_for_each_entry_safe(buf, tmp, list, node) {
		list_del_init(&buf->node);
		smcu_xport_unmap(xp, buf);
		if (free)
			smcu_buf_free(buf);
	}
}

void smcu_pool_dismantle(struct smcu_lgr *lgr, struct smcu_xport *xp)
{
	lockdep_assert_held(&lgr->ring_lock);

	unmap_list(xp, &lgr->rmbs.used, false);
	unmap_list(xp, &lgr->rmbs.idle, true);
	unmap_list(xp, &lgr->rmbs.resting, true);
	unmap_list(xp, &lgr->sndbufs.used, false);
	unmap_list(xp, &lgr->sndbufs.idle, true);
	unmap_list(xp, &lgr->orphans, true);
}
