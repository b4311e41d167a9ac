// SPDX-License-Identifier: GPL-2.0
/* Which bytes of the send ring go where in the peer's ring, and when a bare cursor update is worth a message. */
#include "proto/txplan.h"

enum {
	ANNOUNCE_DIVISOR = 10,
	ANNOUNCE_MIN = 2304,
};

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

void smcu_txplan(u64 sent, u64 queued, u64 peer_read, u32 src_size, u32 dst_size, struct smcu_txplan *out)
{
	u64 pending = queued > sent ? queued - sent : 0;
	u64 flight = sent > peer_read ? sent - peer_read : 0;
	u64 window = flight < dst_size ? dst_size - flight : 0;
	u32 src = (u32)sent & (src_size - 1);
	u32 dst = (u32)sent & (dst_size - 1);
	u32 left;

	memset(out, 0, sizeof(*out));
	/* The contract says that this is so; a broken caller must not make a write out of bounds. */
	if (pending > src_size)
		pending = src_size;

	out->len = (u32)(pending < window ? pending : window);
	out->blocked = pending >= window;

	for (left = out->len; left && out->n < ARRAY_SIZE(out->piece);) {
		struct smcu_txpiece *piece = &out->piece[out->n++];

		piece->src = src;
		piece->dst = dst;
		piece->len = min_u32(left, min_u32(src_size - src, dst_size - dst));
		src = (src + piece->len) & (src_size - 1);
		dst = (dst + piece->len) & (dst_size - 1);
		left -= piece->len;
	}
}

bool smcu_rx_announce(u64 read, u64 announced, u64 written, u32 size, bool blocked, bool requested)
{
	u32 threshold = size / ANNOUNCE_DIVISOR;
	u64 occupied = written - announced;

	if (requested)
		return true;
	if (threshold < ANNOUNCE_MIN)
		threshold = ANNOUNCE_MIN;
	if (read - announced <= threshold || (!blocked && occupied < size / 2))
		return false;
	/*
	 * Not at each tenth: the writer would fill the little room, stop, and wait for the next. Half the ring, or when the reader is
	 * about to have nothing left. A writer whose window is shut (occupied == size) can't be forgotten: a reader that goes on gets
	 * to the one or the other.
	 */
	return read - announced >= size / 2 || written - read <= size / 4;
}
