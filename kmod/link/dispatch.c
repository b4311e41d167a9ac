// SPDX-License-Identifier: GPL-2.0
/*
 * What the endpoint tells us: messages go to LLC or, by token, to a connection. Softirq, under RCU, without locks; calls for
 * messages of one group do not overlap.
 */
#include "link/internal.h"
#include "proto/wire_cdc.h"

enum { CDC_TOKEN = 4 };

static void on_recv(void *priv, const u8 *msg, u32 len)
{
	struct smcu_lgr *lgr = priv;
	struct smcu_member *m;

	/* The only writer; test_work looks whether it changes. */
	WRITE_ONCE(lgr->rx_seq, lgr->rx_seq + 1);

	if (len <= CDC_TOKEN + 4)
		return;
	if (msg[0] != SMCU_CDC_TYPE) {
		smcu_llc_recv(lgr, msg, len);
		return;
	}
	m = smcu_member_lookup(lgr, smcu_get_be32(msg + CDC_TOKEN));
	if (m)
		m->ops->cdc(m, msg, len);
}

static void on_sent(void *priv, void *owner, u64 cookie)
{
	struct smcu_member *m = owner;

	m->ops->sent(m, cookie);
}

static void on_room(void *priv)
{
	smcu_member_room(priv);
}

/* Any context, with any lock of ours: work does the rest. The group waits for it after it has closed the endpoint. */
static void on_down(void *priv, int err)
{
	struct smcu_lgr *lgr = priv;

	/* Nothing comes any more. */
	complete_all(&lgr->peer_through);
	queue_work(smcu_link_wq, &lgr->down_work);
}

const struct smcu_xport_user smcu_link_xport_user = {
	.recv = on_recv,
	.sent = on_sent,
	.room = on_room,
	.down = on_down,
};
