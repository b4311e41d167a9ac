/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door of ulp/: the socket. A TCP socket is converted in place: struct sock, struct socket, file and inode stay what they are; only
 * sk_prot, the callbacks and sk_socket->ops point elsewhere while it is, or may become, SMC.
 */
#ifndef SMCU_ULP_H
#define SMCU_ULP_H

#include <linux/types.h>

struct net;
struct seq_operations;
struct sock;

/**
 * smcu_ulp_request() - convert a socket, from a BPF program
 * @sk: any socket; TCP ones are locked by the caller, as in all programs that may call bpf_setsockopt()
 *
 * Does what setsockopt(TCP_ULP, "smc") does, with the checks that a system call has behind it.
 *
 * Context: atomic: does not sleep; process context or softirq, current->bpf_ctx is set.
 * Return: 0; -EOPNOTSUPP (not a plain TCP socket, in repair, with a Fast Open under way, or net.smc_ulp.enable is 0); -EISCONN; -EEXIST
 * (has a ULP); -EBUSY (a part of the kernel has its data in it); -ENOMEM
 */
int smcu_ulp_request(struct sock *sk);

/* A line for each socket of a namespace: for proc_create_net(). */
extern const struct seq_operations smcu_ulp_seq_ops;

/**
 * smcu_synopt_net_init() - hooks that add the TCP option (section 1)
 * @net: namespace
 *
 * Context: may sleep.
 * Return: 0 or -errno of netfilter
 */
int smcu_synopt_net_init(struct net *net);

/**
 * smcu_synopt_net_exit() - the opposite
 * @net: namespace
 *
 * Context: may sleep.
 */
void smcu_synopt_net_exit(struct net *net);

/**
 * smcu_prot_init() - the tables of converted sockets; before any namespace is set up
 *
 * Context: may sleep. There is nothing to undo.
 * Return: 0, also where there is no IPv6; or -errno
 */
int smcu_prot_init(void);

/**
 * smcu_ulp_init() - register the ULP, which lets sockets in: the last step of the module's init
 *
 * Context: may sleep.
 * Return: 0; -EBUSY the kernel's own SMC has the name
 */
int smcu_ulp_init(void);

/**
 * smcu_ulp_exit() - the first step of the module's exit; no socket has the ULP
 *
 * Context: may sleep; nobody is looking it up any more when it returns.
 */
void smcu_ulp_exit(void);

#endif
