/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The matcher: from a flow to the rule that decides it. Plain structs in and out, no helper, no map, so the same lines run in the
 * programs, in `smc-ulp-loader explain`, and in the unit tests against the policy library's interpreter. The caller does the lookups.
 * What the structures mean is written in include/uapi/smc_ulp_policy.h.
 */
#ifndef SMCU_MATCH_H
#define SMCU_MATCH_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "uapi/smc_ulp_policy.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* What is known of a socket when it is decided about. Addresses in network byte order, IPv4 in element 0. */
struct smcu_flow {
	__u32 dst[4];
	__u32 src[4];
	__u32 pid;
	__u16 port; /* host byte order */
	__u8 dir;
	__u8 dst_af; /* 4, 6, or 0 where not known */
	__u8 src_af;
	__u8 zero[3];
};

#define SMCU_NO_MATCH (-1)

/* Enter an address: an IPv4-mapped one becomes IPv4. Only constant indices, or the verifier refuses the stack access. */
static __always_inline __u8 smcu_match_addr6(__u32 *to, __u32 a, __u32 b, __u32 c, __u32 d)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const __u32 mapped = 0xffff0000;
#else
	const __u32 mapped = 0x0000ffff;
#endif

	if (!a && !b && c == mapped) {
		to[0] = d;
		to[1] = 0;
		to[2] = 0;
		to[3] = 0;
		return 4;
	}
	to[0] = a;
	to[1] = b;
	to[2] = c;
	to[3] = d;
	return 6;
}

static __always_inline void smcu_match_key_addr(struct smcu_policy_key *key, const __u32 *addr, __u8 af)
{
	__u32 *data = (__u32 *)key->data;

	if (!af)
		return;
	key->af = af;
	data[0] = addr[0];
	data[1] = addr[1];
	data[2] = addr[2];
	data[3] = addr[3];
	key->prefixlen = SMCU_KEY_HEAD_BITS + (af == 4 ? 32 : 128);
}

/* The key under which the flow's value of one dimension is looked up. dim is a constant at each call. */
static __always_inline void smcu_match_key(struct smcu_policy_key *key, const struct smcu_flow *flow, int dim)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->dim = dim;
	key->prefixlen = SMCU_KEY_DIM_BITS;

	switch (dim) {
	case SMCU_DIM_DIR:
		key->data[0] = flow->dir;
		key->prefixlen = SMCU_KEY_HEAD_BITS + 8;
		break;
	case SMCU_DIM_DST:
		smcu_match_key_addr(key, flow->dst, flow->dst_af);
		break;
	case SMCU_DIM_SRC:
		smcu_match_key_addr(key, flow->src, flow->src_af);
		break;
	case SMCU_DIM_PORT:
		key->data[0] = flow->port >> 8;
		key->data[1] = flow->port & 0xff;
		key->prefixlen = SMCU_KEY_HEAD_BITS + 16;
		break;
	case SMCU_DIM_PID:
		key->data[0] = flow->pid >> 24;
		key->data[1] = flow->pid >> 16;
		key->data[2] = flow->pid >> 8;
		key->data[3] = flow->pid;
		key->prefixlen = SMCU_KEY_HEAD_BITS + 32;
		break;
	}
}

/* Index of the lowest bit; x is not 0. BPF has no such instruction: isolate the bit, let a multiplication index a table. */
static __always_inline __u32 smcu_match_lowest(__u64 x)
{
	static const __u8 place[64] = {
		0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,	62, 55, 59, 36, 53, 51,
		43, 22, 45, 39, 33, 30, 24, 18, 12, 5,	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
		44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
	};

	return place[((x & -x) * 0x03f79d71b4cb0a89ULL) >> 58];
}

/*
 * The first rule that is in every set. A summary bit says only that some rule of those 64 is in each set, not that the same one
 * is, hence the loop; it ends after as many rounds as there are words.
 */
static __always_inline int smcu_match_first(const struct smcu_policy_bits *const set[SMCU_DIM_COUNT])
{
	__u64 words = set[0]->summary & set[1]->summary & set[2]->summary & set[3]->summary & set[4]->summary;
	int round;

	for (round = 0; round < SMCU_POLICY_WORDS; round++) {
		__u64 rules;
		__u32 w;

		if (!words)
			return SMCU_NO_MATCH;
		w = smcu_match_lowest(words) & (SMCU_POLICY_WORDS - 1);
		rules = set[0]->word[w] & set[1]->word[w] & set[2]->word[w] & set[3]->word[w] & set[4]->word[w];
		if (rules)
			return w * 64 + smcu_match_lowest(rules);
		words &= words - 1;
	}
	return SMCU_NO_MATCH;
}

_Static_assert(SMCU_DIM_COUNT == 5, "smcu_match_first() names each dimension");

#endif
