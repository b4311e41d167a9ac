// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of a handshake: find out what has happened, ask the table in proto/hs_fsm.c, carry out the action. Called by the
 * engine of the socket (ulp/engine.c), which sees to it that there is one caller at a time.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#include <net/xfrm.h>
#include "clc/internal.h"

enum {
	NO_EVENT = 1000,	/* no event and no -errno */
	BUSY,			/* likewise; somebody has the socket's lock, and we run again when it is free */
	LOST,			/* nothing was found out in time, and no more can be */
};

static void hs_wake(struct smcu_waiter *w)
{
	struct smcu_hs *hs = w->priv;

	hs->ops->kick(hs, 0);
}

/* A decline is out, or would be if nobody had the socket's lock. At the end of the handshake as well it has its time to arrive. */
static void await_arrival(struct smcu_hs *hs)
{
	unsigned long least = jiffies + msecs_to_jiffies(SMCU_T_DECLINED);

	hs->arrived = false;
	hs->deadline = jiffies + msecs_to_jiffies(SMCU_T_ARRIVAL);
	if (time_before(hs->last, least))
		hs->last = least;
}

static void enter(struct smcu_hs *hs, u8 state)
{
	unsigned long end = jiffies + msecs_to_jiffies(smcu_hs_timeout_ms(state));

	hs->state = state;
	hs->late = false;
	hs->deadline = time_before(end, hs->last) ? end : hs->last;
	if (state == SMCU_HS_DECLINED)
		await_arrival(hs);
}

void smcu_hs_init(struct smcu_hs *hs, const struct smcu_hs_ops *ops, struct sock *sk, bool server)
{
	hs->ops = ops;
	hs->sk = sk;
	hs->last = jiffies + msecs_to_jiffies(SMCU_T_HANDSHAKE);
	enter(hs, server ? SMCU_HS_S_WAIT_PROPOSAL : SMCU_HS_C_START);
	smcu_waiter_init(&hs->waiter, hs_wake);
	hs->waiter.priv = hs;
}

enum smcu_reason smcu_clc_find_path(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;
	struct sock *sk = hs->sk;
	struct dst_entry *dst;
	__be32 laddr = 0;
	bool ipsec;
	int ifindex;

	if (sk->sk_family == AF_INET || ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
		laddr = inet_sk(sk)->inet_rcv_saddr;
	dst = sk_dst_get(sk);
	if (!dst)
		return SMCU_R_NO_ROUTE;
#ifdef CONFIG_XFRM
	ipsec = dst_xfrm(dst) || rcu_access_pointer(sk->sk_policy[0]) || rcu_access_pointer(sk->sk_policy[1]);
#else
	ipsec = false;
#endif
	rcu_read_lock();
	ifindex = dst->dev->ifindex;
	rcu_read_unlock();
	dst_release(dst);
	if (ipsec)
		return SMCU_R_IPSEC;
	if (smcu_path_find(sock_net(sk), ifindex, laddr, &x->path))
		return SMCU_R_NO_DEVICE;
	x->have_path = true;
	return SMCU_R_NONE;
}

void smcu_clc_drop_path(struct smcu_hs *hs)
{
	if (hs->x->have_path)
		smcu_path_put(&hs->x->path);
	hs->x->have_path = false;
}

int smcu_clc_join(struct smcu_hs *hs)
{
	struct mem_cgroup *memcg;
	int err;

	/*
	 * The rings are the program's, although it is not the program that is running here. A child belongs to no memory cgroup before it
	 * is accepted.
	 */
	memcg = set_active_memcg(mem_cgroup_from_sk(hs->sk) ?: hs->memcg);
	err = smcu_conn_join(hs->conn, hs->lgr);
	set_active_memcg(memcg);
	/* The group has a reference of its own; where it has no room another one will want this. */
	if (!err)
		smcu_clc_drop_path(hs);
	if (err == -ENOMEM)
		return smcu_clc_fail(hs, SMCU_R_NOMEM, err);
	if (err == -ENOTCONN || err == -ENOSPC)
		return smcu_clc_fail(hs, SMCU_R_NO_LINK, err);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_INTERNAL, err);
	return 0;
}

int smcu_clc_first(struct smcu_hs *hs)
{
	struct smcu_lgr *lgr = smcu_lgr_create(&hs->x->spec);

	if (IS_ERR(lgr))
		return smcu_clc_fail(hs, SMCU_R_LINK_UP, PTR_ERR(lgr));
	hs->lgr = lgr;
	hs->first = true;
	smcu_stat_inc(hs->x->sn, first_contact);
	return smcu_clc_join(hs);
}

int smcu_clc_answer_send(struct smcu_hs *hs, u8 type, bool first)
{
	struct smcu_hs_scratch *x = hs->x;
	struct smcu_clc_answer *a;
	int n, err;

	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return smcu_clc_fail(hs, SMCU_R_NOMEM, -ENOMEM);
	a->type = type;
	a->version = 2;
	a->kind = SMCU_KIND_R;
	a->first_contact = first;
	smcu_dev_peer_id(a->peer_id);
	smcu_conn_local(hs->conn, a);
	memcpy(a->eid, x->terms.eid, sizeof(a->eid));
	a->direct = x->direct;
	a->os = 2;	/* Linux */
	a->release = x->terms.release;
	memset(a->host, ' ', sizeof(a->host));
	n = strnlen(init_utsname()->nodename, sizeof(a->host));
	memcpy(a->host, init_utsname()->nodename, n);
	if (x->terms.release) {
		a->max_conns = x->terms.max_conns;
		a->max_links = x->terms.max_links;
	}
	err = smcu_clc_send(hs, smcu_clc_answer_encode(x->msg, sizeof(x->msg), a));
	kfree(a);
	if (err)
		return smcu_clc_fail(hs, SMCU_R_INTERNAL, err);
	return 0;
}

static int send_decline(struct smcu_hs *hs)
{
	struct smcu_clc_decline d = {
		.version = hs->x->prop.version == 1 ? 1 : 2,
		.out_of_sync = hs->out_of_sync,
		.diagnosis = smcu_reason_code(smcu_reason_is_wire(hs->reason) ? hs->reason : SMCU_R_INTERNAL),
	};

	smcu_dev_peer_id(d.peer_id);
	return smcu_clc_send(hs, smcu_clc_decline_encode(hs->x->msg, sizeof(hs->x->msg), &d));
}

static bool is_final(u8 state)
{
	return state == SMCU_HS_DONE || state == SMCU_HS_FALLBACK || state == SMCU_HS_FAILED;
}

/* The outcome is, if not yet all that the peer has to say about it. */
static bool is_decided(u8 state)
{
	return is_final(state) || state == SMCU_HS_DECLINED;
}

/* A message is there: which event is it? It is taken off the stream if it decodes. Socket locked. */
static int message_event(struct smcu_hs *hs, const struct smcu_clc_hdr *hdr)
{
	struct smcu_hs_scratch *x = hs->x;
	struct smcu_clc_decline d;
	int ev;

	switch (hdr->type) {
	case SMCU_CLC_PROPOSAL:
		if (hs->state != SMCU_HS_S_WAIT_PROPOSAL || smcu_clc_proposal_decode(x->msg, x->len, &x->prop))
			return SMCU_HE_BAD;
		ev = SMCU_HE_PROPOSAL;
		break;
	case SMCU_CLC_ACCEPT:
		if (hs->state != SMCU_HS_C_WAIT_ACCEPT || smcu_clc_answer_decode(x->msg, x->len, &x->answer))
			return SMCU_HE_BAD;
		ev = x->answer.first_contact ? SMCU_HE_ACCEPT_FC : SMCU_HE_ACCEPT_JOIN;
		break;
	case SMCU_CLC_CONFIRM:
		if ((hs->state != SMCU_HS_S_WAIT_CONFIRM && hs->state != SMCU_HS_S_WAIT_CONFIRM_FC) ||
		    smcu_clc_answer_decode(x->msg, x->len, &x->answer))
			return SMCU_HE_BAD;
		ev = SMCU_HE_CONFIRM;
		break;
	default:
		if (smcu_clc_decline_decode(x->msg, x->len, &d))
			return SMCU_HE_BAD;
		ev = SMCU_HE_DECLINE;
		if (hs->state == SMCU_HS_DECLINED)
			break;
		hs->diag = d.diagnosis;
		hs->reason = SMCU_R_PEER_DECLINED;
		/* An answer to our accept, which has named a group of ours; a client chooses none, and is not told so. */
		if (d.out_of_sync && hs->lgr && hs->state == SMCU_HS_S_WAIT_CONFIRM)
			smcu_lgr_out_of_sync(hs->lgr);
		break;
	}
	if (smcu_clc_consume(hs))
		return SMCU_HE_EOF;
	return ev;
}

/* What is next on the TCP stream? */
static int stream_event(struct smcu_hs *hs)
{
	struct smcu_clc_hdr hdr;
	int ev;

	if (!hs->ops->lock(hs))
		return BUSY;
	switch (smcu_clc_recv(hs, &hdr)) {
	case -EAGAIN:
		ev = NO_EVENT;
		break;
	case -ECONNRESET:
		ev = SMCU_HE_EOF;
		break;
	case -EPROTO:
		ev = SMCU_HE_BAD;
		break;
	default:
		ev = message_event(hs, &hdr);
		break;
	}
	release_sock(hs->sk);
	if (ev == SMCU_HE_BAD && hs->state != SMCU_HS_DECLINED)
		hs->reason = SMCU_R_NOT_CLC;
	if (ev == SMCU_HE_CONFIRM && !hs->late && hs->state == SMCU_HS_S_WAIT_CONFIRM && smcu_clc_server_confirm(hs))
		ev = SMCU_HE_LOCAL_FAIL;
	return ev;
}

/* An answer on the link that this state waits for. */
static int link_event(struct smcu_hs *hs)
{
	struct smcu_lgr *lgr;
	int err;

	switch (hs->state) {
	case SMCU_HS_S_WAIT_LGR:
		/* Whatever has made us look again: a waiter is in one list at a time. */
		smcu_waiter_cancel(&hs->waiter);
		while (!IS_ERR(lgr = smcu_lgr_find_server(&hs->x->spec, &hs->waiter))) {
			hs->lgr = lgr;
			err = smcu_clc_join(hs);
			if (!err)
				return SMCU_HE_LGR_JOIN;
			/* It ends, perhaps without the end being known yet: not to be found again. */
			if (err == -ENOTCONN)
				smcu_lgr_retire(lgr);
			else if (err != -ENOSPC)
				return SMCU_HE_LOCAL_FAIL;
			/* Or others were faster, and now it is full and not found any more. */
			hs->lgr = NULL;
			smcu_lgr_put(lgr);
		}
		if (lgr == ERR_PTR(-ENOENT)) {
			hs->x->may_make = true;
			return SMCU_HE_LGR_NEW;
		}
		if (lgr == ERR_PTR(-EINPROGRESS))
			return NO_EVENT;
		smcu_clc_fail(hs, SMCU_R_NO_LINK, 0);
		return SMCU_HE_LOCAL_FAIL;
	case SMCU_HS_C_WAIT_RKEY:
	case SMCU_HS_S_WAIT_RKEY:
		/* Written by link/ before it wakes us. */
		err = READ_ONCE(hs->rkey_outcome);
		switch (err) {
		case -EINPROGRESS:
			return NO_EVENT;
		case 0:
			return SMCU_HE_RKEY_OK;
		default:
			/* Where the adapter of the peer was replaced, say, or its table of keys is full: a new group will do. */
			if (hs->state == SMCU_HS_S_WAIT_RKEY) {
				if (err == -ECONNREFUSED)
					smcu_lgr_retire(hs->lgr);
				if (err == -ECONNREFUSED || smcu_lgr_state(hs->lgr) == SMCU_LGR_DEAD)
					return SMCU_HE_LGR_LOST;
			}
			smcu_clc_fail(hs, SMCU_R_RKEY_CONFIRM, 0);
			return SMCU_HE_LOCAL_FAIL;
		}
	case SMCU_HS_C_WAIT_LINK:
	case SMCU_HS_S_WAIT_LINK:
		switch (smcu_lgr_state(hs->lgr)) {
		case SMCU_LGR_ACTIVE:
			return SMCU_HE_LINK_UP;
		case SMCU_LGR_DEAD:
			smcu_clc_fail(hs, smcu_lgr_fail_reason(hs->lgr), 0);
			if (hs->reason == SMCU_R_NONE)
				hs->reason = SMCU_R_LINK_UP;
			return SMCU_HE_LOCAL_FAIL;
		default:
			return NO_EVENT;
		}
	default:
		return NO_EVENT;
	}
}

/* It is decided: others must not wait for what we hold. Harmless when done twice. */
static void let_go(struct smcu_hs *hs)
{
	struct smcu_hs_scratch *x = hs->x;

	smcu_waiter_cancel(&hs->waiter);
	if (hs->state != SMCU_HS_DONE && hs->conn)
		smcu_conn_leave(hs->conn, jiffies + SMCU_LEAVE_TIMEOUT);
	if (hs->lgr)
		smcu_lgr_put(hs->lgr);
	hs->lgr = NULL;
	if (!x)
		return;
	if (x->may_make)
		smcu_lgr_create_abandon(&x->spec);
	x->may_make = false;
	smcu_clc_drop_path(hs);
}

/*
 * The time is up, and whoever has the socket's lock keeps us from looking what has come, and from saying anything. Others must not
 * wait for what we hold; the rest waits for the lock, to the end of the handshake.
 */
static int be_late(struct smcu_hs *hs)
{
	/* What has been declined holds nothing, and waits for nothing but the stream as it is: whoever has the lock runs us again. */
	if (hs->state == SMCU_HS_DECLINED)
		return BUSY;
	if (time_after_eq(jiffies, hs->last)) {
		hs->reason = SMCU_R_TIMEOUT_CLC;
		return LOST;
	}
	let_go(hs);
	hs->late = true;
	hs->deadline = hs->last;
	return NO_EVENT;
}

/* Nothing has come, and the time is up. */
static int timeout_event(struct smcu_hs *hs)
{
	/* The second in which a decline may cross ours begins when ours is there: then the peer reads it before anything else. */
	if (hs->state == SMCU_HS_DECLINED && !hs->arrived) {
		hs->arrived = !smcu_clc_is_unacked(hs->sk);
		if (!hs->arrived && time_after_eq(jiffies, hs->last))
			return LOST;
		hs->deadline = jiffies + msecs_to_jiffies(hs->arrived ? SMCU_T_DECLINED : SMCU_T_ARRIVAL);
		return NO_EVENT;
	}
	if (hs->state == SMCU_HS_C_WAIT_LINK || hs->state == SMCU_HS_S_WAIT_LINK)
		hs->reason = SMCU_R_TIMEOUT_LINK;
	else if (hs->state != SMCU_HS_DECLINED)
		hs->reason = SMCU_R_TIMEOUT_CLC;
	return SMCU_HE_TIMEOUT;
}

static int next_event(struct smcu_hs *hs)
{
	int ev;

	/* Later than that the server may give up while the proposal is on its way: rather say no now. */
	if (hs->state == SMCU_HS_C_START)
		return time_after_eq(jiffies, hs->deadline) ? SMCU_HE_TIMEOUT : SMCU_HE_START;
	ev = hs->late ? NO_EVENT : link_event(hs);
	/* The peer may have seen it first, and its decline is not for the program: what it waits for is no answer. */
	if (ev == SMCU_HE_LOCAL_FAIL) {
		enum smcu_reason reason = hs->reason;

		if (stream_event(hs) == SMCU_HE_DECLINE)
			return SMCU_HE_DECLINE;
		hs->reason = reason;
	}
	if (ev != NO_EVENT)
		return ev;
	ev = stream_event(hs);
	if (ev == BUSY)
		return time_after_eq(jiffies, hs->deadline) ? be_late(hs) : NO_EVENT;
	/* Too late for an answer. */
	if (hs->late && ev != SMCU_HE_DECLINE && ev != SMCU_HE_EOF && ev != SMCU_HE_BAD)
		return timeout_event(hs);
	if (ev != NO_EVENT)
		return ev;
	return time_after_eq(jiffies, hs->deadline) ? timeout_event(hs) : NO_EVENT;
}

static int act(struct smcu_hs *hs, enum smcu_hs_action action)
{
	switch (action) {
	case SMCU_HA_PROPOSE:
		return smcu_clc_client_propose(hs);
	case SMCU_HA_FIRST_CLIENT:
		return smcu_clc_client_first(hs);
	case SMCU_HA_JOIN_CLIENT:
		return smcu_clc_client_join(hs);
	case SMCU_HA_CONFIRM:
		return smcu_clc_client_confirm(hs);
	case SMCU_HA_NEGOTIATE:
		return smcu_clc_server_negotiate(hs);
	case SMCU_HA_ACCEPT_FIRST:
		return smcu_clc_server_first(hs);
	case SMCU_HA_JOIN_SERVER:
		return smcu_clc_server_join(hs);
	case SMCU_HA_LEAVE:
		return smcu_clc_server_leave(hs);
	case SMCU_HA_ACCEPT_JOIN:
		return smcu_clc_server_accept(hs);
	case SMCU_HA_LINK_SERVER:
		return smcu_clc_server_link(hs);
	case SMCU_HA_DECLINE:
		return send_decline(hs);
	case SMCU_HA_NONE:
	case SMCU_HA_FINISH:
	case SMCU_HA_FALL_BACK:
	case SMCU_HA_FAIL:
		break;
	}
	return 0;
}

/* What the table says. An action that fails leaves the state as it was, unless it was the last one. */
static int take_step(struct smcu_hs *hs, int ev)
{
	u8 from = hs->state;
	struct smcu_hs_step step = smcu_hs_next(from, ev);
	int err;

	enter(hs, step.next);
	err = act(hs, step.action);
	if (err && !is_final(hs->state))
		hs->state = from;
	return err;
}

/* One event. Return: 0, NO_EVENT, BUSY where not even a deadline is waited for, or the error of the action. */
static int advance(struct smcu_hs *hs)
{
	int ev = next_event(hs);

	if (ev == NO_EVENT || ev == BUSY)
		return ev;
	if (ev == LOST) {
		hs->state = SMCU_HS_FAILED;
		return 0;
	}
	if ((hs->state == SMCU_HS_S_WAIT_PROPOSAL || hs->state == SMCU_HS_DECLINED) && hs->x->claims_clc &&
	    (ev == SMCU_HE_BAD || ev == SMCU_HE_EOF || ev == SMCU_HE_TIMEOUT)) {
		/* It calls itself CLC and is none, or half of one: not for the program, and nor is what follows. */
		hs->state = SMCU_HS_FAILED;
		return 0;
	}
	return take_step(hs, ev);
}

/* Our side can't go on. One try: without a decline the peer can't know. */
static void give_up(struct smcu_hs *hs, int err)
{
	/*
	 * A confirm or a decline that could not be sent leaves a peer that waits, half a message one that misunderstands what follows:
	 * no way back to TCP.
	 */
	if (is_decided(hs->state) || err == -EIO || take_step(hs, SMCU_HE_LOCAL_FAIL))
		hs->state = SMCU_HS_FAILED;
}

bool smcu_hs_step(struct smcu_hs *hs)
{
	bool held;
	int err;

	might_sleep();
	if (is_final(hs->state) && !hs->x)
		return true;
	if (!hs->x) {
		hs->x = kzalloc(sizeof(*hs->x), GFP_KERNEL);
		if (!hs->x) {
			hs->ops->kick(hs, HZ / 10);
			return false;
		}
		hs->x->sn = smcu_base_net(sock_net(hs->sk));
		hs->x->n_eids = smcu_base_eids(hs->x->sn, hs->x->eids[0]);
	}
	for (;;) {
		if (is_decided(hs->state))
			let_go(hs);
		held = hs->x->unsent;
		err = smcu_clc_flush(hs);
		if (!err && held && hs->state == SMCU_HS_DECLINED)
			await_arrival(hs);
		if (err == -EBUSY && !is_decided(hs->state) && time_after_eq(jiffies, hs->deadline)) {
			/* The peer has not got what it waits for, and others may wait for what we hold. */
			hs->reason = SMCU_R_TIMEOUT_CLC;
			hs->state = SMCU_HS_FAILED;
			hs->x->unsent = 0;
			continue;
		}
		if (err == -EBUSY) {
			/* Where all is decided the end of the lock is waited for, however long somebody keeps it. */
			if (!is_decided(hs->state))
				hs->ops->kick(hs, max_t(long, hs->deadline - jiffies, 1));
			return false;
		}
		if (!err && is_final(hs->state))
			break;
		if (err)
			hs->reason = SMCU_R_INTERNAL;
		else
			err = advance(hs);
		if (err == BUSY)
			return false;
		if (err == NO_EVENT) {
			hs->ops->kick(hs, max_t(long, hs->deadline - jiffies, 1));
			return false;
		}
		if (err)
			give_up(hs, err);
	}
	kfree(hs->x);
	hs->x = NULL;
	return true;
}

void smcu_hs_cancel(struct smcu_hs *hs)
{
	/* Over, and its last message is sent. */
	if (is_final(hs->state) && !hs->x)
		return;
	hs->state = SMCU_HS_FAILED;
	let_go(hs);
	kfree(hs->x);
	hs->x = NULL;
}
