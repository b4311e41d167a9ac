// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "proto/synopt.h"

#define SMC 0xfe, 6, 0xe2, 0xd4, 0xc3, 0xd9

static int find(const u8 *opts, size_t len)
{
	u8 *p = exact_copy(opts, len);
	int at = smcu_synopt_find(p, len);

	free(p);
	return at;
}

#define FIND(...) ({ static const u8 o_[] = { __VA_ARGS__ }; find(o_, sizeof(o_)); })

static void test_write(void **state)
{
	static const u8 want[SMCU_SYNOPT_LEN] = { 1, 1, SMC };
	u8 p[SMCU_SYNOPT_LEN];

	smcu_synopt_write(p);
	assert_memory_equal(p, want, sizeof(want));
	assert_int_equal(smcu_synopt_find(p, sizeof(p)), 2);
}

static void test_found(void **state)
{
	assert_int_equal(FIND(SMC), 0);
	/* a SYN as Linux sends it: MSS, SACK permitted, timestamps, NOP, window scale, SMC */
	assert_int_equal(FIND(2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7, 1, 1, SMC), 22);
	/* another experiment before ours */
	assert_int_equal(FIND(0xfe, 4, 0xf9, 0x89, SMC), 4);
	assert_int_equal(FIND(0xfe, 8, 1, 2, 3, 4, 5, 6, 1, SMC), 9);
	/* longer than needed */
	assert_int_equal(FIND(0xfe, 8, 0xe2, 0xd4, 0xc3, 0xd9, 0, 0), 0);
	/* what follows does not matter */
	assert_int_equal(FIND(SMC, 0, 0), 0);
	assert_int_equal(FIND(SMC, 3, 0), 0);
}

static void test_not_found(void **state)
{
	assert_int_equal(find((const u8 *)"", 0), -ENOENT);
	assert_int_equal(FIND(1, 1, 1, 1), -ENOENT);
	assert_int_equal(FIND(0xfe, 6, 0xe2, 0xd4, 0xc3, 0xc4), -ENOENT);
	assert_int_equal(FIND(0xfd, 6, 0xe2, 0xd4, 0xc3, 0xd9), -ENOENT);
	assert_int_equal(FIND(0xfe, 7, 0xe2, 0xd4, 0xc3, 0xd9, 0), -ENOENT);
	assert_int_equal(FIND(0xfe, 5, 0xe2, 0xd4, 0xc3, 0xd9), -ENOENT);
	/* end of options */
	assert_int_equal(FIND(0, SMC), -ENOENT);
	/* malformed before ours */
	assert_int_equal(FIND(3, 0, SMC), -ENOENT);
	assert_int_equal(FIND(3, 1, SMC), -ENOENT);
	assert_int_equal(FIND(3, 40, SMC), -ENOENT);
	assert_int_equal(FIND(3), -ENOENT);
}

static void test_truncated(void **state)
{
	static const u8 whole[] = { 1, 1, SMC };
	size_t len;

	for (len = 0; len < sizeof(whole); len++)
		CHECK(find(whole, len) == -ENOENT, "%zu bytes", len);
}

static void test_corrupted(void **state)
{
	static const u8 whole[] = { 2, 4, 5, 180, 1, 1, SMC };
	unsigned int at, value;

	for (at = 0; at < sizeof(whole); at++)
		for (value = 0; value < 256; value++) {
			u8 p[sizeof(whole)];
			int pos;

			memcpy(p, whole, sizeof(p));
			p[at] = (u8)value;
			pos = find(p, sizeof(p));
			CHECK(pos == -ENOENT || (pos >= 0 && pos + 6 <= (int)sizeof(p)), "byte %u = %u", at, value);
			if (at >= 6)
				CHECK((pos == 6) == (value == whole[at]), "byte %u = %u", at, value);
		}
}

static void test_random(void **state)
{
	u64 seed = 254;
	unsigned int round, i;

	for (round = 0; round < 100000; round++) {
		static const u8 likely[] = { 0, 1, 2, 4, 6, 8, 0xfe, 0xe2, 0xd4, 0xc3, 0xd9 };
		u8 p[40];
		size_t len = rnd(&seed, sizeof(p) + 1);
		int pos;

		for (i = 0; i < len; i++)
			p[i] = rnd(&seed, 4) ? likely[rnd(&seed, sizeof(likely))] : (u8)rnd(&seed, 256);
		pos = find(p, len);
		CHECK(pos < 0 || (p[pos] == 0xfe && pos + p[pos + 1] <= (int)len), "round %u", round);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_write),
	cmocka_unit_test(test_found),
	cmocka_unit_test(test_not_found),
	cmocka_unit_test(test_truncated),
	cmocka_unit_test(test_corrupted),
	cmocka_unit_test(test_random),
};

RUN("synopt", tests)
