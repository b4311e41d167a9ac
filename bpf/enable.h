/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows how a socket is enabled on this kernel: by smc_ulp.ko's kfunc (kmod/bpf/kfunc.c), or by bpf_setsockopt()
 * where smc_ulp_bpf.ko makes that work (kmod/sockopt/redirect.c).
 *
 * The loader decides and sets use_kfunc before loading: the flag lies in read-only data, so the verifier drops the other branch,
 * and with it the call of a function that this kernel may not have. bpf_ksym_exists() would read better, but libbpf before 1.2
 * resolves the address of a module's kfunc wrongly.
 */
#ifndef SMCU_ENABLE_H
#define SMCU_ENABLE_H

#define SOL_TCP 6
#define TCP_ULP 31
#define EEXIST 17

extern int bpf_smc_ulp_enable(struct bpf_sock_addr *ctx) __ksym __weak;

const volatile __u8 use_kfunc = 0;

/* 0: the socket carries the ULP, now or since an earlier hook. Else the kernel's negative errno. */
static __always_inline int smcu_enable(struct bpf_sock_addr *ctx)
{
	char name[] = "smc";
	int err;

	if (use_kfunc)
		err = bpf_smc_ulp_enable(ctx);
	else
		err = bpf_setsockopt(ctx, SOL_TCP, TCP_ULP, name, sizeof(name));

	return err == -EEXIST ? 0 : err;
}

#endif
