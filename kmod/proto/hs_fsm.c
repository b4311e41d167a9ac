// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake as a table. Four ways out besides success: BACK (nothing is left to be said), DECL (the peer waits for
 * an answer and gets a decline), BOTH (the same, but the peer may have sent one of its own, which is not for the program), DEAD (the
 * stream can't be trusted, or the peer is gone, or believes in SMC).
 */
#include "proto/hs_fsm.h"
#include "proto/limits.h"

#define GO(state, act) { .next = SMCU_HS_##state, .action = SMCU_HA_##act }
#define BACK GO(FALLBACK, FALL_BACK)
#define DECL GO(FALLBACK, DECLINE)
#define BOTH GO(DECLINED, DECLINE)
#define DEAD GO(FAILED, FAIL)

/*
 * A row: what each state does with declines, stray messages, end of file, our own failure and its timeout, and with the
 * other events in their order.
 */
#define ROW(state, decl, bad, eof, fail, time, start, prop, acc_fc, acc_join, conf, lgr_new, lgr_join, lgr_lost, rkey, up) \
	[SMCU_HS_##state] = { \
		[SMCU_HE_DECLINE] = decl, [SMCU_HE_BAD] = bad, [SMCU_HE_EOF] = eof, \
		[SMCU_HE_LOCAL_FAIL] = fail, [SMCU_HE_TIMEOUT] = time, \
		[SMCU_HE_START] = start, [SMCU_HE_PROPOSAL] = prop, \
		[SMCU_HE_ACCEPT_FC] = acc_fc, [SMCU_HE_ACCEPT_JOIN] = acc_join, [SMCU_HE_CONFIRM] = conf, \
		[SMCU_HE_LGR_NEW] = lgr_new, [SMCU_HE_LGR_JOIN] = lgr_join, \
		[SMCU_HE_LGR_LOST] = lgr_lost, [SMCU_HE_RKEY_OK] = rkey, [SMCU_HE_LINK_UP] = up, \
	}

#define FINAL(state) \
	ROW(state, GO(state, NONE), GO(state, NONE), GO(state, NONE), GO(state, NONE), GO(state, NONE), \
	    GO(state, NONE), GO(state, NONE), GO(state, NONE), GO(state, NONE), GO(state, NONE), \
	    GO(state, NONE), GO(state, NONE), GO(state, NONE), GO(state, NONE), GO(state, NONE))

static const struct smcu_hs_step table[SMCU_HS_COUNT][SMCU_HE_COUNT] = {
	/*	decline bad eof fail timeout; start proposal accept_fc accept_join confirm; lgr_new lgr_join lgr_lost rkey_ok link_up */
	ROW(C_START,
	    BACK, DEAD, DEAD, DECL, DECL,
	    GO(C_WAIT_ACCEPT, PROPOSE), DEAD, DEAD, DEAD, DEAD,
	    DEAD, DEAD, DEAD, DEAD, DEAD),
	ROW(C_WAIT_ACCEPT,
	    BACK, DEAD, DEAD, DECL, DEAD,
	    DEAD, DEAD, GO(C_WAIT_LINK, FIRST_CLIENT), GO(C_WAIT_RKEY, JOIN_CLIENT), DEAD,
	    DEAD, DEAD, DEAD, DEAD, DEAD),
	ROW(C_WAIT_RKEY,
	    BACK, DEAD, DEAD, DECL, DECL,
	    DEAD, DEAD, DEAD, DEAD, DEAD,
	    DEAD, DEAD, DEAD, GO(DONE, CONFIRM), DEAD),
	ROW(C_WAIT_LINK,
	    BACK, DEAD, DEAD, BOTH, BOTH,
	    DEAD, DEAD, DEAD, DEAD, DEAD,
	    DEAD, DEAD, DEAD, DEAD, GO(DONE, FINISH)),
	/* A client with the option says something, if only no. Where it comes late it must not find the program. */
	ROW(S_WAIT_PROPOSAL,
	    BACK, BACK, BACK, DECL, DEAD,
	    BACK, GO(S_WAIT_LGR, NEGOTIATE), BACK, BACK, BACK,
	    BACK, BACK, BACK, BACK, BACK),
	ROW(S_WAIT_LGR,
	    BACK, DEAD, DEAD, DECL, DECL,
	    DEAD, DEAD, DEAD, DEAD, DEAD,
	    GO(S_WAIT_CONFIRM_FC, ACCEPT_FIRST), GO(S_WAIT_RKEY, JOIN_SERVER), DEAD, DEAD, DEAD),
	ROW(S_WAIT_RKEY,
	    BACK, DEAD, DEAD, DECL, DECL,
	    DEAD, DEAD, DEAD, DEAD, DEAD,
	    DEAD, DEAD, GO(S_WAIT_LGR, LEAVE), GO(S_WAIT_CONFIRM, ACCEPT_JOIN), DEAD),
	/* A client that has sent its confirm is through, and reads no decline. */
	ROW(S_WAIT_CONFIRM,
	    BACK, DEAD, DEAD, DEAD, DEAD,
	    DEAD, DEAD, DEAD, DEAD, GO(DONE, FINISH),
	    DEAD, DEAD, DEAD, DEAD, DEAD),
	ROW(S_WAIT_CONFIRM_FC,
	    BACK, DEAD, DEAD, BOTH, DEAD,
	    DEAD, DEAD, DEAD, DEAD, GO(S_WAIT_LINK, LINK_SERVER),
	    DEAD, DEAD, DEAD, DEAD, DEAD),
	ROW(S_WAIT_LINK,
	    BACK, DEAD, DEAD, BOTH, BOTH,
	    DEAD, DEAD, DEAD, DEAD, DEAD,
	    DEAD, DEAD, DEAD, DEAD, GO(DONE, FINISH)),
	/* Whatever else comes is the program's: the peer has read our decline and goes on. */
	ROW(DECLINED,
	    BACK, BACK, BACK, DEAD, BACK,
	    BACK, BACK, BACK, BACK, BACK,
	    BACK, BACK, BACK, BACK, BACK),
	FINAL(DONE),
	FINAL(FALLBACK),
	FINAL(FAILED),
};

struct smcu_hs_step smcu_hs_next(u8 state, u8 event)
{
	static const struct smcu_hs_step dead = DEAD;

	if (state >= SMCU_HS_COUNT)
		return dead;
	return table[state][event < SMCU_HE_COUNT ? event : SMCU_HE_BAD];
}

u32 smcu_hs_timeout_ms(u8 state)
{
	static const u32 limits[SMCU_HS_COUNT] = {
		[SMCU_HS_C_START]		= SMCU_T_CLC / 2,
		[SMCU_HS_C_WAIT_ACCEPT]		= SMCU_T_QUEUE,
		[SMCU_HS_C_WAIT_RKEY]		= SMCU_T_QUEUE,
		[SMCU_HS_C_WAIT_LINK]		= SMCU_T_LINK_CLIENT,
		[SMCU_HS_S_WAIT_PROPOSAL]	= SMCU_T_CLC,
		[SMCU_HS_S_WAIT_LGR]		= SMCU_T_QUEUE_SERVER,
		[SMCU_HS_S_WAIT_RKEY]		= SMCU_T_QUEUE_SERVER,
		[SMCU_HS_S_WAIT_CONFIRM]	= SMCU_T_QUEUE,
		[SMCU_HS_S_WAIT_CONFIRM_FC]	= SMCU_T_CLC,
		[SMCU_HS_S_WAIT_LINK]		= SMCU_T_LINK_SERVER,
		[SMCU_HS_DECLINED]		= SMCU_T_DECLINED,
	};

	return state < SMCU_HS_COUNT ? limits[state] : 0;
}

const char *smcu_hs_state_name(u8 state)
{
	static const char * const names[SMCU_HS_COUNT] = {
		[SMCU_HS_C_START]		= "c_start",
		[SMCU_HS_C_WAIT_ACCEPT]		= "c_wait_accept",
		[SMCU_HS_C_WAIT_RKEY]		= "c_wait_rkey",
		[SMCU_HS_C_WAIT_LINK]		= "c_wait_link",
		[SMCU_HS_S_WAIT_PROPOSAL]	= "s_wait_proposal",
		[SMCU_HS_S_WAIT_LGR]		= "s_wait_lgr",
		[SMCU_HS_S_WAIT_RKEY]		= "s_wait_rkey",
		[SMCU_HS_S_WAIT_CONFIRM]	= "s_wait_confirm",
		[SMCU_HS_S_WAIT_CONFIRM_FC]	= "s_wait_confirm_fc",
		[SMCU_HS_S_WAIT_LINK]		= "s_wait_link",
		[SMCU_HS_DECLINED]		= "declined",
		[SMCU_HS_DONE]			= "done",
		[SMCU_HS_FALLBACK]		= "fallback",
		[SMCU_HS_FAILED]		= "failed",
	};

	return state < SMCU_HS_COUNT ? names[state] : "?";
}

const char *smcu_hs_event_name(u8 event)
{
	static const char * const names[SMCU_HE_COUNT] = {
		[SMCU_HE_START]		= "start",
		[SMCU_HE_PROPOSAL]	= "proposal",
		[SMCU_HE_ACCEPT_FC]	= "accept_fc",
		[SMCU_HE_ACCEPT_JOIN]	= "accept_join",
		[SMCU_HE_CONFIRM]	= "confirm",
		[SMCU_HE_DECLINE]	= "decline",
		[SMCU_HE_BAD]		= "bad",
		[SMCU_HE_EOF]		= "eof",
		[SMCU_HE_LGR_NEW]	= "lgr_new",
		[SMCU_HE_LGR_JOIN]	= "lgr_join",
		[SMCU_HE_LGR_LOST]	= "lgr_lost",
		[SMCU_HE_RKEY_OK]	= "rkey_ok",
		[SMCU_HE_LINK_UP]	= "link_up",
		[SMCU_HE_LOCAL_FAIL]	= "local_fail",
		[SMCU_HE_TIMEOUT]	= "timeout",
	};

	return event < SMCU_HE_COUNT ? names[event] : "?";
}
