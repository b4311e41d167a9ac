// SPDX-License-Identifier: GPL-2.0
/*
 * CDC messages: built and posted under conn->lock, received in softirq. What a message says is checked against what we know
 * before anything is believed: a peer may neither write beyond the window it was given nor read what was not sent.
 */
#include "conn/internal.h"

bool smcu_conn_post_locked(struct smcu_conn *conn, const struct smcu_xwrite *w, int n, u64 prod, u8 pflags, bool signal)
{
	u8 msg[SMCU_CDC_LEN];
	struct smcu_cdc cdc = {
		.seq = (u16)(conn->tx_seq + 1),
		.token = conn->peer_token,
		.prod = smcu_cursor_at(prod, conn->peer_size),
		.cons = smcu_cursor_at(conn->rx_read, conn->rcv_size),
		.pflags = pflags,
		.cflags = conn->cflags,
	};
	int err;

	lockdep_assert_held(&conn->lock);
	smcu_cdc_encode(msg, &cdc);
	err = smcu_lgr_post(&conn->member, w, n, msg, prod, signal);
	if (err) {
		if (err == -EAGAIN) {
			conn->want_room = true;
		} else {
			/* lost() follows and tells the owner; a call that comes before it must find the reason. */
			conn->dead = true;
			smcu_conn_event_locked(conn, SMCU_CE_LINK_LOST);
		}
		return false;
	}
	conn->tx_seq++;
	WRITE_ONCE(conn->tx_sent, prod);
	conn->rx_announced = conn->rx_read;
	conn->cdc_due = false;
	smcu_stat_inc(conn->sn, tx_msgs);
	return true;
}

void smcu_conn_flush_due_locked(struct smcu_conn *conn)
{
	lockdep_assert_held(&conn->lock);
	/* Who ends the connection waits for the last completion. */
	if (conn->cdc_due && conn->started && !conn->dead)
		smcu_conn_post_locked(conn, NULL, 0, conn->tx_sent, 0, conn->want_close || conn->cflags & SMCU_CF_ABORT);
}

/* The peer breaks the protocol: tell it, and end the connection for the program. */
static unsigned int violation_locked(struct smcu_conn *conn)
{
	unsigned int wake;

	smcu_stat_inc(conn->sn, rx_bad);
	conn->cflags |= SMCU_CF_ABORT;
	conn->cdc_due = true;
	wake = smcu_conn_event_locked(conn, SMCU_CE_PEER_ABORT);
	smcu_conn_flush_due_locked(conn);
	return wake;
}

static unsigned int receive_locked(struct smcu_conn *conn, const struct smcu_cdc *cdc)
{
	unsigned int wake = 0;
	u8 fresh;
	u64 pos;
	int err;

	if (conn->dead || smcu_cdc_is_stale(conn->rx_seq, cdc->seq))
		return 0;
	/* A failover validation carries a sequence number and nothing else (section 6.8); a single link has nothing to lose. */
	if (cdc->pflags & SMCU_PF_FAILOVER)
		return 0;
	conn->rx_seq = cdc->seq;

	if (conn->peer_size) {
		err = smcu_cursor_advance(conn->tx_peer_read, conn->tx_sent, conn->peer_size, cdc->cons, &pos);
		if (err == -EPROTO)
			return violation_locked(conn);
		if (!err)
			conn->tx_peer_read = pos;
	}

	err = smcu_cursor_advance(conn->rx_written, conn->rx_announced + conn->rcv_size, conn->rcv_size, cdc->prod, &pos);
	if (err == -EPROTO)
		return violation_locked(conn);
	if (!err && pos != conn->rx_written) {
		/* Pairs with smcu_conn_rx_avail(): the bytes are there before they are counted. */
		smp_store_release(&conn->rx_written, pos);
		wake |= SMCU_CW_READABLE;
	}

	conn->peer_blocked = cdc->pflags & SMCU_PF_BLOCKED;
	/* Linux sends nothing behind urgent data until that is read, and does not ask for the update (section 6.5). */
	if (cdc->pflags & (SMCU_PF_UPDATE_REQ | SMCU_PF_URG_PRESENT)) {
		conn->update_req = true;
		if (conn->rx_read != conn->rx_announced)
			conn->cdc_due = true;
	}

	/* The bits stay set in all later messages; only new ones are events. */
	fresh = cdc->cflags & ~conn->peer_flags;
	conn->peer_flags |= cdc->cflags;
	if (fresh & SMCU_CF_CLOSED)
		conn->closed_blocked = conn->peer_blocked;
	if (fresh & SMCU_CF_ABORT)
		wake |= smcu_conn_event_locked(conn, SMCU_CE_PEER_ABORT);
	else if (fresh & SMCU_CF_CLOSED)
		wake |= smcu_conn_event_locked(conn, SMCU_CE_PEER_CLOSED);
	else if (fresh & SMCU_CF_DONE)
		wake |= smcu_conn_event_locked(conn, SMCU_CE_PEER_DONE);

	if (conn->tx_queued != conn->tx_sent || conn->want_done || conn->want_close)
		wake |= smcu_conn_push_locked(conn);
	smcu_conn_flush_due_locked(conn);
	return wake;
}

static void conn_cdc(struct smcu_member *m, const u8 *msg, u32 len)
{
	struct smcu_conn *conn = container_of(m, struct smcu_conn, member);
	unsigned int wake;
	struct smcu_cdc cdc;

	if (smcu_cdc_decode(msg, len, &cdc)) {
		smcu_stat_inc(conn->sn, rx_bad);
		return;
	}
	smcu_stat_inc(conn->sn, rx_msgs);
	spin_lock_bh(&conn->lock);
	wake = receive_locked(conn, &cdc);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

static void conn_sent(struct smcu_member *m, u64 cookie)
{
	struct smcu_conn *conn = container_of(m, struct smcu_conn, member);
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	wake = smcu_conn_acked_locked(conn, cookie);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

static void conn_room(struct smcu_member *m)
{
	struct smcu_conn *conn = container_of(m, struct smcu_conn, member);
	unsigned int wake = 0;

	spin_lock_bh(&conn->lock);
	if (conn->want_room) {
		conn->want_room = false;
		wake = smcu_conn_push_locked(conn);
		smcu_conn_flush_due_locked(conn);
		if (conn->want_close)
			wake |= SMCU_CW_EVENT;
	}
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

static void conn_lost(struct smcu_member *m)
{
	struct smcu_conn *conn = container_of(m, struct smcu_conn, member);
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	conn->dead = true;
	wake = smcu_conn_event_locked(conn, SMCU_CE_LINK_LOST);
	if (conn->want_close)
		wake |= smcu_conn_event_locked(conn, SMCU_CE_CLOSE);
	spin_unlock_bh(&conn->lock);
	smcu_stat_inc(conn->sn, lost);
	smcu_conn_wake(conn, wake | SMCU_CW_EVENT | SMCU_CW_READABLE | SMCU_CW_WRITABLE);
}

const struct smcu_member_ops smcu_conn_member_ops = {
	.cdc = conn_cdc,
	.sent = conn_sent,
	.room = conn_room,
	.lost = conn_lost,
};
