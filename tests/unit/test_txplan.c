// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "proto/txplan.h"

enum {
	RING_MAX = 16,
};

/* Byte by byte: which byte of the send ring must land where; a new piece begins where either ring wraps. */
static void check_plan(u64 sent, u32 pending, u32 flight, u32 src_size, u32 dst_size)
{
	struct smcu_txplan plan;
	u32 i, len, n = 0, piece = 0, off = 0;

	memset(&plan, 0xaa, sizeof(plan));
	smcu_txplan(sent, sent + pending, sent - flight, src_size, dst_size, &plan);
	len = pending < dst_size - flight ? pending : dst_size - flight;
	CHECK(plan.len == len, "len %u, not %u", plan.len, len);
	CHECK(plan.blocked == (pending >= dst_size - flight), "pending %u flight %u", pending, flight);

	for (i = 0; i < len; i++) {
		u32 src = (u32)((sent + i) % src_size);
		u32 dst = (u32)((sent + i) % dst_size);

		if (!i || !src || !dst)
			n++;
		CHECK(piece < plan.n && plan.piece[piece].src + off == src && plan.piece[piece].dst + off == dst,
		      "sent %llu byte %u piece %u", (unsigned long long)sent, i, piece);
		if (++off == plan.piece[piece].len) {
			piece++;
			off = 0;
		}
	}
	CHECK(plan.n == n && piece == n && !off, "%u pieces, not %u", plan.n, n);
}

static void test_exhaustive(void **state)
{
	u32 src, dst, sent, pending, flight;

	for (src = 1; src <= RING_MAX; src *= 2)
		for (dst = 1; dst <= RING_MAX; dst *= 2)
			for (sent = RING_MAX; sent < 3 * RING_MAX; sent++)
				for (pending = 0; pending <= src; pending++)
					for (flight = 0; flight <= dst; flight++)
						check_plan(sent, pending, flight, src, dst);
}

static void test_far_positions(void **state)
{
	static const u64 bases[] = { 0xffffffffULL, 0x100000000ULL, 65536ULL * 65536, 0x7fffffffffffULL };
	unsigned int i;
	u64 seed = 42;

	for (i = 0; i < 20000; i++) {
		u32 src = 1U << (1 + rnd(&seed, 12));
		u32 dst = 1U << (1 + rnd(&seed, 12));

		check_plan(bases[i % ARRAY_SIZE(bases)] - 5000 + rnd(&seed, 10000), rnd(&seed, src + 1), rnd(&seed, dst + 1), src, dst);
	}
}

/* With powers of two the larger ring wraps only where the smaller does: two pieces suffice. */
static void test_pieces(void **state)
{
	struct smcu_txplan plan;

	smcu_txplan(12, 12 + 16, 12, 16, 8, &plan);
	assert_int_equal(plan.n, 2);
	assert_int_equal(plan.piece[0].src, 12);
	assert_int_equal(plan.piece[0].dst, 4);
	assert_int_equal(plan.piece[0].len, 4);
	assert_int_equal(plan.piece[1].src, 0);
	assert_int_equal(plan.piece[1].dst, 0);
	assert_int_equal(plan.piece[1].len, 4);
	assert_true(plan.blocked);
	smcu_txplan(26, 26 + 16, 26, 16, 32, &plan);
	assert_int_equal(plan.n, 2);
	assert_int_equal(plan.len, 16);
	assert_false(plan.blocked);
	smcu_txplan(0, 16, 0, 16, 16, &plan);
	assert_int_equal(plan.n, 1);
	assert_true(plan.blocked);		/* it fits exactly */
}

/* Positions that contradict each other must not make a write outside of a ring. */
static void test_broken_positions(void **state)
{
	struct smcu_txplan plan;

	smcu_txplan(10, 5, 10, 16, 16, &plan);
	assert_int_equal(plan.len, 0);
	smcu_txplan(40, 50, 10, 16, 16, &plan);
	assert_int_equal(plan.len, 0);
	smcu_txplan(0, 1000, 0, 16, 64, &plan);
	assert_int_equal(plan.len, 16);
}

/*
 * Section 6.5 in words: more than a tenth, at least 2304 bytes, and a reason for the peer to care; and not before half the ring can
 * be told, or little is left to be read.
 */
static void test_announce(void **state)
{
	static const u32 sizes[] = { 16384, 65536, 524288 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 size = sizes[i], limit = size / 10 > 2304 ? size / 10 : 2304;
		const u32 reads[] = { 0, 1, limit, limit + 1, size / 2, size };

		for (j = 0; j < ARRAY_SIZE(reads); j++) {
			u32 written;

			for (written = reads[j]; written <= size; written += 512) {
				bool worth = reads[j] > limit && (reads[j] >= size / 2 || written - reads[j] <= size / 4);
				bool due = worth && size - written <= size / 2;
				u64 base = 0xfffffffff0ULL;

				assert_true(smcu_rx_announce(base + reads[j], base, base + written, size, false, true));
				assert_int_equal(smcu_rx_announce(base + reads[j], base, base + written, size, false, false), due);
				assert_int_equal(smcu_rx_announce(base + reads[j], base, base + written, size, true, false), worth);
			}
		}
	}
}

/* A blocked peer whose data was all read is always told: nobody waits for ever. */
static void test_announce_never_starves(void **state)
{
	u8 code;

	for (code = 0; code <= SMCU_RMBE_CODE_MAX; code++) {
		u32 size = smcu_rmbe_size(code);

		u32 read;

		assert_true(smcu_rx_announce(size, 0, size, size, true, false));
		assert_true(smcu_rx_announce(size, 0, size, size, false, false));
		/* Whoever waits for half a ring of unread bytes (poll with SO_RCVLOWAT) has them, as long as nothing is announced. */
		for (read = 0; read <= size; read += 512)
			assert_true(smcu_rx_announce(read, 0, size, size, true, false) || size - read >= size / 2);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_exhaustive),
	cmocka_unit_test(test_far_positions),
	cmocka_unit_test(test_pieces),
	cmocka_unit_test(test_broken_positions),
	cmocka_unit_test(test_announce),
	cmocka_unit_test(test_announce_never_starves),
};

RUN("txplan", tests)
