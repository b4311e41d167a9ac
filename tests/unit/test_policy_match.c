// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Deciding: the compiled image with the programs' own matcher against the interpreter, over policies made to collide. */
#include <arpa/inet.h>

#include "check.h"
#include "policy/ast.h"

static struct smcpol *load(const char *text)
{
	struct smcpol_diag *diag = smcpol_diag_new();
	struct smcpol *policy = smcpol_load("p.yaml", text, strlen(text), diag);

	CHECK(policy, "%s%s", smcpol_diag_text(diag), text);
	smcpol_diag_free(diag);
	return policy;
}

static void flow_dst(struct smcu_flow *flow, const char *addr)
{
	u32 a[4];

	if (inet_pton(AF_INET, addr, flow->dst) == 1) {
		flow->dst_af = 4;
	} else {
		assert_int_equal(inet_pton(AF_INET6, addr, a), 1);
		flow->dst_af = smcu_match_addr6(flow->dst, a[0], a[1], a[2], a[3]);
	}
}

static int decide(const struct smcpol *policy, const struct smcu_flow *flow)
{
	struct smcpol_image *image = smcpol_compile(policy);
	int by_image, by_text = smcpol_eval(policy, flow);

	assert_non_null(image);
	by_image = smcpol_image_match(image, flow);
	CHECK(by_image == by_text, "image says %d, interpreter %d", by_image, by_text);
	smcpol_image_free(image);
	return by_image;
}

/* The examples of include/uapi/smc_ulp_policy.h. */
static void test_documented_examples(void **state)
{
	struct smcpol *policy = load("version: 1\nrules:\n"
				     "- { name: r0, match: { dst: 10.1.0.0/16 }, action: tcp }\n"
				     "- { name: r1, match: { dst: 10.0.0.0/8, port: 5000-5003 }, action: smc }\n"
				     "- { name: r2, match: { direction: in }, action: smc }\n");
	struct smcu_flow out = { .dir = SMCU_DIR_OUT, .port = 5000 };
	struct smcu_flow in = { .dir = SMCU_DIR_IN, .port = 5000, .src_af = 4 };

	flow_dst(&out, "10.1.2.3");
	assert_int_equal(decide(policy, &out), 0);
	flow_dst(&out, "10.2.2.3");
	out.port = 5003;
	assert_int_equal(decide(policy, &out), 1);
	flow_dst(&out, "::ffff:10.2.2.3");
	assert_int_equal(decide(policy, &out), 1);
	out.port = 80;
	assert_int_equal(decide(policy, &out), SMCU_NO_MATCH);
	assert_int_equal(decide(policy, &in), 2);
	smcpol_free(policy);
}

static void test_families_do_not_mix(void **state)
{
	struct smcpol *policy = load("version: 1\nrules:\n"
				     "- { name: v4, match: { dst: 0.0.0.0/0 }, action: smc }\n"
				     "- { name: v6, match: { dst: \"::/0\" }, action: smc }\n");
	struct smcu_flow flow = { .dir = SMCU_DIR_OUT };

	flow_dst(&flow, "0.0.0.0");
	assert_int_equal(decide(policy, &flow), 0);
	flow_dst(&flow, "::");
	assert_int_equal(decide(policy, &flow), 1);
	flow_dst(&flow, "::ffff:1.2.3.4");
	assert_int_equal(decide(policy, &flow), 0);
	flow.dst_af = 0;
	assert_int_equal(decide(policy, &flow), SMCU_NO_MATCH);
	smcpol_free(policy);
}

static void test_lowest_bit(void **state)
{
	u64 seed = 1;
	u32 i, j;

	for (i = 0; i < 64; i++) {
		assert_int_equal(smcu_match_lowest(1ULL << i), i);
		for (j = 0; j < 100; j++) {
			u64 x = (rnd64(&seed) | 1) << i;

			assert_int_equal(smcu_match_lowest(x), i);
		}
	}
}

struct cover {
	u32 next;
	bool ok;
	unsigned int bits;
};

static void covers(void *arg, __u32 value, unsigned int plen)
{
	struct cover *c = arg;

	/* In order, without gap or overlap, each aligned to its size. */
	c->ok &= value == c->next && plen <= c->bits && !(value & ((1ULL << (c->bits - plen)) - 1));
	c->next = value + (u32)(1ULL << (c->bits - plen));
}

static void test_ranges_become_prefixes(void **state)
{
	u64 seed = 2;
	u32 i;

	for (i = 0; i < 20000; i++) {
		u32 bits = i & 1 ? 16 : 32, max = bits == 16 ? 0xffff : 0xffffffff;
		u32 a = (u32)rnd64(&seed) & max, b = (u32)rnd64(&seed) & max;
		struct range range = { a < b ? a : b, a < b ? b : a };
		struct cover c;
		u32 n;

		if (i < 8) {
			range.lo = i & 2 ? 0 : 1;
			range.hi = i & 4 ? max : max - 1;
		}
		c = (struct cover){ range.lo, true, bits };
		n = range_prefixes(range, bits, covers, &c);
		/* The end wraps to 0 where the range ends at 2^32 - 1. */
		CHECK(c.ok && c.next == range.hi + 1, "%u-%u/%u ends at %u", range.lo, range.hi, bits, c.next);
		CHECK(n <= 2 * bits - 2 || n == 1, "%u prefixes for %u-%u", n, range.lo, range.hi);
	}
}

/* One rule in each 64, with the same summary bits but no common rule until the last: every round of the loop runs. */
static void test_summary_is_only_a_hint(void **state)
{
	static struct smcu_policy_bits sets[2];
	const struct smcu_policy_bits *at[SMCU_DIM_COUNT];
	int i;

	for (i = 0; i < SMCU_POLICY_WORDS; i++) {
		sets[0].summary |= 1ULL << i;
		sets[1].summary |= 1ULL << i;
		sets[0].word[i] = 1ULL << 3;
		sets[1].word[i] = 1ULL << 4;
	}
	for (i = 0; i < SMCU_DIM_COUNT; i++)
		at[i] = &sets[i & 1];
	assert_int_equal(smcu_match_first(at), SMCU_NO_MATCH);
	sets[1].word[SMCU_POLICY_WORDS - 1] |= 1ULL << 3;
	assert_int_equal(smcu_match_first(at), (SMCU_POLICY_WORDS - 1) * 64 + 3);
}

static void test_last_of_4096_rules(void **state)
{
	struct smcu_flow flow = { .dir = SMCU_DIR_OUT };
	struct smcpol *policy;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int i;

	fputs("version: 1\nrules:\n", f);
	for (i = 0; i < SMCU_POLICY_MAX_RULES; i++)
		fprintf(f, "- {name: r%d, match: {dst: 10.%d.%d.0/24, port: %d}, action: smc}\n", i, i / 256, i % 256, i);
	fclose(f);
	policy = load(text);
	free(text);

	flow_dst(&flow, "10.15.255.9");
	flow.port = 4095;
	assert_int_equal(decide(policy, &flow), 4095);
	flow.port = 4094;
	assert_int_equal(decide(policy, &flow), SMCU_NO_MATCH);
	smcpol_free(policy);
}

/* Few values, so that rules overlap, nest and hide each other. */
static void random_addr(FILE *f, u64 *seed, bool prefix)
{
	static const u8 plens4[] = { 0, 1, 8, 9, 15, 16, 17, 24, 31, 32 };
	static const u8 plens6[] = { 0, 1, 16, 17, 48, 63, 64, 65, 127, 128 };
	u8 addr[16] = { 0 };
	char text[64];
	u32 plen, i, bytes;
	bool v6 = rnd(seed, 3) == 0;

	addr[0] = v6 ? 0xfd : 10;
	addr[1] = rnd(seed, 2);
	addr[v6 ? 8 : 2] = rnd(seed, 2) << rnd(seed, 8);
	addr[v6 ? 15 : 3] = rnd(seed, 4);
	bytes = v6 ? 16 : 4;
	plen = prefix ? (v6 ? plens6 : plens4)[rnd(seed, 10)] : 8 * bytes;
	for (i = 0; i < 8 * bytes; i++) {
		if (i >= plen)
			addr[i / 8] &= ~(0x80 >> i % 8);
	}
	inet_ntop(v6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	fprintf(f, "\"%s", text);
	if (prefix)
		fprintf(f, "/%u", plen);
	fputc('"', f);
}

static void random_list(FILE *f, u64 *seed, const char *key, bool *first, bool is_addr, u32 max)
{
	u32 n = rnd(seed, 3) + 1, i;

	fprintf(f, "%s%s: [", *first ? "" : ", ", key);
	*first = false;
	for (i = 0; i < n; i++) {
		fputs(i ? ", " : "", f);
		if (is_addr) {
			random_addr(f, seed, rnd(seed, 4));
		} else {
			u32 lo = rnd(seed, max), hi = lo + rnd(seed, max - lo);

			fprintf(f, rnd(seed, 2) ? "%u-%u" : "%u", lo, hi);
		}
	}
	fputc(']', f);
}

static char *random_policy(u64 *seed)
{
	u32 rules = rnd(seed, 4) ? rnd(seed, 12) : rnd(seed, 200), i;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fprintf(f, "version: 1\ndefault: %s\nrules:%s\n", rnd(seed, 2) ? "smc" : "tcp", rules ? "" : " []");
	for (i = 0; i < rules; i++) {
		u32 dirs = rnd(seed, 8);
		bool first = true;

		fprintf(f, "- { name: r%u, match: { ", i);
		if (dirs < 3) {
			fprintf(f, "direction: %s", dirs == 0 ? "in" : dirs == 1 ? "out" : "[in, out]");
			first = false;
		}
		if (dirs && rnd(seed, 2))
			random_list(f, seed, "dst", &first, true, 0);
		if (!rnd(seed, 3))
			random_list(f, seed, "src", &first, true, 0);
		if (rnd(seed, 2))
			random_list(f, seed, "port", &first, false, rnd(seed, 2) ? 16 : 65536);
		if (!rnd(seed, 4))
			random_list(f, seed, "pid", &first, false, 64);
		fprintf(f, " }, action: %s }\n", rnd(seed, 2) ? "smc" : "tcp");
	}
	fclose(f);
	return text;
}

static u8 random_flow_addr(u32 *to, u64 *seed)
{
	u8 addr[16] = { 0 };
	bool v6 = rnd(seed, 3) == 0;

	if (!rnd(seed, 4))
		return 0;
	addr[0] = v6 ? 0xfd : rnd(seed, 8) ? 10 : 0;
	addr[1] = rnd(seed, 2);
	addr[v6 ? 8 : 2] = rnd(seed, 2) << rnd(seed, 8);
	addr[v6 ? 15 : 3] = rnd(seed, 4);
	memcpy(to, addr, sizeof(addr));
	return v6 ? 6 : 4;
}

static void test_image_agrees_with_interpreter(void **state)
{
	u64 seed = 3;
	u32 i, j, hits = 0, total = 0;

	for (i = 0; i < 400; i++) {
		char *text = random_policy(&seed);
		struct smcpol *policy = load(text);
		struct smcpol_image *image = smcpol_compile(policy);

		assert_non_null(image);
		for (j = 0; j < 100; j++) {
			struct smcu_flow flow = { 0 };
			int a, b;

			flow.dir = rnd(&seed, 2) ? SMCU_DIR_OUT : SMCU_DIR_IN;
			if (flow.dir == SMCU_DIR_OUT)
				flow.dst_af = random_flow_addr(flow.dst, &seed);
			flow.src_af = random_flow_addr(flow.src, &seed);
			flow.port = rnd(&seed, 2) ? rnd(&seed, 16) : rnd(&seed, 65536);
			flow.pid = rnd(&seed, 64);
			a = smcpol_eval(policy, &flow);
			b = smcpol_image_match(image, &flow);
			if (a != b)
				print_message("%s", text);
			CHECK(a == b, "policy %u flow %u: interpreter %d, image %d", i, j, a, b);
			hits += a >= 0;
			total++;
		}
		smcpol_image_free(image);
		smcpol_free(policy);
		free(text);
	}
	/* A generator that matches never or always would prove nothing. */
	CHECK(hits > total / 5 && hits < total * 4 / 5, "%u of %u flows matched a rule", hits, total);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_documented_examples),
	cmocka_unit_test(test_families_do_not_mix),
	cmocka_unit_test(test_lowest_bit),
	cmocka_unit_test(test_ranges_become_prefixes),
	cmocka_unit_test(test_summary_is_only_a_hint),
	cmocka_unit_test(test_last_of_4096_rules),
	cmocka_unit_test(test_image_agrees_with_interpreter),
};

RUN("policy_match", tests)
