/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1 */
/*
 * The compiled policy: what the loader writes into maps and the BPF programs read. Shared by bpf/, policy/ and loader/.
 *
 * Meaning
 * -------
 * A policy is an ordered list of rules and a default. A decision is made for one *flow*: a TCP socket about to connect
 * (direction out) or to bind (direction in), with
 *
 *	dst	the address connected to; unknown at bind
 *	src	the socket's own address: the one being bound, or for out the one bound earlier; unknown if there was none
 *	port	the remote port for out, the local port for in
 *	pid	the calling process, as the initial pid namespace numbers it
 *
 * Each rule constrains some of these *dimensions*. A rule matches if every dimension it constrains holds the flow's value; a
 * constrained dimension whose value is unknown does not match. The first rule that matches decides; none: the default.
 *
 *	rules:	0  { dst 10.1.0.0/16, action tcp }
 *		1  { dst 10.0.0.0/8, port 5000-5003, action smc }
 *		2  { direction in, action smc }
 *	default tcp
 *
 *	out to 10.1.2.3:5000	-> rule 0, tcp		(1 would match as well, but comes later)
 *	out to 10.2.2.3:5003	-> rule 1, smc
 *	out to 10.2.2.3:80	-> default, tcp
 *	in  on 0.0.0.0:5000	-> rule 2, smc		(0 and 1 constrain dst, which a bind does not have)
 *
 * IPv4 and IPv6 are different values: 0.0.0.0/0 holds no IPv6 address, ::/0 no IPv4 one. An IPv4-mapped IPv6 address
 * (::ffff:10.1.2.3) counts as the IPv4 address in it, because that is what goes out on the wire.
 *
 * Form
 * ----
 * Every dimension answers the same question, "which rules does this value satisfy?", with a set of rules (one bit per rule).
 * All answers lie in one LPM trie, keyed by dimension and value; the intersection's lowest bit is the deciding rule, so the cost does
 * not grow with the number of rules. The entry of a dimension's bare number (no value bits) holds the rules that do not constrain
 * it: that is what a value without a longer match, or an unknown value, finds. Hence each longer entry must contain
 * the rules of every shorter one above it: the compiler does that, the program only looks up the longest.
 *
 *	{ dim PORT }			-> { 0, 2 }	rules that take any port
 *	{ dim PORT, 0x1388/14 }		-> { 0, 1, 2 }	5000..5003
 *
 * A policy in force is a *generation*: one trie and one array of rule records, in slot (generation & 1) of two map-in-maps.
 * A reader takes the generation number once and then both from that slot, so it never sees half a policy.
 */
#ifndef SMC_ULP_POLICY_H
#define SMC_ULP_POLICY_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Counted up on any change of what is below; also the N in the pins' directory, smc-ulp/vN. */
#define SMCU_POLICY_ABI 1

#define SMCU_POLICY_WORDS 64
#define SMCU_POLICY_MAX_RULES (64 * SMCU_POLICY_WORDS)
#define SMCU_POLICY_NAME_LEN 64 /* with the terminating NUL */

/* Slots of the map-in-maps: two generations; the third is never read, writing it waits for an RCU grace period. */
#define SMCU_POLICY_SLOTS 3
#define SMCU_POLICY_SLOT_BARRIER 2

/* Dimensions. A new kind of match is a new number here, with at most 128 bits of value. */
#define SMCU_DIM_DIR 0	/* 8 bits, SMCU_DIR_* */
#define SMCU_DIM_DST 1	/* af 4 or 6; 32 or 128 bits */
#define SMCU_DIM_SRC 2	/* the same */
#define SMCU_DIM_PORT 3 /* 16 bits */
#define SMCU_DIM_PID 4	/* 32 bits */
#define SMCU_DIM_COUNT 5

#define SMCU_DIR_OUT 1
#define SMCU_DIR_IN 2

#define SMCU_ACTION_TCP 0
#define SMCU_ACTION_SMC 1

/* Bits of smcu_policy_key.dim, and of the whole head (dim, af, zero) that precedes a value. */
#define SMCU_KEY_DIM_BITS 8
#define SMCU_KEY_HEAD_BITS 32

/* Key of the trie. data is in network byte order, unused bytes are zero. */
struct smcu_policy_key {
	__u32 prefixlen; /* SMCU_KEY_DIM_BITS for "any or unknown", else SMCU_KEY_HEAD_BITS plus the value's bits */
	__u8 dim;
	__u8 af; /* 4 or 6 for addresses, else 0 */
	__u8 zero[2];
	__u8 data[16];
};

/* A set of rules. Bit i of word w is rule 64 * w + i; bit w of summary says whether word w has any. */
struct smcu_policy_bits {
	__u64 summary;
	__u64 word[SMCU_POLICY_WORDS];
};

/*
 * Record of one rule: record i + 1 is rule i, record 0 is the default. name, action and dims are written before the generation is
 * published and constant afterwards; the programs count into the rest, by atomic additions except for last_error.
 */
struct smcu_policy_rule {
	char name[SMCU_POLICY_NAME_LEN];
	__u32 action;	  /* SMCU_ACTION_* */
	__u32 dims;	  /* in record 0 only: bit d is set if any rule constrains dimension d */
	__u64 hits;	  /* flows this rule decided */
	__u64 enabled;	  /* of these: moved to SMC, or being so already */
	__u64 failed;	  /* of these: should have been, but the kernel refused */
	__s32 last_error; /* the last refusal's negative errno */
	__u32 zero;
};

/* The one element of the state map. */
struct smcu_policy_state {
	__u32 abi; /* SMCU_POLICY_ABI once a policy was loaded, 0 before */
	__u32 gen; /* generation in force; its slot is gen & 1 */
	__u32 off; /* not 0: decide nothing, leave every socket on TCP (kill switch) */
	__u32 zero;
};

#define SMCU_POLICY_ASSERT(what) _Static_assert(what, #what)
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_key) == 24);
SMCU_POLICY_ASSERT(__builtin_offsetof(struct smcu_policy_key, data) == 8);
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_bits) == 520);
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_rule) == 104);
SMCU_POLICY_ASSERT(__builtin_offsetof(struct smcu_policy_rule, hits) == 72);
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_state) == 16);
SMCU_POLICY_ASSERT(SMCU_POLICY_WORDS <= 64);

#endif
