// SPDX-License-Identifier: GPL-2.0
/*
 * The programs that choose sockets: at connect(2) and bind(2) of a cgroup's tasks, before the kernel acts on the call, with the
 * socket locked. Each gathers a flow, asks the policy, and enables. They always return 1: selection never denies a call.
 */
#include "vmlinux/vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "maps.h"
#include "match.h"
#include "enable.h"

#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define ALLOW 1

/*
 * What the rules say of one dimension. Where no rule constrains it the lookup is spared: the first dimension's set stands in, which
 * changes nothing in an intersection.
 */
#define LOOKUP(set, trie, key, flow, dims, dim)                             \
	do {                                                                \
		(set)[dim] = (set)[SMCU_DIM_DIR];                           \
		if ((dims) & (1U << (dim))) {                               \
			smcu_match_key(key, flow, dim);                     \
			(set)[dim] = bpf_map_lookup_elem(trie, key);        \
			if (!(set)[dim])                                    \
				return 0;                                   \
		}                                                           \
	} while (0)

/* Index of the record that decides: rule + 1, or 0 for the default (also if the maps are not as they should be). */
static __always_inline __u32 decide(void *trie, __u32 dims, const struct smcu_flow *flow)
{
	const struct smcu_policy_bits *set[SMCU_DIM_COUNT];
	struct smcu_policy_key key;

	smcu_match_key(&key, flow, SMCU_DIM_DIR);
	set[SMCU_DIM_DIR] = bpf_map_lookup_elem(trie, &key);
	if (!set[SMCU_DIM_DIR])
		return 0;
	LOOKUP(set, trie, &key, flow, dims, SMCU_DIM_DST);
	LOOKUP(set, trie, &key, flow, dims, SMCU_DIM_SRC);
	LOOKUP(set, trie, &key, flow, dims, SMCU_DIM_PORT);
	LOOKUP(set, trie, &key, flow, dims, SMCU_DIM_PID);

	return smcu_match_first(set) + 1;
}

static __always_inline int select(struct bpf_sock_addr *ctx, const struct smcu_flow *flow)
{
	struct smcu_policy_rule *rule;
	struct smcu_policy_state *state;
	void *trie, *rules;
	__u32 slot = 0, index = 0;
	int err;

	state = bpf_map_lookup_elem(&smcu_state, &slot);
	if (!state || state->abi != SMCU_POLICY_ABI || state->off)
		return ALLOW;

	/* Once: everything below belongs to this generation, even if another is published meanwhile. */
	slot = *(volatile __u32 *)&state->gen & 1;
	trie = bpf_map_lookup_elem(&smcu_tries, &slot);
	rules = bpf_map_lookup_elem(&smcu_rules, &slot);
	if (!trie || !rules)
		return ALLOW;
	rule = bpf_map_lookup_elem(rules, &index);
	if (!rule)
		return ALLOW;

	index = decide(trie, rule->dims, flow);
	rule = bpf_map_lookup_elem(rules, &index);
	if (!rule)
		return ALLOW;

	__sync_fetch_and_add(&rule->hits, 1);
	if (rule->action != SMCU_ACTION_SMC)
		return ALLOW;

	err = smcu_enable(ctx);
	if (err) {
		__sync_fetch_and_add(&rule->failed, 1);
		rule->last_error = err;
	} else {
		__sync_fetch_and_add(&rule->enabled, 1);
	}
	return ALLOW;
}

/* UDP and raw sockets come through the same hooks, MPTCP as its own protocol. */
static __always_inline int is_tcp(struct bpf_sock_addr *ctx)
{
	return ctx->type == SOCK_STREAM && ctx->protocol == IPPROTO_TCP;
}

static __always_inline void gather(struct smcu_flow *flow, struct bpf_sock_addr *ctx, __u8 dir)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->dir = dir;
	flow->port = bpf_ntohs((__u16)ctx->user_port);
	flow->pid = bpf_get_current_pid_tgid() >> 32;
}

/* A socket bound to no address, or to the wildcard, has no address of its own yet. */
static __always_inline __u8 known(const __u32 *addr, __u8 af)
{
	return addr[0] | addr[1] | addr[2] | addr[3] ? af : 0;
}

SEC("cgroup/connect4")
int smcu_connect4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_OUT);
	flow.dst[0] = ctx->user_ip4;
	flow.dst_af = 4;
	if (sk)
		flow.src[0] = sk->src_ip4;
	flow.src_af = known(flow.src, 4);
	return select(ctx, &flow);
}

SEC("cgroup/connect6")
int smcu_connect6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_OUT);
	flow.dst_af = smcu_match_addr6(flow.dst, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				       ctx->user_ip6[3]);
	if (sk)
		flow.src_af = smcu_match_addr6(flow.src, sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2],
					       sk->src_ip6[3]);
	flow.src_af = known(flow.src, flow.src_af);
	return select(ctx, &flow);
}

SEC("cgroup/bind4")
int smcu_bind4(struct bpf_sock_addr *ctx)
{
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_IN);
	flow.src[0] = ctx->user_ip4;
	flow.src_af = 4;
	return select(ctx, &flow);
}

SEC("cgroup/bind6")
int smcu_bind6(struct bpf_sock_addr *ctx)
{
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_IN);
	flow.src_af = smcu_match_addr6(flow.src, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				       ctx->user_ip6[3]);
	return select(ctx, &flow);
}

char LICENSE[] SEC("license") = "GPL";
