/* SPDX-License-Identifier: GPL-2.0 */
/* What a decision is made from, in the programs and in user space alike; and what the matcher and the compiler agree on. */
#ifndef SMCU_FLOW_H
#define SMCU_FLOW_H

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
	__u32 uid;
	__u32 gid;
	__u32 netns;
	__u32 cgroup; /* the set found for the cgroup */
	__u16 port;   /* host byte order */
	__u16 known;  /* bit d: the value of dimension d is known */
	__u8 dir;
	__u8 dst_af; /* 4 or 6 */
	__u8 src_af;
	__u8 zero;
	char comm[SMCU_COMM_LEN]; /* padded with NUL */
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

/* The bucket in which a hash has a value, if it has it. */
static __always_inline __u32 smcu_match_bucket(__u32 tree, __u32 hash)
{
	__u32 bits = tree >> SMCU_TREE_ROOT_BITS & SMCU_TREE_LEVELS_MASK;

	return (tree & SMCU_TREE_ROOT_MASK) + (__u32)((__u64)hash >> (32 - bits));
}

static __always_inline __u32 smcu_match_hash32(__u32 value)
{
	return value * 0x9e3779b1U;
}

static __always_inline __u32 smcu_match_hash128(const struct smcu_key128 *value)
{
	__u64 x = value->hi * 0x9e3779b97f4a7c15ULL + value->lo;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x >> 32;
}

#endif
