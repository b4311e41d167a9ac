// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints: making and ending them. Called by link/ in process context; qp_lock is around changes of a queue pair's state.
 */
#include <linux/dma-mapping.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "xport/verbs.h"

/* Stop posting. Return: true for the first caller. Any context but hard interrupts where @xp->sq_lock is free. */
static bool mark_dead(struct smcu_xport *xp)
{
	bool first;

	spin_lock_bh(&xp->sq_lock);
	first = !test_and_set_bit(SMCU_XP_DEAD, &xp->flags);
	spin_unlock_bh(&xp->sq_lock);
	return first;
}

void smcu_verbs_fail(struct smcu_xport *xp, int err)
{
	if (test_and_set_bit(SMCU_XP_DEAD, &xp->flags))
		return;
	wake_up_all(&xp->wq);
	rcu_read_lock();
	xp->user->down(xp->priv, err);
	rcu_read_unlock();
}

static int map_one(struct ib_device *ibdev, void *mem, size_t len, enum dma_data_direction dir, u64 *dma)
{
	*dma = ib_dma_map_single(ibdev, mem, len, dir);
	if (ib_dma_mapping_error(ibdev, *dma))
		return -ENOMEM;
	if (!ib_uses_virt_dma(ibdev) && dma_need_sync(ibdev->dma_device, *dma)) {
		ib_dma_unmap_single(ibdev, *dma, len, dir);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int map_mem(struct smcu_xport *xp)
{
	struct ib_device *ibdev = xp->path.ibdev;
	int err;

	err = map_one(ibdev, xp->tx_mem, SMCU_SQ_WR * SMCU_SLOT_LEN, DMA_TO_DEVICE, &xp->tx_dma);
	if (err)
		return err;
	err = map_one(ibdev, xp->rx_mem, SMCU_RQ_WR * SMCU_SLOT_LEN, DMA_FROM_DEVICE, &xp->rx_dma);
	if (err)
		goto err_tx;
	err = map_one(ibdev, xp->spill, SMCU_SPILL_LEN, DMA_FROM_DEVICE, &xp->spill_dma);
	if (err)
		goto err_rx;
	return 0;

err_rx:
	ib_dma_unmap_single(ibdev, xp->rx_dma, SMCU_RQ_WR * SMCU_SLOT_LEN, DMA_FROM_DEVICE);
err_tx:
	ib_dma_unmap_single(ibdev, xp->tx_dma, SMCU_SQ_WR * SMCU_SLOT_LEN, DMA_TO_DEVICE);
	return err;
}

static void unmap_mem(struct smcu_xport *xp)
{
	struct ib_device *ibdev = xp->path.ibdev;

	ib_dma_unmap_single(ibdev, xp->spill_dma, SMCU_SPILL_LEN, DMA_FROM_DEVICE);
	ib_dma_unmap_single(ibdev, xp->rx_dma, SMCU_RQ_WR * SMCU_SLOT_LEN, DMA_FROM_DEVICE);
	ib_dma_unmap_single(ibdev, xp->tx_dma, SMCU_SQ_WR * SMCU_SLOT_LEN, DMA_TO_DEVICE);
}

static void free_mem(struct smcu_xport *xp)
{
	kfree(xp->spill);
	kfree(xp->rx_mem);
	kfree(xp->tx_mem);
	kvfree(xp->rx);
	kvfree(xp->tx);
	kvfree(xp->sge);
	kvfree(xp->wr);
	kfree(xp);
}

static struct smcu_xport *alloc_mem(void)
{
	struct smcu_xport *xp;
	u32 i;

	xp = kzalloc(sizeof(*xp), GFP_KERNEL);
	if (!xp)
		return NULL;
	xp->wr = kvcalloc(SMCU_POST_WRS, sizeof(*xp->wr), GFP_KERNEL);
	xp->sge = kvcalloc(SMCU_POST_SGES, sizeof(*xp->sge), GFP_KERNEL);
	xp->tx = kvcalloc(SMCU_SQ_WR, sizeof(*xp->tx), GFP_KERNEL);
	xp->rx = kvcalloc(SMCU_RQ_WR, sizeof(*xp->rx), GFP_KERNEL);
	xp->tx_mem = kzalloc(SMCU_SQ_WR * SMCU_SLOT_LEN, GFP_KERNEL);
	xp->rx_mem = kzalloc(SMCU_RQ_WR * SMCU_SLOT_LEN, GFP_KERNEL);
	xp->spill = kzalloc(SMCU_SPILL_LEN, GFP_KERNEL);
	if (!xp->wr || !xp->sge || !xp->tx || !xp->rx || !xp->tx_mem || !xp->rx_mem || !xp->spill) {
		free_mem(xp);
		return NULL;
	}
	for (i = 0; i < SMCU_SQ_WR; i++)
		xp->tx[i].cqe.done = smcu_verbs_send_done;
	return xp;
}

static int make_cqs(struct smcu_xport *xp)
{
	struct ib_device *ibdev = xp->path.ibdev;

	/* After an error each work request may have a completion of its own. */
	xp->scq = ib_alloc_cq_any(ibdev, xp, SMCU_SQ_WR + SMCU_SQ_DRAIN + 4, IB_POLL_SOFTIRQ);
	if (IS_ERR(xp->scq))
		return PTR_ERR(xp->scq);
	xp->rcq = ib_alloc_cq_any(ibdev, xp, SMCU_RQ_WR + SMCU_RQ_DRAIN + 4, IB_POLL_SOFTIRQ);
	if (IS_ERR(xp->rcq)) {
		ib_free_cq(xp->scq);
		return PTR_ERR(xp->rcq);
	}
	return 0;
}

struct smcu_xport *smcu_xport_open(const struct smcu_path *path, const struct smcu_xport_user *user, void *priv)
{
	struct smcu_xport *xp;
	int err;

	might_sleep();

	xp = alloc_mem();
	if (!xp)
		return ERR_PTR(-ENOMEM);
	xp->path = *path;
	xp->user = user;
	xp->priv = priv;
	xp->mtu = path->mtu;
	xp->max_sge = min_t(u32, path->ibdev->attrs.max_send_sge, SMCU_SGE_MAX);
	xp->psn = get_random_u32() & 0xffffff;
	xp->sq_free = SMCU_SQ_WR;
	mutex_init(&xp->qp_lock);
	spin_lock_init(&xp->sq_lock);
	init_waitqueue_head(&xp->wq);
	smcu_path_get(&xp->path);

	/* One for each endpoint: a key is good for every queue pair of its domain, and another peer must have no use for it. */
	xp->pd = ib_alloc_pd(path->ibdev, 0);
	if (IS_ERR(xp->pd)) {
		err = PTR_ERR(xp->pd);
		goto err_path;
	}
	err = map_mem(xp);
	if (err)
		goto err_pd;
	err = make_cqs(xp);
	if (err)
		goto err_mem;
	err = smcu_roce_create(xp);
	if (err)
		goto err_cq;
	return xp;

err_cq:
	ib_free_cq(xp->rcq);
	ib_free_cq(xp->scq);
err_mem:
	unmap_mem(xp);
err_pd:
	ib_dealloc_pd(xp->pd);
err_path:
	smcu_path_put(&xp->path);
	free_mem(xp);
	return ERR_PTR(err);
}

void smcu_xport_local(const struct smcu_xport *xp, struct smcu_xaddr *addr)
{
	memcpy(addr->gid, xp->path.gid, SMCU_GID_LEN);
	memcpy(addr->mac, xp->path.mac, SMCU_MAC_LEN);
	addr->qpn = xp->qp->qp_num & 0xffffff;
	addr->psn = xp->psn;
	addr->mtu = READ_ONCE(xp->mtu);
}

int smcu_xport_listen(struct smcu_xport *xp, const struct smcu_xaddr *peer, const struct smcu_hop *hop)
{
	int err;

	might_sleep();

	if (!peer->mtu || !peer->qpn || peer->qpn > 0xffffff)
		return -EINVAL;
	mutex_lock(&xp->qp_lock);
	err = -ENOTCONN;
	if (!smcu_verbs_is_dead(xp))
		err = smcu_verbs_post_recvs(xp);
	if (!err)
		err = smcu_roce_connect(xp, peer, hop);
	mutex_unlock(&xp->qp_lock);
	return err;
}

int smcu_xport_start(struct smcu_xport *xp)
{
	int err;

	might_sleep();

	mutex_lock(&xp->qp_lock);
	err = -ENOTCONN;
	if (!smcu_verbs_is_dead(xp))
		err = smcu_roce_start(xp);
	if (!err) {
		spin_lock_bh(&xp->sq_lock);
		set_bit(SMCU_XP_STARTED, &xp->flags);
		spin_unlock_bh(&xp->sq_lock);
	}
	mutex_unlock(&xp->qp_lock);
	return err;
}

void smcu_xport_kill(struct smcu_xport *xp)
{
	might_sleep();

	if (mark_dead(xp))
		wake_up_all(&xp->wq);
	mutex_lock(&xp->qp_lock);
	/* Moves the queue pair to ERR and waits until the adapter has let go of all that was posted. */
	if (!xp->drained)
		ib_drain_qp(xp->qp);
	xp->drained = true;
	mutex_unlock(&xp->qp_lock);
}

bool smcu_xport_is_down(const struct smcu_xport *xp)
{
	return smcu_verbs_is_dead(xp);
}

void smcu_xport_close(struct smcu_xport *xp)
{
	smcu_xport_kill(xp);
	mutex_destroy(&xp->qp_lock);
	ib_destroy_qp(xp->qp);
	ib_free_cq(xp->rcq);
	ib_free_cq(xp->scq);
	unmap_mem(xp);
	ib_dealloc_pd(xp->pd);
	smcu_path_put(&xp->path);
	free_mem(xp);
}
