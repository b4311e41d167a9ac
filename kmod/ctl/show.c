// SPDX-License-Identifier: GPL-2.0
/* /proc/net/smc_ulp/{sockets,stats,links}: one line for each thing, readable by people and by awk. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include "base/base.h"
#include "ctl/ctl.h"
#include "link/link.h"
#include "ulp/ulp.h"

static int show_links(struct seq_file *m, void *v)
{
	smcu_link_show(m, seq_file_single_net(m));
	return 0;
}

static int show_stats(struct seq_file *m, void *v)
{
	struct smcu_net *sn = smcu_base_net(seq_file_single_net(m));
	struct smcu_stats *sum;
	int i;

	sum = kmalloc(sizeof(*sum), GFP_KERNEL);
	if (!sum)
		return -ENOMEM;
	smcu_stats_sum(sn, sum);
	for (i = 0; i < SMCU_S_COUNT; i++)
		seq_printf(m, "%s %llu\n", smcu_stats_name(i), sum->event[i]);
	for (i = 0; i < SMCU_R_COUNT; i++)
		seq_printf(m, "fallback_%s %llu\n", smcu_reason_name(i), sum->fallback[i]);
	kfree(sum);
	seq_printf(m, "handshakes_now %d\n", atomic_read(&sn->handshakes));
	return 0;
}

int smcu_show_net_init(struct net *net)
{
	struct proc_dir_entry *dir = proc_net_mkdir(net, "smc_ulp", net->proc_net);

	if (!dir)
		return -ENOMEM;
	if (!proc_create_net("sockets", 0444, dir, &smcu_ulp_seq_ops, sizeof(struct seq_net_private)) ||
	    !proc_create_net_single("stats", 0444, dir, show_stats, NULL) ||
	    !proc_create_net_single("links", 0444, dir, show_links, NULL)) {
		remove_proc_subtree("smc_ulp", net->proc_net);
		return -ENOMEM;
	}
	return 0;
}

void smcu_show_net_exit(struct net *net)
{
	remove_proc_subtree("smc_ulp", net->proc_net);
}
