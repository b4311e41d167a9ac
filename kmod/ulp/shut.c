// SPDX-License-Identifier: GPL-2.0
/*
 * shutdown, close, disconnect, abort.
 *
 * Teardown. close(2) on a connection that is SMC, or may become it, does not wait (but for SO_LINGER): the struct socket is detached
 * and the engine takes over the descriptor's reference. It sends what is queued, then "closed", then TCP's FIN, so that TIME_WAIT is on
 * the side that closed first; waits for the peer's "closed", but no longer than TCP would in FIN_WAIT2; gives the rings back; and
 * calls TCP's close. Should the peer never answer, it is told "abnormal" and its key to our ring is taken away. A program that was
 * killed is closed in the same way, so what it wrote arrives. A close with unread data is "abnormal" at once, and a reset for TCP.
 *
 * sk_shutdown belongs to TCP, whose FINs have no meaning for the data; what the program has shut down is in ctx->shut.
 */
#include <linux/module.h>
#include "ulp/internal.h"

#define IDLE_TIMEOUT (20 * HZ)		/* for the last completion; longer than any retry of an adapter */
#define ABORT_TIMEOUT (2 * HZ)		/* after "abnormal" nothing is owed; what the peer wrote before it knew has come by then */

void smcu_shutdown(struct sock *sk, int how)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);

	sock_owned_by_me(sk);
	switch (ctx->mode) {
	case SMCU_M_HS:
	case SMCU_M_FLUSH:
	case SMCU_M_SMC:
		WRITE_ONCE(ctx->shut, ctx->shut | how);
		/*
		 * CLC messages and early data still have to go out, and in the handshake to come in; TCP is shut down when that
		 * is done. Reading is TCP's in FLUSH already, and always closed where the peer has closed.
		 */
		if (ctx->mode == SMCU_M_FLUSH || sock_flag(sk, SOCK_DONE))
			how &= ~RCV_SHUTDOWN;
		if (sk->sk_state != TCP_CLOSE)
			WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown & ~how);
		if (ctx->mode == SMCU_M_SMC && how & SEND_SHUTDOWN)
			smcu_conn_shutdown(ctx->conn);
		smcu_wake_all(sk);
		break;
	default:
		ctx->base->shutdown(sk, how);
	}
}

static void begin_close(struct smcu_ctx *ctx, bool abort)
{
	ctx->close_begun = true;
	ctx->aborted = abort;
	ctx->close_deadline = jiffies + (abort ? ABORT_TIMEOUT : SMCU_PROGRESS_TIMEOUT);
	smcu_conn_close(ctx->conn, abort);
}

/* SO_LINGER: wait until the peer's side has everything. Socket locked. */
static void linger(struct smcu_ctx *ctx, long timeout)
{
	struct sock *sk = ctx->sk;
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct smcu_conn_view v;

	if (!sk_sleep(sk))
		return;
	add_wait_queue(sk_sleep(sk), &wait);
	while (timeout && !signal_pending(current)) {
		u8 mode = ctx->mode;

		if (mode == SMCU_M_TCP || mode == SMCU_M_DEAD)
			break;
		if (mode == SMCU_M_SMC) {
			if (!ctx->close_begun)
				begin_close(ctx, false);
			smcu_conn_look(ctx->conn, &v, true);
			if (!v.tx_unacked || v.err || v.peer_gone)
				break;
		}
		release_sock(sk);
		timeout = wait_woken(&wait, TASK_INTERRUPTIBLE, timeout);
		lock_sock(sk);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
}

/* Everything that is going on ends, and the mode DEAD keeps everybody out. Called with the socket locked, returns without. */
static void stop_unlock(struct smcu_ctx *ctx)
{
	smcu_engine_left_hs(ctx);
	WRITE_ONCE(ctx->mode, SMCU_M_DEAD);
	/* The engine takes the lock. */
	release_sock(ctx->sk);
	smcu_engine_stop(ctx, jiffies + SMCU_LEAVE_TIMEOUT);
}

/*
 * Reset, now: for SO_LINGER with 0 before the handshake has ended, which would otherwise be waited for, and where too many closed sockets
 * are waited for already. Socket locked; it is TCP's afterwards. It sleeps for the step that the engine is at, and up to a tenth of a
 * second where the peer's adapter has not acknowledged what was sent: a ring that is not waited for is lost until the group ends.
 */
static void reset_now(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	stop_unlock(ctx);
	lock_sock(sk);
	sock_set_flag(sk, SOCK_LINGER);
	WRITE_ONCE(sk->sk_lingertime, 0);
}

/* The engine goes on with it. Return: false where a namespace has too many of those that still have something to send. */
static bool detach(struct smcu_ctx *ctx)
{
	struct smcu_conn_view v;

	if (ctx->mode != SMCU_M_SMC || !smcu_ulp_look(ctx, &v, false) || v.tx_unsent) {
		if (atomic_inc_return(&ctx->sn->detached) > SMCU_MAX_DETACHED) {
			atomic_dec(&ctx->sn->detached);
			return false;
		}
		ctx->detached = true;
	}
	ctx->close_last = jiffies + SMCU_CLOSE_TIMEOUT;
	WRITE_ONCE(ctx->closing, true);
	smcu_attach_detach_socket(ctx->sk);
	smcu_engine_kick(ctx, 0);
	return true;
}

void smcu_close(struct sock *sk, long timeout)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	struct proto *base = ctx->base;
	bool abort;

	/*
	 * TCP's close may destroy the socket and with it the ULP's reference on this module while we are still in it. What is left
	 * after our own put is waited for by synchronize_rcu_tasks() in the module's exit.
	 */
	__module_get(THIS_MODULE);
	if (sk->sk_state == TCP_LISTEN)
		smcu_listen_quiesce(ctx);
	lock_sock(sk);
	switch (ctx->mode) {
	case SMCU_M_HS:
	case SMCU_M_FLUSH:
	case SMCU_M_SMC:
		/* As TCP: unread data, or SO_LINGER with 0, means a reset. */
		abort = sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime;
		if (ctx->mode == SMCU_M_SMC) {
			if (smcu_conn_rx_avail(ctx->conn))
				abort = true;
			begin_close(ctx, abort);
		}
		if (timeout && !abort)
			linger(ctx, timeout);
		if (ctx->mode == SMCU_M_TCP)
			break;
		if (!(abort && ctx->mode == SMCU_M_HS) && detach(ctx)) {
			release_sock(sk);
			goto out;
		}
		reset_now(ctx);
		break;
	default:
		break;
	}
	smcu_synopt_done(ctx);
	WRITE_ONCE(ctx->mode, SMCU_M_TCP);
	smcu_attach_restore(ctx);
	release_sock(sk);
	base->close(sk, timeout);
out:
	module_put(THIS_MODULE);
}

bool smcu_shut_is_late(const struct smcu_ctx *ctx)
{
	return time_after_eq(jiffies, ctx->close_deadline) || time_after_eq(jiffies, ctx->close_last);
}

void smcu_shut_uncount(struct smcu_ctx *ctx)
{
	if (ctx->detached)
		atomic_dec(&ctx->sn->detached);
	ctx->detached = false;
}

/*
 * Nothing is left to be sent: TCP's FIN, or a reset behind "abnormal", for what the peer's program asks TCP. A peer like us does not
 * let it overtake the link (see smcu_error_report()), and Linux does not look.
 */
static void end_tcp(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;

	if (ctx->fin_sent)
		return;
	ctx->fin_sent = true;
	smcu_shut_uncount(ctx);
	lock_sock(sk);
	if (ctx->aborted) {
		ctx->base->disconnect(sk, 0);
	} else {
		ctx->close_deadline = jiffies + READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_fin_timeout);
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		ctx->base->shutdown(sk, SEND_SHUTDOWN);
	}
	release_sock(sk);
}

bool smcu_shut_step(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	struct smcu_conn_view v;

	if (!ctx->close_begun)
		begin_close(ctx, smcu_conn_rx_avail(ctx->conn) || (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime));
	smcu_conn_look(ctx->conn, &v, false);
	if (ctx->aborted ? smcu_conn_is_idle(ctx->conn) : !v.tx_unsent)
		end_tcp(ctx);
	if (!v.done) {
		if (v.tx_unsent && v.tx_unsent != ctx->close_left)
			ctx->close_deadline = jiffies + SMCU_PROGRESS_TIMEOUT;
		ctx->close_left = v.tx_unsent;
		if (!smcu_shut_is_late(ctx) && (ctx->aborted || !READ_ONCE(ctx->tcp_reset))) {
			smcu_engine_kick(ctx, HZ);
			return false;
		}
		if (!ctx->aborted) {
			begin_close(ctx, true);
			ctx->close_last = ctx->close_deadline;
			smcu_engine_kick(ctx, ABORT_TIMEOUT);
			return false;
		}
	}
	/* A peer that takes nothing must not hold a thread: come again, the completion kicks earlier. */
	if (!smcu_conn_is_idle(ctx->conn) && time_before(jiffies, ctx->close_deadline + IDLE_TIMEOUT)) {
		smcu_engine_kick(ctx, HZ / 10);
		return false;
	}
	end_tcp(ctx);
	smcu_conn_leave(ctx->conn, jiffies);
	return true;
}

int smcu_disconnect(struct sock *sk, int flags)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	int err;

	/* TCP disconnects children that nobody has accepted through the listener's table, in softirq context. */
	if (!ctx || !sk->sk_socket)
		return smcu_prot_base(sk)->disconnect(sk, flags);
	if (sk->sk_state == TCP_LISTEN) {
		/* Engines of children take locks of the same class: not under this one. */
		release_sock(sk);
		smcu_listen_quiesce(ctx);
		lock_sock(sk);
		/* Somebody else may have ended it meanwhile. */
		err = 0;
		if (sk->sk_state == TCP_LISTEN) {
			WRITE_ONCE(sk->sk_prot, ctx->base);
			err = ctx->base->disconnect(sk, flags);
			WRITE_ONCE(sk->sk_prot, smcu_prot_for(sk));
			/* It may have been converted as a listener, and become a client. */
			ctx->server = false;
		}
		smcu_listen_reopen(ctx);
		return err;
	}
	switch (ctx->mode) {
	case SMCU_M_HS:
	case SMCU_M_FLUSH:
	case SMCU_M_SMC:
		stop_unlock(ctx);
		/* The pin is dropped after a grace period, and there will be a new one. */
		if (READ_ONCE(ctx->unpinning))
			rcu_barrier();
		lock_sock(sk);
		smcu_engine_drop_conn(ctx);
		break;
	case SMCU_M_DEAD:
		/* Another thread is in the middle of this. */
		return -EBUSY;
	case SMCU_M_TCP:
		return ctx->base->disconnect(sk, flags);
	default:
		break;
	}
	smcu_synopt_done(ctx);
	smcu_attach_unhook(ctx);
	memset(&ctx->hs, 0, sizeof(ctx->hs));
	smcu_hs_init(&ctx->hs, &smcu_engine_hs_ops, sk, false);
	ctx->server = false;
	ctx->err_posted = 0;
	ctx->err_taken = false;
	ctx->tcp_reset = false;
	ctx->tcp_err = 0;
	ctx->reset_at = 0;
	ctx->close_deadline = 0;
	ctx->shut = 0;
	ctx->close_begun = false;
	ctx->aborted = false;
	ctx->fin_sent = false;
	ctx->flush_delay = 0;
	ctx->flush_taken = false;
	WRITE_ONCE(ctx->mode, SMCU_M_INIT);
	/* After the mode: a late run of the engine must not find DEAD, and clean up what was set up anew. Pairs with its look. */
	smp_store_release(&ctx->stopping, false);
	return ctx->base->disconnect(sk, flags);
}

int smcu_diag_destroy(struct sock *sk, int err)
{
	struct proto *base = smcu_prot_base(sk);
	struct smcu_ctx *ctx;

	if (!sk_fullsock(sk) || inet_sk_state_load(sk) != TCP_LISTEN)
		return base->diag_destroy(sk, err);
	/* A BPF iterator is atomic, and quiescing the children is not. */
	if (has_current_bpf_ctx())
		return -EBUSY;
	rcu_read_lock();
	ctx = smcu_ulp_ctx(sk);
	if (ctx && !refcount_inc_not_zero(&ctx->ref))
		ctx = NULL;
	rcu_read_unlock();
	if (ctx)
		smcu_listen_quiesce(ctx);
	err = base->diag_destroy(sk, err);
	if (ctx) {
		smcu_listen_reopen(ctx);
		smcu_attach_put(ctx);
	}
	return err;
}
