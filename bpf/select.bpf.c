// SPDX-License-Identifier: GPL-2.0
/*
 * The programs that choose sockets: at connect(2) and bind(2) of a cgroup's tasks, before the kernel acts on the call, with the
 * socket locked. Each gathers a flow, asks the policy, and enables. They always return 1: selection never denies a call.
 */
#include "vmlinux/vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "maps.h"

/*
 * Between functions that are verified by themselves an image is known by its slot, a pointer to a map is not for them. Each lookup finds
 * the same map: the loader waits until every program that may be in a slot has ended before it touches it (loader/maps.c).
 */
typedef __u32 smcu_image;
#define SMCU_MATCH_FUNCTION __noinline

static __always_inline void *smcu_image_get(smcu_image slot)
{
	return bpf_map_lookup_elem(&smcu_images, &slot);
}

static __always_inline const union smcu_block *smcu_block(void *image, __u32 index)
{
	return bpf_map_lookup_elem(image, &index);
}

/* A plain loop of so many rounds is too much for the verifier, which would walk through each. */
#define smcu_loop(nr, round, arg) bpf_loop(nr, round, arg, 0)

#include "match.h"
#include "enable.h"

#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define ALLOW 1

/* What every decision finds in its slot. */
struct policy {
	smcu_image image;
	void *rules;
	void *cgroups;
	__u32 gen;
};

/* Inode number of the socket's network namespace, as /proc/PID/ns/net shows it. */
static __always_inline __u32 netns_of(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct tcp_sock *tp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;

	return tp ? ((struct sock *)tp)->__sk_common.skc_net.net->ns.inum : 0;
}

/*
 * The set of the task's cgroup. A cgroup that nobody has classified yet is what its nearest classified ancestor says of everything
 * below it; each ancestor of a classified one is classified. 0: not even the root is.
 */
static __noinline __u32 cgroup_set(void *cgroups)
{
	const struct smcu_policy_cgroup *sets;
	__u64 id = bpf_get_current_cgroup_id();
	__u32 set = 0;
	int level;

	sets = bpf_map_lookup_elem(cgroups, &id);
	if (sets)
		return sets->self;
	for (level = 0; level <= SMCU_CGROUP_LEVELS; level++) {
		id = bpf_get_current_ancestor_cgroup_id(level);
		if (!id)
			break;
		sets = bpf_map_lookup_elem(cgroups, &id);
		if (!sets)
			break;
		set = sets->below;
	}
	return set;
}

/* What ps shows: of the process. Threads have names of their own, which nobody who writes a policy knows. */
static __always_inline void process_name(char comm[16])
{
	struct task_struct *task = bpf_get_current_task_btf();

	__builtin_memcpy(comm, task->group_leader->comm, 16);
}

/* Who asks, as far as any rule wants to know: each of these costs more than looking it up. */
static __always_inline void gather_who(struct smcu_flow *flow, struct bpf_sock_addr *ctx, void *cgroups, __u32 dims)
{
	if (dims & 1U << SMCU_DIM_PID)
		flow->pid = bpf_get_current_pid_tgid() >> 32;
	if (dims & (1U << SMCU_DIM_UID | 1U << SMCU_DIM_GID)) {
		__u64 ids = bpf_get_current_uid_gid();

		flow->uid = ids;
		flow->gid = ids >> 32;
	}
	if (dims & 1U << SMCU_DIM_COMM)
		process_name(flow->comm);
	if (dims & 1U << SMCU_DIM_NETNS)
		flow->netns = netns_of(ctx);
	if (dims & 1U << SMCU_DIM_CGROUP) {
		flow->cgroup = cgroup_set(cgroups);
		if (!flow->cgroup)
			flow->known &= ~(1U << SMCU_DIM_CGROUP);
	}
}

/* Index of the record that decides: rule + 1, or 0 for the default (also if the maps are not as they should be). */
static __always_inline __u32 decide(const struct policy *policy, struct bpf_sock_addr *ctx, struct smcu_flow *flow)
{
	struct smcu_match match;

	if (!smcu_match_begin(&match, policy->image) || !smcu_match_where(&match, flow))
		return 0;
	if (match.dims & SMCU_DIMS_WHO) {
		gather_who(flow, ctx, policy->cgroups, match.dims);
		if (!smcu_match_who(&match, flow))
			return 0;
	}
	return smcu_match_first(&match) + 1;
}

/* Tell whoever listens. A full ring loses events, never a decision. */
static __noinline int report(const struct smcu_flow *flow, __u32 gen, __u32 rule, __u32 action, int error)
{
	struct smcu_policy_event *event = bpf_ringbuf_reserve(&smcu_events, sizeof(*event), 0);

	if (!event)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	event->time = bpf_ktime_get_ns();
	event->cgroup = bpf_get_current_cgroup_id();
	event->gen = gen;
	event->rule = rule;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = bpf_get_current_uid_gid();
	event->error = error;
	event->port = flow->port;
	event->dir = flow->dir;
	event->action = action;
	if (flow->known & 1U << SMCU_DIM_DST) {
		event->dst_af = flow->dst_af;
		__builtin_memcpy(event->dst, flow->dst, sizeof(event->dst));
	}
	if (flow->known & 1U << SMCU_DIM_SRC) {
		event->src_af = flow->src_af;
		__builtin_memcpy(event->src, flow->src, sizeof(event->src));
	}
	process_name(event->comm);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* The one path of all hooks. */
static __always_inline int select(struct bpf_sock_addr *ctx, struct smcu_flow *flow)
{
	struct smcu_policy_state *state;
	struct smcu_policy_rule *rule;
	struct policy policy;
	__u32 slot = 0, index;
	int err = 0;

	state = bpf_map_lookup_elem(&smcu_state, &slot);
	if (!state || state->abi != SMCU_POLICY_ABI || state->off)
		return ALLOW;

	/* Once: everything below belongs to this generation, even if another is published meanwhile. */
	policy.gen = *(volatile __u32 *)&state->gen;
	slot = policy.gen & 1;
	policy.image = slot;
	policy.rules = bpf_map_lookup_elem(&smcu_rules, &slot);
	policy.cgroups = bpf_map_lookup_elem(&smcu_cgroups, &slot);
	if (!smcu_image_get(slot) || !policy.rules || !policy.cgroups)
		return ALLOW;

	index = decide(&policy, ctx, flow);
	rule = bpf_map_lookup_elem(policy.rules, &index);
	if (!rule)
		return ALLOW;

	__sync_fetch_and_add(&rule->hits, 1);
	if (rule->action == SMCU_ACTION_SMC) {
		err = smcu_enable(ctx);
		if (err) {
			__sync_fetch_and_add(&rule->failed, 1);
			rule->last_error = err;
		} else {
			__sync_fetch_and_add(&rule->enabled, 1);
		}
	}
	if (state->events)
		report(flow, policy.gen, index, rule->action, err);
	return ALLOW;
}

/* UDP and raw sockets come through the same hooks. MPTCP comes with its first subflow, which is refused as it has a ULP of its own. */
static __always_inline int is_tcp(struct bpf_sock_addr *ctx)
{
	return ctx->type == SOCK_STREAM && ctx->protocol == IPPROTO_TCP;
}

/* What is known at every hook: the direction, the port, and whatever is asked about the task. */
static __always_inline void gather(struct smcu_flow *flow, struct bpf_sock_addr *ctx, __u8 dir)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->known = SMCU_DIMS_WHO | 1U << SMCU_DIM_DIR | 1U << SMCU_DIM_PORT;
	flow->dir = dir;
	flow->port = bpf_ntohs((__u16)ctx->user_port);
}

/* A socket bound to no address, or to the wildcard, has no address of its own yet. */
static __always_inline int is_bound(const __u32 *addr)
{
	return addr[0] | addr[1] | addr[2] | addr[3];
}

SEC("cgroup/connect4")
int SMCU_PROGRAM(connect4)(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_OUT);
	flow.dst[0] = ctx->user_ip4;
	flow.dst_af = 4;
	flow.known |= 1U << SMCU_DIM_DST;
	if (sk)
		flow.src[0] = sk->src_ip4;
	flow.src_af = 4;
	if (is_bound(flow.src))
		flow.known |= 1U << SMCU_DIM_SRC;
	return select(ctx, &flow);
}

SEC("cgroup/connect6")
int SMCU_PROGRAM(connect6)(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_OUT);
	flow.dst_af = smcu_match_addr6(flow.dst, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				       ctx->user_ip6[3]);
	flow.known |= 1U << SMCU_DIM_DST;
	if (sk)
		flow.src_af = smcu_match_addr6(flow.src, sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2],
					       sk->src_ip6[3]);
	if (is_bound(flow.src))
		flow.known |= 1U << SMCU_DIM_SRC;
	return select(ctx, &flow);
}

SEC("cgroup/bind4")
int SMCU_PROGRAM(bind4)(struct bpf_sock_addr *ctx)
{
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_IN);
	flow.src[0] = ctx->user_ip4;
	flow.src_af = 4;
	flow.known |= 1U << SMCU_DIM_SRC;
	return select(ctx, &flow);
}

SEC("cgroup/bind6")
int SMCU_PROGRAM(bind6)(struct bpf_sock_addr *ctx)
{
	struct smcu_flow flow;

	if (!is_tcp(ctx))
		return ALLOW;
	gather(&flow, ctx, SMCU_DIR_IN);
	flow.src_af = smcu_match_addr6(flow.src, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				       ctx->user_ip6[3]);
	flow.known |= 1U << SMCU_DIM_SRC;
	return select(ctx, &flow);
}

char LICENSE[] SEC("license") = "GPL";
