// SPDX-License-Identifier: GPL-2.0
/*
 * LLC: sending one message, and what to do with one that came (section 5.11: a peer with a single link). Messages come in
 * softirq; answers are posted at once from there and never allocate, so a flood of requests costs the peer as much as us. An
 * answer for which the queue has no room is dropped: the peer asks again or gives up.
 */
#include "link/internal.h"

int smcu_llc_send(struct smcu_lgr *lgr, const struct smcu_llc_msg *msg)
{
	u8 buf[SMCU_LLC_LEN];
	struct smcu_xport *xp;
	int err;

	err = smcu_llc_encode(buf, msg);
	if (WARN_ON_ONCE(err < 0))
		return err;
	err = -ENOTCONN;
	rcu_read_lock();
	xp = rcu_dereference(lgr->xp);
	if (xp)
		err = smcu_xport_post(xp, NULL, 0, buf, SMCU_LLC_LEN, NULL, 0, false);
	rcu_read_unlock();
	return err;
}

int smcu_llc_send_confirm_link(struct smcu_lgr *lgr, bool response)
{
	struct smcu_llc_msg msg = {
		.type = SMCU_LLC_CONFIRM_LINK,
		.v2 = true,
		.response = response,
		.confirm_link = {
			.no_eyecatcher = true,
			.qpn = lgr->local.qpn,
			.link_num = lgr->link_num,
			.max_links = lgr->terms.max_links,
			.max_conns = lgr->terms.release ? lgr->terms.max_conns : 0,
		},
	};

	memcpy(msg.confirm_link.mac, lgr->local.mac, SMCU_MAC_LEN);
	memcpy(msg.confirm_link.gid, lgr->local.gid, SMCU_GID_LEN);
	smcu_put_be32(msg.confirm_link.link_uid, lgr->id << 8 | lgr->link_num);
	return smcu_llc_send(lgr, &msg);
}

void smcu_llc_resend_work(struct work_struct *work)
{
	struct smcu_lgr *lgr = container_of(to_delayed_work(work), struct smcu_lgr, resend_work);

	if (smcu_lgr_state(lgr) == SMCU_LGR_MAKING)
		smcu_llc_send_confirm_link(lgr, false);
}

/*
 * A client that may have two links waits three seconds for the offer of a second one. This offer it rejects at once: no MTU.
 * A body of zeros would be taken for something else, so it names our end.
 */
static void offer_nothing(struct smcu_lgr *lgr)
{
	struct smcu_llc_msg msg = {
		.type = SMCU_LLC_ADD_LINK,
		.v2 = true,
		.add_link = { .link_num = SMCU_LINK_NUM + 1 },
	};

	memcpy(msg.add_link.raw, lgr->local.mac, SMCU_MAC_LEN);
	memcpy(msg.add_link.raw + 8, lgr->local.gid, SMCU_GID_LEN);
	smcu_put_be24(msg.add_link.raw + 24, lgr->local.qpn);
	smcu_llc_send(lgr, &msg);
}

static void on_confirm_link_request(struct smcu_lgr *lgr, const struct smcu_llc_msg *msg)
{
	bool again = false;

	if (lgr->role != SMCU_CLIENT)
		return;
	spin_lock_bh(&lgr->lock);
	if (lgr->state == SMCU_LGR_ACTIVE) {
		/* Our answer came too late for its patience, or crossed the repetition. */
		again = true;
	} else if (lgr->state == SMCU_LGR_MAKING && !lgr->confirm_seen) {
		lgr->confirm_seen = true;
		lgr->link_num = msg->confirm_link.link_num;
		WRITE_ONCE(lgr->peer_eyecatcher, !msg->confirm_link.no_eyecatcher);
		if (lgr->confirm_armed)
			queue_work(smcu_link_wq, &lgr->confirm_work);
	}
	spin_unlock_bh(&lgr->lock);
	if (again)
		smcu_llc_send_confirm_link(lgr, true);
}

static void on_confirm_link_response(struct smcu_lgr *lgr, const struct smcu_llc_msg *msg)
{
	bool armed;

	spin_lock_bh(&lgr->lock);
	armed = lgr->role == SMCU_SERVER && lgr->state == SMCU_LGR_MAKING && lgr->confirm_armed;
	spin_unlock_bh(&lgr->lock);
	if (!armed)
		return;
	if (!msg->confirm_link.no_eyecatcher) {
		smcu_lgr_end(lgr, SMCU_R_EYECATCHER, SMCU_DEL_PROTOCOL, SMCU_END_NOW);
		return;
	}
	if (smcu_lgr_activate(lgr) && (!lgr->terms.release || lgr->terms.max_links > 1))
		offer_nothing(lgr);
}

static void on_request(struct smcu_lgr *lgr, struct smcu_llc_msg *msg)
{
	switch (msg->type) {
	case SMCU_LLC_CONFIRM_LINK:
		on_confirm_link_request(lgr, msg);
		break;
	case SMCU_LLC_ADD_LINK:
		msg->response = true;
		msg->add_link.reject = true;
		msg->add_link.reject_reason = 1;	/* no alternate path */
		smcu_llc_send(lgr, msg);
		break;
	case SMCU_LLC_DELETE_LINK:
		smcu_llc_on_delete_link(lgr, msg);
		break;
	case SMCU_LLC_CONFIRM_RKEY:
	case SMCU_LLC_DELETE_RKEY:
		smcu_llc_on_rkey_request(lgr, msg);
		break;
	case SMCU_LLC_TEST_LINK:
	case SMCU_LLC_REQ_ADD_LINK:
		msg->response = true;
		smcu_llc_send(lgr, msg);
		break;
	default:
		break;
	}
}

static void on_response(struct smcu_lgr *lgr, const struct smcu_llc_msg *msg)
{
	switch (msg->type) {
	case SMCU_LLC_CONFIRM_LINK:
		on_confirm_link_response(lgr, msg);
		break;
	case SMCU_LLC_CONFIRM_RKEY:
	case SMCU_LLC_DELETE_RKEY:
		smcu_llc_on_rkey_response(lgr, msg);
		break;
	default:
		/* TEST_LINK: that something came is enough. ADD_LINK: we wanted a rejection. */
		break;
	}
}

void smcu_llc_recv(struct smcu_lgr *lgr, const u8 *buf, u32 len)
{
	struct smcu_llc_msg msg;

	if (smcu_llc_decode(buf, min_t(u32, len, SMCU_LLC_LEN), &msg))
		return;
	if (msg.response)
		on_response(lgr, &msg);
	else
		on_request(lgr, &msg);
}
