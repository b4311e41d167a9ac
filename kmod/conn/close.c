// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a connection. proto/conn_fsm.c decides, this file carries out: flags in messages, errors and end of file for the
 * program. What the program asks for (done, closed) takes effect when all data before it has been handed to the adapter.
 */
#include "conn/internal.h"

unsigned int smcu_conn_broken_locked(struct smcu_conn *conn, int err)
{
	lockdep_assert_held(&conn->lock);
	conn->eof = true;
	/* Pairs with smcu_conn_tx_state(). */
	if (!conn->err)
		WRITE_ONCE(conn->err, err);
	return SMCU_CW_EVENT | SMCU_CW_READABLE | SMCU_CW_WRITABLE;
}

unsigned int smcu_conn_event_locked(struct smcu_conn *conn, enum smcu_conn_event ev)
{
	struct smcu_conn_step step = smcu_conn_next(conn->state, ev, conn->cflags);
	unsigned int wake = SMCU_CW_EVENT;

	lockdep_assert_held(&conn->lock);
	conn->state = step.next;
	if (step.actions & SMCU_CA_SEND_DONE)
		conn->cflags |= SMCU_CF_DONE;
	if (step.actions & SMCU_CA_SEND_CLOSED)
		conn->cflags |= SMCU_CF_CLOSED;
	if (step.actions & SMCU_CA_SEND_ABORT)
		conn->cflags |= SMCU_CF_ABORT;
	if (step.actions & (SMCU_CA_SEND_DONE | SMCU_CA_SEND_CLOSED | SMCU_CA_SEND_ABORT)) {
		conn->cdc_due = true;
		if (conn->started && !conn->dead)
			smcu_conn_post_locked(conn, NULL, 0, conn->tx_sent, 0, true);
	}
	if (step.actions & SMCU_CA_RX_EOF) {
		conn->eof = true;
		conn->fin = true;
		wake |= SMCU_CW_READABLE;
	}
	if (step.actions & SMCU_CA_RESET) {
		smcu_stat_inc(conn->sn, reset);
		/* As TCP has it: who has seen the end of the stream gets EPIPE. */
		wake |= smcu_conn_broken_locked(conn, conn->fin ? EPIPE : ECONNRESET);
	}
	if (step.actions & SMCU_CA_LOST)
		wake |= smcu_conn_broken_locked(conn, ECONNABORTED);
	/* It has closed without reading what was on its way: TCP's answer to that is a reset. */
	if (ev == SMCU_CE_PEER_CLOSED && conn->tx_peer_read != conn->tx_queued)
		wake |= smcu_conn_broken_locked(conn, EPIPE);
	/* The peer will take no more: what is queued can't be delivered and must not keep the ring in use. */
	if (conn->peer_flags & (SMCU_CF_CLOSED | SMCU_CF_ABORT) || conn->cflags & SMCU_CF_ABORT)
		wake |= SMCU_CW_WRITABLE;
	return wake;
}

unsigned int smcu_conn_drained_locked(struct smcu_conn *conn)
{
	bool gone = (conn->cflags | conn->peer_flags) & (SMCU_CF_CLOSED | SMCU_CF_ABORT);

	lockdep_assert_held(&conn->lock);
	if (conn->tx_queued != conn->tx_sent && !gone)
		return 0;
	if (gone && conn->tx_queued != conn->tx_sent) {
		/* Undeliverable: forget it, so that "acked" can catch up with "queued". */
		WRITE_ONCE(conn->tx_queued, conn->tx_sent);
	}
	if (conn->want_close) {
		if (!(conn->cflags & (SMCU_CF_CLOSED | SMCU_CF_ABORT)))
			return smcu_conn_event_locked(conn, SMCU_CE_CLOSE);
	} else if (conn->want_done && !(conn->cflags & SMCU_CF_DONE)) {
		return smcu_conn_event_locked(conn, SMCU_CE_SHUTDOWN_WR);
	}
	return 0;
}

void smcu_conn_shutdown(struct smcu_conn *conn)
{
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	conn->want_done = true;
	wake = smcu_conn_push_locked(conn);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

void smcu_conn_close(struct smcu_conn *conn, bool abort)
{
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	conn->want_close = true;
	if (abort)
		wake = smcu_conn_event_locked(conn, SMCU_CE_ABORT);
	else
		wake = 0;
	if (conn->dead)
		wake |= smcu_conn_event_locked(conn, SMCU_CE_CLOSE);
	else
		wake |= smcu_conn_push_locked(conn);
	smcu_conn_flush_due_locked(conn);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

void smcu_conn_reset(struct smcu_conn *conn, int err)
{
	unsigned int wake = 0;

	spin_lock_bh(&conn->lock);
	if (!(conn->peer_flags & (SMCU_CF_CLOSED | SMCU_CF_ABORT)) && !(conn->cflags & SMCU_CF_CLOSED)) {
		/* A reset's own is ours to say; a time-out, or the administrator's end, is TCP's. The first one stays. */
		if (err && err != ECONNRESET && err != EPIPE)
			wake = smcu_conn_broken_locked(conn, err);
		wake |= smcu_conn_event_locked(conn, SMCU_CE_PEER_ABORT);
	}
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}
