// SPDX-License-Identifier: GPL-2.0
/*
 * DELETE_LINK. With one link each form of it ends the group: our last word differs by role. Messages come in softirq; goodbye is
 * said by term_work.
 */
#include "link/internal.h"

enum {
	DEL_OK = 0,			/* reasons of a response */
	DEL_UNKNOWN_LINK = 0x00100000,
};

static void answer(struct smcu_lgr *lgr, struct smcu_llc_msg *msg, u32 reason)
{
	msg->response = true;
	msg->delete_link.reason = reason;
	smcu_llc_send(lgr, msg);
}

void smcu_llc_on_delete_link(struct smcu_lgr *lgr, struct smcu_llc_msg *msg)
{
	if (!msg->delete_link.all && msg->delete_link.link_num != lgr->link_num) {
		answer(lgr, msg, DEL_UNKNOWN_LINK);
		return;
	}
	/* Linux says so twice: with "orderly" set when it begins to end its connections, without when it has. */
	if (msg->delete_link.all && !msg->delete_link.orderly)
		complete_all(&lgr->peer_through);
	/* Both began at once, and the peer waits for that word, as we do. */
	if (msg->delete_link.all && msg->delete_link.orderly && smcu_lgr_state(lgr) == SMCU_LGR_DEAD) {
		msg->delete_link.orderly = false;
		smcu_llc_send(lgr, msg);
		return;
	}
	if (lgr->role == SMCU_CLIENT && !msg->delete_link.all)
		answer(lgr, msg, DEL_OK);
	/* Only a server deletes: a client has asked for a request of ours. And a client's is what tells a server that waits. */
	smcu_lgr_end(lgr, SMCU_R_NO_LINK, msg->delete_link.reason ?: SMCU_DEL_PROGRAM, SMCU_END_ANSWERED);
}

int smcu_llc_say_goodbye(struct smcu_lgr *lgr, struct smcu_xport *xp)
{
	struct smcu_llc_msg msg = {
		.type = SMCU_LLC_DELETE_LINK,
		.v2 = true,
		.delete_link = {
			.all = true,
			/* We wait for the peer's; who answers does not. */
			.orderly = lgr->how != SMCU_END_ANSWERED,
			.reason = lgr->del_reason,
		},
	};
	u8 buf[SMCU_LLC_LEN];

	if (smcu_llc_encode(buf, &msg) < 0)
		return -EINVAL;
	return smcu_xport_post(xp, NULL, 0, buf, SMCU_LLC_LEN, NULL, 0, true);
}
