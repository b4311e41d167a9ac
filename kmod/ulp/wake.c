// SPDX-License-Identifier: GPL-2.0
/*
 * Upcalls of conn/ to the sleepers of a socket. They come in softirq without the socket's lock, or from a call of ours, perhaps with it.
 * The struct sock is pinned, its wait queue is read under RCU as everywhere in the networking core.
 */
#include "ulp/internal.h"

static void wake(struct sock *sk, __poll_t events, int band_how, int band)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_sync_poll(&wq->wait, events);
	sk_wake_async_rcu(sk, band_how, band);
	rcu_read_unlock();
}

static void readable(void *owner)
{
	struct smcu_ctx *ctx = owner;

	wake(ctx->sk, EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND, SOCK_WAKE_WAITD, POLL_IN);
}

static void writable(void *owner)
{
	struct smcu_ctx *ctx = owner;

	wake(ctx->sk, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND, SOCK_WAKE_SPACE, POLL_OUT);
}

void smcu_wake_all(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_all(&wq->wait);
	sk_wake_async_rcu(sk, SOCK_WAKE_IO, POLL_OUT);
	sk_wake_async_rcu(sk, SOCK_WAKE_WAITD, POLL_IN);
	rcu_read_unlock();
}

static void event(void *owner)
{
	struct smcu_ctx *ctx = owner;
	struct smcu_conn_view v;

	if (!smcu_ulp_look(ctx, &v, false))
		return;
	if (v.err && smcu_ulp_mode(ctx) == SMCU_M_SMC) {
		/* For SO_ERROR, poll and the next call, as TCP would have it. */
		smcu_ulp_post_err(ctx, v.err);
		smcu_wake_all(ctx->sk);
	}
	if (READ_ONCE(ctx->closing))
		smcu_engine_kick(ctx, 0);
	else
		/* Without a key: who polls for nothing but EPOLLRDHUP is not woken by readable(). */
		smcu_wake_all(ctx->sk);
}

const struct smcu_conn_owner_ops smcu_wake_ops = {
	.readable = readable,
	.writable = writable,
	.event = event,
};
