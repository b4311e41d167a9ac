/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CLC messages: proposal, accept, confirm, decline (versions 1 and 2, SMC-R) between bytes and structs.
 *
 * _decode(buf, len, out) wants the whole message and returns 0, or -EPROTO where the protocol is violated; it never
 * reads beyond len and leaves no field of out undefined. _encode(buf, cap, in) returns the number of bytes written,
 * -EMSGSIZE where cap is too small, or -EINVAL where in is not legal. Integers in the structs are in host order;
 * GIDs, MACs, peer ids and EIDs are bytes as on the wire.
 */
#ifndef SMCU_PROTO_WIRE_CLC_H
#define SMCU_PROTO_WIRE_CLC_H

#include "proto/limits.h"

#define SMCU_CLC_DECLINE_MAX 44	/* the longer of a decline's two lengths */

/**
 * enum smcu_clc_type - messages, byte 4 of the header (section 2.1)
 * @SMCU_CLC_PROPOSAL: of a client: what it offers
 * @SMCU_CLC_ACCEPT: of a server: what it has chosen, and its end of the link
 * @SMCU_CLC_CONFIRM: of a client: its end of the link
 * @SMCU_CLC_DECLINE: of either: no
 */
enum smcu_clc_type {
	SMCU_CLC_PROPOSAL = 1,
	SMCU_CLC_ACCEPT = 2,
	SMCU_CLC_CONFIRM = 3,
	SMCU_CLC_DECLINE = 4,
};

/**
 * enum smcu_clc_kind - the two-bit kind fields of the header's last byte (section 2.1)
 * @SMCU_KIND_R: SMC-R
 * @SMCU_KIND_D: SMC-D
 * @SMCU_KIND_NONE: nothing of this version
 * @SMCU_KIND_BOTH: SMC-R and SMC-D
 */
enum smcu_clc_kind {
	SMCU_KIND_R = 0,
	SMCU_KIND_D = 1,
	SMCU_KIND_NONE = 2,
	SMCU_KIND_BOTH = 3,
};

/**
 * struct smcu_clc_hdr - common header
 * @type: enum smcu_clc_type
 * @version: 1 or 2 (larger values are treated as 2)
 * @length: whole message with header and trailer, SMCU_CLC_MIN_LEN to SMCU_CLC_MAX_LEN
 * @typev1: low two bits of the last byte
 * @typev2: next two bits of the last byte
 */
struct smcu_clc_hdr {
	u8 type;
	u8 version;
	u16 length;
	u8 typev1;
	u8 typev2;
};

/**
 * smcu_clc_hdr_decode() - look at the first bytes of a message
 * @buf: at least @len bytes
 * @len: how many there are; SMCU_CLC_HDR_LEN suffice
 * @out: result
 *
 * Return: 0, -EAGAIN where @len is less than a header but what is there may begin one, -EPROTO where it can't be CLC
 */
int smcu_clc_hdr_decode(const u8 *buf, size_t len, struct smcu_clc_hdr *out);

/**
 * struct smcu_clc_proposal - what a client offers
 * @version: 1 or 2; encode always writes 2
 * @typev1: enum smcu_clc_kind offered with version 1
 * @typev2: enum smcu_clc_kind offered with version 2
 * @peer_id: the client's instance; zero where it offers no version 1
 * @gid: RoCE GID of the base part
 * @mac: of the client's port; zero where it offers no version 1
 * @has_prefix: an IP prefix area is there (typev1 is not NONE)
 * @prefix4: IPv4 subnet, host order
 * @prefix4_len: its length in bits
 * @n_prefix6: number of IPv6 prefixes
 * @prefix6: their bytes
 * @prefix6_len: their lengths in bits
 * @has_v2: a version 2 extension is there (typev2 is not NONE)
 * @release: 0 for SMC-Rv2.0, 1 for SMC-Rv2.1
 * @n_eids: number of user EIDs
 * @eid: user EIDs
 * @gid_v2: the client's RoCEv2 GID
 * @max_conns: connections per link group (release 1)
 * @max_links: links per link group (release 1)
 * @features: feature mask (release 1)
 *
 * Encode wants kinds R or NONE, at least one R, and the has_ flags to agree with them.
 */
struct smcu_clc_proposal {
	u8 version;
	u8 typev1;
	u8 typev2;
	u8 peer_id[SMCU_PEER_ID_LEN];
	u8 gid[SMCU_GID_LEN];
	u8 mac[SMCU_MAC_LEN];
	bool has_prefix;
	u32 prefix4;
	u8 prefix4_len;
	u8 n_prefix6;
	u8 prefix6[SMCU_MAX_PREFIX6][16];
	u8 prefix6_len[SMCU_MAX_PREFIX6];
	bool has_v2;
	u8 release;
	u8 n_eids;
	u8 eid[SMCU_MAX_EIDS][SMCU_EID_LEN];
	u8 gid_v2[SMCU_GID_LEN];
	u8 max_conns;
	u8 max_links;
	u16 features;
};

/**
 * smcu_clc_proposal_decode() - bytes to struct (section 2.2)
 * @buf: whole message
 * @len: its length
 * @out: result; defined also where it fails
 *
 * Return: 0 or -EPROTO
 */
int smcu_clc_proposal_decode(const u8 *buf, size_t len, struct smcu_clc_proposal *out);

/**
 * smcu_clc_proposal_encode() - struct to bytes (section 2.2)
 * @buf: at least @cap bytes; written only on success
 * @cap: room; SMCU_CLC_MAX_LEN is always enough
 * @in: proposal
 *
 * Return: bytes written; -EINVAL for what is no offer of ours (see struct smcu_clc_proposal); -EMSGSIZE
 */
int smcu_clc_proposal_encode(u8 *buf, size_t cap, const struct smcu_clc_proposal *in);

/**
 * struct smcu_clc_answer - accept or confirm of SMC-R
 * @type: SMCU_CLC_ACCEPT or SMCU_CLC_CONFIRM
 * @version: 1 or 2
 * @kind: SMCU_KIND_R; SMCU_KIND_D is decoded as far as the header so that it can be declined
 * @first_contact: a new link group is made
 * @peer_id: sender's instance
 * @gid: of the sender's end of the link
 * @mac: of the sender's port
 * @qpn: 24 bits
 * @psn: 24 bits
 * @mtu: path MTU code, SMCU_MTU_CODE_MIN to SMCU_MTU_CODE_MAX
 * @rkey: of the sender's receive ring
 * @rmbe_index: 1-based, 1 to 255
 * @token: alert token, not 0
 * @rmbe_code: compressed size of the ring
 * @rmb_addr: where to write
 * @eid: negotiated EID (version 2)
 * @direct: peers are on one subnet (first contact, version 2)
 * @os: operating system (first contact, version 2)
 * @release: (first contact, version 2)
 * @host: host name (first contact, version 2)
 * @max_conns: (first contact, release 1)
 * @max_links: (first contact, release 1)
 * @features: (first contact, release 1)
 *
 * Decode rejects what must never be used: token 0, index 0, MTU or size code out of range. It reads over the GID list of a
 * confirm; encode writes one with @gid in it.
 */
struct smcu_clc_answer {
	u8 type;
	u8 version;
	u8 kind;
	bool first_contact;
	u8 peer_id[SMCU_PEER_ID_LEN];
	u8 gid[SMCU_GID_LEN];
	u8 mac[SMCU_MAC_LEN];
	u32 qpn;
	u32 psn;
	u8 mtu;
	u32 rkey;
	u8 rmbe_index;
	u32 token;
	u8 rmbe_code;
	u64 rmb_addr;
	u8 eid[SMCU_EID_LEN];
	bool direct;
	u8 os;
	u8 release;
	u8 host[SMCU_HOST_LEN];
	u8 max_conns;
	u8 max_links;
	u16 features;
};

/**
 * smcu_clc_answer_decode() - bytes to struct (section 2.3)
 * @buf: whole message
 * @len: its length
 * @out: result; defined also where it fails
 *
 * Return: 0 or -EPROTO
 */
int smcu_clc_answer_decode(const u8 *buf, size_t len, struct smcu_clc_answer *out);

/**
 * smcu_clc_answer_encode() - struct to bytes (section 2.3)
 * @buf: at least @cap bytes; written only on success
 * @cap: room; SMCU_CLC_MAX_LEN is always enough
 * @in: accept or confirm of SMC-R
 *
 * Return: bytes written; -EINVAL for what decode would reject, or where a field does not fit its place on the wire; -EMSGSIZE
 */
int smcu_clc_answer_encode(u8 *buf, size_t cap, const struct smcu_clc_answer *in);

/**
 * struct smcu_clc_decline - no
 * @version: 1 (28 bytes) or 2 (44 bytes)
 * @out_of_sync: the sender does not know the link group
 * @peer_id: sender's instance, may be zero
 * @diagnosis: code of proto/reason.h
 */
struct smcu_clc_decline {
	u8 version;
	bool out_of_sync;
	u8 peer_id[SMCU_PEER_ID_LEN];
	u32 diagnosis;
};

/**
 * smcu_clc_decline_decode() - bytes to struct (section 2.4)
 * @buf: whole message
 * @len: its length
 * @out: result; defined also where it fails
 *
 * Return: 0 or -EPROTO
 */
int smcu_clc_decline_decode(const u8 *buf, size_t len, struct smcu_clc_decline *out);

/**
 * smcu_clc_decline_encode() - struct to bytes (section 2.4)
 * @buf: at least @cap bytes; written only on success
 * @cap: room; 44 bytes are always enough
 * @in: decline
 *
 * Return: bytes written; -EINVAL for a version that is neither 1 nor 2; -EMSGSIZE
 */
int smcu_clc_decline_encode(u8 *buf, size_t cap, const struct smcu_clc_decline *in);

/**
 * smcu_eid_from_text() - make an EID of what a person typed
 * @text: 1 to 32 of A-Z 0-9 '.' '-', the first a letter or digit; lower case is not folded
 * @len: its length
 * @eid: SMCU_EID_LEN bytes, blank padded
 *
 * Return: 0 or -EINVAL
 */
int smcu_eid_from_text(const char *text, size_t len, u8 *eid);

#endif
