/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SMCU_ULP_INTERNAL_H
#define SMCU_ULP_INTERNAL_H

#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "base/base.h"
#include "clc/clc.h"
#include "conn/conn.h"

/**
 * enum smcu_mode - what a converted socket is at the moment
 * @SMCU_M_INIT: not connected, or listening, or a child before ESTABLISHED
 * @SMCU_M_CONNECT: SYN sent
 * @SMCU_M_HS: TCP is established, the CLC handshake is running: sends go into the ring, reads wait
 * @SMCU_M_FLUSH: falling back: reads are TCP's, early data is on its way into TCP
 * @SMCU_M_SMC: SMC
 * @SMCU_M_TCP: plain TCP: sk_prot, ops and callbacks are TCP's
 * @SMCU_M_DEAD: the socket is or is being destroyed
 *
 * Changes happen with the socket locked (lock_sock, or its spinlock in softirq while nobody owns it); methods read it locklessly first
 * and look again under the lock.
 *
 *  INIT ---connect---> CONNECT --option in SYN-ACK--> HS ---ok---> SMC
 *   |  (child: SYN_RECV) |no option                   |declined
 *   |                    v                            v
 *   +--Fast Open------> TCP <------all sent------- FLUSH
 *  any --destroyed--> DEAD
 */
enum smcu_mode {
	SMCU_M_INIT,
	SMCU_M_CONNECT,
	SMCU_M_HS,
	SMCU_M_FLUSH,
	SMCU_M_SMC,
	SMCU_M_TCP,
	SMCU_M_DEAD,
};

/**
 * struct smcu_ctx - icsk_ulp_data of a converted socket
 * @ref: one of the socket, one of each queued @work, one of the parent's list
 * @unpin_rcu: drops the references of @pinned
 * @rcu: diag and callbacks read it under RCU
 * @sk: the socket; valid while the socket's own reference, a queued work or @pinned exist
 * @sn: namespace
 * @base: TCP's protocol table
 * @base_ops: TCP's socket operations
 * @af_ops: TCP's icsk_af_ops while ours wait for the SYN-ACK
 * @saved_state_change: sk_state_change before @hooked
 * @saved_data_ready: likewise
 * @saved_write_space: likewise
 * @saved_error_report: likewise
 * @hooked: callbacks are ours; written under sk_callback_lock
 * @mode: enum smcu_mode
 * @kicked: the engine was asked for at least once
 * @server: accepted, or listening
 * @synack: the SYN-ACK carried the option (client)
 * @pinned: a reference on @sk is held for upcalls of conn/
 * @unpinning: until a grace period is over
 * @counted: sn->handshakes counts us
 * @closing: close(2) is over for the program; the engine owns the descriptor's reference and ends with TCP's close
 * @detached: sn->detached counts us
 * @close_begun: conn/ was told
 * @aborted: conn/ was told to say "abnormal"
 * @fin_sent: TCP was shut down for sending, or reset
 * @stopping: smcu_engine_stop() does the cleaning up; the engine keeps still
 * @quiescers: callers between smcu_listen_quiesce() and smcu_listen_reopen(): no more children; guarded by @lock
 * @quiesce: one of them at a time
 * @want_lock: the engine found the socket owned and waits for smcu_release_cb(); under the socket's spinlock
 * @tcp_reset: TCP ended in an error: the peer's socket is gone, whatever its link still does
 * @reset_at: when the connection is reset since TCP has ended, if the link has not said more by then, jiffies; 0: it has not
 * @err_taken: a call has returned the error that was posted
 * @err_posted: the connection's error, once it was put into sk_err; a positive errno, or 0
 * @tcp_err: why TCP ended, if @tcp_reset; a positive errno
 * @rcvlowat: SO_RCVLOWAT of the program while the handshake needs every byte
 * @shut: RCV_SHUTDOWN and SEND_SHUTDOWN as the program asked for; sk_shutdown is TCP's
 * @reason: why it is on TCP
 * @diag: the peer's diagnosis
 * @hs: the handshake
 * @memcg: the listener's memory cgroup, referenced: who pays for the rings of a child that is not accepted; or NULL
 * @conn: the connection; set under the socket's lock, NULL again on TCP
 * @work: the engine: one step of whatever @mode demands
 * @close_deadline: when an orderly close is given up, jiffies
 * @close_last: when it is, however slowly it goes on, jiffies
 * @flush_delay: of the last look at a ring that TCP had no room for, jiffies
 * @flush_taken: a call has put bytes into the ring although it is being emptied into TCP
 * @close_left: bytes unsent at the last look, to see progress
 * @lock: guards @children and @parent of those in it; leaf
 * @children: of a listener, not yet accepted
 * @child_node: in the parent's list
 * @parent: the listener's ctx while in its list
 * @node: in sn->socks
 */
struct smcu_ctx {
	refcount_t ref;
	struct rcu_head unpin_rcu;
	struct rcu_head rcu;
	struct sock *sk;
	struct smcu_net *sn;
	struct proto *base;
	const struct proto_ops *base_ops;
	const struct inet_connection_sock_af_ops *af_ops;
	void (*saved_state_change)(struct sock *sk);
	void (*saved_data_ready)(struct sock *sk);
	void (*saved_write_space)(struct sock *sk);
	void (*saved_error_report)(struct sock *sk);
	bool hooked;
	u8 mode;
	bool kicked;
	bool server;
	bool synack;
	bool pinned;
	bool unpinning;
	bool counted;
	bool closing;
	bool detached;
	bool close_begun;
	bool aborted;
	bool fin_sent;
	bool stopping;
	int quiescers;
	struct mutex quiesce;
	bool want_lock;
	bool tcp_reset;
	bool err_taken;
	unsigned long reset_at;
	int err_posted;
	int tcp_err;
	int rcvlowat;
	u8 shut;
	enum smcu_reason reason;
	u32 diag;
	struct smcu_hs hs;
	struct mem_cgroup *memcg;
	struct smcu_conn *conn;
	struct delayed_work work;
	unsigned long close_deadline;
	unsigned long close_last;
	unsigned long flush_delay;
	bool flush_taken;
	u32 close_left;
	spinlock_t lock;
	struct list_head children;
	struct list_head child_node;
	struct smcu_ctx *parent;
	struct list_head node;
};

/**
 * smcu_ulp_ctx() - the ctx of a socket whose ULP is ours
 * @sk: socket with our icsk_ulp_ops or our table; any other's ULP has data of its own there
 *
 * Context: socket locked, descriptor held, or under RCU.
 * Return: ctx; NULL where the socket is destroyed, or a child that is plain TCP
 */
static inline struct smcu_ctx *smcu_ulp_ctx(const struct sock *sk)
{
	return (__force struct smcu_ctx *)rcu_access_pointer(inet_csk(sk)->icsk_ulp_data);
}

/**
 * smcu_ulp_mode() - lockless; look again under the socket's lock before you act
 * @ctx: ctx
 *
 * Context: any.
 * Return: enum smcu_mode
 */
static inline u8 smcu_ulp_mode(const struct smcu_ctx *ctx)
{
	return READ_ONCE(ctx->mode);
}

/**
 * smcu_ulp_look() - a look at the connection from where the socket is not locked: disconnect() may take it away at any time
 * @ctx: ctx
 * @v: result
 * @want_write: ask for the writable upcall; by a caller that has the descriptor, and so the struct socket
 *
 * Context: any but hard interrupts.
 * Return: false where there is no connection; @v is as it was then
 */
static inline bool smcu_ulp_look(struct smcu_ctx *ctx, struct smcu_conn_view *v, bool want_write)
{
	struct smcu_conn *conn;

	rcu_read_lock();
	/* Pairs with the release in smcu_engine_conn(). */
	conn = smp_load_acquire(&ctx->conn);
	if (conn)
		smcu_conn_look(conn, v, want_write);
	if (conn && want_write && !v->writable) {
		/* For SIGIO; then look again, since room may have come before anybody was asked to tell. */
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, ctx->sk);
		smcu_conn_look(conn, v, true);
	}
	rcu_read_unlock();
	return conn;
}

/**
 * smcu_ulp_post_err() - the connection's error for the program: once, through sk_err as TCP's errors; whoever sees it first posts it
 * @ctx: ctx
 * @err: positive errno; 0 for none
 *
 * Context: any.
 */
static inline void smcu_ulp_post_err(struct smcu_ctx *ctx, int err)
{
	if (err && !cmpxchg(&ctx->err_posted, 0, err))
		WRITE_ONCE(ctx->sk->sk_err, err);
}

/**
 * smcu_ulp_take_err() - before sk_err is taken for the program: what was posted has then been told. Others' errors come and go
 * @ctx: ctx
 *
 * Context: socket locked.
 */
static inline void smcu_ulp_take_err(struct smcu_ctx *ctx)
{
	if (READ_ONCE(ctx->err_posted))
		WRITE_ONCE(ctx->err_taken, true);
}

/* tp->save_syn set by us: works as 1 does and is no value a program can set, so one that wants them itself is noticed. */
#define SMCU_SAVE_SYN 3

#define SMCU_PROGRESS_TIMEOUT (240 * HZ)	/* closed, and the peer takes nothing for that long: give up; about what TCP waits */
#define SMCU_MAX_DETACHED 8192		/* closed with bytes unsent, in a namespace: beyond it reset, as TCP beyond tcp_max_orphans */
#define SMCU_CLOSE_TIMEOUT (3600 * HZ)	/* closed: give up, however steadily the peer takes a little */

/* attach.c: the only writer of icsk_ulp_*, sk_prot, sk_socket->ops and the callbacks */
extern struct tcp_ulp_ops smcu_ulp_ops;

/**
 * smcu_attach_ctx_new() - a ctx, in the namespace's list
 * @sk: its socket; no reference is taken
 * @server: accepted, or listening
 * @gfp: allocation flags
 *
 * Context: as @gfp says; takes socks_lock.
 * Return: with the reference of the socket, in mode INIT; or NULL
 */
struct smcu_ctx *smcu_attach_ctx_new(struct sock *sk, bool server, gfp_t gfp);

/**
 * smcu_attach_discard() - a ctx that no socket got, or that its socket gives up
 * @ctx: the socket's reference is dropped
 *
 * Context: any but hard interrupts; takes socks_lock.
 */
void smcu_attach_discard(struct smcu_ctx *ctx);

/**
 * smcu_attach_get() - one more reference
 * @ctx: the caller has one, or a lock that keeps it
 *
 * Context: any.
 */
void smcu_attach_get(struct smcu_ctx *ctx);

/**
 * smcu_attach_put() - drop a reference; the memory stays for a grace period
 * @ctx: its connection goes with the last one
 *
 * Context: any but hard interrupts.
 */
void smcu_attach_put(struct smcu_ctx *ctx);

/**
 * smcu_attach_hook() - callbacks of a connecting or accepted socket become ours
 * @ctx: of a socket that the caller has locked, or that is not yet published
 *
 * Context: any but hard interrupts; takes sk_callback_lock.
 */
void smcu_attach_hook(struct smcu_ctx *ctx);

/**
 * smcu_attach_unhook() - give them back; those that a kernel service has put over ours stay
 * @ctx: ctx; nothing happens where they are not hooked
 *
 * Context: socket locked; takes sk_callback_lock.
 */
void smcu_attach_unhook(struct smcu_ctx *ctx);

/**
 * smcu_attach_restore() - make the socket TCP's again: table, operations, callbacks
 * @ctx: ctx; the caller has set the mode before
 *
 * icsk_ulp_ops stays, and with it the module's reference: other threads may be inside our methods. Whatever the table has become since
 * (IPV6_ADDRFORM rewrites it on a plain TCP socket) is not touched.
 *
 * Context: socket locked, or in softirq with its spinlock held; takes sk_callback_lock.
 */
void smcu_attach_restore(struct smcu_ctx *ctx);

/**
 * smcu_attach_accepted() - a child got its struct socket, with the listener's operations: give it those of its own mode
 * @listener: not locked
 * @newsock: with the child
 *
 * Context: process; takes the child's lock.
 */
void smcu_attach_accepted(struct sock *listener, struct socket *newsock);

/**
 * smcu_attach_adopt() - a child that was accepted by a thread which does not know our accept()
 * @ctx: any; nothing happens to others
 *
 * Such a thread was in accept() when the listener was converted: it goes on in TCP's, and the child gets TCP's operations. But TCP locks
 * the child while it gives it the struct socket, so this is called when that lock is released: before the program has the descriptor.
 *
 * Context: socket owned by the caller, who is releasing it, with its spinlock held.
 */
void smcu_attach_adopt(struct smcu_ctx *ctx);

/**
 * smcu_attach_detach_socket() - close(2) returns but the connection goes on: the socket takes the shape of a child that was not accepted
 * @sk: socket
 *
 * It does not become SOCK_DEAD: then a reset from the peer would destroy it here and TCP's close, which is still to come, would do so
 * again.
 *
 * Context: socket locked; takes sk_callback_lock.
 */
void smcu_attach_detach_socket(struct sock *sk);

/* prot.c: tables */

/**
 * smcu_prot_for() - our table for a socket
 * @sk: of AF_INET or AF_INET6
 *
 * Context: any.
 * Return: table; NULL for AF_INET6 where there is none
 */
struct proto *smcu_prot_for(const struct sock *sk);

/**
 * smcu_prot_ops_for() - our socket operations for a socket
 * @sk: of a family that has a table
 *
 * Context: any.
 * Return: operations
 */
const struct proto_ops *smcu_prot_ops_for(const struct sock *sk);

/**
 * smcu_prot_base() - TCP's table for a socket
 * @sk: of AF_INET or AF_INET6
 *
 * Context: any.
 * Return: table; NULL for AF_INET6 where there is none
 */
struct proto *smcu_prot_base(const struct sock *sk);

/**
 * smcu_prot_base_ops() - TCP's socket operations for a socket
 * @sk: of AF_INET or AF_INET6
 *
 * Context: any.
 * Return: operations; NULL for AF_INET6 where there is none
 */
const struct proto_ops *smcu_prot_base_ops(const struct sock *sk);

/**
 * smcu_prot_is_ours() - is this one of our tables?
 * @prot: any
 *
 * Context: any.
 * Return: true if so
 */
bool smcu_prot_is_ours(const struct proto *prot);

/* engine.c */

/**
 * smcu_engine_kick() - run the engine after at most @delay jiffies
 * @ctx: its struct sock is alive
 * @delay: 0 for now. A later time than the one it is queued for changes nothing
 *
 * Context: any.
 */
void smcu_engine_kick(struct smcu_ctx *ctx, unsigned long delay);

/**
 * smcu_engine_lock() - the socket's lock, unless somebody has it
 * @ctx: ctx
 *
 * A program may keep it as long as it likes, say by sending from a page whose filesystem does not answer, and a worker that waits is
 * lost to all sockets of this machine. smcu_release_cb() runs the engine again when the lock is free. Not needed once the descriptor is
 * gone, or by a program's own thread.
 *
 * Context: process, socket not locked.
 * Return: true: release_sock() must follow
 */
bool smcu_engine_lock(struct smcu_ctx *ctx);

/**
 * smcu_release_cb() - sk_prot->release_cb: somebody is through with the socket
 * @sk: socket, owned, with its spinlock held
 *
 * Context: process, BH off.
 */
void smcu_release_cb(struct sock *sk);

/**
 * smcu_engine_work() - one step of whatever the mode demands
 * @work: of a ctx; drops the references that smcu_engine_kick() took
 *
 * Context: work of smcu_sock_wq, one run at a time for each socket, which is not locked.
 */
void smcu_engine_work(struct work_struct *work);

/**
 * smcu_engine_stop() - stop the engine for good and clean up: for children of a listener that goes, and for disconnect
 * @ctx: mode was set to DEAD by the caller. Nothing kicks it any more but ulp_release(), which is harmless
 * @until: see smcu_conn_leave()
 *
 * Context: may sleep, socket not locked; not from the engine.
 */
void smcu_engine_stop(struct smcu_ctx *ctx, unsigned long until);

/**
 * smcu_engine_begin() - TCP is established and both sides have the option: pin the socket, mode HS
 * @ctx: ctx
 *
 * Context: socket locked, often in softirq.
 */
void smcu_engine_begin(struct smcu_ctx *ctx);

/**
 * smcu_engine_left_hs() - the mode is about to change from HS (nothing happens in others): the program's settings count again
 * @ctx: ctx
 *
 * Context: socket locked.
 */
void smcu_engine_left_hs(struct smcu_ctx *ctx);

/**
 * smcu_engine_conn() - the connection, for the first step of the handshake or the first early byte
 * @ctx: ctx
 *
 * Context: may sleep, socket locked.
 * Return: 0 and @ctx->conn is set; -ENOMEM
 */
int smcu_engine_conn(struct smcu_ctx *ctx);

/**
 * smcu_engine_drop_conn() - the connection is over, and would keep its ring as long as the socket is there
 * @ctx: its connection has left its group, or there is none
 *
 * Context: socket locked. Lockless lookers are under RCU, and so is the memory.
 */
void smcu_engine_drop_conn(struct smcu_ctx *ctx);
extern const struct smcu_hs_ops smcu_engine_hs_ops;

/* connect.c */

/**
 * smcu_connect() - sk_prot->connect
 * @sk: socket
 * @addr: of the peer
 * @len: bytes of @addr
 *
 * Context: process, socket locked.
 * Return: as TCP's
 */
int smcu_connect(struct sock *sk, struct sockaddr_unsized *addr, int len);

/**
 * smcu_state_change() - sk_state_change: TCP is established, or has ended
 * @sk: socket; without a ctx nothing happens
 *
 * Context: softirq with the socket's spinlock held, or process with the socket owned.
 */
void smcu_state_change(struct sock *sk);

/**
 * smcu_data_ready() - sk_data_ready: CLC messages for the engine, all else for the program
 * @sk: socket; without a ctx nothing happens
 *
 * Context: as smcu_state_change().
 */
void smcu_data_ready(struct sock *sk);

/**
 * smcu_write_space() - sk_write_space: TCP has room for what is flushed
 * @sk: socket; without a ctx nothing happens
 *
 * Context: as smcu_state_change().
 */
void smcu_write_space(struct sock *sk);

/**
 * smcu_error_report() - sk_error_report: sk_err was set
 * @sk: socket; without a ctx nothing happens
 *
 * Context: as smcu_state_change().
 */
void smcu_error_report(struct sock *sk);

/* listen.c */

/**
 * smcu_clone() - the ULP's clone: a child of a converted listener becomes plain TCP, or gets a ctx of its own
 * @req: the child's request; its saved SYN may be freed
 * @newsk: child, locked and not yet published. The listener is not locked and may be closing
 * @gfp: allocation flags
 *
 * Context: softirq, under RCU.
 */
void smcu_clone(const struct request_sock *req, struct sock *newsk, const gfp_t gfp);

/**
 * smcu_accept() - ops->accept
 * @sock: listener, not locked
 * @newsock: for the child
 * @arg: flags and what TCP returns
 *
 * Context: process; takes the child's lock.
 * Return: as TCP's
 */
int smcu_accept(struct socket *sock, struct socket *newsock, struct proto_accept_arg *arg);

/**
 * smcu_listen_unlink() - accepted, or destroyed: no business of the listener any more
 * @child: in a listener's list, or not
 *
 * Context: any but hard interrupts; takes the listener's ctx->lock.
 */
void smcu_listen_unlink(struct smcu_ctx *child);

/**
 * smcu_listen_quiesce() - the listener goes: end all children that nobody has accepted
 * @ctx: of the listener, referenced; smcu_listen_reopen() must follow, or the end
 *
 * The engines stop, and what is not plain TCP is reset, as TCP is about to do with all of them. The listener is not locked, since others
 * may be about to do the same: each of them shuts the gate, and waits until the children that another has taken out of the list are done
 * with too.
 *
 * Context: may sleep; takes ctx->quiesce, and under it the children's locks.
 */
void smcu_listen_quiesce(struct smcu_ctx *ctx);

/**
 * smcu_listen_reopen() - it may listen anew, unless somebody else is ending it
 * @ctx: of the listener
 *
 * Context: any but hard interrupts; takes ctx->lock.
 */
void smcu_listen_reopen(struct smcu_ctx *ctx);

/**
 * smcu_listen_drain() - sk_data_ready of a child without memory for a ctx: read all, and throw it away
 * @sk: plain TCP for its program, but its peer believes in SMC: CLC bytes must never reach the program. The peer gives up after the
 *      handshake's time limit
 *
 * Context: as smcu_state_change().
 */
void smcu_listen_drain(struct sock *sk);

/* io.c, poll.c, shut.c */

/**
 * smcu_sendmsg() - sk_prot->sendmsg
 * @sk: socket, not locked
 * @msg: what
 * @len: bytes
 *
 * Context: process; may sleep as long as sk_sndtimeo says.
 * Return: bytes, or -errno as TCP's
 */
int smcu_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);

/**
 * smcu_recvmsg() - sk_prot->recvmsg
 * @sk: socket, not locked
 * @msg: where to
 * @len: bytes
 * @flags: MSG_*
 *
 * Context: process; may sleep as long as sk_rcvtimeo says.
 * Return: bytes, 0 at the end, or -errno as TCP's
 */
int smcu_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);

/**
 * smcu_ioctl() - sk_prot->ioctl: the amounts that are in rings and not in TCP's queues
 * @sk: socket, not locked
 * @cmd: SIOCINQ, SIOCATMARK, SIOCOUTQ, SIOCOUTQNSD; all others are TCP's
 * @karg: result, bytes
 *
 * Context: process; may take the socket's lock.
 * Return: 0 or -errno as TCP's
 */
int smcu_ioctl(struct sock *sk, int cmd, int *karg);

/**
 * smcu_getsockopt() - sk_prot->getsockopt
 * @sk: socket, not locked
 * @level: SOL_*
 * @optname: option. TCP_ZEROCOPY_RECEIVE copies from TCP's queue, where in the handshake there are CLC messages, and later nothing
 * @optval: result
 * @optlen: its length
 *
 * Context: process.
 * Return: 0 or -errno as TCP's; -EOPNOTSUPP for TCP_ZEROCOPY_RECEIVE unless reading is TCP's
 */
int smcu_getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen);

/**
 * smcu_poll() - ops->poll
 * @file: of the descriptor
 * @sock: socket, not locked
 * @wait: may be NULL
 *
 * Context: process; lockless.
 * Return: EPOLL*
 */
__poll_t smcu_poll(struct file *file, struct socket *sock, poll_table *wait);

/**
 * smcu_set_rcvlowat() - ops->set_rcvlowat: SO_RCVLOWAT
 * @sk: socket
 * @val: bytes
 *
 * Context: socket locked.
 * Return: 0 or -errno as TCP's
 */
int smcu_set_rcvlowat(struct sock *sk, int val);

/**
 * smcu_close() - sk_prot->close
 * @sk: socket, not locked
 * @timeout: how long to linger, jiffies; 0 not at all
 *
 * The descriptor's reference goes to TCP's close, now or by the engine.
 *
 * Context: process; may sleep for that long, and for the step that an engine is at.
 */
void smcu_close(struct sock *sk, long timeout);

/**
 * smcu_shutdown() - sk_prot->shutdown; inet_shutdown() has set sk_shutdown
 * @sk: socket
 * @how: RCV_SHUTDOWN, SEND_SHUTDOWN
 *
 * Context: process, socket locked.
 */
void smcu_shutdown(struct sock *sk, int how);

/**
 * smcu_disconnect() - sk_prot->disconnect: connect(AF_UNSPEC), a connect that failed, and shutdown of a listener; it can be used anew
 * @sk: socket
 * @flags: as TCP's
 *
 * The engine of a connection takes the socket's lock, so that is dropped while the engine is stopped; the mode DEAD keeps everybody out.
 *
 * Context: process, socket locked, may sleep; where TCP disconnects a child that nobody has accepted, in softirq: that is TCP's.
 * Return: 0 or -errno as TCP's; -EBUSY another thread is in the middle of this
 */
int smcu_disconnect(struct sock *sk, int flags);

/**
 * smcu_diag_destroy() - sk_prot->diag_destroy: ss -K, bpf_sock_destroy(). TCP's state change makes the engine reset the connection
 * @sk: not locked, may be about to be destroyed, or be a request_sock, which has its listener's table
 * @err: positive errno for the program
 *
 * Context: process, may sleep for the children of a listener; or in a BPF iterator, with the socket locked, atomic.
 * Return: 0 or -errno as TCP's; -EBUSY for a listener in a BPF iterator: quiescing its children is not atomic
 */
int smcu_diag_destroy(struct sock *sk, int err);

/**
 * smcu_shut_step() - the engine's step for a connection that was closed (section 7)
 * @ctx: closing, mode SMC
 *
 * Context: may sleep, socket not locked; engine only.
 * Return: the connection is over and its rings are given back. False: the engine was kicked, or will be
 */
bool smcu_shut_step(struct smcu_ctx *ctx);

/**
 * smcu_shut_uncount() - it has nothing to send any more, or goes: sn->detached counts others
 * @ctx: ctx
 *
 * Context: engine, or the end of @ctx.
 */
void smcu_shut_uncount(struct smcu_ctx *ctx);

/**
 * smcu_shut_is_late() - closed, and long enough waited for? A peer that takes a byte now and then must not prolong it for ever
 * @ctx: closing
 *
 * Context: engine.
 * Return: true if so
 */
bool smcu_shut_is_late(const struct smcu_ctx *ctx);

/* fallback.c */

/**
 * smcu_fallback() - the one-way door to plain TCP (section 10)
 * @ctx: of a socket that does not listen; nothing is left in its ring
 * @reason: counted, and shown
 *
 * Context: socket locked, or in a callback of TCP with its spinlock held.
 */
void smcu_fallback(struct smcu_ctx *ctx, enum smcu_reason reason);

/**
 * smcu_fallback_flush() - what is in the ring goes into TCP; then smcu_fallback()
 * @ctx: mode FLUSH; others stay as they are
 *
 * Context: may sleep, socket not locked; engine only.
 * Return: the socket is plain. False: write_space, a timer or who has the socket's lock will run the engine again
 */
bool smcu_fallback_flush(struct smcu_ctx *ctx);

/* wake.c */
extern const struct smcu_conn_owner_ops smcu_wake_ops;

/**
 * smcu_wake_all() - both directions at once: the mode or the life of the connection has changed
 * @sk: socket; may have no struct socket
 *
 * Context: any; the socket may be locked.
 */
void smcu_wake_all(struct sock *sk);

/* synopt.c */

/**
 * smcu_synopt_expect() - the SYN is out: note what the SYN-ACK says of the option
 * @ctx: ctx. Nothing is noted where TCP's operations are not known, and the connection ends as plain TCP
 *
 * The answer has not been processed yet, since the socket is locked. TCP has chosen the operations by now (v4-mapped addresses have their
 * own).
 *
 * Context: process, socket locked; takes af_lock.
 */
void smcu_synopt_expect(struct smcu_ctx *ctx);

/**
 * smcu_synopt_done() - the answer has come or will not: the operations of the address family are TCP's again
 * @ctx: ctx; nothing happens the second time
 *
 * Context: socket locked, or in softirq with its spinlock held.
 */
void smcu_synopt_done(struct smcu_ctx *ctx);

/**
 * smcu_synopt_agreed() - is this child to be SMC? (section 1)
 * @req: its request
 * @ours: the SYN was saved for nobody but us, and is freed where the child is plain
 *
 * Context: any but hard interrupts; takes the lock of the request's bucket in TCP's table.
 * Return: the SYN had the option, and our SYN-ACK, too
 */
bool smcu_synopt_agreed(struct request_sock *req, bool ours);

#endif
