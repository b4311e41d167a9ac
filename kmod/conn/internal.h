/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SMCU_CONN_INTERNAL_H
#define SMCU_CONN_INTERNAL_H

#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "base/base.h"
#include "conn/conn.h"
#include "proto/txplan.h"
#include "proto/wire_cdc.h"

/**
 * struct smcu_conn - one connection
 * @member: in the link group; valid while @joined
 * @rcu: freed after a grace period, since upcalls of link/ run under rcu_read_lock()
 * @ops: upcalls
 * @owner: their argument
 * @sn: where to count
 * @lock: guards what follows; BH-safe, above the locks of link/ and xport/, below the socket's
 * @joined: a member of a group
 * @started: the handshake is over, sending is allowed
 * @dead: the link is lost, nothing may be posted
 * @told: the peer was given the key of our ring; written by the handshake, before others know the connection
 * @want_room: something could not be posted; the room upcall will push
 * @cdc_due: a message without data is to be sent (flags or consumer cursor)
 * @nospace: somebody waits for room in the send ring
 * @no_ring: there was no memory for the send ring in the handshake; counts while there is none; lockless, written under the owner's
 *           lock, never cleared
 * @peer_blocked: the peer's last message said so
 * @update_req: the peer waits for our consumer cursor, until all it has written is read and announced
 * @closed_blocked: the peer has closed while our window stopped it
 * @want_done: the program has shut down its sending side
 * @want_close: the program has closed
 * @state: enum smcu_conn_state
 * @cflags: SMCU_CF_* of all further messages
 * @err: positive errno for the program
 * @eof: the peer sends no more
 * @fin: and it has said so in an orderly way
 * @peer_flags: SMCU_CF_* received so far
 * @snd_size: bytes of the send ring, a power of two
 * @rcv_size: of the receive ring
 * @peer_size: of the peer's receive ring; 0 as long as that is not known
 * @peer_rkey: its key
 * @peer_token: for our messages
 * @peer_addr: its address
 * @tx_seq: sequence number of the last message
 * @rx_seq: of the last one received
 * @tx_sent: position handed to the adapter
 * @tx_acked: position known to be on the peer's side; the ring behind it is free
 * @tx_signalled: position at which a completion was asked for last
 * @tx_peer_read: position the peer's program has read
 * @rx_announced: position of our program last told to the peer
 * @rx_written: position the peer has written; written under @lock with a release that pairs with the acquire in
 *              smcu_conn_rx_avail()
 * @tx_queued: position the program has written; the owner's lock serialises writers, pushers read it under @lock: it is
 *             written under both
 * @rx_read: position the program has read; likewise
 * @idle: woken when nothing is in flight or the link is lost
 * @sndbuf: send ring; set once under @lock
 * @rmb: receive ring; set once before upcalls can come
 */
struct smcu_conn {
	struct smcu_member member;
	struct rcu_head rcu;
	const struct smcu_conn_owner_ops *ops;
	void *owner;
	struct smcu_net *sn;

	spinlock_t lock;
	bool joined;
	bool started;
	bool dead;
	bool told;
	bool want_room;
	bool cdc_due;
	bool nospace;
	bool no_ring;
	bool peer_blocked;
	bool update_req;
	bool closed_blocked;
	bool want_done;
	bool want_close;
	bool eof;
	bool fin;
	u8 state;
	u8 cflags;
	u8 peer_flags;
	int err;

	u32 snd_size;
	u32 rcv_size;
	u32 peer_size;
	u32 peer_rkey;
	u32 peer_token;
	u64 peer_addr;

	u16 tx_seq;
	u16 rx_seq;
	u64 tx_sent;
	u64 tx_acked;
	u64 tx_signalled;
	u64 tx_peer_read;
	u64 rx_announced;
	u64 rx_written;
	u64 tx_queued;
	u64 rx_read;

	wait_queue_head_t idle;
	struct smcu_buf *sndbuf;
	struct smcu_buf *rmb;
};

/**
 * enum smcu_conn_wake - upcalls to make once the lock is dropped, a set of bits
 * @SMCU_CW_READABLE: see struct smcu_conn_owner_ops
 * @SMCU_CW_WRITABLE: likewise
 * @SMCU_CW_EVENT: likewise; also wakes who waits in smcu_conn_leave()
 */
enum smcu_conn_wake {
	SMCU_CW_READABLE = 1 << 0,
	SMCU_CW_WRITABLE = 1 << 1,
	SMCU_CW_EVENT = 1 << 2,
};

extern const struct smcu_member_ops smcu_conn_member_ops;

/**
 * smcu_conn_push_locked() - send as far as the peer's window and the adapter allow; then what the program wanted behind its data
 * @conn: connection
 *
 * Context: conn->lock is held.
 * Return: enum smcu_conn_wake bits
 */
unsigned int smcu_conn_push_locked(struct smcu_conn *conn);

/**
 * smcu_conn_event_locked() - let proto/conn_fsm.c decide, and carry it out (section 7)
 * @conn: connection
 * @ev: what has happened
 *
 * Context: conn->lock is held.
 * Return: enum smcu_conn_wake bits
 */
unsigned int smcu_conn_event_locked(struct smcu_conn *conn, enum smcu_conn_event ev);

/**
 * smcu_conn_drained_locked() - everything queued was posted, or never will be: now the program's wish to end can be granted
 * @conn: connection; where that is not so nothing happens
 *
 * Context: conn->lock is held.
 * Return: enum smcu_conn_wake bits
 */
unsigned int smcu_conn_drained_locked(struct smcu_conn *conn);

/**
 * smcu_conn_broken_locked() - an error for the program; the first one is the one it gets
 * @conn: connection
 * @err: positive errno
 *
 * Context: conn->lock is held.
 * Return: enum smcu_conn_wake bits
 */
unsigned int smcu_conn_broken_locked(struct smcu_conn *conn, int err);

/**
 * smcu_conn_post_locked() - post writes and the message that covers them, or a message alone (section 6.1)
 * @conn: joined, peer set
 * @w: writes, NULL for none
 * @n: how many, 0 to 3
 * @prod: position up to which we will have written
 * @pflags: SMCU_PF_*
 * @signal: ask for a completion
 *
 * Context: conn->lock is held; takes locks of link/ and xport/.
 * Return: true if posted; false: not now (want_room is set), or never (dead is)
 */
bool smcu_conn_post_locked(struct smcu_conn *conn, const struct smcu_xwrite *w, int n, u64 prod, u8 pflags, bool signal);

/**
 * smcu_conn_acked_locked() - what was posted up to @pos is on the peer's side; the ring behind it is free
 * @conn: connection
 * @pos: position
 *
 * Context: conn->lock is held.
 * Return: enum smcu_conn_wake bits
 */
unsigned int smcu_conn_acked_locked(struct smcu_conn *conn, u64 pos);

/**
 * smcu_conn_flush_due_locked() - a message that says nothing new but flags or the consumer cursor, where one is due
 * @conn: connection
 *
 * Context: conn->lock is held.
 */
void smcu_conn_flush_due_locked(struct smcu_conn *conn);

/**
 * smcu_conn_wake() - make the upcalls
 * @conn: connection
 * @wake: enum smcu_conn_wake bits, of all _locked calls since the lock was taken
 *
 * Context: any but hard interrupts, conn->lock is not held.
 */
void smcu_conn_wake(struct smcu_conn *conn, unsigned int wake);

/**
 * smcu_conn_tx_free() - room in the send ring
 * @conn: connection
 *
 * Context: conn->lock is held.
 * Return: bytes; none as long as there is no memory for a ring, until there is some or the connection is TCP's
 */
static inline u32 smcu_conn_tx_free(const struct smcu_conn *conn)
{
	/* Without memory for a ring: full, until there is one or the connection is TCP's. */
	if (unlikely(READ_ONCE(conn->no_ring) && !READ_ONCE(conn->sndbuf)))
		return 0;
	return conn->snd_size - (u32)(conn->tx_queued - conn->tx_acked);
}

/**
 * smcu_conn_is_writable() - is there room enough to wake somebody for it?
 * @conn: connection
 *
 * Context: conn->lock is held.
 * Return: true where a third of the ring or more is free
 */
static inline bool smcu_conn_is_writable(const struct smcu_conn *conn)
{
	return smcu_conn_tx_free(conn) >= conn->snd_size / 3;
}

#endif
