/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door of dev/: which adapter port could carry a TCP connection.
 *
 * The registry is the only list of ports; it is filled by an ib_client. Ports are reference counted, and removal of an
 * adapter waits until no port of it is referenced: holders learn of it through the callback of smcu_dev_init().
 */
#ifndef SMCU_DEV_H
#define SMCU_DEV_H

#include <linux/types.h>
#include <linux/refcount.h>
#include "proto/limits.h"

struct ib_device;
struct net;
struct net_device;
struct smcu_port;

/**
 * struct smcu_path - one end of a future link, chosen for a TCP connection
 * @port: the port, referenced; smcu_path_put() drops it
 * @ibdev: its adapter, valid as long as @port is held
 * @port_num: 1-based
 * @sgid_index: of @gid in the adapter's table
 * @mtu: active path MTU code of the port, 1 to 5
 * @gid: RoCEv2 GID, IPv4-mapped
 * @mac: of the port
 */
struct smcu_path {
	struct smcu_port *port;
	struct ib_device *ibdev;
	u8 port_num;
	u16 sgid_index;
	u8 mtu;
	u8 gid[SMCU_GID_LEN];
	u8 mac[SMCU_MAC_LEN];
};

/**
 * smcu_path_find() - a port for a TCP connection
 * @net: network namespace of the socket; must be allowed to use the adapter
 * @ifindex: device of the socket's route
 * @laddr: local IPv4 address of the connection, 0 for a native IPv6 one: then any IPv4-mapped GID of that device will do
 * @path: result; all zero where there is none
 *
 * The port's net device is the route's device or its lowest base device, untagged; the port is active; the GID is RoCEv2 and
 * IPv4-mapped, on a netdev that owns an address whose subnet contains @laddr. Preferred: the GID equal to @laddr.
 *
 * Context: may sleep; takes smcu_dev_sem for reading, and may ask the adapter.
 * Return: 0, and the caller has a reference on the port; -ENODEV
 */
int smcu_path_find(struct net *net, int ifindex, __be32 laddr, struct smcu_path *path);

/**
 * smcu_path_get() - another reference for a copy of a path
 * @path: a path whose port is held
 *
 * Context: any.
 */
void smcu_path_get(const struct smcu_path *path);

/**
 * smcu_path_put() - drop the port's reference
 * @path: found by smcu_path_find() or taken by smcu_path_get(), or without a port; its port is NULL afterwards
 *
 * Context: any.
 */
void smcu_path_put(struct smcu_path *path);

/**
 * smcu_path_is_gone() - is the adapter being removed?
 * @path: a path whose port is held
 *
 * For somebody who puts what he makes on a list that @gone of smcu_dev_init() walks: put it there first, then ask. Either @gone
 * finds it or this says true.
 *
 * Context: any.
 * Return: true if so; it stays so
 */
bool smcu_path_is_gone(const struct smcu_path *path);

/**
 * struct smcu_hop - how to reach the peer's GID
 * @direct: no gateway between
 * @mac: next hop
 */
struct smcu_hop {
	bool direct;
	u8 mac[SMCU_MAC_LEN];
};

/**
 * smcu_path_route() - route from a path to a peer's GID
 * @path: ours
 * @peer_gid: IPv4-mapped
 * @peer_mac: from the CLC message, zero if the peer did not say; used where the route is direct
 * @wait: for the neighbour, a fifth of a second; else @hop's mac may be zero
 * @hop: result; @mac may be zero where neither the peer nor the neighbour table knows it and the adapter does not need it
 *
 * The route is looked up in the namespace of the GID's device, where the adapter's packets are routed.
 *
 * Context: may sleep.
 * Return: 0; -EHOSTUNREACH, also where the GID is not there any more
 */
int smcu_path_route(const struct smcu_path *path, const u8 *peer_gid, const u8 *peer_mac, bool wait,
		    struct smcu_hop *hop);

/**
 * smcu_dev_peer_id() - this instance's peer id: two random bytes and the MAC of the first port seen
 * @id: SMCU_PEER_ID_LEN bytes
 *
 * It is made when the first port is seen, or here, with a random MAC, and never changes then.
 *
 * Context: any but hard interrupts; takes peer_id_lock.
 */
void smcu_dev_peer_id(u8 *id);

/**
 * smcu_dev_init() - register with the RDMA core
 * @gone: called in process context when an adapter is being removed; must drop every reference on its ports before it
 *        returns and post nothing to it afterwards
 * @event: called in process context (from work) after a port or queue pair independent event made the port inactive; may be
 *         NULL
 *
 * Context: may sleep; both may be called before it returns.
 * Return: 0 or the -errno of the RDMA core
 */
int smcu_dev_init(void (*gone)(struct ib_device *ibdev), void (*event)(struct ib_device *ibdev, u8 port_num));

/**
 * smcu_dev_exit() - the opposite: @gone for each adapter there is
 *
 * Context: may sleep; waits until no port is referenced and no callback runs.
 */
void smcu_dev_exit(void);

#endif
