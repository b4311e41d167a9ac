// SPDX-License-Identifier: GPL-2.0
/*
 * LLC messages between bytes and struct. Everything we look at lies in the first 44 bytes, so one check of the length
 * covers all fields; the 16-bit length of the version 2 form is in the sender's byte order and is never used.
 */
#include "proto/wire_llc.h"

enum llc_header {
	LLC_TYPE = 0,
	LLC_LENGTH = 1,
	LLC_REASON = 2,
	LLC_FLAGS = 3,
	LLC_BODY = 4,
	LLC_BODY_LEN = 40,
	LLC_V2 = 0x20,
};

enum llc_flags {
	FLAG_RESPONSE = 0x80,
	FLAG_NO_EYECATCHER = 0x03,	/* CONFIRM_LINK: either bit will do */
	FLAG_REJECT = 0x40,		/* ADD_LINK */
	FLAG_ALL = 0x40,		/* DELETE_LINK */
	FLAG_ORDERLY = 0x20,
	FLAG_NEGATIVE = 0x20,		/* CONFIRM_RKEY, DELETE_RKEY */
	FLAG_RETRY = 0x10,
};

enum llc_offset {
	CLNK_MAC = 4,
	CLNK_GID = 10,
	CLNK_QPN = 26,
	CLNK_NUM = 29,
	CLNK_UID = 30,
	CLNK_MAX_LINKS = 34,
	CLNK_MAX_CONNS = 35,

	ADD_NUM = 31,
	ADD_MTU = 32,

	DEL_NUM = 4,
	DEL_REASON = 5,

	CRKY_N_MORE = 4,
	CRKY_RKEY = 5,
	CRKY_ADDR = 9,

	DRKY_N = 4,
	DRKY_ERR_MASK = 5,
	DRKY_RKEY = 8,
	DRKY_MAX_V1 = 8,
	DRKY_MAX_V2 = 9,		/* that fit in 44 bytes */

	TEST_DATA = 4,
	TEST_DATA_LEN = 16,
};

static_assert((int)LLC_BODY + (int)LLC_BODY_LEN == (int)SMCU_LLC_LEN, "raw[] is all behind the header");
static_assert((int)DRKY_RKEY + 4 * (int)DRKY_MAX_V2 == (int)SMCU_LLC_LEN, "nine keys fill the message");

static void get_confirm_link(const u8 *buf, struct smcu_llc_msg *out)
{
	out->confirm_link.no_eyecatcher = buf[LLC_FLAGS] & FLAG_NO_EYECATCHER;
	memcpy(out->confirm_link.mac, buf + CLNK_MAC, SMCU_MAC_LEN);
	memcpy(out->confirm_link.gid, buf + CLNK_GID, SMCU_GID_LEN);
	out->confirm_link.qpn = smcu_get_be24(buf + CLNK_QPN);
	out->confirm_link.link_num = buf[CLNK_NUM];
	memcpy(out->confirm_link.link_uid, buf + CLNK_UID, 4);
	out->confirm_link.max_links = buf[CLNK_MAX_LINKS];
	out->confirm_link.max_conns = buf[CLNK_MAX_CONNS];
}

static void get_add_link(const u8 *buf, struct smcu_llc_msg *out)
{
	out->add_link.reject = buf[LLC_FLAGS] & FLAG_REJECT;
	/* Version 2 has put the second byte of its length there. */
	if (out->add_link.reject && !out->v2)
		out->add_link.reject_reason = buf[LLC_REASON] & 15;
	out->add_link.mtu = buf[ADD_MTU] & 15;
	out->add_link.link_num = buf[ADD_NUM];
	memcpy(out->add_link.raw, buf + LLC_BODY, LLC_BODY_LEN);
}

static void get_delete_link(const u8 *buf, struct smcu_llc_msg *out)
{
	out->delete_link.all = buf[LLC_FLAGS] & FLAG_ALL;
	out->delete_link.orderly = buf[LLC_FLAGS] & FLAG_ORDERLY;
	out->delete_link.link_num = buf[DEL_NUM];
	out->delete_link.reason = smcu_get_be32(buf + DEL_REASON);
}

static void get_confirm_rkey(const u8 *buf, struct smcu_llc_msg *out)
{
	out->confirm_rkey.negative = buf[LLC_FLAGS] & FLAG_NEGATIVE;
	out->confirm_rkey.retry = buf[LLC_FLAGS] & FLAG_RETRY;
	out->confirm_rkey.n_more = buf[CRKY_N_MORE];
	out->confirm_rkey.rkey = smcu_get_be32(buf + CRKY_RKEY);
	out->confirm_rkey.addr = smcu_get_be64(buf + CRKY_ADDR);
	memcpy(out->confirm_rkey.raw, buf + LLC_BODY, LLC_BODY_LEN);
}

static int get_delete_rkey(const u8 *buf, struct smcu_llc_msg *out)
{
	u8 n = buf[DRKY_N];
	u8 i;

	if (!out->v2 && n > DRKY_MAX_V1)
		return -EPROTO;
	/* More keys than nine are in the part of a long message that is not looked at. */
	if (n > DRKY_MAX_V2)
		n = DRKY_MAX_V2;

	out->delete_rkey.negative = buf[LLC_FLAGS] & FLAG_NEGATIVE;
	out->delete_rkey.n = n;
	out->delete_rkey.err_mask = buf[DRKY_ERR_MASK];
	for (i = 0; i < n; i++)
		out->delete_rkey.rkey[i] = smcu_get_be32(buf + DRKY_RKEY + 4 * i);
	memcpy(out->delete_rkey.raw, buf + LLC_BODY, LLC_BODY_LEN);
	return 0;
}

/* Unknown types are for peers with more features than we have: not an error, nobody waits for an answer. */
static bool is_known(u8 type, bool v2)
{
	switch (type) {
	case SMCU_LLC_CONFIRM_LINK:
	case SMCU_LLC_ADD_LINK:
	case SMCU_LLC_DELETE_LINK:
	case SMCU_LLC_CONFIRM_RKEY:
	case SMCU_LLC_TEST_LINK:
	case SMCU_LLC_DELETE_RKEY:
		return true;
	case SMCU_LLC_REQ_ADD_LINK:
		return v2;
	default:
		return false;
	}
}

int smcu_llc_decode(const u8 *buf, size_t len, struct smcu_llc_msg *out)
{
	memset(out, 0, sizeof(*out));
	if (!len)
		return -EPROTO;
	out->type = buf[LLC_TYPE] & 15;
	out->v2 = (buf[LLC_TYPE] & 0xf0) == LLC_V2;
	if ((!out->v2 && buf[LLC_TYPE] & 0xf0) || !is_known(out->type, out->v2))
		return -ENOMSG;
	if (len < SMCU_LLC_LEN || (!out->v2 && buf[LLC_LENGTH] != SMCU_LLC_LEN))
		return -EPROTO;

	out->response = buf[LLC_FLAGS] & FLAG_RESPONSE;
	switch (out->type) {
	case SMCU_LLC_CONFIRM_LINK:
		get_confirm_link(buf, out);
		return 0;
	case SMCU_LLC_ADD_LINK:
		get_add_link(buf, out);
		return 0;
	case SMCU_LLC_DELETE_LINK:
		get_delete_link(buf, out);
		return 0;
	case SMCU_LLC_CONFIRM_RKEY:
		get_confirm_rkey(buf, out);
		return 0;
	case SMCU_LLC_DELETE_RKEY:
		return get_delete_rkey(buf, out);
	case SMCU_LLC_TEST_LINK:
		memcpy(out->test_link.data, buf + TEST_DATA, TEST_DATA_LEN);
		return 0;
	default:
		return 0;	/* REQ_ADD_LINK: the answer does not depend on what is in it */
	}
}

static void put_confirm_link(u8 *buf, const struct smcu_llc_msg *in)
{
	if (in->confirm_link.no_eyecatcher)
		buf[LLC_FLAGS] |= FLAG_NO_EYECATCHER;
	memcpy(buf + CLNK_MAC, in->confirm_link.mac, SMCU_MAC_LEN);
	memcpy(buf + CLNK_GID, in->confirm_link.gid, SMCU_GID_LEN);
	smcu_put_be24(buf + CLNK_QPN, in->confirm_link.qpn);
	buf[CLNK_NUM] = in->confirm_link.link_num;
	memcpy(buf + CLNK_UID, in->confirm_link.link_uid, 4);
	buf[CLNK_MAX_LINKS] = in->confirm_link.max_links;
	buf[CLNK_MAX_CONNS] = in->confirm_link.max_conns;
}

static int put_add_link(u8 *buf, const struct smcu_llc_msg *in)
{
	static const u8 zero[LLC_BODY_LEN];

	memcpy(buf + LLC_BODY, in->add_link.raw, LLC_BODY_LEN);
	if (in->add_link.reject) {
		if (!in->response || in->add_link.reject_reason > 15)
			return -EINVAL;
		buf[LLC_FLAGS] |= FLAG_REJECT;
		if (!in->v2)
			buf[LLC_REASON] = in->add_link.reject_reason;
		return 0;
	}
	if (in->add_link.mtu > 15)
		return -EINVAL;
	buf[ADD_NUM] = in->add_link.link_num;
	buf[ADD_MTU] = (u8)((buf[ADD_MTU] & 0xf0) | in->add_link.mtu);
	/* Linux takes an empty body for a message to itself. */
	return memcmp(buf + LLC_BODY, zero, LLC_BODY_LEN) ? 0 : -EINVAL;
}

static void put_delete_link(u8 *buf, const struct smcu_llc_msg *in)
{
	if (in->delete_link.all)
		buf[LLC_FLAGS] |= FLAG_ALL;
	if (in->delete_link.orderly)
		buf[LLC_FLAGS] |= FLAG_ORDERLY;
	buf[DEL_NUM] = in->delete_link.link_num;
	smcu_put_be32(buf + DEL_REASON, in->delete_link.reason);
}

static int put_confirm_rkey(u8 *buf, const struct smcu_llc_msg *in)
{
	if (in->response) {
		if (in->confirm_rkey.negative)
			buf[LLC_FLAGS] |= FLAG_NEGATIVE;
		if (in->confirm_rkey.retry)
			buf[LLC_FLAGS] |= FLAG_RETRY;
		memcpy(buf + LLC_BODY, in->confirm_rkey.raw, LLC_BODY_LEN);
		return 0;
	}
	/* A request of ours names the one link it travels on. */
	if (in->confirm_rkey.n_more || in->confirm_rkey.negative || in->confirm_rkey.retry)
		return -EINVAL;
	smcu_put_be32(buf + CRKY_RKEY, in->confirm_rkey.rkey);
	smcu_put_be64(buf + CRKY_ADDR, in->confirm_rkey.addr);
	return 0;
}

static int put_delete_rkey(u8 *buf, const struct smcu_llc_msg *in)
{
	u8 i;

	if (in->response) {
		if (in->delete_rkey.negative)
			buf[LLC_FLAGS] |= FLAG_NEGATIVE;
		memcpy(buf + LLC_BODY, in->delete_rkey.raw, LLC_BODY_LEN);
		buf[DRKY_ERR_MASK] = in->delete_rkey.err_mask;
		return 0;
	}
	if (in->delete_rkey.negative || !in->delete_rkey.n ||
	    in->delete_rkey.n > (in->v2 ? DRKY_MAX_V2 : DRKY_MAX_V1))
		return -EINVAL;
	buf[DRKY_N] = in->delete_rkey.n;
	for (i = 0; i < in->delete_rkey.n; i++)
		smcu_put_be32(buf + DRKY_RKEY + 4 * i, in->delete_rkey.rkey[i]);
	return 0;
}

static int put_body(u8 *buf, const struct smcu_llc_msg *in)
{
	switch (in->type) {
	case SMCU_LLC_CONFIRM_LINK:
		if (in->confirm_link.qpn > 0xffffff)
			return -EINVAL;
		put_confirm_link(buf, in);
		return 0;
	case SMCU_LLC_ADD_LINK:
		return put_add_link(buf, in);
	case SMCU_LLC_DELETE_LINK:
		put_delete_link(buf, in);
		return 0;
	case SMCU_LLC_CONFIRM_RKEY:
		return put_confirm_rkey(buf, in);
	case SMCU_LLC_DELETE_RKEY:
		return put_delete_rkey(buf, in);
	case SMCU_LLC_TEST_LINK:
		memcpy(buf + TEST_DATA, in->test_link.data, TEST_DATA_LEN);
		return 0;
	default:
		return in->response ? 0 : -EINVAL;	/* REQ_ADD_LINK: never asked for, always refused */
	}
}

int smcu_llc_encode(u8 *buf, const struct smcu_llc_msg *in)
{
	int err;

	memset(buf, 0, SMCU_LLC_LEN);
	if (!is_known(in->type, in->v2))
		return -EINVAL;
	/* Little endian in version 2, as x86 Linux does: one byte of 44 and one of 0 in either version. */
	buf[LLC_TYPE] = (u8)(in->type | (in->v2 ? LLC_V2 : 0));
	buf[LLC_LENGTH] = SMCU_LLC_LEN;
	buf[LLC_FLAGS] = in->response ? FLAG_RESPONSE : 0;
	err = put_body(buf, in);
	return err ? err : SMCU_LLC_LEN;
}
