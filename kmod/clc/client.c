// SPDX-License-Identifier: GPL-2.0
/* What a client does in a handshake: actions of the table in proto/hs_fsm.c. May sleep, socket not locked. */
#include <net/sock.h>
#include "clc/internal.h"

int smcu_clc_client_propose(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;
	struct smcu_clc_proposal *p = &x->prop;
	enum smcu_reason reason;
	int err;

	p->version = 2;
	reason = smcu_clc_find_path(hs);
	if (reason != SMCU_R_NONE)
		return smcu_clc_fail(hs, reason, -ENODEV);
	if (!x->n_eids)
		return smcu_clc_fail(hs, SMCU_R_CONFIG, -EINVAL);
	p->typev1 = SMCU_KIND_NONE;
	p->typev2 = SMCU_KIND_R;
	smcu_dev_peer_id(p->peer_id);
	memcpy(p->gid, x->path.gid, sizeof(p->gid));
	memcpy(p->mac, x->path.mac, sizeof(p->mac));
	p->has_v2 = true;
	p->release = SMCU_RELEASE;
	p->n_eids = x->n_eids;
	memcpy(p->eid, x->eids, sizeof(x->eids));
	memcpy(p->gid_v2, x->path.gid, sizeof(p->gid_v2));
	p->max_conns = SMCU_CONNS_MAX;
	p->max_links = SMCU_LINKS_MAX;
	err = smcu_clc_send(hs, smcu_clc_proposal_encode(x->msg, sizeof(x->msg), p));
	/* Not held while a peer has the word: a port that goes waits for those who hold its path. */
	smcu_clc_drop_path(hs);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_INTERNAL, err);
	return 0;
}

static int check_accept(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;
	enum smcu_reason reason;

	reason = smcu_negotiate_client(&x->answer, x->eids[0], x->n_eids, &x->terms);
	if (reason != SMCU_R_NONE)
		return smcu_clc_fail(hs, reason, -EPROTO);
	return 0;
}

int smcu_clc_client_first(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;
	struct smcu_clc_answer *a = &x->answer;
	struct smcu_xaddr peer = { .qpn = a->qpn, .psn = a->psn, .mtu = a->mtu };
	enum smcu_reason reason;
	int err;

	err = check_accept(hs);
	if (err)
		return err;
	/* The end that was proposed, if it is still there. */
	reason = smcu_clc_find_path(hs);
	if (reason == SMCU_R_NONE && (memcmp(x->path.gid, x->prop.gid, SMCU_GID_LEN) ||
				      memcmp(x->path.mac, x->prop.mac, SMCU_MAC_LEN)))
		reason = SMCU_R_NO_DEVICE;
	if (reason != SMCU_R_NONE)
		return smcu_clc_fail(hs, reason, -ENODEV);
	x->spec.net = sock_net(hs->sk);
	x->spec.role = SMCU_CLIENT;
	memcpy(x->spec.peer_id, a->peer_id, sizeof(a->peer_id));
	memcpy(x->spec.peer_gid, a->gid, sizeof(a->gid));
	x->spec.path = x->path;
	x->spec.terms = x->terms;
	x->direct = a->direct;
	err = smcu_clc_first(hs);
	if (err)
		return err;
	smcu_conn_set_peer(hs->conn, a);
	smcu_lgr_learn(hs->lgr, a->rkey, a->rmb_addr);
	memcpy(peer.gid, a->gid, sizeof(peer.gid));
	memcpy(peer.mac, a->mac, sizeof(peer.mac));
	err = smcu_lgr_set_peer(hs->lgr, &peer, a->peer_id, a->direct);
	if (err == -EHOSTUNREACH)
		return smcu_clc_fail(hs, SMCU_R_NO_ROUTE, err);
	if (err == -EPROTO)
		return smcu_clc_fail(hs, SMCU_R_INDIRECT, err);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_LINK_UP, err);
	err = smcu_lgr_confirm(hs->lgr, &hs->waiter);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_LINK_UP, err);
	return smcu_clc_answer_send(hs, SMCU_CLC_CONFIRM, true);
}

int smcu_clc_client_join(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;
	struct smcu_clc_answer *a = &x->answer;
	struct smcu_lgr *lgr;
	int err;

	err = check_accept(hs);
	if (err)
		return err;
	lgr = smcu_lgr_find_client(sock_net(hs->sk), a->peer_id, a->gid, a->qpn, a->rkey, a->rmb_addr);
	/* A group that is there, and a ring that is not its peer's: somebody lies, and the group must not suffer. */
	if (lgr == ERR_PTR(-EACCES))
		return smcu_clc_fail(hs, SMCU_R_NO_LINK, -EACCES);
	if (IS_ERR(lgr)) {
		hs->out_of_sync = true;
		return smcu_clc_fail(hs, SMCU_R_SYNC, -ENOLINK);
	}
	hs->lgr = lgr;
	err = smcu_clc_join(hs);
	if (err)
		return err;
	smcu_conn_set_peer(hs->conn, a);
	err = smcu_lgr_rkey_confirm(hs->lgr, smcu_conn_rmb(hs->conn), &hs->waiter, &hs->rkey_outcome);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_RKEY_CONFIRM, err);
	return 0;
}

int smcu_clc_client_confirm(struct smcu_hs *hs)
{
	return smcu_clc_answer_send(hs, SMCU_CLC_CONFIRM, false);
}
