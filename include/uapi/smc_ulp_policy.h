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
 *	pid, uid, gid, comm	of the calling task, as the initial namespaces number them
 *	cgroup	of the calling task
 *	netns	of the socket, by its inode number
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
 * Every dimension answers the same question, "which rules does this value satisfy?", with a set of rules. The intersection's lowest
 * member is the deciding rule, so the cost does not grow with the number of rules. A rule that does not constrain a dimension is in
 * every set of it.
 *
 * All of it lies in one *image*, an array of 64-byte blocks in the byte order of the machine:
 *
 *	block 0		struct smcu_image_head		what every decision reads
 *	block 1		struct smcu_image_foot		what is rarely read
 *	then		sets, as units of 8 bytes: a summary (bit w: word w is not empty), then the words that are not empty.
 *			Bit i of word w is rule 64 * w + i. A set is named by the number of its first unit (block * 8 + n).
 *	then		search trees
 *	at the end	sets of cgroups that were not known when the policy was compiled, appended as they appear
 *
 * A search tree maps every value of a dimension to a set. The compiler cuts the values into intervals within which the set is the
 * same; the tree is a static B-tree over the intervals' last values, found by counting the keys less than the value looked for.
 * Unused keys are all ones, of which none is less than any value. Where many single values are named, they lie in a hash before the
 * tree: one bucket is looked at, and if the value is not in it, the tree that the bucket names. IPv6 addresses and comms (16 bytes, padded with
 * NUL) are 128-bit numbers in network byte order, everything else is a 32-bit number: so a prefix is an interval, too.
 *
 * cgroups are the exception, as their names are not known in the kernel: a hash of the cgroup's id holds for every cgroup the set
 * of the cgroup itself, and that of every cgroup below it which has no entry of its own yet (rules for a whole subtree).
 *
 * A policy in force is a *generation*: an image, an array of rule records and a hash of cgroups, in slot (generation & 1) of three
 * map-in-maps. A reader takes the generation number once and then all from that slot, so it never sees half a policy.
 */
#ifndef SMC_ULP_POLICY_H
#define SMC_ULP_POLICY_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Counted up on any change of what is below, once a version was released; also the N in the pins' directory, smc-ulp/vN. */
#define SMCU_POLICY_ABI 1

#define SMCU_POLICY_WORDS 64
#define SMCU_POLICY_MAX_RULES (64 * SMCU_POLICY_WORDS)
#define SMCU_POLICY_NAME_LEN 64 /* with the terminating NUL */
#define SMCU_COMM_LEN 16	/* the kernel's TASK_COMM_LEN, with the terminating NUL */

/* Slots of the map-in-maps: two generations; the third is never read, writing it waits for an RCU grace period. */
#define SMCU_POLICY_SLOTS 3
#define SMCU_POLICY_SLOT_BARRIER 2

/* Dimensions. */
#define SMCU_DIM_DIR 0 /* SMCU_DIR_* */
#define SMCU_DIM_DST 1
#define SMCU_DIM_SRC 2
#define SMCU_DIM_PORT 3
#define SMCU_DIM_PID 4
#define SMCU_DIM_UID 5
#define SMCU_DIM_GID 6
#define SMCU_DIM_COMM 7
#define SMCU_DIM_CGROUP 8
#define SMCU_DIM_NETNS 9
#define SMCU_DIM_COUNT 10

#define SMCU_DIR_OUT 0
#define SMCU_DIR_IN 1
#define SMCU_DIR_COUNT 2

#define SMCU_ACTION_TCP 0
#define SMCU_ACTION_SMC 1

/* Search trees: addresses have one for each family. */
#define SMCU_TREE_DST4 0
#define SMCU_TREE_DST6 1
#define SMCU_TREE_SRC4 2
#define SMCU_TREE_SRC6 3
#define SMCU_TREE_PORT 4
#define SMCU_TREE_PID 5
#define SMCU_TREE_UID 6
#define SMCU_TREE_GID 7
#define SMCU_TREE_COMM 8
#define SMCU_TREE_NETNS 9
#define SMCU_TREE_COUNT 10

/*
 * A tree is named by its root's block, and above it the number of levels above the leaves. With the highest bit set, it is a hash: its
 * first bucket's block, and above it the logarithm of how many there are.
 */
#define SMCU_TREE_ROOT_BITS 26
#define SMCU_TREE_ROOT_MASK ((1U << SMCU_TREE_ROOT_BITS) - 1)
#define SMCU_TREE_LEVELS_MASK 31
#define SMCU_TREE_IS_HASH (1U << 31)
#define SMCU_TREE_LEVELS32 4
#define SMCU_TREE_LEVELS128 8

#define SMCU_BLOCK_SIZE 64
#define SMCU_BLOCK_UNITS 8

/* Child i of a node is block child + i; set i of a leaf belongs to the values up to key i, the last one to those beyond. */
#define SMCU_NODE32_KEYS 15
#define SMCU_LEAF32_KEYS 7
#define SMCU_NODE128_KEYS 3

struct smcu_node32 {
	__u32 key[SMCU_NODE32_KEYS];
	__u32 child;
};

/* Also a bucket, of values and their sets (0: none); its last set is the name of the tree for all others. */
struct smcu_leaf32 {
	__u32 key[SMCU_LEAF32_KEYS];
	__u32 zero;
	__u32 set[SMCU_LEAF32_KEYS + 1];
};

struct smcu_key128 {
	__u64 hi;
	__u64 lo;
};

struct smcu_node128 {
	struct smcu_key128 key[SMCU_NODE128_KEYS];
	__u32 child;
	__u32 zero[3];
};

/* Also a bucket, in the same way. */
struct smcu_leaf128 {
	struct smcu_key128 key[SMCU_NODE128_KEYS];
	__u32 set[SMCU_NODE128_KEYS + 1];
};

struct smcu_image_head {
	__u32 dims; /* bit d is set if any rule constrains dimension d; the others have no set and no tree */
	__u32 zero;
	__u32 dir[SMCU_DIR_COUNT];
	__u32 tree[SMCU_TREE_COUNT];
	__u32 zero2[2];
};

struct smcu_image_foot {
	__u32 any[SMCU_DIM_COUNT]; /* the set of an unknown value: the rules that do not constrain the dimension */
	__u32 nr_rules;
	__u32 nr_blocks;
	__u32 cgroup_first; /* from this unit on lie the sets of cgroups, one behind the other */
	__u32 used;	    /* up to this one; what follows is room */
	__u32 zero[2];
};

/* The value of an image's array. */
union smcu_block {
	struct smcu_image_head head;
	struct smcu_image_foot foot;
	struct smcu_node32 node32;
	struct smcu_leaf32 leaf32;
	struct smcu_node128 node128;
	struct smcu_leaf128 leaf128;
	__u64 unit[SMCU_BLOCK_UNITS];
};

/* The value of the hash of cgroups, whose key is the cgroup's id as __u64. */
struct smcu_policy_cgroup {
	__u32 self;  /* set of this cgroup */
	__u32 below; /* set of any cgroup below it that has no entry */
};

/* A pattern may name this many levels below the root, so the program needs to look at no ancestor deeper than that. */
#define SMCU_CGROUP_LEVELS 31

/*
 * Record of one rule: record i + 1 is rule i, record 0 is the default. name and action are written before the generation is
 * published and constant afterwards; the programs count into the rest, by atomic additions except for last_error.
 */
struct smcu_policy_rule {
	char name[SMCU_POLICY_NAME_LEN];
	__u32 action;	  /* SMCU_ACTION_* */
	__s32 last_error; /* the last refusal's negative errno */
	__u64 hits;	  /* flows this rule decided */
	__u64 enabled;	  /* of these: moved to SMC, or being so already */
	__u64 failed;	  /* of these: should have been, but the kernel refused */
};

/* The one element of the state map. */
struct smcu_policy_state {
	__u32 abi;    /* SMCU_POLICY_ABI once a policy was loaded, 0 before */
	__u32 gen;    /* generation in force; its slot is gen & 1 */
	__u32 off;    /* not 0: decide nothing, leave every socket on TCP (kill switch) */
	__u32 events; /* not 0: somebody reads the ring of events */
};

/* One decision, as it is put into the ring. */
struct smcu_policy_event {
	__u64 time; /* ns since boot (CLOCK_MONOTONIC) */
	__u64 cgroup;
	__u32 gen;
	__u32 rule; /* index of the record */
	__u32 pid;
	__u32 uid;
	__s32 error; /* 0, or why the kernel did not enable the socket; only where action is SMC */
	__u16 port;  /* remote for out, local for in */
	__u8 dir;
	__u8 action;
	__u8 dst_af; /* 4, 6, or 0 where not known */
	__u8 src_af;
	__u8 zero[6];
	__u32 dst[4]; /* network byte order; IPv4 in element 0 */
	__u32 src[4];
	char comm[SMCU_COMM_LEN];
};

#define SMCU_POLICY_RING_BYTES 65536

#define SMCU_POLICY_ASSERT(what) _Static_assert(what, #what)
SMCU_POLICY_ASSERT(sizeof(union smcu_block) == SMCU_BLOCK_SIZE);
SMCU_POLICY_ASSERT(sizeof(struct smcu_image_head) == SMCU_BLOCK_SIZE);
SMCU_POLICY_ASSERT(sizeof(struct smcu_image_foot) == SMCU_BLOCK_SIZE);
SMCU_POLICY_ASSERT(sizeof(struct smcu_node32) == SMCU_BLOCK_SIZE);
SMCU_POLICY_ASSERT(sizeof(struct smcu_leaf32) == SMCU_BLOCK_SIZE);
SMCU_POLICY_ASSERT(sizeof(struct smcu_node128) == SMCU_BLOCK_SIZE);
SMCU_POLICY_ASSERT(sizeof(struct smcu_leaf128) == SMCU_BLOCK_SIZE);
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_cgroup) == 8);
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_rule) == 96);
SMCU_POLICY_ASSERT(__builtin_offsetof(struct smcu_policy_rule, hits) == 72);
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_state) == 16);
SMCU_POLICY_ASSERT(sizeof(struct smcu_policy_event) == 96);
SMCU_POLICY_ASSERT(__builtin_offsetof(struct smcu_policy_event, dst) == 48);
SMCU_POLICY_ASSERT(SMCU_POLICY_WORDS <= 64);

#endif
