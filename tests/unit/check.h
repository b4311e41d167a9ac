/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every unit test includes: cmocka, a reproducible source of randomness, and messages in memory that ends exactly
 * where they do, so that the address sanitizer sees a decoder's every step too far.
 */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/base.h"

/* A failing assertion whose message names the case. */
#define CHECK(cond, ...) \
	do { \
		if (!(cond)) { \
			char why_[256]; \
			snprintf(why_, sizeof(why_), __VA_ARGS__); \
			fail_msg("%s: %s", #cond, why_); \
		} \
	} while (0)

static inline u64 rnd64(u64 *state)
{
	u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* 0 to n - 1 */
static inline u32 rnd(u64 *state, u32 n)
{
	return (u32)((rnd64(state) >> 16) % n);
}

static inline u8 *exact_copy(const u8 *bytes, size_t len)
{
	u8 *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, bytes, len);
	return p;
}

#define RUN(group, tests) \
	int main(void) \
	{ \
		/* cmocka's reasons go to stderr: keep them before the verdict they belong to. */ \
		setvbuf(stdout, NULL, _IOLBF, 0); \
		cmocka_set_message_output(CM_OUTPUT_TAP); \
		return cmocka_run_group_tests_name(group, tests, NULL, NULL); \
	}

#endif
