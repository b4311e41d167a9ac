/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * Bytes that depend on a seed and on their position, so that a lost, doubled, shifted or foreign byte shows at once;
 * and a checksum of them that does not depend on how the stream was cut into reads.
 */
#ifndef SMCU_PATTERN_H
#define SMCU_PATTERN_H

#include <stddef.h>
#include <stdint.h>

struct pattern_sum {
	uint64_t sum;
	uint64_t word;		/* bytes of a word not yet complete */
	unsigned int fill;	/* how many */
};

void pattern_fill(uint64_t seed, uint64_t pos, void *buf, size_t len);

/* Offset in @buf of the first wrong byte, or -1. */
ptrdiff_t pattern_check(uint64_t seed, uint64_t pos, const void *buf, size_t len);

void pattern_sum_add(struct pattern_sum *s, const void *buf, size_t len);

/* The value so far; does not end the sum. */
uint64_t pattern_sum_value(const struct pattern_sum *s);

/* Small generator for sizes and choices; @state must not be 0. */
uint64_t pattern_random(uint64_t *state);

#endif
