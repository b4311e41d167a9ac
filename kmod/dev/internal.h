/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of dev/: the registry of adapters. smcu_dev_sem protects the list (readers: searches for a path; writers: an adapter
 * comes or goes); it is never held while waiting for anybody above.
 */
#ifndef SMCU_DEV_INTERNAL_H
#define SMCU_DEV_INTERNAL_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>
#include <rdma/ib_verbs.h>
#include "dev/dev.h"

/**
 * struct smcu_port - a port of an adapter
 * @dev: the adapter
 * @num: 1-based
 * @roce: carries RoCE; else it is never used
 * @active: last known state. Written by smcu_port_update(), read without lock
 * @mtu: last known active MTU code. Written by smcu_port_update(), read without lock
 * @checked: jiffies of the last query. Written by smcu_port_update(), read without lock
 */
struct smcu_port {
	struct smcu_dev *dev;
	u8 num;
	bool roce;
	bool active;
	u8 mtu;
	unsigned long checked;
};

/**
 * struct smcu_dev - an adapter
 * @node: in the registry; protected by smcu_dev_sem
 * @ibdev: valid from add to the end of remove
 * @refs: one of the registry, one for each path
 * @unused: completed when @refs has become 0
 * @gone: removal has begun; set once under smcu_dev_sem, read without lock
 * @handler: of asynchronous events
 * @event_work: asks about the ports in @event_ports
 * @event_ports: bit n: port n + 1 has had an event; atomic bit operations
 * @n_ports: length of @port
 * @port: the ports
 */
struct smcu_dev {
	struct list_head node;
	struct ib_device *ibdev;
	refcount_t refs;
	struct completion unused;
	bool gone;
	struct ib_event_handler handler;
	struct work_struct event_work;
	DECLARE_BITMAP(event_ports, 256);
	u8 n_ports;
	struct smcu_port port[] __counted_by(n_ports);
};

extern struct rw_semaphore smcu_dev_sem;
extern struct list_head smcu_dev_list;

/* registry.c */

/**
 * smcu_dev_put() - drop a reference on an adapter
 * @dev: may be freed, by its removal, as soon as the last one is dropped
 *
 * Context: any.
 */
void smcu_dev_put(struct smcu_dev *dev);

/**
 * smcu_dev_learn_mac() - a port has been seen; the first one gives the instance its MAC
 * @mac: SMCU_MAC_LEN bytes; zero is no MAC
 *
 * Context: any but hard interrupts; takes peer_id_lock.
 */
void smcu_dev_learn_mac(const u8 *mac);

/* ibclient.c */

/**
 * smcu_port_update() - ask the adapter about a port
 * @port: its adapter can't go meanwhile. Several may ask at the same time
 *
 * A port that can't be asked is inactive.
 *
 * Context: may sleep; where ports are searched, with smcu_dev_sem held for reading.
 */
void smcu_port_update(struct smcu_port *port);

/**
 * smcu_ibclient_init() - register with the RDMA core, which tells of each adapter there is
 * @gone: see smcu_dev_init()
 * @event: likewise
 *
 * Context: may sleep.
 * Return: 0 or the -errno of the RDMA core
 */
int smcu_ibclient_init(void (*gone)(struct ib_device *ibdev),
		       void (*event)(struct ib_device *ibdev, u8 port_num));

/**
 * smcu_ibclient_exit() - the opposite: each adapter is removed
 *
 * Context: may sleep.
 */
void smcu_ibclient_exit(void);

#endif
