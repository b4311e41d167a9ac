/* SPDX-License-Identifier: GPL-2.0 */
/* The handshake (section 2.5, 5.10): a table (state, event) -> (state, action). A timeout is an event. */
#ifndef SMCU_PROTO_HS_FSM_H
#define SMCU_PROTO_HS_FSM_H

#include "proto/base.h"

/**
 * enum smcu_hs_state - what a handshake waits for
 * @SMCU_HS_C_START: client: TCP is established, the peer has the option
 * @SMCU_HS_C_WAIT_ACCEPT: proposal sent
 * @SMCU_HS_C_WAIT_RKEY: joins a link group: CONFIRM_RKEY is on its way
 * @SMCU_HS_C_WAIT_LINK: first contact: confirm sent, CONFIRM_LINK expected
 * @SMCU_HS_S_WAIT_PROPOSAL: server: TCP is established, the peer has the option
 * @SMCU_HS_S_WAIT_LGR: which link group? somebody else may be making it
 * @SMCU_HS_S_WAIT_RKEY: joins a link group: CONFIRM_RKEY is on its way
 * @SMCU_HS_S_WAIT_CONFIRM: joining, accept sent
 * @SMCU_HS_S_WAIT_CONFIRM_FC: first contact, accept sent
 * @SMCU_HS_S_WAIT_LINK: first contact: CONFIRM_LINK sent
 * @SMCU_HS_DECLINED: both sides had the word: the peer's decline may be on its way too
 * @SMCU_HS_DONE: SMC
 * @SMCU_HS_FALLBACK: TCP
 * @SMCU_HS_FAILED: the connection is dead
 * @SMCU_HS_COUNT: how many
 */
enum smcu_hs_state {
	SMCU_HS_C_START,
	SMCU_HS_C_WAIT_ACCEPT,
	SMCU_HS_C_WAIT_RKEY,
	SMCU_HS_C_WAIT_LINK,
	SMCU_HS_S_WAIT_PROPOSAL,
	SMCU_HS_S_WAIT_LGR,
	SMCU_HS_S_WAIT_RKEY,
	SMCU_HS_S_WAIT_CONFIRM,
	SMCU_HS_S_WAIT_CONFIRM_FC,
	SMCU_HS_S_WAIT_LINK,
	SMCU_HS_DECLINED,
	SMCU_HS_DONE,
	SMCU_HS_FALLBACK,
	SMCU_HS_FAILED,
	SMCU_HS_COUNT
};

/**
 * enum smcu_hs_event - what has happened
 * @SMCU_HE_START: client: it is our turn
 * @SMCU_HE_PROPOSAL: CLC
 * @SMCU_HE_ACCEPT_FC: CLC, with first contact
 * @SMCU_HE_ACCEPT_JOIN: CLC, without
 * @SMCU_HE_CONFIRM: CLC
 * @SMCU_HE_DECLINE: CLC
 * @SMCU_HE_BAD: bytes that are not the expected CLC message
 * @SMCU_HE_EOF: TCP was closed or reset by the peer
 * @SMCU_HE_LGR_NEW: server: this connection makes the link group
 * @SMCU_HE_LGR_JOIN: server: an active link group is there
 * @SMCU_HE_LGR_LOST: server: the group went before the peer was told of it
 * @SMCU_HE_RKEY_OK: the peer has answered CONFIRM_RKEY, or knew the key before
 * @SMCU_HE_LINK_UP: CONFIRM_LINK was exchanged
 * @SMCU_HE_LOCAL_FAIL: our side can't go on: a reason is known
 * @SMCU_HE_TIMEOUT: see smcu_hs_timeout_ms()
 * @SMCU_HE_COUNT: how many
 */
enum smcu_hs_event {
	SMCU_HE_START,
	SMCU_HE_PROPOSAL,
	SMCU_HE_ACCEPT_FC,
	SMCU_HE_ACCEPT_JOIN,
	SMCU_HE_CONFIRM,
	SMCU_HE_DECLINE,
	SMCU_HE_BAD,
	SMCU_HE_EOF,
	SMCU_HE_LGR_NEW,
	SMCU_HE_LGR_JOIN,
	SMCU_HE_LGR_LOST,
	SMCU_HE_RKEY_OK,
	SMCU_HE_LINK_UP,
	SMCU_HE_LOCAL_FAIL,
	SMCU_HE_TIMEOUT,
	SMCU_HE_COUNT
};

/**
 * enum smcu_hs_action - what to do
 * @SMCU_HA_NONE: nothing
 * @SMCU_HA_PROPOSE: client: send the proposal
 * @SMCU_HA_FIRST_CLIENT: client: make the link group, QP to RTR, send confirm
 * @SMCU_HA_JOIN_CLIENT: client: find the link group, send CONFIRM_RKEY
 * @SMCU_HA_CONFIRM: client: send confirm, then finish
 * @SMCU_HA_NEGOTIATE: server: choose, then find the link group
 * @SMCU_HA_ACCEPT_FIRST: server: make QP, send accept with first contact
 * @SMCU_HA_JOIN_SERVER: server: send CONFIRM_RKEY
 * @SMCU_HA_LEAVE: server: leave the link group, then find another one
 * @SMCU_HA_ACCEPT_JOIN: server: send accept
 * @SMCU_HA_LINK_SERVER: server: QP to RTS, send CONFIRM_LINK
 * @SMCU_HA_FINISH: go to SMC
 * @SMCU_HA_FALL_BACK: nothing to be said: plain TCP from here
 * @SMCU_HA_DECLINE: send a decline, then plain TCP
 * @SMCU_HA_FAIL: reset the connection
 */
enum smcu_hs_action {
	SMCU_HA_NONE,
	SMCU_HA_PROPOSE,
	SMCU_HA_FIRST_CLIENT,
	SMCU_HA_JOIN_CLIENT,
	SMCU_HA_CONFIRM,
	SMCU_HA_NEGOTIATE,
	SMCU_HA_ACCEPT_FIRST,
	SMCU_HA_JOIN_SERVER,
	SMCU_HA_LEAVE,
	SMCU_HA_ACCEPT_JOIN,
	SMCU_HA_LINK_SERVER,
	SMCU_HA_FINISH,
	SMCU_HA_FALL_BACK,
	SMCU_HA_DECLINE,
	SMCU_HA_FAIL,
};

/**
 * struct smcu_hs_step - one cell of the table
 * @next: state afterwards
 * @action: enum smcu_hs_action
 */
struct smcu_hs_step {
	u8 next;
	u8 action;
};

/**
 * smcu_hs_next() - look up the table
 * @state: enum smcu_hs_state
 * @event: enum smcu_hs_event
 *
 * Rules: until the server has taken a proposal off the stream nothing has happened to it, so whatever goes wrong is a fallback,
 * but for silence, after which a proposal may still come; a client whose proposal was answered by anything but CLC is dead. Who
 * waits for a message of the peer says nothing until it is there or time is over, so that declines cross where both wait for
 * the link only. The one way back is a server's whose link group is lost before its accept is sent. An action that fails is a
 * LOCAL_FAIL of the state it was taken in. DONE, FALLBACK and FAILED are final. Every state but these has an edge for TIMEOUT,
 * EOF, LOCAL_FAIL and BAD. An event that can't happen in a state (START twice, a CLC message of the wrong type) acts like BAD.
 *
 * Return: the cell; FAILED for a state that is none, BAD's cell for an event that is none
 */
struct smcu_hs_step smcu_hs_next(u8 state, u8 event);

/**
 * smcu_hs_timeout_ms() - how long may a state last?
 * @state: enum smcu_hs_state
 *
 * Return: milliseconds of SMCU_T_*, 0 for a final state
 */
u32 smcu_hs_timeout_ms(u8 state);

/**
 * smcu_hs_state_name() - for tests and tables
 * @state: any number
 *
 * Return: constant string in lower case, "?" for what is no state
 */
const char *smcu_hs_state_name(u8 state);

/**
 * smcu_hs_event_name() - for tests and tables
 * @event: any number
 *
 * Return: constant string in lower case, "?" for what is no event
 */
const char *smcu_hs_event_name(u8 event);

#endif
