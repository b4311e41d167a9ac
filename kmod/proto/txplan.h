/* SPDX-License-Identifier: GPL-2.0 */
/* What to write next, and when to tell the peer how far we have read: arithmetic only. */
#ifndef SMCU_PROTO_TXPLAN_H
#define SMCU_PROTO_TXPLAN_H

#include "proto/limits.h"

/**
 * struct smcu_txpiece - one contiguous RDMA WRITE
 * @src: offset in the send ring
 * @dst: offset in the peer's ring
 * @len: bytes
 */
struct smcu_txpiece {
	u32 src;
	u32 dst;
	u32 len;
};

/**
 * struct smcu_txplan - what to write in one go
 * @len: bytes in all pieces
 * @n: pieces, 0 to 3: the wraps of both rings make no more
 * @piece: in the order of the stream
 * @blocked: after this the peer's window is closed while data is left or it fits exactly (section 6.4, 4)
 */
struct smcu_txplan {
	u32 len;
	u8 n;
	struct smcu_txpiece piece[3];
	bool blocked;
};

/**
 * smcu_txplan() - plan the next writes
 * @sent: position up to which data was handed to the adapter
 * @queued: position up to which the program has written (>= sent, <= sent + src_size)
 * @peer_read: position up to which the peer says it has read (<= sent, >= sent - dst_size)
 * @src_size: send ring, power of two
 * @dst_size: the peer's ring, power of two
 * @out: the plan; len 0 where nothing can be written
 */
void smcu_txplan(u64 sent, u64 queued, u64 peer_read, u32 src_size, u32 dst_size, struct smcu_txplan *out);

/**
 * smcu_rx_announce() - is a consumer cursor update of its own due? (section 6.5)
 * @read: position up to which the program has read
 * @announced: position last told to the peer (<= read)
 * @written: position up to which the peer says it has written (>= read)
 * @size: our ring
 * @blocked: the peer said it is blocked
 * @requested: the peer asked for an update
 *
 * Return: true where the peer asked; or where more than a tenth of the ring (at least 2304 bytes) is unannounced, the peer is blocked or
 * thinks that no more than half of the ring is free, and either half the ring is unannounced or no more than a quarter is left to read
 */
bool smcu_rx_announce(u64 read, u64 announced, u64 written, u32 size, bool blocked, bool requested);

#endif
