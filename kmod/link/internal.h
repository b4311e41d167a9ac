/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of link/. Locks, in the order in which they are taken:
 *
 *   lgr->ring_lock   mutex: the endpoint in process context, lists of rings
 *   lgrs_lock        spinlock, BH: the list of groups, and of identities for which one is being made
 *   lgr->lock        spinlock, BH: state, users, members, LLC
 *   waiter lock      spinlock, BH, leaf: every list of waiters
 *   tokens           xa_lock, BH, leaf: the table of tokens; nothing else of link/ is held
 *
 * Locks of xport/ come after all of these. Upcalls to members are made without any of them.
 */
#ifndef SMCU_LINK_INTERNAL_H
#define SMCU_LINK_INTERNAL_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "link/link.h"
#include "proto/wire_llc.h"

enum smcu_link_limits {
	SMCU_LINK_NUM = 1,		/* our only link */
	SMCU_POOL_IDLE = 16,		/* idle rings of each kind that a group keeps */
	SMCU_POOL_REST = 10 * HZ,	/* a ring whose peer may still write is left alone for so long... */
	SMCU_POOL_RESTING = 64,		/* ...unless there are more of them */
	SMCU_MAX_LGRS = 1024,		/* groups of this host: a peer may name itself anew each time */
	SMCU_RKEY_REQS = 512,		/* requests of ours that may wait for their turn */
	SMCU_RTOKENS = 512,		/* rings of the peer that we know: one for each connection, and what it keeps in reserve */
};

/**
 * struct smcu_lgr_key - by which a server knows a peer again
 * @net_cookie: namespace
 * @peer_id: as the proposal had it
 * @peer_gid: as the proposal had it
 * @peer_addr: where its TCP connection came from
 * @ibdev: our adapter
 * @port_num: our port
 * @eid: negotiated
 */
struct smcu_lgr_key {
	u64 net_cookie;
	u8 peer_id[SMCU_PEER_ID_LEN];
	u8 peer_gid[SMCU_GID_LEN];
	u8 peer_addr[16];
	const struct ib_device *ibdev;
	u8 port_num;
	u8 eid[SMCU_EID_LEN];
};

/**
 * struct smcu_making - somebody is making the group of an identity
 * @node: in the list of lgr.c; under lgrs_lock
 * @key: identity
 * @waiters: handshakes that want the same; under the waiter lock
 */
struct smcu_making {
	struct list_head node;
	struct smcu_lgr_key key;
	struct list_head waiters;
};

/**
 * struct smcu_rkey_req - CONFIRM_RKEY or DELETE_RKEY of ours
 * @node: in the group's queue; under lgr->lock
 * @type: enum smcu_llc_type
 * @rkey: key
 * @addr: of the ring; 0 for DELETE_RKEY
 * @buf: its ring, NULL after that was given back; under lgr->lock
 * @sent: on the wire; under lgr->lock
 * @deadline: jiffies; valid where @sent
 * @rx_seq: what the group had received when it was sent
 * @waiters: none or one; under the waiter lock
 * @outcome: of the one in @waiters; written under the waiter lock
 */
struct smcu_rkey_req {
	struct list_head node;
	u8 type;
	u32 rkey;
	u64 addr;
	struct smcu_buf *buf;
	bool sent;
	unsigned long deadline;
	u32 rx_seq;
	struct list_head waiters;
	int *outcome;
};

/**
 * struct smcu_rtoken - a ring of the peer
 * @rkey: key
 * @addr: address
 */
struct smcu_rtoken {
	u32 rkey;
	u64 addr;
};

/**
 * struct smcu_rings - rings of one kind
 * @used: with connections
 * @idle: in the pool
 * @n_idle: how many, at most SMCU_POOL_IDLE
 * @resting: receive rings whose peer may still write, oldest first
 * @n_resting: how many
 *
 * All under ring_lock.
 */
struct smcu_rings {
	struct list_head used;
	struct list_head idle;
	unsigned int n_idle;
	struct list_head resting;
	unsigned int n_resting;
};

/**
 * enum smcu_end - how a group ends
 * @SMCU_END_NOW: what was posted may be lost; the link is, or the peer is not to be believed
 * @SMCU_END_FLUSHED: what was posted gets out first
 * @SMCU_END_ANSWERED: likewise, and the peer, which ends it, too, waits only for our word that we have
 */
enum smcu_end { SMCU_END_NOW, SMCU_END_FLUSHED, SMCU_END_ANSWERED };

/**
 * struct smcu_lgr - link group
 * @node: in the list of groups; under lgrs_lock
 * @refs: memory. One for all users each, one for the list until @term_work is through
 * @rcu: for freeing: members are looked up under RCU and lead here
 * @id: for people
 * @role: ours
 * @key: identity; constant
 * @true_id: the peer's instance; set under @ring_lock while MAKING, read lockless when ACTIVE
 * @peer: the peer's end; likewise
 * @path: ours; a reference on the port until @term_work is through
 * @local: our end, for CLC and LLC; mtu is lowered once, while MAKING
 * @terms: negotiated; constant
 * @ring_lock: serializes making rings known to the adapter, and what else is done with @xp in process context
 * @xp: endpoint. Written under @ring_lock, read there or under RCU; NULL before create and after the end
 * @rmbs: receive rings
 * @sndbufs: send rings
 * @orphans: rings given back while the group is being dismantled; under @ring_lock
 * @lock: see above
 * @state: enum smcu_lgr_state; written under @lock, read with acquire where lockless
 * @reason: why it is DEAD; written before @state
 * @users: handshakes and members; under @lock
 * @retired: (server) the peer is said not to know it, or has refused a key: no new connections; under @lock
 * @del_reason: what to tell the peer at the end, 0 nothing; set with DEAD
 * @how: what the end waits for; set with DEAD
 * @was_active: the link was in use; set with DEAD
 * @peer_through: completed when the peer says that it has ended the group, too
 * @making: handshakes that wait for our outcome; under lgrs_lock
 * @confirm_waiters: the first handshake; under the waiter lock
 * @confirm_armed: (client) smcu_lgr_confirm() was called, (server) the request was sent; under @lock
 * @confirm_seen: (client) the request has come; under @lock
 * @peer_eyecatcher: the peer uses eyecatchers; under @lock
 * @link_num: number of the link; set before ACTIVE
 * @rkey_reqs: requests of ours; the first is on the wire; under @lock
 * @n_rkey_reqs: their number, at most SMCU_RKEY_REQS; under @lock
 * @rtokens: rings of the peer, in no order; under @lock
 * @n_rtokens: how many, at most SMCU_RTOKENS; under @lock
 * @members: connections that have not been told of a loss; under @lock
 * @lost_members: those that have; under @lock
 * @n_members: both together, at most what @terms says; written under @lock, read lockless
 * @losing: whose lost upcall runs; under @lock, read lockless by those who wait
 * @lost_wq: they wait here
 * @rooms: members to be told that there is room; under @lock
 * @rx_seq: counts received messages; written by the receive upcall only, read lockless
 * @rx_seen: value of @rx_seq at the last look of @test_work, or at an event of the port; lockless
 * @testing: a TEST_LINK is on its way; written by @test_work, and under @lock by who wants another one; lockless
 * @test_due: until when the answer is waited for, jiffies; of @test_work
 * @idle_work: ends a group without users
 * @test_work: keepalive
 * @rkey_work: timeouts of @rkey_reqs
 * @resend_work: repeats CONFIRM_LINK once
 * @confirm_work: (client) answers CONFIRM_LINK
 * @down_work: the endpoint is dead
 * @term_work: dismantles; queued once, by the change to DEAD
 * @gone: completed when nothing of the adapter is used any more
 */
struct smcu_lgr {
	struct list_head node;
	refcount_t refs;
	struct rcu_head rcu;
	u32 id;
	enum smcu_role role;
	struct smcu_lgr_key key;
	u8 true_id[SMCU_PEER_ID_LEN];
	struct smcu_xaddr peer;
	struct smcu_path path;
	struct smcu_xaddr local;
	struct smcu_terms terms;

	struct mutex ring_lock;
	struct smcu_xport __rcu *xp;
	struct smcu_rings rmbs;
	struct smcu_rings sndbufs;
	struct list_head orphans;

	spinlock_t lock;
	enum smcu_lgr_state state;
	enum smcu_reason reason;
	unsigned int users;
	bool retired;
	u32 del_reason;
	enum smcu_end how;
	bool was_active;
	struct completion peer_through;
	struct smcu_making *making;
	struct list_head confirm_waiters;
	bool confirm_armed;
	bool confirm_seen;
	bool peer_eyecatcher;
	u8 link_num;
	struct list_head rkey_reqs;
	unsigned int n_rkey_reqs;
	struct smcu_rtoken *rtokens;
	unsigned int n_rtokens;
	struct list_head members;
	struct list_head lost_members;
	unsigned int n_members;
	struct smcu_member *losing;
	wait_queue_head_t lost_wq;
	struct list_head rooms;

	u32 rx_seq;
	u32 rx_seen;
	bool testing;
	unsigned long test_due;
	struct delayed_work idle_work;
	struct delayed_work test_work;
	struct delayed_work rkey_work;
	struct delayed_work resend_work;
	struct work_struct confirm_work;
	struct work_struct down_work;
	struct work_struct term_work;
	struct completion gone;
};

/* All work of groups but term_work. */
extern struct workqueue_struct *smcu_link_wq;
extern const struct smcu_xport_user smcu_link_xport_user;

/* waiter.c */

/**
 * smcu_waiter_add() - wait
 * @list: of waiters
 * @w: in no list; else a warning, and it stays where it is
 *
 * Context: any but hard interrupts; takes the waiter lock, below all others of link/.
 */
void smcu_waiter_add(struct list_head *list, struct smcu_waiter *w);

/**
 * smcu_waiter_wake_all() - unlink and wake all of a list
 * @list: of waiters
 *
 * Context: any but hard interrupts; takes the waiter lock, and holds it while each wake runs.
 */
void smcu_waiter_wake_all(struct list_head *list);

/**
 * smcu_waiter_wake_with() - likewise; where somebody waits, *@outcome becomes @value before
 * @list: of waiters
 * @outcome: may be NULL; not touched where nobody waits, since it is the waiter's
 * @value: 0 or -errno
 *
 * Context: as smcu_waiter_wake_all().
 */
void smcu_waiter_wake_with(struct list_head *list, int *outcome, int value);

/* lgr.c */

/**
 * smcu_lgr_drop() - a reference on the memory only
 * @lgr: group
 *
 * Context: any.
 */
void smcu_lgr_drop(struct smcu_lgr *lgr);

/**
 * smcu_lgr_end() - end a group; the first end counts
 * @lgr: group
 * @reason: for a handshake that was making it
 * @del_reason: for the peer, SMCU_DEL_*; 0: tell nothing
 * @how: what is waited for before the endpoint goes
 *
 * Context: any but hard interrupts; takes lgr->lock, may be called under lgrs_lock. The work is done by term_work.
 */
void smcu_lgr_end(struct smcu_lgr *lgr, enum smcu_reason reason, u32 del_reason, enum smcu_end how);

/**
 * smcu_lgr_activate() - the link is confirmed: MAKING becomes ACTIVE
 * @lgr: group
 *
 * Context: any but hard interrupts, also under ring_lock; takes lgr->lock, lgrs_lock and the waiter lock, one after the other.
 * Return: false where it was not MAKING: active before, or ended meanwhile
 */
bool smcu_lgr_activate(struct smcu_lgr *lgr);

/* link.c */

/**
 * smcu_link_stop_works() - cancel and wait for what runs; down_work and term_work are not among it
 * @lgr: DEAD, so nothing is queued any more
 *
 * Context: may sleep; term_work only.
 */
void smcu_link_stop_works(struct smcu_lgr *lgr);

/**
 * smcu_link_confirm_work() - client: the request has come and our handshake is ready for it
 * @work: confirm_work
 *
 * Context: work of smcu_link_wq; takes ring_lock.
 */
void smcu_link_confirm_work(struct work_struct *work);

/* member.c */

/**
 * smcu_member_lookup() - whose token is this?
 * @lgr: the message came on its link; tokens of other groups' members are not for its peer
 * @token: alert token
 *
 * Context: softirq, under rcu_read_lock().
 * Return: member, valid until rcu_read_unlock(); or NULL
 */
struct smcu_member *smcu_member_lookup(struct smcu_lgr *lgr, u32 token);

/**
 * smcu_member_lose_all() - tell every member that the link is down
 * @lgr: DEAD, so nobody joins any more; members may leave meanwhile
 *
 * Context: may sleep; term_work only. No lock is held while a lost upcall runs.
 */
void smcu_member_lose_all(struct smcu_lgr *lgr);

/**
 * smcu_member_room() - there is room: all who asked may try; those that come too late ask again
 * @lgr: group
 *
 * Context: softirq, under rcu_read_lock(). No lock is held while a room upcall runs.
 */
void smcu_member_room(struct smcu_lgr *lgr);

/**
 * smcu_member_exit() - the table of tokens goes; no member is left
 *
 * Context: process.
 */
void smcu_member_exit(void);

/* llc.c */

/**
 * smcu_llc_send() - encode and post one message
 * @lgr: group
 * @msg: message
 *
 * Context: any but hard interrupts, also under lgr->lock.
 * Return: 0; -EAGAIN no room; -ENOTCONN the link is down or not started; -EINVAL a message that can't be, which warns
 */
int smcu_llc_send(struct smcu_lgr *lgr, const struct smcu_llc_msg *msg);

/**
 * smcu_llc_send_confirm_link() - CONFIRM_LINK with our end of the link
 * @lgr: group
 * @response: client: the answer; server: false, the request
 *
 * Context: any but hard interrupts, also under ring_lock.
 * Return: see smcu_llc_send()
 */
int smcu_llc_send_confirm_link(struct smcu_lgr *lgr, bool response);

/**
 * smcu_llc_recv() - a message that is not CDC has come (section 5.11)
 * @lgr: group
 * @buf: 64 bytes are readable
 * @len: what was received
 *
 * Context: softirq, under rcu_read_lock(), no lock held; calls for one group do not overlap. Never allocates.
 */
void smcu_llc_recv(struct smcu_lgr *lgr, const u8 *buf, u32 len);

/**
 * smcu_llc_resend_work() - CONFIRM_LINK once more
 * @work: resend_work, queued by a server's smcu_lgr_confirm()
 *
 * A peer that arms itself a moment after its CLC confirm drops a request that came before (section 12.7).
 *
 * Context: work of smcu_link_wq.
 */
void smcu_llc_resend_work(struct work_struct *work);

/* llc_del.c */

/**
 * smcu_llc_on_delete_link() - the peer ends the group (section 5.5)
 * @lgr: group
 * @msg: request, or a last word that nobody answers; becomes the answer
 *
 * Context: softirq, no lock held.
 */
void smcu_llc_on_delete_link(struct smcu_lgr *lgr, struct smcu_llc_msg *msg);

/**
 * smcu_llc_say_goodbye() - the last message of a group (section 5.5)
 * @lgr: DEAD, with a reason for the peer
 * @xp: its endpoint; not killed yet
 *
 * Context: process; term_work only.
 * Return: 0; -EAGAIN no room; -ENOTCONN the link is down or was never up; -EINVAL
 */
int smcu_llc_say_goodbye(struct smcu_lgr *lgr, struct smcu_xport *xp);

/* llc_rkey.c */

/**
 * smcu_llc_on_rkey_request() - CONFIRM_RKEY or DELETE_RKEY of the peer: note it, answer
 * @lgr: group
 * @msg: request; becomes the answer, negative where there is no place
 *
 * Context: softirq, no lock held.
 */
void smcu_llc_on_rkey_request(struct smcu_lgr *lgr, struct smcu_llc_msg *msg);

/**
 * smcu_llc_on_rkey_response() - the peer's answer to the request of ours that is on the wire; any other is ignored
 * @lgr: group
 * @msg: answer
 *
 * Context: softirq, no lock held.
 */
void smcu_llc_on_rkey_response(struct smcu_lgr *lgr, const struct smcu_llc_msg *msg);

/**
 * smcu_llc_rkey_delete() - a ring that the peer was told of goes: best effort, it frees a place in the peer's table
 * @lgr: group
 * @rkey: of the ring
 *
 * Context: may sleep.
 */
void smcu_llc_rkey_delete(struct smcu_lgr *lgr, u32 rkey);

/**
 * smcu_llc_rkey_forget() - the ring is given back: an answer that comes later must not touch it
 * @lgr: group
 * @buf: receive ring. A request for it that is not on its way is dropped, who waits for it gets -ECANCELED
 *
 * Context: any but hard interrupts; takes lgr->lock.
 */
void smcu_llc_rkey_forget(struct smcu_lgr *lgr, struct smcu_buf *buf);

/**
 * smcu_llc_rkey_fail_all() - whoever waits for an answer gets -ENOTCONN
 * @lgr: DEAD, so nothing is added any more
 *
 * Context: any but hard interrupts; takes lgr->lock. term_work only.
 */
void smcu_llc_rkey_fail_all(struct smcu_lgr *lgr);

/**
 * smcu_llc_rkey_work() - the request on the wire may be too late; one that found no room tries again
 * @work: rkey_work
 *
 * Context: work of smcu_link_wq.
 */
void smcu_llc_rkey_work(struct work_struct *work);

/* rtoken.c */

/**
 * smcu_rtoken_add() - the peer has told of a ring; a key that is known gets the new address
 * @lgr: group
 * @rkey: key
 * @addr: address
 *
 * Context: any but hard interrupts; takes lgr->lock.
 * Return: false where there is no place: the peer is told that its ring can't be used
 */
bool smcu_rtoken_add(struct smcu_lgr *lgr, u32 rkey, u64 addr);

/**
 * smcu_rtoken_del() - the peer has taken a ring back; one that is not known is no error
 * @lgr: group
 * @rkey: key
 *
 * Context: any but hard interrupts; takes lgr->lock.
 */
void smcu_rtoken_del(struct smcu_lgr *lgr, u32 rkey);

/* llc_test.c */

/**
 * smcu_llc_test_interval() - when to look at a link again
 *
 * Context: any.
 * Return: jiffies from now; also while keepalive is switched off
 */
unsigned long smcu_llc_test_interval(void);

/**
 * smcu_llc_test_work() - keepalive: test a silent link, end a dead one
 * @work: test_work; queues itself as long as the group is active
 *
 * Context: work of smcu_link_wq.
 */
void smcu_llc_test_work(struct work_struct *work);

/* pool.c */

/**
 * smcu_pool_init() - no rings yet
 * @lgr: nobody else knows it yet
 *
 * Context: any.
 */
void smcu_pool_init(struct smcu_lgr *lgr);

/**
 * smcu_pool_register_all() - the endpoint was started: put into force what was only prepared
 * @lgr: group
 * @xp: its endpoint
 *
 * Context: may sleep; ring_lock is held.
 * Return: 0 or the first -errno of smcu_xport_register()
 */
int smcu_pool_register_all(struct smcu_lgr *lgr, struct smcu_xport *xp);

/**
 * smcu_pool_dismantle() - take every ring from the adapter. Those that connections hold stay theirs as memory
 * @lgr: group
 * @xp: its endpoint, killed
 *
 * Context: may sleep; ring_lock is held.
 */
void smcu_pool_dismantle(struct smcu_lgr *lgr, struct smcu_xport *xp);

#endif
