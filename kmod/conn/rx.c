// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: the peer writes into our ring and says so; programs copy out under the owner's lock. The peer learns how far we
 * have read with the next message, or by one of its own where it waits for that (section 6.5).
 */
#include "conn/internal.h"

u32 smcu_conn_rx_avail(const struct smcu_conn *conn)
{
	/* Pairs with receive_locked(): the bytes are there before they are counted. */
	return (u32)(smp_load_acquire(&conn->rx_written) - READ_ONCE(conn->rx_read));
}

static void consume(struct smcu_conn *conn, u32 n)
{
	spin_lock_bh(&conn->lock);
	WRITE_ONCE(conn->rx_read, conn->rx_read + n);
	/* A Linux peer that has closed may have more to send, when there is room: only after an abort nothing comes. */
	if (conn->started && !conn->dead && !((conn->peer_flags | conn->cflags) & SMCU_CF_ABORT) &&
	    smcu_rx_announce(conn->rx_read, conn->rx_announced, conn->rx_written, conn->rcv_size, conn->peer_blocked,
			     conn->update_req)) {
		conn->cdc_due = true;
		smcu_conn_post_locked(conn, NULL, 0, conn->tx_sent, 0, false);
		if (conn->rx_announced == conn->rx_read)
			conn->peer_blocked = false;
		if (conn->rx_announced == conn->rx_written)
			conn->update_req = false;
	}
	spin_unlock_bh(&conn->lock);
	smcu_stat_add(conn->sn, rx_bytes, n);
}

int smcu_conn_recv(struct smcu_conn *conn, struct iov_iter *to, size_t len, int peek_off)
{
	u32 avail = smcu_conn_rx_avail(conn);
	u64 pos = conn->rx_read;
	u32 n;

	if (peek_off > 0) {
		if (peek_off >= avail)
			return 0;
		avail -= peek_off;
		pos += peek_off;
	}
	n = min_t(size_t, len, avail);
	if (!n)
		return 0;
	if (to) {
		n = smcu_buf_copy_out(conn->rmb, pos & (conn->rcv_size - 1), n, to);
		if (!n)
			return -EFAULT;
	}
	if (peek_off < 0)
		consume(conn, n);
	return n;
}
