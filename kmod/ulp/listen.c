// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners and their children. A child whose SYN and SYN-ACK carried the option gets a ctx of its own in clone(); its handshake
 * begins at ESTABLISHED, before accept(). Until it is accepted it is in the listener's list, since TCP destroys children of a
 * closing listener in softirq without asking: their engines must have stopped by then.
 */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include "compat/ops_shape.h"
#include "ulp/internal.h"

static int drain(read_descriptor_t *desc, struct sk_buff *skb, unsigned int off, size_t len)
{
	return len;
}

void smcu_listen_drain(struct sock *sk)
{
	read_descriptor_t desc = { .count = 1 };

	tcp_read_sock(sk, &desc, drain);
}

/* What it has inherited from the listener must not make TCP call only for many bytes: a program reads the first ones. */
static void drain_all(struct sock *child)
{
	child->sk_rcvlowat = 1;
	child->sk_data_ready = smcu_listen_drain;
}

/* False: the listener is going, and TCP will throw the child away. */
static bool link_child(struct smcu_ctx *parent, struct smcu_ctx *child)
{
	bool linked = false;

	spin_lock_bh(&parent->lock);
	if (!parent->quiescers && refcount_inc_not_zero(&parent->ref)) {
		smcu_attach_get(child);
		list_add_tail(&child->child_node, &parent->children);
		child->parent = parent;
		linked = true;
	}
	spin_unlock_bh(&parent->lock);
	return linked;
}

void smcu_clone(const struct request_sock *req, struct sock *newsk, const gfp_t gfp)
{
	struct inet_connection_sock *icsk = inet_csk(newsk);
	struct smcu_ctx *parent = smcu_ulp_ctx(newsk);	/* copied from the listener; freed by RCU */
	u8 save_syn = tcp_sk(newsk)->save_syn;
	struct mem_cgroup *memcg;
	struct smcu_ctx *ctx;

	rcu_assign_pointer(icsk->icsk_ulp_data, NULL);
	WRITE_ONCE(newsk->sk_prot, smcu_prot_base(newsk));
	tcp_sk(newsk)->save_syn = 0;
	/* The listener's O_ASYNC; a child without a wait queue that sends, as ours do, must not have it. */
	sock_reset_flag(newsk, SOCK_FASYNC);
	/*
	 * The allocation took a reference on the owner of the listener's table. It becomes the ULP's, and the child's creator is
	 * TCP's own table: so TIME_WAIT does not pin this module.
	 */
	if (smcu_prot_is_ours(newsk->sk_prot_creator)) {
		newsk->sk_prot_creator = smcu_prot_base(newsk);
	} else if (!try_module_get(THIS_MODULE)) {
		icsk->icsk_ulp_ops = NULL;
		return;
	}
	/* Only the saved SYN is touched, which other users of the request do not look at. */
	if (!smcu_synopt_agreed((struct request_sock *)req, save_syn == SMCU_SAVE_SYN) || !parent)
		goto plain;

	ctx = smcu_attach_ctx_new(newsk, true, gfp);
	if (!ctx) {
		drain_all(newsk);
		return;
	}
	/* TCP charges a child when it is accepted; ours may have rings before. The listener may be on its way out. */
	memcg = mem_cgroup_from_sk(parent->sk);
	if (memcg && mem_cgroup_tryget(memcg))
		ctx->memcg = memcg;
	if (!link_child(parent, ctx)) {
		/* Somebody may yet accept it before TCP gets to it. */
		smcu_attach_discard(ctx);
		drain_all(newsk);
		return;
	}
	icsk->icsk_ulp_ops = &smcu_ulp_ops;
	rcu_assign_pointer(icsk->icsk_ulp_data, (void __rcu *)ctx);
	WRITE_ONCE(newsk->sk_prot, smcu_prot_for(newsk));
	tcp_sk(newsk)->save_syn = save_syn;
	smcu_attach_hook(ctx);
	return;

plain:
	icsk->icsk_ulp_ops = NULL;
	module_put(THIS_MODULE);	/* not the last one: the listener has another */
}

void smcu_listen_unlink(struct smcu_ctx *child)
{
	struct smcu_ctx *parent;
	bool linked = false;

	/* Somebody else may unlink it and drop the parent's last reference: RCU keeps the memory while we look. */
	rcu_read_lock();
	parent = READ_ONCE(child->parent);
	if (parent) {
		spin_lock_bh(&parent->lock);
		linked = child->parent;
		if (linked) {
			list_del_init(&child->child_node);
			WRITE_ONCE(child->parent, NULL);
		}
		spin_unlock_bh(&parent->lock);
	}
	rcu_read_unlock();
	if (linked) {
		smcu_attach_put(child);
		smcu_attach_put(parent);
	}
}

void smcu_listen_quiesce(struct smcu_ctx *ctx)
{
	/* For all of them: a program that exits must not be kept for each child of a peer that is gone. */
	unsigned long until = jiffies + SMCU_LEAVE_TIMEOUT;
	struct smcu_ctx *child;
	struct sock *sk;

	mutex_lock(&ctx->quiesce);
	spin_lock_bh(&ctx->lock);
	ctx->quiescers++;
	while ((child = list_first_entry_or_null(&ctx->children, struct smcu_ctx, child_node))) {
		list_del_init(&child->child_node);
		WRITE_ONCE(child->parent, NULL);
		/* The struct sock may be on its way to be freed; if so its ULP was released and there is nothing to do. */
		sk = refcount_inc_not_zero(&child->sk->sk_refcnt) ? child->sk : NULL;
		spin_unlock_bh(&ctx->lock);
		if (sk) {
			bool ours, accepted;

			lock_sock_nested(sk, SINGLE_DEPTH_NESTING);
			/* Accepted, by a thread that does not know our accept: not TCP's to destroy, see smcu_attach_adopt(). */
			accepted = sk->sk_socket;
			ours = !accepted && child->mode != SMCU_M_TCP && child->mode != SMCU_M_DEAD;
			if (ours) {
				smcu_engine_left_hs(child);
				WRITE_ONCE(child->mode, SMCU_M_DEAD);
				smcu_attach_restore(child);
			}
			release_sock(sk);
			if (!accepted)
				smcu_engine_stop(child, until);
			if (ours)
				child->base->diag_destroy(sk, ECONNABORTED);
			sock_put(sk);
		}
		smcu_attach_put(child);
		smcu_attach_put(ctx);
		spin_lock_bh(&ctx->lock);
	}
	spin_unlock_bh(&ctx->lock);
	mutex_unlock(&ctx->quiesce);
}

void smcu_listen_reopen(struct smcu_ctx *ctx)
{
	spin_lock_bh(&ctx->lock);
	ctx->quiescers--;
	spin_unlock_bh(&ctx->lock);
}

int smcu_accept(struct socket *sock, struct socket *newsock, struct proto_accept_arg *arg)
{
	int err = smcu_compat_accept(smcu_prot_base_ops(sock->sk), sock, newsock, arg);

	if (!err)
		smcu_attach_accepted(sock->sk, newsock);
	return err;
}
