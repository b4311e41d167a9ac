// SPDX-License-Identifier: GPL-2.0
/*
 * The client's way in, and the callbacks of a socket that is connecting or in the handshake. TCP calls them in softirq with the
 * socket's spinlock, or in process context with the socket owned; in both cases modes may change. A call that was on its way when
 * TCP destroyed the socket finds no ctx.
 */
#include "ulp/internal.h"

int smcu_connect(struct sock *sk, struct sockaddr_unsized *addr, int len)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	int err;

	sock_owned_by_me(sk);
	if (ctx->mode != SMCU_M_INIT)
		return ctx->base->connect(sk, addr, len);
	/* Repair restores a connection without a handshake. */
	if (tcp_sk(sk)->repair) {
		smcu_fallback(ctx, SMCU_R_SOCKOPT);
		return sk->sk_prot->connect(sk, addr, len);
	}
	/* Fast Open puts data into the SYN, where a CLC message would have to come first. */
	if (tcp_sk(sk)->fastopen_connect || tcp_sk(sk)->fastopen_req || inet_test_bit(DEFER_CONNECT, sk)) {
		smcu_fallback(ctx, SMCU_R_FASTOPEN);
		return sk->sk_prot->connect(sk, addr, len);
	}
	ctx->synack = false;
	WRITE_ONCE(ctx->mode, SMCU_M_CONNECT);
	smcu_attach_hook(ctx);
	err = ctx->base->connect(sk, addr, len);
	if (err && ctx->mode == SMCU_M_CONNECT) {
		smcu_synopt_done(ctx);
		smcu_attach_unhook(ctx);
		WRITE_ONCE(ctx->mode, SMCU_M_INIT);
	} else {
		smcu_synopt_expect(ctx);
	}
	return err;
}

void smcu_state_change(struct sock *sk)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	void (*saved)(struct sock *sk);

	if (!ctx)
		return;
	saved = ctx->saved_state_change;
	switch (ctx->mode) {
	case SMCU_M_INIT:
		if (ctx->server && sk->sk_state == TCP_ESTABLISHED) {
			if (tcp_sk(sk)->save_syn == SMCU_SAVE_SYN) {
				tcp_saved_syn_free(tcp_sk(sk));
				tcp_sk(sk)->save_syn = 0;
			}
			smcu_engine_begin(ctx);
		}
		break;
	case SMCU_M_CONNECT:
		if (sk->sk_state == TCP_ESTABLISHED) {
			if (ctx->synack)
				smcu_engine_begin(ctx);
			else
				smcu_fallback(ctx, SMCU_R_PEER_NO_SMC);
		} else if (sk->sk_state == TCP_CLOSE) {
			/* Refused or timed out: disconnect() follows, or close(). */
			smcu_synopt_done(ctx);
		}
		break;
	case SMCU_M_HS:
	case SMCU_M_SMC:
		if (sk->sk_state == TCP_CLOSE || ctx->mode == SMCU_M_HS)
			smcu_engine_kick(ctx, 0);
		/* The peer's FIN comes before the end of its data on the link, and is not for the program. */
		if (ctx->mode == SMCU_M_SMC)
			return;
		break;
	default:
		break;
	}
	saved(sk);
}

void smcu_data_ready(struct sock *sk)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);

	if (!ctx)
		return;
	switch (ctx->mode) {
	case SMCU_M_HS:
		smcu_engine_kick(ctx, 0);
		break;
	case SMCU_M_SMC:
		/* Not a FIN, but bytes: see the engine. */
		if (tcp_inq(sk))
			smcu_engine_kick(ctx, 0);
		break;
	default:
		ctx->saved_data_ready(sk);
	}
}

void smcu_write_space(struct sock *sk)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);

	if (!ctx)
		return;
	switch (ctx->mode) {
	case SMCU_M_FLUSH:
		smcu_engine_kick(ctx, 0);
		break;
	case SMCU_M_SMC:
		break;
	default:
		ctx->saved_write_space(sk);
	}
}

void smcu_error_report(struct sock *sk)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);

	if (!ctx)
		return;
	if (ctx->mode == SMCU_M_HS || ctx->mode == SMCU_M_SMC) {
		int err = READ_ONCE(sk->sk_err);

		if (sk->sk_state == TCP_CLOSE && err) {
			WRITE_ONCE(ctx->tcp_err, err);
			WRITE_ONCE(ctx->tcp_reset, true);
		}
		smcu_engine_kick(ctx, 0);
	}
	if (ctx->mode == SMCU_M_SMC && ctx->tcp_reset) {
		/* It must not overtake what the link brings, nor be told twice: the engine resets the connection a moment later. */
		if (!READ_ONCE(ctx->err_posted) || READ_ONCE(ctx->err_taken)) {
			WRITE_ONCE(sk->sk_err, 0);
			/* The link may have brought it between the two. Pairs with cmpxchg() of who posts and xchg() of who takes. */
			smp_mb();
			if (READ_ONCE(ctx->err_posted) && !READ_ONCE(ctx->err_taken))
				WRITE_ONCE(sk->sk_err, READ_ONCE(ctx->err_posted));
		}
		return;
	}
	ctx->saved_error_report(sk);
}
