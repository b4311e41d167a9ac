// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "proto/cursor.h"

/* The definition of section 6.3, one byte at a time. */
static void step(struct smcu_cursor *cur, u32 size)
{
	if (++cur->count == size) {
		cur->count = 0;
		cur->wrap++;
	}
}

static void test_at_counts_bytes(void **state)
{
	static const u32 sizes[] = { 1, 2, 16, 16384 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct smcu_cursor want = { 0, 0 };
		u64 pos;

		for (pos = 0; pos < (u64)sizes[i] * 65538 && pos < 3000000; pos++) {
			struct smcu_cursor got = smcu_cursor_at(pos, sizes[i]);

			CHECK(got.wrap == want.wrap && got.count == want.count, "size %u pos %llu", sizes[i],
			      (unsigned long long)pos);
			step(&want, sizes[i]);
		}
	}
}

static void test_wrap_count_rolls_over(void **state)
{
	u32 size;

	for (size = SMCU_RMBE_MIN; size <= smcu_rmbe_size(SMCU_RMBE_CODE_MAX); size *= 2) {
		u64 last = ((u64)size << 16) - 1;
		struct smcu_cursor cur = smcu_cursor_at(last, size);
		u64 pos = 0;

		assert_int_equal(cur.wrap, 0xffff);
		assert_int_equal(cur.count, size - 1);
		cur = smcu_cursor_at(last + 1, size);
		assert_int_equal(cur.wrap, 0);
		assert_int_equal(cur.count, 0);
		assert_int_equal(smcu_cursor_advance(last, last + size, size, cur, &pos), 0);
		assert_true(pos == last + 1);
		assert_int_equal(smcu_cursor_advance(last + 1, last + 1, size, smcu_cursor_at(last, size), &pos), -ESTALE);
	}
}

/* All pairs of a known position and a named one near it, around several turns of the ring and of the wrap count. */
static void test_advance_near(void **state)
{
	static const u32 sizes[] = { 1, 2, 16, 64 };
	unsigned int i, turn;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 size = sizes[i];
		const u64 bases[] = { 0, size, (u64)size * 0xffff, (u64)size << 16, ((u64)size << 16) * 3 };

		for (turn = 0; turn < ARRAY_SIZE(bases); turn++) {
			u64 pos, named, room;

			for (pos = bases[turn]; pos < bases[turn] + 2 * size; pos++)
				for (room = 0; room <= size; room++)
					for (named = pos > 3 * size ? pos - 3 * size : 0; named < pos + 3 * size; named++) {
						u64 got = ~0ULL;
						int err = smcu_cursor_advance(pos, pos + room, size,
									      smcu_cursor_at(named, size), &got);
						int want = named < pos ? -ESTALE : named <= pos + room ? 0 : -EPROTO;

						CHECK(err == want, "size %u pos %llu room %llu named %llu: %d", size,
						      (unsigned long long)pos, (unsigned long long)room,
						      (unsigned long long)named, err);
						CHECK(got == (err ? ~0ULL : named), "pos %llu", (unsigned long long)got);
					}
		}
	}
}

static void test_lies(void **state)
{
	struct smcu_cursor cur = { .wrap = 0, .count = 16384 };
	u64 pos = 7;

	/* out of the ring */
	assert_int_equal(smcu_cursor_advance(0, 16384, 16384, cur, &pos), -EPROTO);
	cur.count = 0xffffffff;
	assert_int_equal(smcu_cursor_advance(0, 16384, 16384, cur, &pos), -EPROTO);
	/* before the beginning: no such byte was ever written */
	cur.wrap = 0xffff;
	cur.count = 16383;
	assert_int_equal(smcu_cursor_advance(0, 16384, 16384, cur, &pos), -EPROTO);
	assert_int_equal(smcu_cursor_advance(100, 16484, 16384, cur, &pos), -EPROTO);
	/* half a cycle away */
	cur.wrap = 0x8000;
	cur.count = 0;
	assert_int_equal(smcu_cursor_advance(0, 16384, 16384, cur, &pos), -EPROTO);
	assert_int_equal(pos, 7);
}

/* A position far in the past is behind, one far in the future is a lie. */
static void test_far(void **state)
{
	const u32 size = 65536;
	const u64 pos = ((u64)size << 16) * 5 + 12345;
	u64 got;

	assert_int_equal(smcu_cursor_advance(pos, pos + size, size, smcu_cursor_at(pos - size * 1000ULL, size), &got), -ESTALE);
	assert_int_equal(smcu_cursor_advance(pos, pos + size, size, smcu_cursor_at(pos + size * 1000ULL, size), &got), -EPROTO);
	/* the whole ring at once: cursor equal but for the wrap count */
	assert_int_equal(smcu_cursor_advance(pos, pos + size, size, smcu_cursor_at(pos + size, size), &got), 0);
	assert_true(got == pos + size);
	/* a repeated cursor is neither */
	assert_int_equal(smcu_cursor_advance(pos, pos + size, size, smcu_cursor_at(pos, size), &got), 0);
	assert_true(got == pos);
}

static void test_ring_sizes(void **state)
{
	u32 bytes;
	u8 code;

	for (code = 0; code <= SMCU_RMBE_CODE_MAX; code++) {
		bytes = smcu_rmbe_size(code);
		assert_int_equal(bytes, 1U << (14 + code));
		assert_int_equal(smcu_rmbe_code(bytes), code);
		if (code)
			assert_int_equal(smcu_rmbe_code(bytes / 2 + 1), code);
		assert_int_equal(smcu_rmbe_code(bytes + 1), code < SMCU_RMBE_CODE_MAX ? code + 1 : code);
	}
	assert_int_equal(smcu_rmbe_code(0), 0);
	assert_int_equal(smcu_rmbe_code(0xffffffff), SMCU_RMBE_CODE_MAX);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_at_counts_bytes),
	cmocka_unit_test(test_wrap_count_rolls_over),
	cmocka_unit_test(test_advance_near),
	cmocka_unit_test(test_lies),
	cmocka_unit_test(test_far),
	cmocka_unit_test(test_ring_sizes),
};

RUN("cursor", tests)
