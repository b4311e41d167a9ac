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

/**
 * struct smcu_node32 - a node of a tree of 32-bit values
 * @key: the last values below each child but the last, in order; unused ones are all ones
 * @child: the first child's block
 */
struct smcu_node32 {
	__u32 key[SMCU_NODE32_KEYS];
	__u32 child;
};

/**
 * struct smcu_leaf32 - a leaf of a tree of 32-bit values; or a bucket of a hash, of values and their sets
 * @key: of a leaf as in a node; of a bucket the values, those whose set is 0 unused
 * @zero: 0
 * @set: numbers of sets' first units; of a bucket the last one is the name of the tree for all values that it has not
 */
struct smcu_leaf32 {
	__u32 key[SMCU_LEAF32_KEYS];
	__u32 zero;
	__u32 set[SMCU_LEAF32_KEYS + 1];
};

/**
 * struct smcu_key128 - a 128-bit number
 * @hi: its upper half, in the machine's byte order
 * @lo: its lower half
 */
struct smcu_key128 {
	__u64 hi;
	__u64 lo;
};

/**
 * struct smcu_node128 - a node of a tree of 128-bit values
 * @key: as in struct smcu_node32
 * @child: the first child's block
 * @zero: 0
 */
struct smcu_node128 {
	struct smcu_key128 key[SMCU_NODE128_KEYS];
	__u32 child;
	__u32 zero[3];
};

/**
 * struct smcu_leaf128 - a leaf of a tree of 128-bit values, or a bucket
 * @key: as in struct smcu_leaf32
 * @set: likewise
 */
struct smcu_leaf128 {
	struct smcu_key128 key[SMCU_NODE128_KEYS];
	__u32 set[SMCU_NODE128_KEYS + 1];
};

/**
 * struct smcu_image_head - block 0 of an image
 * @dims: bit d is set if any rule constrains dimension d; the others have no set and no tree. Never 0
 * @zero: 0
 * @dir: for each direction the set of the rules that hold it
 * @tree: names of trees or hashes; 0 where the dimension is not constrained
 * @zero2: 0
 */
struct smcu_image_head {
	__u32 dims;
	__u32 zero;
	__u32 dir[SMCU_DIR_COUNT];
	__u32 tree[SMCU_TREE_COUNT];
	__u32 zero2[2];
};

/**
 * struct smcu_image_foot - block 1 of an image
 * @any: for each dimension the set of an unknown value: the rules that do not constrain it
 * @nr_rules: 0 to SMCU_POLICY_MAX_RULES
 * @nr_blocks: of the image, room included
 * @cgroup_first: from this unit on lie the sets of cgroups, one behind the other
 * @used: up to this unit, which is not one of them; what follows is room
 * @zero: 0
 */
struct smcu_image_foot {
	__u32 any[SMCU_DIM_COUNT];
	__u32 nr_rules;
	__u32 nr_blocks;
	__u32 cgroup_first;
	__u32 used;
	__u32 zero[2];
};

/**
 * union smcu_block - the value of an image's array
 * @head: block 0
 * @foot: block 1
 * @node32: of a tree
 * @leaf32: of a tree, or a bucket of a hash
 * @node128: of a tree
 * @leaf128: of a tree, or a bucket of a hash
 * @unit: of sets
 */
union smcu_block {
	struct smcu_image_head head;
	struct smcu_image_foot foot;
	struct smcu_node32 node32;
	struct smcu_leaf32 leaf32;
	struct smcu_node128 node128;
	struct smcu_leaf128 leaf128;
	__u64 unit[SMCU_BLOCK_UNITS];
};

/**
 * struct smcu_policy_cgroup - the value of the hash of cgroups, whose key is the cgroup's id as __u64
 * @self: set of this cgroup
 * @below: set of any cgroup below it that has no entry
 */
struct smcu_policy_cgroup {
	__u32 self;
	__u32 below;
};

/* A pattern may name this many levels below the root, so the program needs to look at no ancestor deeper than that. */
#define SMCU_CGROUP_LEVELS 31

/**
 * struct smcu_policy_rule - record of one rule: record i + 1 is rule i, record 0 is the default
 * @name: NUL-terminated
 * @action: SMCU_ACTION_*
 * @last_error: the last refusal's negative errno, 0 if there was none
 * @hits: flows this rule decided
 * @enabled: of these: moved to SMC, or being so already
 * @failed: of these: should have been, but the kernel refused
 *
 * @name and @action are written before the generation is published and constant afterwards; the programs count into the rest, by
 * atomic additions except for @last_error.
 */
struct smcu_policy_rule {
	char name[SMCU_POLICY_NAME_LEN];
	__u32 action;
	__s32 last_error;
	__u64 hits;
	__u64 enabled;
	__u64 failed;
};

/**
 * struct smcu_policy_state - the one element of the state map
 * @abi: SMCU_POLICY_ABI once a policy was loaded, 0 before
 * @gen: generation in force; its slot is gen & 1
 * @off: not 0: decide nothing, leave every socket on TCP (kill switch)
 * @events: not 0: somebody reads the ring of events
 */
struct smcu_policy_state {
	__u32 abi;
	__u32 gen;
	__u32 off;
	__u32 events;
};

/**
 * struct smcu_policy_event - one decision, as it is put into the ring
 * @time: ns since boot (CLOCK_MONOTONIC)
 * @cgroup: id of the task's
 * @gen: generation that decided
 * @rule: index of the record in it
 * @pid: the task's process, as the initial namespace numbers it
 * @uid: the task's real one, likewise
 * @error: 0, or the negative errno with which the kernel did not enable the socket; only where @action is SMC
 * @port: remote for out, local for in; host byte order
 * @dir: SMCU_DIR_*
 * @action: SMCU_ACTION_*
 * @dst_af: 4, 6, or 0 where not known
 * @src_af: likewise
 * @zero: 0
 * @dst: network byte order; IPv4 in element 0
 * @src: likewise
 * @comm: the task's, padded with NUL
 */
struct smcu_policy_event {
	__u64 time;
	__u64 cgroup;
	__u32 gen;
	__u32 rule;
	__u32 pid;
	__u32 uid;
	__s32 error;
	__u16 port;
	__u8 dir;
	__u8 action;
	__u8 dst_af;
	__u8 src_af;
	__u8 zero[6];
	__u32 dst[4];
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
