// SPDX-License-Identifier: GPL-2.0
/*
 * The engine of a socket: one work that does the next step of whatever the mode demands - handshake, flushing after a fallback,
 * closing, cleaning up. Everything that may sleep happens here, never in a callback and never with the socket locked but for
 * moments. A queued work holds a reference on the struct sock and on the ctx, so neither can go away under it; whether there is
 * still something to do it finds out by looking at the mode under the socket's lock.
 */
#include "ulp/internal.h"

#define RESET_GRACE (HZ / 5)

void smcu_engine_kick(struct smcu_ctx *ctx, unsigned long delay)
{
	struct sock *sk = ctx->sk;

	ctx->kicked = true;
	sock_hold(sk);
	smcu_attach_get(ctx);
	/*
	 * True: it was pending and holds its own references. A later time than the pending one is never asked for: an idle kick
	 * only prolongs what a step itself has set, and events kick with 0.
	 */
	if (delay ? !queue_delayed_work(smcu_sock_wq, &ctx->work, delay) :
		    mod_delayed_work(smcu_sock_wq, &ctx->work, 0)) {
		smcu_attach_put(ctx);
		sock_put(sk);
	}
}

bool smcu_engine_lock(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	bool got;

	might_sleep();
	spin_lock_bh(&sk->sk_lock.slock);
	got = !sock_owned_by_user_nocheck(sk);
	if (got)
		sk->sk_lock.owned = 1;
	else
		ctx->want_lock = true;
	spin_unlock_bh(&sk->sk_lock.slock);
	/* As lock_sock() says it, for the release_sock() that follows. */
	if (got)
		mutex_acquire(&sk->sk_lock.dep_map, 0, 1, _RET_IP_);
	return got;
}

void smcu_release_cb(struct sock *sk)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);

	smcu_prot_base(sk)->release_cb(sk);
	if (!ctx)
		return;
	/* TCP's accept() is one of those. */
	smcu_attach_adopt(ctx);
	if (ctx->want_lock) {
		ctx->want_lock = false;
		smcu_engine_kick(ctx, 0);
	}
}

static bool hs_lock(struct smcu_hs *hs)
{
	return smcu_engine_lock(container_of(hs, struct smcu_ctx, hs));
}

static void hs_kick(struct smcu_hs *hs, unsigned long delay)
{
	smcu_engine_kick(container_of(hs, struct smcu_ctx, hs), delay);
}

const struct smcu_hs_ops smcu_engine_hs_ops = { .kick = hs_kick, .lock = hs_lock };

void smcu_engine_begin(struct smcu_ctx *ctx)
{
	sock_hold(ctx->sk);
	smcu_attach_get(ctx);
	ctx->pinned = true;
	atomic_inc(&ctx->sn->handshakes);
	ctx->counted = true;
	smcu_hs_init(&ctx->hs, &smcu_engine_hs_ops, ctx->sk, ctx->server);
	ctx->hs.memcg = ctx->memcg;
	if (ctx->server)
		smcu_stat_inc(ctx->sn, hs_server);
	else
		smcu_stat_inc(ctx->sn, hs_client);
	/* TCP calls data_ready only from SO_RCVLOWAT on: not for CLC messages. Until they are over getsockopt() says 1. */
	ctx->rcvlowat = ctx->sk->sk_rcvlowat;
	WRITE_ONCE(ctx->sk->sk_rcvlowat, 1);
	WRITE_ONCE(ctx->mode, SMCU_M_HS);
	smcu_engine_kick(ctx, 0);
}

void smcu_engine_left_hs(struct smcu_ctx *ctx)
{
	if (ctx->mode != SMCU_M_HS)
		return;
	WRITE_ONCE(ctx->sk->sk_rcvlowat, ctx->rcvlowat);
}

int smcu_engine_conn(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	u32 snd = READ_ONCE(ctx->sn->wmem), rcv = READ_ONCE(ctx->sn->rmem);
	struct smcu_conn *conn;

	sock_owned_by_me(sk);
	if (ctx->conn)
		return 0;
	/* The kernel doubles what the program asks for, to allow for overhead that a ring does not have. */
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		snd = READ_ONCE(sk->sk_sndbuf) / 2;
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		rcv = READ_ONCE(sk->sk_rcvbuf) / 2;
	conn = smcu_conn_new(&smcu_wake_ops, ctx, ctx->sn, snd, rcv, GFP_KERNEL);
	if (!conn)
		return -ENOMEM;
	/* Pairs with smcu_ulp_look(). */
	smp_store_release(&ctx->conn, conn);
	return 0;
}

static void unpin_rcu(struct rcu_head *rcu)
{
	struct smcu_ctx *ctx = container_of(rcu, struct smcu_ctx, unpin_rcu);

	WRITE_ONCE(ctx->unpinning, false);
	sock_put(ctx->sk);
	smcu_attach_put(ctx);
}

/* The connection has left: no upcall of conn/ begins, but one may be running, and use the struct sock, for a grace period. */
static void unpin(struct smcu_ctx *ctx)
{
	if (ctx->counted)
		atomic_dec(&ctx->sn->handshakes);
	ctx->counted = false;
	if (!ctx->pinned)
		return;
	ctx->pinned = false;
	ctx->unpinning = true;
	call_rcu(&ctx->unpin_rcu, unpin_rcu);
}

/* The program is through with this socket, and so are we: TCP's close is the last thing, with the descriptor's reference. */
static void tcp_close_detached(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	lock_sock(sk);
	ctx->closing = false;
	smcu_shut_uncount(ctx);
	WRITE_ONCE(ctx->mode, SMCU_M_TCP);
	smcu_attach_restore(ctx);
	release_sock(sk);
	ctx->base->close(sk, 0);
}

/* The ends of a handshake. Each comes again if somebody has the socket: the handshake stays where it ended. */
static void become_smc(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	struct smcu_conn_view v;

	if (!smcu_engine_lock(ctx))
		return;
	if (ctx->mode == SMCU_M_HS) {
		smcu_engine_left_hs(ctx);
		if (ctx->server)
			smcu_stat_inc(ctx->sn, smc_server);
		else
			smcu_stat_inc(ctx->sn, smc_client);
		WRITE_ONCE(ctx->mode, SMCU_M_SMC);
		/* TCP's error was there for the program to see. */
		if (ctx->tcp_reset)
			WRITE_ONCE(ctx->err_posted, READ_ONCE(ctx->tcp_err));
		smcu_conn_start(ctx->conn);
		if (ctx->shut & SEND_SHUTDOWN)
			smcu_conn_shutdown(ctx->conn);
		/* The link may have been lost before the mode was there for the upcall to see. */
		smcu_conn_look(ctx->conn, &v, false);
		smcu_ulp_post_err(ctx, v.err);
	}
	if (ctx->counted)
		atomic_dec(&ctx->sn->handshakes);
	ctx->counted = false;
	release_sock(sk);
	smcu_wake_all(sk);
}

void smcu_engine_drop_conn(struct smcu_ctx *ctx)
{
	struct smcu_conn *conn = ctx->conn;

	sock_owned_by_me(ctx->sk);
	/* Lockless lookers are under RCU, and so is the memory. */
	WRITE_ONCE(ctx->conn, NULL);
	ctx->hs.conn = NULL;
	smcu_conn_put(conn);
}

static void become_tcp(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	bool flush = false;
	u32 left = 0;

	if (!smcu_engine_lock(ctx))
		return;
	if (ctx->mode == SMCU_M_HS) {
		smcu_engine_left_hs(ctx);
		ctx->diag = ctx->hs.diag;
		if (ctx->conn)
			smcu_conn_unsent(ctx->conn, &left);
		if (left || ctx->shut) {
			ctx->reason = ctx->hs.reason;
			/* Reading is TCP's from here, and so is its end. */
			WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | (ctx->shut & RCV_SHUTDOWN));
			WRITE_ONCE(ctx->mode, SMCU_M_FLUSH);
			flush = true;
		} else {
			smcu_fallback(ctx, ctx->hs.reason);
			smcu_engine_drop_conn(ctx);
		}
	}
	release_sock(sk);
	unpin(ctx);
	smcu_wake_all(sk);
	if (flush)
		smcu_engine_kick(ctx, 0);
}

/*
 * TCP's abort, for who has the socket's lock. Its disconnect resets and throws away what is left, and forgets as well what a program
 * may ask of a socket that was connected: that is put back.
 */
static void abort_locked(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	struct inet_sock *inet = inet_sk(sk);
	__be32 own = inet->inet_saddr, bound = inet->inet_rcv_saddr;
	__be16 dport = inet->inet_dport;
#if IS_ENABLED(CONFIG_IPV6)
	struct in6_addr bound6 = sk->sk_v6_rcv_saddr, own6 = {};

	if (inet->pinet6)
		own6 = inet->pinet6->saddr;
#endif

	sock_owned_by_me(sk);
	ctx->base->disconnect(sk, 0);
	inet->inet_dport = dport;
	/* A socket that keeps its port is found in the table of ports by the address that it has there now. */
	if (!inet_csk(sk)->icsk_bind_hash) {
		inet->inet_saddr = own;
		inet->inet_rcv_saddr = bound;
#if IS_ENABLED(CONFIG_IPV6)
		sk->sk_v6_rcv_saddr = bound6;
		if (inet->pinet6)
			inet->pinet6->saddr = own6;
#endif
	}
	/* The peer was first, and its error may have been taken by a read of ours. */
	if (!sk->sk_err)
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
}

/* What is on the stream is not what the program thinks. TCP's own abort would wait for the lock, which somebody may keep. */
static void fail(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	if (!smcu_engine_lock(ctx))
		return;
	if (ctx->mode == SMCU_M_HS) {
		smcu_stat_inc(ctx->sn, hs_failed);
		abort_locked(ctx);
		smcu_engine_left_hs(ctx);
		ctx->reason = ctx->hs.reason;
		WRITE_ONCE(ctx->mode, SMCU_M_TCP);
		smcu_attach_restore(ctx);
		smcu_engine_drop_conn(ctx);
	}
	release_sock(sk);
	unpin(ctx);
	smcu_wake_all(sk);
}

static void step_hs(struct smcu_ctx *ctx)
{
	int err;

	if (!ctx->hs.conn) {
		if (!smcu_engine_lock(ctx))
			return;
		err = smcu_engine_conn(ctx);
		release_sock(ctx->sk);
		if (err) {
			smcu_engine_kick(ctx, HZ / 10);
			return;
		}
		ctx->hs.conn = ctx->conn;
	}
	if (!smcu_hs_step(&ctx->hs))
		return;
	switch (ctx->hs.state) {
	case SMCU_HS_DONE:
		become_smc(ctx);
		break;
	case SMCU_HS_FALLBACK:
		become_tcp(ctx);
		break;
	default:
		fail(ctx);
		break;
	}
}

/* The socket was destroyed, or is being taken out of our hands: end whatever is going on, say so to the peer, let go. */
static void clean_up(struct smcu_ctx *ctx, unsigned long until)
{
	smcu_hs_cancel(&ctx->hs);
	if (ctx->conn) {
		/* The peer believes it is connected: "abnormal" must reach it. */
		if (ctx->hs.state == SMCU_HS_DONE)
			smcu_conn_start(ctx->conn);
		smcu_conn_close(ctx->conn, true);
		smcu_conn_leave(ctx->conn, until);
	}
	unpin(ctx);
}

/*
 * After the handshake nothing is said on TCP (protocol section 2.7) but by a peer that could not finish it: its decline, and what its
 * program sends over TCP. The lock: between a FIN's number and its flag it would look like a byte.
 */
static bool peer_speaks(struct smcu_ctx *ctx)
{
	bool speaks;

	if (!tcp_inq(ctx->sk) || !smcu_engine_lock(ctx))
		return false;
	speaks = tcp_inq(ctx->sk);
	release_sock(ctx->sk);
	return speaks;
}

/* A connection does not outlive its TCP. What was placed in the ring before a reset is counted first: a run of a softirq. */
static void tcp_has_ended(struct smcu_ctx *ctx)
{
	if (!ctx->reset_at)
		ctx->reset_at = (jiffies + RESET_GRACE) | 1;
	if (time_before(jiffies, ctx->reset_at))
		smcu_engine_kick(ctx, max_t(long, ctx->reset_at - jiffies, 1));
	else
		smcu_conn_reset(ctx->conn, READ_ONCE(ctx->tcp_err));
}

void smcu_engine_work(struct work_struct *work)
{
	struct smcu_ctx *ctx = container_of(to_delayed_work(work), struct smcu_ctx, work);
	struct sock *sk = ctx->sk;

	/* Pairs with smcu_disconnect(). */
	if (smp_load_acquire(&ctx->stopping))
		goto out;
	if (smcu_ulp_mode(ctx) == SMCU_M_HS)
		step_hs(ctx);
	/* What a step has led to is gone on with at once. */
	switch (smcu_ulp_mode(ctx)) {
	case SMCU_M_SMC:
		if (READ_ONCE(ctx->closing)) {
			if (smcu_shut_step(ctx)) {
				unpin(ctx);
				tcp_close_detached(ctx);
			}
		} else if (peer_speaks(ctx)) {
			smcu_conn_reset(ctx->conn, 0);
		} else if (inet_sk_state_load(sk) == TCP_CLOSE) {
			tcp_has_ended(ctx);
		}
		break;
	case SMCU_M_FLUSH:
		smcu_fallback_flush(ctx);
		break;
	case SMCU_M_DEAD:
		clean_up(ctx, jiffies + SMCU_LEAVE_TIMEOUT);
		break;
	default:
		break;
	}
	if (smcu_ulp_mode(ctx) == SMCU_M_TCP && READ_ONCE(ctx->closing))
		tcp_close_detached(ctx);
out:
	smcu_attach_put(ctx);
	sock_put(sk);
}

void smcu_engine_stop(struct smcu_ctx *ctx, unsigned long until)
{
	might_sleep();
	/* An answer on the link may queue it once more before clean_up() takes the waiter away; then it does nothing. */
	WRITE_ONCE(ctx->stopping, true);
	/*
	 * Flush, not cancel: while cancel waits, mod_delayed_work() says "queued" and is not, and a kick's references would be lost.
	 * A run that finds stopping drops its references.
	 */
	flush_delayed_work(&ctx->work);
	clean_up(ctx, until);
}
