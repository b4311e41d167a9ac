// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "proto/hs_fsm.h"
#include "proto/limits.h"

/*
 * The table said a second time, the other way round: the edges that lead on, then for each state which of the four
 * ways out its failures take. What is in neither list is a message out of place and ends like BAD.
 */
struct edge {
	u8 from, event, to, action;
};

#define E(from, event, to, action) { SMCU_HS_##from, SMCU_HE_##event, SMCU_HS_##to, SMCU_HA_##action }

static const struct edge onward[] = {
	E(C_START, START, C_WAIT_ACCEPT, PROPOSE),
	E(C_WAIT_ACCEPT, ACCEPT_FC, C_WAIT_LINK, FIRST_CLIENT),
	E(C_WAIT_ACCEPT, ACCEPT_JOIN, C_WAIT_RKEY, JOIN_CLIENT),
	E(C_WAIT_RKEY, RKEY_OK, DONE, CONFIRM),
	E(C_WAIT_LINK, LINK_UP, DONE, FINISH),
	E(S_WAIT_PROPOSAL, PROPOSAL, S_WAIT_LGR, NEGOTIATE),
	E(S_WAIT_LGR, LGR_NEW, S_WAIT_CONFIRM_FC, ACCEPT_FIRST),
	E(S_WAIT_LGR, LGR_JOIN, S_WAIT_RKEY, JOIN_SERVER),
	E(S_WAIT_RKEY, LGR_LOST, S_WAIT_LGR, LEAVE),
	E(S_WAIT_RKEY, RKEY_OK, S_WAIT_CONFIRM, ACCEPT_JOIN),
	E(S_WAIT_CONFIRM, CONFIRM, DONE, FINISH),
	E(S_WAIT_CONFIRM_FC, CONFIRM, S_WAIT_LINK, LINK_SERVER),
	E(S_WAIT_LINK, LINK_UP, DONE, FINISH),
};

enum way { BACK, DECL, BOTH, DEAD };

static const enum way failure[SMCU_HS_DONE][5] = {
	/*			 DECLINE BAD   EOF   LOCAL_FAIL TIMEOUT */
	[SMCU_HS_C_START] =		{ BACK, DEAD, DEAD, DECL, DECL },
	[SMCU_HS_C_WAIT_ACCEPT] =	{ BACK, DEAD, DEAD, DECL, DEAD },
	[SMCU_HS_C_WAIT_RKEY] =		{ BACK, DEAD, DEAD, DECL, DECL },
	[SMCU_HS_C_WAIT_LINK] =		{ BACK, DEAD, DEAD, BOTH, BOTH },
	[SMCU_HS_S_WAIT_PROPOSAL] =	{ BACK, BACK, BACK, DECL, DEAD },
	[SMCU_HS_S_WAIT_LGR] =		{ BACK, DEAD, DEAD, DECL, DECL },
	[SMCU_HS_S_WAIT_RKEY] =		{ BACK, DEAD, DEAD, DECL, DECL },
	[SMCU_HS_S_WAIT_CONFIRM] =	{ BACK, DEAD, DEAD, DEAD, DEAD },
	[SMCU_HS_S_WAIT_CONFIRM_FC] =	{ BACK, DEAD, DEAD, BOTH, DEAD },
	[SMCU_HS_S_WAIT_LINK] =		{ BACK, DEAD, DEAD, BOTH, BOTH },
	[SMCU_HS_DECLINED] =		{ BACK, BACK, BACK, DEAD, BACK },
};

static struct smcu_hs_step wanted(u8 s, u8 e)
{
	static const struct smcu_hs_step ways[] = {
		[BACK] = { SMCU_HS_FALLBACK, SMCU_HA_FALL_BACK },
		[DECL] = { SMCU_HS_FALLBACK, SMCU_HA_DECLINE },
		[BOTH] = { SMCU_HS_DECLINED, SMCU_HA_DECLINE },
		[DEAD] = { SMCU_HS_FAILED, SMCU_HA_FAIL },
	};
	unsigned int i;

	if (s >= SMCU_HS_DONE)
		return (struct smcu_hs_step){ s, SMCU_HA_NONE };
	for (i = 0; i < ARRAY_SIZE(onward); i++)
		if (onward[i].from == s && onward[i].event == e)
			return (struct smcu_hs_step){ onward[i].to, onward[i].action };
	switch (e) {
	case SMCU_HE_DECLINE:
		return ways[failure[s][0]];
	case SMCU_HE_EOF:
		return ways[failure[s][2]];
	case SMCU_HE_LOCAL_FAIL:
		return ways[failure[s][3]];
	case SMCU_HE_TIMEOUT:
		return ways[failure[s][4]];
	default:
		return ways[failure[s][1]];
	}
}

static void test_every_cell(void **state)
{
	unsigned int s, e;

	for (s = 0; s < SMCU_HS_COUNT; s++)
		for (e = 0; e < SMCU_HE_COUNT; e++) {
			struct smcu_hs_step got = smcu_hs_next((u8)s, (u8)e), want = wanted((u8)s, (u8)e);

			CHECK(got.next == want.next && got.action == want.action, "%s %s: %s, action %u", smcu_hs_state_name((u8)s),
			      smcu_hs_event_name((u8)e), smcu_hs_state_name(got.next), got.action);
		}
}

static bool is_final(u8 s)
{
	return s == SMCU_HS_DONE || s == SMCU_HS_FALLBACK || s == SMCU_HS_FAILED;
}

/* Nothing but the stream's end is waited for. */
static bool is_over(u8 s)
{
	return is_final(s) || s == SMCU_HS_DECLINED;
}

static void test_invariants(void **state)
{
	u8 s, e;

	for (s = 0; s < SMCU_HS_COUNT; s++) {
		assert_int_equal(is_final(s), smcu_hs_timeout_ms(s) == 0);
		for (e = 0; e < SMCU_HE_COUNT; e++) {
			struct smcu_hs_step step = smcu_hs_next(s, e);
			const char *n = smcu_hs_state_name(s), *v = smcu_hs_event_name(e);

			if (is_final(s)) {
				CHECK(step.next == s && step.action == SMCU_HA_NONE, "%s %s", n, v);
				continue;
			}
			CHECK(step.action != SMCU_HA_NONE && step.action <= SMCU_HA_FAIL, "%s %s", n, v);
			/* ... but for the one way back, which the limit of the whole handshake bounds */
			CHECK(step.next > s || e == SMCU_HE_LGR_LOST, "%s %s: the order of states is the order of time", n, v);
			CHECK((step.next == SMCU_HS_FAILED) == (step.action == SMCU_HA_FAIL), "%s %s", n, v);
			CHECK((step.next == SMCU_HS_FALLBACK || step.next == SMCU_HS_DECLINED) ==
			      (step.action == SMCU_HA_FALL_BACK || step.action == SMCU_HA_DECLINE), "%s %s", n, v);
			CHECK((step.next == SMCU_HS_DONE) ==
			      (step.action == SMCU_HA_FINISH || step.action == SMCU_HA_CONFIRM), "%s %s", n, v);
		}
		if (is_final(s))
			continue;
		/* time alone ends it, a decline always means TCP, and is never answered by one */
		CHECK(is_over(smcu_hs_next(s, SMCU_HE_TIMEOUT).next), "%u", s);
		CHECK(smcu_hs_next(s, SMCU_HE_DECLINE).action == SMCU_HA_FALL_BACK, "%u", s);
		CHECK(is_over(smcu_hs_next(s, SMCU_HE_LOCAL_FAIL).next), "%u", s);
		CHECK(is_final(smcu_hs_next(s, SMCU_HE_EOF).next), "%u", s);
		CHECK(is_final(smcu_hs_next(s, SMCU_HE_BAD).next), "%u", s);
	}
}

/* Each state can be reached from a start, and from each of them success can. */
static void test_paths(void **state)
{
	bool reached[SMCU_HS_COUNT] = { [SMCU_HS_C_START] = true, [SMCU_HS_S_WAIT_PROPOSAL] = true };
	bool succeeds[SMCU_HS_COUNT] = { [SMCU_HS_DONE] = true };
	int round;
	u8 s, e;

	for (round = 0; round < SMCU_HS_COUNT; round++)
		for (s = 0; s < SMCU_HS_COUNT; s++)
			for (e = 0; e < SMCU_HE_COUNT; e++) {
				u8 next = smcu_hs_next(s, e).next;

				reached[next] |= reached[s];
				succeeds[s] |= succeeds[next];
			}
	for (s = 0; s < SMCU_HS_COUNT; s++) {
		CHECK(reached[s], "%s", smcu_hs_state_name(s));
		CHECK(succeeds[s] || s == SMCU_HS_DECLINED || s == SMCU_HS_FALLBACK || s == SMCU_HS_FAILED, "%s", smcu_hs_state_name(s));
	}
}

static void test_out_of_range(void **state)
{
	unsigned int v;

	for (v = SMCU_HS_COUNT; v < 256; v++) {
		assert_int_equal(smcu_hs_next((u8)v, SMCU_HE_START).next, SMCU_HS_FAILED);
		assert_int_equal(smcu_hs_timeout_ms((u8)v), 0);
		assert_string_equal(smcu_hs_state_name((u8)v), "?");
	}
	for (v = SMCU_HE_COUNT; v < 256; v++) {
		assert_int_equal(smcu_hs_next(SMCU_HS_C_WAIT_ACCEPT, (u8)v).next, SMCU_HS_FAILED);
		assert_int_equal(smcu_hs_next(SMCU_HS_DONE, (u8)v).next, SMCU_HS_DONE);
		assert_string_equal(smcu_hs_event_name((u8)v), "?");
	}
	for (v = 0; v < SMCU_HS_COUNT; v++)
		assert_non_null(smcu_hs_state_name((u8)v));
	for (v = 0; v < SMCU_HE_COUNT; v++)
		assert_non_null(smcu_hs_event_name((u8)v));
}

/* Section 10: a client outlasts the server, or declines would cross. */
static void test_timeouts(void **state)
{
	/* no less patient than Linux, which waits 6 s for each CLC message */
	assert_int_equal(smcu_hs_timeout_ms(SMCU_HS_S_WAIT_PROPOSAL), 6000);
	assert_true(smcu_hs_timeout_ms(SMCU_HS_C_WAIT_ACCEPT) >= 6000);
	assert_true(smcu_hs_timeout_ms(SMCU_HS_S_WAIT_CONFIRM) >= 6000);
	assert_true(smcu_hs_timeout_ms(SMCU_HS_S_WAIT_CONFIRM_FC) >= 6000);
	/* keys are confirmed one after another on a link, 2 s each at the worst: the queue counts, not one answer */
	assert_int_equal(smcu_hs_timeout_ms(SMCU_HS_C_WAIT_RKEY), smcu_hs_timeout_ms(SMCU_HS_C_WAIT_ACCEPT));
	assert_true(smcu_hs_timeout_ms(SMCU_HS_C_WAIT_LINK) > smcu_hs_timeout_ms(SMCU_HS_S_WAIT_LINK));
	/* a proposal must not come after the server has given up, and be read by its program */
	assert_true(smcu_hs_timeout_ms(SMCU_HS_C_START) < smcu_hs_timeout_ms(SMCU_HS_S_WAIT_PROPOSAL));
	/* an accept, or a decline, must not come after the client has given up */
	assert_true(smcu_hs_timeout_ms(SMCU_HS_S_WAIT_LGR) + smcu_hs_timeout_ms(SMCU_HS_S_WAIT_RKEY) + 1000 <
		    smcu_hs_timeout_ms(SMCU_HS_C_WAIT_ACCEPT));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_every_cell),
	cmocka_unit_test(test_invariants),
	cmocka_unit_test(test_paths),
	cmocka_unit_test(test_out_of_range),
	cmocka_unit_test(test_timeouts),
};

RUN("hs_fsm", tests)
