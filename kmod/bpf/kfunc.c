// SPDX-License-Identifier: GPL-2.0
/*
 * The kfunc by which a cgroup program turns the socket it was called for into an SMC one: what bpf_setsockopt(TCP_ULP, "smc") does
 * by way of smc_ulp_bpf.ko, but known to the verifier. For kernels that admit kfuncs to cgroup programs and a module that was built
 * with BTF; where either is missing the module works as well, only without this.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <net/sock.h>

#include "bpf/bpf.h"
#include "ulp/ulp.h"

__bpf_kfunc int bpf_smc_ulp_enable(struct bpf_sock_addr *ctx)
{
	struct sock *sk = ((struct bpf_sock_addr_kern *)ctx)->sk;

	/* The same guards and answers as in sockopt/redirect.c. */
	if (!sk_fullsock(sk) || sk->sk_protocol != IPPROTO_TCP || !has_current_bpf_ctx())
		return -EINVAL;

	return smcu_ulp_request(sk);
}

BTF_KFUNCS_START(kfunc_ids)
BTF_ID_FLAGS(func, bpf_smc_ulp_enable, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(kfunc_ids)

static const struct btf_kfunc_id_set kfunc_set = {
	.owner = THIS_MODULE,
	.set = &kfunc_ids,
};

/* Without BTF of our own, registration reports success and registers nothing. */
static bool has_btf(void)
{
#ifdef CONFIG_DEBUG_INFO_BTF_MODULES
	return THIS_MODULE->btf_data_size;
#else
	return false;
#endif
}

int smcu_bpf_init(void)
{
	int err;

	if (!has_btf()) {
		pr_info("kfunc bpf_smc_ulp_enable() is not available: the module was built without BTF; smc_ulp_bpf.ko is the other way\n");
		return 0;
	}

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, &kfunc_set);
	if (err)
		pr_info("kfunc bpf_smc_ulp_enable() is not available: this kernel has none for cgroup programs (%d); smc_ulp_bpf.ko is the other way\n",
			err);
	return 0;
}

void smcu_bpf_exit(void)
{
}
