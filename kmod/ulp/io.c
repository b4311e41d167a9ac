// SPDX-License-Identifier: GPL-2.0
/*
 * sendmsg, recvmsg, ioctl. The mode is looked at under the socket's lock and again after each wait: a call that waited through a
 * handshake goes on over SMC, or is TCP's from there.
 */
#include <linux/skbuff.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include "compat/ops_shape.h"
#include "ulp/internal.h"

/*
 * Sleep until @ready or the time is up; @seen is what a reader knows of already. The socket's lock is dropped meanwhile, and @ready is
 * asked without it too. Return: 0 or -errno.
 */
static int wait(struct sock *sk, long *timeo, bool (*ready)(struct smcu_ctx *ctx, u32 seen), u32 seen)
{
	DEFINE_WAIT_FUNC(w, woken_wake_function);
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	int rc;

	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	add_wait_queue(sk_sleep(sk), &w);
	rc = sk_wait_event(sk, timeo, ready(ctx, seen), &w);
	remove_wait_queue(sk_sleep(sk), &w);
	/* Negative: disconnected meanwhile; the next connection is not this caller's. */
	return rc < 0 ? rc : 0;
}

static bool mode_left_connect(struct smcu_ctx *ctx, u32 seen)
{
	return smcu_ulp_mode(ctx) != SMCU_M_CONNECT || READ_ONCE(ctx->sk->sk_err) ||
	       inet_sk_state_load(ctx->sk) == TCP_CLOSE;
}

static bool can_write(struct smcu_ctx *ctx, u32 seen)
{
	struct smcu_conn_view v;
	u8 mode = smcu_ulp_mode(ctx);

	if (mode < SMCU_M_HS || mode > SMCU_M_SMC || !smcu_ulp_look(ctx, &v, true))
		return true;
	return v.writable || (mode == SMCU_M_SMC && (v.err || v.peer_gone)) || READ_ONCE(ctx->sk->sk_err) ||
	       READ_ONCE(ctx->shut) & SEND_SHUTDOWN || inet_sk_state_load(ctx->sk) == TCP_CLOSE;
}

static bool can_read(struct smcu_ctx *ctx, u32 seen)
{
	struct smcu_conn_view v;
	u8 mode = smcu_ulp_mode(ctx);

	if (READ_ONCE(ctx->sk->sk_err) || READ_ONCE(ctx->shut) & RCV_SHUTDOWN)
		return true;
	if (mode == SMCU_M_HS)
		return inet_sk_state_load(ctx->sk) == TCP_CLOSE;
	if (mode != SMCU_M_SMC || !smcu_ulp_look(ctx, &v, false))
		return true;
	return v.rx > seen || v.eof || v.err;
}

/* TCP's answer to a read of what is neither connected nor connecting; TCP itself can't be asked under the lock. */
static int unconnected_recv(struct sock *sk)
{
	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	if (READ_ONCE(sk->sk_err))
		return sock_error(sk);
	return sk->sk_shutdown & RCV_SHUTDOWN ? 0 : -ENOTCONN;
}

static bool mode_left_flush(struct smcu_ctx *ctx, u32 seen)
{
	return smcu_ulp_mode(ctx) != SMCU_M_FLUSH || READ_ONCE(ctx->sk->sk_err) ||
	       READ_ONCE(ctx->shut) & SEND_SHUTDOWN || inet_sk_state_load(ctx->sk) == TCP_CLOSE;
}

/*
 * MSG_ZEROCOPY: the bytes are copied, so nothing is charged; the program waits for the notification all the same, one for each call that
 * succeeds. io_uring makes its own. Socket locked. Return: 0, or -ENOBUFS, as TCP before it sends anything.
 */
static int zerocopy_begin(struct sock *sk, struct msghdr *msg, struct ubuf_info **uarg)
{
	if (*uarg || !(msg->msg_flags & MSG_ZEROCOPY) || msg->msg_ubuf || !sock_flag(sk, SOCK_ZEROCOPY) || !msg_data_left(msg))
		return 0;
	*uarg = msg_zerocopy_realloc(sk, 0, NULL, false);
	if (!*uarg)
		return -ENOBUFS;
	uarg_to_msgzc(*uarg)->zerocopy = 0;
	return 0;
}

/* What is not sent gives its number back: with the socket still locked since it was taken, or others' would be given back. */
static void zerocopy_end(struct ubuf_info **uarg, bool is_sent)
{
	if (*uarg && is_sent)
		net_zcopy_put(*uarg);
	else if (*uarg)
		net_zcopy_put_abort(*uarg, true);
	*uarg = NULL;
}

/*
 * Why nothing can be sent, or 0; -ESHUTDOWN: it can, and nobody will read it. An error of the socket is only taken (behind -EPIPE, by
 * sk_stream_error()) by a call that has sent nothing: another one has its bytes to report.
 */
static int send_error(struct smcu_ctx *ctx)
{
	struct sock *sk = ctx->sk;
	struct smcu_conn_view v;
	int err;

	if (READ_ONCE(sk->sk_err) || ctx->shut & SEND_SHUTDOWN)
		return -EPIPE;
	switch (ctx->mode) {
	case SMCU_M_SMC:
		err = smcu_conn_tx_state(ctx->conn);
		if (err == -EPIPE) {
			/* Before the upcall comes with it: the error comes first, and SIGPIPE with the next call. */
			smcu_conn_look(ctx->conn, &v, false);
			smcu_ulp_post_err(ctx, v.err);
		}
		return err;
	case SMCU_M_HS:
	case SMCU_M_FLUSH:
		return inet_sk_state_load(sk) == TCP_CLOSE ? -EPIPE : 0;
	default:
		return -EPIPE;
	}
}

int smcu_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	struct ubuf_info *uarg = NULL;
	int flags = msg->msg_flags;
	bool is_checked = false;
	int copied = 0, err, n;
	long timeo;

	if (smcu_ulp_mode(ctx) == SMCU_M_TCP)
		return ctx->base->sendmsg(sk, msg, len);
	lock_sock(sk);
	timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	/* At least once: a call without data is asked for errors, too. */
	while (msg_data_left(msg) || !is_checked) {
		switch (ctx->mode) {
		case SMCU_M_INIT:
			/* A listener stays what it is: its children are ours, and TCP refuses the call. */
			if (flags & MSG_FASTOPEN && sk->sk_state == TCP_CLOSE) {
				smcu_fallback(ctx, SMCU_R_FASTOPEN);
				release_sock(sk);
				/* Also without data: it connects. */
				return ctx->base->sendmsg(sk, msg, len);
			}
			/* Not connected: never waits, since the state can't change under the lock. */
			err = tcp_sendmsg_locked(sk, msg, len);
			release_sock(sk);
			return err;
		case SMCU_M_CONNECT:
			if (READ_ONCE(sk->sk_err) || sk->sk_state == TCP_CLOSE) {
				err = -EPIPE;
				goto out_err;
			}
			err = wait(sk, &timeo, mode_left_connect, 0);
			if (err)
				goto out_err;
			continue;
		case SMCU_M_TCP:
			/* One notification for the call: ours, if a part of it is sent already, and not before the rest is. */
			if (copied)
				msg->msg_flags &= ~MSG_ZEROCOPY;
			else
				zerocopy_end(&uarg, false);
			release_sock(sk);
			n = ctx->base->sendmsg(sk, msg, msg_data_left(msg));
			zerocopy_end(&uarg, true);
			if (!copied)
				return n;
			return n > 0 ? copied + n : copied;
		default:
			break;
		}
		if (flags & MSG_OOB) {
			err = -EOPNOTSUPP;
			goto out_err;
		}
		err = send_error(ctx);
		is_checked = true;
		if (!err && !msg_data_left(msg))
			break;
		if (err == -ESHUTDOWN) {
			err = zerocopy_begin(sk, msg, &uarg);
			if (err)
				goto out_err;
			n = msg_data_left(msg);
			iov_iter_advance(&msg->msg_iter, n);
			copied += n;
			if (n)
				smcu_conn_in_vain(ctx->conn);
			break;
		}
		if (err)
			goto out_err;
		/*
		 * What goes into the ring now goes to TCP from there: more would come in its way for as long as it is sent fast enough.
		 * Once, as poll() may have promised in the handshake.
		 */
		if (ctx->mode == SMCU_M_FLUSH && ctx->flush_taken) {
			err = wait(sk, &timeo, mode_left_flush, 0);
			if (err)
				goto out_err;
			continue;
		}
		if (unlikely(!ctx->conn)) {
			err = smcu_engine_conn(ctx);
			if (err)
				goto out_err;
		}
		err = zerocopy_begin(sk, msg, &uarg);
		if (err)
			goto out_err;
		if (ctx->mode == SMCU_M_FLUSH)
			ctx->flush_taken = true;
		n = smcu_conn_queue(ctx->conn, &msg->msg_iter, msg_data_left(msg), GFP_KERNEL);
		if (n < 0) {
			err = n;
			goto out_err;
		}
		copied += n;
		if (ctx->mode == SMCU_M_SMC)
			smcu_conn_push(ctx->conn);
		if (!n) {
			struct smcu_conn_view v;

			/* Ask for the wakeup before giving up, for who polls edge-triggered. */
			smcu_ulp_look(ctx, &v, true);
			if (v.tx_free)
				continue;
			if (!copied)
				zerocopy_end(&uarg, false);
			err = wait(sk, &timeo, can_write, 0);
			if (err)
				goto out_err;
		}
	}
out:
	zerocopy_end(&uarg, copied);
	release_sock(sk);
	return copied;

out_err:
	if (copied)
		goto out;
	zerocopy_end(&uarg, false);
	if (err == -EPIPE && READ_ONCE(sk->sk_err))
		smcu_ulp_take_err(ctx);
	err = sk_stream_error(sk, flags, err);
	release_sock(sk);
	return err;
}

/* The socket is locked. Return: bytes, 0 at the end, -errno; or ASK_TCP. */
#define ASK_TCP INT_MAX

static int recv_locked(struct smcu_ctx *ctx, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = ctx->sk;
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct iov_iter *to = flags & MSG_TRUNC ? NULL : &msg->msg_iter;
	int peek = flags & MSG_PEEK ? max(sk_peek_offset(sk, flags), 0) : -1;
	size_t copied = 0, target;
	int err, n;

	for (;;) {
		struct smcu_conn_view v;

		switch (ctx->mode) {
		case SMCU_M_SMC:
			n = smcu_conn_recv(ctx->conn, to, len - copied, peek < 0 ? -1 : peek + (int)copied);
			if (n < 0 && !copied)
				return n;
			if (n < 0)
				goto out;
			copied += n;
			/* Not earlier: in the handshake the socket's mark is not the program's. */
			target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
			if (copied >= target || (copied == len && (len || smcu_conn_rx_avail(ctx->conn))))
				goto out;
			if (n)
				continue;
			smcu_conn_look(ctx->conn, &v, false);
			smcu_ulp_post_err(ctx, v.err);
			if (v.rx > (peek < 0 ? 0 : peek + copied))
				continue;	/* came in meanwhile */
			if (v.fin || (v.eof && !READ_ONCE(sk->sk_err)))
				goto out;
			break;
		case SMCU_M_HS:
			if (inet_sk_state_load(sk) == TCP_CLOSE && !READ_ONCE(sk->sk_err))
				return 0;
			break;
		case SMCU_M_CONNECT:
			if (sk->sk_state == TCP_CLOSE && !READ_ONCE(sk->sk_err))
				return -ENOTCONN;
			break;
		case SMCU_M_DEAD:
			return copied ? copied : -ENOTCONN;
		default:
			return copied ? copied : ASK_TCP;
		}
		if (copied)
			goto wait;
		if (READ_ONCE(sk->sk_err)) {
			smcu_ulp_take_err(ctx);
			return sock_error(sk);
		}
		if (ctx->shut & RCV_SHUTDOWN)
			return 0;
wait:
		if (copied && (READ_ONCE(sk->sk_err) || ctx->shut & RCV_SHUTDOWN))
			goto out;
		err = wait(sk, &timeo, ctx->mode == SMCU_M_CONNECT ? mode_left_connect : can_read,
			   peek < 0 ? 0 : peek + copied);
		if (err && !copied)
			return err;
		if (err)
			goto out;
	}
out:
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, copied);
	else
		sk_peek_offset_bwd(sk, copied);
	return copied;
}

/* How much more there is, for who asked (TCP_INQ, io_uring); one "byte" at the end, so that it is read. */
static void say_inq(struct smcu_ctx *ctx, struct msghdr *msg)
{
	struct smcu_conn_view v;

	if (!tcp_sk(ctx->sk)->recvmsg_inq && !msg->msg_get_inq)
		return;
	if (!smcu_ulp_look(ctx, &v, false))
		return;
	msg->msg_inq = v.rx ? : v.fin;
	if (tcp_sk(ctx->sk)->recvmsg_inq)
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(msg->msg_inq), &msg->msg_inq);
}

int smcu_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	u8 mode = smcu_ulp_mode(ctx);
	int n;

	if (flags & MSG_ERRQUEUE || mode == SMCU_M_TCP || mode == SMCU_M_FLUSH)
		return smcu_compat_recvmsg(ctx->base, sk, msg, len, flags);
	if (flags & MSG_OOB)
		return -EINVAL;	/* as TCP where there is no urgent data */
	lock_sock(sk);
	n = ctx->mode == SMCU_M_INIT ? unconnected_recv(sk) : recv_locked(ctx, msg, len, flags);
	release_sock(sk);
	if (n == ASK_TCP)
		return smcu_compat_recvmsg(ctx->base, sk, msg, len, flags);
	if (n >= 0)
		say_inq(ctx, msg);
	return n;
}

int smcu_ioctl(struct sock *sk, int cmd, int *karg)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	struct smcu_conn_view v = {};
	u8 mode = smcu_ulp_mode(ctx);

	/* While the handshake is running TCP's queues hold CLC messages, and what the program has sent is in the ring. */
	if (mode < SMCU_M_HS || mode > SMCU_M_SMC)
		return smcu_compat_ioctl(ctx->base, sk, cmd, karg);
	smcu_ulp_look(ctx, &v, false);
	switch (cmd) {
	case SIOCINQ:
	case SIOCATMARK:
		if (mode == SMCU_M_FLUSH)
			break;
		*karg = cmd == SIOCINQ ? v.rx : 0;
		return 0;
	case SIOCOUTQ:
		if (mode == SMCU_M_FLUSH) {
			*karg = v.tx_unsent + READ_ONCE(tcp_sk(sk)->write_seq) - READ_ONCE(tcp_sk(sk)->snd_una);
			return 0;
		}
		/* Completions are asked for sparsely: who looks at this waits for the last one. */
		if (v.tx_unacked && !v.tx_unsent) {
			lock_sock(sk);
			if (ctx->mode == SMCU_M_SMC)
				smcu_conn_want_ack(ctx->conn);
			release_sock(sk);
		}
		*karg = v.tx_unacked;
		return 0;
	case SIOCOUTQNSD:
		if (mode == SMCU_M_FLUSH)
			break;
		*karg = v.tx_unsent;
		return 0;
	}
	return smcu_compat_ioctl(ctx->base, sk, cmd, karg);
}

int smcu_getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen)
{
	struct smcu_ctx *ctx = smcu_ulp_ctx(sk);
	u8 mode = smcu_ulp_mode(ctx);

	if (level == SOL_TCP && optname == TCP_ZEROCOPY_RECEIVE && mode != SMCU_M_TCP && mode != SMCU_M_FLUSH)
		return -EOPNOTSUPP;
	return ctx->base->getsockopt(sk, level, optname, optval, optlen);
}
