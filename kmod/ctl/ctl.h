/* SPDX-License-Identifier: GPL-2.0 */
/* Door of ctl/: what operators turn (net.smc_ulp.*) and read (/proc/net/smc_ulp/). No state of its own. */
#ifndef SMCU_CTL_H
#define SMCU_CTL_H

struct net;

int smcu_sysctl_net_init(struct net *net);
void smcu_sysctl_net_exit(struct net *net);
int smcu_show_net_init(struct net *net);
void smcu_show_net_exit(struct net *net);

#endif
