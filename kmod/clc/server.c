// SPDX-License-Identifier: GPL-2.0
/* What a server does in a handshake: actions of the table in proto/hs_fsm.c. May sleep, socket not locked. */
#include <net/ipv6.h>
#include <net/sock.h>
#include "clc/internal.h"

int smcu_clc_server_negotiate(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;
	enum smcu_reason reason;
	struct smcu_hop hop;

	reason = smcu_clc_find_path(hs);
	if (reason != SMCU_R_NONE)
		return smcu_clc_fail(hs, reason, -ENODEV);
	reason = smcu_negotiate_server(&x->prop, x->eids[0], x->n_eids, &x->terms);
	if (reason != SMCU_R_NONE)
		return smcu_clc_fail(hs, reason, -EPROTO);
	/* Is there one at all? The neighbour is not waited for: the peer has proved nothing yet. */
	if (smcu_path_route(&x->path, x->prop.gid_v2, x->prop.mac, false, &hop))
		return smcu_clc_fail(hs, SMCU_R_NO_SMCR_DEVICE, -EHOSTUNREACH);
	x->direct = hop.direct;
	x->spec.net = sock_net(hs->sk);
	x->spec.role = SMCU_SERVER;
	memcpy(x->spec.peer_id, x->prop.peer_id, sizeof(x->spec.peer_id));
	memcpy(x->spec.peer_gid, x->prop.gid_v2, sizeof(x->spec.peer_gid));
	if (hs->sk->sk_family == AF_INET6)
		memcpy(x->spec.peer_addr, &hs->sk->sk_v6_daddr, sizeof(x->spec.peer_addr));
	else
		ipv6_addr_set_v4mapped(hs->sk->sk_daddr, (struct in6_addr *)x->spec.peer_addr);
	x->spec.path = x->path;
	x->spec.terms = x->terms;
	return 0;
}

int smcu_clc_server_first(struct smcu_hs *hs)
{
	int err;

	/* Making it, or failing to, uses up the right that smcu_lgr_find_server() gave. */
	hs->x->may_make = false;
	err = smcu_clc_first(hs);
	if (err)
		return err;
	return smcu_clc_answer_send(hs, SMCU_CLC_ACCEPT, true);
}

int smcu_clc_server_join(struct smcu_hs *hs)
{
	int err;

	err = smcu_lgr_rkey_confirm(hs->lgr, smcu_conn_rmb(hs->conn), &hs->waiter, &hs->rkey_outcome);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_RKEY_CONFIRM, err);
	return 0;
}

int smcu_clc_server_leave(struct smcu_hs *hs)
{
	enum smcu_reason reason;

	smcu_conn_leave(hs->conn, jiffies);
	smcu_conn_renew(hs->conn);
	smcu_lgr_put(hs->lgr);
	hs->lgr = NULL;
	reason = smcu_clc_find_path(hs);
	if (reason != SMCU_R_NONE)
		return smcu_clc_fail(hs, reason, -ENODEV);
	hs->x->spec.path = hs->x->path;
	return 0;
}

int smcu_clc_server_accept(struct smcu_hs *hs)
{
	return smcu_clc_answer_send(hs, SMCU_CLC_ACCEPT, false);
}

int smcu_clc_server_confirm(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;
	enum smcu_reason reason;

	reason = smcu_negotiate_confirm(&x->answer, &x->terms, hs->first);
	if (reason != SMCU_R_NONE)
		return smcu_clc_fail(hs, reason, -EPROTO);
	/* The ring is the group's peer's, or the confirm is not. */
	if (hs->first)
		smcu_lgr_learn(hs->lgr, x->answer.rkey, x->answer.rmb_addr);
	else if (!smcu_lgr_knows(hs->lgr, x->answer.rkey, x->answer.rmb_addr))
		return smcu_clc_fail(hs, SMCU_R_RKEY_CONFIRM, -EACCES);
	smcu_conn_set_peer(hs->conn, &x->answer);
	return 0;
}

int smcu_clc_server_link(struct smcu_hs *hs)
{
	struct smcu_clc_answer *a = &hs->x->answer;
	struct smcu_xaddr peer = { .qpn = a->qpn, .psn = a->psn, .mtu = a->mtu };
	int err;

	err = smcu_clc_server_confirm(hs);
	if (err)
		return err;
	/* The GID is the proposal's, on which the route was checked and the group's identity rests (section 2.3). */
	memcpy(peer.gid, hs->x->prop.gid_v2, sizeof(peer.gid));
	memcpy(peer.mac, a->mac, sizeof(peer.mac));
	err = smcu_lgr_set_peer(hs->lgr, &peer, a->peer_id, true);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_LINK_UP, err);
	err = smcu_lgr_confirm(hs->lgr, &hs->waiter);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_LINK_UP, err);
	return 0;
}
