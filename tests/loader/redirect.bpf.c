// SPDX-License-Identifier: GPL-2.0
/*
 * What bpf_setsockopt() answers to many calls, from programs of each kind that may call it. The call is written by redirect.c.
 */
#include "vmlinux/vmlinux.h"
#include <bpf/bpf_helpers.h>

#define MAX_LEN 32 /* a power of two */

/* The fields of the contexts that are read; both are user API. */
struct bpf_sockopt_ctx {
	struct bpf_sock *sk;
	void *optval;
	void *optval_end;
	__s32 level;
	__s32 optname;
	__s32 optlen;
	__s32 retval;
};

struct bpf_sock_ops_ctx {
	__u32 op;
};

__s32 level;
__s32 optname;
__u32 optlen;
char optval[MAX_LEN];

__s32 from_connect = 1;
__s32 from_bind = 1;
__s32 from_sockopt = 1;
__s32 from_listen = 1;
__s32 from_sockops_else = 1;
__s32 from_create = 1;

/*
 * The verifier wants to know the length's range: 1 to MAX_LEN by a mask, kept in that order so that 6.1 follows it. The value is
 * copied to the stack, as programs have it.
 */
#define CALL(ctx)                                                   \
	({                                                          \
		char copy[MAX_LEN];                                 \
		__u32 len = (optlen - 1) & (MAX_LEN - 1);           \
		__builtin_memcpy(copy, optval, MAX_LEN);            \
		asm volatile("" : "+r"(len));                       \
		bpf_setsockopt(ctx, level, optname, copy, len + 1); \
	})

/* The four hooks with an address have one context. */
#define FROM(hook, answer)                      \
	SEC("cgroup/" #hook)                    \
	int from_##hook(struct bpf_sock_addr *ctx) \
	{                                       \
		answer = CALL(ctx);             \
		return 1;                       \
	}

FROM(connect4, from_connect)
FROM(connect6, from_connect)
FROM(bind4, from_bind)
FROM(bind6, from_bind)

SEC("cgroup/setsockopt")
int from_setsockopt(struct bpf_sockopt_ctx *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	if (sk)
		from_sockopt = CALL(sk);
	return 1;
}

SEC("sockops")
int from_sockops(struct bpf_sock_ops_ctx *ctx)
{
	/* BPF_SOCK_OPS_TCP_LISTEN_CB 11, _TIMEOUT_INIT 1: the second one also runs for a connect. */
	if (ctx->op == 11)
		from_listen = CALL(ctx);
	else if (ctx->op == 1)
		from_sockops_else = CALL(ctx);
	return 1;
}

/* Loaded where the helper exists for it, which is since 7.2. */
SEC("cgroup/sock_create")
int from_sock_create(struct bpf_sock *sk)
{
	if (sk->type == 1 /* SOCK_STREAM */)
		from_create = CALL(sk);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
