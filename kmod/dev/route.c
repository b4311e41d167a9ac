// SPDX-License-Identifier: GPL-2.0
/*
 * How a packet gets from a GID of ours to one of the peer: gateway or not, and which MAC. Called by link/ and clc/ in process
 * context without locks; asks the routing and the neighbour table.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <net/ipv6.h>
#include <net/neighbour.h>
#include <net/route.h>
#include <rdma/ib_cache.h>
#include "dev/internal.h"

/*
 * The neighbour table gets this long to find the next hop, in a thread that others need. It was asked when the proposal came, and the
 * peer's TCP has come the same way: this is for one that answers slowly.
 */
enum { NEIGH_TRIES = 10, NEIGH_WAIT_MS = 20 };

static __be32 gid_ipv4(const u8 *gid)
{
	return ((const struct in6_addr *)gid)->s6_addr32[3];
}

/* Return: the net device of the path's GID, referenced; NULL where the GID has gone since the path was found. */
static struct net_device *path_ndev(const struct smcu_path *path)
{
	const struct ib_gid_attr *attr;
	struct net_device *ndev = NULL;

	attr = rdma_get_gid_attr(path->ibdev, path->port_num, path->sgid_index);
	if (IS_ERR(attr))
		return NULL;
	rcu_read_lock();
	if (!memcmp(attr->gid.raw, path->gid, SMCU_GID_LEN)) {
		ndev = rdma_read_gid_attr_ndev_rcu(attr);
		if (IS_ERR(ndev))
			ndev = NULL;
		dev_hold(ndev);
	}
	rcu_read_unlock();
	rdma_put_gid_attr(attr);
	return ndev;
}

/* Soft-RoCE routes each packet by its address and looks at no MAC but its own. */
static bool needs_mac(const struct smcu_path *path)
{
	return path->ibdev->ops.driver_id != RDMA_DRIVER_RXE;
}

static int next_hop_mac(struct rtable *rt, __be32 daddr, u8 *mac, bool wait)
{
	struct neighbour *n;
	int i, err = -EHOSTUNREACH;

	n = dst_neigh_lookup(&rt->dst, &daddr);
	if (!n)
		return -EHOSTUNREACH;
	if (n->dev->addr_len != SMCU_MAC_LEN)
		goto out;
	for (i = 0; i < NEIGH_TRIES; i++) {
		if (READ_ONCE(n->nud_state) & NUD_VALID) {
			neigh_ha_snapshot(mac, n, n->dev);
			err = 0;
			break;
		}
		neigh_event_send(n, NULL);
		if (!wait) {
			err = 0;
			break;
		}
		msleep(NEIGH_WAIT_MS);
	}
out:
	neigh_release(n);
	return err;
}

int smcu_path_route(const struct smcu_path *path, const u8 *peer_gid, const u8 *peer_mac, bool wait,
		    struct smcu_hop *hop)
{
	struct flowi4 fl4 = {};
	struct net_device *ndev;
	struct rtable *rt;
	int err = 0;

	might_sleep();
	memset(hop, 0, sizeof(*hop));
	if (!ipv6_addr_v4mapped((const struct in6_addr *)peer_gid))
		return -EHOSTUNREACH;
	ndev = path_ndev(path);
	if (!ndev)
		return -EHOSTUNREACH;

	fl4.daddr = gid_ipv4(peer_gid);
	fl4.saddr = gid_ipv4(path->gid);
	rt = ip_route_output_flow(dev_net(ndev), &fl4, NULL);
	if (IS_ERR(rt)) {
		err = -EHOSTUNREACH;
		goto out_dev;
	}
	if (rt->rt_type != RTN_UNICAST && rt->rt_type != RTN_LOCAL) {
		err = -EHOSTUNREACH;
		goto out_rt;
	}

	hop->direct = !rt->rt_gw_family;
	if (hop->direct && !is_zero_ether_addr(peer_mac))
		memcpy(hop->mac, peer_mac, SMCU_MAC_LEN);
	else if (rt->rt_type == RTN_LOCAL)
		memcpy(hop->mac, path->mac, SMCU_MAC_LEN);
	else if (needs_mac(path))
		err = next_hop_mac(rt, fl4.daddr, hop->mac, wait);
out_rt:
	ip_rt_put(rt);
out_dev:
	dev_put(ndev);
	return err;
}
