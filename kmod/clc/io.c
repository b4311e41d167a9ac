// SPDX-License-Identifier: GPL-2.0
/*
 * CLC messages on a TCP socket. Reading looks first and takes exactly one message, and only once it has been found to be one:
 * what follows, or what was no CLC message at all, belongs to the program. Nothing here waits.
 */
#include <linux/net.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "clc/internal.h"

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

int smcu_clc_tcp_send(struct sock *sk, const void *data, size_t len, bool now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 nonagle = tp->nonagle;
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	bool lend;
	int n, err;

	sock_owned_by_me(sk);
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)))
		return -EPIPE;
	lend = !sk->sk_socket;
	if (lend)
		lend_socket(sk, lent_socket);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, len);
	/* An error that leaves the connection alive (ICMP, IP_RECVERR) is for the program to take, and does not stop us. */
	err = xchg(&sk->sk_err, 0);
	/* The program may have corked the socket. */
	if (now)
		tp->nonagle = TCP_NAGLE_OFF;
	n = tcp_sendmsg_locked(sk, &msg, len);
	if (now)
		tp->nonagle = nonagle;
	if (err)
		WRITE_ONCE(sk->sk_err, err);
	if (lend)
		lend_socket(sk, NULL);
	return n;
}

/* Both only grow. */
bool smcu_clc_is_unacked(const struct sock *sk)
{
	return READ_ONCE(tcp_sk(sk)->snd_una) != READ_ONCE(tcp_sk(sk)->write_seq);
}

/* Up to @len of the next bytes; they stay where they are. recvmsg() would take the lock that we have, and errors of the program. */
static int peek(struct sock *sk, u8 *buf, int len)
{
	u32 seq = tcp_sk(sk)->copied_seq;
	struct sk_buff *skb;
	int got = 0;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		u32 off = seq - TCP_SKB_CB(skb)->seq - !!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN);
		int n;

		if (off >= skb->len)
			continue;
		n = min_t(u32, skb->len - off, len - got);
		if (skb_copy_bits(skb, off, buf + got, n))
			break;
		got += n;
		seq += n;
		if (got == len)
			break;
	}
	return got;
}

static int take(read_descriptor_t *desc, struct sk_buff *skb, unsigned int off, size_t len)
{
	size_t n = min(len, desc->count);

	desc->count -= n;
	return n;
}

/* The peer will send no more bytes. */
static bool at_end(const struct sock *sk)
{
	return READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN || inet_sk_state_load(sk) == TCP_CLOSE;
}

int smcu_clc_recv(struct smcu_hs *hs, struct smcu_clc_hdr *hdr)
{
	bool end = at_end(hs->sk);
	int n, err;

	sock_owned_by_me(hs->sk);
	if (inet_sk_state_load(hs->sk) == TCP_CLOSE)
		return -ECONNRESET;
	n = peek(hs->sk, hs->x->msg, SMCU_CLC_HDR_LEN);
	hs->x->claims_clc = n >= 4 && smcu_get_be32(hs->x->msg) == SMCU_EYECATCHER_R;
	if (!n)
		return end ? -ECONNRESET : -EAGAIN;
	err = smcu_clc_hdr_decode(hs->x->msg, n, hdr);
	if (!err && hdr->length > sizeof(hs->x->msg))
		return -EPROTO;
	if (!err) {
		n = peek(hs->sk, hs->x->msg, hdr->length);
		if (n == hdr->length) {
			hs->x->len = n;
			return n;
		}
		err = -EAGAIN;
	}
	if (err == -EAGAIN && end)
		return -ECONNRESET;
	return err;
}

int smcu_clc_consume(struct smcu_hs *hs)
{
	read_descriptor_t desc = { .count = hs->x->len };

	return tcp_read_sock(hs->sk, &desc, take) == hs->x->len ? 0 : -ECONNRESET;
}

/* Take a decline off the stream, if that is what is next there. Not by x->msg, which has a message to be sent. Socket locked. */
static bool take_decline(struct smcu_hs *hs)
{
	u8 buf[SMCU_CLC_DECLINE_MAX];
	struct smcu_clc_decline d;
	struct smcu_clc_hdr hdr;
	int n;

	n = peek(hs->sk, buf, sizeof(buf));
	if (smcu_clc_hdr_decode(buf, n, &hdr) || hdr.type != SMCU_CLC_DECLINE || hdr.length > n ||
	    smcu_clc_decline_decode(buf, hdr.length, &d))
		return false;
	hs->x->len = hdr.length;
	return !smcu_clc_consume(hs);
}

int smcu_clc_flush(struct smcu_hs *hs)
{
	int len = hs->x->unsent, n;

	if (!len)
		return 0;
	if (!hs->ops->lock(hs))
		return -EBUSY;
	hs->x->unsent = 0;
	/* Where the peer has declined it is through: what we say now its program would read, and what comes next is the program's. */
	if ((hs->state == SMCU_HS_DECLINED || hs->state == SMCU_HS_FALLBACK) && take_decline(hs)) {
		hs->state = SMCU_HS_FALLBACK;
		n = len;
	} else {
		n = smcu_clc_tcp_send(hs->sk, hs->x->msg, len, true);
	}
	release_sock(hs->sk);
	if (n < 0)
		return n;
	/* Half a message can't be taken back; the send buffer was empty, so this is memory pressure at its worst. */
	return n == len ? 0 : -EIO;
}

int smcu_clc_send(struct smcu_hs *hs, int len)
{
	int err;

	if (len < 0)
		return len;
	hs->x->unsent = len;
	err = smcu_clc_flush(hs);
	return err == -EBUSY ? 0 : err;
}

int smcu_clc_init(void)
{
	return sock_create_lite(AF_INET, SOCK_STREAM, IPPROTO_TCP, &lent_socket);
}

void smcu_clc_exit(void)
{
	sock_release(lent_socket);
}
