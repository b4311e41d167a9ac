/* SPDX-License-Identifier: GPL-2.0 */
/* LLC messages between bytes and one tagged struct. Form and errors as in wire_clc.h. */
#ifndef SMCU_PROTO_WIRE_LLC_H
#define SMCU_PROTO_WIRE_LLC_H

#include "proto/limits.h"

/**
 * enum smcu_llc_type - messages, low four bits of byte 0 (sections 5.1 to 5.9)
 * @SMCU_LLC_CONFIRM_LINK: first contact: the link works
 * @SMCU_LLC_ADD_LINK: another link; ours has one, so it is rejected
 * @SMCU_LLC_ADD_LINK_CONT: ignored
 * @SMCU_LLC_DELETE_LINK: with one link: the group ends
 * @SMCU_LLC_REQ_ADD_LINK: version 2 only; refused
 * @SMCU_LLC_CONFIRM_RKEY: a ring of the sender
 * @SMCU_LLC_TEST_LINK: are you there?
 * @SMCU_LLC_CONFIRM_RKEY_CONT: ignored
 * @SMCU_LLC_DELETE_RKEY: rings of the sender that are no more
 */
enum smcu_llc_type {
	SMCU_LLC_CONFIRM_LINK = 1,
	SMCU_LLC_ADD_LINK = 2,
	SMCU_LLC_ADD_LINK_CONT = 3,
	SMCU_LLC_DELETE_LINK = 4,
	SMCU_LLC_REQ_ADD_LINK = 5,
	SMCU_LLC_CONFIRM_RKEY = 6,
	SMCU_LLC_TEST_LINK = 7,
	SMCU_LLC_CONFIRM_RKEY_CONT = 8,
	SMCU_LLC_DELETE_RKEY = 9,
};

/* DELETE_LINK reasons (section 5.5). */
#define SMCU_DEL_LOST_PATH	0x00010000U
#define SMCU_DEL_OPERATOR	0x00020000U
#define SMCU_DEL_PROGRAM	0x00030000U
#define SMCU_DEL_PROTOCOL	0x00040000U

/**
 * struct smcu_llc_msg - one LLC message; numbers in host order, addresses as on the wire
 * @type: enum smcu_llc_type; says which member of the union is valid
 * @v2: version 2 form (type byte has high nibble 2)
 * @response: an answer
 * @confirm_link: CONFIRM_LINK
 * @confirm_link.no_eyecatcher: the sender writes none into receive rings
 * @confirm_link.mac: of the sender's end
 * @confirm_link.gid: of the sender's end
 * @confirm_link.qpn: of the sender's end, 24 bits
 * @confirm_link.link_num: the server's number of the link
 * @confirm_link.link_uid: the sender's name of the link, for people
 * @confirm_link.max_links: links per group
 * @confirm_link.max_conns: connections per group (release 1, else 0)
 * @add_link: ADD_LINK
 * @add_link.reject: (response) no
 * @add_link.reject_reason: (response, version 1) why, 0 to 15
 * @add_link.mtu: path MTU code, 0 to 15; 0 is none, and makes the peer say no
 * @add_link.link_num: of the new link
 * @add_link.raw: bytes 4 to 43, so that a rejection can echo them
 * @delete_link: DELETE_LINK
 * @delete_link.all: every link, so the group
 * @delete_link.orderly: connections are ended first
 * @delete_link.link_num: which, where not @delete_link.all
 * @delete_link.reason: SMCU_DEL_*; of a response, 0 or why not
 * @confirm_rkey: CONFIRM_RKEY; only the token of the link that carries the message is decoded
 * @confirm_rkey.negative: (response) the ring can't be used
 * @confirm_rkey.retry: (response) not now
 * @confirm_rkey.n_more: tokens for other links
 * @confirm_rkey.rkey: key of the sender's ring
 * @confirm_rkey.addr: its address
 * @confirm_rkey.raw: bytes 4 to 43, which a response repeats
 * @delete_rkey: DELETE_RKEY
 * @delete_rkey.negative: (response) some were not known
 * @delete_rkey.n: keys, as many as fit in 44 bytes: at most 8 in version 1, 9 in version 2
 * @delete_rkey.err_mask: (response) which of them were not known
 * @delete_rkey.rkey: the first @delete_rkey.n are valid
 * @delete_rkey.raw: bytes 4 to 43, which a response repeats
 * @test_link: TEST_LINK
 * @test_link.data: the sender's, which a response repeats
 */
struct smcu_llc_msg {
	u8 type;
	bool v2;
	bool response;
	union {
		struct {
			bool no_eyecatcher;
			u8 mac[SMCU_MAC_LEN];
			u8 gid[SMCU_GID_LEN];
			u32 qpn;
			u8 link_num;
			u8 link_uid[4];
			u8 max_links;
			u8 max_conns;
		} confirm_link;
		struct {
			bool reject;
			u8 reject_reason;
			u8 mtu;
			u8 link_num;
			u8 raw[40];
		} add_link;
		struct {
			bool all;
			bool orderly;
			u8 link_num;
			u32 reason;
		} delete_link;
		struct {
			bool negative;
			bool retry;
			u8 n_more;
			u32 rkey;
			u64 addr;
			u8 raw[40];
		} confirm_rkey;
		struct {
			bool negative;
			u8 n;
			u8 err_mask;
			u32 rkey[9];
			u8 raw[40];
		} delete_rkey;
		struct {
			u8 data[16];
		} test_link;
	};
};

/**
 * smcu_llc_decode() - bytes of a received SEND to struct
 * @buf: message
 * @len: bytes received (the length field in the message is not to be trusted, section 5.1); the first 44 are looked at
 * @out: result
 *
 * Return: 0; -EPROTO for a message that breaks the protocol; -ENOMSG for a type that must be ignored
 */
int smcu_llc_decode(const u8 *buf, size_t len, struct smcu_llc_msg *out);

/**
 * smcu_llc_encode() - struct to the 44 bytes of a SEND
 * @buf: SMCU_LLC_LEN bytes, completely written
 * @in: message; add_link with reject, confirm_rkey and delete_rkey responses take their body from raw
 *
 * Return: SMCU_LLC_LEN or -EINVAL
 */
int smcu_llc_encode(u8 *buf, const struct smcu_llc_msg *in);

#endif
