// SPDX-License-Identifier: GPL-2.0
/*
 * CONFIRM_RKEY and DELETE_RKEY. Requests of the peer are answered at once; what they say is kept in rtoken.c.
 * Requests of ours form a queue whose first one is on the wire: Linux drops a second one while it works on the first. The queue
 * is under lgr->lock, also while posting; an answer, a timeout and the end of the group take requests out, whoever is first.
 */
#include <linux/slab.h>
#include "link/internal.h"

enum { RETRY_MS = 10 };			/* until the send queue may have room */

void smcu_llc_on_rkey_request(struct smcu_lgr *lgr, struct smcu_llc_msg *msg)
{
	u8 i;

	if (msg->type == SMCU_LLC_DELETE_RKEY)
		for (i = 0; i < msg->delete_rkey.n; i++)
			smcu_rtoken_del(lgr, msg->delete_rkey.rkey[i]);
	else if (!smcu_rtoken_add(lgr, msg->confirm_rkey.rkey, msg->confirm_rkey.addr))
		msg->confirm_rkey.negative = true;
	msg->response = true;
	smcu_llc_send(lgr, msg);
}

static struct smcu_rkey_req *first_req(struct smcu_lgr *lgr)
{
	lockdep_assert_held(&lgr->lock);

	return list_first_entry_or_null(&lgr->rkey_reqs, struct smcu_rkey_req, node);
}

static void take_out(struct smcu_lgr *lgr, struct smcu_rkey_req *req)
{
	lockdep_assert_held(&lgr->lock);

	list_del(&req->node);
	lgr->n_rkey_reqs--;
}

/* @req is off the queue. Tell who waits, if he still does. */
static void finish(struct smcu_rkey_req *req, int outcome)
{
	smcu_waiter_wake_with(&req->waiters, req->outcome, outcome);
	kfree(req);
}

static int send_req(struct smcu_lgr *lgr, const struct smcu_rkey_req *req)
{
	struct smcu_llc_msg msg = { .type = req->type, .v2 = true };

	if (req->type == SMCU_LLC_CONFIRM_RKEY) {
		msg.confirm_rkey.rkey = req->rkey;
		msg.confirm_rkey.addr = req->addr;
	} else {
		msg.delete_rkey.n = 1;
		msg.delete_rkey.rkey[0] = req->rkey;
	}
	return smcu_llc_send(lgr, &msg);
}

/* Put the first request on the wire if it isn't there. Where the link is dead, its end will clear the queue. */
static void kick(struct smcu_lgr *lgr)
{
	struct smcu_rkey_req *req = first_req(lgr);
	int err;

	lockdep_assert_held(&lgr->lock);

	if (!req || req->sent || lgr->state == SMCU_LGR_DEAD)
		return;
	err = send_req(lgr, req);
	if (err == -EAGAIN) {
		mod_delayed_work(smcu_link_wq, &lgr->rkey_work, msecs_to_jiffies(RETRY_MS));
		return;
	}
	req->sent = true;
	req->rx_seq = READ_ONCE(lgr->rx_seq);
	req->deadline = jiffies + msecs_to_jiffies(SMCU_T_LLC);
	mod_delayed_work(smcu_link_wq, &lgr->rkey_work, msecs_to_jiffies(SMCU_T_LLC));
}

void smcu_llc_rkey_work(struct work_struct *work)
{
	struct smcu_lgr *lgr = container_of(to_delayed_work(work), struct smcu_lgr, rkey_work);
	struct smcu_rkey_req *req, *late = NULL;
	bool is_silent = false;

	spin_lock_bh(&lgr->lock);
	req = first_req(lgr);
	if (req && req->sent && time_after_eq(jiffies, req->deadline)) {
		late = req;
		take_out(lgr, late);
		/* As after a TEST_LINK: nothing at all has come. Those behind would wait as long, each. */
		is_silent = READ_ONCE(lgr->rx_seq) == late->rx_seq;
	}
	/* A request that is still waiting has armed the timer for itself, after this run was due. */
	kick(lgr);
	spin_unlock_bh(&lgr->lock);
	if (is_silent)
		smcu_lgr_end(lgr, SMCU_R_NO_LINK, 0, SMCU_END_NOW);
	if (late)
		finish(late, -ETIMEDOUT);
}

void smcu_llc_on_rkey_response(struct smcu_lgr *lgr, const struct smcu_llc_msg *msg)
{
	struct smcu_rkey_req *req;
	bool negative;

	spin_lock_bh(&lgr->lock);
	req = first_req(lgr);
	if (!req || !req->sent || req->type != msg->type ||
	    (msg->type == SMCU_LLC_CONFIRM_RKEY && msg->confirm_rkey.rkey != req->rkey)) {
		spin_unlock_bh(&lgr->lock);
		return;
	}
	negative = msg->type == SMCU_LLC_CONFIRM_RKEY && msg->confirm_rkey.negative;
	if (req->buf && !negative)
		WRITE_ONCE(req->buf->known, true);
	take_out(lgr, req);
	kick(lgr);
	spin_unlock_bh(&lgr->lock);
	finish(req, negative ? -ECONNREFUSED : 0);
}

/* Return: 0, or why the group can't take it; then it is the caller's again. */
static int enqueue(struct smcu_lgr *lgr, struct smcu_rkey_req *req, struct smcu_waiter *w)
{
	int err = 0;

	spin_lock_bh(&lgr->lock);
	if (lgr->state != SMCU_LGR_ACTIVE)
		err = -ENOTCONN;
	else if (lgr->n_rkey_reqs >= SMCU_RKEY_REQS)
		err = -ENOBUFS;
	if (!err) {
		if (w)
			smcu_waiter_add(&req->waiters, w);
		list_add_tail(&req->node, &lgr->rkey_reqs);
		lgr->n_rkey_reqs++;
		kick(lgr);
	}
	spin_unlock_bh(&lgr->lock);
	return err;
}

static struct smcu_rkey_req *alloc_req(u8 type, u32 rkey, u64 addr)
{
	struct smcu_rkey_req *req;

	req = kzalloc(sizeof(*req), GFP_KERNEL);
	if (!req)
		return NULL;
	req->type = type;
	req->rkey = rkey;
	req->addr = addr;
	INIT_LIST_HEAD(&req->waiters);
	return req;
}

int smcu_lgr_rkey_confirm(struct smcu_lgr *lgr, struct smcu_buf *rmb, struct smcu_waiter *w, int *outcome)
{
	struct smcu_rkey_req *req;
	LIST_HEAD(now);
	int err;

	might_sleep();

	*outcome = -EINPROGRESS;
	if (READ_ONCE(rmb->known)) {
		smcu_waiter_add(&now, w);
		smcu_waiter_wake_with(&now, outcome, 0);
		return 0;
	}
	req = alloc_req(SMCU_LLC_CONFIRM_RKEY, rmb->rkey, rmb->addr);
	if (!req)
		return -ENOMEM;
	req->buf = rmb;
	req->outcome = outcome;
	err = enqueue(lgr, req, w);
	if (err)
		kfree(req);
	return err;
}

void smcu_llc_rkey_delete(struct smcu_lgr *lgr, u32 rkey)
{
	struct smcu_rkey_req *req;

	might_sleep();

	req = alloc_req(SMCU_LLC_DELETE_RKEY, rkey, 0);
	if (req && enqueue(lgr, req, NULL))
		kfree(req);
}

void smcu_llc_rkey_forget(struct smcu_lgr *lgr, struct smcu_buf *buf)
{
	struct smcu_rkey_req *req, *tmp;
	LIST_HEAD(drop);

	spin_lock_bh(&lgr->lock);
	list_for_each_entry_safe(req, tmp, &lgr->rkey_reqs, node) {
		if (req->buf != buf)
			continue;
		req->buf = NULL;
		/* One that is not on its way would only tell the peer of a ring nobody uses. */
		if (!req->sent) {
			list_move_tail(&req->node, &drop);
			lgr->n_rkey_reqs--;
		}
	}
	kick(lgr);
	spin_unlock_bh(&lgr->lock);
	list_for_each_entry_safe(req, tmp, &drop, node)
		finish(req, -ECANCELED);
}

void smcu_llc_rkey_fail_all(struct smcu_lgr *lgr)
{
	struct smcu_rkey_req *req;

	spin_lock_bh(&lgr->lock);
	while ((req = first_req(lgr))) {
		take_out(lgr, req);
		spin_unlock_bh(&lgr->lock);
		finish(req, -ENOTCONN);
		spin_lock_bh(&lgr->lock);
	}
	spin_unlock_bh(&lgr->lock);
}
