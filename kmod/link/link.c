// SPDX-License-Identifier: GPL-2.0
/*
 * The one link of a group being made: the peer's end becomes known, CONFIRM_LINK is exchanged. Called by clc/ in process context;
 * the client's answer runs in work since it brings the endpoint up. Takes ring_lock around what is done with the endpoint.
 */
#include "link/internal.h"

enum { RESEND_MS = 500 };

void smcu_lgr_local(const struct smcu_lgr *lgr, struct smcu_xaddr *addr)
{
	*addr = lgr->local;
	addr->mtu = READ_ONCE(lgr->local.mtu);
}

/* The client believes the accept where it says that no gateway is between; a claimed gateway must be in our routes, too. */
static int find_hop(struct smcu_lgr *lgr, const struct smcu_xaddr *addr, bool direct, struct smcu_hop *hop)
{
	static const u8 zero[SMCU_MAC_LEN];
	int err;

	if (lgr->role == SMCU_CLIENT && direct && memcmp(addr->mac, zero, SMCU_MAC_LEN)) {
		hop->direct = true;
		memcpy(hop->mac, addr->mac, SMCU_MAC_LEN);
		return 0;
	}
	err = smcu_path_route(&lgr->path, addr->gid, addr->mac, true, hop);
	if (err)
		return err;
	return lgr->role == SMCU_CLIENT && !direct && hop->direct ? -EPROTO : 0;
}

int smcu_lgr_set_peer(struct smcu_lgr *lgr, const struct smcu_xaddr *addr, const u8 *peer_id, bool direct)
{
	struct smcu_xport *xp;
	struct smcu_hop hop;
	int err;

	might_sleep();

	/* The path stays as long as the state is not DEAD, and a port that goes waits for the group, which waits for ring_lock. */
	mutex_lock(&lgr->ring_lock);
	err = -ENOTCONN;
	xp = rcu_dereference_protected(lgr->xp, lockdep_is_held(&lgr->ring_lock));
	if (!xp || smcu_lgr_state(lgr) != SMCU_LGR_MAKING)
		goto out;
	err = find_hop(lgr, addr, direct, &hop);
	if (err)
		goto out;

	lgr->peer = *addr;
	memcpy(lgr->true_id, peer_id, SMCU_PEER_ID_LEN);
	WRITE_ONCE(lgr->local.mtu, min(lgr->local.mtu, addr->mtu));
	err = smcu_xport_listen(xp, addr, &hop);
	if (err || lgr->role == SMCU_CLIENT)
		goto out;
	err = smcu_xport_start(xp);
	if (!err)
		err = smcu_pool_register_all(lgr, xp);
out:
	mutex_unlock(&lgr->ring_lock);
	return err;
}

int smcu_lgr_confirm(struct smcu_lgr *lgr, struct smcu_waiter *w)
{
	int err = 0;

	might_sleep();

	spin_lock_bh(&lgr->lock);
	if (lgr->state != SMCU_LGR_MAKING) {
		spin_unlock_bh(&lgr->lock);
		return -ENOTCONN;
	}
	lgr->confirm_armed = true;
	/* The end of the group wakes what is on the list after it has set DEAD under the lock. */
	smcu_waiter_add(&lgr->confirm_waiters, w);
	if (lgr->role == SMCU_SERVER)
		queue_delayed_work(smcu_link_wq, &lgr->resend_work, msecs_to_jiffies(RESEND_MS));
	else if (lgr->confirm_seen)
		queue_work(smcu_link_wq, &lgr->confirm_work);
	spin_unlock_bh(&lgr->lock);

	if (lgr->role == SMCU_SERVER)
		err = smcu_llc_send_confirm_link(lgr, false);
	if (err)
		smcu_waiter_cancel(w);
	return err;
}

void smcu_link_confirm_work(struct work_struct *work)
{
	struct smcu_lgr *lgr = container_of(work, struct smcu_lgr, confirm_work);
	enum smcu_reason reason = SMCU_R_LINK_UP;
	struct smcu_xport *xp;
	int err;

	mutex_lock(&lgr->ring_lock);
	xp = rcu_dereference_protected(lgr->xp, lockdep_is_held(&lgr->ring_lock));
	if (!xp || smcu_lgr_state(lgr) != SMCU_LGR_MAKING)
		goto out;
	if (READ_ONCE(lgr->peer_eyecatcher)) {
		reason = SMCU_R_EYECATCHER;
		goto err_end;
	}
	err = smcu_xport_start(xp);
	if (!err)
		err = smcu_pool_register_all(lgr, xp);
	if (err)
		goto err_end;
	/* Active first: the peer may let another connection join as soon as it has our answer. */
	if (smcu_lgr_activate(lgr) && smcu_llc_send_confirm_link(lgr, true))
		goto err_end;
out:
	mutex_unlock(&lgr->ring_lock);
	return;

err_end:
	mutex_unlock(&lgr->ring_lock);
	smcu_lgr_end(lgr, reason, 0, SMCU_END_NOW);
}
