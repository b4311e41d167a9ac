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

/*
 * What a converted socket is at the moment. Changes happen with the socket locked (lock_sock, or its spinlock in softirq while
 * nobody owns it); methods read it locklessly first and look again under the lock.
 *
 *  INIT ---connect---> CONNECT --option in SYN-ACK--> HS ---ok---> SMC
 *   |  (child: SYN_RECV) |no option                   |declined
 *   |                    v                            v
 *   +--Fast Open------> TCP <------all sent------- FLUSH
 *  any --destroyed--> DEAD
 */
enum smcu_mode {
	SMCU_M_INIT,	/* not connected, or listening, or a child before ESTABLISHED */
	SMCU_M_CONNECT,	/* SYN sent */
	SMCU_M_HS,	/* TCP is established, the CLC handshake is running: sends go into the ring, reads wait */
	SMCU_M_FLUSH,	/* falling back: reads are TCP's, early data is on its way into TCP */
	SMCU_M_SMC,
	SMCU_M_TCP,	/* plain TCP: sk_prot, ops and callbacks are TCP's */
	SMCU_M_DEAD,	/* the socket is or is being destroyed */
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
 * @err_posted: the connection's error was put into sk_err once
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
	u32 close_left;
	spinlock_t lock;
	struct list_head children;
	struct list_head child_node;
	struct smcu_ctx *parent;
	struct list_head node;
};

static inline struct smcu_ctx *smcu_ulp_ctx(const struct sock *sk)
{
	return (__force struct smcu_ctx *)rcu_access_pointer(inet_csk(sk)->icsk_ulp_data);
}

static inline u8 smcu_ulp_mode(const struct smcu_ctx *ctx)
{
	return READ_ONCE(ctx->mode);
}

/*
 * A look at the connection from where the socket is not locked: disconnect() may take it away at any time. @want_write: by a caller that
 * has the descriptor, and so the struct socket.
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

/* The program learns of the connection's error once, through sk_err as TCP's errors; whoever sees it first posts it. */
static inline void smcu_ulp_post_err(struct smcu_ctx *ctx, int err)
{
	if (err && !xchg(&ctx->err_posted, 1))
		WRITE_ONCE(ctx->sk->sk_err, err);
}

/* tp->save_syn set by us: works as 1 does and is no value a program can set, so one that wants them itself is noticed. */
#define SMCU_SAVE_SYN 3

#define SMCU_PROGRESS_TIMEOUT (60 * HZ)	/* closed, and the peer takes nothing for that long: give up */
#define SMCU_MAX_DETACHED 8192		/* in a namespace; a socket that is closed beyond is reset, as TCP does beyond tcp_max_orphans */
#define SMCU_CLOSE_TIMEOUT (10 * SMCU_PROGRESS_TIMEOUT)	/* closed: give up, whatever the peer takes */

/* attach.c: the only writer of icsk_ulp_*, sk_prot, sk_socket->ops and the callbacks */
extern struct tcp_ulp_ops smcu_ulp_ops;
struct smcu_ctx *smcu_attach_ctx_new(struct sock *sk, bool server, gfp_t gfp);
void smcu_attach_discard(struct smcu_ctx *ctx);
void smcu_attach_get(struct smcu_ctx *ctx);
void smcu_attach_put(struct smcu_ctx *ctx);
void smcu_attach_hook(struct smcu_ctx *ctx);
void smcu_attach_unhook(struct smcu_ctx *ctx);
void smcu_attach_restore(struct smcu_ctx *ctx);
void smcu_attach_accepted(struct sock *listener, struct socket *newsock);
void smcu_attach_adopt(struct smcu_ctx *ctx);
void smcu_attach_detach_socket(struct sock *sk);

/* prot.c: tables */
struct proto *smcu_prot_for(const struct sock *sk);
const struct proto_ops *smcu_prot_ops_for(const struct sock *sk);
struct proto *smcu_prot_base(const struct sock *sk);
const struct proto_ops *smcu_prot_base_ops(const struct sock *sk);
bool smcu_prot_is_ours(const struct proto *prot);

/* engine.c */
void smcu_engine_kick(struct smcu_ctx *ctx, unsigned long delay);
bool smcu_engine_lock(struct smcu_ctx *ctx);
void smcu_release_cb(struct sock *sk);
void smcu_engine_work(struct work_struct *work);
void smcu_engine_stop(struct smcu_ctx *ctx, unsigned long until);
void smcu_engine_begin(struct smcu_ctx *ctx);
void smcu_engine_left_hs(struct smcu_ctx *ctx);
int smcu_engine_conn(struct smcu_ctx *ctx);
void smcu_engine_drop_conn(struct smcu_ctx *ctx);
extern const struct smcu_hs_ops smcu_engine_hs_ops;

/* connect.c */
int smcu_connect(struct sock *sk, struct sockaddr_unsized *addr, int len);
void smcu_state_change(struct sock *sk);
void smcu_data_ready(struct sock *sk);
void smcu_write_space(struct sock *sk);
void smcu_error_report(struct sock *sk);

/* listen.c */
void smcu_clone(const struct request_sock *req, struct sock *newsk, const gfp_t gfp);
int smcu_accept(struct socket *sock, struct socket *newsock, struct proto_accept_arg *arg);
void smcu_listen_unlink(struct smcu_ctx *child);
void smcu_listen_quiesce(struct smcu_ctx *ctx);
void smcu_listen_reopen(struct smcu_ctx *ctx);
void smcu_listen_drain(struct sock *sk);

/* io.c, poll.c, shut.c */
int smcu_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int smcu_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);
int smcu_ioctl(struct sock *sk, int cmd, int *karg);
int smcu_getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen);
__poll_t smcu_poll(struct file *file, struct socket *sock, poll_table *wait);
int smcu_set_rcvlowat(struct sock *sk, int val);
void smcu_close(struct sock *sk, long timeout);
void smcu_shutdown(struct sock *sk, int how);
int smcu_disconnect(struct sock *sk, int flags);
int smcu_diag_destroy(struct sock *sk, int err);
bool smcu_shut_step(struct smcu_ctx *ctx);
bool smcu_shut_is_late(const struct smcu_ctx *ctx);

/* fallback.c */
void smcu_fallback(struct smcu_ctx *ctx, enum smcu_reason reason);
bool smcu_fallback_flush(struct smcu_ctx *ctx);

/* wake.c */
extern const struct smcu_conn_owner_ops smcu_wake_ops;
void smcu_wake_all(struct sock *sk);

/* synopt.c */
void smcu_synopt_expect(struct smcu_ctx *ctx);
void smcu_synopt_done(struct smcu_ctx *ctx);
bool smcu_synopt_agreed(struct request_sock *req, bool ours);

#endif
