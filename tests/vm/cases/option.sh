#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: the SMC option in SYN and SYN-ACK, byte for byte, one host
# hosts: 1
# kernel: 6.12 6.1 7.2
# timeout: 400
# suites: check debug
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

# Two namespaces joined by veth.
namespaces() {
	ip netns add s && ip netns add c &&
	ip link add vs netns s type veth peer name vc netns c || return 1
	local ns n=1
	for ns in s c; do
		ip -n $ns link set lo up
		ip -n $ns addr add 10.88.0.$n/24 dev v$ns
		ip -n $ns addr add fd88::$n/64 dev v$ns nodad
		ip -n $ns link set v$ns up
		# What one connection took says nothing of the next, whose first packets may be dropped on purpose.
		ip netns exec $ns sysctl -qw net.ipv4.tcp_no_metrics_save=1
		n=2
	done
	wait_for 10 ip netns exec c ping -c 1 -W 1 10.88.0.1 && wait_for 10 ip netns exec c ping -c 1 -W 1 fd88::1
}

check "module loads" load_module
check "two namespaces" namespaces
each_line "option" python3 "$TOOLS/synopt.py"
# The oracle, where this kernel has one. It cannot be there at the same time on all of them.
if modinfo smc >/dev/null 2>&1; then
	check "module unloads" smcu_unload
	check "in-tree smc loads" modprobe smc
	each_line "the kernel's own" python3 "$TOOLS/synopt.py" --in-tree
else
	ip -all netns delete
	check "module unloads" smcu_unload
fi
