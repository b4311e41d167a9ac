// SPDX-License-Identifier: GPL-2.0
/* Any bytes as any CLC message: what is decoded and can be encoded says the same when decoded again. */
#include "fuzz.h"
#include "proto/negotiate.h"
#include "proto/wire_clc.h"

static u8 eids[2 * SMCU_EID_LEN];

static void header(const u8 *data, size_t size)
{
	struct smcu_clc_hdr h;
	size_t n;

	/* A prefix is never refused if the whole is not. */
	if (smcu_clc_hdr_decode(data, size, &h) == 0) {
		MUST(size >= SMCU_CLC_HDR_LEN && h.length >= SMCU_CLC_MIN_LEN && h.length <= SMCU_CLC_MAX_LEN);
		MUST(h.version == 1 || h.version == 2);
		for (n = 0; n < SMCU_CLC_HDR_LEN; n++)
			MUST(smcu_clc_hdr_decode(data, n, &h) == -EAGAIN);
	}
}

static void proposal(const u8 *data, size_t size)
{
	struct smcu_clc_proposal a, b;
	struct smcu_terms terms;
	u8 buf[SMCU_CLC_MAX_LEN];
	int n;

	if (smcu_clc_proposal_decode(data, size, &a))
		return;
	MUST(a.n_eids <= SMCU_MAX_EIDS && a.n_prefix6 <= SMCU_MAX_PREFIX6);
	if (smcu_negotiate_server(&a, eids, 2, &terms) == SMCU_R_NONE)
		MUST(terms.release <= SMCU_RELEASE && terms.max_conns >= SMCU_CONNS_MIN && terms.max_links);
	n = smcu_clc_proposal_encode(buf, sizeof(buf), &a);
	if (n < 0) {
		/* too long is impossible; not our offer: SMC-D, or nothing at all */
		MUST(n == -EINVAL);
		MUST(a.typev1 & 1 || a.typev2 & 1 || (a.typev1 == SMCU_KIND_NONE && a.typev2 == SMCU_KIND_NONE));
		return;
	}
	MUST(!smcu_clc_proposal_decode(buf, n, &b));
	a.version = 2;
	MUST(!memcmp(&a, &b, sizeof(a)));
}

static void answer(const u8 *data, size_t size)
{
	struct smcu_clc_answer a, b;
	struct smcu_terms terms;
	u8 buf[SMCU_CLC_MAX_LEN];
	int n;

	if (smcu_clc_answer_decode(data, size, &a))
		return;
	if (a.kind != SMCU_KIND_R) {
		MUST(smcu_negotiate_client(&a, eids, 2, &terms) == SMCU_R_MODE);
		return;
	}
	MUST(a.token && a.rmbe_index && a.mtu >= SMCU_MTU_CODE_MIN && a.mtu <= SMCU_MTU_CODE_MAX);
	MUST(a.qpn <= 0xffffff && a.psn <= 0xffffff && a.rmbe_code <= SMCU_RMBE_CODE_MAX);
	if (smcu_negotiate_client(&a, eids, 2, &terms) == SMCU_R_NONE && a.first_contact)
		MUST(terms.max_conns >= SMCU_CONNS_MIN && terms.max_links && a.version == 2);
	n = smcu_clc_answer_encode(buf, sizeof(buf), &a);
	MUST(n > 0);
	MUST(!smcu_clc_answer_decode(buf, n, &b));
	MUST(!memcmp(&a, &b, sizeof(a)));
}

static void decline(const u8 *data, size_t size)
{
	struct smcu_clc_decline a, b;
	u8 buf[SMCU_CLC_MAX_LEN];
	int n;

	if (smcu_clc_decline_decode(data, size, &a))
		return;
	MUST(smcu_reason_from_code(a.diagnosis) < SMCU_R_COUNT);
	n = smcu_clc_decline_encode(buf, sizeof(buf), &a);
	MUST(n == (int)size);
	MUST(!smcu_clc_decline_decode(buf, n, &b));
	MUST(!memcmp(&a, &b, sizeof(a)));
}

/* With random bytes a length field is nearly always wrong: mend header and trailer and look deeper. */
static void mended(const u8 *data, size_t size)
{
	u8 *p;

	if (size < SMCU_CLC_MIN_LEN || size > SMCU_CLC_MAX_LEN)
		return;
	p = malloc(size);
	MUST(p);
	memcpy(p, data, size);
	smcu_put_be32(p, SMCU_EYECATCHER_R);
	smcu_put_be16(p + 5, (u16)size);
	smcu_put_be32(p + size - 4, SMCU_EYECATCHER_R);
	header(p, size);
	proposal(p, size);
	answer(p, size);
	decline(p, size);
	free(p);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	smcu_eid_from_text("SMCTEST01", 9, eids);
	smcu_eid_from_text("OTHER", 5, eids + SMCU_EID_LEN);
	header(data, size);
	proposal(data, size);
	answer(data, size);
	decline(data, size);
	mended(data, size);
	return 0;
}
