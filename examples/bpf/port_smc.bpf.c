// SPDX-License-Identifier: GPL-2.0
/*
 * A BPF program of one's own that moves connections to SMC: those to one port. All it takes is bpf_setsockopt(TCP_ULP, "smc") in a cgroup
 * connect (or bind) program; the module smc_ulp_bpf makes the call work. Without it the call fails with -EINVAL, as ever, and
 * the socket stays on TCP.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SOCK_STREAM 1
#define SOL_TCP 6
#define TCP_ULP 31

const volatile __u16 port = 0;

__u64 asked;
__u64 enabled;

static __always_inline int ask(struct bpf_sock_addr *ctx)
{
	char smc[] = "smc";

	if (ctx->type != SOCK_STREAM || (__u16)ctx->user_port != bpf_htons(port))
		return 1;
	__sync_fetch_and_add(&asked, 1);
	if (!bpf_setsockopt(ctx, SOL_TCP, TCP_ULP, smc, sizeof(smc)))
		__sync_fetch_and_add(&enabled, 1);
	return 1; /* 0 would refuse the connect */
}

SEC("cgroup/connect4")
int port_connect4(struct bpf_sock_addr *ctx)
{
	return ask(ctx);
}

SEC("cgroup/connect6")
int port_connect6(struct bpf_sock_addr *ctx)
{
	return ask(ctx);
}

char LICENSE[] SEC("license") = "GPL";
