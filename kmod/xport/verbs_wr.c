// SPDX-License-Identifier: GPL-2.0
/*
 * The send queue. A message is a chain of work requests, WRITEs and one SEND, that takes one slot of a ring; completions are
 * asked for now and then and finish all slots before them. Invariant: whenever the queue is too full for a message, a completion
 * is on its way, because no more than SMCU_SIGNAL_WRS work requests follow each other without one.
 */
#include "xport/verbs.h"

static_assert(SMCU_POST_WRS + SMCU_SQ_RESERVE + SMCU_SIGNAL_WRS <= SMCU_SQ_WR,
	      "the largest message fits, also behind unsignalled ones");

/* Gather list of a run of a ring. Return: entries, 0 where it does not fit in @room. */
static u32 fill_sges(const struct smcu_xport *xp, const struct smcu_xwrite *w, struct ib_sge *sge, u32 room)
{
	const u32 seg_len = 1u << w->src->seg_shift;
	u32 off = w->off, left = w->len, n = 0;

	while (left) {
		u32 in_seg = off & (seg_len - 1);
		u32 len = min(left, seg_len - in_seg);

		if (n == room)
			return 0;
		sge[n].addr = w->src->dma[off >> w->src->seg_shift] + in_seg;
		sge[n].length = len;
		sge[n].lkey = xp->pd->local_dma_lkey;
		off += len;
		left -= len;
		n++;
	}
	return n;
}

/*
 * The WRITEs of a message in the scratch array. Return: how many work requests, or -EMSGSIZE. The caller sets cqe and next.
 */
static int fill_writes(struct smcu_xport *xp, const struct smcu_xwrite *w, int n)
{
	struct ib_sge *sge = xp->sge;
	u32 room = SMCU_POST_SGES;
	u32 n_wr = 0;
	int i;

	lockdep_assert_held(&xp->sq_lock);

	for (i = 0; i < n; i++) {
		u64 addr = w[i].addr;
		u32 n_sge;

		if (WARN_ON_ONCE(!w[i].len || w[i].off >= w[i].src->size ||
				 w[i].len > w[i].src->size - w[i].off || !w[i].src->mapped))
			return -EINVAL;
		n_sge = fill_sges(xp, &w[i], sge, room);
		if (!n_sge)
			return -EMSGSIZE;
		room -= n_sge;
		while (n_sge) {
			u32 k = min_t(u32, n_sge, xp->max_sge);
			struct ib_rdma_wr *wr = &xp->wr[n_wr];
			u32 j;

			/* One place is kept for the SEND. */
			if (n_wr == SMCU_POST_WRS - 1)
				return -EMSGSIZE;
			wr->wr.sg_list = sge;
			wr->wr.num_sge = k;
			wr->wr.opcode = IB_WR_RDMA_WRITE;
			wr->wr.send_flags = 0;
			wr->remote_addr = addr;
			wr->rkey = w[i].rkey;
			for (j = 0; j < k; j++)
				addr += sge[j].length;
			sge += k;
			n_sge -= k;
			n_wr++;
		}
	}
	return n_wr;
}

/* The message itself, behind the WRITEs; @sge must live until the post. */
static void fill_send(struct smcu_xport *xp, u32 n_wr, const u8 *msg, u32 len, struct ib_sge *sge)
{
	u32 mem = (xp->head % SMCU_SQ_WR) * SMCU_SLOT_LEN;
	struct ib_rdma_wr *wr = &xp->wr[n_wr];

	lockdep_assert_held(&xp->sq_lock);

	if (xp->inline_ok) {
		sge->addr = (uintptr_t)msg;
	} else {
		memcpy(xp->tx_mem + mem, msg, len);
		sge->addr = xp->tx_dma + mem;
	}
	sge->length = len;
	sge->lkey = xp->pd->local_dma_lkey;
	wr->wr.sg_list = sge;
	wr->wr.num_sge = 1;
	wr->wr.opcode = IB_WR_SEND;
	wr->wr.send_flags = IB_SEND_SOLICITED | (xp->inline_ok ? IB_SEND_INLINE : 0);
}

/* Take the slot at head for @n_wr work requests. Return: the slot; *@signal says whether the last of them gets a completion. */
static struct smcu_txslot *take_slot(struct smcu_xport *xp, u32 n_wr, bool *signal)
{
	struct smcu_txslot *slot = smcu_verbs_txslot(xp, xp->head);

	lockdep_assert_held(&xp->sq_lock);

	xp->head++;
	xp->sq_free -= n_wr;
	xp->unsig_msgs++;
	xp->unsig_wrs += n_wr;
	*signal |= xp->unsig_msgs >= SMCU_SIGNAL_MSGS || xp->unsig_wrs >= SMCU_SIGNAL_WRS;
	if (*signal) {
		xp->unsig_msgs = 0;
		xp->unsig_wrs = 0;
	}
	slot->owner = NULL;
	slot->n_wr = n_wr;
	return slot;
}

/* Hand the first @n_wr of the scratch array to the adapter. An error leaves the queue in an unknown state: the caller ends it. */
static int post_chain(struct smcu_xport *xp, struct smcu_txslot *slot, u32 n_wr, bool signal)
{
	u32 i;

	lockdep_assert_held(&xp->sq_lock);

	for (i = 0; i < n_wr; i++) {
		xp->wr[i].wr.wr_cqe = &slot->cqe;
		xp->wr[i].wr.next = i + 1 < n_wr ? &xp->wr[i + 1].wr : NULL;
	}
	if (signal)
		xp->wr[n_wr - 1].wr.send_flags |= IB_SEND_SIGNALED;
	return ib_post_send(xp->qp, &xp->wr[0].wr, NULL);
}

static bool can_post(const struct smcu_xport *xp)
{
	lockdep_assert_held(&xp->sq_lock);

	return test_bit(SMCU_XP_STARTED, &xp->flags) && !smcu_verbs_is_dead(xp);
}

/*
 * Room for @n_wr? Where not, room will be called. Not even an empty queue may be too small (static_assert above), so where it
 * isn't there, something is in flight, and some of it has a completion.
 */
static bool has_room(struct smcu_xport *xp, u32 n_wr, const void *owner)
{
	lockdep_assert_held(&xp->sq_lock);

	if (xp->sq_free >= n_wr + (owner ? SMCU_SQ_RESERVE : 0))
		return true;
	WRITE_ONCE(xp->starved, true);
	return false;
}

int smcu_xport_post(struct smcu_xport *xp, const struct smcu_xwrite *w, int n, const u8 *msg, u32 msg_len,
		    void *owner, u64 cookie, bool signal)
{
	struct smcu_txslot *slot;
	struct ib_sge send_sge;
	int n_wr, err;

	if (WARN_ON_ONCE(msg_len > SMCU_SLOT_LEN || n > 3 || (!msg && !n)))
		return -EINVAL;

	spin_lock_bh(&xp->sq_lock);
	err = -ENOTCONN;
	if (!can_post(xp))
		goto out;
	n_wr = fill_writes(xp, w, w ? n : 0);
	err = n_wr;
	if (n_wr < 0)
		goto out;
	err = -EAGAIN;
	/* Before the slot's memory is touched: with a full ring it is that of the oldest message in flight. */
	if (!has_room(xp, n_wr + !!msg, owner))
		goto out;
	if (msg)
		fill_send(xp, n_wr++, msg, msg_len, &send_sge);

	slot = take_slot(xp, n_wr, &signal);
	slot->owner = owner;
	slot->cookie = cookie;
	err = post_chain(xp, slot, n_wr, signal);
	if (err)
		slot->owner = NULL;
	spin_unlock_bh(&xp->sq_lock);
	if (!err)
		return 0;
	smcu_verbs_fail(xp, err);
	return -ENOTCONN;
out:
	spin_unlock_bh(&xp->sq_lock);
	return err;
}

void smcu_xport_disown(struct smcu_xport *xp, void *owner)
{
	u32 i;

	spin_lock_bh(&xp->sq_lock);
	for (i = xp->tail; i != xp->head; i++) {
		struct smcu_txslot *slot = smcu_verbs_txslot(xp, i);

		if (slot->owner == owner)
			slot->owner = NULL;
	}
	spin_unlock_bh(&xp->sq_lock);
}

int smcu_verbs_post_reg(struct smcu_xport *xp, struct ib_mr *mr)
{
	/*
	 * soft-RoCE goes through its queue again when an acknowledgment is late, and a registration that was done fails the second time,
	 * and with it the link. It holds an invalidation back until all before it is acknowledged, and repeats it too: so both together can
	 * be done any number of times. Adapters repeat packets, not work, and may object to the invalidation of what is not valid.
	 */
	bool repeats = xp->path.ibdev->ops.driver_id == RDMA_DRIVER_RXE;
	struct ib_reg_wr wr = {
		.wr = { .opcode = IB_WR_REG_MR },
		.mr = mr,
		.key = mr->rkey,
		.access = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE,
	};
	struct ib_send_wr inv = {
		.next = &wr.wr,
		.opcode = IB_WR_LOCAL_INV,
		.ex.invalidate_rkey = mr->rkey,
	};
	u32 n_wr = repeats ? 2 : 1;
	struct smcu_txslot *slot;
	bool signal = false;
	int err;

	spin_lock_bh(&xp->sq_lock);
	err = -ENOTCONN;
	if (!can_post(xp))
		goto out;
	err = -EAGAIN;
	if (xp->sq_free < n_wr)
		goto out;
	slot = take_slot(xp, n_wr, &signal);
	inv.wr_cqe = &slot->cqe;
	wr.wr.wr_cqe = &slot->cqe;
	wr.wr.send_flags = signal ? IB_SEND_SIGNALED : 0;
	err = ib_post_send(xp->qp, repeats ? &inv : &wr.wr, NULL);
	spin_unlock_bh(&xp->sq_lock);
	if (!err)
		return 0;
	smcu_verbs_fail(xp, err);
	return -ENOTCONN;
out:
	spin_unlock_bh(&xp->sq_lock);
	return err;
}

/* A WRITE of nothing, whose completion comes after everything before it. Return: true if there was no need or no room. */
static bool mark_end(struct smcu_xport *xp)
{
	struct smcu_txslot *slot;
	bool signal = true;
	int err = 0;
	bool fine;

	spin_lock_bh(&xp->sq_lock);
	fine = xp->head == xp->tail || !xp->unsig_msgs || !can_post(xp) || xp->sq_free < 1;
	if (!fine) {
		memset(&xp->wr[0], 0, sizeof(xp->wr[0]));
		xp->wr[0].wr.opcode = IB_WR_RDMA_WRITE;
		slot = take_slot(xp, 1, &signal);
		err = post_chain(xp, slot, 1, signal);
	}
	spin_unlock_bh(&xp->sq_lock);
	if (err)
		smcu_verbs_fail(xp, err);
	return !err;
}

static bool is_flushed(struct smcu_xport *xp)
{
	bool yes;

	spin_lock_bh(&xp->sq_lock);
	yes = xp->head == xp->tail || smcu_verbs_is_dead(xp);
	spin_unlock_bh(&xp->sq_lock);
	return yes;
}

bool smcu_xport_flushed(struct smcu_xport *xp, unsigned int ms)
{
	might_sleep();

	if (is_flushed(xp))
		return true;
	if (!mark_end(xp))
		return true;
	return wait_event_timeout(xp->wq, is_flushed(xp), msecs_to_jiffies(ms)) > 0;
}
