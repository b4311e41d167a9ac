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
 * Does what setsockopt(TCP_ULP, "smc") does, with the checks that a system call has behind it. Atomic: does not sleep.
 * Return: 0, -EOPNOTSUPP (not a plain TCP socket), -EISCONN, -EEXIST (has a ULP), -ENOMEM
 */
int smcu_ulp_request(struct sock *sk);

/* A line for each socket of a namespace: for proc_create_net(). */
extern const struct seq_operations smcu_ulp_seq_ops;

/* For each network namespace: hooks that add and look for the TCP option. */
int smcu_synopt_net_init(struct net *net);
void smcu_synopt_net_exit(struct net *net);

/* The tables of converted sockets; before any namespace is set up. */
int smcu_prot_init(void);

/* Tables first, the registration that lets sockets in is the last step of the module's init and the first of its exit. */
int smcu_ulp_init(void);
void smcu_ulp_exit(void);

#endif
