/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The matcher: from a flow to the rule that decides it. The same lines run in the programs, in `smc-ulp-loader explain`, and in
 * the unit tests and the fuzzer against the policy library's interpreter. What the structures mean is written in
 * include/uapi/smc_ulp_policy.h.
 *
 * Whoever includes it says how a block of an image is found, by defining before
 *
 *	smcu_image			a number or pointer by which an image is known
 *	smcu_image_get(image)		a pointer to it, or NULL
 *	smcu_block(image, index)	from that pointer a const union smcu_block *, or NULL if there is none
 *	smcu_loop(nr, round, arg)	calls round(i, arg) for each i below nr, until it returns 1
 *	SMCU_MATCH_FUNCTION		of what linkage functions are that the verifier shall walk through once, not at each call
 *
 * Those functions take numbers and sized memory, which is all that the verifier knows inside of them; hence their checks for NULL.
 * A broken image yields some set or none, never an access outside of it.
 */
#ifndef SMCU_MATCH_H
#define SMCU_MATCH_H

#include "flow.h"

/* Dimensions that say who. */
#define SMCU_DIMS_WHO                                                                                                          \
	(1U << SMCU_DIM_PID | 1U << SMCU_DIM_UID | 1U << SMCU_DIM_GID | 1U << SMCU_DIM_COMM | 1U << SMCU_DIM_CGROUP |          \
	 1U << SMCU_DIM_NETNS)

/* The sets that a flow's values belong to, collected while candidates are left. */
struct smcu_match {
	__u64 words; /* of which all sets so far have members */
	__u64 summary[SMCU_DIM_COUNT];
	__u32 set[SMCU_DIM_COUNT];
	__u32 nr;   /* sets so far */
	__u32 dims; /* the dimensions that any rule constrains */
	int rule;   /* the one found */
	smcu_image image;
};

static __always_inline __u32 smcu_match_be32(__u32 x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap32(x);
#else
	return x;
#endif
}

static __always_inline __u64 smcu_match_be64(__u32 first, __u32 second)
{
	return (__u64)smcu_match_be32(first) << 32 | smcu_match_be32(second);
}

/*
 * 1 if a < b, without a branch: the verifier would follow both ways of each of them, and every sum of their outcomes. The empty
 * assembly keeps the compiler from seeing a comparison in it.
 */
static __always_inline __u64 smcu_match_less32(__u32 a, __u32 b)
{
	__u64 d = (__u64)a - b;

	asm("" : "+r"(d));
	return d >> 63;
}

static __always_inline __u64 smcu_match_less64(__u64 a, __u64 b)
{
	__u64 d = (~a & b) | (~(a ^ b) & (a - b));

	asm("" : "+r"(d));
	return d >> 63;
}

static __always_inline __u64 smcu_match_less128(const struct smcu_key128 *a, const struct smcu_key128 *b)
{
	return smcu_match_less64(a->hi, b->hi) | (~smcu_match_less64(b->hi, a->hi) & smcu_match_less64(a->lo, b->lo) & 1);
}

/*
 * Keeps the compiler from knowing a variable's value, and hence from what it would make of it: counting loops in a way in which the
 * verifier sees no progress, or joining an index to an address by |, which is not for pointers.
 */
#define SMCU_MATCH_HIDE(variable) asm volatile("" : "+r"(variable))

/* How many bits are set. BPF has no such instruction. */
static __always_inline __u32 smcu_match_count(__u64 x)
{
	x -= x >> 1 & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return x * 0x0101010101010101ULL >> 56;
}

/* Index of the lowest bit; x is not 0. */
static __always_inline __u32 smcu_match_lowest(__u64 x)
{
	return smcu_match_count(~x & (x - 1));
}

static __always_inline __u64 smcu_match_unit(void *image, __u32 unit)
{
	const union smcu_block *block = smcu_block(image, unit / SMCU_BLOCK_UNITS);

	return block ? block->unit[unit % SMCU_BLOCK_UNITS] : 0;
}

/* All ones if x is 0, else 0; without a branch, as above. */
static __always_inline __u32 smcu_match_if_zero(__u64 x)
{
	__u64 d = ~x & (x - 1);

	asm("" : "+r"(d));
	return -(__u32)(d >> 63);
}

/* The set of a value. 0 (which no set has for its number) only if the image is broken. */
static __always_inline __u32 smcu_match_search32(void *image, __u32 tree, __u32 value)
{
	const union smcu_block *block;
	__u32 at, levels, i, set;
	__u64 n;

	if (tree & SMCU_TREE_IS_HASH) {
		block = smcu_block(image, smcu_match_bucket(tree, smcu_match_hash32(value)));
		if (!block)
			return 0;
#define SET(k) (block->leaf32.set[k] & smcu_match_if_zero(block->leaf32.key[k] ^ value))
		set = SET(0) | SET(1) | SET(2) | SET(3) | SET(4) | SET(5) | SET(6);
#undef SET
		if (set)
			return set;
		tree = block->leaf32.set[SMCU_LEAF32_KEYS];
	}
	at = tree & SMCU_TREE_ROOT_MASK;
	levels = tree >> SMCU_TREE_ROOT_BITS;
	for (i = 0; i < SMCU_TREE_LEVELS32; i++) {
		SMCU_MATCH_HIDE(i);
		if (i >= levels)
			break;
		block = smcu_block(image, at);
		if (!block)
			return 0;
		n = 0;
#define LESS(k) n += smcu_match_less32(block->node32.key[k], value)
		LESS(0), LESS(1), LESS(2), LESS(3), LESS(4), LESS(5), LESS(6), LESS(7);
		LESS(8), LESS(9), LESS(10), LESS(11), LESS(12), LESS(13), LESS(14);
		at = block->node32.child + n;
	}
	block = smcu_block(image, at);
	if (!block)
		return 0;
	n = 0;
	LESS(0), LESS(1), LESS(2), LESS(3), LESS(4), LESS(5), LESS(6);
#undef LESS
	return block->leaf32.set[n & SMCU_LEAF32_KEYS];
}

static __always_inline __u32 smcu_match_search128(void *image, __u32 tree, const struct smcu_key128 *value)
{
	const union smcu_block *block;
	__u32 at, levels, i, set;
	__u64 n;

	if (tree & SMCU_TREE_IS_HASH) {
		block = smcu_block(image, smcu_match_bucket(tree, smcu_match_hash128(value)));
		if (!block)
			return 0;
#define SET(k)                                                                                  \
	(block->leaf128.set[k] & smcu_match_if_zero((block->leaf128.key[k].hi ^ value->hi) |    \
						    (block->leaf128.key[k].lo ^ value->lo)))
		set = SET(0) | SET(1) | SET(2);
#undef SET
		if (set)
			return set;
		tree = block->leaf128.set[SMCU_NODE128_KEYS];
	}
	at = tree & SMCU_TREE_ROOT_MASK;
	levels = tree >> SMCU_TREE_ROOT_BITS;
	for (i = 0; i <= SMCU_TREE_LEVELS128; i++) {
		SMCU_MATCH_HIDE(i);
		block = smcu_block(image, at);
		if (!block)
			return 0;
		n = smcu_match_less128(&block->node128.key[0], value) + smcu_match_less128(&block->node128.key[1], value) +
		    smcu_match_less128(&block->node128.key[2], value);
		if (i >= levels)
			return block->leaf128.set[n & SMCU_NODE128_KEYS];
		at = block->node128.child + n;
	}
	return 0;
}

/*
 * The set that the flow's value of a dimension belongs to. Each search is called at one place, for the verifier's sake: which tree it is
 * and which value are numbers that it does not know, so that one walk is enough for all of them.
 */
static __always_inline __u32 smcu_match_set(void *image, const struct smcu_image_head *head, const struct smcu_flow *flow, __u32 dim)
{
	const __u32 *words = NULL;
	const union smcu_block *foot;
	struct smcu_key128 key;
	__u32 tree, value = 0;

	if (!(flow->known & 1U << dim)) {
		foot = smcu_block(image, 1);
		return foot ? foot->foot.any[dim] : 0;
	}
	switch (dim) {
	case SMCU_DIM_DIR:
		return head->dir[flow->dir & 1];
	case SMCU_DIM_CGROUP:
		return flow->cgroup;
	case SMCU_DIM_DST:
		if (flow->dst_af == 4) {
			tree = head->tree[SMCU_TREE_DST4];
			value = smcu_match_be32(flow->dst[0]);
		} else {
			tree = head->tree[SMCU_TREE_DST6];
			words = flow->dst;
		}
		break;
	case SMCU_DIM_SRC:
		if (flow->src_af == 4) {
			tree = head->tree[SMCU_TREE_SRC4];
			value = smcu_match_be32(flow->src[0]);
		} else {
			tree = head->tree[SMCU_TREE_SRC6];
			words = flow->src;
		}
		break;
	case SMCU_DIM_COMM:
		tree = head->tree[SMCU_TREE_COMM];
		words = (const __u32 *)flow->comm;
		break;
	case SMCU_DIM_PORT:
		tree = head->tree[SMCU_TREE_PORT];
		value = flow->port;
		break;
	case SMCU_DIM_PID:
		tree = head->tree[SMCU_TREE_PID];
		value = flow->pid;
		break;
	case SMCU_DIM_UID:
		tree = head->tree[SMCU_TREE_UID];
		value = flow->uid;
		break;
	case SMCU_DIM_GID:
		tree = head->tree[SMCU_TREE_GID];
		value = flow->gid;
		break;
	default:
		tree = head->tree[SMCU_TREE_NETNS];
		value = flow->netns;
	}
	if (!words)
		return smcu_match_search32(image, tree, value);
	key.hi = smcu_match_be64(words[0], words[1]);
	key.lo = smcu_match_be64(words[2], words[3]);
	return smcu_match_search128(image, tree, &key);
}

/* Add one dimension's set. Return: 0 if no rule can match any more. */
SMCU_MATCH_FUNCTION __u32 smcu_match_add(struct smcu_match *match, const struct smcu_flow *flow, __u32 dim)
{
	const union smcu_block *block;
	void *image;
	__u64 summary;
	__u32 n, set;

	if (!match || !flow || dim >= SMCU_DIM_COUNT)
		return 0;
	image = smcu_image_get(match->image);
	block = image ? smcu_block(image, 0) : NULL;
	if (!block)
		return 0;
	set = smcu_match_set(image, &block->head, flow, dim);
	summary = smcu_match_unit(image, set);
	match->words &= summary;
	n = match->nr;
	if (!match->words || n >= SMCU_DIM_COUNT)
		return 0;
	match->set[n] = set;
	match->summary[n] = summary;
	match->nr = n + 1;
	return 1;
}

/* Only what any rule constrains. */
#define SMCU_MATCH_ADD(match, flow, dim) (!((match)->dims & 1U << (dim)) || smcu_match_add(match, flow, dim))

/* Return: 0 if there is no image. */
static __always_inline int smcu_match_begin(struct smcu_match *match, smcu_image image)
{
	void *found = smcu_image_get(image);
	const union smcu_block *block = found ? smcu_block(found, 0) : NULL;

	if (!block)
		return 0;
	__builtin_memset(match, 0, sizeof(*match));
	match->image = image;
	match->words = ~0ULL;
	match->dims = block->head.dims;
	return 1;
}

/* Where the flow goes. Return: 0 if no rule can match any more, whoever asks. */
static __always_inline int smcu_match_where(struct smcu_match *match, const struct smcu_flow *flow)
{
	return SMCU_MATCH_ADD(match, flow, SMCU_DIM_PORT) && SMCU_MATCH_ADD(match, flow, SMCU_DIM_DST) &&
	       SMCU_MATCH_ADD(match, flow, SMCU_DIM_SRC) && SMCU_MATCH_ADD(match, flow, SMCU_DIM_DIR);
}

/* Go on with who asks. */
static __always_inline int smcu_match_who(struct smcu_match *match, const struct smcu_flow *flow)
{
	return SMCU_MATCH_ADD(match, flow, SMCU_DIM_PID) && SMCU_MATCH_ADD(match, flow, SMCU_DIM_UID) &&
	       SMCU_MATCH_ADD(match, flow, SMCU_DIM_GID) && SMCU_MATCH_ADD(match, flow, SMCU_DIM_COMM) &&
	       SMCU_MATCH_ADD(match, flow, SMCU_DIM_CGROUP) && SMCU_MATCH_ADD(match, flow, SMCU_DIM_NETNS);
}

/* The rules of one word that are in every set; before: the words before it. */
SMCU_MATCH_FUNCTION __u64 smcu_match_rules(const struct smcu_match *match, __u64 before)
{
	__u64 rules = ~0ULL;
	void *image;
	__u32 i;

	image = match ? smcu_image_get(match->image) : NULL;
	if (!image)
		return 0;
	for (i = 0; i < SMCU_DIM_COUNT; i++) {
		SMCU_MATCH_HIDE(i);
		if (i >= match->nr)
			break;
		rules &= smcu_match_unit(image, match->set[i] + 1 + smcu_match_count(match->summary[i] & before));
	}
	return rules;
}

/* One round of the search below. Return: 1 to end it. */
static long smcu_match_round(__u32 round, void *arg)
{
	struct smcu_match *match = arg;
	__u64 before, rules;

	(void)round;
	if (!match->words)
		return 1;
	before = ~match->words & (match->words - 1);
	rules = smcu_match_rules(match, before);
	if (rules) {
		match->rule = 64 * smcu_match_count(before) + smcu_match_lowest(rules);
		return 1;
	}
	match->words &= match->words - 1;
	return 0;
}

/*
 * The first rule that is in every set. A summary bit says only that some rule of those 64 is in each set, not that the same one
 * is, hence the loop; it ends after as many rounds as there are words.
 */
static __always_inline int smcu_match_first(struct smcu_match *match)
{
	match->rule = SMCU_NO_MATCH;
	smcu_loop(SMCU_POLICY_WORDS, smcu_match_round, match);
	return match->rule;
}

#endif
