// SPDX-License-Identifier: GPL-2.0
/* poll for each mode. Not connected, flushing and plain: TCP's answer, but nothing is to be written in FLUSH. */
#include <linux/poll.h>
#include "ulp/internal.h"

static __poll_t ring_writable(struct smcu_ctx *ctx)
{
	struct smcu_conn_view v;

	if (smcu_ulp_look(ctx, &v, true) && !v.writable)
		return 0;
	return EPOLLOUT | EPOLLWRNORM;
}

static __poll_t poll_smc(struct smcu_ctx *ctx, struct sock *sk)
{
	u8 shut = READ_ONCE(ctx->shut);
	struct smcu_conn_view v;
	__poll_t mask = 0;
	bool rdhup;

	if (!smcu_ulp_look(ctx, &v, true))
		return EPOLLHUP;	/* disconnected meanwhile */
	rdhup = v.eof || shut & RCV_SHUTDOWN;
	/*
	 * Half the ring at most, whatever the program asks for: what it has read and not announced, up to half, is still taken
	 * from the peer's window, and the peer waits.
	 */
	if (v.rx >= min_t(u32, sock_rcvlowat(sk, 0, INT_MAX), v.rx_size / 2) || rdhup)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (rdhup)
		mask |= EPOLLRDHUP;
	if (v.writable || shut & SEND_SHUTDOWN || v.peer_gone || v.err)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if ((rdhup && shut & SEND_SHUTDOWN) || v.err)
		mask |= EPOLLHUP;
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

__poll_t smcu_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	__poll_t mask;

	/* kernel_accept() gives a listener's operations to every child, the plain ones too. */
	if (!ctx)
		return smcu_prot_base_ops(sk)->poll(file, sock, wait);
	switch (smcu_ulp_mode(ctx)) {
	case SMCU_M_HS:
		sock_poll_wait(file, sock, wait);
		/* Look again: the mode may have changed before we were in the wait queue. */
		if (smcu_ulp_mode(ctx) != SMCU_M_HS)
			break;
		mask = READ_ONCE(sk->sk_err) ? EPOLLERR : 0;
		if (READ_ONCE(ctx->shut) & RCV_SHUTDOWN)
			mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
		if (inet_sk_state_load(sk) == TCP_CLOSE)
			return mask | EPOLLHUP | EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
		return mask | ring_writable(ctx);
	case SMCU_M_SMC:
		sock_poll_wait(file, sock, wait);
		return poll_smc(ctx, sk);
	default:
		break;
	}
	switch (smcu_ulp_mode(ctx)) {
	case SMCU_M_SMC:
		return poll_smc(ctx, sk);
	case SMCU_M_FLUSH:
		mask = ctx->base_ops->poll(file, sock, wait);
		/* The end of the mode wakes, but not who was not in the wait queue yet. */
		if (smcu_ulp_mode(ctx) == SMCU_M_FLUSH && !READ_ONCE(sk->sk_err) && !(READ_ONCE(ctx->shut) & SEND_SHUTDOWN) &&
		    inet_sk_state_load(sk) != TCP_CLOSE)
			mask &= ~(EPOLLOUT | EPOLLWRNORM);
		return mask;
	default:
		return ctx->base_ops->poll(file, sock, wait);
	}
}

int smcu_set_rcvlowat(struct sock *sk, int val)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);

	if (!ctx)
		return smcu_prot_base_ops(sk)->set_rcvlowat(sk, val);
	switch (ctx->mode) {
	case SMCU_M_HS:
		ctx->rcvlowat = val ? : 1;
		return 0;
	case SMCU_M_SMC:
		WRITE_ONCE(sk->sk_rcvlowat, val ? : 1);
		smcu_wake_all(sk);
		return 0;
	default:
		return ctx->base_ops->set_rcvlowat(sk, val);
	}
}
