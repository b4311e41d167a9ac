/* SPDX-License-Identifier: GPL-2.0 */
/* The choices of the handshake, made of plain facts: section 2.6. */
#ifndef SMCU_PROTO_NEGOTIATE_H
#define SMCU_PROTO_NEGOTIATE_H

#include "proto/reason.h"
#include "proto/wire_clc.h"

/**
 * struct smcu_terms - what both ends have agreed on (section 2.6)
 * @eid: the EID in common
 * @release: 0 or 1; this and the limits are 0 at a client that joins: they are the group's
 * @max_conns: per link group, SMCU_CONNS_MIN to SMCU_CONNS_MAX
 * @max_links: per link group: 1, or 2 in release 0
 */
struct smcu_terms {
	u8 eid[SMCU_EID_LEN];
	u8 release;
	u8 max_conns;
	u8 max_links;
};

/**
 * smcu_negotiate_server() - choose from a proposal
 * @p: as received
 * @eids: our EIDs, SMCU_EID_LEN bytes each
 * @n_eids: how many
 * @out: terms; defined only where the result is SMCU_R_NONE
 *
 * Only SMC-R version 2 is chosen. First proposed EID that is ours wins. release = min(peer's, ours); for release 0
 * max_conns = 255, max_links = 2 (what the wire then implies), else min(peer's, ours) with the lower bounds of 2.6.
 *
 * Return: SMCU_R_NONE, or why not
 */
enum smcu_reason smcu_negotiate_server(const struct smcu_clc_proposal *p, const u8 *eids, u8 n_eids,
				       struct smcu_terms *out);

/**
 * smcu_negotiate_client() - check an accept against what we have offered
 * @a: as received
 * @eids: our EIDs, SMCU_EID_LEN bytes each
 * @n_eids: how many
 * @out: terms; release and limits only for a first contact
 *
 * Return: SMCU_R_NONE, or why not (SMCU_R_MODE for version 1 or SMC-D, SMCU_R_NO_EID, SMCU_R_RELEASE, ...)
 */
enum smcu_reason smcu_negotiate_client(const struct smcu_clc_answer *a, const u8 *eids, u8 n_eids,
				       struct smcu_terms *out);

/**
 * smcu_negotiate_confirm() - server: does the confirm repeat what was agreed?
 * @c: as received
 * @terms: what our accept said
 * @first_contact: of our accept
 *
 * Return: SMCU_R_NONE, or why not
 */
enum smcu_reason smcu_negotiate_confirm(const struct smcu_clc_answer *c, const struct smcu_terms *terms,
					bool first_contact);

#endif
