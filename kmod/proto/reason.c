// SPDX-License-Identifier: GPL-2.0
/* The reasons' codes, names and sentences: reason.h's list laid out as a table. */
#include "proto/reason.h"

struct reason_row {
	u32 code;
	const char *text;
};

static const struct reason_row rows[SMCU_R_COUNT] = {
#define X(name, value, sentence) \
	[SMCU_R_##name] = { .code = (value), .text = (sentence) },
	SMCU_REASONS(X)
#undef X
};

/* The preprocessor can't fold case; the unit test holds this list against the enum. */
static const char * const names[SMCU_R_COUNT] = {
	[SMCU_R_NONE]		= "none",
	[SMCU_R_NOMEM]		= "nomem",
	[SMCU_R_TIMEOUT_LINK]	= "timeout_link",
	[SMCU_R_CONFIG]		= "config",
	[SMCU_R_PEER_NO_SMC]	= "peer_no_smc",
	[SMCU_R_IPSEC]		= "ipsec",
	[SMCU_R_NO_DEVICE]	= "no_device",
	[SMCU_R_NO_SMCR_DEVICE]	= "no_smcr_device",
	[SMCU_R_NO_V2_EXT]	= "no_v2_ext",
	[SMCU_R_NO_EID]		= "no_eid",
	[SMCU_R_RELEASE]	= "release",
	[SMCU_R_MAX_CONNS]	= "max_conns",
	[SMCU_R_MAX_LINKS]	= "max_links",
	[SMCU_R_MODE]		= "mode",
	[SMCU_R_EYECATCHER]	= "eyecatcher",
	[SMCU_R_FASTOPEN]	= "fastopen",
	[SMCU_R_PREFIX]		= "prefix",
	[SMCU_R_NO_LINK]	= "no_link",
	[SMCU_R_LINK_UNKNOWN]	= "link_unknown",
	[SMCU_R_NO_ROUTE]	= "no_route",
	[SMCU_R_INDIRECT]	= "indirect",
	[SMCU_R_SYNC]		= "sync",
	[SMCU_R_PEER_DECLINED]	= "peer_declined",
	[SMCU_R_INTERNAL]	= "internal",
	[SMCU_R_RKEY_STORE]	= "rkey_store",
	[SMCU_R_LINK_UP]	= "link_up",
	[SMCU_R_RKEY_CONFIRM]	= "rkey_confirm",
	[SMCU_R_NOT_CLC]	= "not_clc",
	[SMCU_R_TIMEOUT_CLC]	= "timeout_clc",
	[SMCU_R_SOCKOPT]	= "sockopt",
	[SMCU_R_CLOSED]		= "closed",
};

static bool is_reason(enum smcu_reason r)
{
	return (unsigned int)r < SMCU_R_COUNT;
}

u32 smcu_reason_code(enum smcu_reason r)
{
	return rows[is_reason(r) ? r : SMCU_R_INTERNAL].code;
}

const char *smcu_reason_text(enum smcu_reason r)
{
	return is_reason(r) ? rows[r].text : "unknown reason";
}

const char *smcu_reason_name(enum smcu_reason r)
{
	return is_reason(r) && names[r] ? names[r] : "unknown";
}

bool smcu_reason_is_wire(enum smcu_reason r)
{
	switch (r) {
	case SMCU_R_NONE:
	case SMCU_R_FASTOPEN:		/* the option is not offered then: nobody is there to be told */
	case SMCU_R_PEER_DECLINED:	/* a decline is never answered by a decline */
		return false;
	default:
		return is_reason(r) && rows[r].code <= 0x0fffffff;
	}
}

enum smcu_reason smcu_reason_from_code(u32 code)
{
	unsigned int r;

	/* 0 and the local codes say nothing about the peer, whoever sends them. */
	if (!code || code > 0x0fffffff)
		return SMCU_R_PEER_DECLINED;
	for (r = 0; r < SMCU_R_COUNT; r++)
		if (rows[r].code == code)
			return (enum smcu_reason)r;
	return SMCU_R_PEER_DECLINED;
}
