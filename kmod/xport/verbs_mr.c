// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping and registration of rings. Process context, no locks held but the one of the link group above; the caller sees to it
 * that nobody else works on the same ring.
 */
#include <linux/dma-mapping.h>
#include <rdma/ib_verbs.h>
#include "xport/verbs.h"

/* DMA address of each segment; the mapping may have merged neighbours. */
static void note_dma(struct smcu_buf *buf)
{
	const u32 seg_len = 1u << buf->seg_shift;
	struct scatterlist *sg;
	u32 seg = 0;
	int i;

	for_each_sgtable_dma_sg(&buf->sgt, sg, i) {
		u32 off;

		for (off = 0; off < sg_dma_len(sg) && seg < buf->nsegs; off += seg_len)
			buf->dma[seg++] = sg_dma_address(sg) + off;
	}
}

/* Memory that has to be copied or flushed for the adapter can't be a ring that both sides use at any time. */
static bool needs_sync(struct ib_device *ibdev, const struct smcu_buf *buf)
{
	u32 i;

	if (ib_uses_virt_dma(ibdev))
		return false;
	for (i = 0; i < buf->nsegs; i++)
		if (dma_need_sync(ibdev->dma_device, buf->dma[i]))
			return true;
	return false;
}

static enum dma_data_direction direction_of(bool receive)
{
	return receive ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
}

static int map(struct smcu_xport *xp, struct smcu_buf *buf, bool receive)
{
	struct ib_device *ibdev = xp->path.ibdev;
	int err;

	err = ib_dma_map_sgtable_attrs(ibdev, &buf->sgt, direction_of(receive), 0);
	if (err)
		return err;
	note_dma(buf);
	if (needs_sync(ibdev, buf)) {
		ib_dma_unmap_sgtable_attrs(ibdev, &buf->sgt, direction_of(receive), 0);
		return -EOPNOTSUPP;
	}
	buf->mapped = ibdev;
	return 0;
}

static void unmap(struct smcu_buf *buf, bool receive)
{
	ib_dma_unmap_sgtable_attrs(buf->mapped, &buf->sgt, direction_of(receive), 0);
	buf->mapped = NULL;
}

int smcu_xport_map(struct smcu_xport *xp, struct smcu_buf *buf)
{
	might_sleep();

	if (smcu_verbs_is_dead(xp))
		return -ENOTCONN;
	return map(xp, buf, false);
}

/* Everything but the work request: afterwards the key and the address are known. */
static int prepare(struct smcu_xport *xp, struct smcu_buf *buf)
{
	u32 pages = buf->size >> PAGE_SHIFT;
	struct ib_mr *mr;
	int err, n;

	if (pages > xp->path.ibdev->attrs.max_fast_reg_page_list_len)
		return -EMSGSIZE;
	err = map(xp, buf, true);
	if (err)
		return err;
	mr = ib_alloc_mr(xp->pd, IB_MR_TYPE_MEM_REG, pages);
	if (IS_ERR(mr)) {
		err = PTR_ERR(mr);
		goto err_unmap;
	}
	n = ib_map_mr_sg(mr, buf->sgt.sgl, buf->sgt.nents, NULL, PAGE_SIZE);
	if (n != buf->sgt.nents || mr->length != buf->size) {
		err = n < 0 ? n : -EMSGSIZE;
		goto err_mr;
	}
	buf->mr = mr;
	buf->rkey = mr->rkey;
	buf->addr = mr->iova;
	return 0;

err_mr:
	ib_dereg_mr(mr);
err_unmap:
	unmap(buf, true);
	return err;
}

int smcu_xport_register(struct smcu_xport *xp, struct smcu_buf *buf)
{
	int err;

	might_sleep();

	if (smcu_verbs_is_dead(xp))
		return -ENOTCONN;
	if (buf->valid)
		return 0;
	if (!buf->mr) {
		err = prepare(xp, buf);
		if (err)
			return err;
	}
	if (!test_bit(SMCU_XP_STARTED, &xp->flags))
		return 0;
	err = smcu_verbs_post_reg(xp, buf->mr);
	if (!err)
		buf->valid = true;
	return err;
}

void smcu_xport_unmap(struct smcu_xport *xp, struct smcu_buf *buf)
{
	bool receive = buf->mr;

	might_sleep();

	if (!buf->mapped)
		return;
	if (buf->mr) {
		/* Where the adapter keeps the registration, the memory must stay: smcu_buf_free() will not free it. */
		if (WARN_ON_ONCE(ib_dereg_mr(buf->mr)))
			return;
		buf->mr = NULL;
		buf->valid = false;
	}
	unmap(buf, receive);
}
