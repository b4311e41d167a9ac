// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>

#include "check.h"
#include "proto/reason.h"

struct expect {
	const char *name;
	u32 code;
};

static const struct expect list[] = {
#define X(name, code, text) { #name, code },
	SMCU_REASONS(X)
#undef X
};

static void test_names_follow_the_enum(void **state)
{
	unsigned int r, i;

	assert_int_equal(ARRAY_SIZE(list), SMCU_R_COUNT);
	for (r = 0; r < SMCU_R_COUNT; r++) {
		const char *name = smcu_reason_name(r);

		assert_int_equal(strlen(name), strlen(list[r].name));
		for (i = 0; name[i]; i++)
			CHECK(name[i] == tolower((unsigned char)list[r].name[i]), "%s: %s", list[r].name, name);
	}
}

static void test_codes(void **state)
{
	unsigned int r, other;

	for (r = 0; r < SMCU_R_COUNT; r++) {
		assert_int_equal(smcu_reason_code(r), list[r].code);
		assert_true(strlen(smcu_reason_text(r)) > 3);
		for (other = 0; other < r; other++) {
			CHECK(smcu_reason_code(r) != smcu_reason_code(other), "%s", list[r].name);
			CHECK(strcmp(smcu_reason_text(r), smcu_reason_text(other)), "%s", list[r].name);
		}
	}
	assert_int_equal(smcu_reason_code(SMCU_R_NO_DEVICE), 0x03030000);
	assert_int_equal(smcu_reason_code(SMCU_R_SYNC), 0x04000000);
}

static void test_from_code(void **state)
{
	unsigned int r;

	for (r = 0; r < SMCU_R_COUNT; r++) {
		u32 code = smcu_reason_code(r);
		bool known = code && code < 0x10000000;

		CHECK(smcu_reason_from_code(code) == (known ? r : SMCU_R_PEER_DECLINED), "%s", list[r].name);
	}
	assert_int_equal(smcu_reason_from_code(0x99990000), SMCU_R_PEER_DECLINED);
	assert_int_equal(smcu_reason_from_code(0xffffffff), SMCU_R_PEER_DECLINED);
	assert_int_equal(smcu_reason_from_code(1), SMCU_R_PEER_DECLINED);
}

static void test_is_wire(void **state)
{
	unsigned int r, local = 0;

	for (r = 0; r < SMCU_R_COUNT; r++) {
		if (smcu_reason_is_wire(r))
			CHECK(smcu_reason_code(r) && smcu_reason_code(r) <= 0x0fffffff, "%s", list[r].name);
		else
			local++;
	}
	assert_false(smcu_reason_is_wire(SMCU_R_NONE));
	assert_false(smcu_reason_is_wire(SMCU_R_PEER_DECLINED));
	assert_false(smcu_reason_is_wire(SMCU_R_FASTOPEN));
	assert_false(smcu_reason_is_wire(SMCU_R_NOT_CLC));
	assert_true(smcu_reason_is_wire(SMCU_R_NO_EID));
	assert_true(smcu_reason_is_wire(SMCU_R_RKEY_CONFIRM));
	assert_int_equal(local, 3 + 4);
}

static void test_out_of_range(void **state)
{
	enum smcu_reason r = (enum smcu_reason)SMCU_R_COUNT;

	assert_string_equal(smcu_reason_name(r), "unknown");
	assert_non_null(smcu_reason_text(r));
	assert_int_equal(smcu_reason_code(r), 0x09990000);
	assert_false(smcu_reason_is_wire(r));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_names_follow_the_enum),
	cmocka_unit_test(test_codes),
	cmocka_unit_test(test_from_code),
	cmocka_unit_test(test_is_wire),
	cmocka_unit_test(test_out_of_range),
};

RUN("reason", tests)
