// SPDX-License-Identifier: GPL-2.0
/*
 * Rings of the peer: what it has told by CONFIRM_RKEY, or by CLC at first contact. The data path does not need them; they are the
 * proof that a CLC message which names a ring of this group was written by the group's peer and not by somebody who claims to be
 * it. Bounded, under lgr->lock; any context but hard interrupts.
 */
#include "link/internal.h"

static struct smcu_rtoken *find(struct smcu_lgr *lgr, u32 rkey)
{
	unsigned int i;

	lockdep_assert_held(&lgr->lock);

	for (i = 0; i < lgr->n_rtokens; i++)
		if (lgr->rtokens[i].rkey == rkey)
			return &lgr->rtokens[i];
	return NULL;
}

bool smcu_rtoken_add(struct smcu_lgr *lgr, u32 rkey, u64 addr)
{
	struct smcu_rtoken *t;
	bool ok = true;

	spin_lock_bh(&lgr->lock);
	t = find(lgr, rkey);
	if (!t && lgr->n_rtokens < SMCU_RTOKENS)
		t = &lgr->rtokens[lgr->n_rtokens++];
	if (t)
		*t = (struct smcu_rtoken){ .rkey = rkey, .addr = addr };
	else
		ok = false;
	spin_unlock_bh(&lgr->lock);
	return ok;
}

void smcu_rtoken_del(struct smcu_lgr *lgr, u32 rkey)
{
	struct smcu_rtoken *t;

	spin_lock_bh(&lgr->lock);
	t = find(lgr, rkey);
	if (t)
		*t = lgr->rtokens[--lgr->n_rtokens];
	spin_unlock_bh(&lgr->lock);
}

void smcu_lgr_learn(struct smcu_lgr *lgr, u32 rkey, u64 addr)
{
	/* The first one: there is a place. */
	smcu_rtoken_add(lgr, rkey, addr);
}

bool smcu_lgr_knows(struct smcu_lgr *lgr, u32 rkey, u64 addr)
{
	struct smcu_rtoken *t;
	bool yes;

	spin_lock_bh(&lgr->lock);
	t = find(lgr, rkey);
	yes = t && t->addr == addr;
	spin_unlock_bh(&lgr->lock);
	return yes;
}
