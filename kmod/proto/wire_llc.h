/* SPDX-License-Identifier: GPL-2.0 */
/* LLC messages between bytes and one tagged struct. Form and errors as in wire_clc.h. */
#ifndef SMCU_PROTO_WIRE_LLC_H
#define SMCU_PROTO_WIRE_LLC_H

#include "proto/limits.h"

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
 * struct smcu_llc_msg - one LLC message
 * @type: enum smcu_llc_type
 * @v2: version 2 form (type byte has high nibble 2)
 * @response: an answer
 * @confirm_link: CONFIRM_LINK
 * @add_link: ADD_LINK; @raw keeps bytes 4..43 so that a rejection can echo them
 * @delete_link: DELETE_LINK
 * @confirm_rkey: CONFIRM_RKEY; only the token of the link that carries the message is decoded, @raw has the rest
 * @delete_rkey: DELETE_RKEY, as many keys as fit in 44 bytes (n is never more than 9)
 * @test_link: TEST_LINK
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
			u8 reject_reason;	/* version 1 only */
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
			u8 n_more;		/* tokens for other links */
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
