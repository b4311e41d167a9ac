/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Door of xport/: carriers. One endpoint is one end of a link. roce (RC queue pairs by ib_modify_qp) is the only carrier now;
 * loop and iwarp will be others, so nobody above may assume that there is a queue pair behind an endpoint.
 */
#ifndef SMCU_XPORT_H
#define SMCU_XPORT_H

#include <linux/types.h>
#include "proto/limits.h"
#include "buf/buf.h"
#include "dev/dev.h"

struct smcu_xport;

/* All writes of one smcu_xport_post() together may have so many bytes; and a ring's pages must fit the adapter's registration. */
#define SMCU_XPOST_MAX (512 * 1024)

/**
 * struct smcu_xaddr - what the two ends of a carrier tell each other by CLC
 * @gid: of the end
 * @mac: of the end
 * @qpn: 24 bits
 * @psn: 24 bits, of the sender
 * @mtu: path MTU code, 1 to 5
 */
struct smcu_xaddr {
	u8 gid[SMCU_GID_LEN];
	u8 mac[SMCU_MAC_LEN];
	u32 qpn;
	u32 psn;
	u8 mtu;
};

/**
 * struct smcu_xwrite - one RDMA WRITE from a ring of ours into the peer's memory
 * @src: mapped ring
 * @off: offset in @src; the run does not wrap around @src's end
 * @len: bytes, not 0
 * @addr: remote address
 * @rkey: remote key
 */
struct smcu_xwrite {
	const struct smcu_buf *src;
	u32 off;
	u32 len;
	u64 addr;
	u32 rkey;
};

/**
 * struct smcu_xport_user - upcalls of an endpoint, all in softirq or process context without locks of xport/ held
 * @recv: a message came in; @msg is valid during the call only and has min(@len, 64) readable bytes; @len is what was
 *        received. Softirq context; calls of one endpoint never run at the same time and keep the order of the wire
 * @sent: every message posted before and including the one with @owner/@cookie is on the peer's side; called in order for messages
 *        posted with a non-NULL owner that has not been disowned; of several of one owner that are found complete together only for the
 *        last. Softirq context
 * @room: after smcu_xport_post() said -EAGAIN there is room again. Softirq context
 * @down: the endpoint is dead (peer unreachable, error on the queue pair, adapter gone); called at most once, from any context:
 *        only queue work
 */
struct smcu_xport_user {
	void (*recv)(void *priv, const u8 *msg, u32 len);
	void (*sent)(void *priv, void *owner, u64 cookie);
	void (*room)(void *priv);
	void (*down)(void *priv, int err);
};

/**
 * smcu_xport_open() - make an endpoint on a path
 * @path: where; a reference on the port is taken for the life of the endpoint
 * @user: upcalls
 * @priv: their first argument
 *
 * Context: may sleep.
 * Return: endpoint, to be ended by smcu_xport_close(); ERR_PTR(-ENOMEM); ERR_PTR(-EOPNOTSUPP) memory would have to be copied or flushed
 * for the adapter; ERR_PTR of what the RDMA core says
 */
struct smcu_xport *smcu_xport_open(const struct smcu_path *path, const struct smcu_xport_user *user, void *priv);

/**
 * smcu_xport_local() - what to tell the peer
 * @xp: endpoint
 * @addr: result
 *
 * Context: any.
 */
void smcu_xport_local(const struct smcu_xport *xp, struct smcu_xaddr *addr);

/**
 * smcu_xport_listen() - ready to receive: (roce) INIT, RTR with the peer's address, all receives posted (section 3.2)
 * @xp: endpoint
 * @peer: from CLC
 * @hop: route to it
 *
 * Context: may sleep; takes qp_lock.
 * Return: 0; -EINVAL @peer can't be; -ENOTCONN the endpoint is dead; -EADDRNOTAVAIL our GID is not there any more; other -errno of the
 * RDMA core
 */
int smcu_xport_listen(struct smcu_xport *xp, const struct smcu_xaddr *peer, const struct smcu_hop *hop);

/**
 * smcu_xport_start() - ready to send: (roce) RTS
 * @xp: endpoint that listens
 *
 * Context: may sleep; takes qp_lock.
 * Return: 0; -ENOTCONN the endpoint is dead; other -errno of the RDMA core
 */
int smcu_xport_start(struct smcu_xport *xp);

/**
 * smcu_xport_map() - make a send ring usable as source of writes
 * @xp: endpoint
 * @buf: ring; the caller sees to it that nobody else works on it
 *
 * Context: may sleep.
 * Return: 0; -ENOTCONN the endpoint is dead; -EOPNOTSUPP the ring would have to be copied or flushed for the adapter; other -errno
 */
int smcu_xport_map(struct smcu_xport *xp, struct smcu_buf *buf);

/**
 * smcu_xport_register() - make a receive ring writable by the peer; sets rkey and addr
 * @xp: endpoint
 * @buf: ring; the caller sees to it that nobody else works on it
 *
 * On an endpoint that is not started yet only the key and the address are fixed: call it again for the same ring after
 * smcu_xport_start(). It does nothing for a ring whose registration is posted. The adapter is not waited for: the key may be told to
 * the peer by a message of this endpoint, which comes after the registration, and by other ways only behind the peer's answer to
 * such a message. Until that answer the ring must not be unmapped while the endpoint is up.
 *
 * Where it fails the ring may be mapped already: smcu_xport_unmap() undoes that.
 *
 * Context: may sleep.
 * Return: 0; -EAGAIN the queue is full, and no upcall says when it is not; -EMSGSIZE the adapter can't register so many pages; -ENOTCONN
 * the endpoint is dead; -EOPNOTSUPP as smcu_xport_map(); other -errno
 */
int smcu_xport_register(struct smcu_xport *xp, struct smcu_buf *buf);

/**
 * smcu_xport_unmap() - undo smcu_xport_map() or smcu_xport_register(); afterwards the peer can't write any more
 * @xp: endpoint, may be down
 * @buf: ring; one that is not mapped stays as it is
 *
 * Context: may sleep.
 */
void smcu_xport_unmap(struct smcu_xport *xp, struct smcu_buf *buf);

/**
 * smcu_xport_post() - writes, then one message, in this order, in one chain of work requests (one doorbell)
 * @xp: started endpoint
 * @w: writes, may be NULL
 * @n: how many, 0 to 3
 * @msg: 44 bytes, or NULL
 * @msg_len: its length, at most 64
 * @owner: for the sent upcall, NULL for none
 * @cookie: for the sent upcall; those of one owner must not become less
 * @signal: ask for a completion of this message (the endpoint itself asks for one often enough to recycle its queue)
 *
 * All or nothing. A message without owner may use the last few places of the queue, so that LLC gets through when data fills it.
 *
 * Context: any but hard interrupts; takes the endpoint's lock with BH off. The down upcall may be made from it.
 * Return: 0; -EAGAIN no room, the room upcall will come; -EMSGSIZE more than SMCU_XPOST_MAX bytes; -ENOTCONN the endpoint is dead
 * or not started; -EINVAL for a slip of the caller, who is warned of it
 */
int smcu_xport_post(struct smcu_xport *xp, const struct smcu_xwrite *w, int n, const u8 *msg, u32 msg_len,
		    void *owner, u64 cookie, bool signal);

/**
 * smcu_xport_disown() - no sent upcall for this owner any more
 * @xp: endpoint
 * @owner: as given to smcu_xport_post()
 *
 * A sent upcall that is running on another processor may still be: callers free the owner after an RCU grace period, upcalls run under
 * rcu_read_lock().
 *
 * Context: any but hard interrupts.
 */
void smcu_xport_disown(struct smcu_xport *xp, void *owner);

/**
 * smcu_xport_flushed() - wait until nothing posted is in flight
 * @xp: endpoint
 * @ms: at most that long
 *
 * Context: may sleep.
 * Return: true if so (or the endpoint is down, then nothing is read from rings any more)
 */
bool smcu_xport_flushed(struct smcu_xport *xp, unsigned int ms);

/**
 * smcu_xport_kill() - stop: posts fail from now on; when it returns the adapter works on no ring any more for us. Upcalls may
 * still run until close
 * @xp: endpoint; may have been killed before
 *
 * Context: may sleep; takes qp_lock. Makes no down upcall.
 */
void smcu_xport_kill(struct smcu_xport *xp);

/**
 * smcu_xport_is_down() - killed or failed by itself; lockless
 * @xp: endpoint
 *
 * Context: any.
 * Return: true if so; it stays so
 */
bool smcu_xport_is_down(const struct smcu_xport *xp);

/**
 * smcu_xport_close() - kill, drain and free; every ring must be unmapped before; no upcall runs after it returns
 * @xp: endpoint; nobody looks at it any more: a grace period has passed since it could be found
 *
 * Context: may sleep, never called from an upcall.
 */
void smcu_xport_close(struct smcu_xport *xp);

#endif
