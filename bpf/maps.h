/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The maps: the policy's state, and its two generations. libbpf creates and pins them; the loader fills them (loader/maps.c).
 * Inner maps are described by sizes only: clang 14 leaves types that are used nowhere else as forward declarations.
 */
#ifndef SMCU_MAPS_H
#define SMCU_MAPS_H

#include "uapi/smc_ulp_policy.h"

/* mmapable: the loader publishes a generation by one 32-bit store, nothing else is atomic enough. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct smcu_policy_state);
} smcu_state SEC(".maps");

/* BPF_F_INNER_MAP: arrays of different lengths may take each other's place. The loader writes an image through mmap(). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SMCU_POLICY_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(union smcu_block));
	});
} smcu_images SEC(".maps");

/* The records are mmapable for atomic additions: counters follow a rule's name into the next generation. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SMCU_POLICY_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(struct smcu_policy_rule));
	});
} smcu_rules SEC(".maps");

/* How many entries a hash may have is not a part of an inner map's identity. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SMCU_POLICY_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(map_flags, BPF_F_NO_PREALLOC);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u64));
		__uint(value_size, sizeof(struct smcu_policy_cgroup));
	});
} smcu_cgroups SEC(".maps");

/* Decisions as they are made, while somebody asks for them. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SMCU_POLICY_RING_BYTES);
} smcu_events SEC(".maps");

#endif
