/* SPDX-License-Identifier: GPL-2.0 */
/* Every constant of the protocol: sizes in bytes, times in milliseconds. Section numbers are of docs/protocol.md. */
#ifndef SMCU_PROTO_LIMITS_H
#define SMCU_PROTO_LIMITS_H

#include "proto/base.h"

enum smcu_limits {
	SMCU_EID_LEN = 32,		/* an EID: upper case, digits, '.', '-', blank padded */
	SMCU_PEER_ID_LEN = 8,		/* instance (2) and MAC (6) */
	SMCU_GID_LEN = 16,
	SMCU_MAC_LEN = 6,
	SMCU_HOST_LEN = 32,		/* host name in the first contact extension, blank padded */
	SMCU_MAX_EIDS = 8,		/* UEIDs in a proposal */
	SMCU_MAX_PREFIX6 = 8,		/* IPv6 prefixes in a proposal */

	SMCU_CLC_HDR_LEN = 8,
	SMCU_CLC_TRAILER_LEN = 4,
	SMCU_CLC_MIN_LEN = 28,		/* a version 1 decline */
	SMCU_CLC_MAX_LEN = 1024,	/* longer than any legal message; more is a protocol error */

	SMCU_LLC_LEN = 44,
	SMCU_CDC_LEN = 44,
	SMCU_MSG_MAX = 8192,		/* longest SEND a version 2 peer may emit (ADD_LINK) */

	SMCU_RMBE_CODE_MAX = 15,	/* size = 2^(14 + code) */
	SMCU_RMBE_MIN = 16384,
	SMCU_MTU_CODE_MIN = 1,		/* 256 bytes */
	SMCU_MTU_CODE_MAX = 5,		/* 4096 bytes */

	SMCU_RELEASE = 1,		/* SMC-Rv2.1 */
	SMCU_CONNS_MIN = 16,		/* least number of connections a release 1 peer may ask for */
	SMCU_CONNS_MAX = 255,		/* per link group */
	SMCU_LINKS_MAX = 1,		/* we are a single-link peer */

	SMCU_T_CLC = 6000,		/* waiting for proposal, or for the confirm of a first contact, as Linux does */
	SMCU_T_QUEUE = 20000,		/* where others may be first: Linux does handshakes one after another, so do keys on a link */
	SMCU_T_QUEUE_SERVER = 9000,	/* likewise, for a server, twice: when it declines its client still waits, who began before it */
	SMCU_T_HANDSHAKE = 24000,	/* all of it, however the states follow each other: so long a program may wait */
	SMCU_T_LINK_SERVER = 3000,	/* CONFIRM_LINK: 2 s and 1 s of grace for a decline */
	SMCU_T_LINK_CLIENT = 5000,	/* CONFIRM_LINK: 4 s and 1 s of grace */
	SMCU_T_DECLINED = 1000,		/* a decline that crosses ours, once ours has arrived */
	SMCU_T_ARRIVAL = 100,		/* between two looks whether it has */
	SMCU_T_LLC = 2000,		/* answer to any other LLC request */
	SMCU_T_IDLE_SERVER = 600000,	/* an unused link group is kept that long */
	SMCU_T_IDLE_CLIENT = 610000,
};

/* "SMCR" in EBCDIC: eyecatcher of CLC messages and magic of the TCP option. */
#define SMCU_EYECATCHER_R 0xe2d4c3d9U
#define SMCU_EYECATCHER_D 0xe2d4c3c4U

/**
 * smcu_rmbe_size() - bytes of a ring whose compressed size is @code (section 4)
 * @code: 0 to SMCU_RMBE_CODE_MAX
 *
 * Return: 16384 to 2^29
 */
static inline u32 smcu_rmbe_size(u8 code)
{
	return (u32)SMCU_RMBE_MIN << code;
}

/**
 * smcu_rmbe_code() - smallest code whose ring holds @bytes (section 4)
 * @bytes: wanted size, more than the largest ring gives the largest code
 *
 * Return: 0 to SMCU_RMBE_CODE_MAX
 */
static inline u8 smcu_rmbe_code(u32 bytes)
{
	u8 code = 0;

	while (code < SMCU_RMBE_CODE_MAX && smcu_rmbe_size(code) < bytes)
		code++;
	return code;
}

#endif
