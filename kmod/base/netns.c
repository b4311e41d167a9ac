// SPDX-License-Identifier: GPL-2.0
/*
 * The one pernet_operations of the module. Upper layers that need something of each namespace (netfilter hooks, sysctls,
 * /proc) get it through the two functions given to smcu_netns_init().
 */
#include <linux/module.h>
#include "base/base.h"
#include "proto/wire_clc.h"

#define DEFAULT_EID "SMCULP-DEFAULT"

unsigned int smcu_net_id;

static int (*net_up)(struct net *net);
static void (*net_down)(struct net *net);

u8 smcu_base_eids(struct smcu_net *sn, u8 *eids)
{
	u8 n;

	spin_lock_bh(&sn->eid_lock);
	n = sn->n_eids;
	memcpy(eids, sn->eid, n * SMCU_EID_LEN);
	spin_unlock_bh(&sn->eid_lock);
	return n;
}

static int __net_init netns_init(struct net *net)
{
	struct smcu_net *sn = smcu_base_net(net);
	int err;

	INIT_LIST_HEAD(&sn->socks);
	spin_lock_init(&sn->socks_lock);
	spin_lock_init(&sn->eid_lock);
	sn->enable = 1;
	sn->max_handshakes = 1024;
	sn->rmem = 65536;
	sn->wmem = 65536;
	smcu_eid_from_text(DEFAULT_EID, strlen(DEFAULT_EID), sn->eid[0]);
	sn->n_eids = 1;
	sn->stats = alloc_percpu(struct smcu_stats);
	if (!sn->stats)
		return -ENOMEM;
	err = net_up(net);
	if (err)
		goto err_free_stats;
	return 0;

err_free_stats:
	free_percpu(sn->stats);
	return err;
}

static void __net_exit netns_exit(struct net *net)
{
	net_down(net);
	free_percpu(smcu_base_net(net)->stats);
}

static struct pernet_operations netns_ops = {
	.init = netns_init,
	.exit = netns_exit,
	.id = &smcu_net_id,
	.size = sizeof(struct smcu_net),
};

int smcu_netns_init(int (*up)(struct net *net), void (*down)(struct net *net))
{
	net_up = up;
	net_down = down;
	return register_pernet_subsys(&netns_ops);
}

void smcu_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}
