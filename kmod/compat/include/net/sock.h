/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SMCU_COMPAT_NET_SOCK_H
#define SMCU_COMPAT_NET_SOCK_H

#include_next <net/sock.h>

/* 6.10, "net: change proto and proto_ops accept type": the arguments of accept in a struct. */
#ifndef SMCU_HAVE_PROTO_ACCEPT_ARG
struct proto_accept_arg {
	int flags;
	int err;
	int is_empty;
	bool kern;
};
#endif

/* 6.10, "net: add sk_wake_async_rcu() helper", for callers inside RCU. The older one goes there by itself. */
#ifndef SMCU_HAVE_SK_WAKE_ASYNC_RCU
#define sk_wake_async_rcu sk_wake_async
#endif

/* 6.18, "net-memcg: Introduce mem_cgroup_from_sk()": sk_memcg, or NULL where there are no memory cgroups. */
#ifndef SMCU_HAVE_MEM_CGROUP_FROM_SK
static inline struct mem_cgroup *mem_cgroup_from_sk(const struct sock *sk)
{
#ifdef CONFIG_MEMCG
	return sk->sk_memcg;
#else
	return NULL;
#endif
}
#endif

#endif
