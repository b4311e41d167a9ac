// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "proto/conn_fsm.h"
#include "proto/wire_cdc.h"

enum {
	SENDS = SMCU_CA_SEND_DONE | SMCU_CA_SEND_CLOSED | SMCU_CA_SEND_ABORT,
	FINAL = SMCU_CF_CLOSED | SMCU_CF_ABORT,
	FLAGS = SMCU_CF_DONE | SMCU_CF_CLOSED | SMCU_CF_ABORT,
};

static u8 sent_after(u8 sent, u8 actions)
{
	if (actions & SMCU_CA_SEND_DONE)
		sent |= SMCU_CF_DONE;
	if (actions & SMCU_CA_SEND_CLOSED)
		sent |= SMCU_CF_CLOSED;
	if (actions & SMCU_CA_SEND_ABORT)
		sent |= SMCU_CF_ABORT;
	return sent;
}

/* A connection with what it remembers, as the caller of the table keeps it. */
struct end {
	u8 state;
	u8 sent;
	bool eof;
	bool err;
};

static u8 apply(struct end *e, u8 event)
{
	struct smcu_conn_step step = smcu_conn_next(e->state, event, e->sent);

	e->state = step.next;
	e->sent = sent_after(e->sent, step.actions);
	e->eof |= step.actions & SMCU_CA_RX_EOF;
	e->err |= step.actions & (SMCU_CA_RESET | SMCU_CA_LOST);
	return step.actions;
}

/* Call @fn for every pair of state and flags that can be reached, and every event. */
static void for_reachable(void (*fn)(const struct end *from, u8 event))
{
	bool seen[SMCU_CS_COUNT][256][2][2] = { 0 };
	struct end queue[1024] = { { .state = SMCU_CS_ACTIVE } };
	unsigned int head = 0, tail = 1;
	u8 event;

	seen[SMCU_CS_ACTIVE][0][0][0] = true;
	while (head < tail) {
		struct end from = queue[head++];

		for (event = 0; event < SMCU_CE_COUNT; event++) {
			struct end to = from;

			fn(&from, event);
			apply(&to, event);
			if (!seen[to.state][to.sent][to.eof][to.err]) {
				seen[to.state][to.sent][to.eof][to.err] = true;
				assert_true(tail < ARRAY_SIZE(queue));
				queue[tail++] = to;
			}
		}
	}
}

static void check_step(const struct end *from, u8 event)
{
	struct end to = *from;
	u8 acts = apply(&to, event);
	const char *s = smcu_conn_state_name(from->state), *e = smcu_conn_event_name(event);
	bool program = event <= SMCU_CE_ABORT;

	/* CLOSED is final, and entered with FINISHED, always and only. */
	if (from->state == SMCU_CS_CLOSED)
		CHECK(to.state == SMCU_CS_CLOSED && !acts, "%s %s", s, e);
	else
		CHECK((to.state == SMCU_CS_CLOSED) == !!(acts & SMCU_CA_FINISHED), "%s %s", s, e);
	/* Only the program makes us say something, one thing at a time, and its errors and EOF come from outside. */
	CHECK(program || !(acts & SENDS), "%s %s", s, e);
	CHECK(!program || !(acts & (SMCU_CA_RX_EOF | SMCU_CA_RESET | SMCU_CA_LOST)), "%s %s", s, e);
	CHECK(!(acts & SENDS & ((acts & SENDS) - 1)), "%s %s", s, e);
	/* Nothing is said after the last word, but for an abort when we stop waiting. */
	if (from->sent & FINAL)
		CHECK(!(acts & (SMCU_CA_SEND_DONE | SMCU_CA_SEND_CLOSED)), "%s %s", s, e);
	/* done is said once */
	if (from->sent & SMCU_CF_DONE)
		CHECK(!(acts & SMCU_CA_SEND_DONE), "%s %s", s, e);
	/* Whatever happens: after the program's close our last word has been said, or the connection is over. */
	if (event == SMCU_CE_CLOSE || event == SMCU_CE_ABORT)
		CHECK(to.sent & FINAL || to.state == SMCU_CS_CLOSED, "%s %s", s, e);
	/* End of file is told once. */
	if (from->eof)
		CHECK(!(acts & SMCU_CA_RX_EOF), "%s %s", s, e);
	/* An error is told once. */
	if (from->err)
		CHECK(!(acts & (SMCU_CA_RESET | SMCU_CA_LOST)), "%s %s", s, e);
	/* The peer's flags are repeated in each of its messages. */
	if (event >= SMCU_CE_PEER_DONE) {
		struct end twice = to;

		CHECK(!apply(&twice, event) && twice.state == to.state, "%s %s twice", s, e);
	}
	/* Earlier flags seen again after later ones change nothing. */
	if (event == SMCU_CE_PEER_CLOSED || event == SMCU_CE_PEER_ABORT) {
		struct end then = to;

		CHECK(!apply(&then, SMCU_CE_PEER_DONE) && then.state == to.state, "%s %s then done", s, e);
	}
	/* A program that has not closed keeps a connection to read from. */
	if (!program && !(from->sent & FINAL) && from->state != SMCU_CS_CLOSED)
		CHECK(to.state != SMCU_CS_CLOSED, "%s %s", s, e);
	/* One that has gone needs no more than the peer's last word. */
	if (event >= SMCU_CE_PEER_CLOSED && from->sent & FINAL)
		CHECK(to.state == SMCU_CS_CLOSED, "%s %s", s, e);
}

static void test_invariants(void **state)
{
	for_reachable(check_step);
}

/* From anywhere: link lost and close, or close and the peer's last word, lead to the end. */
static void check_ends(const struct end *from, u8 event)
{
	static const u8 ways[][2] = {
		{ SMCU_CE_LINK_LOST, SMCU_CE_CLOSE }, { SMCU_CE_CLOSE, SMCU_CE_LINK_LOST },
		{ SMCU_CE_CLOSE, SMCU_CE_PEER_CLOSED }, { SMCU_CE_PEER_CLOSED, SMCU_CE_CLOSE },
		{ SMCU_CE_CLOSE, SMCU_CE_PEER_ABORT }, { SMCU_CE_PEER_ABORT, SMCU_CE_CLOSE },
		{ SMCU_CE_ABORT, SMCU_CE_ABORT }, { SMCU_CE_CLOSE, SMCU_CE_ABORT },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct end e = *from;

		apply(&e, event);
		apply(&e, ways[i][0]);
		apply(&e, ways[i][1]);
		CHECK(e.state == SMCU_CS_CLOSED, "%s %s, then %s %s: %s", smcu_conn_state_name(from->state),
		      smcu_conn_event_name(event), smcu_conn_event_name(ways[i][0]), smcu_conn_event_name(ways[i][1]),
		      smcu_conn_state_name(e.state));
	}
}

static void test_every_state_can_end(void **state)
{
	for_reachable(check_ends);
}

/* Cells that are not reached, and arguments out of range, are defined all the same. */
static void test_every_cell(void **state)
{
	unsigned int s, e, sent;

	for (s = 0; s < 256; s++)
		for (e = 0; e < 256; e++)
			for (sent = 0; sent < 256; sent += 0x20) {
				struct smcu_conn_step step = smcu_conn_next((u8)s, (u8)e, (u8)sent);

				if (s >= SMCU_CS_COUNT || e >= SMCU_CE_COUNT) {
					CHECK(step.next == s && !step.actions, "%u %u", s, e);
					continue;
				}
				CHECK(step.next < SMCU_CS_COUNT, "%u %u", s, e);
				if (s != SMCU_CS_ACTIVE)
					CHECK(step.next != SMCU_CS_ACTIVE, "nothing leads back: %u %u %#x", s, e, sent);
			}
	assert_string_equal(smcu_conn_state_name(SMCU_CS_COUNT), "?");
	assert_string_equal(smcu_conn_event_name(SMCU_CE_COUNT), "?");
	for (s = 0; s < SMCU_CS_COUNT; s++)
		assert_non_null(smcu_conn_state_name((u8)s));
	for (e = 0; e < SMCU_CE_COUNT; e++)
		assert_non_null(smcu_conn_event_name((u8)e));
}

/* Section 7 by hand: the ways to end that people use. */
static void expect(struct end *e, u8 event, u8 state, u8 actions)
{
	u8 got = apply(e, event);

	CHECK(got == actions && e->state == state, "%s: %s, actions %#x", smcu_conn_event_name(event),
	      smcu_conn_state_name(e->state), got);
}

static void test_scripts(void **state)
{
	struct end e = { 0 };

	/* we close first */
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_PEERCLOSEWAIT1, SMCU_CA_SEND_CLOSED);
	expect(&e, SMCU_CE_PEER_CLOSED, SMCU_CS_CLOSED, SMCU_CA_RX_EOF | SMCU_CA_FINISHED);
	/* the peer closes first */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_PEER_CLOSED, SMCU_CS_APPFINCLOSEWAIT, SMCU_CA_RX_EOF);
	expect(&e, SMCU_CE_SHUTDOWN_WR, SMCU_CS_APPFINCLOSEWAIT, 0);
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_CLOSED, SMCU_CA_SEND_CLOSED | SMCU_CA_FINISHED);
	/* the peer closes first, and gives up waiting for us, or its host goes: nothing that who has seen the end need know */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_PEER_CLOSED, SMCU_CS_APPFINCLOSEWAIT, SMCU_CA_RX_EOF);
	expect(&e, SMCU_CE_PEER_ABORT, SMCU_CS_PROCESSABORT, 0);
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_CLOSED, SMCU_CA_SEND_ABORT | SMCU_CA_FINISHED);
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_PEER_CLOSED, SMCU_CS_APPFINCLOSEWAIT, SMCU_CA_RX_EOF);
	expect(&e, SMCU_CE_LINK_LOST, SMCU_CS_PROCESSABORT, 0);
	/* half close, ours */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_SHUTDOWN_WR, SMCU_CS_PEERCLOSEWAIT1, SMCU_CA_SEND_DONE);
	expect(&e, SMCU_CE_PEER_DONE, SMCU_CS_PEERCLOSEWAIT2, SMCU_CA_RX_EOF);
	expect(&e, SMCU_CE_PEER_CLOSED, SMCU_CS_APPFINCLOSEWAIT, 0);
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_CLOSED, SMCU_CA_SEND_CLOSED | SMCU_CA_FINISHED);
	/* half close, the peer's */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_PEER_DONE, SMCU_CS_APPCLOSEWAIT1, SMCU_CA_RX_EOF);
	expect(&e, SMCU_CE_SHUTDOWN_WR, SMCU_CS_APPCLOSEWAIT2, SMCU_CA_SEND_DONE);
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_PEERFINCLOSEWAIT, SMCU_CA_SEND_CLOSED);
	expect(&e, SMCU_CE_PEER_CLOSED, SMCU_CS_CLOSED, SMCU_CA_FINISHED);
	/* unread data */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_ABORT, SMCU_CS_PEERCLOSEWAIT1, SMCU_CA_SEND_ABORT);
	expect(&e, SMCU_CE_PEER_ABORT, SMCU_CS_CLOSED, SMCU_CA_RESET | SMCU_CA_FINISHED);
	/* the peer aborts */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_PEER_ABORT, SMCU_CS_PROCESSABORT, SMCU_CA_RESET);
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_CLOSED, SMCU_CA_SEND_ABORT | SMCU_CA_FINISHED);
	/* the link is lost before and after our close */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_LINK_LOST, SMCU_CS_PROCESSABORT, SMCU_CA_LOST);
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_CLOSED, SMCU_CA_SEND_ABORT | SMCU_CA_FINISHED);
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_PEERCLOSEWAIT1, SMCU_CA_SEND_CLOSED);
	expect(&e, SMCU_CE_LINK_LOST, SMCU_CS_CLOSED, SMCU_CA_LOST | SMCU_CA_FINISHED);
	/* nobody answers */
	e = (struct end){ 0 };
	expect(&e, SMCU_CE_CLOSE, SMCU_CS_PEERCLOSEWAIT1, SMCU_CA_SEND_CLOSED);
	expect(&e, SMCU_CE_ABORT, SMCU_CS_CLOSED, SMCU_CA_SEND_ABORT | SMCU_CA_FINISHED);
}

/*
 * Two ends and the messages between them, every interleaving: once both programs have closed and all messages have
 * arrived, both ends are CLOSED. A message carries all flags its sender has ever set.
 */
enum {
	DEPTH = 3,		/* a side says at most three things */
};

struct pair {
	struct end end[2];
	u8 wire[2][DEPTH];	/* towards end i */
	u8 n[2];
	bool gone[2];		/* the program has closed */
};

static u8 classify(u8 flags)
{
	if (flags & SMCU_CF_ABORT)
		return SMCU_CE_PEER_ABORT;
	return flags & SMCU_CF_CLOSED ? SMCU_CE_PEER_CLOSED : SMCU_CE_PEER_DONE;
}

static struct pair *pairs;
static size_t n_pairs, cap_pairs;

static void remember(const struct pair *p)
{
	size_t i;

	for (i = 0; i < n_pairs; i++)
		if (!memcmp(&pairs[i], p, sizeof(*p)))
			return;
	if (n_pairs == cap_pairs) {
		cap_pairs = cap_pairs ? cap_pairs * 2 : 1024;
		pairs = realloc(pairs, cap_pairs * sizeof(*pairs));
		assert_non_null(pairs);
	}
	pairs[n_pairs++] = *p;
}

static void act(const struct pair *from, int i, u8 event)
{
	struct pair p = *from;

	if (apply(&p.end[i], event) & SENDS) {
		assert_true(p.n[!i] < DEPTH);
		p.wire[!i][p.n[!i]++] = p.end[i].sent;
	}
	if (event == SMCU_CE_CLOSE || event == SMCU_CE_ABORT)
		p.gone[i] = true;
	remember(&p);
}

static void deliver(const struct pair *from, int i)
{
	struct pair p = *from;
	u8 flags = p.wire[i][0];

	memmove(p.wire[i], p.wire[i] + 1, DEPTH - 1);
	p.wire[i][DEPTH - 1] = 0;
	p.n[i]--;
	apply(&p.end[i], classify(flags));
	remember(&p);
}

static void test_two_ends_always_finish(void **state)
{
	struct pair start;
	size_t done, finished = 0;
	int i;

	memset(&start, 0, sizeof(start));
	remember(&start);
	for (done = 0; done < n_pairs; done++) {
		struct pair p = pairs[done];

		for (i = 0; i < 2; i++) {
			if (p.n[i])
				deliver(&p, i);
			if (p.gone[i])
				continue;
			act(&p, i, SMCU_CE_SHUTDOWN_WR);
			act(&p, i, SMCU_CE_CLOSE);
			act(&p, i, SMCU_CE_ABORT);
		}
		if (p.gone[0] && p.gone[1] && !p.n[0] && !p.n[1]) {
			finished++;
			CHECK(p.end[0].state == SMCU_CS_CLOSED && p.end[1].state == SMCU_CS_CLOSED, "%s, %s",
			      smcu_conn_state_name(p.end[0].state), smcu_conn_state_name(p.end[1].state));
		}
	}
	assert_true(n_pairs > 200 && finished > 10);
	free(pairs);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_invariants),
	cmocka_unit_test(test_every_state_can_end),
	cmocka_unit_test(test_every_cell),
	cmocka_unit_test(test_scripts),
	cmocka_unit_test(test_two_ends_always_finish),
};

RUN("conn_fsm", tests)
