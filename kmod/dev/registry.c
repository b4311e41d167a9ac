// SPDX-License-Identifier: GPL-2.0
/*
 * The registry: the only list of adapters, and the references on their ports. Called by link/ and xport/ in process context;
 * dropping a reference is possible anywhere.
 */
#include <linux/etherdevice.h>
#include <linux/random.h>
#include "dev/internal.h"

DECLARE_RWSEM(smcu_dev_sem);
LIST_HEAD(smcu_dev_list);

/* The instance: written once under the lock, when the first MAC is seen or somebody has to know. */
static DEFINE_SPINLOCK(peer_id_lock);
static u8 peer_id[SMCU_PEER_ID_LEN];
static bool peer_id_known;

static void peer_id_set(const u8 *mac)
{
	lockdep_assert_held(&peer_id_lock);

	if (peer_id_known)
		return;
	get_random_bytes(peer_id, 2);
	/* A zero MAC (loopback) would mean "no instance" to the peer. */
	if (mac && !is_zero_ether_addr(mac))
		memcpy(peer_id + 2, mac, SMCU_MAC_LEN);
	else
		eth_random_addr(peer_id + 2);
	peer_id_known = true;
}

void smcu_dev_learn_mac(const u8 *mac)
{
	if (is_zero_ether_addr(mac))
		return;
	spin_lock_bh(&peer_id_lock);
	peer_id_set(mac);
	spin_unlock_bh(&peer_id_lock);
}

void smcu_dev_peer_id(u8 *id)
{
	spin_lock_bh(&peer_id_lock);
	peer_id_set(NULL);
	memcpy(id, peer_id, SMCU_PEER_ID_LEN);
	spin_unlock_bh(&peer_id_lock);
}

void smcu_dev_put(struct smcu_dev *dev)
{
	if (refcount_dec_and_test(&dev->refs))
		complete(&dev->unused);
}

void smcu_path_get(const struct smcu_path *path)
{
	refcount_inc(&path->port->dev->refs);
}

void smcu_path_put(struct smcu_path *path)
{
	if (!path->port)
		return;
	smcu_dev_put(path->port->dev);
	path->port = NULL;
}

bool smcu_path_is_gone(const struct smcu_path *path)
{
	/* Pairs with the store in the removal; ordered by the lock of the list that the caller and the callback share. */
	return READ_ONCE(path->port->dev->gone);
}

int smcu_dev_init(void (*gone)(struct ib_device *ibdev),
		  void (*event)(struct ib_device *ibdev, u8 port_num))
{
	return smcu_ibclient_init(gone, event);
}

void smcu_dev_exit(void)
{
	smcu_ibclient_exit();
}
