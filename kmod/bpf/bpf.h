/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of bpf/: what BPF programs may call in smc_ulp.ko. Programs include nothing of this; they declare
 *
 *	extern int bpf_smc_ulp_enable(struct bpf_sock_addr *ctx) __ksym __weak;
 */
#ifndef SMCU_BPF_H
#define SMCU_BPF_H

struct bpf_sock_addr;

int smcu_bpf_init(void);
void smcu_bpf_exit(void);

/* Called by programs, found through BTF; declared so that the compiler has seen it. */
int bpf_smc_ulp_enable(struct bpf_sock_addr *ctx);

#endif
