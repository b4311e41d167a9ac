// SPDX-License-Identifier: GPL-2.0
/*
 * The one-way door to plain TCP.
 *
 * No byte is lost: what the program wrote early is in the ring and goes into TCP, in order, before the tables are switched back;
 * senders meanwhile append to the ring, never past it. What the peer sent after its last CLC message was not read by us and is TCP's.
 * No wakeup is lost: after the switch everybody is woken (by the caller, or by TCP's state change) and looks again through TCP's own
 * methods.
 */
#include "ulp/internal.h"

void smcu_fallback(struct smcu_ctx *ctx, enum smcu_reason reason)
{
	/* TCP's close would not wait for the engines of the children. */
	if (WARN_ON_ONCE(ctx->sk->sk_state == TCP_LISTEN))
		return;
	ctx->reason = reason;
	WRITE_ONCE(ctx->mode, SMCU_M_TCP);
	smcu_attach_restore(ctx);
	smcu_stat_fallback(ctx->sn, reason);
}

/* When to look again at a ring that TCP has no room for. */
static unsigned long flush_delay(struct smcu_ctx *ctx)
{
	/* TCP calls write_space; the timer is for memory pressure. */
	if (ctx->sk->sk_socket)
		return HZ;
	/* Not where there is no struct socket: more and more seldom. */
	ctx->flush_delay = clamp_t(unsigned long, ctx->flush_delay * 2, HZ / 100 + 1, HZ);
	return ctx->flush_delay;
}

bool smcu_fallback_flush(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	struct smcu_conn_view v;
	bool done = false;
	void *data;
	int n = 0;
	u32 len;

	if (!smcu_engine_lock(ctx))
		return false;
	if (ctx->mode != SMCU_M_FLUSH)
		goto out;
	for (;;) {
		data = smcu_conn_unsent(ctx->conn, &len);
		if (!len)
			break;
		n = smcu_clc_tcp_send(sk, data, len, false);
		if (n <= 0)
			break;
		smcu_conn_skip(ctx->conn, n);
		ctx->flush_delay = 0;
	}
	smcu_conn_look(ctx->conn, &v, false);
	if (ctx->closing) {
		/* The program is gone and TCP does not know it yet: a peer that takes nothing must not hold this for ever. */
		if (!ctx->close_deadline || v.tx_unsent != ctx->close_left)
			ctx->close_deadline = jiffies + SMCU_PROGRESS_TIMEOUT;
		ctx->close_left = v.tx_unsent;
	}
	/* -EPIPE: TCP can't send any more. */
	if (len && n != -EPIPE && !(ctx->closing && smcu_shut_is_late(ctx))) {
		smcu_engine_kick(ctx, flush_delay(ctx));
		goto out;
	}
	/* Sent, or TCP is dead and says so itself, or given up. */
	smcu_fallback(ctx, ctx->reason);
	smcu_engine_drop_conn(ctx);
	if (len && ctx->closing) {
		/* The peer must not take what has arrived for all there is: a reset, not the end of the stream. */
		sock_set_flag(sk, SOCK_LINGER);
		WRITE_ONCE(sk->sk_lingertime, 0);
	} else if (ctx->shut) {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | ctx->shut);
		ctx->base->shutdown(sk, ctx->shut);
	}
	done = true;
out:
	release_sock(sk);
	if (done)
		smcu_wake_all(sk);
	return done;
}
