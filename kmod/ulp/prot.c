// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of a converted socket, derived from TCP's at module load: what differs is what you see. owner stays as it is in
 * proto_ops, since __sock_release() puts the owner of the operations of that moment; in struct proto it is this module, so that a
 * child cloned from a listener holds a reference before clone() is called.
 */
#include <linux/module.h>
#include <net/inet_common.h>
#include "compat/ops_shape.h"
#include "ulp/internal.h"
#include "ulp/ulp.h"

static struct proto prot[2] __read_mostly;
static struct proto_ops ops[2] __read_mostly;
static const struct proto_ops *base_ops[2] __read_mostly;
static struct proto *base_prot[2] __read_mostly;

static int idx(const struct sock *sk)
{
	return sk->sk_family == AF_INET6;
}

struct proto *smcu_prot_for(const struct sock *sk)
{
	return base_prot[idx(sk)] ? &prot[idx(sk)] : NULL;
}

const struct proto_ops *smcu_prot_ops_for(const struct sock *sk)
{
	return &ops[idx(sk)];
}

struct proto *smcu_prot_base(const struct sock *sk)
{
	return base_prot[idx(sk)];
}

const struct proto_ops *smcu_prot_base_ops(const struct sock *sk)
{
	return base_ops[idx(sk)];
}

bool smcu_prot_is_ours(const struct proto *p)
{
	return p == &prot[0] || p == &prot[1];
}

/* Called through tables whose types differ between kernels. */
SMCU_SHAPE_IOCTL(shaped_ioctl, smcu_ioctl);
SMCU_SHAPE_RECVMSG(shaped_recvmsg, smcu_recvmsg);
SMCU_SHAPE_ACCEPT(shaped_accept, smcu_accept);

static void build(int i, struct proto *base, const struct proto_ops *base_o)
{
	prot[i] = *base;
	prot[i].owner = THIS_MODULE;
	prot[i].close = smcu_close;
	prot[i].connect = smcu_connect;
	prot[i].disconnect = smcu_disconnect;
	prot[i].ioctl = shaped_ioctl;
	prot[i].getsockopt = smcu_getsockopt;
	prot[i].shutdown = smcu_shutdown;
	prot[i].sendmsg = smcu_sendmsg;
	prot[i].recvmsg = shaped_recvmsg;
	prot[i].splice_eof = NULL;
	prot[i].release_cb = smcu_release_cb;
	prot[i].diag_destroy = smcu_diag_destroy;
	prot[i].psock_update_sk_prot = NULL;

	ops[i] = *base_o;
	ops[i].accept = shaped_accept;
	ops[i].poll = smcu_poll;
	ops[i].set_rcvlowat = smcu_set_rcvlowat;
	ops[i].mmap = sock_no_mmap;
	/* Readers of the TCP receive queue: NULL means the generic ways, which end in recvmsg. */
	ops[i].splice_read = NULL;
	ops[i].peek_len = NULL;
	ops[i].read_sock = NULL;
	ops[i].read_skb = NULL;
	ops[i].sendmsg_locked = NULL;
	ops[i].splice_eof = NULL;
	smcu_compat_no_sendpage(&prot[i], &ops[i]);

	base_ops[i] = base_o;
	base_prot[i] = base;
}

int smcu_prot_init(void)
{
	struct socket *sock;
	int err;

	build(0, &tcp_prot, &inet_stream_ops);
#if IS_ENABLED(CONFIG_IPV6)
	/* Kernels before 7.2 do not export inet6_stream_ops: a socket tells where it is. */
	err = sock_create_kern(&init_net, AF_INET6, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err == -EAFNOSUPPORT)
		return 0;	/* ipv6.disable=1 */
	if (err)
		return err;
	build(1, sock->sk->sk_prot, sock->ops);
	sock_release(sock);
#endif
	return 0;
}
