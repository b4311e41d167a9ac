/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows how a socket is enabled on this kernel: by smc_ulp.ko's kfunc (kmod/bpf/kfunc.c), or by bpf_setsockopt()
 * where smc_ulp_bpf.ko makes that work (kmod/sockopt/redirect.c).
 *
 * Two objects are built, and the loader takes one: SMCU_KFUNC says which this is. One object with a weak reference would not do. To look
 * for a kfunc that a module may offer libbpf goes through all BTF of the kernel, which takes CAP_SYS_ADMIN, even if it is never called.
 */
#ifndef SMCU_ENABLE_H
#define SMCU_ENABLE_H

#define SOL_TCP 6
#define TCP_ULP 31
#define EEXIST 17

/* The name tells, once a program is loaded, which way it goes: whoever finds it pinned may not be who loaded it. */
#ifdef SMCU_KFUNC
#define SMCU_PROGRAM(hook) smcu_kf_##hook
#else
#define SMCU_PROGRAM(hook) smcu_##hook
#endif

extern int bpf_smc_ulp_enable(struct bpf_sock_addr *ctx) __ksym;

/* 0: the socket carries the ULP, now or since an earlier hook. Else the kernel's negative errno. */
static __always_inline int smcu_enable(struct bpf_sock_addr *ctx)
{
#ifdef SMCU_KFUNC
	int err = bpf_smc_ulp_enable(ctx);
#else
	char name[] = "smc";
	int err = bpf_setsockopt(ctx, SOL_TCP, TCP_ULP, name, sizeof(name));
#endif

	return err == -EEXIST ? 0 : err;
}

#endif
