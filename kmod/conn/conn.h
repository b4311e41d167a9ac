/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door of conn/: one connection's data over a link group. It knows neither sockets nor CLC.
 *
 * The owner serialises senders among themselves, receivers among themselves, and both against the life-cycle calls marked
 * "owner's lock"; messages from the peer come in softirq at any time. A connection is created before there is a link group so
 * that early data has a place to wait.
 */
#ifndef SMCU_CONN_H
#define SMCU_CONN_H

#include <linux/types.h>
#include <linux/uio.h>
#include "proto/conn_fsm.h"
#include "proto/wire_clc.h"
#include "link/link.h"

struct smcu_conn;
struct smcu_net;

/* Closing connections are polled by their engines; this is for those that are torn down at once. */
#define SMCU_LEAVE_TIMEOUT (HZ / 10)

/**
 * struct smcu_conn_owner_ops - upcalls, in softirq or process context, without locks of conn/ held; must not sleep
 * @readable: data, end of file or an error
 * @writable: room in the send ring after a sender or poll was told there is none
 * @event: something of the life cycle changed (drained, peer closed, lost): look again
 */
struct smcu_conn_owner_ops {
	void (*readable)(void *owner);
	void (*writable)(void *owner);
	void (*event)(void *owner);
};

/**
 * smcu_conn_new() - a connection without a link group
 * @ops: upcalls
 * @owner: their argument
 * @sn: where to count
 * @snd_size: bytes of the send ring, rounded up to a power of two from SMCU_RMBE_MIN to 2 MiB
 * @rcv_size: bytes of the receive ring, likewise
 * @gfp: allocation flags
 *
 * Context: as @gfp says. No ring is allocated yet.
 * Return: connection, to be dropped by smcu_conn_put(), or NULL
 */
struct smcu_conn *smcu_conn_new(const struct smcu_conn_owner_ops *ops, void *owner, struct smcu_net *sn,
				u32 snd_size, u32 rcv_size, gfp_t gfp);

/**
 * smcu_conn_join() - get rings and a token of a group
 * @conn: without a group
 * @lgr: group; a reference is taken
 *
 * Data that was queued early stays queued, also where it fails.
 *
 * Context: may sleep. Not under the owner's lock, but only one caller at a time.
 * Return: 0 and upcalls may come; -ENOSPC the group is full; -ENOTCONN it is dead; -ENOMEM; other -errno of smcu_lgr_rmb_get(),
 * smcu_lgr_sndbuf_get() and smcu_lgr_join()
 */
int smcu_conn_join(struct smcu_conn *conn, struct smcu_lgr *lgr);

/**
 * smcu_conn_local() - fill in what accept or confirm say of our end: keys, token, size, link address (section 2.3)
 * @conn: joined; from here on the peer may know its ring
 * @a: rkey, rmb_addr, rmbe_index, rmbe_code, token, gid, mac, qpn, psn, mtu are set
 *
 * Context: any; by who has called smcu_conn_join().
 */
void smcu_conn_local(struct smcu_conn *conn, struct smcu_clc_answer *a);

/**
 * smcu_conn_renew() - after a leave: it can join again, with what is queued
 * @conn: never started, and the peer was told of nothing
 *
 * Context: any but hard interrupts.
 */
void smcu_conn_renew(struct smcu_conn *conn);

/**
 * smcu_conn_rmb() - the receive ring, for CONFIRM_RKEY
 * @conn: joined
 *
 * Context: any; by who has called smcu_conn_join().
 * Return: the connection's until smcu_conn_leave()
 */
struct smcu_buf *smcu_conn_rmb(const struct smcu_conn *conn);

/**
 * smcu_conn_set_peer() - where the peer's ring is
 * @conn: joined
 * @a: accept or confirm, decoded (so its ranges are sane)
 *
 * Context: any but hard interrupts.
 */
void smcu_conn_set_peer(struct smcu_conn *conn, const struct smcu_clc_answer *a);

/**
 * smcu_conn_start() - the handshake is over: send what is queued
 * @conn: joined, peer set
 *
 * Context: any but hard interrupts; upcalls may be made.
 */
void smcu_conn_start(struct smcu_conn *conn);

/**
 * smcu_conn_queue() - bytes of a program into the send ring
 * @conn: connection
 * @from: source
 * @len: wanted
 * @gfp: for the ring, where this is the first byte and there is no group yet
 *
 * smcu_conn_push() must follow.
 *
 * Context: owner's lock; may fault and sleep.
 * Return: bytes taken, 0 if the ring is full or there is no memory for one (in the handshake, which ends on TCP then), -EFAULT
 */
int smcu_conn_queue(struct smcu_conn *conn, struct iov_iter *from, size_t len, gfp_t gfp);

/**
 * smcu_conn_push() - send as far as the peer's window and the adapter allow (section 6.4)
 * @conn: connection; nothing happens before smcu_conn_start()
 *
 * Context: any but hard interrupts; upcalls may be made.
 */
void smcu_conn_push(struct smcu_conn *conn);

/**
 * smcu_conn_want_ack() - make the adapter say when all that was sent has arrived
 * @conn: connection
 *
 * Context: any but hard interrupts.
 */
void smcu_conn_want_ack(struct smcu_conn *conn);

/**
 * smcu_conn_unsent() - early data for TCP after a fallback: the next contiguous run
 * @conn: never started
 * @len: its length, 0 if there is none
 *
 * Context: owner's lock.
 * Return: address in the send ring, good until smcu_conn_skip(); NULL if there is none
 */
void *smcu_conn_unsent(struct smcu_conn *conn, u32 *len);

/**
 * smcu_conn_skip() - that many bytes of it went to TCP
 * @conn: never started
 * @len: bytes
 *
 * Context: owner's lock; upcalls may be made.
 */
void smcu_conn_skip(struct smcu_conn *conn, u32 len);

/**
 * smcu_conn_recv() - bytes for a program
 * @conn: connection
 * @to: destination, NULL to throw them away
 * @len: wanted
 * @peek_off: -1, or for MSG_PEEK the offset from the next byte; nothing is consumed then
 *
 * Where the peer waits for it a message says how far the program has read (section 6.5).
 *
 * Context: owner's lock; may fault and sleep.
 * Return: bytes, 0 if there are none, -EFAULT
 */
int smcu_conn_recv(struct smcu_conn *conn, struct iov_iter *to, size_t len, int peek_off);

/**
 * struct smcu_conn_view - a consistent look, for poll, ioctl and the life cycle
 * @rx: bytes that can be read
 * @rx_size: bytes of the receive ring
 * @tx_free: bytes of room in the send ring
 * @tx_size: bytes of the send ring
 * @tx_unsent: bytes not yet handed to the adapter
 * @tx_unacked: bytes not yet on the peer's side
 * @err: 0, or the errno the program gets: ECONNRESET, ECONNABORTED, EPIPE (positive)
 * @eof: the peer will send no more
 * @fin: and it has said so in an orderly way
 * @peer_gone: the peer has closed: sending makes no sense
 * @writable: a third of the ring or more is free
 * @done: the close handshake is over
 * @state: enum smcu_conn_state
 */
struct smcu_conn_view {
	u32 rx;
	u32 rx_size;
	u32 tx_free;
	u32 tx_size;
	u32 tx_unsent;
	u32 tx_unacked;
	int err;
	bool eof;
	bool fin;
	bool peer_gone;
	bool writable;
	bool done;
	u8 state;
};

/**
 * smcu_conn_look() - take a look
 * @conn: connection; the caller holds it by the owner's lock or RCU
 * @v: result
 * @want_write: where @writable is false ask for the writable upcall
 *
 * Context: any but hard interrupts.
 */
void smcu_conn_look(struct smcu_conn *conn, struct smcu_conn_view *v, bool want_write);

/**
 * smcu_conn_rx_avail() - bytes that can be read
 * @conn: connection
 *
 * Context: any; lockless.
 * Return: bytes; as many are in the ring
 */
u32 smcu_conn_rx_avail(const struct smcu_conn *conn);

/**
 * smcu_conn_tx_state() - does sending make sense?
 * @conn: connection
 *
 * Context: any; lockless.
 * Return: 0: yes; -EPIPE: the connection is broken; -ESHUTDOWN: the peer has closed, and nobody has sent to it since
 */
int smcu_conn_tx_state(const struct smcu_conn *conn);

/**
 * smcu_conn_in_vain() - the program has sent to a peer that has closed
 * @conn: connection
 *
 * TCP sends such bytes, and the answer is a reset: the program learns of it with its next call. So it does here.
 *
 * Context: any but hard interrupts; upcalls are made.
 */
void smcu_conn_in_vain(struct smcu_conn *conn);

/**
 * smcu_conn_shutdown() - the program sends no more: "done" follows the data (section 7)
 * @conn: connection
 *
 * Context: any but hard interrupts; upcalls may be made.
 */
void smcu_conn_shutdown(struct smcu_conn *conn);

/**
 * smcu_conn_close() - the program has closed: "closed" follows the data (section 7)
 * @conn: connection
 * @abort: do not send what is queued, tell the peer "abnormal"; may follow a close without
 *
 * Context: any but hard interrupts; upcalls may be made.
 */
void smcu_conn_close(struct smcu_conn *conn, bool abort);

/**
 * smcu_conn_reset() - the peer is gone for another reason than CDC or the link (TCP was reset)
 * @conn: connection
 * @err: why, a positive errno; 0, ECONNRESET and EPIPE: a reset
 *
 * Nothing happens where the peer has closed already, or we have.
 *
 * Context: any but hard interrupts; upcalls may be made.
 */
void smcu_conn_reset(struct smcu_conn *conn, int err);

/**
 * smcu_conn_is_idle() - nothing is in flight or due to be sent: it can leave without waiting
 * @conn: connection
 *
 * Context: any but hard interrupts.
 * Return: true if so, or where nothing was ever sent or nothing can be
 */
bool smcu_conn_is_idle(struct smcu_conn *conn);

/**
 * smcu_conn_leave() - give back everything; no upcall comes any more
 * @conn: connection, closed and better idle: else it leaves its send ring to the group. Nothing happens to one that is in none
 * @until: how long it may wait for that, jiffies; SMCU_LEAVE_TIMEOUT from now for one, and for all of many
 *
 * An upcall that is running may last one RCU grace period longer. A connection that was never started keeps its send ring, with what is
 * queued.
 *
 * Context: may sleep, not under the owner's lock, not from an upcall.
 */
void smcu_conn_leave(struct smcu_conn *conn, unsigned long until);

/**
 * smcu_conn_put() - free what smcu_conn_new() made; lockless lookers have until the end of an RCU grace period
 * @conn: left, or never joined; may be NULL
 *
 * Context: any but hard interrupts.
 */
void smcu_conn_put(struct smcu_conn *conn);

/**
 * smcu_conn_totals() - bytes since the beginning, for /proc
 * @conn: connection
 * @tx: handed to the adapter
 * @rx: read by the program
 *
 * Context: any; lockless.
 */
void smcu_conn_totals(const struct smcu_conn *conn, u64 *tx, u64 *rx);

#endif
