// SPDX-License-Identifier: GPL-2.0
/* Any bytes as an LLC message, and as the answer we would give to it. */
#include "fuzz.h"
#include "proto/wire_llc.h"

/* Requests of the peer that we answer by an echo: the answer must hold what was asked. */
static void answer(const u8 *data, struct smcu_llc_msg m)
{
	struct smcu_llc_msg back;
	u8 buf[SMCU_LLC_LEN];

	m.response = true;
	if (m.type == SMCU_LLC_ADD_LINK)
		m.add_link.reject = true;
	MUST(smcu_llc_encode(buf, &m) == SMCU_LLC_LEN);
	MUST(buf[0] == data[0] && buf[3] & 0x80);
	MUST(!smcu_llc_decode(buf, sizeof(buf), &back) && back.response && back.type == m.type && back.v2 == m.v2);
	if (m.type == SMCU_LLC_ADD_LINK || m.type == SMCU_LLC_CONFIRM_RKEY || m.type == SMCU_LLC_DELETE_RKEY)
		MUST(!memcmp(buf + 4, data + 4, 40));
	if (m.type == SMCU_LLC_TEST_LINK)
		MUST(!memcmp(buf + 4, data + 4, 16));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct smcu_llc_msg a, b;
	u8 buf[SMCU_LLC_LEN], again[SMCU_LLC_LEN];
	int err = smcu_llc_decode(data, size, &a);

	MUST(err == 0 || err == -EPROTO || err == -ENOMSG);
	if (err)
		return 0;
	MUST(size >= SMCU_LLC_LEN);
	if (a.type == SMCU_LLC_DELETE_RKEY)
		MUST(a.delete_rkey.n <= 9);
	if (!a.response)
		answer(data, a);
	if (smcu_llc_encode(buf, &a) < 0)
		return 0;
	MUST(!smcu_llc_decode(buf, sizeof(buf), &b));
	/* What a request of ours has no use for is zero after the first turn; from then on nothing changes. */
	MUST(smcu_llc_encode(again, &b) == SMCU_LLC_LEN);
	MUST(!memcmp(buf, again, sizeof(buf)));
	if (a.type != SMCU_LLC_CONFIRM_RKEY && a.type != SMCU_LLC_DELETE_RKEY)
		MUST(!memcmp(&a, &b, sizeof(a)));
	return 0;
}
