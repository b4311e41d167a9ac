// SPDX-License-Identifier: GPL-2.0
/*
 * Which GID of which port belongs to a TCP connection: the net device of its route, or the lowest device below that, must be
 * the GID's. Called by clc/ in process context; takes smcu_dev_sem for reading and RCU.
 */
#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <net/ipv6.h>
#include <rdma/ib_cache.h>
#include "dev/internal.h"

/* A port whose state is older than this is asked again: not every driver tells when an MTU changes. */
#define PORT_FRESH HZ

/**
 * struct search - what is looked for and what has been found
 * @dev: device of the socket's route
 * @base: lowest device below it, or itself
 * @laddr: local address of the connection, or 0
 * @path: result; @path->port is NULL as long as nothing has been found
 * @exact: the result's GID is @laddr
 */
struct search {
	struct net_device *dev;
	struct net_device *base;
	__be32 laddr;
	struct smcu_path *path;
	bool exact;
};

/* The walk goes depth first: it is below the last one as long as the first branch goes down. */
static int go_down(struct net_device *lower, struct netdev_nested_priv *priv)
{
	struct net_device **base = priv->data;

	if (!netdev_has_upper_dev_all_rcu(lower, *base))
		return 1;
	*base = lower;
	return is_vlan_dev(lower);
}

/* Return: the lowest device, referenced; NULL where a VLAN is on the way: a link group would have to be tagged. */
static struct net_device *lowest_base(struct net_device *dev)
{
	struct net_device *base = dev;
	struct netdev_nested_priv priv = { .data = &base };

	if (is_vlan_dev(dev))
		return NULL;
	rcu_read_lock();
	netdev_walk_all_lower_dev_rcu(dev, go_down, &priv);
	if (is_vlan_dev(base))
		base = NULL;
	dev_hold(base);
	rcu_read_unlock();
	return base;
}

static __be32 gid_ipv4(const union ib_gid *gid)
{
	return ((const struct in6_addr *)gid->raw)->s6_addr32[3];
}

/* Does the device own an address whose subnet contains @addr? */
static bool owns_subnet_of(const struct net_device *ndev, __be32 addr)
{
	const struct in_device *in_dev = __in_dev_get_rcu(ndev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return false;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (inet_ifa_match(addr, ifa))
			return true;
	return false;
}

/* Take the GID if it will do and is better than the one there is. */
static void try_gid(struct search *s, struct smcu_port *port, const struct ib_gid_attr *attr)
{
	struct smcu_path *path = s->path;
	const struct net_device *ndev;
	bool exact;

	if (attr->gid_type != IB_GID_TYPE_ROCE_UDP_ENCAP ||
	    !ipv6_addr_v4mapped((const struct in6_addr *)attr->gid.raw))
		return;
	exact = s->laddr && gid_ipv4(&attr->gid) == s->laddr;
	if (path->port && !exact)
		return;

	rcu_read_lock();
	ndev = rdma_read_gid_attr_ndev_rcu(attr);
	if (IS_ERR(ndev) || (ndev != s->dev && ndev != s->base) || is_vlan_dev(ndev))
		goto out;
	if (s->laddr && !exact && !owns_subnet_of(ndev, s->laddr))
		goto out;

	path->port = port;
	path->ibdev = port->dev->ibdev;
	path->port_num = port->num;
	path->sgid_index = attr->index;
	path->mtu = READ_ONCE(port->mtu);
	memcpy(path->gid, attr->gid.raw, SMCU_GID_LEN);
	memset(path->mac, 0, SMCU_MAC_LEN);
	if (ndev->addr_len == SMCU_MAC_LEN)
		memcpy(path->mac, ndev->dev_addr, SMCU_MAC_LEN);
	s->exact = exact;
out:
	rcu_read_unlock();
}

static void try_port(struct search *s, struct smcu_port *port)
{
	const struct ib_gid_attr *attr;
	struct ib_device *ibdev = port->dev->ibdev;
	int i, n;

	if (time_after(jiffies, READ_ONCE(port->checked) + PORT_FRESH))
		smcu_port_update(port);
	if (!READ_ONCE(port->active))
		return;

	n = ibdev->port_data[port->num].immutable.gid_tbl_len;
	for (i = 0; i < n && !s->exact; i++) {
		attr = rdma_get_gid_attr(ibdev, port->num, i);
		if (IS_ERR(attr))
			continue;
		try_gid(s, port, attr);
		rdma_put_gid_attr(attr);
	}
}

int smcu_path_find(struct net *net, int ifindex, __be32 laddr, struct smcu_path *path)
{
	struct search s = { .laddr = laddr, .path = path };
	struct smcu_dev *dev;
	u8 i;

	might_sleep();
	memset(path, 0, sizeof(*path));
	s.dev = dev_get_by_index(net, ifindex);
	if (!s.dev)
		return -ENODEV;
	s.base = lowest_base(s.dev);
	if (!s.base)
		goto out_dev;

	down_read(&smcu_dev_sem);
	list_for_each_entry(dev, &smcu_dev_list, node) {
		if (!rdma_dev_access_netns(dev->ibdev, net))
			continue;
		for (i = 0; i < dev->n_ports && !s.exact; i++)
			if (dev->port[i].roce)
				try_port(&s, &dev->port[i]);
	}
	/* Under the semaphore: afterwards the adapter may go. */
	if (path->port)
		smcu_path_get(path);
	up_read(&smcu_dev_sem);

	if (path->port)
		smcu_dev_learn_mac(path->mac);
	dev_put(s.base);
out_dev:
	dev_put(s.dev);
	return path->port ? 0 : -ENODEV;
}
