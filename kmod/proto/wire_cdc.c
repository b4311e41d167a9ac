// SPDX-License-Identifier: GPL-2.0
/* The CDC message: bytes to struct and back. Receive path, every message: no loop, no branch but the check. */
#include "proto/wire_cdc.h"

enum cdc_offset {
	CDC_LEN_BYTE = 1,
	CDC_SEQ = 2,
	CDC_TOKEN = 4,
	CDC_PROD = 8,
	CDC_CONS = 16,
	CDC_PFLAGS = 24,
	CDC_CFLAGS = 25,
	CDC_LEAST = 26,		/* behind this everything is reserved */
};

static struct smcu_cursor get_cursor(const u8 *p)
{
	struct smcu_cursor cur;

	cur.wrap = smcu_get_be16(p + 2);
	cur.count = smcu_get_be32(p + 4);
	return cur;
}

static void put_cursor(u8 *p, struct smcu_cursor cur)
{
	smcu_put_be16(p + 2, cur.wrap);
	smcu_put_be32(p + 4, cur.count);
}

int smcu_cdc_decode(const u8 *buf, size_t len, struct smcu_cdc *out)
{
	memset(out, 0, sizeof(*out));
	if (len < CDC_LEAST || buf[0] != SMCU_CDC_TYPE || buf[CDC_LEN_BYTE] != SMCU_CDC_LEN)
		return -EPROTO;

	out->seq = smcu_get_be16(buf + CDC_SEQ);
	out->token = smcu_get_be32(buf + CDC_TOKEN);
	out->prod = get_cursor(buf + CDC_PROD);
	out->cons = get_cursor(buf + CDC_CONS);
	out->pflags = buf[CDC_PFLAGS];
	out->cflags = buf[CDC_CFLAGS];
	return 0;
}

void smcu_cdc_encode(u8 *buf, const struct smcu_cdc *in)
{
	memset(buf, 0, SMCU_CDC_LEN);
	buf[0] = SMCU_CDC_TYPE;
	buf[CDC_LEN_BYTE] = SMCU_CDC_LEN;
	smcu_put_be16(buf + CDC_SEQ, in->seq);
	smcu_put_be32(buf + CDC_TOKEN, in->token);
	put_cursor(buf + CDC_PROD, in->prod);
	put_cursor(buf + CDC_CONS, in->cons);
	buf[CDC_PFLAGS] = in->pflags;
	buf[CDC_CFLAGS] = in->cflags;
}
