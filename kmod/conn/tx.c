// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: programs copy into the send ring under the owner's lock; whoever finds window and room (the program, a message from
 * the peer, a completion) hands the ring to the adapter under conn->lock. One post is at most three writes and one message.
 */
#include "conn/internal.h"

int smcu_conn_queue(struct smcu_conn *conn, struct iov_iter *from, size_t len, gfp_t gfp)
{
	u32 free, n;

	/* Pairs with the releases below and in smcu_conn_join(): who sees the ring sees its size. */
	if (unlikely(!smp_load_acquire(&conn->sndbuf))) {
		struct smcu_buf *buf = smcu_buf_alloc(conn->snd_size, gfp);

		if (IS_ERR(buf)) {
			/* The handshake will find out as well, and then there is TCP: until then it is as if the ring were full. */
			WRITE_ONCE(conn->no_ring, true);
			return 0;
		}
		spin_lock_bh(&conn->lock);
		if (!conn->sndbuf) {
			/* Pairs with the acquire above, in another call. */
			smp_store_release(&conn->sndbuf, buf);
			buf = NULL;
		}
		spin_unlock_bh(&conn->lock);
		smcu_buf_free(buf);
	}

	/* tx_acked only grows, so this is the least that is free; smp_load_acquire pairs with acked_locked(). */
	free = conn->snd_size - (u32)(conn->tx_queued - smp_load_acquire(&conn->tx_acked));
	n = min_t(size_t, len, free);
	if (!n)
		return 0;
	n = smcu_buf_copy_in(conn->sndbuf, conn->tx_queued & (conn->snd_size - 1), n, from);
	if (!n)
		return -EFAULT;
	spin_lock_bh(&conn->lock);
	WRITE_ONCE(conn->tx_queued, conn->tx_queued + n);
	spin_unlock_bh(&conn->lock);
	return n;
}

int smcu_conn_tx_state(const struct smcu_conn *conn)
{
	if (READ_ONCE(conn->dead) || READ_ONCE(conn->err) || READ_ONCE(conn->cflags) & SMCU_CF_ABORT)
		return -EPIPE;
	return READ_ONCE(conn->peer_flags) & SMCU_CF_CLOSED ? -ESHUTDOWN : 0;
}

void smcu_conn_in_vain(struct smcu_conn *conn)
{
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	wake = smcu_conn_broken_locked(conn, EPIPE);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

void smcu_conn_push(struct smcu_conn *conn)
{
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	wake = smcu_conn_push_locked(conn);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

unsigned int smcu_conn_push_locked(struct smcu_conn *conn)
{
	struct smcu_txplan plan;
	struct smcu_xwrite w[3];
	int i;

	lockdep_assert_held(&conn->lock);
	if (!conn->started || conn->dead)
		return 0;
	/* After our own closed or abort, or the peer's, a write could hit a ring that has a new owner (section 12.33). */
	while (conn->tx_queued != conn->tx_sent &&
	       !((conn->cflags | conn->peer_flags) & (SMCU_CF_CLOSED | SMCU_CF_ABORT))) {
		bool signal;

		smcu_txplan(conn->tx_sent, min(conn->tx_queued, conn->tx_sent + SMCU_XPOST_MAX), conn->tx_peer_read,
			    conn->snd_size, conn->peer_size, &plan);
		if (!plan.len)
			break;
		for (i = 0; i < plan.n; i++) {
			w[i].src = conn->sndbuf;
			w[i].off = plan.piece[i].src;
			w[i].len = plan.piece[i].len;
			w[i].addr = conn->peer_addr + plan.piece[i].dst;
			w[i].rkey = conn->peer_rkey;
		}
		/* A completion for each quarter of the ring keeps room coming; those between cost an interrupt for nothing. */
		signal = conn->nospace || conn->tx_sent + plan.len - conn->tx_signalled >= conn->snd_size / 4;
		if (!smcu_conn_post_locked(conn, w, plan.n, conn->tx_sent + plan.len,
					   plan.blocked ? SMCU_PF_BLOCKED : 0, signal))
			return 0;
		if (signal)
			conn->tx_signalled = conn->tx_sent;
		smcu_stat_add(conn->sn, tx_bytes, plan.len);
	}
	return smcu_conn_drained_locked(conn);
}

unsigned int smcu_conn_acked_locked(struct smcu_conn *conn, u64 pos)
{
	unsigned int wake = 0;

	lockdep_assert_held(&conn->lock);
	if (pos > conn->tx_acked)
		/* The bytes before pos may be overwritten by smcu_conn_queue() from here on. */
		smp_store_release(&conn->tx_acked, pos);
	if (conn->nospace && smcu_conn_is_writable(conn)) {
		conn->nospace = false;
		wake |= SMCU_CW_WRITABLE;
	}
	if (conn->want_close && conn->tx_acked == conn->tx_sent)
		wake |= SMCU_CW_EVENT;
	return wake;
}

void smcu_conn_want_ack(struct smcu_conn *conn)
{
	spin_lock_bh(&conn->lock);
	if (conn->started && !conn->dead && conn->tx_signalled != conn->tx_sent &&
	    smcu_conn_post_locked(conn, NULL, 0, conn->tx_sent, 0, true))
		conn->tx_signalled = conn->tx_sent;
	spin_unlock_bh(&conn->lock);
}

void *smcu_conn_unsent(struct smcu_conn *conn, u32 *len)
{
	*len = (u32)(conn->tx_queued - conn->tx_sent);
	if (!*len)
		return NULL;
	return smcu_buf_span(conn->sndbuf, conn->tx_sent & (conn->snd_size - 1), len);
}

void smcu_conn_skip(struct smcu_conn *conn, u32 len)
{
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	conn->tx_sent += len;
	wake = smcu_conn_acked_locked(conn, conn->tx_sent);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}
