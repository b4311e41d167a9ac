// SPDX-License-Identifier: GPL-2.0
/* Print docs/states.md: the state tables as they are compiled. */
#include <stdio.h>

#include "proto/conn_fsm.h"
#include "proto/hs_fsm.h"
#include "proto/wire_cdc.h"

static const char *hs_action(u8 action)
{
	static const char * const names[] = {
		[SMCU_HA_NONE] = "",
		[SMCU_HA_PROPOSE] = "propose",
		[SMCU_HA_FIRST_CLIENT] = "first_client",
		[SMCU_HA_JOIN_CLIENT] = "join_client",
		[SMCU_HA_CONFIRM] = "confirm",
		[SMCU_HA_NEGOTIATE] = "negotiate",
		[SMCU_HA_ACCEPT_FIRST] = "accept_first",
		[SMCU_HA_JOIN_SERVER] = "join_server",
		[SMCU_HA_ACCEPT_JOIN] = "accept_join",
		[SMCU_HA_LEAVE] = "leave",
		[SMCU_HA_LINK_SERVER] = "link_server",
		[SMCU_HA_FINISH] = "finish",
		[SMCU_HA_FALL_BACK] = "fall_back",
		[SMCU_HA_DECLINE] = "decline",
		[SMCU_HA_FAIL] = "fail",
	};

	return names[action];
}

static void handshake(void)
{
	u8 s, e;

	puts("## Handshake\n");
	puts("`proto/hs_fsm.c`. \"*\" is every event not named in the rows of the state.\n");
	puts("| state | may last | event | next | action |");
	puts("|---|---|---|---|---|");
	for (s = 0; s < SMCU_HS_DONE; s++) {
		struct smcu_hs_step bad = smcu_hs_next(s, SMCU_HE_BAD);
		const char *name = smcu_hs_state_name(s);

		for (e = 0; e < SMCU_HE_COUNT; e++) {
			struct smcu_hs_step step = smcu_hs_next(s, e);

			if (step.next == bad.next && step.action == bad.action)
				continue;
			printf("| %s | %u ms | %s | %s | %s |\n", name, smcu_hs_timeout_ms(s), smcu_hs_event_name(e),
			       smcu_hs_state_name(step.next), hs_action(step.action));
		}
		printf("| %s | | * | %s | %s |\n", name, smcu_hs_state_name(bad.next), hs_action(bad.action));
	}
	puts("\ndone, fallback and failed are final.\n");
}

static void actions(u8 bits)
{
	static const char * const names[] = { "done", "closed", "abort", "eof", "reset", "lost", "finished" };
	const char *sep = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(bits & 1 << i))
			continue;
		printf("%s%s", sep, names[i]);
		sep = ", ";
	}
}

static void closing(const char *title, u8 sent, const u8 *states, size_t n)
{
	size_t i;
	u8 e;

	printf("### %s\n\n| state |", title);
	for (e = 0; e < SMCU_CE_COUNT; e++)
		printf(" %s |", smcu_conn_event_name(e));
	printf("\n|---|");
	for (e = 0; e < SMCU_CE_COUNT; e++)
		printf("---|");
	puts("");
	for (i = 0; i < n; i++) {
		printf("| %s |", smcu_conn_state_name(states[i]));
		for (e = 0; e < SMCU_CE_COUNT; e++) {
			struct smcu_conn_step step = smcu_conn_next(states[i], e, sent);

			if (step.next == states[i] && !step.actions) {
				printf(" |");
				continue;
			}
			printf(" %s", step.next == states[i] ? "stays" : smcu_conn_state_name(step.next));
			if (step.actions) {
				printf(": ");
				actions(step.actions);
			}
			printf(" |");
		}
		puts("");
	}
	puts("");
}

int main(void)
{
	static const u8 open[] = {
		SMCU_CS_ACTIVE, SMCU_CS_PEERCLOSEWAIT1, SMCU_CS_PEERCLOSEWAIT2, SMCU_CS_APPCLOSEWAIT1,
		SMCU_CS_APPCLOSEWAIT2, SMCU_CS_APPFINCLOSEWAIT, SMCU_CS_PROCESSABORT,
	};
	static const u8 over[] = { SMCU_CS_PEERCLOSEWAIT1, SMCU_CS_PEERCLOSEWAIT2, SMCU_CS_PEERFINCLOSEWAIT };

	puts("# States\n");
	puts("Written by `make -C tests/unit states` from the tables; `make -C tests/unit check` compares.\n");
	handshake();
	puts("## End of a connection\n");
	puts("`proto/conn_fsm.c`. done, closed, abort: send a CDC message with that flag; eof, reset, lost: what the program");
	puts("is told; finished: nothing more is due from the peer. An empty cell changes nothing. closed is final.\n");
	closing("Before closed or abort was sent (the program has the socket)", 0, open, ARRAY_SIZE(open));
	closing("After closed or abort was sent (the program has closed)", SMCU_CF_CLOSED, over, ARRAY_SIZE(over));
	return 0;
}
