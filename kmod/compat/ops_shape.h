/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Callbacks whose signature depends on the kernel. Ours have 7.2's; SMCU_SHAPE_*(name, to) defines what goes into the kernel's table
 * in place of @to, and smcu_compat_*() calls the kernel's own function in such a table. Where the kernel has 7.2's signature
 * neither adds an instruction.
 */
#ifndef SMCU_COMPAT_OPS_SHAPE_H
#define SMCU_COMPAT_OPS_SHAPE_H

#include <linux/net.h>
#include <linux/sysctl.h>
#include <linux/uaccess.h>
#include <net/sock.h>

#define SMCU_SHAPE_AS_IS(name, to) static typeof(to) *const name = to

/*
 * recvmsg: 7.1, "net: remove addr_len argument of recvmsg() handlers"; the length of the address is in msg->msg_namelen. For TCP
 * there is one only with MSG_ERRQUEUE. Before, inet_recvmsg() copies it there afterwards.
 */
#ifdef SMCU_HAVE_RECVMSG_SHORT
#define SMCU_SHAPE_RECVMSG(name, to) SMCU_SHAPE_AS_IS(name, to)

static inline int smcu_compat_recvmsg(const struct proto *prot, struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	return prot->recvmsg(sk, msg, len, flags);
}
#else
#define SMCU_SHAPE_RECVMSG(name, to) \
	static int name(struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len) \
	{ \
		int ret; \
		\
		msg->msg_namelen = 0; \
		ret = to(sk, msg, len, flags); \
		*addr_len = msg->msg_namelen; \
		return ret; \
	}

static inline int smcu_compat_recvmsg(const struct proto *prot, struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	msg->msg_namelen = 0;
	return prot->recvmsg(sk, msg, len, flags, &msg->msg_namelen);
}
#endif

/* accept of proto_ops: 6.10, "net: change proto and proto_ops accept type". */
#ifdef SMCU_HAVE_PROTO_ACCEPT_ARG
#define SMCU_SHAPE_ACCEPT(name, to) SMCU_SHAPE_AS_IS(name, to)

static inline int smcu_compat_accept(const struct proto_ops *ops, struct socket *sock, struct socket *newsock,
				     struct proto_accept_arg *arg)
{
	return ops->accept(sock, newsock, arg);
}
#else
#define SMCU_SHAPE_ACCEPT(name, to) \
	static int name(struct socket *sock, struct socket *newsock, int flags, bool kern) \
	{ \
		struct proto_accept_arg arg = { .flags = flags, .kern = kern }; \
		\
		return to(sock, newsock, &arg); \
	}

static inline int smcu_compat_accept(const struct proto_ops *ops, struct socket *sock, struct socket *newsock,
				     struct proto_accept_arg *arg)
{
	return ops->accept(sock, newsock, arg->flags, arg->kern);
}
#endif

/*
 * ioctl: 6.5, "net: ioctl: Use kernel memory on protocol ioctl callbacks". Before, the function itself writes its answer to the
 * program; TCP's is asked with the program's pointer, which is beside the int that ours is given.
 */
#ifdef SMCU_HAVE_IOCTL_KARG
#define SMCU_SHAPE_IOCTL(name, to) SMCU_SHAPE_AS_IS(name, to)

static inline int smcu_compat_ioctl(const struct proto *prot, struct sock *sk, int cmd, int *karg)
{
	return prot->ioctl(sk, cmd, karg);
}
#else
struct smcu_compat_karg {
	int val;
	bool is_answered;
	unsigned long arg;
};

#define SMCU_SHAPE_IOCTL(name, to) \
	static int name(struct sock *sk, int cmd, unsigned long arg) \
	{ \
		struct smcu_compat_karg karg = { .arg = arg }; \
		int err = to(sk, cmd, &karg.val); \
		\
		if (err || karg.is_answered) \
			return err; \
		return put_user(karg.val, (int __user *)arg); \
	}

static inline int smcu_compat_ioctl(const struct proto *prot, struct sock *sk, int cmd, int *val)
{
	struct smcu_compat_karg *karg = container_of(val, struct smcu_compat_karg, val);

	karg->is_answered = true;
	return prot->ioctl(sk, cmd, karg->arg);
}
#endif

/*
 * sendpage: 6.5, "sock: Remove ->sendpage*() in favour of sendmsg(MSG_SPLICE_PAGES)". TCP's would put pages into TCP's queue; without
 * one, inet_sendpage() and kernel_sendpage_locked() copy the page through sendmsg.
 */
static inline void smcu_compat_no_sendpage(struct proto *prot, struct proto_ops *ops)
{
#ifdef SMCU_HAVE_SENDPAGE
	prot->sendpage = NULL;
	ops->sendpage_locked = NULL;
#endif
}

/* Handlers of sysctls: 6.11, "sysctl: treewide: constify the ctl_table argument of proc_handlers". */
#ifdef SMCU_HAVE_SYSCTL_CONST
#define SMCU_SHAPE_PROC_HANDLER(name, to) SMCU_SHAPE_AS_IS(name, to)
#else
#define SMCU_SHAPE_PROC_HANDLER(name, to) \
	static int name(struct ctl_table *table, int write, void *buf, size_t *len, loff_t *pos) \
	{ \
		return to(table, write, buf, len, pos); \
	}
#endif

#endif
