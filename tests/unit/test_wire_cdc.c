// SPDX-License-Identifier: GPL-2.0
#include "check.h"
#include "vectors.h"
#include "proto/wire_cdc.h"

static void test_samples(void **state)
{
	struct smcu_cdc m;
	u8 out[SMCU_CDC_LEN];

	assert_int_equal(smcu_cdc_decode(vec_cdc_data, sizeof(vec_cdc_data), &m), 0);
	assert_int_equal(m.seq, 1);
	assert_int_equal(m.token, 1);
	assert_int_equal(m.prod.wrap, 0);
	assert_int_equal(m.prod.count, 100);
	assert_int_equal(m.cons.wrap, 0);
	assert_int_equal(m.cons.count, 0);
	assert_int_equal(m.pflags, 0);
	assert_int_equal(m.cflags, 0);
	memset(out, 0xff, sizeof(out));
	smcu_cdc_encode(out, &m);
	assert_memory_equal(out, vec_cdc_data, SMCU_CDC_LEN);

	assert_int_equal(smcu_cdc_decode(vec_cdc_close, sizeof(vec_cdc_close), &m), 0);
	assert_int_equal(m.seq, 2);
	assert_int_equal(m.cflags, SMCU_CF_CLOSED);
	smcu_cdc_encode(out, &m);
	assert_memory_equal(out, vec_cdc_close, SMCU_CDC_LEN);
}

static void test_every_field(void **state)
{
	const struct smcu_cdc in = {
		.seq = 0x0102, .token = 0x03040506, .prod = { .wrap = 0x0708, .count = 0x090a0b0c },
		.cons = { .wrap = 0x0d0e, .count = 0x0f101112 }, .pflags = 0x13, .cflags = 0x14,
	};
	static const u8 want[SMCU_CDC_LEN] = {
		0xfe, 0x2c, 1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0, 13, 14, 15, 16, 17, 18, 0x13, 0x14,
	};
	struct smcu_cdc out;
	u8 buf[SMCU_CDC_LEN];

	smcu_cdc_encode(buf, &in);
	assert_memory_equal(buf, want, sizeof(want));
	assert_int_equal(smcu_cdc_decode(buf, sizeof(buf), &out), 0);
	assert_int_equal(out.seq, in.seq);
	assert_int_equal(out.token, in.token);
	assert_int_equal(out.prod.wrap, in.prod.wrap);
	assert_int_equal(out.prod.count, in.prod.count);
	assert_int_equal(out.cons.wrap, in.cons.wrap);
	assert_int_equal(out.cons.count, in.cons.count);
	assert_int_equal(out.pflags, in.pflags);
	assert_int_equal(out.cflags, in.cflags);
}

static void test_truncated(void **state)
{
	size_t len;

	for (len = 0; len <= SMCU_CDC_LEN; len++) {
		u8 *p = exact_copy(vec_cdc_data, len);
		struct smcu_cdc m;

		CHECK(smcu_cdc_decode(p, len, &m) == (len < 26 ? -EPROTO : 0), "%zu bytes", len);
		free(p);
	}
}

static void test_corrupted(void **state)
{
	unsigned int at, value;

	for (at = 0; at < SMCU_CDC_LEN; at++)
		for (value = 0; value < 256; value++) {
			u8 *p = exact_copy(vec_cdc_data, SMCU_CDC_LEN);
			struct smcu_cdc m;
			int err;

			p[at] = (u8)value;
			err = smcu_cdc_decode(p, SMCU_CDC_LEN, &m);
			CHECK(!err == (p[0] == 0xfe && p[1] == 44), "byte %u = %u", at, value);
			free(p);
		}
}

static void test_stale(void **state)
{
	static const u16 at[] = { 0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff };
	unsigned int i, ahead;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		for (ahead = 0; ahead < 0x10000; ahead++)
			CHECK(smcu_cdc_is_stale(at[i], (u16)(at[i] + ahead)) == (ahead >= 0x8000), "%u ahead of %u", ahead, at[i]);
	assert_false(smcu_cdc_is_stale(0, 1));
	assert_false(smcu_cdc_is_stale(0xffff, 0));
	assert_true(smcu_cdc_is_stale(0, 0xffff));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_samples),
	cmocka_unit_test(test_every_field),
	cmocka_unit_test(test_truncated),
	cmocka_unit_test(test_corrupted),
	cmocka_unit_test(test_stale),
};

RUN("wire_cdc", tests)
