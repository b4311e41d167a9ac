/* SPDX-License-Identifier: GPL-2.0 */
/* Door of base/: what every layer needs - settings and counters of a network namespace, and the workqueues. */
#ifndef SMCU_BASE_H
#define SMCU_BASE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "proto/reason.h"

/* The name by which programs ask for the ULP; net/smc of older kernels uses the same one. */
#define SMCU_ULP_NAME "smc"

#define SMCU_MAX_LOCAL_EIDS 4

/* X(name, sentence): events that are counted in each network namespace; the sentences are the manual. */
#define SMCU_STATS(X) \
	X(sockets, "sockets converted, listeners included") \
	X(syn_sent, "SYNs that carried the SMC option") \
	X(synack_sent, "SYN-ACKs that carried the SMC option") \
	X(hs_client, "handshakes begun as client") \
	X(hs_server, "handshakes begun as server") \
	X(hs_failed, "handshakes after which the connection was dead") \
	X(hs_limited, "SYNs whose option was ignored because of max_handshakes") \
	X(smc_client, "connections that became SMC as client") \
	X(smc_server, "connections that became SMC as server") \
	X(first_contact, "link groups made for a connection") \
	X(tx_bytes, "bytes programs have sent over SMC") \
	X(rx_bytes, "bytes programs have received over SMC") \
	X(tx_msgs, "CDC messages sent") \
	X(rx_msgs, "CDC messages received") \
	X(rx_bad, "CDC messages that broke the protocol") \
	X(lost, "connections whose link went down") \
	X(reset, "connections aborted by the peer")

/**
 * enum smcu_stat - index of an event in struct smcu_stats
 * @SMCU_STATS: SMCU_S_* with the name of each line of that list, in its order; SMCU_S_COUNT is their number
 */
enum smcu_stat {
#define X(name, text) SMCU_S_##name,
	SMCU_STATS(X)
#undef X
	SMCU_S_COUNT
};

/**
 * struct smcu_stats - counters of a namespace; they only grow
 * @event: by enum smcu_stat: how often, or bytes
 * @fallback: by enum smcu_reason: connections that became plain TCP
 */
struct smcu_stats {
	u64 event[SMCU_S_COUNT];
	u64 fallback[SMCU_R_COUNT];
};

struct ctl_table_header;

/**
 * struct smcu_net - what the module keeps for a network namespace
 * @stats: counters, one set for each processor
 * @handshakes: running now
 * @detached: sockets that their programs have closed and that may still have something to send
 * @socks: every ctx of ulp/, for /proc; protected by @socks_lock
 * @socks_lock: BH-safe leaf lock
 * @sysctl: registration of net.smc_ulp
 * @enable: 0: nothing is converted. This and the next three are written by sysctl at any time and read lockless
 * @max_handshakes: bound on @handshakes, 1 to 65536
 * @rmem: bytes of a receive ring where SO_RCVBUF does not say otherwise, 16384 to 2097152
 * @wmem: bytes of a send ring where SO_SNDBUF does not say otherwise, 16384 to 2097152
 * @eid: user EIDs, the first @n_eids are valid; protected by @eid_lock
 * @n_eids: 0 to SMCU_MAX_LOCAL_EIDS; protected by @eid_lock
 * @eid_lock: BH-safe leaf lock
 */
struct smcu_net {
	struct smcu_stats __percpu *stats;
	atomic_t handshakes;
	atomic_t detached;
	struct list_head socks;
	spinlock_t socks_lock;
	struct ctl_table_header *sysctl;
	int enable;
	int max_handshakes;
	int rmem;
	int wmem;
	u8 eid[SMCU_MAX_LOCAL_EIDS][32];
	u8 n_eids;
	spinlock_t eid_lock;
};

/* Of struct smcu_net, for net_generic(). */
extern unsigned int smcu_net_id;

/**
 * smcu_base_net() - what we keep for a namespace
 * @net: namespace; smcu_netns_init() was called
 *
 * Context: any.
 * Return: valid as long as @net is
 */
static inline struct smcu_net *smcu_base_net(const struct net *net)
{
	return net_generic(net, smcu_net_id);
}

/**
 * smcu_base_eids() - copy of the local EIDs
 * @sn: namespace
 * @eids: room for SMCU_MAX_LOCAL_EIDS of SMCU_EID_LEN bytes
 *
 * Context: any but hard interrupts; takes eid_lock.
 * Return: how many
 */
u8 smcu_base_eids(struct smcu_net *sn, u8 *eids);

/**
 * smcu_stat_inc() - count an event
 * @sn: struct smcu_net
 * @name: of SMCU_STATS
 *
 * Context: any.
 */
#define smcu_stat_inc(sn, name) this_cpu_inc((sn)->stats->event[SMCU_S_##name])

/**
 * smcu_stat_add() - count something that comes in numbers
 * @sn: struct smcu_net
 * @name: of SMCU_STATS
 * @n: how many
 *
 * Context: any.
 */
#define smcu_stat_add(sn, name, n) this_cpu_add((sn)->stats->event[SMCU_S_##name], n)

/**
 * smcu_stat_fallback() - count a connection that became plain TCP
 * @sn: struct smcu_net
 * @reason: enum smcu_reason
 *
 * Context: any.
 */
#define smcu_stat_fallback(sn, reason) this_cpu_inc((sn)->stats->fallback[reason])

/**
 * smcu_stats_sum() - add up all processors
 * @sn: namespace
 * @sum: result; who counts meanwhile may be seen or not
 *
 * Context: any.
 */
void smcu_stats_sum(const struct smcu_net *sn, struct smcu_stats *sum);

/**
 * smcu_stats_name() - name of a counter
 * @s: which, less than SMCU_S_COUNT
 *
 * Context: any.
 * Return: constant string
 */
const char *smcu_stats_name(enum smcu_stat s);

/**
 * smcu_netns_init() - register the pernet operations
 * @up: called for each namespace, present and future, after its struct smcu_net is ready; may sleep; 0, or the -errno that keeps the
 *      namespace from being made
 * @down: called before it goes; may sleep
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or what @up has returned
 */
int smcu_netns_init(int (*up)(struct net *net), void (*down)(struct net *net));

/**
 * smcu_netns_exit() - the opposite: @down for each namespace there is
 *
 * Context: may sleep.
 */
void smcu_netns_exit(void);

/* Runs the engines of sockets: steps of handshakes, flushing after fallback, closing. Unbound since steps may sleep in verbs. */
extern struct workqueue_struct *smcu_sock_wq;

/**
 * smcu_work_init() - make the workqueue of engines
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM
 */
int smcu_work_init(void);

/**
 * smcu_work_exit() - wait for all engines that are queued, and end
 *
 * Nobody may kick an engine any more, and no timer of one may be running.
 *
 * Context: may sleep.
 */
void smcu_work_exit(void);

#endif
