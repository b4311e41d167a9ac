/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door of link/: link groups, their one link, LLC, and the receive and send rings that belong to them.
 *
 * A link group (lgr) joins this host with one peer instance in one role. Connections are members; each has a token that the
 * peer puts in its CDC messages. The group is referenced by its members and by handshakes; without either it idles for
 * SMCU_T_IDLE_* and is freed, with a DELETE_LINK to the peer.
 */
#ifndef SMCU_LINK_H
#define SMCU_LINK_H

#include <linux/types.h>
#include <linux/list.h>
#include "proto/negotiate.h"
#include "buf/buf.h"
#include "dev/dev.h"
#include "xport/xport.h"

struct net;
struct seq_file;
struct smcu_lgr;
struct smcu_member;

/**
 * enum smcu_role - who we are for the peer of a group
 * @SMCU_CLIENT: TCP was connected from here
 * @SMCU_SERVER: TCP was accepted here; the server chooses the group
 */
enum smcu_role { SMCU_CLIENT, SMCU_SERVER };

/**
 * struct smcu_waiter - one handshake that waits for something of a link group
 * @node: in a list of link/
 * @wake: called from any context when the thing waited for may have happened, with a leaf lock of link/ held: only queue work.
 *        Called at most once for each wait; the waiter is unlinked before
 * @priv: for the owner
 */
struct smcu_waiter {
	struct list_head node;
	void (*wake)(struct smcu_waiter *w);
	void *priv;
};

/**
 * smcu_waiter_init() - a waiter that waits for nothing
 * @w: in no list; the caller sets priv
 * @wake: see struct smcu_waiter
 *
 * Context: any.
 */
void smcu_waiter_init(struct smcu_waiter *w, void (*wake)(struct smcu_waiter *w));

/**
 * smcu_waiter_cancel() - leave whatever list it is in
 * @w: waiter
 *
 * After it returns wake is not called any more (it waits for a wake that is running).
 *
 * Context: any but hard interrupts; takes the waiter lock, so it is not called by wake.
 */
void smcu_waiter_cancel(struct smcu_waiter *w);

/**
 * struct smcu_lgr_spec - identity of a link group
 * @net: network namespace; compared by cookie, not referenced
 * @role: ours
 * @peer_id: the peer's instance as the first contact named it (server: from the proposal, may be zero)
 * @peer_gid: the peer's GID
 * @peer_addr: server: the client's TCP address, IPv4-mapped: what a proposal claims anybody can claim; client: zero, since an accept
 *             must name a ring of which the group's own peer has told, see smcu_lgr_find_client()
 * @path: our end
 * @terms: negotiated
 */
struct smcu_lgr_spec {
	struct net *net;
	enum smcu_role role;
	u8 peer_id[SMCU_PEER_ID_LEN];
	u8 peer_gid[SMCU_GID_LEN];
	u8 peer_addr[16];
	struct smcu_path path;
	struct smcu_terms terms;
};

/**
 * smcu_lgr_find_server() - the link group for a peer that connects to us
 * @spec: identity; terms.eid must be the group's too
 * @w: waiter
 *
 * At most one handshake at a time makes the group of a given identity; the others wait for its outcome.
 *
 * Context: may sleep.
 * Return: an active group with room for one more connection, referenced; ERR_PTR(-ENOENT) the caller is the one to make it
 * and must call smcu_lgr_create() or smcu_lgr_create_abandon(); ERR_PTR(-EINPROGRESS) somebody else does, @w is queued:
 * call again when woken; or ERR_PTR(-ENOMEM)
 */
struct smcu_lgr *smcu_lgr_find_server(const struct smcu_lgr_spec *spec, struct smcu_waiter *w);

/**
 * smcu_lgr_create_abandon() - the caller of smcu_lgr_find_server() that got -ENOENT gives up before smcu_lgr_create()
 * @spec: the same identity
 *
 * Context: any but hard interrupts; those who wait are woken, and try themselves.
 */
void smcu_lgr_create_abandon(const struct smcu_lgr_spec *spec);

/**
 * smcu_lgr_find_client() - the group that a server's accept without first contact names
 * @net: network namespace
 * @peer_id: from the accept
 * @peer_gid: from the accept
 * @peer_qpn: from the accept
 * @rkey: from the accept
 * @addr: from the accept
 *
 * An accept can claim to come from any host. One that is true names a ring which was announced on the group's link before.
 *
 * Context: any but hard interrupts.
 * Return: an active group, referenced; ERR_PTR(-ENOLINK) no such group; ERR_PTR(-EACCES) the group's peer has no such ring
 */
struct smcu_lgr *smcu_lgr_find_client(struct net *net, const u8 *peer_id, const u8 *peer_gid, u32 peer_qpn, u32 rkey, u64 addr);

/**
 * smcu_lgr_learn() - first contact: CLC has told of a ring of the peer
 * @lgr: being made; nothing is known yet, so there is a place
 * @rkey: key
 * @addr: address
 *
 * Context: any but hard interrupts.
 */
void smcu_lgr_learn(struct smcu_lgr *lgr, u32 rkey, u64 addr);

/**
 * smcu_lgr_knows() - has the peer told of this ring on its link, or at first contact, and not taken it back since?
 * @lgr: group
 * @rkey: key
 * @addr: address
 *
 * Context: any but hard interrupts; takes lgr->lock.
 * Return: true if so
 */
bool smcu_lgr_knows(struct smcu_lgr *lgr, u32 rkey, u64 addr);

/**
 * smcu_lgr_create() - a new group with one endpoint, not yet connected
 * @spec: identity; a reference on the path is taken
 *
 * Server: resolves the right to make it that smcu_lgr_find_server() gave, also on failure (waiters wake and try themselves).
 * Until smcu_lgr_put() or activation others wait. If the last reference goes before the group is active it is dissolved and
 * waiters are woken.
 *
 * Context: may sleep.
 * Return: group, referenced; ERR_PTR(-ENOMEM); ERR_PTR(-ENOSPC) there are SMCU_MAX_LGRS; ERR_PTR(-ENODEV) the adapter goes; ERR_PTR of
 * smcu_xport_open()
 */
struct smcu_lgr *smcu_lgr_create(const struct smcu_lgr_spec *spec);

/**
 * smcu_lgr_get() - one more reference
 * @lgr: group; the caller has one
 *
 * Context: any but hard interrupts; takes lgr->lock.
 */
void smcu_lgr_get(struct smcu_lgr *lgr);

/**
 * smcu_lgr_put() - drop a reference
 * @lgr: group
 *
 * Context: any but hard interrupts; takes lgr->lock. What sleeps is done by work.
 */
void smcu_lgr_put(struct smcu_lgr *lgr);

/**
 * smcu_lgr_local() - what accept or confirm say of our end
 * @lgr: group
 * @addr: result; mtu is already min(own, peer's) once the peer's is known
 *
 * Context: any.
 */
void smcu_lgr_local(const struct smcu_lgr *lgr, struct smcu_xaddr *addr);

/**
 * smcu_lgr_set_peer() - first contact: the peer's end is known
 * @lgr: being made
 * @addr: from accept or confirm
 * @peer_id: the true one, from accept or confirm
 * @direct: no gateway (client: the accept's word; server: pass true, the own route decides)
 *
 * Client: queue pair to RTR, receives posted: after this the confirm may be sent. Server: RTR, receives and RTS.
 *
 * Context: may sleep, a moment also for the neighbour; takes ring_lock.
 * Return: 0; -ENOTCONN the group has been ended; -EHOSTUNREACH no route; -EPROTO (client) the peer claims a gateway, our route has none;
 * other -errno of smcu_xport_listen(), smcu_xport_start() and smcu_xport_register()
 */
int smcu_lgr_set_peer(struct smcu_lgr *lgr, const struct smcu_xaddr *addr, const u8 *peer_id, bool direct);

/**
 * smcu_lgr_confirm() - first contact: exchange CONFIRM_LINK
 * @lgr: being made
 * @w: woken when smcu_lgr_state() may have changed
 *
 * Server: sends the request, and once more later. Client: answers the request that came or will come. The client's part after the
 * request runs in work of link/.
 *
 * Context: may sleep.
 * Return: 0 (wait for @w); -ENOTCONN the group has been ended, or (server) its link is down; -EAGAIN (server) there was no room. After an
 * error @w is in no list
 */
int smcu_lgr_confirm(struct smcu_lgr *lgr, struct smcu_waiter *w);

/**
 * enum smcu_lgr_state - life of a group, in this order
 * @SMCU_LGR_MAKING: its link is not confirmed; the first handshake has it
 * @SMCU_LGR_ACTIVE: connections may join
 * @SMCU_LGR_DEAD: it ends by itself, and its members are told
 */
enum smcu_lgr_state { SMCU_LGR_MAKING, SMCU_LGR_ACTIVE, SMCU_LGR_DEAD };

/**
 * smcu_lgr_state() - lockless; what led to the state is visible
 * @lgr: group
 *
 * Context: any.
 * Return: state of a moment; DEAD stays
 */
enum smcu_lgr_state smcu_lgr_state(const struct smcu_lgr *lgr);

/**
 * smcu_lgr_fail_reason() - why a first contact did not become active (SMCU_R_EYECATCHER, SMCU_R_LINK_UP, ...)
 * @lgr: group
 *
 * Context: any.
 * Return: the reason; SMCU_R_NONE as long as the group is not DEAD
 */
enum smcu_reason smcu_lgr_fail_reason(const struct smcu_lgr *lgr);

/**
 * smcu_lgr_rmb_get() - a receive ring of a group, from its pool or new
 * @lgr: group
 * @size: power of two, at least SMCU_RMBE_MIN; where memory or the adapter does not allow it a smaller ring is returned
 *
 * On a started link the ring is registered (rkey, addr are set). On one that is not yet started (client's first contact before
 * the response, server's before RTS) rkey and addr must nevertheless be known for CLC: link/ allocates the memory region and
 * fixes key and address now, and does the registering work request when the queue pair reaches RTS.
 *
 * Context: may sleep; takes ring_lock.
 * Return: ring, the caller's until smcu_lgr_rmb_put(); ERR_PTR(-ENOTCONN) the group is dead; ERR_PTR(-ENOBUFS) the send queue stays full;
 * ERR_PTR(-ENOMEM); ERR_PTR of smcu_xport_register()
 */
struct smcu_buf *smcu_lgr_rmb_get(struct smcu_lgr *lgr, u32 size);

/**
 * smcu_lgr_rmb_put() - give it back
 * @lgr: group
 * @buf: ring
 * @reuse: both ends are through with it; else it stays registered, but nobody gets it for a while: writes of the peer that are
 *         on their way would otherwise hit another connection, or, were it unregistered, take the whole link down
 *
 * Context: may sleep; takes ring_lock.
 */
void smcu_lgr_rmb_put(struct smcu_lgr *lgr, struct smcu_buf *buf, bool reuse);

/**
 * smcu_lgr_sndbuf_get() - a mapped send ring, from the pool or new
 * @lgr: group
 * @size: power of two, at least SMCU_RMBE_MIN; where memory does not allow it a smaller ring is returned
 *
 * Context: may sleep; takes ring_lock.
 * Return: ring, the caller's until it is put, abandoned or disowned; ERR_PTR(-ENOTCONN) the group is dead; ERR_PTR(-ENOMEM); ERR_PTR of
 * smcu_xport_map()
 */
struct smcu_buf *smcu_lgr_sndbuf_get(struct smcu_lgr *lgr, u32 size);

/**
 * smcu_lgr_sndbuf_adopt() - map a ring that was filled before there was a link
 * @lgr: group
 * @buf: from smcu_buf_alloc(); still the caller's on failure
 *
 * Context: may sleep; takes ring_lock.
 * Return: 0; -ENOTCONN the group is dead; other -errno of smcu_xport_map()
 */
int smcu_lgr_sndbuf_adopt(struct smcu_lgr *lgr, struct smcu_buf *buf);

/**
 * smcu_lgr_sndbuf_put() - give it back; nothing of it is in flight any more, or the link is down
 * @lgr: group
 * @buf: ring, not the caller's any more
 *
 * Context: may sleep; takes ring_lock.
 */
void smcu_lgr_sndbuf_put(struct smcu_lgr *lgr, struct smcu_buf *buf);

/**
 * smcu_lgr_sndbuf_abandon() - something of it may still be in flight: it stays with the group until the adapter has let go
 * @lgr: group
 * @buf: ring, not the caller's any more
 *
 * Context: may sleep; takes ring_lock.
 */
void smcu_lgr_sndbuf_abandon(struct smcu_lgr *lgr, struct smcu_buf *buf);

/**
 * smcu_lgr_sndbuf_disown() - take a ring out of the group's hands: unmapped, the caller frees it
 * @lgr: group
 * @buf: from smcu_lgr_sndbuf_get() or smcu_lgr_sndbuf_adopt(); its contents stay
 *
 * Context: may sleep; takes ring_lock.
 */
void smcu_lgr_sndbuf_disown(struct smcu_lgr *lgr, struct smcu_buf *buf);

/**
 * smcu_lgr_rkey_confirm() - tell the peer the key of a receive ring (subsequent contact)
 * @lgr: active group
 * @rmb: ring
 * @w: woken with the outcome
 * @outcome: -EINPROGRESS until then; 0, -ECONNREFUSED (negative answer), -ETIMEDOUT, -ENOTCONN, -ECANCELED (the ring was given back)
 *           afterwards. Must stay valid until woken or cancelled
 *
 * Several may be asked for at the same time; they are sent one after the other since Linux drops a second request while it works
 * on the first. A ring whose key the peer was told before (it comes from the pool) needs no message: @w is woken at once, before
 * the return.
 *
 * Context: may sleep.
 * Return: 0 (wait for @w); -ENOTCONN the group is not active; -ENOBUFS SMCU_RKEY_REQS wait already; -ENOMEM. After an error @w is in no
 * list
 */
int smcu_lgr_rkey_confirm(struct smcu_lgr *lgr, struct smcu_buf *rmb, struct smcu_waiter *w, int *outcome);

/**
 * struct smcu_member_ops - upcalls for a connection, without locks of link/ held; all but @lost under rcu_read_lock()
 * @cdc: a message for its token; softirq; 44 bytes readable, @len received
 * @sent: see smcu_xport_user.sent
 * @room: after smcu_lgr_post() said -EAGAIN; softirq
 * @lost: the link is down; once; process context (work of link/), may sleep; the group's rings are unregistered and unmapped
 *        right after every member has returned from it, so nothing may be posted once it returned
 */
struct smcu_member_ops {
	void (*cdc)(struct smcu_member *m, const u8 *msg, u32 len);
	void (*sent)(struct smcu_member *m, u64 cookie);
	void (*room)(struct smcu_member *m);
	void (*lost)(struct smcu_member *m);
};

/**
 * struct smcu_member - embedded in a connection
 * @lgr: the group, referenced from join to leave
 * @token: alert token, unique on this host, not 0
 * @ops: upcalls
 * @node: in the group's list of members
 * @room_node: in the group's list of those who wait for room
 */
struct smcu_member {
	struct smcu_lgr *lgr;
	u32 token;
	const struct smcu_member_ops *ops;
	struct list_head node;
	struct list_head room_node;
};

/**
 * smcu_lgr_join() - become a member: get a token; messages for it arrive from now on
 * @lgr: group; a reference is taken
 * @m: with ops set
 *
 * Context: may sleep.
 * Return: 0; -ENOSPC the group is full; -ENOTCONN it is dead; -ENOMEM; -EBUSY no token is free
 */
int smcu_lgr_join(struct smcu_lgr *lgr, struct smcu_member *m);

/**
 * smcu_lgr_leave() - the opposite; upcalls end within a grace period (@lost is over at once); free the connection after it
 * @m: member
 *
 * Context: may sleep, not called from an upcall. Waits for a running @lost of this member.
 */
void smcu_lgr_leave(struct smcu_member *m);

/**
 * smcu_lgr_post() - see smcu_xport_post(); owner is the member
 * @m: member
 * @w: writes
 * @n: how many
 * @msg: 44 bytes
 * @cookie: for the sent upcall
 * @signal: ask for the upcall soon
 *
 * All writes together may have SMCU_XPOST_MAX bytes.
 *
 * Context: any but hard interrupts; takes lgr->lock.
 * Return: see smcu_xport_post(); also -ENOTCONN where the group is dead. After -EAGAIN the member's room upcall will come
 */
int smcu_lgr_post(struct smcu_member *m, const struct smcu_xwrite *w, int n, const u8 *msg, u64 cookie, bool signal);

/**
 * smcu_lgr_out_of_sync() - the peer is said not to know this group: no new connections, and its link is tested. The word came over TCP,
 * and anybody behind the peer's address could have sent it: if the link answers, the connections there are stay
 * @lgr: group
 *
 * Context: any but hard interrupts; takes lgr->lock.
 */
void smcu_lgr_out_of_sync(struct smcu_lgr *lgr);

/**
 * smcu_lgr_retire() - no new connections for this group, which ends with its last one
 * @lgr: group
 *
 * Context: any but hard interrupts; takes lgr->lock.
 */
void smcu_lgr_retire(struct smcu_lgr *lgr);

/**
 * smcu_link_show() - a line for each group into /proc
 * @m: file
 * @net: only those of this network namespace
 *
 * Context: process; takes lgrs_lock.
 */
void smcu_link_show(struct seq_file *m, struct net *net);

/**
 * smcu_link_testlink_time() - keepalive interval of all links
 * @sec: seconds without a received message before a TEST_LINK, 0 never, at most a day; default 5
 *
 * Counts from the next look at each link on.
 *
 * Context: any.
 */
void smcu_link_testlink_time(unsigned int sec);

/**
 * smcu_link_net_exit() - a network namespace goes: end its groups
 * @net: namespace
 *
 * They are not waited for: a group has no reference on its namespace.
 *
 * Context: any but hard interrupts; takes lgrs_lock.
 */
void smcu_link_net_exit(struct net *net);

/**
 * smcu_link_init() - also starts dev/ and xport/: adapters are seen from here on
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -errno of smcu_dev_init()
 */
int smcu_link_init(void);

/**
 * smcu_link_exit() - end all groups (DELETE_LINK to the peers), wait for all work and callbacks; stops dev/ and xport/, too
 *
 * Context: may sleep. Nobody makes or joins a group any more.
 */
void smcu_link_exit(void);

#endif
