/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door of clc/: the handshake over an established TCP connection, one step at a time.
 *
 * A handshake never sleeps for the peer: each step does what can be done now and returns; bytes on the TCP socket, an answer on
 * the link or a deadline make the owner call smcu_hs_step() again. So a peer that stalls costs a timer, not a thread.
 */
#ifndef SMCU_CLC_H
#define SMCU_CLC_H

#include <linux/types.h>
#include "proto/hs_fsm.h"
#include "proto/reason.h"
#include "link/link.h"

struct mem_cgroup;
struct sock;
struct smcu_conn;
struct smcu_hs;
struct smcu_hs_scratch;

/**
 * struct smcu_hs_ops - what the owner provides
 * @kick: any context: have smcu_hs_step() called after @delay jiffies at the latest, 0 for now
 * @lock: process context: the socket's lock, for a moment, to be dropped with release_sock(); false if somebody has it: smcu_hs_step() will
 *        be called when it is free
 */
struct smcu_hs_ops {
	void (*kick)(struct smcu_hs *hs, unsigned long delay);
	bool (*lock)(struct smcu_hs *hs);
};

/**
 * struct smcu_hs - a handshake, embedded in the owner; zeroed before smcu_hs_init()
 * @ops: of the owner
 * @sk: TCP socket; the owner keeps it alive while the handshake is running
 * @conn: the connection, set by the owner before the first step
 * @lgr: link group, referenced
 * @x: what only the steps need; allocated by the first one
 * @waiter: for answers of link/
 * @deadline: of the state, jiffies
 * @last: of the whole handshake, jiffies; no state lasts longer
 * @rkey_outcome: see smcu_lgr_rkey_confirm()
 * @diag: diagnosis of the peer's decline
 * @reason: why it fell back
 * @state: enum smcu_hs_state
 * @memcg: to charge where the socket has none yet; the owner's reference
 * @out_of_sync: the decline says so
 * @first: this connection makes the link group
 * @late: the state's time was up while somebody had the socket's lock: only the end is waited for
 * @arrived: the peer has acknowledged our decline
 */
struct smcu_hs {
	const struct smcu_hs_ops *ops;
	struct sock *sk;
	struct smcu_conn *conn;
	struct smcu_lgr *lgr;
	struct smcu_hs_scratch *x;
	struct smcu_waiter waiter;
	unsigned long deadline;
	unsigned long last;
	int rkey_outcome;
	u32 diag;
	struct mem_cgroup *memcg;
	enum smcu_reason reason;
	u8 state;
	bool out_of_sync;
	bool first;
	bool late;
	bool arrived;
};

/**
 * smcu_hs_init() - a handshake that has not begun
 * @hs: zeroed, or never stepped
 * @ops: of the owner
 * @sk: socket; no reference is taken
 * @server: which side
 *
 * The time for all of it, SMCU_T_HANDSHAKE, begins here.
 *
 * Context: any.
 */
void smcu_hs_init(struct smcu_hs *hs, const struct smcu_hs_ops *ops, struct sock *sk, bool server);

/**
 * smcu_hs_step() - do what can be done now
 * @hs: handshake with @conn set
 *
 * Context: may sleep (allocation, verbs), takes the socket lock for moments; one caller at a time, socket not locked.
 * Return: it is over: @hs->state is SMCU_HS_DONE, SMCU_HS_FALLBACK or SMCU_HS_FAILED and everything the handshake held is released;
 * in the first case @conn is joined and may be started, otherwise it has left. False: an event will kick
 */
bool smcu_hs_step(struct smcu_hs *hs);

/**
 * smcu_hs_cancel() - the socket is gone: release everything, say nothing to the peer
 * @hs: handshake in any state
 *
 * Context: may sleep, socket not locked; not at the same time as smcu_hs_step().
 */
void smcu_hs_cancel(struct smcu_hs *hs);

/**
 * smcu_clc_tcp_send() - bytes to the peer over TCP, never waiting
 * @sk: socket, locked by the caller; may lack a struct socket
 * @data: bytes
 * @len: how many
 * @now: although the program has asked TCP to wait for more (TCP_CORK, no TCP_NODELAY)
 *
 * An error that TCP has for the program stays for the program.
 *
 * Context: process, with lock_sock(); may sleep for memory, not for the peer.
 * Return: bytes taken, perhaps fewer than @len; -EAGAIN there is no room; -EPIPE TCP can't send any more; other -errno of TCP
 */
int smcu_clc_tcp_send(struct sock *sk, const void *data, size_t len, bool now);

/**
 * smcu_clc_init() - make the struct socket that is lent to sockets which have none
 *
 * Context: may sleep.
 * Return: 0 or -errno
 */
int smcu_clc_init(void);

/**
 * smcu_clc_exit() - the opposite; no handshake is running
 *
 * Context: may sleep.
 */
void smcu_clc_exit(void);

#endif
