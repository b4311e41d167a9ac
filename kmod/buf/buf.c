// SPDX-License-Identifier: GPL-2.0
/*
 * Rings of memory. Called by link/ and conn/; allocation in process context, copying wherever the iterator may be used. There
 * are no locks: the owner of a ring knows who touches which part of it.
 *
 * Rings are memory that a program makes the kernel take: charged to the cgroup that asks for it, and all together no more than a
 * part of what there is. Who gets none stays on TCP.
 */
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "buf/buf.h"

enum {
	SEG_SHIFT_MAX = 16,
	RAM_SHARE = 8,			/* all rings together: that part of the host's memory */
};

static atomic_long_t pages;

static void free_segs(struct smcu_buf *buf, u32 n)
{
	while (n--)
		free_pages((unsigned long)buf->seg[n], buf->seg_shift - PAGE_SHIFT);
}

/* All segments of one size. No more than tried: there is a smaller size, then TCP; nobody is to be killed for a ring. */
static int alloc_segs(struct smcu_buf *buf, gfp_t gfp)
{
	unsigned int order = buf->seg_shift - PAGE_SHIFT;
	u32 i;

	gfp |= __GFP_ZERO | __GFP_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN;
	if (order)
		gfp |= __GFP_COMP;
	for (i = 0; i < buf->nsegs; i++) {
		buf->seg[i] = (void *)__get_free_pages(gfp, order);
		if (!buf->seg[i]) {
			free_segs(buf, i);
			return -ENOMEM;
		}
	}
	return 0;
}

static int try_alloc(struct smcu_buf *buf, u8 seg_shift, gfp_t gfp)
{
	struct scatterlist *sg;
	u32 i;

	buf->seg_shift = seg_shift;
	buf->nsegs = buf->size >> seg_shift;
	buf->seg = kvcalloc(buf->nsegs, sizeof(*buf->seg), gfp);
	if (!buf->seg)
		return -ENOMEM;
	buf->dma = kvcalloc(buf->nsegs, sizeof(*buf->dma), gfp);
	if (!buf->dma)
		goto err_seg;
	if (sg_alloc_table(&buf->sgt, buf->nsegs, gfp))
		goto err_dma;
	if (alloc_segs(buf, gfp))
		goto err_sgt;
	for_each_sgtable_sg(&buf->sgt, sg, i)
		sg_set_buf(sg, buf->seg[i], 1u << seg_shift);
	return 0;

err_sgt:
	sg_free_table(&buf->sgt);
err_dma:
	kvfree(buf->dma);
err_seg:
	kvfree(buf->seg);
	return -ENOMEM;
}

struct smcu_buf *smcu_buf_alloc(u32 size, gfp_t gfp)
{
	struct smcu_buf *buf;
	u8 shift;

	might_sleep_if(gfpflags_allow_blocking(gfp));
	if (!is_power_of_2(size) || size < PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	if (atomic_long_add_return(size >> PAGE_SHIFT, &pages) > totalram_pages() / RAM_SHARE)
		goto err_sub;
	buf = kzalloc(sizeof(*buf), gfp);
	if (!buf)
		goto err_sub;
	buf->size = size;
	INIT_LIST_HEAD(&buf->node);

	for (shift = min_t(u8, ilog2(size), SEG_SHIFT_MAX); shift >= PAGE_SHIFT; shift--)
		if (!try_alloc(buf, shift, gfp))
			return buf;
	kfree(buf);
err_sub:
	atomic_long_sub(size >> PAGE_SHIFT, &pages);
	return ERR_PTR(-ENOMEM);
}

void smcu_buf_free(struct smcu_buf *buf)
{
	if (!buf)
		return;
	/* An adapter may still reach the memory: better lose it than let it be written by a peer. */
	if (WARN_ON_ONCE(buf->mapped || buf->mr))
		return;
	free_segs(buf, buf->nsegs);
	atomic_long_sub(buf->size >> PAGE_SHIFT, &pages);
	sg_free_table(&buf->sgt);
	kvfree(buf->dma);
	kvfree(buf->seg);
	kfree(buf);
}

u32 smcu_buf_copy_in(struct smcu_buf *buf, u32 off, u32 len, struct iov_iter *from)
{
	u32 done = 0;

	while (done < len) {
		u32 n = len - done;
		void *p = smcu_buf_span(buf, off, &n);
		u32 got = copy_from_iter(p, n, from);

		done += got;
		if (got < n)
			break;
		off = (off + n) & (buf->size - 1);
	}
	return done;
}

u32 smcu_buf_copy_out(struct smcu_buf *buf, u32 off, u32 len, struct iov_iter *to)
{
	u32 done = 0;

	while (done < len) {
		u32 n = len - done;
		void *p = smcu_buf_span(buf, off, &n);
		u32 got = copy_to_iter(p, n, to);

		done += got;
		if (got < n)
			break;
		off = (off + n) & (buf->size - 1);
	}
	return done;
}
