/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a connection is on TCP: one list for the wire's diagnosis codes, counters and the manual.
 * X(name, code, sentence). Codes up to 0x0fffffff are the protocol's; 0x1....... are local and never sent.
 */
#ifndef SMCU_PROTO_REASON_H
#define SMCU_PROTO_REASON_H

#include "proto/base.h"

#define SMCU_REASONS(X) \
	X(NONE,			0x00000000, "none") \
	X(NOMEM,		0x01010000, "out of memory") \
	X(TIMEOUT_LINK,		0x02010000, "timeout waiting for CONFIRM_LINK") \
	X(CONFIG,		0x03000000, "configuration error") \
	X(PEER_NO_SMC,		0x03010000, "peer did not offer SMC in its SYN or SYN-ACK") \
	X(IPSEC,		0x03020000, "IPsec policy on the socket") \
	X(NO_DEVICE,		0x03030000, "no usable RDMA device for this route") \
	X(NO_SMCR_DEVICE,	0x03030002, "no usable SMC-R device for the peer's GID") \
	X(NO_V2_EXT,		0x03030004, "peer sent no version 2 extension") \
	X(NO_EID,		0x03030008, "no EID in common with the peer") \
	X(RELEASE,		0x03030009, "release negotiation failed") \
	X(MAX_CONNS,		0x0303000a, "negotiation of connections per link group failed") \
	X(MAX_LINKS,		0x0303000b, "negotiation of links per link group failed") \
	X(MODE,			0x03040000, "accept chose a kind or version that was not offered") \
	X(EYECATCHER,		0x03050000, "peer uses eyecatchers in its receive buffers") \
	X(FASTOPEN,		0x03060000, "TCP Fast Open in use") \
	X(PREFIX,		0x03070000, "IP prefix mismatch") \
	X(NO_LINK,		0x030a0000, "no active link in the link group") \
	X(LINK_UNKNOWN,		0x030b0000, "link named by the accept is unknown") \
	X(NO_ROUTE,		0x030e0000, "no route to the peer's GID") \
	X(INDIRECT,		0x030f0000, "peer claims a gateway, the route has none") \
	X(SYNC,			0x04000000, "peer reused a link group that is not known here") \
	X(PEER_DECLINED,	0x05000000, "peer declined") \
	X(INTERNAL,		0x09990000, "internal error") \
	X(RKEY_STORE,		0x09990001, "remote key could not be stored") \
	X(LINK_UP,		0x09990002, "queue pair could not be brought up") \
	X(RKEY_CONFIRM,		0x09990003, "registration or CONFIRM_RKEY failed") \
	X(NOT_CLC,		0x10000001, "peer offered SMC but sent something else") \
	X(TIMEOUT_CLC,		0x10000002, "timeout waiting for a CLC message") \
	X(SOCKOPT,		0x10000004, "socket option that SMC cannot honour") \
	X(CLOSED,		0x10000006, "closed before the handshake ended")

/**
 * enum smcu_reason - why a connection fell back; a type of its own, never mixed with an errno
 * @SMCU_REASONS: SMCU_R_* with the name of each line of that list, in its order; SMCU_R_COUNT is their number
 */
enum smcu_reason {
#define X(name, code, text) SMCU_R_##name,
	SMCU_REASONS(X)
#undef X
	SMCU_R_COUNT
};

/**
 * smcu_reason_code() - the 32-bit diagnosis of @r, as sent in a decline (section 2.4)
 * @r: a reason
 *
 * Return: its code; that of SMCU_R_INTERNAL for what is no reason. Not each may be sent: see smcu_reason_is_wire()
 */
u32 smcu_reason_code(enum smcu_reason r);

/**
 * smcu_reason_text() - a sentence for people
 * @r: a reason
 *
 * Return: constant string; "unknown reason" for what is none
 */
const char *smcu_reason_text(enum smcu_reason r);

/**
 * smcu_reason_name() - short lower-case name, for counters
 * @r: a reason
 *
 * Return: constant string; "unknown" for what is none
 */
const char *smcu_reason_name(enum smcu_reason r);

/**
 * smcu_reason_from_code() - the reason for a diagnosis received in a decline
 * @code: diagnosis
 *
 * Return: the reason, SMCU_R_PEER_DECLINED for a code that is not in the list or is a local one
 */
enum smcu_reason smcu_reason_from_code(u32 code);

/**
 * smcu_reason_is_wire() - may this be sent in a decline?
 * @r: a reason
 *
 * Return: false for SMCU_R_NONE, for local ones, and where nobody is there to be told or has said so himself
 */
bool smcu_reason_is_wire(enum smcu_reason r);

#endif
