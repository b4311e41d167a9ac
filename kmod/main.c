// SPDX-License-Identifier: GPL-2.0
/* Init by rank, unwound in reverse; the table of contents of the module. See LAYERS. */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/tcp.h>
#include "base/base.h"
#include "bpf/bpf.h"
#include "clc/clc.h"
#include "ctl/ctl.h"
#include "link/link.h"
#include "ulp/ulp.h"

static int net_up(struct net *net)
{
	int err;

	err = smcu_synopt_net_init(net);
	if (err)
		return err;
	err = smcu_sysctl_net_init(net);
	if (err)
		goto err_synopt;
	err = smcu_show_net_init(net);
	if (err)
		goto err_sysctl;
	return 0;

err_sysctl:
	smcu_sysctl_net_exit(net);
err_synopt:
	smcu_synopt_net_exit(net);
	return err;
}

static void net_down(struct net *net)
{
	smcu_link_net_exit(net);
	smcu_show_net_exit(net);
	smcu_sysctl_net_exit(net);
	smcu_synopt_net_exit(net);
}

static int __init smcu_init(void)
{
	int err;

	err = smcu_work_init();
	if (err)
		return err;
	err = smcu_link_init();
	if (err)
		goto err_work;
	err = smcu_clc_init();
	if (err)
		goto err_link;
	err = smcu_prot_init();
	if (err)
		goto err_clc;
	err = smcu_netns_init(net_up, net_down);
	if (err)
		goto err_clc;
	err = smcu_bpf_init();
	if (err)
		goto err_netns;
	err = smcu_ulp_init();
	if (err)
		goto err_bpf;
	return 0;

err_bpf:
	smcu_bpf_exit();
err_netns:
	smcu_netns_exit();
err_clc:
	smcu_clc_exit();
err_link:
	smcu_link_exit();
err_work:
	smcu_work_exit();
	return err;
}

static void __exit smcu_exit(void)
{
	/* No socket of ours is left, or we would not be here: each holds a reference on the module. */
	smcu_ulp_exit();
	smcu_bpf_exit();
	/* Pins that wait for their grace period; afterwards no upcall kicks an engine. */
	rcu_barrier();
	/* Engines may still be letting go of destroyed sockets. */
	smcu_work_exit();
	smcu_netns_exit();
	smcu_clc_exit();
	smcu_link_exit();
	/* Frees by RCU, and tasks preempted in the last instructions of smcu_close(). */
	rcu_barrier();
	synchronize_rcu_tasks();
}

module_init(smcu_init);
module_exit(smcu_exit);

MODULE_DESCRIPTION("SMC-R for TCP sockets, converted in place");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS_TCP_ULP("smc");
