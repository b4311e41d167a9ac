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

/* The number of entries of a trie is not a part of an inner map's identity: each generation's is made to measure. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SMCU_POLICY_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);
		__uint(map_flags, BPF_F_NO_PREALLOC);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(struct smcu_policy_key));
		__uint(value_size, sizeof(struct smcu_policy_bits));
	});
} smcu_tries SEC(".maps");

/* BPF_F_INNER_MAP: arrays of different lengths may take each other's place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SMCU_POLICY_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(map_flags, BPF_F_INNER_MAP);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(struct smcu_policy_rule));
	});
} smcu_rules SEC(".maps");

#endif
