/* SPDX-License-Identifier: GPL-2.0 */
/* How a connection ends (section 7): a table (state, event) -> (state, actions). Data does not appear here. */
#ifndef SMCU_PROTO_CONN_FSM_H
#define SMCU_PROTO_CONN_FSM_H

#include "proto/base.h"

/**
 * enum smcu_conn_state - what both sides have said (section 7)
 * @SMCU_CS_ACTIVE: nothing
 * @SMCU_CS_PEERCLOSEWAIT1: we said done or closed, the peer nothing
 * @SMCU_CS_PEERCLOSEWAIT2: we said done or closed, the peer done
 * @SMCU_CS_APPCLOSEWAIT1: the peer said done, we nothing
 * @SMCU_CS_APPCLOSEWAIT2: the peer said done, then we did
 * @SMCU_CS_APPFINCLOSEWAIT: the peer said closed, we did not: our own closed is due
 * @SMCU_CS_PEERFINCLOSEWAIT: the peer said done, we closed: the peer's closed is due
 * @SMCU_CS_PROCESSABORT: the peer aborted or the link is lost, the program has not closed yet
 * @SMCU_CS_CLOSED: over
 * @SMCU_CS_COUNT: how many
 */
enum smcu_conn_state {
	SMCU_CS_ACTIVE,
	SMCU_CS_PEERCLOSEWAIT1,
	SMCU_CS_PEERCLOSEWAIT2,
	SMCU_CS_APPCLOSEWAIT1,
	SMCU_CS_APPCLOSEWAIT2,
	SMCU_CS_APPFINCLOSEWAIT,
	SMCU_CS_PEERFINCLOSEWAIT,
	SMCU_CS_PROCESSABORT,
	SMCU_CS_CLOSED,
	SMCU_CS_COUNT
};

/**
 * enum smcu_conn_event - what changes the state
 * @SMCU_CE_SHUTDOWN_WR: program: shutdown(SHUT_WR), all data written
 * @SMCU_CE_CLOSE: program: close(), all data written
 * @SMCU_CE_ABORT: program closed with unread data, or we give up; the second time: stop waiting, too
 * @SMCU_CE_PEER_DONE: CDC with done, neither closed nor abort
 * @SMCU_CE_PEER_CLOSED: CDC with closed, not abort
 * @SMCU_CE_PEER_ABORT: CDC with abort
 * @SMCU_CE_LINK_LOST: no link left: nothing can be sent
 * @SMCU_CE_COUNT: how many
 */
enum smcu_conn_event {
	SMCU_CE_SHUTDOWN_WR,
	SMCU_CE_CLOSE,
	SMCU_CE_ABORT,
	SMCU_CE_PEER_DONE,
	SMCU_CE_PEER_CLOSED,
	SMCU_CE_PEER_ABORT,
	SMCU_CE_LINK_LOST,
	SMCU_CE_COUNT
};

/**
 * enum smcu_conn_action - what the caller has to do, a set of bits
 * @SMCU_CA_SEND_DONE: CDC with done
 * @SMCU_CA_SEND_CLOSED: CDC with closed
 * @SMCU_CA_SEND_ABORT: CDC with abort
 * @SMCU_CA_RX_EOF: after buffered data the program reads end of file
 * @SMCU_CA_RESET: the program gets ECONNRESET
 * @SMCU_CA_LOST: the program gets ECONNABORTED
 * @SMCU_CA_FINISHED: state has become CLOSED: nothing more is due from the peer
 */
enum smcu_conn_action {
	SMCU_CA_SEND_DONE = 1 << 0,
	SMCU_CA_SEND_CLOSED = 1 << 1,
	SMCU_CA_SEND_ABORT = 1 << 2,
	SMCU_CA_RX_EOF = 1 << 3,
	SMCU_CA_RESET = 1 << 4,
	SMCU_CA_LOST = 1 << 5,
	SMCU_CA_FINISHED = 1 << 6,
};

/**
 * struct smcu_conn_step - one cell of the table
 * @next: state afterwards
 * @actions: enum smcu_conn_action bits
 */
struct smcu_conn_step {
	u8 next;
	u8 actions;
};

/**
 * smcu_conn_next() - look up the table
 * @state: enum smcu_conn_state
 * @event: enum smcu_conn_event
 * @sent: SMCU_CF_* this side has already sent, before this event; closed or abort in it means that the program has closed
 *
 * Every pair is defined; CLOSED is final; an event that means nothing keeps the state and has no actions. Events that the
 * peer may repeat (flags stay set in all its later messages) are idempotent.
 *
 * Return: the cell; for a state or an event that is none, @state and no actions
 */
struct smcu_conn_step smcu_conn_next(u8 state, u8 event, u8 sent);

/**
 * smcu_conn_state_name() - for tests and tables
 * @state: any number
 *
 * Return: constant string in lower case, "?" for what is no state
 */
const char *smcu_conn_state_name(u8 state);

/**
 * smcu_conn_event_name() - for tests and tables
 * @event: any number
 *
 * Return: constant string in lower case, "?" for what is no event
 */
const char *smcu_conn_event_name(u8 event);

#endif
