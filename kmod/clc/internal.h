/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SMCU_CLC_INTERNAL_H
#define SMCU_CLC_INTERNAL_H

#include "base/base.h"
#include "clc/clc.h"
#include "conn/conn.h"
#include "dev/dev.h"
#include "proto/negotiate.h"
#include "proto/wire_clc.h"

/**
 * struct smcu_hs_scratch - what only the steps of a handshake need
 * @sn: namespace
 * @path: our end; held while @have_path
 * @have_path: see @path
 * @may_make: smcu_lgr_find_server() gave us the right to make the link group
 * @claims_clc: what is next on the stream begins with CLC's eyecatcher
 * @terms: agreed
 * @spec: of the link group
 * @prop: proposal, sent or received
 * @answer: accept or confirm of the peer
 * @eids: ours
 * @n_eids: how many
 * @len: of the message received in @msg
 * @unsent: length of the message in @msg that is still to be sent; nothing is received meanwhile
 * @msg: message received or to be sent
 */
struct smcu_hs_scratch {
	struct smcu_net *sn;
	struct smcu_path path;
	bool have_path;
	bool may_make;
	bool claims_clc;
	struct smcu_terms terms;
	struct smcu_lgr_spec spec;
	struct smcu_clc_proposal prop;
	struct smcu_clc_answer answer;
	u8 eids[SMCU_MAX_LOCAL_EIDS][SMCU_EID_LEN];
	u8 n_eids;
	int len;
	int unsent;
	u8 msg[SMCU_CLC_MAX_LEN];
};

/* io.c */
int smcu_clc_recv(struct smcu_hs *hs, struct smcu_clc_hdr *hdr);
int smcu_clc_consume(struct smcu_hs *hs);
int smcu_clc_send(struct smcu_hs *hs, int len);
int smcu_clc_flush(struct smcu_hs *hs);
bool smcu_clc_is_unacked(const struct sock *sk);

/* client.c, server.c, hs.c: actions return 0, or -errno with hs->reason set where the local side can't go on */
enum smcu_reason smcu_clc_find_path(struct smcu_hs *hs);
void smcu_clc_drop_path(struct smcu_hs *hs);
int smcu_clc_join(struct smcu_hs *hs);
int smcu_clc_first(struct smcu_hs *hs);
int smcu_clc_answer_send(struct smcu_hs *hs, u8 type, bool first);
int smcu_clc_client_propose(struct smcu_hs *hs);
int smcu_clc_client_first(struct smcu_hs *hs);
int smcu_clc_client_join(struct smcu_hs *hs);
int smcu_clc_client_confirm(struct smcu_hs *hs);
int smcu_clc_server_negotiate(struct smcu_hs *hs);
int smcu_clc_server_first(struct smcu_hs *hs);
int smcu_clc_server_join(struct smcu_hs *hs);
int smcu_clc_server_leave(struct smcu_hs *hs);
int smcu_clc_server_accept(struct smcu_hs *hs);
int smcu_clc_server_link(struct smcu_hs *hs);
int smcu_clc_server_confirm(struct smcu_hs *hs);

/* Set the reason and return the error: the form in which an action fails. */
static inline int smcu_clc_fail(struct smcu_hs *hs, enum smcu_reason reason, int err)
{
	hs->reason = reason;
	return err;
}

#endif
