// SPDX-License-Identifier: GPL-2.0
/*
 * Completions. The RDMA core polls each completion queue in softirq, one processor at a time, so the calls of one queue never
 * overlap. Upcalls are made without sq_lock, under RCU: whoever disowns his messages waits a grace period before he frees.
 */
#include "xport/verbs.h"

/* Completed slots are taken from the ring in batches of this size. */
enum { BATCH = 16 };

struct done_msg {
	void *owner;
	u64 cookie;
};

/* Take completed slots up to and including the one at @end - 1. Return: how many of them had an owner. */
static int take_done(struct smcu_xport *xp, u32 end, struct done_msg *msg)
{
	bool wake;
	int n = 0;

	spin_lock_bh(&xp->sq_lock);
	while (n < BATCH && (s32)(end - xp->tail) > 0) {
		struct smcu_txslot *slot = smcu_verbs_txslot(xp, xp->tail++);

		xp->sq_free += slot->n_wr;
		if (slot->owner) {
			/* Cookies of one owner only grow: of a run the last says it all. */
			if (!n || msg[n - 1].owner != slot->owner)
				msg[n++].owner = slot->owner;
			msg[n - 1].cookie = slot->cookie;
			slot->owner = NULL;
		}
	}
	wake = xp->head == xp->tail;
	spin_unlock_bh(&xp->sq_lock);

	/* Pairs with the barrier in prepare_to_wait of those who wait. */
	if (wake && wq_has_sleeper(&xp->wq))
		wake_up_all(&xp->wq);
	return n;
}

/* Room has come: has somebody asked for it? */
static bool take_starved(struct smcu_xport *xp)
{
	bool room = false;

	/* Set under the lock before -EAGAIN is returned; a completion that comes later sees it. */
	if (!READ_ONCE(xp->starved))
		return false;
	spin_lock_bh(&xp->sq_lock);
	if (xp->starved && xp->sq_free >= SMCU_SQ_WR / 2) {
		xp->starved = false;
		room = true;
	}
	spin_unlock_bh(&xp->sq_lock);
	return room;
}

void smcu_verbs_send_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct smcu_txslot *slot = container_of(wc->wr_cqe, struct smcu_txslot, cqe);
	struct smcu_xport *xp = cq->cq_context;
	struct done_msg msg[BATCH];
	u32 end;
	int i, n;

	if (wc->status != IB_WC_SUCCESS) {
		smcu_verbs_fail(xp, wc->status == IB_WC_WR_FLUSH_ERR ? -ECONNABORTED : -EHOSTUNREACH);
		return;
	}

	rcu_read_lock();
	/* The queue is in order, so the slot is the first of its index that is not yet completed. Only we write tail. */
	end = xp->tail + (((u32)(slot - xp->tx) - xp->tail) % SMCU_SQ_WR) + 1;
	do {
		n = take_done(xp, end, msg);
		for (i = 0; i < n; i++)
			xp->user->sent(xp->priv, msg[i].owner, msg[i].cookie);
	} while (n == BATCH);
	if (take_starved(xp))
		xp->user->room(xp->priv);
	rcu_read_unlock();
}

void smcu_verbs_recv_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct smcu_rxslot *slot = container_of(wc->wr_cqe, struct smcu_rxslot, cqe);
	struct smcu_xport *xp = cq->cq_context;

	/* A WRITE with immediate data uses up a receive too, and leaves in its memory whatever was there before. */
	if (wc->status != IB_WC_SUCCESS || wc->opcode != IB_WC_RECV) {
		smcu_verbs_fail(xp, -ECONNABORTED);
		return;
	}

	rcu_read_lock();
	xp->user->recv(xp->priv, xp->rx_mem + (slot - xp->rx) * SMCU_SLOT_LEN, wc->byte_len);
	rcu_read_unlock();

	/* Behind a dead endpoint's drain nothing should be posted; if it happens, the memory outlives the queue. */
	if (!smcu_verbs_is_dead(xp) && ib_post_recv(xp->qp, &slot->wr, NULL))
		smcu_verbs_fail(xp, -ECONNABORTED);
}

int smcu_verbs_post_recvs(struct smcu_xport *xp)
{
	struct ib_sge spill = {
		.addr = xp->spill_dma,
		.length = SMCU_SPILL_LEN,
		.lkey = xp->pd->local_dma_lkey,
	};
	int i, err;

	for (i = 0; i < SMCU_RQ_WR; i++) {
		struct smcu_rxslot *slot = &xp->rx[i];

		slot->cqe.done = smcu_verbs_recv_done;
		slot->sge[0].addr = xp->rx_dma + i * SMCU_SLOT_LEN;
		slot->sge[0].length = SMCU_SLOT_LEN;
		slot->sge[0].lkey = xp->pd->local_dma_lkey;
		slot->sge[1] = spill;
		slot->wr.wr_cqe = &slot->cqe;
		slot->wr.sg_list = slot->sge;
		slot->wr.num_sge = 2;
		slot->wr.next = NULL;
		err = ib_post_recv(xp->qp, &slot->wr, NULL);
		if (err)
			return err;
	}
	return 0;
}
