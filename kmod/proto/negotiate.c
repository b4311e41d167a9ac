// SPDX-License-Identifier: GPL-2.0
/* What both ends agree on; all that is compared here comes from the wire or from the configuration. */
#include "proto/negotiate.h"

enum {
	RELEASE0_LINKS = 2,	/* what a peer of release 0 takes for granted */
};

static bool is_ours(const u8 *eid, const u8 *eids, u8 n_eids)
{
	u8 i;

	for (i = 0; i < n_eids; i++)
		if (!memcmp(eid, eids + (size_t)i * SMCU_EID_LEN, SMCU_EID_LEN))
			return true;
	return false;
}

static u8 min_u8(u8 a, u8 b)
{
	return a < b ? a : b;
}

static enum smcu_reason choose_eid(const struct smcu_clc_proposal *p, const u8 *eids, u8 n_eids, u8 *out)
{
	u8 i;

	for (i = 0; i < p->n_eids && i < SMCU_MAX_EIDS; i++) {
		if (is_ours(p->eid[i], eids, n_eids)) {
			memcpy(out, p->eid[i], SMCU_EID_LEN);
			return SMCU_R_NONE;
		}
	}
	return SMCU_R_NO_EID;
}

/* Release and limits of @out; @conns and @links count only in release 1. */
static enum smcu_reason set_limits(struct smcu_terms *out, u8 release, u8 conns, u8 links)
{
	out->release = release;
	out->max_conns = release ? conns : SMCU_CONNS_MAX;
	out->max_links = release ? links : RELEASE0_LINKS;
	if (out->max_conns < SMCU_CONNS_MIN)
		return SMCU_R_MAX_CONNS;
	return out->max_links ? SMCU_R_NONE : SMCU_R_MAX_LINKS;
}

enum smcu_reason smcu_negotiate_server(const struct smcu_clc_proposal *p, const u8 *eids, u8 n_eids,
				       struct smcu_terms *out)
{
	enum smcu_reason r;

	memset(out, 0, sizeof(*out));
	if (!p->has_v2 || (p->typev2 != SMCU_KIND_R && p->typev2 != SMCU_KIND_BOTH))
		return SMCU_R_NO_V2_EXT;
	r = choose_eid(p, eids, n_eids, out->eid);
	if (r != SMCU_R_NONE)
		return r;
	return set_limits(out, min_u8(p->release, SMCU_RELEASE), min_u8(p->max_conns, SMCU_CONNS_MAX),
			  min_u8(p->max_links, SMCU_LINKS_MAX));
}

enum smcu_reason smcu_negotiate_client(const struct smcu_clc_answer *a, const u8 *eids, u8 n_eids,
				       struct smcu_terms *out)
{
	memset(out, 0, sizeof(*out));
	if (a->type != SMCU_CLC_ACCEPT || a->version != 2 || a->kind != SMCU_KIND_R)
		return SMCU_R_MODE;
	if (!is_ours(a->eid, eids, n_eids))
		return SMCU_R_NO_EID;
	memcpy(out->eid, a->eid, SMCU_EID_LEN);
	if (!a->first_contact)
		return SMCU_R_NONE;
	if (a->release > SMCU_RELEASE)
		return SMCU_R_RELEASE;
	/* The server had to take the smaller of both numbers: more than offered is as wrong as nothing. */
	if (a->release && a->max_links > SMCU_LINKS_MAX)
		return SMCU_R_MAX_LINKS;
	return set_limits(out, a->release, a->max_conns, a->max_links);
}

enum smcu_reason smcu_negotiate_confirm(const struct smcu_clc_answer *c, const struct smcu_terms *terms,
					bool first_contact)
{
	if (c->type != SMCU_CLC_CONFIRM || c->version != 2 || c->kind != SMCU_KIND_R)
		return SMCU_R_MODE;
	if (c->first_contact != first_contact)
		return SMCU_R_MODE;
	if (memcmp(c->eid, terms->eid, SMCU_EID_LEN))
		return SMCU_R_NO_EID;
	if (!first_contact)
		return SMCU_R_NONE;
	if (c->release != terms->release)
		return SMCU_R_RELEASE;
	if (!terms->release)
		return SMCU_R_NONE;
	if (c->max_conns != terms->max_conns)
		return SMCU_R_MAX_CONNS;
	return c->max_links == terms->max_links ? SMCU_R_NONE : SMCU_R_MAX_LINKS;
}
