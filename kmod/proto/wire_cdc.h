/* SPDX-License-Identifier: GPL-2.0 */
/* The CDC message, section 6.1. */
#ifndef SMCU_PROTO_WIRE_CDC_H
#define SMCU_PROTO_WIRE_CDC_H

#include "proto/cursor.h"

#define SMCU_CDC_TYPE		0xfe

/* Producer flags, byte 24. */
#define SMCU_PF_BLOCKED		0x80
#define SMCU_PF_URG_PENDING	0x40
#define SMCU_PF_URG_PRESENT	0x20
#define SMCU_PF_UPDATE_REQ	0x10
#define SMCU_PF_FAILOVER	0x08

/* Connection state flags, byte 25; once set they stay set. */
#define SMCU_CF_DONE		0x80
#define SMCU_CF_CLOSED		0x40
#define SMCU_CF_ABORT		0x20

/**
 * struct smcu_cdc - connection data control
 * @seq: of the sender, starts with 1, modulo 65536
 * @token: the receiver's alert token
 * @prod: how far the sender has written
 * @cons: how far the sender has read
 * @pflags: SMCU_PF_*
 * @cflags: SMCU_CF_*
 */
struct smcu_cdc {
	u16 seq;
	u32 token;
	struct smcu_cursor prod;
	struct smcu_cursor cons;
	u8 pflags;
	u8 cflags;
};

/**
 * smcu_cdc_decode() - bytes to struct
 * @buf: message
 * @len: bytes received
 * @out: result
 *
 * Return: 0 or -EPROTO (not CDC, shorter than 26 bytes, length byte not 44)
 */
int smcu_cdc_decode(const u8 *buf, size_t len, struct smcu_cdc *out);

/**
 * smcu_cdc_encode() - struct to the 44 bytes of a SEND
 * @buf: SMCU_CDC_LEN bytes, completely written
 * @in: message
 */
void smcu_cdc_encode(u8 *buf, const struct smcu_cdc *in);

/**
 * smcu_cdc_is_stale() - is a message older than the last one seen?
 * @last: sequence number last seen
 * @seq: the new one
 *
 * Return: true if so, modulo 65536; equal is not stale (section 6.2)
 */
static inline bool smcu_cdc_is_stale(u16 last, u16 seq)
{
	return (s16)(u16)(seq - last) < 0;
}

#endif
