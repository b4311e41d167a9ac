// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
#include "pattern.h"

#include <string.h>

static uint64_t pattern_word(uint64_t seed, uint64_t index)
{
	uint64_t x = (seed + index) * 0x9e3779b97f4a7c15ull;

	return x ^ (x >> 29);
}

void pattern_fill(uint64_t seed, uint64_t pos, void *buf, size_t len)
{
	unsigned char *out = buf;

	while (len) {
		uint64_t word = pattern_word(seed, pos / 8);
		size_t skip = pos % 8, n = 8 - skip;

		if (n > len)
			n = len;
		if (n == 8)
			memcpy(out, &word, 8);
		else
			memcpy(out, (char *)&word + skip, n);
		out += n;
		pos += n;
		len -= n;
	}
}

ptrdiff_t pattern_check(uint64_t seed, uint64_t pos, const void *buf, size_t len)
{
	const unsigned char *in = buf;
	size_t off = 0;

	while (off < len) {
		unsigned char want[4096];
		size_t n = len - off < sizeof(want) ? len - off : sizeof(want);

		pattern_fill(seed, pos + off, want, n);
		if (memcmp(want, in + off, n)) {
			for (size_t i = 0; i < n; i++)
				if (want[i] != in[off + i])
					return off + i;
		}
		off += n;
	}
	return -1;
}

static void sum_word(struct pattern_sum *s, uint64_t word)
{
	uint64_t x = s->sum ^ word;

	s->sum = ((x << 23) | (x >> 41)) * 0x2545f4914f6cdd1dull;
}

void pattern_sum_add(struct pattern_sum *s, const void *buf, size_t len)
{
	const unsigned char *in = buf;

	while (len) {
		if (!s->fill && len >= 8) {
			uint64_t word;

			memcpy(&word, in, 8);
			sum_word(s, word);
			in += 8;
			len -= 8;
			continue;
		}
		s->word |= (uint64_t)*in++ << (8 * s->fill++);
		len--;
		if (s->fill == 8) {
			sum_word(s, s->word);
			s->word = 0;
			s->fill = 0;
		}
	}
}

uint64_t pattern_sum_value(const struct pattern_sum *s)
{
	struct pattern_sum end = *s;

	if (end.fill)
		sum_word(&end, end.word ^ ((uint64_t)end.fill << 60));
	return end.sum;
}

uint64_t pattern_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
