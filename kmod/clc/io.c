// SPDX-License-Identifier: GPL-2.0
/*
 * CLC messages on a TCP socket. Reading looks first and takes exactly one message, and only once it has been found to be one:
 * what follows, or what was no CLC message at all, belongs to the program. Nothing here waits.
 */
#include <linux/net.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "clc/internal.h"
#include "compat/ops_shape.h"

/*
 * tcp_sendmsg_locked() notes a lack of space in sk->sk_socket->flags without looking whether there is a struct socket. A child
 * that has not been accepted and a connection that was closed before its handshake ended have none, so this one is lent to
 * them, for the time of the call and under the socket's lock. Losing each other's note is harmless: we poll by timer. Its wait
 * queue is lent too: where TCP has no memory it enters itself there before it looks whether it may wait. Several sockets may share
 * the queue: it has a lock of its own, and nobody sleeps in it.
 */
static struct socket *lent_socket;

static void lend_socket(struct sock *sk, struct socket *sock)
{
	write_lock_bh(&sk->sk_callback_lock);
	sk_set_socket(sk, sock);
	rcu_assign_pointer(sk->sk_wq, sock ? &sock->wq : NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

int smcu_clc_tcp_send(struct sock *sk, const void *data, size_t len)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	bool lend;
	int n;

	sock_owned_by_me(sk);
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)))
		return -EPIPE;
	lend = !sk->sk_socket;
	if (lend)
		lend_socket(sk, lent_socket);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, len);
	n = tcp_sendmsg_locked(sk, &msg, len);
	if (lend)
		lend_socket(sk, NULL);
	return n;
}

int smcu_clc_send(struct smcu_hs *hs, int len)
{
	int n;

	if (len < 0)
		return len;
	lock_sock(hs->sk);
	n = smcu_clc_tcp_send(hs->sk, hs->x->msg, len);
	release_sock(hs->sk);
	if (n < 0)
		return n;
	/* Half a message can't be taken back; the send buffer was empty, so this is memory pressure at its worst. */
	return n == len ? 0 : -EIO;
}

static int tcp_recv(struct smcu_hs *hs, void *buf, size_t len, int flags)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {};

	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &vec, 1, len);
	return smcu_compat_recvmsg(hs->base, hs->sk, &msg, len, flags | MSG_DONTWAIT);
}

/* The peer will send no more bytes. */
static bool at_end(const struct sock *sk)
{
	return READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN || inet_sk_state_load(sk) == TCP_CLOSE;
}

/*
 * Is there a whole message? It is left where it is, with a copy in x->msg. Return its length, -EAGAIN, -ECONNRESET for the end
 * of the stream, -EPROTO for what can't be CLC.
 */
int smcu_clc_recv(struct smcu_hs *hs, struct smcu_clc_hdr *hdr)
{
	bool end = at_end(hs->sk);
	int n, err;

	/* A read would take the error of a dead connection, which is the program's. */
	if (inet_sk_state_load(hs->sk) == TCP_CLOSE)
		return -ECONNRESET;
	n = tcp_recv(hs, hs->x->msg, SMCU_CLC_HDR_LEN, MSG_PEEK);
	if (n < 0)
		return inet_sk_state_load(hs->sk) == TCP_CLOSE ? -ECONNRESET : -EAGAIN;
	if (!n)
		return -ECONNRESET;
	hs->x->claims_clc = n >= 4 && smcu_get_be32(hs->x->msg) == SMCU_EYECATCHER_R;
	err = smcu_clc_hdr_decode(hs->x->msg, n, hdr);
	if (!err && hdr->length > sizeof(hs->x->msg))
		return -EPROTO;
	if (!err) {
		n = tcp_recv(hs, hs->x->msg, hdr->length, MSG_PEEK);
		if (n == hdr->length) {
			hs->x->len = n;
			return n;
		}
		err = n == -EAGAIN || n >= 0 ? -EAGAIN : -ECONNRESET;
	}
	if (err == -EAGAIN && end)
		return -ECONNRESET;
	return err;
}

/* Take the message that smcu_clc_recv() has found off the stream. */
int smcu_clc_consume(struct smcu_hs *hs)
{
	int n = tcp_recv(hs, hs->x->msg, hs->x->len, 0);

	return n == hs->x->len ? 0 : -ECONNRESET;
}

int smcu_clc_init(void)
{
	return sock_create_lite(AF_INET, SOCK_STREAM, IPPROTO_TCP, &lent_socket);
}

void smcu_clc_exit(void)
{
	sock_release(lent_socket);
}
