/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of xport/: an endpoint made of a queue pair, shared by all carriers that speak verbs. sq_lock orders
 * posting and accounting, is taken with BH off, and is never held during an upcall; qp_lock is a mutex for changes of state.
 */
#ifndef SMCU_XPORT_VERBS_H
#define SMCU_XPORT_VERBS_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <rdma/ib_verbs.h>
#include "xport/xport.h"

enum smcu_verbs_limits {
	SMCU_SQ_WR = 256,		/* work requests of ours, a power of two; one slot each at most */
	SMCU_SQ_DRAIN = 4,		/* more for draining, never used for anything else */
	SMCU_SQ_RESERVE = 16,		/* the last ones are for messages without owner */
	SMCU_RQ_WR = 256,		/* as many as a peer like us can have in flight: refusing one stalls the link for a tick */
	SMCU_RQ_DRAIN = 4,
	SMCU_SLOT_LEN = 64,		/* memory of a message */
	SMCU_SPILL_LEN = SMCU_MSG_MAX,	/* what is longer ends here and is never looked at */
	SMCU_SGE_MAX = 8,		/* per WRITE, even if the adapter could do more */
	SMCU_SIGNAL_MSGS = 32,		/* a completion is asked for every so many messages... */
	SMCU_SIGNAL_WRS = 64,		/* ...or work requests */
	/* Segments of one post: of a page each, and each of three writes may begin and end within one. */
	SMCU_POST_SGES = SMCU_XPOST_MAX / 4096 + 6,
	SMCU_POST_WRS = SMCU_POST_SGES / 2 + 3 + 1,
};

/**
 * enum smcu_xport_flag - bits of smcu_xport.flags
 * @SMCU_XP_STARTED: in RTS: posting is possible
 * @SMCU_XP_DEAD: killed or failed: nothing is posted any more
 */
enum smcu_xport_flag {
	SMCU_XP_STARTED,
	SMCU_XP_DEAD,
};

/**
 * struct smcu_txslot - bookkeeping of one message, or of one registration, in the send queue
 * @cqe: of all work requests of the message
 * @owner: for the sent upcall; protected by sq_lock
 * @cookie: for the sent upcall; protected by sq_lock
 * @n_wr: work requests, 1 to SMCU_POST_WRS; protected by sq_lock
 */
struct smcu_txslot {
	struct ib_cqe cqe;
	void *owner;
	u64 cookie;
	u16 n_wr;
};

/**
 * struct smcu_rxslot - one receive
 * @cqe: of its work request
 * @wr: the work request, posted again and again
 * @sge: its memory, then the spill area
 */
struct smcu_rxslot {
	struct ib_cqe cqe;
	struct ib_recv_wr wr;
	struct ib_sge sge[2];
};

/**
 * struct smcu_xport - an endpoint
 * @path: our end; holds a reference on the port
 * @user: upcalls
 * @priv: their argument
 * @pd: protection domain of its own; empty again when the rings have been unregistered
 * @qp: queue pair
 * @scq: completions of sends; polled in softirq, by one processor at a time
 * @rcq: completions of receives; likewise
 * @psn: our first packet number, 24 bits
 * @mtu: path MTU code, 1 to 5; own, then the smaller one after listen
 * @inline_ok: messages are copied into the work request
 * @max_sge: segments of a WRITE, at most SMCU_SGE_MAX
 * @flags: SMCU_XP_*, atomic; STARTED is set under @sq_lock. So is DEAD by smcu_xport_kill(): nothing is posted after it has released the
 *         lock. An endpoint that fails by itself sets it without: the adapter flushes what is posted then
 * @qp_lock: one change of the queue pair's state at a time
 * @drained: the queue pair is in ERR and empty; under @qp_lock
 * @wq: flushes wait here
 * @sq_lock: orders posts and completions
 * @head: slots ever used; under @sq_lock
 * @tail: slots ever completed; under @sq_lock
 * @sq_free: free work requests, 0 to SMCU_SQ_WR, without those for draining; under @sq_lock
 * @unsig_msgs: messages since the last one with a completion; under @sq_lock
 * @unsig_wrs: work requests since then; under @sq_lock
 * @starved: somebody was told -EAGAIN; under @sq_lock
 * @wr: scratch for a chain; under @sq_lock
 * @sge: scratch; under @sq_lock
 * @tx: slots, SMCU_SQ_WR
 * @rx: receives, SMCU_RQ_WR
 * @tx_mem: memory of messages, SMCU_SLOT_LEN for each of @tx
 * @rx_mem: memory of received messages
 * @spill: where the rest of long messages goes; never read
 * @tx_dma: address of @tx_mem
 * @rx_dma: address of @rx_mem
 * @spill_dma: address of @spill
 */
struct smcu_xport {
	struct smcu_path path;
	const struct smcu_xport_user *user;
	void *priv;
	struct ib_pd *pd;
	struct ib_qp *qp;
	struct ib_cq *scq;
	struct ib_cq *rcq;
	u32 psn;
	u8 mtu;
	u8 max_sge;
	bool inline_ok;
	unsigned long flags;
	struct mutex qp_lock;
	bool drained;
	wait_queue_head_t wq;

	spinlock_t sq_lock ____cacheline_aligned_in_smp;
	u32 head;
	u32 tail;
	u32 sq_free;
	u32 unsig_msgs;
	u32 unsig_wrs;
	bool starved;
	struct ib_rdma_wr *wr;
	struct ib_sge *sge;
	struct smcu_txslot *tx;
	struct smcu_rxslot *rx;
	u8 *tx_mem;
	u8 *rx_mem;
	void *spill;
	u64 tx_dma;
	u64 rx_dma;
	u64 spill_dma;
};

/**
 * smcu_verbs_is_dead() - is it killed, or has it failed?
 * @xp: endpoint
 *
 * Context: any; lockless.
 * Return: true if so; it stays so
 */
static inline bool smcu_verbs_is_dead(const struct smcu_xport *xp)
{
	return test_bit(SMCU_XP_DEAD, &xp->flags);
}

/**
 * smcu_verbs_txslot() - the slot of a message
 * @xp: endpoint
 * @n: number of the message since the beginning, modulo 2^32, as head and tail count
 *
 * Context: any; what is in the slot is protected by sq_lock.
 * Return: one of SMCU_SQ_WR
 */
static inline struct smcu_txslot *smcu_verbs_txslot(struct smcu_xport *xp, u32 n)
{
	return &xp->tx[n % SMCU_SQ_WR];
}

/* xport.c */

/**
 * smcu_verbs_fail() - the endpoint is dead by itself: tell the user once
 * @xp: endpoint; one that is dead already stays as it is
 * @err: negative, for the user
 *
 * It does not take sq_lock: what is posted in the meantime is flushed by the adapter.
 *
 * Context: any, also a driver's hard interrupt; sq_lock is not held. Makes the down upcall, under RCU.
 */
void smcu_verbs_fail(struct smcu_xport *xp, int err);

/* verbs_cq.c */

/**
 * smcu_verbs_send_done() - a completion: all slots up to this one are free
 * @cq: send queue's
 * @wc: of a slot
 *
 * Context: softirq, of the RDMA core, one call at a time for each endpoint. Makes the sent and room upcalls under RCU, and the down upcall.
 */
void smcu_verbs_send_done(struct ib_cq *cq, struct ib_wc *wc);

/**
 * smcu_verbs_recv_done() - a message has come: upcall, then the receive is posted again
 * @cq: receive queue's
 * @wc: of a receive
 *
 * Context: softirq, of the RDMA core, one call at a time for each endpoint. Makes the recv upcall under RCU, and the down upcall.
 */
void smcu_verbs_recv_done(struct ib_cq *cq, struct ib_wc *wc);

/**
 * smcu_verbs_post_recvs() - post all receives
 * @xp: endpoint whose queue pair is in INIT; once
 *
 * Context: process; qp_lock is held.
 * Return: 0 or -errno of the driver
 */
int smcu_verbs_post_recvs(struct smcu_xport *xp);

/* verbs_wr.c */

/**
 * smcu_verbs_post_reg() - post the registration of a memory region
 * @xp: endpoint
 * @mr: with its pages set
 *
 * Nobody waits for it: whatever tells the peer of the key is sent behind it on the same queue, or after the peer's answer to something
 * that was, and a registration that fails ends the link.
 *
 * Context: any but hard interrupts; takes sq_lock.
 * Return: 0; -EAGAIN no room now, and no upcall says when there is; -ENOTCONN dead, or not started
 */
int smcu_verbs_post_reg(struct smcu_xport *xp, struct ib_mr *mr);

/* roce.c */

/**
 * smcu_roce_create() - queue pair, up to INIT, from where everything can be drained
 * @xp: endpoint with its completion queues; nobody else knows it yet
 *
 * Context: may sleep.
 * Return: 0 and @xp->qp is set, or -errno of the RDMA core
 */
int smcu_roce_create(struct smcu_xport *xp);

/**
 * smcu_roce_connect() - queue pair to RTR (section 3.2)
 * @xp: endpoint in INIT
 * @peer: its end
 * @hop: route to it
 *
 * Context: may sleep; qp_lock is held.
 * Return: 0 and @xp->mtu is what both can do; -EADDRNOTAVAIL our GID is not there any more; other -errno of the RDMA core
 */
int smcu_roce_connect(struct smcu_xport *xp, const struct smcu_xaddr *peer, const struct smcu_hop *hop);

/**
 * smcu_roce_start() - queue pair to RTS (section 3.2)
 * @xp: endpoint in RTR
 *
 * Context: may sleep; qp_lock is held.
 * Return: 0 or -errno of the RDMA core
 */
int smcu_roce_start(struct smcu_xport *xp);

#endif
