// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a connection: made before there is a link group, joins one, starts, leaves. What happens between is in tx.c, rx.c,
 * cdc.c and close.c.
 */
#include <linux/log2.h>
#include <linux/slab.h>
#include "conn/internal.h"

static u32 ring_size(u32 bytes)
{
	return smcu_rmbe_size(smcu_rmbe_code(clamp_t(u32, bytes, SMCU_RMBE_MIN, SZ_2M)));
}

struct smcu_conn *smcu_conn_new(const struct smcu_conn_owner_ops *ops, void *owner, struct smcu_net *sn,
				u32 snd_size, u32 rcv_size, gfp_t gfp)
{
	struct smcu_conn *conn = kzalloc(sizeof(*conn), gfp);

	if (!conn)
		return NULL;
	conn->ops = ops;
	conn->owner = owner;
	conn->sn = sn;
	spin_lock_init(&conn->lock);
	init_waitqueue_head(&conn->idle);
	conn->snd_size = ring_size(snd_size);
	conn->rcv_size = ring_size(rcv_size);
	conn->state = SMCU_CS_ACTIVE;
	conn->member.ops = &smcu_conn_member_ops;
	return conn;
}

int smcu_conn_join(struct smcu_conn *conn, struct smcu_lgr *lgr)
{
	struct smcu_buf *snd = NULL;
	int err;

	might_sleep();
	conn->rmb = smcu_lgr_rmb_get(lgr, conn->rcv_size);
	if (IS_ERR(conn->rmb)) {
		err = PTR_ERR(conn->rmb);
		conn->rmb = NULL;
		return err;
	}
	conn->rcv_size = conn->rmb->size;

	/* Early data may already have a ring, or get one while we look for ours: the first one wins. */
	if (!READ_ONCE(conn->sndbuf)) {
		snd = smcu_lgr_sndbuf_get(lgr, conn->snd_size);
		if (IS_ERR(snd)) {
			err = PTR_ERR(snd);
			goto err_put_rmb;
		}
		spin_lock_bh(&conn->lock);
		if (!conn->sndbuf) {
			conn->snd_size = snd->size;
			/* Pairs with smcu_conn_queue(): who sees the ring sees its size. */
			smp_store_release(&conn->sndbuf, snd);
			spin_unlock_bh(&conn->lock);
			goto member;
		}
		spin_unlock_bh(&conn->lock);
		smcu_lgr_sndbuf_put(lgr, snd);
	}
	err = smcu_lgr_sndbuf_adopt(lgr, conn->sndbuf);
	if (err)
		goto err_put_rmb;
member:
	err = smcu_lgr_join(lgr, &conn->member);
	if (err)
		goto err_disown;
	spin_lock_bh(&conn->lock);
	conn->joined = true;
	spin_unlock_bh(&conn->lock);
	smcu_lgr_get(lgr);
	return 0;

err_disown:
	/* The send ring stays ours: it may hold early data, which now goes to TCP. */
	smcu_lgr_sndbuf_disown(lgr, conn->sndbuf);
err_put_rmb:
	smcu_lgr_rmb_put(lgr, conn->rmb, true);
	conn->rmb = NULL;
	return err;
}

void smcu_conn_local(struct smcu_conn *conn, struct smcu_clc_answer *a)
{
	struct smcu_xaddr addr;

	conn->told = true;
	smcu_lgr_local(conn->member.lgr, &addr);
	memcpy(a->gid, addr.gid, sizeof(a->gid));
	memcpy(a->mac, addr.mac, sizeof(a->mac));
	a->qpn = addr.qpn;
	a->psn = addr.psn;
	a->mtu = addr.mtu;
	a->rkey = conn->rmb->rkey;
	a->rmb_addr = conn->rmb->addr;
	a->rmbe_index = 1;
	a->rmbe_code = smcu_rmbe_code(conn->rmb->size);
	a->token = conn->member.token;
}

struct smcu_buf *smcu_conn_rmb(const struct smcu_conn *conn)
{
	return conn->rmb;
}

void smcu_conn_set_peer(struct smcu_conn *conn, const struct smcu_clc_answer *a)
{
	spin_lock_bh(&conn->lock);
	conn->peer_size = smcu_rmbe_size(a->rmbe_code);
	conn->peer_addr = a->rmb_addr + (u64)(a->rmbe_index - 1) * conn->peer_size;
	conn->peer_rkey = a->rkey;
	conn->peer_token = a->token;
	spin_unlock_bh(&conn->lock);
}

void smcu_conn_start(struct smcu_conn *conn)
{
	unsigned int wake;

	spin_lock_bh(&conn->lock);
	conn->started = true;
	wake = smcu_conn_push_locked(conn);
	/* The peer may have broken the protocol, and been told nothing yet. */
	smcu_conn_flush_due_locked(conn);
	spin_unlock_bh(&conn->lock);
	smcu_conn_wake(conn, wake);
}

void smcu_conn_look(struct smcu_conn *conn, struct smcu_conn_view *v, bool want_write)
{
	spin_lock_bh(&conn->lock);
	v->rx = (u32)(conn->rx_written - conn->rx_read);
	v->rx_size = conn->rcv_size;
	v->tx_free = smcu_conn_tx_free(conn);
	v->tx_size = conn->snd_size;
	/* What is left of a connection whose link is lost goes nowhere; what was never started goes to TCP. */
	v->tx_unsent = conn->dead && conn->joined ? 0 : (u32)(conn->tx_queued - conn->tx_sent);
	v->tx_unacked = conn->dead ? 0 : (u32)(conn->tx_queued - conn->tx_acked);
	v->err = conn->err;
	v->eof = conn->eof;
	v->fin = conn->fin;
	v->peer_gone = conn->peer_flags & (SMCU_CF_CLOSED | SMCU_CF_ABORT);
	v->writable = smcu_conn_is_writable(conn);
	v->done = conn->state == SMCU_CS_CLOSED;
	v->state = conn->state;
	if (want_write && !v->writable)
		conn->nospace = true;
	spin_unlock_bh(&conn->lock);
}

void smcu_conn_wake(struct smcu_conn *conn, unsigned int wake)
{
	if (wake & SMCU_CW_EVENT && wq_has_sleeper(&conn->idle))
		wake_up(&conn->idle);
	/* First, since it makes errors known to who is woken next. */
	if (wake & SMCU_CW_EVENT)
		conn->ops->event(conn->owner);
	if (wake & SMCU_CW_READABLE)
		conn->ops->readable(conn->owner);
	if (wake & SMCU_CW_WRITABLE)
		conn->ops->writable(conn->owner);
}

static bool is_idle(struct smcu_conn *conn)
{
	bool idle;

	spin_lock_bh(&conn->lock);
	idle = conn->dead || conn->tx_acked >= conn->tx_sent;
	spin_unlock_bh(&conn->lock);
	return idle;
}

bool smcu_conn_is_idle(struct smcu_conn *conn)
{
	bool idle;

	spin_lock_bh(&conn->lock);
	idle = !conn->joined || !conn->started || conn->dead || (conn->tx_acked >= conn->tx_sent && !conn->cdc_due);
	spin_unlock_bh(&conn->lock);
	return idle;
}

void smcu_conn_leave(struct smcu_conn *conn, unsigned long until)
{
	struct smcu_lgr *lgr;
	bool clean, idle;

	might_sleep();
	if (!conn->joined)
		return;
	lgr = conn->member.lgr;
	idle = !conn->started || wait_event_timeout(conn->idle, is_idle(conn), max_t(long, until - jiffies, 0));
	spin_lock_bh(&conn->lock);
	/* First: an upcall that found us before must post nothing after leave has disowned what was posted. */
	conn->dead = true;
	spin_unlock_bh(&conn->lock);
	smcu_lgr_leave(&conn->member);
	spin_lock_bh(&conn->lock);
	conn->joined = false;
	spin_unlock_bh(&conn->lock);

	/*
	 * The ring may go to another connection only if the peer has said that it writes no more. Linux says so when it closes and
	 * yet goes on with what it has left, if our window stopped it.
	 */
	clean = !conn->told || conn->peer_flags & SMCU_CF_ABORT ||
		(conn->peer_flags & SMCU_CF_CLOSED && !conn->closed_blocked);
	if (conn->rmb)
		smcu_lgr_rmb_put(lgr, conn->rmb, clean);
	conn->rmb = NULL;
	if (conn->started) {
		if (idle)
			smcu_lgr_sndbuf_put(lgr, conn->sndbuf);
		else
			smcu_lgr_sndbuf_abandon(lgr, conn->sndbuf);
		conn->sndbuf = NULL;
	} else {
		smcu_lgr_sndbuf_disown(lgr, conn->sndbuf);
	}
	smcu_lgr_put(lgr);
}

void smcu_conn_renew(struct smcu_conn *conn)
{
	spin_lock_bh(&conn->lock);
	WARN_ON_ONCE(conn->started || conn->joined || conn->told);
	conn->state = SMCU_CS_ACTIVE;
	conn->dead = false;
	conn->eof = false;
	conn->fin = false;
	WRITE_ONCE(conn->err, 0);
	spin_unlock_bh(&conn->lock);
}

void smcu_conn_put(struct smcu_conn *conn)
{
	if (!conn)
		return;
	WARN_ON_ONCE(conn->joined);
	smcu_buf_free(conn->sndbuf);
	kfree_rcu(conn, rcu);
}

void smcu_conn_totals(const struct smcu_conn *conn, u64 *tx, u64 *rx)
{
	*tx = READ_ONCE(conn->tx_sent);
	*rx = READ_ONCE(conn->rx_read);
}
