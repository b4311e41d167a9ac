/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of bpf/: what BPF programs may call in smc_ulp.ko. Programs include nothing of this; they declare
 *
 *	extern int bpf_smc_ulp_enable(struct bpf_sock_addr *ctx) __ksym __weak;
 */
#ifndef SMCU_BPF_H
#define SMCU_BPF_H

struct bpf_sock_addr;

/**
 * smcu_bpf_init() - offer the kfunc where this kernel can
 *
 * Context: may sleep.
 * Return: always 0. A kernel without it is not an error: selection then goes through smc_ulp_bpf.ko.
 */
int smcu_bpf_init(void);

/**
 * smcu_bpf_exit() - nothing to undo
 *
 * The kernel drops a module's kfunc set with the module's BTF, and a loaded program that calls it holds a reference on the module.
 *
 * Context: any.
 */
void smcu_bpf_exit(void);

/**
 * bpf_smc_ulp_enable() - ask for SMC on the socket a cgroup connect or bind program runs for
 * @ctx: the program's context
 *
 * Called by programs, found through BTF; declared so that the compiler has seen it.
 *
 * Takes the context as the verifier names it, so that a program passes its own argument on. What arrives is the kernel's view
 * of it, struct bpf_sock_addr_kern; the same holds for the kernel's own bpf_dynptr_from_skb(struct __sk_buff *).
 *
 * May be called again for the same socket.
 *
 * Context: a BPF program's, with the socket locked; never sleeps.
 * Return: 0 when the socket carries the ULP now, -EEXIST when it did already (with this ULP or with another), or why not: -EINVAL (no TCP
 * socket, or no program's context) and what smcu_ulp_request() has
 */
int bpf_smc_ulp_enable(struct bpf_sock_addr *ctx);

#endif
