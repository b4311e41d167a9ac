#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: BPF programs ask for SMC: redirect, kfunc, loader
# hosts: 1
# kernel: 6.12
# timeout: 900
# suites: check debug
#
# In a guest: tests/vm/run [--kernel 6.1] tests/loader/guest.sh. Needs make loader, make -C examples, make -C tests/loader.
. "$SMCU_TREE/tests/vm/lib.sh"

cg=$(mktemp -d /sys/fs/cgroup/smcu-XXXXXX)
redirect=$SMCU_TREE/build/tests-loader/redirect
loader="$SMCU_TREE/build/loader/smc-ulp-loader -q"

enabling() { $loader -j features | python3 -c 'import json, sys; print(json.load(sys.stdin)["enabling"])'; }
is() { [ "$1" = "$2" ] || { echo "'$1', not '$2'"; return 1; }; }
has_kfunc() { [ "$SMCU_KERNEL" != 6.1 ]; }

# A program that prints PASS, FAIL and SKIP lines itself, as they come; its own line when it fails without saying why.
run() {
	local name=$1 log
	shift
	log=$(mktemp)
	"$@" 2>&1 | tee "$log" | sed -u -n "s/^\(PASS\|FAIL\|SKIP\) /\1 $name /p"
	[ "${PIPESTATUS[0]}" -eq 0 ] || fail "$name" "$(grep -v '^PASS' "$log" | tail -n 5 | tr '\n' ' ')"
	rm -f "$log"
}

# No module: everything is refused as ever, and the loader says so.
run stock "$redirect" "$cg" without
check "without a module nothing is enabled" is "$(enabling)" none
run stock "$SMCU_TREE/tests/loader/run" attach_and_detach connections_work

# The module alone: the kfunc, where this kernel has it.
check "smc_ulp loads" smcu_load
if has_kfunc; then
	check "the kfunc is offered" is "$(enabling)" kfunc
	run kfunc "$SMCU_TREE/tests/loader/run" attach_and_detach attach_again connections_work kernel_decides_as_explain mptcp_is_refused
else
	check "no kfunc on this kernel" is "$(enabling)" none
fi
# What the daemon's unit leaves it: the kernel shows a module's BTF to nobody who has only these.
three() { setpriv --bounding-set -all,+bpf,+net_admin,+perfmon "$@"; }
status_of() {
	"$@" >/dev/null 2>&1
	echo $?
}
converted() { awk '$1 == "sockets" { print $2 }' /proc/net/smc_ulp/stats; }
# A static program, which connects to nobody.
connect_static() { "$@" /bin/busybox nc 127.0.0.1 1 2>/dev/null; }
in_cgroup() { bash -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$cg" "$@"; }
if has_kfunc; then
	check "three capabilities: attached, but degraded" is "$(status_of three $loader attach --cgroup "$cg")" 3
	check "three capabilities, again: still degraded" is "$(status_of three $loader attach --cgroup "$cg")" 3
	check "status says so, to root as well" is "$(status_of $loader status)" 3
	check "attach --all takes the kfunc" $loader attach --all
	check "status says so" is "$(status_of $loader status)" 0
	check "three capabilities: the programs left there are used" is "$(status_of three $loader attach --cgroup "$cg")" 0
	before=$(converted)
	connect_static in_cgroup
	check "and they convert" is $(($(converted) - before)) 1
	$loader detach --all
	before=$(converted)
	connect_static $loader run --
	check "run converts a static program's socket" is $(($(converted) - before)) 1
	check "run cleaned up" [ ! -e /sys/fs/bpf/smc-ulp ]
	printf 'version: 1\ndefault: tcp\n' >/tmp/tcp.yaml
	before=$(converted)
	connect_static $loader run --policy /tmp/tcp.yaml --
	check "run by its own policy: TCP" is $(($(converted) - before)) 0
fi
run no-redirect "$redirect" "$cg" without

[ "$SMCU_KERNEL" != 7.2 ] || check "this kernel lets sock_create programs ask" "$redirect" has-sock-create

# Where ftrace is off nothing could be redirected: refused, with what to do.
tracing=/sys/kernel/tracing
ftrace() { echo "$1" >/proc/sys/kernel/ftrace_enabled; }
ftrace 0
check "smc_ulp_bpf is refused while ftrace is off" sh -c "! insmod $SMCU_MODDIR/smc_ulp_bpf.ko 2>/dev/null"
check "and says why" sh -c 'dmesg | grep -q "cannot be redirected.*kernel.ftrace_enabled=1"'
ftrace 1

# A livepatch of the same function: whoever is second is refused.
livepatch=$SMCU_MODDIR/smcu_livepatch.ko
unpatch() {
	echo 0 >/sys/kernel/livepatch/smcu_livepatch/enabled || return 1
	wait_for 60 [ ! -e /sys/kernel/livepatch/smcu_livepatch ] && wait_for 10 rmmod smcu_livepatch
}
has_livepatch() { [ -e /sys/kernel/livepatch ]; }
if has_livepatch; then
	check "a livepatch of the same function" insmod "$livepatch"
	check "smc_ulp_bpf is refused beside it" sh -c "! insmod $SMCU_MODDIR/smc_ulp_bpf.ko 2>/dev/null"
	check "and names the reason" sh -c 'dmesg | tail -n 5 | grep -q "cannot be redirected.*livepatched"'
	check "the livepatch goes" unpatch
fi

# Both: bpf_setsockopt() works for one name.
check "smc_ulp_bpf loads" smcu_load_bpf
! has_livepatch || check "a livepatch is refused beside it" sh -c "! insmod $livepatch 2>/dev/null"
run redirect "$redirect" "$cg" with
has_kfunc || check "sockets are enabled by setsockopt" is "$(enabling)" setsockopt
run redirect "$SMCU_TREE/tests/loader/run" attach_and_detach connections_work reload_under_load example_bpf_program mptcp_is_refused
check "smc_ulp cannot be unloaded below it" sh -c '! rmmod smc_ulp 2>/dev/null'
check "ftrace cannot be switched off below it" sh -c '! echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled'

# Others may look at the same function meanwhile: a kprobe, the function tracer coming and going.
look_on() {
	local i pid
	echo "p:smcu_test bpf_sock_addr_setsockopt" >>$tracing/kprobe_events || return 1
	echo 1 >$tracing/events/kprobes/smcu_test/enable || return 1
	echo "bpf_s*_setsockopt" >$tracing/set_ftrace_filter
	for i in $(seq 5); do
		"$redirect" "$cg" with >"/tmp/looked-at-$i" &
		pid=$!
		while kill -0 $pid 2>/dev/null; do
			echo function >$tracing/current_tracer
			ftrace 0 2>/dev/null
			echo nop >$tracing/current_tracer
		done
		wait $pid || { cat "/tmp/looked-at-$i"; return 1; }
	done
	echo >$tracing/set_ftrace_filter
	echo 0 >$tracing/events/kprobes/smcu_test/enable
	awk '$1 == "smcu_test" && $2 > 0 { hit = 1 } END { exit !hit }' $tracing/kprobe_profile || { echo "the kprobe saw nothing"; return 1; }
	echo "-:smcu_test" >>$tracing/kprobe_events
}
check "a kprobe and a tracer on the same function" look_on

# In and out while the redirected functions are called.
churn() {
	"$redirect" "$cg" with >/dev/null & # the verdicts are meaningless here, its calls are not
	for _ in $(seq 10); do
		rmmod smc_ulp_bpf || return 1
		"$redirect" "$cg" with >/dev/null &
		smcu_load_bpf || return 1
	done
	wait
}
check "smc_ulp_bpf comes and goes under load" churn
run again "$redirect" "$cg" with

check "smc_ulp_bpf unloads" rmmod smc_ulp_bpf
run after "$redirect" "$cg" without
rmdir "$cg" 2>/dev/null
check "smc_ulp unloads" smcu_unload
