// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
/* Deciding: the compiled image with the programs' own matcher against the interpreter, over policies made to collide. */
#include <arpa/inet.h>

#include "check.h"
#include "policy/ast.h"

#define KNOWN_OUT ((1U << SMCU_DIM_COUNT) - 1 - (1U << SMCU_DIM_SRC) - (1U << SMCU_DIM_CGROUP))
#define KNOWN_IN ((1U << SMCU_DIM_COUNT) - 1 - (1U << SMCU_DIM_DST) - (1U << SMCU_DIM_CGROUP))

static struct smcpol *load(const char *text)
{
	struct smcpol_diag *diag = smcpol_diag_new();
	struct smcpol *policy = smcpol_load("p.yaml", text, strlen(text), diag);

	CHECK(policy, "%s%s", smcpol_diag_text(diag), text);
	smcpol_diag_free(diag);
	return policy;
}

static struct smcpol_image *compile(const struct smcpol *policy)
{
	struct smcpol_image *image = smcpol_compile(policy);

	assert_non_null(image);
	assert_true(smcpol_image_reserve(image, 64));
	return image;
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

/* The image must say what the interpreter says. cgroup may be NULL. */
static int decide_by(const struct smcpol *policy, struct smcpol_image *image, const struct smcu_flow *flow,
		     const char *cgroup)
{
	int by_image, by_text = smcpol_eval(policy, flow, cgroup);
	struct smcu_policy_cgroup sets;
	struct smcu_flow full = *flow;

	if (cgroup) {
		assert_true(smcpol_image_cgroup(image->blocks, policy, cgroup, &sets));
		full.cgroup = sets.self;
		full.known |= 1U << SMCU_DIM_CGROUP;
	}
	by_image = smcpol_image_match(image, &full);
	CHECK(by_image == by_text, "image says %d, interpreter %d", by_image, by_text);
	return by_image;
}

static int decide(const struct smcpol *policy, const struct smcu_flow *flow)
{
	struct smcpol_image *image = compile(policy);
	int rule = decide_by(policy, image, flow, NULL);

	smcpol_image_free(image);
	return rule;
}

/* The examples of include/uapi/smc_ulp_policy.h. */
static void test_documented_examples(void **state)
{
	struct smcpol *policy = load("version: 1\nrules:\n"
				     "- { name: r0, match: { dst: 10.1.0.0/16 }, action: tcp }\n"
				     "- { name: r1, match: { dst: 10.0.0.0/8, port: 5000-5003 }, action: smc }\n"
				     "- { name: r2, match: { direction: in }, action: smc }\n");
	struct smcu_flow out = { .dir = SMCU_DIR_OUT, .known = KNOWN_OUT, .port = 5000 };
	struct smcu_flow in = { .dir = SMCU_DIR_IN, .known = KNOWN_IN, .port = 5000, .src_af = 4 };

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
	struct smcu_flow flow = { .dir = SMCU_DIR_OUT, .known = KNOWN_OUT };

	flow_dst(&flow, "0.0.0.0");
	assert_int_equal(decide(policy, &flow), 0);
	flow_dst(&flow, "255.255.255.255");
	assert_int_equal(decide(policy, &flow), 0);
	flow_dst(&flow, "::");
	assert_int_equal(decide(policy, &flow), 1);
	flow_dst(&flow, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_int_equal(decide(policy, &flow), 1);
	flow_dst(&flow, "::ffff:1.2.3.4");
	assert_int_equal(decide(policy, &flow), 0);
	flow.known &= ~(1U << SMCU_DIM_DST);
	assert_int_equal(decide(policy, &flow), SMCU_NO_MATCH);
	smcpol_free(policy);
}

static void test_no_rules_and_a_rule_for_all(void **state)
{
	struct smcu_flow flow = { .dir = SMCU_DIR_OUT, .known = KNOWN_OUT };
	struct smcpol *policy = load("version: 1\n");

	assert_int_equal(decide(policy, &flow), SMCU_NO_MATCH);
	smcpol_free(policy);
	policy = load("version: 1\nrules:\n- { name: all, match: {}, action: smc }\n");
	assert_int_equal(decide(policy, &flow), 0);
	smcpol_free(policy);
}

static void test_comm(void **state)
{
	struct smcpol *policy = load("version: 1\nrules:\n"
				     "- { name: a, match: { comm: redis-cli }, action: tcp }\n"
				     "- { name: b, match: { comm: [redis*, abcdefghijklmno] }, action: smc }\n"
				     "- { name: c, match: { comm: abcdefghijklmn* }, action: smc }\n");
	static const struct {
		const char *comm;
		int rule;
	} cases[] = {
		{ "redis-cli", 0 }, { "redis-cli2", 1 }, { "redis", 1 },	    { "redi", SMCU_NO_MATCH },
		{ "", -1 },	    { "redit", -1 },	 { "abcdefghijklmno", 1 }, { "abcdefghijklmn", 2 },
		{ "abcdefghijklmnn", 2 }, { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", -1 },
	};
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct smcu_flow flow = { .known = KNOWN_OUT };

		strcpy(flow.comm, cases[i].comm);
		CHECK(decide(policy, &flow) == cases[i].rule, "%s", cases[i].comm);
	}
	smcpol_free(policy);
}

static void test_cgroup_patterns(void **state)
{
	static const struct {
		const char *pattern;
		const char *path;
		bool is_held;
		bool below; /* is everything below path held? */
	} cases[] = {
		{ "/", "/", true, false },
		{ "/", "/a", false, false },
		{ "/**", "/", true, true },
		{ "/**", "/a/b/c", true, true },
		{ "/a", "/a", true, false },
		{ "/a", "/", false, false },
		{ "/a", "/a/b", false, false },
		{ "/a/**", "/a", true, true },
		{ "/a/**", "/a/b/c", true, true },
		{ "/a/**", "/ab", false, false },
		{ "/a/**", "/", false, false },
		{ "/*", "/a", true, false },
		{ "/*", "/", false, false },
		{ "/*/**", "/", false, true },
		{ "/*/**", "/a", true, true },
		{ "/a/*/**", "/a", false, true },
		{ "/a/?*/**", "/a", false, false },
		{ "/a/*/*/**", "/a", false, false },
		{ "/a/*/*/**", "/a/b", false, true },
		{ "/s/redis-*.service", "/s/redis-.service", true, false },
		{ "/s/redis-*.service", "/s/redis-a.service.service", true, false },
		{ "/s/redis-*.service", "/s/redis-a/x.service", false, false },
		{ "/s/redis-*.service/**", "/s/redis-1.service/init.scope", true, true },
		{ "/s/*a*b", "/s/xaybzb", true, false },
		{ "/s/*a*b", "/s/xaybz", false, false },
		{ "/s/a?c", "/s/abc", true, false },
		{ "/s/a?c", "/s/ac", false, false },
		{ "/s/a\\x2db", "/s/a\\x2db", true, false },
		{ "/s/*", "/s/a/b", false, false },
		{ "/s/*", "/s/a/", true, false },
		{ "/s/*", "/s/", false, false },
		{ "/s/*/**", "/s/", false, true },
		{ "/s", "/s/", true, false },
		{ "/s", "/s//", false, false },
		{ "/s/**", "/s/", true, true },
		{ "/s/**", "/s//a/", true, true },
	};
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *pattern = cases[i].pattern, *path = cases[i].path;
		struct smcpol_image *image;
		struct smcpol *policy;
		char text[256];

		CHECK(glob_holds(pattern, path) == cases[i].is_held, "%s %s", pattern, path);
		CHECK(glob_holds_below(pattern, path) == cases[i].below, "below: %s %s", pattern, path);
		snprintf(text, sizeof(text), "version: 1\nrules:\n- { name: a, match: { cgroup: '%s' }, action: smc }\n", pattern);
		policy = load(text);
		image = compile(policy);
		CHECK(decide_by(policy, image, &(struct smcu_flow){ .known = KNOWN_OUT }, path) == (cases[i].is_held ? 0 : -1),
		      "%s %s", pattern, path);
		smcpol_image_free(image);
		smcpol_free(policy);
	}
}

/* Trees of every height, at and beside each boundary. */
static void test_boundaries(void **state)
{
	static const u32 sizes[] = { 1, 3, 4, 7, 8, 63, 64, 65, 500, 2048 };
	static const char *const kind[] = {
		"- {name: r%u, match: {dst: \"fd00:0:0:%x::/64\"}, action: smc}\n",
		"- {name: r%u, match: {dst: \"fd00:0:0:%x::\"}, action: smc}\n",
		"- {name: r%u, match: {pid: %u}, action: smc}\n",
		"- {name: r%u, match: {pid: [%u, 3000-3010]}, action: smc}\n",
		"- {name: r%u, match: {gid: %u0-%u5}, action: smc}\n",
		"- {name: r%u, match: {comm: [c%x, d*]}, action: smc}\n",
	};
	u32 s, i, k;

	for (s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		for (k = 0; k < sizeof(kind) / sizeof(*kind); k++) {
			struct smcpol_image *image;
			struct smcpol *policy;
			char *text = NULL;
			size_t len;
			FILE *f = open_memstream(&text, &len);

			fputs("version: 1\nrules:\n", f);
			for (i = 0; i < sizes[s]; i++)
				fprintf(f, kind[k], i, 2 * i + 1, 2 * i + 1);
			fclose(f);
			policy = load(text);
			image = compile(policy);
			for (i = 0; i <= 2 * sizes[s] + 2; i++) {
				struct smcu_flow flow = { .known = KNOWN_OUT, .pid = i, .gid = 10 * i + 5 + i % 3, .dst_af = 6 };

				flow.dst[0] = htonl(0xfd000000);
				flow.dst[1] = htonl(i);
				if (i % 5 == 1)
					flow.dst[2] = flow.dst[3] = ~0U;
				snprintf(flow.comm, sizeof(flow.comm), "%c%x", "cd"[i % 7 == 6], i);
				decide_by(policy, image, &flow, NULL);
			}
			smcpol_image_free(image);
			smcpol_free(policy);
			free(text);
		}
	}
}

/* Values that all belong into one bucket: more than fit, so that some are found in the tree behind it. */
static void test_full_bucket(void **state)
{
	static const char *const kind[] = { "uid", "dst" };
	u32 k, i, n;

	for (k = 0; k < 2; k++) {
		struct smcu_flow flow = { .known = KNOWN_OUT, .dst_af = 6 };
		struct smcpol_image *image;
		struct smcpol *policy;
		char *text = NULL;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		fputs("version: 1\nrules:\n", f);
		for (i = n = 0; n < 12; i++) {
			struct smcu_key128 key = { 0xfd00ULL << 48, i };

			/* Twelve values: no more than 16 buckets. */
			if ((k ? smcu_match_hash128(&key) : smcu_match_hash32(i)) >> 28)
				continue;
			fprintf(f, k ? "- {name: r%u, match: {%s: \"fd00::%x:%x\"}, action: smc}\n" :
				       "- {name: r%u, match: {%s: %u}, action: smc}\n", n++, kind[k], k ? i >> 16 : i, i & 0xffff);
		}
		fclose(f);
		policy = load(text);
		image = compile(policy);
		flow.dst[0] = htonl(0xfd000000);
		for (i = n = 0; i < 1000; i++) {
			flow.uid = i;
			flow.dst[3] = htonl(i);
			n += decide_by(policy, image, &flow, NULL) >= 0;
		}
		CHECK(n == 12, "%u values were found", n);
		smcpol_image_free(image);
		smcpol_free(policy);
		free(text);
	}
}

static void test_last_of_4096_rules(void **state)
{
	struct smcu_flow flow = { .dir = SMCU_DIR_OUT, .known = KNOWN_OUT };
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

/* Every 64 rules share their summary bits in both dimensions, but only the last pair is the same rule. */
static void test_summary_is_only_a_hint(void **state)
{
	struct smcu_flow flow = { .dir = SMCU_DIR_OUT, .known = KNOWN_OUT, .uid = 1, .gid = 1 };
	struct smcpol *policy;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int i;

	fputs("version: 1\nrules:\n", f);
	for (i = 0; i < SMCU_POLICY_MAX_RULES; i++)
		fprintf(f, "- {name: r%d, match: {uid: %d, gid: %d}, action: smc}\n", i, i % 64 == 3 || i == 4095 ? 1 : i + 2,
			i % 64 == 4 || i == 4095 ? 1 : i + 2);
	fclose(f);
	policy = load(text);
	free(text);
	assert_int_equal(decide(policy, &flow), 4095);
	smcpol_free(policy);
}

static void test_room_for_cgroups(void **state)
{
	struct smcpol *policy = load("version: 1\nrules:\n- { name: a, match: { cgroup: /a }, action: smc }\n"
				     "- { name: b, match: { cgroup: '/b/**' }, action: smc }\n");
	struct smcpol_image *image = smcpol_compile(policy);
	struct smcu_policy_cgroup a, b, other;

	/* No room was left, and none is taken. */
	assert_int_equal(image->blocks[1].foot.nr_blocks, image->nr_blocks);
	assert_false(smcpol_image_cgroup(image->blocks, policy, "/a", &a));
	assert_true(smcpol_image_reserve(image, 3));
	assert_true(smcpol_image_cgroup(image->blocks, policy, "/a", &a));
	assert_true(smcpol_image_cgroup(image->blocks, policy, "/b", &b));
	assert_true(smcpol_image_cgroup(image->blocks, policy, "/c", &other));
	assert_int_equal(a.below, other.self);
	assert_int_equal(b.self, b.below);
	assert_int_equal(other.self, other.below);
	assert_int_not_equal(a.self, other.self);
	assert_int_not_equal(b.self, other.self);
	smcpol_image_free(image);
	smcpol_free(policy);
}

/* What is not an image of ours yields some rule or none, and stays within its blocks (the sanitizer watches). */
static void test_broken_image(void **state)
{
	u64 seed = 5;
	u32 i, j;

	for (i = 0; i < 2000; i++) {
		u32 nr = 2 + rnd(&seed, 20);
		union smcu_block *blocks = calloc(nr, sizeof(*blocks));
		struct smcpol_image image = { .nr_blocks = nr, .blocks = blocks };
		struct smcu_flow flow = { .known = KNOWN_OUT, .dst_af = i & 1 ? 4 : 6 };
		int rule;

		for (j = 0; j < nr * SMCU_BLOCK_UNITS; j++)
			blocks[j / SMCU_BLOCK_UNITS].unit[j % SMCU_BLOCK_UNITS] =
				rnd(&seed, 2) ? rnd64(&seed) : rnd(&seed, nr) | (u64)rnd(&seed, nr) << 32;
		rule = smcpol_image_match(&image, &flow);
		CHECK(rule >= -1 && rule < SMCU_POLICY_MAX_RULES, "%d", rule);
		free(blocks);
	}
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

static const char *const names[] = { "a", "b", "ab", "abc", "ba", "redis", "redis-cli" };
static const char *const name_patterns[] = { "a", "b", "ab", "*", "a*", "*b", "?", "a?", "*a*", "redis" };

static void random_comm(FILE *f, u64 *seed)
{
	fprintf(f, "\"%s%s\"", names[rnd(seed, 7)], rnd(seed, 2) ? "*" : "");
}

static void random_cgroup(FILE *f, u64 *seed)
{
	u32 n = rnd(seed, 4), i;

	fputc('"', f);
	for (i = 0; i < n; i++)
		fprintf(f, "/%s", name_patterns[rnd(seed, 10)]);
	fputs(rnd(seed, 2) ? "/**\"" : n ? "\"" : "/\"", f);
}

enum what { ADDR, NUMBER, NAME, PATH, SINGLE };

static void random_list(FILE *f, u64 *seed, const char *key, bool *first, enum what what, u32 max)
{
	u32 n = rnd(seed, 3) + 1, i;

	fprintf(f, "%s%s: [", *first ? "" : ", ", key);
	*first = false;
	for (i = 0; i < n; i++) {
		u32 lo = max ? rnd(seed, max) : 0;

		fputs(i ? ", " : "", f);
		switch (what) {
		case ADDR: random_addr(f, seed, rnd(seed, 4)); break;
		case NAME: random_comm(f, seed); break;
		case PATH: random_cgroup(f, seed); break;
		case SINGLE: fprintf(f, "%u", lo + 1); break;
		case NUMBER: fprintf(f, rnd(seed, 2) ? "%u-%u" : "%u", lo, lo + rnd(seed, max - lo)); break;
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
			random_list(f, seed, "dst", &first, ADDR, 0);
		if (!rnd(seed, 4))
			random_list(f, seed, "src", &first, ADDR, 0);
		if (rnd(seed, 2))
			random_list(f, seed, "port", &first, NUMBER, rnd(seed, 2) ? 16 : 65536);
		if (!rnd(seed, 6))
			random_list(f, seed, "pid", &first, NUMBER, 64);
		if (!rnd(seed, 6))
			random_list(f, seed, "uid", &first, NUMBER, 4);
		if (!rnd(seed, 6))
			random_list(f, seed, "gid", &first, NUMBER, 4294967295U);
		if (!rnd(seed, 6))
			random_list(f, seed, "comm", &first, NAME, 0);
		if (!rnd(seed, 4))
			random_list(f, seed, "cgroup", &first, PATH, 0);
		if (!rnd(seed, 8))
			random_list(f, seed, "netns", &first, SINGLE, 3);
		fprintf(f, " }, action: %s }\n", rnd(seed, 2) ? "smc" : "tcp");
	}
	fclose(f);
	return text;
}

static u8 random_flow_addr(u32 *to, u64 *seed)
{
	u8 addr[16] = { 0 };
	bool v6 = rnd(seed, 3) == 0;

	addr[0] = v6 ? 0xfd : rnd(seed, 8) ? 10 : 0;
	addr[1] = rnd(seed, 2);
	addr[v6 ? 8 : 2] = rnd(seed, 2) << rnd(seed, 8);
	addr[v6 ? 15 : 3] = rnd(seed, 4);
	memcpy(to, addr, sizeof(addr));
	return v6 ? 6 : 4;
}

static void random_flow(struct smcu_flow *flow, u64 *seed)
{
	memset(flow, 0, sizeof(*flow));
	flow->dir = rnd(seed, 2) ? SMCU_DIR_OUT : SMCU_DIR_IN;
	flow->known = flow->dir == SMCU_DIR_OUT ? KNOWN_OUT : KNOWN_IN;
	if (rnd(seed, 4))
		flow->known |= 1U << SMCU_DIM_SRC;
	if (!rnd(seed, 4))
		flow->known &= rnd64(seed) | 1U << SMCU_DIM_DIR;
	flow->dst_af = random_flow_addr(flow->dst, seed);
	flow->src_af = random_flow_addr(flow->src, seed);
	flow->port = rnd(seed, 2) ? rnd(seed, 16) : rnd(seed, 65536);
	flow->pid = rnd(seed, 64);
	flow->uid = rnd(seed, 4);
	flow->gid = rnd64(seed);
	flow->netns = rnd(seed, 4) + 1;
	strcpy(flow->comm, names[rnd(seed, 7)]);
}

static const char *random_path(char *path, u64 *seed)
{
	u32 n = rnd(seed, 5), i;

	strcpy(path, n ? "" : "/");
	for (i = 0; i < n; i++)
		strcat(strcat(path, "/"), names[rnd(seed, 6)]);
	return path;
}

static void test_image_agrees_with_interpreter(void **state)
{
	u64 seed = 3;
	u32 i, j, hits = 0, total = 0;
	char path[64];

	for (i = 0; i < 500; i++) {
		char *text = random_policy(&seed);
		struct smcpol *policy = load(text);
		struct smcpol_image *image = compile(policy);

		assert_true(smcpol_image_reserve(image, 200));
		for (j = 0; j < 100; j++) {
			struct smcu_flow flow;
			const char *cgroup = rnd(&seed, 8) ? random_path(path, &seed) : NULL;

			random_flow(&flow, &seed);
			hits += decide_by(policy, image, &flow, cgroup) >= 0;
			total++;
		}
		smcpol_image_free(image);
		smcpol_free(policy);
		free(text);
	}
	/* A generator that matches never or always would prove nothing. */
	CHECK(hits > total / 5 && hits < total * 4 / 5, "%u of %u flows matched a rule", hits, total);
}

/*
 * A cgroup without an entry is decided by what its nearest known ancestor says of everything below: that must be the rules that hold
 * whatever is created there, and no others.
 */
static void test_below_is_what_holds_for_all(void **state)
{
	u64 seed = 4;
	u32 i, both[2] = { 0, 0 };

	for (i = 0; i < 20000; i++) {
		char pattern[64] = "", path[64], child[80], grandchild[96];
		u32 n = rnd(&seed, 4), j;
		bool below;

		for (j = 0; j < n; j++)
			strcat(strcat(pattern, "/"), name_patterns[rnd(&seed, 10)]);
		strcat(pattern, rnd(&seed, 3) ? "/**" : n ? "" : "/");
		random_path(path, &seed);
		/* No pattern above has this name in it. */
		snprintf(child, sizeof(child), "%s/~~~", path[1] ? path : "");
		snprintf(grandchild, sizeof(grandchild), "%s/~~~", child);
		below = glob_holds_below(pattern, path);
		CHECK(below == (glob_holds(pattern, child) && glob_holds(pattern, grandchild)), "%s below %s", pattern, path);
		both[below]++;
	}
	CHECK(both[0] > 2000 && both[1] > 2000, "%u and %u", both[0], both[1]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_documented_examples),
	cmocka_unit_test(test_families_do_not_mix),
	cmocka_unit_test(test_no_rules_and_a_rule_for_all),
	cmocka_unit_test(test_comm),
	cmocka_unit_test(test_cgroup_patterns),
	cmocka_unit_test(test_boundaries),
	cmocka_unit_test(test_full_bucket),
	cmocka_unit_test(test_last_of_4096_rules),
	cmocka_unit_test(test_summary_is_only_a_hint),
	cmocka_unit_test(test_room_for_cgroups),
	cmocka_unit_test(test_broken_image),
	cmocka_unit_test(test_image_agrees_with_interpreter),
	cmocka_unit_test(test_below_is_what_holds_for_all),
};

RUN("policy_match", tests)
