// SPDX-License-Identifier: GPL-2.0
/* Any string of events: the handshake ends within five steps that count, and stays where it ends. */
#include "fuzz.h"
#include "proto/hs_fsm.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 state, moves = 0;
	bool declined = false;
	size_t i;

	if (!size)
		return 0;
	state = data[0] & 1 ? SMCU_HS_S_WAIT_PROPOSAL : SMCU_HS_C_START;
	for (i = 1; i < size; i++) {
		struct smcu_hs_step step = smcu_hs_next(state, data[i]);

		MUST(step.next < SMCU_HS_COUNT && step.action <= SMCU_HA_FAIL);
		if (state >= SMCU_HS_DONE) {
			MUST(step.next == state && step.action == SMCU_HA_NONE);
			continue;
		}
		/* said once, and then at most waited for the peer's */
		MUST(declined == (state == SMCU_HS_DECLINED));
		MUST(!declined || (step.action != SMCU_HA_DECLINE && step.next > SMCU_HS_DONE));
		MUST(step.next != state && step.action != SMCU_HA_NONE);
		/* once more with another link group, as often as the last one is lost; the driver's clock bounds that */
		if (data[i] == SMCU_HE_LGR_LOST && state == SMCU_HS_S_WAIT_RKEY)
			moves = 0;
		MUST(++moves <= 5);
		declined = step.action == SMCU_HA_DECLINE;
		/* a client and a server never change roles */
		if (step.next < SMCU_HS_DECLINED)
			MUST((step.next >= SMCU_HS_S_WAIT_PROPOSAL) == (data[0] & 1));
		MUST(!smcu_hs_timeout_ms(step.next) == (step.next >= SMCU_HS_DONE));
		state = step.next;
	}
	return 0;
}
