// SPDX-License-Identifier: GPL-2.0
/*
 * Two ends of a connection in one process, built from cursor, txplan, wire_cdc and conn_fsm alone. Between them a queue of
 * writes and messages in order, as on a queue pair; everything else happens in random order: programs write, read, shut
 * down, close, abort, messages arrive late. What a program reads must be what the other one wrote, no write may land on
 * bytes not yet read, and once both have closed and all has arrived, both ends are finished.
 */
#include "check.h"
#include "proto/conn_fsm.h"
#include "proto/txplan.h"
#include "proto/wire_cdc.h"

enum {
	QUEUE = 1024,
};

enum op_type { OP_WRITE, OP_CDC };

struct op {
	enum op_type type;
	u64 pos;		/* of a write, in the stream */
	u32 dst;
	u32 len;
	u8 *data;		/* what an adapter would read from the send ring */
	u8 cdc[SMCU_CDC_LEN];
	u64 frees;		/* send ring position that is free once this is completed */
};

struct end {
	const char *name;
	u64 salt;

	u8 *snd;
	u32 snd_size;
	u64 queued, sent, freed;

	u8 *rmb;
	u32 rmb_size;
	u64 written, read, announced;
	bool peer_blocked;

	u32 peer_size;
	u64 peer_read;
	u16 seq, seen;
	u8 cflags, peer_flags;
	bool shut, closing, want_abort;	/* the program's wishes */
	bool eof, err;
	u8 state;

	struct op queue[QUEUE];		/* towards the peer */
	unsigned int head, tail;
	u64 start;
	struct end *peer;
};

static struct end ends[2];

static u8 pattern(const struct end *writer, u64 pos)
{
	u64 x = (pos + writer->salt) * 0x9e3779b97f4a7c15ULL;

	return (u8)(x >> 56);
}

static struct op *new_op(struct end *e, enum op_type type)
{
	struct op *op = &e->queue[e->tail % QUEUE];

	assert_true(e->tail - e->head < QUEUE);
	e->tail++;
	memset(op, 0, sizeof(*op));
	op->type = type;
	return op;
}

static void send_cdc(struct end *e, bool blocked)
{
	struct smcu_cdc m = {
		.seq = ++e->seq, .token = 7, .prod = smcu_cursor_at(e->sent, e->peer_size),
		.cons = smcu_cursor_at(e->read, e->rmb_size), .pflags = blocked ? SMCU_PF_BLOCKED : 0, .cflags = e->cflags,
	};
	struct op *op = new_op(e, OP_CDC);

	smcu_cdc_encode(op->cdc, &m);
	op->frees = e->sent;
	e->announced = e->read;
}

static bool can_send(const struct end *e)
{
	return !((e->cflags | e->peer_flags) & (SMCU_CF_CLOSED | SMCU_CF_ABORT)) && !(e->cflags & SMCU_CF_DONE) && !e->err;
}

static void event(struct end *e, u8 ev)
{
	struct smcu_conn_step step = smcu_conn_next(e->state, ev, e->cflags);

	e->state = step.next;
	if (step.actions & SMCU_CA_SEND_DONE)
		e->cflags |= SMCU_CF_DONE;
	if (step.actions & SMCU_CA_SEND_CLOSED)
		e->cflags |= SMCU_CF_CLOSED;
	if (step.actions & SMCU_CA_SEND_ABORT)
		e->cflags |= SMCU_CF_ABORT;
	if (step.actions & (SMCU_CA_SEND_DONE | SMCU_CA_SEND_CLOSED | SMCU_CA_SEND_ABORT))
		send_cdc(e, false);
	if (step.actions & SMCU_CA_RX_EOF)
		e->eof = true;
	if (step.actions & (SMCU_CA_RESET | SMCU_CA_LOST))
		e->err = true;
}

/* Post what the window allows, then grant what the program has asked for. */
static void push(struct end *e)
{
	struct smcu_txplan plan;
	unsigned int i;

	if (can_send(e)) {
		smcu_txplan(e->sent, e->queued, e->peer_read, e->snd_size, e->peer_size, &plan);
		for (i = 0; i < plan.n; i++) {
			struct op *op = new_op(e, OP_WRITE);

			op->pos = e->sent;
			op->dst = plan.piece[i].dst;
			op->len = plan.piece[i].len;
			op->data = exact_copy(e->snd + plan.piece[i].src, op->len);
			e->sent += op->len;
		}
		if (plan.len)
			send_cdc(e, plan.blocked);
	} else {
		e->queued = e->sent;
	}
	if (e->queued != e->sent || e->cflags & (SMCU_CF_CLOSED | SMCU_CF_ABORT))
		return;
	if (e->closing)
		event(e, e->want_abort ? SMCU_CE_ABORT : SMCU_CE_CLOSE);
	else if (e->shut && !(e->cflags & SMCU_CF_DONE))
		event(e, SMCU_CE_SHUTDOWN_WR);
}

static u32 program_write(struct end *e, u32 want)
{
	u32 space = e->snd_size - (u32)(e->queued - e->freed), i;

	if (e->shut || e->closing || !can_send(e))
		return 0;
	if (want > space)
		want = space;
	for (i = 0; i < want; i++)
		e->snd[(e->queued + i) % e->snd_size] = pattern(e, e->queued + i);
	e->queued += want;
	return want;
}

static u32 program_read(struct end *e, u32 want)
{
	u64 there = e->written - e->read;
	u32 i;

	if (e->closing)
		return 0;
	if (want > there)
		want = (u32)there;
	for (i = 0; i < want; i++) {
		u8 got = e->rmb[(e->read + i) % e->rmb_size];

		CHECK(got == pattern(e->peer, e->read + i), "%s: byte %llu", e->name, (unsigned long long)(e->read + i - e->start));
	}
	e->read += want;
	if (!(e->cflags & (SMCU_CF_CLOSED | SMCU_CF_ABORT)) &&
	    smcu_rx_announce(e->read, e->announced, e->written, e->rmb_size, e->peer_blocked, false))
		send_cdc(e, false);
	return want;
}

static void receive_cdc(struct end *e, const u8 *bytes)
{
	struct smcu_cdc m;
	u64 pos;

	assert_int_equal(smcu_cdc_decode(bytes, SMCU_CDC_LEN, &m), 0);
	assert_false(smcu_cdc_is_stale(e->seen, m.seq));
	e->seen = m.seq;
	assert_int_equal(smcu_cursor_advance(e->peer_read, e->sent, e->peer_size, m.cons, &pos), 0);
	e->peer_read = pos;
	assert_int_equal(smcu_cursor_advance(e->written, e->read + e->rmb_size, e->rmb_size, m.prod, &pos), 0);
	e->written = pos;
	e->peer_blocked = m.pflags & SMCU_PF_BLOCKED;
	e->peer_flags = m.cflags;
	if (m.cflags & SMCU_CF_ABORT)
		event(e, SMCU_CE_PEER_ABORT);
	else if (m.cflags & SMCU_CF_CLOSED)
		event(e, SMCU_CE_PEER_CLOSED);
	else if (m.cflags & SMCU_CF_DONE)
		event(e, SMCU_CE_PEER_DONE);
	/* A blocked peer whose data was read before its message came must not wait for the next read. */
	if (!(e->cflags & (SMCU_CF_CLOSED | SMCU_CF_ABORT)) &&
	    smcu_rx_announce(e->read, e->announced, e->written, e->rmb_size, e->peer_blocked, false))
		send_cdc(e, false);
	push(e);
}

/* The oldest thing @e has posted takes place. */
static bool carry_out(struct end *e)
{
	struct end *to = e->peer;
	struct op *op;

	if (e->head == e->tail)
		return false;
	op = &e->queue[e->head++ % QUEUE];
	if (op->type == OP_WRITE) {
		CHECK(op->pos + op->len <= to->read + to->rmb_size, "%s: write upon unread bytes", e->name);
		CHECK(op->dst + op->len <= to->rmb_size, "%s: write out of the ring", e->name);
		assert_int_equal(op->dst, op->pos % to->rmb_size);
		memcpy(to->rmb + op->dst, op->data, op->len);
		free(op->data);
	} else {
		u8 cdc[SMCU_CDC_LEN];

		memcpy(cdc, op->cdc, sizeof(cdc));
		e->freed = op->frees;
		receive_cdc(to, cdc);
	}
	return true;
}

static void program_close(struct end *e)
{
	if (e->closing)
		return;
	e->closing = true;
	if (e->written != e->read) {
		/* Unread data: nothing of ours matters any more. */
		e->want_abort = true;
		e->queued = e->sent;
	}
	push(e);
}

static void set_up(u64 *seed, u64 start)
{
	int i;

	memset(ends, 0, sizeof(ends));
	for (i = 0; i < 2; i++) {
		struct end *e = &ends[i];

		e->name = i ? "server" : "client";
		e->salt = rnd64(seed);
		e->peer = &ends[!i];
		e->snd_size = SMCU_RMBE_MIN << rnd(seed, 3);
		e->rmb_size = SMCU_RMBE_MIN << rnd(seed, 3);
		e->snd = calloc(1, e->snd_size);
		e->rmb = calloc(1, e->rmb_size);
		e->seq = e->seen = 0;
		e->start = start;
		e->queued = e->sent = e->freed = e->written = e->read = e->announced = e->peer_read = start;
	}
	ends[0].peer_size = ends[1].rmb_size;
	ends[1].peer_size = ends[0].rmb_size;
	/* Near the point where sequence numbers roll over. */
	ends[0].seq = ends[1].seen = (u16)(0xffff - rnd(seed, 40));
}

static void tear_down(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct end *e = &ends[i];

		for (; e->head != e->tail; e->head++)
			if (e->queue[e->head % QUEUE].type == OP_WRITE)
				free(e->queue[e->head % QUEUE].data);
		free(e->snd);
		free(e->rmb);
	}
}

/* Deliver and read until nothing moves. */
static void settle(u64 *seed)
{
	bool moved = true;
	int i;

	while (moved) {
		moved = false;
		for (i = 0; i < 2; i++) {
			if (program_read(&ends[i], 1 + rnd(seed, 9000)))
				moved = true;
			if (carry_out(&ends[i]))
				moved = true;
			push(&ends[i]);
			if (ends[i].head != ends[i].tail)
				moved = true;
		}
	}
}

static u32 some_size(u64 *seed)
{
	static const u32 most[] = { 3, 100, 5000, 70000 };

	return 1 + rnd(seed, most[rnd(seed, ARRAY_SIZE(most))]);
}

/* One thing happens. */
static void random_step(u64 *seed)
{
	struct end *e = &ends[rnd(seed, 2)];

	switch (rnd(seed, 6)) {
	case 0:
	case 1:
		if (program_write(e, some_size(seed)) && rnd(seed, 4))
			push(e);
		break;
	case 2:
		program_read(e, some_size(seed));
		break;
	default:
		carry_out(e);
		break;
	}
}

static void transfer(u64 seed_value, u64 start)
{
	u64 seed = seed_value * 0x9e3779b97f4a7c15ULL + 1;
	unsigned int step;
	int i;

	set_up(&seed, start);
	for (step = 0; step < 1500; step++)
		random_step(&seed);
	settle(&seed);
	for (i = 0; i < 2; i++) {
		CHECK(ends[i].queued == ends[i].sent, "%s is stuck", ends[i].name);
		CHECK(ends[i].queued == ends[!i].read, "seed %llu: %s lost bytes", (unsigned long long)seed_value, ends[i].name);
		assert_int_equal(ends[i].state, SMCU_CS_ACTIVE);
	}
	assert_true(ends[0].queued > start);
	tear_down();
}

static void test_transfer(void **state)
{
	u64 seed;

	for (seed = 1; seed <= 80; seed++)
		transfer(seed, 0);
}

/* As if 65535 rings had gone by: the wrap count rolls over, later the 32nd bit of the position does. */
static void test_transfer_over_the_wrap(void **state)
{
	u64 seed;

	for (seed = 1; seed <= 30; seed++) {
		transfer(seed, (65536ULL * 65536) - 30000);
		transfer(seed, (65536ULL * 16384) - 30000);
	}
}

/* Close, shutdown or abort at any step; both programs close in the end. */
static void ending(u64 seed_value)
{
	u64 seed = seed_value * 0x9e3779b97f4a7c15ULL + 1;
	unsigned int step, when[2], how[2];
	bool aborted;
	int i;

	set_up(&seed, 0);
	for (i = 0; i < 2; i++) {
		when[i] = rnd(&seed, 120);
		how[i] = rnd(&seed, 3);
	}
	for (step = 0; step < 150; step++) {
		random_step(&seed);
		for (i = 0; i < 2; i++) {
			if (step != when[i])
				continue;
			if (how[i] == 0)
				program_close(&ends[i]);
			if (how[i] == 1) {
				ends[i].shut = true;
				push(&ends[i]);
			}
		}
	}
	settle(&seed);
	/* A program that was told of the end has read all there was before it. */
	for (i = 0; i < 2; i++) {
		struct end *e = &ends[i];

		aborted = (e->cflags | e->peer_flags) & SMCU_CF_ABORT;
		if (e->eof && !aborted && !e->closing)
			CHECK(e->read == e->peer->queued, "seed %llu: %s", (unsigned long long)seed_value, e->name);
		if (e->peer->shut && !e->closing && !e->err)
			CHECK(e->eof, "seed %llu: %s was not told", (unsigned long long)seed_value, e->name);
	}
	for (i = 0; i < 2; i++) {
		program_close(&ends[i]);
		settle(&seed);
	}
	/* Both closed while both windows were shut: nobody reads any more, only the deadline of a close helps. */
	for (i = 0; i < 2; i++) {
		if (ends[i].queued == ends[i].sent)
			continue;
		CHECK(ends[i].peer->closing, "seed %llu: %s is stuck", (unsigned long long)seed_value, ends[i].name);
		ends[i].queued = ends[i].sent;
		ends[i].want_abort = true;
		push(&ends[i]);
		settle(&seed);
	}
	for (i = 0; i < 2; i++) {
		CHECK(ends[i].state == SMCU_CS_CLOSED, "seed %llu: %s is %s", (unsigned long long)seed_value, ends[i].name,
		      smcu_conn_state_name(ends[i].state));
		CHECK(ends[i].cflags & (SMCU_CF_CLOSED | SMCU_CF_ABORT), "%s", ends[i].name);
	}
	tear_down();
}

static void test_ending_at_any_step(void **state)
{
	u64 seed;

	for (seed = 1; seed <= 2000; seed++)
		ending(seed);
}

/* A writer whose peer reads one byte at a time is never forgotten. */
static void test_slow_reader(void **state)
{
	u64 seed = 5, total = 0;
	unsigned int round;

	set_up(&seed, 0);
	for (round = 0; total < 200000; round++) {
		CHECK(round < 100000, "after %llu bytes nothing comes any more", (unsigned long long)total);
		program_write(&ends[0], 100000);
		push(&ends[0]);
		while (carry_out(&ends[0]) || carry_out(&ends[1]))
			;
		total += program_read(&ends[1], 1 + (u32)(total % 97));
	}
	program_close(&ends[0]);
	settle(&seed);
	assert_int_equal(ends[1].read, ends[0].queued);
	assert_true(ends[1].eof);
	tear_down();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_transfer),
	cmocka_unit_test(test_transfer_over_the_wrap),
	cmocka_unit_test(test_ending_at_any_step),
	cmocka_unit_test(test_slow_reader),
};

RUN("model_conn", tests)
