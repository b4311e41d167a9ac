// SPDX-License-Identifier: GPL-2.0
/*
 * smc_ulp_bpf.ko: bpf_setsockopt(ctx, SOL_TCP, TCP_ULP, "smc", ...) in kernels whose helper refuses TCP_ULP.
 *
 * The helper's whitelist leaves TCP_ULP out because the ULPs of the tree may sleep in init. Ours does not, so this one
 * (level, option, name) is led to smcu_ulp_request() and nothing else changes: the ftrace callback compares the arguments and only
 * on an exact hit puts another function's address into the saved instruction pointer. That function then runs in the place of
 * the helper, in the caller's own context (process context or softirq, socket locked, inside rcu_read_lock and with
 * current->bpf_ctx set), not in the tracer's. Any other call continues into the kernel's own code untouched, and keeps its error.
 *
 * FTRACE_OPS_FL_PERMANENT: `sysctl kernel.ftrace_enabled=0` is refused while we are loaded, instead of silently turning the
 * answer back into -EINVAL. FTRACE_OPS_FL_IPMODIFY: only one such user per function, so a livepatch of the same helper makes the
 * load fail with -EBUSY rather than fight over it.
 *
 * Why this module links against smc_ulp.ko and does not just call the kernel's tcp_prot.setsockopt: with no ULP
 * "smc" registered, that path reaches request_module() for tasks with CAP_NET_ADMIN, which sleeps inside RCU, and on a kernel with
 * the in-tree ULP of the same name would bring in *that* one, whose init sleeps too. A real symbol dependency makes it impossible to
 * have the redirect without our ULP; a soft dependency would not.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_trace.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "ulp/ulp.h"

#define NAME "smc"
#define NAME_LEN (sizeof(NAME) - 1)

/* One helper: what to intercept, and what runs instead. */
struct hook {
	const char *symbol;
	u64 (*target)(u64 r1, u64 level, u64 optname, u64 optval, u64 optlen);
	bool is_required;	/* without it the module is of no use */
	bool is_recent;		/* 6.1 and 6.12 have no such helper */
	bool is_active;
	struct ftrace_ops ops;
};

/*
 * Exactly "smc": three bytes, or NUL-padded up to what TCP_ULP takes. A BPF program passes its buffer's size, which is 4 for
 * char[] = "smc" and 16 for a char[TCP_ULP_NAME_MAX]. The verifier guarantees optlen readable bytes, no terminator.
 */
static bool is_our_name(const char *val, u32 len)
{
	if (len < NAME_LEN || len > TCP_ULP_NAME_MAX || memcmp(val, NAME, NAME_LEN))
		return false;
	return len == NAME_LEN || !memchr_inv(val + NAME_LEN, 0, len - NAME_LEN);
}

static u64 request(struct sock *sk)
{
	/* The helper's own answer to TCP options of other sockets: UDP comes through the same hooks, and unlocked. */
	if (!sk || !sk_fullsock(sk) || sk->sk_protocol != IPPROTO_TCP)
		return (u64)(long)-EINVAL;
	/*
	 * tcp_prot.setsockopt() below us takes the socket lock unless it sees that a BPF program calls. Each program that can reach
	 * these helpers runs with a run context, so this is a guard against future callers: refuse rather than deadlock.
	 */
	if (!has_current_bpf_ctx())
		return (u64)(long)-EINVAL;

	return (u64)(long)smcu_ulp_request(sk);
}

static u64 for_sock_addr(u64 r1, u64 level, u64 optname, u64 optval, u64 optlen)
{
	return request(((struct bpf_sock_addr_kern *)(unsigned long)r1)->sk);
}

static u64 for_sk(u64 r1, u64 level, u64 optname, u64 optval, u64 optlen)
{
	return request((struct sock *)(unsigned long)r1);
}

static u64 for_sock_ops(u64 r1, u64 level, u64 optname, u64 optval, u64 optlen)
{
	struct bpf_sock_ops_kern *ops = (struct bpf_sock_ops_kern *)(unsigned long)r1;

	/*
	 * The two callbacks whose socket is surely locked and full, in process context. Elsewhere (softirq, or the timestamping
	 * callbacks that run with no lock) a socket is past the states a ULP may be set in anyway.
	 */
	if (ops->op != BPF_SOCK_OPS_TCP_CONNECT_CB && ops->op != BPF_SOCK_OPS_TCP_LISTEN_CB)
		return (u64)(long)-EINVAL;

	return request(ops->sk);
}

/* cgroup/sock_create: nobody else has the socket yet, so nobody has locked it either; what is below us asserts the lock. */
static u64 for_new_sk(u64 r1, u64 level, u64 optname, u64 optval, u64 optlen)
{
	struct sock *sk = (struct sock *)(unsigned long)r1;
	u64 ret;

	local_bh_disable();
	bh_lock_sock(sk);
	ret = request(sk);
	bh_unlock_sock(sk);
	local_bh_enable();
	return ret;
}

/*
 * bpf_unlocked_sk_setsockopt (lsm_cgroup socket_post_create) is left out: nobody holds the socket's lock there, and the
 * path below asserts it.
 */
static struct hook hooks[] = {
	{ .symbol = "bpf_sock_addr_setsockopt", .target = for_sock_addr, .is_required = true },
	{ .symbol = "bpf_sk_setsockopt", .target = for_sk },
	{ .symbol = "bpf_sock_ops_setsockopt", .target = for_sock_ops },
	{ .symbol = "bpf_sock_create_setsockopt", .target = for_new_sk, .is_recent = true },
};

/* Runs at the helper's first instruction with preemption off: compare, and change nothing but the address to continue at. */
static void notrace redirect(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *fregs)
{
	const struct hook *hook = ops->private;
	struct pt_regs *regs = ftrace_get_regs(fregs);

	/*
	 * Without FTRACE_OPS_FL_SAVE_REGS this would be NULL on newer kernels; being asked for, it is not. Arguments are compared
	 * as the helper would take them: int, hence the low 32 bits.
	 */
	if (!regs)
		return;
	if ((int)regs_get_kernel_argument(regs, 1) != SOL_TCP ||
	    (int)regs_get_kernel_argument(regs, 2) != TCP_ULP)
		return;
	if (!is_our_name((const char *)regs_get_kernel_argument(regs, 3),
			 (u32)regs_get_kernel_argument(regs, 4)))
		return;

	instruction_pointer_set(regs, (unsigned long)hook->target);
}

static int hook_install(struct hook *hook)
{
	int err;

	hook->ops.func = redirect;
	hook->ops.private = hook;
	hook->ops.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT;

	/* By name: finding the address is ftrace's business, and a name it does not know is an error here, not a crash later. */
	err = ftrace_set_filter(&hook->ops, (unsigned char *)hook->symbol, strlen(hook->symbol), 1);
	if (err) {
		if (!hook->is_recent)
			pr_warn("this kernel has no traceable %s(): error %d\n", hook->symbol, err);
		goto err_free_filter;
	}

	err = register_ftrace_function(&hook->ops);
	if (err) {
		pr_warn("%s() cannot be redirected: error %d%s\n", hook->symbol, err,
			err == -EBUSY ? " (set kernel.ftrace_enabled=1; or it is livepatched, or another module redirects it)" : "");
		goto err_free_filter;
	}

	hook->is_active = true;
	return 0;

err_free_filter:
	ftrace_free_filter(&hook->ops);
	return err;
}

static void hook_remove(struct hook *hook)
{
	if (!hook->is_active)
		return;
	unregister_ftrace_function(&hook->ops);
	ftrace_free_filter(&hook->ops);
	hook->is_active = false;
}

static void remove_all(void)
{
	int i;

	for (i = ARRAY_SIZE(hooks) - 1; i >= 0; i--)
		hook_remove(&hooks[i]);

	/*
	 * unregister_ftrace_function() waited until nobody is in the callback. Targets run later than that, as a part of a BPF
	 * program: wait for those too before our text goes away. The tcp iterator, which may call bpf_sk_setsockopt(), can be a
	 * sleepable program, and those are covered by RCU tasks trace alone.
	 */
	synchronize_rcu();
	if (IS_ENABLED(CONFIG_TASKS_TRACE_RCU))
		synchronize_rcu_tasks_trace();
}

static int __init smc_ulp_bpf_init(void)
{
	int i, err, active = 0;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		err = hook_install(&hooks[i]);
		if (!err) {
			active++;
		} else if (hooks[i].is_required) {
			pr_err("bpf_setsockopt(TCP_ULP, \"" NAME "\") cannot be offered on this kernel\n");
			remove_all();
			return err;
		}
	}

	pr_info("bpf_setsockopt(TCP_ULP, \"" NAME "\") works in %d helpers\n", active);
	return 0;
}

static void __exit smc_ulp_bpf_exit(void)
{
	remove_all();
}

module_init(smc_ulp_bpf_init);
module_exit(smc_ulp_bpf_exit);

MODULE_DESCRIPTION("bpf_setsockopt(TCP_ULP, \"smc\") for smc_ulp");
MODULE_LICENSE("GPL");
