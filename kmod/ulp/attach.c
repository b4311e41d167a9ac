// SPDX-License-Identifier: GPL-2.0
/*
 * The only place that writes or restores icsk_ulp_ops and _data, sk_prot, sk_socket->ops and the callbacks of a socket.
 *
 * Init runs in any context a BPF program may run in, with the socket locked: it allocates a few hundred bytes atomically and swaps
 * pointers. Everything that can sleep happens later, in the engine. Readers of sk_prot and ops are lockless, so each of our
 * methods works in every mode and a restored socket needs no grace period.
 */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/mptcp.h>
#include "ulp/internal.h"
#include "ulp/ulp.h"

static bool is_convertible(const struct sock *sk)
{
	if (sk->sk_type != SOCK_STREAM || sk->sk_protocol != IPPROTO_TCP || sk->sk_kern_sock)
		return false;
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return false;
	/* Not sockmap's, MPTCP's or another module's table: ours is a copy of TCP's. */
	return READ_ONCE(sk->sk_prot) == smcu_prot_base(sk) && smcu_prot_for(sk);
}

struct smcu_ctx *smcu_attach_ctx_new(struct sock *sk, bool server, gfp_t gfp)
{
	struct smcu_ctx *ctx = kzalloc(sizeof(*ctx), gfp);

	if (!ctx)
		return NULL;
	refcount_set(&ctx->ref, 1);
	ctx->sk = sk;
	ctx->sn = smcu_base_net(sock_net(sk));
	ctx->base = smcu_prot_base(sk);
	ctx->base_ops = smcu_prot_base_ops(sk);
	ctx->server = server;
	INIT_DELAYED_WORK(&ctx->work, smcu_engine_work);
	spin_lock_init(&ctx->lock);
	mutex_init(&ctx->quiesce);
	INIT_LIST_HEAD(&ctx->children);
	INIT_LIST_HEAD(&ctx->child_node);
	smcu_hs_init(&ctx->hs, &smcu_engine_hs_ops, sk, server);
	spin_lock_bh(&ctx->sn->socks_lock);
	list_add(&ctx->node, &ctx->sn->socks);
	spin_unlock_bh(&ctx->sn->socks_lock);
	smcu_stat_inc(ctx->sn, sockets);
	return ctx;
}

void smcu_attach_discard(struct smcu_ctx *ctx)
{
	spin_lock_bh(&ctx->sn->socks_lock);
	list_del(&ctx->node);
	spin_unlock_bh(&ctx->sn->socks_lock);
	smcu_shut_uncount(ctx);
	smcu_attach_put(ctx);
}

void smcu_attach_get(struct smcu_ctx *ctx)
{
	refcount_inc(&ctx->ref);
}

void smcu_attach_put(struct smcu_ctx *ctx)
{
	if (!refcount_dec_and_test(&ctx->ref))
		return;
	smcu_conn_put(ctx->conn);
	mem_cgroup_put(ctx->memcg);
	kfree_rcu(ctx, rcu);
}

void smcu_attach_hook(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	write_lock_bh(&sk->sk_callback_lock);
	if (!ctx->hooked) {
		ctx->saved_state_change = sk->sk_state_change;
		ctx->saved_data_ready = sk->sk_data_ready;
		ctx->saved_write_space = sk->sk_write_space;
		ctx->saved_error_report = sk->sk_error_report;
		WRITE_ONCE(sk->sk_state_change, smcu_state_change);
		WRITE_ONCE(sk->sk_data_ready, smcu_data_ready);
		WRITE_ONCE(sk->sk_write_space, smcu_write_space);
		WRITE_ONCE(sk->sk_error_report, smcu_error_report);
		ctx->hooked = true;
	}
	write_unlock_bh(&sk->sk_callback_lock);
}

static void unhook_locked(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	lockdep_assert_held_write(&sk->sk_callback_lock);
	if (!ctx->hooked)
		return;
	/* A kernel service that has accepted the socket may have put its own over ours. */
	if (sk->sk_state_change == smcu_state_change)
		WRITE_ONCE(sk->sk_state_change, ctx->saved_state_change);
	if (sk->sk_data_ready == smcu_data_ready)
		WRITE_ONCE(sk->sk_data_ready, ctx->saved_data_ready);
	if (sk->sk_write_space == smcu_write_space)
		WRITE_ONCE(sk->sk_write_space, ctx->saved_write_space);
	if (sk->sk_error_report == smcu_error_report)
		WRITE_ONCE(sk->sk_error_report, ctx->saved_error_report);
	ctx->hooked = false;
}

void smcu_attach_unhook(struct smcu_ctx *ctx)
{
	write_lock_bh(&ctx->sk->sk_callback_lock);
	unhook_locked(ctx);
	write_unlock_bh(&ctx->sk->sk_callback_lock);
}

void smcu_attach_restore(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	write_lock_bh(&sk->sk_callback_lock);
	unhook_locked(ctx);
	if (smcu_prot_is_ours(sk->sk_prot))
		WRITE_ONCE(sk->sk_prot, ctx->base);
	if (sk->sk_socket && sk->sk_socket->ops == smcu_prot_ops_for(sk))
		WRITE_ONCE(sk->sk_socket->ops, ctx->base_ops);
	write_unlock_bh(&sk->sk_callback_lock);
	if (tcp_sk(sk)->save_syn == SMCU_SAVE_SYN && sk->sk_state != TCP_LISTEN)
		tcp_sk(sk)->save_syn = 0;
}

void smcu_attach_accepted(struct sock *listener, struct socket *newsock)
{
	struct sock *sk = newsock->sk;
	struct smcu_ctx *ctx;

	lock_sock(sk);
	ctx = inet_csk(sk)->icsk_ulp_ops == &smcu_ulp_ops ? smcu_ulp_ctx(sk) : NULL;
	if (ctx)
		smcu_listen_unlink(ctx);
	write_lock_bh(&sk->sk_callback_lock);
	if (!smcu_prot_is_ours(sk->sk_prot))
		WRITE_ONCE(newsock->ops, smcu_prot_base_ops(listener));
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

void smcu_attach_adopt(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	sock_owned_by_me(sk);
	if (likely(!READ_ONCE(ctx->parent)) || !sk->sk_socket)
		return;
	smcu_listen_unlink(ctx);
	write_lock_bh(&sk->sk_callback_lock);
	if (smcu_prot_is_ours(sk->sk_prot) && sk->sk_socket->ops == ctx->base_ops)
		WRITE_ONCE(sk->sk_socket->ops, smcu_prot_ops_for(sk));
	write_unlock_bh(&sk->sk_callback_lock);
}

void smcu_attach_detach_socket(struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	sk_set_socket(sk, NULL);
	RCU_INIT_POINTER(sk->sk_wq, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

static int convert(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct smcu_ctx *ctx;

	sock_owned_by_me(sk);
	if (!is_convertible(sk))
		return -EOPNOTSUPP;
	if (sk->sk_state != TCP_LISTEN &&
	    (sk->sk_state != TCP_CLOSE || (sk->sk_socket && sk->sk_socket->state != SS_UNCONNECTED)))
		return -EISCONN;
	/*
	 * A connection that is over, such as a child that was reset before accept(): a program of lsm_cgroup/sock_graft has it with
	 * sk_callback_lock held, which is taken below.
	 */
	if (sk->sk_state == TCP_CLOSE && inet_sk(sk)->inet_dport)
		return -EISCONN;
	/* Repair has no handshake; a Fast Open that is under way has put data before any CLC message. */
	if (tp->repair || tp->fastopen_req || inet_test_bit(DEFER_CONNECT, sk))
		return -EOPNOTSUPP;
	if (!READ_ONCE(smcu_base_net(sock_net(sk))->enable))
		return -EOPNOTSUPP;
	/* Another thread is in one of TCP's methods and waits for the lock: it would go on there, and read or write what is not its. */
	if (waitqueue_active(&sk->sk_lock.wq))
		return -EBUSY;

	ctx = smcu_attach_ctx_new(sk, sk->sk_state == TCP_LISTEN, GFP_ATOMIC);
	if (!ctx)
		return -ENOMEM;
	/* A listener learns of its peers' option from the saved SYN. */
	if (!tp->save_syn)
		tp->save_syn = SMCU_SAVE_SYN;

	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_user_data) {
		write_unlock_bh(&sk->sk_callback_lock);
		goto err_busy;
	}
	/*
	 * The core assigns icsk_ulp_ops after we return; sockmap, which does not look at the socket's lock, must not find a socket
	 * between. The data comes before the table whose methods use it.
	 */
	icsk->icsk_ulp_ops = &smcu_ulp_ops;
	rcu_assign_pointer(icsk->icsk_ulp_data, (void __rcu *)ctx);
	/* Release: who sees the table sees the ctx; pairs with the dependency of every method on sk_prot. */
	smp_store_release(&sk->sk_prot, smcu_prot_for(sk));
	if (sk->sk_socket) {
		WRITE_ONCE(sk->sk_socket->ops, smcu_prot_ops_for(sk));
		/* The core has taken it away. Our sendmsg copies, so that the pages of io_uring's SEND_ZC are free when it returns. */
		set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	}
	write_unlock_bh(&sk->sk_callback_lock);
	return 0;

err_busy:
	if (tp->save_syn == SMCU_SAVE_SYN)
		tp->save_syn = 0;
	smcu_attach_discard(ctx);
	return -EBUSY;
}

static int ulp_init(struct sock *sk)
{
	int err = convert(sk);

	/* The core has cleared it in advance, and nothing but TCP will run on this socket. */
	if (err && sk->sk_socket)
		set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	return err;
}

/*
 * TCP destroys the socket, perhaps in softirq with its spinlock held. inet_csk_destroy_sock() still looks at sk_prot afterwards, so
 * that is TCP's before we return. What can sleep is left to the engine, which has a reference on the struct sock.
 */
static void ulp_release(struct sock *sk)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);

	if (!ctx)
		return;
	WRITE_ONCE(ctx->mode, SMCU_M_DEAD);
	smcu_attach_restore(ctx);
	if (smcu_prot_is_ours(sk->sk_prot))
		WRITE_ONCE(sk->sk_prot, ctx->base);
	smcu_synopt_done(ctx);
	smcu_listen_unlink(ctx);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	/* Not only to clean up: a timer that is running must not outlive the module. A socket that never got so far costs nothing. */
	if (ctx->kicked)
		smcu_engine_kick(ctx, 0);
	smcu_attach_discard(ctx);
}

/* Only sockmap calls this, and sockmap refuses sockets with a ULP; should it come, the base table is what it wants to set. */
static void ulp_update(struct sock *sk, struct proto *p, void (*write_space)(struct sock *sk))
{
	WRITE_ONCE(sk->sk_prot, p);
	WRITE_ONCE(sk->sk_write_space, write_space);
}

struct tcp_ulp_ops smcu_ulp_ops __read_mostly = {
	.name = SMCU_ULP_NAME,
	.owner = THIS_MODULE,
	.init = ulp_init,
	.update = ulp_update,
	.release = ulp_release,
	.clone = smcu_clone,
};

int smcu_ulp_request(struct sock *sk)
{
	if (!sk_fullsock(sk) || sk->sk_type != SOCK_STREAM || sk->sk_protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return -EOPNOTSUPP;
	/* TCP would say EEXIST, which of our own ULP means that there is nothing left to do. MPTCP's subflows come here. */
	if (inet_csk(sk)->icsk_ulp_ops && inet_csk(sk)->icsk_ulp_ops != &smcu_ulp_ops)
		return -EBUSY;
	/*
	 * The name is our own constant and we are registered, so nothing is autoloaded. In a BPF program setsockopt neither takes
	 * nor drops the socket's lock.
	 */
	return tcp_prot.setsockopt(sk, SOL_TCP, TCP_ULP, KERNEL_SOCKPTR(SMCU_ULP_NAME), strlen(SMCU_ULP_NAME));
}
EXPORT_SYMBOL_GPL(smcu_ulp_request);

int smcu_ulp_init(void)
{
	int err = tcp_register_ulp(&smcu_ulp_ops);

	if (err == -EEXIST) {
		pr_err("ULP \"" SMCU_ULP_NAME "\" is taken by the kernel's own module: modprobe -r smc_diag smc, and blacklist smc\n");
		/* modprobe takes EEXIST for "is loaded already" and says nothing. */
		err = -EBUSY;
	}
	return err;
}

void smcu_ulp_exit(void)
{
	tcp_unregister_ulp(&smcu_ulp_ops);
}
