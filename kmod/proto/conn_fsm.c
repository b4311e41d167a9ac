// SPDX-License-Identifier: GPL-2.0
/*
 * How a connection ends: section 7 as two tables, one for a side that has not said its last word (closed or abort) and
 * one for a side that has. Saying it and the program's close() are the same moment, so the second table is also the
 * one of connections that no program owns any more.
 *
 * Where it differs from Linux: what the peer said is kept in the state alone (closed always leads to APPFINCLOSEWAIT),
 * a last word of ours is due even after an abort in APPCLOSEWAIT2, and ABORT after our last word means that we stop
 * waiting for the peer's. What comes after the peer's last word, abort or the end of the link, is no error: as with TCP, who still reads
 * what there is, or writes nothing, need not know.
 */
#include "proto/conn_fsm.h"
#include "proto/wire_cdc.h"

#define DONE	SMCU_CA_SEND_DONE
#define FIN	SMCU_CA_SEND_CLOSED
#define ABRT	SMCU_CA_SEND_ABORT
#define EOFI	SMCU_CA_RX_EOF
#define RST	SMCU_CA_RESET
#define LOST	SMCU_CA_LOST
#define END	SMCU_CA_FINISHED

#define GO(state, acts) { .next = SMCU_CS_##state, .actions = (acts) }

/* Program: shutdown(WR), close, abort; peer: done, closed, abort; link lost. */
#define ROW(state, sh, cl, ab, pd, pc, pa, ll) \
	[SMCU_CS_##state] = { \
		[SMCU_CE_SHUTDOWN_WR] = sh, [SMCU_CE_CLOSE] = cl, [SMCU_CE_ABORT] = ab, \
		[SMCU_CE_PEER_DONE] = pd, [SMCU_CE_PEER_CLOSED] = pc, [SMCU_CE_PEER_ABORT] = pa, \
		[SMCU_CE_LINK_LOST] = ll, \
	}

#define STAY(state) GO(state, 0)
#define RESET GO(PROCESSABORT, RST)
#define BROKEN GO(PROCESSABORT, LOST)

static const struct smcu_conn_step before_final[SMCU_CS_COUNT][SMCU_CE_COUNT] = {
	ROW(ACTIVE,
	    GO(PEERCLOSEWAIT1, DONE), GO(PEERCLOSEWAIT1, FIN), GO(PEERCLOSEWAIT1, ABRT),
	    GO(APPCLOSEWAIT1, EOFI), GO(APPFINCLOSEWAIT, EOFI), RESET, BROKEN),
	ROW(PEERCLOSEWAIT1,
	    STAY(PEERCLOSEWAIT1), GO(PEERCLOSEWAIT1, FIN), GO(PEERCLOSEWAIT1, ABRT),
	    GO(PEERCLOSEWAIT2, EOFI), GO(APPFINCLOSEWAIT, EOFI), RESET, BROKEN),
	ROW(PEERCLOSEWAIT2,
	    STAY(PEERCLOSEWAIT2), GO(PEERCLOSEWAIT2, FIN), GO(PEERCLOSEWAIT2, ABRT),
	    STAY(PEERCLOSEWAIT2), STAY(APPFINCLOSEWAIT), RESET, BROKEN),
	ROW(APPCLOSEWAIT1,
	    GO(APPCLOSEWAIT2, DONE), GO(PEERFINCLOSEWAIT, FIN), GO(PEERFINCLOSEWAIT, ABRT),
	    STAY(APPCLOSEWAIT1), STAY(APPFINCLOSEWAIT), RESET, BROKEN),
	ROW(APPCLOSEWAIT2,
	    STAY(APPCLOSEWAIT2), GO(PEERFINCLOSEWAIT, FIN), GO(PEERFINCLOSEWAIT, ABRT),
	    STAY(APPCLOSEWAIT2), STAY(APPFINCLOSEWAIT), RESET, BROKEN),
	ROW(APPFINCLOSEWAIT,
	    STAY(APPFINCLOSEWAIT), GO(CLOSED, FIN | END), GO(CLOSED, ABRT | END),
	    STAY(APPFINCLOSEWAIT), STAY(APPFINCLOSEWAIT), GO(PROCESSABORT, 0), GO(PROCESSABORT, 0)),
	/* Not reached before our last word is said; a slip of the caller's ends well all the same. */
	ROW(PEERFINCLOSEWAIT,
	    STAY(PEERFINCLOSEWAIT), GO(PEERFINCLOSEWAIT, FIN), GO(PEERFINCLOSEWAIT, ABRT),
	    STAY(PEERFINCLOSEWAIT), STAY(APPFINCLOSEWAIT), RESET, BROKEN),
	ROW(PROCESSABORT,
	    STAY(PROCESSABORT), GO(CLOSED, ABRT | END), GO(CLOSED, ABRT | END),
	    STAY(PROCESSABORT), STAY(PROCESSABORT), STAY(PROCESSABORT), STAY(PROCESSABORT)),
	ROW(CLOSED,
	    STAY(CLOSED), STAY(CLOSED), STAY(CLOSED),
	    STAY(CLOSED), STAY(CLOSED), STAY(CLOSED), STAY(CLOSED)),
};

#define GIVE_UP GO(CLOSED, ABRT | END)
#define ENDED(acts) GO(CLOSED, (acts) | END)

static const struct smcu_conn_step after_final[SMCU_CS_COUNT][SMCU_CE_COUNT] = {
	ROW(PEERCLOSEWAIT1,
	    STAY(PEERCLOSEWAIT1), STAY(PEERCLOSEWAIT1), GIVE_UP,
	    GO(PEERCLOSEWAIT2, EOFI), ENDED(EOFI), ENDED(RST), ENDED(LOST)),
	ROW(PEERCLOSEWAIT2,
	    STAY(PEERCLOSEWAIT2), STAY(PEERCLOSEWAIT2), GIVE_UP,
	    STAY(PEERCLOSEWAIT2), ENDED(0), ENDED(RST), ENDED(LOST)),
	ROW(PEERFINCLOSEWAIT,
	    STAY(PEERFINCLOSEWAIT), STAY(PEERFINCLOSEWAIT), GIVE_UP,
	    STAY(PEERFINCLOSEWAIT), ENDED(0), ENDED(RST), ENDED(LOST)),
	ROW(CLOSED,
	    STAY(CLOSED), STAY(CLOSED), STAY(CLOSED),
	    STAY(CLOSED), STAY(CLOSED), STAY(CLOSED), STAY(CLOSED)),
	/* The rest is not reached after our last word. */
	ROW(ACTIVE,
	    STAY(PEERCLOSEWAIT1), STAY(PEERCLOSEWAIT1), GIVE_UP,
	    GO(PEERCLOSEWAIT2, EOFI), ENDED(EOFI), ENDED(RST), ENDED(LOST)),
	ROW(APPCLOSEWAIT1,
	    STAY(PEERFINCLOSEWAIT), STAY(PEERFINCLOSEWAIT), GIVE_UP,
	    STAY(PEERFINCLOSEWAIT), ENDED(0), ENDED(RST), ENDED(LOST)),
	ROW(APPCLOSEWAIT2,
	    STAY(PEERFINCLOSEWAIT), STAY(PEERFINCLOSEWAIT), GIVE_UP,
	    STAY(PEERFINCLOSEWAIT), ENDED(0), ENDED(RST), ENDED(LOST)),
	ROW(APPFINCLOSEWAIT,
	    ENDED(0), ENDED(0), ENDED(0),
	    ENDED(0), ENDED(0), ENDED(0), ENDED(0)),
	ROW(PROCESSABORT,
	    ENDED(0), ENDED(0), ENDED(0),
	    ENDED(0), ENDED(0), ENDED(0), ENDED(0)),
};

struct smcu_conn_step smcu_conn_next(u8 state, u8 event, u8 sent)
{
	struct smcu_conn_step nowhere = { .next = state, .actions = 0 };

	if (state >= SMCU_CS_COUNT || event >= SMCU_CE_COUNT)
		return nowhere;
	return (sent & (SMCU_CF_CLOSED | SMCU_CF_ABORT) ? after_final : before_final)[state][event];
}

const char *smcu_conn_state_name(u8 state)
{
	static const char * const names[SMCU_CS_COUNT] = {
		[SMCU_CS_ACTIVE]		= "active",
		[SMCU_CS_PEERCLOSEWAIT1]	= "peerclosewait1",
		[SMCU_CS_PEERCLOSEWAIT2]	= "peerclosewait2",
		[SMCU_CS_APPCLOSEWAIT1]		= "appclosewait1",
		[SMCU_CS_APPCLOSEWAIT2]		= "appclosewait2",
		[SMCU_CS_APPFINCLOSEWAIT]	= "appfinclosewait",
		[SMCU_CS_PEERFINCLOSEWAIT]	= "peerfinclosewait",
		[SMCU_CS_PROCESSABORT]		= "processabort",
		[SMCU_CS_CLOSED]		= "closed",
	};

	return state < SMCU_CS_COUNT ? names[state] : "?";
}

const char *smcu_conn_event_name(u8 event)
{
	static const char * const names[SMCU_CE_COUNT] = {
		[SMCU_CE_SHUTDOWN_WR]	= "shutdown_wr",
		[SMCU_CE_CLOSE]		= "close",
		[SMCU_CE_ABORT]		= "abort",
		[SMCU_CE_PEER_DONE]	= "peer_done",
		[SMCU_CE_PEER_CLOSED]	= "peer_closed",
		[SMCU_CE_PEER_ABORT]	= "peer_abort",
		[SMCU_CE_LINK_LOST]	= "link_lost",
	};

	return event < SMCU_CE_COUNT ? names[event] : "?";
}
