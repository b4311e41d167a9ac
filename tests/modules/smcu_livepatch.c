// SPDX-License-Identifier: GPL-2.0
/* A livepatch of the helper that smc_ulp_bpf redirects: only one of the two may have it. See tests/loader/guest.sh. */
#include <linux/errno.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static u64 refuse(u64 ctx, u64 level, u64 optname, u64 optval, u64 optlen)
{
	return (u64)(long)-EINVAL;
}

static struct klp_func funcs[] = {
	{ .old_name = "bpf_sock_addr_setsockopt", .new_func = refuse },
	{}
};

static struct klp_object objects[] = {
	{ .funcs = funcs },
	{}
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

static int __init livepatch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit livepatch_exit(void)
{
}

module_init(livepatch_init);
module_exit(livepatch_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test of smc_ulp_bpf: a livepatch of bpf_sock_addr_setsockopt");
MODULE_INFO(livepatch, "Y");
