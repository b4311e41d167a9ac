/* SPDX-License-Identifier: GPL-2.0 */
/* Door of ctl/: what operators turn (net.smc_ulp.*) and read (/proc/net/smc_ulp/). No state of its own. */
#ifndef SMCU_CTL_H
#define SMCU_CTL_H

struct net;

/**
 * smcu_sysctl_net_init() - net.smc_ulp.* of a namespace
 * @net: namespace
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM
 */
int smcu_sysctl_net_init(struct net *net);

/**
 * smcu_sysctl_net_exit() - the opposite
 * @net: namespace
 *
 * Context: may sleep; nobody reads or writes any more when it returns.
 */
void smcu_sysctl_net_exit(struct net *net);

/**
 * smcu_show_net_init() - /proc/net/smc_ulp/ of a namespace
 * @net: namespace
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM
 */
int smcu_show_net_init(struct net *net);

/**
 * smcu_show_net_exit() - the opposite
 * @net: namespace
 *
 * Context: may sleep; nobody reads any more when it returns.
 */
void smcu_show_net_exit(struct net *net);

#endif
