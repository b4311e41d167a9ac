/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SMCU_CLC_INTERNAL_H
#define SMCU_CLC_INTERNAL_H

#include "base/base.h"
#include "clc/clc.h"
#include "conn/conn.h"
#include "dev/dev.h"
#include "proto/negotiate.h"
#include "proto/wire_clc.h"

/**
 * struct smcu_hs_scratch - what only the steps of a handshake need
 * @sn: namespace
 * @path: our end; held while @have_path
 * @have_path: see @path
 * @may_make: smcu_lgr_find_server() gave us the right to make the link group
 * @direct: no gateway is between us: by our routes for a server, by the accept for a client
 * @claims_clc: what is next on the stream begins with CLC's eyecatcher
 * @terms: agreed
 * @spec: of the link group
 * @prop: proposal, sent or received
 * @answer: accept or confirm of the peer
 * @eids: ours
 * @n_eids: how many, 0 to SMCU_MAX_LOCAL_EIDS
 * @len: bytes of the message received in @msg
 * @unsent: bytes of the message in @msg that is still to be sent; nothing is received meanwhile
 * @msg: message received or to be sent
 */
struct smcu_hs_scratch {
	struct smcu_net *sn;
	struct smcu_path path;
	bool have_path;
	bool may_make;
	bool direct;
	bool claims_clc;
	struct smcu_terms terms;
	struct smcu_lgr_spec spec;
	struct smcu_clc_proposal prop;
	struct smcu_clc_answer answer;
	u8 eids[SMCU_MAX_LOCAL_EIDS][SMCU_EID_LEN];
	u8 n_eids;
	int len;
	int unsent;
	u8 msg[SMCU_CLC_MAX_LEN];
};

/* io.c */

/**
 * smcu_clc_recv() - is there a whole message?
 * @hs: handshake; the message is copied to x->msg, with its length in x->len, and left on the stream
 * @hdr: its header, where there is one
 *
 * Context: process, socket locked.
 * Return: its length; -EAGAIN not yet; -ECONNRESET the stream has ended; -EPROTO what is there can't be CLC
 */
int smcu_clc_recv(struct smcu_hs *hs, struct smcu_clc_hdr *hdr);

/**
 * smcu_clc_consume() - take the message that smcu_clc_recv() has found off the stream
 * @hs: handshake
 *
 * Context: process, socket still locked.
 * Return: 0 or -ECONNRESET
 */
int smcu_clc_consume(struct smcu_hs *hs);

/**
 * smcu_clc_send() - send the message in x->msg; where that can't be done at once smcu_hs_step() does nothing else until it is
 * @hs: handshake; nothing is unsent
 * @len: its length, or the -errno of the encoder
 *
 * Context: may sleep, socket not locked.
 * Return: 0, also where it is sent later; or -errno, which breaks the handshake
 */
int smcu_clc_send(struct smcu_hs *hs, int len);

/**
 * smcu_clc_flush() - send what smcu_clc_send() could not; but no decline where the peer's is there, which is taken off the stream instead
 * @hs: handshake
 *
 * Context: may sleep, socket not locked.
 * Return: 0 nothing is unsent; -EBUSY somebody has the socket's lock, perhaps for long, and the owner will run us again; any other -errno
 * breaks the handshake, and -EIO (half of it was sent) the way back to TCP, too
 */
int smcu_clc_flush(struct smcu_hs *hs);

/**
 * smcu_clc_is_unacked() - is something that we have sent not yet with the peer?
 * @sk: socket
 *
 * Context: any; lockless.
 * Return: true if so
 */
bool smcu_clc_is_unacked(const struct sock *sk);

/* client.c, server.c, hs.c: "action" is one of enum smcu_hs_action; where it fails the local side can't go on */

/**
 * smcu_clc_find_path() - which port carries this connection?
 * @hs: handshake that holds no path
 *
 * What would be encrypted by IPsec must not leave by another way.
 *
 * Context: may sleep, socket not locked.
 * Return: SMCU_R_NONE and x->path is held; SMCU_R_NO_ROUTE, SMCU_R_IPSEC, SMCU_R_NO_DEVICE
 */
enum smcu_reason smcu_clc_find_path(struct smcu_hs *hs);

/**
 * smcu_clc_drop_path() - a port that goes waits for who holds its path
 * @hs: handshake; may hold none
 *
 * Context: any.
 */
void smcu_clc_drop_path(struct smcu_hs *hs);

/**
 * smcu_clc_join() - the connection becomes a member of the group
 * @hs: handshake with lgr set; the path is dropped where it succeeds
 *
 * Rings are charged to the memory cgroup of the socket, or to hs->memcg.
 *
 * Context: may sleep, socket not locked.
 * Return: 0; -errno of smcu_conn_join() with hs->reason set
 */
int smcu_clc_join(struct smcu_hs *hs);

/**
 * smcu_clc_first() - first contact: a new link group, with this connection as its first member
 * @hs: handshake with x->spec set
 *
 * Context: may sleep, socket not locked.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_first(struct smcu_hs *hs);

/**
 * smcu_clc_answer_send() - accept or confirm: where our end of the link and our ring are (section 2.3)
 * @hs: handshake whose connection has joined
 * @type: SMCU_CLC_ACCEPT or SMCU_CLC_CONFIRM
 * @first: first contact
 *
 * Context: may sleep, socket not locked.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_answer_send(struct smcu_hs *hs, u8 type, bool first);

/**
 * smcu_clc_client_propose() - action PROPOSE (section 2.2)
 * @hs: handshake
 *
 * No path is held afterwards.
 *
 * Context: may sleep, socket not locked.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_client_propose(struct smcu_hs *hs);

/**
 * smcu_clc_client_first() - action FIRST_CLIENT: group, its link as far as it goes, confirm
 * @hs: handshake with the accept in x->answer
 *
 * Context: may sleep, socket not locked.
 * Return: 0 and the waiter is queued; or -errno with hs->reason set
 */
int smcu_clc_client_first(struct smcu_hs *hs);

/**
 * smcu_clc_client_join() - action JOIN_CLIENT: the group that the accept names, and our key for its peer
 * @hs: handshake with the accept in x->answer
 *
 * Context: may sleep, socket not locked.
 * Return: 0 and the waiter is queued, or was woken; or -errno with hs->reason set
 */
int smcu_clc_client_join(struct smcu_hs *hs);

/**
 * smcu_clc_client_confirm() - action CONFIRM
 * @hs: handshake
 *
 * Context: may sleep, socket not locked.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_client_confirm(struct smcu_hs *hs);

/**
 * smcu_clc_server_negotiate() - action NEGOTIATE: path, terms (section 2.6), route, identity of the group
 * @hs: handshake with the proposal in x->prop
 *
 * Context: may sleep, socket not locked; does not wait for the neighbour.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_server_negotiate(struct smcu_hs *hs);

/**
 * smcu_clc_server_first() - action ACCEPT_FIRST
 * @hs: handshake with x->may_make, which is used up
 *
 * Context: may sleep, socket not locked.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_server_first(struct smcu_hs *hs);

/**
 * smcu_clc_server_join() - action JOIN_SERVER: our key for the group's peer
 * @hs: handshake whose connection has joined: that was how the group was found to have room
 *
 * Context: may sleep, socket not locked.
 * Return: 0 and the waiter is queued, or was woken; or -errno with hs->reason set
 */
int smcu_clc_server_join(struct smcu_hs *hs);

/**
 * smcu_clc_server_leave() - action LEAVE: as if the group that is lost had never been found; the peer has heard nothing of it
 * @hs: handshake with lgr set
 *
 * Context: may sleep, socket not locked.
 * Return: 0 and a path is held; or -errno with hs->reason set
 */
int smcu_clc_server_leave(struct smcu_hs *hs);

/**
 * smcu_clc_server_accept() - action ACCEPT_JOIN
 * @hs: handshake
 *
 * Context: may sleep, socket not locked.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_server_accept(struct smcu_hs *hs);

/**
 * smcu_clc_server_link() - action LINK_SERVER: the confirm of a first contact has come, the link is brought up
 * @hs: handshake with the confirm in x->answer
 *
 * Context: may sleep, socket not locked.
 * Return: 0 and the waiter is queued; or -errno with hs->reason set
 */
int smcu_clc_server_link(struct smcu_hs *hs);

/**
 * smcu_clc_server_confirm() - is the confirm what was agreed, and where is the client's ring?
 * @hs: handshake with the confirm in x->answer
 *
 * Context: process, socket not locked.
 * Return: 0; or -errno with hs->reason set
 */
int smcu_clc_server_confirm(struct smcu_hs *hs);

/**
 * smcu_clc_fail() - set the reason and return the error: the form in which an action fails
 * @hs: handshake
 * @reason: for counters, the program and a decline
 * @err: -errno; any number where the caller does not look
 *
 * Context: any.
 * Return: @err
 */
static inline int smcu_clc_fail(struct smcu_hs *hs, enum smcu_reason reason, int err)
{
	hs->reason = reason;
	return err;
}

#endif
