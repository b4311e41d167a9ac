/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.6, "sysctl: Add size to register_net_sysctl function", and 6.11, which dropped the empty entry at the end of tables. Before, that
 * entry alone says where the table ends: the caller's table has room for one more than @n.
 */
#ifndef SMCU_COMPAT_NET_NET_NAMESPACE_H
#define SMCU_COMPAT_NET_NET_NAMESPACE_H

#include <linux/string.h>
#include <linux/sysctl.h>
#include_next <net/net_namespace.h>

#ifndef SMCU_HAVE_SYSCTL_SZ
static inline struct ctl_table_header *register_net_sysctl_sz(struct net *net, const char *path, struct ctl_table *table, size_t n)
{
	memset(&table[n], 0, sizeof(*table));
	return register_net_sysctl(net, path, table);
}
#endif

#endif
