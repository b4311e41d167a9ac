/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door of buf/: rings of memory, made of physically contiguous segments so that no large contiguous area is ever needed.
 *
 * A ring has a power-of-two size. It knows nothing of positions or adapters; xport/ maps and registers it.
 */
#ifndef SMCU_BUF_H
#define SMCU_BUF_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/uio.h>

struct ib_mr;

/**
 * struct smcu_buf - a ring
 * @size: bytes, a power of two
 * @seg_shift: log2 of the bytes in each segment (PAGE_SHIFT to 16), a segment is physically contiguous
 * @nsegs: @size >> @seg_shift
 * @seg: kernel addresses of the segments
 * @sgt: scatterlist over the segments, DMA-mapped where @mapped
 * @dma: DMA address of each segment, valid where @mapped
 * @mapped: adapter it is mapped for; owned by xport/
 * @mr: registration, receive rings only; owned by xport/
 * @rkey: its key for the peer
 * @addr: address for the peer
 * @valid: the registration is in force, not just prepared; owned by xport/
 * @known: the peer was told of @rkey; owned by link/
 * @since: jiffies when it was given back; owned by link/
 * @node: in a pool's list
 */
struct smcu_buf {
	u32 size;
	u8 seg_shift;
	u32 nsegs;
	void **seg;
	struct sg_table sgt;
	u64 *dma;
	struct ib_device *mapped;
	struct ib_mr *mr;
	u32 rkey;
	u64 addr;
	bool valid;
	bool known;
	unsigned long since;
	struct list_head node;
};

/**
 * smcu_buf_alloc() - a zeroed ring
 * @size: power of two, at least PAGE_SIZE
 * @gfp: GFP_KERNEL; segments of 64 KiB are tried first (no retry, no warning), then smaller ones
 *
 * Charged to the active memory cgroup, and as a page of the page cache it stays charged there when its group keeps it for the next
 * connection. All rings together get no more than an eighth of the memory of the host.
 *
 * Context: may sleep where @gfp says so.
 * Return: the ring, the caller's; ERR_PTR(-ENOMEM); ERR_PTR(-EINVAL) for a size that can't be
 */
struct smcu_buf *smcu_buf_alloc(u32 size, gfp_t gfp);

/**
 * smcu_buf_free() - the opposite; must be unmapped and unregistered
 * @buf: may be NULL. One that is still mapped is not freed: an adapter may reach it
 *
 * Context: any but hard interrupts, for rings up to 2 MiB (the tables of larger ones may need process context).
 */
void smcu_buf_free(struct smcu_buf *buf);

/**
 * smcu_buf_copy_in() - bytes of a program into the ring
 * @buf: ring; nobody else writes to this part of it, or reads it, meanwhile
 * @off: 0 to size - 1
 * @len: at most size; wraps at the end
 * @from: source
 *
 * Context: where @from may be used: with one of user space it may fault and sleep.
 * Return: bytes copied, fewer than @len on a fault
 */
u32 smcu_buf_copy_in(struct smcu_buf *buf, u32 off, u32 len, struct iov_iter *from);

/**
 * smcu_buf_copy_out() - the opposite
 * @buf: ring; nobody writes to this part of it meanwhile
 * @off: 0 to size - 1
 * @len: at most size; wraps at the end
 * @to: destination
 *
 * Context: where @to may be used: with one of user space it may fault and sleep.
 * Return: bytes copied, fewer than @len on a fault
 */
u32 smcu_buf_copy_out(struct smcu_buf *buf, u32 off, u32 len, struct iov_iter *to);

/**
 * smcu_buf_span() - the contiguous run that starts at an offset
 * @buf: ring
 * @off: 0 to size - 1
 * @len: wanted; on return at most the run's length
 *
 * Context: any.
 * Return: kernel address
 */
static inline void *smcu_buf_span(const struct smcu_buf *buf, u32 off, u32 *len)
{
	u32 in_seg = off & ((1u << buf->seg_shift) - 1);
	u32 left = (1u << buf->seg_shift) - in_seg;

	if (*len > left)
		*len = left;
	return (u8 *)buf->seg[off >> buf->seg_shift] + in_seg;
}

#endif
